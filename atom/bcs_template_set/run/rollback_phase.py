"""A run that goes back: it renders nothing, and deploys versions that exist, as any deployment does.

What it goes back to: which files, what of them is live, which state is meant. The same stands against it as
against a deployment, and is asked for before the first call that changes anything: newer builds, routes that
would be lost or are taken, the right to deploy, BCS's dry run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile, ref_of
from bcs_template_set.bcs.space.live_objects import read_live_objects
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance, told
from bcs_template_set.bcs.space.read_space import read_existing
from bcs_template_set.bcs.space.versions import list_past_files, read_past_files
from bcs_template_set.bcs.space.wanted import Wanted
from bcs_template_set.config.inputs import Settings, approved_inputs
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.checks.telling import refusal_of
from bcs_template_set.manifests.kinds import REPLICA_SET
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    DryRunFailed,
    ImagesMissing,
    InputsInvalid,
    NodePortLost,
    NoPermission,
    NotReplaceable,
    SelectorChanged,
)
from bcs_template_set.messages.past_errors import NoSuchState, NothingNamed, VersionGone
from bcs_template_set.messages.spelling import near_name
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.past_states import (
    History,
    PastState,
    Pods,
    alike_in,
    build_of,
    builds_of,
    history_of_line,
    never_live,
    state_at_build,
    state_at_version,
    state_before,
    with_gaps,
)
from bcs_template_set.publish.plan import Desired, SpaceRef
from bcs_template_set.publish.plan_rollback import files_of, plan_rollback, rows_back, sending
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.log_lines import going_back_lines, plan_lines
from bcs_template_set.rollout.before_deploying import resolve_variables
from bcs_template_set.rollout.live_look import is_there_after_all, look, plan_live
from bcs_template_set.rollout.live_state import FileVersion, LiveState, objects_in
from bcs_template_set.rollout.revisions import never_was, revisions_of
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.run.context import Planned, RenderedRun, RunContext
from bcs_template_set.run.deploy_phase import deploy_run
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.image_phase import check_images, lack_images
from bcs_template_set.run.journal import leave_plan
from bcs_template_set.run.look_ahead import check_place, deploying_of, dry_run
from bcs_template_set.run.plan_phase import check_refusal, name_site
from bcs_template_set.run.render_phase import prepare_rendering, provenance_of
from bcs_template_set.run.settings_phase import WatchedWriter
from bcs_template_set.system.parallel import overlap, values_of

PREVIOUS = "previous"
_BUILD = re.compile(r"build\s+#?([0-9]{1,12})")

LiveVersions = Mapping[str, tuple[TemplateVersion, ...]]
"""The versions that the objects of each file are marked with, newest first; of one that is gone, nothing."""


@dataclass(frozen=True)
class Past:
    """The files of the scope, what this pipeline and branch published of them, and what is live."""

    files: Mapping[str, PastFile]
    line: Provenance
    history: History
    live: LiveVersions


def rows_in_scope(
    settings: Settings, rows: Mapping[str, TemplateFile], *, prepared: Prepared
) -> dict[str, Optional[TemplateFile]]:
    """Return the files that the run is about, with their rows, None for those that the folder does not have.

    Raises:
        NothingNamed: a host nobody has, or a file, each with the nearest.
    """
    if not settings.only:
        return {name: rows.get(name) for name in prepared.scope.files}
    scope = Scope(settings.only, rows)
    mistakes = scope.mistakes()
    if mistakes:
        raise NothingNamed(details=mistakes)
    return {name: row for name, row in rows.items() if scope.has(name)}


def line_of(ours: Provenance, files: Mapping[str, PastFile]) -> Provenance:
    """Return whose versions count: this pipeline's and branch's; at a desk, of the only pipeline there is.

    Raises:
        InputsInvalid: there are several, or none.
    """
    if ours.pipeline:
        return ours
    origins = [read_provenance(v.description) for file in files.values() for v in file.versions]
    of_branch = [
        origin for origin in origins if origin is not None and told(origin.branch) == told(ours.branch)
    ]
    pipelines = sorted({origin.pipeline for origin in of_branch if origin.pipeline})
    if len(pipelines) == 1:
        return replace(ours, pipeline=pipelines[0])
    problem = say("rollback.pipelines", pipelines=pipelines)
    raise InputsInvalid(details=[problem if pipelines else say("rollback.no_pipeline", branch=ours.branch)])


def read_live(
    reader: Reader, deploying: Deploying, files: Mapping[str, PastFile], *, target: str
) -> LiveVersions:
    """Return which versions the files are live at, going by the marks of objects.

    Lists show those of most kinds, also of objects that a file no longer holds. A dry run shows every kind,
    and no more of a call than up to the first object that fails (facts/bcs.md, trap 8): files that it does
    not show are asked for one by one. To who may see nothing that is live all looks new: then the current
    versions stand for it, so that no route is lost unseen.

    Raises:
        NoSuchState: nobody may see what is live, and so what was before it: `previous` might come forward.
        StepError: whatever the gateway or BCS answered.
    """
    current = [
        FileVersion(name, file.row.version_id, file.row.version)
        for name, file in files.items()
        if file.row.version_id
    ]
    states, error = look(reader, deploying, current)
    seen = {state.file for state in states}
    if error:
        unseen = [partial(look, reader, deploying, [file]) for file in current if file.name not in seen]
        again = values_of(overlap(unseen, concurrency=deploying.at_once))
        states = (*states, *(state for found, _ in again for state in found))
    if _is_hidden(reader, deploying.place, states):
        if target == PREVIOUS:
            problem = say("rollback.unseen", namespace=deploying.place.namespace)
            raise NoSuchState(target=target, problem=problem)
        return {name: tuple(v for v in (file.named(file.row.version),) if v) for name, file in files.items()}
    listed = read_live_objects(reader, deploying.place).rows
    marks = {row.mark for row in listed} | {state.mark for state in states}
    return {name: _marked(name, file, marks, space=deploying.space) for name, file in files.items()}


def _is_hidden(reader: Reader, place: NamespaceRef, states: Sequence[LiveState]) -> bool:
    """Tell whether this user may not see what is live, so that nothing is known to be missing."""
    try:
        return is_there_after_all(reader, place, states)
    except NoPermission:
        return True


def _marked(name: str, file: PastFile, marks: Iterable[Mark], *, space: str) -> tuple[TemplateVersion, ...]:
    names = {mark.version for mark in marks if mark.file_in(space) == name}
    found = [version for version in map(file.named, sorted(names)) if version is not None]
    return tuple(sorted(found, key=lambda version: (version.create_at, version.id), reverse=True))


def choose_state(past: Past, reader: Reader, place: NamespaceRef, *, target: str, space: str) -> PastState:
    """Return the state that `target` names: `previous`, `build N`, or a version's name.

    Raises:
        VersionGone: none of the files has this version, of this pipeline and branch.
        NoSuchState: nothing existed then, there is no such build, or what a file was then is deleted.
    """
    names = first_names(sorted(past.history))
    build = _BUILD.fullmatch(target)
    if target == PREVIOUS:
        state, problem = _previous(past, reader, place, space=space), "nothing_before"
    elif build is not None:
        newest, ours = next(iter(builds_of(past.history)), 0), past.line.build
        if int(build[1]) > max(newest, ours):
            problem_text = say("rollback.never_built", newest=newest, ours=ours)
            raise NoSuchState(target=target, problem=problem_text)
        state, problem = state_at_build(past.history, int(build[1])), "nothing_then"
    else:
        state = state_at_version(past.history, target)
        if state is None:
            known = {ref.name for refs in past.history.values() for ref in refs}
            details = near_name("rollback.near", target, sorted(known))
            raise VersionGone(version=target, files=names, details=details)
    if state is None:
        problem_text = say(f"rollback.{problem}", names=names, namespace=place.namespace)
        raise NoSuchState(target=target, problem=problem_text)
    ids = {name: {version.id for version in file.versions} for name, file in past.files.items()}
    state = with_gaps(state, past.history, ids)
    deleted = sorted({*state.absent} & {*state.unsure})
    if deleted:
        raise NoSuchState(target=target, problem=say("rollback.deleted", names=first_names(deleted)))
    return state


def _previous(past: Past, reader: Reader, place: NamespaceRef, *, space: str) -> Optional[PastState]:
    replica_sets = read_live_objects(reader, place, kinds=(REPLICA_SET,)).rows
    revisions = revisions_of(replica_sets, by="name")

    def is_unseen(pods: Pods) -> bool:
        return never_was(pods.marks, revisions.get(pods.deployment, ()), limit=pods.limit)

    return state_before(
        past.history,
        live={name: {version.id for version in versions} for name, versions in past.live.items()},
        alike=alike_in(past.files),
        never_live=never_live(past.history, past.files, space=space, never_was=is_unseen),
    )


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
    rows = list_past_files(reader, settings.project_code, space=settings.template_space)
    scope = rows_in_scope(settings, rows, prepared=prepared)
    there = [row for row in scope.values() if row is not None]
    files = read_past_files(reader, settings.project_code, there)
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
    wanted = Wanted(
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
    existing = read_existing(reader, wanted)
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
    """Return what names the run's files: hosts and templates; with `only` nobody needs that.

    Raises:
        FilesMistaken: values or templates can't be read.
    """
    prepared = prepare_rendering(context)
    refusal = None if context.settings.only else refusal_of(prepared.mistakes)
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


def nearest_possible(
    run: RenderedRun, reader: Reader, planned: Planned, past: Past, state: PastState
) -> Text:
    """Return which state before this one the cluster would take, of the nearest few, by BCS's dry run."""
    refused = build_of(state.newest)
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
