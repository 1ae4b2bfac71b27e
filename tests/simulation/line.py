"""The way of a request: from a build to the emulator's own handler and back, and what strikes it there.

Every step of it gives the baton away. Where the build gives up, or dies, while its request is under way, the
request is handled all the same, by a thread of its own.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Optional
from urllib.parse import urlsplit

from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent
from tests.emulator.exchanges import READING_POSTS, Exchange, asks_for_rights
from tests.emulator.gateway_errors import gateway_error
from tests.emulator.http_message import Answer, Request
from tests.simulation.worlds import FaultPlan

if TYPE_CHECKING:
    from tests.simulation.builds import Build

PATIENCE = 65.0
"""Seconds that a build waits for an answer: the default of `read_timeout`."""


@dataclass(frozen=True)
class Strike:
    """What a kind of fault does. `before` is answered without handling, `instead` after it.

    None of them: the answer is lost. `handled`: the services do it; `later`: only after the answer.
    """

    answer: Optional[Callable[[], Answer]] = None
    sent: bool = True
    handled: bool = False
    later: bool = False


def _gateway(name: str, *, reason: str = "", reset: Optional[int] = None) -> Callable[[], Answer]:
    return lambda: gateway_error(name, reason=reason, reset=reset)


def _plain(status: int, body: bytes, *, kind: str = "text/plain") -> Callable[[], Answer]:
    return lambda: Answer(status=status, headers={"Content-Type": kind}, body=body)


STRIKES: Mapping[str, Strike] = {
    "refused": Strike(sent=False),
    "dropped": Strike(),
    "lost": Strike(handled=True),
    "late": Strike(handled=True, later=True),
    "limited": Strike(_gateway("RATE_LIMIT_RESTRICTION", reset=3)),
    "html-500": Strike(_plain(500, b"<html>oops</html>", kind="text/html")),
    "html-500-after": Strike(_plain(500, b"<html>oops</html>", kind="text/html"), handled=True),
    "unsent-502": Strike(_gateway("BAD_GATEWAY", reason="connection refused")),
    "bad-gateway": Strike(_gateway("BAD_GATEWAY"), handled=True),
    "unavailable": Strike(_gateway("SERVICE_UNAVAILABLE")),
    "timeout-504": Strike(_gateway("REQUEST_BACKEND_TIMEOUT"), handled=True),
    "late-504": Strike(_gateway("REQUEST_BACKEND_TIMEOUT"), handled=True, later=True),
}
DELAYS = ("slow", "stale", "past")
"""The request arrives late; its answer does; or a list says what was there some moments before it was asked.

