"""When a live workload is what it should be, and which of its pods are new. Pure: performs no I/O.

Deployment, StatefulSet and DaemonSet follow `kubectl rollout status` line by line
(kubernetes/kubectl, pkg/polymorphichelpers/rollout_status.go, 2026-07), but in what kubectl has no answer to:
a paused Deployment can't move, and with OnDelete the pods that are there must be well. kubectl knows no Job;
a Job follows its own conditions, as `kubectl wait --for=condition=complete` does. What holds for every kind,
such as that an object which is being deleted has failed, is in `rollout/watched.py`; which kind has which
rule, in `kinds.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Optional

from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.live_fields import (
    annotation_of,
    condition_of,
    count_at,
    is_observed,
    is_true,
    number_in,
)
from bcs_template_set.messages import Text, say

WorkloadState = Literal["ready", "paused", "progressing", "pending", "failed", "gone", "unseen", "nothing"]
"""Where a workload is. A look finds it `ready`, `progressing`, `failed`, `gone`, `nothing` to wait for, or
`paused`: all goes well, and old pods stay until a person acts. A wait that goes on, or was cut off, leaves it
`pending`, whether or not it has been seen to progress, and `unseen` where it could not be looked at in the
end."""

DONE: frozenset[WorkloadState] = frozenset({"ready", "nothing"})
"""The states in which nothing is awaited, not even a person."""

SETTLED: frozenset[WorkloadState] = DONE | {"paused"}
"""The states in which there is nothing more to wait for, or to put right."""

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"

_NAMED_REPLICA_SET = re.compile(r'[Rr]eplica ?[Ss]et "([^"]+)"')


class Counts(NamedTuple):
    """The pods of a workload: wanted new, there at all, of the new kind, well (old or new), and kept old."""

    wanted: int
    total: int
    updated: int
    well: int
    kept: int = 0

    @property
    def done(self) -> int:
        """Return how many new pods are certainly well: every old one may be well too."""
        old = max(0, self.total - self.updated)
        return max(0, min(self.wanted, self.updated, self.well - old))

    @property
    def numbers(self) -> dict[str, int]:
        """Return the numbers by the names that the sentences have for them."""
        old = self.total - self.updated
        return {"wanted": self.wanted, "updated": self.updated, "well": self.well, "old": old}


Look = tuple[WorkloadState, Text]
"""What a look at a live workload finds: its state, and the sentence that says so."""


class RolloutRule(NamedTuple):
    """How a kind's rollout is told: by which counts, and what a look at a whole object with them finds.

    `ends`: its objects come to an end, and what they say of it holds also while they are being deleted.
    `needs_status`: an object without `status` tells nothing.
    """

    counts: Callable[[Fields], Counts]
    look: Callable[[Fields, Counts], Look]
    ends: bool = False
    needs_status: bool = True


class Revision(NamedTuple):
    """Which pods of a workload are new: those with one of these labels at what `newest` reads.

    That is "" where the workload does not say.
    """

    labels: tuple[str, ...]
    newest: Callable[[Fields], str]


# --- Deployment -----------------------------------------------------------------------------------------


def deployment_counts(live: Fields) -> Counts:
    """Count new pods that are available."""
    return Counts(
        wanted=wanted_replicas(live),
        total=count_at(live, "status", "replicas"),
        updated=count_at(live, "status", "updatedReplicas"),
        well=count_at(live, "status", "availableReplicas"),
    )


def _deployment(live: Fields, counts: Counts) -> Look:
    numbers = counts.numbers
    if not is_observed(live):
        return "progressing", say("rollout.observing")
    if condition_of(live, "Progressing").get("reason") == DEADLINE_EXCEEDED:
        deadline = progress_deadline(live)
        return "failed", say("rollout.deadline_exceeded", deadline=deadline or "-", **numbers)
    paused = mapping_at(live, "spec").get("paused") is True
    if paused and not counts.updated == counts.wanted == counts.total:
        return "failed", say("rollout.paused", **numbers)
    if counts.updated < counts.wanted or counts.total > counts.updated:
        key = "updating" if counts.updated < counts.wanted else "old_pods"
        return "progressing", say(f"rollout.{key}", **numbers)
    if counts.well < counts.updated:
        return "progressing", say("rollout.not_available", **numbers)
    return ready(counts)


def progress_deadline(live: Fields) -> Optional[int]:
    """Return after how many seconds without progress Kubernetes gives up, None where it never does."""
    return number_in(mapping_at(live, "spec").get("progressDeadlineSeconds"))


def _replica_set_hash(live: Fields) -> str:
    """Return the newest ReplicaSet's hash: the Progressing condition's message names the set."""
    named = _NAMED_REPLICA_SET.search(text_at(condition_of(live, "Progressing"), "message"))
    prefix = text_at(live, "metadata", "name") + "-"
    return named[1][len(prefix) :] if named and named[1].startswith(prefix) else ""


DEPLOYMENT_RULE = RolloutRule(deployment_counts, _deployment)
DEPLOYMENT_REVISION = Revision(("pod-template-hash",), _replica_set_hash)


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


def _stateful_set_counts(live: Fields) -> Counts:
    replicas = wanted_replicas(live)
    return Counts(
        wanted=max(0, replicas - _partition(live)),
        kept=min(replicas, _partition(live)),
        total=count_at(live, "status", "replicas"),
        updated=count_at(live, "status", "updatedReplicas"),
        well=count_at(live, "status", "readyReplicas"),
    )


def _stateful_set(live: Fields, counts: Counts) -> Look:
    kind, _ = _strategy(live)
    replicas = wanted_replicas(live)
    if not is_observed(live):  # a whole object's generation is 1 at least, so 0 observed is none
        return "progressing", say("rollout.observing")
    if counts.well < replicas:
        return "progressing", say("rollout.not_ready", replicas=replicas, well=counts.well)
    if kind != "RollingUpdate":  # its currentRevision stays behind, however many pods are new
        return by_hand(kind, counts)
    if not _is_updated(live, counts):
        return "progressing", say("rollout.updating", **counts.numbers)
    return down_to(_partition(live), counts)


def _is_updated(live: Fields, counts: Counts) -> bool:
    """Tell whether the new pods are there: by count where there is `rollingUpdate`, else by revision."""
    _, rolling = _strategy(live)
    if rolling is not None:
        return counts.updated >= counts.wanted
    return _update_revision(live) == text_at(live, "status", "currentRevision")


def _update_revision(live: Fields) -> str:
    return text_at(live, "status", "updateRevision")


STATEFUL_SET_RULE = RolloutRule(_stateful_set_counts, _stateful_set)
STATEFUL_SET_REVISION = Revision(("controller-revision-hash",), _update_revision)


# --- DaemonSet ------------------------------------------------------------------------------------------


def _daemon_set_counts(live: Fields) -> Counts:
    return Counts(
        wanted=count_at(live, "status", "desiredNumberScheduled"),
        total=count_at(live, "status", "currentNumberScheduled"),
        updated=count_at(live, "status", "updatedNumberScheduled"),
        well=count_at(live, "status", "numberAvailable"),
    )


def _daemon_set(live: Fields, counts: Counts) -> Look:
    numbers = counts.numbers
    kind, _ = _strategy(live)
    if not is_observed(live):
        return "progressing", say("rollout.observing")
    if counts.updated < counts.wanted and kind == "RollingUpdate":
        return "progressing", say("rollout.updating", **numbers)
    if counts.well < counts.wanted:
        return "progressing", say("rollout.not_available", **{**numbers, "updated": counts.wanted})
    return by_hand(kind, counts)


def _template_generation(live: Fields) -> str:
    return annotation_of(live, "deprecated.daemonset.template.generation")


DAEMON_SET_RULE = RolloutRule(_daemon_set_counts, _daemon_set)
DAEMON_SET_REVISION = Revision(("pod-template-generation",), _template_generation)


# --- Job ------------------------------------------------------------------------------------------------


def _job_counts(live: Fields) -> Counts:
    """Count successes. Without `completions` one success is enough, however many pods run beside it."""
    succeeded = count_at(live, "status", "succeeded")
    return Counts(
        wanted=count_at(live, "spec", "completions", default=1),
        total=succeeded,
        updated=succeeded,
        well=succeeded,
    )


def _job(live: Fields, counts: Counts) -> Look:
    numbers = counts.numbers
    for name in ("Failed", "FailureTarget"):  # FailureTarget: decided, its pods are still being stopped
        condition = condition_of(live, name)
        if is_true(condition):
            reason, message = text_at(condition, "reason"), text_at(condition, "message")
            return "failed", say("rollout.job_failed", reason=reason, message=message)
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


def _uid(live: Fields) -> str:
    return text_at(live, "metadata", "uid")


JOB_RULE = RolloutRule(_job_counts, _job, ends=True)
JOB_REVISION = Revision(("batch.kubernetes.io/controller-uid", "controller-uid"), _uid)


# --- CronJob --------------------------------------------------------------------------------------------


def _cron_job_counts(_live: Fields) -> Counts:
    return Counts(wanted=0, total=0, updated=0, well=0)


def _cron_job(live: Fields, _counts: Counts) -> Look:
    spec = mapping_at(live, "spec")
    if spec.get("suspend") is True:
        return "nothing", say("rollout.cron_job_suspended")
    return "nothing", say("rollout.cron_job", schedule=text_at(spec, "schedule"))


CRON_JOB_RULE = RolloutRule(_cron_job_counts, _cron_job)


# --- what the kinds share -------------------------------------------------------------------------------


def wanted_replicas(live: Fields) -> int:
    """Return how many pods a workload asks for, as the API server takes a missing number."""
    return count_at(live, "spec", "replicas", default=1)


def by_hand(strategy: str, counts: Counts) -> Look:
    """Say of a workload all of whose pods are well which of them only somebody who deletes them makes new."""
    if counts.updated < counts.wanted:
        return "paused", say("rollout.by_hand", strategy=strategy, **counts.numbers)
    return ready(counts)


def down_to(partition: int, counts: Counts) -> Look:
    """Say of a workload all of whose pods are well, and new down to a partition, how many that keeps old."""
    if partition and counts.total > counts.updated:
        return "paused", say("rollout.partitioned", partition=partition, total=counts.total, **counts.numbers)
    return ready(counts)


def ready(counts: Counts) -> Look:
    """Return the look at a workload all of whose pods are new and well."""
    wanted = counts.wanted + counts.kept  # a partition keeps only what there was before
    return "ready", say("rollout.ready" if wanted else "rollout.ready_none", wanted=wanted)
