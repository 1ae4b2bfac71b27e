from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.building import findings_of, prepared, version_of, web

from bcs_template_set.manifests.branch_paths import (
    BRANCHES,
    Claim,
    PathTaken,
    Served,
    ServedPath,
    claims_json,
    claims_of,
    clashes,
    merge_served,
    read_served,
    serve_branch,
)
from bcs_template_set.manifests.naming import DEFAULT_MAIN_BRANCHES, path_of_branch
from bcs_template_set.manifests.parse import Document, parse_documents, parse_foreign
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.render import render_manifests, render_routes
from bcs_template_set.messages.errors import ValuesInvalid

HOST = "a.example.com"
FIRST, SECOND = f"ingress-{HOST}-0", f"ingress-{HOST}-1"
SERVICE = "service-shop-a-example-com"
VALUES = f"""
app: shop
domains:
  - {{host: {HOST}, image: 'r/shop:1', port: 8080, load_balancers: [lb-1, lb-2], branch_paths: true}}
"""


def claim(branch: str, **more: Any) -> Claim:  # noqa: ANN401 - any field of a claim
    return Claim(path_of_branch(branch, main_branches=DEFAULT_MAIN_BRANCHES), branch, **more)


def path(branch: str, **more: Any) -> ServedPath:  # noqa: ANN401 - any field of a claim
    ours = claim(branch, **more)
    return ServedPath(ours.path, "Prefix", SERVICE, 8080, ours)


def bare(place: str, **more: Any) -> ServedPath:  # noqa: ANN401 - any field of a path
    return ServedPath(place, "Prefix", SERVICE, 8080)._replace(**more)


def ingress(
    *paths: str, annotation: object = None, name: str = FIRST, host: str = HOST, old: bool = False
) -> str:
    """Write an Ingress as a person would, in the form of networking/v1 or of v1beta1."""
    new_backend = {"service": {"name": SERVICE, "port": {"number": 8080}}}
    backend = {"serviceName": SERVICE, "servicePort": "http"} if old else new_backend
    body = {
        "apiVersion": "networking.k8s.io/" + ("v1beta1" if old else "v1"),
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": {} if annotation is None else {BRANCHES: annotation}},
        "spec": {
            "rules": [
                {"host": host, "http": {"paths": [{"path": path, "backend": backend} for path in paths]}}
            ]
        },
    }
    return json.dumps(body)


def documents(*texts: str) -> tuple[Document, ...]:
    return parse_documents("\n---\n".join(texts), source="a.yaml")


def add(
    served: Served,
    branch: str,
    *,
    names: Sequence[str] = (FIRST,),
    remove: Sequence[str] = (),
    main_branches: Sequence[str] = DEFAULT_MAIN_BRANCHES,
    **more: Any,  # noqa: ANN401 - any field of a claim
) -> Served:
    ours = Claim(path_of_branch(branch, main_branches=main_branches), branch, **more)
    return serve_branch(
        served,
        ours,
        names=names,
        main_branches=main_branches,
        remove=frozenset(remove),
        service=SERVICE,
        port=8080,
    )


# --- reading


def test_paths_are_read_with_their_backend_and_the_branch_that_claims_them() -> None:
    ours = claim("x", pipeline="p-1", build=12, by="wangwu")
    found = read_served(documents(ingress("/x/", "/old", annotation=claims_json([ours]))), host=HOST)
    assert found == {
        FIRST: (
            ServedPath("/old", "", SERVICE, 8080),
            ServedPath("/x/", "", SERVICE, 8080, ours),
        )
    }


def test_the_old_form_of_an_ingress_is_read_too() -> None:
    found = read_served(documents(ingress("/x/", old=True)), host=HOST)
    assert found == {FIRST: (ServedPath("/x/", "", SERVICE, "http"),)}


