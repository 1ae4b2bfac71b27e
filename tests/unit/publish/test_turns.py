"""Whose turn comes together, as far as nobody has to be asked; tests/wire/test_turns.py has the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.pieces import FakeClock
from tests.support.planned import OURS, desired
from tests.support.publish_bench import creation
from tests.unit.bcs.space.test_read_space import FakeReader

from bcs_template_set.bcs.calls import T, Write
from bcs_template_set.publish.concurrent_writes import Settled
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.turns import Contest, Turns, pause_of
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.system.clock import Deadline


class Nobody(FakeReader):
    """Answers nothing."""

    def write(self, call: Write[T]) -> T:
        raise AssertionError(call)


def turns_of(**due: float) -> Turns:
    clock = FakeClock()
    deadline = Deadline(clock, seconds=300)
    publishing = Publishing(Nobody({}), desired(), clock, deadline, print)
    contests = {
        name: Contest("", frozenset(), frozenset(), "v", clock.time + seconds)
        for name, seconds in due.items()
    }
    return Turns(publishing, deadline, contests)


def test_a_file_whose_turn_comes_soon_is_planned_with_one_whose_turn_it_is() -> None:
    turns = turns_of(now=0.0, past=-5.0, soon=1.0, later=1.1)
    assert {*turns.next(space_id="s")} == {"now", "past", "soon"}
    assert turns.waiting == {"later"}


def test_a_turn_that_comes_soon_is_waited_for_no_longer() -> None:
    turns = turns_of(soon=0.5)
    began = turns.publishing.clock.monotonic()
    assert {*turns.next(space_id="s")} == {"soon"}
    assert turns.publishing.clock.monotonic() - began == 0.5


def test_where_nobody_has_met_there_is_no_round() -> None:
    turns = turns_of()
    turns.enter(Settled(()), [], space_id="s")
    assert (turns.rounds, {*turns.next(space_id="s")}) == (0, set())


def test_what_was_seen_hidden_is_owed_until_a_newer_version_of_ours_is_written() -> None:
    turns, hidden = turns_of(), frozenset({"h"})
    first = FileOutcome(creation("a.yaml"), "applied", version_id="v1")
    again = Settled((), rivalled=frozenset({"a.yaml"}))
    for settled, outcome, owes in (
        (Settled((), hiding={"a.yaml": hidden}), first, hidden),
        (again, first, hidden),
        (again, replace(first, version_id="v2"), frozenset[str]()),
    ):
        turns.enter(settled, [outcome], space_id="s")
        contest = turns.next(space_id="s")["a.yaml"]
        assert (contest.mine, contest.owes) == (outcome.version_id, owes)
        assert (contest.current, contest.is_merged) == ("", False), "nobody has looked"


@pytest.mark.parametrize(("number", "longest"), [(1, 3), (2, 6), (3, 12), (4, 24), (60, 24)])
def test_many_builds_pause_for_many_times_that_grow_up_to_24_seconds(number: int, longest: float) -> None:
    pauses = {pause_of(replace(OURS, build=build), number) for build in range(100)}
    assert len(pauses) > 90
    assert 0.9 * longest < max(pauses) <= longest


def test_a_branch_whose_name_is_no_text_pauses_too() -> None:
    assert 0 <= pause_of(replace(OURS, branch="\udc80"), 1) <= 3
