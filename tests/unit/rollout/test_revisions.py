"""What a Deployment's revisions tell of its versions."""

from __future__ import annotations

from typing import Literal, Optional

import pytest

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import UPDATOR, Mark
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.kinds import CONFIG_MAP, REPLICA_SET
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.revisions import (
    Deployed,
    Revision,
    current_of,
    history_rows,
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


# --- the past of a domain -------------------------------------------------------------------------------


def past(
    name: str, *versions: TemplateVersion, current: str = "", deployed: tuple[str, str] = ("", "")
) -> PastFile:
    row = TemplateFile(
        id=name,
        name=name,
        real_name=name,
        version="",
        version_id=current,
        version_mode=0,
        latest_deploy_version=deployed[0],
        latest_deployer=deployed[1],
    )
    return PastFile(row, versions)


def version(
    name: str, at: int, *, number: str = "", by: str = "wangwu", description: str = ""
) -> TemplateVersion:
    return TemplateVersion(
        id=number or f"{name}@{at}",
        version=name,
        content="",
        creator=by,
        create_at=at,
        description=description,
    )


def carrying(file: str, name: str, *, by: str) -> LiveRow:
    item: dict[str, YamlValue] = {"metadata": {"annotations": {UPDATOR: by}}}
    return LiveRow(CONFIG_MAP, f"{file}-{by}", "prod", file, Mark(f"web/{file}", name), item=item)


def test_the_versions_of_a_domains_files_are_told_by_name_the_newest_first() -> None:
    files = [
        past("b.yaml", version("1.0.7", 70, by="anna"), version("1.0.5", 60), current="1.0.7@70"),
        past("a.yaml", version("1.0.7", 71), version("1.0.6", 60), version("1.0.8", 60), current="1.0.6@60"),
    ]
    rows = history_rows(files, space="web", live=None, revisions=[])
    assert [(row.name, row.files, row.published_at, row.published_by, row.current) for row in rows] == [
        ("1.0.7", ("a.yaml", "b.yaml"), 71, "wangwu", ("b.yaml",)),
        ("1.0.8", ("a.yaml",), 60, "wangwu", ()),
        ("1.0.6", ("a.yaml",), 60, "wangwu", ("a.yaml",)),
        ("1.0.5", ("b.yaml",), 60, "wangwu", ()),
    ]
    assert {(row.origin, row.live, row.deployed) for row in rows} == {(None, None, None)}


def test_of_versions_made_in_the_same_second_the_one_with_the_higher_id_tells_who_published_them() -> None:
    files = [
        past("a.yaml", version("1.0.7", 70, number="9", by="anna")),
        past("b.yaml", version("1.0.7", 70, number="1")),
    ]
    assert [row.published_by for row in history_rows(files, space="web", live=None, revisions=[])] == ["anna"]


def test_the_build_that_published_a_version_is_told_by_its_description() -> None:
    origin = Provenance("p-1", 7, "main", "abc", "wangwu", "lisi")
    files = [past("a.yaml", version("1.0.7", 70, description=origin.line("text")))]
    (row,) = history_rows(files, space="web", live=None, revisions=[])
    assert row.origin is not None
    assert (row.origin.pipeline, row.origin.build) == ("p-1", 7)


REVISION_7 = Revision(2, Mark("web/a.yaml", "1.0.7"), "10:02", "zhaoliu")
OLDER = Revision(1, Mark("web/a.yaml", "1.0.7"), "10:01", "anna")
OF_ANOTHER = Revision(3, Mark("web/c.yaml", "1.0.7"), "10:03", "anna")


@pytest.mark.parametrize(
    ("revisions", "live", "record", "deployed"),
    [
        ([OF_ANOTHER, REVISION_7, OLDER], [("a.yaml", "1.0.7")], "1.0.7", ("zhaoliu", "revision", "10:02")),
        ([OF_ANOTHER], [("a.yaml", "1.0.7")], "1.0.7", ("lisi", "objects", "")),
        ([], [("a.yaml", "1.0.6"), ("c.yaml", "1.0.7")], "1.0.7", ("bob", "record", "")),
        ([], [], "1.0.6", None),
    ],
)
def test_who_deployed_a_version_is_told_by_revisions_else_by_objects_else_by_bcs_record(
    revisions: list[Revision],
    live: list[tuple[str, str]],
    record: str,
    deployed: Optional[tuple[str, Literal["revision", "objects", "record"], str]],
) -> None:
    files = [
        past("a.yaml", version("1.0.7", 70)),
        past("b.yaml", version("1.0.7", 70), deployed=(record, "bob")),
    ]
    rows = [carrying(*pair, by="lisi") for pair in live]
    (found,) = history_rows(files, space="web", live=rows, revisions=iter(revisions))
    assert found.deployed == (Deployed(*deployed) if deployed else None)
    assert found.live == tuple(row.title for row in rows if row.mark == Mark("web/a.yaml", "1.0.7"))


def test_a_record_that_names_nobody_tells_nothing() -> None:
    files = [past("a.yaml", version("1.0.7", 70), deployed=("1.0.7", ""))]
    (found,) = history_rows(files, space="web", live=None, revisions=[])
    assert found.deployed is None
