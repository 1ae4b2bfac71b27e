"""What a Deployment's revisions tell of its versions."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.manifests.kinds import REPLICA_SET
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.revisions import (
    Revision,
    current_of,
    left_behind_of,
    never_was,
    revisions_of,
    was_left,
)

M57, M58, M59 = (Mark("front-ends/web.yaml", f"1.0.{build}") for build in (57, 58, 59))


def revisions(*marks: Mark) -> list[Revision]:
    """Return revisions with these marks, the oldest first; BCS lists the newest first."""
    listed = [Revision(number, mark, "", "") for number, mark in enumerate(marks, 1)]
    return listed[::-1]


@pytest.mark.parametrize(
    ("marks", "left"),
    [
        ((M57, M58), False),
        ((M58, M57), True),
        ((M58, M59, M57), True),
        ((M58, M57, M58), False),
        ((M57,), False),
        ((), False),
        ((M58, Mark("others/web.yaml", "1.0.57")), False),
        ((M58, Mark("front-ends/other.yaml", "1.0.57")), True),
    ],
)
def test_a_version_was_left_where_another_one_came_after_it(marks: tuple[Mark, ...], *, left: bool) -> None:
    assert was_left(M58, revisions(*marks)) == left


@pytest.mark.parametrize(
    ("marks", "limit", "never"),
    [
        ((M57, M59), 10, True),
        ((M57, M58), 10, False),
        ((M59,), 10, False),
        ((), 10, False),
        ((M57, M59), 1, False),
    ],
)
def test_a_version_never_was_live_only_where_the_whole_history_lacks_it(
    marks: tuple[Mark, ...], limit: int, *, never: bool
) -> None:
    assert never_was({M58}, revisions(*marks), limit=limit) == never


def at(number: str) -> dict[str, YamlValue]:
    return {"deployment.kubernetes.io/revision": number}


def replica_set(number: str, created: str) -> LiveRow:
    owners: list[YamlValue] = [
        {"kind": "Other", "uid": "x", "name": "x"},
        {"kind": "Deployment", "uid": "u", "name": "web"},
    ]
    metadata: dict[str, YamlValue] = {
        "annotations": {**at(number), "io.tencent.paas.updator": "lisi"},
        "creationTimestamp": created,
        "ownerReferences": owners,
    }
    item: dict[str, YamlValue] = {"metadata": metadata, "spec": {"template": {"number": number}}}
    return LiveRow(REPLICA_SET, f"web-{number}", "prod", number, M57, item=item)


def test_a_deployments_revisions_are_those_of_its_replica_sets_the_highest_number_first() -> None:
    sets = [replica_set(number, f"10:0{number}") for number in ("1", "3", "x")]
    found = revisions_of(sets)["u"]
    assert [(one.number, one.created_at) for one in found] == [(3, "10:03"), (1, "10:01"), (0, "10:0x")]
    assert [(one.template, one.mark, one.deployed_by) for one in found[:1]] == [
        ({"number": "3"}, M57, "lisi")
    ]
    assert {*revisions_of(sets)} == {"u"}
    assert {*revisions_of(sets, by="name")} == {"web"}


@pytest.mark.parametrize(
    ("now", "current", "left"), [("1", 1, 3), ("3", 3, None), ("2", 2, 3), ("7", None, None)]
)
def test_who_went_back_left_the_revision_that_was_made_last(
    now: str, current: Optional[int], left: Optional[int]
) -> None:
    known = [Revision(3, M59, "10:03", ""), Revision(2, M58, "10:02", ""), Revision(1, M57, "10:01", "")]
    live: dict[str, YamlValue] = {"metadata": {"annotations": at(now)}}
    is_at, was_at = current_of(known, live), left_behind_of(known, live)
    assert (is_at.number if is_at else None, was_at.number if was_at else None) == (current, left)
