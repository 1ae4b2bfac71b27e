"""Wait until workloads are what was deployed, or can't become it; all of them at once.

Each round asks for the workloads that are not done, then for the pods of those that still are not. Rounds
come every second at first and, as the wait grows long, up to ten seconds apart. Never more than eight
requests are under way and fewer than eight a second leave, however many workloads there are: of many, a
list of their kind tells which are worth a look of their own (what a list says is not enough to be sure,
facts/bcs.md, trap 12). Durations are measured on our own clock: the cluster's may differ by an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Optional

from bcs_template_set.bcs.deploy_calls import LiveList, Place, get_live, list_live, list_pods_of
from bcs_template_set.bcs.template_files import Reader
from bcs_template_set.clock import Clock, Deadline
from bcs_template_set.errors import OutOfTime, StepError, UserMistake
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at, texts_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.overlap import Raised, overlap
from bcs_template_set.rollout.causes import Cause, Diagnosis, cause_in_workload, diagnose
from bcs_template_set.rollout.live_fields import TEMPLATE_VERSION, annotation_of, count_at
from bcs_template_set.rollout.newest_pods import PodSummary, newest_pods, read_summaries
from bcs_template_set.rollout.pace import Pace
from bcs_template_set.rollout.pods import PodProblem, problems_of, remember
from bcs_template_set.rollout.status import RolloutStatus, status_of
from bcs_template_set.rollout.watched import End, Watched, Workload

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
PAUSE_SHARE = 0.05
"""A pause is this share of the time waited so far: within the first minute nothing is seen 3 s late."""

MOST_AT_ONCE = 8
FEW = 4
"""Up to so many workloads of a kind are asked for one by one; of more, a list tells first."""

MOST_PODS = 2
"""Pods of one workload that are read whole in one round."""

PATIENCE = 15.0
"""Seconds after which a workload is looked at although its list says nothing new, and a quiet pod too."""

MOST_FAILURES = 5
"""Rounds in a row in which a workload can't be read before that is its result."""

_DEPLOYMENT_COUNTS = ("updatedReplicas", "availableReplicas")

OLD_VERSION = "rollout.old"

QUIET = frozenset({"Running", "Pending", "ContainerCreating", "PodInitializing", "Completed", "Terminating"})
"""States of pods that are no trouble by themselves."""


def watch(
    reader: Reader,
    place: Place,
    workloads: Sequence[Workload],
    *,
    clock: Clock,
    deadline: Deadline,
    on_change: Callable[[Watched], None],
) -> tuple[Watched, ...]:
    """Return how every workload ended; those that are not done when the deadline passes are pending.

    `on_change` hears of a workload whenever something new can be said of it. One that can't heal ends the
    wait for itself only: how the others end is worth knowing too, and they have as long as it takes them.

    Raises:
        UserMistake: the permission to look was taken away.
        OutOfTime: the step's own time is over.
    """
    watching = _Watch(reader, place, clock=clock, on_change=on_change)
    return watching.run([_State(workload, Watched(workload)) for workload in workloads], deadline=deadline)


@dataclass
class _State:
    """What is known of a workload while it is waited for."""

    workload: Workload
    now: Watched
    live: Fields = field(default_factory=dict)
    glance: tuple[object, ...] = ()
    looked_at_glance: tuple[object, ...] = ("never",)
    looked_at: float = float("-inf")
    pods_read_at: float = float("-inf")
    failures: int = 0
    since: dict[tuple[str, str, str], float] = field(default_factory=dict)
    known: dict[tuple[str, str, str], PodProblem] = field(default_factory=dict)


