"""Whose turn comes together, as far as nobody has to be asked; tests/wire/test_turns.py has the rest."""

from __future__ import annotations

from tests.support.pieces import FakeClock
from tests.support.planned import desired
from tests.unit.bcs.space.test_read_space import FakeReader

from bcs_template_set.bcs.calls import T, Write
from bcs_template_set.publish.concurrent_writes import Settled
from bcs_template_set.publish.turns import TOGETHER_SECONDS, Contest, Turns
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
    turns = turns_of(now=0.0, past=-5.0, soon=TOGETHER_SECONDS, later=TOGETHER_SECONDS + 0.1)
    assert {*turns.next(space_id="s")} == {"now", "past", "soon"}
    assert turns.waiting == {"later"}


def test_where_nobody_has_met_there_is_no_round() -> None:
    turns = turns_of()
    turns.enter(Settled(()), [], space_id="s")
    assert (turns.rounds, {*turns.next(space_id="s")}) == (0, set())
