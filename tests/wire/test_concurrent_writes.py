"""The look back after publishing: what others did meanwhile is said, each kind in its words, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.planned import OURS
from tests.support.publish_bench import AFTER, NAME, THEIRS, VERSION, Bench, creation, open_bench
from tests.support.publishing import LIST_FILES, SPACE, USER

from bcs_template_set.messages import say
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.publish.concurrent_writes import Settled, creator_warnings, settle
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.look_first import SETTLING_SECONDS

SAID = say("plan.branch_not_served", branch="dev")
LIST_NAMES = Match("GET", r"/metadata/versions$")
NOT_FOUND = '{"code": 5, "message": "Not Found", "details": []}'


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as made:
        made.add_file()
        yield made


def hotfix(bench: Bench, name: str, *, version: str = "hotfix") -> None:
    bench.emulator.state.add_version(SPACE, name, version=version, content=THEIRS, creator="zhangsan")


def notes(settled: Settled, name: str = NAME) -> list[str]:
    (found,) = [file for file in settled.files if file.change.name == name]
    return [str(note) for note in found.notes]


def applied(bench: Bench, name: str = NAME) -> FileOutcome:
    outcome = bench.publish_one(replace(bench.update(name), notes=(SAID,)))
    assert outcome.state == "applied"
    return outcome


# --- nothing to say -------------------------------------------------------------------------------------


def test_where_nobody_else_wrote_nothing_is_said(bench: Bench) -> None:
    outcome = applied(bench)
    assert bench.settle(outcome) == Settled((outcome,))


@pytest.mark.parametrize("state", ["unchanged", "skipped", "failed", "not-attempted"])
def test_a_space_to_which_nothing_was_applied_is_not_looked_at(bench: Bench, state: WriteEnd) -> None:
    outcome = replace(applied(bench), state=state)
    seen = len(bench.emulator.exchanges)
    assert bench.settle(outcome) == Settled((outcome,))
    assert len(bench.emulator.exchanges) == seen


def test_of_files_that_were_not_applied_nothing_is_said_beside_one_that_was(bench: Bench) -> None:
    bench.add_file("b.yaml")
    failed = replace(applied(bench, "b.yaml"), state="failed")
    outcome = applied(bench)
    hotfix(bench, "b.yaml")
    assert bench.settle(failed, outcome) == Settled((failed, outcome))


# --- rivals ---------------------------------------------------------------------------------------------


def test_a_version_that_was_made_current_right_after_is_named(bench: Bench) -> None:
    outcome = replace(applied(bench), unsure=True)
    hotfix(bench, NAME)
    settled = bench.settle(outcome)
    assert notes(settled) == [
        str(SAID),
        "a.yaml: version 1.0.7-main is published, but hotfix was made current right after.",
    ]
    assert settled.rivalled == {NAME}
    assert settled.hiding == {}, "it is ours that is hidden"


def test_versions_that_were_written_in_between_are_named_all(bench: Bench) -> None:
    change = bench.update()
    hotfix(bench, NAME, version="first")
    hotfix(bench, NAME, version="second")
    bench.emulator.state.find_file(SPACE, NAME).version = "1.0.6"
    outcome = bench.publish_one(change)
    assert bench.settle(outcome).rivalled == frozenset()  # no row tells it
    settled = bench.settle(replace(outcome, unsure=True))
    (note,) = notes(settled)
    assert note.startswith("a.yaml: while this version was being written, others wrote second, first, and")
    first, second = (version.id for version in bench.emulator.state.find_versions(SPACE, NAME)[1:3])
    assert settled.rivalled == {NAME}
    assert settled.hiding == {NAME: frozenset({first, second})}


def test_a_version_that_the_plan_knew_is_no_rivals(bench: Bench) -> None:
    hotfix(bench, NAME, version="first")
    bench.emulator.state.find_file(SPACE, NAME).version = "1.0.6"
    outcome = replace(bench.publish_one(bench.update()), unsure=True)
    assert bench.settle(outcome) == Settled((outcome,))


def test_only_the_files_that_rivals_wrote_are_named(bench: Bench) -> None:
    bench.add_file("b.yaml")
    outcomes = [applied(bench), applied(bench, "b.yaml")]
    hotfix(bench, "b.yaml")
    settled = bench.settle(*outcomes)
    assert settled.rivalled == {"b.yaml"}
    assert settled.files[0] == outcomes[0]


def test_a_file_that_was_deleted_is_said_and_is_not_planned_again(bench: Bench) -> None:
    outcome = applied(bench)
    bench.emulator.state.delete_file(SPACE, NAME)
    settled = bench.settle(outcome)
    assert notes(settled)[1:] == ["a.yaml was deleted right after it was published."]
    assert settled.rivalled == frozenset()


def test_a_file_that_points_at_another_version_of_our_name_is_not_overtaken(bench: Bench) -> None:
    """Two creations of one name at once: the file points at the name, and so at either."""
    outcome = applied(bench)
    hotfix(bench, NAME, version=VERSION)
    said = notes(bench.settle(outcome))
    assert said[1].startswith("a.yaml: while this version was being written, others wrote 1.0.7-main, and")
    (twice,) = said[2:]
    assert twice.startswith("a.yaml: version 1.0.7-main exists twice, written by two builds at once")


@pytest.mark.parametrize("current", ["hotfix", "deleted"])
def test_a_version_that_was_overwritten_where_another_is_current_is_not_overtaken(
    bench: Bench, current: str
) -> None:
    outcome = overwritten(bench, current)
    assert bench.settle(outcome) == Settled((outcome,))
    assert settle_shared(bench, outcome).rivalled == frozenset()


def test_a_version_that_was_overwritten_and_a_rivals_that_became_current_since_is_overtaken(
    bench: Bench,
) -> None:
    outcome = overwritten(bench, "hotfix")
    hotfix(bench, NAME, version="later")
    assert "later was made current right after" in notes(bench.settle(outcome))[0]


def test_a_pin_that_somebody_moves_back_right_after_is_said(bench: Bench) -> None:
    bench.emulator.state.pin(SPACE, NAME, version="1.0.6")
    outcome = overwritten(bench, "hotfix")
    assert bench.settle(outcome) == Settled((outcome,))
    bench.emulator.state.pin(SPACE, NAME, version="1.0.6")
    assert "1.0.6 was made current right after" in notes(bench.settle(outcome))[0]


def overwritten(bench: Bench, current: str) -> FileOutcome:
    """Rewrite the version of this name while the file points elsewhere, or nowhere."""
    hotfix(bench, NAME, version=VERSION)
    hotfix(bench, NAME, version=current)
    if current == "deleted":
        bench.emulator.state.delete_version(SPACE, NAME, version=current)
    taken = bench.emulator.state.find_versions(SPACE, NAME)[1]
    outcome = bench.publish_one(replace(bench.update(), overwrites=True, version_id=taken.id))
    assert outcome.state == "applied"
    return outcome


def test_a_name_that_exists_twice_in_another_file_is_not_said_of_this_one(bench: Bench) -> None:
    bench.add_file("b.yaml")
    outcome = applied(bench)
    for _ in range(2):
        hotfix(bench, "b.yaml", version=VERSION)
    assert notes(bench.settle(outcome)) == [str(SAID)]


def test_a_file_that_two_builds_have_made_at_once_is_said_to_be_there_twice(bench: Bench) -> None:
    def make(state: State) -> None:
        state.insert_file(replace(state.find_file(SPACE, NAME), id=state.new_id(), name="b.yaml"))

    bench.emulator.faults.add(
        Fault("rival", Match("POST", r"/template/metadatas$"), rival=make, when="after")
    )
    settled = bench.settle(applied(bench), bench.publish_one(creation("b.yaml")))
    (note,) = notes(settled, "b.yaml")
    assert note.startswith("b.yaml exists twice in this folder, created by two builds at once.")
    assert notes(settled) == [str(SAID)]
    assert settled.rivalled == frozenset()


def test_the_oldest_of_two_files_of_one_name_says_what_is_current(bench: Bench) -> None:
    state, outcome = bench.emulator.state, applied(bench)
    state.insert_file(replace(state.find_file(SPACE, NAME), id="f" * 24, version="theirs"))
    (note,) = notes(bench.settle(outcome))[1:]
    assert note.startswith("a.yaml exists twice")


# --- what branches share --------------------------------------------------------------------------------


def settle_shared(bench: Bench, outcome: FileOutcome) -> Settled:
    publishing = bench.publishing()
    desired = replace(publishing.desired, shared=frozenset({NAME}))
    return settle(replace(publishing, desired=desired), [outcome], space_id=bench.space_id)


def test_what_branches_share_is_looked_at_once_others_have_ended_and_nothing_else_waits(bench: Bench) -> None:
    outcome = applied(bench)
    began = bench.clock.time
    bench.settle(outcome)
    assert bench.clock.time == began
    settle_shared(bench, outcome)
    assert bench.clock.time == outcome.answered_at + SETTLING_SECONDS > began
    settle_shared(bench, outcome)
    assert bench.clock.time == outcome.answered_at + SETTLING_SECONDS, "that is over"


def test_what_a_build_has_merged_is_not_overtaken_by_it_where_branches_share_the_file(bench: Bench) -> None:
    outcome, state = applied(bench), bench.emulator.state
    for version in ("1.0.8", "1.0.9"):
        merged = OURS.line(THEIRS, bases=(state.find_versions(SPACE, NAME)[-1].id,))
        state.add_version(SPACE, NAME, version=version, content=THEIRS, creator="lisi", description=merged)
    assert settle_shared(bench, outcome) == Settled((outcome,), within=frozenset({NAME}))
    assert bench.settle(outcome).rivalled == {NAME}


def test_what_somebody_writes_beside_it_overtakes_a_build_also_where_branches_share_the_file(
    bench: Bench,
) -> None:
    outcome = applied(bench)
    hotfix(bench, NAME)
    settled = settle_shared(bench, outcome)
    assert (settled.rivalled, settled.within) == (frozenset({NAME}), frozenset())


# --- what can't be read ---------------------------------------------------------------------------------


def test_a_bcs_without_a_list_of_version_names_still_tells_what_is_current(bench: Bench) -> None:
    outcome = replace(applied(bench), unsure=True)
    hotfix(bench, NAME)
    bench.emulator.faults.add(Fault("answer", LIST_NAMES, status=404, body=NOT_FOUND))
    assert "hotfix was made current right after" in notes(bench.settle(outcome))[1]


@pytest.mark.parametrize("match", [LIST_FILES, LIST_NAMES])
def test_a_space_that_can_not_be_read_is_a_failure(bench: Bench, match: Match) -> None:
    outcome = replace(applied(bench), unsure=True)
    bench.refuse(match)
    with pytest.raises(BcsFailed):
        bench.settle(outcome)


# --- creators -------------------------------------------------------------------------------------------


def created_by(creator: str, name: str, *, state: WriteEnd = "applied") -> FileOutcome:
    return FileOutcome(creation(name, text=AFTER), state, creator=creator)


def test_each_creator_who_is_not_the_acting_user_is_named_once_with_all_of_his_files() -> None:
    files = [
        created_by("zhangsan", "b.yaml"),
        created_by(USER, "c.yaml"),
        created_by("wangwu", "d.yaml"),
        created_by("zhangsan", "a.yaml"),
    ]
    first, second = (str(text) for text in creator_warnings(files, user=USER))
    assert first.startswith("BCS recorded wangwu as the creator of d.yaml, but the step acted as lisi")
    assert second.startswith(
        "BCS recorded zhangsan as the creator of b.yaml, a.yaml, but the step acted as lisi"
    )


@pytest.mark.parametrize(
    ("file", "user"),
    [
        (created_by(USER, NAME), USER),
        (created_by("", NAME), USER),
        (created_by("zhangsan", NAME), ""),
        (created_by("zhangsan", NAME, state="failed"), USER),
    ],
)
def test_where_creator_or_user_are_not_known_or_the_same_or_nothing_was_applied_nobody_is_named(
    file: FileOutcome, user: str
) -> None:
    assert creator_warnings([file], user=user) == ()
