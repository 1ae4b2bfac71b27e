"""Carry a plan out: write what it says, once, and find out what came of it.

What is guaranteed, and what can't be. BCS has no compare-and-swap, and its creations are check-then-insert
without a unique index (facts/bcs.md, trap 5). So:
- a file is written only if the version it was planned against is still current at that moment; else it is
  reported as overtaken, and the caller reads, plans and checks again;
- a write whose answer was lost is read back by name before it is sent again, after a pause that lets a
  slow one finish;
- between the check and the write remains a window. It is noticed afterwards: `settle` looks for versions
  written in between, for files that point elsewhere, and for names that exist twice, and says so;
- nothing is undone by deleting, and a failure on one file does not stop the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Optional, Protocol, TypeVar

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.protocol import Read, TemplateFile, Write
from bcs_template_set.bcs.template_files import (
    Wanted,
    find_space,
    oldest_of_each_name,
    read_chart,
    space_histories,
)
from bcs_template_set.clock import Clock, Deadline
from bcs_template_set.errors import (
    AnswerUnreadable,
    BcsFailed,
    OutcomeUnknown,
    OutOfTime,
    Overtaken,
    StepError,
    VersionConflict,
)
from bcs_template_set.existing import VersionRef
from bcs_template_set.messages import Text, say
from bcs_template_set.outcome import FileOutcome, FileState
from bcs_template_set.overlap import Raised, overlap
from bcs_template_set.plan import Change, Desired, Plan

T = TypeVar("T")

NAME_EXISTS = 7
"""BCS's code for "the version or name exists" (facts/bcs.md, "Answers")."""

MOST_TRIES = 3
PAUSES_BEFORE_READING_BACK = (1.0, 4.0)
"""Seconds; a write that timed out may still be under way when we first look."""


class Writer(Protocol):
    """A gateway that may write. It exists only after the plan."""

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        ...

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        ...


@dataclass(frozen=True)
class Publishing:
    """What publishing needs beside the plan. `on_file` hears of every file as soon as it has ended."""

    writer: Writer
    desired: Desired
    clock: Clock
    deadline: Deadline
    concurrency: int
    on_file: Callable[[FileOutcome], None]

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


# --- all files ------------------------------------------------------------------------------------------


def publish_files(publishing: Publishing, plan: Plan, *, space_id: str) -> tuple[FileOutcome, ...]:
    """Write every change of the plan into a space; return how each ended, sorted by name.

    A file whose planned-against version is no longer current ends as failed with `Overtaken`.
    """
    still = [_untouched(change) for change in plan.changes if not change.writes]
    changes = [change for change in plan.changes if change.writes]
    results = overlap(
        [partial(_ended, publishing, change, space_id=space_id) for change in changes],
        concurrency=publishing.concurrency,
    )
    written = []
    for result in results:
        if isinstance(result, Raised):
            raise result.error
        written.append(result.value)
    return tuple(sorted([*still, *written], key=lambda outcome: outcome.change.name))


def _untouched(change: Change) -> FileOutcome:
    state: FileState = "skipped" if change.action == "skip" else "unchanged"
    return FileOutcome(
        change, state, version_id=change.version_id, version=change.version, notes=change.notes
    )


def _ended(publishing: Publishing, change: Change, *, space_id: str) -> FileOutcome:
    """Publish one file and turn whatever a server did into an outcome; a defect of ours passes through."""
    if publishing.deadline.passed():
        outcome = FileOutcome(change, "not-attempted", notes=change.notes)
    else:
        try:
            outcome = publish_file(publishing, change, space_id=space_id)
        except OutOfTime as exc:
            outcome = FileOutcome(change, "failed", error=exc, notes=change.notes)
        except StepError as exc:
            outcome = FileOutcome(
                change, "failed", error=exc.with_context(file=change.name), notes=change.notes
            )
    publishing.on_file(outcome)
    return outcome


def ensure_space(publishing: Publishing) -> str:
    """Return the id of the run's template space, creating it where it is missing."""
    create = protocol.create_space(publishing.project, name=publishing.space)

    def read_back() -> Optional[str]:
        found = find_space(publishing.writer, project=publishing.project, space=publishing.space)
        return found.id if found is not None else None

    known = read_back()
    if known is not None:
        return known
    return _write_once(publishing, lambda: publishing.writer.write(create).id, read_back=read_back)


# --- one file -------------------------------------------------------------------------------------------


