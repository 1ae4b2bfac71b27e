"""Builds the wheel so that the same sources give the same bytes, whoever builds it, where and when.

From a copy of the sources, never in the work tree: `build/` and `*.egg-info` of earlier builds can put files
into a wheel that the sources no longer have. In the copy every file has one mode and one time, and the
builder one locale, one umask, one clock. Standard library only: it runs where only the locked tools are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from release.parts import ENTRY, Part, lay_out, read_parts

PROJECT = Path(__file__).parents[1]
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "atom", "templates")
# 2026-01-01: the time of every file in the wheel.
EPOCH = 1767225600
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
_BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def main(arguments: Optional[list[str]] = None) -> int:
    """Build into the folder that is named, with the parts from another one."""
    parser = argparse.ArgumentParser(prog="python -m release.wheel", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", type=Path, nargs="?", help="the wheels that release.parts has fetched")
    given = parser.parse_args(arguments)
    build_wheel(given.folder, parts=given.parts)
    return 0


def build_wheel(
    folder: Path, *, project: Path = PROJECT, parts: Optional[Path] = None, carried: Sequence[Part] = ()
) -> Path:
    """Build the wheel into a folder and return it. Nothing is fetched: this interpreter's tools are used.

    It carries what the step runs on, where a folder with the wheels of that is given, and needs it otherwise:
    all that is locked, or these parts.

    Raises:
        subprocess.CalledProcessError: the build failed; its `output` says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheel-") as place:
        source, made = Path(place) / "source", Path(place) / "made"
        made.mkdir()
        copy_sources(source, project=project)
        if parts is not None:
            carry_parts(source, parts, carried or read_parts())
        _make_alike(source)
        subprocess.run(
            [sys.executable, "-I", "-c", _BUILD, str(made)],
            cwd=source,
            env=_environment(),
            umask=0o022,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        (wheel,) = made.iterdir()
        return Path(shutil.copyfile(wheel, folder / wheel.name))


def copy_sources(target: Path, *, project: Path = PROJECT) -> None:
    """Copy what a wheel is made of."""
    target.mkdir(parents=True)
    for name in SOURCES:
        source = project / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_LEFT_OUT)
        else:
            shutil.copyfile(source, target / name)


def carry_parts(source: Path, wheels: Path, carried: Sequence[Part]) -> None:
    """Put what the step runs on into the sources, and list all of it."""
    package = source / "atom" / "bcs_template_set"
    digest = lay_out(carried, wheels, package, templates=source / "templates")
    module = package / ENTRY
    unset, text = 'DIGEST = ""', module.read_text(encoding="utf-8")
    if text.count(unset) != 1:
        raise ValueError(f"{module.name} has no place for the digest")
    module.write_text(text.replace(unset, f'DIGEST = "{digest}"'), encoding="utf-8")


def _make_alike(target: Path) -> None:
    """Give each file the same mode and time."""
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH))


def _environment() -> dict[str, str]:
    """Return the little of the environment that a build needs."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


if __name__ == "__main__":
    sys.exit(main())