The last one strikes each list from that request on: a site may read from a copy of its database, which lags.
"""

LISTS = re.compile("/template/(spaces|[0-9a-f]{24}/metadatas|[0-9a-f]{24}/metadata/versions)$")

ENDINGS = ("kill", "kill-after", "kill-late", "term", "term-late")
"""The build dies with its request unsent, handled, or on its way; or it is asked to end by then."""

KINDS = (*STRIKES, *DELAYS, *ENDINGS)
SURE = ("refused", "dropped", "limited", "html-500", "unsent-502", "unavailable")
"""Those after which the request was surely never handled, though not all of them tell the build so."""


def is_write(request: Request) -> bool:
    """Tell whether a request changes something at BCS."""
    if request.method in ("GET", "HEAD") or request.path.endswith(READING_POSTS):
        return False
    return not asks_for_rights(request)


@dataclass(frozen=True)
class Sent:
    """A request that a build has sent: when, what struck it, and what became of it as far as that is known.

    `answered` is the status that the build saw, 0 for none.
    """

    number: int
    at: float
    request: Request
    fault: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    answered: int = 0

    @property
    def writes(self) -> bool:
        """Tell whether it is one that changes something."""
        return is_write(self.request)


class Line:
    """What sends the requests of one build."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._chance = random.Random(f"{build.site.world.seed}/{build.plan.key}/{build.attempt}")  # noqa: S311 - replayed
        self._count = self._writes = 0
        self._began: dict[int, float] = {}

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:
        """Send a request, as `Sender` has it."""
        build, asked = self._build, _asked(request)
        self._count += 1
        self._writes += is_write(asked)
        number, fault, self._began[threading.get_ident()] = self._count, self._fault(asked), build.now()
        build.pause(self._drawn(build.site.world.rough))
        if fault is not None and fault.kind == "slow":
            build.pause(min(fault.seconds, seconds, PATIENCE))
        if fault is not None and fault.kind in ENDINGS:
            self._end(number, asked, fault)
        if fault is not None and fault.kind in STRIKES:
            return self._struck(number, asked, fault, patience=min(seconds, PATIENCE))
        if fault is not None and fault.kind == "past":
            exchange = build.site.handle_in_the_past(asked, by=build, seconds=fault.seconds)
        else:
            exchange = self._handled(asked, patience=min(seconds, PATIENCE))
        self._note(number, asked, fault, [exchange], answered=exchange.status)
        if fault is not None and fault.kind == "stale":
            build.pause(min(fault.seconds, seconds))
        return _answered(exchange.status, exchange.answer_headers, exchange.answer_body)

    def connect_ahead(self, url: str, *, count: int) -> None:
        """Need no connection."""

    def close(self) -> None:
        """Have none."""

    def _handled(self, asked: Request, *, patience: float) -> Exchange:
        """Return what became of a request that is handled while the build waits, if it waits that long."""
        build = self._build
        if asked.method == "GET":
            return build.site.handle(asked, by=build)
        return build.while_waiting(lambda: build.site.handle(asked, by=build), patience=patience)

    def _struck(self, number: int, asked: Request, fault: FaultPlan, *, patience: float) -> HttpAnswer:
        build, strike = self._build, STRIKES[fault.kind]
        exchanges: list[Exchange] = []
        if strike.later:
            build.site.handle_later(asked, by=build, after=fault.seconds, into=exchanges)
        elif strike.handled:
            exchanges.append(self._handled(asked, patience=patience))
        answer = strike.answer() if strike.answer is not None else None
        self._note(number, asked, fault, exchanges, answered=answer.status if answer is not None else 0)
        if answer is not None:
            return _answered(answer.status, answer.headers, answer.body)
        if not strike.sent:
            raise NotSent("refused", "refused")
        build.pause(patience if strike.later and patience < float("inf") else 0.1)
        raise NoAnswer("lost")

    def _end(self, number: int, asked: Request, fault: FaultPlan) -> None:
        build, exchanges = self._build, list[Exchange]()
        if fault.kind.endswith("-late"):
            build.site.handle_later(asked, by=build, after=fault.seconds, into=exchanges)
        elif fault.kind.endswith("-after"):
            exchanges.append(self._handled(asked, patience=PATIENCE))
        self._note(number, asked, fault, exchanges, answered=0)
        build.end(by_signal=fault.kind.startswith("term"))

    def _note(
        self,
        number: int,
        asked: Request,
        fault: Optional[FaultPlan],
        exchanges: list[Exchange],
        *,
        answered: int,
    ) -> None:
        kind = fault.kind if fault is not None else ""
        at = self._began[threading.get_ident()]
        self._build.note(Sent(number, at, asked, kind, exchanges, answered))

    def _fault(self, asked: Request) -> Optional[FaultPlan]:
        """Return what strikes this request; a build that runs again in peace is struck by nothing."""
        for fault in self._build.faults:
            if fault.kind == "past":
                if fault.nth <= self._count and _is_list(asked):
                    return fault
                continue
            if fault.writes and is_write(asked) and fault.nth == self._writes:
                return fault
            if not fault.writes and fault.nth == self._count:
                return fault
        return None

    def _drawn(self, longest: float) -> float:
        return longest * self._chance.random() ** 3


def _is_list(asked: Request) -> bool:
    return asked.method == "GET" and bool(LISTS.search(asked.path))


def _asked(request: HttpRequest) -> Request:
    where = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, where.path, where.query, headers, request.body or b"")


def _answered(status: int, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
    return HttpAnswer(status, {name.lower(): value for name, value in headers.items()}, body)
