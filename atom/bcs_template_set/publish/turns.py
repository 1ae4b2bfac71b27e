"""Whose turn it is where many builds have written one file at once. Only reads leave this module.

Builds that have met on a file that branches share have each written a version beside the others', or upon one
that hides others' (lineage.py). One of them merges all of these; the others then find theirs to be part of
the current version, and are done without writing. Which one it is follows from the versions' ids, the same
for everybody, so nobody has to be asked and nothing is left to chance: the first in that order goes on at
once, each other some seconds after the one before it, unless it is merged by then. A build that was killed
costs the others those seconds. Who has written upon what hides others comes last, and stays until these are
merged, too: the build that hid them may be dead. What was merged is looked at once more, when nobody can hide
it any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.lineage import suspects
from bcs_template_set.bcs.space.provenance import Provenance, ids_in, read_provenance
from bcs_template_set.bcs.space.template_spaces import list_files, list_histories, oldest_of_each_name
from bcs_template_set.bcs.space.unmerged_versions import not_upon
from bcs_template_set.publish.concurrent_writes import Settled
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.look_first import SETTLING_SECONDS
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Deadline

SLOT_SECONDS = 3.0
"""In so many seconds a build reads what is to be merged, and writes it."""

TOGETHER_SECONDS = 1.0
"""A file whose turn comes within so many seconds is planned together with one whose turn it is."""

_LONGEST_PAUSE = 24.0
"""Seconds, before a plain file is planned again that others keep writing."""

_MANY_ROUNDS = 8
"""After so many a turn too waits for a pause: where lists lag it would come at once, again and again."""


@dataclass(frozen=True)
class Contest:
    """A file that others write too: our version of it, "" where there is none, and when our turn comes.

    `current` was its current version when that was worked out. What our version `knew` was not made from it.
    It `owes` the versions that we have seen hidden and not merged: we stay until they are. One that
    `is_merged` was found so once: who still hides that has begun before, and has ended when we look again.
    """

    mine: str
    knew: frozenset[str]
    owes: frozenset[str]
    current: str = ""
    due: float = 0.0
    is_merged: bool = False

    @property
    def merges(self) -> bool:
        """Tell whether it is for us to merge what is hidden when our turn comes, unless others have."""
        return bool(self.mine or self.owes)


@dataclass
class Turns:
    """The files that a build has to plan again, each when its turn comes.

    `written` is what it has written last of each file, `owed` are the hidden versions that it has seen since.
    """

    publishing: Publishing
    deadline: Deadline
    contests: dict[str, Contest] = field(default_factory=dict)
    written: dict[str, FileOutcome] = field(default_factory=dict)
    owed: dict[str, frozenset[str]] = field(default_factory=dict)
    rounds: int = 0

    @property
    def waiting(self) -> frozenset[str]:
        """Return the files whose turn has not come yet."""
        return frozenset(self.contests)

    def enter(self, settled: Settled, applied: Iterable[FileOutcome], *, space_id: str) -> None:
        """Queue up for the files with which this build is not done, after what it has written so far.

        Raises:
            StepError: what the gateway or BCS answered.
        """
        for outcome in applied:
            name = outcome.change.name
            if name not in self.written or self.written[name].version_id != outcome.version_id:
                self.owed.pop(name, None)
            self.written[name] = outcome
        self.owed.update(settled.hiding)
        if settled.unsettled:
            self.rounds += 1
            contests = {name: self._contest(name) for name in settled.unsettled}
            self._queue(contests, settled.rows or {}, space_id=space_id)

    def _contest(self, name: str) -> Contest:
        owes = self.owed.get(name, frozenset())
        if name not in self.written:
            return Contest("", frozenset(), owes)
        written = self.written[name]
        return Contest(written.version_id, ids_in(written.change.bases), owes)

    def next(self, *, space_id: str) -> Mapping[str, Contest]:
        """Wait, and return the files whose turn it is; none where others have merged all that we wrote.

        Where the time is over, it is the turn of all.

        Raises:
            StepError: what the gateway or BCS answered.
        """
        clock = self.publishing.clock
        while self.contests and not self.deadline.passed():
            now = clock.monotonic()
            soon = now + TOGETHER_SECONDS
            due = {n: c for n, c in self.contests.items() if c.due <= soon and not c.is_merged}
            if any(contest.due <= now for contest in due.values()):
                self.contests = {n: contest for n, contest in self.contests.items() if n not in due}
                return due
            pause = min(contest.due for contest in self.contests.values()) - now
            clock.wait(max(0.0, min(pause, SLOT_SECONDS, self.deadline.remaining())))
            self._look(space_id)
        left, self.contests = self.contests, {}
        return left

    def _look(self, space_id: str) -> None:
        """Queue up again for the files that others have written since, but for what they have merged."""
        if not any(self._has_a_turn(*item) for item in self.contests.items()):
            return
        listed = list_files(self.publishing.writer, self.publishing.project, space_id)
        rows = oldest_of_each_name(listed)
        now = self.publishing.clock.monotonic()
        changed = {
            n: c
            for n, c in self.contests.items()
            if c.current != _current(rows, n) or (c.is_merged and c.due <= now)
        }
        self._queue(changed, rows, space_id=space_id)

    def _has_a_turn(self, name: str, contest: Contest) -> bool:
        """Tell whether somebody else may merge it; of another file a pause of our own ends."""
        return name in self.publishing.desired.shared and contest.merges

    def _queue(
        self, contests: Mapping[str, Contest], rows: Mapping[str, TemplateFile], *, space_id: str
    ) -> None:
        publishing = self.publishing
        now = publishing.clock.monotonic()
        plain = now + pause_of(publishing.desired.provenance, self.rounds)
        turns = {n: c for n, c in contests.items() if self._has_a_turn(n, c) and _current(rows, n)}
        for name in contests.keys() - turns.keys():
            self.contests.setdefault(name, replace(contests[name], due=plain))
        versions = publishing.versions(rows[name].version_id for name in turns)
        merged = {n: c for n, c in turns.items() if c.mine and self._is_merged(c, rows[n].version_id)}
        for name, contest in merged.items():
            del turns[name]
            if contest.is_merged and contest.due <= now:
                self.contests.pop(name, None)
                continue
            due = contest.due if contest.is_merged else now + SETTLING_SECONDS
            self.contests[name] = replace(contest, current=rows[name].version_id, due=due, is_merged=True)
        space = TemplateSpace(id=space_id, name=publishing.space)
        listed = [rows[name] for name in turns]
        histories, read = list_histories(publishing.writer, publishing.project, space, listed)
        publishing.seen.update({version.id: version for version in read})
        for name, contest in turns.items():
            hidden = self._hidden(versions[rows[name].version_id], histories.get(name) or ())
            due = now + rank_of(contest.mine, hidden) * SLOT_SECONDS
            due = max(due, plain) if self.rounds > _MANY_ROUNDS else due
            current = rows[name].version_id
            self.contests[name] = replace(contest, current=current, due=due, is_merged=False)

    def _is_merged(self, contest: Contest, current: str) -> bool:
        wanted, read = {contest.mine, *contest.owes}, self.publishing.versions
        return not not_upon(wanted, current, read=read, goes_on=lambda found: found not in contest.knew)

    def _hidden(self, current: TemplateVersion, history: Sequence[VersionRef]) -> Sequence[str]:
        """Return the versions that wait to be merged, as far as what was read already tells."""
        seen, origin = self.publishing.seen, read_provenance(current.description)
        bases = origin.bases if origin is not None else ()
        found = [ref.id for ref in suspects(history, current=current.id, bases=bases)]
        left = not_upon(found, current.id, read=self.publishing.versions, goes_on=seen.__contains__)
        return [version_id for version_id in found if version_id in left]


def _current(rows: Mapping[str, TemplateFile], name: str) -> str:
    return rows[name].version_id if name in rows else ""


def rank_of(mine: str, siblings: Sequence[str]) -> int:
    """Return how many others come before the build that wrote this version, "" for none yet.

    The order is another one for every file, so that one build has not to merge all of them.
    """
    if mine in siblings:
        return sorted(siblings, key=_digest).index(mine)
    return len(siblings)


def pause_of(provenance: Provenance, round_number: int) -> float:
    """Return the seconds after which a build plans a plain file again: another number for each that met."""
    words = f"{provenance.pipeline} {provenance.build} {provenance.branch} {round_number}"
    share = int.from_bytes(_digest(words)[:4], "big") / 2**32
    return share * min(_LONGEST_PAUSE, SLOT_SECONDS * 2.0 ** min(round_number - 1, _MANY_ROUNDS))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
