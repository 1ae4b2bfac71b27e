"""Send files in calls that fit the gateway's patience: a round of calls at once, sized by what the last took.

Performs no I/O of its own: what is sent, and when a call counts as cut short, the caller's function says.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Callable, Generic, TypeVar

from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.call_sizes import AT_ONCE, CallSize, Unit, next_calls
from bcs_template_set.rollout.pace import Heartbeat
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.parallel import Done, Raised, TaskEnd, overlap

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


def send_in_calls(
    units: Sequence[Unit],
    send: Send[T],
    *,
    deadline: Deadline,
    clock: Clock,
    on_quiet: Callable[[int], None],
    at_once: int = AT_ONCE,
    size: CallSize = CallSize(),  # noqa: B008 - frozen
) -> Calls[T]:
    """Send units in as many calls as it takes; none begins after one that raised, or without time for it.

    What a call that was cut short has left goes into smaller ones, before what was not sent yet. `on_quiet`
    hears how many files are under way, once in 30 seconds of a round of calls.
    """
    place = {file.name: number for number, unit in enumerate(units) for file in unit.files}
    left, values, errors = tuple(units), list[T](), list[Exception]()
    while left and not errors:
        remaining = deadline.remaining()
        if size.pace * left[0].objects >= remaining:
            break
        calls = next_calls(left, size, seconds=remaining / 3, at_once=at_once)
        files = sum(len(unit.files) for call in calls for unit in call)
        ends = overlap(
            [partial(send, call) for call in calls],
            concurrency=len(calls),
            meanwhile=Heartbeat(clock, partial(on_quiet, files)),
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
