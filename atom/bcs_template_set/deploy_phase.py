"""Deploy what was published, wait, look at the pages, and go back if that was asked for.

The order, and why: variables and dry run first, so that nothing is applied that can't be; the one call; the
wait; the pages; and only then the verdict, since a front end that is ready and serves the old build has
failed. Whatever happens, the story knows what was deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bcs_template_set.arrival import Pages, verify_arrivals
from bcs_template_set.bcs.deploy_calls import WATCHED_KINDS, Place
from bcs_template_set.clock import Clock, Deadline
from bcs_template_set.errors import (
    NotArrived,
    RolloutBlocked,
    RolloutFailed,
    RolloutTimedOut,
    StepError,
)
from bcs_template_set.messages import Text, say
from bcs_template_set.publish import Writer
from bcs_template_set.rollout.causes import evidence_of
from bcs_template_set.rollout.deploy import Deploying, deploy_files, plan_live, resolve_variables
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, FileVersion, LiveState
from bcs_template_set.rollout.restore import versions_before, way_back
from bcs_template_set.rollout.result import Restoration, Rollout
from bcs_template_set.rollout.watch import watch
from bcs_template_set.rollout.watched import Watched, Workload
from bcs_template_set.settings import Settings

IMAGE = 1
"""The errorType of a cause that is the image's or the manifest's fault (rollout/causes.py)."""


@dataclass(frozen=True)
class DeployPhase:
    """What the phase works with.

    `tell` prints a sentence, `keep` remembers the rollout as far as it has come, `restore` the way back.
    """

    writer: Writer
    place: Place
    space: str
    settings: Settings
    given: Mapping[str, str]
    pages: Pages
    clock: Clock
    deadline: Deadline
    tell: Callable[[Text], None]
    on_plan: Callable[[DeploymentPlan], None]
    on_change: Callable[[Watched], None]
    keep: Callable[[Rollout], None]
    restore: Callable[[Restoration], None]


def deploy_phase(phase: DeployPhase, files: Sequence[FileVersion], *, own: frozenset[str]) -> Rollout:
    """Deploy versions and return what came of it.

    `own` are the files whose version this build published: their workloads are waited for also where an
    earlier try of this step has deployed them already.

    Raises:
        StepError: nothing was deployed, or a rollout failed (8005xx); the rollout is kept in any case.
    """
    variables = resolve_variables(phase.writer, phase.place, files, given=phase.given)
    deploying = Deploying(phase.place, phase.space, variables, phase.clock, phase.deadline)
    plan = plan_live(phase.writer, deploying, files, redeploy=phase.settings.redeploy)
    phase.on_plan(plan)
    if plan.refused is not None:
        raise plan.refused
    before = versions_before(plan.deploy, plan.states, space=phase.space)
    rollout = Rollout(
        cluster_id=phase.place.cluster_id,
        namespace=phase.place.namespace,
        live_already=plan.live_already,
        before=tuple(sorted(before.items())),
        differences=plan.differences,
        waited=phase.settings.timeout > 0,
    )
    try:
        return _see_it_through(phase, deploying, plan, rollout, own=own)
    except StepError as exc:
        exc.with_context(cluster=phase.place.cluster_id, namespace=phase.place.namespace)
        if phase.settings.on_failure == "restore" and plan.deploy:
            phase.restore(_restore(phase, deploying, plan, before=before))
        raise


def _see_it_through(
    phase: DeployPhase, deploying: Deploying, plan: DeploymentPlan, rollout: Rollout, *, own: frozenset[str]
) -> Rollout:
    if plan.deploy:
        rollout = replace(rollout, deployed=plan.deploy)
        phase.keep(rollout)
        deploy_files(phase.writer, deploying, plan.deploy)
        phase.tell(say("deploy.deployed", count=len(plan.deploy), names=[f.name for f in plan.deploy][:20]))
    awaited = [*plan.deploy, *(file for file in plan.live_already if file.name in own)]
    rollout = replace(rollout, watched=_wait(phase, awaited, plan.states))
    phase.keep(rollout)
    check_watched(rollout.watched, timeout=phase.settings.timeout)
    return _arrive(phase, rollout)


# --- waiting --------------------------------------------------------------------------------------------


def _wait(
    phase: DeployPhase, files: Sequence[FileVersion], states: Sequence[LiveState]
) -> tuple[Watched, ...]:
    workloads = workloads_of(files, states, space=phase.space)
    if not workloads or phase.settings.timeout == 0:
        reason = "deploy.not_waiting" if workloads else "deploy.nothing_to_wait_for"
        phase.tell(say(reason, count=len(workloads)))
        return ()
    phase.tell(say("deploy.waiting", count=len(workloads), seconds=phase.settings.timeout))
    seconds = min(float(phase.settings.timeout), phase.deadline.remaining())
    return watch(
        phase.writer,
        phase.place,
        workloads,
        clock=phase.clock,
        deadline=Deadline(phase.clock, seconds=seconds),
        on_change=phase.on_change,
    )


def workloads_of(files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str) -> list[Workload]:
    """Return the workloads of these files, at the versions they must be marked with."""
    versions = {file.name: file.version for file in files}
    return [
        Workload(state.kind, state.name, f"{space}/{state.file}", versions[state.file])
        for state in states
        if state.kind in WATCHED_KINDS and state.file in versions
    ]


def check_watched(watched: Sequence[Watched], *, timeout: int) -> None:
    """Raise what the waiting came to, unless everything is as it should be.

    Raises:
        RolloutFailed, RolloutBlocked: a workload can't become ready, by its image's or the cluster's fault.
        RolloutTimedOut: some are still on their way; that is not a failure of theirs.
    """
    failed = [item for item in watched if item.end == "failed"]
    if failed:
        by_image = any(item.cause is not None and item.cause.fault == IMAGE for item in failed)
        kind = RolloutFailed if by_image else RolloutBlocked
        raise kind(count=len(failed), details=[line for item in failed for line in explain(item)])
    pending = [item for item in watched if item.end == "pending"]
    if pending:
        details = [line for item in pending for line in explain(item)]
        raise RolloutTimedOut(count=len(pending), seconds=timeout, details=details)


def explain(item: Watched) -> list[Text]:
    """Return what there is to say of a workload that is not ready: where it stands, why, what to do."""
    lines: list[Text] = []
    sentence = item.status.sentence if item.status is not None else say("deploy.never_seen")
    lines.append(say("deploy.workload", object=item.workload.title, sentence=sentence))
    if item.error is not None:
        lines.append(item.error.title())
    if item.cause is not None:
        lines.append(item.cause.sentence)
    if item.problem is not None:
        lines += evidence_of(item.problem)
    if item.cause is not None:
        lines.append(say("context.cure", value=item.cause.cure))
    return lines


# --- arrival --------------------------------------------------------------------------------------------


def _arrive(phase: DeployPhase, rollout: Rollout) -> Rollout:
    """Fetch the pages the author named, and fail if one does not serve what it should."""
    if not phase.settings.verify_urls:
        return rollout
    arrivals = verify_arrivals(
        phase.settings.verify_urls, pages=phase.pages, clock=phase.clock, deadline=phase.deadline
    )
    rollout = replace(rollout, arrivals=arrivals)
    phase.keep(rollout)
    for arrival in arrivals:
        phase.tell(arrival.describe())
    missed = [arrival for arrival in arrivals if not arrival.ok]
    if missed:
        raise NotArrived(count=len(missed), details=[arrival.describe() for arrival in missed])
    return rollout


# --- restore --------------------------------------------------------------------------------------------


def _restore(
    phase: DeployPhase, deploying: Deploying, plan: DeploymentPlan, *, before: Mapping[str, str]
) -> Restoration:
    """Deploy what was there before and wait for it; a problem of this is told beside the first one."""
    phase.tell(say("deploy.restoring"))
    restoration = Restoration()
    try:
        way = way_back(
            phase.writer,
            project=phase.place.project,
            space=phase.space,
            files=plan.deploy,
            before=before,
        )
        restoration = Restoration(files=way.back, left=way.first_time)
        if not way.back:
            return restoration
        states = deploy_files(phase.writer, deploying, way.back)
        restoration = replace(restoration, watched=_wait(phase, way.back, states))
        check_watched(restoration.watched, timeout=phase.settings.timeout)
    except StepError as exc:
        return replace(restoration, problem=exc.title())
    return restoration
