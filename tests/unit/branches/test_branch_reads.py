"""What is read of branches: who has which path, since when, and what a race has hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
from tests.support.planned import SPACE
from tests.unit.bcs.space.test_read_space import PROJECT, FakeReader, row, version

from bcs_template_set.bcs.answers import FileVersions, TemplateVersion, VersionName
from bcs_template_set.bcs.calls import Read, T
from bcs_template_set.bcs.space.existing import ExistingFile, ref_of
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.unmerged_versions import read_unmerged
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.branches.branch_rows import RoutesFile, SpaceBranches, published
from bcs_template_set.branches.last_builds import _read_published, read_branches, read_hidden, with_whole
from bcs_template_set.messages.server_errors import BcsFailed

HOST = "www.example.com"
ROUTES = f"{HOST}.routes.yaml"
CLAIM = '{"path":"/x/","branch":"x","pipeline":"p","build":1,"by":"lisi"}'
CLAIMED = f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: i
  annotations: {{bcs-template-set/branches: '[{CLAIM}]'}}
spec:
  rules:
    - host: {HOST}
      http:
        paths:
        - {{path: /x/, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 80}}}}}}}}
"""


class Defective(FakeReader):
    """Has a defect in reading one kind of thing."""

    def __init__(self, replies: Mapping[str, object], *, broken: str) -> None:
        super().__init__(replies)
        self._broken = broken

    def read(self, call: Read[T]) -> T:
        if call.name == self._broken:
            raise ZeroDivisionError
        return super().read(call)


def test_a_defect_is_not_taken_for_a_version_that_can_not_be_read() -> None:
    with pytest.raises(ZeroDivisionError):
        _read_published(Defective({}, broken="get version"), ["1" * 24], project="web")


def test_a_version_that_can_not_be_read_is_left_out() -> None:
    reader = FakeReader({f"get version {1:024x}": UNREADABLE, f"get version {2:024x}": made(2)})
    ids = [f"{number:024x}" for number in (1, 2)]
    assert _read_published(reader, ids, project="web") == {ids[1]: published(made(2))}


def test_a_defect_is_not_taken_for_a_history_that_can_not_be_read() -> None:
    replies: dict[str, object] = {"list files": [row(1, name=ROUTES)], "list version names": []}
    replies["get version"] = version(1, content=CLAIMED)
    reader = Defective(replies, broken="list versions")
    with pytest.raises(ZeroDivisionError):
        read_branches(reader, project=PROJECT.project_code, space=SPACE)


def test_a_hidden_version_of_a_person_was_made_from_the_one_before_it() -> None:
    made_by = Provenance("p", 1, "x", "c", "wangwu", "lisi")

    def at(number: int, *, bases: tuple[int, ...] = ()) -> TemplateVersion:
        description = made_by.line("", bases=tuple(f"{base:024x}" for base in bases)) if bases else ""
        return version(number).replaced(create_at=100 * number, description=description)

    first, persons, current = at(1), at(2), at(3, bases=(1,))
    history = tuple(map(ref_of, (current, persons, first)))
    reader = FakeReader({f"get version {v.id}": v for v in (first, persons)})
    file = ExistingFile(row(1, current=3), current=current, history=history)
    (hidden,) = read_unmerged(file, read=partial(read_versions, reader, "web"))
    assert (hidden.version, hidden.base) == (persons, first)
    merged = replace(file, current=at(3, bases=(2,)))
    assert read_unmerged(merged, read=partial(read_versions, reader, "web")) == ()


# --- as the verb tells it -------------------------------------------------------------------------------

DEPLOYMENT = f"{HOST}.deployment.yaml"
ROWS = [row(1, name=ROUTES), row(2, name=DEPLOYMENT), row(3, name="notes.yaml")]
UNREADABLE = BcsFailed(bcs_code=1, message="mongo is away")


def made(number: int, *, branch: str = "x", at: int = 100, content: str = CLAIMED) -> TemplateVersion:
    line = Provenance("p", number, branch, "c", "wangwu", "lisi").line(content) if branch else "by hand"
    return version(number, content=content, at=at).replaced(description=line, creator="lisi")


def named(*names: str) -> list[FileVersions]:
    listed = [VersionName(name, f"{n:024x}", n) for n, name in enumerate(names, start=1)]
    return [FileVersions(f"front-ends/{ROUTES}", version_list=tuple(listed))]


