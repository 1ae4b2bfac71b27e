"""Moments as people read them. Performs no I/O: the moment is an argument."""

from __future__ import annotations

import time


def shown_time(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, as `2026-01-31 23:59 UTC`; "?" for none."""
    if seconds <= 0:
        return "?"
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
