"""Chance in the way of every request: how long each step of it takes, and what goes wrong. Performs no I/O.

All draws come from one seed, in the order in which requests arrive. So a seed fixes how rough it is, and
replays a run exactly only where that order is the same again; with real processes it is nearly so.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from typing import Callable, Optional, TypeVar

from tests.emulator.faults import Fault, Match, gateway_fault

STAGES = ("arrive", "check", "stamp", "insert", "answer")
"""Where a request may be held up: before it is handled; between the check for a name and the stamp of id and
time; between stamp and insert; between insert and the move of the file's pointer; before it is answered."""

LATEST = 2.5
"""Seconds after its 504 that a request may still be handled. Above the first of the step's own pauses."""

Thing = TypeVar("Thing")
Draw = Callable[[random.Random], Fault]


def _plain(kind: str) -> Draw:
    return lambda _: Fault(kind)


def _defect(_: random.Random) -> Fault:
    return Fault("answer", status=500, headers={"Content-Type": "text/html"}, body="<html>oops</html>")


def _from_gateway(name: str, *, reason: str = "", handled: bool = False, reset: Optional[int] = None) -> Draw:
    return lambda _: gateway_fault(name, match=Match(), reason=reason, handled=handled, reset=reset)


def _late(chance: random.Random) -> Fault:
    answer = gateway_fault("REQUEST_BACKEND_TIMEOUT", match=Match())
    answer.kind, answer.delay = "answer-then-handle", LATEST * chance.random()
    return answer


FAULTS: Mapping[str, Draw] = {
    "refused": _plain("refuse"),
    "dropped": _plain("drop-before-handling"),
    "lost": _plain("handle-then-drop"),
    "half": _plain("half"),
    "not-sent": _from_gateway("BAD_GATEWAY", reason="connection refused"),
    "bad-gateway": _from_gateway("BAD_GATEWAY", reason="premature close", handled=True),
    "unavailable": _from_gateway("SERVICE_UNAVAILABLE"),
    "timeout": _from_gateway("REQUEST_BACKEND_TIMEOUT", handled=True),
    "late": _late,
    "limited": _from_gateway("RATE_LIMIT_RESTRICTION", reset=1),
    "defect": _defect,
}
"""What may go wrong. `late` is a timeout whose request is handled seconds after its 504 was sent."""


class Chaos:
    """What happens to requests by chance.

    `delays` are, by stage, the longest time that it takes, in seconds; most are much shorter. `rates` are,
    by name in `FAULTS`, how likely it strikes a request, from 0 to 1. `servers` is how many servers BCS runs
    on: the ids that several make within one second are in no order.
    """

    def __init__(
        self,
        seed: int,
        *,
        delays: Optional[Mapping[str, float]] = None,
        rates: Optional[Mapping[str, float]] = None,
        servers: int = 1,
    ) -> None:
        self.delays, self.rates = dict(delays or {}), dict(rates or {})
        unknown = sorted({*self.delays} - {*STAGES} | {*self.rates} - {*FAULTS})
        if unknown:
            raise ValueError(f"no such stage or fault: {', '.join(unknown)}")
        self.struck: dict[str, int] = {}
        self._chance = random.Random(seed)  # noqa: S311 - it has to be the same again
        self._servers = [self._chance.getrandbits(40) for _ in range(servers)]
        self._lock = threading.Lock()

    def delay(self, stage: str) -> float:
        """Return how long this request is held up there, in seconds."""
        longest = self.delays.get(stage, 0.0)
        with self._lock:
            return longest * self._chance.random() ** 3

    def fault(self) -> Optional[Fault]:
        """Return what goes wrong with this request, if anything."""
        with self._lock:
            at = self._chance.random()
            for name, rate in self.rates.items():
                if at < rate:
                    self.struck[name] = self.struck.get(name, 0) + 1
                    return FAULTS[name](self._chance)
                at -= rate
        return None

    def shuffled(self, things: list[Thing]) -> list[Thing]:
        """Return the things in any order: what a sort leaves of equals that is not stable."""
        with self._lock:
            return self._chance.sample(things, len(things))

    def server_part(self) -> int:
        """Return the 40 bits that the server which handles this request puts into ids."""
        with self._lock:
            return self._chance.choice(self._servers)
