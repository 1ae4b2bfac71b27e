"""What comes in and what goes out, as values. Performs no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json; charset=utf-8"
NOT_FOUND_TEXT = b"Not Found\n"


@dataclass(frozen=True)
class Request:
    """One request as it arrived. `path` is still quoted and has no query; header names are lower case."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Return the path's segments, unquoted one by one, so that `%2F` does not split a segment."""
        return tuple(unquote(segment) for segment in self.path.strip("/").split("/"))

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Return the query's names and values in their order."""
        return tuple(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def request_id(self) -> str:
        """Return the caller's X-Request-Id, empty where it sent none."""
        return self.header("x-request-id")

    def header(self, name: str) -> str:
        """Return a header's value, empty where it is missing."""
        return self.headers.get(name.lower(), "")

    def json(self) -> object:
        """Return the decoded body, which nobody changes; None for an empty one. Raises ValueError."""
        return self._json

    @cached_property
    def _json(self) -> object:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Answer:
    """One answer, and what the emulator knew when it gave it.

    `user` is the user the service saw ("" is nobody), `operation` the API that answered; it stays empty
    where a layer in front of the services answered.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str = ""
    app: str = ""
    operation: str = ""
    known: bool = True


def json_answer(payload: object, *, status: int = 200, operation: str = "", user: str = "") -> Answer:
    """Return an answer with that JSON body."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    return Answer(
        status=status, headers={"Content-Type": JSON_TYPE}, body=body, operation=operation, user=user
    )


def answer_of_manager(
    request: Request,
    caller: Caller,
    *,
    operation: str,
    code: int,
    message: str,
    data: object = None,
    perms: object = None,
    **more: object,
) -> Answer:
    """Return an answer of a service that has codes of its own and says which permissions are missing."""
    payload = {
        "code": code,
        "message": message,
        **more,
        "data": data,
        "requestID": request.request_id,
        "web_annotations": None if perms is None else {"perms": perms},
    }
    return json_answer(payload, operation=operation, user=caller.user)


def unknown_api(*, status: int = 404, text: bytes = NOT_FOUND_TEXT, known: bool = False) -> Answer:
    """Return grpc-gateway's plain text for a path without a handler (facts/gateway.md, "Decision table").

    `known` is an API that BCS has in another dialect: a test may ask for it.
    """
    return Answer(
        status=status, headers={"Content-Type": "text/plain; charset=utf-8"}, body=text, known=known
    )


def runtime_error(message: str, *, code: int = 2, status: int = 500, operation: str = "") -> Answer:
    """Return grpc-gateway's own error (facts/gateway.md, "Decision table"; a bad body: HTTP 400, code 3)."""
    return json_answer(
        {"error": message, "code": code, "message": message, "details": []},
        status=status,
        operation=operation,
    )


@dataclass(frozen=True)
class Caller:
    """Who a service sees: the user ("" is nobody), and the app the gateway authenticated, if any."""

    user: str = ""
    app: str = ""
    exempt: bool = False
