"""The gateway to BCS, for one principal: send, judge the answer, wait, send again.

Every request's authentication is `Principal.headers()`, asked of the one principal given when the gateway is
made; a call (`calls.py`) has no place for any. What an answer means is decided in `decision.py`, how often
and when to try again in `retrying.py`, how many attempts are under way at most in `request_pace.py`; here is
what they need done. Threads may share one gateway.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Sequence
from math import inf
from typing import Callable, NoReturn, Optional, Protocol, TypeVar, Union

from bcs_template_set.bcs.calls import Call, JsonValue, Read, Unreadable, Write
from bcs_template_set.bcs.decision import Asked, Decision, Fail, Reply, RetryAfter, Success, decide
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.request_pace import Pace, Permit, heard_from
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.config.principal import Principal
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.server_errors import AnswerUnreadable, ApiMissing, OutcomeUnknown, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.http_values import (
    LARGEST_BODY,
    LARGEST_LIST,
    HttpAnswer,
    HttpRequest,
    NoAnswer,
    NotSent,
)
from bcs_template_set.system.parallel import INSTEAD

T = TypeVar("T")

LOOK_UP = 0.2
"""Seconds after which who waits for a permit looks whether the run still goes on."""

SHOWN_FIRST_TO_LAST = (
    *("acting_user", "app", "project", "permission", "apply_url"),
    *("request", "request_id", "gateway_request_id", "gateway_code"),
)
"""The order in which people read an error's context: who, what, then the ids for an administrator."""


class Sender(Protocol):
    """What sends a request: `transport.Transport`, or a test's stand-in."""

    def send(self, request: HttpRequest, *, seconds: float = inf) -> HttpAnswer:
        """Send a request and return its answer, whatever its status. Raises `NotSent` or `NoAnswer`."""
        ...


class KeptSender(Sender, Protocol):
    """One that keeps connections."""

    def connect_ahead(self, url: str, *, count: int) -> None:
        """See to it, in the background, that so many connections to a server are open."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


@dataclass(frozen=True)
class Exchange:
    """One attempt to send a request, for log and report: never its headers, query or body.

    `status` is 0 where there was no answer. `seconds` is how long it took. `refused` is the code of the error
    that the answer was decided to be, 0 for none: BCS refuses with HTTP 200 too, and that it lacks what not
    every BCS has is no refusal.
    """

    name: str
    method: str
    path: str
    status: int
    seconds: float
    request_id: str
    gateway_request_id: str
    refused: int = 0


def root_of(endpoint: Endpoint) -> str:
    """Return the address that every call's path follows."""
    prefix, root = endpoint.path_prefix.strip("/"), endpoint.gateway.rstrip("/")
    return f"{root}/{prefix}" if prefix else root


def _refused(call: Call[T], verdict: Decision) -> int:
    """Return the code of the error that an answer was decided to be, 0 where it is an answer."""
    if isinstance(verdict, Success) or (call.may_be_missing and isinstance(verdict.error, ApiMissing)):
        return 0
    return verdict.error.code


def _new_id() -> str:
    return str(uuid.uuid4())


