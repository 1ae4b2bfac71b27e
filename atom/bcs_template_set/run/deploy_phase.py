"""Deploy what was published, wait, look at the pages, and go back if that was asked for.

The order, and why: variables and dry run first, so that nothing is applied that can't be; the one call; the
wait; the pages; and only then the verdict, since a front end that is ready and serves the old build has
failed. Whatever happens, the story knows what was deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from bcs_template_set.bcs.calls import Writer
from bcs_template_set.bcs.deploy_calls import WATCHED_KINDS, Place
from bcs_template_set.config.inputs import Settings
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    NotArrived,
    RolloutBlocked,
    RolloutFailed,
    RolloutTimedOut,
    StepError,
)
from bcs_template_set.report.workload_rows import workload_row
from bcs_template_set.rollout.deploy import (
    Deploying,
    deploy_files,
    live_files,
    look,
    plan_live,
    resolve_variables,
    unlike,
)
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, FileVersion, LiveState, moved_ports
from bcs_template_set.rollout.page_checks import Pages, verify_arrivals
from bcs_template_set.rollout.restore import (
    Way,
    absent,
    added,
    overtaken,
    touched,
    versions_before,
    way_back,
)
from bcs_template_set.rollout.result import Restoration, Rollout
from bcs_template_set.rollout.watch import watch
from bcs_template_set.rollout.watched import Watched, Workload
from bcs_template_set.system.clock import Clock, Deadline

TO_SPEAK = 5.0
"""Seconds of the step's own time that no wait uses up."""

TO_DEPLOY = 0.6
"""The share of the step's own time for deploying, where the rest may be needed for a restore."""

MOST_LOOKS = 3
"""How often what others published while we deployed is deployed too."""

IMAGE = 1
"""The errorType of a cause that is the image's or the manifest's fault (causes.py)."""


@dataclass(frozen=True)
class DeployPhase:
    """What the phase works with.

    `tell` prints a sentence, `warn` also keeps it for the report, `keep` remembers the rollout as far as it
    has come, `restore` the way back. `newest` looks which versions are to be live (versions_to_deploy.py).
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
    warn: Callable[[Text], None]
    on_plan: Callable[[DeploymentPlan], None]
    on_change: Callable[[Watched], None]
    on_quiet: Callable[[Sequence[Watched], float], None]
    keep: Callable[[Rollout], None]
    newest: Callable[[Sequence[FileVersion]], tuple[FileVersion, ...]]
    restore: Callable[[Restoration], None]


def deploy_phase(phase: DeployPhase, files: Sequence[FileVersion], *, own: frozenset[str]) -> Rollout:
    """Deploy versions and return what came of it.

    `own` are the files whose version this build published: their workloads are waited for also where an
    earlier try of this step has deployed them already.

    Raises:
        StepError: nothing was deployed, or a rollout failed (8005xx); the rollout is kept in any case.
    """
    files = _at_their_newest(phase, files)
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
    phase.keep(rollout)
    try:
        return _see_it_through(phase, deploying, plan, rollout, own=own)
    except StepError as exc:
        exc.with_context(cluster=phase.place.cluster_id, namespace=phase.place.namespace)
        if phase.settings.on_failure == "restore" and plan.deploy:
            phase.tell(say("deploy.restoring"))
            phase.restore(_restore(phase, deploying, plan.deploy, before=before, known=plan.states))
        raise


def _see_it_through(
    phase: DeployPhase, deploying: Deploying, plan: DeploymentPlan, rollout: Rollout, *, own: frozenset[str]
) -> Rollout:
    if plan.deploy:
        rollout = _deploy(phase, deploying, plan, rollout)
        rollout = _deploy_what_came_meanwhile(phase, deploying, rollout)
    # Where nothing is deployed the verdict is about what is live: an earlier build may have left it broken.
    waits_for_all = not plan.deploy
    awaited = [*plan.deploy, *(f for f in plan.live_already if waits_for_all or f.name in own)]
    seconds = _patience(phase)
    rollout = replace(rollout, watched=_wait(phase, awaited, plan.states, seconds=seconds))
    phase.keep(rollout)
    check_watched(rollout.watched, seconds=seconds)
    return _arrive(phase, rollout)


def _deploy(phase: DeployPhase, deploying: Deploying, plan: DeploymentPlan, rollout: Rollout) -> Rollout:
    """Send the one call, and keep what is live after it, however it ended."""
    known = plan.states_of(file.name for file in plan.deploy)
    try:
        states = deploy_files(phase.writer, deploying, plan.deploy, known=known)
    except StepError:
        phase.keep(_as_far_as_it_came(phase, deploying, plan, rollout))
        raise
    rollout = replace(rollout, deployed=plan.deploy)
    phase.keep(rollout)
    phase.tell(say("deploy.deployed", count=len(plan.deploy), names=[f.name for f in plan.deploy][:20]))
    for note in moved_ports(known, states):
        phase.warn(note)
    changed = unlike(states)
    if changed:
        phase.warn(say("deploy.unlike", objects=list(changed)))
    return rollout


def _at_their_newest(phase: DeployPhase, files: Sequence[FileVersion]) -> tuple[FileVersion, ...]:
    """Return the files at the versions to be live, and say where that is another build's."""
    newest = phase.newest(files)
    for file, before in zip(newest, files):
        if file.version_id != before.version_id:
            phase.tell(
                say("deploy.newest_instead", name=file.name, version=file.version, ours=before.version)
            )
    return newest


