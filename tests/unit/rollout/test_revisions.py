"""What a Deployment's revisions tell of its versions."""

from __future__ import annotations

import pytest

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.rollout.revisions import Revision, never_was, was_left

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
