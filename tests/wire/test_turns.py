"""Whose turn it is where many builds have written one file at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.emulator.faults import Fault, Match
from tests.support.planned import OURS
from tests.support.publish_bench import NAME, Bench, open_bench
from tests.support.publishing import SPACE

from bcs_template_set.bcs.space.template_spaces import list_files, oldest_of_each_name
from bcs_template_set.publish.concurrent_writes import Settled
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.look_first import SETTLING_SECONDS
from bcs_template_set.publish.turns import SLOT_SECONDS, Contest, Turns, pause_of, rank_of
from bcs_template_set.system.clock import Deadline

SIBLINGS = 4
LIST_NAMES = Match("GET", r"/metadata/versions$")
NOT_FOUND = '{"code": 5, "message": "Not Found", "details": []}'


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


def enter(bench: Bench, turns: Turns, mine: str, *, owes: frozenset[str] = frozenset()) -> None:
    """Queue up after our version was found to be overtaken, or to be current and to hide others."""
    base = bench.emulator.state.find_versions(SPACE, NAME)[0].id
    change = replace(bench.update(), bases=(base,))
    written = [FileOutcome(change, "applied", version_id=mine)] if mine else []
    rows = oldest_of_each_name(list_files(turns.publishing.writer, "web", bench.space_id))
    hiding = {NAME: owes} if owes else {}
    rivalled = frozenset() if owes else frozenset({NAME})
    settled = Settled((), rivalled=rivalled, hiding=hiding, rows=rows)
    turns.enter(settled, written, space_id=bench.space_id)


def due(bench: Bench, turns: Turns) -> tuple[set[str], float]:
    """Return the files whose turn is next, and after how many seconds that is."""
    began = bench.clock.time
    return {*turns.next(space_id=bench.space_id)}, round(bench.clock.time - began, 3)


def pause(number: int) -> float:
    return round(pause_of(OURS, number), 3)


def asked(bench: Bench) -> list[str]:
    return [exchange.path.rpartition("/")[2] for exchange in bench.emulator.exchanges]


def test_the_first_of_the_siblings_goes_on_at_once_and_each_other_a_while_after_the_one_before(
    bench: Bench,
) -> None:
    for rank, mine in crowd(bench).items():
        turns = turns_of(bench)
        enter(bench, turns, mine)
        assert turns.waiting == {NAME}
        assert due(bench, turns) == ({NAME}, rank * SLOT_SECONDS)
        assert turns.waiting == frozenset()


@pytest.mark.parametrize(("rounds", "seconds"), [(7, 0.0), (8, pause(9))])
def test_after_eight_rounds_a_turn_waits_for_a_pause_too(bench: Bench, rounds: int, seconds: float) -> None:
    turns = turns_of(bench)
    turns.rounds = rounds
    enter(bench, turns, crowd(bench)[0])
    assert due(bench, turns) == ({NAME}, seconds)


def test_who_has_seen_others_hidden_comes_after_all(bench: Bench) -> None:
    ranked = crowd(bench)
    turns = turns_of(bench)
    enter(bench, turns, "", owes=frozenset(ranked.values()))
    assert due(bench, turns) == ({NAME}, SIBLINGS * SLOT_SECONDS)


def test_who_has_written_nothing_goes_on_after_a_pause_and_looks_at_nothing_meanwhile(bench: Bench) -> None:
    crowd(bench)
    turns = turns_of(bench)
    enter(bench, turns, "")
    before = len(asked(bench))
    assert due(bench, turns) == ({NAME}, pause(1))
    assert len(asked(bench)) == before


def test_who_is_merged_meanwhile_has_nothing_left_to_do(bench: Bench) -> None:
    ranked = crowd(bench)
    turns = turns_of(bench)
    enter(bench, turns, ranked[SIBLINGS - 1])
    current = bench.emulator.state.find_versions(SPACE, NAME)[-1].id
    write(bench, "merged", current, *ranked.values())
    before = len(asked(bench))
    assert due(bench, turns) == (set(), SLOT_SECONDS + SETTLING_SECONDS)
    assert len(asked(bench)) == before + 3, "the rows, what is current, and once more the rows"


def test_who_has_seen_others_hidden_stays_until_they_are_merged_too(bench: Bench) -> None:
    ranked = crowd(bench)
    mine = bench.emulator.state.find_versions(SPACE, NAME)[-1].id
    for merged, ends in (([], {NAME}), (ranked.values(), set[str]())):
        turns = turns_of(bench)
        enter(bench, turns, mine, owes=frozenset(ranked.values()))
        write(bench, f"upon{len(merged)}", mine, *merged)
        assert due(bench, turns)[0] == ends


def test_what_was_merged_before_it_is_queued_up_for_is_left(bench: Bench) -> None:
    ranked = crowd(bench)
    current = bench.emulator.state.find_versions(SPACE, NAME)[-1].id
    write(bench, "merged", current, *ranked.values())
    turns = turns_of(bench)
    enter(bench, turns, ranked[0])
    assert turns.waiting == {NAME}, "somebody may hide it still"
    turns.contests["b.yaml"] = Contest("", frozenset(), frozenset(), due=bench.clock.monotonic() + 1)
    write(bench, "upon", bench.emulator.state.find_versions(SPACE, NAME)[-1].id)
    assert due(bench, turns) == ({"b.yaml"}, 1)
    assert due(bench, turns) == (set(), SETTLING_SECONDS - 1), "what is written upon it delays nothing"


def test_what_is_hidden_again_right_after_it_was_merged_is_queued_up_for_again(bench: Bench) -> None:
    ranked = crowd(bench)
    current = bench.emulator.state.find_versions(SPACE, NAME)[-1].id
    write(bench, "merged", current, *ranked.values())
    turns = turns_of(bench)
    enter(bench, turns, ranked[0])
    write(bench, "late", current)
    files, seconds = due(bench, turns)
    assert (files, turns.waiting) == ({NAME}, frozenset())
    assert seconds >= SETTLING_SECONDS


def test_who_is_not_in_what_somebody_has_merged_queues_up_again(bench: Bench) -> None:
    ranked = crowd(bench)
    turns = turns_of(bench)
    mine = ranked.pop(SIBLINGS - 1)
    enter(bench, turns, mine)
    versions = bench.emulator.state.find_versions(SPACE, NAME)
    write(bench, "merged", versions[0].id, versions[-1].id, *ranked.values())
    assert due(bench, turns) == ({NAME}, SLOT_SECONDS), "it is the only one that is left"


@pytest.mark.parametrize("lists_names", [True, False])
def test_what_stands_upon_each_other_does_not_wait_to_be_merged(bench: Bench, *, lists_names: bool) -> None:
    base = bench.emulator.state.find_versions(SPACE, NAME)[0].id
    bench.clock.time += 60
    mine = write(bench, "mine", base)
    first = write(bench, "first", base)
    second = write(bench, "second", first)
    third = write(bench, "third", second)
    turns = turns_of(bench)
    if lists_names:
        turns.publishing.versions([second, third])
    else:  # then the contents come with the names
        bench.emulator.faults.add(Fault("answer", LIST_NAMES, status=404, body=NOT_FOUND))
    enter(bench, turns, "", owes=frozenset({mine}))
    assert due(bench, turns) == ({NAME}, SLOT_SECONDS), "one waits, not two"


def test_when_the_time_is_over_it_is_the_turn_of_all(bench: Bench) -> None:
    mine = crowd(bench)[SIBLINGS - 1]
    turns = turns_of(bench, seconds=1)
    enter(bench, turns, mine)
    assert due(bench, turns) == ({NAME}, 1.0)


def test_a_plain_file_is_planned_again_after_a_pause_of_this_builds_own_whoever_writes_it(
    bench: Bench,
) -> None:
    turns = turns_of(bench, shared=False)
    enter(bench, turns, crowd(bench)[0])
    assert due(bench, turns) == ({NAME}, pause(1))


def test_a_file_that_is_gone_is_planned_again_after_a_pause(bench: Bench) -> None:
    turns = turns_of(bench)
    mine = crowd(bench)[SIBLINGS - 1]
    enter(bench, turns, mine)
    bench.emulator.state.delete_file(SPACE, NAME)
    assert due(bench, turns) == ({NAME}, (SIBLINGS - 1) * SLOT_SECONDS)


def test_a_version_by_hand_has_no_siblings(bench: Bench) -> None:
    mine = crowd(bench)[SIBLINGS - 1]
    bench.emulator.state.add_version(SPACE, NAME, version="by-hand", content="x: 1\n")
    turns = turns_of(bench)
    enter(bench, turns, mine)
    assert due(bench, turns) == ({NAME}, 0.0)
