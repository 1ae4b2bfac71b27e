"""How long the step takes to start: `--help`, and until the first request of a run has arrived."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.emulator import Emulator
from tests.worker import STEP, Worker, finish

HEADINGS = ("start-up", "ms", "beyond a bare interpreter", "aim")
ROUNDS = 10


def measure() -> list[tuple[str, ...]]:
    """Return a row for each way to start; the best of ten, the machine's other work left out."""
    bare = best(lambda: timed([sys.executable, "-c", "pass"]))
    helping = best(lambda: timed([str(STEP), "--help"]))
    first = best(until_first_request)
    return [
        ("bare interpreter", f"{bare:.0f}", "", ""),
        ("bcs-template-set --help", f"{helping:.0f}", f"+{helping - bare:.0f}", "at most +60"),
        ("first request of a run", f"{first:.0f}", f"+{first - bare:.0f}", "at most +250"),
    ]


def best(measured: Callable[[], float]) -> float:
    """Return the least of several rounds, in milliseconds."""
    return min(measured() for _ in range(ROUNDS)) * 1000


def timed(command: list[str]) -> float:
    """Return the seconds a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def until_first_request() -> float:
    """Return the seconds from starting the step to the arrival of its first request."""
    with TemporaryDirectory() as folder, Emulator() as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        app = {"app_code": "lisi_app", "app_secret": "lisi-canary"}
        worker = Worker(Path(folder), emulator, regions={"gz": {"gateway": emulator.url, **app}})
        values = "app: web\ndomains: [{host: a.example.com, image: 'example.com/a:1'}]"
        began = time.monotonic()
        process, directory = worker.start(
            region="gz", template_space="front-ends", values=values, action="plan"
        )
        finished = finish(process, directory)
        assert finished.status == 0, finished.log
        return emulator.exchanges[0].started - began
