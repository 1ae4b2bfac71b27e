"""One run for BK-CI's agent: everything is built here and passed down, and every way out writes output.json.

The order is that of facts/agent.md, "output.json": a pessimistic result first; the true one on every way
out, before the last lines of the log, since a closed stdout must not lose it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from dataclasses import field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from bcs_template_set.agent.build_info import LOCALE, TaskInfo
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import Agent, open_agent
from bcs_template_set.agent.output_file import OutputField, failure, pessimistic, success
from bcs_template_set.messages import Language, language_of, say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.step_error import StepError, defect_of
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock, Deadline, SystemClock
from bcs_template_set.system.proxies import of_the_machine
from bcs_template_set.system.signals import Interruption, Stopped, stoppable
from bcs_template_set.system.version import step_version

if TYPE_CHECKING:
    from bcs_template_set.agent.build_info import BuildInfo
    from bcs_template_set.config.principal import Principal
    from bcs_template_set.run.context import Services

MARGIN_SHARE, LEAST_MARGIN, MOST_MARGIN = 0.1, 10.0, 60.0
"""Seconds kept back, so that we write the verdict before BK-CI's timeout kills the step."""

WORK_STOPS, FILES_STOP = 0.75, 0.25
"""Shares of the margin: with so much of it left, work that has not ended by itself is stopped, and so is the
writing of report and manifests, which must not cost the verdict."""

SHORTEST = 60.0
"""Seconds of the shortest step: BK-CI counts minutes. They count until the step's own timeout is read."""

FOLDER = ".bcs-template-set"
"""Where the report and the rendered manifests go, below the workspace."""

STATE_FILE = "restore.json"
"""What the post action needs, in the run's folder."""


def run_for_agent(
    environ: MutableMapping[str, str], *, post_action: str, began: Optional[float] = None
) -> int:
    """Run the step as BK-CI's agent starts it; return the exit status, 0 or 1. The codes are in the file.

    With `post_action`, run that instead: what BK-CI starts again at the end of a failed job. `began` is when
    the step's time began, on the monotonic scale; now, unless given.
    """
    clock, masker = SystemClock(), Masker()
    began = clock.monotonic() if began is None else began
    log = Log(sys.stdout, language_of(environ.get(LOCALE)), masker=masker)
    with stoppable(clock) as interruption:
        agent: Optional[Agent] = None
        try:
            agent = open_agent(environ, clock=clock, masker=masker, warn=log.warning)
            interruption.listen()
            process = Process(environ, clock, interruption, began, post_action)
            return run_whole(agent, log, process=process)
        except Stopped as exc:  # before the run itself, or after it; no second one is raised
            return _end_early(exc.error, agent, log)


@dataclass(frozen=True)
class Process:
    """What a run has of the process it is; `equip` gives it other services, in a simulation."""

    environ: MutableMapping[str, str] = field(repr=False)
    clock: Clock
    interruption: Interruption
    began: float
    post_action: str
    equip: Callable[[Services], Services] = lambda services: services

    def deadline(self, timeout: Optional[float]) -> Deadline:
        """Return when the work should end by itself."""
        return Deadline(self.clock, seconds=time_for_work(timeout), since=self.began)

    def services(self, agent: Agent, log: Log, *, workspace: Path) -> Services:
        """Return what a run of this process has beside its inputs."""
        from bcs_template_set.report.outcome import Heading  # noqa: PLC0415 - garbled input needs none of it
        from bcs_template_set.run.context import Services  # noqa: PLC0415 - as above
        from bcs_template_set.run.record import RunRecord  # noqa: PLC0415 - as above

        heading = Heading(step_version=step_version())
        return Services(
            agent=agent,
            log=log,
            clock=self.clock,
            deadline=self.deadline(agent.task().timeout),
            record=RunRecord(clock=self.clock, language=log.language, heading=heading),
            workspace=workspace,
            environ=self.environ,
        )

    def limited(self, timeout: Optional[float], *, left: float) -> AbstractContextManager[None]:
        """Return what stops the work inside when so much is left of the margin."""
        if timeout is None:
            return self.interruption.limited(None, seconds=0)
        until = self.began + timeout - margin_of(timeout) * left
        return self.interruption.limited(until, seconds=int(timeout))


def run_whole(agent: Agent, log: Log, *, process: Process) -> int:
    """Run, and say what kept the run from its own ending, if anything did."""
    error: StepError
    try:
        with process.limited(SHORTEST, left=WORK_STOPS):
            agent.write_output(pessimistic(log.language))
            _forget_what_the_pipeline_decides(agent, log, process.environ)
            inputs, task = agent.inputs(), agent.task()
        run = _run_post_action if process.post_action else _run
        return run(agent, log, inputs, task, process=process)
    except StepError as exc:
        error = exc
    except Exception as exc:  # noqa: BLE001 - not hidden: the defect is the result, its traceback in the log
        error = defect_of(exc)
        log.defect(exc)
    process.interruption.close()
    return _end_early(error, agent, log)


def _forget_what_the_pipeline_decides(agent: Agent, log: Log, environ: MutableMapping[str, str]) -> None:
    """Take out of this process what decides where secrets go, where the pipeline has set it.

    Resolver, OpenSSL and the platform's SDK read the process's own variables, when they are first used.
    What loads code into the process has done so already (`LD_PRELOAD`, `PYTHONPATH`, `OPENSSL_CONF`).
    """
    for name in of_the_machine(environ, pipelines=agent.names_of_pipeline())[1]:
        log.warning(say("agent.not_obeyed", name=name))
        del environ[name]


