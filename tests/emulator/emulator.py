"""The emulated site: BK-CI's build API, the BlueKing gateway and BCS behind one port of 127.0.0.1."""

from __future__ import annotations

import ssl
import threading
import time
import traceback
from dataclasses import replace
from typing import Callable, Optional, final

from tests.emulator import (
    custom_objects,
    deploying,
    live_objects,
    template_files,
    template_sets,
    template_spaces,
    template_versions,
)
from tests.emulator.build_api import answer_build_api
from tests.emulator.chaos import Chaos
from tests.emulator.cluster import Cluster
from tests.emulator.cluster_manager import answer_cluster_manager
from tests.emulator.cluster_resources import ClusterResources
from tests.emulator.dialect import Dialect
from tests.emulator.door import Door, Passage
from tests.emulator.exchanges import BUILD_API, Exchange, find_violations, most_at_once, path_for_faults
from tests.emulator.faults import ANSWERING, WITHOUT_HANDLING, Fault, Faults
from tests.emulator.gateway import STRAIGHT_PREFIX, Gateway, GatewayRules, answer_straight
from tests.emulator.helm_manager import answer_helm_manager
from tests.emulator.http_message import Answer, Caller, Request, unknown_api
from tests.emulator.project_manager import answer_project_manager
from tests.emulator.running_numbers import RunningNumbers
from tests.emulator.server import DROP, HALF, RESET, SEND, Server
from tests.emulator.state import State

_HOW = {"refuse": RESET, "drop-before-handling": DROP, "handle-then-drop": DROP, "half": HALF}
OPERATIONS = (
    template_spaces.OPERATIONS
    + template_files.OPERATIONS
    + template_versions.OPERATIONS
    + template_sets.OPERATIONS
    + deploying.OPERATIONS
    + live_objects.OPERATIONS
    + custom_objects.OPERATIONS
)


