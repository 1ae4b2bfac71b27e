"""What BCS marks objects with, and how that is told."""

from __future__ import annotations

import pytest

from bcs_template_set.bcs.marks import TEMPLATE_VERSION, UPDATOR, told_mark


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        ({}, "version none"),
        ({TEMPLATE_VERSION: "1.0.6"}, "version 1.0.6"),
        ({TEMPLATE_VERSION: "1.0.6", UPDATOR: "lisi"}, "version 1.0.6, which lisi deployed"),
    ],
)
def test_a_mark_is_told_with_who_deployed_it_where_bcs_has_noted_it(marks: dict[str, str], told: str) -> None:
    assert str(told_mark({"metadata": {"annotations": {**marks}}})) == told
