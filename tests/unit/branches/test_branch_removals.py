"""How a file changes when branches go: which paths, under which version, made from what, and what stays."""

from __future__ import annotations

from dataclasses import replace

from tests.support.planned import TARGET, version_of
from tests.unit.bcs.space.test_read_space import row

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import ref_of
from bcs_template_set.bcs.space.provenance import content_digest
from bcs_template_set.branches.branch_rows import (
    BranchRow,
    PublishedVersion,
    Removal,
    RoutesFile,
    SpaceBranches,
    plan_of,
    plan_removals,
    published,
    without_hidden,
)
from bcs_template_set.manifests.branch_paths import Claim, claims_json
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.routes import routes_of

A, B = "a.example.com", "b.example.com"


def routes(host: str, *branches: str) -> str:
    claims = claims_json(Claim(f"/{branch}/", branch) for branch in branches)
    paths = "".join(
        f"      - path: {path}\n        backend: {{service: {{name: s, port: {{number: 80}}}}}}\n"
        for path in ("/", *(f"/{branch}/" for branch in branches))
    )
    return (
        f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n  annotations:\n"
        f"    bcs-template-set/branches: '{claims}'\nspec:\n  rules:\n  - host: {host}\n    http:\n"
        f"      paths:\n{paths}"
    )


def stale(host: str, branch: str) -> BranchRow:
    return BranchRow(host, f"/{branch}/", branch, f"{host}.routes.yaml", 1, 2, 3, 4, "lisi", protected=False)


HISTORY = (
    PublishedVersion("old", "1.0.6-main.2", 5, "x", 3, "lisi"),
    PublishedVersion("new", "1.0.6-main", 9, "x", 4, "lisi"),
    PublishedVersion("mid", "1.0.5-main", 9, "x", 4, "lisi"),
)


def found(*files: tuple[str, TemplateVersion], pinned: bool = False) -> SpaceBranches:
    held = {
        f"{host}.routes.yaml": RoutesFile(
            row(1, name=f"{host}.routes.yaml").replaced(version_mode=int(pinned)), current
        )
        for host, current in files
    }
    return SpaceBranches(held, {}, (), {f"{A}.routes.yaml": HISTORY})


def test_a_file_loses_the_paths_of_the_rows_under_a_successor_of_its_version() -> None:
    current = version_of(routes(A, "x", "y", "z"))
    there = found((A, current), pinned=True)
    (removal,) = plan_removals(there, [stale(A, "x"), stale(A, "z")])
    change, text = removal.change, routes(A, "y")
    assert change is not None
    assert (removal.refused, removal.rows) == (None, (stale(A, "x"), stale(A, "z")))
    assert [str(path) for path in removal.paths] == ["a.example.com/x/ (x)", "a.example.com/z/ (z)"]
    assert (change.name, change.action, change.content, change.digest) == (
        *(f"{A}.routes.yaml", "update", text),
        content_digest(text),
    )
    assert (change.version, change.template_id) == ("1.0.6-main.3", there.files[change.name].metadata.id)
    assert (change.writes_version, change.moves_pin, change.overwrites) == (True, True, False)
    assert (change.previous, change.bases) == (ref_of(current), (current.id,))
    assert change.known == {current.id, "old", "new", "mid"}
    assert change.routes == routes_of(parse_documents(text, source="x"))
    assert change.routes_removed == ((A, "/x/"), (A, "/z/"))
    assert [route.path for route in change.routes_lost] == ["/x/", "/z/"]
    assert "-      - path: /x/" in change.diff
    assert "/y/" not in [line[2:] for line in change.diff.splitlines() if line[:1] in "+-"]


def test_of_a_file_of_two_domains_each_loses_its_own() -> None:
    two = version_of(f"{routes(A, 'x', 'y')}---\n{routes(B, 'x', 'y')}")
    rows = [stale(A, "x"), replace(stale(B, "y"), file=f"{A}.routes.yaml")]
    (removal,) = plan_removals(found((A, two)), rows)
    assert removal.change is not None
    assert removal.change.content == f"{routes(A, 'y')}---\n{routes(B, 'x')}"


def test_each_file_is_changed_once_and_one_that_can_not_be_says_why() -> None:
    there = found((A, version_of(routes(A, "x"))), (B, version_of("a: [")))
    can, can_not = plan_removals(there, [stale(B, "x"), stale(A, "x")])
    assert (can.file, can.refused, can_not.file) == (f"{A}.routes.yaml", None, f"{B}.routes.yaml")
    assert (can_not.rows, can_not.change, can_not.refused is not None) == ((stale(B, "x"),), None, True)
    assert can.change is not None
    plan = plan_of([can, can_not], target=TARGET)
    assert (plan.target, plan.changes, plan.version, plan.digest) == (TARGET, (can.change,), "", "")
    assert (plan.creates_space, plan.chart, plan.writes) == (False, "none", True)


def test_where_another_version_is_hidden_nothing_is_written() -> None:
    there = found((A, version_of(routes(A, "x"))), (B, version_of(routes(B, "x"))))
    one, other = plan_removals(there, [stale(A, "x"), stale(B, "x")])
    refused = Removal("c.routes.yaml", (), refused=one.paths[0])
    hidden = {one.file: ["1.0.9"], refused.file: ["1.0.9"], other.file: []}
    first, second, third = without_hidden([one, other, refused], hidden)
    assert (second, third) == (other, refused)
    assert replace(first, refused=None) == replace(one, change=None)
    assert str(first.refused).startswith("1.0.9 was written at the same time as the current version")


def test_the_versions_of_a_file_come_newest_first() -> None:
    assert [ref.id for ref in found((A, version_of("x"))).existing(f"{A}.routes.yaml").history or ()] == [
        *("new", "mid", "old")
    ]
    assert found((B, version_of("x"))).existing(f"{B}.routes.yaml").history == ()


def test_a_version_tells_its_build_and_one_of_a_person_who_wrote_it() -> None:
    made = version_of("x")
    by_hand = made.replaced(description="by hand")
    unstarted = made.replaced(description=made.description.replace("wangwu", ""))
    told = PublishedVersion(made.id, "1.0.6-main", made.create_at, "main", 6, "wangwu")
    assert published(made) == told
    assert published(unstarted) == replace(told, who="lisi")
    assert published(by_hand) == replace(told, branch="", build=0, who="lisi")
