"""The deploy phase of a run: deploy what was published, wait, look at the pages, and restore if asked to.

The order, and why: variables and dry run first, so that nothing is applied that can't be; the calls; the
wait; the pages; and only then the verdict, since a front end that is ready and serves the old build has
failed. Whatever happens, the record knows what was deployed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcs_template_set.bcs.calls import Reader, Writer
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.template_spaces import find_space
from bcs_template_set.manifests.declared_kinds import declared_kinds
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import NewerBuild, NotArrived
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.deploy_files import States, deploy_files
from bcs_template_set.rollout.deploy_notes import moved_objects, restart_notes
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, moved_ports
from bcs_template_set.rollout.live_look import plan_live, unlike
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.page_checks import verify_arrivals
from bcs_template_set.rollout.restore import readiness_of, versions_before
from bcs_template_set.rollout.result import RESTORED_AFTER, Before, Rollout
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.run.context import Planned, RenderedRun
from bcs_template_set.run.deploy_target import (
    DeployProgress,
    DeployTarget,
    check_watched,
    unwatched,
    wait_for,
)
from bcs_template_set.run.journal import EarlierTry
from bcs_template_set.run.look_ahead import as_it_counts, look_before
from bcs_template_set.run.restore_phase import Restore
from bcs_template_set.run.versions_to_deploy import Looking, newest_versions
from bcs_template_set.system.address_kinds import is_link_local
from bcs_template_set.system.http_client import Transport

TO_DEPLOY = 0.6
"""The share of the step's own time for deploying, where the rest may be needed for a restore."""

MOST_LOOKS = 3
"""How often what others published while we deployed is deployed too."""

NO_STATUS = "rollout.no_status"


def deploy_run(run: RenderedRun, writer: Writer, *, planned: Planned) -> Result:
    """Deploy what this run wants live, wait for it, and return the result.

    Raises:
        StepError: what went wrong (8005xx); what was deployed is in the record.
    """
    services, settings = run.services, run.settings
    files = versions_to_be_live(run, planned.existing)
    services.log.group_start(say("deploy.group", cluster=settings.cluster_id, namespace=settings.namespace))
    place = run.context.namespace(planned.existing.project_id)
    target = DeployTarget(run.context, writer, place, declared_kinds(run.desired.files))
    try:
        rollout = deploy_versions(run, target, files, planned=planned)
    except NewerBuild as exc:
        begun = services.record.rollout  # the newer one may have been live by then: that is no skipping
        if settings.on_newer_build != "skip" or (begun is not None and begun.deployed):
            raise
        services.record.warnings.append(say("deploy.skipped_newer", builds=list(exc.details)))
        return "skipped"
    services.log.group_end()
    return "paused" if rollout.is_paused else "deployed"


def _looking(run: RenderedRun, reader: Reader, planned: Planned) -> Looking:
    """Return what it takes to look for newer versions; the space may have been made by this very run."""
    target = planned.desired.target
    space = planned.existing.space or find_space(reader, project=target.project, space=target.space)
    return Looking(run, planned.desired, reader, space.id if space is not None else "")


def versions_to_be_live(run: RenderedRun, existing: Existing) -> list[FileVersion]:
    """Return every file of the run at the version it has now in BCS."""
    deployed = {name: found.metadata.latest_deploy_version for name, found in existing.files.items()}
    return [
        as_it_counts(
            run,
            FileVersion(
                name=outcome.change.name,
                version_id=outcome.version_id,
                version=outcome.version,
                before=deployed.get(outcome.change.name, ""),
                rewritten=outcome.state == "applied" and outcome.change.overwrites,
            ),
        )
        for outcome in run.services.record.files()
        if outcome.version_id and outcome.state in ("applied", "unchanged")
    ]


