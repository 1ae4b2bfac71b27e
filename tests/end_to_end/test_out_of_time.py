"""The end of the step's time, in the step's own process: the verdict stands before the worker's timeout.

A worker counts minutes. So that no test waits for one, a run here began when most of its minute was over.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.scene import check_refused, site
from tests.support.worker import Finished, Worker, finish, launch

LATE = """
import os, sys, time
from pathlib import Path
from bcs_template_set.run.entry import run_for_agent
told = Path("/proc/self/schedstat")
def queued():
    return int(told.read_text().split()[1]) / 1e9 if told.is_file() else 0.0
began, before = time.monotonic() - float(sys.argv[1]), queued()
status = run_for_agent(os.environ, post_action="", began=began)
ended = time.monotonic() - began
Path("ended").write_text(f"{ended} {ended - queued() + before}")
sys.exit(status)
"""
"""Tells when it ended, and when it would have if no other process had kept it from the processor."""

WORK_ENDS, LAST_WORD = 52.5, 60.0
"""Seconds of the first minute at which work is stopped, and at which the worker kills."""

STARTED = 51.0
"""Nothing that is asked whether there is time left may go on after this."""


def run_late(directory: Path, environ: dict[str, str]) -> Finished:
    """Run the step with what is left of its minute, and return how it ended: in time for its verdict."""
    command = [sys.executable, "-c", LATE, str(STARTED)]
    finished = finish(launch(directory, environ, command=command), directory)
    ended, ended_alone = map(float, (directory / "ended").read_text().split())
    assert ended >= WORK_ENDS
    assert ended_alone < LAST_WORD
    return finished


def big_values(worker: Worker) -> str:
    """Leave a values file of nearly 2 MiB; return an input that has it read until far beyond the minute."""
    text = "a:\n" + "".join(f"  key{n}: 'value {n}'\n" for n in range(80_000))
    (worker.workspace / "big.yaml").write_text(text, encoding="utf-8")
    return "big.yaml\n" * 200


def test_work_that_looks_at_no_clock_is_stopped_in_time_for_the_verdict(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.variables["BK_CI_ATOM_TIMEOUT"] = "1"
        finished = run_late(*worker.prepare(values_files=big_values(worker)))
        check_refused(finished, 800612, "Nothing was written", "60")
        assert finished.value("result") == "failed"
        assert "800612" in finished.report(worker.workspace)
        assert worker.emulator.writes() == []


def test_waiting_for_the_inputs_themselves_ends_too(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        directory, environ = worker.prepare()
        (directory / "input.json").unlink()
        os.mkfifo(directory / "input.json")
        check_refused(run_late(directory, environ), 800612)
