"""Which versions of our dependencies are at work in this environment."""

from __future__ import annotations

from importlib.metadata import version

from release.dependencies import read_dependencies


def versions_at_work() -> dict[str, str]:
    """Return the installed version of each dependency, by the name that setup.py gives it."""
    return {dependency.name: version(dependency.name) for dependency in read_dependencies()}
