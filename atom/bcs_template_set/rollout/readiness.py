"""Whether what is live is ready, file by file, before a deployment takes its place. Only reads.

So that whoever goes back knows what to: the version before may have been broken itself. Of many workloads of
a kind a list tells, one request for all; what can't be looked at is not known, and no reason to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, get_live, list_live
from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deployment_plan import LiveState
from bcs_template_set.rollout.status import status_of
from bcs_template_set.system.parallel import overlap, values_of

MOST_AT_ONCE = 8
FEW = 4
"""Up to so many workloads of a kind are read whole; of more, a list tells."""

Readiness = Optional[bool]
"""None where nobody knows."""


def readiness_of(reader: Reader, place: NamespaceRef, states: Sequence[LiveState]) -> Mapping[str, Readiness]:
    """Return whether all live workloads of each file are ready; files without any live workload are left out.

    Raises:
        OutOfTime: the step's own time is over.
    """
    found: dict[str, Readiness] = {}
    live = [state for state in states if state.live is not None and state.watched_kind is not None]
    for kind in sorted({s.watched_kind for s in live if s.watched_kind is not None}, key=lambda k: k.name):
        same = [state for state in live if state.watched_kind == kind]
        for state, ready in zip(same, _of_kind(reader, place, kind, [s.name for s in same])):
            found[state.file] = _both(found[state.file], ready) if state.file in found else ready
    return found


def _both(one: Readiness, other: Readiness) -> Readiness:
    """Return whether both are ready: one that is not decides, whatever is known of the other."""
    return False if False in (one, other) else None if None in (one, other) else True


def _of_kind(reader: Reader, place: NamespaceRef, kind: Kind, names: Sequence[str]) -> list[Readiness]:
    # What ends by its conditions alone may have ended badly, too: a list does not tell.
    if len(names) > FEW and kind.done_in_list and kind.has_generation:
        return _listed(reader, place, kind, names)
    looks: list[Callable[[], Readiness]] = [partial(_look, reader, place, kind, name) for name in names]
    return values_of(overlap(looks, concurrency=MOST_AT_ONCE))


def _listed(reader: Reader, place: NamespaceRef, kind: Kind, names: Sequence[str]) -> list[Readiness]:
    try:
        items = list_at(reader.read(list_live(place, kind=kind)).manifest, "items")
    except OutOfTime:
        raise
    except StepError:
        return [None] * len(names)
    by_name = {text_at(mapping_at(item), "metadata", "name"): mapping_at(item) for item in items}
    return [kind.may_be_done(by_name[name]) if name in by_name else None for name in names]


def _look(reader: Reader, place: NamespaceRef, kind: Kind, name: str) -> Readiness:
    try:
        live = reader.read(get_live(place, kind=kind, name=name)).manifest
    except OutOfTime:
        raise
    except StepError:
        return None
    state = status_of(kind, live).state
    return None if state == "nothing" else state == "ready"
