"""What a start consists of: the interpreter, the imports, and our own work until the first request.

Measured in an environment that has the step as BK-CI installs it, and nothing else. The imports are those
that a run has done when its first request arrives; what they cost is measured by doing only them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.processes import Cost, best_of, cost_of
from tests.emulator import Emulator
from tests.support.worker import Worker

HEADINGS = (
    "cold start, in ms",
    "whole",
    "interpreter",
    "imports",
    "our work",
    "CPU of interpreter and imports",
)
BESIDE_HEADINGS = ("until the first request, in ms", "carried", "at a desk", "more", "aim")
PARTS_HEADINGS = ("imports until the first request", "modules", "ms")
ROUNDS, COLD_ROUNDS = 10, 4
_SHOWN_PARTS = 6
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")
# A module that is tried and not there, such as brotli for urllib3, costs its search in a run too. What taking
# the interpreter down costs is no part of a start.
_IMPORTS = """\
for name in {names!r}:
    try:
        __import__(name)
    except ImportError:
        pass
__import__("os")._exit(0)
"""
_NOTHING = _IMPORTS.format(names=[])
_HELP = _IMPORTS.format(names=["bcs_template_set.cli.main"])


@dataclass(frozen=True)
class _Imported:
    """A module and the microseconds its own import took, without those of the modules that it imports."""

    name: str
    microseconds: int


@dataclass(frozen=True)
class Measured:
    """The rows of both tables."""

    starts: Sequence[tuple[str, ...]]
    parts: Sequence[tuple[str, ...]]


def measure(python: Path) -> Measured:
    """Return where the time of `--help` and of a run's start goes, and whose modules the imports are."""
    imported = _imported_by_a_run(python)
    step = str(python.with_name("bcs-template-set"))
    bare, helped, of_help, of_run = best_of(
        ROUNDS,
        partial(cost_of, [str(python), "-c", _NOTHING]),
        partial(cost_of, [step, "--help"]),
        partial(cost_of, [str(python), "-c", _HELP]),
        partial(cost_of, [str(python), "-c", _IMPORTS.format(names=[module.name for module in imported])]),
    )
    first = min(_until_first_request(python) for _ in range(ROUNDS))
    starts = [
        _row("a bare interpreter", bare.seconds, bare, bare),
        _row("bcs-template-set --help", helped.seconds, bare, of_help, aim="interpreter + 60"),
        _row("until the first request of a run", first, bare, of_run, aim="interpreter + 250"),
    ]
    return Measured(starts, _parts(imported))


def measure_beside(ours: Path, desk: Path) -> list[tuple[str, ...]]:
    """Return what a warm start and a cold one take with the store's package, and as at a desk."""
    rows: list[tuple[str, ...]] = []
    for name, rounds, aim in (("warm", ROUNDS, 30), ("cold", COLD_ROUNDS, 400)):
        turns = [
            [_first_request(python, cold=name == "cold") for python in (ours, desk)] for _ in range(rounds)
        ]
        carried, at_desk = (min(times) * 1000 for times in zip(*turns))
        more = f"{carried - at_desk:.0f}"
        rows.append((name, f"{carried:.0f}", f"{at_desk:.0f}", more, f"at most {aim} more"))
    return rows


def _first_request(python: Path, *, cold: bool) -> float:
    """Return the seconds until the first request; cold, after all that was compiled is gone."""
    if cold:
        for folder in python.parents[1].glob("lib/python*/site-packages/**/__pycache__"):
            shutil.rmtree(folder)
    return _until_first_request(python)


def _row(name: str, seconds: float, bare: Cost, imports: Cost, *, aim: str = "") -> tuple[str, ...]:
    """Split a start: `imports` is a process that only does the imports."""
    times = (seconds, bare.seconds, imports.seconds - bare.seconds, seconds - imports.seconds, imports.cpu)
    return (name, *(f"{each * 1000:.0f}" for each in times), aim)


def _parts(imported: Sequence[_Imported]) -> list[tuple[str, ...]]:
    costs, counts = Counter[str](), Counter[str]()
    for module in imported:
        owner = module.name.partition(".")[0]
        costs[owner] += module.microseconds
        counts[owner] += 1
    shown = costs.most_common(_SHOWN_PARTS)
    rows = [(owner, str(counts[owner]), f"{cost / 1000:.0f}") for owner, cost in shown]
    names = {owner for owner, _ in shown}
    others = [module for module in imported if module.name.partition(".")[0] not in names]
    left = sum(module.microseconds for module in others)
    return [*rows, ("the others", str(len(others)), f"{left / 1000:.0f}")]


# --- runs -----------------------------------------------------------------------------------------------


@contextmanager
def _run(python: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Emulator]]:
    """Start a plan of one domain in an environment; see that it ends well."""
    with TemporaryDirectory() as folder, Emulator() as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        app = {"app_code": "lisi_app", "app_secret": "lisi-canary"}
        worker = Worker(Path(folder), emulator, regions={"gz": {"gateway": emulator.url, **app}})
        values = "app: web\ndomains: [{host: a.example.com, image: 'example.com/a:1'}]"
        directory, environ = worker.prepare(
            region="gz", template_space="front-ends", values=values, action="plan"
        )
        with subprocess.Popen(
            [str(python), *options, str(python.with_name("bcs-template-set"))],
            cwd=directory,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield process, emulator
        assert process.returncode == 0


def _until_first_request(python: Path) -> float:
    """Return the seconds from starting the step to the arrival of its first request."""
    began = time.monotonic()
    with _run(python) as (process, emulator):
        began = time.monotonic()
        process.communicate()
    return emulator.exchanges[0].started - began


def _imported_by_a_run(python: Path) -> list[_Imported]:
    """Return what a run has imported when its first request arrives, in the order it did."""
    lines: list[tuple[float, str]] = []
    with _run(python, "-X", "importtime") as (process, emulator):
        assert process.stderr is not None
        lines += [(time.monotonic(), line) for line in process.stderr]
    arrived = emulator.exchanges[0].started
    found = [_IMPORT.match(line) for at, line in lines if at < arrived]
    return [_Imported(match[2], int(match[1])) for match in found if match is not None]
