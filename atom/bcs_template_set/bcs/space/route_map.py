"""Who serves which host and path: file, Service, branch, build. Pure: performs no I/O.

A path that a branch claims belongs to that branch and the build that added it (branch_paths.py);
any other belongs to the build that published the file's version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional

from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.routes import EntryPoint, Route, RouteKey
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

HostClaim = tuple[str, Claim]
"""A host, and the claim of a branch to one of its paths."""


@dataclass(frozen=True, order=True)
class OwnedRoute:
    """A host and path with its owner. `build` is 0 and `branch` "" where a person wrote the file."""

    host: str
    path: str
    file: str
    service: str
    pipeline: str
    branch: str
    build: int
    place: RouteKey
    entry: EntryPoint

    def owner(self) -> Text:
        """Return who serves it, as far as that is known."""
        if not self.branch:
            return say("plan.owner_file", file=self.file, service=self.service or "?")
        return say(
            "plan.owner_branch",
            file=self.file,
            service=self.service or "?",
            branch=self.branch,
            build=self.build,
            pipeline=self.pipeline or "?",
        )


@dataclass(frozen=True)
class LiveIngress:
    """An Ingress of the namespace. `file` is the template file BCS applied it from, "" where it did not."""

    name: str
    file: str = ""
    routes: tuple[Route, ...] = ()

    def serves(self, route: Route) -> bool:
        """Tell whether it answers where a route would, at the entry point that this would have."""
        return any(own.place == route.place and route.entry.may_be(own.entry) for own in self.routes)


def owned_routes(
    file: str, routes: Iterable[Route], *, claims: Sequence[HostClaim], origin: Optional[Provenance]
) -> tuple[OwnedRoute, ...]:
    """Return the routes of one file with their owners, a host and path once an entry point, sorted."""
    claimed = {(host, normal_path(claim.path)): claim for host, claim in claims}
    found: dict[object, OwnedRoute] = {}
    for route in routes:
        owner = claimed.get(route.place) or origin
        found.setdefault(
            (route.host, route.path, route.entry),
            OwnedRoute(
                host=route.host,
                path=route.path,
                file=file,
                service=route.service,
                pipeline=owner.pipeline if owner else "",
                branch=owner.branch if owner else "",
                build=owner.build if owner else 0,
                place=route.place,
                entry=route.entry,
            ),
        )
    return tuple(sorted(found.values()))


@dataclass(frozen=True)
class LiveClash:
    """A route of a file that a live Ingress serves which is not that file's. `refuses` where it is new."""

    route: Route
    name: str
    ingress: str
    owner: str
    refuses: bool

    def text(self) -> Text:
        """Return the sentence that names the owner."""
        kind = "file" if self.owner else "unknown"
        return say(
            f"plan.live_{kind}",
            host=self.route.host,
            path=self.route.path,
            name=self.name,
            ingress=self.ingress,
            owner=self.owner,
        )


def by_place(live: Iterable[LiveIngress]) -> dict[RouteKey, list[LiveIngress]]:
    """Return which Ingresses serve each host and path, made once for all files of a run."""
    found: dict[RouteKey, list[LiveIngress]] = {}
    for ingress in live:
        for place in dict.fromkeys(route.place for route in ingress.routes):
            found.setdefault(place, []).append(ingress)
    return found


def live_clashes(
    name: str,
    routes: Iterable[Route],
    *,
    added: frozenset[RouteKey],
    serving: Mapping[RouteKey, Sequence[LiveIngress]],
    space: str,
) -> Iterator[LiveClash]:
    """Yield the routes of a file that another live Ingress of the namespace serves; `serving` is `by_place`.

    An Ingress of the same name is the very object that deploying replaces, and one at another entry point
    takes nothing away. A route that the file serves already is said and not refused.
    """
    ours = sorted(set(routes))
    own_names = {route.ingress for route in ours}
    own_file = f"{space}/{name}"
    said: set[RouteKey] = set()
    for route in ours:
        others = (
            ingress
            for ingress in reversed(serving.get(route.place, ()))
            if ingress.name not in own_names and ingress.file != own_file and ingress.serves(route)
        )
        found = next(others, None)
        if found is not None and route.place not in said:
            said.add(route.place)
            yield LiveClash(route, name, found.name, found.file, refuses=(route.host, route.path) in added)