def test_rules_of_other_hosts_and_other_objects_are_not_read() -> None:
    other = ingress("/b", name="other", host="b.example.com")
    thing = ingress("/b").replace('"Ingress"', '"Thing"')
    assert read_served(documents(other, thing), host=HOST) == {}


@pytest.mark.parametrize("port", ['"nothing": 1', '"number": true', '"number": [8080]', '"number": 80.5'])
def test_a_path_without_a_service_and_port_is_left_out(port: str) -> None:
    text = ingress("/x/").replace('"number": 8080', port)
    assert read_served(documents(text), host=HOST) == {}


def test_a_rule_without_a_path_serves_all_of_its_host() -> None:
    text = ingress("/x/").replace('"path": "/x/", ', "")
    assert read_served(documents(text), host=HOST) == {FIRST: (bare("/", path_type=""),)}


def test_a_rule_without_a_host_is_read_as_the_one_for_every_host() -> None:
    text = ingress("/x/").replace(f'"host": "{HOST}", ', "")
    assert read_served(documents(text), host=HOST) == {}
    assert [*read_served(documents(text), host="*")] == [FIRST]


def test_paths_that_differ_in_the_last_slash_are_one_place_unless_they_are_exact() -> None:
    text = ingress("/x", "/x/")
    assert [p.path for p in read_served(documents(text), host=HOST)[FIRST]] == ["/x"]
    exact = text.replace('"path":', '"pathType": "Exact", "path":')
    assert [p.path for p in read_served(documents(exact), host=HOST)[FIRST]] == ["/x", "/x/"]


@pytest.mark.parametrize(
    "annotation",
    [
        "",
        "no JSON",
        "{}",
        "[5, null, []]",
        "5",
        "[" * 100_000,
        '[{"path": "/x/"}]',
        '[{"path": 5, "branch": "x"}]',
        '[{"path": "/gone/", "branch": "gone"}]',
        '[{"path": "/x/", "branch": "x", "build": ' + "9" * 5000 + "}]",
        7,
    ],
)
def test_a_broken_annotation_claims_nothing_that_is_not_there(annotation: object) -> None:
    (found,) = read_served(documents(ingress("/x/", annotation=annotation)), host=HOST)[FIRST]
    assert found.claim is None or found.claim.branch == "x"
    assert found.path == "/x/"


def test_a_claim_with_fields_of_the_wrong_kind_is_still_the_branchs() -> None:
    annotation = '[{"path": "/x/", "branch": "x", "build": "12", "by": 5, "more": 1}]'
    (found,) = read_served(documents(ingress("/x/", annotation=annotation)), host=HOST)[FIRST]
    assert found.claim == Claim("/x/", "x")


def test_claims_are_told_once_a_host_however_many_ingresses_have_them() -> None:
    annotation = claims_json([claim("y"), claim("x"), claim("gone")])
    text = documents(
        ingress("/x/", "/y/", "/z/", annotation=annotation),
        ingress("/x/", annotation=annotation, name=SECOND),
        ingress("/x/", annotation=annotation, name="other", host="b.example.com"),
    )
    assert claims_of(text) == ((HOST, claim("x")), (HOST, claim("y")), ("b.example.com", claim("x")))


# --- the annotation

HOSTILE = [
    "{{x}}",
    "{{{{ x }}}}",
    "a'b\"c",
    "a\nb\r\n\tc",
    "分支/登录",
    "x" * 300,
    "\\{{",
    "\x7f\x85\u2028\ufeff",
    "#c: - [",
    "",
    "</script>",
    "😀",
]


@pytest.mark.parametrize("branch", HOSTILE)
def test_any_branch_survives_writing_and_reading_and_is_no_variable_of_bcs(
    tmp_path: Path, branch: str
) -> None:
    run = prepared(tmp_path, "builtin:web", values=VALUES, branch=branch or "x")
    run = replace(run, claim=run.claim._replace(branch=branch, by=branch, pipeline=branch))
    files = render_manifests(run).files
    assert findings_of(*files) == ()
    routes = files[1]
    assert "{{" not in routes.text
    assert routes.text.isascii()
    assert claims_of(routes.documents) == ((HOST, run.claim),)
    foreign = parse_foreign(routes.text)
    assert foreign is not None
    assert claims_of(foreign) == ((HOST, run.claim),)
    assert [*yaml.safe_load_all(routes.text)][1]["metadata"]["annotations"][BRANCHES] == claims_json(
        [run.claim]
    )


