"""One version that can't be shown hides no other, and few requests find it."""

from __future__ import annotations

from typing import Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.small_namespace import SmallNamespace, body

from bcs_template_set.messages.errors import DryRunFailed, NoPermission
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.apart import ask_apart, look_apart
from bcs_template_set.rollout.live_state import FileVersion

FAILED = BcsFailed(bcs_code=1, message="panic recovered")


def files(count: int) -> list[FileVersion]:
    return [FileVersion(f"{number}.yaml", str(number), "1.0.1") for number in range(count)]


class Server:
    """Fails on every request that holds a bad version; counts the requests."""

    def __init__(self, *bad: int) -> None:
        self.bad = {str(number) for number in bad}
        self.requests = 0

    def ask(self, asked: tuple[FileVersion, ...]) -> list[str]:
        self.requests += 1
        assert asked
        if self.bad & {file.version_id for file in asked}:
            raise FAILED
        return [file.version_id for file in asked]


@pytest.mark.parametrize(("count", "bad"), [(200, 16), (250, 0), (250, 249), (1, 0), (2, 1), (3, 1)])
def test_one_that_fails_costs_ten_requests_at_most(count: int, bad: int) -> None:
    server = Server(bad)
    asked = ask_apart(files(count), FAILED, ask=server.ask)
    seen = {version for answer in asked.answers for version in answer}
    assert seen == {str(number) for number in range(count)} - {str(bad)}
    assert set(asked.failed) == {str(bad)}
    assert server.requests <= 10


@given(st.integers(1, 40), st.sets(st.integers(0, 39), min_size=1))
def test_every_version_is_either_answered_or_failed_and_none_of_the_good_ones_failed(
    count: int, bad: set[int]
) -> None:
    bad = {number for number in bad if number < count} or {0}
    server = Server(*bad)
    asked = ask_apart(files(count), FAILED, ask=server.ask, most=1000)
    assert set(asked.failed) == {str(number) for number in bad}
    assert sorted(v for answer in asked.answers for v in answer) == sorted(
        str(number) for number in range(count) if number not in bad
    )


def test_the_looking_ends_and_what_is_left_is_not_known() -> None:
    server = Server(*range(40))
    asked = ask_apart(files(40), FAILED, ask=server.ask, most=7)
    assert server.requests == 7
    assert set(asked.failed) == {str(number) for number in range(40)}
    assert asked.answers == ()
    many = Server(*range(250))
    ask_apart(files(250), FAILED, ask=many.ask)
    assert many.requests == 100


def test_a_failure_that_passes_by_itself_is_nobodys() -> None:
    server = Server()
    asked = ask_apart(files(5), FAILED, ask=server.ask)
    assert asked.failed == {}
    assert sorted(v for answer in asked.answers for v in answer) == ["0", "1", "2", "3", "4"]


def test_what_failed_at_first_and_passes_by_itself_hides_no_other_that_fails() -> None:
    server = Server(3)
    answered = server.ask
    first = iter([True])

    def ask(asked: tuple[FileVersion, ...]) -> list[str]:
        if next(first, False):
            raise FAILED
        return answered(asked)

    asked = ask_apart(files(5), FAILED, ask=ask)
    assert asked.failed == {"3": FAILED}
    assert sorted(v for answer in asked.answers for v in answer) == ["0", "1", "2", "4"]


@pytest.mark.parametrize(
    ("count", "bad", "most", "failed", "requests"),
    [
        (1, [0], 100, "0", 0),
        (4, [3], 1, "23", 1),
        (4, [], 3, "", 3),
        (4, [0], 3, "0", 3),
        (4, [0], 2, "0123", 2),
    ],
)
def test_the_last_request_is_made_and_none_in_vain(
    count: int, bad: list[int], most: int, failed: str, requests: int
) -> None:
    server = Server(*bad)
    asked = ask_apart(files(count), FAILED, ask=server.ask, most=most)
    assert (server.requests, sorted(asked.failed)) == (requests, [*failed])


