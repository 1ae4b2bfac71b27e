"""How fast live objects may be asked for, and how often a sign of life is given while nothing is new."""

from __future__ import annotations

import threading
from typing import Callable

from bcs_template_set.system.clock import Clock

PER_SECOND = 7.0
"""Fewer than eight requests a second leave, however many workloads there are."""

BURST = 22.0
"""What an idle stretch may save up, so that many workloads that become ready at once are seen at once."""

HEARTBEAT = 30.0
"""Seconds without anything new after which a sign of life is given (design section 7)."""


class Pace:
    """Gives out permissions to send, at a rate. Threads may share one."""

    def __init__(self, clock: Clock, *, per_second: float = PER_SECOND, burst: float = BURST) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._saved = burst
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = self._clock.monotonic()
            self._saved = min(self._burst, self._saved + (now - self._at) * self._per_second)
            self._at = now
            self._saved -= 1
            missing = -self._saved / self._per_second
        if missing > 0:
            self._clock.wait(missing)


class Heartbeat:
    """Gives a sign of life when it is asked to, and the last one, or the beginning, is long ago."""

    def __init__(self, clock: Clock, give: Callable[[], None]) -> None:
        self._clock = clock
        self._give = give
        self._at = clock.monotonic()

    def __call__(self) -> None:
        """Give it where that is due."""
        if self._clock.monotonic() - self._at >= HEARTBEAT:
            self.put_off()
            self._give()

    def put_off(self) -> None:
        """Count from now on: there was something new."""
        self._at = self._clock.monotonic()
