"""Say and ask before anything is written, or deployed, what that would meet and change. Holds no writer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, get_live, list_live
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import JOB, SHARED_KINDS, kind_of
from bcs_template_set.manifests.live_replicas import Workload, number_taken_from, variable_of, workload_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import Document, bcs_variables_in, parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import AppNotGranted, NoPermission, NotReplaceable, VariablesMissing
from bcs_template_set.messages.past_errors import MayNotDelete
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.rollout_lines import deployment_lines, kept_line
from bcs_template_set.rollout.as_wanted import is_as_wanted
from bcs_template_set.rollout.before_deploying import (
    pods_in,
    read_numbers,
    refusal_to_deploy,
    resolve_variables,
)
from bcs_template_set.rollout.deploy_notes import marked_elsewhere, odd_notes, wait_notes
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, kept_text
from bcs_template_set.rollout.live_diff import Object
from bcs_template_set.rollout.live_look import plan_live, seen_whole
from bcs_template_set.rollout.live_state import FileVersion, LiveState, objects_in
from bcs_template_set.rollout.pod_numbers import autoscalers_in, counted_pods, lost_pods, targets_of
from bcs_template_set.rollout.restore import find_version, gone_marks
from bcs_template_set.rollout.sized_calls import AT_ONCE, Deploying
from bcs_template_set.run.context import Planned, RenderedRun, RunContext
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.plan_phase import values_of_namespace
from bcs_template_set.run.prune_phase import refusal_to_delete
from bcs_template_set.run.versions_to_deploy import hold_of


def look_ahead(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Ask and say what deploying this plan would meet, as far as that can be known before it is published.

    Raises:
        StepError: there is no such place, a deployment is not allowed, variables have no value, a Job can not
            be replaced, or, where all versions exist already, the dry run fails.
    """
    kinds = sorted({d.kind for file in run.desired.files for d in file.documents} - SHARED_KINDS)
    if kinds:  # whether this cluster is shared only BCS knows
        run.services.log.warning(say("deploy.shared_kinds", kinds=kinds, cluster=run.settings.cluster_id))
    if run.settings.action == "publish":
        check_variables(run, reader, planned)
        return
    if run.settings.timeout:
        documents = [document for file in run.desired.files for document in file.documents]
        for sentence in wait_notes(documents, timeout=run.settings.timeout):
            run.services.log.info(sentence)
    check_place(run, reader, planned)
    check_variables(run, reader, planned)
    _check_jobs(run, reader, planned)
    if planned.existing.project_id:
        tell_pods(run, reader, planned)
    if run.settings.action == "plan":
        dry_run(run, reader, planned.existing)


