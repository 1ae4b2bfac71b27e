"""The step's own version, from the metadata of the installed distribution; setup.py is its one source."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1)
def step_version() -> str:
    """Return the version, such as "0.1.0"; "?" where the step runs without being installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - start-up is counted

    try:
        return version("bcs_template_set")
    except PackageNotFoundError:
        return "?"
