"""Which versions are at work in this environment, and which were asked for."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

from release.dependencies import read_dependencies
from release.locked import pins_of

PROJECT = Path(__file__).parents[2]
HERE = "{}.{}".format(*sys.version_info)
EXPECTED_LOCK = os.environ.get("EXPECTED_LOCK", "release/tests.txt")
"""What this environment was made from; "" where it has the newest of everything (`make newest`)."""


def versions_at_work() -> dict[str, str]:
    """Return the installed version of each dependency, by the name that setup.py gives it."""
    return {dependency.name: version(dependency.name) for dependency in read_dependencies()}


def locked_versions(lock: str, python: str) -> dict[str, str]:
    """Return the version that a lock file of the project has of each distribution, by canonical name."""
    return pins_of((PROJECT / lock).read_text(encoding="utf-8"), python)
