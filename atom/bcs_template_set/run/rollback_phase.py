"""A run that goes back: it renders nothing, and deploys versions that exist, as any deployment does.

The same stands against it as against a deployment, and is asked for before the first call that changes
anything: newer builds, routes that would be lost or are taken, the right to deploy, BCS's dry run.
"""

from __future__ import annotations

from dataclasses import replace

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.existing import ref_of
from bcs_template_set.bcs.space.past_files import list_past_files, read_past_files
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.read_space import read_existing
from bcs_template_set.bcs.space.wanted import Wanted
from bcs_template_set.config.inputs import approved_inputs
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.checks.telling import refusal_of
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    DryRunFailed,
    ImagesMissing,
    NodePortLost,
    NotReplaceable,
    SelectorChanged,
)
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.past_states import PastState, builds_of, history_of_line, state_at_build
from bcs_template_set.publish.plan import Desired, SpaceRef
from bcs_template_set.publish.plan_rollback import files_of, plan_rollback, rows_back, sending
from bcs_template_set.report.log_lines import going_back_lines, plan_lines
from bcs_template_set.rollout.before_deploying import resolve_variables
from bcs_template_set.rollout.live_look import plan_live
from bcs_template_set.rollout.live_state import FileVersion, objects_in
from bcs_template_set.run.context import Planned, RenderedRun, RunContext
from bcs_template_set.run.deploy_phase import deploy_run
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.image_phase import check_images, lack_images
from bcs_template_set.run.journal import leave_plan
from bcs_template_set.run.look_ahead import check_place, deploying_of, dry_run
from bcs_template_set.run.past_target import (
    PREVIOUS,
    Past,
    choose_state,
    line_of,
    read_live,
    rows_in_scope,
)
from bcs_template_set.run.plan_phase import check_refusal, name_site
from bcs_template_set.run.render_phase import prepare_rendering, provenance_of
from bcs_template_set.run.run_gateway import WatchedWriter

MOST_TRIED = 5
"""How many builds before one that can't be are looked at for the nearest that can."""

IMPOSSIBLE = (DryRunFailed, ImagesMissing, SelectorChanged, NodePortLost, NotReplaceable)
"""What a state may be refused for where one that is older still is not."""


def roll_back(context: RunContext, gateway: Gateway, principal: Principal) -> Result:
    """Plan the way back, and go it as far as the action says; return the result.

    Raises:
        StepError: what stood in the way; what was done is in the record.
    """
    record, settings = context.services.record, context.settings
    with record.phase("plan"):
        run, planned, past, state = plan_back(context, gateway, principal)
    check_refusal(run, planned)
    check_place(run, gateway, planned)
    try:
        check_images(run, gateway, planned)
        if settings.action == "plan":
            record.plan = sending(planned.plan, dry_run(run, gateway, planned.existing))
            leave_plan(record.journal, planned.plan)
            return "planned"
        for change in planned.plan.changes:
            record.note_file(
                FileOutcome(change, "unchanged", version_id=change.version_id, version=change.version)
            )
        with record.phase("deploy"):
            result = deploy_run(run, WatchedWriter(gateway, record), planned=planned)
    except IMPOSSIBLE as exc:  # all of them before the first call
        exc.details = (*exc.details, nearest_possible(run, gateway, planned, past, state))
        raise
    return "rolled-back" if result == "deployed" else result


