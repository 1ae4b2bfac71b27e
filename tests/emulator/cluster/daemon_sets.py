"""The DaemonSet controller: a pod on every node, replaced within maxUnavailable. Performs no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.pods import FAILED, Owner, Pod
from tests.emulator.cluster.tree import Manifest, find, text, without_zeros
from tests.emulator.cluster.world import Track, World, revision_of, scaled

KIND = "DaemonSet"


@dataclass
class Everywhere(Track):
    """A DaemonSet under way."""

    revision: str = ""


def begin(track: Everywhere, world: World) -> None:  # noqa: ARG001 - the controllers are called alike
    """Take a new generation in."""
    track.revision = revision_of(track.template)


def reconcile(track: Everywhere, world: World) -> None:
    """Start a pod where there is none, stop old ones as the strategy allows, then write the status."""
    for pod in world.pods_of(track.uid):
        if pod.phase == FAILED:  # daemon_controller.go, podsShouldBeOnNode
            world.stop_pod(pod)
    held = {pod.node for pod in world.pods_of(track.uid)}
    for node in world.nodes:
        if node not in held:
            _start(track, world, node)
    if text(track.spec, "updateStrategy", "type") == "RollingUpdate":
        _update(track, world)
    world.api.write_status(track.key, _status(track, world))


def next_event(track: Everywhere, world: World) -> float:
    """Return when the controller acts next though no pod changes."""
    return track.due if track.due > world.now else FOREVER


def _start(track: Everywhere, world: World, node: str) -> None:
    pod = world.new_pod(
        track.workload,
        name=f"{track.name}-{world.suffix()}",
        template=track.template,
        owner=Owner(kind=KIND, name=track.name, uid=track.uid),
        revision=track.revision,
    )
    pod.node = node
    pod.extra_labels = {"controller-revision-hash": track.revision}
    if not world.refusal_of(pod):  # a refusal is told in an event alone
        world.start_pod(pod)


def _update(track: Everywhere, world: World) -> None:
    active = _active(track, world)
    allowed = scaled(
        find(track.spec, "updateStrategy", "rollingUpdate", "maxUnavailable"), of=len(world.nodes), up=True
    )
    old = [pod for pod in active if pod.revision != track.revision]
    for pod in [pod for pod in old if not pod.is_ready]:
        world.stop_pod(pod)
    ready_old = [pod for pod in old if pod.is_ready]
    down = len(world.nodes) - sum(pod.is_ready for pod in active)
    for pod in ready_old[: max(allowed - down, 0)]:
        world.stop_pod(pod)


def _active(track: Everywhere, world: World) -> list[Pod]:
    return [pod for pod in world.pods_of(track.uid) if pod.active]


def _status(track: Everywhere, world: World) -> Manifest:
    pods = _active(track, world)
    ready = sum(pod.is_ready for pod in pods)
    counted: Manifest = {
        "observedGeneration": track.observed,
        "updatedNumberScheduled": sum(pod.revision == track.revision for pod in pods),
        "numberAvailable": ready,
        "numberUnavailable": len(world.nodes) - ready,
    }
    return {
        "currentNumberScheduled": len(pods),
        "desiredNumberScheduled": len(world.nodes),
        "numberMisscheduled": 0,
        "numberReady": ready,
        **without_zeros(counted),
    }
