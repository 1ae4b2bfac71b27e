"""Whose turn it is where many builds have written one file at once. Only reads leave this module.

Builds that have met on a file that branches share have each written a version beside the others'
(lineage.py). One of them merges all of these; the others then find theirs to be part of the current version,
and are done without writing. Which one it is follows from the versions' ids, the same for everybody, so
nobody has to be asked and nothing is left to chance: the first in that order goes on at once, each other some
seconds after the one before it, unless it is merged by then. A build that was killed costs the others those
seconds. One that has not written yet waits until the crowd has become one version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field

from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace
from bcs_template_set.bcs.space.lineage import suspects
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.bcs.space.template_spaces import list_files, list_histories, oldest_of_each_name
from bcs_template_set.bcs.space.unmerged_versions import is_part_of
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Deadline

SLOT_SECONDS = 3.0
"""In so many seconds a build reads what is to be merged, and writes it."""

TOGETHER_SECONDS = 1.0
"""A file whose turn comes within so many seconds is planned together with one whose turn it is."""

_LONGEST_PAUSE = 24.0
"""Seconds, before a plain file is planned again that others keep writing."""


@dataclass(frozen=True)
class Contest:
    """A file that others write too: our version of it, "" where there is none, and when our turn comes.

    `current` was its current version when that was worked out.
    """

    mine: str
    current: str
    due: float


@dataclass
class Turns:
    """The files that a build has to plan again, each when its turn comes."""

    publishing: Publishing
    deadline: Deadline
    contests: dict[str, Contest] = field(default_factory=dict)
    rounds: int = 0

    @property
    def waiting(self) -> frozenset[str]:
        """Return the files whose turn has not come yet."""
        return frozenset(self.contests)

    def enter(self, mine: Mapping[str, str], *, space_id: str) -> None:
        """Queue up for files that others have written too, given with our versions of them.

        Raises:
            StepError: what the gateway or BCS answered.
        """
        if mine:
            self.rounds += 1
            self._queue(mine, self._look(space_id), space_id=space_id)

    def next(self, *, space_id: str) -> frozenset[str]:
        """Wait, and return the files whose turn it is; none where others have merged all that we wrote.

        Where the time is over, it is the turn of all.

        Raises:
            StepError: what the gateway or BCS answered.
        """
        clock = self.publishing.clock
        while self.contests and not self.deadline.passed():
            now = clock.monotonic()
            soon = now + TOGETHER_SECONDS
            due = frozenset(name for name, contest in self.contests.items() if contest.due <= soon)
            if any(self.contests[name].due <= now for name in due):
                self.contests = {n: contest for n, contest in self.contests.items() if n not in due}
                return due
            pause = min(contest.due for contest in self.contests.values()) - now
            clock.wait(min(pause, SLOT_SECONDS, self.deadline.remaining()))
            self._drop_what_is_merged(space_id)
        left, self.contests = self.waiting, {}
        return left

    def _drop_what_is_merged(self, space_id: str) -> None:
        rows = self._look(space_id)
        again: dict[str, str] = {}
        for name, contest in list(self.contests.items()):
            current = rows[name].version_id if name in rows else ""
            if name not in self.publishing.desired.shared or current == contest.current:
                continue
            if contest.mine and current and self._is_part(contest.mine, current):
                del self.contests[name]
            else:
                again[name] = contest.mine
        self._queue(again, rows, space_id=space_id)

    def _is_part(self, mine: str, current: str) -> bool:
        return is_part_of(mine, current, read=self.publishing.versions, known=frozenset())

    def _look(self, space_id: str) -> Mapping[str, TemplateFile]:
        return oldest_of_each_name(list_files(self.publishing.writer, self.publishing.project, space_id))

    def _queue(self, mine: Mapping[str, str], rows: Mapping[str, TemplateFile], *, space_id: str) -> None:
        publishing = self.publishing
        there = {name: rows[name] for name in mine if name in rows and rows[name].version_id}
        shared = [row for name, row in there.items() if name in publishing.desired.shared]
        space = TemplateSpace(id=space_id, name=publishing.space)
        histories, listed = list_histories(
            publishing.writer, publishing.project, space, shared, concurrency=publishing.concurrency
        )
        publishing.seen.update({version.id: version for version in listed})
        versions = publishing.versions(row.version_id for row in shared)
        now = publishing.clock.monotonic()
        plain = pause_of(publishing.desired.provenance, self.rounds)
        for name, own in mine.items():
            self.contests[name] = Contest(own, rows[name].version_id if name in rows else "", now + plain)
        for row in shared:
            origin = read_provenance(versions[row.version_id].description)
            bases = origin.bases if origin is not None else ()
            found = suspects(histories.get(row.real_name) or (), current=row.version_id, bases=bases)
            rank = rank_of(mine[row.real_name], [ref.id for ref in found])
            due = now + rank * SLOT_SECONDS
            self.contests[row.real_name] = Contest(mine[row.real_name], row.version_id, due)


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
    return round(share * min(_LONGEST_PAUSE, SLOT_SECONDS * 2.0 ** (round_number - 1)), 3)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
