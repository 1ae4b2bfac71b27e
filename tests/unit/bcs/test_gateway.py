"""The client rules of facts/gateway.md: what is sent, when it is sent again, and what is said."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.pieces import (
    CREATED_DATA,
    PROJECT_DATA,
    SECRET,
    TOKEN,
    URL,
    Bench,
    FakeClock,
    answer,
    app_principal,
    business,
    gateway_error,
    ids,
    ok,
    text,
    token_principal,
)

from bcs_template_set.bcs import gateway, protocol
from bcs_template_set.bcs.calls import Read
from bcs_template_set.bcs.dialect import EVERY
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.messages import LANGUAGES, errors
from bcs_template_set.messages import server_errors as servers
from bcs_template_set.messages.server_errors import OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.http_values import LARGEST_BODY, LARGEST_LIST, HttpAnswer, NoAnswer, NotSent
from bcs_template_set.system.parallel import INSTEAD, overlap

READ = protocol.get_project("demo")
WRITE = protocol.create_space("demo", name="web")
PROJECT = ok(PROJECT_DATA)
CREATED = ok(CREATED_DATA)


# --- what is sent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (protocol.get_version("demo", "1" * 24), LARGEST_BODY),
        (protocol.list_versions("demo", "1" * 24), LARGEST_LIST),
        (protocol.list_space_versions("demo", "1" * 24), LARGEST_LIST),
    ],
)
def test_what_grows_with_the_past_may_have_a_larger_answer(call: Read[object], most: int) -> None:
    bench = Bench(ok([]))
    with suppress(StepError):
        bench.gateway.read(call)
    assert [request.most for request in bench.sender.requests] == [most]


def test_a_read_returns_its_typed_answer() -> None:
    project = Bench(PROJECT).gateway.read(READ)
    assert (project.project_id, project.project_code) == ("a" * 32, "demo")


def test_a_write_returns_its_typed_answer() -> None:
    assert Bench(CREATED).gateway.write(WRITE).id == "5" * 24


@pytest.mark.parametrize(
    ("gateway", "prefix", "expected"),
    [
        (URL, "/v4", f"{URL}/v4/bcsproject/v1/projects/demo"),
        (URL + "/", "v4/", f"{URL}/v4/bcsproject/v1/projects/demo"),
        (URL, "", f"{URL}/bcsproject/v1/projects/demo"),
        (
            "https://bcs.example.com",
            "/bcsapi/v4",
            "https://bcs.example.com/bcsapi/v4/bcsproject/v1/projects/demo",
        ),
    ],
)
def test_the_address_is_gateway_prefix_and_path(gateway: str, prefix: str, expected: str) -> None:
    bench = Bench(PROJECT, endpoint=Endpoint(gateway=gateway, path_prefix=prefix))
    bench.gateway.read(READ)
    assert bench.sender.requests[0].url == expected


def test_authentication_is_the_principals_headers_and_nothing_else() -> None:
    for principal in (app_principal(), token_principal(), token_principal(path_prefix="/bcsapi/v4")):
        bench = Bench(CREATED, principal=principal)
        bench.gateway.write(WRITE)
        request = bench.sender.requests[0]
        assert principal.headers().items() <= request.headers.items()
        assert set(request.headers) - set(principal.headers()) == {"Accept", "Content-Type", "X-Request-Id"}
        assert SECRET not in request.url + str(request.body)
        assert TOKEN not in request.url + str(request.body)


def test_the_tenant_is_sent_where_the_region_has_one() -> None:
    bench = Bench(PROJECT, endpoint=Endpoint(gateway=URL, tenant_id="t1"))
    bench.gateway.read(READ)
    assert bench.sender.requests[0].headers["X-Bk-Tenant-Id"] == "t1"
    bench = Bench(PROJECT)
    bench.gateway.read(READ)
    assert "X-Bk-Tenant-Id" not in bench.sender.requests[0].headers


def test_every_attempt_has_an_id_of_its_own() -> None:
    bench = Bench(NotSent("p"), NoAnswer("p"), PROJECT)
    bench.gateway.read(READ)
    sent = ids(bench.sender.requests)
    assert len({uuid.UUID(request_id) for request_id in sent}) == 3
    assert [exchange.request_id for exchange in bench.exchanges] == sent


def test_a_request_may_take_no_longer_than_the_run_has_left() -> None:
    bench = Bench(PROJECT, seconds=30)
    bench.gateway.read(READ)
    assert bench.sender.seconds == [30]


def test_every_attempt_is_told_and_counted() -> None:
    bench = Bench(NotSent("no way"), gateway_error(500, 1650001), CREATED)
    bench.gateway.write(WRITE)
    first, second, third = bench.exchanges
    assert [exchange.status for exchange in bench.exchanges] == [0, 500, 200]
    assert (first.gateway_request_id, second.gateway_request_id) == ("", "gateway-id")
    assert (third.name, third.method) == ("create space", "POST")
    assert third.path == "/clusterresources/v1/projects/demo/template/spaces"
    assert [exchange.refused for exchange in bench.exchanges] == [800601, 800606, 0]


@pytest.mark.parametrize(
    ("call", "replied", "refused"),
    [
        (READ, business(40300, "no"), 800210),
        (READ, HttpAnswer(404, {"content-type": "text/plain"}, b"Not Found"), 800616),
        (protocol.ask_old_path("demo"), HttpAnswer(404, {"content-type": "text/plain"}, b"Not Found"), 0),
        (protocol.ask_old_path("demo"), gateway_error(403, 1640301), 800207),
    ],
)
def test_an_attempt_is_told_as_it_was_decided(call: Read[object], replied: HttpAnswer, refused: int) -> None:
    """BCS refuses with HTTP 200, and that it lacks what not every one has is an answer."""
    bench = Bench(replied)
    with suppress(StepError):
        bench.gateway.read(call)
    assert [exchange.refused for exchange in bench.exchanges] == [refused]


# --- when it is sent again ------------------------------------------------------------------------------


def test_waits_double_and_the_last_error_is_raised() -> None:
    bench = Bench(NoAnswer("p"))
    with pytest.raises(servers.Unreachable):
        bench.gateway.read(READ)
    assert bench.clock.waits == [0.5, 1.0, 2.0]
    assert len(bench.sender.requests) == 4


def test_chance_shortens_a_wait_to_no_less_than_its_half() -> None:
    bench = Bench(NoAnswer("p"), chance=1.0)
    with pytest.raises(servers.Unreachable):
        bench.gateway.read(READ)
    assert bench.clock.waits == [0.25, 0.5, 1.0]


def test_a_write_with_a_lost_answer_is_sent_once_and_its_outcome_is_unknown() -> None:
    for reply in (
        NoAnswer("p"),
        gateway_error(502, 1650200),
        gateway_error(504, 1650401),
        gateway_error(503, 1650300),
        text(502, "<html>"),
        HttpAnswer(200, {}, b'{"code": 0'),
    ):
        bench = Bench(reply, CREATED)
        with pytest.raises(OutcomeUnknown):
            bench.gateway.write(WRITE)
        assert len(bench.sender.requests) == 1


def test_a_write_that_certainly_was_not_handled_is_sent_again() -> None:
    for reply in (
        NotSent("p", "refused"),
        gateway_error(429, 1642901),
        gateway_error(500, 1650001),
        gateway_error(502, 1650200, "connection refused"),
        gateway_error(504, 1650401, "timed out while connecting to upstream"),
    ):
        bench = Bench(reply, CREATED)
        assert bench.gateway.write(WRITE).id
        assert len(bench.sender.requests) == 2


def test_a_refusal_is_not_tried_again() -> None:
    for reply in (gateway_error(403, 1640301), gateway_error(400, 1640001), business(40300), business(40404)):
        bench = Bench(reply)
        with pytest.raises(StepError):
            bench.gateway.read(READ)
        assert len(bench.sender.requests) == 1


def test_what_bcs_could_not_establish_is_read_twice_and_says_both_meanings() -> None:
    body = {"error": "x", "code": 2, "message": "获取项目 demo 信息失败", "details": []}
    bench = Bench(answer(body, status=500))
    with pytest.raises(errors.ProjectNotVisible) as caught:
        bench.gateway.read(READ)
    assert len(bench.sender.requests) == 2
    assert "lisi may not see it" in str(caught.value)
    assert "获取项目 demo 信息失败" in str(caught.value)


@pytest.mark.parametrize(("took", "sent"), [(30.0, 4), (31.0, 1)])
def test_what_took_too_long_is_not_asked_again_where_a_smaller_call_may_do_instead(
    took: float, sent: int
) -> None:
    bench = Bench(gateway_error(504, 1650401))
    bench.sender.on_send = lambda: bench.clock.wait(took)
    with pytest.raises(servers.GatewayFailed):
        bench.gateway.read(replace(READ, longest_again=30.0))
    assert len(bench.sender.requests) == sent


def test_a_rate_limit_is_waited_out_however_long_its_answer_took() -> None:
    bench = Bench(gateway_error(429, 1642901), PROJECT)
    bench.sender.on_send = lambda: bench.clock.wait(40.0)
    bench.gateway.read(replace(READ, longest_again=30.0))
    assert len(bench.sender.requests) == 2


# --- rate limits ----------------------------------------------------------------------------------------


def test_a_rate_limit_is_waited_out_for_as_long_as_it_says() -> None:
    bench = Bench(gateway_error(429, 1642901, headers={"x-bkapi-ratelimit-reset": "7"}), CREATED)
    bench.gateway.write(WRITE)
    assert bench.clock.waits == [7.0]


def test_a_rate_limit_without_a_time_backs_off() -> None:
    limit = gateway_error(429, 1642901)
    bench = Bench(limit, limit, PROJECT)
    bench.gateway.read(READ)
    assert bench.clock.waits == [0.5, 1.0]


def test_where_too_many_were_under_way_it_is_tried_again_soon() -> None:
    limit = gateway_error(429, 1642904)
    bench = Bench(limit, limit, limit, PROJECT)
    assert bench.gateway.read(READ).project_code == "demo"
    assert bench.clock.waits == pytest.approx([0.05, 0.1, 0.2])


def test_a_rate_limit_does_not_use_up_the_attempts_but_is_not_waited_out_for_ever() -> None:
    limit = gateway_error(429, 1642901, "slow down", headers={"x-bkapi-ratelimit-reset": "1"})
    bench = Bench(*[limit] * 10, PROJECT)
    bench.gateway.read(READ)
    bench = Bench(limit)
    with pytest.raises(servers.RateLimited) as caught:
        bench.gateway.read(READ)
    assert "slow down" in str(caught.value)
    assert len(bench.sender.requests) == RetryPolicy().limited_attempts


def test_all_that_one_call_waits_for_limits_has_a_limit() -> None:
    bench = Bench(gateway_error(429, 1642901, "slow down", headers={"x-bkapi-ratelimit-reset": "250"}))
    with pytest.raises(servers.RateLimited):
        bench.gateway.read(READ)
    assert bench.clock.waits == [250.0, 250.0]
    assert sum(bench.clock.waits) <= RetryPolicy().longest_limit


def test_a_limit_of_ten_minutes_is_waited_out_once() -> None:
    bench = Bench(gateway_error(429, 1642901, headers={"x-bkapi-ratelimit-reset": "600"}))
    with pytest.raises(servers.RateLimited):
        bench.gateway.read(READ)
    assert bench.clock.waits == [600.0]


def test_what_others_met_counts_too_for_who_waits_it_out() -> None:
    """Another thread's call meets the next limit just as ours is about to be sent."""
    bench = Bench(gateway_error(429, 1642901, "slow down", headers={"x-bkapi-ratelimit-reset": "400"}))
    waits = bench.clock.wait

    def wait(seconds: float) -> None:
        waits(seconds)
        if len(bench.clock.waits) == 1:
            bench.gateway._slow_all(400.0, servers.RateLimited(message="slow down"))

    bench.clock.wait = wait  # type: ignore[method-assign]  # the moment between two requests
    with pytest.raises(servers.RateLimited):
        bench.gateway.read(READ)
    assert bench.clock.waits == [400.0]
    assert len(bench.sender.requests) == 1


