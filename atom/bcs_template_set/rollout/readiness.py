"""Whether what is live is ready, file by file, before a deployment takes its place. Only reads.

So that whoever goes back knows what to: the version before may have been broken itself. Of many workloads of
a kind lists tell what they prove, one request for all; what can't be looked at is not known, and no reason to
stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import POD
from bcs_template_set.rollout.deployment_plan import LiveState
from bcs_template_set.rollout.list_proof import proven_ready
from bcs_template_set.rollout.live_reads import LiveReads, Unread
from bcs_template_set.rollout.newest_pods import PodSummary, read_summaries
from bcs_template_set.rollout.status import status_of
from bcs_template_set.rollout.watched import Workload
from bcs_template_set.system.clock import Clock
from bcs_template_set.system.parallel import overlap, values_of

MOST_AT_ONCE = 8
FEW = 4
"""Up to so many workloads of a kind are read whole; of more, lists tell."""

Readiness = Optional[bool]
"""None where nobody knows."""


def readiness_of(
    reader: Reader, place: NamespaceRef, states: Sequence[LiveState], *, clock: Clock
) -> Mapping[str, Readiness]:
    """Return whether all live workloads of each file are ready; files without any of them are left out."""
    reads = LiveReads(reader, place, clock=clock)
    found: dict[str, Readiness] = {}
    live = [state for state in states if state.live is not None and state.watched_kind is not None]
    for kind in sorted({s.watched_kind for s in live if s.watched_kind is not None}, key=lambda k: k.name):
        same = [state for state in live if state.watched_kind == kind]
        for state, ready in zip(same, _of_kind(reads, kind, same)):
            found[state.file] = _both(found[state.file], ready) if state.file in found else ready
    return found


def _both(one: Readiness, other: Readiness) -> Readiness:
    """Return whether both are ready: one that is not decides, whatever is known of the other."""
    return False if False in (one, other) else None if None in (one, other) else True


def _of_kind(reads: LiveReads, kind: Kind, states: Sequence[LiveState]) -> list[Readiness]:
    if len(states) > FEW and kind.done_in_list:
        return _listed(reads, kind, states)
    looks: list[Callable[[], Readiness]] = [partial(_look, reads, kind, state.name) for state in states]
    return values_of(overlap(looks, concurrency=MOST_AT_ONCE))


def _listed(reads: LiveReads, kind: Kind, states: Sequence[LiveState]) -> list[Readiness]:
    items, listed = reads.by_name(kind), reads.listed(POD)
    if items is None or isinstance(listed, Unread):
        return [None] * len(states)
    pods = read_summaries(listed.manifest, listed.manifest_ext)
    return [_told(kind, state, items.get(state.name, {}), pods) for state in states]


def _told(kind: Kind, state: LiveState, item: Fields, pods: Sequence[PodSummary]) -> Readiness:
    """Return what lists tell: that it is ready, that it is not, or nothing for certain."""
    mark = state.mark
    known = Workload(kind, state.name, mark.file, mark.version, live=state.live or {})
    if proven_ready(known, item, pods) is not None:
        return True
    is_undone = bool(item) and not kind.may_be_done(item)
    return False if is_undone or status_of(kind, item).state == "failed" else None


def _look(reads: LiveReads, kind: Kind, name: str) -> Readiness:
    live = reads.whole(kind, name)
    if isinstance(live, Unread):
        return None
    state = status_of(kind, live).state
    return None if state == "nothing" else state == "ready"
