"""What becomes of routes: what comes, goes, is served otherwise, and what nobody serves any more."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.route_changes import by_key, changes_of, heir_of, served_as, told_change
from bcs_template_set.manifests.routes import DEFAULT_BACKEND, EntryPoint, Route, routes_of


def route(text: str) -> Route:
    """Return the route of `host/path [type] [service] [class@balancer]`, Prefix to `web` by default."""
    place, *more = text.split()
    kind, service, name = [*more, *("Prefix", "web", "")[len(more) :]]
    host, slash, path = place.partition("/")
    kind = DEFAULT_BACKEND if kind == "default" else "" if kind == "?" else kind
    name, _, balancer = name.partition("@")
    return Route(host, slash + path, service, "i", kind, EntryPoint(name, balancer))


def routes(text: str) -> list[Route]:
    return [route(part) for part in text.split(", ") if part]


CASES = {
    "nothing": ("a.x/", "a.x/", "", "", "", ""),
    "comes": ("", "a.x/", "a.x/", "", "", ""),
    "goes": ("a.x/", "", "", "a.x/", "", "a.x/ Prefix"),
    "a slash at the end": ("a.x/b", "a.x/b/", "", "", "", ""),
    "narrower": ("a.x/", "a.x/ Exact", "", "", "a.x/ Prefix -> Exact", "a.x/ Prefix"),
    "wider": ("a.x/ Exact", "a.x/", "", "", "a.x/ Exact -> Prefix", ""),
    "wider, and another Service": ("a.x/ Exact one", "a.x/ Prefix two", "", "", "a.x/ Exact -> Prefix", ""),
    "one of two types": (
        "a.x/ Exact one, a.x/ Prefix two", "a.x/ Prefix two", "", "", "a.x/ Exact -> Prefix", "a.x/ Exact"
    ),
    "one of two types, same Service": ("a.x/ Exact, a.x/", "a.x/", "", "", "a.x/ Exact -> Prefix", ""),
    "Prefix or the class's own way": ("a.x/", "a.x/ ?", "", "", "a.x/ Prefix -> ImplementationSpecific", ""),
    "another class": ("a.x/ Exact a one", "a.x/ Exact a two", "", "", "a.x/ class one -> two", ""),
    "another type and class": (
        "a.x/ Prefix a one", "a.x/ Exact a two", "", "",
        "a.x/ Prefix -> Exact, class one -> two",
        "a.x/ Prefix, class one"
    ),
    "a class": ("a.x/", "a.x/ Prefix web kong", "", "", "a.x/ class - -> kong", ""),
    "another load balancer": (
        "a.x/ ? web one@lb-1", "a.x/ ? web one@lb-2", "", "", "a.x/ load balancer lb-1 -> lb-2", ""
    ),
    "one of two load balancers": (
        "a.x/ ? web @lb-1, a.x/ ? web @lb-2", "a.x/ ? web @lb-1, a.x/ ? web @lb-3", "", "",
        "a.x/ load balancer lb-2 -> lb-3", ""
    ),
    "a load balancer less": (
        "a.x/ ? web @lb-1, a.x/ ? web @lb-2", "a.x/ ? web @lb-1", "", "",
        "a.x/ load balancer lb-2 -> lb-1", ""
    ),
    "a load balancer more": ("a.x/ ? web @lb-1", "a.x/ ? web @lb-1, a.x/ ? web @lb-2", "", "", "", ""),
    "two load balancers": ("a.x/, a.x/ Prefix web", "a.x/", "", "", "", ""),
    "a wildcard": ("a.x/", "*.x/", "*.x/", "", "a.x/ -> *.x/", ""),
    "a wildcard to another Service": ("a.x/", "*.x/ Prefix two", "*.x/", "", "a.x/ -> *.x/", ""),
    "a wildcard that was there": ("a.x/, *.x/ Prefix two", "*.x/ Prefix two", "", "a.x/", "", "a.x/ Prefix"),
    "a wildcard that was there, same Service": ("a.x/, *.x/", "*.x/", "", "", "a.x/ -> *.x/", ""),
    "a wildcard of another domain": ("a.b.x/", "*.x/", "*.x/", "a.b.x/", "", "a.b.x/ Prefix"),
    "a wildcard's other path": ("a.x/b", "*.x/", "*.x/", "a.x/b", "", "a.x/b Prefix"),
    "an exact path of a wildcard": ("a.x/b Exact", "*.x/b Exact", "*.x/b", "", "a.x/b -> *.x/b", ""),
    "less than a wildcard": ("*.x/", "a.x/", "a.x/", "*.x/", "", "*.x/ Prefix"),
    "any host": ("*.x/", "*/", "*/", "", "*.x/ -> */", ""),
    "no more any host": ("*/", "a.x/", "a.x/", "*/", "", "*/ Prefix"),
    "a default backend": ("a.x/b", "*/ default", "*/", "", "a.x/b -> */", ""),
    "a host's default": ("a.x/b", "a.x/ default", "a.x/", "", "a.x/b -> a.x/", ""),
    "a default backend that was there": (
        "a.x/b, */ default two", "*/ default two", "", "a.x/b", "", "a.x/b Prefix"
    ),
    "no more default backend": ("*/ default", "", "", "*/", "", "*/ default backend"),
    "a rule for all": ("*/ default", "*/", "", "", "*/ default backend -> Prefix", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_what_still_serves_a_place_is_no_loss_and_what_is_served_otherwise_is_one_change(what: str) -> None:
    before, after, added, removed, changed, lost = CASES[what]
    found = changes_of(routes(before), routes(after))
    assert ", ".join(host + path for host, path in found.added) == added
    assert ", ".join(host + path for host, path in found.removed) == removed
    assert ", ".join(told_change(old, new) for old, new in found.changed) == changed
    assert ", ".join(f"{r.host}{r.path} {served_as(r)}" for r in found.lost) == lost


def test_a_route_is_told_without_a_host_that_is_known_and_with_its_class() -> None:
    old, new = route("a.x/"), route("a.x/ Exact")
    assert told_change(old, new, row="a.x") == "/ Prefix -> Exact"
    assert served_as(route("a.x/ Exact web nginx")) == "Exact, class nginx"


@pytest.mark.parametrize(
    ("lost", "left", "heir"),
    [
        ("a.x/b/c", "a.x/, a.x/b, a.x/bb, */b/c", "a.x/b"),
        ("a.x/b/c", "a.x/, */b/c", "a.x/"),
        ("a.x/b/c", "a.y/, *.x/b, */b/c", "*.x/b"),
        ("a.x/b", "*.y/, */", "*/"),
        ("a.x/", "*/", "*/"),
        ("*.x/b", "a.x/, *.x/, */b", "*.x/"),
        ("*.x/", "a.x/, */", "*/"),
        ("*/b", "a.x/, */", "*/"),
        ("a.x/b Exact", "a.x/, a.x/b/", "a.x/b/"),
        ("a.x/b", "a.x/b Exact, */ default", "*/"),
        ("a.b.x/", "*.x/", ""),
        ("a.x/b", "a.x/b/c, a.x/bb, a.x/c", ""),
        ("*.x/", "a.x/", ""),
        ("*/", "a.x/, *.x/", ""),
    ],
)
def test_the_nearest_host_answers_in_the_place_of_a_lost_route_with_its_longest_path(
    lost: str, left: str, heir: str
) -> None:
    found = heir_of(route(lost), by_key(routes(left)))
    assert (found and found.host + found.path) == (heir or None)


@pytest.mark.parametrize(
    ("spec", "served"),
    [
        ("{defaultBackend: {service: {name: web, port: {number: 80}}}}", [("*", "/", "web")]),
        ("{backend: {serviceName: web, servicePort: 80}}", [("*", "/", "web")]),
        ("{defaultBackend: {service: {name: web}}, rules: [{host: a.x}]}", [("a.x", "/", "web")]),
        (
            "{defaultBackend: {service: {name: web}}, rules: [{host: a.x, http: {paths: [{path: /b}]}}]}",
            [("a.x", "/b", "")],
        ),
        ("{rules: [{host: a.x}]}", []),
        ("{}", []),
    ],
)
def test_a_default_backend_is_a_route_where_it_serves_all_of_a_host(
    spec: str, served: list[tuple[str, str, str]]
) -> None:
    text = f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i}}\nspec: {spec}\n"
    found = routes_of(parse_documents(text, source="x"))
    assert [(r.host, r.path, r.service) for r in found] == served
    assert all(r.place == (r.host, "") for r in found if r.path == "/")
