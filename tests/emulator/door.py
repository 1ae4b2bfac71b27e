"""How many requests the gateway lets in, at once and in a while, and how many BCS handles at a time.

The two limits are those of facts/gateway.md, "Limits". Performs no I/O.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Callable, Optional

from tests.emulator.faults import Fault, Match, gateway_fault


@dataclass(frozen=True)
class Passage:
    """What the gateway makes of one request: why it is refused, if it is, and what every answer says."""

    refusal: Optional[Fault] = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Door:
    """How much this site takes. Change it in a test before the requests it is for; 0 is any number.

    `handles` requests are handled at a time, the others queue. Above `at_once` under way, and above `rate`
    in a window of `period` seconds, they are refused. `tells` has every answer name what the window has left.
    """

    handles: int = 0
    at_once: int = 0
    rate: int = 0
    period: float = 1.0
    tells: bool = True
    now: Callable[[], float] = time.monotonic
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _inside: int = 0
    _handled: int = 0
    _window_ends: float = 0.0
    _left: int = 0

    @contextmanager
    def passage(self) -> Iterator[Passage]:
        """Let a request in, or say why not; what is inside counts as under way."""
        with self._changed:
            self._inside += 1
            passage = self._judge()
        try:
            yield passage
        finally:
            with self._changed:
                self._inside -= 1

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Wait until it is a request's turn."""
        with self._changed:
            self._changed.wait_for(lambda: not self.handles or self._handled < self.handles)
            self._handled += 1
        try:
            yield
        finally:
            with self._changed:
                self._handled -= 1
                self._changed.notify()

    def _judge(self) -> Passage:
        if self.at_once and self._inside > self.at_once:
            return Passage(gateway_fault("CONCURRENCY_LIMIT_RESTRICTION", match=Match()))
        if not self.rate:
            return Passage()
        return self._counted()

    def _counted(self) -> Passage:
        """Count a request in a window that begins with its first; Redis rounds the seconds it has left."""
        if self.now() >= self._window_ends:
            self._window_ends, self._left = self.now() + self.period, self.rate
        self._left -= 1
        headers = {
            "X-Bkapi-RateLimit-Limit": str(self.rate),
            "X-Bkapi-RateLimit-Remaining": str(max(0, self._left)),
            "X-Bkapi-RateLimit-Reset": str(int(self._window_ends - self.now() + 0.5)),
            "X-Bkapi-RateLimit-Plugin": "bk-stage-rate-limit",
        }
        refusal = gateway_fault("RATE_LIMIT_RESTRICTION", match=Match()) if self._left < 0 else None
        return Passage(refusal, headers if self.tells else {})