def _deploy_what_came_meanwhile(phase: DeployPhase, deploying: Deploying, rollout: Rollout) -> Rollout:
    """Deploy what other builds made of shared files while ours was on its way.

    They may have deployed theirs before our call came, which then took it back.

    Raises:
        StepError: as for the first deployment.
    """
    for _ in range(MOST_LOOKS):
        newest = _at_their_newest(phase, rollout.deployed)
        changed = [file for file in newest if file not in rollout.deployed]
        if not changed:
            break
        plan = plan_live(phase.writer, deploying, changed, redeploy=False)
        if plan.refused is not None:
            raise plan.refused
        deployed = replace(rollout, deployed=newest)
        if plan.deploy:
            names = [file.name for file in plan.deploy]
            deploy_files(phase.writer, deploying, plan.deploy, known=plan.states_of(names))
        phase.keep(deployed)
        rollout = deployed
    return rollout


def _as_far_as_it_came(
    phase: DeployPhase, deploying: Deploying, plan: DeploymentPlan, rollout: Rollout
) -> Rollout:
    """Return the rollout with what a failed call made live all the same, as far as that can be read."""
    try:
        states, _ = look(phase.writer, deploying, plan.deploy)
    except StepError as exc:
        phase.warn(say("deploy.state_unknown", problem=exc.title()))
        return rollout
    before = live_files(plan.states, plan.deploy, space=phase.space)
    now = live_files(states, plan.deploy, space=phase.space)
    begun = touched(plan.deploy, states, space=phase.space)
    had_some = touched(plan.deploy, plan.states, space=phase.space)
    return replace(
        rollout,
        deployed=tuple(file for file in now if file not in before),
        partly=tuple(file for file in begun if file not in (*now, *had_some)),
    )


# --- waiting --------------------------------------------------------------------------------------------


def _wait(
    phase: DeployPhase, files: Sequence[FileVersion], states: Sequence[LiveState], *, seconds: float
) -> tuple[Watched, ...]:
    workloads = workloads_of(files, states, space=phase.space)
    if not workloads or phase.settings.timeout == 0:
        reason = "deploy.not_waiting" if workloads else "deploy.nothing_to_wait_for"
        phase.tell(say(reason, count=len(workloads)))
        return ()
    phase.tell(say("deploy.waiting", count=len(workloads), seconds=round(seconds)))
    return watch(
        phase.writer,
        phase.place,
        workloads,
        clock=phase.clock,
        deadline=Deadline(phase.clock, seconds=seconds),
        on_change=phase.on_change,
        on_quiet=phase.on_quiet,
    )


def _patience(phase: DeployPhase) -> float:
    """Return how long to wait: the author's time, cut so that the step can still speak, or go back."""
    left = max(0.0, phase.deadline.remaining() - TO_SPEAK)
    share = TO_DEPLOY if phase.settings.on_failure == "restore" else 1.0
    return min(float(phase.settings.timeout), left * share)


def workloads_of(files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str) -> list[Workload]:
    """Return the workloads of these files, at the versions they must be marked with."""
    versions = {file.name: file.version for file in files}
    return [
        Workload(state.kind, state.name, f"{space}/{state.file}", versions[state.file])
        for state in states
        if state.kind in WATCHED_KINDS and state.file in versions
    ]