def publish_file(publishing: Publishing, change: Change, *, space_id: str) -> FileOutcome:
    """Write one change and return it as applied, with the creator that BCS recorded.

    Raises:
        Overtaken: the file is no longer what the plan was made against.
        VersionConflict: somebody else wrote this version name with other content since the plan.
        StepError: what the gateway or BCS answered.
    """
    if not change.template_id:
        version_id = _create_file(publishing, change, space_id=space_id)
        return _verified(publishing, change, version_id=version_id)
    metadata = publishing.writer.read(protocol.get_file(publishing.project, change.template_id))
    _check_still_current(change, metadata)
    version_id = change.version_id
    if change.writes_version:
        version_id = _create_version(publishing, change)
    if change.moves_pin or metadata.is_draft:
        _carry_over(publishing, metadata, moves_pin=change.moves_pin)
    return _verified(publishing, change, version_id=version_id)


def _check_still_current(change: Change, metadata: TemplateFile) -> None:
    expected = change.previous.id if change.previous is not None else ""
    if metadata.version_id != expected:
        planned = change.previous.name if change.previous is not None else "-"
        detail = say(
            "publish.overtaken",
            name=change.name,
            planned=planned,
            current=metadata.version,
            user=metadata.updator,
        )
        raise Overtaken(details=[detail])


def _create_file(publishing: Publishing, change: Change, *, space_id: str) -> str:
    call = protocol.create_file(
        publishing.project,
        space_id=space_id,
        space=publishing.space,
        name=change.name,
        version=publishing.version,
        content=change.content,
        version_description=publishing.desired.provenance.line(change.content),
    )

    def read_back() -> Optional[str]:
        rows = publishing.writer.read(protocol.list_files(publishing.project, space_id))
        if change.name not in oldest_of_each_name(rows):
            return None
        version_id = _find_ours(publishing, change)
        if version_id is None:
            raise Overtaken(details=[say("publish.created_by_another", name=change.name)])
        return version_id

    return _write_once(publishing, lambda: publishing.writer.write(call).version_id, read_back=read_back)


def _create_version(publishing: Publishing, change: Change) -> str:
    call = protocol.create_version(
        publishing.project,
        template_id=change.template_id,
        version=publishing.version,
        content=change.content,
        description=publishing.desired.provenance.line(change.content),
        force=change.overwrites,
    )

    def read_back() -> Optional[str]:
        return _find_ours(publishing, change)

    return _write_once(publishing, lambda: publishing.writer.write(call).id, read_back=read_back)


def _find_ours(publishing: Publishing, change: Change) -> Optional[str]:
    """Return the id of the run's version of a file if it is there with the run's content.

    Raises:
        VersionConflict: it is there with other content, and is not to be overwritten.
    """
    call = protocol.find_version(
        publishing.project, space=publishing.space, name=change.name, version=publishing.version
    )
    found = publishing.writer.read(call)
    if found is None:
        return None
    if found.content == change.content:
        return found.id
    if change.overwrites:
        return None
    detail = say("publish.rival_version", name=change.name, version=found.version, creator=found.creator)
    raise VersionConflict(details=[detail])


def _carry_over(publishing: Publishing, metadata: TemplateFile, *, moves_pin: bool) -> None:
    """Put the file's metadata back whole, pinned to the new version where it was pinned (trap 4).

    Creating a version also clears a draft that somebody left in the console (BCS's CreateTemplateVersion,
    2026-07); the fields read before the version was created bring it back. Sent twice it does no harm.
    """
    version = publishing.version if moves_pin else metadata.version
    call = protocol.update_file(publishing.project, metadata, version=version)

    def send() -> str:
        publishing.writer.write(call)
        return metadata.id

    def read_back() -> Optional[str]:
        seen = publishing.writer.read(protocol.get_file(publishing.project, metadata.id))
        return metadata.id if (seen.version, seen.is_draft) == (version, metadata.is_draft) else None

    _write_once(publishing, send, read_back=read_back)


def _write_once(
    publishing: Publishing, send: Callable[[], str], *, read_back: Callable[[], Optional[str]]
) -> str:
    """Return the id that a creation gave; send again only where reading back shows it did not happen."""
    for _ in range(MOST_TRIES):
        try:
            return send()
        except OutcomeUnknown as exc:
            unknown = exc
        except BcsFailed as exc:
            if exc.fields.get("bcs_code") != NAME_EXISTS:
                raise
            found = read_back()
            if found is None:
                raise
            return found
        for pause in PAUSES_BEFORE_READING_BACK:
            publishing.clock.wait(pause)
            found = read_back()
            if found is not None:
                return found
    raise unknown


def _verified(publishing: Publishing, change: Change, *, version_id: str) -> FileOutcome:
    """Read the version back: it is there, holds what was sent, and names its creator."""
    version = publishing.writer.read(protocol.get_version(publishing.project, version_id))
    if version.content != change.content:
        raise AnswerUnreadable(
            url=f"template/versions/{version_id}", problem=say("publish.content_differs", name=change.name)
        )
    return FileOutcome(
        change,
        "applied",
        version_id=version.id,
        version=version.version,
        creator=version.creator,
        notes=change.notes,
    )


