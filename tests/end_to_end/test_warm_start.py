"""A step that is forked from a process which has imported it lives as one that an agent starts."""

from __future__ import annotations

import functools
import json
import os
import signal
from pathlib import Path

import pytest
from tests.emulator import Fault, Match
from tests.end_to_end.test_interruption import until
from tests.support import warm_start
from tests.support.publishing import config, open_site
from tests.support.scene import check_refused, site
from tests.support.warm_start import WarmProcess, can_be_warm, remembered_children, run_program, start_warm
from tests.support.worker import STEP, Worker, finish


def test_it_prints_writes_and_ends_as_a_cold_one(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        warm = worker.run(action="plan")
        worker.cold = True
        cold = worker.run(action="plan")
    assert (warm.status, warm.stderr) == (cold.status, cold.stderr) == (0, "")
    assert warm.value("plan_digest") == cold.value("plan_digest") != ""
    assert warm.told["data"].keys() == cold.told["data"].keys()
    first_lines = [finished.log.splitlines()[:3] for finished in (warm, cold)]
    assert first_lines[0] == first_lines[1]


def more_than(asked: int, worker: Worker) -> bool:
    return len(worker.emulator.find(path="template/spaces")) > asked


def test_it_hears_a_signal_and_its_end_by_one_is_seen(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        for number in (signal.SIGTERM, signal.SIGKILL):
            worker.emulator.faults.add(Fault("slow", Match(path="template/spaces"), times=1, delay=30))
            asked = len(worker.emulator.find(path="template/spaces"))
            process, directory = worker.start()
            assert isinstance(process, WarmProcess)
            until(functools.partial(more_than, asked, worker))
            assert process.poll() is None
            process.send_signal(number)
            finished = finish(process, directory)
            if number is signal.SIGTERM:
                check_refused(finished, 800107, "SIGTERM")
            else:
                assert finished.status == -signal.SIGKILL
            worker.emulator.faults.clear()


def test_it_has_the_environment_and_the_arguments_that_it_is_given(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = run_program(["rendr"], at=tmp_path, environ=environ)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b'Did you mean "render"?' in done.stderr
    process = start_warm((), at=tmp_path, environ={**environ, "bk_data_dir": str(tmp_path)})
    assert "800101" in process.communicate(timeout=30)[0]
    assert process.returncode == 1


@pytest.mark.parametrize("name", ["PYTHONHOME", "PYTHONUTF8", "LC_ALL", "LD_PRELOAD"])
def test_what_decides_at_the_start_is_started_cold(name: str) -> None:
    assert STEP.exists()
    assert can_be_warm({"PATH": "", "LANG": "C.UTF-8"})
    assert not can_be_warm({"PATH": "", name: "x"})


def test_a_text_that_is_no_template_is_rendered_once_and_a_template_by_each_run() -> None:
    mine = config("mine", "any"), config("other", "{{ build.number }}")
    with open_site(a_yaml=mine[0], b_yaml=mine[1]) as made, remembered_children():
        for number in ("7", "8"):
            made.run()
            assert made.contents() == {"a.yaml": mine[0], "b.yaml": config("other", number)}
            made.next_build()
        known = [json.loads(request)["source"] for _, request in warm_start._remembered]
        assert known.count(mine[0]) == 1
        assert mine[1] not in known
