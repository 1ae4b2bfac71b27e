"""Send files in calls that fit the gateway's patience: a round of calls at once, sized by what the last took.

Performs no I/O of its own: what is sent, and when a call counts as cut short, the caller's function says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Callable, Generic, TypeVar

from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.manifests.live_replicas import Workload, workload_of
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.call_sizes import AT_ONCE, CallSize, Unit, next_calls
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.parallel import Done, Raised, TaskEnd, overlap

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
    whole = [(objects, end.seconds) for objects, end in pairs if not end.left]
    if whole:
        size = size.after(whole)
    for objects, end in pairs:
        if end.left:
            size = size.after_cut(objects, done=objects - _objects(end.left), seconds=end.seconds)
    return size


def _objects(units: Sequence[Unit]) -> int:
    return sum(unit.objects for unit in units)
