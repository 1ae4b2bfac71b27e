"""The way in: the BlueKing gateway, or BCS's own, decides who the caller is. Performs no I/O.

Each rule is a line of facts/gateway.md. The route is found before anybody is authenticated, so a wrong
prefix is a 404 whoever asks. What the facts leave open is marked as a guess.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Callable, Optional

from tests.emulator.entities import App
from tests.emulator.gateway_errors import gateway_error
from tests.emulator.http_message import Answer, Caller, Request, json_answer, runtime_error
from tests.emulator.pace import HungUp
from tests.emulator.state import State

STRAIGHT_PREFIX = ("bcsapi", "v4")
WITHOUT_TOKEN = {("clusterresources", "v1", "version")}
SERVICES = ("clusterresources", "bcsproject", "helmmanager", "clustermanager")
WITHOUT_GRANT = "clustermanager"
NO_TOKEN_MESSAGE = "bcs-auth plugin error: token is expired or is invalid"


@dataclass
class GatewayRules:
    """How this site's gateway is set up. Change it in a test before the requests it is for.

    `tenants` makes the site multi-tenant. `verified_users_only` refuses a request without a verified user at
    the gateway (400), where by default it passes as nobody. `clock_ahead` is by how many
    seconds its clock is.
    """

    name: str = "bcs-api-gateway"
    stage: str = "prod"
    path_prefix: str = "/v4"
    tenants: frozenset[str] = frozenset()
    verified_users_only: bool = False
    refused_users: set[str] = field(default_factory=set)
    refuses_address: bool = False
    clock_ahead: float = 0.0


Service = Callable[[Request, tuple[str, ...], Caller], Answer]


class AuthenticationRefused(Exception):
    """The gateway could not tell app or user: always 400 / 1640001."""


class Gateway:
    """The BlueKing API gateway in front of BCS."""

    def __init__(self, state: State, *, rules: GatewayRules, service: Service) -> None:
        self._state = state
        self.rules = rules
        self._service = service

    def answer(self, request: Request) -> Answer:
        """Return the gateway's refusal, or the service's answer; always with X-Bkapi-Request-Id."""
        answer = self._answer(request)
        date = formatdate(self._state.now() + self.rules.clock_ahead, usegmt=True)  # nginx sends one always
        own = {"X-Bkapi-Request-Id": str(uuid.uuid4()), "Date": date}
        return replace(answer, headers={**answer.headers, **own})

    def _answer(self, request: Request) -> Answer:
        if request.header("user-agent").startswith("Mozilla"):
            return login_page(request)
        segments = self._route(request)
        if segments is None:
            return gateway_error("API_NOT_FOUND")
        try:
            caller, app = authenticate(self._state, request)
            self._check_verified(caller)
        except AuthenticationRefused as exc:
            return gateway_error("INVALID_ARGS", reason=str(exc))
        refusal = self._refuse(request, segments, caller=caller, app=app)
        try:
            answer = refusal or self._service(request, segments, caller)
        except HungUp:
            answer = gateway_error("REQUEST_BACKEND_TIMEOUT")
        return replace(answer, app=caller.app)

    def _check_verified(self, caller: Caller) -> None:
        if self.rules.verified_users_only and not caller.user:
            raise AuthenticationRefused("user authentication failed, the user indicated is not verified")

    def _route(self, request: Request) -> Optional[tuple[str, ...]]:
        """Return the path behind the gateway's stage and BCS's prefix, None where no resource is there."""
        prefix = tuple(part for part in self.rules.path_prefix.split("/") if part)
        front = ("api", self.rules.name, self.rules.stage, *prefix)
        segments = request.segments
        behind = segments[len(front) :]
        if segments[: len(front)] != front or behind[:1] == () or behind[0] not in SERVICES:
            return None
        return behind

    def _refuse(
        self, request: Request, segments: tuple[str, ...], *, caller: Caller, app: Optional[App]
    ) -> Optional[Answer]:
        asks_for_grant = segments[0] != WITHOUT_GRANT
        if app is not None and asks_for_grant and not app.may_call("/" + "/".join(segments)):
            return gateway_error("APP_NO_PERMISSION", reason=f"app_code={app.code}")
        if self.rules.refuses_address:
            return gateway_error("IP_NOT_ALLOWED")
        if caller.user in self.rules.refused_users:
            return gateway_error("BK_USER_NOT_ALLOWED")
        return self._refuse_tenant(request)

    def _refuse_tenant(self, request: Request) -> Optional[Answer]:
        tenant = request.header("x-bk-tenant-id")
        if not self.rules.tenants or tenant in self.rules.tenants:
            return None
        if not tenant:  # the facts say that it is needed; how its lack is answered is a guess
            return gateway_error("INVALID_ARGS", reason="X-Bk-Tenant-Id is required")
        return gateway_error("BK_TENANT_NOT_ALLOWED")


def login_page(request: Request) -> Answer:
    """Return the redirect that a browser gets (facts/gateway.md, "Client rules")."""
    where = f"https://login.example.com/plain/?size=big&c_url={request.path}"
    return Answer(status=302, headers={"Location": where, "Content-Type": "text/html"})


def authenticate(state: State, request: Request) -> tuple[Caller, Optional[App]]:
    """Return who the request's X-Bkapi-Authorization proves. Raises AuthenticationRefused."""
    given = _authorization_of(request)
    app = _proven_app(state, given)
    token = state.access_tokens.get(given.get("access_token", ""))
    if token is not None and not token.expired and token.user:
        owner = state.apps.get(token.app) if app is None else app
        exempt = owner.exempt if owner else False
        return Caller(user=token.user, app=token.app, exempt=exempt), owner
    if app is None:
        raise AuthenticationRefused("user authentication failed, validate access_token failed")
    if "access_token" in given:
        # Sent with app code and secret, a bad token silently degrades to "app, no user".
        return Caller(app=app.code, exempt=app.exempt), app
    name = given.get("bk_username", "")
    return Caller(user=name if app.vouches(name) else "", app=app.code, exempt=app.exempt), app