def test_a_call_that_has_not_been_sent_yet_ends_with_the_limit_that_held_it_back() -> None:
    bench = Bench(PROJECT)
    bench.gateway._slow_all(700.0, servers.RateLimited(message="slow down"))
    with pytest.raises(servers.RateLimited):
        bench.gateway.read(READ)
    assert (bench.clock.waits, bench.sender.requests) == ([], [])


def test_a_rate_limit_met_by_one_request_holds_back_every_other() -> None:
    bench = Bench(gateway_error(429, 1642901, headers={"x-bkapi-ratelimit-reset": "30"}), PROJECT)
    sent_at: list[float] = []
    bench.sender.on_send = lambda: sent_at.append(bench.clock.time)
    bench.gateway.read(READ)
    bench.gateway.read(READ)
    assert sent_at == [1000.0, 1030.0, 1030.0]


# --- how many at once -----------------------------------------------------------------------------------


ALONE = Endpoint(gateway=URL, concurrency=1)


class Halt(BaseException):
    """What no `except Exception` catches."""


def test_no_permit_is_lost_whatever_an_attempt_ends_in() -> None:
    ends: list[HttpAnswer | NotSent | NoAnswer] = [
        *(NoAnswer("p"), NotSent("p"), gateway_error(403, 1640301), gateway_error(503, 1650300)),
        *(HttpAnswer(200, {}, b'{"code": 0'), answer({"code": 0, "data": []})),
    ]
    for end in ends:
        bench = Bench(end, PROJECT, endpoint=ALONE)
        with suppress(StepError):
            bench.gateway.write(WRITE)
        assert bench.gateway.read(READ).project_code

    def halt() -> None:
        raise Halt

    bench = Bench(PROJECT, endpoint=ALONE)
    bench.sender.on_send = halt
    with pytest.raises(Halt):
        bench.gateway.read(READ)
    bench.sender.on_send = lambda: None
    assert bench.gateway.read(READ).project_code


