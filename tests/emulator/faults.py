"""Faults that a test orders: which request they strike, and what then happens. Performs no I/O."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Callable, Optional, Union

from tests.emulator.gateway_errors import gateway_error
from tests.emulator.http_message import JSON_TYPE, Answer
from tests.emulator.state import State

KINDS = (
    "refuse", "drop-before-handling", "handle-then-drop", "half", "slow", "answer", "handle-then-answer",
    "answer-then-handle", "rival",
)  # fmt: skip
WITHOUT_HANDLING = ("refuse", "drop-before-handling", "answer", "answer-then-handle")
"""The kinds that are answered, or not, without the services having seen the request."""
ANSWERING = ("answer", "answer-then-handle")

Body = Union[bytes, str]


@dataclass(frozen=True)
class Match:
    """Which requests a fault strikes: method ("*" is any), a regex over the quoted path, from the n-th on.

    The path of a deployment of nothing ends in `?of=nothing`.
    """

    method: str = "*"
    path: str = ""
    nth: int = 1

    def fits(self, method: str, path: str) -> bool:
        """Tell whether method and path are those of the match."""
        return self.method in ("*", method) and re.search(self.path, path) is not None


@dataclass
class Fault:
    """One ordered fault. It strikes `times` matching requests, beginning with the match's n-th.

    Kinds:
      refuse                the connection is reset and nothing is handled
      drop-before-handling  the connection is closed without an answer and nothing is handled
      handle-then-drop      the request is handled, then the connection is closed without an answer
      half                  the request is handled, half of the answer's body is sent, then closed
      slow                  `delay` seconds pass before the handling (`when="after"`: after it)
      answer                `status`, `headers` and `body` are sent and nothing is handled
      handle-then-answer    the request is handled, then that answer is sent in place of its own: a 504
      answer-then-handle    that answer is sent, and the request is handled `delay` seconds after it: a 504
                            of the gateway, which ends the waiting and not the work
      rival                 `rival(state)` runs right before the handling (`when="after"`: right after it)
    """

    kind: str
    match: Match = field(default_factory=Match)
    times: int = 1
    delay: float = 0.0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    rival: Optional[Callable[[State], None]] = None
    when: str = "before"
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such kind of fault: {self.kind}; there are {', '.join(KINDS)}")
        if (self.kind == "rival") != (self.rival is not None):
            raise ValueError("a rival, and only a rival, has a callable")

    def to_answer(self) -> Answer:
        """Return the answer that the fault sends; a body is JSON unless the headers say otherwise."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return Answer(status=self.status, headers={"Content-Type": JSON_TYPE, **self.headers}, body=body)


def answer_with(answer: Answer, *, match: Match, times: int = 1, handled: bool = False) -> Fault:
    """Return a fault that sends that answer; `handled` has the services do the work first."""
    return Fault(
        kind="handle-then-answer" if handled else "answer",
        match=match,
        times=times,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
    )


def gateway_fault(
    name: str,
    *,
    match: Match,
    times: int = 1,
    reason: str = "",
    reset: Optional[int] = None,
    handled: bool = False,
) -> Fault:
    """Return a fault that answers one of the gateway's own errors, by its `code_name`."""
    answer = gateway_error(name, reason=reason, reset=reset)
    return answer_with(answer, match=match, times=times, handled=handled)


class Faults:
    """The faults ordered and not used up yet, in the order of their ordering."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Order a fault; return it, so that a test can look at `struck`."""
        with self._lock:
            self._ordered.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._ordered.clear()

    def unused(self) -> list[Fault]:
        """Return the faults that struck less often than ordered."""
        with self._lock:
            return [fault for fault in self._ordered if fault.struck < fault.times]

    def take(self, method: str, path: str) -> list[Fault]:
        """Return the faults that strike this request, counting it for every fault that it fits."""
        with self._lock:
            return [fault for fault in self._ordered if _strikes(fault, method, path)]


def _strikes(fault: Fault, method: str, path: str) -> bool:
    if not fault.match.fits(method, path):
        return False
    fault.seen += 1
    if fault.seen < fault.match.nth or fault.struck >= fault.times:
        return False
    fault.struck += 1
    return True