# --- afterwards -----------------------------------------------------------------------------------------


def settle(publishing: Publishing, files: Sequence[FileOutcome], *, space_id: str) -> tuple[FileOutcome, ...]:
    """Look at the space once more and note on every applied file what a rival did meanwhile."""
    if not any(outcome.state == "applied" for outcome in files):
        return tuple(files)
    rows = publishing.writer.read(protocol.list_files(publishing.project, space_id))
    histories = space_histories(
        publishing.writer, publishing.project, space_id=space_id, space=publishing.space
    )
    current = oldest_of_each_name(rows)
    counts = Counter(row.real_name for row in rows)
    return tuple(
        replace(
            outcome,
            notes=(
                *outcome.notes,
                *_twice_notes(outcome.change.name, counts),
                *_overtaken_notes(outcome, current.get(outcome.change.name)),
                *_between_notes(outcome, (histories or {}).get(outcome.change.name, ())),
            ),
        )
        if outcome.state == "applied"
        else outcome
        for outcome in files
    )


def _twice_notes(name: str, counts: Mapping[str, int]) -> list[Text]:
    return [say("publish.file_twice", name=name)] if counts.get(name, 0) > 1 else []


def _overtaken_notes(outcome: FileOutcome, row: Optional[TemplateFile]) -> list[Text]:
    if row is None:
        return [say("publish.file_gone", name=outcome.change.name)]
    if row.version_id == outcome.version_id or row.version == outcome.version:
        return []
    return [
        say("publish.not_current", name=outcome.change.name, version=outcome.version, current=row.version)
    ]


def _between_notes(outcome: FileOutcome, history: Sequence[VersionRef]) -> list[Text]:
    """Name the versions written after the one planned against and before ours; `history` is newest first."""
    ids = [ref.id for ref in history]
    previous = outcome.change.previous
    if outcome.version_id not in ids or outcome.change.overwrites:
        return []
    older = history[ids.index(outcome.version_id) + 1 :]
    rivals: list[str] = []
    for ref in older:
        if previous is not None and ref.id == previous.id:
            break
        rivals.append(ref.name)
    else:
        if previous is not None:
            return []
    return [say("publish.written_between", name=outcome.change.name, versions=rivals)] if rivals else []


def creator_warnings(files: Sequence[FileOutcome], *, user: str) -> tuple[Text, ...]:
    """Return a warning for every creator BCS recorded who is not the acting user (design section 3)."""
    others: dict[str, list[str]] = {}
    for outcome in files:
        if outcome.state == "applied" and outcome.creator and user and outcome.creator != user:
            others.setdefault(outcome.creator, []).append(outcome.change.name)
    return tuple(
        say("publish.other_creator", creator=creator, user=user, names=names)
        for creator, names in sorted(others.items())
    )


# --- template set ---------------------------------------------------------------------------------------


def publish_chart(publishing: Publishing, files: Sequence[FileOutcome]) -> tuple[Text, ...]:
    """Publish the run's files as the template set, and return what could not be verified, as warnings.

    Templates that BCS does not find are dropped silently (trap 14), so what is there afterwards is compared
    with what was asked, where helm-manager may be asked.

    Raises:
        BcsFailed: BCS refused, or the template set lacks files.
    """
    target = publishing.desired.target
    versions = {outcome.change.name: outcome.version for outcome in files}
    call = protocol.create_template_set(
        target.project,
        name=target.template_set,
        version=publishing.version,
        description=publishing.desired.provenance.line("".join(f.text for f in publishing.desired.files)),
        templates=[(target.space, name, version) for name, version in sorted(versions.items())],
    )
    try:
        publishing.writer.write(call)
    except OutcomeUnknown:
        publishing.clock.wait(PAUSES_BEFORE_READING_BACK[1])
        if not _chart_state(publishing)[0]:
            raise
    names, readable = _chart_state(publishing)
    if not readable:
        return (say("publish.chart_unverified", name=target.template_set, version=publishing.version),)
    missing = sorted(set(versions) - names)
    if missing:
        raise BcsFailed(bcs_code=0, message=say("publish.chart_incomplete", names=missing))
    return ()


def _chart_state(publishing: Publishing) -> tuple[frozenset[str], bool]:
    target = publishing.desired.target
    wanted = Wanted(
        project=target.project,
        space=target.space,
        files=(),
        version=publishing.version,
        template_set=target.template_set,
        started_at=0,
    )
    chart, readable = read_chart(publishing.writer, wanted)
    return frozenset(chart.template_contents() if chart is not None else ()), readable
