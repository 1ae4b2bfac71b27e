"""The plan phase of a run: read what the space holds, and plan. Holds no writer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.dialect import EVERY, Site, releases
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.read_space import read_existing
from bcs_template_set.bcs.space.wanted import Again, Wanted
from bcs_template_set.branches.last_builds import rows_of_space, with_this_build
from bcs_template_set.branches.merge_paths import routes_files, with_branches
from bcs_template_set.manifests.live_replicas import workload_of
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import ManifestsInvalid, PlanChanged
from bcs_template_set.messages.past_errors import NothingNamed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Plan, holding, refusal
from bcs_template_set.report.log_lines import plan_lines
from bcs_template_set.rollout.before_deploying import (
    ask_variables,
)
from bcs_template_set.run.context import Planned, RenderedRun, Services
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.journal import what_differs
from bcs_template_set.run.prune_phase import with_pruning
from bcs_template_set.run.render_phase import check_desired

INGRESS_V1 = "networking.k8s.io/v1"


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
    existing = read_existing(reader, wanted)
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
        variables = values_of_namespace(run, reader, plan, existing)
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
    """Note for the report which branches have paths in the files that the run shares with them."""
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
        refused.details = tuple(what_differs(run.services.record.journal, planned.plan, approved=approved))
    if refused is not None:
        raise refused


def values_of_namespace(
    run: RenderedRun, reader: Reader, plan: Plan, existing: Existing
) -> Mapping[str, str]:
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
    found = ask_variables(reader, run.context.namespace(existing.project_id), asked)
    known = {variable.key: variable.value for variable in found.vars}
    return {name: known[name] for name in missing if name in known}