@pytest.mark.parametrize(("is_stopped", "error"), [(True, errors.Interrupted), (False, servers.OutOfTime)])
def test_who_waits_for_a_permit_ends_with_the_run(*, is_stopped: bool, error: type[StepError]) -> None:
    bench, under_way, over = Bench(PROJECT, seconds=60, endpoint=ALONE), threading.Event(), threading.Event()

    def hold() -> None:
        under_way.set()
        assert over.wait(5)

    def end_the_run() -> None:
        if is_stopped:
            bench.gateway.stop(errors.Interrupted(signal="SIGTERM"))
        else:
            bench.clock.time += 60

    bench.sender.on_send = hold
    first = threading.Thread(target=bench.gateway.read, args=(READ,))
    first.start()
    assert under_way.wait(5)
    threading.Timer(0.01, end_the_run).start()
    with pytest.raises(error):
        bench.gateway.read(READ)
    over.set()
    first.join()
    assert len(bench.sender.requests) == 1


def test_who_waits_for_a_permit_has_it_as_soon_as_one_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "LOOK_UP", 5.0)
    bench, under_way, over = Bench(PROJECT, endpoint=ALONE), threading.Event(), threading.Event()
    looks = [0]

    def hold() -> None:
        under_way.set()
        assert over.wait(5)

    def look() -> float:
        looks[0] += 1
        return bench.clock.time

    bench.sender.on_send = hold
    first = threading.Thread(target=bench.gateway.read, args=(READ,))
    first.start()
    assert under_way.wait(5)
    bench.clock.monotonic = look  # type: ignore[method-assign]  # counts how often it is looked
    threading.Timer(0.01, over.set).start()
    began = time.monotonic()
    assert bench.gateway.read(READ).project_code
    assert time.monotonic() - began < 3
    first.join()
    assert looks[0] < 30
    assert bench.clock.waits == []
    assert (bench.gateway.most_at_once, bench.gateway.site.possible) == (1, EVERY)


