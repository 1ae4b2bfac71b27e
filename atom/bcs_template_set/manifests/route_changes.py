"""What becomes of routes as a file changes: which come and go, are served otherwise, or are lost. Pure.

What still serves a host and path is no loss: a wildcard of the host, a rule without one, a default backend.
What did so before, too, and leads to another Service, only catches what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional

from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.routes import ANY_HOST, DEFAULT_BACKEND, Route, RouteKey
from bcs_template_set.records.late_dataclass import dataclass

_EXACT = "Exact"

RoutesByKey = Mapping[RouteKey, Sequence[Route]]
"""Routes by their host and path, the latter without a slash at its end."""


@dataclass(frozen=True)
class RouteChanges:
    """Hosts and paths that come and go, old and new of what is served otherwise, and what nobody serves."""

    added: tuple[RouteKey, ...] = ()
    removed: tuple[RouteKey, ...] = ()
    changed: tuple[tuple[Route, Route], ...] = ()
    lost: tuple[Route, ...] = ()


def changes_of(before: Iterable[Route], after: Iterable[Route]) -> RouteChanges:
    """Return what becomes of a file's routes; of Ingresses that serve one place the first stands for all."""
    old, new = by_key(before), by_key(after)
    places, known = _by_place(new), _by_place(old)
    changed: list[tuple[Route, Route]] = []
    lost: list[Route] = []
    for place, (route, *more) in known.items():
        if place in places:
            changed += _served_otherwise([route, *more], places[place])
            continue
        keepers = (r for r in _wider(route, new) if r.place not in known or r.service == route.service)
        keeper = next(keepers, None)
        other = keeper or next(iter(new.get(key_of(route), ())), None)
        changed += [(route, other)] if other is not None else []
        lost += [route] if keeper is None else []
    added = {(r.host, r.path) for key in new.keys() - old.keys() for r in new[key]}
    removed = {(r.host, r.path) for r in lost if key_of(r) not in new}
    ended = tuple(sorted(lost))
    return RouteChanges(tuple(sorted(added)), tuple(sorted(removed)), tuple(sorted(changed)), ended)


def by_key(routes: Iterable[Route]) -> RoutesByKey:
    """Return routes by host and path."""
    found: dict[RouteKey, list[Route]] = {}
    for route in routes:
        found.setdefault(key_of(route), []).append(route)
    return found


def key_of(route: Route) -> RouteKey:
    """Return the host and path of a route, whatever its type."""
    return route.host, normal_path(route.path)


def heir_of(route: Route, routes: RoutesByKey) -> Optional[Route]:
    """Return which of these would answer in the place of a route: of the nearest host, the longest path."""
    keys = ((host, path) for host in _hosts(route.host) for path in _parents(normal_path(route.path)))
    return next((r for key in keys for r in routes.get(key, ()) if r.path_type != _EXACT), None)


def served_as(route: Route) -> str:
    """Return the type of a route and the class that serves it, as `Prefix, class nginx`."""
    name = route.entry.ingress_class
    return f"{route.shown_type}, class {name}" if name else route.shown_type


def told_change(old: Route, new: Route, *, row: str = "") -> str:
    """Return how a route is served otherwise, as `a.example.com/ Prefix -> Exact`, or by what.

    `row` is a host to leave out.
    """
    names = [route.path if route.host == row else route.host + route.path for route in (old, new)]
    return f"{names[1]} {way_change(old, new)}" if key_of(old) == key_of(new) else " -> ".join(names)


def way_change(old: Route, new: Route) -> str:
    """Return how the type, the class or the load balancer of a route changes, as `Prefix -> Exact`."""
    ways = zip(("", "class ", "load balancer "), _way(old), _way(new))
    return ", ".join(f"{what}{was or '-'} -> {now or '-'}" for what, was, now in ways if was != now)


def _way(route: Route) -> tuple[str, str, str]:
    return route.shown_type, route.entry.ingress_class, route.entry.load_balancer


def _served_otherwise(before: Sequence[Route], after: Sequence[Route]) -> Iterator[tuple[Route, Route]]:
    """Pair each way in which a place is served no more with a new one, or with the first there is."""
    old, new = ({_way(route): route for route in routes} for routes in (before, after))
    gone, come = ([own[way] for way in own if way not in other] for own, other in ((old, new), (new, old)))
    for number, route in enumerate(gone):
        yield route, (come[number] if number < len(come) else after[0])


def _by_place(routes: RoutesByKey) -> dict[RouteKey, list[Route]]:
    found: dict[RouteKey, list[Route]] = {}
    for same in routes.values():
        for route in same:
            found.setdefault(route.place, []).append(route)
    return found


def _wider(route: Route, routes: RoutesByKey) -> Iterator[Route]:
    """Yield what serves all that a route does: its path, as a prefix, at its host or a wider one."""
    path = normal_path(route.path)
    for host in _hosts(route.host):
        for found in routes.get((host, path), ()):
            if found.path_type != _EXACT or route.place[1] == found.place[1]:
                yield found
        yield from (found for found in routes.get((host, "/"), ()) if found.path_type == DEFAULT_BACKEND)


def _hosts(host: str) -> tuple[str, ...]:
    """Return a host and those that serve it too, the nearest first: a wildcard stands for one label."""
    return host, f"*.{host.partition('.')[2]}", ANY_HOST


def _parents(path: str) -> Iterator[str]:
    """Yield a path and those above it, the longest first."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield "/"