def check_place(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Ask for the rights to deploy and delete there: a run ends without them, a plan says the answer.

    Raises:
        ClusterNotVisible, NamespaceMissing: there is nothing to deploy into.
        StepError: what stands in the way of a deployment, before anything is written.
    """
    settings, project_id = run.settings, planned.existing.project_id
    place = NamespaceRef(settings.project_code, project_id, settings.cluster_id, settings.namespace)
    _take_answer(run, refusal_to_deploy(reader, place), asked="deploy")
    if planned.plan.pruning.deletes:
        _take_answer(run, refusal_to_delete(reader, place), asked="delete")


def _take_answer(run: RenderedRun, refused: StepError | None, *, asked: str) -> None:
    """Raise a refusal of what this run will do; a plan says whether the right to it is there."""
    settings = run.settings
    where = {"namespace": settings.namespace, "cluster": settings.cluster_id}
    if settings.deploys:
        if refused is not None:
            refused.details = (*refused.details, say("deploy.asked_first", **where))
            raise refused
        return
    if refused is None:
        run.services.log.info(say(f"deploy.may_{asked}", **where))
        return
    facts = [name for name in ("app", "permission", "apply_url") if refused.context.get(name)]
    told = [refused.title(), *(say(f"context.{name}", value=refused.context[name]) for name in facts)]
    is_refused = isinstance(refused, (NoPermission, MayNotDelete))
    key = f"deploy.may_not_{asked}" if is_refused else f"deploy.unknown_{asked}"
    run.services.warn(say(key, why=told, **where))


def check_variables(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Refuse a plan whose variables have no value, as far as BCS can be asked before versions exist.

    Raises:
        VariablesMissing: a detail for each variable that neither the author nor the namespace gives.
        StepError: BCS would not say.
    """
    known = planned.variables
    if known is None:
        known = values_of_namespace(run, reader, planned.plan, planned.existing)
    lacking = [name for name, value in known.items() if not value]
    if lacking:
        raise VariablesMissing(details=[say("deploy.variable_missing", name=name) for name in lacking])


def dry_run(run: RenderedRun, reader: Reader, existing: Existing) -> frozenset[str]:
    """Show the live difference of a plan whose versions all exist already, after BCS's dry run of them.

    Returned are the files that would be deployed; none where a version is still to be written: BCS dry-runs
    versions, not texts.

    Raises:
        StepError: the dry run fails, or the deployment would be refused.
    """
    plan = run.services.record.plan
    if plan is None or any(change.writes_version or not change.version_id for change in plan.changes):
        return frozenset()
    files = [as_it_counts(run, FileVersion(c.name, c.version_id, c.version)) for c in plan.changes]
    _, found = look_before(run, reader, files, existing)
    run.services.log.info(say("deploy.dry_run_ok"))
    return frozenset(file.name for file in found.deploy)


def as_it_counts(run: RenderedRun, version: FileVersion) -> FileVersion:
    """Return a version with what its number of pods means, and how many objects it holds.

    The number is this run's word, or what a mark can't tell. Without a load balancer routes hold nothing.
    """
    documents = next((file.documents for file in run.desired.files if file.name == version.name), ())
    numbers = [text_at(document.body, "spec", "replicas") for document in documents]
    names = [found.name for number in numbers for found in bcs_variables_in(number)]
    sets_pods = any(workload_of(name) is None or name in run.context.variables for name in names)
    reused = run.settings.overwrite_version
    return replace(version, sets_pods=sets_pods, reused=reused, objects=objects_in(documents))


# --- Jobs that can't be replaced ------------------------------------------------------------------------


def _check_jobs(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Refuse files that hold a live Job and have to be sent, for it, for what is beside it, or again.

    The deployment refuses them too (rollout/deployment_plan.py), but by then their file's new version is
    published. Files with variables are left out: what BCS fills in is not known yet. Where nobody may look,
    it is left to the deployment.

    Raises:
        NotReplaceable: a detail for each Job.
        StepError: whatever else the gateway or BCS answered.
    """
    again = run.settings.redeploy
    changing = {change.name for change in planned.plan.changes if change.writes_version or again}
    files = [file for file in planned.desired.files if file.name in changing and not file.variables]
    jobs = [(file, job) for file in files for job in file.documents if is_job(job)]
    if not jobs:
        return
    place = run.context.namespace(planned.existing.project_id)
    try:
        live = _live_jobs(reader, place, {job.name for _, job in jobs})
    except (NoPermission, ApiMissing, AppNotGranted, BcsFailed):
        return
    found = [_kept(file, job, live.get(job.name), planned.existing, again=again) for file, job in jobs]
    kept = [one for one in found if one is not None]
    if kept:
        raise NotReplaceable(details=[text for text, _ in kept], only_again=all(only for _, only in kept))


def is_job(document: Document) -> bool:
    """Tell whether a document is a Job without a selector of its own."""
    is_job = kind_of(document.api_version, document.kind) is JOB
    return is_job and not mapping_at(document.body, "spec").get("selector")


def _live_jobs(reader: Reader, place: NamespaceRef, names: Collection[str]) -> dict[str, Fields]:
    """Return those of these Jobs that are live, whole; a list has only their names (trap 12)."""
    listed = reader.read(list_live(place, kind=JOB)).manifest
    there = {text_at(row, "metadata", "name") for row in list_at(listed, "items")}
    return {
        name: reader.read(get_live(place, kind=JOB, name=name)).manifest for name in sorted(there & {*names})
    }


def _kept(
    file: ManifestFile, job: Document, live: Fields | None, existing: Existing, *, again: bool
) -> tuple[Text, bool] | None:
    """Return that a live Job is in the way, and whether that is of `again` alone; None where it is not."""
    if live is None:
        return None
    found = existing.files.get(file.name)
    before = [d.body for d in (found.documents if found is not None else None) or () if not is_job(d)]
    is_same_beside = before == [document.body for document in file.documents if not is_job(document)]
    as_it_is = is_as_wanted(job.body, live)
    is_live = as_it_is and is_same_beside
    if is_live and not again:
        return None
    return kept_text(job.title, file=file.name, as_it_is=as_it_is), is_live


# --- live numbers of pods -------------------------------------------------------------------------------


def tell_pods(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Say which workloads of the files to be written keep their number of pods, and which lose it.

    BCS dry-runs versions, and these are still to be written. So what is rendered is held to the numbers that
    are live; the deployment looks again, and says what has changed since. That nobody could look costs a
    sentence.
    """
    language, given = run.services.record.language, run.context.variables
    place = run.context.namespace(planned.existing.project_id)
    written = {change.name for change in planned.plan.changes if change.writes_version}
    files = [file for file in planned.desired.files if file.name in written]
    documents = [(file.name, document) for file in files for document in file.documents]
    try:
        pods = _live_pods(reader, place, [document for _, document in documents])
        states = [_state(name, document, pods, given) for name, document in documents]
        taken = {number_taken_from(document.body) for _, document in documents}
        kept = frozenset(found for found in taken if found is not None and variable_of(*found) not in given)
        numbers = read_numbers(reader, place, states, kept=kept)
    except StepError as exc:
        warnings = [say("deploy.pods_unseen", problem=exc.title())]
    else:
        warnings = [*lost_pods(states, numbers)]
        if run.settings.action == "plan":
            show_lines(run.services.log, kept_line(counted_pods(states, numbers.kept), language=language))
    for warning in warnings:
        run.services.warn(warning)


def _live_pods(reader: Reader, place: NamespaceRef, documents: list[Document]) -> dict[Workload, int]:
    kinds = {document.kind: kind_of(document.api_version, document.kind) for document in documents}
    pods: dict[Workload, int] = {}
    for kind in kinds.values():
        if kind is not None and kind.scales:
            pods.update(pods_in(reader, place, kind))
    return pods


def _state(
    file: str, document: Document, pods: Mapping[Workload, int], given: Mapping[str, str]
) -> LiveState:
    count = pods.get((document.kind, document.name))
    live: Optional[Object] = None if count is None else {"spec": {"replicas": count}}
    return LiveState(file, document.kind, document.name, _filled_in(document.body, given), live)


def _filled_in(body: Object, given: Mapping[str, str]) -> Object:
    """Return an object with the number of pods that variables give it, and then no more of its spec."""
    number = given.get(text_at(body, "spec", "replicas").strip("{} "))
    if number is None or not number.isdecimal():
        return body
    return {**body, "spec": {"replicas": int(number)}}


def look_before(
    run: RenderedRun, reader: Reader, files: Sequence[FileVersion], existing: Existing
) -> tuple[Deploying, DeploymentPlan]:
    """Return what it takes to deploy versions, and what that would change, which is shown.

    `existing` is what BCS held before this run.

    Raises:
        StepError: the dry run fails, or the deployment must not be.
    """
    context, record, log = run.context, run.services.record, run.services.log
    place = context.namespace(existing.project_id)
    hold = hold_of(run, reader, place, existing)
    least = targets_of(autoscalers_in(d.body for file in run.desired.files for d in file.documents))
    values = resolve_variables(reader, place, files, given=context.variables, least=least)
    deploying = deploying_of(context, place, values)
    plan = plan_live(reader, deploying, files, redeploy=run.settings.redeploy, hold=hold)
    plan = seen_whole(reader, deploying, plan)
    # What was said of the plan is not said twice.
    warnings = [warning for warning in (*plan.said, *plan.pods) if warning not in record.warnings]
    plan = replace(plan, pods=tuple(warnings))
    show_lines(log, deployment_lines(plan, language=record.language))
    record.warnings.extend(plan.pods)
    for note in _odd_marks(reader, deploying, files, plan, existing):
        log.info(note)
    if plan.refused is not None:
        raise plan.refused
    return deploying, plan


def deploying_of(context: RunContext, place: NamespaceRef, variables: Mapping[str, str]) -> Deploying:
    """Return what it takes to deploy with these values for BCS's variables."""
    services = context.services

    def tell(files: int) -> None:
        if not services.record.stopped:  # pragma: no branch - but in a thread that a signal overtakes
            services.log.info(say("deploy.under_way", count=files))

    return Deploying(
        place,
        context.settings.template_space,
        variables,
        services.clock,
        services.deadline,
        given=frozenset(context.variables),
        at_once=min(AT_ONCE, context.region.endpoint.concurrency),
        on_quiet=tell,
    )


def _odd_marks(
    reader: Reader,
    deploying: Deploying,
    files: Sequence[FileVersion],
    plan: DeploymentPlan,
    existing: Existing,
) -> Iterator[Text]:
    """Yield what is odd about live objects, before anything is deployed."""
    project, space = deploying.place.project, deploying.space

    def held(name: str, version: str) -> Collection[str]:
        file = existing.files.get(name)
        if file is not None and file.current is not None and file.current.version == version:
            return objects_in(file.documents)
        found = None
        with suppress(StepError):  # of what nobody could look at nothing is said
            found = find_version(reader, project, space, name, version)
        return objects_in(parse_foreign(found.content)) if found is not None else ()

    if not plan.is_blind:
        yield from odd_notes(plan.deploy, plan.states, space=space, held=held)
        yield from marked_elsewhere(plan.live_already, plan.states, space=space)
    known = {name: file.names for name, file in existing.files.items()}
    yield from gone_marks(reader, files, plan.states, project=project, space=space, known=known)
