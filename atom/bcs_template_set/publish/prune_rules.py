"""Whether a live object that bears our mark may be deleted: the rules, one by one. Pure: performs no I/O.

A mark is no proof of ownership: Kubernetes copies it to ReplicaSets, and people copy objects. So a list
finds, and a single read decides, with the version that the mark names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Callable, Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.provenance import Provenance, published_as_it_is
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CRON_JOB, JOB, PERSISTENT_VOLUME_CLAIM, SECRET, SERVICE, kind_of
from bcs_template_set.manifests.live_fields import condition_of, is_going, is_true
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

Named = tuple[str, str, str]
"""An object's group, kind and name."""

KEPT: Sequence[Kind] = (PERSISTENT_VOLUME_CLAIM, SECRET)
"""What nobody can bring back, or what others may hold: it goes only where `prune_also` names it."""


def named(document: Document) -> Named:
    """Return what an object is, whichever of its groups a document names."""
    kind = kind_of(document.api_version, document.kind)
    return (kind.group if kind is not None else document.group, document.kind, document.name)


def of_row(row: LiveRow) -> Named:
    """Return what a live object is."""
    return (row.kind.group, row.kind.name, row.name)


@dataclass(frozen=True)
class Claim:
    """Another file, `space/name`, and what it holds; None where that can't be read.

    `text` is what it holds of a file that has nothing else to do with the object, "" for one of its name.
    """

    file: str
    documents: Optional[tuple[Document, ...]]
    text: str = ""

    def holds(self, what: Named) -> bool:
        """Tell whether it claims an object, or may: the names that BCS fills in are not known."""
        if self.documents is None:
            return not self.text or what[-1] in self.text
        return any(_may_be(one, what) for one in objects_of(self.documents))


def _may_be(document: Document, what: Named) -> bool:
    group, kind, name = named(document)
    is_open = is_left_for_bcs(document.kind) or (is_left_for_bcs(name) and (group, kind) == what[:2])
    return is_open or (group, kind, name) == what


@dataclass(frozen=True)
class Proof:
    """What was read of a candidate beside its list: the object whole, None where it is gone, and versions.

    `version` is the one that its mark names, None where there is none. `claims` are other files of the
    folder, and files of the same name in other folders.
    """

    whole: Optional[Fields]
    version: Optional[TemplateVersion]
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A candidate with its proof, and what the author names in `prune_also`."""

    row: LiveRow
    proof: Proof
    ours: Optional[Provenance]
    also: Collection[str] = ()

    @cached_property
    def whole(self) -> Fields:
        return self.proof.whole or {}

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        return held_by(self.row, self.proof.version)

    @cached_property
    def origin(self) -> Optional[Provenance]:
        version = self.proof.version
        return published_as_it_is(version.description, version.content) if version is not None else None


def held_by(row: LiveRow, version: Optional[TemplateVersion]) -> tuple[Document, ...]:
    """Return what a version holds of an object, by group, kind and name."""
    found = parse_foreign(version.content) if version is not None else None
    return tuple(document for document in objects_of(found or ()) if named(document) == of_row(row))


def why_it_stays(
    row: LiveRow, proof: Proof, *, ours: Optional[Provenance], also: Collection[str] = ()
) -> Optional[Text]:
    """Return why a live object is not deleted, by the first rule that holds it; None where it may go.

    Without `ours`, a version that any pipeline published is proof enough.
    """
    case = _Case(row, proof, ours, also)
    return next((reason for rule in RULES for reason in [rule(case)] if reason is not None), None)


def _gone(case: _Case) -> Optional[Text]:
    return say("prune.gone") if case.proof.whole is None else None


def _made_again(case: _Case) -> Optional[Text]:
    return say("prune.made_again") if text_at(case.whole, "metadata", "uid") != case.row.uid else None


def _owned(case: _Case) -> Optional[Text]:
    owners = [mapping_at(owner) for owner in list_at(case.whole, "metadata", "ownerReferences")]
    names = [f"{text_at(owner, 'kind')}/{text_at(owner, 'name')}" for owner in owners]
    return say("prune.owned", owner=names) if owners else None


def _going(case: _Case) -> Optional[Text]:
    return going_text(case.whole) if is_going(case.whole) else None


def going_text(whole: Fields) -> Text:
    """Return the sentence about an object that is being deleted: who holds it."""
    held = [str(name) for name in list_at(whole, "metadata", "finalizers")]
    return say("prune.waits", finalizers=held) if held else say("prune.going")


def _marked_otherwise(case: _Case) -> Optional[Text]:
    return say("prune.made_again") if mark_of(case.whole) != case.row.mark else None


def _not_published(case: _Case) -> Optional[Text]:
    origin = case.origin
    is_ours = origin is not None and (case.ours is None or case.ours.is_same_line_of_builds(origin))
    key = "prune.of_no_build" if case.ours is None else "prune.not_ours"
    return None if is_ours else say(key, version=case.row.mark.version)


def _not_in_version(case: _Case) -> Optional[Text]:
    return None if case.documents else say("prune.not_in_version", version=case.row.mark.version)


def _claimed(case: _Case) -> Optional[Text]:
    by = [claim.file for claim in case.proof.claims if claim.holds(of_row(case.row))]
    return say("prune.claimed", files=by) if by else None


def _kept(case: _Case) -> Optional[Text]:
    kind = case.row.kind
    return say("prune.kept", kind=kind.name) if kind in KEPT and kind.name not in case.also else None


def _has_an_address(case: _Case) -> Optional[Text]:
    is_balancer = case.row.kind is SERVICE and text_at(case.whole, "spec", "type") == "LoadBalancer"
    return say("prune.load_balancer") if is_balancer and SERVICE.name not in case.also else None


def _still_runs(case: _Case) -> Optional[Text]:
    ended = any(is_true(condition_of(case.whole, kind)) for kind in ("Complete", "Failed"))
    is_owner = case.row.kind is CRON_JOB and bool(list_at(case.whole, "status", "active"))
    runs = is_owner or (case.row.kind is JOB and not ended)
    return say("prune.job_runs") if runs and JOB.name not in case.also else None


def _takes_volumes(case: _Case) -> Optional[Text]:
    policy = text_at(case.whole, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
    kind = PERSISTENT_VOLUME_CLAIM.name
    return say("prune.kept", kind=kind) if policy == "Delete" and kind not in case.also else None


RULES: Sequence[Callable[[_Case], Optional[Text]]] = (
    *(_gone, _made_again, _owned, _going, _marked_otherwise),
    *(_not_published, _not_in_version, _claimed),
    *(_kept, _has_an_address, _still_runs, _takes_volumes),
)
"""First what the object is, then whose, then whether its kind may go."""
