"""Look at the space after publishing: what others wrote in the window that no check can close.

Versions written in between, files that point elsewhere, names that exist twice (facts/bcs.md, trap 5), and
creators who are not the acting user: each is said, and nothing is changed. Where a rival wrote, the run
plans again (`publish_phase.py`), which merges what branches share or ends by `on_newer_build`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace
from bcs_template_set.bcs.space.existing import SpaceHistories, VersionRef
from bcs_template_set.bcs.space.template_spaces import (
    file_versions,
    history_of,
    oldest_of_each_name,
    read_listing,
)
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.system.parallel import overlap, values_of


@dataclass(frozen=True)
class Settled:
    """Files with what was noted about them, and the names of those that a rival wrote at the same time."""

    files: tuple[FileOutcome, ...]
    rivalled: frozenset[str] = frozenset()


def settle(publishing: Publishing, files: Sequence[FileOutcome], *, space_id: str) -> Settled:
    """Look at the space once more and note on every applied file what a rival did meanwhile.

    Raises:
        StepError: the space could not be read; everything stands as `files` tells it.
    """
    if not any(outcome.state == "applied" for outcome in files):
        return Settled(tuple(files))
    written = frozenset(outcome.change.name for outcome in files if outcome.state == "applied")
    rows, histories = _read_space(publishing, space_id, written)
    current = oldest_of_each_name(rows)
    counts = Counter(row.real_name for row in rows)
    settled, rivalled = [], set()
    for outcome in files:
        name, notes, rivals = outcome.change.name, list[Text](), list[Text]()
        if outcome.state == "applied":
            history = histories.get(name, ())
            overtaken = _overtaken_note(outcome, current.get(name))
            rivals = [overtaken] if overtaken is not None else _between_notes(outcome, history)
            notes = [*_twice_notes(name, counts), *rivals, *_same_name_notes(outcome, history)]
        if rivals and name in current:
            rivalled.add(name)
        settled.append(replace(outcome, notes=(*outcome.notes, *notes)))
    return Settled(tuple(settled), frozenset(rivalled))


def _read_space(
    publishing: Publishing, space_id: str, written: frozenset[str]
) -> tuple[Sequence[TemplateFile], SpaceHistories]:
    """Return the space's files and, at least of those that were written, the versions there are now."""
    writer, project, concurrency = publishing.writer, publishing.project, publishing.concurrency
    space = TemplateSpace(id=space_id, name=publishing.space)
    listing = read_listing(writer, project, space, concurrency=concurrency)
    if listing.histories is not None:
        return listing.files, listing.histories
    rows = {name: row for name, row in oldest_of_each_name(listing.files).items() if name in written}
    reads = [partial(file_versions, writer, project, row.id) for row in rows.values()]
    versions = values_of(overlap(reads, concurrency=concurrency))
    return listing.files, {name: history_of(found or ()) for name, found in zip(rows, versions)}


def _twice_notes(name: str, counts: Counter[str]) -> list[Text]:
    return [say("publish.file_twice", name=name)] if counts[name] > 1 else []


def _overtaken_note(outcome: FileOutcome, row: Optional[TemplateFile]) -> Optional[Text]:
    name = outcome.change.name
    if row is None:
        return say("publish.file_gone", name=name)
    if row.version == outcome.version or _was_left_current(row, outcome.change):
        return None
    return say("publish.not_current", name=name, version=outcome.version, current=row.version)


def _was_left_current(row: TemplateFile, change: Change) -> bool:
    """Tell whether the file points where it did, as it may: a rewritten version does not become current."""
    before = change.previous.id if change.previous is not None else ""
    return change.overwrites and not change.moves_pin and row.version_id == before


def _between_notes(outcome: FileOutcome, history: Sequence[VersionRef]) -> list[Text]:
    """Name the versions that have come since the plan; `history` is newest first.

    Which of them BCS inserted before ours can't be told: it stamps first and inserts later, by the clocks of
    several servers.
    """
    rivals = [
        ref.name for ref in history if ref.id not in outcome.change.known and ref.id != outcome.version_id
    ]
    return [say("publish.written_between", name=outcome.change.name, versions=rivals)] if rivals else []


def _same_name_notes(outcome: FileOutcome, history: Sequence[VersionRef]) -> list[Text]:
    """Name a version name that exists twice: two creations at once, of which BCS shows one (trap 5)."""
    if sum(ref.name == outcome.version for ref in history) < 2:  # noqa: PLR2004 - ours and another
        return []
    return [say("publish.version_twice", name=outcome.change.name, version=outcome.version)]


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