def test_in_a_simulation_a_permit_is_waited_for_by_the_clock() -> None:
    bench, under_way, over = Bench(PROJECT, endpoint=ALONE), threading.Event(), threading.Event()
    waits = bench.clock.wait

    def hold() -> None:
        under_way.set()
        assert over.wait(5)

    def wait(seconds: float) -> None:
        waits(seconds)
        over.set()
        first.join()

    bench.sender.on_send = hold
    bench.clock.wait = wait  # type: ignore[method-assign]  # the moment at which the others go on
    first = threading.Thread(target=bench.gateway.read, args=(READ,))
    first.start()
    assert under_way.wait(5)
    token = INSTEAD.set(overlap)
    try:
        bench.gateway.read(READ)
    finally:
        INSTEAD.reset(token)
    assert bench.clock.waits == [0.2]


def test_a_window_that_is_used_up_is_waited_for_before_it_refuses() -> None:
    names = {"limit": "20", "remaining": "0", "reset": "3"}
    headers = {f"x-bkapi-ratelimit-{name}": value for name, value in names.items()}
    bench = Bench(replace(PROJECT, headers={**PROJECT.headers, **headers}), PROJECT)
    bench.gateway.read(READ)
    bench.gateway.read(READ)
    assert bench.clock.waits == [3.5]
    bench = Bench(replace(PROJECT, headers={**PROJECT.headers, **headers}), PROJECT, seconds=2)
    bench.gateway.read(READ)
    with pytest.raises(servers.OutOfTime):
        bench.gateway.read(READ)
    assert bench.clock.waits == [2.0]


