"""Wait until workloads are what was deployed, or can't become it; all of them at once.

Each round asks for the workloads that are not done, then for the pods of those that still are not. Rounds
come every second at first and, as the wait grows long, up to ten seconds apart. Never more than eight
requests are under way and fewer than eight a second leave, however many workloads there are: of many, a
list of their kind tells which are worth a look of their own (what a list says is not enough to be sure,
facts/bcs.md, trap 12). Durations are measured on our own clock: the cluster's may differ by an hour.

A look that fails says nothing about the workload: it is looked at again for as long as the wait lasts. One
that could not be looked at in the end is unseen; one that was there and is there no more is gone. When the
last one is ready, those that have been so for a while are looked at again: in the end all have to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import SETTLED, WorkloadState
from bcs_template_set.manifests.kinds import POD
from bcs_template_set.messages import say
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.causes import Cause, Terms, diagnose
from bcs_template_set.rollout.live_reads import LiveReads, may_be_missing
from bcs_template_set.rollout.newest_pods import (
    PATIENCE,
    PodSummary,
    Suspect,
    is_suspect,
    lasts,
    problems_of_suspect,
    proven_ready,
    selected_pods,
    selector_of,
    suspects_of,
)
from bcs_template_set.rollout.pods import PodProblem, remember
from bcs_template_set.rollout.sized_calls import Heartbeat
from bcs_template_set.rollout.wait_state import WaitState, by_kind
from bcs_template_set.rollout.watched import Blind, RolloutStatus, Watched, Workload, with_words_of_runs
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.parallel import overlap, values_of

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
PAUSE_SHARE = 0.05
"""A pause is this share of the time waited so far: within the first minute nothing is seen 3 s late."""

MOST_AT_ONCE = 8
FEW = 4
"""Up to so many workloads of a kind are asked for one by one; of more, a list tells first."""

MOST_PODS = 2
"""Pods of one workload that are read whole in one round."""


def watch(
    reader: Reader,
    place: NamespaceRef,
    workloads: Sequence[Workload],
    *,
    clock: Clock,
    deadline: Deadline,
    on_change: Callable[[Watched], None],
    on_quiet: Callable[[Sequence[Watched], float], None],
    on_sight: Callable[[Optional[Blind]], None],
    fail_fast: bool,
) -> tuple[Watched, ...]:
    """Return how every workload ended; those that are not done when the deadline passes are pending.

    `on_change` hears of a workload whenever something new can be said of it; `on_quiet` of those still waited
    for, with the seconds so far, once in 30 seconds in which there was nothing new; `on_sight` that some
    can't be looked at, and why, and then that all can again. One that can't heal ends the wait for itself
    only: how the others end is worth knowing too, and they have as long as it takes them. With `fail_fast`
    images, configuration and crashes end it; without, they are waited for as well.
    """
    began, at = clock.monotonic(), clock.now()
    return _Watch(
        LiveReads(reader, place, clock=clock),
        [WaitState(workload, Watched(workload), looked_at=began, seen_at=at) for workload in workloads],
        clock,
        deadline,
        on_change,
        on_quiet,
        on_sight,
        fail_fast=fail_fast,
    ).run()


@dataclass(eq=False)
class _Watch:
    """One `watch`: what it was given, and whether all that is waited for can be looked at."""

    reads: LiveReads
    states: Sequence[WaitState]
    clock: Clock
    deadline: Deadline
    on_change: Callable[[Watched], None]
    on_quiet: Callable[[Sequence[Watched], float], None]
    on_sight: Callable[[Optional[Blind]], None]
    fail_fast: bool
    sees: bool = True

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()
        self.heartbeat = Heartbeat(self.clock, self._give_sign_of_life)

    def run(self) -> tuple[Watched, ...]:
        pods = self._settle([state for state in self.states if state.workload.was_live])
        while True:
            waiting = self._waiting
            self._round(waiting, pods)
            pods = None
            self._tell_sight(waiting)
            if not (self.deadline.passed() or self._waiting):
                self._look_again()
            if self.deadline.passed() or not self._waiting:
                return tuple(state.ended() for state in self.states)
            self.heartbeat()
            pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, self._elapsed() * PAUSE_SHARE))
            self.clock.wait(min(pause, self.deadline.remaining()))

    @property
    def _waiting(self) -> list[WaitState]:
        return [state for state in self.states if state.is_waiting]

    def _look_again(self) -> None:
        """Wait again for what was ready, and is not any more; but a Job is done for good."""
        since = self._elapsed() - LONGEST_PAUSE
        ready = [state for state in self.states if state.can_cease_to_be_ready]
        were = {state: state.now for state in ready if state.now.seconds <= since}
        for state, was in were.items():
            state.now = replace(was, end="pending")
        pods = self._settle([*were])
        self._round([state for state in were if state.is_waiting], pods)
        for state, was in were.items():
            state.now = was if state.now.end == "ready" else state.now

    def _tell_sight(self, states: Sequence[WaitState]) -> None:
        """Say once that workloads can't be looked at, and once that all can be again."""
        blind = next((state.blind for state in states if state.blind is not None), None)
        if (blind is None) != self.sees:
            self.sees = blind is None
            self.heartbeat.put_off()
            self.on_sight(blind)

    def _give_sign_of_life(self) -> None:
        self.on_quiet([state.now for state in self._waiting], self._elapsed())

    def _elapsed(self) -> float:
        return self.clock.monotonic() - self.began

    def _round(self, states: Sequence[WaitState], listed: Optional[Sequence[PodSummary]]) -> None:
        """Look at all of these once; `listed` are all pods, where they were listed just now."""
        everybodys = self.reads.all_pods() if listed is None and len(states) > FEW else listed
        chosen = self._worth_a_look(states, everybodys or ())
        self._together([partial(self._look, state) for state in chosen])
        unwell = [state for state in states if state.asks_for_its_pods]
        pods = self._pods_of(unwell, everybodys)
        self._together([partial(self._examine, state, pods[state.workload.title]) for state in unwell])
        for state in states:
            self._speak(state)

    def _together(self, tasks: Sequence[Callable[[], None]]) -> None:
        values_of(overlap(tasks, concurrency=MOST_AT_ONCE))

    # --- workloads --------------------------------------------------------------------------------------

    def _settle(self, states: Sequence[WaitState]) -> Optional[Sequence[PodSummary]]:
        """End the wait for what lists prove to be ready: nearly all of what was live already.

        Return all pods, where they had to be listed for that.
        """
        pods = self.reads.all_pods() if states else None
        if pods is None:
            return None
        for kind, same in by_kind(states):
            items = self.reads.by_name(kind) or {}
            for state in same:
                status = proven_ready(state.workload, items.get(state.workload.name, {}), pods)
                if status is not None:
                    state.saw(self.clock)
                    self._tell(state, end="ready", status=status)
        return pods

    def _worth_a_look(self, states: Sequence[WaitState], pods: Sequence[PodSummary]) -> list[WaitState]:
        """Return the workloads to read whole: all of a kind that has few, else those that lists point at.

        All, too, of a kind whose lists don't tell which may be done.
        """
        chosen: list[WaitState] = []
        for kind, same in by_kind(states):
            is_told = len(same) > FEW and kind.is_told_by_lists
            chosen += self._pointed_at(kind, same, pods) if is_told else same
        return chosen

    def _pointed_at(
        self, kind: Kind, states: Sequence[WaitState], pods: Sequence[PodSummary]
    ) -> list[WaitState]:
        items = self.reads.by_name(kind)
        if items is None:  # a list only saves requests: without it every workload is asked for
            return list(states)
        troubled = [pod.name for pod in pods if is_suspect(pod)]
        now = self.clock.monotonic()
        chosen = [
            state
            for state in states
            if now - state.looked_at >= PATIENCE
            or state.workload.name not in items
            or kind.may_be_done(items[state.workload.name])
            or any(name.startswith(f"{state.workload.name}-") for name in troubled)
        ]
        for state in states:
            if state not in chosen:  # seen as one that is not done
                state.saw(self.clock)
        return chosen

    def _look(self, state: WaitState) -> None:
        workload = state.workload
        if self.deadline.passed() and state.live:  # a round may take longer than what is left
            return
        read = self.reads.whole(workload.kind, workload.name)
        if isinstance(read, StepError):
            self._did_not_see(state, read)
            return
        state.saw(self.clock)
        state.looked_at, status = self.clock.monotonic(), state.status(read)
        if status.state == "failed" and workload.kind.runs is not None:
            status = with_words_of_runs(status, self.reads.by_name(workload.kind.runs) or {}, live=read)
        others = state.cause_of_others(status)
        if others is not None:
            self._tell_replaced(state, status, others)
            return
        state.over("replaced")
        if status.state == "gone":
            self._tell_now(state, replace(state.gone(), status=status))
            return
        end: WorkloadState = "pending" if status.state == "progressing" else status.state
        self._tell(
            state,
            end=end,
            status=status,
            cause=state.now.cause,
            problem=state.now.problem,
            condition=state.condition(state.looked_at),
        )

    # --- what is not seen -------------------------------------------------------------------------------

    def _did_not_see(self, state: WaitState, error: StepError) -> None:
        """Note that a workload is not there, or that nobody knows; the next round looks again."""
        workload = state.workload
        if not (may_be_missing(error) and self.reads.lacks(workload.kind, workload.name)):
            state.could_not_look(error, self.clock)
            if state.is_unserved(error, self.clock):
                self._tell_unserved(state, error)
        elif state.did_not_find(self.clock):
            self._tell_now(state, state.gone())

    def _tell_unserved(self, state: WaitState, error: StepError) -> None:
        """End the wait for an object that this site does not serve, or not to this app.

        Where it did while it was waited, nobody waits in vain, and nobody knows how the object is.
        """
        blind, state.blind, self.sees = state.blind, None, True
        if state.was_served and blind is not None:
            self._tell_now(state, replace(state.now, end="unseen", blind=replace(blind, error=error)))
            return
        sentence = say("rollout.not_served", kind=state.workload.kind.name, problem=error.title())
        self._tell(state, end="nothing", status=RolloutStatus("nothing", sentence))

    def _tell_replaced(self, state: WaitState, status: RolloutStatus, cause: Cause) -> None:
        """End the wait where something else has taken the place of ours, which was there: it was read back.

        A server that answers out of an old cache is given some seconds.
        """
        gone = cause.is_hopeless(seconds=state.lasts("replaced", state.looked_at))
        self._tell(state, end="failed" if gone else "pending", status=status, cause=cause if gone else None)

    # --- pods -------------------------------------------------------------------------------------------

    def _pods_of(
        self, states: Sequence[WaitState], everybodys: Optional[Sequence[PodSummary]]
    ) -> Mapping[str, Sequence[PodSummary]]:
        """Return the pods of each workload: of many from the one list of all, else asked for one by one."""
        if everybodys is not None:
            return {state.workload.title: selected_pods(everybodys, state.live) for state in states}
        found: dict[str, Sequence[PodSummary]] = {state.workload.title: () for state in states}
        self._together([partial(self._list_own_pods, state, found) for state in states])
        return found

    def _list_own_pods(self, state: WaitState, found: dict[str, Sequence[PodSummary]]) -> None:
        """List a workload's pods; where that fails its status still tells, and the next round asks again."""
        workload = state.workload
        listed = self.reads.pods_of(workload.kind, workload.name, labels=selector_of(state.live))
        if isinstance(listed, StepError):
            state.pods_blind = state.pods_blind or Blind(self.clock.now(), listed)
            return
        state.pods_blind = None
        found[workload.title] = listed

    def _examine(self, state: WaitState, pods: Sequence[PodSummary]) -> None:
        """Read the pods that may be in trouble, and end the wait for a workload that can't heal."""
        kind, failed, now = state.workload.kind, state.now.end == "failed", self.clock.monotonic()
        quiet_for = now - max(state.pods_read_at, self.began)
        suspects = suspects_of(pods, kind=kind, live=state.live, quiet_for=quiet_for, failed=failed)
        if not suspects:
            return
        state.pods_read_at = now
        problems = [problem for one in suspects[:MOST_PODS] for problem in self._problems_of(state, one)]
        there = {problem.key for problem in problems}
        state.since = {key: at for key, at in state.since.items() if key in there}
        terms = Terms(fail_fast=self.fail_fast, own_verdict=kind.ends)
        lasting = [problem for problem in problems if lasts(problem, now - state.since[problem.key])]
        found = diagnose(lasting, terms=terms)
        hopeless = [(p, c) for p, c in found if c.is_hopeless(seconds=now - state.since[p.key])]
        for problem, cause in [*hopeless, *found][:1]:
            self._tell(
                state,
                end="failed" if failed or hopeless else "pending",
                status=state.now.status,
                problem=problem,
                cause=cause,
                condition=state.now.condition,
            )

    def _problems_of(self, state: WaitState, suspect: Suspect) -> Iterable[PodProblem]:
        read = self.reads.whole(POD, suspect.pod.name)
        if isinstance(read, StepError):  # gone, or not to be read now: the next round lists anew
            return
        for found in problems_of_suspect(suspect, read):
            before = state.restarts.setdefault((found.uid, found.container), found.restarts)
            told = replace(found, restarts_before=before)
            problem = remember(told, earlier=state.known.get(found.key))
            state.known[problem.key] = problem
            state.since.setdefault(problem.key, self.clock.monotonic())
            yield problem

    # --- telling ----------------------------------------------------------------------------------------

    def _tell(
        self,
        state: WaitState,
        *,
        end: WorkloadState,
        status: Optional[RolloutStatus],
        problem: Optional[PodProblem] = None,
        cause: Optional[Cause] = None,
        condition: Optional[Cause] = None,
    ) -> None:
        trouble = (None, None, None) if end in SETTLED else (problem, cause, condition)
        self._tell_now(state, Watched(state.workload, end, status, *trouble))

    def _tell_now(self, state: WaitState, now: Watched) -> None:
        """Note how it is, and say so; of one that has failed its pods may say more in this same round."""
        state.now = replace(now, seconds=self._elapsed(), met_others=state.met_others)
        if now.end != "failed":
            self._speak(state)

    def _speak(self, state: WaitState) -> None:
        if state.now.says_more_than(state.told):
            state.told = state.now
            self.heartbeat.put_off()
            self.on_change(state.now)
