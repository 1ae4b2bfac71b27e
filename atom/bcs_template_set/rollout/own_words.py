"""What a workload itself says of why it is not ready, at each look. Pure: performs no I/O.

A Deployment has a condition that its pods are refused, with the API server's whole sentence; StatefulSets,
DaemonSets and Jobs tell it in events alone, which no call of BCS's shows (facts/bcs.md, "Calls"). Of those
only the silence is seen: pods are wanted, none is on its way, and nothing says why. One that is gone, or is
going, has not failed: the pods may have been well. Of a Job nobody can know any more how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from bcs_template_set.manifests.fields import Fields, mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DAEMON_SET, JOB, STATEFUL_SET
from bcs_template_set.manifests.live_fields import count_at, is_going, is_observed, number_in
from bcs_template_set.messages import say
from bcs_template_set.messages.text import clock_time
from bcs_template_set.rollout.cause_rules import Fault
from bcs_template_set.rollout.causes import Cause, cause_in_workload
from bcs_template_set.rollout.watched import Workload

CLUSTER: Fault = 2
"""The errorType of what neither image nor manifest has caused."""


def cause_of_vanishing(workload: Workload, *, live: Fields, seen_at: float, patience: float) -> Cause:
    """Return what to say of a workload that was last seen like this, and is there no more.

    `seen_at` is when that was, in seconds since the epoch. `live` is empty where it was never seen whole.
    """
    seconds = number_in(mapping_at(live, "spec").get("ttlSecondsAfterFinished"))
    if workload.kind != JOB:
        name = "going" if is_going(live) else "gone"
    else:
        name = "gone_job" if seconds is None else "gone_ttl"
    fields = {"object": workload.title, "time": clock_time(seen_at), "seconds": seconds}
    return Cause(
        name="gone",
        fault=CLUSTER,
        patience=patience,
        sentence=say(f"rollout.{name}.cause", **fields),
        cure=say(f"rollout.{name}.cure", **fields),
    )


SILENT_AFTER = 5.0
"""Seconds without a pod on its way after which that is told: a controller takes a moment."""


def is_silent(kind: Kind, live: Fields) -> bool:
    """Tell whether a workload wants more pods than there are, although all of them are well.

    Without `status` it says nothing of its pods.
    """
    if not isinstance(live.get("status"), Mapping):
        return False
    if kind == JOB:
        begun = [count_at(live, "status", name) for name in ("active", "succeeded", "failed")]
        suspended = mapping_at(live, "spec").get("suspend") is True
        return not any(begun) and not suspended and not mapping_at(live, "status").get("conditions")
    if kind not in (STATEFUL_SET, DAEMON_SET) or kind.rule is None or not is_observed(live):
        return False
    counts = kind.rule.counts(live)
    return counts.total < counts.wanted and counts.well == counts.total


def told_by(kind: Kind, live: Fields, *, silent_for: float) -> Optional[Cause]:
    """Return what keeps a workload from being ready by its own word, or by its silence; None for nothing."""
    said = cause_in_workload(live)
    if said is not None or silent_for < SILENT_AFTER:
        return said
    return Cause(
        name="no_pods",
        fault=CLUSTER,
        patience=None,
        sentence=say("rollout.no_pods.cause", kind=kind.name),
        cure=say("rollout.no_pods.cure", kind=kind.name),
    )
