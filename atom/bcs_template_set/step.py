"""The life of a run: settings -> who -> desired -> plan -> publish.

One function a phase, over values. Until publishing begins the gateway is passed on as a `Reader`, so the
code before it can't write. `run_step` is the one boundary that turns any exception into an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bcs_template_set.aftermath import creator_warnings, settle
from bcs_template_set.atom_sdk import variables
from bcs_template_set.bcs.calls import Read, Write
from bcs_template_set.bcs.gateway import Exchange, Gateway
from bcs_template_set.bcs.template_files import Reader, Wanted, read_existing
from bcs_template_set.clock import Deadline
from bcs_template_set.credentials import principal_credential
from bcs_template_set.defects import defect_of, traceback_of
from bcs_template_set.deploy_run import deploy_run, look_ahead, rollout_result
from bcs_template_set.ending import show_lines
from bcs_template_set.errors import (
    Interrupted,
    ManifestsInvalid,
    OutOfTime,
    Overtaken,
    StepError,
    VersionNameInvalid,
)
from bcs_template_set.existing import Existing
from bcs_template_set.interruption import Stopped
from bcs_template_set.manifests.checks import check_manifests
from bcs_template_set.manifests.naming import check_version_name, is_semver
from bcs_template_set.manifests.render import RenderRequest, render_manifests, render_version
from bcs_template_set.manifests.variables import read_variables
from bcs_template_set.messages import say
from bcs_template_set.outcome import FileOutcome, Identity, Outcome, RequestRecord, Result
from bcs_template_set.plan import Desired, Plan, Target, refusal
from bcs_template_set.planning import make_plan
from bcs_template_set.principal import Credential, People, Principal, resolve_principal
from bcs_template_set.provenance import Provenance
from bcs_template_set.publish import Publishing, Writer, ensure_space, publish_files
from bcs_template_set.publish_chart import publish_chart
from bcs_template_set.region_settings import read_regions
from bcs_template_set.regions import Region, secrets_of
from bcs_template_set.report.log_lines import file_lines, header_lines, plan_lines
from bcs_template_set.report.phase_lines import rendered_lines, settings_lines
from bcs_template_set.run_context import RunContext, make_context
from bcs_template_set.settings import Settings, read_settings
from bcs_template_set.story import Story
from bcs_template_set.transport import Transport
from bcs_template_set.world import Run, World

T = TypeVar("T")

MOST_ROUNDS = 3
"""How often a run plans again because somebody else published in between (design section 6)."""


def run_step(world: World) -> Outcome:
    """Live the run and return what happened, whatever happened."""
    story, result = world.story, _FAILED
    try:
        result = _live(world)
    except StepError as exc:
        story.error = _with_who(exc, story)
        result = rollout_result(exc, story.rollout) or _FAILED
    except Stopped as exc:
        story.stop(Interrupted(signal=exc.signal_name))
    except Exception as exc:  # noqa: BLE001 - the one boundary: a defect becomes an outcome too
        story.error = defect_of(exc)
        world.log.foreign(traceback_of(exc))
    return story.tell(result)


_FAILED: Result = "failed"


def _with_who(error: StepError, story: Story) -> StepError:
    """Add to an error of identity, conflict or server what the place of the failure did not know."""
    if not 800200 < error.code < 800300 and not 800400 < error.code < 800900:  # noqa: PLR2004 - code ranges of errors.py
        return error
    identity, heading = story.identity, story.heading
    who: Mapping[str, object] = {}
    if identity is not None:
        who = {"acting_user": identity.acting_user, "app": identity.app_code, "starter": identity.starter}
    return error.with_context(**who, region=heading.region, project=heading.project)


def _live(world: World) -> Result:
    with world.story.phase("settings"):
        settings, region = read_everything(world)
    principal = identify(world, settings, region)
    world.on_region(region)
    with world.story.phase("render"):
        desired = render_desired(world, settings, principal)
    gateway = open_gateway(world, region, principal)
    run = Run(world, settings, region, desired)
    try:
        plan, existing = _plan(run, gateway)
        if settings.action == "plan":
            return "planned"
        with world.story.phase("publish"):
            result = publish_run(run, gateway, principal, plan=plan, existing=existing)
        if settings.action == "publish" or result == "skipped":
            return result
        with world.story.phase("deploy"):
            return deploy_run(run, WatchedWriter(gateway, world.story), existing=existing)
    except Stopped as exc:
        # Threads under way outlive this one: none of them may write after the verdict.
        gateway.stop(Interrupted(signal=exc.signal_name))
        raise


def _plan(run: Run, reader: Reader) -> tuple[Plan, Existing]:
    with run.world.story.phase("plan"):
        plan, existing = plan_run(run, reader)
    check_refusal(run, plan)
    if run.settings.cluster_id:
        look_ahead(run, reader, existing)
    return plan, existing


# --- settings and identity ------------------------------------------------------------------------------


def read_everything(world: World) -> tuple[Settings, Region]:
    """Return the typed inputs and the region they name.

    Raises:
        PrivateSettingsInvalid: the atom's owner has to put every mistake of it right.
        InputsInvalid: the pipeline's author has to put every mistake of it right.
    """
    inputs = world.agent.inputs()
    regions = read_regions(world.agent.private_setting("regions").reveal())
    for secret in secrets_of(regions.values()):
        world.log.mask(secret)
    settings = read_settings(inputs, regions=tuple(regions), pipeline_project=variables.project(inputs))
    world.story.heading = replace(
        world.story.heading,
        action=settings.action,
        region=settings.region,
        project=settings.project_code,
        space=settings.template_space,
        template_set=settings.template_set,
    )
    return settings, regions[settings.region]


def identify(world: World, settings: Settings, region: Region) -> Principal:
    """Return the one user of the run, and say who it is before anything is sent."""
    inputs = world.agent.inputs()
    people = People(
        starter=variables.starter(inputs),
        modifier=variables.modifier(inputs),
        authorizer=variables.authorizer(inputs),
    )
    credential = _credential(world, settings.credential) if settings.credential else None
    principal = resolve_principal(region, people, run_as=settings.run_as, credential=credential)
    for secret in principal.secrets():
        world.log.mask(secret)
    world.story.identity = Identity(
        acting_user=principal.user,
        app_code=principal.app_code,
        credential=principal.credential,
        reason=principal.reason,
        starter=people.starter,
    )
    language = world.story.language
    show_lines(world.log, header_lines(world.story.heading, world.story.identity, language=language))
    show_lines(world.log, settings_lines(settings, language=language))
    return principal


def _credential(world: World, credential_id: str) -> Credential:
    credential = principal_credential(world.agent.credential(credential_id))
    world.log.info(say("step.credential_read", credential=credential_id))
    return credential


# --- desired --------------------------------------------------------------------------------------------


def render_desired(world: World, settings: Settings, principal: Principal) -> Desired:
    """Return the rendered and checked files under their version name.

    Raises:
        StepError: a template, a value, a version name or a manifest is wrong (8003xx).
    """
    context = context_of_build(world.agent.inputs(), settings)
    version = render_version(settings.version, context=context, clock=world.clock)
    check_version(version, template_set=settings.template_set)
    world.story.heading = replace(world.story.heading, version=version)
    declared = read_variables(settings.variables)
    files = render_manifests(
        RenderRequest(
            workspace=world.workspace,
            templates=settings.templates,
            values_text=settings.values,
            values_files=settings.values_files,
            context=context,
            clock=world.clock,
        )
    )
    findings = check_manifests(
        files,
        template_space=settings.template_space,
        variables=frozenset(declared),
        template_set=bool(settings.template_set),
    )
    if findings:
        raise ManifestsInvalid(details=[finding.as_text() for finding in findings])
    world.story.rendered = files
    show_lines(world.log, rendered_lines(files, language=world.story.language))
    target = Target(settings.region, settings.project_code, settings.template_space, settings.template_set)
    provenance = Provenance(
        pipeline=context.pipeline.id,
        build=context.build.number,
        branch=context.branch.name,
        commit=context.commit.sha,
        started_by=variables.starter(world.agent.inputs()),
        acting_as=principal.label,
    )
    return Desired(target, version, files, provenance)


def context_of_build(inputs: Mapping[str, str], settings: Settings) -> RunContext:
    """Return what templates may know of this build and its target."""
    return make_context(
        {
            "build.number": str(variables.build_number(inputs)),
            "build.id": variables.build_id(inputs),
            "build.url": variables.build_url(inputs),
            "build.started_at": str(variables.build_started_at(inputs)),
            "pipeline.id": variables.pipeline_id(inputs),
            "pipeline.name": variables.pipeline_name(inputs),
            "branch.name": variables.branch_name(inputs),
            "commit.sha": variables.commit_sha(inputs),
            "project": settings.project_code,
            "cluster_id": settings.cluster_id,
            "namespace": settings.namespace,
            "region": settings.region,
        }
    )


def check_version(version: str, *, template_set: str) -> None:
    """Refuse a version name that BCS would refuse, before anything is sent.

    Raises:
        VersionNameInvalid: it is too long, empty or, for a template set, not SemVer.
    """
    problem = check_version_name(version)
    if problem is None and template_set and not is_semver(version):
        problem = say("settings.version_not_semver")
    if problem is not None:
        raise VersionNameInvalid(version=version, problem=problem)


# --- plan -----------------------------------------------------------------------------------------------


def open_gateway(world: World, region: Region, principal: Principal) -> Gateway:
    """Return the gateway of the region for this one principal; every request of it enters the story."""
    endpoint = region.endpoint

    def remember(exchange: Exchange) -> None:
        world.story.record_request(request_record(exchange))

    return Gateway(
        endpoint,
        principal,
        transport=Transport(
            ca_bundle=endpoint.ca_bundle,
            connect_timeout=endpoint.connect_timeout,
            read_timeout=endpoint.read_timeout,
            connections=endpoint.concurrency,
        ),
        clock=world.clock,
        deadline=world.deadline,
        on_exchange=remember,
    )


def request_record(exchange: Exchange) -> RequestRecord:
    """Return a request as the report tells it."""
    return RequestRecord(
        name=exchange.name,
        method=exchange.method,
        path=exchange.path,
        status=exchange.status,
        seconds=exchange.seconds,
        request_id=exchange.request_id,
        gateway_request_id=exchange.gateway_request_id,
    )


def plan_run(run: Run, reader: Reader) -> tuple[Plan, Existing]:
    """Read what the space holds, plan against it and show the plan."""
    desired = run.desired
    wanted = Wanted(
        project=desired.target.project,
        space=desired.target.space,
        files=desired.files,
        version=desired.version,
        template_set=desired.target.template_set,
        started_at=variables.build_started_at(run.world.agent.inputs()) / 1000,
    )
    existing = read_existing(reader, wanted, concurrency=run.concurrency)
    plan = make_plan(desired, existing, policy=run.policy)
    run.world.story.plan = plan
    show_lines(run.world.log, plan_lines(plan, language=run.world.story.language))
    return plan, existing


def check_refusal(run: Run, plan: Plan) -> None:
    """Stop here if the plan must not be published; nothing has been written by this plan.

    Raises:
        StepError: why (8004xx).
    """
    refused = refusal(plan, policy=run.policy, expect_plan=run.settings.expect_plan)
    if refused is not None:
        raise refused


# --- publish --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WatchedWriter:
    """A writer whose writes the story counts while they are under way."""

    writer: Writer
    story: Story

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        return self.writer.read(call)

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        with self.story.writing():
            return self.writer.write(call)


def publish_run(run: Run, writer: Writer, principal: Principal, *, plan: Plan, existing: Existing) -> Result:
    """Write the plan, planning again where somebody published in between, and return the result.

    Raises:
        StepError: a file or the template set failed; what was written is in the story.
    """
    story = run.world.story
    publishing = Publishing(
        writer=WatchedWriter(writer, story),
        desired=run.desired,
        clock=run.world.clock,
        deadline=run.world.deadline,
        concurrency=run.concurrency,
        on_file=lambda outcome: _file_ended(run, outcome),
    )
    plan, files = _publish_rounds(run, publishing, plan=plan, existing=existing)
    _check_all_done(files, deadline=run.world.deadline)
    if plan.chart == "create":
        story.chart = "failed"
        story.warnings += publish_chart(publishing, plan, files)
        story.chart = "created"
    elif plan.chart == "unchanged":
        story.chart = "unchanged"
    story.warnings += creator_warnings(story.applied(), user=principal.user)
    _learn_the_tokens_user(story, principal)
    if story.applied() or story.chart == "created":
        return "published"
    return "skipped" if any(outcome.state == "skipped" for outcome in files) else "unchanged"


def _publish_rounds(
    run: Run, publishing: Publishing, *, plan: Plan, existing: Existing
) -> tuple[Plan, tuple[FileOutcome, ...]]:
    files: tuple[FileOutcome, ...] = ()
    space_id = existing.space.id if existing.space is not None else ""
    for round_number in range(1, MOST_ROUNDS + 1):
        if not space_id and any(change.writes for change in plan.changes):
            space_id, run.world.story.created_space = ensure_space(publishing)
        if any(change.writes for change in plan.changes):
            run.world.log.group_start(say("log.group_publish", version=run.desired.version))
        files = publish_files(publishing, plan, space_id=space_id)
        run.world.log.group_end()
        for outcome in files:
            run.world.story.record(outcome)
        overtaken = [outcome for outcome in files if isinstance(outcome.error, Overtaken)]
        if not overtaken or round_number == MOST_ROUNDS:
            break
        run.world.log.warning(say("publish.planning_again", names=[o.change.name for o in overtaken]))
        plan, existing = plan_run(run, publishing.writer)
        check_refusal(run, plan)
    return plan, _settle(run, publishing, space_id=space_id)


def _settle(run: Run, publishing: Publishing, *, space_id: str) -> tuple[FileOutcome, ...]:
    """Note what rivals did while the files were written, and say it; what can't be seen is a warning."""
    story = run.world.story
    files = story.files()
    try:
        settled = settle(publishing, files, space_id=space_id)
    except StepError as exc:
        story.warnings.append(say("publish.unsettled", problem=exc.title()))
        return files
    for before, outcome in zip(files, settled):
        story.record(outcome)
        for note in outcome.notes[len(before.notes) :]:
            run.world.log.warning(note)
    return settled


def _file_ended(run: Run, outcome: FileOutcome) -> None:
    if run.world.story.stopped:
        return
    run.world.story.record(outcome)
    show_lines(run.world.log, file_lines(outcome, language=run.world.story.language))


def _check_all_done(files: Sequence[FileOutcome], *, deadline: Deadline) -> None:
    """Raise the first failure, with a line for every other file that is not done."""
    failed = [outcome for outcome in files if outcome.error is not None]
    left = [outcome for outcome in files if outcome.state == "not-attempted"]
    if left and not failed:
        raise OutOfTime(seconds=int(deadline.seconds or 0))
    if failed and failed[0].error is not None:
        raise failed[0].error


def _learn_the_tokens_user(story: Story, principal: Principal) -> None:
    """Take the acting user from what BCS recorded, where only the access token knew who it was."""
    creators = {outcome.creator for outcome in story.applied() if outcome.creator}
    if not principal.user and len(creators) == 1 and story.identity is not None:
        story.identity = replace(story.identity, acting_user=creators.pop())
