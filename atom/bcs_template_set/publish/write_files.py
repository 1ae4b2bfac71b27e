"""Carry a plan out: write what it says, once, and find out what came of it.

BCS has no compare-and-swap, and its creations are check-then-insert without a unique index (facts/bcs.md,
trap 5). A version is inserted, and then the file's `version` moves to its name, in two steps. What follows
from that is explored by `tests/model/`, and holds for any number of builds.

Guaranteed:
- a version that is reported as published is in BCS, with the content that was sent, and once: a write whose
  answer was lost is read back by name before it is sent again, after a pause that lets a slow one finish
  (`write_once.py`); one that BCS finishes later still may be there twice, and is said where it is seen;
- a file is written only if the version it was planned against was current right before (`look_first.py`), or
  if nothing but builds has written since, all of it a moment ago; else the caller plans again, and fails as
  overtaken when its time for that is over;
- no branch's paths are lost from a file that branches share: every build makes sure that its own version is
  current or part of what is (`concurrent_writes.py`), and one of all that met merges them (`turns.py`);
- nothing is undone by deleting, and a failure on one file does not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import field, replace
from functools import partial
from typing import Optional, TypeVar

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import CreatedFile, TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Write, Writer, together
from bcs_template_set.bcs.space.template_spaces import find_space, list_files, oldest_of_each_name, read_file
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import Overtaken
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed, OutcomeUnknown, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.look_first import (
    BESIDE_SECONDS,
    SETTLING_SECONDS,
    Looks,
    Sent,
    check_still_current,
    is_beside,
)
from bcs_template_set.publish.plan import Change, Desired, Plan
from bcs_template_set.publish.write_once import (
    Renamed,
    create_in_its_dialect,
    name_again,
    put_back,
    space_refused,
    write_once,
)
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock, Deadline

T = TypeVar("T")


@dataclass(frozen=True)
class Publishing:
    """What publishing needs beside the plan. `on_file` hears of every file as soon as it has ended.

    `planned_at` is the moment, on the monotonic scale, since which something can have changed that the plan
    does not know. `seen` are versions that were read, by id: they are not read again.
    """

    writer: Writer
    desired: Desired
    clock: Clock
    deadline: Deadline
    on_file: Callable[[FileOutcome], None]
    planned_at: float = float("-inf")
    seen: dict[str, TemplateVersion] = field(default_factory=dict, repr=False, compare=False)

    @property
    def project(self) -> str:
        """Return the BCS project's code."""
        return self.desired.target.project

    @property
    def space(self) -> str:
        """Return the template space's name."""
        return self.desired.target.space

    @property
    def version(self) -> str:
        """Return the run's version name."""
        return self.desired.version

    def versions(self, ids: Iterable[str]) -> dict[str, TemplateVersion]:
        """Return the versions of these ids; StepError where one can't be read."""
        found = read_versions(self.writer, self.project, ids, known=self.seen)
        self.seen.update(found)
        return found


# --- all files ------------------------------------------------------------------------------------------


def publish_files(publishing: Publishing, plan: Plan, *, space_id: str) -> tuple[FileOutcome, ...]:
    """Write every change of the plan into a space; return how each ended, sorted by name.

    A file whose planned-against version is no longer current ends as failed with `Overtaken`. Those that
    branches share come first: they are looked at again some time after they were written.
    """
    still = [_untouched(change) for change in plan.changes if not change.writes]
    shared = publishing.desired.shared
    changes = sorted((c for c in plan.changes if c.writes), key=lambda c: c.name not in shared)
    looks = Looks(publishing.clock, partial(list_files, publishing.writer, publishing.project, space_id))
    if changes:
        with suppress(StepError):  # each file says it
            looks.rows()
    tasks = [partial(_ended, publishing, change, looks=looks, space_id=space_id) for change in changes]
    written = together(publishing.writer, tasks)
    return tuple(sorted([*still, *written], key=lambda outcome: outcome.change.name))


def _untouched(change: Change) -> FileOutcome:
    end: WriteEnd = "skipped" if change.action == "skip" else "unchanged"
    return FileOutcome(change, end, version_id=change.version_id, version=change.version, notes=change.notes)


def _ended(publishing: Publishing, change: Change, *, looks: Looks, space_id: str) -> FileOutcome:
    """Publish one file and turn whatever a server did into an outcome; a defect of ours passes through."""
    began = publishing.clock.monotonic()
    try:
        outcome = publish_file(publishing, change, looks=looks, space_id=space_id)
    except OutOfTime:  # only ever raised before a file's first write
        outcome = FileOutcome(change, "not-attempted", notes=change.notes)
    except StepError as exc:
        outcome = _failed(change, exc)
    outcome = replace(outcome, seconds=publishing.clock.monotonic() - began)
    publishing.on_file(outcome)
    return outcome


def _failed(change: Change, error: StepError) -> FileOutcome:
    return FileOutcome(change, "failed", error=error.with_context(file=change.name), notes=change.notes)