class _Watch:
    def __init__(
        self, reader: Reader, place: Place, *, clock: Clock, on_change: Callable[[Watched], None]
    ) -> None:
        self._reader = reader
        self._place = place
        self._clock = clock
        self._on_change = on_change
        self._pace = Pace(clock)
        self._began = clock.monotonic()

    def run(self, states: Sequence[_State], *, deadline: Deadline) -> tuple[Watched, ...]:
        while True:
            self._round([state for state in states if state.now.end == "pending"])
            if deadline.passed() or all(state.now.end != "pending" for state in states):
                return tuple(state.now for state in states)
            pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, self._elapsed() * PAUSE_SHARE))
            self._clock.wait(min(pause, deadline.remaining()))

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began

    def _round(self, states: Sequence[_State]) -> None:
        chosen = self._worth_a_look(states)
        self._together([partial(self._look, state) for state in chosen])
        pending = [state for state in states if state.now.end == "pending" and _is_new(state)]
        pods = self._pods_of(pending)
        self._together([partial(self._examine, state, pods[state.workload.title]) for state in pending])

    def _together(self, tasks: Sequence[Callable[[], None]]) -> None:
        for result in overlap(tasks, concurrency=MOST_AT_ONCE):
            if isinstance(result, Raised):
                raise result.error

    # --- workloads --------------------------------------------------------------------------------------

    def _worth_a_look(self, states: Sequence[_State]) -> list[_State]:
        """Return the workloads to read whole: all of a kind that has few, else those a list points at."""
        chosen: list[_State] = []
        for kind in sorted({state.workload.kind for state in states}):
            same = [state for state in states if state.workload.kind == kind]
            chosen += same if len(same) <= FEW else self._pointed_at(kind, same)
        return chosen

    def _pointed_at(self, kind: str, states: Sequence[_State]) -> list[_State]:
        listed = self._list(kind)
        if listed is None:
            return list(states)
        items = {text_at(mapping_at(item), "metadata", "name"): mapping_at(item) for item in _items(listed)}
        return [state for state in states if self._points_at(state, items.get(state.workload.name, {}))]

    def _points_at(self, state: _State, item: Fields) -> bool:
        state.glance = _glance(item)
        waited = self._clock.monotonic() - state.looked_at
        return state.glance != state.looked_at_glance or waited >= PATIENCE or _may_be_done(state, item)

    def _list(self, kind: str) -> Optional[LiveList]:
        self._pace.take()
        try:
            return self._reader.read(list_live(self._place, kind=kind))
        except (UserMistake, OutOfTime):
            raise
        except StepError:  # a list only saves requests: without it every workload is asked for
            return None

    def _look(self, state: _State) -> None:
        workload = state.workload
        self._pace.take()
        try:
            read = self._reader.read(get_live(self._place, kind=workload.kind, name=workload.name))
        except (UserMistake, OutOfTime):
            raise
        except StepError as exc:
            self._failed_to_look(state, exc)
            return
        state.failures, state.looked_at = 0, self._clock.monotonic()
        state.looked_at_glance, state.live = state.glance, read.manifest
        status = status_of(workload.kind, state.live, version=workload.version, name=workload.file)
        end: End = "pending" if status.state == "progressing" else status.state
        cause = cause_in_workload(state.live) if end == "failed" else state.now.cause
        self._tell(state, end=end, status=status, cause=cause, problem=state.now.problem)

    def _failed_to_look(self, state: _State, error: StepError) -> None:
        """Give up on a workload that is gone or can't be read, after it has been so for some rounds."""
        state.failures += 1
        if state.failures >= MOST_FAILURES:
            self._tell(state, end="failed", status=state.now.status, error=error)

    # --- pods -------------------------------------------------------------------------------------------

    def _pods_of(self, states: Sequence[_State]) -> Mapping[str, Sequence[PodSummary]]:
        """Return the pods of each workload: asked for one by one, or, of many, from one list of all."""
        if len(states) > FEW:
            everything = self._list("Pod")
            pods = read_summaries(everything.manifest, everything.manifest_ext) if everything else ()
            return {state.workload.title: _selected(pods, state.live) for state in states}
        found: dict[str, Sequence[PodSummary]] = {state.workload.title: () for state in states}
        self._together([partial(self._list_own_pods, state, found) for state in states])
        return found

    def _list_own_pods(self, state: _State, found: dict[str, Sequence[PodSummary]]) -> None:
        workload = state.workload
        self._pace.take()
        try:
            listed = self._reader.read(list_pods_of(self._place, kind=workload.kind, name=workload.name))
        except (UserMistake, OutOfTime):
            raise
        except StepError:  # its status still tells; the next round asks again
            return
        found[workload.title] = read_summaries(listed.manifest, listed.manifest_ext)

    def _examine(self, state: _State, pods: Sequence[PodSummary]) -> None:
        """Read the pods that may be in trouble, and end the wait for a workload that can't heal."""
        newest = newest_pods(pods, kind=state.workload.kind, live=state.live)
        waiting = [pod for pod in newest if not pod.is_ready]
        now = self._clock.monotonic()
        suspects = [pod for pod in waiting if pod.state not in QUIET and not pod.state.startswith("Init:")]
        if not suspects and now - max(state.pods_read_at, self._began) >= PATIENCE:
            suspects = waiting
        if not suspects:
            return
        state.pods_read_at = now
        problems = [problem for pod in suspects[:MOST_PODS] for problem in self._problems_of(state, pod)]
        there = {problem.key for problem in problems}
        state.since = {key: at for key, at in state.since.items() if key in there}
        found = diagnose(problems)
        hopeless = [d for d in found if d.cause.is_hopeless(seconds=now - state.since[d.problem.key])]
        worst = next(iter([*hopeless, *found]), None)
        if worst is not None:
            self._tell_problem(state, worst, hopeless=bool(hopeless))

    def _problems_of(self, state: _State, pod: PodSummary) -> Iterable[PodProblem]:
        self._pace.take()
        try:
            read = self._reader.read(get_live(self._place, kind="Pod", name=pod.name))
        except (UserMistake, OutOfTime):
            raise
        except StepError:  # gone, or not to be read now: the next round lists anew
            return
        for found in problems_of(read.manifest):
            problem = remember(found, earlier=state.known.get(found.key))
            state.known[problem.key] = problem
            state.since.setdefault(problem.key, self._clock.monotonic())
            yield problem

    def _tell_problem(self, state: _State, diagnosis: Diagnosis, *, hopeless: bool) -> None:
        self._tell(
            state,
            end="failed" if hopeless else "pending",
            status=state.now.status,
            problem=diagnosis.problem,
            cause=diagnosis.cause,
        )

    # --- telling ----------------------------------------------------------------------------------------

    def _tell(
        self,
        state: _State,
        *,
        end: End,
        status: Optional[RolloutStatus],
        problem: Optional[PodProblem] = None,
        cause: Optional[Cause] = None,
        error: Optional[StepError] = None,
    ) -> None:
        settled = end in ("ready", "nothing")
        earlier = state.now
        state.now = Watched(
            workload=state.workload,
            end=end,
            status=status,
            problem=None if settled else problem,
            cause=None if settled else cause,
            error=error,
            seconds=self._elapsed(),
        )
        if state.now.says_more_than(earlier):
            self._on_change(state.now)