CLAIMS = st.builds(
    Claim,
    path=st.text(st.characters(exclude_categories=["Cs"]), max_size=10).map("/{}/".format),
    branch=st.text(max_size=20),
    pipeline=st.text(max_size=5),
    build=st.integers(0, 2**63),
    by=st.text("{}'\"\\a", max_size=5),
)


@given(st.lists(CLAIMS, max_size=5))
def test_the_annotation_is_ascii_on_one_line_and_says_all_of_every_claim(claims: list[Claim]) -> None:
    text = claims_json(claims)
    assert text.isascii()
    assert text.isprintable()
    assert "'" not in text
    assert "{{" not in text
    assert [Claim(**entry) for entry in json.loads(text)] == sorted(claims)


# --- this branch's path beside the others'


def test_the_first_branch_of_a_domain_gets_its_path_on_every_ingress() -> None:
    assert add({}, "x", names=[FIRST, SECOND]) == {FIRST: (path("x"),), SECOND: (path("x"),)}


def test_a_branch_is_added_beside_the_others_and_changes_none_of_them() -> None:
    served = {FIRST: (bare("/"), path("x"), bare("/z", service="other", port="http"))}
    assert add(served, "y") == {
        FIRST: (bare("/"), path("x"), path("y"), bare("/z", service="other", port="http"))
    }


def test_a_later_build_of_a_branch_changes_nothing() -> None:
    served = add({}, "x", build=5, by="lisi")
    assert add(served, "x", build=6, by="wangwu", pipeline="p-2") == served


def test_an_ingress_that_is_new_serves_what_the_others_do() -> None:
    served = {FIRST: (path("x"),)}
    both = (path("x"), path("y"))
    assert add(served, "y", names=[FIRST, SECOND]) == {FIRST: both, SECOND: both}


def test_an_ingress_that_is_new_serves_what_the_first_of_the_others_does_where_they_differ() -> None:
    old, new = bare("/old"), bare("/old", service="other")
    assert add({SECOND: (new,), FIRST: (old,)}, "y", names=["third"]) == {"third": (old, path("y"))}


def test_what_each_ingress_serves_stays_its_own() -> None:
    served = {FIRST: (path("x"),), SECOND: (bare("/old"),)}
    found = add(served, "y", names=[FIRST, SECOND])
    assert found == {FIRST: (path("x"), path("y")), SECOND: (bare("/old"), path("y"))}


def test_a_path_that_nobody_claims_is_taken_over_as_it_is_written() -> None:
    ours = claim("x", build=5)
    (found,) = add({FIRST: (bare("/x", service="old", port="http", path_type=""),)}, "x", build=5)[FIRST]
    assert found == ServedPath("/x", "", SERVICE, 8080, ours._replace(path="/x"))


def test_an_exact_path_is_not_the_branchs_place() -> None:
    exact = bare("/x", path_type="Exact", service="other")
    assert add({FIRST: (exact,)}, "x")[FIRST] == (exact, path("x"))


def test_a_new_port_of_the_service_goes_to_every_path_that_leads_there() -> None:
    served = {FIRST: (path("x"), bare("/n", port="http"), bare("/z", service="other"))}
    found = serve_branch(
        served,
        claim("y"),
        names=[FIRST],
        main_branches=(),
        remove=frozenset(),
        service=SERVICE,
        port=9090,
    )
    ports = {path.path: path.port for path in found[FIRST]}
    assert ports == {"/n": "http", "/x/": 9090, "/y/": 9090, "/z": 8080}


