"""The step's post action: after a job that failed, put back what the step deployed, if the author asked.

BK-CI starts it at the end of a failed job, with the inputs of the step and the step's task id
(`parentTaskId`) in input.json (bk-ci, MarketAtomTask.kt and StoreConstants.kt, 2026-08). It acts as one user
by the same rules as the step. What somebody else has deployed since is left, and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Optional

from bcs_template_set.atom_sdk.output import OutputField, string_field
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.deploy_calls import Place
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.deploy_phase import DeployPhase, go_back
from bcs_template_set.deploy_run import way_back_sentences
from bcs_template_set.ending import show_lines
from bcs_template_set.errors import InputsInvalid, Interrupted, NotRestored, StepError, WorkspaceUnwritable
from bcs_template_set.interruption import Stopped
from bcs_template_set.job_state import JobState, decode_state, encode_state, state_of
from bcs_template_set.manifests.variables import read_variables
from bcs_template_set.messages import Text, say
from bcs_template_set.outcome import Outcome
from bcs_template_set.own_files import OwnFile
from bcs_template_set.publish_run import WatchedWriter
from bcs_template_set.report.rollout_lines import heartbeat_line, watched_lines
from bcs_template_set.report.writing import write_text
from bcs_template_set.rollout.result import Restoration
from bcs_template_set.settings import Settings
from bcs_template_set.settings_phase import identify, machine_of, read_everything
from bcs_template_set.step import open_gateway
from bcs_template_set.transport import Transport
from bcs_template_set.world import World


@dataclass(frozen=True)
class PostResult:
    """What the post action came to: its one sentence, and its outputs."""

    sentence: Text
    data: Mapping[str, OutputField]


# --- what the step leaves -------------------------------------------------------------------------------


def leave_state(outcome: Outcome, *, file: OwnFile) -> Outcome:
    """Write what the post action needs, or take away what is no longer so; return the outcome.

    A file that can't be written costs the restore, not the verdict: it becomes a warning.
    """
    state = state_of(outcome, earlier=read_state(file))
    try:
        if state is not None and state.files:
            write_text(file, encode_state(state))
        else:
            forget_state(file)
    except WorkspaceUnwritable as exc:
        warning = say("post.not_kept", problem=exc.title())
        return replace(outcome, warnings=(*outcome.warnings, warning))
    return outcome


def read_state(file: OwnFile) -> Optional[JobState]:
    """Return what the step left, None where there is nothing, or nothing that can be read."""
    try:
        return decode_state(file.read_bytes().decode("utf-8"))
    except (FileNotFoundError, WorkspaceUnwritable, UnicodeError):
        return None


def forget_state(file: OwnFile) -> None:
    """Take the state away, so that nothing is restored by it again.

    Raises:
        WorkspaceUnwritable: it can't be removed.
    """
    file.remove()


# --- the post action ------------------------------------------------------------------------------------


def restore_after_job(world: World, *, file: OwnFile) -> PostResult:
    """Put back what the step of this job deployed, wait for it, and say what came of it.

    Raises:
        NotRestored: something was to be put back and is not, or is not ready.
        StepError: an input is wrong, or the user may not.
    """
    state = read_state(file)
    if state is None:
        sentence = say("post.unreadable" if file.path.exists() else "post.nothing", file=str(file))
        world.log.info(sentence)
        return PostResult(sentence, {})
    asked = read_everything(world)
    settings, region = asked.settings, asked.region
    _check_place(state, settings)
    principal = identify(world, asked)
    world.log.info(say("post.restoring", count=len(state.files), user=state.acting_user or "?"))
    try:
        way = _go_back(world, settings, state, open_gateway(world, region, principal))
        sentences = _told(world, way)
    except StepError as exc:
        exc.with_context(
            acting_user=principal.label, app=principal.app_code, region=region.name, project=state.project
        )
        raise
    forget_state(file)
    return PostResult(reduce(_joined, sentences), _data(way, user=principal.label))


def _joined(first: Text, second: Text) -> Text:
    return say("post.done", first=first, second=second)


def _told(world: World, way: Restoration) -> list[Text]:
    """Say what the restore came to, and return it.

    Raises:
        NotRestored: it did not work out.
    """
    world.log.group_end()
    sentences = list(way_back_sentences(way))
    for line in sentences:
        world.log.warning(line)
    if way.problem is not None:
        raise NotRestored(problem=way.problem, details=sentences[1:])
    return sentences


def _check_place(state: JobState, settings: Settings) -> None:
    """Refuse to restore in another place than the inputs name.

    Raises:
        InputsInvalid: a detail for each input that has changed since the step ran.
    """
    changed = state.differs_from(settings)
    if changed:
        raise InputsInvalid(
            details=[say("post.elsewhere", name=name, was=was, now=now or '""') for name, was, now in changed]
        )


def _go_back(world: World, settings: Settings, state: JobState, gateway: Gateway) -> Restoration:
    try:
        return _restored(world, settings, state, gateway)
    except Stopped as exc:
        # Threads under way outlive this one: none of them may write after the verdict.
        gateway.stop(Interrupted(signal=exc.signal_name))
        raise


def _restored(world: World, settings: Settings, state: JobState, gateway: Gateway) -> Restoration:
    project = gateway.read(protocol.get_project(state.project))
    world.log.group_start(say("deploy.group", cluster=state.cluster_id, namespace=state.namespace))
    phase = DeployPhase(
        writer=WatchedWriter(gateway, world.story),
        place=Place(state.project, project.project_id, state.cluster_id, state.namespace),
        space=state.space,
        settings=settings,
        given=read_variables(settings.variables),
        pages=Transport(connections=1, environ=machine_of(world)[0]),
        clock=world.clock,
        deadline=world.deadline,
        tell=world.log.info,
        warn=world.log.warning,
        on_plan=lambda _: None,
        on_change=lambda item: show_lines(world.log, watched_lines(item, language=world.story.language)),
        on_quiet=lambda pending, seconds: show_lines(
            world.log, [heartbeat_line(pending, seconds=seconds, language=world.story.language)]
        ),
        keep=lambda _: None,
        newest=tuple,
        restore=lambda _: None,
    )
    return go_back(phase, state.deployed(), before=state.before())


def _data(way: Restoration, *, user: str) -> dict[str, OutputField]:
    result = "restored" if way.files else "skipped"
    return {"result": string_field(result), "acting_user": string_field(user)}
