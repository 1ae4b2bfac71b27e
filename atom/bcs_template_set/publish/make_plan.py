"""Desired x existing -> Plan. Pure: performs no I/O.

Rules for the whole run (design section 6): a newer build of the same pipeline and branch is not
overwritten; a route that is served today is not dropped; a route or nodePort of another file is not taken;
a template set is made when a file changes. `plan_file.py` has the rules for one file. `plan(x, x)` is
empty, and the order of the inputs changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.provenance import Provenance, content_digest, read_provenance, told
from bcs_template_set.bcs.space.route_map import (
    LiveClash,
    OwnedRoute,
    by_place,
    live_clashes,
    owned_routes,
)
from bcs_template_set.config.principal import CREDENTIAL
from bcs_template_set.manifests.checks.finding import allows
from bcs_template_set.manifests.checks.routing import NODE_PORT, ROUTE_CLASH
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.route_changes import RoutesByKey, by_key, heir_of, key_of, served_as
from bcs_template_set.manifests.routes import Route, RouteKey
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Told, first_names
from bcs_template_set.messages.text import shown_time
from bcs_template_set.publish.left_behind import dropped_objects, files_no_more
from bcs_template_set.publish.plan import Change, ChartAction, Desired, Plan, Policy, compact, digest_of
from bcs_template_set.publish.plan_file import plan_file


def make_plan(desired: Desired, existing: Existing, *, policy: Policy) -> Plan:
    """Return the plan that makes `existing` into `desired`."""
    newer = tuple(_newer_builds(desired, existing)) if policy.on_newer_build != "replace" else ()
    skips = bool(newer) and policy.on_newer_build == "skip"
    changes = [
        plan_file(file, existing.files.get(file.name), desired=desired, policy=policy, skips=skips)
        for file in sorted(desired.files, key=lambda file: file.name)
    ]
    chart: ChartAction = "none" if skips else _plan_chart(desired, existing, changes, policy=policy)
    removed = [] if policy.allow_route_removal or skips else _lost_routes(changes, asked=desired.asked)
    others = _routes_of_others(existing)
    clashes = [] if skips else list(_live_clashes(changes, existing, desired=desired))
    refused = [clash for clash in clashes if clash.refuses and not policy.allow_route_removal]
    moved = [] if skips else list(_routes_taken(changes, desired, others=others))
    taken = [] if skips else [*desired.claimed, *_ports_taken(desired, existing)]
    taken += [*([] if policy.allow_route_removal else moved), *(clash.text() for clash in refused)]
    parts = _plan_parts(desired, existing, changes, chart=chart)
    return Plan(
        target=desired.target,
        version=desired.version,
        changes=tuple(changes),
        creates_space=existing.space is None,
        chart=chart,
        digest=digest_of(parts),
        parts=parts,
        chart_overwrites=chart == "create" and existing.chart is not None,
        acting_as=desired.provenance.acting_as,
        other_users=tuple(_other_users(desired, existing)),
        newer_builds=newer,
        taken=tuple(taken),
        lost_routes=tuple(removed),
        conflicts=tuple(_conflicts(desired, changes, chart=chart)),
        notes=(
            *desired.notes,
            *_plan_notes(existing),
            *_unbelieved_builds(desired, existing),
            *(moved if policy.allow_route_removal else ()),
            *(clash.text() for clash in clashes if not clash.refuses or policy.allow_route_removal),
        ),
        dropped=dropped_objects(desired, existing, changes),
        rendered_no_more=files_no_more(desired, existing),
        route_map=tuple(sorted([*others, *_routes_of_ours(changes, desired, existing)])),
    )


def _other_users(desired: Desired, existing: Existing) -> Iterable[tuple[str, Text]]:
    """Name who else has written for this build, and where: one build's work on a space has one user.

    What a description says is believed where BCS's own record of the creator agrees, or can't differ. Of a
    run with a token nobody knows the user yet.
    """
    ours = desired.provenance
    for name, found in sorted(existing.files.items()):
        held = (found.current, found.same_name, *found.later)
        for version in {version.id: version for version in held if version is not None}.values():
            origin = read_provenance(version.description)
            if origin is None or (origin.pipeline, origin.build) != (told(ours.pipeline), ours.build):
                continue
            user = version.creator
            believed = origin.acting_as == user or origin.acting_as.startswith(CREDENTIAL)
            if believed and user != ours.acting_as and not ours.acting_as.startswith(CREDENTIAL):
                yield user, say("plan.another_user", name=name, version=version.version, user=user)


def _newer_builds(desired: Desired, existing: Existing) -> Sequence[Text]:
    """Name one newer build for each file that has any."""
    first: dict[str, tuple[TemplateVersion, Provenance]] = {}
    for name, version, origin in _say_newer(desired, existing, believed=True):
        first.setdefault(name, (version, origin))
    return newer_build_lines(first, ours=desired.provenance.build)


def _say_newer(
    desired: Desired, existing: Existing, *, believed: bool
) -> Iterable[tuple[str, TemplateVersion, Provenance]]:
    """Yield the versions that say they are of a newer build, by file: those that can be, or the others."""
    ours = desired.provenance
    for name in sorted(file.name for file in desired.files if file.name in existing.files):
        found = existing.files[name]
        for version in (found.current, *found.later):
            origin = read_provenance(version.description) if version is not None else None
            if version is None or origin is None or not origin.is_newer_than(ours):
                continue
            if is_believed(version, origin, ours=ours) == believed:
                yield name, version, origin


def is_believed(version: TemplateVersion, origin: Provenance, *, ours: Provenance) -> bool:
    """Tell whether a build that a version's description names can be a newer build than ours."""
    return origin.build <= ours.furthest(version.create_at)


