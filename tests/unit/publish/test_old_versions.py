"""Which versions may go: never one that somebody may need."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.publish.left_behind import Held, Keeping, may_go, old_versions

DAY = 24 * 3600
NOW = 1_000 * DAY


def origin(build: int, branch: str = "main", pipeline: str = "p-1") -> Provenance:
    return Provenance(pipeline, build, branch, "", "", "")


def version(build: int, branch: str = "main", *, pipeline: str = "p-1", age: float = 0) -> TemplateVersion:
    made = NOW - (age or 100 - build) * DAY
    line = origin(build, branch, pipeline).line("x") if pipeline else "by hand"
    name = f"1.0.{build}-{branch}"
    return TemplateVersion(f"{branch}{build}", name, "x", description=line, create_at=int(made))


def going(
    versions: Iterable[TemplateVersion],
    *,
    keep: int = 3,
    current: str = "main21",
    deployed: str = "",
    before: Iterable[str] = (),
    live: Iterable[str] = (),
    ever: Iterable[str] = (),
) -> list[str]:
    every = tuple(versions)
    row = TemplateFile("f", "s/a.yaml", f"1.0.{current[4:]}-main", current, 0, real_name="a.yaml")
    files = {"a.yaml": PastFile(row.replaced(latest_deploy_version=deployed), every)}
    keeping = Keeping("s", origin(21), keep, NOW, {"a.yaml": frozenset(before)})
    marks = [frozenset(Mark("s/a.yaml", name) for name in names) for names in (live, ever)]
    return [old.version.id for old in old_versions(files, keeping, Held(*marks))]


def test_the_newest_of_each_branch_stay_and_the_oldest_go_first() -> None:
    both = [*(version(n) for n in (18, 19, 20, 21)), *(version(n, "dev") for n in (1, 2, 17))]
    assert going(both, keep=2) == ["dev1", "main18", "main19"]
    assert going(both, keep=5) == []
    assert going(reversed(both), keep=1) == ["dev1", "dev2", "main18", "main19", "main20"]


@pytest.mark.parametrize(
    "held",
    [
        {"live": ["1.0.5-main"]},
        {"before": ["1.0.5-main"]},
        {"deployed": "1.0.5-main"},
        {"ever": ["1.0.5-main"]},
        {"ever": ["1.0.5-main", "1.0.6-main"]},
        {"current": "main5"},
    ],
)
def test_what_is_live_was_live_or_is_current_stays(held: dict[str, list[str]]) -> None:
    """Production is at 1.0.5, and this is staging's run: its mark is seen, whatever the namespace."""
    builds = [version(n) for n in range(4, 22)]
    assert "main5" in going(builds)
    assert "main5" not in going(builds, **held)  # type: ignore[arg-type]  # each of its own parameter's type


def test_a_mark_holds_the_version_of_its_own_file_alone() -> None:
    row = TemplateFile("f", "s/a.yaml", "1.0.21-main", "main21", 0, real_name="a.yaml")
    files = {"a.yaml": PastFile(row, tuple(version(n) for n in range(4, 22)))}
    marks = frozenset({Mark("s/b.yaml", "1.0.5-main")})
    found = old_versions(files, Keeping("s", origin(21), 3, NOW, {}), Held(marks, marks))
    assert "main5" in [old.version.id for old in found]


def test_failures_push_out_no_good_version_of_either_branch() -> None:
    """One good build of each branch, and twenty that never came up."""
    mixed = [version(n, branch) for branch in ("main", "dev") for n in range(1, 22)]
    found = going(mixed, ever=["1.0.1-main", "1.0.1-dev"])
    assert not {"main1", "dev1"} & set(found)
    assert len(found) == 2 * 17
    assert {"main1", "main2"} & set(going(mixed, ever=["1.0.1-main", "1.0.2-main", "1.0.3-main"])) == {
        "main1"
    }


def test_what_is_young_or_another_s_stays() -> None:
    newest = [version(n) for n in (19, 20, 21)]
    others = [
        version(1, pipeline="p-2"),
        version(2, pipeline=""),
        version(3, age=0.5),
        version(4).replaced(create_at=0),
        version(6).replaced(content="edited by a person, who left the description"),
    ]
    assert going([*others, version(5), version(7, age=1), *newest]) == ["main5", "main7"]


def test_what_a_name_holds_it_holds_for_all_that_share_it_and_each_goes_by_its_own_id() -> None:
    twin = version(5).replaced(id="twin")
    newest = [version(n) for n in (19, 20, 21)]
    assert going([version(5), twin, *newest]) == ["main5", "twin"]
    assert going([version(5), twin, *newest], live=["1.0.5-main"]) == []


def test_a_run_of_no_pipeline_has_no_versions_of_its_own() -> None:
    row = TemplateFile("f", "s/a.yaml", "", "", 0, real_name="a.yaml")
    files = {
        "a.yaml": PastFile(
            row, (version(1, pipeline="-").replaced(description=origin(1, "m", "").line("x")),)
        )
    }
    assert old_versions(files, Keeping("s", origin(2, "m", ""), 1, NOW, {})) == ()


def test_a_run_deletes_two_hundred_of_those_whose_marks_can_be_seen() -> None:
    row = TemplateFile("f", "s/a.yaml", "", "", 0, real_name="a.yaml")
    files = {"a.yaml": PastFile(row, tuple(version(n, age=400 - n) for n in range(1, 302)))}
    keeping = Keeping("s", origin(301), 1, NOW, {})
    visible = {f"main{n}" for n in range(1, 302) if n != 2}
    found = [old.version.id for old in may_go(files, keeping, Held(), visible=visible)]
    assert found == ["main1", *(f"main{n}" for n in range(3, 202))]
