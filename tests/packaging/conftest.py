"""What the tests of packaging share: derived files, compared or rewritten as golden files are; the wheel.

Tests that use the wheel run in one process, so that it is built and installed once (tests/support/groups.py).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Callable

import pytest
from release.parts import FAST, Part, fetch, read_parts, tags_of
from release.wheel import build_wheel
from tests.packaging.building import run


@pytest.fixture
def derived(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return `check(path, text)`: that file of the project holds exactly this text."""
    rewrite = bool(request.config.getoption("--rewrite-golden"))

    def check(path: Path, text: str) -> None:
        if rewrite:  # at once, since tests of other processes read it meanwhile
            path.with_name(f"{path.name}.new").write_bytes(text.encode("utf-8"))
            path.with_name(f"{path.name}.new").replace(path)
        assert path.read_bytes().decode("utf-8") == text, f"{path.name} is out of date: run `make golden`"

    return check


@pytest.fixture(scope="session")
def parts() -> Path:
    """Return a folder with the wheels of what is carried for this Python and machine, fetched once."""
    folder = Path(sys.prefix) / "parts"
    fetch(folder, parts_here())
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, parts: Path) -> Path:
    """Return our wheel, built from a copy of the sources: the store's, but for what other machines need."""
    return build_wheel(tmp_path_factory.mktemp("wheel"), parts=parts, carried=parts_here())


def parts_here() -> list[Part]:
    """Return what is carried, and of what is compiled the form for this machine alone."""
    here = f"cp{sys.version_info[0]}{sys.version_info[1]}-manylinux2014_{os.uname().machine}"
    return [
        part._replace(
            wheels={
                file: digest
                for file, digest in part.wheels.items()
                if part.module not in FAST or here == "-".join(tags_of(file)[::2])
            }
        )
        for part in read_parts()
    ]


@pytest.fixture(scope="session")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of programs of a fresh environment that holds the wheel, with no index in reach.

    The pip is the one that these tests run beside: an environment takes longest for a pip of its own.
    """
    home = tmp_path_factory.mktemp("installed step")
    run([sys.executable, "-m", "venv", "--without-pip", "env"], cwd=home)
    folder = home / "env" / "bin"
    packages = Path(sysconfig.get_path("purelib"))
    (home / "env" / packages.relative_to(sys.prefix) / "pip").symlink_to(packages / "pip")
    pip = [str(folder / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", "--no-compile", "--no-index", str(wheel)], cwd=home)
    return folder
