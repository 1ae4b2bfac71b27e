"""Whether what is live is ready, file by file, before a deployment takes its place. Pure: performs no I/O.

So that whoever goes back knows what to: the version before may have been broken itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.status import status_of

Readiness = Optional[bool]
"""None where nobody knows."""


def readiness_of(states: Sequence[LiveState]) -> Mapping[str, Readiness]:
    """Return whether all live workloads of each file were ready when they were read whole.

    Files without any workload are left out.
    """
    found: dict[str, Readiness] = {}
    for state in states:
        if state.live is not None and state.watched_kind is not None:
            ready = _is_ready(state)
            found[state.file] = _both(found[state.file], ready) if state.file in found else ready
    return found


def _is_ready(state: LiveState) -> Readiness:
    if not state.whole or state.watched_kind is None:
        return None
    found = status_of(state.watched_kind, state.whole).state
    return None if found in ("nothing", "paused") else found == "ready"


def _both(one: Readiness, other: Readiness) -> Readiness:
    """Return whether both are ready: one that is not decides, whatever is known of the other."""
    return False if False in (one, other) else None if None in (one, other) else True