def _run(agent: Agent, log: Log, inputs: Mapping[str, str], task: TaskInfo, *, process: Process) -> int:
    from bcs_template_set.config.inputs import wants_restore  # noqa: PLC0415 - as above
    from bcs_template_set.run.finish import RunFolder, end_run  # noqa: PLC0415 - garbled input needs none of it
    from bcs_template_set.run.journal import Journal, seal_of  # noqa: PLC0415 - as above
    from bcs_template_set.run.run_progress import ShownProgress, audience_of  # noqa: PLC0415 - as above
    from bcs_template_set.run.step import run_step  # noqa: PLC0415 - as above

    place, clock = RunFolder(*_run_folder_of(task)), process.clock

    def journal_of(principal: Principal, build: BuildInfo) -> Journal:
        seal = seal_of(principal, build, task=task, task_id=task.task_id)
        return Journal(place.file(STATE_FILE), seal, task.attempt)

    progress = ShownProgress(log, clock=clock, audience=audience_of(process.environ, sys.stdout))
    services = replace(
        process.services(agent, log, workspace=place.workspace),
        on_region=progress.begin,
        journal_of=journal_of,
    )
    services.record.on_move = progress.move
    services = process.equip(services)
    try:
        with process.limited(task.timeout, left=WORK_STOPS):
            outcome = run_step(services)
        process.interruption.close()
    except Stopped as exc:  # by a signal in the moment between the two
        services.record.stop(exc.error)
        outcome = services.record.tell("failed")
    progress.finish(services.record, outcome)
    if wants_restore(inputs) or outcome.rollout is not None:
        kept = services.record.journal
        left = kept.leave(outcome) if kept is not None else outcome
        outcome = left if wants_restore(inputs) else outcome  # what nobody asked for is no warning
    end_run(
        outcome,
        rendered=services.record.rendered,
        place=place,
        write_output=agent.write_output,
        log=log,
        limited=lambda: process.limited(task.timeout, left=FILES_STOP),
    )
    return 0 if outcome.error is None else 1


def _run_post_action(
    agent: Agent, log: Log, inputs: Mapping[str, str], task: TaskInfo, *, process: Process
) -> int:
    """Restore what the step of this job deployed, where it was asked for, and write what came of it."""
    from bcs_template_set.config.inputs import wants_restore  # noqa: PLC0415 - the other imports come with it

    sentence = say("post.not_asked")
    data: Mapping[str, OutputField] = {}
    if not wants_restore(inputs):
        log.info(sentence)
    else:
        from bcs_template_set.run.restore_phase import restore_after_job  # noqa: PLC0415 - as above
        from bcs_template_set.system.own_files import OwnFile  # noqa: PLC0415 - most runs never need it

        if not task.parent_task:
            log.warning(say("post.no_parent"))
        workspace = _workspace_of(task)
        file = OwnFile(workspace, f"{_folder_of(task, task.parent_task)}/{STATE_FILE}")
        with process.limited(task.timeout, left=WORK_STOPS):
            services = process.equip(process.services(agent, log, workspace=workspace))
            sentence, data = restore_after_job(services, file=file, task=task.parent_task)
    process.interruption.close()
    agent.write_output(success(sentence.render(log.language), data))
    return 0


def time_for_work(timeout: Optional[float]) -> Optional[float]:
    """Return how many of the platform's seconds the work may take; None where there is no limit."""
    if timeout is None:
        return None
    return max(1.0, timeout - margin_of(timeout))


def margin_of(timeout: float) -> float:
    """Return how many of the platform's seconds are kept back."""
    return min(MOST_MARGIN, max(LEAST_MARGIN, timeout * MARGIN_SHARE))


def _run_folder_of(task: TaskInfo) -> tuple[Path, str]:
    """Return the workspace, and below it a folder that no other task of the build shares.

    Without a task's id, which old workers do not tell, it is one that nobody has used yet.
    """
    from bcs_template_set.system.own_files import OwnFile  # noqa: PLC0415 - garbled input needs none of it

    workspace, folder = _workspace_of(task), _folder_of(task, task.task_id)
    names = (folder if number == 1 else f"{folder}-{number}" for number in count(1))
    if not task.task_id:
        with suppress(WorkspaceUnwritable):  # whatever is to be written there says so
            folder = next(name for name in names if OwnFile(workspace, name).claim())
    return workspace, folder


def _workspace_of(task: TaskInfo) -> Path:
    return Path(task.workspace).absolute()


def _folder_of(task: TaskInfo, task_id: str) -> str:
    """Return the folder of a task of this build, relative to the workspace."""
    name = "-".join(part for part in (task.build_id, task_id) if part) or "run"
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
    return f"{FOLDER}/{safe}"


def _end_early(error: StepError, agent: Optional[Agent], log: Log) -> int:
    """Say why the run could not even begin, in the log and, where it can be written, in output.json."""
    language: Language = log.language
    for line in error.explain(language):
        log.error(line)
    if agent is not None:  # on Windows signals are not held back until there is one
        try:
            agent.write_output(failure(error, {}, language=language))
        except StepError as exc:
            log.error(exc.title())
    return 1