def deploy_versions(
    run: RenderedRun, target: DeployTarget, files: Sequence[FileVersion], *, planned: Planned
) -> Rollout:
    """Deploy versions, wait for their workloads, look at the pages, and return what came of it.

    Raises:
        StepError: nothing was deployed, or a rollout failed (8005xx); the rollout is kept in any case.
    """
    # Their workloads are waited for also where an earlier try of this step has deployed them already.
    own = frozenset(file.name for file in files if file.version == run.desired.version)
    writer, place = target.writer, target.place
    looking = _looking(run, writer, planned)
    files = _at_their_newest(target, looking, files)
    deploying, plan = look_before(run, writer, files, planned.existing)
    record, journal = run.services.record, run.services.record.journal
    tried = EarlierTry()
    if journal is not None:
        tried = journal.earlier_try(plan, own=own, settings=run.settings)
    rollout = Rollout(
        cluster_id=place.cluster_id,
        namespace=place.namespace,
        live_already=plan.live_already,
        earlier=tried.files,
        lost=tried.lost,
        before=_before(target, plan, tried),
        differences=plan.differences,
        pods=plan.open,
        waited=target.settings.timeout > 0,
        restores=target.settings.on_failure == "restore",
        unwatched=tuple(unwatched(files, plan.states, declared=target.declared)),
        moved=moved_objects(plan.states, space=target.space),
        held=plan.held,
    )
    target.keep(rollout)
    if journal is not None and plan.deploy:
        journal.leave(replace(record.tell("deployed"), rollout=replace(rollout, deployed=plan.deploy)))
    try:
        return _Deployment(target, looking, own, deploying, plan).see_through(rollout)
    except StepError as exc:
        exc.with_context(cluster=place.cluster_id, namespace=place.namespace)
        mine = (*plan.deploy, *tried.files)
        wanted = rollout.restores and (mine or tried.lost)
        if wanted and not _has_failed(exc, record.rollout or rollout):
            target.tell(say("deploy.not_restoring"))
        elif wanted:
            target.tell(say("deploy.restoring"))
            known = plan.states_of({f.name for f in plan.deploy} - {item.file for item in tried.before})
            ended = record.rollout or rollout
            theirs = {item.workload.file_name for item in ended.watched if item.is_of_others}
            way = Restore(target, deploying, mine, rollout.before, known, tried.lost, theirs)
            target.keep(replace(ended, restoration=way.carry_out()))
        raise


def _before(target: DeployTarget, plan: DeploymentPlan, tried: EarlierTry) -> tuple[Before, ...]:
    """Return what was live before this build, and whether that was ready; "" for nothing is left out."""
    known = {item.file: item for item in tried.before}
    replaced = plan.states_of(file.name for file in plan.deploy)
    versions = versions_before(plan.deploy, replaced, space=target.space)
    ready = readiness_of(replaced)
    found = {name: Before(name, version, ready.get(name, True)) for name, version in versions.items()}
    return tuple(item for _, item in sorted({**found, **known}.items()) if item.version)


def _has_failed(error: StepError, rollout: Rollout) -> bool:
    """Tell whether what this run deployed was seen to fail.

    What was live before and is not ready does not become so by taking back what this run deployed; what
    somebody else has deployed or changed since is no failure of it; and an answer without `status` says
    nothing against a workload.
    """
    if not isinstance(error, RESTORED_AFTER):
        return False
    troubled = rollout.troubled
    return not troubled or any(
        item.status is not None
        and item.status.sentence.key != NO_STATUS
        and not (item.workload.was_live or item.is_of_others)
        for item in troubled
    )


