"""Signals that end a process -> one exception in the main thread, so that a stopped run still speaks."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Optional

from bcs_template_set.clock import SystemClock

STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
"""BK-CI's worker sends SIGTERM when a build is cancelled; SIGBREAK is its like on Windows."""


class Stopped(BaseException):
    """The run is being stopped from outside. No `except Exception` catches it."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


class Interruption:
    """Whether a signal still stops the run. `close()` once the verdict is being written: it must stand."""

    def __init__(self) -> None:
        self._open = True

    def close(self) -> None:
        """Let signals change nothing from now on."""
        self._open = False

    def take(self) -> bool:
        """Tell whether this signal is the one that stops the run; the first one is, while it still may."""
        may, self._open = self._open, False
        return may


@contextmanager
def stoppable(clock: SystemClock) -> Iterator[Interruption]:
    """Raise `Stopped` in the main thread on the first stop signal, and end all waiting.

    For the whole rest of a process: afterwards the signals are ignored, since the verdict is written and
    the interpreter's own last moments must not turn it into a killed process.
    """
    interruption = Interruption()

    def stop(number: int, _: Optional[FrameType]) -> None:
        if interruption.take():
            clock.interrupt()
            raise Stopped(signal.Signals(number).name)

    known = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]
    for number in known:
        signal.signal(number, stop)
    try:
        yield interruption
    finally:
        for number in known:
            signal.signal(number, signal.SIG_IGN)
