"""A run's requests to a gateway that takes only so many, in made-up time, at the pace of the step's own.

It does with `Pace`, `decide` and `RetryPolicy` what `Gateway` does with them: nothing is a thread or waits.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf
from typing import Callable

from tests.emulator.door import Door
from tests.emulator.gateway_errors import gateway_error

from bcs_template_set.bcs.decision import Asked, RetryAfter, decide
from bcs_template_set.bcs.request_pace import Pace, Permit, heard_from
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.system.http_values import HttpAnswer

LATENCY = 0.05
"""Seconds that an answer takes, a refusal too."""

_ASKED = Asked("GET", "/p", url="https://gw/p", writes=False, project="p", user="u", app_code="a")
_BEGAN = 100.0


@dataclass
class _Request:
    name: str
    then: Callable[[], None]
    limits: int = 0


@dataclass
class PacedRun:
    """What a run sends, and what becomes of it: `refused` are the requests that the door did not let in."""

    pace: Pace
    door: Door
    refused: int = 0
    now: float = _BEGAN
    _moments: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _waiting: deque[_Request] = field(default_factory=deque)
    _not_before: float = -inf

    def publish(self, *, files: int, changed: int) -> float:
        """Publish so many files; return the seconds that it takes."""
        self.door.now = lambda: self.now
        waves = [[["project"], ["folder"]], [["rows"]], [["read"]] * files]
        writing = [[["rows"]], [["write", "read"]] * changed, [["rows"]]]
        self._begin([*waves, *writing] if changed else waves)
        while self._moments:
            self.now, _, happen = heapq.heappop(self._moments)
            happen()
        return self.now - _BEGAN

    def _begin(self, waves: Sequence[Sequence[Sequence[str]]]) -> None:
        """Send the chains of a wave at once, and the next wave when all of them have ended."""
        left = [len(waves[0])] if waves else []

        def ended() -> None:
            left[0] -= 1
            if not left[0]:
                self._begin(waves[1:])

        for chain in waves[0] if waves else ():
            self._follow(chain, ended)

    def _follow(self, chain: Sequence[str], ended: Callable[[], None]) -> None:
        if not chain:
            ended()
            return
        self._waiting.append(_Request(chain[0], lambda: self._follow(chain[1:], ended)))
        self._later(0.0, self._send)

    def _later(self, seconds: float, happen: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._moments, (self.now + seconds, self._count, happen))

    def _send(self) -> None:
        """Send what may be sent now, and come back when more may."""
        while self._waiting:
            held = self._not_before - self.now
            permit = held if held > 0 else self.pace.take(self.now)
            if not isinstance(permit, Permit):
                if permit < inf:
                    self._later(permit, self._send)
                return
            self._attempt(self._waiting.popleft(), permit)

    def _attempt(self, request: _Request, permit: Permit) -> None:
        inside = ExitStack()
        passage = inside.enter_context(self.door.passage())
        at_once = "CONCURRENCY_LIMIT_RESTRICTION" if self.door.at_once else "RATE_LIMIT_RESTRICTION"
        refusal = gateway_error(at_once) if passage.refusal is not None else None
        headers = {**(refusal.headers if refusal is not None else {}), **passage.headers}
        named = {name.lower(): value for name, value in headers.items()}
        answer = HttpAnswer(
            refusal.status if refusal is not None else 200,
            {"content-type": "application/json", **named},
            refusal.body if refusal is not None else b'{"code": 0, "data": {}}',
        )
        self._later(LATENCY, lambda: self._answered(request, permit, answer, inside))

    def _answered(self, request: _Request, permit: Permit, answer: HttpAnswer, inside: ExitStack) -> None:
        inside.close()
        heard = heard_from(answer, question=request.name, is_slow=False)
        self.pace.give_back(permit, heard, now=self.now)
        verdict = decide(_ASKED, answer)
        if isinstance(verdict, RetryAfter):
            self.refused, request.limits = self.refused + 1, request.limits + 1
            seconds = RetryPolicy().wait(verdict, failures=0, limits=request.limits, chance=0.5, waited=0.0)
            assert seconds is not None
            self._not_before = max(self._not_before, self.now + seconds)
            self._waiting.append(request)
        else:
            request.then()
        self._send()