def test_each_version_has_the_error_that_it_failed_with_itself() -> None:
    own = {number: BcsFailed(bcs_code=1, message=f"{number} is broken") for number in (1, 4)}

    def ask(asked: tuple[FileVersion, ...]) -> str:
        for file in asked:
            if int(file.version_id) in own:
                raise own[int(file.version_id)]
        return ""

    assert ask_apart(files(6), FAILED, ask=ask).failed == {"1": own[1], "4": own[4]}


# --- dry runs -------------------------------------------------------------------------------------------


def held(bcs: SmallNamespace, count: int) -> list[FileVersion]:
    return [bcs.holds(f"{n:03}.yaml", "2", body("ConfigMap", f"c{n:03}")) for n in range(count)]


REFUSED = NoPermission(user="lisi", message="m")


@pytest.mark.parametrize("problem", [FAILED, REFUSED, "the template  is broken"])
def test_a_version_that_can_not_be_shown_hides_no_other(problem: Union[StepError, str]) -> None:
    bcs = SmallNamespace()
    several = held(bcs, 5)
    bcs.broken = {several[3].version_id: problem}
    seen = look_apart(bcs, bcs.deploying(), several)
    shown = [state.file for states in seen.answers for state in states]
    assert sorted(shown) == [file.name for file in several if file != several[3]]
    assert {*seen.failed} == {several[3].version_id}
    error = seen.failed[several[3].version_id]
    if isinstance(problem, str):
        assert isinstance(error, DryRunFailed)
        assert (error.message, error.details) == ("the template is broken", ())
    else:
        assert error is problem
    assert bcs.count("preview") <= 7


def test_objects_that_a_dry_run_shows_beside_its_words_are_seen() -> None:
    bcs = SmallNamespace()
    several = held(bcs, 2)
    bcs.refusal = "quota"
    seen = look_apart(bcs, bcs.deploying(), several)
    assert (len(seen.answers[0]), seen.failed, bcs.count("preview")) == (2, {}, 1)


def test_what_ends_all_requests_alike_is_not_asked_again() -> None:
    bcs = SmallNamespace()
    several = held(bcs, 60)
    down = GatewayFailed(url="u", status=502, message="m")
    first = iter([True])

    def fail() -> None:
        bcs.clock.time += 10.0
        if next(first, False):
            raise down

    bcs.before["preview"] = fail
    seen = look_apart(bcs, bcs.deploying(), several)
    assert seen.failed == {file.version_id: down for file in several[:20]}
    assert sum(map(len, seen.answers)) == 40
    assert [len(ids) for ids in bcs.asked] == [40], "it took 10 seconds for 20: twice as many fit"


def test_what_there_is_no_time_for_is_not_known() -> None:
    bcs = SmallNamespace()
    several = held(bcs, 30)
    bcs.before["preview"] = lambda: setattr(bcs.clock, "time", bcs.clock.time + 10)
    seen = look_apart(bcs, bcs.deploying(seconds=9), several)
    assert sum(map(len, seen.answers)) == 20
    assert {*seen.failed} == {file.version_id for file in several[20:]}
    (late,) = {*seen.failed.values()}
    assert isinstance(late, OutOfTime)
    assert late.seconds == 9


def test_a_call_carries_250_versions_at_most() -> None:
    bcs = SmallNamespace()
    several = [bcs.holds(f"{n:03}.yaml", "2") for n in range(501)]
    look_apart(bcs, bcs.deploying(), several)
    assert [len(ids) for ids in bcs.asked] == [20, 230, 20, 230, 1]
    assert [name for names in bcs.asked for name in names] == [f"{file.name}@2" for file in several]
    bcs.broken = {several[number].version_id: FAILED for number in (3, 400)}
    assert {*look_apart(bcs, bcs.deploying(), several).failed} == {*bcs.broken}


def test_of_no_versions_nothing_is_asked() -> None:
    bcs = SmallNamespace()
    assert look_apart(bcs, bcs.deploying(), []).answers == ()
    assert bcs.calls == []
