"""The revisions of Deployments, and the past of a domain's files. Pure: performs no I/O.

A Deployment's ReplicaSets, which a list shows whole, are its revisions: pod templates, not deployments. One
that changed no template left none, and one that is taken up again (`rollout undo`, or its old text) has the
newest number and keeps its first date. Kubernetes copies a Deployment's marks to the ReplicaSet of its
template, and back on an undo (facts/bcs.md, "Around them").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Literal, Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.records.late_dataclass import dataclass

REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True)
class Revision:
    """One pod template of a Deployment: its number, whose version it came of, since when, and who applied it.

    `created_at` is Kubernetes' own text of a moment, "" where it is not known.
    """

    number: int
    mark: Mark
    created_at: str
    deployed_by: str
    template: Fields = field(default_factory=dict)


Revisions = Mapping[str, tuple[Revision, ...]]
"""The revisions of each Deployment by its uid, the highest number first."""


def revisions_of(replica_sets: Iterable[LiveRow], *, by: str = "uid") -> Revisions:
    """Return the revisions of the Deployments that own these ReplicaSets, by their uid, or by `name`."""
    found: dict[str, list[Revision]] = {}
    for row in replica_sets:
        owners = (mapping_at(owner) for owner in list_at(row.item, "metadata", "ownerReferences"))
        for key in [text_at(owner, by) for owner in owners if owner.get("kind") == "Deployment"]:
            found.setdefault(key, []).append(_revision(row))
    return {key: tuple(sorted(rows, key=lambda one: -one.number)) for key, rows in found.items()}


def _revision(row: LiveRow) -> Revision:
    number = annotation_of(row.item, REVISION)
    return Revision(
        number=int(number) if number.isdecimal() else 0,
        mark=row.mark,
        created_at=text_at(row.item, "metadata", "creationTimestamp"),
        deployed_by=row.deployed_by,
        template=mapping_at(row.item, "spec", "template"),
    )


def current_of(revisions: Iterable[Revision], live: Fields) -> Optional[Revision]:
    """Return the revision that a Deployment is at, None where it is not among these."""
    number = annotation_of(live, REVISION)
    return next((one for one in revisions if str(one.number) == number), None)


def left_behind_of(revisions: Iterable[Revision], live: Fields) -> Optional[Revision]:
    """Return the revision that a Deployment was at before somebody went back to the one that it is at.

    None where it is at the one that was made last.
    """
    known = tuple(revisions)
    current = current_of(known, live)
    later = [one for one in known if current is not None and one.created_at > current.created_at]
    return max(later, key=lambda one: one.number, default=None)


def was_left(mark: Mark, revisions: Sequence[Revision]) -> bool:
    """Tell whether this version was live, and another one of its folder has been put in its place since.

    That may be another file's, which held the Deployment before.
    """
    marks = [found.mark for found in revisions]
    return mark in marks[1:] and mark != marks[0] and mark.folder == marks[0].folder


def never_was(marks: Collection[Mark], revisions: Sequence[Revision], *, limit: int) -> bool:
    """Tell whether none of these versions ever was live; `limit` is how many old ones a Deployment keeps.

    That is known only where something is in the history, and nothing can have been dropped from it.
    """
    return 1 < len(revisions) <= limit and not any(found.mark in marks for found in revisions)


# --- the past of a domain -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Deployed:
    """Who deployed a version, and where that is known from.

    A revision is a pod template, not a deployment: so of most versions nobody knows who deployed them. BCS's
    record names the last deployment of a file, whatever the namespace.
    """

    by: str
    known_by: Literal["revision", "objects", "record"]
    at: str = ""


@dataclass(frozen=True)
class HistoryRow:
    """The versions of one name in a domain's files, newest of them first.

    `current` are the files that point at it, `live` the objects that carry it; None where no namespace is
    asked for. `origin` is the build that published it, None where a person did.
    """

    name: str
    files: tuple[str, ...]
    published_at: int
    published_by: str
    origin: Optional[Provenance]
    current: tuple[str, ...]
    live: Optional[tuple[str, ...]]
    deployed: Optional[Deployed]


def history_rows(
    files: Iterable[PastFile],
    *,
    space: str,
    live: Optional[Sequence[LiveRow]],
    revisions: Iterable[Revision],
) -> tuple[HistoryRow, ...]:
    """Return the versions of these files by name, newest first.

    `live` are the namespace's objects, None where nobody asked, `revisions` those of its Deployments.
    """
    by_name: dict[str, list[tuple[TemplateFile, TemplateVersion]]] = {}
    for found in sorted(files, key=lambda found: found.row.real_name):
        for version in found.versions:
            by_name.setdefault(version.version, []).append((found.row, version))
    known = tuple(revisions)
    rows = [_row(name, pairs, space=space, live=live, revisions=known) for name, pairs in by_name.items()]
    return tuple(sorted(rows, key=lambda row: (row.published_at, row.name), reverse=True))


def _row(
    name: str,
    pairs: Sequence[tuple[TemplateFile, TemplateVersion]],
    *,
    space: str,
    live: Optional[Sequence[LiveRow]],
    revisions: Sequence[Revision],
) -> HistoryRow:
    newest = max((version for _, version in pairs), key=lambda version: (version.create_at, version.id))
    marks = {Mark(f"{space}/{file.real_name}", name) for file, _ in pairs}
    carrying = None if live is None else [row for row in live if row.mark in marks]
    return HistoryRow(
        name=name,
        files=tuple(file.real_name for file, _ in pairs),
        published_at=newest.create_at,
        published_by=newest.creator,
        origin=read_provenance(newest.description),
        current=tuple(file.real_name for file, version in pairs if file.version_id == version.id),
        live=None if carrying is None else tuple(row.title for row in carrying),
        deployed=_deployed(name, pairs, carrying or (), [one for one in revisions if one.mark in marks]),
    )


def _deployed(
    name: str,
    pairs: Iterable[tuple[TemplateFile, TemplateVersion]],
    carrying: Iterable[LiveRow],
    revisions: Sequence[Revision],
) -> Optional[Deployed]:
    """Return who deployed a version, by the revision of its pods, else by its objects, else by the record."""
    for revision in revisions:
        return Deployed(revision.deployed_by, "revision", revision.created_at)
    for row in carrying:
        return Deployed(row.deployed_by, "objects")
    for file, _ in pairs:
        if file.latest_deploy_version == name and file.latest_deployer:
            return Deployed(file.latest_deployer, "record")
    return None
