"""Stopped from outside: the verdict waits for nothing that is under way, is true, and stands."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Callable

import pytest
from tests.emulator import Fault, Match
from tests.support.scene import FILES, change_region, check_refused, site
from tests.support.worker import Finished, Worker, finish

PAUSE = threading.Event()
"""Never set: waiting for it lets a process that we look at from outside go on."""

SLOW = 19.0
"""Seconds that a server takes, however busy this machine is: less than the step would wait for it."""

MANY = "app: nginx\ndomains:\n" + "".join(
    f"  - {{host: h{n}.example.com, image: 'example.com/h:1', load_balancers: [lb-1]}}\n" for n in range(6)
)


def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        PAUSE.wait(0.01)


def stop_while_waiting(worker: Worker, *signals: signal.Signals, path: str, **inputs: str) -> Finished:
    """Start the step, send the signals once a request to `path` is under way, and return how it ended.

    It ends before that request is answered.
    """
    worker.emulator.faults.add(Fault("slow", Match(path=path), times=1, delay=SLOW))
    process, directory = worker.start(**inputs)
    until(lambda: worker.emulator.find(path=path.replace("\\", "")))
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
        PAUSE.wait(0.04)
    finished = finish(process, directory)
    assert time.monotonic() - began < SLOW, "it waited for the answer"
    return finished


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_while_a_server_is_slow_ends_in_a_verdict_at_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    with site(tmp_path, cold=number is signal.SIGTERM) as worker:
        finished = stop_while_waiting(worker, number, path="template/spaces")
        check_refused(finished, 800107, number.name, "Nothing was written", "Running again is safe")
        assert finished.value("result") == "failed"
        assert finished.value("changed") == "false"
        assert "800107" in finished.report(worker.workspace)


def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        signals = (signal.SIGTERM,) * 5
        check_refused(stop_while_waiting(worker, *signals, path="template/spaces"), 800107, "SIGTERM")


def test_a_stop_while_bk_ci_is_slow_ends_in_a_verdict_too(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_credential("my_cred", {"access_token": "token-canary"})
        finished = stop_while_waiting(worker, signal.SIGTERM, path="/ticket/", credential="my_cred")
        check_refused(finished, 800107, "SIGTERM")


def test_a_stop_while_waiting_to_try_again_ends_in_a_verdict_too(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        headers = {"X-Bkapi-RateLimit-Reset": "30", "X-Bkapi-Error-Code": "1642901"}
        worker.emulator.faults.add(
            Fault(
                "answer", Match(path="^/api/"), times=9, status=429, headers=headers, body='{"code": 1642901}'
            )
        )
        process, directory = worker.start()
        until(worker.emulator.to_gateway)  # of project and space, the one is held back by the other's refusal
        process.send_signal(signal.SIGTERM)
        check_refused(finish(process, directory), 800107, "SIGTERM")
        worker.emulator.faults.clear()


def test_a_stop_in_the_middle_of_publishing_says_what_was_written(tmp_path: Path) -> None:
    """Of eighteen files three are written; the three that were under way are said to be so."""
    with site(tmp_path) as worker:
        state = worker.emulator.state
        made = Match("POST", path=r"template/([0-9a-f]{24}/)?metadatas$", nth=4)
        slow = Fault("slow", made, times=99, delay=30)
        worker.emulator.faults.add(slow)
        change_region(worker, concurrency=3)
        process, directory = worker.start(values=MANY)
        until(lambda: slow.struck == 3)
        process.send_signal(signal.SIGTERM)
        finished = finish(process, directory)
        check_refused(finished, 800107, "SIGTERM", "3 of 18", "3 writes were under way")
        worker.emulator.faults.clear()
        assert finished.value("changed") == "true"
        told = json.loads(finished.value("versions"))
        assert len(told) == 18
        assert {name for name, entry in told.items() if entry["id"]} == {v.file for v in state.versions}
        assert len(worker.emulator.writes()) == 1 + 3 + 3, "nothing is sent after the stop"

        again = worker.run(values=MANY)
        assert again.status == 0, again.log
        assert {version.file for version in state.versions} == set(told)
        assert len(state.versions) == 18, "running again is safe"


def test_a_stop_between_two_writes_of_one_file_sends_no_second_one(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        for name in FILES:
            worker.emulator.state.add_file("front-ends", name, content="kind: Service\n", pinned=True)
        slow = Fault("slow", Match("POST", path=r"template/[^/]+/versions$"), times=3, delay=0.5)
        worker.emulator.faults.add(slow)
        process, directory = worker.start()
        until(lambda: slow.struck == 3)
        process.send_signal(signal.SIGTERM)
        finished = finish(process, directory)
        check_refused(finished, 800107, "3 writes were under way")
        PAUSE.wait(0.6)
        assert [e.method for e in worker.emulator.writes()] == ["POST"] * 3


def test_a_killed_run_leaves_the_pessimistic_result(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.faults.add(Fault("slow", Match(path="template/spaces"), times=1, delay=30))
        process, directory = worker.start()
        until(lambda: worker.emulator.find(path="template/spaces"))
        process.kill()
        finished = finish(process, directory)
        assert finished.status == -signal.SIGKILL
        assert (finished.told["status"], finished.told["errorType"]) == ("error", 3)
        assert finished.told["errorCode"] == 800901
        assert finished.told["message"]


def test_a_stop_after_the_end_does_not_unsay_it(tmp_path: Path) -> None:
    """Signals sent all along the run: it ends as stopped or as published, and the file and log agree."""
    with site(tmp_path, cold=True) as worker:
        for delay in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5):
            process, directory = worker.start()
            PAUSE.wait(delay)
            process.send_signal(signal.SIGTERM)
            finished = finish(process, directory)
            if finished.status == -signal.SIGTERM:
                assert finished.output is None or finished.told["errorCode"] == 800901
                continue
            assert finished.stderr == ""
            assert finished.status == (0 if finished.told["status"] == "success" else 1)
            assert finished.told.get("errorCode", 800107) == 800107, finished.log
        assert set(FILES) >= {version.file for version in worker.emulator.state.versions}
