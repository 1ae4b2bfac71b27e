"""The plan phase of a run: read what the space holds, plan, and ask what publishing and deploying would meet.

Holds no writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import EVERY, Site, releases
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.read_space import read_existing
from bcs_template_set.bcs.space.wanted import Again, Wanted
from bcs_template_set.branches.last_builds import rows_of_space, with_this_build
from bcs_template_set.branches.merge_paths import routes_files, with_branches
from bcs_template_set.manifests.fields import text_at
from bcs_template_set.manifests.kinds import SHARED_KINDS
from bcs_template_set.manifests.live_replicas import Workload, workload_of
from bcs_template_set.manifests.parse import bcs_variables_in
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    ManifestsInvalid,
    NoPermission,
    PlanChanged,
    ProjectNotVisible,
    VariablesMissing,
)
from bcs_template_set.messages.past_errors import MayNotDelete, NothingNamed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Plan, holding, refusal
from bcs_template_set.report.log_lines import plan_lines
from bcs_template_set.rollout.before_deploying import (
    ask_variables,
    refusal_to_deploy,
)
from bcs_template_set.rollout.live_state import FileVersion, objects_in
from bcs_template_set.rollout.pod_numbers import autoscalers_in, targets_of
from bcs_template_set.rollout.wait_notes import wait_notes
from bcs_template_set.run.approved_plan import what_differs
from bcs_template_set.run.context import RenderedRun, RunContext, Services
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.held_versions import hold_of
from bcs_template_set.run.kept_objects import check_jobs, jobs_of
from bcs_template_set.run.live_plan import look_before
from bcs_template_set.run.pods_ahead import tell_pods
from bcs_template_set.run.prune_look import refusal_to_delete, with_pruning
from bcs_template_set.run.render_phase import check_desired

INGRESS_V1 = "networking.k8s.io/v1"


@dataclass(frozen=True)
class Planned:
    """A plan, what it was made against, and what it makes of that.

    `read_at` is when reading began, on the monotonic scale. `variables` are those that the namespace has to
    give, with its values, as far as BCS tells before versions exist; None where nobody has asked, or BCS
    would not say.
    """

    plan: Plan
    existing: Existing
    desired: Desired
    read_at: float = float("-inf")
    variables: Optional[Mapping[str, str]] = None


def plan_run(run: RenderedRun, reader: Reader, *, again: Optional[Again] = None) -> Planned:
    """Read what the space holds, plan against it and show the plan.

    `again` is there where the run has planned before.

    Raises:
        ManifestsInvalid: what the other branches are served at does not go with what this run renders.
        StepError: whatever the gateway or BCS answered.
    """
    rendered, build = run.desired, run.context.build
    wanted = Wanted(
        project=rendered.target.project,
        space=rendered.target.space,
        files=rendered.files,
        version=rendered.version,
        template_set=rendered.target.template_set,
        started_at=build.started_at / 1000 or run.services.clock.now(),
        ours=rendered.provenance,
        shared=routes_files(run.prepared),
        outside=rendered.scope.outside,
        again=again,
        may_exist=bool(again or run.policy.overwrite_version or build.is_retried or not build.started_at),
        cluster_id=run.settings.cluster_id,
        namespace=run.settings.namespace,
    )
    read_at = run.services.clock.monotonic()
    existing = read_existing(reader, wanted, concurrency=run.concurrency)
    name_site(run.services, reader.site)
    if existing.space is not None:
        run.services.record.found_space(existing.space.id)
    check_ingresses_served(rendered, existing, cluster=run.settings.cluster_id)
    desired = with_branches(rendered, existing, prepared=run.prepared, remove=run.policy.remove_branches)
    if desired.files != rendered.files:
        check_desired(desired, run.context, prepared=run.prepared)
    plan = make_plan(desired, existing, policy=run.policy)
    mistakes = desired.scope.mistakes(others=plan.rendered_no_more)
    if mistakes:
        raise NothingNamed(details=mistakes)
    plan = with_pruning(run, reader, plan, existing, desired)
    variables: Optional[Mapping[str, str]] = None
    with suppress(StepError):  # asked again after the plan is shown, and before anything is written
        variables = _of_the_namespace(run, reader, plan, existing)
    plan = holding(plan, variables or {})
    run.services.record.plan, run.services.record.rendered = plan, desired.files
    show_lines(run.services.log, plan_lines(plan, language=run.services.record.language))
    return Planned(plan, existing, desired, read_at, variables)


def check_ingresses_served(desired: Desired, existing: Existing, *, cluster: str) -> None:
    """Refuse Ingresses in the version of Kubernetes 1.19 and newer where the cluster has none.

    Raises:
        ManifestsInvalid: a detail for each.
    """
    if existing.ingresses_as in ("", INGRESS_V1):
        return
    served = existing.ingresses_as
    details = [
        say("deploy.old_cluster", object=found.title, file=file.name, cluster=cluster, served=served)
        for file in desired.files
        for found in file.documents
        if (found.kind, found.api_version) == ("Ingress", INGRESS_V1)
    ]
    if details:
        raise ManifestsInvalid(details=details)


def name_site(services: Services, site: Site) -> None:
    """Say which releases of BCS the answers so far are of, once, and warn where they are of two."""
    record = services.record
    told = releases(site.possible) if site.possible != EVERY else None
    if told is not None and record.heading.bcs is None:
        services.log.info(say("bcs.is", releases=told))
    record.heading = replace(record.heading, bcs=told)
    if site.contradiction is not None:
        first, second = site.contradiction
        warning = say("bcs.two", first=releases(first), second=releases(second))
        if warning.key not in {known.key for known in record.warnings}:
            services.warn(warning)


def look_at_branches(run: RenderedRun, planned: Planned) -> None:
    """Note for the report which branches have paths in the space; only where the run shares some itself."""
    if not planned.desired.shared:
        return
    record, now = run.services.record, run.services.clock.now()
    rows = rows_of_space(planned.desired, planned.existing, now=now)
    written = frozenset(outcome.change.name for outcome in record.applied())
    record.branches = with_this_build(rows, planned.desired.provenance, written=written, now=now)


def check_refusal(run: RenderedRun, planned: Planned) -> None:
    """Stop here if the plan must not be published; nothing has been written by this plan.

    Raises:
        StepError: why (8004xx).
    """
    refused = refusal(planned.plan, policy=run.policy, expect_plan=run.settings.expect_plan)
    if isinstance(refused, PlanChanged):
        approved = run.settings.expect_plan
        refused.details = tuple(what_differs(run.services.journal(), planned.plan, approved=approved))
    if refused is not None:
        look_at_branches(run, planned)
        raise refused


# --- what a plan can know already -----------------------------------------------------------------------


def look_ahead(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Ask and say what deploying this plan would meet, as far as that can be known before it is published.

    Raises:
        StepError: there is no such place, a deployment is not allowed, variables have no value, a Job can not
            be replaced, or, where all versions exist already, the dry run fails.
    """
    note = shared_cluster_note(run)
    if note is not None:
        run.services.log.warning(note)
    if run.settings.action != "publish" and run.settings.timeout:
        documents = [document for file in run.desired.files for document in file.documents]
        for sentence in wait_notes(documents, timeout=run.settings.timeout):
            run.services.log.info(sentence)
    if run.settings.namespace and run.settings.action != "publish":
        check_place(run, reader, planned)
    check_variables_early(run, reader, planned)
    if run.settings.action != "publish":
        _check_jobs_early(run, reader, planned)
    if run.settings.namespace and run.settings.action != "publish" and planned.existing.project_id:
        tell_pods(run, reader, namespace_of(run.context, planned.existing.project_id))
    if run.settings.action == "plan":
        dry_run_early(run, reader, planned.existing)


