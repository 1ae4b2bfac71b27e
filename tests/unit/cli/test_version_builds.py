"""Which build published a version: what its name tells, else what was read of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from tests.support.planned import OURS

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import NOBODY, Provenance
from bcs_template_set.cli.version_builds import build_pattern, builds_of, carried, is_open, told_by
from bcs_template_set.rollout.domain_status import DomainHere, FileHere


@pytest.mark.parametrize(
    ("version", "name", "found"),
    [
        (
            "1.0.{{ build.number }}-{{ branch.slug }}",
            "1.0.57-my-branch",
            {"build": "57", "branch": "my-branch"},
        ),
        ("1.0.{{build.number}}", "1.0.57", {"build": "57"}),
        ("1.0.{{ build.number }}-{{ branch.slug }}", "1.0.x-main", {}),
        ("1.0.{{ build.number }}-{{ branch.slug }}", "1x0.57-main", {}),
        ("1.0.{{ build.number }}+x", "1.0.57+x", {"build": "57"}),
    ],
)
def test_a_build_is_read_off_a_versions_name(version: str, name: str, found: dict[str, str]) -> None:
    assert told_by(build_pattern(version), name) == found


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
    assert told_by(None, version) == {}


USUAL = "1.0.{{ build.number }}-{{ branch.slug }}"


def domain(*versions: str, since: str = "") -> DomainHere:
    """Return a domain whose one file is live at these versions."""
    file = TemplateFile(id="f", name="a.yaml", real_name="a.yaml", version="", version_id="", version_mode=0)
    carries = tuple((version, (f"ConfigMap/{version}",)) for version in versions)
    return DomainHere("a", (FileHere(file, "live", versions=carries, since=since),))


def ref(name: str, *, at: int = 0, origin: Optional[Provenance] = None) -> VersionRef:
    return VersionRef(name, name, at, origin)


@pytest.mark.parametrize(
    ("version", "since", "is_read"),
    [
        (ref("1.0.7-main", at=5), "", False),
        (ref("1.0.7-main"), "10:00", False),
        (ref("1.0.7-main"), "", True),
        (ref("v1", at=5), "10:00", True),
        (ref("v1", at=5, origin=NOBODY), "", False),
        (ref("v1", origin=NOBODY), "", True),
    ],
)
def test_a_version_is_read_where_its_build_or_its_time_is_not_known(
    version: VersionRef, since: str, *, is_read: bool
) -> None:
    assert is_open(domain(version.name, since=since), version, build_pattern(USUAL)) is is_read


def test_the_builds_of_what_is_live_are_told_once_each_by_what_was_read_before_the_name() -> None:
    versions = ("1.0.7-main", "1.0.8-dev", "v1", "v2", "v3", "1.0.9-old")
    here = domain(*versions)
    assert [*carried(here)] == [("a.yaml", version) for version in versions]
    known = {
        "1.0.8-dev": replace(OURS, build=12, branch="feature/dev"),
        "v1": replace(OURS, build=7, branch="main"),
        "v2": replace(OURS, build=5, branch=""),
        "1.0.9-old": NOBODY,
    }
    refs = {("a.yaml", name): ref(name, origin=origin) for name, origin in known.items()}
    told = ("7 (main)", "12 (feature/dev)", "5", "9 (old)")
    assert builds_of(here, refs, build_pattern(USUAL)) == told
    assert builds_of(domain("1.0.7"), {}, build_pattern("1.0.{{ build.number }}")) == ("7",)
