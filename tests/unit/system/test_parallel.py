from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Callable, TypeVar

import pytest

from bcs_template_set.system.parallel import AT_ONCE, INSTEAD, Done, Raised, TaskEnd, only_wait, overlap

T = TypeVar("T")


class Halt(BaseException):
    pass


def test_results_come_in_the_order_of_the_tasks() -> None:
    first_may_end = threading.Event()

    def first() -> str:
        assert first_may_end.wait(5)
        return "first"

    def second() -> str:
        first_may_end.set()
        return "second"

    assert overlap([first, second], concurrency=2) == [Done("first"), Done("second")]


def test_an_exception_is_its_tasks_result_and_stops_no_other() -> None:
    error = ValueError("x")

    def fail() -> int:
        raise error

    for concurrency in (1, 3):
        assert overlap([lambda: 1, fail, lambda: 3], concurrency=concurrency) == [
            Done(1),
            Raised(error),
            Done(3),
        ]


def test_meanwhile_something_can_be_done_also_beside_a_single_task() -> None:
    called = threading.Event()
    assert overlap([lambda: called.wait(5)], concurrency=1, meanwhile=called.set) == [Done(value=True)]
    assert overlap([], concurrency=1, meanwhile=called.set) == []


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_at_most_so_many_run_at_once(concurrency: int) -> None:
    lock, running, most = threading.Lock(), 0, 0
    barrier = threading.Barrier(concurrency)

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait(5)
        with lock:
            running -= 1

    results = overlap([task] * (concurrency * 3), concurrency=concurrency)
    assert all(isinstance(result, Done) for result in results)
    assert most == concurrency


@pytest.mark.parametrize(("says", "threads"), [(False, AT_ONCE), (True, 20)])
def test_a_thread_above_those_begun_at_once_follows_when_the_others_only_wait(
    *, says: bool, threads: int
) -> None:
    barrier, seen = threading.Barrier(threads), set()

    def task() -> None:
        seen.add(threading.get_ident())
        if says:
            only_wait()
            only_wait()
        barrier.wait(5)

    overlap([task] * threads * 2, concurrency=20)
    assert len(seen) == threads


def test_no_thread_is_begun_that_would_have_to_wait_for_its_turn() -> None:
    turn, seen = threading.BoundedSemaphore(8), set()

    def task() -> None:
        seen.add(threading.get_ident())
        with turn:
            only_wait()
            time.sleep(0.001)  # noqa: TID251 - lets the others come up to the turnstile

    overlap([task] * 60, concurrency=60)
    assert 8 <= len(seen) <= 16


def test_a_thread_that_has_waited_and_takes_another_task_counts_as_busy_again() -> None:
    others_may_go_on, barrier = threading.Event(), threading.Barrier(AT_ONCE + 1)

    def last() -> None:
        only_wait()
        others_may_go_on.set()

    def together() -> None:
        assert others_may_go_on.wait(5)
        only_wait()
        barrier.wait(5)

    tasks = [*[together] * (AT_ONCE - 1), *[only_wait] * 5, last, together, together]
    assert overlap(tasks, concurrency=60) == [Done(None)] * len(tasks)


def test_outside_of_a_crew_it_is_no_matter_who_waits() -> None:
    only_wait()
    assert overlap([only_wait], concurrency=5) == [Done(None)]


def test_where_the_machine_has_no_more_threads_those_there_are_do_it_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin, begun = threading.Thread.start, []

    def start(thread: threading.Thread) -> None:
        begun.append(thread)
        if len(begun) > AT_ONCE:
            raise RuntimeError("can't start new thread")
        begin(thread)

    barrier = threading.Barrier(AT_ONCE)

    def task() -> None:
        barrier.wait(5)
        only_wait()
        barrier.wait(5)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert overlap([task] * AT_ONCE * 3, concurrency=60) == [Done(None)] * AT_ONCE * 3
    assert len(begun) == AT_ONCE + 1


def test_no_thread_is_begun_for_which_there_is_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun = threading.Thread.start, []

    def start(thread: threading.Thread) -> None:
        begun.append(thread)
        begin(thread)

    barrier = threading.Barrier(AT_ONCE)

    def last() -> None:
        only_wait()
        barrier.wait(5)

    monkeypatch.setattr(threading.Thread, "start", start)
    tasks = [lambda: None] * AT_ONCE + [last] * AT_ONCE
    assert overlap(tasks, concurrency=60) == [Done(None)] * len(tasks)
    assert len(begun) == AT_ONCE


def test_one_task_or_a_concurrency_of_one_runs_in_the_calling_thread() -> None:
    here = threading.get_ident()
    assert overlap([threading.get_ident] * 3, concurrency=1) == [Done(here)] * 3
    assert overlap([threading.get_ident], concurrency=8) == [Done(here)]
    assert overlap([], concurrency=8) == []


def test_threads_are_daemons() -> None:
    def is_daemon() -> bool:
        return threading.current_thread().daemon

    assert overlap([is_daemon, is_daemon], concurrency=2) == [Done(value=True)] * 2


@pytest.mark.parametrize("concurrency", [1, 2])
def test_what_is_no_exception_is_raised_and_ends_the_handing_out(concurrency: int) -> None:
    ran: list[int] = []
    halted = threading.Event()

    def halt() -> None:
        halted.set()
        raise Halt

    def later(number: int) -> None:
        halted.wait(5)
        time.sleep(0.01)  # noqa: TID251 - lets the calling thread hear of the halt first
        ran.append(number)

    tasks = [halt, *[lambda number=number: later(number) for number in range(100)]]
    with pytest.raises(Halt):
        overlap(tasks, concurrency=concurrency)
    assert len(ran) < 50


def test_no_task_begins_after_the_end_also_where_another_is_under_way() -> None:
    begun, release, ran = threading.Event(), threading.Event(), list[int]()

    def halt() -> None:
        begun.wait(5)
        raise Halt

    def wait() -> None:
        begun.set()
        release.wait(5)

    with pytest.raises(Halt):
        overlap([halt, wait, lambda: ran.append(1)], concurrency=2)
    under_way = [thread for thread in threading.enumerate() if thread.name == "overlap"]
    release.set()
    for thread in under_way:
        thread.join(5)
    assert (len(under_way) > 0, ran) == (True, [])


INTERRUPTED = """
import os, signal, sys, threading, time
from bcs_template_set.system.parallel import overlap

class Stopped(BaseException): pass

def stop(*_):
    raise Stopped

signal.signal(signal.SIGTERM, stop)
started = []
def task():
    started.append(1)
    if len(started) == 2:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

try:
    overlap([task] * 10, concurrency=2)
except Stopped:
    print("stopped", len(started))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends itself a SIGTERM")
def test_a_signal_ends_it_at_once_and_tasks_under_way_do_not_hold_up_the_exit() -> None:
    begun = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=30, check=True
    )
    assert run.stdout == "stopped 2\n"
    assert time.monotonic() - begun < 20


def test_a_simulation_decides_which_task_goes_on() -> None:
    asked = []

    def backwards(tasks: Sequence[Callable[[], T]], *, concurrency: int) -> list[TaskEnd[T]]:
        asked.append(concurrency)
        ends: list[TaskEnd[T]] = [Done(task()) for task in reversed(tasks)]
        return ends[::-1]

    token = INSTEAD.set(backwards)
    try:
        assert overlap([lambda: 1, lambda: 2], concurrency=2, meanwhile=lambda: None) == [Done(1), Done(2)]
    finally:
        INSTEAD.reset(token)
    assert asked == [2]