def test_a_path_of_another_branch_is_refused_with_its_owner() -> None:
    owner = Claim("/x", "X!", build=7)
    served = {FIRST: (bare("/x", claim=owner),), SECOND: (bare("/x", claim=owner),)}
    with pytest.raises(PathTaken) as caught:
        add(served, "x", names=[FIRST, SECOND])
    assert caught.value.owners == (owner,)
    assert caught.value.claim == claim("x")
    assert clashes(served, claim("x"), main_branches=(), remove=frozenset()) == (owner,)
    assert add(served, "x", remove=["X!"])[FIRST] == (path("x"),)


def test_a_path_below_another_branchs_is_no_clash() -> None:
    owner = Claim("/x/y/", "other")
    assert add({FIRST: (bare("/x/y/", claim=owner),)}, "x")[FIRST][1].claim == owner


def test_main_branches_hand_the_root_over() -> None:
    found = add(add({}, "main", build=5), "release", build=1)
    assert found == {FIRST: (path("release", build=1),)}


def test_a_branch_that_became_main_leaves_its_old_path() -> None:
    served = add(add({}, "x"), "y")
    assert add(served, "x", main_branches=["x"]) == {FIRST: (bare("/", claim=Claim("/", "x")), path("y"))}


def test_a_root_claimed_by_a_branch_that_is_not_main_is_not_handed_over() -> None:
    served = {FIRST: (bare("/", claim=Claim("/", "x")),)}
    assert clashes(served, claim("main"), main_branches=["main"], remove=()) == (Claim("/", "x"),)


def test_branches_that_are_removed_lose_their_paths() -> None:
    served = {FIRST: (bare("/"), path("x"), path("y"), path("z"))}
    assert add(served, "y", remove=["x", "z", "nobody"]) == {FIRST: (bare("/"), path("y"))}


BRANCH_NAMES = st.sampled_from(["main", "release", "x", "y", "feature/Z"])


@given(st.lists(BRANCH_NAMES, max_size=8), st.data())
def test_the_order_in_which_branches_come_changes_nothing(branches: list[str], data: st.DataObject) -> None:
    def served(order: Sequence[str]) -> Served:
        found: Served = {}
        for branch in order:
            found = add(found, branch, main_branches=["main"])
        return found

    assert served(branches) == served(data.draw(st.permutations(branches)))


# --- merging what rivals wrote

PATHS = st.one_of(
    st.builds(path, BRANCH_NAMES, build=st.integers(1, 2)),
    st.builds(bare, st.sampled_from(["/", "/x", "/old"]), service=st.sampled_from([SERVICE, "other"])),
)


def _served(lists: Mapping[str, Sequence[ServedPath]]) -> Served:
    found = {}
    for name, paths in lists.items():
        by_place = {path.place: path for path in paths}
        found[name] = tuple(sorted(by_place.values(), key=lambda path: path.path))
    return {name: paths for name, paths in found.items() if paths}


SERVED = st.dictionaries(st.sampled_from([FIRST, SECOND]), st.lists(PATHS, max_size=4)).map(_served)
RIVALS = st.lists(st.tuples(SERVED, SERVED), max_size=4)


def places(served: Served) -> set[tuple[str, object]]:
    return {(name, path.place) for name, paths in served.items() for path in paths}


def test_what_a_rival_added_is_added_and_what_it_removed_is_removed() -> None:
    base = {FIRST: (path("x"), path("y"))}
    current = {FIRST: (path("main"), path("x"), path("y"))}
    rival = {FIRST: (path("x"), path("z"))}
    assert merge_served(current, rivals=[(rival, base)]) == {FIRST: (path("main"), path("x"), path("z"))}


def test_where_both_changed_a_path_the_current_one_stays() -> None:
    base, current, rival = ({FIRST: (path("main", build=build),)} for build in (1, 2, 3))
    assert merge_served(current, rivals=[(rival, base)]) == current


