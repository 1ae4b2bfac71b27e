"""What the name of a version tells of the build that published it."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.cli.looks import build_pattern


@pytest.mark.parametrize(
    ("version", "name", "found"),
    [
        (
            "1.0.{{ build.number }}-{{ branch.slug }}",
            "1.0.57-my-branch",
            {"build": "57", "branch": "my-branch"},
        ),
        ("1.0.{{build.number}}", "1.0.57", {"build": "57"}),
        ("1.0.{{ build.number }}-{{ branch.slug }}", "1.0.x-main", None),
        ("1.0.{{ build.number }}-{{ branch.slug }}", "1x0.57-main", None),
        ("1.0.{{ build.number }}+x", "1.0.57+x", {"build": "57"}),
    ],
)
def test_a_build_is_read_off_a_versions_name(
    version: str, name: str, found: Optional[dict[str, str]]
) -> None:
    pattern = build_pattern(version)
    assert pattern is not None
    matched = pattern.fullmatch(name)
    assert (matched and matched.groupdict()) == found


@pytest.mark.parametrize(
    "version",
    [
        "1.0.0",
        "1.0.0-{{ branch.slug }}",
        "{{ build.number }}.{{ build.number }}",
        "1.0.{{ build.number }}-{{ commit.short }}",
        "1.0.{{ build.number + 1 }}",
    ],
)
def test_of_other_names_nothing_is_known(version: str) -> None:
    assert build_pattern(version) is None