def _authorization_of(request: Request) -> Mapping[str, str]:
    text = request.header("x-bkapi-authorization")
    if not text:
        raise AuthenticationRefused("app code cannot be empty")
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise AuthenticationRefused("request header X-Bkapi-Authorization is not a valid JSON")
    return {key: value for key, value in given.items() if isinstance(value, str)}


def _proven_app(state: State, given: Mapping[str, str]) -> Optional[App]:
    """Return the app whose secret was shown; None where only a token was."""
    code = given.get("bk_app_code", "")
    if not code:
        if "access_token" in given:
            return None
        raise AuthenticationRefused("app code cannot be empty")
    app = state.apps.get(code)
    if app is None:
        raise AuthenticationRefused("app not found")
    if app.secret != given.get("bk_app_secret", ""):
        raise AuthenticationRefused("bk_app_code or bk_app_secret is incorrect")
    return app


def answer_straight(state: State, request: Request, *, service: Service) -> Answer:
    """Answer as BCS's own gateway does behind `/bcsapi/v4`: bearer tokens, and no X-Bkapi headers."""
    if request.header("user-agent").startswith("Mozilla"):
        return login_page(request)
    segments = request.segments[len(STRAIGHT_PREFIX) :]
    if segments in WITHOUT_TOKEN:
        return service(request, segments, Caller())
    kind, _, value = request.header("authorization").partition(" ")
    token = state.bcs_tokens.get(value) if kind == "Bearer" else None
    if token is None or token.expired:
        return json_answer({"message": NO_TOKEN_MESSAGE}, status=401)
    # X-Bcs-Username counts for client tokens only.
    user = request.headers.get("x-bcs-username") if token.client else token.user
    if user is None or not (user or token.client):
        return runtime_error("username is empty")
    return service(request, segments, Caller(user=user))
