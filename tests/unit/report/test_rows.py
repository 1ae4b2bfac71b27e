from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import scenes

from bcs_template_set.messages.errors import Overtaken
from bcs_template_set.messages.server_errors import GatewayFailed
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.report.rows import count_words, image_change, rows_of_outcome, rows_of_plan


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
        ("planned", None, "update"),
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
        (
            "r/app@sha256:" + "a" * 64,
            "r/app@sha256:" + "b" * 64,
            "app@sha256:aaaaaaaaaaaa… -> sha256:bbbbbbbbbbbb…",
        ),
    ],
)
def test_an_image_change_folds_what_both_share(old: str, new: str, shown: str) -> None:
    assert image_change(old, new) == shown
