"""Moments as people read them. Performs no I/O: the moment is an argument."""

from __future__ import annotations

import time

_YEAR_10000 = 253_402_300_800


def shown_time(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, as `2026-01-31 23:59 UTC`; "?" for none.

    What a server sends may be no moment of our calendar; then it is shown as it came.
    """
    return _shown(seconds, "%Y-%m-%d %H:%M UTC") if not seconds <= 0 else "?"


def exact_time(seconds: float) -> str:
    """Return a moment as programs read it: `2026-01-31T23:59:00Z`; as it came where it is none."""
    return _shown(seconds, "%Y-%m-%dT%H:%M:%SZ")


def _shown(seconds: float, form: str) -> str:
    return time.strftime(form, time.gmtime(seconds)) if 0 < seconds < _YEAR_10000 else str(seconds)
