"""The deploy phase of a run: from the story's files to a rollout that the story tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bcs_template_set.bcs.calls import Reader, Writer
from bcs_template_set.bcs.deploy_calls import Place
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.template_spaces import find_space
from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.manifests.fields import text_at
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    NewerBuild,
    ProjectNotVisible,
    RolloutTimedOut,
    StepError,
    VariablesMissing,
)
from bcs_template_set.report.outcome import Result
from bcs_template_set.report.rollout_lines import deployment_lines, heartbeat_line, watched_lines
from bcs_template_set.rollout.deploy import Deploying, ask_variables, plan_live, resolve_variables
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, FileVersion
from bcs_template_set.rollout.page_checks import is_link_local
from bcs_template_set.rollout.result import Restoration, Rollout
from bcs_template_set.rollout.watched import Watched
from bcs_template_set.run.context import Run
from bcs_template_set.run.deploy_phase import DeployPhase, deploy_phase
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.publish_phase import Planned
from bcs_template_set.run.versions_to_deploy import Looking, newest_versions
from bcs_template_set.system.http_client import Transport

SHARED_KINDS = frozenset(
    {
        *("Namespace", "CronJob", "Deployment", "Job", "Pod", "StatefulSet", "HorizontalPodAutoscaler"),
        *(
            "Endpoints",
            "Ingress",
            "Service",
            "ConfigMap",
            "Secret",
            "PersistentVolumeClaim",
            "ServiceAccount",
        ),
    }
)
"""The kinds that a shared cluster takes (facts/bcs.md, trap 9)."""


def deploy_run(run: Run, writer: Writer, *, planned: Planned) -> Result:
    """Deploy what this run wants live, wait for it, and return the result.

    Raises:
        StepError: what went wrong (8005xx); what was deployed is in the story.
    """
    world, story, existing = run.world, run.world.story, planned.existing
    files = versions_to_be_live(run, existing)
    world.log.group_start(
        say("deploy.group", cluster=run.settings.cluster_id, namespace=run.settings.namespace)
    )
    phase = DeployPhase(
        writer=writer,
        place=place_of(run, existing),
        space=run.desired.target.space,
        settings=run.settings,
        given=read_variables(run.settings.variables),
        pages=Transport(connections=8, environ=run.machine.environ, refuses=is_link_local),
        clock=world.clock,
        deadline=world.deadline,
        tell=lambda sentence: _tell(run, sentence),
        warn=lambda sentence: _warn(run, sentence),
        on_plan=lambda plan: _show_plan(run, plan),
        on_change=lambda watched: _show_change(run, watched),
        on_quiet=lambda pending, seconds: _show_life(run, pending, seconds=seconds),
        keep=lambda rollout: _keep(run, rollout),
        newest=partial(newest_versions, _looking(run, writer, planned)),
        restore=lambda way: _keep_way_back(run, way),
    )
    own = frozenset(file.name for file in files if file.version == run.desired.version)
    try:
        story.rollout = deploy_phase(phase, files, own=own)
    except NewerBuild as exc:
        if run.settings.on_newer_build != "skip":
            raise
        story.warnings.append(say("deploy.skipped_newer", builds=list(exc.details)))
        return "skipped"
    world.log.group_end()
    return "deployed"


def _looking(run: Run, reader: Reader, planned: Planned) -> Looking:
    """Return what it takes to look for newer versions; the space may have been made by this very run."""
    target = planned.desired.target
    space = planned.existing.space or find_space(reader, project=target.project, space=target.space)
    return Looking(
        reader=reader,
        space_id=space.id if space is not None else "",
        desired=planned.desired,
        claim=run.prepared.claim,
        concurrency=run.concurrency,
        replaces_newer=run.settings.on_newer_build == "replace",
    )


def place_of(run: Run, existing: Existing) -> Place:
    """Return the namespace to deploy into.

    Raises:
        ProjectNotVisible: the project manager would not say the id that live objects are asked for by.
    """
    if not existing.project_id:
        identity = run.world.story.identity
        user = identity.acting_user if identity is not None else ""
        message = say("deploy.project_id_unknown")
        raise ProjectNotVisible(project=run.desired.target.project, user=user, message=message)
    return Place(
        project=run.desired.target.project,
        project_id=existing.project_id,
        cluster_id=run.settings.cluster_id,
        namespace=run.settings.namespace,
    )


def versions_to_be_live(run: Run, existing: Existing) -> list[FileVersion]:
    """Return every file of the run at the version it has now in BCS."""
    pods = _files_that_set_pods(run)
    deployed = {name: found.metadata.latest_deploy_version for name, found in existing.files.items()}
    return [
        FileVersion(
            name=outcome.change.name,
            version_id=outcome.version_id,
            version=outcome.version,
            before=deployed.get(outcome.change.name, ""),
            rewritten=outcome.state == "applied" and outcome.change.overwrites,
            sets_pods=outcome.change.name in pods,
        )
        for outcome in run.world.story.files()
        if outcome.version_id and outcome.state in ("applied", "unchanged")
    ]


def _files_that_set_pods(run: Run) -> frozenset[str]:
    """Return the files whose number of pods is this run's word, whatever an autoscaler has made of it.

    A variable gives it, or versions are rewritten under their names, so that the mark tells nothing of it.
    """
    return frozenset(
        file.name
        for file in run.desired.files
        if run.settings.overwrite_version
        or any("{{" in text_at(document.body, "spec", "replicas") for document in file.documents)
    )


def rollout_result(error: StepError | None, rollout: Rollout | None) -> Result | None:
    """Return the result that a rollout's end is called, None where it is simply failed."""
    if rollout is None or error is None:
        return None
    way = rollout.restoration
    if way is not None and way.files and way.is_whole:
        return "restored"
    return "timed-out" if isinstance(error, RolloutTimedOut) else None


