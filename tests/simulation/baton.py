"""Made-up time, and one baton: of all threads, the one that holds it runs. Deterministic.

A thread gives the baton up by waiting for a moment; it goes to whoever waits for the earliest one, and of
these to whoever began to wait first. Time moves only then. So what happens depends on what the threads do,
and not on the machine.
"""

from __future__ import annotations

import contextvars
import heapq
import threading
from collections.abc import Sequence
from typing import Callable, Generic, Optional, TypeVar, final

from bcs_template_set.system.parallel import Done, Raised, TaskEnd

T = TypeVar("T")

STUCK = 300.0
"""Real seconds after which a thread that does not give up the baton is a defect of the simulation."""


class Stuck(Exception):
    """Somebody holds the baton and neither works nor waits."""


class _Place:
    """Where one thread waits; `turn` counts its waits, so that an entry of an earlier one wakes nobody."""

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.turn = 0


@final
class Baton:
    """Hands the baton round. All methods but `run` are for the thread that holds it."""

    def __init__(self, *, at: float) -> None:
        self.now = at
        self._waiting: list[tuple[float, int, _Place, int]] = []
        self._count = 0
        self._here = threading.local()
        self._home = _Place()
        self._defect: Optional[BaseException] = None

    def start(self, work: Callable[[], None], *, after: float = 0.0) -> None:
        """Have another thread do something, in so many seconds."""
        place = _Place()
        context = contextvars.copy_context()

        def live() -> None:
            place.gate.acquire()
            self._here.place = place
            try:
                context.run(work)
            except BaseException as exc:  # noqa: BLE001 - raised again by `run`
                self._defect = self._defect or exc
            self._pass_on()

        threading.Thread(target=live, name="simulated", daemon=True).start()
        self._wake(place, self.now + after)

    def pause(self, seconds: float) -> None:
        """Return when so many seconds have passed, and whatever was to happen before."""
        place: _Place = self._here.place
        self._wake(place, self.now + max(0.0, seconds))
        self._give_up(place)

    def together(
        self, tasks: Sequence[Callable[[], T]], *, threads: int, until: Callable[[], Optional[float]]
    ) -> list[TaskEnd[T]]:
        """Return what each task came to, so many of them at once.

        `until` is asked by when to look again whether to wait on, None for never: it raises if not, and the
        tasks under way then end unheard. What is no `Exception`, raised by a task, is raised here.
        """
        here: _Place = self._here.place
        crew: _Crew[T] = _Crew(tasks, done=lambda: self._wake(here, self.now))
        for _ in range(min(threads, len(tasks))):
            crew.threads += 1
            self.start(crew.work_off)
        try:
            while crew.threads:
                moment = until()
                if moment is not None:
                    self._wake(here, moment)
                self._give_up(here)
        finally:
            crew.dismiss()
        return crew.ends()

    def run(self) -> None:
        """Return when nobody waits for anything any more. Raises what a thread raised, and Stuck."""
        if self._waiting:
            self._pass_on()
            if not self._home.gate.acquire(timeout=STUCK):
                raise Stuck
        if self._defect is not None:
            raise self._defect

    # --- inside -----------------------------------------------------------------------------------------

    def _wake(self, place: _Place, moment: float) -> None:
        self._count += 1
        heapq.heappush(self._waiting, (moment, self._count, place, place.turn))

    def _next(self) -> _Place:
        while self._waiting:
            moment, _, place, turn = heapq.heappop(self._waiting)
            if turn == place.turn:
                self.now = max(self.now, moment)
                place.turn += 1
                return place
        return self._home

    def _give_up(self, place: _Place) -> None:
        follower = self._next()
        if follower is not place:
            follower.gate.release()
            place.gate.acquire()

    def _pass_on(self) -> None:
        self._next().gate.release()


class _Crew(Generic[T]):
    """The threads of one `together`; the last of them calls `done`, if somebody still waits."""

    def __init__(self, tasks: Sequence[Callable[[], T]], *, done: Callable[[], None]) -> None:
        self.threads = 0
        self._tasks = list(tasks)
        self._left = list(range(len(self._tasks)))
        self._found: dict[int, TaskEnd[T]] = {}
        self._halt: Optional[BaseException] = None
        self._done: Optional[Callable[[], None]] = done

    def work_off(self) -> None:
        while self._left:
            number = self._left.pop(0)
            try:
                self._found[number] = ended(self._tasks[number])
            except BaseException as exc:  # noqa: BLE001 - raised again by `ends`
                self._halt, self._left = exc, []
        self.threads -= 1
        if self.threads == 0 and self._done is not None:
            self._done()

    def dismiss(self) -> None:
        self._left, self._done = [], None

    def ends(self) -> list[TaskEnd[T]]:
        if self._halt is not None:
            raise self._halt
        return [self._found[number] for number in range(len(self._tasks))]


def ended(task: Callable[[], T]) -> TaskEnd[T]:
    """Return what a task comes to."""
    try:
        return Done(task())
    except Exception as exc:  # noqa: BLE001 - the task's result
        return Raised(exc)
