"""Which version tells a branch's last build, and how few are read for it: by a run none at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional

import pytest
from tests.support.planned import desired
from tests.unit.bcs.space.test_read_space import row, version
from tests.unit.branches.test_branch_reads import CLAIMED

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import Existing, ExistingFile, OtherFile, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.branches.branch_rows import BranchRow, HeldPath, PublishedVersion
from bcs_template_set.branches.last_builds import (
    _last_builds,
    _named_after,
    held_paths,
    rows_of_space,
    with_this_build,
)
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


@pytest.mark.parametrize(("of_ab", "read"), [(["3"], ["3", "2"]), (["9", "3"], ["3", "9", "2"])])
def test_a_version_that_two_paths_ask_for_at_once_or_later_is_read_once(
    of_ab: list[str], read: list[str]
) -> None:
    versions = Versions({"3": "ab", "9": "b", "2": "a"})
    candidates = {held("a"): iter(refs("3", "2")), held("ab"): iter(refs(*of_ab))}
    found = _last_builds(candidates, read=versions)
    assert (found[held("a")].id, found[held("ab")].id) == ("2", "3")
    assert versions.read == read


def test_behind_a_version_that_can_not_be_read_nothing_is_known() -> None:
    versions = Versions({"2": "a", "1": "a"}, broken=frozenset({"2"}))
    assert _last_builds({held("a"): iter(refs("2", "1"))}, read=versions) == {}


def test_after_three_reads_all_versions_are_to_be_looked_through() -> None:
    versions = Versions(dict.fromkeys("123456", "other"))
    assert _last_builds({held("a"): iter(refs(*"123456"))}, read=versions) == {}
    assert versions.read == ["1", "2", "3"]


def test_only_names_that_hold_the_slug_are_asked_newest_first() -> None:
    history = tuple(
        VersionRef(id=number, name=name, created_at=at)
        for number, name, at in [("1", "1.0.1-a", 1), ("2", "1.0.2-a", 2), ("3", "1.0.3-b", 3)]
    )
    named = _named_after(held("a"), {f"{HOST}.routes.yaml": history})
    assert [ref.id for ref in named] == ["2", "1"]


# --- as a run tells it ----------------------------------------------------------------------------------

ROUTES, DEPLOYMENT = f"{HOST}.routes.yaml", f"{HOST}.deployment.yaml"


def published_by(number: int, branch: str, *, name: str, at: int, pinned: bool = False) -> ExistingFile:
    origin = Provenance("p", number, branch, "c", "wangwu", "lisi")
    made = version(number).replaced(create_at=at, description=origin.line("") if branch else "by hand")
    listed = row(number, name=name).replaced(real_name=name, version_mode=int(pinned))
    return ExistingFile(listed, current=made)


@pytest.mark.parametrize(
    ("deployment", "routes", "known"),
    [
        pytest.param((8, "b", 80), (7, "a", 70), {"b": 8}, id="the newest of both files"),
        pytest.param((7, "a", 70), (8, "b", 80), {"b": 8}, id="whichever file has it"),
        pytest.param(None, (8, "b", 80), {}, id="not where the newest of one was not read"),
        pytest.param((9, "c", 90), (8, "b", 80), {}, id="not of others than the last"),
        pytest.param((9, "", 90), (8, "b", 80), {}, id="not below a person's"),
    ],
)
def test_a_run_tells_the_last_build_of_who_published_a_domain_last(
    deployment: Optional[tuple[int, str, int]], routes: tuple[int, str, int], known: dict[str, int]
) -> None:
    number, branch, at = routes
    files = {ROUTES: published_by(number, branch, name=ROUTES, at=at)}
    rows = {ROUTES: files[ROUTES].metadata, DEPLOYMENT: row(5, name=DEPLOYMENT)}
    if deployment is not None:
        number, branch, at = deployment
        files[DEPLOYMENT] = published_by(number, branch, name=DEPLOYMENT, at=at)
    assert told_by_a_run(files, rows) == known


def test_of_a_pinned_file_the_current_version_may_not_be_the_newest() -> None:
    file = published_by(8, "b", name=ROUTES, at=80, pinned=True)
    assert told_by_a_run({ROUTES: file}, {ROUTES: file.metadata}) == {}


def test_a_domains_only_file_a_mere_draft_and_a_file_that_the_run_does_not_render() -> None:
    file = published_by(8, "b", name=ROUTES, at=80)
    assert told_by_a_run({ROUTES: file}, {ROUTES: file.metadata}) == {"b": 8}
    draft = replace(file, current=None)
    assert told_by_a_run({ROUTES: draft}, {ROUTES: file.metadata}) == {}
    assert file.current is not None
    claims = ((HOST, Claim("/b/", "b", "p", 1)),)
    others = (OtherFile(ROUTES, claims=claims, current=ref_of(file.current)),)
    (told,) = rows_of_space(desired(), Existing(others=others, rows={ROUTES: file.metadata}), now=100)
    assert (told.last_build, told.age_seconds) == (8, 20)


def told_by_a_run(files: Mapping[str, ExistingFile], rows: Mapping[str, TemplateFile]) -> dict[str, int]:
    """Return the last builds that are known of branches a and b, which both have a path of the domain."""
    claims = tuple((HOST, Claim(f"/{branch}/", branch, "p", 1)) for branch in ("a", "b"))
    others = (OtherFile(ROUTES, claims=claims),)
    found = rows_of_space(desired(), Existing(files=files, others=others, rows=rows), now=100)
    return {row.branch: row.last_build for row in found if row.last_build}


def test_the_paths_of_shared_files_and_of_the_rest_of_the_space_come_sorted() -> None:
    def path(file: str, host: str, place: str) -> HeldPath:
        return HeldPath(file, host, Claim(place, "a", "p", 1))

    claims = tuple((host, Claim(place, "a", "p", 1)) for host, place in [("b.com", "/a/"), ("a.com", "/z/")])
    others = (OtherFile("z.routes.yaml", claims=claims), OtherFile("y.routes.yaml", claims=claims[:1]))
    ours = [("own.routes.yaml", CLAIMED), ("plain.yaml", CLAIMED)]
    wanted = replace(desired(*ours), shared=frozenset({"own.routes.yaml"}))
    x = Claim("/x/", "x", "p", 1, "lisi")
    assert held_paths(wanted, Existing(others=others)) == (
        path("z.routes.yaml", "a.com", "/z/"),
        path("y.routes.yaml", "b.com", "/a/"),
        path("z.routes.yaml", "b.com", "/a/"),
        HeldPath("own.routes.yaml", HOST, x),
    )


def test_a_build_that_has_written_is_the_last_one_of_its_branch_there() -> None:
    before = [
        BranchRow(host, "/a/", branch, f"{host}.routes.yaml", 1, 2, 3, 4, "zhaoliu", protected=False)
        for host, branch in [("a.com", "a"), ("a.com", "b"), ("b.com", "a")]
    ]
    ours = Provenance("p", 9, "a", "c", "wangwu", "lisi")
    own, *others = with_this_build(before, ours, written=frozenset({"a.com.deployment.yaml"}), now=50.7)
    assert own == replace(before[0], last_build=9, last_at=50, age_seconds=0, who="wangwu")
    assert others == before[1:]
    (own, *_) = with_this_build(
        before, replace(ours, started_by=""), written=frozenset({"a.com.routes.yaml"}), now=50.7
    )
    assert (own.last_build, own.who) == (9, "zhaoliu")
