"""Which pods of a workload are worth reading whole: those that may keep it from being done. Pure: no I/O.

An old pod's trouble is not blamed on the new version. But Kubernetes waits for some of them: a StatefulSet
goes through its pods in order and past none that is not ready, whichever revision it is of, however well the
template was mended since (kubernetes/kubernetes#67250; pkg/controller/statefulset/stateful_set_control.go);
below a partition, and with OnDelete, old pods are kept and count; and a StatefulSet, a DaemonSet and a
Deployment that recreates make no pod before the old one has ended. A DaemonSet replaces a broken old pod
whatever maxUnavailable says (daemon/update.go), and so does a rolling Deployment (deployment/rolling.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcs_template_set.manifests.fields import Fields, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.live_fields import count_at, is_going, is_observed
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.newest_pods import PodSummary, newest_pods
from bcs_template_set.rollout.pods import ENDING, PodProblem, Role, ending_of, problems_of

PATIENCE = 15.0
"""Seconds after which a quiet pod is looked at, too."""

UNPLACED = "Pending"
UNPLACED_PATIENCE = 5.0
"""The same for a pod without any state of its containers: it may have no node."""

ENDING_SECONDS = 45.0
"""A pod is given 30 seconds to end, as a rule."""

OVER = frozenset({"Evicted", "NodeLost", "NodeShutdown", "Shutdown", "Terminated", "Preempted", "Preempting"})
"""States of pods that have ended for good: their controller makes others, and those decide."""

QUIET = frozenset({"Running", "Pending", "ContainerCreating", "PodInitializing", "Completed", "Terminating"})
"""States of pods that are no trouble by themselves."""


@dataclass(frozen=True)
class Suspect:
    """A pod to read whole, and what it is in the rollout."""

    pod: PodSummary
    role: Role = "new"


def is_suspect(pod: PodSummary) -> bool:
    """Tell whether a pod's state in a list is one of trouble."""
    return not pod.is_ready and pod.state not in QUIET and not pod.state.startswith("Init:")


def suspects_of(
    pods: Sequence[PodSummary], *, kind: Kind, live: Fields, quiet_for: float, failed: bool
) -> tuple[Suspect, ...]:
    """Return the pods to read, those first that the others wait for.

    Those in trouble, or, after so many seconds in which none was read, all that are not ready. Of a workload
    that has failed all are read, those that are over included: they tell why.
    """
    newest = [Suspect(pod) for pod in newest_pods(pods, kind=kind, live=live) if not pod.is_ready]
    waiting = [*_blocking(pods, kind=kind, live=live), *newest, *_ending(pods, live)]
    living = [suspect for suspect in waiting if suspect.pod.state not in OVER]
    troubled = [suspect for suspect in living if is_suspect(suspect.pod)]
    if troubled and not failed:
        return tuple(troubled)
    unplaced = any(suspect.pod.state == UNPLACED for suspect in living)
    if failed or quiet_for >= (UNPLACED_PATIENCE if unplaced else PATIENCE):
        return tuple(sorted(waiting, key=_last_to_read))
    return ()


def problems_of_suspect(suspect: Suspect, pod: Fields) -> tuple[PodProblem, ...]:
    """Return what is wrong with a pod, as it was read whole, and what it is in the rollout."""
    if suspect.role == "ending":
        return (ending_of(pod),) if is_going(pod) else ()
    revision = suspect.pod.revision
    return tuple(replace(found, role=suspect.role, revision=revision) for found in problems_of(pod))


def lasts(problem: PodProblem, seconds: float) -> bool:
    """Tell whether a problem that is so many seconds old is one: a pod that ends takes its time."""
    return problem.reason != ENDING or seconds >= ENDING_SECONDS


def _last_to_read(suspect: Suspect) -> tuple[bool, bool]:
    return suspect.pod.state in OVER, not is_suspect(suspect.pod)


def _blocking(pods: Sequence[PodSummary], *, kind: Kind, live: Fields) -> list[Suspect]:
    """Return the pods of earlier revisions that the workload waits for, and does not replace, in order."""
    revision = kind.revision
    wanted = revision.newest(live) if revision is not None else ""
    if revision is None or not wanted or not is_observed(live):
        return []
    partition = count_at(live, "spec", "updateStrategy", "rollingUpdate", "partition") if kind.in_turn else 0
    in_turn = kind.in_turn and text_at(live, "spec", "podManagementPolicy") != "Parallel"
    by_hand = text_at(live, "spec", "updateStrategy", "type") == "OnDelete"
    found = []
    for pod in sorted(pods, key=lambda pod: _ordinal(pod.name)):
        is_old = pod.label(*revision.labels) not in ("", wanted)
        below = _ordinal(pod.name) < partition
        if is_old and not pod.is_ready and not pod.is_going and (below or in_turn or by_hand):
            found.append(Suspect(pod, "below" if below else "earlier"))
    return found


def _ending(pods: Sequence[PodSummary], live: Fields) -> list[Suspect]:
    """Return the pods that have to end before others take their place."""
    strategy = text_at(live, "spec", "strategy", "type")
    replaces = text_at(live, "spec", "updateStrategy", "type") or strategy == "Recreate"
    return [Suspect(pod, "ending") for pod in pods if pod.is_going] if replaces else []


def _ordinal(name: str) -> int:
    last = name.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0
