"""Time as a value to pass down, so that no test waits. The only place that reads a clock or sleeps."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    """What the step may know of time."""

    def now(self) -> float:
        """Return seconds since the epoch, for people."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for deadlines."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait that long, or until the run is interrupted."""
        ...


class SystemClock:
    """The real time. `interrupt()` ends every wait under way and every later one at once.

    A signal's handler calls it, in the middle of whatever its thread is at. A `threading.Event` would wait
    there for ever: `set()` takes a lock that `wait()` may hold. Nothing here waits for the gate but `wait()`.
    """

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait `seconds`, less if the run is interrupted."""
        if self._gate.acquire(timeout=max(0.0, seconds)):
            self.interrupt()  # for the other threads

    def interrupt(self) -> None:
        """End all waiting: the run is being stopped."""
        with suppress(RuntimeError):  # it is open already
            self._gate.release()


class Deadline:
    """The moment by which a run must have spoken, on a clock's monotonic scale."""

    def __init__(self, clock: Clock, *, seconds: float | None, since: float | None = None) -> None:
        """Set the deadline `seconds` from now, or from `since`; None means there is none."""
        self._clock = clock
        self.seconds = seconds
        began = clock.monotonic() if since is None else since
        self._at = None if seconds is None else began + seconds

    @property
    def whole_seconds(self) -> int:
        """Return for how many seconds it was set, 0 where there is none."""
        return int(self.seconds or 0)

    def remaining(self) -> float:
        """Return the seconds left, never below zero; infinity where there is no deadline."""
        if self._at is None:
            return float("inf")
        return max(0.0, self._at - self._clock.monotonic())

    def passed(self) -> bool:
        """Tell whether no time is left."""
        return self.remaining() <= 0
