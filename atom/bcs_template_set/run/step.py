"""The life of a run: settings -> who -> desired -> plan -> publish.

One function a phase, over values. Until publishing begins the gateway is passed on as a `Reader`, so the
code before it can't write. `run_step` is the one boundary that turns any exception into an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.agent.masker import MOST_WORDS
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.gateway import Exchange, Gateway
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.branches.merge_paths import check_removals
from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.config.inputs import Settings, approved_inputs
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.naming import check_version_name, is_semver
from bcs_template_set.manifests.templating.build_context import RunContext, make_context
from bcs_template_set.manifests.templating.render import (
    Prepared,
    RenderRequest,
    prepare,
    render_manifests,
    render_version,
    template_process,
)
from bcs_template_set.manifests.templating.worker_process import child_environment
from bcs_template_set.messages import say
from bcs_template_set.messages.defects import defect_of, traceback_of
from bcs_template_set.messages.errors import StepError, VersionNameInvalid
from bcs_template_set.publish.plan import Desired, Target
from bcs_template_set.report.outcome import Outcome, RequestRecord, Result
from bcs_template_set.report.phase_lines import rendered_lines
from bcs_template_set.run.context import Run, World
from bcs_template_set.run.deploy_run import deploy_run, look_ahead, rollout_result
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.publish_phase import (
    Planned,
    WatchedWriter,
    check_desired,
    check_refusal,
    look_at_branches,
    plan_run,
    publish_run,
)
from bcs_template_set.run.record import Story
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.run.settings_phase import Asked, identify, read_everything, transport_of
from bcs_template_set.system.signals import Stopped


def run_step(world: World) -> Outcome:
    """Live the run and return what happened, whatever happened."""
    story, result = world.story, _FAILED
    try:
        result = _live(world)
    except StepError as exc:
        story.error = _with_who(exc, story)
        result = rollout_result(exc, story.rollout) or _FAILED
    except Stopped as exc:
        story.stop(exc.error)
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
        asked = read_everything(world)
        principal = identify(world, asked)
    world.on_principal(principal, asked.build)
    world.on_region(asked.region)
    with world.story.phase("render"):
        prepared = prepare_rendering(world, asked)
        desired = render_desired(world, asked, principal, prepared=prepared)
    words = SecretWords(desired.files, variables=read_variables(asked.settings.variables))
    gateway = open_gateway(world, asked, principal, words=words)
    run = Run(world, asked.settings, asked.region, asked.build, asked.machine, prepared, desired)
    try:
        return carry_out(run, gateway, principal)
    except Stopped as exc:
        # Threads under way outlive this one: none of them may write after the verdict.
        gateway.stop(exc.error)
        raise


def carry_out(run: Run, gateway: Gateway, principal: Principal) -> Result:
    """Plan, and publish and deploy as far as the action goes; return the result.

    Raises:
        StepError: what stood in the way; what was done is in the story.
    """
    story, action = run.world.story, run.settings.action
    planned = _plan(run, gateway)
    if action == "plan":
        return "planned"
    with story.phase("publish"):
        result = publish_run(run, gateway, principal, planned=planned)
    if action == "publish" or result == "skipped":
        return result
    with story.phase("deploy"):
        return deploy_run(run, WatchedWriter(gateway, story), planned=planned)


def _plan(run: Run, reader: Reader) -> Planned:
    with run.world.story.phase("plan"):
        planned = plan_run(run, reader)
    check_refusal(run, reader, planned)
    if run.settings.action == "plan":
        look_at_branches(run, reader, planned)
    if run.settings.cluster_id:
        look_ahead(run, reader, planned.existing)
    return planned


# --- desired --------------------------------------------------------------------------------------------


def prepare_rendering(world: World, asked: Asked) -> Prepared:
    """Return what the inputs come to before anything is rendered.

    Raises:
        StepError: values or templates are wrong (8003xx), or a branch must not be removed.
    """
    settings = asked.settings
    prepared = prepare(
        RenderRequest(
            workspace=world.workspace,
            templates=settings.templates,
            values_text=settings.values,
            values_files=settings.values_files,
            context=context_of_build(asked.build, settings),
            clock=world.clock,
            deadline=world.deadline,
            by=asked.build.starter,
            environ=child_environment(world.environ),
        )
    )
    check_removals(settings.remove_branches, prepared)
    return prepared


def render_desired(world: World, asked: Asked, principal: Principal, *, prepared: Prepared) -> Desired:
    """Return the rendered and checked files under their version name, with this branch's paths only.

    Raises:
        StepError: a template, a version name or a manifest is wrong (8003xx).
    """
    settings, context = asked.settings, prepared.context
    with template_process(prepared) as process:
        version = render_version(settings.version, process)
        check_version(version, template_set=settings.template_set)
        world.story.heading = replace(world.story.heading, version=version)
        files = render_manifests(prepared, process)
    target = Target(settings.region, settings.project_code, settings.template_space, settings.template_set)
    provenance = Provenance(
        pipeline=context.pipeline.id,
        build=context.build.number,
        branch=context.branch.name,
        commit=context.commit.sha,
        started_by=asked.build.starter,
        acting_as=principal.label,
        link=context.build.url,
        began_at=_began_at(asked.build),
    )
    read_variables(settings.variables)  # what is wrong with them is said before anything is sent
    desired = Desired(target, version, files, provenance, inputs=approved_inputs(settings))
    check_desired(desired, settings)
    world.story.rendered = files
    show_lines(world.log, rendered_lines(files, language=world.story.language))
    return desired


def _began_at(build: BuildInfo) -> float:
    """Return when this build began, in seconds since the epoch; 0 where BK-CI says when it was retried."""
    return 0.0 if build.is_retried else build.started_at / 1000


def context_of_build(build: BuildInfo, settings: Settings) -> RunContext:
    """Return what templates may know of this build and its target."""
    return make_context(
        {
            "build.number": str(build.build_number),
            "build.id": build.build_id,
            "build.url": build.url,
            "build.started_at": str(build.started_at),
            "pipeline.id": build.pipeline_id,
            "pipeline.name": build.pipeline_name,
            "branch.name": build.branch,
            "commit.sha": build.commit,
            "project": settings.project_code,
            "cluster_id": settings.cluster_id,
            "namespace": settings.namespace,
            "region": settings.region,
        }
    )


def check_version(version: str, *, template_set: str) -> None:
    """Refuse a version name that BCS would refuse, before anything is sent.

    Raises:
        VersionNameInvalid: it is too long, empty or, for a template set, not SemVer or with a `+`.
    """
    problem = check_version_name(version)
    if problem is None and template_set and not is_semver(version):
        problem = say("settings.version_not_semver")
    if problem is None and template_set and "+" in version:  # facts/bcs.md, trap 15
        problem = say("settings.version_with_plus")
    if problem is not None:
        raise VersionNameInvalid(version=version, problem=problem)


# --- gateway --------------------------------------------------------------------------------------------


def open_gateway(
    world: World, asked: Asked, principal: Principal, *, words: Optional[SecretWords] = None
) -> Gateway:
    """Return the gateway of the run's region for this one principal; every request of it enters the story.

    The run's secrets, and what `words` knows, are taken out of a server's words before these are shortened:
    of a short secret that is cut, nothing could tell what is left.
    """
    known = world.log.masker
    values = words if words is not None else SecretWords()

    def remember(exchange: Exchange) -> None:
        world.story.record_request(request_record(exchange))

    return Gateway(
        asked.region.endpoint,
        principal,
        transport=transport_of(asked),
        clock=world.clock,
        deadline=world.deadline,
        on_exchange=remember,
        mask=lambda said: values.mask(known.mask_beginning(said, most=2 * MOST_WORDS)),
        learn=values.learn,
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
        may_be_missing=exchange.may_be_missing,
    )
