"""How many requests may be under way at once, whatever the answers were."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Optional, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.emulator.door import Door
from tests.support.draws import examples
from tests.support.paced_gateway import PacedRun

from bcs_template_set.bcs.request_pace import Heard, Pace, Permit, Quota, heard_from
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent

CARRIED = Heard("carried", "get version")
REFUSED = Heard("too much", "get version")
TOO_MANY = Heard("too much", at_once=True)


class Line:
    """A pace with a clock, and the attempts under way in the order in which they were begun."""

    def __init__(self, ceiling: int = 64) -> None:
        self.pace = Pace(ceiling)
        self.now = 100.0
        self.under_way: list[Permit] = []

    def begin(self, count: int = 1) -> int:
        """Begin up to so many attempts; return how many may."""
        for number in range(count):
            permit = self.pace.take(self.now)
            if not isinstance(permit, Permit):
                return number
            self.under_way.append(permit)
        return count

    def end(self, heard: Heard = CARRIED, *, seconds: float = 0.0, count: Optional[int] = None) -> None:
        """End so many of the attempts, or all of them, the eldest first, after so many seconds."""
        self.now += seconds
        for _ in range(len(self.under_way) if count is None else count):
            self.pace.give_back(self.under_way.pop(0), heard, now=self.now)

    def round(self, count: int, heard: Heard = CARRIED, *, seconds: float = 0.05) -> int:
        """Begin that many attempts, as many as may, and end them; return the limit from then on."""
        self.begin(count)
        self.end(heard, seconds=seconds)
        return self.pace.limit


# --- growing --------------------------------------------------------------------------------------------


def test_rounds_that_nobody_waits_in_open_it_and_eight_at_a_time_try_it() -> None:
    line = Line()
    assert [line.round(2), line.round(2)] == [8, 8]
    assert line.begin(60) == 8
    line.end(seconds=0.05, count=7)
    assert line.pace.limit == 8
    line.end()
    assert line.pace.limit == 64
    assert line.begin(60) == 60


@pytest.mark.parametrize(("answers", "limit"), [(0, 16), (1, 16), (2, 32), (3, 64), (9, 64)])
def test_each_answer_that_nobody_waited_for_is_one_doubling(answers: int, limit: int) -> None:
    line = Line()
    for _ in range(answers):
        line.round(1)
    assert line.round(60) == limit


def test_where_somebody_waits_it_takes_a_whole_round_under_the_limit() -> None:
    line = Line()
    assert [line.round(60), line.round(60), line.round(60), line.round(60)] == [16, 32, 64, 64]


def test_what_was_begun_before_a_change_does_not_count_for_the_next() -> None:
    line = Line()
    assert line.begin(9) == 8
    line.end(seconds=0.05, count=4)
    assert line.begin(9) == 4
    line.end(count=4)
    assert (line.pace.limit, len(line.under_way)) == (16, 4)
    assert line.begin(13) == 12
    line.end(count=4)
    assert line.begin(9) == 4
    line.end(seconds=0.05, count=15)
    assert line.pace.limit == 16
    line.end()
    assert line.pace.limit == 32


def test_it_stays_where_half_of_the_answers_take_longer_than_they_did() -> None:
    line = Line()
    line.round(60)
    for _ in range(5):
        line.begin(17)
        line.end(seconds=0.05, count=7)
        line.end(seconds=0.05, count=9)
        assert line.pace.limit == 16


def test_only_answers_to_the_same_question_are_compared_and_some_to_none() -> None:
    line = Line(16)
    line.begin(9)
    for number in range(8):
        line.end(Heard("carried", f"question {number}"), seconds=1.0, count=1)
    assert line.pace.limit == 16
    line = Line(16)
    assert [line.round(9, Heard("carried")) for _ in range(3)] == [8, 8, 8]


def test_slow_answers_open_nothing() -> None:
    line = Line()
    line.round(1, seconds=0.01)
    assert [line.round(1, seconds=0.05) for _ in range(3)] == [8, 8, 8]
    assert line.round(9, seconds=0.01) == 16


@pytest.mark.parametrize(("slower", "limit"), [(1.5, 16), (1.52, 8)])
def test_half_as_long_again_is_as_quick(slower: float, limit: int) -> None:
    line = Line()
    line.now = 0.0
    line.round(1, seconds=1.0)
    line.now = 0.0
    assert line.round(9, seconds=slower) == limit


def test_no_time_at_all_is_quick() -> None:
    assert Line().round(9, seconds=0.0) == 16


# --- halving --------------------------------------------------------------------------------------------


def test_a_refusal_halves_it_once_however_many_were_refused_together() -> None:
    line = Line()
    line.round(3)
    line.round(9)
    assert line.round(60, REFUSED) == 8
    assert [line.round(60, REFUSED) for _ in range(5)] == [4, 2, 1, 1, 1]


def test_after_a_refusal_one_request_goes_ahead_of_the_others() -> None:
    line = Line()
    line.begin(8)
    line.end(REFUSED, seconds=0.05, count=1)
    line.end(count=7)
    assert line.begin(5) == 1
    line.end(REFUSED)
    assert line.begin(5) == 1
    line.end(Heard("unknown"))
    assert line.begin(5) == 2


def test_what_was_under_way_before_a_refusal_keeps_no_probe_waiting() -> None:
    line = Line()
    line.begin(3)
    line.end(REFUSED, count=1)
    assert line.begin(2) == 1
    line.under_way.reverse()
    line.end(count=1)
    assert line.begin(9) == 2
    line.under_way.reverse()
    line.end(count=2)
    assert (line.pace.under_way, line.begin(9)) == (2, 2)


def test_a_refusal_counts_also_where_the_limit_has_grown_meanwhile() -> None:
    line = Line()
    line.begin(9)
    line.end(count=3)
    line.begin(3)
    line.end(count=5)
    assert line.pace.limit == 16
    line.end(REFUSED, count=1)
    assert line.pace.limit == 8
    line.end(REFUSED)
    assert line.pace.limit == 8


def test_after_a_halving_it_stays_for_a_while_and_grows_by_doublings_alone() -> None:
    line = Line()
    line.now = 0.0
    line.round(9, REFUSED, seconds=1.0)
    assert [line.round(60) for _ in range(9)] == [4] * 9
    line.now = 1.0 + 60.0
    assert [line.round(1, seconds=0.0) for _ in range(9)] == [8] * 9
    assert [line.round(60), line.round(60)] == [16, 32]


def test_of_a_burst_the_least_that_was_too_many_at_once_tells_how_many_are_not() -> None:
    line = Line()
    for _ in range(3):
        line.round(1)
    line.round(60)
    assert line.begin(60) == 60
    line.end(count=16)
    late = line.under_way[30:]
    del line.under_way[30:]
    line.end(TOO_MANY, count=1)
    assert line.pace.limit == 16
    line.end(TOO_MANY)
    line.under_way = late
    line.end(TOO_MANY)
    assert line.pace.limit == 16


def test_of_a_burst_whose_highest_is_refused_first_the_lowest_counts_and_no_less_than_went_well() -> None:
    for carried, limit in ((20, 20), (3, 8)):
        line = Line()
        for _ in range(3):
            line.round(1)
        line.round(60)
        line.begin(60)
        line.end(count=carried)
        line.under_way.reverse()
        line.end(TOO_MANY, count=1)
        assert line.pace.limit == 32
        line.end(TOO_MANY)
        assert line.pace.limit == limit


def test_what_went_well_before_and_is_too_many_at_once_now_counts_no_more() -> None:
    line = Line()
    assert line.round(60) == 16
    line.begin(16)
    line.end(count=4)
    line.end(TOO_MANY)
    assert line.pace.limit == 4


def test_what_has_gone_well_outweighs_what_a_burst_says_and_before_any_did_the_burst_counts() -> None:
    line = Line()
    line.begin(8)
    line.under_way = [line.under_way[3], line.under_way[1]]
    line.end(TOO_MANY, count=1)
    assert line.pace.limit == 3
    line.end(TOO_MANY)
    assert line.pace.limit == 1
    line = Line()
    assert line.round(60) == 16
    line.begin(16)
    line.under_way = [line.under_way[8], line.under_way[4]]
    line.end(TOO_MANY, count=1)
    line.end(TOO_MANY)
    assert line.pace.limit == 8


def test_one_at_a_time_is_the_least_also_where_more_went_well_before() -> None:
    line = Line()
    assert line.round(60) == 16
    line.begin(1)
    line.end(TOO_MANY)
    assert line.pace.limit == 1


def test_of_an_odd_number_of_answers_the_one_in_the_middle_tells() -> None:
    line = Line()
    for seconds in (1.0, 2.1, 1.9):
        line.round(1, seconds=seconds)
    assert line.round(60, seconds=1.0) == 16


# --- what a run makes of it -----------------------------------------------------------------------------

GATEWAYS = {
    "takes any number": (Door(), [(0.2, 0), (0.4, 0), (0.4, 0)]),
    "refuses above 4 at once": (Door(at_once=4), [(1.0, 8), (1.25, 8), (2.65, 8)]),
    "refuses above 16 at once": (Door(at_once=16), [(0.5, 36), (0.7, 36), (1.05, 36)]),
    "refuses above 50 a second": (Door(rate=50), [(1.2, 0), (1.4, 0), (3.4, 0)]),
    "the same, and does not tell": (Door(rate=50, tells=False), [(1.9, 15), (2.1, 15), (5.0, 20)]),
}
"""How long 60 files may take of which none, one, all have changed, and how many requests be refused."""


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_run_is_quick_at_any_gateway_and_asks_few_in_vain(gateway: str) -> None:
    door, most = GATEWAYS[gateway]
    for changed, (seconds, refused) in zip((0, 1, 60), most):
        run = PacedRun(Pace(64), replace(door))
        took = run.publish(files=60, changed=changed)
        assert took <= seconds + 0.001, f"{changed}: {took:.2f} s"
        assert run.refused <= refused, f"{changed}: {run.refused} refused"


# --- what the gateway says is left ----------------------------------------------------------------------


def told(left: int, *, seconds: float = 10.0) -> Heard:
    return Heard("carried", "get version", Quota(20, left, seconds))


def test_no_more_are_sent_than_a_window_has_left() -> None:
    line = Line()
    line.round(3)
    line.round(9)
    line.begin(2)
    line.end(told(18), count=1)
    line.end(told(19), count=1)
    assert line.begin(60) == 18
    line.end(told(3), count=15)
    assert line.begin(9) == 0
    line.end(told(0))
    assert line.pace.take(line.now) == 10.0
    line.now += 10.0
    assert line.begin(60) == 20
    line.end(told(15), count=15)
    assert line.begin(60) == 10


@pytest.mark.parametrize("seconds", [0.0, 60.0 - 0.5])
def test_a_window_that_is_used_up_is_waited_for(seconds: float) -> None:
    line = Line()
    line.now = 0.0
    line.begin()
    line.end(told(0, seconds=seconds))
    assert line.pace.take(0.0) == seconds + 0.5


def test_the_first_answer_of_a_window_tells_when_it_ends_and_no_later_one_puts_that_off() -> None:
    line = Line()
    line.now = 0.0
    line.begin(3)
    line.end(told(19, seconds=10.0), count=1)
    line.end(told(18, seconds=10.0), seconds=0.3, count=1)
    line.end(told(0, seconds=10.0))
    assert line.pace.take(line.now) == 9.7
    assert line.pace.take(9.9) == pytest.approx(0.1)
    line.now = 10.0
    line.begin(2)
    line.end(told(12, seconds=10.0), count=1)
    line.end(told(0, seconds=4.0))
    assert line.pace.take(line.now) == 4.5


def test_a_gateway_that_takes_none_in_a_window_is_asked_one_at_a_time_after_it() -> None:
    line = Line()
    line.now = 0.0
    line.begin()
    line.end(Heard("unknown", quota=Quota(0, 0, 3.0)))
    assert line.pace.take(0.0) == 3.5
    line.now = 3.5
    assert line.begin(2) == 1


def test_a_window_far_away_is_not_waited_for() -> None:
    line = Line()
    line.round(1, told(0, seconds=60.0))
    assert line.begin(2) == 1


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"limit": "20", "remaining": "7", "reset": "3"}, Quota(20, 7, 3.0)),
        ({"limit": "20", "remaining": "7", "reset": "3", "plugin": "bk-stage-rate-limit"}, Quota(20, 7, 3.0)),
        ({"limit": "20", "remaining": "0", "reset": "3", "plugin": "bk-stage-rate-limit"}, Quota(20, 0, 3.0)),
        (
            {"limit": "9", "remaining": "7", "reset": "3", "plugin": "bk-resource-rate-limit"},
            Quota(9, 7, 3.0),
        ),
        (
            {"limit": "9", "remaining": "0", "reset": "3", "plugin": "bk-resource-rate-limit"},
            Quota(9, 1, 3.0),
        ),
        ({"limit": "20", "remaining": "7"}, None),
        ({"limit": "20", "remaining": "-1", "reset": "3"}, None),
        ({"limit": "20", "remaining": "7", "reset": "9" * 10}, None),
        ({"limit": "20", "remaining": "7", "reset": "²"}, None),
        ({}, None),
    ],
)
def test_what_an_answer_says_is_left(headers: dict[str, str], quota: Optional[Quota]) -> None:
    named = {f"x-bkapi-ratelimit-{name}": value for name, value in headers.items()}
    heard = heard_from(HttpAnswer(200, named, b""), question="q", is_slow=False)
    assert heard == Heard("carried", "q", quota)


@pytest.mark.parametrize(("code", "at_once"), [("1642904", True), (" 1642904 ", True), ("1642901", False)])
def test_what_is_refused_for_being_too_many_at_once_says_so(code: str, *, at_once: bool) -> None:
    reply = HttpAnswer(429, {"x-bkapi-error-code": code}, b"")
    assert heard_from(reply, question="q", is_slow=False) == Heard("too much", "q", at_once=at_once)


# --- what is heard --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "load", "of_what_is_slow"),
    [
        (HttpAnswer(200, {}, b""), "carried", "carried"),
        (HttpAnswer(299, {}, b""), "carried", "carried"),
        (HttpAnswer(300, {}, b""), "unknown", "unknown"),
        (HttpAnswer(404, {}, b""), "unknown", "unknown"),
        (HttpAnswer(500, {}, b""), "unknown", "unknown"),
        (HttpAnswer(429, {}, b""), "too much", "too much"),
        (HttpAnswer(503, {}, b""), "too much", "too much"),
        (HttpAnswer(504, {}, b""), "too much", "unknown"),
        (NoAnswer("p", "timeout"), "too much", "unknown"),
        (NotSent("p", "timeout"), "too much", "unknown"),
        (NoAnswer("p"), "unknown", "unknown"),
        (NotSent("p", "refused"), "unknown", "unknown"),
        (None, "unknown", "unknown"),
    ],
)
def test_what_a_reply_tells_of_the_load(reply: Optional[HttpAnswer], load: str, of_what_is_slow: str) -> None:
    assert heard_from(reply, question="q", is_slow=False).load == load
    slow = heard_from(reply, question="q", is_slow=True)
    assert (slow.load, slow.question) == (of_what_is_slow, "")


# --- whatever happens -----------------------------------------------------------------------------------

QUOTAS = st.none() | st.builds(Quota, st.integers(1, 99), st.integers(0, 99), st.integers(0, 99))
HEARD = st.builds(
    Heard, st.sampled_from(["carried", "carried", "too much", "unknown"]), st.sampled_from("ab"), QUOTAS
)


@settings(max_examples=examples(500, sample=60), deadline=None)
@given(
    ceiling=st.integers(1, 64),
    events=st.lists(st.integers(1, 70) | st.floats(0, 90) | st.tuples(st.integers(0, 63), HEARD)),
)
def test_the_limit_stays_between_one_and_the_ceiling_and_no_more_are_under_way(
    ceiling: int, events: list[Union[int, float, tuple[int, Heard]]]
) -> None:
    line = Line(ceiling)
    for event in events:
        if isinstance(event, int):
            line.begin(event)
        elif isinstance(event, float):
            line.now += event
        elif line.under_way:
            permit = line.under_way.pop(event[0] % len(line.under_way))
            line.pace.give_back(permit, event[1], now=line.now)
        assert 1 <= line.pace.limit <= ceiling
        assert line.pace.under_way == len(line.under_way) <= ceiling
    for permit in line.under_way:
        line.pace.give_back(permit, Heard("unknown"), now=line.now)
    line.now += 1000.0
    assert isinstance(line.pace.take(line.now), Permit)
    assert ceiling > 1 or line.pace.take(line.now) == inf
