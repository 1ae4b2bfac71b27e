"""How fast live objects may be asked for: fewer than eight requests a second, however many workloads."""

from __future__ import annotations

import threading

from bcs_template_set.system.clock import Clock

PER_SECOND = 7.0
BURST = 22.0
"""What an idle stretch may save up, so that many workloads that become ready at once are seen at once."""


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
