"""What the controllers of GameDeployments, GameStatefulSets and Argo's Rollouts share. Performs no I/O.

A workload moves to as many new pods as its step says, one after the other, and then to its next step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.pods import Owner, Pod
from tests.emulator.cluster.tree import Manifest, branch, copied, items, number
from tests.emulator.cluster.world import Track, World, revision_of


@dataclass
class Canary(Track):
    """A workload with steps under way: its revision, the step it is at, since when it pauses there.

    `stable` is the revision that was once fully there; the first one is so from the start.
    """

    revision: str = ""
    stable: str = ""
    index: int = 0
    paused_at: float = FOREVER
    templates: dict[str, Manifest] = field(default_factory=dict)
    conditions: list[Manifest] = field(default_factory=list)

    @property
    def replicas(self) -> int:
        """Return how many pods are wanted."""
        return number(self.spec, "replicas", default=1)


def take_in(track: Canary, steps: list[Manifest]) -> bool:
    """Take a new generation in; tell whether its pods are others.

    They begin at the first step, but for those that the workload was made with or goes back to.
    """
    revision = revision_of(track.template)
    if revision == track.revision:
        return False
    track.revision, track.paused_at, track.conditions = revision, FOREVER, []
    track.templates[revision] = copied(track.template)
    track.stable = track.stable or revision
    track.index = len(steps) if track.stable == revision else 0
    return True


def split(track: Canary, world: World) -> tuple[list[Pod], list[Pod]]:
    """Return the new pods and the old ones."""
    active = [pod for pod in world.pods_of(track.uid) if pod.active]
    new = [pod for pod in active if pod.revision == track.revision]
    return new, [pod for pod in active if pod.revision != track.revision]


def move_to(track: Canary, world: World, wanted: int, *, labels: Manifest, owner: Owner) -> None:
    """Have that many new pods, and old ones for the rest: one old pod goes for each new one that is ready."""
    new, old = split(track, world)
    for _ in range(min(wanted, track.replicas) - len(new)):
        pod = world.new_pod(
            track.workload,
            name=f"{track.name}-{world.suffix()}",
            template=track.templates[track.revision],
            owner=owner,
            revision=track.revision,
        )
        pod.extra_labels = dict(labels)
        if not world.refusal_of(pod):  # a refusal is told in an event alone
            new.append(world.start_pod(pod))
    ready = sum(pod.is_ready for pod in new)
    for pod in old[: max(0, len(old) - (track.replicas - min(ready, wanted)))]:
        world.stop_pod(pod)
    if len(new) >= wanted and ready >= wanted:
        for pod in new[wanted:]:
            world.stop_pod(pod)


def counts(track: Canary, world: World) -> tuple[int, int, int, int]:
    """Return how many pods there are, are ready, are new, and are new and ready."""
    new, old = split(track, world)
    new_ready = sum(pod.is_ready for pod in new)
    ready = new_ready + sum(pod.is_ready for pod in old)
    return len(new) + len(old), ready, len(new), new_ready


def step_of(track: Canary, steps: list[Manifest]) -> Manifest:
    """Return the step it is at, an empty one past the last."""
    return steps[track.index] if track.index < len(steps) else {}


def steps_in(tree: Manifest, *path: str) -> list[Manifest]:
    """Return the steps at the path of a spec."""
    return items(branch(tree, *path), "steps")
