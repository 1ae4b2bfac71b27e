"""The StatefulSet controller: ordinals, one after another, the update from the highest down. No I/O.

Kubernetes pkg/controller/statefulset/stateful_set_control.go. With OrderedReady a broken pod is waited for
even when the template was mended since: only deleting the pod by hand helps (kubernetes#67250).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.pods import FAILED, SUCCEEDED, Owner, Pod
from tests.emulator.cluster.tree import Manifest, number, text, without_zeros
from tests.emulator.cluster.world import Track, World, revision_of

KIND = "StatefulSet"
AVAILABLE_SINCE = 22
"""The release whose status has `availableReplicas`."""


@dataclass
class Ordered(Track):
    """A StatefulSet under way: its two revisions, and the templates they stand for."""

    current: str = ""
    update: str = ""
    templates: dict[str, Manifest] = field(default_factory=dict)

    @property
    def replicas(self) -> int:
        """Return how many pods are wanted."""
        return number(self.spec, "replicas")

    @property
    def partition(self) -> int:
        """Return the ordinal from which on pods are updated."""
        return number(self.spec, "updateStrategy", "rollingUpdate", "partition")

    @property
    def in_turn(self) -> bool:
        """Tell whether one pod is waited for before the next."""
        return text(self.spec, "podManagementPolicy") != "Parallel"


def begin(track: Ordered, world: World) -> None:  # noqa: ARG001 - the controllers are called alike
    """Take a new generation in."""
    track.update = revision_of(track.template)
    track.current = track.current or track.update
    track.templates[track.update] = track.template


def reconcile(track: Ordered, world: World) -> None:
    """Start, stop and update pods in turn, then write the status."""
    pods = {pod.ordinal: pod for pod in world.pods_of(track.uid)}
    if _fill(track, world, pods) and text(track.spec, "updateStrategy", "type") == "RollingUpdate":
        _update(track, world, pods)
        _complete(track, pods)
    world.api.write_status(track.key, _status(track, world))


def next_event(track: Ordered, world: World) -> float:
    """Return when the controller acts next though no pod changes."""
    return track.due if track.due > world.now else FOREVER


def _fill(track: Ordered, world: World, pods: dict[int, Pod]) -> bool:
    """Start what is missing and stop what is too much; tell whether all wanted pods are there."""
    for ordinal in range(track.replicas):
        if ordinal in pods and pods[ordinal].phase in (FAILED, SUCCEEDED):
            world.stop_pod(pods[ordinal])
        if ordinal not in pods:
            started = _start(track, world, ordinal)
            if started is None:  # told in an event alone
                return False
            pods[ordinal] = started
        if track.in_turn and not _is_up(pods[ordinal]):
            return False
    extra = sorted((ordinal for ordinal in pods if ordinal >= track.replicas), reverse=True)
    for ordinal in extra[:1] if track.in_turn else extra:
        world.stop_pod(pods[ordinal])
    return not extra


def _start(track: Ordered, world: World, ordinal: int) -> Optional[Pod]:
    revision = track.update if ordinal >= track.partition else track.current
    pod = world.new_pod(
        track.workload,
        name=f"{track.name}-{ordinal}",
        template=track.templates[revision],
        owner=Owner(kind=KIND, name=track.name, uid=track.uid),
        revision=revision,
    )
    pod.ordinal = ordinal
    pod.extra_labels = {
        "controller-revision-hash": f"{track.name}-{revision}",
        "statefulset.kubernetes.io/pod-name": pod.name,
    }
    return None if world.refusal_of(pod) else world.start_pod(pod)


def _update(track: Ordered, world: World, pods: dict[int, Pod]) -> None:
    for ordinal in range(track.replicas - 1, track.partition - 1, -1):
        pod = pods[ordinal]
        if pod.revision != track.update and pod.active:
            world.stop_pod(pod)
            return
        if not _is_up(pod):
            return


def _complete(track: Ordered, pods: dict[int, Pod]) -> None:
    wanted = [pods[ordinal] for ordinal in range(track.replicas)]
    if all(pod.revision == track.update and _is_up(pod) for pod in wanted):
        track.current = track.update


def _is_up(pod: Pod) -> bool:
    return pod.active and pod.is_ready


def _status(track: Ordered, world: World) -> Manifest:
    pods = [pod for pod in world.pods_of(track.uid) if pod.active]
    status: Manifest = {
        "observedGeneration": track.observed,
        "readyReplicas": sum(pod.is_ready for pod in pods),
        "currentReplicas": sum(pod.revision == track.current for pod in pods),
        "updatedReplicas": sum(pod.revision == track.update for pod in pods),
        "currentRevision": f"{track.name}-{track.current}",
        "updateRevision": f"{track.name}-{track.update}",
    }
    if world.api.minor >= AVAILABLE_SINCE:
        status["availableReplicas"] = status["readyReplicas"]
    return {"replicas": len(pods), "collisionCount": 0, **without_zeros(status)}
