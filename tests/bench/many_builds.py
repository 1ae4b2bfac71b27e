"""One build alone, and the same among others of other branches that publish into the same space at once.

Every build is a process of its own that runs the installed step as BK-CI's worker starts it, from its inputs
to its verdict. The emulated site is one more process. All share this machine's processors, whose seconds are
told beside: on a real site every build has a machine of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.api import LATENCY
from tests.bench.many_space import CHANGED, SPACE, branch_of, values
from tests.bench.site_apart import SiteApart, site_apart
from tests.bench.tasks import task
from tests.support.worker import STEP

BUILDS = 20


@dataclass(frozen=True)
class Case:
    """A space of so many domains. Every build changes five of them: no other's, or all builds the `same`."""

    domains: int
    same: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        """Return the heads of the table's columns."""
        which = "the same ones by all" if self.same else "others by each"
        return f"{self.domains} domains, {CHANGED} changed, {which}", "alone", f"among {BUILDS}", "ratio"


CASES = (Case(200), Case(10, same=True))


@dataclass(frozen=True)
class Ended:
    """How a build ended, with the code of its error, and the seconds it took: on the clock, and of CPU."""

    result: str
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Measured:
    """Builds that were started at once. `requests` and `site_cpu` are those of all together."""

    builds: Sequence[Ended]
    requests: int
    site_cpu: float

    def each(self) -> Mapping[str, float]:
        """Return what a build took on average, by what the rows are called."""
        count = len(self.builds)
        return {
            "seconds a build": sum(build.seconds for build in self.builds) / count,
            "seconds until the last has ended": max(build.seconds for build in self.builds),
            "requests a build": self.requests / count,
            "CPU seconds of a build": sum(build.cpu for build in self.builds) / count,
            "CPU seconds of the emulated site, a build": self.site_cpu / count,
        }

    def results(self) -> str:
        """Return how the builds ended, and how many each way."""
        found = Counter(build.result for build in self.builds)
        return ", ".join(f"{count} {result}" for result, count in sorted(found.items()))


def measure(case: Case) -> list[tuple[str, ...]]:
    """Return a row for each thing a build takes, alone and among the others."""
    with _site(case) as site, TemporaryDirectory() as folder:
        alone = _at_once(site, case, Path(folder), branches=[BUILDS])
        among = _at_once(site, case, Path(folder), branches=range(BUILDS))
    rows = [
        (name, f"{one:.1f}", f"{many:.1f}", f"{many / one:.1f}")
        for (name, one), many in zip(alone.each().items(), among.each().values())
    ]
    return [*rows, ("ended", alone.results(), among.results(), "")]


# --- the site -------------------------------------------------------------------------------------------


@contextmanager
def _site(case: Case) -> Iterator[SiteApart]:
    same = ["--same"] if case.same else []
    space = ["--domains", case.domains, "--branches", BUILDS + 1, *same]
    with site_apart("--latency", LATENCY, *space) as site:
        yield site


# --- the builds -----------------------------------------------------------------------------------------


def _at_once(site: SiteApart, case: Case, folder: Path, *, branches: Sequence[int]) -> Measured:
    before = site.asked()
    builds = [_start(site, case, folder, branch) for branch in branches]
    with ThreadPoolExecutor(len(builds)) as pool:
        ended = list(pool.map(_Build.wait, builds))
    asked = site.asked().since(before)
    return Measured(ended, asked.requests, asked.cpu)


@dataclass(frozen=True)
class _Build:
    process: subprocess.Popen[bytes]
    directory: Path
    began: float

    def wait(self) -> Ended:
        """Wait for the end of the process."""
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.wait()  # learns that it has ended
        seconds = time.monotonic() - self.began
        told = json.loads((self.directory / "output.json").read_text(encoding="utf-8"))
        assert "result" in told["data"], (self.directory / "log").read_text(encoding="utf-8")
        result = " ".join(
            str(word) for word in (told["data"]["result"]["value"], told.get("errorCode")) if word
        )
        return Ended(result, seconds, usage.ru_utime + usage.ru_stime)


def _start(site: SiteApart, case: Case, root: Path, branch: int) -> _Build:
    directory = root / branch_of(branch)
    (directory / "workspace").mkdir(parents=True)
    environ = task(
        site.url,
        directory,
        build=100 + branch,
        ref=f"refs/heads/{branch_of(branch)}",
        inputs={"template_space": SPACE, "values": values(case.domains)},
    ).hand_over(directory)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(STEP)], cwd=directory, env={**os.environ, **environ}, stdout=log, stderr=log
        )
    return _Build(process, directory, time.monotonic())