def plan_back(
    context: RunContext, reader: Reader, principal: Principal
) -> tuple[RenderedRun, Planned, Past, PastState]:
    """Read what there was and what is live, plan the way back and show it.

    Raises:
        StepError: there is no such state, or whatever the gateway or BCS answered.
    """
    settings, services = context.settings, context.services
    prepared = _prepared(context)
    concurrency = context.concurrency
    rows = list_past_files(reader, settings.project_code, space=settings.template_space)
    scope = rows_in_scope(settings, rows, prepared=prepared)
    there = [row for row in scope.values() if row is not None]
    files = read_past_files(reader, settings.project_code, there, concurrency=concurrency)
    line = line_of(provenance_of(context, acting_as=principal.label), files)
    project = reader.read(protocol.get_project(settings.project_code))
    place = context.namespace(project.project_id)
    target = settings.rollback_to or PREVIOUS
    live = read_live(reader, deploying_of(context, place, context.variables), files, target=target)
    history = history_of_line({name: map(ref_of, file.versions) for name, file in files.items()}, line)
    past = Past(files, line, {**dict.fromkeys(scope, ()), **history}, live)
    state = choose_state(past, reader, place, target=target, space=settings.template_space)
    desired = _desired(context, past, state, line)
    services.record.heading = replace(services.record.heading, version=desired.version)
    existing = read_existing(reader, _wanted(context, desired), concurrency=concurrency)
    name_site(services, reader.site)
    run = RenderedRun(context, prepared, desired)
    newest = {name: next(iter(versions), None) for name, versions in live.items()}
    if not existing.live_readable:  # no route is lost unseen
        newest = {name: known or files[name].named(files[name].row.version) for name, known in newest.items()}
    plan = plan_rollback(desired, existing, state=state, live=newest, policy=run.policy)
    record, language = services.record, services.record.language
    record.plan, record.rendered = plan, desired.files
    show_lines(services.log, going_back_lines(target, plan, rows_back(plan, state), language=language))
    show_lines(services.log, plan_lines(plan, language=language))
    return run, Planned(plan, existing, desired), past, state


def _prepared(context: RunContext) -> Prepared:
    """Return what names the run's files: hosts and templates; with `only` nothing of that is read.

    Raises:
        FilesMistaken: values or templates can't be read.
    """
    if context.settings.only:
        nothing = replace(context.settings, templates=(), values="", values_files=(), remove_branches=())
        return prepare_rendering(replace(context, settings=nothing))
    prepared = prepare_rendering(context)
    refusal = refusal_of(prepared.mistakes)
    if refusal is not None:
        raise refusal
    return prepared


def _desired(context: RunContext, past: Past, state: PastState, line: Provenance) -> Desired:
    """Return the files of a state as what the run wants.

    Raises:
        NotReplaceable: a Job stands beside other objects in a file, and would run a second time with them.
    """
    settings = context.settings
    files = files_of(state, past.files)
    beside = [
        say("rollback.job_beside", object=found.title, name=file.name)
        for file in files
        for found in file.documents
        if found.kind == "Job"
    ]
    if beside:
        raise NotReplaceable(details=beside)
    target = SpaceRef(settings.region, settings.project_code, settings.template_space)
    return Desired(target, state.newest.name, files, line, inputs=approved_inputs(settings))


def _wanted(context: RunContext, desired: Desired) -> Wanted:
    settings = context.settings
    return Wanted(
        project=settings.project_code,
        space=settings.template_space,
        files=desired.files,
        version=desired.version,
        template_set="",
        started_at=context.build.started_at / 1000,
        ours=desired.provenance,
        cluster_id=settings.cluster_id,
        namespace=settings.namespace,
    )


def nearest_possible(
    run: RenderedRun, reader: Reader, planned: Planned, past: Past, state: PastState
) -> Text:
    """Return which state before this one the cluster would take, of the nearest few, by BCS's dry run."""
    refused = max(ref.origin.build for ref in state.versions.values() if ref.origin is not None)
    builds = [build for build in builds_of(past.history) if build < refused][:MOST_TRIED]
    states = [*filter(None, (state_at_build(past.history, build) for build in builds))]
    lacking = lack_images(run.context, [files_of(earlier, past.files) for earlier in states])
    for earlier, lacks in zip(states, lacking):
        if not lacks and _is_possible(run, reader, planned, past, earlier):
            return say("rollback.possible", version=earlier.newest.name)
    return say("rollback.none_possible", count=len(builds)) if builds else say("rollback.oldest")


def _is_possible(run: RenderedRun, reader: Reader, planned: Planned, past: Past, state: PastState) -> bool:
    place = run.context.namespace(planned.existing.project_id)
    wanted = [(file, state.versions[file.name]) for file in files_of(state, past.files)]
    files = [
        FileVersion(file.name, ref.id, ref.name, objects=objects_in(file.documents)) for file, ref in wanted
    ]
    try:
        values = resolve_variables(reader, place, files, given=run.context.variables)
        plan = plan_live(reader, deploying_of(run.context, place, values), files, redeploy=False)
    except StepError:
        return False
    return plan.refused is None
