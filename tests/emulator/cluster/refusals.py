"""How the API server says no. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Optional

from tests.emulator.cluster.decoding import Mistyped
from tests.emulator.cluster.kinds import Kind

NOT_FOUND, INVALID, CONFLICT, BAD_REQUEST, EXISTS = "NotFound", "Invalid", "Conflict", "BadRequest", "Exists"
REFUSED_FOR_A_TEST = "refused for a test"
NO_SUCH_RESOURCE = "the server could not find the requested resource"


class ApiRefusal(Exception):
    """The API server's refusal: its reason, and the message as kubectl would show it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Unread(ApiRefusal):
    """The refusal of the read that BCS does before it writes, where it is not "not found" (trap 16)."""


def ordered_refusal(
    ordered: Mapping[str, int], method: str, kind: Kind, namespace: str, name: str = ""
) -> Optional[ApiRefusal]:
    """Return the refusal that a test ordered for such a request: a pattern over method and path, a status."""
    version = kind.versions[0]
    front = f"/apis/{version}" if kind.group else f"/api/{version}"
    inside = f"/namespaces/{namespace}" if namespace else ""
    request = f"{method} {front}{inside}/{kind.plural}" + (f"/{name}" if name else "")
    for pattern, status in ordered.items():
        if re.search(pattern, request):
            return ApiRefusal(str(status), REFUSED_FOR_A_TEST)
    return None


def not_found(resource: str, name: str) -> ApiRefusal:
    """Return the refusal of an object that is not there."""
    return ApiRefusal(NOT_FOUND, f'{resource} "{name}" not found')


def no_such_resource() -> ApiRefusal:
    """Return the refusal of a path that the API server does not serve."""
    return ApiRefusal(NOT_FOUND, NO_SUCH_RESOURCE)


def exists(kind: Kind, name: str) -> ApiRefusal:
    """Return the refusal of a create whose name is taken."""
    return ApiRefusal(EXISTS, f'{kind.resource} "{name}" already exists')


def invalid(kind: Kind, name: str, causes: Sequence[str]) -> ApiRefusal:
    """Return the refusal of an object whose fields are wrong: several causes stand in brackets."""
    found = list(dict.fromkeys(causes))
    shown = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
    return ApiRefusal(INVALID, f'{kind.shown} "{name}" is invalid: {shown}')


def conflict(kind: Kind, name: str) -> ApiRefusal:
    """Return the refusal of a write against an older resourceVersion."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return ApiRefusal(CONFLICT, f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}')


def bad_request(what: str) -> ApiRefusal:
    """Return the refusal of a request that makes no sense."""
    return ApiRefusal(BAD_REQUEST, what)


def cannot_decode(kind: Kind, mistyped: Mistyped, *, minor: int) -> ApiRefusal:
    """Return the refusal of a document that does not decode into its kind."""
    version = kind.versions[0].rpartition("/")[2]
    what = mistyped.explain(minor=minor)
    if what.startswith("json: unsupported"):
        return bad_request(what)  # BCS's own client can't even write it down
    return bad_request(f'{kind.name} in version "{version}" cannot be handled as a {kind.name}: {what}')
