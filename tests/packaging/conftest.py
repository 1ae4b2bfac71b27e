"""What the tests of packaging share: derived files, compared or rewritten as golden files are; the wheel.

Tests that use the wheel run in one process, so that it is built and installed once (tests/support/groups.py).
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path
from typing import Callable

import pytest
from release.wheel import build_wheel
from tests.packaging.building import run
from tests.packaging.store_files import PROJECT
from tests.support.versions import EXPECTED_LOCK


@pytest.fixture
def derived(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return `check(path, text)`: that file of the project holds exactly this text."""
    rewrite = bool(request.config.getoption("--rewrite-golden"))

    def check(path: Path, text: str) -> None:
        if rewrite:
            path.write_bytes(text.encode("utf-8"))
        assert path.read_bytes().decode("utf-8") == text, f"{path.name} is out of date: run `make golden`"

    return check


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return our wheel, built from a copy of the sources."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of a fresh environment that holds the wheel and what it asks for.

    A worker's pip would take what is newest that day; here it takes what this run is about. The pip is the
    one that these tests run beside: an environment takes most of its time for a pip of its own.
    """
    home = tmp_path_factory.mktemp("installed step")
    run([sys.executable, "-m", "venv", "--without-pip", "env"], cwd=home)
    folder = home / "env" / "bin"
    packages = Path(sysconfig.get_path("purelib"))
    (home / "env" / packages.relative_to(sys.prefix) / "pip").symlink_to(packages / "pip")
    install = [str(folder / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if EXPECTED_LOCK:
        (home / "lock.txt").write_text(entries_of_the_step(EXPECTED_LOCK), encoding="utf-8")
        run([*install, "--require-hashes", "--requirement", "lock.txt"], cwd=home)
        install.append("--no-index")  # so this fails where the wheel asks for anything else
    run([*install, str(wheel)], cwd=home)
    return folder


def entries_of_the_step(lock: str) -> str:
    """Return the entries of a lock, with their hashes, of what the step runs on."""
    entries = re.split(r"\n(?=\w)", (PROJECT / lock).read_text(encoding="utf-8"))
    names = set(
        re.findall(r"^\w[\w-]*", (PROJECT / "release/runtime.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names)
