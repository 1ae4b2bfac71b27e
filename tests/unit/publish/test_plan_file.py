"""One file's row of the plan, whole: what it is called afterwards, what it was made from, what is said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Optional

import pytest
from tests.support import scenes
from tests.support.planned import (
    OURS,
    POLICY,
    A,
    B,
    desired,
    existing_file,
    file_id,
    ingress,
    service,
    two_images,
    version_of,
)

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import ExistingFile, Unmerged, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import content_digest
from bcs_template_set.manifests.routes import Route
from bcs_template_set.publish.plan import Change, Policy
from bcs_template_set.publish.plan_file import plan_file
from bcs_template_set.report.html import render_html
from bcs_template_set.report.log_lines import plan_lines
from bcs_template_set.report.plan_document import plan_document
from bcs_template_set.report.rows import rows_of_plan

NAME = "a.yaml"
OVERWRITE = Policy(overwrite_version=True)
OLD, OLDER = version_of(A), version_of("older", name="1.0.5-main", number=0)
OURS_ALREADY = version_of(B, name="1.0.7-main", number=5, origin=OURS)
HOTFIX = version_of(A, name="hotfix", number=9)


def row(
    text: str,
    found: Optional[ExistingFile],
    *,
    policy: Policy = POLICY,
    skips: bool = False,
    shared: bool = False,
) -> Change:
    want = desired((NAME, text))
    want = replace(want, shared=frozenset({NAME}) if shared else frozenset())
    return plan_file(want.files[0], found, desired=want, policy=policy, skips=skips)


def held(*versions: TemplateVersion, pinned: bool = False, draft: str = "") -> ExistingFile:
    """Return a file that points at the first of these versions; they are its history, newest first."""
    found = existing_file(NAME, versions[0], mode=1 if pinned else 0)
    metadata = found.metadata.replaced(is_draft=bool(draft), draft_content=draft, updator="zhangsan")
    return replace(found, metadata=metadata, history=tuple(ref_of(version) for version in versions))


def overtaken(*, pinned: bool = False) -> ExistingFile:
    """Return a file that this build has published, and that a hotfix has been made current of since."""
    return replace(held(HOTFIX, OURS_ALREADY, OLD, pinned=pinned), same_name=OURS_ALREADY)


def notes(change: Change) -> list[str]:
    return [str(note) for note in change.notes]


# --- a file that is not there ---------------------------------------------------------------------------


def test_a_file_that_is_created_has_all_of_its_content_as_difference_and_was_made_from_nothing() -> None:
    text = ingress("a.example.com", "/")
    change = row(text, None)
    assert (change.action, change.version, change.digest) == ("create", "1.0.7-main", content_digest(text))
    assert (change.template_id, change.previous, change.version_id) == ("", None, "")
    assert (change.bases, change.known) == (("-",), frozenset())
    assert (change.writes_version, change.overwrites, change.moves_pin) == (True, False, False)
    assert change.routes == (Route("a.example.com", "/", "web", "web", "Prefix"),)
    assert change.routes_added == (("a.example.com", "/"),)
    assert change.diff.startswith("--- /dev/null\n+++ Ingress/web\n")
    assert (change.reason, change.notes) == (None, ())


def test_a_file_that_is_not_there_and_is_skipped_is_not_written() -> None:
    change = row(A, None, skips=True)
    assert (change.action, change.writes) == ("skip", False)


# --- a file that is there -------------------------------------------------------------------------------


def test_an_update_names_the_file_what_it_replaces_and_all_that_was_there() -> None:
    change = row(B, held(OLD, OLDER))
    assert (change.action, change.version, change.version_id) == ("update", "1.0.7-main", "")
    assert (change.template_id, change.previous) == (file_id(NAME), ref_of(OLD))
    assert (change.bases, change.known) == ((OLD.id,), frozenset({OLD.id, OLDER.id}))
    assert (change.writes_version, change.overwrites, change.moves_pin) == (True, False, False)
    assert notes(change) == []


def test_an_update_says_where_only_comments_differ_and_log_and_page_do_too() -> None:
    change = row("# new\n" + A, held(OLD))
    assert str(change.only) == "only comments differ"
    assert row(B, held(OLD)).only is None
    plan = scenes.plan_of(change)
    assert "update a.yaml: only comments differ" in [line.text for line in plan_lines(plan, language="en_US")]
    assert "<b>a.yaml</b> <small>只有注释不同</small>" in render_html(
        replace(scenes.outcome_of(plan), language="zh_CN")
    )
    document = plan_document(scenes.outcome_of(plan))
    assert document is not None
    assert '"only": "only comments differ"' in json.dumps(document)
    two = scenes.plan_of(replace(change, domain="h"), replace(row(B, held(OLD)), name="b.yaml", domain="h"))
    assert rows_of_plan(two)[0].only == ()
    assert "</small> 只有注释不同</p>" in render_html(replace(scenes.outcome_of(plan), language="zh_CN"))


def test_an_update_that_merges_a_hidden_version_was_made_from_both() -> None:
    hidden = version_of("hidden", name="1.0.6-x", number=3)
    change = row(B, replace(held(OLD), unmerged=(Unmerged(hidden),)))
    assert change.bases == (OLD.id, hidden.id)


def test_a_file_without_a_current_version_is_written_whole() -> None:
    change = row(A, existing_file(NAME, None))
    assert (change.action, change.previous, change.bases) == ("update", None, ("-",))
    assert change.diff.startswith("--- /dev/null\n")


def test_an_unchanged_file_shows_nothing_and_was_published_against_itself() -> None:
    change = row(A, held(OLD, OLDER))
    assert (change.action, change.version, change.version_id) == ("unchanged", "1.0.6-main", OLD.id)
    assert change.previous == ref_of(OLD)
    assert (change.writes, change.diff, change.images, notes(change)) == (False, "", (), [])


def test_what_this_build_published_was_published_against_the_version_before() -> None:
    change = row(B, held(OURS_ALREADY, OLD))
    assert (change.action, change.version, change.previous) == ("unchanged", "1.0.7-main", ref_of(OLD))


def test_what_a_person_published_is_published_against_itself() -> None:
    by_hand = OLD.replaced(description="")
    assert row(A, held(by_hand, OLDER)).previous == ref_of(by_hand)


def test_a_file_of_a_skipped_run_stays_as_it_is_whatever_would_become_of_it() -> None:
    conflict = replace(held(OLD), same_name=version_of("other", name="1.0.7-main", number=2))
    for found in (held(OLD), held(OLD, pinned=True), conflict):
        change = row(B, found, skips=True)
        assert (change.action, change.writes) == ("skip", False)
    assert row(A, held(OLD), skips=True).action == "unchanged"


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        (two_images("w:1", "x:1"), two_images("w:2", "x:1"), (("w:1", "w:2"),)),
        (two_images("w:1"), two_images("w:1", "x:1"), (("", "x:1"),)),
        (two_images("w:1", "x:1"), two_images("w:1"), (("x:1", ""),)),
        (two_images("w:1", "x:1"), two_images("y:1"), (("w:1", "y:1"), ("x:1", ""))),
        (two_images("w:1"), two_images("y:1", "z:1"), (("w:1", "y:1"), ("", "z:1"))),
        (two_images("w:1", "x:1"), two_images("x:1", "w:1"), ()),
    ],
)
def test_images_that_went_are_paired_with_those_that_came(
    before: str, after: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    assert row(after, held(version_of(before))).images == pairs


# --- drafts and ports -----------------------------------------------------------------------------------


def test_a_draft_is_said_to_be_put_back_where_a_version_is_written() -> None:
    (note,) = notes(row(B, held(OLD, draft="half: done\n")))
    assert note.startswith("a.yaml: zhangsan has an unsaved draft in the console")
    assert notes(row(A, held(OLD, draft="half: done\n"))) == []


def test_a_service_that_asks_for_another_port_is_said_and_one_that_keeps_it_or_is_new_is_not() -> None:
    before = service(30001) + "---\n" + service(30005, name="kept")
    after = service(30002) + "---\n" + service(30005, name="kept") + "---\n" + service(30009, name="new")
    (note,) = notes(row(after, held(version_of(before))))
    assert note.startswith("a.yaml: Service/web asks for nodePort 30002, it had 30001 (0 = any)")


def test_a_port_that_a_hotfix_has_changed_since_is_not_said_of_a_file_that_is_not_written() -> None:
    ours = version_of(service(30001), name="1.0.7-main", number=5, origin=OURS)
    theirs = version_of(service(30002), name="hotfix", number=9)
    (note,) = notes(row(service(30001), replace(held(theirs, ours), same_name=ours)))
    assert "the file's current version is hotfix" in note


# --- the version's name is taken ------------------------------------------------------------------------


def test_who_wrote_the_version_of_this_name_is_said_also_where_that_is_not_known() -> None:
    taken = version_of("other", name="1.0.7-main", number=2)
    by_hand = taken.replaced(description="by hand")
    said = [str(row(B, replace(held(OLD), same_name=same)).reason) for same in (taken, by_hand)]
    assert said[0].endswith(
        "by lisi at 2026-01-01 00:00 UTC (pipeline p-1, build 6, branch main, started by wangwu)."
    )
    assert said[1].endswith("by lisi at 2026-01-01 00:00 UTC (not by a pipeline step).")


def test_a_conflict_writes_nothing_and_names_the_version_in_the_way() -> None:
    taken = version_of("other", name="1.0.7-main", number=2)
    change = row(B, replace(held(OLD), same_name=taken))
    assert (change.action, change.version_id, change.writes) == ("conflict", taken.id, False)


def test_overwriting_the_current_version_says_nothing_and_was_made_from_nothing_that_stays() -> None:
    current = version_of(A, name="1.0.7-main")
    for pinned in (False, True):
        change = row(B, held(current, pinned=pinned), policy=OVERWRITE)
        assert (change.action, change.version_id, change.bases) == ("update", current.id, ())
        assert (change.writes_version, change.overwrites, change.moves_pin) == (True, True, False)
        assert notes(change) == []


def test_overwriting_an_older_version_of_a_pinned_file_pins_it_there() -> None:
    taken = version_of("other", name="1.0.7-main", number=2)
    change = row(B, replace(held(OLD, pinned=True), same_name=taken), policy=OVERWRITE)
    assert (change.version_id, change.overwrites, change.moves_pin) == (taken.id, True, True)
    assert notes(change) == []


def test_overwriting_an_older_version_says_that_it_does_not_become_current() -> None:
    taken = version_of("other", name="1.0.7-main", number=2)
    change = row(B, replace(held(OLD), same_name=taken), policy=OVERWRITE)
    assert (change.overwrites, change.moves_pin) == (True, False)
    (note,) = notes(change)
    assert note.startswith("a.yaml: version 1.0.7-main holds this content already")
    assert "the file's current version is 1.0.6-main. lisi wrote that one at 2026-01-01 " in note
    unread = replace(held(OLD), same_name=taken, current=None)
    (note,) = notes(row(B, unread, policy=OVERWRITE))
    assert note.endswith("the file's current version is 1.0.6-main.")


# --- what this build wrote before -----------------------------------------------------------------------


def test_a_retry_that_was_overtaken_tells_the_version_it_wrote_and_what_that_was_made_against() -> None:
    change = row(B, overtaken())
    assert (change.action, change.version, change.version_id) == ("unchanged", "1.0.7-main", OURS_ALREADY.id)
    assert change.previous == ref_of(OLD)
    assert (change.writes, change.images, change.diff) == (False, (), "")


def test_a_retry_of_a_pinned_file_was_planned_against_the_version_it_is_pinned_to() -> None:
    change = row(B, overtaken(pinned=True))
    assert (change.action, change.version, change.previous) == ("update", "1.0.7-main", ref_of(HOTFIX))
    assert (change.writes_version, change.moves_pin, change.version_id) == (False, True, OURS_ALREADY.id)


def test_the_rest_of_a_shared_file_takes_the_next_free_name_after_this_builds_own() -> None:
    second = VersionRef("f" * 24, "1.0.7-main.2", 1)
    for pinned in (False, True):
        found = replace(overtaken(pinned=pinned), history=(*(overtaken().history or ()), second))
        change = row("kind: Rest\n", found, shared=True)
        assert (change.action, change.version, change.version_id) == ("update", "1.0.7-main.3", "")
        assert (change.writes_version, change.overwrites, change.moves_pin) == (True, False, pinned)
        assert change.previous == ref_of(HOTFIX)


def test_what_this_build_made_current_is_what_the_rest_of_a_shared_file_is_planned_against() -> None:
    change = row("kind: Rest\n", held(OURS_ALREADY, OLD), shared=True)
    assert (change.version, change.previous) == ("1.0.7-main.2", ref_of(OURS_ALREADY))


def test_the_rest_is_written_also_where_the_version_names_can_not_be_listed() -> None:
    found = replace(overtaken(), history=None)
    assert row("kind: Rest\n", found, shared=True).version == "1.0.7-main.2"


def test_a_part_that_others_have_hidden_is_written_again_and_not_taken_for_published() -> None:
    change = row(B, overtaken(), shared=True)
    assert (change.action, change.version) == ("update", "1.0.7-main.2")


def test_only_this_builds_own_versions_of_shared_files_have_successors() -> None:
    theirs = version_of(A, name="1.0.7-main", number=5)
    by_hand = theirs.replaced(description="")
    for same in (theirs, by_hand):
        assert row(B, replace(held(HOTFIX), same_name=same), shared=True).action == "conflict"
    assert row("kind: Rest\n", overtaken()).action == "conflict"


def test_a_difference_is_told_document_by_document_and_none_of_what_stays() -> None:
    two = f"{A}---\n{service(80)}"
    same, other = row(two, held(version_of(two))), row(two.replace("web:1", "web:2"), held(version_of(two)))
    assert (same.diff, same.only) == ("", None)
    assert other.diff.splitlines()[:2] == ["--- Deployment/web", "+++ Deployment/web"]