# --- the run's time -------------------------------------------------------------------------------------


def test_no_request_is_sent_after_the_deadline() -> None:
    bench = Bench(PROJECT, seconds=0)
    with pytest.raises(servers.OutOfTime):
        bench.gateway.read(READ)
    assert bench.sender.requests == []


def test_no_wait_goes_beyond_the_deadline_and_the_last_error_is_said() -> None:
    bench = Bench(NoAnswer("p"), seconds=1.2)
    with pytest.raises(servers.Unreachable):
        bench.gateway.read(READ)
    assert bench.clock.waits == [0.5]
    bench = Bench(gateway_error(429, 1642901, headers={"x-bkapi-ratelimit-reset": "3600"}), seconds=60)
    with pytest.raises(servers.RateLimited):
        bench.gateway.read(READ)
    assert bench.clock.waits == []


def test_a_run_that_is_being_stopped_sends_nothing_more() -> None:
    bench = Bench(NotSent("p"), CREATED, clock=FakeClock(interrupt_after=0))
    with pytest.raises(servers.Unreachable):
        bench.gateway.write(WRITE)
    assert len(bench.sender.requests) == 1


def test_a_stopped_gateway_sends_nothing() -> None:
    bench = Bench(CREATED)
    bench.gateway.stop(errors.Interrupted(signal="SIGTERM"))
    with pytest.raises(errors.Interrupted):
        bench.gateway.write(WRITE)
    assert bench.sender.requests == []


