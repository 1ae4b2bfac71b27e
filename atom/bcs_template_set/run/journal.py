"""What a step that deploys leaves in its run's folder: for its next try, and for the end of its job.

It is written before the deployment, so that also a try that is killed in its wait leaves word of what was
live before, and once more at the end. Whoever reads it believes it only with the step's seal (job_state.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from bcs_template_set.agent.build_info import BuildInfo, TaskInfo
from bcs_template_set.config.inputs import Settings
from bcs_template_set.config.principal import Principal
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.write_report import write_text
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before
from bcs_template_set.run.job_state import JobState, Seal, encode_state, is_genuine, read_sealed, state_of
from bcs_template_set.system.own_files import OwnFile

LARGEST_STATE = 10 * 1024 * 1024
"""Bytes; a file of a deployment takes some hundred."""


@dataclass(frozen=True)
class EarlierTry:
    """What earlier tries of this step have deployed of a plan: files, and what was live before each.

    Of `lost` files, live at this build's own version, nobody knows any more what was live before.
    """

    files: tuple[FileVersion, ...] = ()
    before: tuple[Before, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Journal:
    """The file of one task of one build, what proves that a state in it is ours, and which try this is."""

    file: OwnFile
    seal: Seal
    attempt: int

    def leave(self, outcome: Outcome) -> Outcome:
        """Write what a next try or the post action needs; return the outcome.

        What an earlier try left, and somebody has changed since, stays as it is: then the post action says
        so. A file that can't be written costs the restore, not the verdict: it becomes a warning.
        """
        try:
            text = read_state(self.file)
            earlier = self._believed(text)
            if text is not None and earlier is None:
                return _with_warning(outcome, say("post.not_genuine", file=str(self.file)))
            state = state_of(
                outcome,
                user=self.seal.user,
                attempt=self.attempt,
                earlier=earlier,
                whole=self.attempt <= 1 or earlier is not None,
            )
            write_text(self.file, encode_state(state, self.seal))
        except WorkspaceUnwritable as exc:
            return _with_warning(outcome, exc.title())
        return outcome

    def earlier_try(self, plan: DeploymentPlan, *, own: frozenset[str], settings: Settings) -> EarlierTry:
        """Return what this step's earlier tries have deployed; `own` are files at this build's version."""
        if self.attempt <= 1:
            return EarlierTry()
        try:
            state = self._believed(read_state(self.file))
        except WorkspaceUnwritable:
            state = None
        if state is not None and state.differs_from(settings):
            state = None
        known = {(f.name, f.version): f for f in state.files} if state is not None else {}
        live = [file for file in plan.live_already if (file.name, file.version) in known]
        again = [file for file in plan.deploy if (file.name, file.version) in known]
        found = [known[file.name, file.version] for file in (*live, *again)]
        is_whole = state is not None and state.whole
        lost = [] if is_whole else [f.name for f in plan.live_already if f.name in own and f not in live]
        return EarlierTry(
            files=tuple(replace(file, rewritten=known[file.name, file.version].rewritten) for file in live),
            before=tuple(file.was for file in found),
            lost=tuple(lost),
        )

    def _believed(self, text: Optional[str]) -> Optional[JobState]:
        sealed = read_sealed(text) if text is not None else None
        return sealed.state if sealed is not None and is_genuine(sealed, self.seal) else None


def seal_of(principal: Principal, build: BuildInfo, *, task: TaskInfo, task_id: str) -> Seal:
    """Return what proves that a state was written by this task of this build, as this principal."""
    ids = (task.project, task.build_id, build.pipeline_id, task_id)
    return Seal(ids, principal.label, principal.secrets()[0])


def read_state(file: OwnFile) -> Optional[str]:
    """Return the text that the step left, None where there is no such file; of one too large for ours, "".

    Raises:
        WorkspaceUnwritable: there is one, and it can't be read.
    """
    try:
        data = file.read_bytes(most=LARGEST_STATE + 1)
    except FileNotFoundError:
        return None
    return data.decode("utf-8", errors="replace") if len(data) <= LARGEST_STATE else ""


def _with_warning(outcome: Outcome, problem: object) -> Outcome:
    warning = say("post.not_kept", problem=problem)
    return replace(outcome, warnings=(*outcome.warnings, warning))
