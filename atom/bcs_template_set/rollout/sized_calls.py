"""Send files in calls that fit the gateway's patience, sized by what the last ones took.

BCS applies an object after the other, and the gateway ends a call after 60 seconds, in the middle of it
(facts/bcs.md, trap 7). Nobody can know the pace beforehand, so the first call is small. Performs no I/O of
its own: what is sent, and when a call counts as cut short, the caller's function says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil, inf
from typing import Callable, Generic, TypeVar

from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.manifests.live_replicas import Workload, workload_of
from bcs_template_set.manifests.naming import WEB_FILES, web_part
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.parallel import Done, Raised, TaskEnd, overlap

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

    def cut(self, sent: int) -> CallSize:
        """Return the size after a call with so many objects that was cut short: half as large, and alone."""
        return replace(self, most=max(1, sent // 2), at_once=1)


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


# --- the calls of a deployment ------------------------------------------------------------------------


HEARTBEAT = 30.0
"""Seconds without anything new after which a sign of life is given (design section 7)."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class CallEnd(Generic[T_co]):
    """What a call came to after so many seconds; `left` are the units that a call cut short did not do."""

    value: T_co
    seconds: float
    left: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class Calls(Generic[T_co]):
    """What all calls came to, in the order in which they were sent, and what was not sent any more."""

    values: tuple[T_co, ...]
    errors: tuple[Exception, ...]
    left: tuple[Unit, ...]


Send = Callable[[tuple[Unit, ...]], CallEnd[T]]


class Heartbeat:
    """Gives a sign of life when it is asked to, and the last one, or the beginning, is long ago."""

    def __init__(self, clock: Clock, give: Callable[[], None]) -> None:
        self._clock = clock
        self._give = give
        self._at = clock.monotonic()

    def __call__(self) -> None:
        """Give it where that is due."""
        if self._clock.monotonic() - self._at >= HEARTBEAT:
            self.put_off()
            self._give()

    def put_off(self) -> None:
        """Count from now on: there was something new."""
        self._at = self._clock.monotonic()


@dataclass(frozen=True)
class Deploying:
    """What deploying needs: where, in which template space, with which values for BCS's variables.

    `given` are those that the author gave: where he gives a number of pods, it is not the live one. `at_once`
    is how many calls may be under way; `on_quiet` hears how many files are, once in 30 seconds of a round.
    """

    place: NamespaceRef
    space: str
    variables: Mapping[str, str]
    clock: Clock
    deadline: Deadline
    given: frozenset[str] = frozenset()
    at_once: int = AT_ONCE
    on_quiet: Callable[[int], None] = lambda _files: None

    @property
    def kept(self) -> frozenset[Workload]:
        """Return the workloads that keep the number of pods they have."""
        numbers = (name for name, value in self.variables.items() if value.isdecimal())
        found = (workload_of(name) for name in numbers if name not in self.given)
        return frozenset(workload for workload in found if workload is not None)

    def in_calls(
        self,
        units: Sequence[Unit],
        send: Send[T],
        *,
        size: CallSize = CallSize(),  # noqa: B008 - frozen
    ) -> Calls[T]:
        """Send units in as many calls as it takes; none begins after one that raised, or without time for it.

        What a call that was cut short has left goes into smaller ones, before what was not sent yet. `size`
        is that of the first.
        """
        place = {file.name: number for number, unit in enumerate(units) for file in unit.files}
        left, values, errors = tuple(units), list[T](), list[Exception]()
        while left and not errors:
            remaining = self.deadline.remaining()
            if size.pace * left[0].objects >= remaining:
                break
            calls = next_calls(left, size, seconds=remaining / 3, at_once=self.at_once)
            files = sum(len(unit.files) for call in calls for unit in call)
            ends = overlap(
                [partial(send, call) for call in calls],
                concurrency=len(calls),
                meanwhile=Heartbeat(self.clock, partial(self.on_quiet, files)),
            )
            errors += [end.error for end in ends if isinstance(end, Raised)]
            values += [end.value.value for end in ends if isinstance(end, Done)]
            if not errors:
                size = _next_size(size, calls, ends)
            sent = {unit for call in calls for unit in call}
            again = [unit for end in ends if isinstance(end, Done) for unit in end.value.left]
            waiting = [*again, *(unit for unit in left if unit not in sent)]
            left = tuple(sorted(waiting, key=lambda unit: place[unit.files[0].name]))
        return Calls(tuple(values), tuple(errors), left)


def _next_size(
    size: CallSize, calls: Sequence[tuple[Unit, ...]], ends: Sequence[TaskEnd[CallEnd[T]]]
) -> CallSize:
    pairs = [(_objects(call), end.value) for call, end in zip(calls, ends) if isinstance(end, Done)]
    size = size.after([(max(1, objects - _objects(end.left)), end.seconds) for objects, end in pairs])
    cut = [objects for objects, end in pairs if end.left]
    return size.cut(min(cut)) if cut else size


def _objects(units: Sequence[Unit]) -> int:
    return sum(unit.objects for unit in units)
