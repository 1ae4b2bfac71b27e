"""The runs of a scene, made of the step's own phases: a build that deploys, a post action, somebody's hand.

Publishing is one move here, planned by the step itself: `builds.py` takes it apart. All that comes after it
(deploying, waiting, restoring, pruning, the deletion of old versions) is the step's own phase, whole.
"""

from __future__ import annotations

import io
from argparse import Namespace as Arguments
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.deploy_calls import NamespaceRef, deploy
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.cli.verb_plan import Desk
from bcs_template_set.cli.verb_undeploy import undeploy
from bcs_template_set.config.inputs import Settings, read_settings
from bcs_template_set.config.regions import Endpoint, Region
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Desired, SpaceRef
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.report.outcome import Heading
from bcs_template_set.rollout.result import Restoration, rollout_result
from bcs_template_set.run.context import Planned, RenderedRun, RunContext, Services
from bcs_template_set.run.deploy_phase import deploy_run
from bcs_template_set.run.deploy_target import DeployTarget
from bcs_template_set.run.journal import state_of
from bcs_template_set.run.plan_phase import check_refusal, plan_run
from bcs_template_set.run.prune_phase import keep_newest, prune_run
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.restore_phase import go_back
from bcs_template_set.run.rollback_phase import roll_back
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.proxies import Machine as Environment
from tests.model.namespace import BEGAN, LONG_AGO, SPACE, Namespace
from tests.model.replay import AtOnce, Ended, Gateway, Machine, Run
from tests.model.shown import CLUSTER, NAMESPACE, PROJECT
from tests.support.building import manifest
from tests.support.pieces import app_principal

if TYPE_CHECKING:
    from bcs_template_set.agent.open_agent import Agent
    from bcs_template_set.bcs.gateway import Gateway as RealGateway
    from bcs_template_set.config.principal import Principal

PLACE = NamespaceRef("web", PROJECT, CLUSTER, NAMESPACE)
USER = "lisi"


class Told(NamedTuple):
    """What a run has told: what of it is live at which version, what is back, what it has deleted.

    `warned`: it said that something is not as it was meant.
    """

    live: tuple[tuple[str, str], ...] = ()
    back: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    warned: bool = False


@dataclass(frozen=True)
class Build:
    """A build that publishes these files, by their names, and deploys them. `inputs` are the step's.

    With `job_fails` a later step of its job fails, and the post action restores. With `goes_back` it renders
    nothing, and deploys what that version's name says.
    """

    number: int
    files: tuple[tuple[str, str], ...]
    branch: str = "main"
    pipeline: str = "p-1"
    inputs: tuple[tuple[str, str], ...] = ()
    job_fails: bool = False
    goes_back: str = ""

    @property
    def version(self) -> str:
        """Return the build's version name."""
        return f"1.0.{self.number}-{self.branch}"

    @property
    def provenance(self) -> Provenance:
        """Return what its versions say."""
        return Provenance(self.pipeline, self.number, self.branch, "c", "wangwu", USER, began_at=float(BEGAN))

    def published(self, now: Namespace, *, second: int) -> Namespace:
        """Return what BCS holds once a build has published all it has, whatever was there."""
        for name, text in self.files:
            told = self.provenance.line(text)
            now = now.publish(name, self.version, text, told, second=second)
        return now

    def live(self, now: Namespace) -> Namespace:
        """Return what runs once a build from long ago has published and deployed all it has."""
        now = self.published(now, second=LONG_AGO + self.number)
        ids = [file.current for file in now.files if file.name in dict(self.files)]
        return now.apply(-1, tuple(ids))


@dataclass
class _Clock:
    """A clock that goes on by what is waited; what is read after that is read at another moment."""

    answers: Gateway
    seconds: float = 0.0

    def now(self) -> float:
        return BEGAN + 60 + self.seconds

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.answers.time_passes()


# --- a build --------------------------------------------------------------------------------------------


def begin(machine: Machine, build: Build, now: Namespace, *, by: int) -> tuple[Namespace, int | Ended]:
    """Return what BCS holds once a build has published, and the place where it goes on, or how it ended."""
    if build.goes_back:
        return now, machine.begin(lambda answers: _going_back(build, answers))
    answers = AtOnce(now)
    run = _context(build, answers)
    try:
        planned = plan_run(run, answers)
        check_refusal(run, planned)
    except StepError as exc:
        return now, Ended(type(exc).__name__)
    for change in planned.plan.changes:
        if change.writes:
            told = build.provenance.line(change.content, bases=change.bases)
            second = BEGAN + 10 + now.made
            now = now.publish(change.name, change.version, change.content, told, second=second, by=by)
    ids = {file.name: file.current for file in now.files}
    files = tuple(
        FileOutcome(
            change,
            "applied" if change.writes else "unchanged",
            version_id=ids[change.name],
            version=change.version,
        )
        for change in planned.plan.changes
    )
    return now, machine.begin(lambda answers: _after_publishing(build, answers, planned, files))


