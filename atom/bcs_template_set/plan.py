"""Desired x existing -> Plan: what would be written, and why it must not be. Pure: performs no I/O.

Rules (design section 6): identical content is no new version; the same version name with the same content
is already done; the same name with other content is a conflict; a newer build of the same pipeline and
branch is not overwritten; a route that is served today is not dropped; a route or nodePort of another file
is not taken. `plan(x, x)` is empty, and the order of the inputs changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Optional

from bcs_template_set.bcs.protocol import TemplateVersion
from bcs_template_set.diff import diff_documents
from bcs_template_set.errors import (
    NewerBuild,
    PlanChanged,
    RouteRemoval,
    RouteTaken,
    StepError,
    VersionConflict,
)
from bcs_template_set.existing import Existing, ExistingFile, OtherFile, VersionRef
from bcs_template_set.manifests.parse import Document, ManifestFile, parse_foreign
from bcs_template_set.manifests.routes import Route, images_of, node_ports_of, routes_of
from bcs_template_set.messages import Text, say
from bcs_template_set.moments import shown_time
from bcs_template_set.provenance import Provenance, content_digest, read_provenance

Action = Literal["create", "update", "unchanged", "conflict", "skip"]
ChartAction = Literal["create", "unchanged", "conflict", "none"]
RouteKey = tuple[str, str]

DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class Target:
    """Where the files go."""

    region: str
    project: str
    space: str
    template_set: str = ""


@dataclass(frozen=True)
class Policy:
    """What the author allows: the inputs of the same names."""

    overwrite_version: bool = False
    allow_route_removal: bool = False
    on_newer_build: Literal["fail", "skip", "replace"] = "fail"


@dataclass(frozen=True)
class Desired:
    """What the run wants: the rendered files, under one version name, out of one build."""

    target: Target
    version: str
    files: tuple[ManifestFile, ...]
    provenance: Provenance


@dataclass(frozen=True)
class Change:
    """One template file's row of the plan.

    `version` is the name of the version the file has afterwards; `previous` the version it is planned
    against. `writes_version` is False where only the pin must
    move. `images` are (old, new) pairs that differ; `diff` has its Secret values masked. `notes` are
    things a person should know although they stop nothing.
    """

    name: str
    action: Action
    content: str
    digest: str
    version: str = ""
    domain: str = ""
    template_id: str = ""
    previous: Optional[VersionRef] = None
    version_id: str = ""
    writes_version: bool = False
    overwrites: bool = False
    moves_pin: bool = False
    images: tuple[tuple[str, str], ...] = ()
    routes: tuple[Route, ...] = ()
    routes_added: tuple[RouteKey, ...] = ()
    routes_removed: tuple[RouteKey, ...] = ()
    diff: str = ""
    reason: Optional[Text] = None
    notes: tuple[Text, ...] = ()

    @property
    def writes(self) -> bool:
        """Tell whether publishing this row sends anything."""
        return self.writes_version or self.moves_pin


@dataclass(frozen=True)
class Plan:
    """Everything a run would do, sorted by file name; a value to show, compare and approve."""

    target: Target
    version: str
    changes: tuple[Change, ...]
    creates_space: bool
    chart: ChartAction
    digest: str
    chart_overwrites: bool = False
    newer_builds: tuple[Text, ...] = ()
    taken: tuple[Text, ...] = ()
    lost_routes: tuple[Text, ...] = ()
    conflicts: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()

    @property
    def writes(self) -> bool:
        """Tell whether publishing would send anything."""
        return any(change.writes for change in self.changes) or self.chart == "create"

    def count(self, action: Action) -> int:
        """Return how many files have this action."""
        return sum(change.action == action for change in self.changes)

    @property
    def routes(self) -> tuple[RouteKey, ...]:
        """Return every host and path the run's files serve, sorted."""
        return tuple(sorted({(route.host, route.path) for c in self.changes for route in c.routes}))


