"""What the gateway sends, counts, waits for and says, in detail.

Found missing by mutation (tests/mutation): each of these could change without a test noticing.
"""

from __future__ import annotations

from typing import Callable, Union

import pytest
from tests.support.pieces import CREATED_DATA, PROJECT_DATA, Bench, FakeClock, business, gateway_error, ok

from bcs_template_set.bcs import gateway, protocol
from bcs_template_set.bcs.deploy_calls import NamespaceRef, preview
from bcs_template_set.messages import Text, errors, step_error
from bcs_template_set.messages import server_errors as servers
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent

READ = protocol.get_project("demo")
WRITE = protocol.create_space("demo", name="web")
PROJECT = ok(PROJECT_DATA)
CREATED = ok(CREATED_DATA)
LIMIT = gateway_error(429, 1642901, headers={"x-bkapi-ratelimit-reset": "30"})


class PartialClock(FakeClock):
    """A clock whose waits pass only in part, as when they are ended early."""

    def __init__(self, part: float) -> None:
        super().__init__()
        self._part = part

    def wait(self, seconds: float) -> None:
        super().wait(seconds * self._part)


class BusyClock(FakeClock):
    """A clock in whose first wait somebody else does something."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def wait(self, seconds: float) -> None:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        before = self.time
        meanwhile()
        super().wait(max(0.0, before + seconds - self.time))


# --- what is sent and told ------------------------------------------------------------------------------


def test_json_is_asked_for_and_said_to_be_sent_where_something_is() -> None:
    bench = Bench(PROJECT)
    bench.gateway.read(READ)
    (headers,) = [request.headers for request in bench.sender.requests]
    assert headers["Accept"] == "application/json"
    assert "Content-Type" not in headers
    bench = Bench(CREATED)
    bench.gateway.write(WRITE)
    assert bench.sender.requests[0].headers["Content-Type"] == "application/json"


def test_an_error_beside_a_success_is_quoted_without_what_it_must_not_say_back() -> None:
    place = NamespaceRef("demo", "0" * 32, "BCS-K8S-40000", "prod")
    dry_run = preview(place, version_ids=["0" * 24], variables={})
    bench = Bench(
        ok({"items": [], "error": "no port hunter2"}),
        ok({"items": [], "error": None}),
        mask=lambda words: words.replace("hunter2", "***"),
    )
    assert bench.gateway.read(dry_run).error == "no port ***"
    assert not bench.gateway.read(dry_run).error


def test_what_was_answered_is_told_before_anything_is_made_of_it() -> None:
    heard: list[object] = []
    bench = Bench(ok({"id": 5}), learn=heard.append)
    with pytest.raises(servers.AnswerUnreadable):
        bench.gateway.read(READ)
    assert heard == [{"id": 5}]


def test_an_attempt_is_told_with_how_long_it_took_and_no_id_where_none_came() -> None:
    bench = Bench(NoAnswer("p"), PROJECT)
    bench.sender.on_send = lambda: setattr(bench.clock, "time", bench.clock.time + 2)
    bench.gateway.read(READ)
    assert [exchange.seconds for exchange in bench.exchanges] == [2, 2]
    assert [exchange.gateway_request_id for exchange in bench.exchanges] == ["", ""]


def test_an_attempt_of_which_nothing_else_is_said_was_no_refusal() -> None:
    assert gateway.Exchange("get project", "GET", "/", 200, 0.1, "r", "g").refused == 0


def test_every_attempt_is_told_whatever_it_failed_of() -> None:
    bench = Bench(NotSent("p"), LIMIT, LIMIT, NotSent("p"), PROJECT)
    bench.gateway.read(READ)
    assert [exchange.status for exchange in bench.exchanges] == [0, 429, 429, 0, 200]


def test_what_a_person_goes_by_comes_before_what_an_administrator_does() -> None:
    perms = {"apply_url": "https://iam/", "action_list": [{"action_id": "view"}]}
    with pytest.raises(errors.NoPermission) as caught:
        Bench(business(40403, "denied", web_annotations={"perms": perms})).gateway.read(READ)
    assert list(caught.value.context) == [
        *("acting_user", "app", "project", "permission", "apply_url"),
        *("request", "request_id", "gateway_request_id", "gateway_code"),
    ]


def test_a_write_whose_answer_can_not_be_read_says_what_it_lacks() -> None:
    with pytest.raises(servers.OutcomeUnknown) as caught:
        Bench(ok({})).gateway.write(WRITE)
    problem = caught.value.fields["problem"]
    assert isinstance(problem, Text)
    assert problem.key == "gateway.unreadable"
    assert "`id`" in problem.render("en_US")


# --- the run's time -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", [NoAnswer("p"), NotSent("p")])
def test_an_answer_that_the_runs_own_end_cut_off_is_no_fault_of_the_servers(
    reply: Union[HttpAnswer, NoAnswer, NotSent],
) -> None:
    bench = Bench(reply, seconds=30)
    bench.sender.on_send = lambda: setattr(bench.clock, "time", bench.clock.time + 30)
    with pytest.raises(servers.OutOfTime) as caught:
        bench.gateway.read(READ)
    assert caught.value.fields["seconds"] == 30
    assert caught.value.context["request"] == "GET /bcsproject/v1/projects/demo"
    assert list(caught.value.details) == [
        servers.Unreachable(url=bench.sender.requests[0].url, problem="p").title()
    ]
    assert len(bench.sender.requests) == 1


def test_a_run_without_any_time_says_so_in_seconds() -> None:
    with pytest.raises(servers.OutOfTime) as caught:
        Bench(PROJECT, seconds=0).gateway.read(READ)
    assert caught.value.fields["seconds"] == 0


@pytest.mark.parametrize("reply", [NoAnswer("p"), gateway_error(429, 1642901)])
def test_a_wait_that_would_take_all_the_time_there_is_is_not_begun(
    reply: Union[HttpAnswer, NoAnswer],
) -> None:
    bench = Bench(reply, seconds=0.5)
    with pytest.raises(step_error.StepError):
        bench.gateway.read(READ)
    assert bench.clock.waits == []
    assert len(bench.sender.requests) == 1


@pytest.mark.parametrize("part", [0.5, 0.6])
def test_a_wait_that_passed_for_half_or_more_was_a_wait(part: float) -> None:
    bench = Bench(NotSent("p"), PROJECT, clock=PartialClock(part))
    bench.gateway.read(READ)
    assert len(bench.sender.requests) == 2


def test_a_wait_that_passed_for_less_means_that_the_run_is_being_stopped() -> None:
    bench = Bench(NotSent("p"), PROJECT, clock=PartialClock(0.4))
    with pytest.raises(servers.Unreachable):
        bench.gateway.read(READ)
    assert len(bench.sender.requests) == 1


# --- who is held back -----------------------------------------------------------------------------------


def sent_at(first: Union[HttpAnswer, NotSent]) -> list[float]:
    """Return when requests go out, if one meets this answer and another begins while the first one waits."""
    clock = BusyClock()
    bench = Bench(first, PROJECT, clock=clock)
    times: list[float] = []
    bench.sender.on_send = lambda: times.append(clock.time)
    clock.meanwhile = lambda: bench.gateway.read(READ)
    bench.gateway.read(READ)
    return times


def test_a_limit_holds_back_a_request_that_begins_meanwhile() -> None:
    assert sent_at(LIMIT) == [1000.0, 1030.0, 1030.0]


def test_a_failure_holds_back_only_the_request_that_failed() -> None:
    assert sent_at(NotSent("p")) == [1000.0, 1000.0, 1000.5]
