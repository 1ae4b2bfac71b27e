"""Starts the programs that the tests of packaging look at: as a release does, and as a worker does.

And changes for a while what is installed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Optional


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


def packages_of(programs: Path) -> Path:
    """Return where the environment of these programs has its packages."""
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    return packages


@contextmanager
def holding(contents: Mapping[Path, Optional[bytes]]) -> Iterator[None]:
    """Let files hold these contents for a while, or not be there, and then what they held before, alike."""
    before = {path: path.read_bytes() if path.exists() else None for path in contents}
    try:
        _fill(contents)
        yield
    finally:
        _fill(before)


def _fill(contents: Mapping[Path, Optional[bytes]]) -> None:
    for path, content in contents.items():
        if content is not None:
            path.write_bytes(content)
        elif path.exists():
            path.unlink()
