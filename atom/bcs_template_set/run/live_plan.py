"""What deploying would change in the cluster: read, shown, refused where it must not be. Holds no writer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.live_replicas import Workload
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.rollout_lines import deployment_lines
from bcs_template_set.rollout.before_deploying import resolve_variables
from bcs_template_set.rollout.deploy_notes import marked_elsewhere, odd_notes
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, Hold, hold_nothing
from bcs_template_set.rollout.live_look import plan_live, seen_whole
from bcs_template_set.rollout.live_state import FileVersion, objects_in
from bcs_template_set.rollout.restore import find_version, gone_marks
from bcs_template_set.rollout.sized_calls import AT_ONCE, Deploying
from bcs_template_set.run.context import RunContext
from bcs_template_set.run.finish import show_lines


def look_before(
    context: RunContext,
    reader: Reader,
    place: NamespaceRef,
    files: Sequence[FileVersion],
    existing: Existing,
    *,
    least: Mapping[Workload, int],
    hold: Hold = hold_nothing,
) -> tuple[Deploying, DeploymentPlan]:
    """Return what it takes to deploy versions, and what that would change, which is shown.

    `least` are the fewest pods of autoscaled workloads, `existing` is what BCS held before this run. `hold`
    says which versions stay undeployed.

    Raises:
        StepError: the dry run fails, or the deployment must not be.
    """
    record, log, space = context.services.record, context.services.log, context.settings.template_space
    values = resolve_variables(reader, place, files, given=context.variables, least=least)
    deploying = deploying_of(context, place, values)
    plan = plan_live(reader, deploying, files, redeploy=context.settings.redeploy, hold=hold)
    plan = seen_whole(reader, deploying, plan)
    # What was said of the plan is not said twice.
    warnings = [warning for warning in (*plan.said, *plan.pods) if warning not in record.warnings]
    plan = replace(plan, pods=tuple(warnings))
    show_lines(log, deployment_lines(plan, language=record.language))
    record.warnings.extend(plan.pods)
    for note in _odd_marks(reader, files, plan, existing, place=place, space=space):
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
        at_once=min(AT_ONCE, context.concurrency),
        on_quiet=tell,
    )


def _odd_marks(
    reader: Reader,
    files: Sequence[FileVersion],
    plan: DeploymentPlan,
    existing: Existing,
    *,
    place: NamespaceRef,
    space: str,
) -> Iterator[Text]:
    """Yield what is odd about live objects, before anything is deployed."""

    def held(name: str, version: str) -> Collection[str]:
        file = existing.files.get(name)
        if file is not None and file.current is not None and file.current.version == version:
            return objects_in(file.documents)
        found = None
        with suppress(StepError):  # of what nobody could look at nothing is said
            found = find_version(reader, place.project, space, name, version)
        return objects_in(parse_foreign(found.content)) if found is not None else ()

    if not plan.is_blind:
        yield from odd_notes(plan.deploy, plan.states, space=space, held=held)
        yield from marked_elsewhere(plan.live_already, plan.states, space=space)
    known = {name: file.names for name, file in existing.files.items()}
    yield from gone_marks(reader, files, plan.states, project=place.project, space=space, known=known)
