"""Look at the space after publishing: what others wrote in the window that no check can close.

Versions written in between, files that point elsewhere, names that exist twice (facts/bcs.md, trap 5), and
creators who are not the acting user: each is said, and nothing is changed. Where a rival wrote, the run
plans again (`publish_phase.py`), which merges what branches share or ends by `on_newer_build`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.lineage import suspects
from bcs_template_set.bcs.space.provenance import ids_in
from bcs_template_set.bcs.space.template_spaces import list_files, list_histories, oldest_of_each_name
from bcs_template_set.bcs.space.unmerged_versions import not_upon
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.look_first import SETTLING_SECONDS
from bcs_template_set.publish.plan import Change
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class Settled:
    """Files with what was noted about them, and the names of those that a rival wrote at the same time.

    Of files `within` others' versions ours is part of what somebody wrote since. What a file may be `hiding`
    where our version is part of it are versions by their ids. `rows` are what the look has shown, by name;
    None where nothing was written, so that nobody looked.
    """

    files: tuple[FileOutcome, ...]
    rivalled: frozenset[str] = frozenset()
    within: frozenset[str] = frozenset()
    hiding: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rows: Optional[Mapping[str, TemplateFile]] = field(default=None, compare=False)

    @property
    def unsettled(self) -> frozenset[str]:
        """Return the files with which this build is not done yet."""
        return self.rivalled | self.within | self.hiding.keys()


def settle(publishing: Publishing, files: Sequence[FileOutcome], *, space_id: str) -> Settled:
    """Look at the space once more and note on every applied file what a rival did meanwhile.

    Raises:
        StepError: the space could not be read; everything stands as `files` tells it.
    """
    written = [outcome for outcome in files if outcome.state == "applied"]
    if not written:
        return Settled(tuple(files))
    _let_others_end(publishing, written)
    rows = list_files(publishing.writer, publishing.project, space_id)
    current = oldest_of_each_name(rows)
    unsure = [current[o.change.name] for o in written if o.unsure and o.change.name in current]
    space = TemplateSpace(id=space_id, name=publishing.space)
    histories, _ = list_histories(publishing.writer, publishing.project, space, unsure)
    shared = {o.change.name for o in written} & publishing.desired.shared & current.keys()
    newer = [current[name].version_id for name in shared if current[name].version_id]
    publishing.versions(newer)  # at once: they are looked into one by one
    counts = Counter(row.real_name for row in rows)
    settled, rivalled, within, hiding = [], set(), set(), dict[str, frozenset[str]]()
    for outcome in files:
        name, notes, rivals = outcome.change.name, list[Text](), list[Text]()
        if outcome.state == "applied":
            history = _with_current(histories.get(name) or (), current.get(name))
            overtaken = _overtaken_note(publishing, outcome, current.get(name))
            between = _between(outcome, history) if overtaken is None else ()
            rivals = [overtaken] if overtaken is not None else _between_notes(outcome, between)
            if between:
                hiding[name] = frozenset(ref.id for ref in between)
            notes = [*_twice_notes(name, counts), *rivals, *_same_name_notes(outcome, history)]
            if overtaken is None and name in shared and current[name].version_id != outcome.version_id:
                within.add(name)
        if rivals and name in current:
            rivalled.add(name)
        settled.append(replace(outcome, notes=(*outcome.notes, *notes)))
    return Settled(tuple(settled), frozenset(rivalled), frozenset(within), hiding, current)


def _let_others_end(publishing: Publishing, written: Sequence[FileOutcome]) -> None:
    """Wait until who has looked before we wrote, and writes what branches share, has written it too.

    A build that needs longer looks for us (`FileOutcome.unsure`): so of two that met, one sees the other.
    """
    shared = [outcome for outcome in written if outcome.change.name in publishing.desired.shared]
    if shared:
        until = max(outcome.answered_at for outcome in shared) + SETTLING_SECONDS
        publishing.clock.wait(max(0.0, until - publishing.clock.monotonic()))


def _twice_notes(name: str, counts: Counter[str]) -> list[Text]:
    return [say("publish.file_twice", name=name)] if counts[name] > 1 else []


def _overtaken_note(
    publishing: Publishing, outcome: FileOutcome, row: Optional[TemplateFile]
) -> Optional[Text]:
    name = outcome.change.name
    if row is None:
        return say("publish.file_gone", name=name)
    if row.version == outcome.version or _was_left_current(row, outcome.change):
        return None
    if name in publishing.desired.shared and _is_part_of(publishing, outcome, row):
        return None
    return say("publish.not_current", name=name, version=outcome.version, current=row.version)


def _is_part_of(publishing: Publishing, outcome: FileOutcome, row: TemplateFile) -> bool:
    """Tell whether what we wrote has become part of what somebody else wrote since."""
    mine, before = [outcome.version_id], ids_in(outcome.change.bases)
    return bool(row.version_id) and not not_upon(
        mine, row.version_id, read=publishing.versions, goes_on=lambda found: found not in before
    )


def _was_left_current(row: TemplateFile, change: Change) -> bool:
    """Tell whether the file points where it did, as it may: a rewritten version does not become current."""
    before = change.previous.id if change.previous is not None else ""
    return change.overwrites and not change.moves_pin and row.version_id == before


def _between(outcome: FileOutcome, history: Sequence[VersionRef]) -> Sequence[VersionRef]:
    """Return the versions that have come since the plan; `history` is newest first, or not known.

    Which of them BCS inserted before ours can't be told: it stamps first and inserts later, by the clocks of
    several servers.
    """
    change = outcome.change
    found = suspects(history, current=outcome.version_id, bases=change.bases)
    rivals = [ref for ref in found if ref.id not in change.known]
    return rivals if rivals or change.overwrites else _of_our_name(outcome, history)


def _between_notes(outcome: FileOutcome, between: Sequence[VersionRef]) -> list[Text]:
    names = [ref.name for ref in between]
    return [say("publish.written_between", name=outcome.change.name, versions=names)] if names else []


def _with_current(history: Sequence[VersionRef], row: Optional[TemplateFile]) -> Sequence[VersionRef]:
    """Return what is known of a file's versions: at least the one that it points at."""
    if history or row is None or not row.version_id:
        return history
    return (VersionRef(row.version_id, row.version),)


def _of_our_name(outcome: FileOutcome, history: Sequence[VersionRef]) -> list[VersionRef]:
    return [ref for ref in history if ref.name == outcome.version and ref.id != outcome.version_id]


def _same_name_notes(outcome: FileOutcome, history: Sequence[VersionRef]) -> list[Text]:
    """Name a version name that exists twice: two creations at once, of which BCS shows one (trap 5)."""
    if not _of_our_name(outcome, history):
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
