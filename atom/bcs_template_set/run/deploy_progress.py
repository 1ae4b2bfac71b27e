"""How far a deployment is, file by file: told in the log and kept in the record as it happens.

Each file of a deployment is not attempted, under way or unread, refused, live, live in part, or not live: so
whatever ends the run, the record says of each how it was left.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional, Union

from bcs_template_set.messages import say
from bcs_template_set.messages.errors import DeployRefused
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deploy_files import Files, Observer, States
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_look import live_files, not_marked
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.restore import touched
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.deploy_target import DeployTarget


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
        if (
            not self._target.context.services.record.stopped
        ):  # pragma: no branch - a thread overtaken by a signal
            self._target.keep(rollout)

    def _tell(self, live: Sequence[FileVersion], refused: Sequence[str]) -> None:
        """Say what is live now, where one call does not carry all."""
        total = len(self._plan.deploy)
        if live and len(live) < total:
            done, names = len(self._rollout.deployed), [file.name for file in live]
            self._target.tell(say("deploy.live_so_far", done=done, total=total, names=names))
        for name in refused:
            self._target.tell(say("deploy.refused_file", name=name))