def test_a_rival_made_from_a_rival_goes_on_from_it() -> None:
    first, second = {FIRST: (path("x", build=1),)}, {FIRST: (path("x", build=2),)}
    for rivals in ([(first, {}), (second, first)], [(second, first), (first, {})]):
        assert merge_served({}, rivals=rivals) == second
    assert merge_served({}, rivals=[(first, {}), ({}, first)]) == {}


def test_what_one_rival_removed_and_another_changed_is_changed() -> None:
    base, changed = {FIRST: (path("x", build=1),)}, {FIRST: (path("x", build=2),)}
    for rivals in ([({}, base), (changed, base)], [(changed, base), ({}, base)]):
        assert merge_served(base, rivals=rivals) == changed


def test_what_a_rival_left_as_a_rival_had_made_it_is_as_that_one_made_it() -> None:
    base, first = {FIRST: (path("x", build=1),)}, {FIRST: (path("x", build=2),)}
    second = {FIRST: (path("x", build=2), path("y"))}
    assert merge_served(base, rivals=[(first, base), (second, first)]) == second


def test_what_a_rival_changed_back_is_as_it_was() -> None:
    base, first = {FIRST: (path("x", build=1),)}, {FIRST: (path("x", build=2),)}
    assert merge_served(base, rivals=[(first, base), (base, first)]) == base


@given(SERVED)
def test_without_rivals_or_changes_nothing_is_merged(served: Served) -> None:
    assert merge_served(served, rivals=[]) == served
    assert merge_served(served, rivals=[(served, served), ({}, {})]) == served


@given(SERVED, RIVALS)
def test_merging_twice_is_merging_once(current: Served, rivals: list[tuple[Served, Served]]) -> None:
    merged = merge_served(current, rivals=rivals)
    assert merge_served(merged, rivals=rivals) == merged


@given(SERVED, RIVALS, st.data())
def test_the_order_of_rivals_changes_nothing(
    current: Served, rivals: list[tuple[Served, Served]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rivals))
    assert merge_served(current, rivals=shuffled) == merge_served(current, rivals=rivals)


@given(SERVED, SERVED, st.lists(SERVED, max_size=3))
def test_no_path_that_anybody_added_is_lost(base: Served, ours: Served, theirs: list[Served]) -> None:
    """All were made from one base: what is there afterwards is what each of them has beyond it."""
    added = set[tuple[str, object]]().union(*(places(served) - places(base) for served in (ours, *theirs)))
    merged = merge_served(ours, rivals=[(served, base) for served in theirs])
    assert added <= places(merged)
    assert places(merged) - added <= places(base)


@given(SERVED, SERVED)
def test_a_rival_of_an_unchanged_version_is_taken_as_it_is(base: Served, rival: Served) -> None:
    assert merge_served(base, rivals=[(rival, base)]) == rival


# --- the routes file


def test_a_branch_that_builds_alone_serves_its_path_only(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=VALUES, branch="x")
    assert run.branch_domains == (HOST,)
    assert run.claim == Claim("/x/", "x", "p-1", 428, "wangwu")
    deployment, routes, service = render_manifests(run).files
    own = (path("x")._replace(claim=run.claim),)
    assert read_served(routes.documents, host=HOST) == {FIRST: own, SECOND: own}
    assert BRANCHES not in deployment.text + service.text


def test_a_routes_file_with_all_branches_is_read_back_as_it_was_asked_for(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=VALUES, branch="y")
    exact = bare("/e", path_type="Exact", service="other", port="http")
    today = {FIRST: (bare("/"), exact, path("x")), SECOND: (path("main"),)}
    wanted = add(today, "y", names=[FIRST, SECOND])
    (routes,) = render_routes(run, {HOST: wanted})
    assert (routes.name, routes.domain) == (f"{HOST}.routes.yaml", HOST)
    assert read_served(routes.documents, host=HOST) == wanted