def check_place(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Ask for the rights to deploy and delete there: a run ends without them, a plan says the answer.

    Raises:
        ClusterNotVisible, NamespaceMissing: there is nothing to deploy into.
        StepError: what stands in the way of a deployment, before anything is written.
    """
    settings, project_id = run.settings, planned.existing.project_id
    place = NamespaceRef(settings.project_code, project_id, settings.cluster_id, settings.namespace)
    _take_answer(run, refusal_to_deploy(reader, place, concurrency=run.concurrency), asked="deploy")
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


def _check_jobs_early(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    again = run.settings.redeploy
    changing = {change.name for change in planned.plan.changes if change.writes_version or again}
    jobs = jobs_of([file for file in planned.desired.files if file.name in changing])
    if jobs:
        place = namespace_of(run.context, planned.existing.project_id)
        check_jobs(reader, place, jobs, planned.existing, again=again)


def dry_run_early(run: RenderedRun, reader: Reader, existing: Existing) -> frozenset[str]:
    """Show the live difference of a plan whose versions all exist already, after BCS's dry run of them.

    Returned are the files that would be deployed; none where a version is still to be written: BCS dry-runs
    versions, not texts.

    Raises:
        StepError: the dry run fails, or the deployment would be refused.
    """
    plan = run.services.record.plan
    if plan is None or any(change.writes_version or not change.version_id for change in plan.changes):
        return frozenset()
    place = namespace_of(run.context, existing.project_id)
    files = [as_it_counts(run, FileVersion(c.name, c.version_id, c.version)) for c in plan.changes]
    hold = hold_of(run, reader, place, existing)
    _, found = look_before(run.context, reader, place, files, existing, least=fewest_pods(run), hold=hold)
    run.services.log.info(say("deploy.dry_run_ok"))
    return frozenset(file.name for file in found.deploy)


def _of_the_namespace(run: RenderedRun, reader: Reader, plan: Plan, existing: Existing) -> Mapping[str, str]:
    """Return the namespace's values for the variables that the author gives none, as far as BCS tells them.

    BCS tells them only for the names in a version: those that the plan was made against, so that a retried
    step knows as much as its first try.

    Raises:
        StepError: BCS would not say.
    """
    given = run.context.variables
    names = {name for file in run.desired.files for name in file.variables}
    missing = [name for name in sorted(names) if name not in given and workload_of(name) is None]
    asked = [change.previous.id for change in plan.changes if change.previous is not None]
    if not (run.settings.cluster_id and missing and asked):
        return {}
    found = ask_variables(reader, namespace_of(run.context, existing.project_id), asked)
    known = {variable.key: variable.value for variable in found.vars}
    return {name: known[name] for name in missing if name in known}


def check_variables_early(run: RenderedRun, reader: Reader, planned: Planned) -> None:
    """Refuse a plan whose variables have no value, as far as BCS can be asked before versions exist.

    Raises:
        VariablesMissing: a detail for each variable that neither the author nor the namespace gives.
        StepError: BCS would not say.
    """
    known = planned.variables
    if known is None:
        known = _of_the_namespace(run, reader, planned.plan, planned.existing)
    lacking = [name for name, value in known.items() if not value]
    if lacking:
        raise VariablesMissing(details=[say("deploy.variable_missing", name=name) for name in lacking])


def shared_cluster_note(run: RenderedRun) -> Text | None:
    """Say which kinds a shared cluster would refuse; whether this one is shared only BCS knows."""
    kinds = sorted({d.kind for file in run.desired.files for d in file.documents} - SHARED_KINDS)
    return say("deploy.shared_kinds", kinds=kinds, cluster=run.settings.cluster_id) if kinds else None


def namespace_of(context: RunContext, project_id: str) -> NamespaceRef:
    """Return the namespace to deploy into.

    Raises:
        ProjectNotVisible: the project manager would not say the id that live objects are asked for by.
    """
    settings = context.settings
    if not project_id:
        identity = context.services.record.identity
        user = identity.acting_user if identity is not None else ""
        message = say("deploy.project_id_unknown")
        raise ProjectNotVisible(project=settings.project_code, user=user, message=message)
    return NamespaceRef(settings.project_code, project_id, settings.cluster_id, settings.namespace)


def as_it_counts(run: RenderedRun, version: FileVersion) -> FileVersion:
    """Return a version with what its number of pods means, and how many objects it holds.

    The number is this run's word, or what a mark can't tell. Without a load balancer routes hold nothing.
    """
    documents = next((file.documents for file in run.desired.files if file.name == version.name), ())
    numbers = [text_at(document.body, "spec", "replicas") for document in documents]
    names = [found.inner.strip() for number in numbers for found in bcs_variables_in(number)]
    sets_pods = any(workload_of(name) is None or name in run.context.variables for name in names)
    reused = run.settings.overwrite_version
    return replace(version, sets_pods=sets_pods, reused=reused, objects=objects_in(documents))


def fewest_pods(run: RenderedRun) -> Mapping[Workload, int]:
    """Return the fewest pods of each workload that an autoscaler of this run scales."""
    bodies = (document.body for file in run.desired.files for document in file.documents)
    return targets_of(autoscalers_in(bodies))