def branches_of(replies: Mapping[str, object]) -> tuple[SpaceBranches, FakeReader]:
    reader = FakeReader({"list files": ROWS, "list version names": [], **replies})
    return read_branches(reader, project="web", space=SPACE), reader


def test_a_version_that_is_named_after_a_branch_tells_its_last_build() -> None:
    versions = {f"get version {n:024x}": made(n) for n in (1, 2)}
    found, reader = branches_of({**versions, "list version names": named("1.0.1-x", "1.0.2-x")})
    assert [(path.file, path.domain, path.claim.branch) for path in found.held] == [(ROUTES, HOST, "x")]
    assert found.histories == {ROUTES: (published(made(2)),)}
    assert (found.ids, found.notes, found.whole) == (
        {ROUTES: ROWS[0].id, DEPLOYMENT: ROWS[1].id},
        (),
        frozenset(),
    )
    assert found.files == {ROUTES: RoutesFile(ROWS[0], made(1))}
    assert "list versions" not in reader.asked


@pytest.mark.parametrize("names", [named("1.0.1-main"), [], UNREADABLE], ids=["others", "none", "refused"])
def test_where_no_name_tells_all_versions_of_the_domain_are_read(names: object) -> None:
    listed = [made(3, at=300), made(1).replaced(draft=True), made(1)]
    replies = {f"get version {1:024x}": made(1), "list version names": names, "list versions": listed}
    found, reader = branches_of(replies)
    both = (published(made(3, at=300)), published(made(1)))
    assert found.histories == {ROUTES: both, DEPLOYMENT: both}
    assert (found.notes, found.whole) == ((), frozenset({ROUTES, DEPLOYMENT}))
    assert reader.asked.count("list versions") == 2


def test_a_bcs_that_lists_no_names_is_not_asked_for_them() -> None:
    oldest = [one.replaced(name=one.real_name, real_name="") for one in ROWS]
    _, reader = branches_of(
        {"list files": oldest, f"get version {1:024x}": made(1), "list versions": [made(1)]}
    )
    assert "list version names" not in reader.asked
    assert reader.asked.count("list versions") == 2


def test_versions_that_can_not_be_listed_are_told_and_nothing_is_known_of_their_age() -> None:
    found, _ = branches_of({f"get version {1:024x}": made(1), "list versions": UNREADABLE})
    assert found.histories == {ROUTES: None, DEPLOYMENT: None}
    assert [note.fields["name"] for note in found.notes] == [DEPLOYMENT, ROUTES]
    assert str(found.notes[0]).endswith("BCS refuses the request (code 1): mongo is away")


def test_a_routes_file_that_can_not_be_read_is_told_and_others_hold_no_paths() -> None:
    files = [
        *ROWS,
        row(4, name="a.example.com.routes.yaml", current=4),
        row(5, name="b.routes.yaml", current=0),
    ]
    replies = {
        f"get version {1:024x}": made(1, content="a: ["),
        f"get version {4:024x}": made(4, content="{}"),
    }
    found, reader = branches_of({**replies, "list files": files})
    assert (found.held, found.ids, found.histories) == ((), {}, {})
    assert [(note.key, note.fields["name"]) for note in found.notes] == [("branches.unreadable_file", ROUTES)]
    assert reader.asked == ["list files", "get version", "get version"]


def test_what_was_read_whole_is_not_read_again() -> None:
    found, reader = branches_of({f"get version {1:024x}": made(1), "list versions": [made(1)]})
    again = with_whole(reader, found, found.held, project="web")
    assert again == found
    assert reader.asked.count("list versions") == 2


def test_a_hidden_version_is_named_by_its_file() -> None:
    versions = {n: made(n, at=100 * n) for n in (1, 2, 3)}
    origin = Provenance("p", 3, "x", "c", "wangwu", "lisi")
    current = versions[3].replaced(description=origin.line(CLAIMED, bases=(versions[1].id,)))
    replies: dict[str, object] = {f"get version {v.id}": v for v in versions.values()}
    replies[f"get version {current.id}"] = current
    listed = [current, versions[2], versions[1]]
    found, reader = branches_of(
        {**replies, "list files": [row(1, name=ROUTES, current=3)], "list versions": listed}
    )
    assert read_hidden(reader, found, [ROUTES], project="web") == {ROUTES: ["v2"]}
