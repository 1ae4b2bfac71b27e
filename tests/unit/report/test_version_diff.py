"""A version's name stands for a state: of each file its version of that name, else the newest before it."""

from __future__ import annotations

import pytest

from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.report.version_diff import FileDifference, difference_lines, state_at


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


def test_where_names_tell_no_branch_time_alone_decides() -> None:
    found = state_at(HISTORIES, "1.0.58-main", branch_of=lambda _: "")
    assert found is not None
    assert found["web.routes.yaml"] == VersionRef("1.0.58-feature", "1.0.58-feature", 57)
    assert state_at(HISTORIES, "2", branch_of=branch_of) is None


def test_nothing_of_a_servers_text_is_a_command_or_unseen() -> None:
    one = FileDifference("a.yaml", "", "1", "--- a\n+\x1b[31mred\n")
    assert [*difference_lines([one], language="en_US")] == ["a.yaml: none -> 1", "--- a", "+\\x1b[31mred"]
