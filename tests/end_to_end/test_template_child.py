"""Templates of the workspace run in a child of the step, which has none of its secrets and ends with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.end_to_end.test_interruption import until
from tests.support.scene import check_refused, site
from tests.support.warm_start import Started
from tests.support.worker import Worker, finish

CHILDREN = Path("/proc/1/task/1/children")
pytestmark = pytest.mark.skipif(not CHILDREN.exists(), reason="looks at processes as Linux shows them")

PAUSE = threading.Event()
ENDLESS = "a: 1\n{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}\n"
IN_C = "a: 1\n{% set x = (1,) %}" + "{% set x = (x, x) %}" * 60 + "{{ {x: 1} }}\n"
"""One call of Python's own, during which it hears nothing."""

SECONDS_TO_SPEAK = 3.0


def stat_of(process: str) -> list[str]:
    try:
        return (Path("/proc") / process / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ["gone", "0"]


def children_of(process: int) -> list[int]:
    try:
        return [
            int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()
        ]
    except OSError:
        return []


def is_gone(process: int) -> bool:
    return stat_of(str(process))[0] in ("gone", "Z")


@contextmanager
def rendering(worker: Worker, source: str, *, version: str = "1.0.0") -> Iterator[tuple[Started, Path, int]]:
    """Start the step and wait until its child renders."""
    (worker.workspace / "endless.yaml.j2").write_text(source)
    process, directory = worker.start(templates="endless.yaml.j2", version=version)
    try:
        until(lambda: children_of(process.pid), seconds=20)
        (child,) = children_of(process.pid)
        # a fifth of a second of the processor: it is at work
        until(lambda: int(stat_of(str(child))[11]) > 20, seconds=20)
        yield process, directory, child
        until(lambda: is_gone(child), seconds=20)
    finally:
        process.kill()
        process.communicate(timeout=60)


OWN_VERSION = "1.0.{{ [build.number, 3] | max }}"


@pytest.mark.parametrize(
    ("source", "version"), [(ENDLESS, OWN_VERSION), (IN_C, "1.0.0")], ids=["a loop", "one call"]
)
def test_a_stop_while_a_template_is_rendered_ends_both_in_a_verdict(
    tmp_path: Path, source: str, version: str
) -> None:
    """Where the version is a template too, it is rendered in the same child."""
    with (
        site(tmp_path, cold=True) as worker,
        rendering(worker, source, version=version) as (process, directory, child),
    ):
        assert children_of(process.pid) == [child]
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        finished = finish(process, directory)
        assert time.monotonic() - began < SECONDS_TO_SPEAK
        check_refused(finished, 800107, "SIGTERM", "Nothing was written")


def test_a_signal_to_all_processes_of_the_step_is_answered_by_the_step(tmp_path: Path) -> None:
    with site(tmp_path, cold=True) as worker, rendering(worker, ENDLESS) as (process, directory, child):
        os.kill(child, signal.SIGTERM)
        os.kill(child, signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        check_refused(finish(process, directory), 800107, "SIGTERM")


def test_a_step_that_is_killed_takes_its_child_along(tmp_path: Path) -> None:
    with site(tmp_path, cold=True) as worker, rendering(worker, ENDLESS) as (process, _, child):
        process.kill()
        process.communicate(timeout=60)
        until(lambda: is_gone(child), seconds=5)


def test_no_secret_is_in_reach_of_a_template(tmp_path: Path) -> None:
    with site(tmp_path, cold=True) as worker:
        worker.environ["HTTPS_PROXY"] = "http://user:canary-of-a-proxy@127.0.0.1:1"
        worker.variables["MY_PASSWORD"] = "canary-of-the-pipeline"
        with rendering(worker, ENDLESS) as (process, directory, child):
            own = (Path("/proc") / str(process.pid) / "environ").read_text()
            assert "bk_data_dir" in own
            assert "canary-of-a-proxy" in own
            told = [(Path("/proc") / str(child) / name).read_text() for name in ("environ", "cmdline")]
            for secret in ("canary", "bk_data", str(directory), worker.secret_key, "BK_CI"):
                assert secret not in told[0]
            for secret in ("canary", worker.secret_key):
                assert secret not in told[1]
            files = [str(file.readlink()) for file in (Path("/proc") / str(child) / "fd").iterdir()]
            assert [file.partition(":")[0] for file in sorted(files)] == ["/dev/null", "pipe", "pipe"]
            process.send_signal(signal.SIGTERM)
            finish(process, directory)


def test_our_own_template_needs_no_child(tmp_path: Path) -> None:
    with site(tmp_path, cold=True) as worker:
        worker.environ["PATH"] = ""
        process, directory = worker.start()
        seen: list[int] = []
        while process.poll() is None:
            seen += children_of(process.pid)
            PAUSE.wait(0.01)
        assert finish(process, directory).status == 0
        assert seen == []
