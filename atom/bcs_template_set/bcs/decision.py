"""What an answer means, and whether to send again: the decision table of facts/gateway.md. Performs no I/O.

Three layers can answer, in three bodies: the gateway (its errors carry `X-Bkapi-Error-Code`), BCS's
grpc-gateway (`{"error", "code", …}`), and the services (`{"code", "message", "data"}`). Everything is decided
by codes: messages are Chinese through the gateway. The two exceptions are the facts' own: which of its
failures the gateway had before it sent, and who is "nobody".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Callable, Literal, Optional, Union

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.dialect import OLDEST_RELEASE
from bcs_template_set.bcs.request_pace import TOO_MANY_AT_ONCE
from bcs_template_set.bcs.seen import SHOWN, Seen
from bcs_template_set.bcs.told_by_bcs import failed_sentences, no_permission, tenants_differ
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    AccessRefused,
    AppNotGranted,
    AuthenticationRefused,
    NobodyArrived,
    ProjectNotVisible,
    TokenRefused,
)
from bcs_template_set.messages.server_errors import (
    AnswerUnreadable,
    AuthoritiesUnusable,
    BcsFailed,
    BcsTooOld,
    CertificateExpired,
    CertificateForAnother,
    CertificateRefused,
    GatewayFailed,
    NoSuchPath,
    NotConnected,
    NotTheGateway,
    OutcomeUnknown,
    RateLimited,
    TooLarge,
    Unreachable,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.http_values import LASTING, HttpAnswer, NoAnswer, NotSent, Obstacle


@dataclass(frozen=True)
class Asked:
    """A request, as far as judging its answer needs it. `url` has no query; nothing here is secret.

    `mask` takes out of a server's words what it must not say back.
    """

    method: str
    path: str
    url: str
    writes: bool
    project: str
    user: str
    app_code: str = ""
    credential: str = ""
    is_token: bool = False
    reads_error: bool = False
    is_bare: bool = False
    mask: Callable[[str], str] = str


@dataclass(frozen=True)
class Success:
    """The call was done; `data` is the envelope's."""

    data: JsonValue


@dataclass(frozen=True)
class RetryAfter:
    """Sending again is safe and may help. `error` is what to raise when there is no further attempt.

    `seconds` is what the server asked for, None where the policy chooses: less where it may be `soon`.
    `slows_all` holds back every request. `most_attempts` bounds the attempts below the policy's.
    """

    error: StepError
    seconds: Optional[float] = None
    slows_all: bool = False
    most_attempts: Optional[int] = None
    soon: bool = False


@dataclass(frozen=True)
class Fail:
    """The call failed."""

    error: StepError


Decision = Union[Success, RetryAfter, Fail]
Reply = Union[HttpAnswer, NotSent, NoAnswer]
Again = Literal["never", "any", "reads"]
"""Who may send again: nobody; anyone, since nothing was handled; only who changes nothing."""


def decide(asked: Asked, reply: Reply) -> Decision:
    """Return what became of a request: the decision table, line by line."""
    if isinstance(reply, NotSent):
        return _judge_unsent(asked, reply)
    if isinstance(reply, NoAnswer):
        error = Unreachable(url=asked.url, problem=reply.problem)
        return _verdict(asked, error, again="reads", problem=reply.problem)
    seen = Seen.of(reply, mask=asked.mask)
    for applies, judge in _LINES:
        if applies(seen):
            return _with_ids(judge(asked, seen), asked, seen)
    return _with_ids(_judge_envelope(asked, seen), asked, seen)


# --- line 1: not sent, no answer ------------------------------------------------------------------------


_UNSENT: Mapping[Obstacle, type[NotConnected]] = {
    "certificate": CertificateRefused,
    "expired": CertificateExpired,
    "wrong_host": CertificateForAnother,
    "ca_bundle": AuthoritiesUnusable,
}


def _judge_unsent(asked: Asked, reply: NotSent) -> Decision:
    error = _UNSENT.get(reply.kind, Unreachable)(url=asked.url, problem=reply.problem)
    return _verdict(asked, error, again="never" if reply.kind in LASTING else "any")


# --- line 2: the gateway's own errors -------------------------------------------------------------------

_Maker = Callable[[Asked, Seen], StepError]


def _failed(asked: Asked, seen: Seen) -> StepError:
    return GatewayFailed(url=asked.url, status=seen.status, message=seen.message)


def _unauthenticated(asked: Asked, seen: Seen) -> StepError:
    if asked.is_token:
        return TokenRefused(credential=asked.credential, message=seen.message)
    return AuthenticationRefused(message=seen.message)


def _not_granted(asked: Asked, seen: Seen) -> StepError:
    app_code = asked.app_code or asked.user
    return AppNotGranted(app_code=app_code, message=seen.message)


def _refused(_: Asked, seen: Seen) -> StepError:
    reason = (seen.payload or {}).get("code_name")
    return AccessRefused(
        reason=reason if isinstance(reason, str) else seen.gateway_code, message=seen.message
    )


def _no_such_path(asked: Asked, seen: Seen) -> StepError:
    return NoSuchPath(url=asked.url, message=seen.message)


