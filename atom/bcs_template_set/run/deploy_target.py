"""What deploying and restoring share: the namespace, who hears of what goes on there, and the wait.

The record and the log hear everything as it happens, whoever deploys or restores: the step, or later its
post action. Each file of a deployment is not attempted, under way or unread, refused, live, live in part, or
not live: so whatever ends the run, the record says of each how it was left.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.config.inputs import Settings
from bcs_template_set.manifests.declared_kinds import Declared
from bcs_template_set.manifests.live_fields import count_at
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import DeployRefused, RolloutFailed
from bcs_template_set.messages.server_errors import (
    RolloutBlocked,
    RolloutTimedOut,
    RolloutUnseen,
    WorkloadsGone,
)
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.messages.text import clock_time
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.rollout_lines import heartbeat_line, watched_lines
from bcs_template_set.report.workload_rows import workload_row
from bcs_template_set.rollout.deploy_files import Files, Observer, States
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_diff import pods_of
from bcs_template_set.rollout.live_look import live_files, not_marked
from bcs_template_set.rollout.live_reads import PatientWriter, with_definitions
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.restore import touched
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.rollout.watch import watch
from bcs_template_set.rollout.watched import Blind, Watched, Workload
from bcs_template_set.run.context import RunContext
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.look_ahead import deploying_of
from bcs_template_set.system.clock import Deadline

TO_SPEAK = 5.0
"""Seconds of the step's own time that no wait uses up."""

_NO_PODS = "rollout.ready_none"
_BY_HAND = frozenset({"rollout.job_suspended", "rollout.not_served"})
"""What nobody waits for, and a person is to look at: nothing has failed, and nothing is known to be new."""

DEADLINE_OVER = "rollout.deadline_exceeded"

IMAGE = 1
"""The errorType of a cause that is the image's or the manifest's fault (causes.py)."""


@dataclass(frozen=True)
class DeployTarget:
    """The namespace that a run deploys into, or restores, and what it takes.

    `declared` are the kinds of objects of which the manifests' comments say when they are ready.
    """

    context: RunContext
    writer: Writer
    place: NamespaceRef
    declared: Declared = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Return the typed inputs."""
        return self.context.settings

    @property
    def space(self) -> str:
        """Return the folder whose files are deployed."""
        return self.settings.template_space

    @property
    def time_left(self) -> float:
        """Return how long a wait may take at most, so that the step can still speak."""
        return max(0.0, self.context.services.deadline.remaining() - TO_SPEAK)

    def patient(self, seconds: float) -> PatientWriter:
        """Return a writer whose reads are tried for so long: what is read back tells what a write did."""
        clock = self.context.services.clock
        deadline = Deadline(clock, seconds=seconds)
        return PatientWriter(self.writer, clock=clock, deadline=deadline, on_sight=self.show_sight)

    def deploying(self, variables: Mapping[str, str]) -> Deploying:
        """Return what it takes to deploy with these values for BCS's variables."""
        return deploying_of(self.context, self.place, variables)

    def tell(self, sentence: Text) -> None:
        """Print a sentence."""
        services = self.context.services
        if not services.record.stopped:  # else a signal has overtaken this thread
            services.log.info(sentence)

    def warn(self, sentence: Text) -> None:
        """Print a warning, and keep it for the report."""
        self.context.services.warn(sentence)

    def keep(self, rollout: Rollout) -> Rollout:
        """Remember a rollout as far as it has come, and return it."""
        self.context.services.record.rollout = rollout
        return rollout

    def show_change(self, item: Watched) -> None:
        """Remember where a workload is, and print it."""
        record = self.context.services.record
        if record.stopped:
            return
        known = {earlier.workload.title for earlier in record.watched()}
        record.watch(item)
        if item.workload.was_live and item.end == "ready" and item.workload.title not in known:
            return  # what is as it was is no news
        link = partial(record.heading.console.object_url, self.settings.cluster_id, self.settings.namespace)
        lines = watched_lines(item, language=record.language, link=link)
        show_lines(self.context.services.log, lines)

    def show_still_waiting(self, pending: Sequence[Watched], seconds: float) -> None:
        """Print a sign of life."""
        language = self.context.services.record.language
        show_lines(self.context.services.log, [heartbeat_line(pending, seconds=seconds, language=language)])

    def show_sight(self, blind: Optional[Blind]) -> None:
        """Say that workloads can't be looked at, and why; and that they can again."""
        if blind is None:
            self.tell(say("deploy.sees_again"))
        elif not self.context.services.record.stopped:
            problem, since = blind.error.title(), clock_time(blind.since)
            self.context.services.log.warning(say("deploy.can_not_look", since=since, problem=problem))