def _unbelieved_builds(desired: Desired, existing: Existing) -> Iterable[Text]:
    """Name the versions that say that they are of a build which can't have been yet, and who wrote them."""
    for name, version, origin in _say_newer(desired, existing, believed=False):
        yield say(
            "plan.unbelieved_build",
            name=name,
            version=version.version,
            build=origin.build,
            ours=desired.provenance.build,
            creator=version.creator,
            at=shown_time(version.create_at),
        )


def newer_build_lines(
    files: Mapping[str, tuple[TemplateVersion, Provenance]], *, ours: int
) -> tuple[Text, ...]:
    """Return a line for each newer build: its files, branch, version, starter, time and page."""
    names: dict[tuple[str, int, str], list[str]] = {}
    for name, (version, origin) in files.items():
        names.setdefault((version.version, origin.build, origin.link), []).append(name)
    lines = []
    for (_, build, link), own in sorted(names.items(), key=lambda item: -item[0][1]):
        version, origin = files[own[0]]
        text = say(
            "plan.newer_build",
            count=len(own),
            names=first_names(own, most=_MOST_NAMED),
            version=version.version,
            build=build,
            ours=ours,
            branch=origin.branch,
            starter=origin.started_by,
            creator=version.creator,
            at=shown_time(version.create_at),
        )
        text = say("plan.with_link", text=text, link=link) if link else text
        lines.append(Told(text.key, text.fields, count=len(own)))
    return tuple(lines)


_MOST_NAMED = 5
"""So many of a newer build's files are named."""


def _conflicts(desired: Desired, changes: Sequence[Change], *, chart: ChartAction) -> Iterable[Text]:
    yield from (c.reason for c in changes if c.action == "conflict" and c.reason is not None)
    if chart == "conflict":
        yield say("plan.chart_conflict", name=desired.target.template_set, version=desired.version)


def _lost_routes(changes: Sequence[Change], *, asked: frozenset[RouteKey]) -> list[Text]:
    """Name every route that a file no longer serves, and nobody asked to go.

    A move to another file is one too: the Ingress that serves it today stays in the cluster, since BCS
    deletes nothing, and both answer for the same path.
    """
    lost = [(c, route) for c in changes for route in c.routes_lost if key_of(route) not in asked]
    homes = {route: change.name for change in changes for route in change.routes} if lost else {}
    served = by_key(homes)
    return [_lost(change, route, served, homes=homes) for change, route in lost]


def _lost(change: Change, route: Route, served: RoutesByKey, *, homes: Mapping[Route, str]) -> Text:
    """Return what becomes of a route that its file serves no more, among all that the run serves."""
    facts = {"host": route.host, "path": route.path, "how": served_as(route), "name": change.name}
    same = served.get(key_of(route), ())
    there = next((homes[other] for other in same if other.place == route.place), None)
    if there is not None:
        return say("plan.route_moved", **facts, to=there)
    heir = heir_of(route, served)
    if same and route.path_type != "Exact":
        return say("plan.route_narrowed", **facts)
    if heir is not None:
        facts.update(to=homes[heir], service=heir.service, there=heir.host + heir.path)
    return say("plan.route_left" if heir is not None else "plan.route_lost", **facts)


def _routes_taken(
    changes: Sequence[Change], desired: Desired, *, others: Sequence[OwnedRoute]
) -> Iterable[Text]:
    """Name every host and path that another file of the space serves at the same entry point."""
    owners = {(owned.entry, owned.place): owned.owner() for owned in others}
    allowed = _allowing(desired, ROUTE_CLASH)
    for change in changes if owners else ():
        taken = {r.place: r for r in reversed(change.routes) if (r.entry, r.place) in owners}
        for route in sorted(taken.values()) if change.name not in allowed else ():
            owner = owners[route.entry, route.place]
            yield say("plan.route_taken", host=route.host, path=route.path, name=change.name, owner=owner)


