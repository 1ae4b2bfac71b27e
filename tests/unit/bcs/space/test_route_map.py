from __future__ import annotations

from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.route_map import LiveIngress, by_place, live_clashes, owned_routes
from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.manifests.routes import Route

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


def test_of_a_file_that_a_person_wrote_only_file_and_service_are_known() -> None:
    (owned,) = owned_routes("a.yaml", [route("/")], claims=[], origin=None)
    assert str(owned.owner()) == "a.yaml (Service web, not published by a pipeline step)"


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


def test_a_route_that_is_served_already_is_said_and_not_refused() -> None:
    assert clashes(LiveIngress("old", "", (route("/x"),)), added=frozenset()) == ["old False"]


def test_ones_own_ingress_and_other_places_do_not_clash() -> None:
    assert clashes(LiveIngress("ours", "", (route("/x"),))) == []
    assert clashes(LiveIngress("renamed", "web/a.yaml", (route("/x"),))) == []
    assert clashes(LiveIngress("old", "", (route("/x/y"), route("/")))) == []


def test_an_exact_path_is_a_place_of_its_own() -> None:
    assert clashes(LiveIngress("old", "", (route("/x", path_type="Exact"),))) == []
