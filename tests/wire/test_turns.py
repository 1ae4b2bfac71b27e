"""Whose turn it is where many builds have written one file at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.planned import OURS
from tests.support.publish_bench import NAME, Bench, open_bench
from tests.support.publishing import SPACE

from bcs_template_set.publish.turns import SLOT_SECONDS, Turns, pause_of, rank_of
from bcs_template_set.system.clock import Deadline

SIBLINGS = 4


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as made:
        made.add_file()
        yield made


def write(bench: Bench, name: str, *bases: str) -> str:
    """Write a version as a build does, and return its id."""
    text = f"by: {name}\n"
    state = bench.emulator.state
    state.add_version(SPACE, NAME, version=name, content=text, description=OURS.line(text, bases=bases))
    return state.find_versions(SPACE, NAME)[-1].id


def crowd(bench: Bench) -> dict[int, str]:
    """Let some builds write at once, and one that is current; return what they wrote, by their ranks."""
    base = bench.emulator.state.find_versions(SPACE, NAME)[0].id
    bench.clock.time += 60
    ids = [write(bench, f"v{number}", base) for number in range(SIBLINGS)]
    write(bench, "current", base)
    return {rank_of(version, ids): version for version in ids}


def turns_of(bench: Bench, *, seconds: float = 300, shared: bool = True) -> Turns:
    publishing = bench.publishing()
    desired = replace(publishing.desired, shared=frozenset({NAME} if shared else ()))
    return Turns(replace(publishing, desired=desired), Deadline(bench.clock, seconds=seconds))


def test_the_first_of_the_siblings_goes_on_at_once_and_each_other_a_while_after_the_one_before(
    bench: Bench,
) -> None:
    for rank, mine in crowd(bench).items():
        turns, began = turns_of(bench), bench.clock.time
        turns.enter({NAME: mine}, space_id=bench.space_id)
        assert turns.waiting == {NAME}
        assert turns.next(space_id=bench.space_id) == {NAME}
        assert bench.clock.time - began == rank * SLOT_SECONDS
        assert turns.waiting == frozenset()


def test_who_has_written_nothing_comes_after_all(bench: Bench) -> None:
    crowd(bench)
    turns, began = turns_of(bench), bench.clock.time
    turns.enter({NAME: ""}, space_id=bench.space_id)
    assert turns.next(space_id=bench.space_id) == {NAME}
    assert bench.clock.time - began == SIBLINGS * SLOT_SECONDS


def test_who_is_merged_meanwhile_has_nothing_left_to_do_and_who_has_written_nothing_goes_on(
    bench: Bench,
) -> None:
    ranked = crowd(bench)
    last, newcomer = turns_of(bench), turns_of(bench)
    last.enter({NAME: ranked[SIBLINGS - 1]}, space_id=bench.space_id)
    newcomer.enter({NAME: ""}, space_id=bench.space_id)
    current = bench.emulator.state.find_versions(SPACE, NAME)[-1].id
    write(bench, "merged", current, *ranked.values())
    began = bench.clock.time
    assert last.next(space_id=bench.space_id) == frozenset()
    assert bench.clock.time - began == SLOT_SECONDS
    assert newcomer.next(space_id=bench.space_id) == {NAME}
    assert bench.clock.time - began == 2 * SLOT_SECONDS


def test_who_is_not_in_what_somebody_has_merged_queues_up_again(bench: Bench) -> None:
    ranked = crowd(bench)
    turns = turns_of(bench)
    mine = ranked.pop(SIBLINGS - 1)
    turns.enter({NAME: mine}, space_id=bench.space_id)
    versions = bench.emulator.state.find_versions(SPACE, NAME)
    write(bench, "merged", versions[0].id, versions[-1].id, *ranked.values())
    began = bench.clock.time
    assert turns.next(space_id=bench.space_id) == {NAME}
    assert bench.clock.time - began == SLOT_SECONDS, "it is the only one that is left"


def test_when_the_time_is_over_it_is_the_turn_of_all(bench: Bench) -> None:
    mine = crowd(bench)[SIBLINGS - 1]
    turns = turns_of(bench, seconds=1)
    turns.enter({NAME: mine, "gone.yaml": ""}, space_id=bench.space_id)
    assert turns.next(space_id=bench.space_id) == {NAME, "gone.yaml"}
    assert bench.clock.time == turns.publishing.clock.monotonic()


def test_a_plain_file_is_planned_again_after_a_pause_of_this_builds_own_whoever_writes_it(
    bench: Bench,
) -> None:
    turns, began = turns_of(bench, shared=False), bench.clock.time
    turns.enter({NAME: "", "gone.yaml": ""}, space_id=bench.space_id)
    assert turns.next(space_id=bench.space_id) == {NAME, "gone.yaml"}
    assert bench.clock.time - began == pytest.approx(pause_of(OURS, 1))


def test_a_version_by_hand_has_no_siblings(bench: Bench) -> None:
    mine = crowd(bench)[SIBLINGS - 1]
    bench.emulator.state.add_version(SPACE, NAME, version="by-hand", content="x: 1\n")
    turns, began = turns_of(bench), bench.clock.time
    turns.enter({NAME: mine}, space_id=bench.space_id)
    assert turns.next(space_id=bench.space_id) == {NAME}
    assert bench.clock.time == began


@given(st.integers(0, 10**6), st.integers(1, 60))
def test_pauses_differ_by_build_and_are_never_longer_than_24_seconds(build: int, number: int) -> None:
    pause = pause_of(replace(OURS, build=build), number)
    assert 0 <= pause <= 24
    assert pause == pause_of(replace(OURS, build=build), number)


def test_many_builds_pause_for_many_times() -> None:
    assert len({pause_of(replace(OURS, build=number), 1) for number in range(20)}) > 15
