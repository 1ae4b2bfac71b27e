"""A run is stopped once, wherever a signal comes or its time ends."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time

import pytest

from bcs_template_set.system.clock import SystemClock

WAITING = 50
FINALIZER = f"""
    import os, signal, time
    from bcs_template_set.system.clock import SystemClock
    from bcs_template_set.system.signals import Stopped, stoppable

    class LastWords:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):  # the handler runs between two of these
                pass
            print("gone")

    clock = SystemClock()
    with stoppable(clock):
        try:
            thing = LastWords()
            del thing
            print("waiting", flush=True)
            time.sleep({WAITING})
        except Stopped as stopped:
            print("heard", stopped.error.fields["signal"])
"""

LIMITED = """
    import re, signal, threading, time
    {before}
    from bcs_template_set.system.clock import SystemClock
    from bcs_template_set.system.signals import Stopped, stoppable

    def turn():
        while True:
            pass

    def wait():
        threading.Event().wait(20)

    def search():  # below are no turns of the interpreter's own loop
        re.search("(a+)+b", "a" * 60)

    clock = SystemClock()
    with stoppable(clock) as interruption:
        for work in ({works}):
            try:
                with interruption.limited(clock.monotonic() + 0.2, seconds=60):
                    work()
            except Stopped as stopped:
                print(work.__name__, stopped.error.code)
        with interruption.limited(clock.monotonic() + 0.05, seconds=60):
            pass
        for never in (None, 1e18):  # as far off as no system can count
            with interruption.limited(never, seconds=0):
                time.sleep(0.1)
        interruption.close()
        signal.raise_signal(signal.SIGTERM)  # whoever decides on a verdict is not stopped any more
    print("verdict")
"""

AT_EACH_POINT = f"""
    import itertools, os, signal, sys
    from bcs_template_set.system.clock import SystemClock
    from bcs_template_set.system.signals import Stopped, stoppable

    def wait_and_be_stopped_at(point):
        points = itertools.count()
        def trace(frame, event, argument):
            if next(points) == point:
                os.kill(os.getpid(), signal.SIGTERM)
            return trace
        clock = SystemClock()
        with stoppable(clock):
            try:
                sys.settrace(trace)
                clock.wait(0.01)
                sys.settrace(None)
                os._exit(1 if next(points) > point else 2)
            except Stopped:
                sys.settrace(None)
                clock.wait({WAITING})  # is over at once
                os._exit(0)

    status, point = 0, -1
    while status == 0:
        point += 1
        child = os.fork()
        if child == 0:
            wait_and_be_stopped_at(point)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("stopped everywhere" if status == 2 and point > 1 else f"not stopped at {{point}}")
"""


def said_by(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split("\n")


def test_a_signal_in_a_finalizer_stops_the_run_once_that_is_left_and_ends_its_waiting() -> None:
    began = time.monotonic()
    assert said_by(FINALIZER) == ["gone", "waiting", "heard SIGTERM", ""]
    assert time.monotonic() - began < WAITING


def test_a_signal_at_any_moment_of_a_wait_stops_the_run() -> None:
    # A handler that takes a lock, as an Event's `set` does, stands still where the wait holds it.
    assert said_by(AT_EACH_POINT) == ["stopped everywhere", ""]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9, 1e-6])
def test_a_wait_of_next_to_no_time_ends(seconds: float) -> None:
    # Python 3.9 waits for ever in SimpleQueue.get() where the time is over before it begins to wait.
    waiting = threading.Thread(target=SystemClock().wait, args=(seconds,), daemon=True)
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()


@pytest.mark.parametrize(
    ("before", "works"),
    [
        ("", ["turn", "wait", "search"]),
        ("del signal.SIGALRM, signal.setitimer", ["turn", "turn"]),  # as on Windows
    ],
)
def test_the_end_of_the_time_stops_whatever_is_under_way(before: str, works: list[str]) -> None:
    script = textwrap.dedent(LIMITED).format(before=before, works=", ".join(works))
    assert said_by(script) == [*(f"{work} 800612" for work in works), "verdict", ""]
