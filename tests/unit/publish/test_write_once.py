"""A write whose answer may be lost: what is sent, what is looked at, and what is said to have happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Union

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.messages.errors import Overtaken, VersionConflict
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.write_once import NAME_EXISTS, write_once

LOST, LOST_AGAIN, LOST_AT_LAST = (OutcomeUnknown(url=f"u-{number}", problem="no answer") for number in "123")
TAKEN = BcsFailed(bcs_code=7, message="the name exists")
AWAY = BcsFailed(bcs_code=1, message="mongo is away")

Answer = Union[str, StepError, None]


class AnothersCode(StepError):
    """A failure that no answer of BCS tells of, with BCS's code for a name that exists."""

    bcs_code: int


class Bcs:
    """Gives the answers of a script, first to writes, then to reads; keeps the order of what was asked."""

    def __init__(self, writes: Sequence[Answer], reads: Sequence[Answer] = ()) -> None:
        self.clock = FakeClock()
        self.asked: list[str] = []
        self._answers = {"write": list(writes), "read": list(reads)}

    def send(self) -> str:
        return self._next("write") or ""

    def read_back(self) -> Optional[str]:
        return self._next("read")

    def _next(self, kind: str) -> Optional[str]:
        self.asked.append(kind)
        answer = self._answers[kind].pop(0)
        if isinstance(answer, StepError):
            raise answer
        return answer

    def write_once(self) -> tuple[str, bool]:
        return write_once(self.clock, self.send, read_back=self.read_back)


def refused(bcs: Bcs) -> StepError:
    with pytest.raises(StepError) as caught:
        bcs.write_once()
    return caught.value


def test_a_write_that_is_answered_is_not_looked_for() -> None:
    bcs = Bcs(["id-1"])
    assert bcs.write_once() == ("id-1", False)
    assert (bcs.asked, bcs.clock.waits) == (["write"], [])


def test_what_was_lost_is_looked_for_after_one_second_and_then_after_four_more() -> None:
    bcs = Bcs([LOST], [None, "id-1"])
    assert bcs.write_once() == ("id-1", False)
    assert (bcs.asked, bcs.clock.waits) == (["write", "read", "read"], [1.0, 4.0])


def test_what_is_found_at_the_first_look_is_not_looked_for_again() -> None:
    bcs = Bcs([LOST], ["id-1"])
    assert bcs.write_once() == ("id-1", False)
    assert (bcs.asked, bcs.clock.waits) == (["write", "read"], [1.0])


def test_it_is_sent_again_only_after_two_looks_that_found_nothing() -> None:
    bcs = Bcs([LOST, "id-2"], [None, None])
    assert bcs.write_once() == ("id-2", False)
    assert bcs.asked == ["write", "read", "read", "write"]


def test_after_three_lost_answers_the_last_one_is_told() -> None:
    bcs = Bcs([LOST, LOST_AGAIN, LOST_AT_LAST], [None] * 6)
    assert refused(bcs) is LOST_AT_LAST
    assert bcs.asked == ["write", "read", "read"] * 3


@pytest.mark.parametrize("number", [1, 2])
def test_where_looking_fails_nothing_is_sent_again_and_the_lost_write_is_told(number: int) -> None:
    bcs = Bcs([LOST], [*[None] * (number - 1), AWAY])
    assert refused(bcs) is LOST
    assert bcs.asked == ["write", *["read"] * number]


@pytest.mark.parametrize("stands_against_it", [VersionConflict(), Overtaken()])
def test_what_was_read_back_and_stands_against_the_write_is_told(stands_against_it: StepError) -> None:
    assert refused(Bcs([LOST], [stands_against_it])) is stands_against_it
    assert refused(Bcs([TAKEN], [stands_against_it])) is stands_against_it


# --- refusals -------------------------------------------------------------------------------------------


def test_a_refusal_is_told_and_nothing_is_looked_at() -> None:
    bcs = Bcs([AWAY])
    assert refused(bcs) is AWAY
    assert bcs.asked == ["write"]


def test_only_bcs_itself_says_that_a_name_exists() -> None:
    other = AnothersCode(bcs_code=NAME_EXISTS)
    bcs = Bcs([other])
    assert refused(bcs) is other
    assert bcs.asked == ["write"]


def test_what_has_the_name_already_was_there_before_us() -> None:
    bcs = Bcs([TAKEN], ["id-1"])
    assert bcs.write_once() == ("id-1", True)
    assert (bcs.asked, bcs.clock.waits) == (["write", "read"], [])


def test_what_has_the_name_at_the_second_try_is_of_our_first() -> None:
    bcs = Bcs([LOST, TAKEN], [None, None, "id-1"])
    assert bcs.write_once() == ("id-1", False)


@pytest.mark.parametrize("look", [None, AWAY])
def test_a_name_that_exists_and_is_not_found_is_the_refusal_it_was(look: Answer) -> None:
    assert refused(Bcs([TAKEN], [look])) is TAKEN


@pytest.mark.parametrize("look", [None, AWAY])
def test_a_name_that_exists_at_the_second_try_and_is_not_found_leaves_the_first_unknown(look: Answer) -> None:
    assert refused(Bcs([LOST, TAKEN], [None, None, look])) is LOST


def test_a_refusal_of_the_second_try_leaves_the_first_unknown() -> None:
    bcs = Bcs([LOST, AWAY], [None, None])
    assert refused(bcs) is LOST
    assert bcs.asked == ["write", "read", "read", "write"]