def make_plan(desired: Desired, existing: Existing, *, policy: Policy) -> Plan:
    """Return the plan that makes `existing` into `desired`."""
    newer = tuple(_newer_builds(desired, existing)) if policy.on_newer_build != "replace" else ()
    skips = bool(newer) and policy.on_newer_build == "skip"
    changes = [
        _plan_file(file, existing.files.get(file.name), desired=desired, policy=policy, skips=skips)
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


def refusal(plan: Plan, *, policy: Policy, expect_plan: str = "") -> Optional[StepError]:
    """Return why this plan must not be published, or None."""
    if plan.newer_builds and policy.on_newer_build == "fail":
        return NewerBuild(details=plan.newer_builds)
    if plan.conflicts:
        return VersionConflict(details=plan.conflicts)
    if plan.taken:
        return RouteTaken(details=plan.taken)
    if plan.lost_routes:
        return RouteRemoval(details=plan.lost_routes)
    if expect_plan and expect_plan != plan.digest:
        return PlanChanged(expected=expect_plan, actual=plan.digest)
    return None


# --- one file -------------------------------------------------------------------------------------------


def _plan_file(
    file: ManifestFile, found: Optional[ExistingFile], *, desired: Desired, policy: Policy, skips: bool
) -> Change:
    routes = routes_of(file.documents)
    digest = content_digest(file.text)
    if found is None:
        return Change(
            name=file.name,
            action="skip" if skips else "create",
            content=file.text,
            digest=digest,
            version=desired.version,
            domain=file.domain,
            writes_version=not skips,
            images=tuple(("", image) for image in images_of(file.documents)),
            routes=routes,
            routes_added=_keys(routes),
            diff=diff_documents("", file.text, old=(), new=file.documents),
        )
    return _plan_existing(file, found, desired=desired, policy=policy, skips=skips)


def _plan_existing(
    file: ManifestFile, found: ExistingFile, *, desired: Desired, policy: Policy, skips: bool
) -> Change:
    before, unreadable = _documents_of(found.current)
    old_routes, new_routes = routes_of(before), routes_of(file.documents)
    step = _decide(file.text, found, desired=desired, policy=policy)
    action: Action = "skip" if skips and step.action != "unchanged" else step.action
    changed = action != "unchanged"
    notes = [*_draft_notes(found, changed=step.writes_version), *step.notes]
    if unreadable:
        notes.append(say("plan.unreadable_before", name=file.name))
    return Change(
        name=file.name,
        action=action,
        content=file.text,
        digest=content_digest(file.text),
        version=desired.version if changed or step.is_ours else found.metadata.version,
        domain=file.domain,
        template_id=found.metadata.id,
        previous=_current_ref(found) if changed else _base(found, step, desired=desired),
        version_id=step.version_id,
        writes_version=step.writes_version and not skips,
        overwrites=step.overwrites,
        moves_pin=step.moves_pin and not skips,
        images=_image_changes(before, file.documents) if changed else (),
        routes=new_routes,
        routes_added=tuple(sorted(set(_keys(new_routes)) - set(_keys(old_routes)))),
        routes_removed=tuple(sorted(set(_keys(old_routes)) - set(_keys(new_routes)))),
        diff=_diff(found.current, file, before=before) if changed else "",
        reason=step.reason,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Decision:
    action: Action
    version_id: str = ""
    writes_version: bool = False
    overwrites: bool = False
    moves_pin: bool = False
    is_ours: bool = False
    reason: Optional[Text] = None
    notes: tuple[Text, ...] = ()


def _decide(text: str, found: ExistingFile, *, desired: Desired, policy: Policy) -> _Decision:
    current = found.current
    if current is not None and current.content == text:
        return _Decision("unchanged", version_id=current.id)
    same = found.same_name
    if current is not None and current.version == desired.version:
        same = current
    if same is None:
        return _Decision("update", writes_version=True, moves_pin=found.is_pinned)
    if same.content == text:
        return _already_published(same, found)
    if policy.overwrite_version:
        moves = found.is_pinned and same is not current
        return _Decision(
            "update",
            version_id=same.id,
            writes_version=True,
            overwrites=True,
            moves_pin=moves,
            notes=() if moves or same is current else (_not_current(same, found),),
        )
    reason = say(
        "plan.conflict",
        name=found.metadata.real_name,
        version=same.version,
        creator=same.creator,
        at=shown_time(same.create_at),
        origin=_origin(same),
    )
    return _Decision("conflict", version_id=same.id, reason=reason)


def _already_published(same: TemplateVersion, found: ExistingFile) -> _Decision:
    """Finish what an earlier try of this build began: a version that is there, but not current."""
    if found.is_pinned:
        return _Decision("update", version_id=same.id, moves_pin=True)
    return _Decision("unchanged", version_id=same.id, is_ours=True, notes=(_not_current(same, found),))


def _not_current(same: TemplateVersion, found: ExistingFile) -> Text:
    metadata = found.metadata
    return say(
        "plan.published_not_current", name=metadata.real_name, version=same.version, current=metadata.version
    )


def _documents_of(version: Optional[TemplateVersion]) -> tuple[tuple[Document, ...], bool]:
    if version is None:
        return (), False
    documents = parse_foreign(version.content)
    return (documents or ()), documents is None


def _diff(current: Optional[TemplateVersion], file: ManifestFile, *, before: tuple[Document, ...]) -> str:
    old = current.content if current is not None else ""
    return diff_documents(old, file.text, old=before, new=file.documents)


def _image_changes(before: Sequence[Document], after: Sequence[Document]) -> tuple[tuple[str, str], ...]:
    """Pair images that went with images that came, in order; "" where there is no partner."""
    gone = [image for image in images_of(before) if image not in images_of(after)]
    come = [image for image in images_of(after) if image not in images_of(before)]
    length = max(len(gone), len(come))
    return tuple(zip(gone + [""] * (length - len(gone)), come + [""] * (length - len(come))))


def _draft_notes(found: ExistingFile, *, changed: bool) -> list[Text]:
    if changed and found.metadata.is_draft:
        return [say("plan.draft_kept", name=found.metadata.real_name, user=found.metadata.updator)]
    return []


def _current_ref(found: ExistingFile) -> Optional[VersionRef]:
    if found.current is None:
        return None
    return VersionRef(id=found.current.id, name=found.current.version, created_at=found.current.create_at)


def _base(found: ExistingFile, step: _Decision, *, desired: Desired) -> Optional[VersionRef]:
    """Return what an unchanged file was published against: for what this build wrote, the version before it.

    So a retried step has the plan digest and the `previous_version` of the first try.
    """
    holder = found.same_name if step.is_ours else found.current
    origin = read_provenance(holder.description) if holder is not None else None
    if holder is not None and origin is not None and origin.is_same_build_as(desired.provenance):
        return found.before(holder.id)
    return _current_ref(found)


def _origin(version: TemplateVersion) -> Text:
    origin = read_provenance(version.description)
    if origin is None:
        return say("plan.origin_unknown")
    return say(
        "plan.origin",
        pipeline=origin.pipeline,
        build=origin.build,
        branch=origin.branch,
        starter=origin.started_by,
    )


# --- the whole run --------------------------------------------------------------------------------------


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
        owners.update(dict.fromkeys(_keys(other.routes), other.name))
        ports.update(dict.fromkeys(other.node_ports, other.name))
    documents = {file.name: file.documents for file in files}
    for change in changes:
        for host, path in _keys(change.routes):
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


def _keys(routes: Iterable[Route]) -> tuple[RouteKey, ...]:
    return tuple(sorted({(route.host, route.path) for route in routes}))
