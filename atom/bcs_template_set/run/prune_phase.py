"""What a run deletes: what its files left behind, with `prune`, and old versions, with `keep_versions`.

Pruning is looked at after the plan is made, and again right before it happens. It needs the whole truth on
both sides. Where a look fails, is cut or refused, nothing is deleted, and the run ends as with
`prune: report`. It begins only after every workload of the run was seen ready, and what the plan said is the
most that goes.

BCS keeps every version, and slows down with them (facts/bcs.md, trap 20). A run sees one namespace, and a
version may serve in another: so the marks of all namespaces are read first, and where one can't be read, no
version goes.

Whatever fails here fails nothing: what was deployed is live, and is said to be; the next run tries again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import Reader, Writer, together
from bcs_template_set.bcs.deploy_calls import NOBODY, NamespaceRef, may_delete
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.template_spaces import files_by_name
from bcs_template_set.bcs.space.versions import list_past_files, read_past_files
from bcs_template_set.manifests.fields import is_left_for_bcs, mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import DONE
from bcs_template_set.manifests.kinds import DEPLOYMENT, JOB, LISTED, REPLICA_SET, kind_of
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import AppNotGranted, NoPermission
from bcs_template_set.messages.past_errors import MayNotDelete
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.publish.left_behind import Held, Keeping, OldVersion, may_go, old_versions
from bcs_template_set.publish.orphans import Folder, decide, file_of, open_names
from bcs_template_set.publish.plan import Desired, Plan, taking_away
from bcs_template_set.publish.prune_rules import of_row
from bcs_template_set.publish.pruning import Pruning
from bcs_template_set.publish.read_elsewhere import kinds_in, lacks, read_everywhere, read_runners
from bcs_template_set.publish.read_orphans import Looking, is_not_found, read_folder, read_proofs
from bcs_template_set.publish.take_away import UNTIL_GONE, Taking, narrowed, take_away
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.verdict import taken_texts
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.context import Planned, RenderedRun
from bcs_template_set.system.clock import Clock
from bcs_template_set.system.signals import Stopped


def prune_run(run: RenderedRun, writer: Writer, *, planned: Planned, result: Result) -> None:
    """Delete what the plan says; where it may not be, say why. Raises nothing but what stops the run."""
    record, plan, space = run.services.record, run.services.record.plan, planned.existing.space
    if plan is None or plan.pruning.mode != "delete":
        return
    if space is None or not plan.pruning.deletes:
        _warn(run, plan.pruning.blind)
        return
    rollout = record.rollout
    reason = _not_seen_ready(rollout, result)
    if rollout is not None and reason is None:
        with record.phase("prune"):
            reason = _prune(run, writer, space, planned=planned, pruning=plan.pruning, rollout=rollout)
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
    run: RenderedRun,
    writer: Writer,
    space: TemplateSpace,
    *,
    planned: Planned,
    pruning: Pruning,
    rollout: Rollout,
) -> Optional[Text]:
    """Look again, and delete what may still go; return why nothing was deleted, None where it was tried."""
    services = run.services
    place = run.context.namespace(planned.existing.project_id)
    try:
        rows = files_by_name(writer, place.project, space.id)
    except StepError as exc:
        return say("prune.look_failed", why=exc.title())
    looking = Looking(writer, place, space)
    seen = [item.workload.title for item in rollout.watched if item.workload.kind in LISTED]
    deployed = (*rollout.deployed, *rollout.live_already)
    at = {file.name: file.version for file in deployed if file.live_as is None}
    fresh = look(run, looking, rows, planned.desired, seen=seen, at=at)
    if fresh.blind is not None:
        return fresh.blind
    going, kept = narrowed(fresh, pruning)
    services.log.group_start(say("prune.group", count=len(going.objects) + len(going.files)))
    seconds = min(UNTIL_GONE, services.deadline.remaining() / 2)
    taking = Taking(looking, writer, services.clock, services.record.note_taken, seconds)
    taken = take_away(taking, going, kept=kept)
    for text in taken_texts(taken):
        tell = services.log.info if taken.is_whole else services.log.warning
        tell(text)
    services.log.group_end()
    return None


def with_pruning(run: RenderedRun, reader: Reader, plan: Plan, existing: Existing, desired: Desired) -> Plan:
    """Return the plan with what it deletes, and what it leaves and why."""
    mode = run.settings.prune
    if mode == "off":
        return replace(plan, dropped=(), rendered_no_more=())
    if existing.space is None or (mode == "report" and not (plan.dropped or plan.rendered_no_more)):
        return replace(plan, pruning=Pruning(mode))
    blind = next(_obstacles(run, existing), None)
    if blind is None:
        place = run.context.namespace(existing.project_id)
        looking = Looking(reader, place, existing.space)
        pruning = look(run, looking, existing.rows, desired, known=existing.versions)
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
    looking: Looking,
    rows: Mapping[str, TemplateFile],
    desired: Desired,
    *,
    known: Mapping[str, TemplateVersion] = MappingProxyType({}),
    seen: Collection[str] = (),
    at: Mapping[str, str] = MappingProxyType({}),
) -> Pruning:
    """Return what goes and what stays; where it can't all be seen, why nothing goes.

    `known` are versions of files that are at hand, by id. `seen` are workloads, `Kind/name`, that the run has
    seen live: a list without them is not the truth. `at` are the versions that its files were live at:
    another one that is live now may need what would go.
    """
    unclear = open_names(desired.files)
    if unclear:
        return Pruning(blind=say("prune.open_names", names=first_names(unclear)))
    try:
        folder = read_folder(
            looking,
            rows,
            rendered=desired.files,
            ours=desired.provenance,
            scope=desired.scope,
            known=known,
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


LONGEST = 60.0
"""Seconds for all deletions of a run."""

HOPELESS = (NoPermission, AppNotGranted, ApiMissing)
"""What is refused once is refused for every version."""

GONE = "record not found"
"""What BCS says of a version that another run has deleted meanwhile."""


def keep_newest(run: RenderedRun, writer: Writer, *, planned: Planned, result: Result) -> None:
    """Delete the versions that `keep_versions` leaves no room for, and tell how many.

    A run that is narrowed by `only` deletes nothing: what it does not look at belongs to the same states.
    """
    record, settings = run.services.record, run.settings
    # Of a step that is retried, the first try has written some.
    names = {one.change.name for one in record.files() if one.version == planned.desired.version}
    is_asked = settings.keep_versions and not settings.only
    if not is_asked or not names or result not in ("deployed", "paused"):
        return
    with record.phase("retention"):
        try:
            ends = _delete_old(run, writer, planned.existing, names)
        except StepError as exc:
            run.services.warn(say("retention.nothing", why=exc.title()))
            return
    errors = [end for end in ends if isinstance(end, StepError)]
    count = sum(end is True for end in ends)
    if errors:
        why = errors[0].title()
        run.services.warn(say("retention.failed", count=count, left=len(errors), why=why))
    elif ends:
        run.services.log.info(say("retention.deleted", count=count))


def _delete_old(
    run: RenderedRun, writer: Writer, existing: Existing, names: Collection[str]
) -> list[Union[bool, StepError]]:
    """Delete what may go; return whether each version was deleted, or why it could not be."""
    project, space = run.settings.project_code, run.settings.template_space
    rows = list_past_files(writer, project, space=space)
    files = read_past_files(
        writer,
        project,
        [rows[name] for name in sorted(names & rows.keys())],
    )
    # By BCS's clock, which stamped what this run has made: ours may be days ahead.
    stamps = [max(one.create_at for one in file.versions) for file in files.values() if file.versions]
    keeping = _keeping(run, existing, now=min([run.services.clock.now(), *stamps]))
    perhaps = [(old, kinds_in(old.version)) for old in old_versions(files, keeping)]
    # Of the others no mark tells whether they are live.
    told = [(old, known) for old, kinds in perhaps if (known := {k for k in kinds if k}) and known == kinds]
    if not told:
        return []
    wanted = {kind for _, kinds in told for kind in kinds}
    held = _held(run, writer, run.context.namespace(existing.project_id), wanted)
    visible = {old.version.id for old, _ in told}
    return _delete(run, writer, may_go(files, keeping, held, visible=visible))


def _keeping(run: RenderedRun, existing: Existing, *, now: float) -> Keeping:
    """Return what stays; what was live before this run is known since it was planned and deployed."""
    before = {name: {file.metadata.latest_deploy_version} for name, file in existing.files.items()}
    rollout = run.services.record.rollout
    for item in rollout.before if rollout is not None else ():
        before.setdefault(item.file, set()).add(item.version)
    return Keeping(
        space=run.settings.template_space,
        ours=run.desired.provenance,
        newest=int(run.settings.keep_versions),
        now=now,
        before={name: frozenset(versions) for name, versions in before.items()},
    )


# --- what is live ---------------------------------------------------------------------------------------


def _held(run: RenderedRun, reader: Reader, place: NamespaceRef, kinds: Collection[Kind]) -> Held:
    """Return the marks of all namespaces of the cluster, and of those that the project's environments name.

    Raises:
        StepError: one of them could not be read, or the lists lack what this run has deployed.
    """
    asked = {*kinds, *([REPLICA_SET] if DEPLOYMENT in kinds else [])}
    lists = read_everywhere(reader, place, kinds=asked)
    lacking = first_names([*_lacking(run, lists[place], kinds)])
    if lacking:
        raise lacks(*lacking, place=place)
    rows = [row for one in lists.values() for row in one]
    live = frozenset(
        row.mark
        for row in rows
        if row.kind is not REPLICA_SET or mapping_at(row.item, "status").get("replicas")
    )
    return Held(live, frozenset(row.mark for row in rows))


def _lacking(run: RenderedRun, rows: Iterable[LiveRow], kinds: Collection[Kind]) -> Iterator[str]:
    """Yield what this run has seen live, and the lists do not show; a Job may be gone by itself."""
    rollout, listed = run.services.record.rollout, {(row.kind, row.name) for row in rows}
    files = (*rollout.deployed, *rollout.live_already) if rollout is not None else ()
    names = {file.name for file in files}
    for document in (one for f in run.desired.files if f.name in names for one in objects_of(f.documents)):
        kind = kind_of(document.api_version, document.kind)
        is_sure = kind in kinds and kind is not JOB and not is_left_for_bcs(document.name)
        if is_sure and (kind, document.name) not in listed:
            yield document.title


# --- deleting -------------------------------------------------------------------------------------------


@dataclass
class _Deleting:
    """Deletes versions by id, each read again before, until it is told that there is no use, or no time."""

    writer: Writer
    project: str
    clock: Clock
    ends_at: float
    hopeless: bool = False
    count: int = 0

    def delete(self, old: OldVersion) -> Union[bool, StepError]:
        """Return whether a version was deleted, or why it could not be."""
        if self.hopeless or self.clock.monotonic() > self.ends_at:
            return False
        try:
            return self._delete(old)
        except StepError as exc:
            if isinstance(exc, BcsFailed) and GONE in str(exc.message):
                return False
            if isinstance(exc, HOPELESS):
                self.hopeless = True
            return exc

    def _delete(self, old: OldVersion) -> bool:
        version, read = old.version, self.writer.read
        again = read(protocol.get_version(self.project, version.id))
        row = read(protocol.get_file(self.project, old.template_id))
        is_same = (again.version, again.description) == (version.version, version.description)
        in_use = version.id == row.version_id or version.version in (row.version, row.latest_deploy_version)
        if is_same and not in_use:
            self.writer.write(protocol.delete_version(self.project, version.id))
            self.count += 1
        return is_same and not in_use


def _delete(run: RenderedRun, writer: Writer, going: Sequence[OldVersion]) -> list[Union[bool, StepError]]:
    clock, seconds = run.services.clock, min(LONGEST, run.services.deadline.remaining() / 2)
    deleting = _Deleting(writer, run.settings.project_code, clock, clock.monotonic() + seconds)
    tasks = [partial(deleting.delete, old) for old in going]
    try:
        return together(writer, tasks)
    except Stopped:
        run.services.log.warning(say("retention.deleted", count=deleting.count))
        raise
