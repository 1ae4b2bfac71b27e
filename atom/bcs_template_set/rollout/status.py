"""Whether a workload has become what was deployed. Pure: performs no I/O.

Deployment, StatefulSet and DaemonSet follow `kubectl rollout status` line by line
(kubernetes/kubectl, pkg/polymorphichelpers/rollout_status.go, 2026-07). kubectl knows no Job; a Job follows
its own conditions, as `kubectl wait --for=condition=complete` does. Three rules are ours: what does not
carry the expected template version is not ready, however well it runs; what is being deleted has failed;
and an answer without `status`, or one cut down for a list (facts/bcs.md, trap 12), tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable, Literal, Optional

from bcs_template_set.bcs.deploy_calls import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.live_fields import (
    annotation_of,
    condition_of,
    count_at,
    is_going,
    is_observed,
    is_true,
    number_in,
)
from bcs_template_set.messages import Text, say

State = Literal["ready", "progressing", "failed", "nothing"]

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


@dataclass(frozen=True)
class RolloutStatus:
    """Where a rollout is. `nothing` means there is nothing to wait for, and the sentence says why.

    `done` of `wanted` pods are new and well; a lower bound where the cluster counts old and new together.
    """

    state: State
    sentence: Text
    done: int = 0
    wanted: int = 0


@dataclass(frozen=True)
class _Counts:
    """The pods of a workload: wanted, there at all, of the new kind, and well (old or new)."""

    wanted: int
    total: int
    updated: int
    well: int

    @property
    def done(self) -> int:
        """Return how many new pods are certainly well: every old one may be well too."""
        old = max(0, self.total - self.updated)
        return max(0, min(self.wanted, self.updated, self.well - old))


def is_template_version(live: Fields, *, version: str, name: str) -> bool:
    """Tell whether BCS marked the object as made from this version of the file `space/name`."""
    return mark_of(live) == version and annotation_of(live, TEMPLATE_NAME) == name


def mark_of(live: Fields) -> str:
    """Return the template version that BCS marked an object with, "" where there is none."""
    return annotation_of(live, TEMPLATE_VERSION)


def status_of(kind: str, live: Fields, *, version: str = "", name: str = "") -> RolloutStatus:
    """Return where the rollout of a live object is.

    With `version` and `name`, an object that is not marked with them is progressing, whatever its pods do.
    """
    rule = _RULES.get(kind)
    if rule is None:
        return RolloutStatus("nothing", say("rollout.no_rollout", kind=kind))
    counts = _COUNTS[kind](live)
    known = _known(kind, live, counts, version=version, name=name) or rule(live, counts)
    wanted = max(0, counts.wanted)
    return RolloutStatus(
        state=known[0],
        sentence=known[1],
        done=wanted if known[0] == "ready" else counts.done,
        wanted=wanted,
    )


_Verdict = tuple[State, Text]


def _known(kind: str, live: Fields, counts: _Counts, *, version: str, name: str) -> Optional[_Verdict]:
    """Return the verdict of the rules that hold for every kind, None where they have none."""
    if is_going(live):
        return "failed", say("rollout.deleting")
    if version and not is_template_version(live, version=version, name=name):
        found = mark_of(live) or say("rollout.unmarked")
        return "progressing", say("rollout.old", found=found, version=version, **_numbers(counts))
    if not isinstance(live.get("status"), Mapping) or not _is_whole(kind, live):
        return "progressing", say("rollout.no_status")
    return None


def _is_whole(kind: str, live: Fields) -> bool:
    """Tell whether the object is more than an entry of a list: those have no generation (trap 12).

    A Job ends by its conditions alone, and has no generation on older clusters.
    """
    return kind == "Job" or count_at(live, "metadata", "generation") > 0


def _numbers(counts: _Counts) -> dict[str, int]:
    return {
        "wanted": counts.wanted,
        "updated": counts.updated,
        "well": counts.well,
        "old": counts.total - counts.updated,
    }


# --- Deployment -----------------------------------------------------------------------------------------


def _deployment_counts(live: Fields) -> _Counts:
    return _Counts(
        wanted=count_at(live, "spec", "replicas", default=1),
        total=count_at(live, "status", "replicas"),
        updated=count_at(live, "status", "updatedReplicas"),
        well=count_at(live, "status", "availableReplicas"),
    )


def _deployment(live: Fields, counts: _Counts) -> _Verdict:
    numbers = _numbers(counts)
    if not is_observed(live):
        return "progressing", say("rollout.observing")
    if condition_of(live, "Progressing").get("reason") == DEADLINE_EXCEEDED:
        return "failed", say("rollout.deadline_exceeded", **numbers)
    if counts.updated < counts.wanted:
        paused = mapping_at(live, "spec").get("paused") is True
        return "progressing", say("rollout.paused" if paused else "rollout.updating", **numbers)
    if counts.total > counts.updated:
        return "progressing", say("rollout.old_pods", **numbers)
    if counts.well < counts.updated:
        return "progressing", say("rollout.not_available", **numbers)
    return _ready(counts)


# --- StatefulSet ----------------------------------------------------------------------------------------


def _strategy(live: Fields) -> tuple[str, Optional[Fields]]:
    """Return the update strategy's type and `rollingUpdate`, as the API server fills them in.

    An absent type becomes RollingUpdate with partition 0; beside an explicit one nothing is added.
    """
    strategy = mapping_at(live, "spec", "updateStrategy")
    rolling = strategy.get("rollingUpdate")
    kind = text_at(strategy, "type")
    if not kind:
        return "RollingUpdate", mapping_at(rolling)
    return kind, rolling if isinstance(rolling, Mapping) else None


def _partition(live: Fields) -> int:
    _, rolling = _strategy(live)
    return number_in((rolling or {}).get("partition")) or 0


def _stateful_set_counts(live: Fields) -> _Counts:
    replicas = count_at(live, "spec", "replicas", default=1)
    return _Counts(
        wanted=max(0, replicas - _partition(live)),
        total=count_at(live, "status", "replicas"),
        updated=count_at(live, "status", "updatedReplicas"),
        well=count_at(live, "status", "readyReplicas"),
    )


def _stateful_set(live: Fields, counts: _Counts) -> _Verdict:
    kind, _ = _strategy(live)
    replicas = count_at(live, "spec", "replicas", default=1)
    if kind != "RollingUpdate":
        return "nothing", say("rollout.by_hand", strategy=kind)
    if not is_observed(live):  # a whole object's generation is 1 at least, so 0 observed is none
        return "progressing", say("rollout.observing")
    if counts.well < replicas:
        return "progressing", say("rollout.not_ready", replicas=replicas, well=counts.well)
    if not _is_updated(live, counts):
        return "progressing", say("rollout.updating", **_numbers(counts))
    return _ready(counts, partition=_partition(live))


def _is_updated(live: Fields, counts: _Counts) -> bool:
    """Tell whether the new pods are there: by count where there is `rollingUpdate`, else by revision."""
    _, rolling = _strategy(live)
    if rolling is not None:
        return counts.updated >= counts.wanted
    return text_at(live, "status", "updateRevision") == text_at(live, "status", "currentRevision")


# --- DaemonSet ------------------------------------------------------------------------------------------


def _daemon_set_counts(live: Fields) -> _Counts:
    return _Counts(
        wanted=count_at(live, "status", "desiredNumberScheduled"),
        total=count_at(live, "status", "currentNumberScheduled"),
        updated=count_at(live, "status", "updatedNumberScheduled"),
        well=count_at(live, "status", "numberAvailable"),
    )


def _daemon_set(live: Fields, counts: _Counts) -> _Verdict:
    numbers = _numbers(counts)
    kind, _ = _strategy(live)
    if kind != "RollingUpdate":
        return "nothing", say("rollout.by_hand", strategy=kind)
    if not is_observed(live):
        return "progressing", say("rollout.observing")
    if counts.updated < counts.wanted:
        return "progressing", say("rollout.updating", **numbers)
    if counts.well < counts.wanted:
        return "progressing", say("rollout.not_available", **{**numbers, "updated": counts.wanted})
    return _ready(counts)


# --- Job ------------------------------------------------------------------------------------------------


def _job_counts(live: Fields) -> _Counts:
    """Count successes. Without `completions` one success is enough, however many pods run beside it."""
    succeeded = count_at(live, "status", "succeeded")
    return _Counts(
        wanted=count_at(live, "spec", "completions", default=1),
        total=succeeded,
        updated=succeeded,
        well=succeeded,
    )


def _job(live: Fields, counts: _Counts) -> _Verdict:
    numbers = _numbers(counts)
    for name in ("Failed", "FailureTarget"):  # FailureTarget: decided, its pods are still being stopped
        condition = condition_of(live, name)
        if is_true(condition):
            return "failed", say("rollout.job_failed", **_said(condition))
    if is_true(condition_of(live, "Complete")):
        return "ready", say("rollout.job_complete", **numbers)
    if mapping_at(live, "spec").get("suspend") is True or is_true(condition_of(live, "Suspended")):
        return "nothing", say("rollout.job_suspended")
    return "progressing", say(
        "rollout.job_running",
        active=count_at(live, "status", "active"),
        failed=count_at(live, "status", "failed"),
        **numbers,
    )


def _said(condition: Fields) -> dict[str, str]:
    return {"reason": text_at(condition, "reason"), "message": text_at(condition, "message")}


# --- what the kinds share -------------------------------------------------------------------------------


def _ready(counts: _Counts, *, partition: int = 0) -> _Verdict:
    if partition:
        return "ready", say("rollout.ready_up_to", wanted=counts.wanted)
    return "ready", say("rollout.ready" if counts.wanted else "rollout.ready_none", wanted=counts.wanted)


_COUNTS: Mapping[str, Callable[[Fields], _Counts]] = {
    "Deployment": _deployment_counts,
    "StatefulSet": _stateful_set_counts,
    "DaemonSet": _daemon_set_counts,
    "Job": _job_counts,
}
_RULES: Mapping[str, Callable[[Fields, _Counts], _Verdict]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
}