def _no_such_api(asked: Asked, seen: Seen) -> StepError:
    problem = say("bcs.needs_api", method=asked.method, path=asked.path, status=seen.status)
    error = BcsTooOld(problem=problem, status=seen.status, oldest=OLDEST_RELEASE)
    error.other_title = problem if _CUSTOM_OBJECTS in asked.path else None
    return error


_CUSTOM_OBJECTS = "/crds/"
"""In the path of what BCS need not have: a step without custom objects works with it all the same."""


def _too_large(asked: Asked, seen: Seen) -> StepError:
    return TooLarge(url=asked.url, message=seen.message)


def _limited(_: Asked, seen: Seen) -> StepError:
    return RateLimited(message=seen.message)


@dataclass(frozen=True)
class _Row:
    """A row of the gateway's table. `unsent` are the words by which it says that it never reached BCS."""

    make: _Maker
    again: Again = "never"
    unsent: tuple[str, ...] = ()


_GATEWAY_ERRORS: Mapping[int, _Row] = {
    1640001: _Row(_unauthenticated),
    1640301: _Row(_not_granted),
    1640302: _Row(_refused),
    1640303: _Row(_refused),
    1640304: _Row(_refused),
    1640401: _Row(_no_such_path),
    1641301: _Row(_too_large),
    1641401: _Row(_too_large),
    1650001: _Row(_failed, "any"),
    1650200: _Row(_failed, "reads", unsent=("connection refused",)),
    1650401: _Row(_failed, "reads", unsent=("while connecting",)),
    1650300: _Row(_failed, "reads"),
}


_SECONDS = re.compile(r"\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*")


def _judge_gateway_error(asked: Asked, seen: Seen) -> Decision:
    code = seen.gateway_code or seen.code or 0
    if seen.status == 429 or code // 100 == 16429:  # noqa: PLR2004 - 16429xx
        return _judge_limit(asked, seen)
    otherwise = _Row(_failed, "reads") if seen.status >= 500 else _Row(_failed)  # noqa: PLR2004 - HTTP's classes
    row = _GATEWAY_ERRORS.get(code, otherwise)
    message = seen.message.lower()
    again = "any" if any(words in message for words in row.unsent) else row.again
    return _verdict(asked, row.make(asked, seen), again=again, problem=_status_line(seen))


def _judge_limit(asked: Asked, seen: Seen) -> Decision:
    """A refused request was not handled, so any may be sent again, after the time the gateway names.

    Of requests that were too many at once none is named: as soon as fewer are under way.
    """
    given = seen.headers.get("x-bkapi-ratelimit-reset") or seen.headers.get("retry-after")
    seconds = float(given) if given and _SECONDS.fullmatch(given) else None
    soon = seen.gateway_code == TOO_MANY_AT_ONCE
    return RetryAfter(_limited(asked, seen), seconds=seconds, slows_all=True, soon=soon)


# --- lines 3 to 6: what no service of BCS answered ------------------------------------------------------


def _judge_redirect(asked: Asked, seen: Seen) -> Decision:
    location = asked.mask(seen.headers.get("location", "").partition("?")[0])
    place = re.sub("//[^/@]*@", "//", location)[:SHOWN]
    problem = say("gateway.redirect", location=place)
    return Fail(NotTheGateway(url=asked.url, status=seen.status, problem=problem))


def _judge_foreign(asked: Asked, seen: Seen) -> Decision:
    kind = asked.mask(seen.headers.get("content-type", "").partition(";")[0].strip())[:SHOWN]
    problem = (
        say("gateway.empty") if seen.body_is_empty else say("gateway.not_json", content_type=kind or "?")
    )
    return _judge_stranger(asked, seen, problem)


def _judge_codeless(asked: Asked, seen: Seen) -> Decision:
    if asked.is_bare:
        return Success(seen.payload)
    return _judge_stranger(asked, seen, say("gateway.no_code", message=seen.message))


def _judge_stranger(asked: Asked, seen: Seen, problem: Text) -> Decision:
    """Fail on an answer that is none of BCS's; a write may have been handled, unless it was refused."""
    if asked.writes and seen.status < 400:  # noqa: PLR2004 - HTTP's classes
        return Fail(OutcomeUnknown(url=asked.url, problem=problem))
    return Fail(NotTheGateway(url=asked.url, status=seen.status, problem=problem))


def _judge_broken(asked: Asked, seen: Seen) -> Decision:
    problem = say("gateway.broken_json", status=seen.status)
    error = AnswerUnreadable(url=asked.url, problem=problem)
    return _verdict(asked, error, again="reads", problem=problem)


def _judge_unestablished(asked: Asked, seen: Seen) -> Decision:
    """BCS could not establish identity, project or cluster. Sent once more at most: it may be passing."""
    verdict = _verdict(asked, _not_visible(asked, seen), again="reads", problem=_status_line(seen))
    return RetryAfter(verdict.error, most_attempts=2) if isinstance(verdict, RetryAfter) else verdict


def _judge_server_error(asked: Asked, seen: Seen) -> Decision:
    return _verdict(asked, _failed(asked, seen), again="reads", problem=_status_line(seen))