def ensure_space(publishing: Publishing) -> tuple[str, bool]:
    """Return the id of the run's template space, and whether it had to be created.

    Raises:
        StepError: what the gateway or BCS answered.
    """
    create = protocol.create_space(publishing.project, name=publishing.space)

    def read_back() -> Optional[str]:
        found = find_space(publishing.writer, project=publishing.project, space=publishing.space)
        return found.id if found is not None else None

    try:
        space_id, was_there = write_once(
            publishing.clock, lambda: publishing.writer.write(create).id, read_back=read_back
        )
    except BcsFailed as exc:
        raise space_refused(publishing.space, exc) from exc
    return space_id, not was_there


# --- one file -------------------------------------------------------------------------------------------


def publish_file(publishing: Publishing, change: Change, *, looks: Looks, space_id: str) -> FileOutcome:
    """Write one change and return it as applied, with the creator that BCS recorded.

    Raises:
        Overtaken: the file is no longer what the plan was made against, or its version's name is taken.
        StepError: what the gateway or BCS answered.
    """
    looked_at, rows = looks.rows()
    if not change.template_id:
        if change.name in oldest_of_each_name(rows):
            raise Overtaken(details=[say("publish.created_by_another", name=change.name)])
        created, sent = _create_file(publishing, change, space_id=space_id, looked_at=looked_at)
        return replace(_verified(publishing, change, created.version_id, sent), template_id=created.id)
    metadata = next((row for row in rows if row.id == change.template_id), None)
    if metadata is None or change.moves_pin or metadata.is_draft:  # to be put back, it has to be the newest
        metadata = read_file(publishing.writer, publishing.project, change.template_id, known_as=change.name)
    looked_at = _since_when(publishing, change, metadata, looked_at=looked_at)
    version_id, sent = change.version_id, Sent(looked_at)
    if change.writes_version:
        try:
            version_id, sent = _create_version(publishing, change, looked_at=looked_at)
        except OutcomeUnknown as exc:
            return _left_open(change, exc, metadata=metadata)
    if not (change.moves_pin or metadata.is_draft):
        return _verified(publishing, change, version_id, sent)
    try:
        _carry_over(publishing, metadata, version=change.version if change.moves_pin else "")
    except StepError as exc:
        return _half_done(change, exc, metadata=metadata, version_id=version_id)
    return _verified(publishing, change, version_id, sent, put=metadata)


def _since_when(publishing: Publishing, change: Change, metadata: TemplateFile, *, looked_at: float) -> float:
    """Return since when others may have written unseen: the look, or the plan where a build stands beside.

    Raises:
        Overtaken: the file is not what was planned against.
    """
    try:
        check_still_current(change, metadata, space=publishing.space)
    except Overtaken:
        age = publishing.clock.monotonic() - publishing.planned_at
        is_shared = change.name in publishing.desired.shared and not change.moves_pin
        if is_shared and age < BESIDE_SECONDS and is_beside(change, metadata, read=publishing.versions):
            return publishing.planned_at
        raise
    return looked_at


def _left_open(change: Change, error: OutcomeUnknown, *, metadata: TemplateFile) -> FileOutcome:
    """Return the failure of a file whose version may be written; then BCS has discarded its draft."""
    names = ("draft_unsure",) if metadata.is_draft else ()
    return _noted(_failed(change, error), names, metadata=metadata)


def _half_done(change: Change, error: StepError, *, metadata: TemplateFile, version_id: str) -> FileOutcome:
    """Return the failure of a file whose version is written, but whose metadata could not be put back."""
    unsure = isinstance(error, OutcomeUnknown)
    pin = ("pin_unsure" if unsure else "not_pinned",) if change.moves_pin else ()
    loses_draft = metadata.is_draft and change.writes_version
    draft = ("draft_unsure" if unsure else "draft_lost",) if loses_draft else ()
    written = version_id if change.writes_version else ""
    failed = replace(_failed(change, error), version_id=written, version=change.version)
    return _noted(failed, (*pin, *draft), metadata=metadata)


def _noted(outcome: FileOutcome, names: Sequence[str], *, metadata: TemplateFile) -> FileOutcome:
    """Return an outcome with these notes on its file's metadata, as they were before."""
    change = outcome.change
    said = [
        say(
            f"publish.{name}",
            name=change.name,
            version=change.version,
            current=metadata.version,
            user=metadata.updator,
        )
        for name in names
    ]
    return replace(outcome, notes=(*outcome.notes, *said))


def _create_file(
    publishing: Publishing, change: Change, *, space_id: str, looked_at: float
) -> tuple[CreatedFile, Sent]:
    sent = [Sent(looked_at)]

    def call(below_space: bool) -> Write[CreatedFile]:  # noqa: FBT001 - a callback's only argument
        return protocol.create_file(
            publishing.project,
            space_id=space_id,
            space=publishing.space,
            name=change.name,
            version=change.version,
            content=change.content,
            version_description=publishing.desired.provenance.line(change.content, bases=change.bases),
            below_space=below_space,
        )

    def read_back() -> Optional[CreatedFile]:
        sent.append(Sent(looked_at, was_heard=False))
        rows = oldest_of_each_name(list_files(publishing.writer, publishing.project, space_id))
        if change.name not in rows:
            return None
        version_id = _find_ours(publishing, change)
        if version_id is None:
            raise Overtaken(details=[say("publish.created_by_another", name=change.name)])
        return CreatedFile(id=rows[change.name].id, version_id=version_id)

    created, _ = write_once(
        publishing.clock,
        lambda: create_in_its_dialect(publishing.writer, call),
        read_back=read_back,
    )
    return created, sent[-1]


