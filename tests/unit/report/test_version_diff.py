"""A version's name stands for a state: of each file its version of that name, else the newest before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import pytest
from tests.support.objects import Object
from tests.support.small_namespace import SPACE, body, marked

from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow
from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.kinds import CONFIG_MAP
from bcs_template_set.messages import say
from bcs_template_set.report.version_diff import (
    FileDifference,
    difference_document,
    difference_lines,
    differences,
    live_differences,
    state_at,
    to_read,
)
from bcs_template_set.rollout.domain_status import Seen
from bcs_template_set.rollout.drift import Signs
from bcs_template_set.rollout.live_state import LiveState


def refs(*names_and_times: tuple[str, int]) -> tuple[VersionRef, ...]:
    return tuple(VersionRef(name, name, at) for name, at in names_and_times)


HISTORIES = {
    "web.deployment.yaml": refs(("1.0.58-main", 58), ("1.0.57-main", 57)),
    "web.routes.yaml": refs(("1.0.59-main", 59), ("1.0.58-feature", 57), ("1.0.57-main", 56)),
    "new.yaml": refs(("1.0.59-main", 60)),
}


def branch_of(name: str) -> str:
    return name.rpartition("-")[2]


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("1.0.57-main", ("1.0.57-main", "1.0.57-main", None)),
        ("1.0.58-main", ("1.0.58-main", "1.0.57-main", None)),
        ("1.0.59-main", ("1.0.58-main", "1.0.59-main", "1.0.59-main")),
        ("1.0.58-feature", (None, "1.0.58-feature", None)),
    ],
)
def test_unchanged_files_have_the_version_from_before_of_the_same_branch(
    name: str, state: tuple[str | None, ...]
) -> None:
    found = state_at(HISTORIES, name, branch_of=branch_of)
    assert found is not None
    assert tuple(found[file].name if found[file] else None for file in HISTORIES) == state  # type: ignore[union-attr] # asked beside


def test_a_version_whose_name_tells_no_branch_counts_for_all() -> None:
    histories = {"a.yaml": refs(("1.0.58", 58), ("1.0.57-main", 57)), "b.yaml": refs(("1.0.59-main", 59))}
    found = state_at(histories, "1.0.59-main", branch_of=lambda name: name.partition("-")[2])
    assert found is not None
    assert found["a.yaml"] == VersionRef("1.0.58", "1.0.58", 58)


def test_where_names_tell_no_branch_time_alone_decides() -> None:
    found = state_at(HISTORIES, "1.0.58-main", branch_of=lambda _: "")
    assert found is not None
    assert found["web.routes.yaml"] == VersionRef("1.0.58-feature", "1.0.58-feature", 57)
    assert state_at(HISTORIES, "2", branch_of=branch_of) is None


def test_nothing_of_a_servers_text_is_a_command_or_unseen() -> None:
    one = FileDifference("a.yaml", "", "1", "--- a\n+\x1b[31mred\n")
    assert [*difference_lines([one], language="en_US")] == ["a.yaml: none -> 1", "--- a", "+\\x1b[31mred"]


# --- contents -------------------------------------------------------------------------------------------


def manifest(value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{a: '{value}'}}\n"


OLD, NEW = VersionRef("v1", "1"), VersionRef("v2", "2")
BEFORE = {
    "b.yaml": OLD,
    "same.yaml": OLD,
    "new.yaml": None,
    "gone.yaml": OLD,
    "a.yaml": OLD,
    "none.yaml": None,
}
AFTER = {
    "b.yaml": NEW,
    "same.yaml": OLD,
    "new.yaml": NEW,
    "gone.yaml": None,
    "a.yaml": NEW,
    "none.yaml": None,
}


def test_only_the_versions_that_differ_are_read_and_compared_by_name() -> None:
    assert to_read(BEFORE, AFTER) == ["v1", "v2", "v2", "v1", "v1", "v2"]
    found = list(differences(BEFORE, AFTER, {"v1": manifest("1"), "v2": manifest("2")}))
    assert [(one.name, one.before, one.after) for one in found] == [
        ("a.yaml", "1", "2"),
        ("b.yaml", "1", "2"),
        ("gone.yaml", "1", ""),
        ("new.yaml", "", "2"),
    ]
    changed, _, gone, new = (one.diff for one in found)
    assert changed.startswith("--- ConfigMap/c\n+++ ConfigMap/c\n")
    assert "\n-" in changed
    assert "\n+" in changed
    assert gone.startswith("--- ConfigMap/c\n+++ /dev/null\n")
    assert new.startswith("--- /dev/null\n+++ ConfigMap/c\n")


def test_a_text_that_is_no_yaml_is_compared_as_a_text() -> None:
    broken = {"v1": "{broken", "v2": "{broken too"}
    (one,) = differences({"a.yaml": OLD}, {"a.yaml": NEW}, broken)
    assert "broken too" in one.diff


# --- what is live ---------------------------------------------------------------------------------------

MAP = body("ConfigMap", "c", data={"a": "7"})


def at(item: Object, version: str = "7") -> Object:
    return marked(item, "a.yaml", version)


def state(item: Object, live: Optional[Object] = None) -> LiveState:
    name = str(mapping_at(item, "metadata")["name"])
    return LiveState("a.yaml", "ConfigMap", name, desired=at(item), live=live)


def listed(item: Object) -> LiveRow:
    name = str(mapping_at(item, "metadata")["name"])
    return LiveRow(CONFIG_MAP, name, "prod", f"uid-{name}", mark_of(item), item=item)


def seen_of(*states: LiveState, rows: Sequence[LiveRow] = (), **more: object) -> Seen:
    looks = {"a.yaml": {"7": states}}
    return Seen(SPACE, LiveObjects(tuple(rows)), looks=looks, **more)  # type: ignore[arg-type]  # its fields


def compared(seen: Seen, *, version: str = "7", to_live: bool = False) -> list[FileDifference]:
    wanted = {"a.yaml": version} if version else {}
    return list(live_differences(["b.yaml", "a.yaml"], wanted, seen, to_live=to_live))


def test_what_is_live_differs_in_what_its_version_would_change() -> None:
    live = at(body("ConfigMap", "c", data={"a": "6"}), "6")
    (to,) = compared(seen_of(state(MAP, live)))
    assert (to.name, to.before, to.after, to.notes, to.not_known) == ("a.yaml", "live", "7", (), ())
    assert [line for line in to.diff.splitlines() if line[:1] in "+-"][2:] == ["-  a: '6'", "+  a: '7'"]
    (back,) = compared(seen_of(state(MAP, live)), to_live=True)
    assert (back.before, back.after) == ("7", "live")
    assert [line for line in back.diff.splitlines() if line[:1] in "+-"][2:] == ["-  a: '7'", "+  a: '6'"]
    two = body("ConfigMap", "d", data={"a": "7"})
    (both,) = compared(seen_of(state(MAP, live), state(two)))
    assert both.diff == to.diff + compared(seen_of(state(two)))[0].diff
    (same,) = compared(seen_of(state(MAP, at(MAP))))
    assert (same.diff, same.is_different) == ("", False)


def test_an_object_that_is_not_live_comes_new_and_one_that_no_version_holds_is_a_note() -> None:
    other = at(body("ConfigMap", "d", data={}))
    (found,) = compared(seen_of(state(MAP), rows=[listed(other)]))
    assert found.diff.startswith("--- /dev/null\n+++ ConfigMap/c\n")
    assert found.notes == (say("diff.only_live", objects=["ConfigMap/d"]),)
    (held,) = compared(seen_of(state(MAP, at(MAP)), rows=[listed(at(MAP)), listed(other)]))
    assert (held.diff, held.notes) == ("", found.notes)
    (without,) = compared(seen_of(rows=[listed(other)]), version="")
    assert (without.before, without.after, without.diff) == ("live", "", "")
    assert without.notes == found.notes
    assert without.is_different
    assert compared(seen_of(), version="") == []
    (empty,) = compared(seen_of())
    assert not empty.is_different


def test_what_could_not_be_seen_is_not_compared() -> None:
    live = at(body("ConfigMap", "c", data={"a": "6"}), "6")
    other = at(body("ConfigMap", "d", data={}))
    problem = say("diff.same")
    hidden = seen_of(state(MAP, live), rows=[listed(other)], hidden={"ConfigMap/c": problem})
    (one,) = compared(hidden)
    assert (one.diff, one.not_known) == ("", (say("status.no_list", object="ConfigMap/c", problem=problem),))
    assert one.notes == (say("diff.only_live", objects=["ConfigMap/d"]),)
    failed = seen_of(rows=[listed(other)], failed={("a.yaml", "7"): problem})
    (none,) = compared(failed)
    assert none.notes == ()
    assert none.not_known == (say("status.no_look", version="7", problem=problem),)


def test_a_place_that_a_variable_fills_in_is_not_known_unless_it_has_todays_value() -> None:
    wanted = body("ConfigMap", "c", data={"a": "bcsopen0x"})
    live = at(body("ConfigMap", "c", data={"a": "6"}))
    signs = Signs(("N",), {"N": "5"})
    (one,) = compared(seen_of(state(wanted, live), signs=signs))
    assert one.diff == ""
    assert one.not_known == (say("status.open", object="ConfigMap/c", fields=["data.a"], names=["N"]),)
    (known,) = compared(seen_of(state(wanted, live), signs=Signs(("N",), {"N": "6"})))
    assert (known.diff, known.not_known) == ("", ())
    (absent,) = compared(seen_of(state(wanted), signs=signs))
    assert absent.not_known == ()
    hidden = seen_of(state(wanted, live), signs=signs, hidden={"ConfigMap/c": say("diff.same")})
    assert len(compared(hidden)[0].not_known) == 1


# --- lines and JSON -------------------------------------------------------------------------------------

NOTE = say("diff.only_live", objects=["Pod/p"])
UNKNOWN = say("status.version_gone")
SAME = FileDifference("same.yaml", "1", "2")
NOTED = FileDifference("noted.yaml", "live", "", notes=(NOTE,))
NOT_KNOWN = FileDifference("unknown.yaml", "", "2", not_known=(UNKNOWN,))
CHANGED = FileDifference("changed.yaml", "1", "2", "-a\n+b\n", notes=(NOTE,), not_known=(UNKNOWN,))


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (
            (CHANGED, SAME, NOTED),
            [
                "changed.yaml: 1 -> 2",
                f"  {NOTE}",
                f"  {UNKNOWN}",
                "-a",
                "+b",
                "noted.yaml: live -> none",
                f"  {NOTE}",
            ],
        ),
        ((SAME,), ["Nothing differs."]),
        ((), ["Nothing differs."]),
        (
            (NOT_KNOWN, SAME),
            ["unknown.yaml: none -> 2", f"  {UNKNOWN}", "Nothing that could be compared differs."],
        ),
    ],
)
def test_files_that_differ_or_are_not_known_are_told(
    found: tuple[FileDifference, ...], lines: list[str]
) -> None:
    assert [*difference_lines(found, language="en_US")] == lines


def test_programs_read_the_same() -> None:
    found = (CHANGED, SAME, NOT_KNOWN, NOTED)
    assert difference_document(found, before="1", after="2", language="en_US") == {
        "before": "1",
        "after": "2",
        "different": True,
        "files": [
            {
                "name": "changed.yaml",
                "before": "1",
                "after": "2",
                "diff": "-a\n+b\n",
                "notes": [str(NOTE)],
                "not_known": [str(UNKNOWN)],
            },
            {
                "name": "unknown.yaml",
                "before": None,
                "after": "2",
                "diff": None,
                "notes": [],
                "not_known": [str(UNKNOWN)],
            },
            {
                "name": "noted.yaml",
                "before": "live",
                "after": None,
                "diff": None,
                "notes": [str(NOTE)],
                "not_known": [],
            },
        ],
    }
    told = difference_document((NOT_KNOWN,), before="1", after="2", language="en_US")
    assert told["different"] is False