def wait_for(
    target: DeployTarget,
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    seconds: float,
    unsent: Collection[FileVersion] = (),
    own: Collection[str] = (),
) -> tuple[Watched, ...]:
    """Wait so long for the workloads of these files, and return how each ended; none where nobody waits.

    `unsent` are the files that were live as wanted; an earlier try may have deployed those named in `own`.
    """
    declared = target.declared
    workloads = workloads_of(files, states, space=target.space, declared=declared, unsent=unsent, own=own)
    _warn_of_unmatched(target, files, states)
    left = unwatched(files, states, declared=declared)
    if left:
        target.tell(say("deploy.not_watched", objects=first_names(left)))
    if not workloads or target.settings.timeout == 0:
        names = first_names([workload.title for workload in workloads])
        reason = "deploy.not_waiting" if workloads else "deploy.nothing_to_wait_for"
        target.tell(say(reason, count=len(workloads), objects=names))
        return ()
    before = sum(workload.was_live for workload in workloads)
    if before < len(workloads):
        target.tell(say("deploy.waiting", count=len(workloads) - before, seconds=round(seconds)))
    if before:
        target.tell(say("deploy.looking", count=before, seconds=round(seconds)))
    clock = target.context.services.clock
    watched = watch(
        target.writer,
        target.place,
        with_definitions(target.writer, target.place, workloads),
        clock=clock,
        deadline=Deadline(clock, seconds=seconds),
        on_change=target.show_change,
        on_quiet=target.show_still_waiting,
        on_sight=target.show_sight,
        fail_fast=target.settings.fail_fast,
    )
    met = [item.workload.title for item in watched if item.met_others]
    if met:
        target.warn(say("deploy.overwrote", objects=first_names(met)))
    for note in (text for item in watched for text in _left_by_hand(item)):
        target.warn(note)
    return watched


def _left_by_hand(item: Watched) -> Iterable[Text]:
    """Say what a person is to look at: that nobody waits for it, or that somebody has stopped it."""
    if item.status is None:
        return
    sentence, title, pods = item.status.sentence, item.workload.title, pods_of(item.workload.wanted)
    if sentence.key in _BY_HAND:
        yield say("deploy.workload", object=title, sentence=sentence)
    elif sentence.key == _NO_PODS and pods and not item.workload.was_live:  # of that the plan has said it
        yield say("deploy.pods_left", object=title, live=0, wanted=pods)


def _warn_of_unmatched(
    target: DeployTarget, files: Sequence[FileVersion], states: Sequence[LiveState]
) -> None:
    """Say which objects that comments tell of are not there by that name: a variable may be part of it."""
    names = {file.name for file in files}
    declared = {key for key in target.declared if key[0] in names}
    unmatched = declared - {(state.file, state.title) for state in states}
    if unmatched:
        target.warn(say("deploy.ready_unmatched", objects=sorted(title for _, title in unmatched)))


def workloads_of(
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    space: str,
    declared: Declared,
    unsent: Collection[FileVersion] = (),
    own: Collection[str] = (),
) -> list[Workload]:
    """Return the workloads of these files, at the versions they must be marked with.

    Those of `unsent` files keep the marks that they have; but for those in `own`, they were live before.
    `declared` are those that comments tell of.
    """
    versions = {file.name: file.version for file in files}
    kept = {file.name for file in unsent}
    return [
        Workload(
            kind,
            state.name,
            f"{space}/{state.file}",
            versions[state.file],
            marked=state.mark if state.file in kept else None,
            was_live=state.file in kept and state.file not in own,
            live=state.live or {},
            wanted=state.desired,
            generation=0 if state.file in kept else count_at(state.whole, "metadata", "generation"),
        )
        for state in states
        for kind in [declared.get((state.file, state.title), state.watched_kind)]
        if kind is not None and state.file in versions
    ]


def unwatched(files: Sequence[FileVersion], states: Sequence[LiveState], *, declared: Declared) -> list[str]:
    """Name the objects of these files that make pods, and of which nobody knows when they are ready."""
    names = {file.name for file in files}
    left = [s for s in states if s.file in names and s.watched_kind is None and s.makes_pods]
    return [state.title for state in left if (state.file, state.title) not in declared]