def _failing(make: _Maker) -> Callable[[Asked, Seen], Decision]:
    return lambda asked, seen: Fail(make(asked, seen))


_Line = tuple[Callable[[Seen], bool], Callable[[Asked, Seen], Decision]]

_LINES: tuple[_Line, ...] = (
    (lambda seen: seen.gateway_code is not None, _judge_gateway_error),
    (lambda seen: 300 <= seen.status < 400, _judge_redirect),  # noqa: PLR2004 - HTTP's classes
    (lambda seen: seen.status == 401, _failing(_unauthenticated)),  # noqa: PLR2004 - HTTP's
    (lambda seen: seen.status in (404, 405) and seen.is_plain_text, _failing(_no_such_api)),
    (lambda seen: seen.status in (404, 405, 501), _failing(_no_such_path)),
    (lambda seen: seen.status in (413, 414), _failing(_too_large)),
    (lambda seen: seen.status == 429, _judge_limit),  # noqa: PLR2004 - HTTP's
    (lambda seen: seen.status == 500 and seen.is_runtime_error and seen.code == 2, _judge_unestablished),  # noqa: PLR2004 - line 5
    (lambda seen: seen.status >= 500, _judge_server_error),  # noqa: PLR2004 - HTTP's classes
    (lambda seen: seen.is_broken_json, _judge_broken),
    (lambda seen: seen.payload is None, _judge_foreign),
    (lambda seen: seen.code is None, _judge_codeless),
)
"""Lines 2 to 6 of the decision table, first match first; what passes them all is a service's envelope."""


# --- line 7: the services' envelope ---------------------------------------------------------------------


_NO_PROJECT = (40404, 1405501)
_SAYS_NO_PROJECT = re.compile(r"\b1405501\b")


def _not_visible(asked: Asked, seen: Seen) -> StepError:
    """The project manager's own codes are certain, also in the words of who asked it (facts/bcs.md)."""
    is_unknown = seen.code in _NO_PROJECT or _SAYS_NO_PROJECT.search(seen.message) is not None
    user, message = asked.user, seen.message
    return ProjectNotVisible(project=asked.project, user=user, message=message, is_unknown=is_unknown)


def _nobody(asked: Asked, _: Seen) -> StepError:
    return NobodyArrived(app_code=asked.app_code or "-", user=asked.user)


def _invalid(asked: Asked, seen: Seen) -> StepError:
    """Code 2 with `Username` is no mistake in the request: the gateway passed no user."""
    return _nobody(asked, seen) if "Username" in seen.message else _bcs_failed(asked, seen)


def _bcs_failed(asked: Asked, seen: Seen) -> StepError:
    reason = tenants_differ(seen.message) if seen.code == 1 else None
    if reason is not None:
        return AccessRefused(reason="tenant", message=reason)
    details = failed_sentences(asked.path, seen.code, seen.message)
    return BcsFailed(bcs_code=seen.code, message=seen.message, details=details)


def _no_permission(asked: Asked, seen: Seen) -> StepError:
    return no_permission(seen.payload or {}, user=asked.user, message=seen.message)


_SERVICE_CODES: Mapping[int, _Maker] = {
    2: _invalid,
    4: _no_permission,
    40300: _no_permission,
    40403: _no_permission,
    **dict.fromkeys(_NO_PROJECT, _not_visible),
    1405500: _nobody,
}
"""Codes of cluster-resources (2, 4, 40300) and of the project manager (the others); facts/bcs.md."""


def _judge_envelope(asked: Asked, seen: Seen) -> Decision:
    payload = seen.payload or {}
    if seen.code != 0:
        return Fail(_SERVICE_CODES.get(seen.code or 0, _bcs_failed)(asked, seen))
    if seen.status >= 400:  # noqa: PLR2004 - HTTP's classes
        return Fail(_failed(asked, seen))
    data = payload.get("data")
    error = data.get("error") if isinstance(data, dict) else None
    if error and not asked.reads_error:  # facts/bcs.md, trap 1: success that is not
        message = " ".join(asked.mask(str(error)).split())[:SHOWN]
        return Fail(BcsFailed(bcs_code=0, message=message))
    return Success(data)


# --- making verdicts ------------------------------------------------------------------------------------


def _verdict(
    asked: Asked, error: StepError, *, again: Again, problem: Union[Text, str, None] = None
) -> Decision:
    """Return the verdict on a failure; a write that may have happened is told apart from one that did not."""
    if again == "any" or (again == "reads" and not asked.writes):
        return RetryAfter(error)
    if again == "reads":
        return Fail(OutcomeUnknown(url=asked.url, problem=problem or error.title()))
    return Fail(error)


def _status_line(seen: Seen) -> Text:
    return say("gateway.status", status=seen.status, message=seen.message)


def _with_ids(verdict: Decision, asked: Asked, seen: Seen) -> Decision:
    """Add to an error what only the answer knows."""
    if not isinstance(verdict, Success):
        verdict.error.with_context(
            project=asked.project,
            gateway_request_id=seen.headers.get("x-bkapi-request-id", ""),
            gateway_code=seen.gateway_code or "",
        )
    return verdict
