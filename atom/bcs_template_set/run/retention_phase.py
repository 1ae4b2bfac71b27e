"""`keep_versions`: after a deployment, delete the old versions of the files that got a new one.

BCS keeps every version, and slows down with them (facts/bcs.md, trap 20). A run sees one namespace, and a
version may serve in another: so the marks of all namespaces are read first, and where one can't be read,
nothing goes. Whatever fails fails nothing: the next run tries again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader, Writer
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.past_files import list_past_files, read_past_files
from bcs_template_set.manifests.fields import is_left_for_bcs, mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DEPLOYMENT, JOB, REPLICA_SET, kind_of
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import AppNotGranted, NoPermission
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.publish.left_behind import Held, Keeping, OldVersion, may_go, old_versions
from bcs_template_set.publish.read_elsewhere import kinds_in, lacks, read_everywhere
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.run.context import Planned, RenderedRun
from bcs_template_set.system.clock import Clock
from bcs_template_set.system.parallel import overlap, values_of
from bcs_template_set.system.signals import Stopped

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
            told, is_whole = _delete_old(run, writer, planned.existing, names)
        except StepError as exc:
            told, is_whole = say("retention.nothing", why=exc.title()), False
    if told is None:
        return
    if is_whole:
        run.services.log.info(told)
    else:
        run.services.warn(told)


def _delete_old(
    run: RenderedRun, writer: Writer, existing: Existing, names: Collection[str]
) -> tuple[Optional[Text], bool]:
    """Delete what may go; return what there is to tell, and whether all that was to go is gone."""
    project, space = run.settings.project_code, run.settings.template_space
    rows = list_past_files(writer, project, space=space)
    files = read_past_files(
        writer,
        project,
        [rows[name] for name in sorted(names & rows.keys())],
        concurrency=run.context.concurrency,
    )
    # By BCS's clock, which stamped what this run has made: ours may be days ahead.
    stamps = [max(one.create_at for one in file.versions) for file in files.values() if file.versions]
    keeping = _keeping(run, existing, now=min([run.services.clock.now(), *stamps]))
    perhaps = [(old, kinds) for old in old_versions(files, keeping) for kinds in [_kinds_in(old)]]
    wanted = {kind for _, kinds in perhaps if kinds for kind in kinds}
    if not wanted:
        return None, True
    held = _held(run, writer, run.context.namespace(existing.project_id), wanted)
    visible = {old.version.id for old, kinds in perhaps if kinds}
    going = may_go(files, keeping, held, visible=visible)
    return _told(_delete(run, writer, going)) if going else (None, True)


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


def _kinds_in(old: OldVersion) -> Optional[frozenset[Kind]]:
    """Return the kinds whose marks tell whether a version is live; None where that can't be told."""
    kinds = kinds_in(old.version)
    return frozenset(kind for kind in kinds if kind is not None) if None not in kinds else None


# --- what is live ---------------------------------------------------------------------------------------


def _held(run: RenderedRun, reader: Reader, place: NamespaceRef, kinds: Collection[Kind]) -> Held:
    """Return the marks of all namespaces of the cluster, and of those that the project's environments name.

    Raises:
        StepError: one of them could not be read, or the lists lack what this run has deployed.
    """
    asked = {*kinds, *([REPLICA_SET] if DEPLOYMENT in kinds else [])}
    lists = read_everywhere(reader, place, kinds=asked, concurrency=run.context.concurrency)
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
        return values_of(overlap(tasks, concurrency=run.context.concurrency))
    except Stopped:
        run.services.log.warning(say("retention.deleted", count=deleting.count))
        raise


def _told(ends: Iterable[Union[bool, StepError]]) -> tuple[Text, bool]:
    every = list(ends)
    errors = [end for end in every if isinstance(end, StepError)]
    count = sum(end is True for end in every)
    if errors:
        return say("retention.failed", count=count, left=len(errors), why=errors[0].title()), False
    return say("retention.deleted", count=count), True
