"""The controllers at work: each on all workloads of its kind, one step at a time. Performs no I/O."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Controller(Generic[Tracked]):
    """A controller: what it calls a workload, and its three functions."""

    kind: str
    new_track: Callable[[Key, str], Tracked]
    begin: Callable[[Tracked, World], None]
    reconcile: Callable[[Tracked, World], None]
    next_event: Callable[[Tracked, World], float]


class Worker(Protocol):
    """A controller at work, whatever it tracks."""

    def step(self, world: World) -> None:
        """Bring every workload of the kind forward at this moment."""

    def next_event(self, world: World) -> float:
        """Return when the controller acts next though no pod changes."""


class Runner(Generic[Tracked]):
    """A controller at work on all workloads of its kind."""

    def __init__(self, controller: Controller[Tracked]) -> None:
        self._controller = controller
        self._tracks: dict[str, Tracked] = {}

    def step(self, world: World) -> None:
        """Bring every workload of the kind forward at this moment."""
        living = {}
        for key, stored in world.api.objects.items():
            if key[0] == self._controller.kind:
                uid = text(stored, "metadata", "uid")
                living[uid] = self._tracks.get(uid) or self._controller.new_track(key, uid)
        for uid in set(self._tracks) - set(living):
            for pod in world.pods_of(uid):
                world.stop_pod(pod)
        self._tracks = living
        for track in living.values():
            self._step_one(track, world)

    def _step_one(self, track: Tracked, world: World) -> None:
        if track.notice(world.api.objects[track.key], now=world.now, lag=world.lag):
            self._controller.begin(track, world)
        if track.observed:
            self._controller.reconcile(track, world)

    def next_event(self, world: World) -> float:
        """Return when the controller acts next though no pod changes."""
        return min(
            (self._controller.next_event(track, world) for track in self._tracks.values()), default=FOREVER
        )


class _Canaries(Protocol):
    """A module that moves workloads from step to step."""

    @property
    def begin(self) -> Callable[[Canary, World], None]: ...
    @property
    def reconcile(self) -> Callable[[Canary, World], None]: ...
    @property
    def next_event(self) -> Callable[[Canary, World], float]: ...


class _Operator:
    """The controller of a custom kind: it works where somebody has installed it."""

    def __init__(self, kind: str, work: _Canaries) -> None:
        self._kind = kind
        self._runner = Runner(Controller(kind, Canary, work.begin, work.reconcile, work.next_event))

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
        Runner(
            Controller(
                kind=deployments.KIND,
                new_track=deployments.Rollout,
                begin=deployments.begin,
                reconcile=deployments.reconcile,
                next_event=deployments.next_event,
            )
        ),
        Runner(
            Controller(
                kind=stateful_sets.KIND,
                new_track=stateful_sets.Ordered,
                begin=stateful_sets.begin,
                reconcile=stateful_sets.reconcile,
                next_event=stateful_sets.next_event,
            )
        ),
        Runner(
            Controller(
                kind=daemon_sets.KIND,
                new_track=daemon_sets.Everywhere,
                begin=daemon_sets.begin,
                reconcile=daemon_sets.reconcile,
                next_event=daemon_sets.next_event,
            )
        ),
        Runner(
            Controller(
                kind=jobs.KIND,
                new_track=jobs.Errand,
                begin=jobs.begin,
                reconcile=jobs.reconcile,
                next_event=jobs.next_event,
            )
        ),
        *(_Operator(kind, game_workloads) for kind in game_workloads.KINDS),
        _Operator(argo_rollouts.KIND, argo_rollouts),
    )
