"""No lost update: every order in which two builds and BCS can act, and three as far as it is said.

What is proved here, of the model, for builds that publish one file at the same time:

- Of a file that branches share, a branch whose build reports success is served at the end, whatever the
  others come to: whether they succeed, run out of rounds or are killed at any moment. Nobody reads history
  for that but who sees something young.
- The same where a build is slow (`look_first.py`), or misses an answer. Where a slow one is killed, or BCS
  handles a request long after its answer was given up, nobody looks for what that hides: a build that
  begins while it is young brings it back, and a later one can't know of it. Such a request can also be
  there twice.
- Of a plain file the last one wins. Of two that wrote on the same version, each looking before the other's
  was there, nobody need know; nor need the older of two builds of one branch.

Reductions: reading a version by its id is no move (versions never change). `lean`, for three builds: the
check for the version's name is part of the check before it, since no other build uses the name; stamp and
insert are one step (both are apart for two builds); builds that are alike look first in their order
(whichever was first is called 0). `BCS_MODEL=whole` explores more, for minutes.
"""

from __future__ import annotations

import os

import pytest

from tests.model.builds import DEAD, Mutant, Protocol, State, Trouble
from tests.model.decisions import Decisions, Who
from tests.model.explorer import Explored, explore
from tests.model.properties import first_state, is_served, problems
from tests.model.shelf import BEGAN, Clocks

A, B, C = Who("a"), Who("b"), Who("c")
ONE_STEP = Clocks(stamps_apart=False)
LEAN = Trouble(Clocks(stamps_apart=False, by_server=True), lean=True)
BOTH, ALL = frozenset({0, 1}), frozenset({0, 1, 2})
IS_WHOLE = os.environ.get("BCS_MODEL") == "whole"


class Scene:
    """Some builds that start at once, on a file that build 9 of `old` has published, or on none."""

    def __init__(
        self, *builds: Who, exists: bool = True, forgets_bases: bool = False, lists_nothing: bool = False
    ) -> None:
        shares = builds[0].shares
        extra = (
            Who("old", 9, shares=shares),
            Who("soon", shares=shares),
            Who("later", shares=shares, began=BEGAN + 100_000),
        )
        self.builds = builds
        self.decisions = Decisions(
            (*builds, *extra), forgets_bases=forgets_bases, lists_nothing=lists_nothing
        )
        self.start = first_state(self.decisions, builds=len(builds), exists=exists)

    def explore(self, trouble: Trouble, mutant: Mutant = Mutant()) -> Explored[State]:  # noqa: B008 - a tuple
        """Explore all that can happen, and tell how much that is."""
        explored = explore(self.start, Protocol(self.decisions, trouble, mutant=mutant).moves)
        print(f"{len(explored.came)} states, {explored.moves} moves, {len(explored.ends)} ends")
        return explored

    def found(self, explored: Explored[State]) -> dict[str, State]:
        """Return the first end that has each problem; empty where all is as it should be."""
        first: dict[str, State] = {}
        for end in explored.ends:
            for problem in problems(end, self.decisions, self.builds):
                first.setdefault(problem, end)
        return first

    def told(self, explored: Explored[State], problem: str) -> str:
        """Return the way to the first end with a problem, for people."""
        return "\n".join([problem, *explored.way_to(self.found(explored)[problem])])


def endings(explored: Explored[State]) -> set[tuple[str, ...]]:
    return {tuple(sorted(build.at for build in end.builds)) for end in explored.ends}


def hold(scene: Scene, explored: Explored[State], *, but: frozenset[str] = frozenset()) -> None:
    found = scene.found(explored)
    assert set(found) <= but, "\n\n".join(scene.told(explored, problem) for problem in sorted(found))


# --- two builds -----------------------------------------------------------------------------------------


STAMPS = {
    "one-second": Clocks(),
    "ids-in-no-order": Clocks(falling_ids=True),
    "a-second-each": Clocks(per_second=1),
    "a-slow-server": Clocks(per_second=1, slow=frozenset({0})),
}


@pytest.mark.parametrize("stamps", STAMPS)
@pytest.mark.parametrize("exists", [True, False])
def test_two_branches_lose_nothing_in_any_order_whatever_bcs_stamps(stamps: str, *, exists: bool) -> None:
    scene = Scene(A, B, exists=exists)
    explored = scene.explore(Trouble(STAMPS[stamps], may_die=BOTH))
    hold(scene, explored)
    assert ("published", "published") in endings(explored)
    assert exists or any(len(end.shelf.rows) == 2 for end in explored.ends)


def test_what_a_build_takes_out_stays_out_and_what_another_adds_meanwhile_stays_in() -> None:
    scene = Scene(A, Who("b", removes=frozenset({"old"})))
    hold(scene, scene.explore(Trouble(may_be_slow=BOTH)))


