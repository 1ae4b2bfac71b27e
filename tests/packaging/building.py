"""Builds the wheel as a release does, but from a copy: the work tree is neither changed nor trusted.

`build/` and `*.egg-info` of earlier builds can put files into a wheel that the sources no longer have.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from tests.packaging.store_files import PROJECT

SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "atom", "templates")
# 2026-01-01: what `make package` uses too, so that the same sources give the same bytes.
EPOCH = "1767225600"
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")


def build_wheel(directory: Path) -> Path:
    """Build the wheel in a directory and return it. Nothing is fetched: this interpreter's tools are used."""
    copy_sources(directory / "source")
    run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory / "dist")],
        cwd=directory / "source",
        env={"SOURCE_DATE_EPOCH": EPOCH},
    )
    (wheel,) = (directory / "dist").iterdir()
    return wheel


def copy_sources(target: Path) -> None:
    """Copy what a wheel is made of."""
    target.mkdir(parents=True)
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_LEFT_OUT)
        else:
            shutil.copyfile(source, target / name)


def run(command: Sequence[str], *, cwd: Path, env: Optional[Mapping[str, str]] = None) -> str:
    """Run a program and return what it printed; on failure, fail with everything it said.

    The program sees no PYTHON* variable of ours: an installed step must not find the work tree.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=cwd, env={**clean, **(env or {})}, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
