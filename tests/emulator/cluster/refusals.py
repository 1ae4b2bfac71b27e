"""How the API server says no. Performs no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from tests.emulator.cluster.kinds import Kind

NOT_FOUND, INVALID, CONFLICT, BAD_REQUEST, EXISTS = "NotFound", "Invalid", "Conflict", "BadRequest", "Exists"
NO_SUCH_RESOURCE = "the server could not find the requested resource"


class ApiRefusal(Exception):
    """The API server's refusal: its reason, and the message as kubectl would show it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


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


def bad_request(kind: Kind, what: str) -> ApiRefusal:
    """Return the refusal of a document that does not decode into its kind."""
    version = kind.versions[0].rpartition("/")[2]
    return ApiRefusal(
        BAD_REQUEST, f'{kind.name} in version "{version}" cannot be handled as a {kind.name}: {what}'
    )