# --- what is said ---------------------------------------------------------------------------------------


def test_an_error_names_who_what_and_the_ids() -> None:
    bench = Bench(gateway_error(403, 1640301, "no grant"))
    with pytest.raises(errors.AppNotGranted) as caught:
        bench.gateway.read(READ)
    assert list(caught.value.context.items()) == [
        ("acting_user", "lisi"),
        ("app", "my_app"),
        ("project", "demo"),
        ("request", "GET /bcsproject/v1/projects/demo"),
        ("request_id", bench.exchanges[0].request_id),
        ("gateway_request_id", "gateway-id"),
        ("gateway_code", 1640301),
    ]


def test_a_permission_error_shows_the_link_to_apply() -> None:
    perms = {"apply_url": "https://iam.example.com/x", "action_list": [{"action_id": "project_view"}]}
    bench = Bench(business(40403, "denied", web_annotations={"perms": perms}))
    with pytest.raises(errors.NoPermission) as caught:
        bench.gateway.read(READ)
    for language in LANGUAGES:
        shown = "\n".join(caught.value.explain(language))
        assert "https://iam.example.com/x" in shown
        assert "project_view" in shown


def test_an_answer_that_lacks_a_field_is_named_by_its_path() -> None:
    bench = Bench(ok([{"id": "1", "name": "web"}, {"id": "2"}]))
    with pytest.raises(servers.AnswerUnreadable) as caught:
        bench.gateway.read(protocol.list_spaces("demo", name="web"))
    assert "`name`" in str(caught.value)
    assert "data[1]" in str(caught.value)
    assert caught.value.context["request_id"] == bench.exchanges[0].request_id


def test_a_write_whose_answer_lacks_its_id_has_an_unknown_outcome() -> None:
    with pytest.raises(OutcomeUnknown):
        Bench(ok({})).gateway.write(WRITE)


_replies = st.lists(
    st.sampled_from(
        [
            NotSent("p", "refused"),
            NotSent("p", "certificate"),
            NoAnswer("p"),
            PROJECT,
            gateway_error(429, 1642901),
            gateway_error(502, 1650200),
            business(7),
            HttpAnswer(200, {}, b""),
        ]
    )
    | st.builds(
        HttpAnswer,
        st.integers(100, 599),
        st.dictionaries(st.sampled_from(["content-type", "x-bkapi-error-code"]), st.text(max_size=8)),
        st.binary(max_size=30),
    ),
    min_size=1,
    max_size=6,
)


@given(replies=_replies, seconds=st.none() | st.floats(0, 100), writes=st.booleans(), token=st.booleans())
def test_whatever_comes_a_call_ends_in_a_value_or_a_step_error_without_secrets(
    *, replies: list[HttpAnswer | NotSent | NoAnswer], seconds: Optional[float], writes: bool, token: bool
) -> None:
    principal = token_principal() if token else app_principal()
    bench = Bench(*replies, seconds=seconds, principal=principal)
    try:
        if writes:
            bench.gateway.write(WRITE)
        else:
            bench.gateway.read(READ)
    except StepError as error:
        shown = "".join(error.explain("en_US") + error.explain("zh_CN")) + repr(error) + repr(vars(error))
        assert SECRET not in shown
        assert TOKEN not in shown
    for thing in (*bench.exchanges, *bench.sender.requests, bench.gateway):
        assert SECRET not in repr(thing)
        assert TOKEN not in repr(thing)
    unsure = [r for r in replies[: len(bench.sender.requests)] if isinstance(r, NoAnswer)]
    assert not writes or len(unsure) <= 1


if TYPE_CHECKING:  # mypy fails here if ever an ignore is no longer needed: a plan can't write

    def _a_reader_cannot_write(gateway: Gateway) -> None:
        gateway.read(WRITE)  # type: ignore[arg-type]  # what is tested
        gateway.write(READ)  # type: ignore[arg-type]  # what is tested
