"""The step's post action: after a job that failed, put back what the step deployed, if the author asked.

BK-CI starts it at the end of a failed job, with the inputs of the step and the step's task id
(`parentTaskId`) in input.json (bk-ci, MarketAtomTask.kt and StoreConstants.kt, 2026-08). It acts as one user
by the same rules as the step, and that has to be the step's own. What it goes back to is believed only with
the step's seal (job_state.py); without a word of the step, the cluster is asked whether it has deployed. What
somebody else has deployed since is left, and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from bcs_template_set.messages.errors import ActedAsAnother, InputsInvalid, StateUntrusted
from bcs_template_set.messages.server_errors import NotRestored
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.rollout_story import FAILED, UNSURE, restoration_texts
from bcs_template_set.report.write_report import write_text
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.restore import deployed_by_build
from bcs_template_set.rollout.result import Restoration
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.deploy_target import DeployTarget
from bcs_template_set.run.job_state import JobState, Seal, encode_state, is_genuine, read_sealed
from bcs_template_set.run.journal import read_state, seal_of
from bcs_template_set.run.restore_phase import go_back
from bcs_template_set.run.run_gateway import WatchedWriter, holding, open_gateway
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.run.settings_phase import identify, read_everything
from bcs_template_set.system.own_files import OwnFile

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
        raise ActedAsAnother(was=was or "-", now=seal.user)
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
    versions = read_versions(gateway, settings.project_code, ids, concurrency=context.concurrency)
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
        concurrency=target.context.concurrency,
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
