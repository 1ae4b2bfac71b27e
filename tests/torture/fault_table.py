"""The faults that strike every request, by name. Pure.

A fault is made for the n-th request of a run, whatever that asks. `handled` ones come after the services
have done the work: what they hide is done all the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from tests.emulator.faults import Fault, Match, gateway_fault
from tests.emulator.gateway_errors import gateway_error
from tests.support.living import DELAY

TIMEOUT = 0.1
"""Seconds until the step gives up on an answer, where a fault is about time."""

FOR_GOOD = 1_000_000


def patience(*, slow: bool) -> dict[str, object]:
    """Return the region's settings where a fault is about time."""
    return {"read_timeout": TIMEOUT} if slow else {}


Order = Callable[[Match, int], Sequence[Fault]]
"""Makes a fault out of the requests it strikes, and how many of them."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    `lies` are the servers' own lies, which no client can see through: "it failed", of what was done. Then the
    step may say "not written" of what was; it must still converge.
    `of_writes`: a read is struck no otherwise by another kind, whether it was handled or not.
    """

    name: str
    order: Order
    slow: bool = False
    lies: bool = False
    of_writes: bool = False


def _plain(kind: str) -> Order:
    return lambda match, times: [Fault(kind, match, times=times)]


def _answer(status: int, body: str, *, content_type: str = "", handled: bool = False) -> Order:
    headers = {"Content-Type": content_type} if content_type else {}
    kind = "handle-then-answer" if handled else "answer"
    return lambda match, times: [Fault(kind, match, times=times, status=status, headers=headers, body=body)]


def _gateway(name: str, *, reason: str = "", reset: Optional[int] = None, handled: bool = False) -> Order:
    return lambda match, times: [
        gateway_fault(name, match=match, times=times, reason=reason, reset=reset, handled=handled)
    ]


def _slow(*, when: str, then: str = "") -> Order:
    def order(match: Match, times: int) -> Sequence[Fault]:
        slow = Fault("slow", match, times=times, delay=DELAY, when=when)
        return [slow, Fault(then, match, times=times)] if then else [slow]

    return order


def _late(seconds: float) -> Order:
    """Make the gateway's timeout of a request that is handled all the same, a moment later."""
    answer = gateway_error("REQUEST_BACKEND_TIMEOUT")
    return lambda match, times: [
        Fault(
            "answer-then-handle",
            match,
            times=times,
            delay=seconds,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
        )
    ]


HTML, JSON_OF_ANOTHER_SHAPE = (
    "<html><body>Internal Server Error</body></html>",
    '{"unexpected": [1, {"a": null}]}',
)
SHAPE_OF_DATA = '{"code": 0, "message": "OK", "data": [{"unexpected": [1]}, 2]}'
CODE_1 = json.dumps({"code": 1, "message": "mongo is away", "requestID": "r", "data": None})
CUT_OFF = '{"code": 0, "message": "OK", "data": {"id": "0123'
MARKUP, PLAIN = "text/html", "text/plain"

KINDS: tuple[Kind, ...] = (
    # nothing reaches the services
    Kind("refused", _plain("refuse")),
    Kind("dropped", _plain("drop-before-handling")),
    Kind("hangs", _slow(when="before", then="drop-before-handling"), slow=True),
    Kind("html-500", _answer(500, HTML, content_type=MARKUP)),
    Kind("html-200", _answer(200, HTML, content_type=MARKUP)),
    Kind("gateway-502-unsent", _gateway("BAD_GATEWAY", reason="connection refused")),
    Kind("gateway-502", _gateway("BAD_GATEWAY")),
    Kind("gateway-503", _gateway("SERVICE_UNAVAILABLE")),
    Kind("gateway-504-unsent", _gateway("REQUEST_BACKEND_TIMEOUT", reason="timeout while connecting")),
    Kind("gateway-504", _gateway("REQUEST_BACKEND_TIMEOUT")),
    Kind("limited-reset", _gateway("RATE_LIMIT_RESTRICTION", reset=7)),
    Kind("limited", _gateway("CONCURRENCY_LIMIT_RESTRICTION")),
    Kind("gateway-400", _gateway("INVALID_ARGS")),
    Kind("unauthorized-401", _answer(401, '{"code": 401, "message": "unauthorized"}')),
    Kind("cut-off", _answer(200, CUT_OFF)),
    Kind("shape", _answer(200, JSON_OF_ANOTHER_SHAPE)),
    Kind("empty", _answer(200, "")),
    Kind("code-1", _answer(200, CODE_1)),
    # the services have done it
    Kind("lost", _plain("handle-then-drop"), of_writes=True),
    Kind("truncated", _plain("half")),
    Kind("late-answer", _slow(when="after"), slow=True, of_writes=True),
    Kind("late-handling", _slow(when="before"), slow=True),
    Kind("gateway-504-before", _late(0.02)),
    Kind("html-500-after", _answer(500, HTML, content_type=MARKUP, handled=True), of_writes=True),
    Kind("bcs-502-after", _answer(502, "bad gateway", content_type=PLAIN, handled=True)),
    Kind("bcs-503-after", _answer(503, "no healthy upstream", content_type=PLAIN, handled=True)),
    Kind("bcs-504-after", _answer(504, "upstream request timeout", content_type=PLAIN, handled=True)),
    Kind("gateway-504-after", _gateway("REQUEST_BACKEND_TIMEOUT", handled=True), of_writes=True),
    Kind("cut-off-after", _answer(200, CUT_OFF, handled=True), of_writes=True),
    Kind("shape-after", _answer(200, JSON_OF_ANOTHER_SHAPE, handled=True), of_writes=True),
    Kind("data-after", _answer(200, SHAPE_OF_DATA, handled=True)),
    Kind("empty-after", _answer(200, "", handled=True), of_writes=True),
    Kind("code-1-after", _answer(200, CODE_1, handled=True), lies=True, of_writes=True),
)  # fmt: skip

BY_NAME = {kind.name: kind for kind in KINDS}