def check_watched(watched: Sequence[Watched], *, seconds: float, timeout: int) -> None:
    """Raise what the waiting came to, unless everything is as it should be.

    What the cluster said comes before what nobody could see. Of the author's `timeout`, `seconds` were given.

    Raises:
        RolloutFailed, RolloutBlocked: a workload can't become ready, by its image's or the cluster's fault.
        WorkloadsGone: some were there and are not any more.
        RolloutTimedOut: some are still on their way; that is not a failure of theirs.
        RolloutUnseen: some could not be looked at in the end; nothing is known against them.
    """
    failed, gone, pending, unseen = (
        [item for item in watched if item.end == end] for end in ("failed", "gone", "pending", "unseen")
    )
    if failed:
        by_image = any(item.causes and item.causes[0].fault == IMAGE for item in failed)
        kind = RolloutFailed if by_image else RolloutBlocked
        details = [line for item in failed for line in (*_explanation([item]), *_early_end(item, timeout))]
        raise kind(count=len(failed), details=details)
    if gone:
        raise WorkloadsGone(count=len(gone), details=_explanation([*gone, *unseen]))
    if pending:
        deadlines = [item.status.deadline for item in pending if item.status is not None]
        raise RolloutTimedOut(
            count=len(pending),
            seconds=round(seconds),
            timeout=timeout if round(seconds) < timeout else 0,
            deadline=max((one for one in deadlines if one is not None and one <= seconds), default=0),
            needs_time=any(item.condition is None and not _is_put_off(item) for item in pending),
            put_off=any(map(_is_put_off, pending)),
            details=_explanation([*pending, *unseen]),
        )
    if unseen:
        context = next(item.blind.error.context for item in unseen if item.blind is not None)
        raise RolloutUnseen(count=len(unseen), details=_explanation(unseen), context=context)


def _is_put_off(item: Watched) -> bool:
    return any(cause.is_put_off for cause in item.causes)


def _explanation(watched: Sequence[Watched]) -> list[Text]:
    return [line for item in watched for line in workload_row(item).explanation]


def _early_end(item: Watched, timeout: int) -> Iterable[Text]:
    """Say which field ended the wait for a workload before the author's time was over, and what to do."""
    status = item.status
    if status is not None and status.sentence.key == DEADLINE_OVER:
        if status.deadline is not None and status.deadline < timeout:
            yield say("rollout.ended_before_timeout", deadline=status.deadline, timeout=timeout)
        yield say("context.cure", value=say("rollout.raise_deadline"))


class DeployProgress(Observer):
    """Keeps the rollout of a plan's files; its calls may end in several threads."""

    def __init__(self, target: DeployTarget, plan: DeploymentPlan, rollout: Rollout) -> None:
        self._target = target
        self._plan = plan
        self._rollout = replace(rollout, not_attempted=tuple(file.name for file in plan.deploy))
        self._live_before = live_files(plan.states, plan.deploy, space=target.space)
        self._begun_before = touched(plan.deploy, plan.states, space=target.space)
        self._lock = threading.Lock()
        target.keep(self._rollout)

    def begins(self, files: Files) -> None:
        """Keep that these files are under way."""
        names = {file.name for file in files}
        with self._lock:
            left = tuple(name for name in self._rollout.not_attempted if name not in names)
            unread = tuple(sorted({*self._rollout.unread, *names}))
            self._keep(replace(self._rollout, not_attempted=left, unread=unread))

    def ended(self, files: Files, seen: Union[States, StepError], error: Optional[StepError]) -> None:
        """Keep and tell what a call has made live, as far as that could be read."""
        if isinstance(seen, StepError):
            self._target.warn(say("deploy.state_unknown", problem=seen.sentence()))
            return
        space = self._target.space
        now = live_files(seen, files, space=space)
        lacking = {state.file for state in not_marked(seen, files, space=space)}
        begun = touched(files, seen, space=space)
        live = [file for file in now if error is None or file not in self._live_before]
        partly = [file for file in begun if file not in now and file not in self._begun_before]
        refused = [file.name for file in files if file.name in lacking and isinstance(error, DeployRefused)]
        names = {file.name for file in files}
        with self._lock:
            rollout = self._rollout
            deployed = {file.name: file for file in (*rollout.deployed, *live)}
            self._keep(
                replace(
                    rollout,
                    deployed=tuple(deployed[name] for name in sorted(deployed)),
                    partly=tuple(f for f in (*rollout.partly, *partly) if f.name not in deployed),
                    unread=tuple(name for name in rollout.unread if name not in names),
                    refused=(*rollout.refused, *refused[:1]),
                )
            )
            self._tell(live, refused[:1])

    def _keep(self, rollout: Rollout) -> None:
        self._rollout = rollout
        if not self._target.context.services.record.stopped:
            self._target.keep(rollout)

    def _tell(self, live: Sequence[FileVersion], refused: Sequence[str]) -> None:
        """Say what is live now, where one call does not carry all."""
        total = len(self._plan.deploy)
        if live and len(live) < total:
            done, names = len(self._rollout.deployed), [file.name for file in live]
            self._target.tell(say("deploy.live_so_far", done=done, total=total, names=names))
        for name in refused:
            self._target.tell(say("deploy.refused_file", name=name))
