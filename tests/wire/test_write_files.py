"""Writing one file after the other: what is sent, what is said, and what a lost answer comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.emulator import Dialect
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.planned import OURS
from tests.support.publish_bench import AFTER, BEFORE, NAME, THEIRS, VERSION, Bench, creation, open_bench
from tests.support.publishing import (
    CREATE_FILE,
    CREATE_SPACE,
    CREATE_VERSION,
    GET_FILE,
    GET_VERSION,
    SPACE,
    UPDATE_FILE,
    USER,
)

from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid, Overtaken
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed, OutcomeUnknown
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.look_first import BESIDE_SECONDS, SETTLING_SECONDS
from bcs_template_set.publish.plan import Change, Plan
from bcs_template_set.publish.write_files import ensure_space, publish_files

DRAFT = "half: done\n"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as made:
        yield made


def notes(outcome: FileOutcome) -> list[str]:
    return [str(note) for note in outcome.notes]


def details(outcome: FileOutcome) -> list[str]:
    return [str(detail) for detail in outcome.error.details] if outcome.error is not None else []


def names(bench: Bench, name: str = NAME) -> list[str]:
    return [version.version for version in bench.emulator.state.find_versions(SPACE, name)]


def rival(bench: Bench, *, name: str = VERSION, text: str = THEIRS) -> None:
    bench.emulator.state.add_version(SPACE, NAME, version=name, content=text, creator="zhangsan")


# --- all files ------------------------------------------------------------------------------------------


def unchanged(name: str) -> Change:
    return Change(name, "unchanged", BEFORE, "", version="1.0.6", version_id="1" * 24)


def test_every_file_ends_once_in_the_order_of_names_and_only_what_is_written_is_heard_of(
    bench: Bench,
) -> None:
    skipped = replace(unchanged("s.yaml"), action="skip")
    files = bench.publish(creation("z.yaml"), skipped, creation("b.yaml"), unchanged("c.yaml"))
    assert [(file.change.name, file.state) for file in files] == [
        ("b.yaml", "applied"),
        ("c.yaml", "unchanged"),
        ("s.yaml", "skipped"),
        ("z.yaml", "applied"),
    ]
    assert bench.heard == [files[3], files[0]]
    assert (files[1].version, files[1].version_id) == ("1.0.6", "1" * 24)


SAID = say("plan.branch_not_served", branch="dev")


def test_what_the_plan_noted_of_a_file_stays_with_it_however_it_ends(bench: Bench) -> None:
    bench.refuse(CREATE_FILE)
    changes = (creation("a.yaml"), creation("b.yaml"), unchanged("c.yaml"))
    failed, applied, same = bench.publish(*(replace(change, notes=(SAID,)) for change in changes))
    assert [(file.state, file.notes) for file in (failed, applied, same)] == [
        ("failed", (SAID,)),
        ("applied", (SAID,)),
        ("unchanged", (SAID,)),
    ]


def test_a_failure_names_its_file(bench: Bench) -> None:
    bench.refuse(CREATE_FILE)
    error = bench.publish_one(creation()).error
    assert isinstance(error, BcsFailed)
    assert error.context["file"] == NAME


def test_a_file_that_there_is_no_time_for_is_not_attempted_and_fails_with_nothing(bench: Bench) -> None:
    bench.seconds = 0
    outcome = bench.publish_one(replace(creation(), notes=(SAID,)))
    assert (outcome.state, outcome.error, outcome.notes) == ("not-attempted", None, (SAID,))
    assert (bench.heard, bench.written()) == ([outcome], [])


def test_a_file_says_how_long_it_took(bench: Bench) -> None:
    def late(_: State) -> None:
        bench.clock.time += 5

    bench.emulator.faults.add(Fault("rival", CREATE_FILE, rival=late))
    assert bench.publish_one(creation()).seconds == 5.0


# --- the space ------------------------------------------------------------------------------------------


def space_ids(bench: Bench) -> list[str]:
    return [space.id for space in bench.emulator.state.find_spaces(SPACE)]


def test_a_space_that_is_made_is_a_change_also_where_the_answer_was_lost(bench: Bench) -> None:
    for lost in (False, True):
        bench.emulator.state.spaces.clear()
        if lost:
            bench.lose(CREATE_SPACE, handled=True)
        assert ensure_space(bench.publishing()) == (*space_ids(bench), True)


def test_a_space_that_was_there_already_is_no_change(bench: Bench) -> None:
    assert ensure_space(bench.publishing()) == (*space_ids(bench), False)


def test_a_space_whose_making_was_lost_is_made_again(bench: Bench) -> None:
    bench.emulator.state.spaces.clear()
    bench.lose(CREATE_SPACE, handled=False)
    assert ensure_space(bench.publishing()) == (*space_ids(bench), True)


# --- a file that is made --------------------------------------------------------------------------------


def test_a_file_that_is_made_is_there_as_it_was_sent_with_where_it_came_from(bench: Bench) -> None:
    outcome = bench.publish_one(creation())
    (version,) = bench.emulator.state.find_versions(SPACE, NAME)
    assert (outcome.state, outcome.version, outcome.version_id) == ("applied", VERSION, version.id)
    assert (outcome.creator, outcome.error) == (USER, None)
    assert (version.version, version.content, version.creator) == (VERSION, AFTER, USER)
    assert version.description == OURS.line(AFTER, bases=("-",))


def test_a_file_whose_making_was_handled_is_found(bench: Bench) -> None:
    bench.lose(CREATE_FILE, handled=True)
    outcome = bench.publish_one(creation())
    assert (outcome.state, len(bench.written()), names(bench)) == ("applied", 1, [VERSION])
    assert outcome.unsure, "others may have written meanwhile unseen"


def test_a_file_whose_making_was_lost_is_made_again(bench: Bench) -> None:
    bench.add_file("another.yaml")
    bench.lose(CREATE_FILE, handled=False)
    outcome = bench.publish_one(creation())
    assert (outcome.state, len(bench.written()), names(bench)) == ("applied", 2, [VERSION])


def test_a_file_that_somebody_else_made_is_not_ours(bench: Bench) -> None:
    bench.add_file()
    outcome = bench.publish_one(creation())
    assert isinstance(outcome.error, Overtaken)
    assert details(outcome) == ["a.yaml: this file was created after the plan."]
    assert (names(bench), bench.written()) == (["1.0.6"], [])


def test_a_file_that_somebody_else_makes_at_the_same_moment_is_not_ours(bench: Bench) -> None:
    bench.lose(CREATE_FILE, handled=False)
    bench.emulator.faults.add(Fault("rival", CREATE_FILE, rival=lambda _: bench.add_file()))
    outcome = bench.publish_one(creation())
    assert isinstance(outcome.error, Overtaken)
    assert details(outcome) == ["a.yaml: this file was created after the plan."]


def test_a_version_is_read_once_and_its_content_is_not_shown(bench: Bench) -> None:
    bench.add_file()
    publishing, (version,) = bench.publishing(), bench.emulator.state.find_versions(SPACE, NAME)
    first, again = (publishing.versions([version.id]) for _ in range(2))
    assert first == again
    assert len([e for e in bench.emulator.exchanges if GET_VERSION.fits(e.method, e.path)]) == 1
    assert BEFORE.strip() not in repr(publishing)


def test_a_space_whose_name_bcs_refuses_is_a_mistake_in_the_inputs(bench: Bench) -> None:
    refused = '{"code": 2, "message": "no such name", "data": null}'
    bench.emulator.faults.add(Fault("answer", CREATE_SPACE, status=200, body=refused))
    with pytest.raises(InputsInvalid):
        ensure_space(bench.publishing())


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_same_version_of_somebody_else_is_ours_unless_branches_share_the_file(
    bench: Bench, *, is_shared: bool
) -> None:
    bench.add_file()
    change = bench.update()
    rival(bench, text=AFTER)
    bench.emulator.state.find_file(SPACE, NAME).version = "1.0.6"
    publishing = bench.publishing()
    desired = replace(publishing.desired, shared=frozenset({NAME} if is_shared else ()))
    plan = Plan(desired.target, VERSION, (change,), creates_space=False, chart="none", digest="")
    (outcome,) = publish_files(replace(publishing, desired=desired), plan, space_id=bench.space_id)
    assert isinstance(outcome.error, Overtaken) is is_shared
    assert (outcome.state == "applied") is not is_shared


# --- a file that is there -------------------------------------------------------------------------------


def test_a_version_says_where_it_came_from_and_what_it_was_made_from(bench: Bench) -> None:
    bench.add_file()
    change = bench.update()
    outcome = bench.publish_one(change)
    before, version = bench.emulator.state.find_versions(SPACE, NAME)
    assert (outcome.state, outcome.version_id, outcome.creator) == ("applied", version.id, USER)
    assert version.description == OURS.line(AFTER, bases=(before.id,))
    assert [body["force"] for body in bench.bodies(CREATE_VERSION)] == [False]
    assert bench.bodies(UPDATE_FILE) == []
    assert not [e for e in bench.emulator.exchanges if GET_FILE.fits(e.method, e.path)], "the list tells it"
    assert not outcome.unsure


def test_what_branches_share_is_written_first_and_where_nothing_is_written_nobody_looks(bench: Bench) -> None:
    for name in ("a.yaml", "b.yaml"):
        bench.add_file(name)
    publishing = bench.publishing()
    changes = (bench.update("a.yaml"), bench.update("b.yaml"), unchanged("c.yaml"))
    desired = replace(publishing.desired, shared=frozenset({"b.yaml"}))
    plan = Plan(desired.target, VERSION, changes, creates_space=False, chart="none", digest="")
    publish_files(replace(publishing, desired=desired), plan, space_id=bench.space_id)
    assert [outcome.change.name for outcome in bench.heard] == ["b.yaml", "a.yaml"]
    seen = len(bench.emulator.exchanges)
    publish_files(publishing, replace(plan, changes=changes[2:]), space_id=bench.space_id)
    assert len(bench.emulator.exchanges) == seen


@pytest.mark.parametrize(
    ("age", "is_shared", "moves_pin", "goes_on"),
    [
        (0.0, True, False, True),
        (BESIDE_SECONDS - 0.1, True, False, True),
        (BESIDE_SECONDS, True, False, False),
        (0.0, False, False, False),
        (0.0, True, True, False),
    ],
)
def test_beside_a_build_that_began_from_the_same_a_young_plan_of_what_branches_share_is_written(
    bench: Bench, age: float, *, is_shared: bool, moves_pin: bool, goes_on: bool
) -> None:
    bench.add_file(pinned=moves_pin)
    change = bench.update()
    theirs = OURS.line(THEIRS, bases=change.bases)
    bench.emulator.state.add_version(SPACE, NAME, version="1.0.8", content=THEIRS, description=theirs)
    if moves_pin:
        bench.emulator.state.pin(SPACE, NAME, version="1.0.8")
    publishing = replace(bench.publishing(), planned_at=bench.clock.time - age)
    desired = replace(publishing.desired, shared=frozenset({NAME} if is_shared else ()))
    plan = Plan(desired.target, VERSION, (change,), creates_space=False, chart="none", digest="")
    (outcome,) = publish_files(replace(publishing, desired=desired), plan, space_id=bench.space_id)
    assert isinstance(outcome.error, Overtaken) is not goes_on
    assert (outcome.state == "applied") is goes_on


@pytest.mark.parametrize(("seconds", "unsure"), [(SETTLING_SECONDS, True), (SETTLING_SECONDS - 0.1, False)])
def test_a_version_that_took_long_may_have_others_beside_it(
    bench: Bench, seconds: float, *, unsure: bool
) -> None:
    def take(_: State) -> None:
        bench.clock.time += seconds

    bench.add_file()
    bench.emulator.faults.add(Fault("rival", CREATE_VERSION, rival=take))
    assert bench.publish_one(bench.update()).unsure is unsure


@pytest.mark.parametrize("text", [AFTER, THEIRS])
def test_a_file_that_changed_since_the_plan_is_not_written_whatever_it_holds_now(
    bench: Bench, text: str
) -> None:
    bench.add_file()
    change = bench.update()
    rival(bench, name="hotfix", text=text)
    outcome = bench.publish_one(change)
    assert isinstance(outcome.error, Overtaken)
    assert details(outcome) == [
        "a.yaml: planned against version 1.0.6, but zhangsan has made hotfix current since."
    ]
    assert bench.written() == []


def renamed_to(bench: Bench, name: str, *, space: str = SPACE) -> None:
    """Rename the file and its versions, as the console does."""
    state = bench.emulator.state
    file = state.find_file(SPACE, NAME)
    for version in state.find_versions(SPACE, NAME):
        state.versions.move(version, file=name, space=space)
    file.name, file.space, file.updator = name, space, "zhangsan"


MOVES = pytest.mark.parametrize(("name", "space"), [("other.yaml", SPACE), (NAME, "elsewhere")])


@MOVES
def test_a_file_that_was_renamed_or_moved_since_the_plan_is_not_written(
    bench: Bench, name: str, space: str
) -> None:
    bench.add_file()
    change = bench.update()
    renamed_to(bench, name, space=space)
    outcome = bench.publish_one(change)
    assert isinstance(outcome.error, Overtaken)
    assert f"it is called {space}/{name} (zhangsan changed it last)" in details(outcome)[0]
    assert bench.written() == []


@MOVES
def test_a_file_that_was_renamed_or_moved_between_check_and_write_is_not_told_where_it_was(
    bench: Bench, name: str, space: str
) -> None:
    bench.add_file()
    change = bench.update()
    fault = Fault("rival", CREATE_VERSION, rival=lambda _: renamed_to(bench, name, space=space))
    bench.emulator.faults.add(fault)
    outcome = bench.publish_one(change)
    assert (outcome.state, bool(outcome.version_id)) == ("failed", True)
    assert isinstance(outcome.error, Overtaken)
    assert f"{space}/{name}" in details(outcome)[0]


def test_a_mere_draft_that_somebody_has_published_since_the_plan_is_overtaken_too(bench: Bench) -> None:
    bench.add_file(draft=DRAFT)
    bench.emulator.state.delete_version(SPACE, NAME, version="1.0.6")
    change = bench.update()
    rival(bench, name="first")
    assert details(bench.publish_one(change)) == [
        "a.yaml: planned against version -, but zhangsan has made first current since."
    ]


def test_a_mere_draft_gets_its_first_version_and_stays(bench: Bench) -> None:
    bench.add_file(draft=DRAFT)
    bench.emulator.state.delete_version(SPACE, NAME, version="1.0.6")
    assert bench.publish_one(bench.update()).state == "applied"
    assert bench.emulator.state.find_file(SPACE, NAME).draft_content == DRAFT


@pytest.mark.parametrize("handled", [True, False])
def test_a_version_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(
    bench: Bench, *, handled: bool
) -> None:
    bench.add_file()
    bench.lose(CREATE_VERSION, handled=handled)
    outcome = bench.publish_one(bench.update())
    assert (outcome.state, outcome.unsure) == ("applied", True)
    assert len(bench.written()) == (1 if handled else 2)
    assert names(bench) == ["1.0.6", VERSION]


def test_a_version_of_this_name_with_other_content_is_planned_again_and_its_creator_named(
    bench: Bench,
) -> None:
    bench.add_file()
    change = bench.update()
    taken = Fault("rival", CREATE_VERSION, rival=lambda _: rival(bench))
    bench.emulator.faults.add(taken)
    outcome = bench.publish_one(change)
    assert isinstance(outcome.error, Overtaken)
    assert details(outcome) == ["a.yaml: zhangsan has written version 1.0.7-main with other content."]


def overwriting(bench: Bench) -> Change:
    """Return the change that rewrites the version of this name, of a file that points elsewhere."""
    rival(bench)
    rival(bench, name="hotfix")
    taken = bench.emulator.state.find_versions(SPACE, NAME)[1]
    return replace(bench.update(), overwrites=True, version_id=taken.id)


@pytest.mark.parametrize("handled", [True, False])
def test_a_version_that_is_overwritten_is_sent_again_while_it_holds_other_content(
    bench: Bench, *, handled: bool
) -> None:
    bench.add_file()
    change = overwriting(bench)
    bench.lose(CREATE_VERSION, handled=handled)
    outcome = bench.publish_one(change)
    assert (outcome.state, outcome.version_id) == ("applied", change.version_id)
    assert [body["force"] for body in bench.bodies(CREATE_VERSION)] == [True] * (1 if handled else 2)
    assert bench.emulator.state.find_versions(SPACE, NAME)[1].content == AFTER
    assert names(bench) == ["1.0.6", VERSION, "hotfix"]


# --- pins and drafts ------------------------------------------------------------------------------------


def pin_only(bench: Bench) -> Change:
    """Return the change that moves the pin to a version that is there already."""
    rival(bench, text=AFTER)
    (_, written) = bench.emulator.state.find_versions(SPACE, NAME)
    return replace(bench.update(), writes_version=False, version_id=written.id)


def test_where_only_the_pin_moves_no_version_is_written(bench: Bench) -> None:
    bench.add_file(pinned=True)
    change = pin_only(bench)
    outcome = bench.publish_one(change)
    assert (outcome.state, outcome.version_id, outcome.version) == ("applied", change.version_id, VERSION)
    assert [exchange.method for exchange in bench.written()] == ["PUT"]
    assert bench.emulator.state.find_file(SPACE, NAME).version == VERSION


def test_a_draft_of_a_file_that_follows_its_newest_version_is_put_back_and_nothing_else(bench: Bench) -> None:
    bench.add_file(draft=DRAFT)
    assert bench.publish_one(bench.update()).state == "applied"
    file = bench.emulator.state.find_file(SPACE, NAME)
    assert (file.is_draft, file.draft_content, file.version) == (True, DRAFT, VERSION)
    (body,) = bench.bodies(UPDATE_FILE)
    assert (body["version"], body["versionMode"]) == ("1.0.6", "LatestUpdateTime")


@pytest.mark.parametrize(("pinned", "draft"), [(True, ""), (True, DRAFT), (False, DRAFT)])
@pytest.mark.parametrize("handled", [True, False])
def test_a_pin_or_draft_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(
    bench: Bench, *, pinned: bool, draft: str, handled: bool
) -> None:
    bench.add_file(pinned=pinned, draft=draft)
    bench.lose(UPDATE_FILE, handled=handled)
    assert bench.publish_one(bench.update()).state == "applied"
    assert len(bench.bodies(UPDATE_FILE)) == (1 if handled else 2)
    file = bench.emulator.state.find_file(SPACE, NAME)
    assert (file.version, file.draft_content) == (VERSION, draft)


def test_a_draft_that_is_put_back_beside_an_overwritten_version_is_found_there(bench: Bench) -> None:
    """The file goes on pointing elsewhere, so nothing may wait for it to point at our version."""
    bench.add_file(draft=DRAFT)
    change = overwriting(bench)
    bench.lose(UPDATE_FILE, handled=True)
    assert bench.publish_one(change).state == "applied"
    assert len(bench.bodies(UPDATE_FILE)) == 1
    assert bench.emulator.state.find_file(SPACE, NAME).version == "hotfix"


def test_a_draft_that_somebody_changed_meanwhile_is_not_the_one_that_was_put_back(bench: Bench) -> None:
    def edit(state: State) -> None:
        state.find_file(SPACE, NAME).draft_content = "theirs\n"

    bench.add_file(draft=DRAFT)
    bench.lose(UPDATE_FILE, handled=True)
    bench.emulator.faults.add(Fault("rival", Match(GET_FILE.method, GET_FILE.path, nth=2), rival=edit))
    assert bench.publish_one(bench.update()).state == "applied"
    assert len(bench.bodies(UPDATE_FILE)) == 2


@pytest.mark.parametrize(("pinned", "told"), [(True, VERSION), (False, "1.0.6")])
def test_a_file_that_is_renamed_by_a_bcs_amid_an_upgrade_gets_its_name_back_and_its_pin_and_draft_stay(
    bench: Bench, *, pinned: bool, told: str
) -> None:
    def upgrade(state: State) -> None:
        state.dialect = Dialect.A  # where the name that is put back holds its folder

    bench.add_file(pinned=pinned, draft=DRAFT)
    bench.emulator.faults.add(Fault("rival", UPDATE_FILE, rival=upgrade))
    outcome = bench.publish_one(bench.update())
    assert (outcome.state, outcome.creator) == ("applied", USER)
    assert [body["version"] for body in bench.bodies(UPDATE_FILE)] == [told, told]
    file = bench.emulator.state.find_file(SPACE, NAME)
    assert (file.version, file.draft_content, bool(file.version_mode)) == (VERSION, DRAFT, pinned)


def test_a_file_whose_name_can_not_be_given_back_is_a_failure(bench: Bench) -> None:
    def rename(state: State) -> None:
        state.versions.move(state.find_versions(SPACE)[-1], file="other.yaml")

    bench.add_file(draft=DRAFT)
    bench.emulator.faults.add(Fault("rival", UPDATE_FILE, rival=rename, when="after", times=9))
    outcome = bench.publish_one(bench.update())
    assert (outcome.state, bool(outcome.version_id)) == ("failed", True)
    assert "other.yaml" in str(outcome.error)
    bench.emulator.faults.clear()


WRITTEN = "a.yaml: version 1.0.7-main is written"
NOT_PINNED = f"{WRITTEN}, but the file is still pinned to 1.0.6; run again to finish."
PIN_UNSURE = (
    f"{WRITTEN}, but the step does not know whether the file is pinned to it or still to 1.0.6;"
    " run again to finish."
)
DRAFT_LOST = (
    f"{WRITTEN}, but the draft that zhangsan had left in the console is gone: BCS discards it "
    "with a new version, and it could not be put back."
)
DRAFT_UNSURE = (
    "a.yaml: zhangsan had left a draft in the console. BCS discards it with a new version, and the step "
    "does not know whether that happened, or the draft was put back: look in the console."
)


@pytest.mark.parametrize(
    ("pinned", "draft", "refused", "unsure"),
    [
        (True, "", [NOT_PINNED], [PIN_UNSURE]),
        (False, DRAFT, [DRAFT_LOST], [DRAFT_UNSURE]),
        (True, DRAFT, [NOT_PINNED, DRAFT_LOST], [PIN_UNSURE, DRAFT_UNSURE]),
    ],
)
def test_a_pin_or_draft_that_could_not_be_put_back_is_said_with_the_version_that_is_written(
    bench: Bench, *, pinned: bool, draft: str, refused: list[str], unsure: list[str]
) -> None:
    bench.add_file(pinned=pinned, draft=draft)
    bench.add_file("b.yaml", pinned=pinned, draft=draft)
    changes = [replace(bench.update(name), notes=(SAID,)) for name in (NAME, "b.yaml")]
    bench.refuse(UPDATE_FILE)
    outcome = bench.publish_one(changes[0])
    assert (outcome.state, type(outcome.error)) == ("failed", BcsFailed)
    assert notes(outcome) == [str(SAID), *refused]
    written = bench.emulator.state.find_versions(SPACE, NAME)[-1]
    assert (outcome.version, outcome.version_id) == (VERSION, written.id)
    bench.lose(UPDATE_FILE, handled=False, times=3)
    outcome = bench.publish_one(changes[1])
    assert (outcome.state, type(outcome.error)) == ("failed", OutcomeUnknown)
    assert notes(outcome) == [str(SAID), *(note.replace(NAME, "b.yaml") for note in unsure)]


def test_a_pin_that_could_not_be_moved_alone_has_written_nothing_and_cost_no_draft(bench: Bench) -> None:
    bench.add_file(pinned=True, draft=DRAFT)
    change = pin_only(bench)
    bench.refuse(UPDATE_FILE)
    outcome = bench.publish_one(change)
    assert (outcome.state, outcome.version_id, notes(outcome)) == ("failed", "", [NOT_PINNED])


@pytest.mark.parametrize("draft", ["", DRAFT])
def test_a_version_that_may_be_written_may_have_cost_the_draft(bench: Bench, draft: str) -> None:
    bench.add_file(draft=draft)
    bench.lose(CREATE_VERSION, handled=False, times=3)
    outcome = bench.publish_one(replace(bench.update(), notes=(SAID,)))
    assert (outcome.state, type(outcome.error)) == ("failed", OutcomeUnknown)
    assert (outcome.version_id, outcome.version) == ("", "")
    assert notes(outcome) == [str(SAID), *([DRAFT_UNSURE] if draft else [])]


# --- reading back ---------------------------------------------------------------------------------------


def test_a_version_that_holds_something_else_is_a_failure_that_names_it(bench: Bench) -> None:
    def rewrite(state: State) -> None:
        state.find_versions(SPACE, NAME)[-1].content = THEIRS

    bench.add_file()
    bench.emulator.faults.add(Fault("rival", GET_VERSION, rival=rewrite))
    outcome = bench.publish_one(bench.update())
    written = bench.emulator.state.find_versions(SPACE, NAME)[-1]
    assert isinstance(outcome.error, AnswerUnreadable)
    assert (outcome.state, outcome.version_id, outcome.version) == ("failed", written.id, VERSION)
    assert f"template/versions/{written.id}" in str(outcome.error)
    assert "a.yaml: BCS holds other content than was sent." in str(outcome.error)


def test_a_version_that_can_not_be_read_back_is_written_and_says_so(bench: Bench) -> None:
    bench.add_file()
    bench.refuse(GET_VERSION)
    outcome = bench.publish_one(replace(bench.update(), notes=(SAID,)))
    assert (outcome.state, outcome.creator, outcome.version) == ("applied", "", VERSION)
    assert not outcome.verified
    kept, said = notes(outcome)
    assert kept == str(SAID)
    assert said.startswith("a.yaml: version 1.0.7-main is written, but could not be read back to check it: ")
    assert "mongo is away" in said
