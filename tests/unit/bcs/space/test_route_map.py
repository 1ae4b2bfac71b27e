from __future__ import annotations

from dataclasses import replace

from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.route_map import LiveIngress, by_place, live_clashes, owned_routes
from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.manifests.routes import EntryPoint, Route

ORIGIN = Provenance("p-1", 7, "main", "abc", "wangwu", "lisi")
HOST = "www.example.com"


def route(path: str, *, ingress: str = "i", path_type: str = "Prefix") -> Route:
    return Route(HOST, path, "web", ingress, path_type)


def test_a_claimed_path_belongs_to_its_branch_and_any_other_to_the_build_of_the_version() -> None:
    claims = [(HOST, Claim("/x/", "feature/x", "p-2", 3, "lisi"))]
    found = owned_routes("a.yaml", [route("/"), route("/x")], claims=claims, origin=ORIGIN)
    assert [(o.path, o.branch, o.build, o.pipeline) for o in found] == [
        ("/", "main", 7, "p-1"),
        ("/x", "feature/x", 3, "p-2"),
    ]
    assert str(found[1].owner()) == "a.yaml (Service web; branch feature/x, build 3 of pipeline p-2)"
    (unsaid,) = owned_routes(
        "a.yaml", [route("/")._replace(service="")], claims=[], origin=replace(ORIGIN, pipeline="")
    )
    assert str(unsaid.owner()) == "a.yaml (Service ?; branch main, build 7 of pipeline ?)"


def test_of_a_file_that_a_person_wrote_only_file_and_service_are_known() -> None:
    (owned,) = owned_routes("a.yaml", [route("/")], claims=[], origin=None)
    assert str(owned.owner()) == "a.yaml (Service web, not published by a pipeline step)"
    assert str(replace(owned, service="").owner()) == "a.yaml (Service ?, not published by a pipeline step)"
    assert (owned.pipeline, owned.branch, owned.build) == ("", "", 0)


def test_several_load_balancers_serve_one_route() -> None:
    rows = [route("/", ingress="i-0"), route("/", ingress="i-1")]
    assert len(owned_routes("a.yaml", rows, claims=[], origin=None)) == 1


def clashes(
    live: LiveIngress, *, added: frozenset[tuple[str, str]] = frozenset({(HOST, "/x/")})
) -> list[str]:
    ours = [route("/x/", ingress="ours")]
    found = live_clashes("a.yaml", ours, added=added, serving=by_place([live]), space="web")
    return [f"{clash.ingress} {clash.refuses}" for clash in found]


def test_a_live_ingress_of_somebody_else_clashes_at_the_same_place() -> None:
    assert clashes(LiveIngress("old", "", (route("/x"),))) == ["old True"]
    assert clashes(LiveIngress("old", "other/b.yaml", (route("/x"),))) == ["old True"]


def test_an_ingress_of_which_nothing_is_known_is_no_files() -> None:
    assert LiveIngress("old") == LiveIngress("old", "", ())


def test_a_clash_names_the_file_of_the_ingress_if_it_has_one() -> None:
    for file, words in (("other/b.yaml", "was deployed from other/b.yaml."), ("", "was not deployed from a")):
        serving = by_place([LiveIngress("old", file, (route("/x"),))])
        (clash,) = live_clashes("a.yaml", [route("/x")], added=frozenset(), serving=serving, space="web")
        assert words in str(clash.text())


def test_a_route_that_is_served_already_is_said_and_not_refused() -> None:
    assert clashes(LiveIngress("old", "", (route("/x"),)), added=frozenset()) == ["old False"]


def test_ones_own_ingress_and_other_places_do_not_clash() -> None:
    assert clashes(LiveIngress("ours", "", (route("/x"),))) == []
    assert clashes(LiveIngress("renamed", "web/a.yaml", (route("/x"),))) == []
    assert clashes(LiveIngress("old", "", (route("/x/y"), route("/")))) == []


def test_an_exact_path_is_a_place_of_its_own() -> None:
    assert clashes(LiveIngress("old", "", (route("/x", path_type="Exact"),))) == []


def test_an_ingress_at_another_entry_point_takes_nothing_away() -> None:
    canary = route("/x")._replace(entry=EntryPoint(is_canary=True))
    assert clashes(LiveIngress("old", "", (canary,))) == []


def test_a_place_at_two_entry_points_is_said_once() -> None:
    ours = [route("/x")._replace(entry=EntryPoint(load_balancer=name)) for name in ("lb-1", "lb-2")]
    serving = by_place([LiveIngress("old", "", (route("/x"),))])
    found = live_clashes("a.yaml", ours, added=frozenset(), serving=serving, space="web")
    assert [clash.ingress for clash in found] == ["old"]
