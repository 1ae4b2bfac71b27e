"""Starts the programs that the tests of packaging look at: as a release does, and as a worker does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
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