@dataclass(frozen=True)
class _Deployment:
    """What is to be made live: `own` are the files whose version this build published."""

    target: DeployTarget
    looking: Looking
    own: frozenset[str]
    deploying: Deploying
    plan: DeploymentPlan

    def see_through(self, rollout: Rollout) -> Rollout:
        """Deploy, wait and look at the pages; each step's end is kept before the next one may fail."""
        target, plan = self.target, self.plan
        # The author's time, cut so that the step can still speak, or restore.
        share = TO_DEPLOY if rollout.restores else 1.0
        seconds = min(float(target.settings.timeout), target.time_left * share)
        states = plan.states
        if plan.deploy:
            writer = target.patient(seconds)
            rollout, seen = self._deploy(writer, rollout)
            states = _newest_of(states, seen)
            rollout, states = self._deploy_what_came_meanwhile(writer, rollout, states)
        awaited = [*rollout.deployed, *plan.live_already]
        seconds = min(float(target.settings.timeout), target.time_left * share)
        watched = wait_for(target, awaited, states, seconds=seconds, unsent=plan.live_already, own=self.own)
        rollout = target.keep(replace(rollout, watched=watched))
        check_watched(rollout.watched, seconds=seconds, timeout=target.settings.timeout)
        _arrive(target, rollout)
        return rollout

    def _deploy(self, writer: Writer, rollout: Rollout) -> tuple[Rollout, States]:
        """Send what is to be deployed, keep what is live, however it ends; return that with its objects."""
        target, plan = self.target, self.plan
        known = plan.states_of(file.name for file in plan.deploy)
        progress = DeployProgress(target, plan, rollout)
        states = deploy_files(writer, self.deploying, plan.deploy, known=known, observer=progress)
        rollout = target.keep(replace(rollout, deployed=plan.deploy))
        names = first_names([file.name for file in plan.deploy])
        target.tell(say("deploy.deployed", count=len(plan.deploy), names=names))
        for note in moved_ports(known, states):
            target.warn(note)
        for note in restart_notes(plan, redeploy=target.settings.redeploy):
            target.warn(note)
        changed = unlike(states)
        if changed:
            target.warn(say("deploy.unlike", objects=list(changed)))
        before = {(state.file, state.title): state.whole for state in known}
        return rollout, tuple(replace(s, whole=before.get((s.file, s.title), s.whole)) for s in states)

    def _deploy_what_came_meanwhile(
        self, writer: Writer, rollout: Rollout, states: States
    ) -> tuple[Rollout, States]:
        """Deploy what other builds made of shared files while ours was on its way; return also all objects.

        They may have deployed theirs before our call came, which then took it back.

        Raises:
            StepError: as for the first deployment.
        """
        target, deploying = self.target, self.deploying
        looking = replace(self.looking, reader=writer)
        for _ in range(MOST_LOOKS):
            newest = _at_their_newest(target, looking, rollout.deployed)
            changed = [file for file in newest if file not in rollout.deployed]
            if not changed:
                break
            plan = plan_live(writer, deploying, changed, redeploy=False)
            if plan.refused is not None:
                raise plan.refused
            for warning in plan.pods:
                target.warn(warning)
            states = _newest_of(states, plan.states)
            deployed = replace(rollout, deployed=newest)
            known = plan.states_of(file.name for file in plan.deploy)
            states = _newest_of(states, deploy_files(writer, deploying, plan.deploy, known=known))
            rollout = target.keep(deployed)
        return rollout, states


def _newest_of(states: States, seen: States) -> States:
    """Return the objects of all files, those of files that were read back as they were seen then."""
    files = {state.file for state in seen}
    return (*(state for state in states if state.file not in files), *seen)


def _at_their_newest(
    target: DeployTarget, looking: Looking, files: Sequence[FileVersion]
) -> tuple[FileVersion, ...]:
    """Return the files at the versions to be live, and say where that is another build's."""
    newest = newest_versions(looking, files)
    for file, before in zip(newest, files):
        if file.version_id != before.version_id:
            target.tell(
                say("deploy.newest_instead", name=file.name, version=file.version, ours=before.version)
            )
    return newest


# --- pages ----------------------------------------------------------------------------------------------


def _arrive(target: DeployTarget, rollout: Rollout) -> None:
    """Fetch the pages the author named, and fail if one does not serve what it should."""
    urls, environ = target.settings.verify_urls, target.context.machine.environ
    if not urls:
        return
    if rollout.is_paused:  # pages may come from old pods still, as they should
        target.warn(say("deploy.pages_not_checked"))
        return
    pages = Transport(environ=environ, refuses=is_link_local)
    services = target.context.services
    arrivals = verify_arrivals(urls, pages=pages, clock=services.clock, deadline=services.deadline)
    target.keep(replace(rollout, arrivals=arrivals))
    for arrival in arrivals:
        target.tell(arrival.describe())
    missed = [arrival for arrival in arrivals if not arrival.ok]
    if missed:
        raise NotArrived(count=len(missed), details=[arrival.describe() for arrival in missed])