@final
class Emulator:
    """A whole site to test against: build the `state`, `start`, talk to `url`, look at the `exchanges`.

    `latency` is added to every request, in seconds; `door` is how many it takes. `dialect` is which BCS it
    is; `state.dialect` changes it.
    Use as a context manager, or `start` and `stop`.
    """

    def __init__(
        self,
        *,
        path_prefix: str = "/v4",
        latency: float = 0.0,
        tls: Optional[ssl.SSLContext] = None,
        now: Callable[[], float] = time.time,
        dialect: Dialect = Dialect.C,
    ) -> None:
        self.state = State(now=now, dialect=dialect)
        self.rules = GatewayRules(path_prefix=path_prefix)
        self.faults = Faults()
        self.latency = latency
        self.door = Door()
        self.exchanges: list[Exchange] = []
        self.unmatched: list[str] = []
        self.violations: list[str] = []
        self.defects: list[str] = []
        self._tls = tls
        self._server: Optional[Server] = None
        self._stopping = threading.Event()
        self._chaos: Optional[Chaos] = None
        self._late: list[threading.Thread] = []
        self._numbers = RunningNumbers(1)
        self.take(self.state)

    def take(self, state: State) -> None:
        """Be the site that is in this state, from now on."""
        self.state = state
        self._gateway = Gateway(state, rules=self.rules, service=self._answer_service)
        self._cluster_resources = ClusterResources(state, operations=OPERATIONS)

    # --- life -------------------------------------------------------------------------------------------

    def start(self) -> Emulator:
        """Listen on a free port of 127.0.0.1; return the emulator."""
        self._stopping.clear()
        self._server = Server(self._respond, tls=self._tls)
        return self

    def stop(self) -> None:
        """End every connection and wait for the threads. May be called twice."""
        self._stopping.set()
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        self.wait_for_late()

    def __enter__(self) -> Emulator:
        return self if self._server is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- addresses --------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Return host and port, without a scheme, as `.sdk.json` may hold its gateway."""
        return f"127.0.0.1:{self._running().port}"

    @property
    def root(self) -> str:
        """Return the build API's address; also a region's `gateway` straight at BCS (`/bcsapi/v4`)."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    @property
    def url(self) -> str:
        """Return a region's `gateway`: the BlueKing gateway's address with its stage."""
        return f"{self.root}/api/{self.rules.name}/{self.rules.stage}"

    @property
    def connections(self) -> int:
        """Return how many connections were opened so far."""
        return self._running().connections

    def cluster(self, cluster_id: str = "") -> Cluster:
        """Return a cluster to look inside, the only one where none is named. Raises KeyError."""
        return self.state.clusters[cluster_id or next(iter(self.state.clusters))]

    # --- chance -----------------------------------------------------------------------------------------

    def unleash(self, chaos: Chaos) -> None:
        """Let chance delay and strike every request from now on."""
        self._chaos = chaos
        self.state.server_part = chaos.server_part
        self.state.shuffle = chaos.shuffled
        self.state.between_check_and_insert = lambda _: self._wait(chaos.delay("check"))
        self.state.between_stamp_and_insert = lambda _: self._wait(chaos.delay("stamp"))
        self.state.between_insert_and_move = lambda _: self._wait(chaos.delay("insert"))

    def calm(self) -> None:
        """Wait for what is still being handled, and leave nothing to chance any more."""
        self._chaos = None
        self.wait_for_late()
        self.state.between_check_and_insert = lambda _: None
        self.state.between_stamp_and_insert = lambda _: None
        self.state.between_insert_and_move = lambda _: None
        self.state.shuffle = lambda versions: versions

    def wait_for_late(self) -> None:
        """Wait until every request is handled whose answer did not wait for it."""
        while self._late:
            self._late.pop().join()

    # --- what happened ----------------------------------------------------------------------------------

    def find(self, *, method: str = "", operation: str = "", path: str = "") -> list[Exchange]:
        """Return the exchanges of that method, operation (its end suffices) and part of the path."""
        return [
            exchange
            for exchange in list(self.exchanges)
            if method in ("", exchange.method)
            and exchange.operation.endswith(operation)
            and path in exchange.path
        ]

    def to_gateway(self) -> list[Exchange]:
        """Return the requests to the API gateway or to BCS; what BK-CI's build API was asked is left out."""
        return [exchange for exchange in self.exchanges if exchange.path.split("/")[1] not in BUILD_API]

    def writes(self) -> list[Exchange]:
        """Return the requests that change something at BCS, whether they were handled or not."""
        return [exchange for exchange in list(self.exchanges) if exchange.is_write]

    def most_at_once(self) -> int:
        """Return the largest number of requests under way at one moment."""
        return most_at_once(list(self.exchanges))

    def forget(self) -> None:
        """Forget what happened so far; the state and the ordered faults stay."""
        self.exchanges.clear()
        self.unmatched.clear()
        self.violations.clear()

    def problems(self) -> list[str]:
        """Return all that no test may leave behind: unknown APIs, leaked secrets, unused faults, defects."""
        unused = [f"unused fault: {fault.kind} {fault.match}" for fault in self.faults.unused()]
        unmatched = [f"no such API: {what}" for what in self.unmatched]
        return unmatched + self.violations + unused + self.defects

    # --- answering --------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Exchange:
        """Return what becomes of a request that comes by no connection: neither ordered faults nor chance."""
        exchange = self._arrived(request)
        answer = self._answer_safely(request)
        exchange.handled = True
        _fill_in(exchange, answer, faults=[], how=SEND)
        return exchange

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the emulator is not running: start it first")
        return self._server

    def _arrived(self, request: Request) -> Exchange:
        exchange = Exchange(
            number=next(self._numbers),
            request=request,
            started=time.monotonic(),
            dialect=self.state.dialect,
        )
        self.exchanges.append(exchange)
        self.violations += find_violations(request, secrets=self.state.secrets())
        return exchange

    def _respond(self, request: Request) -> tuple[Answer, str]:
        exchange = self._arrived(request)
        if request.segments[:1] != ("api",):
            return self._let_in(exchange, Passage())
        with self.door.passage() as passage:
            if passage.refusal is not None:
                return self._let_in(exchange, passage)
            with self.door.handling():
                return self._let_in(exchange, passage)

    def _let_in(self, exchange: Exchange, passage: Passage) -> tuple[Answer, str]:
        request = exchange.request
        faults = self.faults.take(request.method, path_for_faults(request))
        faults += [passage.refusal] if passage.refusal is not None else []
        self._wait(self.latency)
        chaos = self._chaos
        if chaos is not None:
            by_chance = chaos.fault()
            faults += [by_chance] if by_chance is not None else []
            self._wait(chaos.delay("arrive"))
        answer = self._answer_with_faults(exchange, faults)
        if chaos is not None:
            self._wait(chaos.delay("answer"))
        answer = replace(answer, headers={**answer.headers, **passage.headers})
        how = next((_HOW[fault.kind] for fault in faults if fault.kind in _HOW), SEND)
        _fill_in(exchange, answer, faults=faults, how=how)
        return answer, how

    def _answer_with_faults(self, exchange: Exchange, faults: list[Fault]) -> Answer:
        self._act(faults, when="before")
        stopping = next((fault for fault in faults if fault.kind in WITHOUT_HANDLING), None)
        if stopping is not None:
            if stopping.kind == "answer-then-handle":
                self._handle_later(exchange, seconds=stopping.delay)
            return stopping.to_answer() if stopping.kind in ANSWERING else Answer(status=0)
        answer = self._answer_safely(exchange.request)
        exchange.handled = True
        self._act(faults, when="after")
        instead = next((fault for fault in faults if fault.kind == "handle-then-answer"), None)
        return answer if instead is None else replace(instead.to_answer(), user=answer.user, app=answer.app)

    def _handle_later(self, exchange: Exchange, *, seconds: float) -> None:
        def handle() -> None:
            self._wait(seconds)
            if not self._stopping.is_set():
                self._answer_safely(exchange.request)
                exchange.handled = True

        thread = threading.Thread(target=handle, name="emulator-late", daemon=True)
        self._late.append(thread)
        thread.start()

    def _act(self, faults: list[Fault], *, when: str) -> None:
        for fault in faults:
            if fault.when != when:
                continue
            if fault.kind == "slow":
                self._wait(fault.delay)
            if fault.rival is not None:
                fault.rival(self.state)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._stopping.wait(seconds)

    def _answer_safely(self, request: Request) -> Answer:
        try:
            answer = self._answer(request)
        except Exception:  # noqa: BLE001 - not hidden: `problems()` shows it, and the client gets a 500
            self.defects.append(traceback.format_exc())
            return Answer(status=500, headers={"Content-Type": "text/plain"}, body=b"defect of the emulator")
        if not answer.known:
            self.unmatched.append(f"{request.method} {request.path}")
        return answer

    def _answer(self, request: Request) -> Answer:
        segments = request.segments
        if segments[:1] == ("api",):
            return self._gateway.answer(request)
        if segments[:2] == STRAIGHT_PREFIX:
            return answer_straight(self.state, request, service=self._answer_service)
        if segments[0] in BUILD_API:
            return answer_build_api(self.state, request)
        return unknown_api()

    def _answer_service(self, request: Request, segments: tuple[str, ...], caller: Caller) -> Answer:
        if segments[0] == "clusterresources":
            return self._cluster_resources.answer(request, segments=segments, caller=caller)
        if segments[0] == "bcsproject":
            return answer_project_manager(self.state, request, segments=segments, caller=caller)
        if segments[0] == "helmmanager":
            return answer_helm_manager(self.state, request, segments=segments, caller=caller)
        if segments[0] == "clustermanager":
            return answer_cluster_manager(self.state, request, segments=segments, caller=caller)
        return unknown_api()


def _fill_in(exchange: Exchange, answer: Answer, *, faults: list[Fault], how: str) -> None:
    sent = how in (SEND, HALF)
    exchange.status = answer.status if sent else 0
    exchange.answered = answer.status
    exchange.answer_headers, exchange.answer_body = dict(answer.headers), answer.body
    exchange.user, exchange.app, exchange.operation = answer.user, answer.app, answer.operation
    exchange.faults = tuple(fault.kind for fault in faults)
    exchange.ended = time.monotonic()
