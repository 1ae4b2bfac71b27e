"""What keeps a case from hanging, and from reaching beyond this machine."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Optional

import pytest

from bcs_template_set.system.clock import SystemClock

NOWHERE = "http://127.0.0.1:1"
"""An address that refuses every connection at once."""

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class Hung(BaseException):
    """A case took longer than it may. No `except Exception` catches it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `Hung` in the main thread once that many seconds of real time are over."""
    if threading.current_thread() is not threading.main_thread():
        raise AssertionError("only the main thread hears an alarm")

    def ring(_: int, __: Optional[FrameType]) -> None:
        raise Hung(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def close_the_net(patch: pytest.MonkeyPatch) -> None:
    """Lead every request that is not for this machine to a proxy that refuses it."""
    for name in _PROXIES:
        patch.setenv(name, NOWHERE)
        patch.delenv(name.upper(), raising=False)
    patch.setenv("no_proxy", "")


class HurriedClock(SystemClock):
    """Real time gone `rate` times as fast, in which a wait is over at once and has taken its time."""

    def __init__(self, *, rate: float = 1.0) -> None:
        super().__init__()
        self._rate = rate
        self._began = time.monotonic()
        self._skipped = 0.0

    def now(self) -> float:
        return 1_767_229_800.0 + self.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._rate + self._skipped

    def wait(self, seconds: float) -> None:
        self._skipped += max(0.0, seconds)
