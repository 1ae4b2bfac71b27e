"""Other atoms in the same Python: what they pin, installed for real before, after and while the step is.

Neighbours come from an index, the step never does: it is installed with none in reach. After each case a run
publishes through the emulator, `pip check` is content, and the neighbours' files are as before.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

from release.parts import fetch, read_parts
from release.wheel import build_wheel

from tests.support.installed_step import start_installed
from tests.support.scene import site
from tests.support.worker import Finished, Worker, finish

OLD = ("requests==2.20.1", "urllib3==1.24.3", "idna==2.7", "chardet==3.0.4", "certifi")
OLD_TEMPLATES = ("jinja2==2.11.3", "markupsafe==1.1.1", "PyYAML==5.4.1")
"""The last of each that has wheels for Python 3.9: `torture-neighbours` looks for that one."""

IMPORTED_FIRST = "import requests, urllib3, idna, certifi, chardet, jinja2, markupsafe, yaml\n"


class Machine:
    """A build machine's one Python, with pip; `packages` is where everything is installed."""

    def __init__(self, python: str, folder: Path, wheel: Path) -> None:
        self.folder, self.wheel = folder, wheel
        subprocess.run([python, "-m", "venv", str(folder / "python")], check=True)
        self.bin = folder / "python" / "bin"
        (self.packages,) = (folder / "python").glob("lib/python*/site-packages")

    def pip(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start pip."""
        return subprocess.Popen(
            [str(self.bin / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def neighbours(self) -> subprocess.Popen[bytes]:
        """Start installing what other atoms pin."""
        return self.pip("install", *OLD, *OLD_TEMPLATES)

    def step(self) -> subprocess.Popen[bytes]:
        """Start installing the step, with no index in reach."""
        return self.pip("install", "--no-index", "--upgrade", "--force-reinstall", str(self.wheel))

    def state(self) -> dict[str, str]:
        """Return the digest of each file that is not the step's."""
        files = (path for path in self.packages.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not path.relative_to(self.packages).parts[0].startswith(("bcs_template_set", "__pycache__"))
        }

    def problems(self, *, runs: int = 1, environ: Optional[dict[str, str]] = None) -> Iterator[str]:
        """Yield what is wrong: with runs at the same moment, and with what is installed."""
        with TemporaryDirectory(prefix="site ", dir=self.folder) as place, site(Path(place)) as worker:
            for number, finished in enumerate(self._finished(worker, runs, environ or {})):
                if finished.output is None or finished.output["status"] != "success":
                    yield f"run {number}: {finished.log[-600:]}{finished.stderr[-600:]}"
        if self.pip("check").wait() != 0:
            yield "pip check"

    def _finished(self, worker: Worker, runs: int, environ: dict[str, str]) -> list[Finished]:
        """Return how each of some runs ended that were started together."""
        started = [start_installed(worker, self.bin, environ=environ) for _ in range(runs)]
        return [finish(process, directory) for process, directory in started]


def before(machine: Machine) -> Iterator[str]:
    """The neighbours were there first, and a `.pth` of theirs has imported them."""
    assert machine.neighbours().wait() == 0
    (machine.packages / "neighbours.pth").write_text(IMPORTED_FIRST)
    theirs = machine.state()
    assert machine.step().wait() == 0
    yield from machine.problems()
    if machine.state() != theirs:
        yield "the neighbours' files have changed"


def after(machine: Machine) -> Iterator[str]:
    """The neighbours come when the step is there."""
    assert machine.step().wait() == 0
    yield from machine.problems()
    assert machine.neighbours().wait() == 0
    (machine.packages / "neighbours.pth").write_text(IMPORTED_FIRST)
    yield from machine.problems()


def meanwhile(machine: Machine) -> Iterator[str]:
    """The neighbours come while the step is installed, and again while it runs."""
    ours, theirs = machine.step(), machine.neighbours()
    assert (ours.wait(), theirs.wait()) == (0, 0)
    again = machine.pip("install", "--force-reinstall", *OLD)
    yield from machine.problems(runs=2)
    assert again.wait() == 0
    yield from machine.problems()


def twice_at_once(machine: Machine) -> Iterator[str]:
    """Two jobs install the step at the same moment; one of the two pips may fail."""
    assert machine.neighbours().wait() == 0
    both = [machine.step(), machine.step()]
    codes = [pip.wait() for pip in both]
    if all(codes):
        assert machine.step().wait() == 0
    yield from machine.problems()


def three_cold(machine: Machine) -> Iterator[str]:
    """Three steps start at once, and nothing is compiled yet."""
    assert machine.step().wait() == 0
    for folder in machine.packages.rglob("__pycache__"):
        shutil.rmtree(folder)
    yield from machine.problems(runs=3)


def killed(machine: Machine) -> Iterator[str]:
    """Pip is killed while it lays out the package, at several moments; the next one mends it."""
    for moment in (0.3, 0.6, 0.9, 1.5):
        pip = machine.step()
        with suppress(subprocess.TimeoutExpired):
            pip.wait(moment)
        pip.kill()
        pip.wait()
        assert machine.step().wait() == 0
        yield from machine.problems()


def nowhere_to_write(machine: Machine) -> Iterator[str]:
    """No folder of the user's can be written, and the locale knows no Chinese."""
    assert machine.step().wait() == 0
    nowhere = {**dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), "/nonexistent"), "LC_ALL": "C"}
    yield from machine.problems(environ=nowhere)


CASES: Sequence[Callable[[Machine], Iterator[str]]] = (
    *(before, after, meanwhile, twice_at_once, three_cold, killed, nowhere_to_write),
)


def beside_neighbours() -> int:
    """Go through all cases, say how each went, and return 1 if any went wrong."""
    python = _of_pyenv() or shutil.which("python3.9") or sys.executable
    went_wrong = 0
    with TemporaryDirectory() as place:
        parts = Path(place) / "parts"
        fetch(parts, read_parts())
        wheel = build_wheel(Path(place) / "built", parts=parts)
        for case in CASES:
            folder = Path(place) / f"构建 machine {case.__name__}"
            folder.mkdir()
            problems = list(case(Machine(python, folder, wheel)))
            went_wrong += bool(problems)
            print(
                f"{'wrong' if problems else 'ok':5}  {case.__doc__}", *problems, sep="\n       ", flush=True
            )
    return 1 if went_wrong else 0


def _of_pyenv() -> str:
    found = sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.9.*/bin/python")
    )
    return str(found[-1]) if found else ""
