from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import Overtaken
from bcs_template_set.messages.server_errors import GatewayFailed
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.plan import Change
from bcs_template_set.report.rows import (
    count_words,
    counted,
    image_change,
    rows_of_outcome,
    rows_of_plan,
    told_files,
    was_attempted,
)
from bcs_template_set.rollout.live_state import FileVersion


def test_both_files_of_a_domain_are_one_row() -> None:
    (row,) = rows_of_plan(scenes.plan_of(*scenes.updated("b.example.com")))
    assert (row.name, row.word, len(row.files)) == ("b.example.com", "update", 2)
    assert row.images == ((scenes.OLD, scenes.NEW),)
    assert row.routes_removed == (("b.example.com", "/old"),)


def test_a_file_of_no_domain_is_a_row_of_its_own() -> None:
    plan = scenes.plan_of(scenes.change("a.yaml"), scenes.change("b.yaml"))
    assert [row.name for row in rows_of_plan(plan)] == ["a.yaml", "b.yaml"]


def test_a_domain_of_which_one_file_changes_is_an_update_from_that_files_version() -> None:
    deployment, _ = scenes.updated("b.example.com")
    _, routes = scenes.unchanged("b.example.com")
    (row,) = rows_of_plan(scenes.plan_of(deployment, routes))
    assert (row.word, row.old_versions) == ("update", ("1.0.427-feature-login",))


def test_a_row_of_files_with_several_words_has_one_for_all() -> None:
    create, update = scenes.created("a"), scenes.updated("a")
    still, back = scenes.unchanged("a"), replace(scenes.unchanged("a")[0], action="rollback")

    def word(*changes: Change) -> str:
        (row,) = rows_of_plan(scenes.plan_of(*changes))
        return row.word

    assert (word(*create), word(*still), word(back)) == ("create", "unchanged", "rollback")
    assert (word(create[0], still[1]), word(create[0], update[1])) == ("update", "update")
    assert (word(back, still[1]), word(back, update[1])) == ("rollback", "rollback")
    assert word(replace(update[0], action="conflict"), replace(update[1], action="skip")) == "conflict"
    assert word(replace(update[0], action="skip"), update[1]) == "skip"


def test_the_new_version_of_a_row_is_what_was_written_and_else_what_is_planned() -> None:
    change = scenes.change("a.yaml", writes_version=True)
    run = scenes.outcome_of(scenes.plan_of(change))
    faster = replace(run, files=(replace(run.files[0], version="1.0.429"),))
    planned = replace(run, files=(), plan=scenes.plan_of(replace(change, version="1.0.7")))
    unnamed = replace(run, files=(scenes.not_attempted(change),))
    versions = [row.new_versions for run in (faster, planned, unnamed) for row in rows_of_outcome(run)]
    assert versions == [("1.0.429",), ("1.0.7",), (scenes.VERSION,)]


def test_of_a_rows_files_those_that_change_and_differ_have_a_difference_to_show() -> None:
    deployment, routes = scenes.updated("a")
    done = scenes.change("b.yaml", domain="a", writes_version=True, diff="-a\n+b\n")
    plan = scenes.plan_of(deployment, replace(routes, diff=""), done)
    files = (FileOutcome(done, "unchanged"), scenes.applied(deployment), scenes.applied(routes))
    (row,) = rows_of_outcome(replace(scenes.outcome_of(plan), files=files))
    assert row.differing == [deployment, routes]
    (row,) = rows_of_plan(plan)
    assert row.differing == [deployment, done]


def test_a_row_says_in_what_alone_its_files_differ_unless_one_of_them_differs_in_more() -> None:
    only = say("rollout.observing")
    deployment, routes = (replace(change, only=only) for change in scenes.updated("a"))
    still = scenes.unchanged("a")[1]

    def told(*changes: Change) -> tuple[Text, ...]:
        (row,) = rows_of_plan(scenes.plan_of(*changes))
        return row.only

    assert told(deployment, routes) == told(deployment, still) == (only,)
    assert told(deployment, replace(routes, only=None)) == ()
    assert told(still) == ()


def test_what_is_live_otherwise_than_a_row_says_is_told_of_the_files_that_changed() -> None:
    def told(live: tuple[str, ...], *changes: Change, of: str = "a.deployment.yaml") -> tuple[str, ...]:
        outcome = rollout_scenes.outcome_of(
            replace(
                rollout_scenes.ROLLOUT,
                deployed=tuple(FileVersion(of, "v", version) for version in live[:1]),
                partly=tuple(FileVersion(of, "v", version) for version in live[1:]),
                live_already=(),
                before=(),
            )
        )
        plan = scenes.plan_of(*changes)
        (row,) = rows_of_outcome(replace(outcome, plan=plan, files=tuple(map(scenes.ended, plan.changes))))
        return row.live_otherwise

    update, still = scenes.updated("a"), scenes.unchanged("a")
    assert told((scenes.VERSION,), *update) == ()
    assert told(("1.0.7",), *update) == ("1.0.7",)
    assert told(("1.0.7", scenes.VERSION), *update) == ("1.0.7", scenes.VERSION)
    assert told(("1.0.7",), update[0], still[1], of="a.routes.yaml") == ()
    assert told(("1.0.7",), *still) == ("1.0.7",)
    assert told(("1.0.390-feature-login",), *still) == ()


