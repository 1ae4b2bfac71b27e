"""Restore what was live before a deployment: after one that failed, or after a job that failed.

Files go back to their version before by being deployed again, never by deleting; what somebody else has
deployed since is left, and named (rollout/restore.py). What is told of it was read after it had happened.

The post action: BK-CI starts it at the end of a failed job, with the inputs of the step and the step's task
id (`parentTaskId`) in input.json (bk-ci, MarketAtomTask.kt and StoreConstants.kt, 2026-08). It acts as one
user by the same rules as the step, and that has to be the step's own. What it goes back to is believed only
with the step's seal (journal.py); without a word of the step, the cluster is asked whether it has deployed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Optional

from bcs_template_set.agent.output_file import OutputField, string_field
from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.config.inputs import Settings
from bcs_template_set.manifests.declared_kinds import declared_kinds
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import ActedAsAnother, InputsInvalid, NoPermission, StateUntrusted
from bcs_template_set.messages.server_errors import NotRestored
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.rollout_story import FAILED, UNSURE, restoration_texts
from bcs_template_set.report.write_report import write_text
from bcs_template_set.rollout.before_deploying import read_numbers, resolve_variables
from bcs_template_set.rollout.deploy_files import deploy_files
from bcs_template_set.rollout.deploy_notes import odd_notes
from bcs_template_set.rollout.live_look import check_listed, is_there_after_all, live_files, look
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.pod_numbers import as_many_as, lost_pods, still_fewer
from bcs_template_set.rollout.restore import (
    absent,
    added,
    deployed_by_build,
    met,
    overtaken,
    touched,
    versions_live,
    way_back,
)
from bcs_template_set.rollout.result import Before, Restoration
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.deploy_target import DeployTarget, check_watched, wait_for, workloads_of
from bcs_template_set.run.journal import (
    JobState,
    Seal,
    encode_state,
    is_genuine,
    read_sealed,
    read_state,
    seal_of,
)
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.run.settings_phase import (
    WatchedWriter,
    holding,
    identify,
    open_gateway,
    read_everything,
)
from bcs_template_set.system.own_files import OwnFile


@dataclass(frozen=True)
class Restore:
    """Deploys what was there before files were deployed, and waits for it.

    `known` are the objects as they were before, of the files that somebody here has seen; `lost` are further
    files, of which nobody knows what was there before, and `theirs` those that somebody has changed since.
    """

    target: DeployTarget
    deploying: Deploying
    files: Sequence[FileVersion]
    before: Sequence[Before]
    known: Sequence[LiveState] = ()
    lost: Sequence[str] = ()
    theirs: Collection[str] = ()

    def carry_out(self) -> Restoration:
        """Return what came of it; a problem of this is told beside the first one."""
        versions = {item.file: item.version for item in self.before}
        try:
            back, way, seen = self._way(versions)
        except StepError as exc:
            owed = tuple(file.name for file in self.files if versions.get(file.name))
            return Restoration(lost=tuple(self.lost), not_back=owed, problem=exc.sentence())
        ready = {item.file: item.ready for item in self.before}
        restoration = replace(
            way,
            lost=tuple(self.lost),
            unready=tuple(name for name in way.not_back if ready.get(name) is False),
            unknown=tuple(name for name in way.not_back if ready.get(name) is None),
        )
        restoration, deployed = self._deploy_again(back, restoration, seen)
        # Looked at before the wait, which may end in a failure: what is left is left either way.
        restoration = self._left(restoration)
        return _waited(self.target, restoration, deployed)

    def _way(
        self, before: Mapping[str, str]
    ) -> tuple[tuple[FileVersion, ...], Restoration, Sequence[LiveState]]:
        """Look at what is live, and return what has to be deployed again, what is left, and what was seen."""
        target, files, known = self.target, self.files, self.known
        states, error = look(target.writer, self.deploying, files)
        check_listed(files, states, error=error)
        others = overtaken(files, states, space=target.space, before=before, known=known)
        back, way = way_back(
            target.writer,
            project=target.place.project,
            space=target.space,
            files=touched(files, states, space=target.space),
            before=before,
            left={
                f.name: others.get(f.name, f.name) for f in files if f.name in self.theirs or f.name in others
            },
            missing=absent(files, states, before=before, known=known),
        )
        return back, way, states

    def _deploy_again(
        self, files: Sequence[FileVersion], restoration: Restoration, seen: Sequence[LiveState]
    ) -> tuple[Restoration, tuple[LiveState, ...]]:
        """Deploy the versions from before; return what is back, as its objects show, and these.

        What somebody else has deployed since it was `seen` is left.
        """
        target = self.target
        try:
            # An older version may name variables that the new ones do not.
            values = resolve_variables(target.writer, target.place, files, given=target.context.variables)
            back_again = replace(self.deploying, variables=values)
            back_again = replace(back_again, variables=as_many_as(self.known, values, kept=back_again.kept))
            known = look(target.writer, back_again, files)[0]
            numbers = read_numbers(target.writer, target.place, known, kept=back_again.kept)
        except StepError as exc:
            return replace(restoration, problem=exc.sentence()), ()
        others = met(seen, known)
        if others:
            left = [file for file in files if file.name not in others]
            return self._deploy_again(left, restoration.leaving(others), seen)
        titles = [state.title for state in known]  # all of it was there, as far as anybody knows
        for note in odd_notes(files, known, space=target.space, held=lambda *_: titles):
            target.tell(note)
        for warning in lost_pods(known, numbers):
            target.warn(warning)
        states, problem = _sent_again(target, back_again, files, known=known)
        if states is None:
            return replace(restoration, not_back=(), unread=restoration.not_back, problem=problem), ()
        for warning in still_fewer(self.known, known, states):
            target.warn(warning)
        back = live_files(states, files, space=target.space)
        names = frozenset(file.name for file in back)
        workloads = workloads_of(back, states, space=target.space, declared=target.declared)
        watched = {workload.file_name for workload in workloads}
        restoration = replace(
            restoration,
            files=back,
            not_back=tuple(file.name for file in files if file.name not in names),
            unwatched=tuple(file.name for file in back if file.name in watched),
            # What the call was refused for need not be replaced where all is back.
            problem=problem if len(back) < len(files) else None,
        )
        return restoration, states

    def _left(self, restoration: Restoration) -> Restoration:
        """Add what the versions that are to be taken back leave in the cluster, and what is there of files.

        Where nobody has seen what was there before, nothing is said of a file that should have gone back
        whole.
        """
        target, files, known = self.target, self.files, self.known
        owed = frozenset(restoration.owed)
        others = owed.union(restoration.same) - {state.file for state in known}
        try:
            states, _ = look(target.writer, self.deploying, files)
            hidden = is_there_after_all(target.writer, target.place, states)
        except StepError:  # what could not be looked at is not said to be there, or gone
            hidden = True
        if hidden:
            return restoration
        taken_back = [file for file in files if file.name not in others]
        return replace(
            restoration,
            added=added(taken_back, states, space=target.space, known=known),
            runs=versions_live(owed, states),
        )


def go_back(target: DeployTarget, files: Sequence[FileVersion], *, before: Sequence[Before]) -> Restoration:
    """Restore files that an earlier process deployed, and tell why where that does not work out.

    How the objects were before nobody knows here: each that is not at its file's version is somebody else's.

    Raises:
        StepError: the variables of these versions have no values any more, or nothing could be asked.
    """
    values = resolve_variables(target.writer, target.place, files, given=target.context.variables)
    return Restore(target, target.deploying(values), files, before).carry_out()


def _sent_again(
    target: DeployTarget, deploying: Deploying, files: Sequence[FileVersion], *, known: Sequence[LiveState]
) -> tuple[Optional[tuple[LiveState, ...]], Optional[Text]]:
    """Deploy versions; return their objects, None where nobody can look since, and what went wrong."""
    try:
        return deploy_files(target.writer, deploying, files, known=known), None
    except StepError as exc:
        error = exc
    try:
        states, _ = look(target.writer, deploying, files)
    except StepError:
        return None, error.sentence()
    # A preview shows so what nobody may see (facts/bcs.md, trap 8).
    hidden = isinstance(error, NoPermission) and all(state.live is None for state in states)
    return None if hidden else states, error.sentence()


def _waited(target: DeployTarget, restoration: Restoration, states: Sequence[LiveState]) -> Restoration:
    """Wait for what is back, and return how that ended."""
    seconds = min(float(target.settings.timeout), target.time_left)
    try:
        if restoration.files:
            watched = wait_for(target, restoration.files, states, seconds=seconds)
            seen = {item.workload.file_name for item in watched}
            left = tuple(name for name in restoration.unwatched if name not in seen)
            restoration = replace(restoration, watched=watched, unwatched=left)
        check_watched(restoration.watched, seconds=seconds, timeout=target.settings.timeout)
    except StepError as exc:
        return replace(restoration, problem=restoration.problem or exc.title())
    paused = [item.workload.title for item in restoration.watched if not item.is_as_meant]
    if paused:  # its version is the one before, and most of its pods are not
        return replace(restoration, problem=say("deploy.restore_paused", objects=paused))
    return restoration


PostResult = tuple[Text, Mapping[str, OutputField]]
"""What the post action came to: its one sentence, and its outputs."""


def restore_after_job(services: Services, *, file: OwnFile, task: str) -> PostResult:
    """Put back what the step of this job deployed, wait for it, and say what came of it.

    Raises:
        ActedAsAnother: the step was another user.
        StateUntrusted: what the step left was changed, or is gone although this build's versions are live.
        NotRestored: something was to be put back and is not, or is not ready.
        StepError: an input is wrong, or the user may not.
    """
    text, context = read_state(file), read_everything(services)
    settings, region = context.settings, context.region
    if text is None and not settings.deploys:
        return _nothing(services)
    principal = identify(context)
    seal = seal_of(principal, context.build, task=services.agent.task(), task_id=task)
    state = None
    if text is not None:
        state = _believed(text, seal, file=file)
        # A word of an earlier try may have been put back in place of this one's: then the cluster is asked.
        if not state.restores and state.attempt >= services.agent.task().attempt:
            return _nothing(services)
        _check_place(state, settings)
    words = SecretWords(variables=context.variables)
    gateway = open_gateway(context, principal, words=words)
    try:
        with holding(gateway):
            return _put_back(context, state, gateway, file=file, seal=seal)
    except StepError as exc:
        exc.with_context(
            acting_user=principal.label,
            app=principal.app_code,
            region=region.name,
            project=settings.project_code,
        )
        raise


def _nothing(services: Services) -> PostResult:
    sentence = say("post.nothing")
    services.log.info(sentence)
    return sentence, {}


def _believed(text: str, seal: Seal, *, file: OwnFile) -> JobState:
    """Return the state of a file, which this build's own step has written, as this user.

    Raises:
        ActedAsAnother, StateUntrusted: it has not.
    """
    sealed = read_sealed(text)
    if sealed is None:
        raise StateUntrusted(file=str(file), problem=say("post.unreadable", file=str(file)))
    was = sealed.state.acting_user
    if was != seal.user:
        raise ActedAsAnother(was=was, now=seal.user)
    if not is_genuine(sealed, seal):
        raise StateUntrusted(file=str(file), problem=say("post.not_genuine", file=str(file)))
    return sealed.state


def _put_back(
    context: RunContext, state: Optional[JobState], gateway: Gateway, *, file: OwnFile, seal: Seal
) -> PostResult:
    services, settings = context.services, context.settings
    project = gateway.read(protocol.get_project(settings.project_code))
    target = DeployTarget(
        context, WatchedWriter(gateway, services.record), context.namespace(project.project_id)
    )
    if state is None or not (state.whole and state.restores):
        known = frozenset(f.name for f in state.files) if state is not None else frozenset[str]()
        names = [name for name in _live_of_this_build(target) if name not in known]
        if names:
            key = "post.missing" if state is None else "post.not_whole"
            raise StateUntrusted(file=str(file), problem=say(key, file=str(file), names=names))
    if state is None or not state.restores or not state.files:
        return _nothing(services)
    services.log.info(say("post.restoring", count=len(state.files), user=state.acting_user))
    services.log.group_start(say("deploy.group", cluster=state.cluster_id, namespace=state.namespace))
    files = state.deployed()
    # Read for the Secrets in them, which a server could quote: nothing was rendered here (secret_words.py).
    ids = [file.version_id for file in files]
    versions = read_versions(gateway, settings.project_code, ids)
    declared = declared_kinds(_manifests(files, versions))
    way = go_back(replace(target, declared=declared), files, before=state.before())
    sentences = _told(services, way)
    done = state.replaced(restores=False, files=())
    write_text(file, encode_state(done, seal))
    result = "restored" if way.files else "skipped"
    sentence = reduce(lambda first, second: say("post.done", first=first, second=second), sentences)
    return sentence, {"result": string_field(result), "acting_user": string_field(seal.user)}


def _manifests(
    files: Sequence[FileVersion], versions: Mapping[str, TemplateVersion]
) -> Iterator[ManifestFile]:
    """Yield the files as the step deployed them: their comments say when objects are ready."""
    for file in files:
        text = versions[file.version_id].content
        yield ManifestFile(file.name, text, source=file.name, documents=parse_foreign(text) or ())


def _live_of_this_build(target: DeployTarget) -> tuple[str, ...]:
    build = target.context.build
    return deployed_by_build(
        target.writer,
        target.deploying(target.context.variables),
        pipeline=build.pipeline_id,
        build=build.build_number,
    )


def _told(services: Services, way: Restoration) -> list[Text]:
    """Say what the restore came to, and return it.

    Raises:
        NotRestored: it did not work out; the error says what it came to.
    """
    services.log.group_end()
    sentences = restoration_texts(way)
    if not way.is_whole:
        missing = say("post.not_all", names=list(way.owed)) if way.owed else say("report.not_waited")
        details = [text for text in sentences if text.key not in (FAILED, UNSURE)]
        raise NotRestored(problem=way.problem or missing, details=details)
    for line in sentences:
        services.log.warning(line)
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
