"""What the tests of the BCS client share: principals, a clock that does not wait, a scripted sender."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Callable, Optional, Union

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.gateway import Exchange, Gateway
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.config.principal import Principal, resolve_principal
from bcs_template_set.config.regions import App, Endpoint, Region
from bcs_template_set.messages.secret import Secret
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent

SECRET = "canary-secret-1"
TOKEN = "canary-token-1"
URL = "https://bkapi.example.com/api/bcs-api-gateway/prod"

Reply = Union[HttpAnswer, NotSent, NoAnswer]


def app_principal(*, user: str = "lisi") -> Principal:
    region = Region(name="gz", endpoint=Endpoint(gateway=URL), app=App("my_app", Secret(SECRET)))
    return resolve_principal(region, BuildInfo("record", modifier=user), run_as="modifier")


def token_principal(*, path_prefix: str = "/v4") -> Principal:
    region = Region(name="gz", endpoint=Endpoint(gateway=URL, path_prefix=path_prefix))
    credential = Credential("my_token", "access token", {}, {"access_token": Secret(TOKEN)})
    return resolve_principal(region, BuildInfo("record"), run_as="authorizer", credential=credential)


class FakeClock:
    """A clock that only `wait` moves; `interrupt_after` waits later it no longer waits, as when stopped."""

    def __init__(self, *, interrupt_after: Optional[int] = None) -> None:
        self.time = 1000.0
        self.waits: list[float] = []
        self._left = interrupt_after
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        with self._lock:
            self.waits.append(seconds)
            if self._left is not None and len(self.waits) > self._left:
                return
            self.time += seconds


class FakeSender:
    """Answers with the scripted replies in their order, the last one for ever; keeps the requests."""

    def __init__(self, *replies: Reply) -> None:
        self.requests: list[HttpRequest] = []
        self.seconds: list[float] = []
        self.on_send: Callable[[], None] = lambda: None
        self._replies = list(replies)
        self._lock = threading.Lock()

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:
        with self._lock:
            reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
            self.requests.append(request)
            self.seconds.append(seconds)
        self.on_send()
        if isinstance(reply, HttpAnswer):
            return reply
        raise reply


class Bench:
    """A gateway over a scripted sender, and all there is to look at."""

    def __init__(
        self,
        *replies: Reply,
        principal: Optional[Principal] = None,
        endpoint: Optional[Endpoint] = None,
        seconds: Optional[float] = None,
        policy: Optional[RetryPolicy] = None,
        clock: Optional[FakeClock] = None,
        chance: float = 0.0,
        mask: Callable[[str], str] = str,
        learn: Callable[[JsonValue], object] = bool,
    ) -> None:
        self.clock = clock or FakeClock()
        self.sender = FakeSender(*replies)
        self.exchanges: list[Exchange] = []
        self.gateway = Gateway(
            endpoint or Endpoint(gateway=URL),
            principal or app_principal(),
            transport=self.sender,
            clock=self.clock,
            deadline=Deadline(self.clock, seconds=seconds),
            on_exchange=self.exchanges.append,
            policy=policy or RetryPolicy(),
            chance=lambda: chance,
            mask=mask,
            learn=learn,
        )


JSON = {"content-type": "application/json"}


def answer(payload: object, *, status: int = 200, headers: Optional[Mapping[str, str]] = None) -> HttpAnswer:
    return HttpAnswer(status, {**JSON, **(headers or {})}, json.dumps(payload).encode())


def ok(data: object) -> HttpAnswer:
    return answer({"code": 0, "message": "OK", "requestID": "r", "data": data, "webAnnotations": None})


def business(code: int, message: str = "", **more: object) -> HttpAnswer:
    return answer({"code": code, "message": message, "data": None, **more})


def gateway_error(
    status: int,
    code: int,
    message: str = "m",
    *,
    name: str = "NAME",
    headers: Optional[Mapping[str, str]] = None,
) -> HttpAnswer:
    payload = {"code": code, "code_name": name, "message": message, "result": False, "data": None}
    more = {"x-bkapi-error-code": str(code), "x-bkapi-request-id": "gateway-id", **(headers or {})}
    return answer(payload, status=status, headers=more)


def text(status: int, body: str, content_type: str = "text/plain") -> HttpAnswer:
    return HttpAnswer(status, {"content-type": content_type}, body.encode())


PROJECT_DATA: Mapping[str, object] = {"projectID": "a" * 32, "projectCode": "demo", "businessID": "1"}
CREATED_DATA: Mapping[str, object] = {"id": "5" * 24}


def ids(requests: Sequence[HttpRequest]) -> list[str]:
    return [request.headers["X-Request-Id"] for request in requests]