def test_files_of_no_domain_are_counted_as_files() -> None:
    rows = rows_of_plan(scenes.plan_of(scenes.change("a.yaml"), *scenes.updated("b")))
    names = {"b.deployment.yaml", "b.routes.yaml"}
    assert str(told_files(names, rows)) == "1 domain (2 files)"
    assert str(told_files({*names, "a.yaml"}, rows)) == "3 files"
    assert str(told_files({"a.yaml"}, rows)) == "1 file"
    assert str(told_files(set(), rows)) == "0 files"


def test_what_is_counted_is_told_as_done_unless_it_is_planned() -> None:
    rows = rows_of_plan(scenes.plan_of(*scenes.created("a")))
    assert str(counted(rows)) == "1 domain created (2 files)"
    assert str(counted(rows, is_planned=True)) == "1 domain to create (2 files)"
    back = rows_of_plan(scenes.plan_of(scenes.change("a.yaml", action="rollback")))
    assert [str(counted(back, is_planned=told)) for told in (True, False)] == [
        "1 file to roll back",
        "1 file rolled back",
    ]


def test_of_planned_rows_with_one_word_those_that_lose_a_route_come_first() -> None:
    lost = scenes.change("z.yaml", routes_lost=(scenes.route_of("h", "/"),))
    removed = scenes.change("y.yaml", routes_removed=(("h", "/"),))
    rows = rows_of_plan(scenes.plan_of(scenes.change("a.yaml"), removed, lost))
    assert [row.name for row in rows] == ["y.yaml", "z.yaml", "a.yaml"]


def test_a_run_of_which_every_file_failed_was_attempted() -> None:
    change = scenes.change("a.yaml", writes_version=True)
    run = scenes.outcome_of(scenes.plan_of(change))
    assert was_attempted(replace(run, files=(FileOutcome(change, "failed"),)))
    assert not was_attempted(replace(run, files=(scenes.not_attempted(change),)))


def test_rows_that_need_eyes_come_first() -> None:
    words = [row.word for row in rows_of_outcome(scenes.half_published())]
    assert words == ["failed", "create", "unchanged", "unchanged"]


def test_before_publishing_began_every_file_stands_as_planned() -> None:
    assert [row.word for row in rows_of_outcome(scenes.conflict())] == ["conflict", "create"]


@pytest.mark.parametrize(
    ("state", "error", "word"),
    [
        ("applied", None, "update"),
        ("failed", GatewayFailed(url="/", status=500, message=""), "failed"),
        ("failed", Overtaken(), "conflict"),
        ("not-attempted", None, "skip"),
        ("skipped", None, "skip"),
    ],
)
def test_how_a_file_ended_has_one_of_the_fixed_words(
    state: WriteEnd, error: GatewayFailed | Overtaken | None, word: str
) -> None:
    change = scenes.change("a.yaml", writes_version=True)
    outcome = replace(FileOutcome(change, "applied"), state=state, error=error)
    assert outcome.word == word


def test_a_count_leaves_out_what_does_not_occur() -> None:
    assert count_words(["unchanged", "create", "unchanged"]) == {"create": 1, "unchanged": 2}


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("r.example.com/n/app:1-427", "r.example.com/n/app:1-428", "app:1-427 -> 1-428"),
        ("", "r.example.com:5000/n/app:1-428", "+app:1-428"),
        ("r.example.com/n/app", "", "-app"),
        ("r.example.com/n/app:1", "r.example.com/m/app:1", "n/app:1 -> m/app:1"),
        ("a.example.com/app:1", "b.example.com/app:1", "a.example.com/app:1 -> b.example.com/app:1"),
        ("r:5000/app", "r:5000/app:2", "app -> app:2"),
        ("r/app:2", "r/app", "app:2 -> app"),
        ("r/n/apa:1", "r/n/apb:1", "apa:1 -> apb:1"),
        ("r/n", "r/n/app", "n -> n/app"),
        ("", "a" * 30, f"+{'a' * 12}…{'a' * 11}"),
        ("r/app:1", f"r/app:{'x' * 30}", f"app:1 -> {'x' * 30}"),
        ("r/app:1", "r/app@sha256:" + "a" * 12, "app:1 -> app@sha256:aaaaaaaaaaaa"),
        ("r/app:1", "r/app@sha256:" + "a" * 13, "app:1 -> app@sha256:aaaaaaaaaaaa…"),
        (
            "r/app@sha256:" + "a" * 64,
            "r/app@sha256:" + "b" * 64,
            "app@sha256:aaaaaaaaaaaa… -> sha256:bbbbbbbbbbbb…",
        ),
    ],
)
def test_an_image_change_folds_what_both_share(old: str, new: str, shown: str) -> None:
    assert image_change(old, new) == shown