def _is_new(state: _State) -> bool:
    """Tell whether the workload is known to be at our version: before that its pods are somebody else's."""
    status = state.now.status
    return status is not None and status.sentence.key != OLD_VERSION


def _items(listed: LiveList) -> Sequence[YamlValue]:
    return list_at(listed.manifest, "items")


def _glance(item: Fields) -> tuple[object, ...]:
    """Return what a list says of a workload, as far as it changes while a rollout moves."""
    counts = (*_DEPLOYMENT_COUNTS, "readyReplicas", "numberAvailable", "succeeded", "failed")
    return (annotation_of(item, TEMPLATE_VERSION), *(count_at(item, "status", name) for name in counts))


def _may_be_done(state: _State, item: Fields) -> bool:
    """Tell whether a list's counts are those of a Deployment that is done: only a whole look is sure."""
    wanted = count_at(state.live, "spec", "replicas", default=1)
    return all(count_at(item, "status", name) >= wanted for name in _DEPLOYMENT_COUNTS)


def _selected(pods: Sequence[PodSummary], live: Fields) -> Sequence[PodSummary]:
    """Return the pods that a workload's selector selects."""
    wanted = texts_of(mapping_at(live, "spec", "selector", "matchLabels"))
    return [pod for pod in pods if wanted and wanted.items() <= dict(pod.labels).items()]