def _create_version(publishing: Publishing, change: Change, *, looked_at: float) -> tuple[str, Sent]:
    sent = [Sent(looked_at)]
    call = protocol.create_version(
        publishing.project,
        template_id=change.template_id,
        version=change.version,
        content=change.content,
        description=publishing.desired.provenance.line(change.content, bases=change.bases),
        force=change.overwrites,
    )

    def read_back() -> Optional[str]:
        sent.append(Sent(looked_at, was_heard=False))
        return _find_ours(publishing, change)

    write = partial(publishing.writer.write, call)
    version_id, was_there = write_once(publishing.clock, lambda: write().id, read_back=read_back)
    if was_there and change.name in publishing.desired.shared:  # others may have taken its path out since
        raise Overtaken
    return version_id, sent[-1]


def _find_ours(publishing: Publishing, change: Change) -> Optional[str]:
    """Return the id of the run's version of a file if it is there with the run's content.

    Raises:
        Overtaken: it is there with other content, and is not to be overwritten: the next plan decides.
    """
    call = protocol.find_version(
        publishing.project, space=publishing.space, name=change.name, version=change.version
    )
    found = publishing.writer.read(call)
    if found is None:
        return None
    if found.content == change.content:
        return found.id
    if change.overwrites:
        return None
    detail = say("publish.rival_version", name=change.name, version=found.version, creator=found.creator)
    raise Overtaken(details=[detail])


def _carry_over(publishing: Publishing, metadata: TemplateFile, *, version: str) -> None:
    """Put the file's metadata back whole, pinned to a version if one is named (trap 4).

    Creating a version also clears a draft that somebody left in the console (BCS's CreateTemplateVersion,
    2026-07); the fields read before the version was created bring it back. Sent twice it does no harm.
    """

    def send() -> str:
        put_back(publishing.writer, publishing.project, metadata, version=version or metadata.version)
        return metadata.id

    def read_back() -> Optional[str]:
        seen = publishing.writer.read(protocol.get_file(publishing.project, metadata.id))
        is_pinned = seen.version == version or not version
        return metadata.id if is_pinned and _draft_of(seen) == _draft_of(metadata) else None

    write_once(publishing.clock, send, read_back=read_back)


def _draft_of(metadata: TemplateFile) -> tuple[bool, str, str]:
    return metadata.is_draft, metadata.draft_version, metadata.draft_content


def _verified(
    publishing: Publishing,
    change: Change,
    version_id: str,
    sent: Sent,
    *,
    put: Optional[TemplateFile] = None,
) -> FileOutcome:
    """Read the version back: it holds what was sent, and names its creator.

    BCS has said that it is written, so where it can't be read that is no failure: the result says so. `put`
    is the metadata that we have put back, which may have renamed the file (write_once.py).
    """
    now = publishing.clock.monotonic()
    is_slow = now - sent.looked_at >= SETTLING_SECONDS
    applied = FileOutcome(
        change,
        "applied",
        version_id=version_id,
        version=change.version,
        notes=change.notes,
        answered_at=now,
        unsure=is_slow or not sent.was_heard,
    )
    try:
        version = publishing.writer.read(protocol.get_version(publishing.project, version_id))
    except StepError as exc:
        note = say("publish.unverified", name=change.name, version=change.version, problem=exc.title())
        return replace(applied, notes=(*change.notes, note), verified=False)
    called = version.template_name or change.name
    if put is not None and called != change.name:
        current = change.version if change.moves_pin else put.version
        renamed = Renamed(put, version_id, current, publishing.space, change.name)
        problem = name_again(publishing.writer, publishing.project, renamed)
        if problem is not None:
            return _failed_at(change, version_id, version, problem)
        called = change.name
    place = (version.template_space or publishing.space, called)
    if place != (publishing.space, change.name):
        detail = say("publish.renamed", name=change.name, now="/".join(place), user=version.creator)
        return _failed_at(change, version_id, version, Overtaken(details=[detail]))
    if version.content == change.content:
        publishing.seen[version.id] = version
        return replace(applied, creator=version.creator)
    differs = say("publish.content_differs", name=change.name)
    error = AnswerUnreadable(url=f"template/versions/{version_id}", problem=differs)
    return _failed_at(change, version_id, version, error)


def _failed_at(change: Change, version_id: str, version: TemplateVersion, error: StepError) -> FileOutcome:
    return replace(_failed(change, error), version_id=version_id, version=version.version)
