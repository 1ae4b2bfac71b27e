"""The HorizontalPodAutoscaler controller: it sets its target's number of pods. Performs no I/O.

Kubernetes pkg/controller/podautoscaler/horizontal.go, 1.20 to 1.31. How many pods the load needs is
`World.load`; a target without a word there is left alone, as in the cluster of the recordings, where no such
controller ran. It looks every 15 seconds, the first time that long after the HPA was made; it at most doubles
(four pods at once in any case), and takes pods away only where no look of five minutes asked for more. A
target that was set to 0 is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.emulator.cluster.api_server import Key
from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.tree import Manifest, branch, items, number, text, timestamp
from tests.emulator.cluster.world import World

KIND = "HorizontalPodAutoscaler"
EVERY = 15.0
_STABLE_FOR = 300.0
_FEWEST_LIMIT = 4


@dataclass
class _Scaler:
    """One HPA: when it looks next, and what it has wanted in the last five minutes."""

    due: float
    wanted: list[tuple[float, int]] = field(default_factory=list)


class Autoscalers:
    """The controller at work on all HPAs."""

    def __init__(self) -> None:
        self._scalers: dict[str, _Scaler] = {}

    def step(self, world: World) -> None:
        """Have every HPA look whose time has come."""
        living: dict[str, _Scaler] = {}
        for key, stored in list(world.api.objects.items()):
            if key[0] == KIND:
                uid = text(stored, "metadata", "uid")
                scaler = living[uid] = self._scalers.get(uid) or _Scaler(due=world.now + EVERY)
                if world.now >= scaler.due:
                    scaler.due = world.now + EVERY
                    _look(key, stored, scaler, world)
        self._scalers = living

    def next_event(self, world: World) -> float:
        """Return when an HPA looks next."""
        return min(
            (scaler.due for scaler in self._scalers.values() if scaler.due > world.now), default=FOREVER
        )


def _look(key: Key, stored: Manifest, scaler: _Scaler, world: World) -> None:
    reference = branch(stored, "spec", "scaleTargetRef")
    kind, name = text(reference, "kind"), text(reference, "name")
    target = (kind, key[1], name)
    current, load = number(world.api.objects.get(target), "spec", "replicas"), world.load.get((kind, name))
    if not current or load is None:
        return
    least, most = number(stored, "spec", "minReplicas"), number(stored, "spec", "maxReplicas")
    asked = min(max(load, least), most)
    scaler.wanted = [(at, count) for at, count in scaler.wanted if world.now - at < _STABLE_FOR]
    scaler.wanted.append((world.now, asked))
    if asked < current:
        asked = min(current, max(count for _, count in scaler.wanted))
    desired = min(asked, max(2 * current, _FEWEST_LIMIT))
    status: Manifest = {**branch(stored, "status"), "currentReplicas": current, "desiredReplicas": desired}
    if desired != current:
        status["lastScaleTime"] = timestamp(world.now)
        world.api.scale(target, desired)
    world.api.write_status(key, status)


def in_version(stored: Manifest, version: str) -> Manifest:
    """Return an HPA as the API server shows it in that version: v1 has its one metric in a field."""
    spec = dict(branch(stored, "spec"))
    if version == "autoscaling/v1":
        for metric in items(spec, "metrics"):
            spec["targetCPUUtilizationPercentage"] = number(
                metric, "resource", "target", "averageUtilization"
            )
        spec.pop("metrics", None)
    elif "targetCPUUtilizationPercentage" in spec:
        target: Manifest = {
            "type": "Utilization",
            "averageUtilization": spec.pop("targetCPUUtilizationPercentage"),
        }
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return {**stored, "spec": spec}