class Gateway:
    """Sends reads and writes as one principal.

    `on_exchange` is told of every attempt, in the thread that made it. `mask` takes out of a server's words
    what it must not say back; `learn` is told first what was answered. `new_id` and `chance` (from 0 to 1)
    are the sources of request ids and of jitter.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        principal: Principal,
        *,
        transport: Sender,
        clock: Clock,
        deadline: Deadline,
        on_exchange: Callable[[Exchange], object] = bool,
        mask: Callable[[str], str] = str,
        learn: Callable[[JsonValue], object] = bool,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        new_id: Callable[[], str] = _new_id,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._principal = principal
        self._transport = transport
        self._clock = clock
        self._deadline = deadline
        self._on_exchange = on_exchange
        self._mask = mask
        self._learn = learn
        self._policy = policy
        self._new_id = new_id
        self._chance = chance
        self._site = Site()
        self._pace = Pace(endpoint.concurrency)
        self._room = threading.Condition()
        self._not_before = -inf
        self._limited_by: Optional[StepError] = None
        self._stopped: Optional[StepError] = None

    @property
    def most_at_once(self) -> int:
        """Return how many requests the author lets be under way at once."""
        return self._endpoint.concurrency

    @property
    def site(self) -> Site:
        """Return what the answers have told of BCS's dialect so far."""
        return self._site

    def stop(self, error: StepError) -> None:
        """Send nothing more: every later attempt, in any thread, ends in this error."""
        self._stopped = error

    def read(self, call: Read[T]) -> T:
        """Return the answer to a call that changes nothing; it is sent again where that may help.

        Raises:
            StepError: what the gateway or BCS answered, or that no time is left.
        """
        return self._parsed(call, writes=False)

    def write(self, call: Write[T]) -> T:
        """Return the answer to a call that changes something; sent again only where it was not handled.

        Raises:
            OutcomeUnknown: it may have happened; read back before sending it again.
            StepError: it did not happen: what the gateway or BCS answered, or that no time is left.
        """
        return self._parsed(call, writes=True)

    # --- one call ---------------------------------------------------------------------------------------

    def _parsed(self, call: Call[T], *, writes: bool) -> T:
        data, asked, request_id = self._send(call, writes=writes)
        try:
            return call.parse(data)
        except Unreadable as exc:
            unreadable = OutcomeUnknown if writes else AnswerUnreadable
            error = unreadable(url=asked.url, problem=say("gateway.unreadable", problem=exc.problem))
            raise self._in_context(error, asked, request_id) from exc

    def _send(self, call: Call[T], *, writes: bool) -> tuple[JsonValue, Asked, str]:
        asked = self._asked(call, writes=writes)
        failures = limits = 0
        waited = 0.0
        last: Optional[StepError] = None
        while True:
            permit, held = self._hold_back(last, waited=waited)
            request_id, began, waited = self._new_id(), self._clock.monotonic(), waited + held
            verdict = self._attempt(call, asked, permit, request_id=request_id)
            if isinstance(verdict, Success):
                return self._said(verdict.data), asked, request_id
            last = self._in_context(verdict.error, asked, request_id)
            took = self._clock.monotonic() - began
            if isinstance(verdict, Fail) or (took > call.longest_again and not verdict.slows_all):
                raise last
            failures, limits = failures + (not verdict.slows_all), limits + verdict.slows_all
            self._wait_or_give_up(verdict, last, failures=failures, limits=limits, waited=waited)

    def _wait_or_give_up(
        self, retry: RetryAfter, error: StepError, *, failures: int, limits: int, waited: float
    ) -> None:
        chance = self._chance()
        seconds = self._policy.wait(retry, failures=failures, limits=limits, chance=chance, waited=waited)
        if self._deadline.passed():  # our own time ended the wait for an answer: no fault of the server's
            raise self._out_of_time(details=[error.title()]).with_context(**error.context) from error
        if seconds is None or seconds >= self._deadline.remaining():
            raise error
        if retry.slows_all:
            self._slow_all(seconds, error)
        else:
            self._wait(seconds, error)

    def _attempt(self, call: Call[T], asked: Asked, permit: Permit, *, request_id: str) -> Decision:
        request = HttpRequest(
            method=call.method,
            url=root_of(self._endpoint) + call.target,
            headers=self._headers(request_id, has_body=call.body is not None),
            body=call.body_bytes(),
            most=LARGEST_LIST if call.grows else LARGEST_BODY,
        )
        started = self._clock.monotonic()
        reply = self._reply_to(request, call, permit)
        verdict = decide(asked, reply)
        answered = reply if isinstance(reply, HttpAnswer) else None
        exchange = Exchange(
            name=call.name,
            method=asked.method,
            path=asked.path,
            status=answered.status if answered else 0,
            seconds=self._clock.monotonic() - started,
            request_id=request_id,
            gateway_request_id=answered.headers.get("x-bkapi-request-id", "") if answered else "",
            refused=_refused(call, verdict),
        )
        self._on_exchange(exchange)
        return verdict

    def _reply_to(self, request: HttpRequest, call: Call[T], permit: Permit) -> Reply:
        """Return what came of a request; its permit is given back whatever comes."""
        reply: Optional[Reply] = None
        try:
            reply = self._transport.send(request, seconds=self._deadline.remaining())
        except (NotSent, NoAnswer) as exc:
            reply = exc
        finally:
            heard = heard_from(reply, question=call.name, is_slow=call.reads_error)
            with self._room:
                self._pace.give_back(permit, heard, now=self._clock.monotonic())
                self._room.notify_all()
        return reply

    def _asked(self, call: Call[T], *, writes: bool) -> Asked:
        principal = self._principal
        return Asked(
            method=call.method,
            path=call.path,
            url=root_of(self._endpoint) + call.path,
            writes=writes,
            project=call.project,
            user=principal.label,
            app_code=principal.app_code,
            credential=principal.credential,
            is_token=principal.is_token,
            reads_error=call.reads_error,
            is_bare=call.is_bare,
            mask=self._mask,
        )

    def _said(self, data: JsonValue) -> JsonValue:
        """Return the data of a success; an error beside it, as of a dry run, is a server's own words."""
        self._learn(data)
        if isinstance(data, dict):
            error = data.get("error")
            if isinstance(error, str):
                return {**data, "error": self._mask(error)}
        return data

    def _headers(self, request_id: str, *, has_body: bool) -> dict[str, str]:
        headers = {"Accept": "application/json", "X-Request-Id": request_id}
        if has_body:
            headers["Content-Type"] = "application/json"
        if self._endpoint.tenant_id:
            headers["X-Bk-Tenant-Id"] = self._endpoint.tenant_id
        headers.update(self._principal.headers())
        return headers

    def _in_context(self, error: StepError, asked: Asked, request_id: str) -> StepError:
        error.with_context(
            acting_user=self._principal.label,
            app=self._principal.app_code,
            project=asked.project,
            request=f"{asked.method} {asked.path}",
            request_id=request_id,
        )
        shown = [name for name in SHOWN_FIRST_TO_LAST if name in error.context]
        error.context = {name: error.context[name] for name in (*shown, *error.context)}
        return error

    # --- waiting ----------------------------------------------------------------------------------------

    def _hold_back(self, last: Optional[StepError], *, waited: float) -> tuple[Permit, float]:
        """Return the permit for one attempt, and the seconds that limits held it back.

        Every request waits out any's limit. `waited` are the seconds that this one has waited so before.
        """
        held = 0.0
        while True:
            if self._stopped is not None:
                raise self._stopped
            if self._deadline.passed():
                self._give_up(last)
            permit = self._permit()
            if isinstance(permit, Permit):
                return permit, held
            if waited + held + permit > self._policy.longest_limit:
                self._give_up(last or self._limited_by)
            if permit > 0:
                self._wait(min(permit, self._deadline.remaining()), last)
            held += permit

    def _permit(self) -> Union[Permit, float]:
        """Return a permit, or for how many seconds to wait: none where one has been given back meanwhile."""
        with self._room:
            now = self._clock.monotonic()
            permit = self._pace.take(now) if now >= self._not_before else self._not_before - now
            if permit == inf:
                if INSTEAD.get() is not None:
                    return LOOK_UP  # in a simulation others go on only while this one waits by the clock
                self._room.wait(min(LOOK_UP, self._deadline.remaining()))
                return 0.0
            return permit

    def _slow_all(self, seconds: float, error: StepError) -> None:
        with self._room:
            self._limited_by = error
            self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def _wait(self, seconds: float, last: Optional[StepError]) -> None:
        """Wait; a wait that ends early means that the run is being stopped, so nothing more is sent."""
        until = self._clock.monotonic() + seconds
        self._clock.wait(seconds)
        if until - self._clock.monotonic() > seconds / 2:
            self._give_up(last)

    def _give_up(self, last: Optional[StepError]) -> NoReturn:
        raise last or self._out_of_time()

    def _out_of_time(self, *, details: Sequence[Text] = ()) -> OutOfTime:
        return OutOfTime(seconds=self._deadline.whole_seconds, details=details)
