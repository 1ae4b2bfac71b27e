"""The revisions of Deployments, by their ReplicaSets, which a list shows whole. Pure: performs no I/O.

A revision is a pod template, not a deployment: one that changed no template left none, and one that is taken
up again (`rollout undo`, or its old text) has the newest number and keeps its first date. Kubernetes copies a
Deployment's marks to the ReplicaSet of its template, and back on an undo (facts/bcs.md, "Around them").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Optional

from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.live_objects import LiveRow
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
    template: Fields = field(default_factory=dict, repr=False, compare=False)


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