# --- telling --------------------------------------------------------------------------------------------


def _show_plan(run: Run, plan: DeploymentPlan) -> None:
    show_lines(run.world.log, deployment_lines(plan, language=run.world.story.language))


def _tell(run: Run, sentence: Text) -> None:
    if not run.world.story.stopped:  # pragma: no branch - but in a thread that a signal overtakes
        run.world.log.info(sentence)


def _warn(run: Run, sentence: Text) -> None:
    run.world.story.warnings.append(sentence)
    run.world.log.warning(sentence)


def _show_change(run: Run, watched: Watched) -> None:
    if run.world.story.stopped:  # pragma: no cover - in a thread that a signal overtakes
        return
    run.world.story.watch(watched)
    show_lines(run.world.log, watched_lines(watched, language=run.world.story.language))


def _show_life(run: Run, pending: Sequence[Watched], *, seconds: float) -> None:
    show_lines(run.world.log, [heartbeat_line(pending, seconds=seconds, language=run.world.story.language)])


def _keep(run: Run, rollout: Rollout) -> None:
    run.world.story.rollout = rollout


def _keep_way_back(run: Run, way: Restoration) -> None:
    story = run.world.story
    if story.rollout is not None:  # pragma: no branch - nothing is restored before a rollout is kept
        story.rollout = replace(story.rollout, restoration=way)


# --- what a plan can know already -----------------------------------------------------------------------


def look_ahead(run: Run, reader: Reader, existing: Existing) -> None:
    """Ask and say what deploying this plan would meet, as far as that can be known before it is published.

    Raises:
        StepError: variables have no value, or, where all versions exist already, the dry run fails.
    """
    note = shared_cluster_note(run)
    if note is not None:
        run.world.log.warning(note)
    check_variables_early(run, reader, existing)
    if run.settings.action == "plan":
        dry_run_early(run, reader, existing)


def dry_run_early(run: Run, reader: Reader, existing: Existing) -> None:
    """Show the live difference of a plan whose versions all exist already, after BCS's dry run of them.

    BCS dry-runs versions, not texts: where one is still to be written it can't be asked.

    Raises:
        StepError: the dry run fails, or the deployment would be refused.
    """
    plan = run.world.story.plan
    if plan is None or any(change.writes_version or not change.version_id for change in plan.changes):
        return
    place = place_of(run, existing)
    pods = _files_that_set_pods(run)
    files = [FileVersion(c.name, c.version_id, c.version, sets_pods=c.name in pods) for c in plan.changes]
    values = resolve_variables(reader, place, files, given=read_variables(run.settings.variables))
    space = run.desired.target.space
    deploying = Deploying(place, space, values, run.world.clock, run.world.deadline)
    found = plan_live(reader, deploying, files, redeploy=run.settings.redeploy)
    _show_plan(run, found)
    if found.refused is not None:
        raise found.refused
    run.world.log.info(say("deploy.dry_run_ok"))


def check_variables_early(run: Run, reader: Reader, existing: Existing) -> None:
    """Refuse a plan whose variables have no value, as far as BCS can be asked before versions exist.

    BCS tells a namespace's values only for the names in a version: those of the files' current versions.

    Raises:
        VariablesMissing: a detail for each variable that neither the author nor the namespace gives.
    """
    names = sorted({name for file in run.desired.files for name in file.variables})
    given = read_variables(run.settings.variables)
    asked = [found.current.id for found in existing.files.values() if found.current is not None]
    missing = [name for name in names if name not in given]
    if not missing or not asked:
        return
    known = namespace_values(reader, place_of(run, existing), asked)
    lacking = [name for name in missing if name in known and not known[name]]
    if lacking:
        raise VariablesMissing(details=[say("deploy.variable_missing", name=name) for name in lacking])


def namespace_values(reader: Reader, place: Place, version_ids: list[str]) -> Mapping[str, str]:
    """Return what the namespace has for the variables of these versions, "" for those it has not."""
    found = ask_variables(reader, place, version_ids)
    return {variable.key: variable.value for variable in found.vars}


def shared_cluster_note(run: Run) -> Text | None:
    """Say which kinds a shared cluster would refuse; whether this one is shared only BCS knows."""
    kinds = sorted({d.kind for file in run.desired.files for d in file.documents} - SHARED_KINDS)
    return say("deploy.shared_kinds", kinds=kinds, cluster=run.settings.cluster_id) if kinds else None
