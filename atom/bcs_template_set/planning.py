"""Desired x existing -> Plan. Pure: performs no I/O.

Rules for the whole run (design section 6): a newer build of the same pipeline and branch is not
overwritten; a route that is served today is not dropped; a route or nodePort of another file is not taken;
a template set is made when a file changes. `plan_file.py` has the rules for one file. `plan(x, x)` is
empty, and the order of the inputs changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from bcs_template_set.existing import Existing, OtherFile
from bcs_template_set.manifests.parse import ManifestFile
from bcs_template_set.manifests.routes import node_ports_of
from bcs_template_set.messages import Text, say
from bcs_template_set.moments import shown_time
from bcs_template_set.plan import Change, ChartAction, Desired, Plan, Policy, RouteKey, route_keys
from bcs_template_set.plan_file import plan_file
from bcs_template_set.provenance import read_provenance

DIGEST_CHARACTERS = 16


def make_plan(desired: Desired, existing: Existing, *, policy: Policy) -> Plan:
    """Return the plan that makes `existing` into `desired`."""
    newer = tuple(_newer_builds(desired, existing)) if policy.on_newer_build != "replace" else ()
    skips = bool(newer) and policy.on_newer_build == "skip"
    changes = [
        plan_file(file, existing.files.get(file.name), desired=desired, policy=policy, skips=skips)
        for file in sorted(desired.files, key=lambda file: file.name)
    ]
    chart: ChartAction = "none" if skips else _plan_chart(desired, existing, changes, policy=policy)
    removed = [] if policy.allow_route_removal or skips else _lost_routes(changes)
    return Plan(
        target=desired.target,
        version=desired.version,
        changes=tuple(changes),
        creates_space=existing.space is None,
        chart=chart,
        digest=_plan_digest(desired, changes),
        chart_overwrites=chart == "create" and existing.chart is not None,
        newer_builds=newer,
        taken=() if skips else tuple(_taken(changes, desired.files, existing.others)),
        lost_routes=tuple(removed),
        conflicts=tuple(_conflicts(desired, changes, chart=chart)),
        notes=tuple(_plan_notes(existing)),
    )


def _newer_builds(desired: Desired, existing: Existing) -> Iterable[Text]:
    for name in sorted(file.name for file in desired.files):
        found = existing.files.get(name)
        if found is None:
            continue
        for version in (found.current, *found.later):
            origin = read_provenance(version.description) if version is not None else None
            if version is not None and origin is not None and origin.is_newer_than(desired.provenance):
                yield say(
                    "plan.newer_build",
                    name=name,
                    version=version.version,
                    build=origin.build,
                    ours=desired.provenance.build,
                    branch=origin.branch,
                    starter=origin.started_by,
                    at=shown_time(version.create_at),
                )
                break


def _conflicts(desired: Desired, changes: Sequence[Change], *, chart: ChartAction) -> Iterable[Text]:
    yield from (c.reason for c in changes if c.action == "conflict" and c.reason is not None)
    if chart == "conflict":
        yield say("plan.chart_conflict", name=desired.target.template_set, version=desired.version)


def _lost_routes(changes: Sequence[Change]) -> list[Text]:
    kept = {(route.host, route.path) for change in changes for route in change.routes}
    return [
        say("plan.route_lost", host=host, path=path, name=change.name)
        for change in changes
        for host, path in change.routes_removed
        if (host, path) not in kept
    ]


def _taken(
    changes: Sequence[Change], files: Sequence[ManifestFile], others: Sequence[OtherFile]
) -> Iterable[Text]:
    owners: dict[RouteKey, str] = {}
    ports: dict[int, str] = {}
    for other in others:
        owners.update(dict.fromkeys(route_keys(other.routes), other.name))
        ports.update(dict.fromkeys(other.node_ports, other.name))
    documents = {file.name: file.documents for file in files}
    for change in changes:
        for host, path in route_keys(change.routes):
            if (host, path) in owners:
                yield say(
                    "plan.route_taken", host=host, path=path, name=change.name, owner=owners[host, path]
                )
        for port in sorted(set(node_ports_of(documents[change.name]))):
            if port in ports:
                yield say("plan.port_taken", port=port, name=change.name, owner=ports[port])


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
    for found in existing.files.values():
        origin = read_provenance(found.current.description) if found.current is not None else None
        if origin is not None and origin.is_same_build_as(desired.provenance):
            return True
    return False


def _plan_notes(existing: Existing) -> Iterable[Text]:
    unreadable = [other.name for other in existing.others if not other.readable]
    if unreadable:
        yield say("plan.others_unreadable", names=unreadable)


def _plan_digest(desired: Desired, changes: Sequence[Change]) -> str:
    """Return what a person approves: target, version name, and per file its content and what it replaces."""
    target = desired.target
    rows = []
    for change in changes:
        base = change.previous
        changed = base is None or change.writes or base.id != change.version_id
        rows.append([change.name, changed, base.id if base is not None else "", change.digest])
    whole = [target.region, target.project, target.space, target.template_set, desired.version, rows]
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:DIGEST_CHARACTERS]
