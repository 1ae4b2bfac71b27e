"""The record of every request and its answer, and what must never be in a request. Performs no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.emulator.dialect import Dialect
from tests.emulator.http_message import Request

BUILD_API = ("ticket", "store", "process")
"""The services of BK-CI that answer builds: the first part of a path."""

READING_POSTS = ("template/detail", "template/variables", "template/preview")
"""POSTs of cluster-resources that write nothing."""

_OF_NOBODY = "/configs/configmaps/nobody-has-this-name"
_DEPLOY = "template/deploy"
RIGHTS_ONLY = "?of=nothing"
"""What a fault's path has behind it where a deployment names no version: it deploys nothing, and only asks
for the rights of one (facts/bcs.md, "Asking without doing")."""

_CREDENTIAL_KEYS = {
    "bk_app_code", "bk_app_secret", "bk_username", "bk_token", "bk_ticket", "access_token", "app_code",
    "app_secret",
}  # fmt: skip
_AGENT_HEADER, _APP_HEADER = "x-devops-agent-secret-key", "x-bkapi-authorization"


@dataclass
class Exchange:
    """One request and what became of it. Times are monotonic seconds; `ended` is 0 while it is under way.

    `status` is 0 where no answer was sent; `answered` is then what the services answered, if they were asked.
    `user` is whom the service saw ("" is nobody), `operation` the API that answered ("" in front of one).
    """

    number: int
    request: Request
    started: float
    ended: float = 0.0
    status: int = 0
    answered: int = 0
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer_body: bytes = b""
    user: str = ""
    app: str = ""
    operation: str = ""
    handled: bool = False
    faults: tuple[str, ...] = ()
    dialect: Dialect = Dialect.C

    @property
    def method(self) -> str:
        """Return the request's method."""
        return self.request.method

    @property
    def path(self) -> str:
        """Return the request's path, still quoted, without query."""
        return self.request.path

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Return the request's query."""
        return self.request.query

    @property
    def is_write(self) -> bool:
        """Tell whether the request is one that changes something at BCS."""
        if self.method in ("GET", "HEAD") or self.path.endswith(READING_POSTS):
            return False
        return not asks_for_rights(self.request)

    def header(self, name: str) -> str:
        """Return a request header, empty where it is missing."""
        return self.request.header(name)

    def sent_json(self) -> object:
        """Return the request's decoded body. Raises ValueError."""
        return self.request.json()

    def answer_json(self) -> object:
        """Return the answer's decoded body. Raises ValueError."""
        return json.loads(self.answer_body)


def asks_for_rights(request: Request) -> bool:
    """Tell whether the request is a deployment of no version, or the deletion of what nobody has."""
    if request.method == "DELETE":
        return request.path.endswith(_OF_NOBODY)
    if not request.path.endswith(_DEPLOY):
        return False
    try:
        body = request.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("templateVersions") == []


def path_for_faults(request: Request) -> str:
    """Return the path that a fault's pattern is held against: a question strikes no fault of deployments."""
    return request.path + (RIGHTS_ONLY if asks_for_rights(request) else "")


def most_at_once(exchanges: Iterable[Exchange]) -> int:
    """Return the largest number of requests that were under way at one moment."""
    moments = [(exchange.started, 1) for exchange in exchanges]
    moments += [(exchange.ended or float("inf"), -1) for exchange in exchanges]
    running = most = 0
    for _, step in sorted(moments):
        running += step
        most = max(most, running)
    return most


def find_violations(request: Request, *, secrets: Iterable[str]) -> list[str]:
    """Return what in the request breaks the rule that credentials go into their one header only."""
    where = f"{request.method} {request.path}"
    outside = "\n".join([request.path, request.query_string, request.body.decode("utf-8", "replace")])
    found = [f"{where}: a secret is in path, query or body" for secret in secrets if secret in outside]
    found += [f"{where}: query names {key}" for key, _ in request.query if key in _CREDENTIAL_KEYS]
    found += [f"{where}: body names {key}" for key in _body_keys(request) if key in _CREDENTIAL_KEYS]
    if "x-bcs-client" in request.headers:
        found.append(f"{where}: X-Bcs-Client is never sent")
    if "x-bkapi-authorization" in request.headers and "authorization" in request.headers:
        found.append(f"{where}: two ways to be a user in one request")
    return found + _misdirected(request, where)


def _misdirected(request: Request, where: str) -> list[str]:
    to_build_api = request.segments[0] in BUILD_API
    if to_build_api and (_APP_HEADER in request.headers or "authorization" in request.headers):
        return [f"{where}: BCS credentials were sent to the build API"]
    if not to_build_api and _AGENT_HEADER in request.headers:
        return [f"{where}: the build machine's secret was sent to the gateway"]
    return []


def _body_keys(request: Request) -> list[str]:
    try:
        body = request.json()
    except ValueError:
        return []
    return [str(key) for key in body] if isinstance(body, dict) else []
