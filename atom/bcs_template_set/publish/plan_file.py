"""One desired file x what BCS holds of it -> its row of the plan. Pure: performs no I/O.

Rules (design section 6): identical content is no new version; the same version name with the same content
is already done; the same name with other content is a conflict, unless overwriting was asked for, or it is
what this very build wrote of a file that branches share: then a successor name (`naming.successor_of`)
takes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Optional, Union

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import FROM_NOTHING, ExistingFile, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import content_digest, read_provenance
from bcs_template_set.manifests.document_diff import diff_documents
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import free_successor
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.route_changes import changes_of
from bcs_template_set.manifests.routes import ports_by_service
from bcs_template_set.manifests.same_things import only_difference
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.text import shown_time
from bcs_template_set.publish.plan import Change, ChangeKind, Desired, Policy
from bcs_template_set.records.late_dataclass import dataclass


def plan_file(
    file: ManifestFile, found: Optional[ExistingFile], *, desired: Desired, policy: Policy, skips: bool
) -> Change:
    """Return the row of one file; with `skips` it is not written, since a newer build has published."""
    digest = content_digest(file.text)
    if found is None:
        return Change(
            name=file.name,
            action="skip" if skips else "create",
            content=file.text,
            digest=digest,
            version=desired.version,
            domain=file.domain,
            bases=(FROM_NOTHING,),
            writes_version=not skips,
            images=tuple(("", image) for image in file.images),
            routes=file.routes,
            routes_added=tuple(sorted({(route.host, route.path) for route in file.routes})),
            diff=diff_documents("", file.text, old=(), new=file.documents),
        )
    return _plan_existing(file, found, desired=desired, policy=policy, skips=skips)


def _plan_existing(
    file: ManifestFile, found: ExistingFile, *, desired: Desired, policy: Policy, skips: bool
) -> Change:
    before = _held(found, file)
    documents = before.documents
    served = changes_of(before.routes, file.routes)
    old = found.current.content if found.current is not None else ""
    step = _decide(file.text, found, desired=desired, policy=policy)
    action: ChangeKind = "skip" if skips and step.action != "unchanged" else step.action
    changed = action != "unchanged"
    notes = [*_draft_notes(found, changed=step.writes_version), *step.notes]
    notes += _port_notes(file, documents or ()) if changed else []
    if documents is None:
        notes.append(say("plan.unreadable_before", name=file.name))
    return Change(
        name=file.name,
        action=action,
        content=file.text,
        digest=content_digest(file.text),
        version=step.name or (desired.version if changed or step.is_ours else found.metadata.version),
        domain=file.domain,
        template_id=found.metadata.id,
        previous=_current_ref(found) if changed else step.base,
        version_id=step.version_id,
        bases=() if step.overwrites else found.bases,
        known=found.known,
        writes_version=step.writes_version and not skips,
        overwrites=step.overwrites,
        moves_pin=step.moves_pin and not skips,
        images=_image_changes(before.images, file.images) if changed else (),
        routes=file.routes,
        routes_added=served.added,
        routes_removed=served.removed,
        routes_changed=served.changed,
        routes_lost=served.lost,
        diff=diff_documents(old, file.text, old=documents or (), new=file.documents) if changed else "",
        only=_only(old, file, before=documents or ()) if changed else None,
        reason=step.reason,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Decision:
    """`name` is the version name to write under, where it is not the run's.

    `base` is what a file that stays as it is was published against.
    """

    action: ChangeKind
    name: str = ""
    base: Optional[VersionRef] = None
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
        base = _base(current, found, desired=desired)
        return _Decision("unchanged", version_id=current.id, base=base)
    same = found.same_name
    if current is not None and current.version == desired.version:
        same = current
    if same is None:
        return _Decision("update", writes_version=True, moves_pin=found.is_pinned)
    is_earlier_part = _is_own_earlier_part(same, found, desired=desired)
    if same.content == text and (found.is_pinned or not is_earlier_part):
        return _already_published(same, found, desired=desired)
    if is_earlier_part:
        name = free_successor(desired.version, taken={ref.name for ref in found.history or ()})
        return _Decision("update", name=name, writes_version=True, moves_pin=found.is_pinned)
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


def _is_own_earlier_part(same: TemplateVersion, found: ExistingFile, *, desired: Desired) -> bool:
    """Tell whether this very build wrote that version of a shared file, before another's came on top."""
    origin = read_provenance(same.description)
    is_ours = origin is not None and origin.is_same_build_as(desired.provenance)
    return is_ours and found.metadata.real_name in desired.shared


def _already_published(same: TemplateVersion, found: ExistingFile, *, desired: Desired) -> _Decision:
    """Finish what an earlier try of this build began: a version that is there, but not current."""
    if found.is_pinned:
        return _Decision("update", version_id=same.id, moves_pin=True)
    base, notes = _base(same, found, desired=desired), (_not_current(same, found),)
    return _Decision("unchanged", version_id=same.id, base=base, is_ours=True, notes=notes)


def _not_current(same: TemplateVersion, found: ExistingFile) -> Text:
    metadata, current = found.metadata, found.current
    text = say(
        "plan.published_not_current", name=metadata.real_name, version=same.version, current=metadata.version
    )
    if current is None:
        return text
    by = say(
        "plan.written_by", creator=current.creator, at=shown_time(current.create_at), origin=_origin(current)
    )
    return say("report.two", first=text, second=by)


def _held(found: ExistingFile, file: ManifestFile) -> Union[ExistingFile, ManifestFile]:
    """Return what BCS holds of a file; our own text is not parsed again."""
    if found.current is not None and found.current.content == file.text:
        return file
    return found


def _port_notes(file: ManifestFile, before: Sequence[Document]) -> list[Text]:
    """Say where a Service that exists asks for another nodePort: what points at the old one is cut off."""
    asked, known = ports_by_service(file.documents), ports_by_service(before)
    return [
        say("plan.port_changes", name=file.name, service=service, old=known[service], new=port)
        for service, port in sorted(asked.items())
        if service in known and known[service] != port
    ]


def _only(old: str, file: ManifestFile, *, before: Sequence[Document]) -> Optional[Text]:
    name = only_difference(old, file.text, old=before, new=file.documents)
    return say(f"plan.only_{name}") if name is not None else None


def _image_changes(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pair images that went with images that came, in order; "" where there is no partner."""
    old, new = frozenset(before), frozenset(after)
    gone = [image for image in before if image not in new]
    come = [image for image in after if image not in old]
    return tuple(zip_longest(gone, come, fillvalue=""))


def _draft_notes(found: ExistingFile, *, changed: bool) -> list[Text]:
    if changed and found.metadata.is_draft:
        return [say("plan.draft_kept", name=found.metadata.real_name, user=found.metadata.updator)]
    return []


def _current_ref(found: ExistingFile) -> Optional[VersionRef]:
    return ref_of(found.current) if found.current is not None else None


def _base(holder: TemplateVersion, found: ExistingFile, *, desired: Desired) -> Optional[VersionRef]:
    """Return what a file was published against: for a version that this build wrote, the one before it.

    So a retried step has the plan digest and the `previous_version` of the first try.
    """
    origin = read_provenance(holder.description)
    if origin is not None and origin.is_same_build_as(desired.provenance):
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
