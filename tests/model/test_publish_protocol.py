"""No lost update: every order in which two builds and BCS can act, and three as far as it is said.

What is proved here, of the model, for builds that publish one file at the same time:

- No faults: a branch whose build reports success is served at the end, wherever all builds succeed. One that
  ran out of rounds may have hidden another's path with its last write; it fails as overtaken and says so.
- Kills at any moment: the same, but for one case that nothing can close. BCS moves the file's pointer after
  the insert; where the build that asked for it is dead by then, nobody looks back. The next build does.
- A request that BCS handles long after its answer was given up: as with kills; and its version can be there
  twice, with one content.
- Always: nothing that a build reported as published is lost for good. The next build of any branch serves it.

Reductions: reading a version by its id is no move (versions never change). `lean`, for three builds: the
check for the version's name is part of the check before it, since no other build uses the name; the two lists
of a look are read at one moment, and stamp and insert are one step (both are apart for two builds); builds
that are alike look first in their order (whichever was first is called 0). Three builds have one round each,
and one of them two; `BCS_MODEL=whole` explores more, for minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.model.builds import DEAD, OVERTAKEN, Mutant, Protocol, State, Trouble
from tests.model.decisions import Decisions, Who
from tests.model.explorer import Explored, explore
from tests.model.properties import first_state, is_served, problems
from tests.model.shelf import Clocks
from tests.support.draws import swept

A, B, C = Who("a"), Who("b"), Who("c")
ONE_STEP = Clocks(stamps_apart=False)
LEAN = Trouble(Clocks(stamps_apart=False, by_server=True), reads_apart=False, lean=True)
AT_ONCE = Trouble(reads_apart=False)

OTHER_ROUNDS = (
    [(2, 1, 1), (1, 2, 1), (1, 1, 2), (3, 1, 1), (1, 3, 1), (1, 1, 3), (2, 2, 1)]
    if os.environ.get("BCS_MODEL") == "whole"
    else []
)
"""How many rounds each of three builds has: all of them at three are too many states to explore."""


class Scene:
    """Some builds that start at once, on a file that build 9 of `old` has published, or on none."""

    def __init__(self, *builds: Who, exists: bool = True, forgets_bases: bool = False) -> None:
        shares = builds[0].shares
        extra = (Who("old", 9, shares=shares), Who("fresh", shares=shares))
        self.builds = builds
        self.decisions = Decisions((*builds, *extra), forgets_bases=forgets_bases)
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


@pytest.mark.parametrize("stamps", swept(STAMPS, sample=1))
def test_two_branches_lose_nothing_in_any_order_whatever_bcs_stamps(stamps: str) -> None:
    scene = Scene(A, B)
    explored = scene.explore(Trouble(STAMPS[stamps]))
    hold(scene, explored)
    assert len(explored.came) > 30_000
    assert ("published", "published") in endings(explored)


def two_branches_that_create_the_file_lose_nothing() -> None:
    scene = Scene(A, B, exists=False)
    explored = scene.explore(AT_ONCE)
    hold(scene, explored)
    assert any(len(end.shelf.rows) == 2 for end in explored.ends)


def what_a_build_takes_out_stays_out_and_what_another_adds_meanwhile_stays_in() -> None:
    scene = Scene(A, Who("b", removes=frozenset({"old"})))
    hold(scene, scene.explore(AT_ONCE))


@pytest.mark.parametrize("shares", [True, False])
def test_of_two_builds_of_one_branch_the_older_never_says_that_it_won(*, shares: bool) -> None:
    scene = Scene(Who("a", 1, shares=shares), Who("a", 2, shares=shares))
    explored = scene.explore(AT_ONCE)
    hold(scene, explored)
    assert ("NewerBuild", "published") in endings(explored)


def test_of_two_plain_files_the_last_wins_and_somebody_knows() -> None:
    scene = Scene(Who("a", shares=False), Who("b", shares=False))
    explored = scene.explore(Trouble())
    hold(scene, explored)
    assert endings(explored) == {("published", "published")}


def a_lost_answer_loses_nothing_and_writes_nothing_twice() -> None:
    scene = Scene(A, B)
    hold(scene, scene.explore(AT_ONCE._replace(may_miss=frozenset({0, 1}))))


# --- what nothing can close -----------------------------------------------------------------------------


@pytest.mark.parametrize("exists", swept([True, False], sample=1))
def test_killed_builds_lose_nothing_for_good(*, exists: bool) -> None:
    scene = Scene(A, B, exists=exists)
    explored = scene.explore(Trouble(reads_apart=exists, may_die=frozenset({0, 1})))
    hold(scene, explored, but=frozenset({"hidden for now"}))
    for end in explored.ends:
        hidden = [i for i in range(2) if not is_served(end, i, scene.decisions, scene.builds)]
        assert not hidden or end.builds[1 - hidden[0]].at in (DEAD, OVERTAKEN)


def a_request_that_is_handled_late_loses_nothing_for_good() -> None:
    scene = Scene(A, B)
    late = Trouble(ONE_STEP, reads_apart=False, may_miss=frozenset({0}), late=True)
    explored = scene.explore(late, Mutant(rounds=(2, 1)))
    inevitable = {
        *("hidden for now", "hidden though all went well", "there twice"),
        *("not what it told", "nobody knows"),
    }
    hold(scene, explored, but=frozenset(inevitable))


EXPLORATIONS = (
    two_branches_that_create_the_file_lose_nothing,
    what_a_build_takes_out_stays_out_and_what_another_adds_meanwhile_stays_in,
    a_lost_answer_loses_nothing_and_writes_nothing_twice,
    a_request_that_is_handled_late_loses_nothing_for_good,
)


@pytest.mark.parametrize("holds", swept(EXPLORATIONS, sample=1), ids=lambda holds: str(holds.__name__))
def test_in_any_order(holds: Callable[[], None]) -> None:
    holds()


# --- three builds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [(1, 1, 1), *OTHER_ROUNDS])
def test_three_branches_lose_nothing_but_what_one_that_failed_says_and_the_next_heals(
    rounds: tuple[int, ...],
) -> None:
    scene = Scene(A, B, C)
    explored = scene.explore(LEAN, Mutant(rounds=rounds))
    hold(scene, explored, but=frozenset({"hidden for now"}))
    assert ("published", "published", "published") in endings(explored)


# --- mutants --------------------------------------------------------------------------------------------


def test_without_looking_back_a_path_is_lost() -> None:
    scene = Scene(A, B)
    explored = scene.explore(AT_ONCE, Mutant(looks_back=False))
    assert "hidden though all went well" in scene.found(explored)


def test_without_looking_back_the_bases_alone_bring_it_back_with_the_next_build() -> None:
    scene = Scene(A, B)
    explored = scene.explore(AT_ONCE, Mutant(looks_back=False))
    assert "lost for good" not in scene.found(explored)


def test_without_bases_a_path_is_lost_for_good() -> None:
    scene = Scene(A, B, forgets_bases=True)
    explored = scene.explore(AT_ONCE)
    assert "lost for good" in scene.found(explored)


def test_without_bases_and_looking_back_a_path_is_lost_for_good() -> None:
    scene = Scene(A, B, forgets_bases=True)
    explored = scene.explore(AT_ONCE, Mutant(looks_back=False))
    assert "lost for good" in scene.found(explored)


def test_without_looking_back_nobody_knows_of_a_plain_file_that_was_replaced() -> None:
    scene = Scene(Who("a", shares=False), Who("b", shares=False))
    explored = scene.explore(AT_ONCE, Mutant(looks_back=False))
    assert "nobody knows" in scene.found(explored)


def test_a_way_to_a_problem_is_told_move_by_move() -> None:
    scene = Scene(A, B)
    explored = scene.explore(AT_ONCE, Mutant(looks_back=False))
    told = scene.told(explored, "hidden though all went well").splitlines()
    assert told[1] == "0 reads"
    assert told[-1].startswith("BCS goes on from inserted for")
