"""What installing the step costs: BK-CI installs the store's package before every run.

The same at a desk, where pip brings what the step runs on, and for what an atom on the platform's own SDK
needs before it does anything of its own. All from
wheels that are here already, so that no network is in the figures, into a fresh environment.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from release.parts import fetch, read_parts
from release.wheel import build_wheel

from tests.bench.peer_tools import new_environment
from tests.bench.processes import Cost, cost_of

HEADINGS = ("installation", "seconds", "without .pyc", "distributions", "MB of wheels", "MB installed")
OLD_SDK = ("requests==2.31.0", "requests-toolbelt==0.9.1")
"""What python_atom_sdk 1.0.0 requires (ci-plugins/python-plugin-sdk, requirements.txt, 2023-10)."""

_OWN_TOOLS = ("pip", "setuptools", "wheel")


@dataclass(frozen=True)
class Installed:
    """An environment with something installed: how long that took, and how large all of it is."""

    python: Path
    cost: Cost
    without_bytecode: Cost
    wheels: int
    sizes: Sequence[int]

    def row(self, name: str) -> tuple[str, ...]:
        """Return this as a table's row."""
        return (
            name,
            f"{self.cost.seconds:.2f}",
            f"{self.without_bytecode.seconds:.2f}",
            str(len(self.sizes)),
            _megabytes(self.wheels),
            _megabytes(sum(self.sizes)),
        )


@contextmanager
def installed(*, at_a_desk: bool = False) -> Iterator[Installed]:
    """Give a fresh environment that has the step and nothing else: the store's package, or as at a desk."""
    with TemporaryDirectory() as folder:
        parts = None if at_a_desk else Path(folder) / "parts"
        if parts is not None:
            fetch(parts, read_parts())
        yield _install(Path(folder), [str(build_wheel(Path(folder) / "built", parts=parts))])


def measure(ours: Installed, desk: Installed) -> list[tuple[str, ...]]:
    """Return a row for the store's package, for a desk, and for what the old SDK needs."""
    with TemporaryDirectory() as folder:
        old = _install(Path(folder), OLD_SDK)
    rows = {"the store's package": ours, "at a desk": desk, "the old SDK's requirements": old}
    return [installed.row(name) for name, installed in rows.items()]


def _install(folder: Path, wanted: Sequence[str]) -> Installed:
    wheels, environment = folder / "wheels", folder / "environment"
    _pip(Path(sys.executable), "download", "--dest", str(wheels), *wanted)
    new_environment(environment)
    python = environment / "bin/python"
    names = [wheel.name.partition("-")[0] for wheel in wheels.iterdir()]
    without_bytecode = _timed_install(python, wheels, "--no-compile", *wanted)
    sizes = _sizes_in(environment)
    _pip(python, "uninstall", "--yes", *names)
    cost = _timed_install(python, wheels, *wanted)
    return Installed(
        python=python,
        cost=cost,
        without_bytecode=without_bytecode,
        wheels=sum(wheel.stat().st_size for wheel in wheels.iterdir()),
        sizes=sizes,
    )


def _timed_install(python: Path, wheels: Path, *wanted: str) -> Cost:
    options = ["--quiet", "--no-index", "--find-links", str(wheels)]
    return cost_of([str(python), "-m", "pip", "install", *options, *wanted])


def _pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _sizes_in(environment: Path) -> list[int]:
    """Return the bytes of what each distribution put there; nothing is compiled yet."""
    (packages,) = environment.glob("lib/python*/site-packages")
    return [
        sum(_size(Path(str(file.locate()))) for file in distribution.files or ())
        for distribution in distributions(path=[str(packages)])
        if distribution.metadata["Name"] not in _OWN_TOOLS
    ]


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f}"
