"""Each line of facts/gateway.md, "Decision table", for reads and for writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.pieces import answer, business, gateway_error, ok, text

from bcs_template_set.bcs.decision import Asked, Fail, Reply, RetryAfter, Success, decide
from bcs_template_set.bcs.seen import Seen, gateway_code_in
from bcs_template_set.messages import LANGUAGES, errors, say
from bcs_template_set.messages import server_errors as servers
from bcs_template_set.messages.server_errors import OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent


def asked(*, writes: bool = False, is_token: bool = False) -> Asked:
    return Asked(
        method="POST" if writes else "GET",
        path="/clusterresources/v1/projects/demo/x",
        url="https://bkapi.example.com/api/bcs-api-gateway/prod/v4/clusterresources/v1/projects/demo/x",
        writes=writes,
        project="demo",
        user="credential:my_token" if is_token else "lisi",
        app_code="" if is_token else "my_app",
        credential="my_token" if is_token else "",
        is_token=is_token,
    )


RUNTIME_ERROR = {"error": "username is empty", "code": 2, "message": "username is empty", "details": []}
HTML = text(200, "<html>login</html>", "text/html; charset=utf-8")
UNKNOWN, AGAIN = "unknown", "again"

TABLE: list[tuple[str, Reply, type[StepError], str, str]] = [
    # line, reply, the error, what a read does, what a write does
    ("1 refused", NotSent("p", "refused"), servers.Unreachable, AGAIN, AGAIN),
    ("1 name", NotSent("p", "name"), servers.Unreachable, AGAIN, AGAIN),
    ("1 connect timeout", NotSent("p", "timeout"), servers.Unreachable, AGAIN, AGAIN),
    ("1 proxy", NotSent("p", "proxy"), servers.Unreachable, AGAIN, AGAIN),
    ("1 TLS", NotSent("p", "tls"), servers.Unreachable, AGAIN, AGAIN),
    ("1 certificate", NotSent("p", "certificate"), servers.CertificateRefused, "", ""),
    ("1 impossible request", NotSent("p", "invalid"), servers.Unreachable, "", ""),
    ("1 lost answer", NoAnswer("p"), servers.Unreachable, AGAIN, UNKNOWN),
    ("2 authentication", gateway_error(400, 1640001), errors.AuthenticationRefused, "", ""),
    ("2 no grant", gateway_error(403, 1640301), errors.AppNotGranted, "", ""),
    ("2 address", gateway_error(403, 1640302), errors.AccessRefused, "", ""),
    ("2 user", gateway_error(403, 1640303), errors.AccessRefused, "", ""),
    ("2 tenant", gateway_error(403, 1640304), errors.AccessRefused, "", ""),
    ("2 no path", gateway_error(404, 1640401), servers.NoSuchPath, "", ""),
    ("2 body too large", gateway_error(413, 1641301), servers.TooLarge, "", ""),
    ("2 address too large", gateway_error(414, 1641401), servers.TooLarge, "", ""),
    ("2 rate", gateway_error(429, 1642901), servers.RateLimited, AGAIN, AGAIN),
    ("2 concurrency", gateway_error(429, 1642904), servers.RateLimited, AGAIN, AGAIN),
    ("2 not verified", gateway_error(500, 1650001), servers.GatewayFailed, AGAIN, AGAIN),
    (
        "2 refused",
        gateway_error(502, 1650200, "x [connection refused]"),
        servers.GatewayFailed,
        AGAIN,
        AGAIN,
    ),
    (
        "2 bad gateway",
        gateway_error(502, 1650200, "Bad Gateway"),
        servers.GatewayFailed,
        AGAIN,
        UNKNOWN,
    ),
    (
        "2 connecting",
        gateway_error(504, 1650401, "x while connecting"),
        servers.GatewayFailed,
        AGAIN,
        AGAIN,
    ),
    ("2 timeout", gateway_error(504, 1650401, "while reading"), servers.GatewayFailed, AGAIN, UNKNOWN),
    ("2 unavailable", gateway_error(503, 1650300), servers.GatewayFailed, AGAIN, UNKNOWN),
    ("2 another, 4xx", gateway_error(400, 1640002), servers.GatewayFailed, "", ""),
    ("2 another, 5xx", gateway_error(500, 1650099), servers.GatewayFailed, AGAIN, UNKNOWN),
    (
        "3 redirect",
        HttpAnswer(302, {"location": "https://login/?a=b"}, b""),
        servers.NotTheGateway,
        "",
        "",
    ),
    ("3 login page", HTML, servers.NotTheGateway, "", UNKNOWN),
    ("3 another's JSON", answer({"hello": 1}), servers.NotTheGateway, "", UNKNOWN),
    ("3 a JSON list", answer([1]), servers.NotTheGateway, "", UNKNOWN),
    ("3 code is no number", answer({"code": "0", "data": {}}), servers.NotTheGateway, "", UNKNOWN),
    ("3 code is true", answer({"code": True}), servers.NotTheGateway, "", UNKNOWN),
    ("3 empty", HttpAnswer(200, {}, b""), servers.NotTheGateway, "", UNKNOWN),
    ("3 a page that refuses", text(403, "<html>", "text/html"), servers.NotTheGateway, "", ""),
    ("3 a refusal without code", answer({"message": "no"}, status=400), servers.NotTheGateway, "", ""),
    (
        "3 half a JSON",
        HttpAnswer(200, {}, b'{"code": 0, "da'),
        servers.AnswerUnreadable,
        AGAIN,
        UNKNOWN,
    ),
    (
        "3 half a word of JSON",
        HttpAnswer(200, {"content-type": "application/JSON"}, b"nul"),
        servers.AnswerUnreadable,
        AGAIN,
        UNKNOWN,
    ),
    ("3 a proxy's 502", text(502, "<html>", "text/html"), servers.GatewayFailed, AGAIN, UNKNOWN),
    ("4 bearer token", answer({"message": "expired"}, status=401), errors.AuthenticationRefused, "", ""),
    ("5 not established", answer(RUNTIME_ERROR, status=500), errors.ProjectNotVisible, AGAIN, UNKNOWN),
    (
        "5 another code",
        answer({"error": "e", "code": 13}, status=500),
        servers.GatewayFailed,
        AGAIN,
        UNKNOWN,
    ),
    ("5 bad body", answer({"error": "e", "code": 3}, status=400), servers.BcsFailed, "", ""),
    ("6 no such API", text(404, "Not Found\n"), servers.BcsTooOld, "", ""),
    ("6 a page", text(404, "<html>", "text/html"), servers.NoSuchPath, "", ""),
    ("6 method", text(405, "Method Not Allowed\n"), servers.BcsTooOld, "", ""),
    ("6 a method's page", text(405, "<html>", "text/html"), servers.NoSuchPath, "", ""),
    ("6 not implemented", text(501, "Not Implemented\n"), servers.NoSuchPath, "", ""),
    (
        "7 nobody",
        business(2, "ctx validate failed: Username/ProjectID required"),
        errors.NobodyArrived,
        "",
        "",
    ),
    ("7 validation", business(2, "name too long"), servers.BcsFailed, "", ""),
    ("7 general", business(1, "record not found"), servers.BcsFailed, "", ""),
    ("7 forbidden", business(4, "无权限访问"), errors.NoPermission, "", ""),
    ("7 IAM", business(40300, "无项目查看权限"), errors.NoPermission, "", ""),
    ("7 project manager", business(40403, "denied"), errors.NoPermission, "", ""),
    ("7 no project", business(40404, "项目不存在"), errors.ProjectNotVisible, "", ""),
    ("7 certainly no project", business(1405501, "record not found"), errors.ProjectNotVisible, "", ""),
    ("7 nobody at all", business(1405500, "no user"), errors.NobodyArrived, "", ""),
    ("7 tenant", business(1, "user[u] tenant[a] not match resource tenant[b]"), errors.AccessRefused, "", ""),
    ("7 exists", business(7, "名称重复"), servers.BcsFailed, "", ""),
    ("7 component", business(6, "mongo"), servers.BcsFailed, "", ""),
    ("7 trap 1", ok({"items": [], "error": "render failed"}), servers.BcsFailed, "", ""),
    ("7 zero, but 400", answer({"code": 0}, status=400), servers.GatewayFailed, "", ""),
    ("a 429 of a proxy", text(429, "slow down"), servers.RateLimited, AGAIN, AGAIN),
    ("a 413 of a proxy", text(413, "<html>", "text/html"), servers.TooLarge, "", ""),
]


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
@pytest.mark.parametrize("line", TABLE, ids=[line[0] for line in TABLE])
def test_every_line_of_the_table(line: tuple[str, Reply, type[StepError], str, str], writes: bool) -> None:  # noqa: FBT001 - parametrized
    _, reply, kind, of_read, of_write = line
    verdict = decide(asked(writes=writes), reply)
    expected = of_write if writes else of_read
    assert not isinstance(verdict, Success)
    assert isinstance(verdict, RetryAfter if expected == AGAIN else Fail)
    assert type(verdict.error) is (OutcomeUnknown if expected == UNKNOWN else kind)
    for language in LANGUAGES:
        assert "{" not in "".join(verdict.error.explain(language)).replace("{{", "")


def test_code_0_is_success() -> None:
    assert decide(asked(), ok({"id": "1"})) == Success({"id": "1"})
    assert decide(asked(), ok(None)) == Success(None)
    assert decide(asked(), ok({"items": [], "error": ""})) == Success({"items": [], "error": ""})
    assert decide(asked(), business(0)) == Success(None)


def failure(reply: Reply, *, is_token: bool = False) -> StepError:
    verdict = decide(asked(is_token=is_token), reply)
    assert not isinstance(verdict, Success)
    return verdict.error


def test_a_refused_token_is_told_from_a_refused_app() -> None:
    for reply in (gateway_error(400, 1640001), answer({"message": "expired"}, status=401)):
        error = failure(reply, is_token=True)
        assert isinstance(error, errors.TokenRefused)
        assert error.fields["credential"] == "my_token"
        assert isinstance(failure(reply), errors.AuthenticationRefused)


def test_the_gateways_own_code_name_says_who_was_refused() -> None:
    error = failure(gateway_error(403, 1640302, name="IP_NOT_ALLOWED"))
    assert error.fields["reason"] == "IP_NOT_ALLOWED"


def test_another_tenant_is_told_by_the_one_code_that_says_so() -> None:
    message = "user[u] tenant[a] not match resource tenant[b]"
    assert failure(business(1, message)).fields["reason"] == "tenant"
    assert isinstance(failure(business(6, message)), servers.BcsFailed)


def test_ids_and_code_of_the_gateway_are_kept() -> None:
    error = failure(gateway_error(403, 1640301))
    assert error.context["gateway_request_id"] == "gateway-id"
    assert error.context["gateway_code"] == 1640301
    assert error.context["project"] == "demo"


def test_a_gateway_error_without_a_json_body_is_one_still() -> None:
    headers = {"x-bkapi-error-code": "1640301", "x-bkapi-error-message": "no grant"}
    error = failure(HttpAnswer(403, headers, b"<html>"))
    assert isinstance(error, errors.AppNotGranted)
    assert error.fields["message"] == "no grant"


@pytest.mark.parametrize("place", ["data", "webAnnotations", "web_annotations"])
def test_apply_link_and_permission_are_found_in_each_services_place(place: str) -> None:
    perms = {
        "apply_url": "https://iam.example.com/apply",
        "action_list": [{"action_id": "project_view", "resource_type": "project"}, {"action_id": "x"}, 3],
    }
    error = failure(business(40300, "no", **{place: {"perms": perms}}))
    assert isinstance(error, errors.NoPermission)
    assert error.context["apply_url"] == "https://iam.example.com/apply"
    assert str(say("context.permission", value=error.context["permission"])) == (
        "Permission: View Project (project_view), x"
    )
    assert "https://iam.example.com/apply" in str(error)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"perms": None}, {"perms": {"apply_url": 3, "action_list": {}}}]
)
def test_a_refusal_without_a_link_is_a_refusal(data: object) -> None:
    error = failure(answer({"code": 40300, "message": "no", "data": data}))
    assert isinstance(error, errors.NoPermission)
    assert error.context["apply_url"] == ""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-bkapi-ratelimit-reset": "7"}, 7.0),
        ({"x-bkapi-ratelimit-reset": "0.5", "retry-after": "9"}, 0.5),
        ({"retry-after": "9"}, 9.0),
        ({}, None),
        ({"x-bkapi-ratelimit-reset": "soon"}, None),
        ({"x-bkapi-ratelimit-reset": "-1"}, None),
        ({"x-bkapi-ratelimit-reset": "nan"}, None),
    ],
)
def test_a_rate_limit_slows_all_for_the_time_it_names(
    headers: Mapping[str, str], seconds: Optional[float]
) -> None:
    verdict = decide(asked(writes=True), gateway_error(429, 1642901, headers=headers))
    assert isinstance(verdict, RetryAfter)
    assert verdict.slows_all
    assert verdict.seconds == seconds


@pytest.mark.parametrize(("code", "soon"), [(1642904, True), (1642901, False), (1642903, False)])
def test_where_only_too_many_are_under_way_fewer_may_be_sent_soon(code: int, *, soon: bool) -> None:
    verdict = decide(asked(writes=True), gateway_error(429, code))
    assert isinstance(verdict, RetryAfter)
    assert verdict.soon == soon


def test_what_bcs_could_not_establish_is_tried_once_more_only() -> None:
    verdict = decide(asked(), answer(RUNTIME_ERROR, status=500))
    assert isinstance(verdict, RetryAfter)
    assert (verdict.most_attempts, verdict.slows_all, verdict.soon) == (2, False, False)
    assert "username is empty" in str(verdict.error)
    assert "demo" in str(verdict.error)


def test_messages_are_read_in_other_encodings_too() -> None:
    payload = json.dumps({"code": 1, "message": "记录不存在"}, ensure_ascii=False)
    for encoding, declared in (
        *(("gbk", "; charset=gbk"), ("utf-8", ""), ("utf-8-sig", "")),
        ("utf-8-sig", "; charset=UTF-8"),
    ):
        headers = {"content-type": f"application/json{declared}"}
        error = failure(HttpAnswer(200, headers, payload.encode(encoding)))
        assert error.fields["message"] == "记录不存在"
    odd = HttpAnswer(
        200, {"content-type": "application/json; charset=nonsense"}, b'{"code": 1, "message": "\xe9"}'
    )
    assert failure(odd).fields["message"] == "é"


@pytest.mark.parametrize(
    ("replied", "message"),
    [
        (answer({"code": 13, "message": "m", "error": "e"}, status=500), "m"),
        (answer({"code": 13, "message": " ", "error": "e"}, status=500), "e"),
        (answer({"code": 13, "error": "e"}, status=500, headers={"x-bkapi-error-message": "h"}), "e"),
        (answer({"code": 13}, status=500, headers={"x-bkapi-error-message": "h"}), "h"),
        (answer({"code": 13}, status=500), "HTTP 500"),
    ],
)
def test_what_a_server_says_is_its_message_or_else_its_error(replied: HttpAnswer, message: str) -> None:
    assert Seen.of(replied).message == message


@pytest.mark.parametrize(("header", "code"), [("1640001", 1640001), (" 7 ", 7), ("x", 0), ("1" * 10, 0)])
def test_a_gateways_code_that_is_no_number_is_one_still(header: str, code: int) -> None:
    assert gateway_code_in({"x-bkapi-error-code": header}) == code
    assert gateway_code_in({}) is None


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        *((f"utf-{bits}{order}", "记录不存在") for bits in (16, 32) for order in ("", "-le", "-be")),
        *((encoding, "记录不存在") for encoding in ("gb2312", "gbk", "gb18030")),
        *(("big5", "記錄"), ("windows-1252", "€ 5"), ("latin-1", "é"), ("us-ascii", "m")),
    ],
)
def test_a_body_is_read_in_the_encoding_that_it_names(encoding: str, said: str) -> None:
    payload = json.dumps({"code": 1, "message": said}, ensure_ascii=False)
    headers = {"content-type": f"application/json; charset={encoding}"}
    assert Seen.of(HttpAnswer(200, headers, payload.encode(encoding))).message == said


def test_a_servers_message_is_one_line_and_not_endless() -> None:
    error = failure(business(1, "a\nb\r\n::set-output c " + "x" * 5000))
    message = str(error.fields["message"])
    assert message.startswith("a b ::set-output c x")
    assert len(message) == 500


def test_a_deep_json_is_unreadable_and_no_crash() -> None:
    deep = b"[" * 100_000
    assert isinstance(failure(HttpAnswer(200, {}, deep)), servers.AnswerUnreadable)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["code", "message", "data", "error", "perms", "webAnnotations", "action_list"]),
            inner,
        )
    ),
    max_leaves=8,
)
_bodies = st.binary(max_size=60) | _json.map(lambda value: json.dumps(value).encode())
_headers = st.dictionaries(
    st.sampled_from(
        ["x-bkapi-error-code", "x-bkapi-ratelimit-reset", "retry-after", "content-type", "location"]
    ),
    st.text(max_size=12) | st.sampled_from(["1640301", "application/json; charset=utf-16", "text/html"]),
)


@given(status=st.integers(min_value=100, max_value=999), headers=_headers, body=_bodies, writes=st.booleans())
def test_any_answer_ends_in_a_verdict(
    *, status: int, headers: dict[str, str], body: bytes, writes: bool
) -> None:
    verdict = decide(asked(writes=writes), HttpAnswer(status, headers, body))
    if not isinstance(verdict, Success):
        assert str(verdict.error)


def test_a_body_is_not_read_in_an_encoding_that_takes_the_square_of_its_length() -> None:
    body = b'{"code": 1}-'
    assert body.decode("punycode") == '{"code": 1}'
    answer = HttpAnswer(200, {"content-type": "application/json; charset=punycode"}, body)
    assert Seen.of(answer).payload is None


@pytest.mark.parametrize("is_bare", [True, False])
def test_an_answer_without_a_code_is_whole_where_the_call_has_no_envelope(*, is_bare: bool) -> None:
    found = decide(replace(asked(), is_bare=is_bare), answer({"version": "1"}))
    assert (found == Success({"version": "1"})) is is_bare
    assert isinstance(found, Fail) is not is_bare


@pytest.mark.parametrize(
    ("reply", "is_unknown"),
    [
        (business(40404, "m"), True),
        (business(1405501, "m"), True),
        (answer({**RUNTIME_ERROR, "message": "code 1405501, record not found"}, status=500), True),
        (answer(RUNTIME_ERROR, status=500), False),
    ],
)
def test_a_project_is_said_not_to_be_there_where_its_manager_says_so(
    reply: Reply, *, is_unknown: bool
) -> None:
    found = decide(asked(), reply)
    assert isinstance(found, (Fail, RetryAfter))
    assert isinstance(found.error, errors.ProjectNotVisible)
    assert found.error.fields["is_unknown"] is is_unknown