def _after_publishing(
    build: Build, answers: Gateway, planned: Planned, files: Sequence[FileOutcome]
) -> Ended:
    """Live all of a run that comes after publishing, in `step.carry_out`'s order, and its post action."""
    run = _context(build, answers)
    record = run.services.record
    record.plan = planned.plan
    for file in files:
        record.note_file(file)
    try:
        result = deploy_run(run, answers, planned=planned)
        prune_run(run, answers, planned=planned, result=result)
        keep_newest(run, answers, planned=planned, result=result)
    except StepError as exc:
        record.error = exc
        return Ended(rollout_result(exc, record.rollout) or "failed", _told(record))
    if result == "skipped":
        return Ended(result, Told())
    if not build.job_fails:
        return Ended(result, _told(record))
    return _after_the_job(run, answers, planned)


def _going_back(build: Build, answers: Gateway) -> Ended:
    """Live all of a run that goes back."""
    run = _context(build, answers)
    record = run.services.record
    try:
        result = roll_back(run.context, cast("RealGateway", answers), cast("Principal", _Acting()))
    except StepError as exc:
        return Ended(rollout_result(exc, record.rollout) or "failed", _told(record))
    return Ended(result, _told(record))


class _Acting(NamedTuple):
    """Who acts, as far as a run that goes back asks."""

    label: str = USER


def _after_the_job(run: RenderedRun, answers: Gateway, planned: Planned) -> Ended:
    """Live the post action, by what the step has left for it."""
    answers.time_passes()
    left = state_of(run.services.record.tell("deployed"), user=USER, attempt=1)
    target = DeployTarget(run.context, answers, run.context.namespace(planned.existing.project_id))
    way = go_back(target, left.deployed(), before=left.before())
    return Ended("restored" if way.is_whole else "failed", Told(back=_back(way), warned=not way.is_whole))


def _told(record: RunRecord) -> Told:
    rollout, taken = record.rollout, record.taken or Taken()
    if rollout is None:
        return Told(warned=True)
    way = rollout.restoration
    live = tuple(sorted((file.name, file.told) for file in (*rollout.deployed, *rollout.live_already)))
    gone = tuple(sorted((*(one.title for one in taken.done), *taken.files)))
    is_well = record.error is None and taken.is_whole
    return Told(live if way is None else (), _back(way) if way else (), gone, not is_well)


def _back(way: Restoration) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((file.name, file.version) for file in way.files))


def _context(build: Build, answers: Gateway) -> RenderedRun:
    clock = _Clock(answers)
    record = RunRecord(clock=clock, language="en_US", heading=Heading())
    record.on_move = lambda _: answers.time_passes()
    services = Services(
        agent=cast("Agent", None),  # nothing after the settings asks it
        log=Log(None, "en_US"),
        clock=clock,
        deadline=Deadline(clock, seconds=None),
        record=record,
        workspace=Path(),
    )
    info = BuildInfo(
        "record",
        pipeline_id=build.pipeline,
        build_number=build.number,
        started_at=BEGAN * 1000,
        branch=build.branch,
    )
    context = RunContext(services, _settings(build), _REGION, info, Environment({}, ()))
    return RenderedRun(context, *_rendered(build))


_REGION = Region("gz", Endpoint("http://gateway.example.com", concurrency=1))


@cache
def _settings(build: Build) -> Settings:
    given = {
        "action": "deploy",
        "template_space": SPACE,
        "cluster_id": CLUSTER,
        "namespace": NAMESPACE,
        "timeout": "1",
        **dict(build.inputs),
        **({"action": "rollback", "rollback_to": build.goes_back} if build.goes_back else {}),
    }
    return read_settings(given, regions=("gz",), pipeline_project="web")


@cache
def _rendered(build: Build) -> tuple[Prepared, Desired]:
    given = {"branch.name": build.branch, "build.number": str(build.number), "pipeline.id": build.pipeline}
    request = RenderRequest(
        workspace=Path(),
        templates=(),
        values_text="",
        values_files=(),
        context=make_context(given),
        clock=_Clock(AtOnce(Namespace())),
    )
    files = tuple(manifest(text, name=name) for name, text in build.files)
    target = SpaceRef("gz", "web", SPACE)
    return prepare(request), Desired(target, build.version, files, build.provenance)


# --- a person -------------------------------------------------------------------------------------------


def deploys(version_id: str, *, file: str, version: str) -> Run:
    """Return that somebody deploys a version in the console, and is told that it went well."""

    def act(answers: Gateway) -> Ended:
        try:
            answers.write(deploy(PLACE, version_ids=[version_id], variables={}))
        except StepError:
            return Ended("failed", Told(warned=True))
        return Ended("done", Told(live=((file, version),)))

    return act


def undeploys(file: str) -> Run:
    """Return that somebody takes away what is live of a file, at a desk."""

    def act(answers: Gateway) -> Ended:
        run = _context(_AT_A_DESK, answers)
        services = run.services
        desk = Desk(run.context, cast("RealGateway", answers), app_principal(), io.StringIO())
        try:
            status = undeploy(desk, Arguments(host=file, yes=True, files=False))
        except StepError:
            return Ended("failed", Told(warned=True))
        taken = services.record.taken or Taken()
        gone = tuple(sorted((*(one.title for one in taken.done), *taken.files)))
        return Ended("done" if status == 0 else "failed", Told(gone=gone, warned=status != 0))

    return act


_AT_A_DESK = Build(0, ())


def told_of(ended: Ended | None) -> Told:
    """Return what a run has told; of one that is dead, nothing."""
    return ended.told if ended is not None and isinstance(ended.told, Told) else Told(warned=True)
