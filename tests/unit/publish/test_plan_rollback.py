"""The plan of going back: which file goes where, what stays, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

from tests.support.planned import OURS, POLICY, A, B, desired, existing, existing_file, file_id, version_of

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import PastFile, ref_of
from bcs_template_set.publish.past_states import PastState
from bcs_template_set.publish.plan_rollback import files_of, plan_rollback, rows_back, sending

OLD = version_of(A, name="1.0.5-main", number=1, origin=replace(OURS, build=5))
NEW = version_of(B, name="1.0.6-main", number=2)
LATER = version_of(B + "# later\n", name="1.0.8-main", number=3, origin=replace(OURS, build=8))
JOB = version_of("apiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\n", number=4)
STATE = PastState(
    {"a.yaml": ref_of(OLD), "b.yaml": ref_of(OLD), "c.yaml": ref_of(OLD), "job.yaml": ref_of(JOB)},
    absent=("new.yaml",),
    passed=(7,),
    unsure=("b.yaml",),
)


def test_files_that_hold_nothing_but_jobs_are_not_sent_again() -> None:
    rows = {name: TemplateFile(file_id(name), name, "", "", 0, real_name=name) for name in STATE.versions}
    past = {name: PastFile(row, (OLD, JOB)) for name, row in rows.items()}
    assert [file.name for file in files_of(STATE, past)] == ["a.yaml", "b.yaml", "c.yaml"]
    empty = replace(STATE, versions={"a.yaml": ref_of(OLD)})
    assert [file.name for file in files_of(empty, {"a.yaml": PastFile(rows["a.yaml"], (OLD,))})] == ["a.yaml"]


def test_each_file_goes_to_its_version_or_stays_and_nothing_is_written() -> None:
    """`a` goes back, `b` is live as it was though BCS points at a later version, `c` is not live at all."""
    wanted = desired(("a.yaml", A), ("b.yaml", A), ("c.yaml", A))
    files = [existing_file("a.yaml", NEW), existing_file("b.yaml", LATER), existing_file("c.yaml", NEW)]
    live = {"a.yaml": NEW, "b.yaml": OLD}
    plan = plan_rollback(wanted, existing(*files), state=STATE, live=live, policy=POLICY)
    assert [(c.name, c.action, c.version, c.version_id) for c in plan.changes] == [
        ("a.yaml", "rollback", "1.0.5-main", OLD.id),
        ("b.yaml", "unchanged", "1.0.5-main", OLD.id),
        ("c.yaml", "rollback", "1.0.5-main", OLD.id),
    ]
    assert not any(c.writes_version or c.overwrites or c.moves_pin or c.notes for c in plan.changes)
    assert (plan.creates_space, plan.writes) == (False, True)
    assert [(note.key, *note.fields.values()) for note in plan.notes if note.key.startswith("rollback.")] == [
        ("rollback.data_stays",),
        ("rollback.passed", [7]),
        ("rollback.unsure", ["b.yaml"]),
        ("rollback.absent", ["new.yaml"]),
        ("rollback.jobs_not_sent", ["job.yaml"]),
    ]
    assert [(name, text.key, text.fields["build"]) for name, text in rows_back(plan, STATE)] == [
        ("a.yaml", "rollback.goes", 5),
        ("b.yaml", "rollback.stays", 5),
        ("c.yaml", "rollback.comes", 5),
    ]
    assert [str(text) for _, text in rows_back(plan, STATE)] == [
        "1.0.6-main -> 1.0.5-main",
        "1.0.5-main (unchanged since build 5)",
        "1.0.5-main (nothing of it is live)",
    ]
    (newer,) = plan.newer_builds
    assert str(newer).startswith(
        "Build 8 of branch main, newer than this build 7, has published 1 file: b.yaml"
    )
    assert [c.action for c in sending(plan, {"b.yaml"}).changes] == ["rollback"] * 3
    assert [c.action for c in sending(plan, ()).changes] == ["rollback", "unchanged", "rollback"]


def test_what_is_live_with_the_same_content_stays_whichever_version_it_is_of() -> None:
    again = version_of(A, name="1.0.7-main", number=9)
    state = PastState({"a.yaml": ref_of(OLD)})
    found = existing(existing_file("a.yaml", again))
    plan = plan_rollback(desired(("a.yaml", A)), found, state=state, live={"a.yaml": again}, policy=POLICY)
    assert [(change.action, change.version) for change in plan.changes] == [("unchanged", "1.0.5-main")]
    assert not plan.writes


def test_of_what_does_not_happen_nothing_is_said() -> None:
    state = PastState({"a.yaml": ref_of(OLD)})
    found = existing(existing_file("a.yaml", NEW))
    plan = plan_rollback(desired(("a.yaml", A)), found, state=state, live={"a.yaml": NEW}, policy=POLICY)
    assert [note.key for note in plan.notes] == ["rollback.data_stays"]


def test_a_version_that_a_file_points_at_and_is_live_at_is_told_once() -> None:
    state = PastState({"a.yaml": ref_of(OLD)})
    ours = replace(desired(("a.yaml", A)), provenance=replace(OURS, began_at=LATER.create_at))
    absurd = LATER.replaced(description=LATER.description.replace("build=8", "build=8000"))
    found = existing(existing_file("a.yaml", absurd))
    plan = plan_rollback(ours, found, state=state, live={"a.yaml": absurd}, policy=POLICY)
    assert [note.key for note in plan.notes] == ["plan.unbelieved_build", "rollback.data_stays"]
