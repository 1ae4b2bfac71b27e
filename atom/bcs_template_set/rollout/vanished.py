"""What it means that a workload is gone, or is going, while it is waited for. Pure: performs no I/O.

It has not failed: the pods may have been well. Of a Job nobody can know any more how it ended.
"""

from __future__ import annotations

from bcs_template_set.manifests.fields import Fields, mapping_at
from bcs_template_set.manifests.kinds import JOB
from bcs_template_set.manifests.live_fields import is_going, number_in
from bcs_template_set.messages import say
from bcs_template_set.messages.text import clock_time
from bcs_template_set.rollout.cause_rules import Fault
from bcs_template_set.rollout.causes import Cause
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
