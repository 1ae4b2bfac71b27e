"""Looking right before a file is written: one list of rows for many files. Performs no I/O of its own.

Rows tell what is current, and not what a race has hidden under it. Builds that write what branches share make
sure of that by time (tests/model explores it): from its look to BCS's answer a build takes at most
`SETTLING_SECONDS`, or it lists names afterwards; and everybody looks again that long after BCS's answer. So
whoever has overwritten a version unseen has done so before the build that wrote it looks again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from typing import Callable

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.lineage import SKEW_SECONDS
from bcs_template_set.bcs.space.provenance import read_provenance
from bcs_template_set.bcs.space.unmerged_versions import ReadVersions
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import Overtaken
from bcs_template_set.publish.plan import Change
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock
from bcs_template_set.system.parallel import Done, Raised, TaskEnd, overlap

SETTLING_SECONDS = 2.0
"""How long a build may take from its look to BCS's answer: part of the protocol, the same for every build."""

LOOK_SECONDS = 1.0
"""How old a look may be when a file is written."""

BESIDE_SECONDS = 1.5
"""How old a plan may be when a version is written beside another build's."""

_MEANWHILE = 0.02
"""Seconds after which who waits for another's look asks whether it is there."""


@dataclass(frozen=True)
class Sent:
    """How a version was sent: when its file was looked at before, and whether BCS's answer was heard."""

    looked_at: float
    was_heard: bool = True


class Looks:
    """The rows of a space, read once for many files, and again when they have grown old. Threads share it."""

    def __init__(self, clock: Clock, read: Callable[[], Sequence[TemplateFile]]) -> None:
        """Look with `read`; nothing is read yet."""
        self._clock, self._read = clock, read
        self._lock = threading.Lock()
        self._is_looking = False
        self._last: tuple[float, TaskEnd[Sequence[TemplateFile]]] = (0.0, Done(()))
        self._good_until = float("-inf")

    def rows(self) -> tuple[float, Sequence[TemplateFile]]:
        """Return the rows, and the moment since which something can have changed in them unseen.

        Raises:
            StepError: the look that this file shares with others failed.
        """
        while not self._is_good():
            self._clock.wait(_MEANWHILE)  # somebody else looks
        at, end = self._last
        if isinstance(end, Raised):
            raise copy(end.error)  # each file adds its own name
        return at, end.value

    def _is_good(self) -> bool:
        """Tell whether the last look is young enough, after looking again if nobody else does."""
        with self._lock:
            if self._clock.monotonic() <= self._good_until:
                return True
            if self._is_looking:
                return False
            self._is_looking = True
        began = self._clock.monotonic()
        end = overlap([self._read], concurrency=1)[0]
        now = self._clock.monotonic()
        with self._lock:
            self._last, self._good_until = (began, end), now + max(now - began, LOOK_SECONDS)
            self._is_looking = False
        return True


def check_still_current(change: Change, metadata: TemplateFile, *, space: str) -> None:
    """Refuse to write into a file that is not the one that was planned against: by name, place and version.

    Raises:
        Overtaken: somebody has renamed or moved it, or made another version current.
    """
    if (metadata.template_space or space, metadata.real_name) != (space, change.name):
        now = f"{metadata.template_space or space}/{metadata.real_name}"
        detail = say("publish.renamed", name=change.name, now=now, user=metadata.updator)
        raise Overtaken(details=[detail])
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


def is_beside(change: Change, metadata: TemplateFile, *, read: ReadVersions) -> bool:
    """Tell whether a build has made what is current now since a change was planned.

    Both builds will look whether theirs is part of the current version, and one of all that met merges them
    (turns.py). Each would plan again and again if it had to be alone.
    """
    if not (metadata.version_id and change.previous):
        return False
    current = read([metadata.version_id])[metadata.version_id]
    origin = read_provenance(current.description)
    is_younger = current.create_at >= change.previous.created_at - SKEW_SECONDS  # nobody has gone back
    return is_younger and origin is not None and bool(origin.bases)
