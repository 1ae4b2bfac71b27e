"""Run callables at once, results in order. Performs no I/O of its own.

`concurrent.futures` is not used: its threads are joined when the interpreter exits, so a run that was
stopped from outside would wait for every request under way. These are daemon threads.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Callable, Generic, Optional, Protocol, TypeVar, Union

from bcs_template_set.records.late_dataclass import dataclass

MEANWHILE_EVERY = 0.2

AT_ONCE = 8
"""Threads that are begun at once; each of the others when all before it wait for an answer."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Done(Generic[T_co]):
    """What a task returned."""

    value: T_co


@dataclass(frozen=True)
class Raised:
    """What a task raised instead of returning."""

    error: Exception


TaskEnd = Union[Done[T], Raised]


class Overlap(Protocol):
    """What runs tasks in place of `overlap`'s own threads."""

    def __call__(self, tasks: Sequence[Callable[[], T]], *, concurrency: int) -> list[TaskEnd[T]]:
        """Return each task's result in the order of the tasks."""
        ...


INSTEAD: ContextVar[Optional[Overlap]] = ContextVar("instead", default=None)
"""Who decides which task goes on, where time is not the system's: a simulation (tests/simulation)."""


def overlap(
    tasks: Sequence[Callable[[], T]], *, concurrency: int, meanwhile: Optional[Callable[[], None]] = None
) -> list[TaskEnd[T]]:
    """Return each task's result in the order of the tasks, running up to `concurrency` of them at once.

    More than `AT_ONCE` are, as far as their threads say that they `only_wait`.

    A single task, or a concurrency of 1, runs in the calling thread, unless that is to do something
    `meanwhile`: it is called a few times a second while no task ends. What is no `Exception`, raised by a
    task or in the calling thread (a signal's handler), ends the handing out of tasks at once and is raised;
    tasks under way then end by themselves, unheard.
    """
    instead = INSTEAD.get()
    if instead is not None:
        return instead(tasks, concurrency=concurrency)
    if meanwhile is None and (concurrency <= 1 or len(tasks) <= 1):
        return [_run(task) for task in tasks]
    crew = _Crew(tasks, most=min(concurrency, len(tasks)))
    try:
        return crew.work(meanwhile)
    finally:
        crew.dismiss()


def only_wait() -> None:
    """Say that the task of this thread has got as far as waiting for an answer, so that another may begin."""
    begin_another, _working.begin_another = _working.begin_another, None
    if begin_another is not None:
        begin_another()


def values_of(results: Iterable[TaskEnd[T]]) -> list[T]:
    """Return what the tasks returned, in their order.

    Raises:
        Exception: what the first of them raised that did not return.
    """
    values = []
    for result in results:
        if isinstance(result, Raised):
            raise result.error
        values.append(result.value)
    return values


def _run(task: Callable[[], T]) -> TaskEnd[T]:
    try:
        return Done(task())
    except Exception as exc:  # noqa: BLE001 - not hidden: it is the task's result
        return Raised(exc)


class _Crew(Generic[T]):
    """The threads of one `overlap`. Only the calling thread reads the queue."""

    def __init__(self, tasks: Sequence[Callable[[], T]], *, most: int) -> None:
        self._tasks = tasks
        self._most = most
        self._begun = 0
        self._end = len(tasks)
        self._threads = self._busy = min(most, AT_ONCE)
        self._lock = threading.Lock()
        self._finished: queue.SimpleQueue[tuple[int, Union[TaskEnd[T], BaseException]]] = queue.SimpleQueue()

    def work(self, meanwhile: Optional[Callable[[], None]]) -> list[TaskEnd[T]]:
        for _ in range(self._threads):
            self._start()
        results: dict[int, TaskEnd[T]] = {}
        for _ in self._tasks:
            number, result = self._next_end(meanwhile)
            if isinstance(result, BaseException):
                raise result
            results[number] = result
        return [results[number] for number in range(len(self._tasks))]

    def begin_another(self) -> None:
        """Begin one more thread, unless one of those there are may still begin a task."""
        with self._lock:
            self._busy -= 1
            if self._busy or self._threads >= self._most or self._begun >= self._end:
                return
            self._threads, self._busy = self._threads + 1, 1
        with suppress(RuntimeError):  # the machine allows no more threads: those there are do it all
            self._start()

    def dismiss(self) -> None:
        with self._lock:
            self._begun = self._end

    def _start(self) -> None:
        threading.Thread(target=self._work_off, name="overlap", daemon=True).start()

    def _next_end(
        self, meanwhile: Optional[Callable[[], None]]
    ) -> tuple[int, Union[TaskEnd[T], BaseException]]:
        while meanwhile is not None:
            with suppress(queue.Empty):
                return self._finished.get(timeout=MEANWHILE_EVERY)
            meanwhile()
        return self._finished.get()

    def _next(self) -> int:
        """Return the number of the next task, -1 for none; its thread has not got as far as waiting."""
        with self._lock:
            self._busy += _working.begin_another is None
            _working.begin_another = self.begin_another
            if self._begun >= self._end:
                return -1
            self._begun += 1
            return self._begun - 1

    def _work_off(self) -> None:
        number = -1
        _working.begin_another = self.begin_another
        try:
            while (number := self._next()) >= 0:
                self._finished.put((number, _run(self._tasks[number])))
        except BaseException as exc:  # noqa: BLE001 - raised again in the calling thread
            self._finished.put((number, exc))


class _Working(threading.local):
    """Begins another thread as soon as this one's task only waits; None where it does, or is nobody's."""

    begin_another: Optional[Callable[[], None]] = None


_working = _Working()
