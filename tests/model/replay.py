"""Where a run of the step is, told by what it was answered so far: the step itself says what it does next.

A run is a function that reads and writes through one `Writer`. It is called again with the answers that it
has got, and stops at the first request that has none: that is its next move. So neither what a run decides
nor in which order it asks is written down here. A place is the number of a row of answers; rows that are
alike are one place. Nothing of a run is kept between two calls: by the same answers it decides the same.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, Optional, Protocol, TypeVar

from bcs_template_set.bcs.calls import Call, Read, Write
from bcs_template_set.bcs.dialect import Site
from tests.model.namespace import Namespace
from tests.model.shown import ALWAYS, Answer, answered, asked, moment_of

T = TypeVar("T")


class Ended(NamedTuple):
    """How a run ended: its result, and what else it has told."""

    result: str
    told: Hashable = ()


class Pending(NamedTuple):
    """The next request of a run. With `joins` it is read at the moment of the one before it."""

    call: Call[object]
    joins: bool


class Gateway(Protocol):
    """What a run of a scene reads and writes through."""

    @property
    def most_at_once(self) -> int:
        """Return how many requests may be under way at once."""
        ...

    @property
    def site(self) -> Site:
        """Return what is known of BCS's dialect."""
        ...

    def read(self, call: Read[T]) -> T:
        """Return the answer to a read."""
        ...

    def write(self, call: Write[T]) -> T:
        """Return the answer to a write."""
        ...

    def time_passes(self) -> None:
        """Hear that what is read next is read at another moment."""
        ...


Run = Callable[[Gateway], Ended]
"""A run of the step, through this gateway."""


@dataclass
class AtOnce:
    """A gateway of one moment, through which nothing is written."""

    most_at_once = 1

    now: Namespace
    site: Site = field(default_factory=Site)

    def read(self, call: Read[T]) -> T:
        """Return the answer to a read."""
        return answered(call, None if call.name in ALWAYS else asked(self.now, call))

    def write(self, call: Write[T]) -> T:
        """Refuse."""
        raise AssertionError(call.name)

    def time_passes(self) -> None:
        """Overhear that: there is one moment only."""


class _Stop(BaseException):
    """Stops a run at the request that has no answer yet. No `Exception`: nothing of the step may catch it."""


@dataclass
class _Answers:
    """The gateway of a run that is called again. After `given` it reads `now`, one moment of it, or stops."""

    most_at_once = 1

    machine: Machine
    place: int
    given: list[Answer]
    now: Optional[Namespace]
    site: Site = field(default_factory=Site)
    _used: int = 0
    _moment: str = ""
    _has_read: bool = False

    def read(self, call: Read[T]) -> T:
        """Return the answer to a read."""
        moment = moment_of(call, kinds=self.machine.kinds)
        if not moment:
            return answered(call, None)
        joins, self._moment = moment == self._moment, moment
        return answered(call, self._answer(call, joins=joins))

    def write(self, call: Write[T]) -> T:
        """Return the answer to a write."""
        assert call.name not in ALWAYS, call.name
        self._moment = ""
        return answered(call, self._answer(call, joins=False))

    def time_passes(self) -> None:
        """Note that what is read next is read at another moment."""
        self._moment = ""

    def _answer(self, call: Call[object], *, joins: bool) -> Answer:
        if self._used < len(self.given):
            self._used += 1
            return self.given[self._used - 1]
        self.machine.pending[self.place] = Pending(call, joins)
        if self.now is None or isinstance(call, Write) or (self._has_read and not joins):
            raise _Stop
        self._has_read = True
        answer = asked(self.now, call)
        self.place = self.machine.after(self.place, answer)
        return answer


@dataclass
class Machine:
    """The places of some runs. `kinds` are those of which a list may be another at another moment."""

    kinds: frozenset[str]
    pending: dict[int, Pending] = field(default_factory=dict)
    ended: dict[int, Ended] = field(default_factory=dict)
    asked: int = 0
    _before: list[tuple[int, Answer]] = field(default_factory=list)
    _after: dict[tuple[int, Answer], int] = field(default_factory=dict)
    _runs: dict[int, Run] = field(default_factory=dict)

    def begin(self, run: Run) -> int:
        """Return the place at which a run begins."""
        self._before.append((-1, None))
        place = len(self._before) - 1
        self._runs[place] = run
        return place

    def after(self, place: int, answer: Answer) -> int:
        """Return the place of a run after one more answer."""
        key = (place, answer)
        if key not in self._after:
            self._before.append(key)
            self._after[key] = len(self._before) - 1
        return self._after[key]

    def next(self, place: int) -> Optional[Pending]:
        """Return what a run asks next, None where it has ended."""
        if place not in self.pending and place not in self.ended:
            self._call(place, None)
        return self.pending.get(place)

    def read(self, place: int, now: Namespace) -> tuple[int, list[tuple[Call[object], Answer]]]:
        """Return the place of a run after its next reads, all at one moment, and what they were answered."""
        pending, is_first, answers = self.next(place), True, list[tuple[Call[object], Answer]]()
        while pending is not None and isinstance(pending.call, Read) and (is_first or pending.joins):
            is_first = False
            answers.append((pending.call, asked(now, pending.call)))
            place = self.after(place, answers[-1][1])
            if place not in self.pending and place not in self.ended:
                self._call(place, now)
            pending = self.pending.get(place)
        return place, answers

    def _call(self, place: int, now: Optional[Namespace]) -> None:
        self.asked += 1
        given: list[Answer] = []
        row = place
        while self._before[row][0] >= 0:
            row, answer = self._before[row]
            given.append(answer)
        answers = _Answers(self, place, given[::-1], now)
        answers._has_read = now is not None
        try:
            ended = self._runs[row](answers)
        except _Stop:
            return
        self.ended[answers.place] = ended