def _ports_taken(desired: Desired, existing: Existing) -> Iterable[Text]:
    """Name every nodePort that a Service of another file of the space has."""
    ports = {port: other.name for other in existing.others for port in other.node_ports}
    allowed = _allowing(desired, NODE_PORT)
    for file in sorted(desired.files, key=lambda file: file.name) if ports else ():
        for port in sorted(ports.keys() & set(file.node_ports)) if file.name not in allowed else ():
            yield say("plan.port_taken", port=port, name=file.name, owner=ports[port])


def _allowing(desired: Desired, check: str) -> frozenset[str]:
    """Return the names of the files that are left out of a check by a comment, and so of its guards."""
    return frozenset(file.name for file in desired.files if allows(file, check))


def _live_clashes(changes: Sequence[Change], existing: Existing, *, desired: Desired) -> Iterable[LiveClash]:
    allowed = _allowing(desired, ROUTE_CLASH)
    serving = by_place(existing.live)
    for change in changes if serving else ():
        if change.name not in allowed:
            yield from live_clashes(
                change.name,
                change.routes,
                added=frozenset(change.routes_added),
                serving=serving,
                space=desired.target.space,
            )


def _routes_of_others(existing: Existing) -> list[OwnedRoute]:
    """Return the routes of the space's files that this run does not render."""
    return [
        owned
        for other in existing.others
        for owned in owned_routes(other.name, other.routes, claims=other.claims, origin=other.origin)
    ]


def _routes_of_ours(changes: Sequence[Change], desired: Desired, existing: Existing) -> Iterable[OwnedRoute]:
    """Return the routes of the run's files, as they will be."""
    files = {file.name: file for file in desired.files}
    for change in changes:
        if change.routes:
            file = files[change.name]
            origin = _origin_of(file, existing) or desired.provenance
            yield from owned_routes(file.name, change.routes, claims=file.claims, origin=origin)


def _origin_of(file: ManifestFile, existing: Existing) -> Optional[Provenance]:
    """Return the build that published what the file holds already, None where this run changes it."""
    found = existing.files.get(file.name)
    if found is None or found.current is None or found.current.content != file.text:
        return None
    return found.origin


def _plan_chart(
    desired: Desired, existing: Existing, changes: Sequence[Change], *, policy: Policy
) -> ChartAction:
    """Say what becomes of the template set.

    It is published when a file changes, or to finish what this build began. An unchanged run makes no new
    one: identical content is no new version. One that is there with other templates is a conflict, unless
    versions may be overwritten.
    """
    if not desired.target.template_set:
        return "none"
    if existing.chart is not None:
        same = {f.name: f.text for f in desired.files} == existing.chart.template_contents()
        return "unchanged" if same else "create" if policy.overwrite_version else "conflict"
    if any(change.writes for change in changes) or _published_by_this_build(desired, existing):
        return "create"
    return "none"


def _published_by_this_build(desired: Desired, existing: Existing) -> bool:
    """Tell whether a file has a version of this build, also where another one has become current since."""
    held = [version for found in existing.files.values() for version in (found.current, found.same_name)]
    origins = [read_provenance(version.description) for version in held if version is not None]
    return any(origin is not None and origin.is_same_build_as(desired.provenance) for origin in origins)


def _plan_notes(existing: Existing) -> Iterable[Text]:
    unreadable = [other.name for other in existing.others if not other.readable]
    if unreadable:
        yield say("plan.others_unreadable", names=unreadable)
    if not existing.live_readable:
        yield say("plan.live_unreadable")


Parts = tuple[tuple[str, str, str], ...]


def _plan_parts(
    desired: Desired, existing: Existing, changes: Sequence[Change], *, chart: ChartAction
) -> Parts:
    """Return what a person approves: who acts, every input that decides, and what is put in whose place.

    Each has its kind, its name and its value.
    """
    target = desired.target
    before = existing.chart if chart == "create" else None
    lost = sorted(before.template_contents().items()) if before is not None else ""
    return (
        *(("input", name, value) for name, value in sorted(desired.inputs.items())),
        ("user", "", desired.provenance.acting_as),
        ("target", "", compact([target.region, target.project, target.space])),
        ("version", "", desired.version),
        *(("file", change.name, compact(_approved(change, existing))) for change in changes),
        ("template_set", "", compact([target.template_set, lost])),
    )


def _approved(change: Change, existing: Existing) -> list[object]:
    """Return a file's row: its content, the version it replaces, and the text that is lost by that."""
    base = change.previous
    changed = base is None or change.writes or base.id != change.version_id
    return [
        change.name,
        changed,
        base.id if base is not None else "",
        change.digest,
        _overwritten(change, existing),
    ]


def _overwritten(change: Change, existing: Existing) -> str:
    """Return the digest of the text that is rewritten in place, "" for a new version."""
    found = existing.files.get(change.name)
    held = (found.current, found.same_name) if found is not None and change.overwrites else ()
    return next((content_digest(v.content) for v in held if v is not None and v.id == change.version_id), "")