def test_hosts_that_are_not_asked_for_are_not_rendered_again(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=VALUES, branch="y")
    assert render_routes(run, {}) == ()


def test_a_path_type_that_is_none_is_written_as_kubernetes_default(tmp_path: Path) -> None:
    run = prepared(tmp_path, "builtin:web", values=VALUES, branch="x")
    served = {name: (bare("/a", path_type=kind),) for name, kind in ((FIRST, ""), (SECOND, "a: b"))}
    (routes,) = render_routes(run, {HOST: served})
    found = read_served(routes.documents, host=HOST)
    assert {path.path_type for paths in found.values() for path in paths} == {"ImplementationSpecific"}


def test_two_branches_of_a_domain_are_kept(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    first = render_manifests(prepared(tmp_path, "builtin:web", values=VALUES, branch="main")).files[1]
    run = prepared(tmp_path, "builtin:web", values=VALUES, branch="feature/{{Login}}")
    served = serve_branch(
        read_served(first.documents, host=HOST),
        run.claim,
        names=[FIRST, SECOND],
        main_branches=run.main_branches,
        remove=frozenset(),
        service=SERVICE,
        port=8080,
    )
    (routes,) = render_routes(run, {HOST: served})
    golden("web/branches.routes.yaml", routes.text)
    deployment, _, service = render_manifests(run).files
    assert findings_of(deployment, routes, service) == ()


# --- the value main_branches


def path_of_version(run: Prepared) -> str:
    return version_of("{{ branch.path }}", run=run)


@pytest.mark.parametrize(
    ("values", "branch", "place"),
    [
        ("", "main", "/"),
        ("", "release", "/"),
        ("", "x", "/x/"),
        ("main_branches: [x, 'y']", "x", "/"),
        ("main_branches: [x, 'y']", "main", "/main/"),
        ("main_branches: []", "main", "/main/"),
    ],
)
def test_any_run_may_say_which_branches_are_main(
    tmp_path: Path, values: str, branch: str, place: str
) -> None:
    (tmp_path / "t.yaml.j2").write_text("a: {{ branch.path }}\n")
    run = prepared(tmp_path, "t.yaml.j2", values=values, branch=branch)
    assert run.branch_domains == ()
    assert path_of_version(run) == place
    (file,) = render_manifests(run).files
    assert file.text == f"a: {place}\n"


def test_main_branches_are_a_value_of_templates_too(tmp_path: Path) -> None:
    (tmp_path / "t.yaml.j2").write_text("a: {{ main_branches }}\n")
    (file,) = render_manifests(prepared(tmp_path, "t.yaml.j2", values="main_branches: [x]")).files
    assert file.text == 'a: ["x"]\n'


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("main_branches: main", "main_branches is text; write a list"),
        (
            "main_branches: [x, 1.5]",
            'main_branches[1] is the number 1.5; write "1.5", in quotes',
        ),
        ("main_branches: ['']", "main_branches[0] is empty; it takes the exact name"),
        ("main_branches: null", "main_branches is empty"),
    ],
)
def test_main_branches_of_another_kind_are_a_mistake_of_any_run(
    tmp_path: Path, values: str, says: str
) -> None:
    (tmp_path / "t.yaml.j2").write_text("a: 1\n")
    for extra, templates in (
        ("", ["t.yaml.j2"]),
        (VALUES, ["builtin:web"]),
        (VALUES, ["t.yaml.j2", "builtin:web"]),
    ):
        with pytest.raises(ValuesInvalid) as caught:
            render_manifests(prepared(tmp_path, *templates, values=f"{values}\n{extra}"))
        (detail,) = map(str, caught.value.details)
        assert says in detail


def test_without_branch_paths_there_is_no_word_of_branches(tmp_path: Path) -> None:
    files = web(tmp_path, VALUES.replace("true", "false"))
    assert BRANCHES not in files[1].text
    assert claims_of(files[1].documents) == ()
