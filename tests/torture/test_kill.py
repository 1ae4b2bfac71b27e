"""Stopped at any moment: the verdict is written and true, without a traceback; the next run ends it."""

from __future__ import annotations

import signal
import sys
import weakref
from pathlib import Path
from types import FrameType
from typing import Callable, Optional

import pytest

from bcs_template_set.interruption import is_unheard
from tests.emulator import Fault, Match, gateway_fault
from tests.end_to_end.scene import site
from tests.torture.killing import PAUSE, Kill, drawn, kill
from tests.torture.seeds import seed_of_this_run
from tests.worker import Finished, Worker, finish

SEED = seed_of_this_run()
KILLS = drawn(12, seed=SEED)


@pytest.mark.parametrize("wanted", KILLS, ids=str)
def test_a_run_that_is_stopped_anywhere_ends_in_a_true_verdict(wanted: Kill) -> None:
    assert kill(wanted) == [], f"BCS_SEED={SEED}"


# --- where an exception would go unheard ----------------------------------------------------------------


def seen_in(call: Callable[[Callable[[], None]], object]) -> list[bool]:
    """Return what `is_unheard` says of the frames in which `call` has a function called."""
    seen: list[bool] = []

    def look() -> None:
        frame: Optional[FrameType] = sys._getframe()
        seen.append(is_unheard(frame))

    call(look)
    return seen


class Thing:
    """Something that goes."""

    def __init__(self, when_gone: Callable[[], None]) -> None:
        self.when_gone = when_gone


class LastWords(Thing):
    """Something that speaks as it goes."""

    def __del__(self) -> None:
        self.when_gone()


def finalized(look: Callable[[], None]) -> None:
    thing = Thing(look)
    weakref.finalize(thing, look)
    del thing


@pytest.mark.parametrize(
    ("call", "unheard"), [(lambda look: look(), False), (LastWords, True), (finalized, True)]
)
def test_a_signal_is_not_raised_where_the_interpreter_would_swallow_it(
    call: Callable[[Callable[[], None]], object],
    unheard: bool,  # noqa: FBT001 - parametrized
) -> None:
    assert seen_in(call) == [unheard]


# --- the moments that chance found ----------------------------------------------------------------------


def stopped_at(worker: Worker, fault: Fault, *, pause: float = 0.0) -> Finished:
    """Stop the step once the fault has struck as often as it will, and return how it ended."""
    worker.emulator.faults.add(fault)
    process, directory = worker.start()
    while fault.struck < fault.times and process.poll() is None:
        PAUSE.wait(0.01)
    PAUSE.wait(pause)
    process.send_signal(signal.SIGTERM)
    finished = finish(process, directory)
    worker.emulator.faults.clear()
    assert (finished.status, finished.told["errorCode"]) == (1, 800107), finished.log
    return finished


CREATE = Match("POST", r"template/metadatas$")
VERIFY = Match("GET", r"template/versions/")


def test_writes_under_way_may_have_changed_something(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_space("front-ends")
        finished = stopped_at(worker, Fault("slow", CREATE, times=2, delay=30))
        assert finished.value("changed") == "true"
        assert "2 writes were under way" in finished.log
        assert "Nothing was written" not in finished.log


def test_a_write_whose_answer_was_lost_may_have_changed_something(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_space("front-ends")
        lost = gateway_fault("REQUEST_BACKEND_TIMEOUT", match=CREATE, times=2, handled=True)
        finished = stopped_at(worker, lost, pause=0.2)
        assert len(worker.emulator.state.versions) == 2
        assert finished.value("changed") == "true"
        assert "Nothing was written" not in finished.log


def test_a_version_that_is_written_and_not_yet_read_back_is_not_denied(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_space("front-ends")
        finished = stopped_at(worker, Fault("slow", VERIFY, times=2, delay=30))
        assert len(worker.emulator.state.versions) == 2
        assert finished.value("changed") == "true"
        assert "Nothing was written" not in finished.log
