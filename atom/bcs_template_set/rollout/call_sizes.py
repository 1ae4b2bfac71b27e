"""Which files the next calls carry: as many as fit the gateway's patience at the pace seen. Pure.

BCS applies an object after the other, and the gateway ends a call after 60 seconds, in the middle of it
(facts/bcs.md, trap 7). Nobody can know the pace beforehand, so the first call is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf

from bcs_template_set.manifests.naming import WEB_FILES, web_part
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.live_state import FileVersion

FIRST_OBJECTS = 20
"""What the first call carries at most."""

SECONDS = 20.0
"""How long a call is meant to take: a third of the gateway's patience, since calls at once may be slower."""

AT_ONCE = 4


@dataclass(frozen=True)
class Unit:
    """Files that one call carries together, in this order: those of a domain, or one file.

    One `in_line` is sent after every one in line before it: whoever writes templates may count on it.
    """

    files: tuple[FileVersion, ...]
    in_line: bool = False

    @property
    def objects(self) -> int:
        """Return how many objects its files hold, at least one."""
        return max(1, sum(len(file.objects) for file in self.files))


def units_of(files: Sequence[FileVersion]) -> tuple[Unit, ...]:
    """Return the files as they belong together: a domain's in one unit, each other one in line."""
    domains: dict[str, list[tuple[int, FileVersion]]] = {}
    for file in files:
        host, part = web_part(file.name)
        place = WEB_FILES.index(part) if part else -1
        domains.setdefault(host or f"/{file.name}", []).append((place, file))
    return tuple(
        Unit(tuple(file for _, file in sorted(parts, key=lambda part: part[0])), in_line=parts[0][0] < 0)
        for parts in domains.values()
    )


@dataclass(frozen=True)
class CallSize:
    """How many objects a call may carry, by what calls have taken so far.

    `objects` and `seconds` are those of all calls, `slowest` the pace of the last round's slowest. `most`
    holds for the next round, whatever the pace; `at_once` is how many calls that may be.
    """

    objects: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    most: float = FIRST_OBJECTS
    at_once: int = 1

    @property
    def pace(self) -> float:
        """Return the seconds that an object takes, 0 where nobody knows."""
        return max(self.slowest, self.seconds / self.objects) if self.objects else 0.0

    def limit(self, *, seconds: float) -> float:
        """Return how many objects a call may carry to take so many seconds at most; at least one."""
        fitting = min(SECONDS, seconds) / self.pace if self.pace > 0 else inf
        return max(1.0, min(fitting, self.most))

    def after(self, calls: Sequence[tuple[int, float]]) -> CallSize:
        """Return the size after a round whose calls carried so many objects in so many seconds."""
        return CallSize(
            objects=self.objects + sum(objects for objects, _ in calls),
            seconds=self.seconds + sum(seconds for _, seconds in calls),
            slowest=max(seconds / objects for objects, seconds in calls),
            most=inf,
            at_once=min(AT_ONCE, self.at_once + 1),
        )

    def after_cut(self, sent: int, *, done: int, seconds: float) -> CallSize:
        """Return the size after a call of which only so many objects were done: half as large, and alone."""
        size = self.after([(max(1, done), seconds)])
        return CallSize(size.objects, size.seconds, size.slowest, most=max(1, sent // 2), at_once=1)


def next_calls(
    units: Sequence[Unit], size: CallSize, *, seconds: float = SECONDS, at_once: int = AT_ONCE
) -> tuple[tuple[Unit, ...], ...]:
    """Return what the next round's calls carry, each of them in the order of the units.

    A call holds at least one unit, however large. Units in line go with the first call alone. What one call
    can carry is not divided; what it can't is divided evenly.
    """
    free = [unit for unit in units if not unit.in_line]
    line = [unit for unit in units if unit.in_line]
    total, limit = sum(unit.objects for unit in units), size.limit(seconds=seconds)
    count = 1 if total <= limit else min(at_once, size.at_once, len(free) + bool(line))
    share = min(limit, ceil(total / count))
    calls = [_filled(line, free, most=share)]
    calls += [_filled([], free, most=share) for _ in range(1, count)]
    place = {unit: number for number, unit in enumerate(units)}
    return tuple(tuple(sorted(call, key=place.__getitem__)) for call in calls if call)


def _filled(*queues: list[Unit], most: float) -> list[Unit]:
    """Take units out of the queues, one queue after the other, until the next one does not fit."""
    call: list[Unit] = []
    room = most
    for queue in queues:
        while queue and (not call or queue[0].objects <= room):
            room -= queue[0].objects
            call.append(queue.pop(0))
    return call