def test_of_two_builds_of_one_branch_the_older_never_says_that_it_won() -> None:
    scene = Scene(Who("a", 1), Who("a", 2))
    explored = scene.explore(Trouble(may_be_slow=BOTH))
    hold(scene, explored)
    assert ("NewerBuild", "published") in endings(explored)


def test_two_builds_that_may_be_slow_lose_nothing() -> None:
    scene = Scene(A, B)
    hold(scene, scene.explore(Trouble(may_be_slow=BOTH)))


def test_a_lost_answer_loses_nothing_and_writes_nothing_twice() -> None:
    scene = Scene(A, B)
    hold(scene, scene.explore(Trouble(ONE_STEP, may_miss=frozenset({0}), may_be_slow=frozenset({0}))))


# --- what nothing can close -----------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [(1, 1), (1, 2)])
def test_of_two_plain_files_nobody_need_know_who_wrote_on_the_same_version(numbers: tuple[int, int]) -> None:
    builds = [
        Who("ab"[i] if numbers[0] == numbers[1] else "a", n, shares=False) for i, n in enumerate(numbers)
    ]
    scene = Scene(*builds)
    explored = scene.explore(Trouble())
    hold(scene, explored, but=frozenset({"nobody knows", "an older build won"}))
    assert ("published", "published") in endings(explored)
    for end in explored.ends:
        if {*problems(end, scene.decisions, scene.builds)}:
            mine = [end.shelf.version(build.mine) for build in end.builds]
            assert mine[0].bases == mine[1].bases


def test_a_slow_build_that_is_killed_loses_nothing_to_a_build_that_begins_soon() -> None:
    scene = Scene(A, B)
    explored = scene.explore(Trouble(may_die=BOTH, may_be_slow=BOTH))
    hold(scene, explored, but=frozenset({"hidden for now", "lost if nobody comes soon"}))
    for end in explored.ends:
        hidden = [i for i in range(2) if not is_served(end, i, scene.decisions, scene.builds)]
        assert not hidden or end.builds[1 - hidden[0]].at == DEAD


def test_a_request_that_is_handled_late_loses_nothing_to_a_build_that_begins_soon() -> None:
    scene = Scene(A, B)
    late = Trouble(ONE_STEP, may_miss=frozenset({0}), may_be_slow=frozenset({0}), late=True)
    explored = scene.explore(late, Mutant(rounds=(3, 2) if IS_WHOLE else (2, 1)))
    inevitable = {
        *("hidden for now", "hidden though all went well", "lost if nobody comes soon", "there twice"),
        *("not what it told", "nobody knows"),
    }
    hold(scene, explored, but=frozenset(inevitable))


# --- three builds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("may_die", [frozenset[int](), ALL] if IS_WHOLE else [frozenset[int]()])
def test_three_branches_lose_nothing(may_die: frozenset[int]) -> None:
    scene = Scene(A, B, C)
    rounds = (3, 3, 3) if IS_WHOLE and not may_die else (2, 2, 2) if IS_WHOLE else (1, 1, 2)
    explored = scene.explore(LEAN._replace(may_die=may_die), Mutant(rounds=rounds))
    hold(scene, explored)
    assert ("published", "published", "published") in endings(explored)


# --- mutants --------------------------------------------------------------------------------------------


def lost(scene: Scene, mutant: Mutant = Mutant(), *, slow: frozenset[int] = frozenset()) -> set[str]:  # noqa: B008 - a tuple
    """Return what goes wrong in this scene with a part of the protocol left out."""
    return {*scene.found(scene.explore(Trouble(ONE_STEP, may_be_slow=slow), mutant))}


def test_without_looking_back_a_path_is_lost_until_a_build_brings_it_back_that_begins_soon() -> None:
    found = lost(Scene(A, B), Mutant(looks_back=False))
    assert "hidden though all went well" in found
    assert "lost for good" not in found


def test_who_looks_back_at_once_may_be_hidden_right_after() -> None:
    assert "hidden though all went well" in lost(Scene(A, B), Mutant(waits=False))


def test_who_is_slow_and_asks_for_no_names_may_have_hidden_another() -> None:
    assert "hidden though all went well" in lost(Scene(A, B), Mutant(asks_when_slow=False), slow=BOTH)


def test_without_names_or_bases_a_slow_build_loses_a_path_for_good() -> None:
    assert "lost for good" in lost(Scene(A, B, lists_nothing=True), slow=BOTH)
    assert "lost for good" in lost(Scene(A, B, forgets_bases=True), slow=BOTH)


def test_a_way_to_a_problem_is_told_move_by_move() -> None:
    scene = Scene(A, B)
    explored = scene.explore(Trouble(), Mutant(looks_back=False))
    told = scene.told(explored, "hidden though all went well").splitlines()
    assert told[1] == "0 reads"
    assert told[-1].startswith("BCS goes on from inserted for")
