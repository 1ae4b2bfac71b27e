"""What a verdict says, not only which it is: the words, names and codes that a person goes by.

Found missing by mutation (tests/mutation): each of these could change without a test noticing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from tests.support.pieces import answer, business, gateway_error, ok, text

from bcs_template_set.bcs.decision import Asked, Fail, Reply, RetryAfter, Success, decide
from bcs_template_set.messages import say
from bcs_template_set.messages import server_errors as servers
from bcs_template_set.messages.server_errors import OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent, Obstacle

READ = Asked("GET", "/x", "https://bcs.example.com/x", writes=False, project="demo", user="lisi")
APP = Asked(
    "GET", "/x", "https://bcs.example.com/x", writes=False, project="demo", user="a", app_code="my_app"
)
WRITE = Asked("POST", "/x", "https://bcs.example.com/x", writes=True, project="demo", user="lisi")


def failure(reply: Reply, asked: Asked = READ) -> StepError:
    verdict = decide(asked, reply)
    assert not isinstance(verdict, Success)
    return verdict.error


def test_a_request_is_an_apps_without_credential_and_its_error_counts_unless_said_otherwise() -> None:
    assert (READ.app_code, READ.credential, READ.is_token, READ.reads_error) == ("", "", False, False)


def test_a_retry_asks_for_no_time_slows_nobody_and_has_no_bound_unless_said_otherwise() -> None:
    verdict = decide(READ, NoAnswer("p"))
    assert isinstance(verdict, RetryAfter)
    assert (verdict.seconds, verdict.slows_all, verdict.most_attempts) == (None, False, None)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("certificate", servers.CertificateRefused),
        ("expired", servers.CertificateExpired),
        ("wrong_host", servers.CertificateForAnother),
        ("ca_bundle", servers.AuthoritiesUnusable),
        ("other", servers.Unreachable),
    ],
)
def test_each_thing_wrong_with_a_certificate_is_an_error_of_its_own(
    kind: Obstacle, error: type[StepError]
) -> None:
    assert type(failure(NotSent("p", kind))) is error


@pytest.mark.parametrize("path", ["/clusters/c/crds/x", "/x"])
def test_a_bcs_without_custom_objects_is_no_bcs_that_is_too_old(path: str) -> None:
    error = failure(text(404, "Not Found\n"), replace(READ, path=path))
    assert (error.other_title is not None) is ("/crds/" in path)
    assert error.fields["oldest"] == "v1.30.0"


# --- the gateway's own errors ---------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "app_code"), [(APP, "my_app"), (READ, "lisi")])
def test_a_missing_grant_names_the_app_or_else_the_user(asked: Asked, app_code: str) -> None:
    fields = failure(gateway_error(403, 1640301), asked).fields
    assert fields["app_code"] == app_code


def test_a_refusal_whose_reason_is_no_text_is_named_by_its_code() -> None:
    reply = answer({"code_name": 7, "message": "m"}, status=403, headers={"x-bkapi-error-code": "1640302"})
    assert failure(reply).fields["reason"] == 1640302


def test_an_unavailable_gateway_is_tried_again_whatever_its_status() -> None:
    assert isinstance(decide(READ, gateway_error(400, 1650300)), RetryAfter)


@pytest.mark.parametrize(("status", "code"), [(429, 1640000), (400, 1642901), (400, 1642999), (429, 1)])
def test_a_limit_is_told_by_status_or_by_code(status: int, code: int) -> None:
    assert isinstance(failure(gateway_error(status, code)), servers.RateLimited)


@pytest.mark.parametrize("code", [1642899, 1643000])
def test_a_code_beside_those_of_limits_is_none(code: int) -> None:
    assert isinstance(failure(gateway_error(400, code)), servers.GatewayFailed)


# --- what no service answered ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://login/page?a=b", "https://login/page"),
        ("https://someone:secret@login/page", "https://login/page"),
        ("/x", "/x"),
        (None, ""),
    ],
)
@pytest.mark.parametrize("status", [300, 302, 399])
def test_a_redirect_says_where_to_without_its_query(status: int, location: Optional[str], shown: str) -> None:
    headers = {} if location is None else {"location": location}
    error = failure(HttpAnswer(status, headers, b""))
    assert isinstance(error, servers.NotTheGateway)
    assert (error.fields["status"], error.fields["problem"]) == (
        status,
        say("gateway.redirect", location=shown),
    )


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (text(200, "<html>", "text/html; charset=utf-8"), say("gateway.not_json", content_type="text/html")),
        (HttpAnswer(200, {}, b"plain"), say("gateway.not_json", content_type="?")),
        (HttpAnswer(200, {}, b""), say("gateway.empty")),
        (text(200, "", "text/html"), say("gateway.empty")),
        (answer({"message": "hello"}), say("gateway.no_code", message="hello")),
    ],
)
def test_an_answer_of_somebody_else_is_described(reply: HttpAnswer, problem: object) -> None:
    assert failure(reply).fields["problem"] == problem


@pytest.mark.parametrize("status", [413, 414])
def test_too_much_is_said_by_either_status(status: int) -> None:
    assert isinstance(failure(text(status, "x")), servers.TooLarge)


# --- the services' envelope -----------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "app_code"), [(APP, "my_app"), (READ, "-")])
def test_nobody_arrived_names_the_app_if_there_is_one(asked: Asked, app_code: str) -> None:
    assert failure(business(2, "Username required"), asked).fields["app_code"] == app_code


def test_a_success_that_is_none_shows_its_error_in_one_line_with_code_0() -> None:
    error = failure(ok({"error": "render\n  failed"}))
    assert (error.fields["bcs_code"], error.fields["message"]) == (0, "render failed")


def test_whoever_reads_the_error_in_the_data_gets_the_data() -> None:
    asked = Asked("GET", "/x", "u", writes=False, project="", user="", reads_error=True)
    assert decide(asked, ok({"error": "e"})) == Success({"error": "e"})


def test_of_permissions_only_names_are_shown() -> None:
    perms = {"apply_url": "https://iam/", "action_list": [{"action_id": 3}, {"action_id": "view"}, {}]}
    error = failure(business(40300, "no", data={"perms": perms}))
    assert error.context["permission"] == ["view"]


# --- verdicts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (NoAnswer(say("transport.read_timeout")), say("transport.read_timeout")),
        (NoAnswer(""), None),
        (gateway_error(503, 1650300, "busy"), say("gateway.status", status=503, message="busy")),
        (text(502, "<html>"), say("gateway.status", status=502, message="HTTP 502")),
    ],
)
def test_a_write_of_unknown_outcome_says_what_was_in_the_way(reply: Reply, problem: object) -> None:
    error = failure(reply, WRITE)
    assert isinstance(error, OutcomeUnknown)
    title = failure(reply).title()
    assert error.fields["problem"] == (title if problem is None else problem)


def test_an_error_without_ids_of_the_gateway_has_none() -> None:
    error = failure(business(1, "m"))
    assert (error.context["gateway_request_id"], error.context["gateway_code"]) == ("", "")


def test_a_limit_without_a_time_leaves_the_time_to_the_policy() -> None:
    verdict = decide(READ, text(429, "slow down"))
    assert isinstance(verdict, RetryAfter)
    assert verdict.seconds is None
    assert isinstance(decide(READ, text(400, "no")), Fail)
