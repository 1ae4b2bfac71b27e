"""A deployment stopped from outside, as BK-CI's worker stops a step: what was deployed is said."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

from tests.emulator import Behaviour, Fault
from tests.end_to_end.test_interruption import until
from tests.support.deploying import CLUSTER, DEPLOY, NAMESPACE, calls_in
from tests.support.scene import check_refused, site
from tests.support.worker import Worker, finish

TARGET = {"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE}


def slow_cluster(worker: Worker) -> None:
    cluster = worker.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
    cluster.images["example.com/www:1"] = Behaviour("never-ready")


def test_a_stop_while_waiting_says_what_was_deployed(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        slow_cluster(worker)
        process, directory = worker.start(**TARGET)
        until(lambda: len(worker.emulator.find(path="/workloads/")) > 2)  # two are from before
        process.send_signal(signal.SIGTERM)
        finished = finish(process, directory)
        check_refused(finished, 800107, "SIGTERM", "Running again is safe", "Deployed 3 files")
        assert finished.value("result") == "failed"
        assert len(calls_in(worker.emulator.exchanges)) == 1


def test_a_stop_during_the_call_itself_says_that_a_write_was_under_way(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        slow_cluster(worker)
        slow = worker.emulator.faults.add(Fault("slow", DEPLOY, delay=30))
        process, directory = worker.start(**TARGET)
        until(lambda: slow.struck)
        process.send_signal(signal.SIGTERM)
        finished = finish(process, directory)
        check_refused(finished, 800107, "SIGTERM", "1 write was under way")
        assert "Deployed 3 files" not in finished.log


def test_a_stop_between_calls_says_which_files_are_live(tmp_path: Path) -> None:
    domains = [{"host": f"d{n:02}.example.com", "image": "example.com/www:1"} for n in range(20)]
    with site(tmp_path) as worker:
        slow_cluster(worker)
        slow = worker.emulator.faults.add(Fault("slow", replace(DEPLOY, nth=2), delay=30))
        process, directory = worker.start(
            **TARGET, values=json.dumps({"app": "nginx", "domains": domains}), timeout="0"
        )
        until(lambda: slow.struck)
        process.send_signal(signal.SIGTERM)
        finished = finish(process, directory)
        check_refused(
            finished, 800107, "SIGTERM", "1 write was under way", "files are live. Now: d00.example"
        )
        assert "unknown" in finished.log, "of the second call's files nobody knows"
