"""Restore what was live before a deployment: after one that failed, or after a job that failed.

Files go back to their version before by being deployed again, never by deleting; what somebody else has
deployed since is left (rollout/restore.py). What is told of it was read after it had happened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Optional

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.before_deploying import read_numbers, resolve_variables
from bcs_template_set.rollout.deploy_files import deploy_files
from bcs_template_set.rollout.deploy_notes import odd_notes
from bcs_template_set.rollout.live_look import check_listed, is_there_after_all, live_files, look
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.pod_numbers import as_many_as, lost_pods, still_fewer
from bcs_template_set.rollout.restore import (
    absent,
    added,
    met,
    overtaken,
    touched,
    versions_live,
    way_back,
)
from bcs_template_set.rollout.result import Before, Restoration
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.run.deploy_target import DeployTarget, check_watched, wait_for, workloads_of


@dataclass(frozen=True)
class Restore:
    """Deploys what was there before files were deployed, and waits for it.

    `known` are the objects as they were before, of the files that somebody here has seen; `lost` are further
    files, of which nobody knows what was there before, and `theirs` those that somebody has changed since.
    """

    target: DeployTarget
    deploying: Deploying
    files: Sequence[FileVersion]
    before: Sequence[Before]
    known: Sequence[LiveState] = ()
    lost: Sequence[str] = ()
    theirs: Collection[str] = ()

    def carry_out(self) -> Restoration:
        """Return what came of it; a problem of this is told beside the first one."""
        versions = {item.file: item.version for item in self.before}
        try:
            back, way, seen = self._way(versions)
        except StepError as exc:
            owed = tuple(file.name for file in self.files if versions.get(file.name))
            return Restoration(lost=tuple(self.lost), not_back=owed, problem=exc.sentence())
        ready = {item.file: item.ready for item in self.before}
        restoration = replace(
            way,
            lost=tuple(self.lost),
            unready=tuple(name for name in way.not_back if ready.get(name) is False),
            unknown=tuple(name for name in way.not_back if ready.get(name) is None),
        )
        restoration, deployed = self._deploy_again(back, restoration, seen)
        # Looked at before the wait, which may end in a failure: what is left is left either way.
        restoration = self._left(restoration)
        return _waited(self.target, restoration, deployed)

    def _way(
        self, before: Mapping[str, str]
    ) -> tuple[tuple[FileVersion, ...], Restoration, Sequence[LiveState]]:
        """Look at what is live, and return what has to be deployed again, what is left, and what was seen."""
        target, files, known = self.target, self.files, self.known
        states, error = look(target.writer, self.deploying, files)
        check_listed(files, states, error=error)
        others = overtaken(files, states, space=target.space, before=before, known=known)
        back, way = way_back(
            target.writer,
            project=target.place.project,
            space=target.space,
            files=touched(files, states, space=target.space),
            before=before,
            left={
                f.name: others.get(f.name, f.name) for f in files if f.name in self.theirs or f.name in others
            },
            missing=absent(files, states, before=before, known=known),
        )
        return back, way, states

    def _deploy_again(
        self, files: Sequence[FileVersion], restoration: Restoration, seen: Sequence[LiveState]
    ) -> tuple[Restoration, tuple[LiveState, ...]]:
        """Deploy the versions from before; return what is back, as its objects show, and these.

        What somebody else has deployed since it was `seen` is left.
        """
        target = self.target
        if not files:
            return restoration, ()
        try:
            # An older version may name variables that the new ones do not.
            values = resolve_variables(target.writer, target.place, files, given=target.context.variables)
            back_again = replace(self.deploying, variables=values)
            back_again = replace(back_again, variables=as_many_as(self.known, values, kept=back_again.kept))
            known = look(target.writer, back_again, files)[0]
            numbers = read_numbers(target.writer, target.place, known, kept=back_again.kept)
        except StepError as exc:
            return replace(restoration, problem=exc.sentence()), ()
        others = met(seen, known)
        if others:
            left = [file for file in files if file.name not in others]
            return self._deploy_again(left, restoration.leaving(others), seen)
        titles = [state.title for state in known]  # all of it was there, as far as anybody knows
        for note in odd_notes(files, known, space=target.space, held=lambda *_: titles):
            target.tell(note)
        for warning in lost_pods(known, numbers):
            target.warn(warning)
        states, problem = _sent_again(target, back_again, files, known=known)
        if states is None:
            return replace(restoration, not_back=(), unread=restoration.not_back, problem=problem), ()
        for warning in still_fewer(self.known, known, states):
            target.warn(warning)
        back = live_files(states, files, space=target.space)
        names = frozenset(file.name for file in back)
        workloads = workloads_of(back, states, space=target.space, declared=target.declared)
        watched = {workload.file_name for workload in workloads}
        restoration = replace(
            restoration,
            files=back,
            not_back=tuple(file.name for file in files if file.name not in names),
            unwatched=tuple(file.name for file in back if file.name in watched),
            # What the call was refused for need not be replaced where all is back.
            problem=problem if len(back) < len(files) else None,
        )
        return restoration, states

    def _left(self, restoration: Restoration) -> Restoration:
        """Add what the versions that are to be taken back leave in the cluster, and what is there of files.

        Where nobody has seen what was there before, nothing is said of a file that should have gone back
        whole.
        """
        target, files, known = self.target, self.files, self.known
        owed = frozenset(restoration.owed)
        others = owed.union(restoration.same) - {state.file for state in known}
        looked_at = [file for file in files if file.name in owed or file.name not in others]
        try:
            states, _ = look(target.writer, self.deploying, looked_at) if looked_at else ((), "")
            hidden = is_there_after_all(target.writer, target.place, states)
        except StepError:  # what could not be looked at is not said to be there, or gone
            hidden = True
        if hidden:
            return restoration
        taken_back = [file for file in looked_at if file.name not in others]
        return replace(
            restoration,
            added=added(taken_back, states, space=target.space, known=known),
            runs=versions_live(owed, states),
        )


def go_back(target: DeployTarget, files: Sequence[FileVersion], *, before: Sequence[Before]) -> Restoration:
    """Restore files that an earlier process deployed, and tell why where that does not work out.

    How the objects were before nobody knows here: each that is not at its file's version is somebody else's.

    Raises:
        StepError: the variables of these versions have no values any more, or nothing could be asked.
    """
    values = resolve_variables(target.writer, target.place, files, given=target.context.variables)
    return Restore(target, target.deploying(values), files, before).carry_out()


def _sent_again(
    target: DeployTarget, deploying: Deploying, files: Sequence[FileVersion], *, known: Sequence[LiveState]
) -> tuple[Optional[tuple[LiveState, ...]], Optional[Text]]:
    """Deploy versions; return their objects, None where nobody can look since, and what went wrong."""
    try:
        return deploy_files(target.writer, deploying, files, known=known), None
    except StepError as exc:
        error = exc
    try:
        states, _ = look(target.writer, deploying, files)
    except StepError:
        return None, error.sentence()
    # A preview shows so what nobody may see (facts/bcs.md, trap 8).
    hidden = isinstance(error, NoPermission) and all(state.live is None for state in states)
    return None if hidden else states, error.sentence()


def _waited(target: DeployTarget, restoration: Restoration, states: Sequence[LiveState]) -> Restoration:
    """Wait for what is back, and return how that ended."""
    seconds = min(float(target.settings.timeout), target.time_left)
    try:
        if restoration.files:
            watched = wait_for(target, restoration.files, states, seconds=seconds)
            seen = {item.workload.file_name for item in watched}
            left = tuple(name for name in restoration.unwatched if name not in seen)
            restoration = replace(restoration, watched=watched, unwatched=left)
        check_watched(restoration.watched, seconds=seconds, timeout=target.settings.timeout)
    except StepError as exc:
        return replace(restoration, problem=restoration.problem or exc.title())
    watched = restoration.watched
    paused = [item.workload.title for item in watched if item.end == "paused" and not item.is_as_meant]
    if paused:  # its version is the one before, and most of its pods are not
        return replace(restoration, problem=say("deploy.restore_paused", objects=paused))
    return restoration
