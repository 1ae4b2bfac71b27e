"""The controllers at work: each on all workloads of its kind, one step at a time. Performs no I/O."""

from __future__ import annotations

from typing import Callable, Generic, Protocol, TypeVar

from tests.emulator.cluster import (
    argo_rollouts,
    daemon_sets,
    deployments,
    game_workloads,
    jobs,
    stateful_sets,
)
from tests.emulator.cluster.api_server import Key
from tests.emulator.cluster.autoscalers import Autoscalers
from tests.emulator.cluster.behaviour import FOREVER
from tests.emulator.cluster.canaries import Canary
from tests.emulator.cluster.tree import text
from tests.emulator.cluster.world import Track, World

Tracked = TypeVar("Tracked", bound=Track)
Moved_contra = TypeVar("Moved_contra", bound=Track, contravariant=True)


class Controller(Protocol[Moved_contra]):
    """A module that moves the workloads of a kind forward."""

    @property
    def begin(self) -> Callable[[Moved_contra, World], None]: ...
    @property
    def reconcile(self) -> Callable[[Moved_contra, World], None]: ...
    @property
    def next_event(self) -> Callable[[Moved_contra, World], float]: ...


class Worker(Protocol):
    """A controller at work, whatever it tracks."""

    def step(self, world: World) -> None:
        """Bring every workload of the kind forward at this moment."""

    def next_event(self, world: World) -> float:
        """Return when the controller acts next though no pod changes."""


class Runner(Generic[Tracked]):
    """A controller at work on all workloads of its kind."""

    def __init__(
        self, kind: str, new_track: Callable[[Key, str], Tracked], controller: Controller[Tracked]
    ) -> None:
        self._kind, self._new_track = kind, new_track
        # A cluster is copied, and a module can't be.
        self._begin, self._reconcile = controller.begin, controller.reconcile
        self._next_event = controller.next_event
        self._tracks: dict[str, Tracked] = {}

    def step(self, world: World) -> None:
        """Bring every workload of the kind forward at this moment."""
        living = {}
        for key, stored in world.api.objects.items():
            if key[0] == self._kind:
                uid = text(stored, "metadata", "uid")
                living[uid] = self._tracks.get(uid) or self._new_track(key, uid)
        for uid in set(self._tracks) - set(living):
            for pod in world.pods_of(uid):
                world.stop_pod(pod)
        self._tracks = living
        for track in living.values():
            self._step_one(track, world)

    def _step_one(self, track: Tracked, world: World) -> None:
        if track.notice(world.api.objects[track.key], now=world.now, lag=world.lag):
            self._begin(track, world)
        if track.observed:
            self._reconcile(track, world)

    def next_event(self, world: World) -> float:
        """Return when the controller acts next though no pod changes."""
        return min((self._next_event(track, world) for track in self._tracks.values()), default=FOREVER)


class _Operator:
    """The controller of a custom kind: it works where somebody has installed it."""

    def __init__(self, kind: str, controller: Controller[Canary]) -> None:
        self._kind = kind
        self._runner = Runner(kind, Canary, controller)

    def step(self, world: World) -> None:
        """Bring every workload of the kind forward at this moment."""
        if self._kind in world.operators:
            self._runner.step(world)

    def next_event(self, world: World) -> float:
        """Return when the controller acts next though no pod changes."""
        return self._runner.next_event(world)


def new_runners() -> tuple[Worker, ...]:
    """Return one runner for each kind of workload, and what scales them."""
    return (
        Autoscalers(),
        Runner(deployments.KIND, deployments.Rollout, deployments),
        Runner(stateful_sets.KIND, stateful_sets.Ordered, stateful_sets),
        Runner(daemon_sets.KIND, daemon_sets.Everywhere, daemon_sets),
        Runner(jobs.KIND, jobs.Errand, jobs),
        *(_Operator(kind, game_workloads) for kind in game_workloads.KINDS),
        _Operator(argo_rollouts.KIND, argo_rollouts),
    )
