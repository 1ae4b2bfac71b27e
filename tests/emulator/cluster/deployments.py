"""The Deployment controller, simplified to what its status shows. Performs no I/O.

Kubernetes pkg/controller/deployment (rolling.go, sync.go, progress.go). It starts and stops the pods itself;
the ReplicaSets only show what it does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.pods import Owner, Pod
from tests.emulator.cluster.replica_sets import REVISION, Revision, drop_replica_set, write_replica_set
from tests.emulator.cluster.tree import Manifest, branch, number, text, timestamp, without_zeros
from tests.emulator.cluster.world import Track, World, revision_of, scaled

KIND = "Deployment"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
Counts = tuple[int, int, int, int]


@dataclass
class Rollout(Track):
    """A Deployment under way. `completed` is the revision that was once fully there.

    `progressed` and `timed_out` are when the condition Progressing was last written so; 0 for never.
    """

    number: int = 0
    revision: str = ""
    revisions: dict[str, Revision] = field(default_factory=dict)
    completed: str = ""
    progressed: float = 0.0
    counts: Counts = (0, 0, 0, 0)
    timed_out: float = 0.0
    refusal: str = ""

    @property
    def replicas(self) -> int:
        """Return how many pods are wanted."""
        return number(self.spec, "replicas")

    @property
    def min_ready(self) -> int:
        """Return how long a pod must be ready to be available."""
        return number(self.spec, "minReadySeconds")

    @property
    def deadline(self) -> float:
        """Return when the rollout times out; never where it is complete."""
        if self.completed == self.revision or self.timed_out:
            return FOREVER
        return self.progressed + number(self.spec, "progressDeadlineSeconds", default=600)

    def surge_and_unavailable(self) -> tuple[int, int]:
        """Return maxSurge and maxUnavailable as numbers; both zero means one may be unavailable."""
        rolling = branch(self.spec, "strategy", "rollingUpdate")
        surge = scaled(rolling.get("maxSurge"), of=self.replicas, up=True)
        unavailable = scaled(rolling.get("maxUnavailable"), of=self.replicas, up=False)
        return surge, unavailable if surge or unavailable else 1


def begin(track: Rollout, world: World) -> None:
    """Take a new generation in."""
    revision = revision_of(track.template)
    if revision != track.revision:
        track.number += 1
        # For a ReplicaSet that is there the condition stays; after a success no deadline is reckoned from it.
        if revision not in track.revisions or track.completed == track.revision:
            track.progressed, track.timed_out = world.now, 0.0
        track.revision, track.completed = revision, ""
        known = track.revisions.setdefault(revision, Revision(hash=revision, template=track.template))
        known.number = track.number
    marks = branch(track.workload, "metadata", "annotations")
    track.revisions[revision].annotations = {
        key: value for key, value in marks.items() if key not in (REVISION, _LAST_APPLIED)
    }


def reconcile(track: Rollout, world: World) -> None:
    """Start and stop pods as the strategy allows, then write the status."""
    if not branch(track.workload, "spec").get("paused"):
        if text(track.spec, "strategy", "type") == "Recreate":
            _recreate(track, world)
        else:
            _roll(track, world)
    _follow_progress(track, world)
    # A document that replaced the object whole took this annotation away.
    world.api.annotate(track.key, REVISION, str(track.number))
    _write_replica_sets(track, world)
    world.api.write_status(track.key, _status(track))


def next_event(track: Rollout, world: World) -> float:
    """Return when the controller acts next though no pod changes."""
    moments = [track.due, track.deadline]
    moments += [
        pod.ready_since + track.min_ready for pod in _active(track, world) if pod.ready_since is not None
    ]
    return min((moment for moment in moments if moment > world.now), default=FOREVER)


def _active(track: Rollout, world: World) -> list[Pod]:
    return [pod for pod in world.pods_of(track.uid) if pod.active]


def _split(track: Rollout, world: World) -> tuple[list[Pod], list[Pod]]:
    active = _active(track, world)
    new = [pod for pod in active if pod.revision == track.revision]
    return new, [pod for pod in active if pod.revision != track.revision]


def _available(track: Rollout, world: World, pods: list[Pod]) -> list[Pod]:
    return [pod for pod in pods if pod.available(world.now, min_ready=track.min_ready)]


def _start(track: Rollout, world: World, count: int) -> None:
    track.refusal = ""
    for _ in range(count):
        set_name = f"{track.name}-{track.revision}"
        owner = Owner(kind="ReplicaSet", name=set_name, uid=f"{track.uid}-{track.revision}")
        pod = world.new_pod(
            track.workload,
            name=f"{set_name}-{world.suffix()}",
            template=track.template,
            owner=owner,
            revision=track.revision,
        )
        pod.extra_labels = {"pod-template-hash": track.revision}
        track.refusal = world.refusal_of(pod)
        if track.refusal:
            return
        world.start_pod(pod)


def _write_replica_sets(track: Rollout, world: World) -> None:
    active, (surge, _) = _active(track, world), track.surge_and_unavailable()
    by_age = sorted(track.revisions.values(), key=lambda revision: -revision.number)
    kept = 1 + number(track.spec, "revisionHistoryLimit", default=10)
    for revision in by_age[:kept]:
        write_replica_set(
            revision,
            world,
            workload=track.workload,
            pods=[pod for pod in active if pod.revision == revision.hash],
            most=track.replicas + surge,
            wanted=track.replicas,
        )
    for revision in by_age[kept:]:
        drop_replica_set(revision, world, workload=track.workload)
        del track.revisions[revision.hash]


def _recreate(track: Rollout, world: World) -> None:
    for pod in world.pods_of(track.uid):
        if pod.revision != track.revision:
            world.stop_pod(pod)
    if any(pod.revision != track.revision for pod in world.pods_of(track.uid)):
        return
    new, _ = _split(track, world)
    _start(track, world, track.replicas - len(new))
    _stop(world, new, count=len(new) - track.replicas)


def _roll(track: Rollout, world: World) -> None:
    surge, unavailable = track.surge_and_unavailable()
    new, old = _split(track, world)
    room = track.replicas + surge - len(new) - len(old)
    _start(track, world, min(track.replicas - len(new), room))
    _stop(world, new, count=len(new) - track.replicas)
    _scale_down(track, world, least=track.replicas - unavailable)


def _scale_down(track: Rollout, world: World, *, least: int) -> None:
    """Stop old pods: unhealthy ones first, and never below `least` available ones."""
    new, old = _split(track, world)
    unready_new = len(new) - len(_available(track, world, new))
    may = len(new) + len(old) - least - unready_new
    healthy = _available(track, world, old)
    unhealthy = [pod for pod in old if pod not in healthy]
    _stop(world, unhealthy, count=may)
    available = len(_available(track, world, new)) + len(healthy)
    _stop(world, healthy, count=min(may - len(unhealthy), available - least))


def _stop(world: World, pods: list[Pod], *, count: int) -> None:
    for pod in sorted(pods, key=lambda pod: pod.is_ready)[: max(count, 0)]:
        world.stop_pod(pod)


def _follow_progress(track: Rollout, world: World) -> None:
    new, old = _split(track, world)
    available = len(_available(track, world, new + old))
    ready = sum(pod.is_ready for pod in new + old)
    before_new, before_old, before_ready, before_available = track.counts
    moved = len(new) > before_new or len(old) < before_old
    if moved or ready > before_ready or available > before_available:
        track.progressed, track.timed_out = world.now, 0.0
    track.counts = (len(new), len(old), ready, available)
    if len(new) == track.replicas and not old and available >= track.replicas:
        track.completed, track.timed_out = track.revision, 0.0
    elif world.now >= track.deadline:
        track.timed_out = world.now


def _status(track: Rollout) -> Manifest:
    new, old, ready, available = track.counts
    _, unavailable = track.surge_and_unavailable()
    return without_zeros(
        {
            "observedGeneration": track.observed,
            "replicas": new + old,
            "updatedReplicas": new,
            "readyReplicas": ready,
            "availableReplicas": available,
            "unavailableReplicas": max(max(new + old, track.replicas) - available, 0),
            "conditions": [
                _available_condition(track, enough=available >= track.replicas - unavailable),
                _progressing_condition(track),
                *_refused_conditions(track),
            ],
        }
    )


def _available_condition(track: Rollout, *, enough: bool) -> Manifest:
    if enough:
        return _condition(
            track,
            "Available",
            "True",
            reason="MinimumReplicasAvailable",
            message="Deployment has minimum availability.",
        )
    return _condition(
        track,
        "Available",
        "False",
        reason="MinimumReplicasUnavailable",
        message="Deployment does not have minimum availability.",
    )


def _progressing_condition(track: Rollout) -> Manifest:
    shown = f'ReplicaSet "{track.name}-{track.revision}"'
    if track.spec.get("paused"):
        return _condition(
            track, "Progressing", "Unknown", reason="DeploymentPaused", message="Deployment is paused"
        )
    if track.timed_out:
        return _condition(
            track,
            "Progressing",
            "False",
            reason="ProgressDeadlineExceeded",
            message=f"{shown} has timed out progressing.",
        )
    if track.completed == track.revision:
        return _condition(
            track,
            "Progressing",
            "True",
            reason="NewReplicaSetAvailable",
            message=f"{shown} has successfully progressed.",
        )
    return _condition(
        track, "Progressing", "True", reason="ReplicaSetUpdated", message=f"{shown} is progressing."
    )


def _refused_conditions(track: Rollout) -> list[Manifest]:
    """Return what the newest ReplicaSet's failure becomes (pkg/controller/deployment/progress.go)."""
    if not track.refusal:
        return []
    return [_condition(track, "ReplicaFailure", "True", reason="FailedCreate", message=track.refusal)]


def _condition(track: Rollout, name: str, status: str, *, reason: str, message: str) -> Manifest:
    moment: Optional[str] = timestamp(track.timed_out or track.progressed)
    return {
        "type": name,
        "status": status,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
        "reason": reason,
        "message": message,
    }
