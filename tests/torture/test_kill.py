"""Stopped at any moment: the verdict is written and true, without a traceback; the next run ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from types import FrameType
from typing import Callable, Optional

import pytest

from bcs_template_set.report.outcome import Outcome
from bcs_template_set.system.clock import SystemClock
from bcs_template_set.system.signals import is_unheard, stoppable
from tests.emulator import Fault, Match, gateway_fault
from tests.support.draws import WHOLE, seed_of_this_run
from tests.support.living import come_to_rest
from tests.support.publishing import CREATE_VERSION, Site, config, open_site
from tests.support.scene import site
from tests.support.worker import STEP, Finished, Worker, finish
from tests.torture.killing import PAUSE, Kill, drawn, kill

SEED = seed_of_this_run()
KILLS = drawn(6 if WHOLE else 2, seed=SEED)


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


def named(look: Callable[[], None]) -> None:
    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            look()

    type("Owner", (), {"field": Named()})


def finalized(look: Callable[[], None]) -> None:
    thing = Thing(look)
    weakref.finalize(thing, look)
    del thing


@pytest.mark.parametrize(
    ("call", "unheard"), [(lambda look: look(), False), (LastWords, True), (finalized, True), (named, True)]
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
    with site(tmp_path, cold=True) as worker:
        worker.emulator.state.add_space("front-ends")
        finished = stopped_at(worker, Fault("slow", CREATE, times=3, delay=30))
        assert finished.value("changed") == "true"
        assert "3 writes were under way" in finished.log
        assert "Nothing was written" not in finished.log


def test_a_write_whose_answer_was_lost_may_have_changed_something(tmp_path: Path) -> None:
    with site(tmp_path, cold=True) as worker:
        worker.emulator.state.add_space("front-ends")
        lost = gateway_fault("REQUEST_BACKEND_TIMEOUT", match=CREATE, times=3, handled=True)
        finished = stopped_at(worker, lost, pause=0.2)
        assert len(worker.emulator.state.versions) == 3
        assert finished.value("changed") == "true"
        assert "Nothing was written" not in finished.log


def test_a_version_that_is_written_and_not_yet_read_back_is_not_denied(tmp_path: Path) -> None:
    with site(tmp_path, cold=True) as worker:
        worker.emulator.state.add_space("front-ends")
        finished = stopped_at(worker, Fault("slow", VERIFY, times=3, delay=30))
        assert len(worker.emulator.state.versions) == 3
        assert finished.value("changed") == "true"
        assert "Nothing was written" not in finished.log


def test_nothing_is_sent_after_a_stop_however_long_the_process_lives() -> None:
    """Two files are being created when the signal comes; each would have more to write, and others wait."""
    names = [f"f{n}.yaml" for n in range(6)]
    with open_site() as made:
        made.concurrency = 2
        made.files = {name: config(name.partition(".")[0], "1") for name in names}
        made.run()
        for name in names:
            made.emulator.state.pin("front-ends", name, version="1.0.7-main")
        made.build += 1
        made.files = {name: config(name.partition(".")[0], "2") for name in names}
        slow = made.emulator.faults.add(Fault("slow", CREATE_VERSION, times=2, delay=0.3))
        outcome, sent = stopped_within(made, slow)
        assert outcome.error is not None
        assert outcome.error.code == 800107
        come_to_rest(made)
        PAUSE.wait(0.5)
        assert slow.struck == 2
        assert len(made.emulator.exchanges) == sent


def stopped_within(made: Site, slow: Fault) -> tuple[Outcome, int]:
    """Stop a run of this process once two requests are held up; return its outcome and how many were sent."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}

    def send() -> None:
        while slow.struck < slow.times:
            PAUSE.wait(0.005)
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        with stoppable(SystemClock()):
            sender = threading.Thread(target=send)
            sender.start()
            outcome = made.run().outcome
            sender.join()
            return outcome, len(made.emulator.exchanges)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_signal_while_the_step_is_being_imported_ends_in_a_verdict(tmp_path: Path) -> None:
    """Python tells of every module that is there; `agent_run` needs more than those of the command line."""
    with site(tmp_path, cold=True) as worker:
        directory, environ = worker.prepare()
        command = [sys.executable, "-X", "importtime", str(STEP)]
        with subprocess.Popen(
            command, cwd=directory, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            told = (line.rpartition("|")[2].strip() for line in process.stderr)
            assert any(name == "bcs_template_set.system.signals" for name in told)
            assert any(name.startswith("bcs_template_set.agent") for name in told)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        output = json.loads((directory / "output.json").read_text(encoding="utf-8"))
    assert (process.returncode, output["errorCode"]) == (1, 800107)