def check_watched(watched: Sequence[Watched], *, seconds: float) -> None:
    """Raise what the waiting came to, unless everything is as it should be.

    Raises:
        RolloutFailed, RolloutBlocked: a workload can't become ready, by its image's or the cluster's fault.
        RolloutTimedOut: some are still on their way; that is not a failure of theirs.
    """
    failed = [item for item in watched if item.end == "failed"]
    if failed:
        by_image = any(item.cause is not None and item.cause.fault == IMAGE for item in failed)
        kind = RolloutFailed if by_image else RolloutBlocked
        raise kind(count=len(failed), details=_explanation(failed))
    pending = [item for item in watched if item.end == "pending"]
    if pending:
        raise RolloutTimedOut(count=len(pending), seconds=round(seconds), details=_explanation(pending))


def _explanation(watched: Sequence[Watched]) -> list[Text]:
    return [line for item in watched for line in workload_row(item).explanation]


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


def go_back(phase: DeployPhase, files: Sequence[FileVersion], *, before: Mapping[str, str]) -> Restoration:
    """Restore files that an earlier process deployed, and tell why where that does not work out.

    How the objects were before nobody knows here: each that is not at its file's version is somebody else's.

    Raises:
        StepError: the variables of these versions have no values any more, or nothing could be asked.
    """
    values = resolve_variables(phase.writer, phase.place, files, given=phase.given)
    deploying = Deploying(phase.place, phase.space, values, phase.clock, phase.deadline)
    return _restore(phase, deploying, files, before=before, known=None)


def _restore(
    phase: DeployPhase,
    deploying: Deploying,
    files: Sequence[FileVersion],
    *,
    before: Mapping[str, str],
    known: Optional[Sequence[LiveState]],
) -> Restoration:
    """Deploy what was there before and wait for it; a problem of this is told beside the first one.

    `known` are the objects as they were before, None where nobody here has seen them.
    """
    restoration = Restoration()
    try:
        states, _ = look(phase.writer, deploying, files)
        way = way_back(
            phase.writer,
            project=phase.place.project,
            space=phase.space,
            files=touched(files, states, space=phase.space),
            before=before,
            left=overtaken(files, states, space=phase.space, known=known or ()),
            missing=absent(files, states, before=before, known=known),
        )
        restoration = Restoration(
            left=way.first_time,
            same=way.same,
            gone=way.gone,
            absent=way.absent,
            overtaken=way.overtaken,
            not_back=tuple(file.name for file in way.back),
        )
        restoration, deployed = _deploy_again(phase, deploying, way.back, restoration)
        # Looked at before the wait, which may end in a failure: what is left is left either way.
        restoration = replace(restoration, added=_added(phase, deploying, files, way, known=known))
        seconds = min(float(phase.settings.timeout), max(0.0, phase.deadline.remaining() - TO_SPEAK))
        if way.back:
            restoration = replace(restoration, watched=_wait(phase, way.back, deployed, seconds=seconds))
        check_watched(restoration.watched, seconds=seconds)
    except StepError as exc:
        return replace(restoration, problem=exc.title())
    return restoration


def _deploy_again(
    phase: DeployPhase, deploying: Deploying, files: Sequence[FileVersion], restoration: Restoration
) -> tuple[Restoration, tuple[LiveState, ...]]:
    """Deploy the versions from before; return what is back only where every object shows it."""
    if not files:
        return restoration, ()
    # An older version may name variables that the new ones do not.
    values = resolve_variables(phase.writer, phase.place, files, given=phase.given)
    back_again = replace(deploying, variables=values)
    known = look(phase.writer, back_again, files)[0]
    deployed = deploy_files(phase.writer, back_again, files, known=known)
    return replace(restoration, files=tuple(files), not_back=()), deployed


def _added(
    phase: DeployPhase,
    deploying: Deploying,
    files: Sequence[FileVersion],
    way: Way,
    *,
    known: Optional[Sequence[LiveState]],
) -> tuple[str, ...]:
    """Name what the versions that are to be taken back leave in the cluster.

    Where nobody has seen what was there before, nothing is said of a file that should have gone back whole.
    """
    others = way.same if known is not None else (*way.same, *way.gone)
    taken_back = [file for file in files if file.name not in others]
    states, _ = look(phase.writer, deploying, taken_back) if taken_back else ((), "")
    return added(taken_back, states, space=phase.space, known=known)
