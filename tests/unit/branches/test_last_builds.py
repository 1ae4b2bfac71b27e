"""Which version tells a branch's last build, and how many are read for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.branches.branch_rows import HeldPath, PublishedVersion
from bcs_template_set.branches.last_builds import MOST_READ, _last_builds, _named_after
from bcs_template_set.manifests.branch_paths import Claim

HOST = "www.example.com"


def held(branch: str) -> HeldPath:
    return HeldPath(f"{HOST}.routes.yaml", HOST, Claim(f"/{branch}/", branch, "p", 1))


class Versions:
    """What BCS holds, by id; tells which ids were read."""

    def __init__(self, branches: Mapping[str, str], *, broken: frozenset[str] = frozenset()) -> None:
        self._branches = branches
        self._broken = broken
        self.read: list[str] = []

    def __call__(self, ids: Sequence[str]) -> Mapping[str, PublishedVersion]:
        self.read += ids
        return {
            number: PublishedVersion(number, "", 1, self._branches[number], 7, "lisi")
            for number in ids
            if number not in self._broken
        }


def refs(*ids: str) -> list[VersionRef]:
    return [VersionRef(id=number, name="", created_at=0) for number in ids]


def test_older_versions_are_read_until_a_description_names_the_branch() -> None:
    versions = Versions({"3": "ab", "2": "a", "1": "a"})
    found = _last_builds({held("a"): iter(refs("3", "2", "1"))}, read=versions)
    assert found[held("a")].id == "2"
    assert versions.read == ["3", "2"]


def test_a_version_that_two_paths_ask_for_is_read_once() -> None:
    versions = Versions({"3": "ab", "2": "a"})
    candidates = {held("a"): iter(refs("3", "2")), held("ab"): iter(refs("3"))}
    found = _last_builds(candidates, read=versions)
    assert (found[held("a")].id, found[held("ab")].id) == ("2", "3")
    assert versions.read == ["3", "2"]


def test_behind_a_version_that_can_not_be_read_nothing_is_known() -> None:
    versions = Versions({"2": "a", "1": "a"}, broken=frozenset({"2"}))
    assert _last_builds({held("a"): iter(refs("2", "1"))}, read=versions) == {}


def test_no_more_versions_are_read_than_a_run_can_afford() -> None:
    ids = [str(number) for number in range(MOST_READ * 2)]
    versions = Versions(dict.fromkeys(ids, "other"))
    assert _last_builds({held("a"): iter(refs(*ids))}, read=versions) == {}
    assert len(versions.read) == MOST_READ


def test_only_names_that_hold_the_slug_are_asked_newest_first() -> None:
    history = [
        VersionRef(id=number, name=name, created_at=at)
        for number, name, at in [("1", "1.0.1-a", 1), ("2", "1.0.2-a", 2), ("3", "1.0.3-b", 3)]
    ]
    named = _named_after(held("a"), {f"{HOST}.routes.yaml": history})
    assert [ref.id for ref in named] == ["2", "1"]
