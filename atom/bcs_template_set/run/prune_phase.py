"""What a run deletes with `prune`: looked at after the plan is made, and again right before it goes.

Deletion needs the whole truth on both sides. Where a look fails, is cut or refused, nothing is deleted, and
the run ends as with `prune: report`. It begins only after every workload of the run was seen ready, and what
the plan said is the most that goes. What stops it fails nothing: what was deployed is live, and told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import Reader, Writer
from bcs_template_set.bcs.deploy_calls import NOBODY, NamespaceRef, may_delete
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.template_spaces import list_files, oldest_of_each_name
from bcs_template_set.manifests.kind_rules import DONE
from bcs_template_set.manifests.kinds import LISTED
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.past_errors import MayNotDelete
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.publish.orphans import Folder, decide, file_of, open_names
from bcs_template_set.publish.plan import Desired, Plan, taking_away
from bcs_template_set.publish.prune_rules import of_row
from bcs_template_set.publish.pruning import Pruning
from bcs_template_set.publish.read_elsewhere import read_runners
from bcs_template_set.publish.read_orphans import Looking, is_not_found, read_folder, read_proofs
from bcs_template_set.publish.take_away import UNTIL_GONE, Taking, narrowed, take_away
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.verdict import taken_texts
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.context import Planned, RenderedRun


def prune_run(run: RenderedRun, writer: Writer, *, planned: Planned, result: Result) -> None:
    """Delete what the plan says; where it may not be, say why. Raises nothing but what stops the run."""
    record, plan, space = run.services.record, run.services.record.plan, planned.existing.space
    if plan is None or plan.pruning.mode != "delete":
        return
    if space is None or not plan.pruning.deletes:
        _warn(run, plan.pruning.blind)
        return
    reason = _not_seen_ready(record.rollout, result)
    if reason is None:
        with record.phase("prune"):
            reason = _prune(run, writer, space, planned=planned, pruning=plan.pruning)
    _warn(run, reason)


def _warn(run: RenderedRun, reason: Optional[Text]) -> None:
    if reason is not None:
        run.services.warn(say("prune.nothing_deleted", why=reason))


def _not_seen_ready(rollout: Optional[Rollout], result: Result) -> Optional[Text]:
    """Return why what was deployed is not known to serve, None where every workload was seen ready."""
    if rollout is None or result != "deployed" or not rollout.waited:
        return say("prune.not_deployed")
    if rollout.held:  # what is live of these is another version's, which may lack what they take over
        return say("prune.held", names=first_names(rollout.held))
    pending = [item.workload.title for item in rollout.watched if item.end not in DONE]
    unseen = [*pending, *rollout.unwatched]
    return say("prune.not_ready", objects=first_names(unseen)) if unseen else None


def _prune(
    run: RenderedRun, writer: Writer, space: TemplateSpace, *, planned: Planned, pruning: Pruning
) -> Optional[Text]:
    """Look again, and delete what may still go; return why nothing was deleted, None where it was tried."""
    services = run.services
    place = run.context.namespace(planned.existing.project_id)
    try:
        rows = oldest_of_each_name(list_files(writer, place.project, space.id))
    except StepError as exc:
        return say("prune.look_failed", why=exc.title())
    files = Files(space, rows, {})
    rollout = services.record.rollout
    seen = (
        [item.workload.title for item in rollout.watched if item.workload.kind in LISTED] if rollout else []
    )
    deployed = (*rollout.deployed, *rollout.live_already) if rollout else ()
    at = {file.name: file.version for file in deployed if file.live_as is None}
    fresh = look(run, writer, files, planned.desired, project_id=place.project_id, seen=seen, at=at)
    if fresh.blind is not None:
        return fresh.blind
    going, kept = narrowed(fresh, pruning)
    services.log.group_start(say("prune.group", count=len(going.objects) + len(going.files)))
    looking = Looking(writer, place, space, run.context.concurrency)
    seconds = min(UNTIL_GONE, services.deadline.remaining() / 2)
    taking = Taking(looking, writer, services.clock, services.record.note_taken, seconds)
    taken = take_away(taking, going, kept=kept)
    for text in taken_texts(taken):
        tell = services.log.info if taken.is_whole else services.log.warning
        tell(text)
    services.log.group_end()
    return None


@dataclass(frozen=True)
class Files:
    """A folder and its files as they were listed, and versions of them that are at hand, by id."""

    space: TemplateSpace
    rows: Mapping[str, TemplateFile]
    known: Mapping[str, TemplateVersion]


def with_pruning(run: RenderedRun, reader: Reader, plan: Plan, existing: Existing, desired: Desired) -> Plan:
    """Return the plan with what it deletes, and what it leaves and why."""
    mode = run.settings.prune
    if mode == "off":
        return replace(plan, dropped=(), rendered_no_more=())
    if existing.space is None or (mode == "report" and not (plan.dropped or plan.rendered_no_more)):
        return replace(plan, pruning=Pruning(mode))
    blind = next(_obstacles(run, existing), None)
    if blind is None:
        files = Files(existing.space, existing.rows, existing.versions)
        pruning = look(run, reader, files, desired, project_id=existing.project_id)
    else:
        pruning = Pruning(blind=blind)
    return taking_away(plan, replace(pruning, mode=mode), policy=run.policy)


def _obstacles(run: RenderedRun, existing: Existing) -> Iterator[Text]:
    """Yield why this run deletes nothing, as far as that is known before anything is looked at."""
    settings = run.settings
    if not settings.cluster_id:
        yield say("prune.no_target")
    if settings.action == "publish":
        yield say("prune.only_deploy")
    if settings.timeout == 0 and settings.prune == "delete":
        yield say("prune.not_waited")
    if not existing.project_id:
        yield say("prune.no_project_id")


def look(
    run: RenderedRun,
    reader: Reader,
    files: Files,
    desired: Desired,
    *,
    project_id: str,
    seen: Collection[str] = (),
    at: Mapping[str, str] = MappingProxyType({}),
) -> Pruning:
    """Return what goes and what stays; where it can't all be seen, why nothing goes.

    `seen` are workloads, `Kind/name`, that the run has seen live: a list without them is not the truth. `at`
    are the versions that its files were live at: another one that is live now may need what would go.
    """
    settings = run.settings
    unclear = open_names(desired.files)
    if unclear:
        return Pruning(blind=say("prune.open_names", names=first_names(unclear)))
    place = NamespaceRef(settings.project_code, project_id, settings.cluster_id, settings.namespace)
    looking = Looking(reader, place, files.space, run.context.concurrency)
    try:
        folder = read_folder(
            looking,
            files.rows,
            rendered=desired.files,
            ours=desired.provenance,
            scope=desired.scope,
            known=files.known,
        )
        others = [row.title for row in folder.rows if _is_at_another(row, folder, at)]
        if others:
            return Pruning(blind=say("prune.deployed_since", objects=first_names(others)))
        return _decided(run, looking, folder, desired, seen)
    except StepError as exc:
        return Pruning(blind=say("prune.look_failed", why=exc.title()))


def _is_at_another(row: LiveRow, folder: Folder, at: Mapping[str, str]) -> bool:
    """Tell whether somebody has deployed another version of a file over an object that the run renders."""
    version = at.get(file_of(row, folder), row.mark.version)
    return version != row.mark.version and of_row(row) in folder.held


def _decided(
    run: RenderedRun, looking: Looking, folder: Folder, desired: Desired, seen: Collection[str]
) -> Pruning:
    settings, listed = run.settings, {row.title for row in folder.rows}
    if folder.newer:
        return Pruning(blind=say("prune.newer_build", names=first_names(folder.newer)))
    also = frozenset(settings.prune_also)
    rows, ours = folder.candidates, folder.ours
    files = folder.would_go(also)
    proofs = read_proofs(looking, folder, rows, ours=ours, also=also, files=files)
    lacking = [*proofs.lacking, *(title for title in seen if title not in listed)]
    if lacking:
        return Pruning(blind=say("prune.list_lacks", names=first_names(lacking)))
    return decide(
        folder,
        replace(proofs, runners=read_runners(looking, files)),
        also=also,
        limit=int(settings.prune_limit) if settings.prune_limit else None,
        asked=desired.asked,
    )


def refusal_to_delete(reader: Reader, place: NamespaceRef) -> Optional[StepError]:
    """Return why this user could not delete there, None where nothing stands in the way; nothing is deleted.

    A DELETE that the gateway does not publish, or does not grant the app, is found by the same question.
    """
    refused: Optional[StepError] = None
    try:
        reader.read(may_delete(place))
    except NoPermission as exc:
        refused = MayNotDelete(
            user=exc.user, namespace=place.namespace, cluster=place.cluster_id, details=exc.details
        ).with_context(**exc.context)
    except StepError as exc:
        is_answer = isinstance(exc, BcsFailed) and is_not_found(exc, NOBODY)  # of one who may
        refused = None if is_answer else exc
    return refused
