"""Ten builds publish into one space at once: real processes of the step, chance in the way of each.

One round; in `make torture` ten of twenty builds (`BCS_ROUNDS`), each with its seed; `BCS_SEED=7 pytest …`
plays one. What has to hold of the reports and of what BCS holds is in `check_round`; afterwards everybody
whose build failed runs again in peace, and `check_settled` says what has to hold then.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.emulator import Chaos, Emulator
from tests.emulator.entities import TemplateVersion
from tests.end_to_end.test_branch_paths import paths
from tests.model.histories import breaches, recorded
from tests.support.dialects import at_work
from tests.support.draws import WHOLE
from tests.support.worker import Finished, Worker, finish

from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.manifests.naming import path_of_branch

SPACE = "front-ends"
HOSTS = ("a.example.com", "b.example.com", "c.example.com")
ROUNDS = int(os.environ.get("BCS_ROUNDS", "1"))
BUILDS = 20 if WHOLE or "BCS_ROUNDS" in os.environ else 10
SEEDS = [int(os.environ["BCS_SEED"])] if "BCS_SEED" in os.environ else list(range(1, ROUNDS + 1))
DELAYS = {"arrive": 0.2, "check": 0.3, "stamp": 0.05, "insert": 0.3, "answer": 0.1}
RATES = dict.fromkeys(("refused", "dropped", "lost", "not-sent", "unavailable", "bad-gateway", "late"), 0.004)
UNSETTLED = "it does not know whether others wrote at the same moment"
NEWER_BUILD = 800402


@dataclass
class Build:
    """One build: its branch, number and pipeline, the domains it publishes, and how it ended."""

    worker: Worker
    branch: str
    number: int
    pipeline: str
    hosts: tuple[str, ...]
    ended: list[Finished] = field(default_factory=list)

    @property
    def last(self) -> Finished:
        return self.ended[-1]

    @property
    def succeeded(self) -> bool:
        return self.last.status == 0

    @property
    def code(self) -> int:
        return int(self.last.told.get("errorCode", 0))

    @property
    def published(self) -> dict[str, dict[str, str]]:
        """Return what the report calls published, by file."""
        value = json.loads(self.last.value("versions") or "{}")
        if "file" in value and "count" in value:
            value = json.loads((self.worker.workspace / value["file"]).read_text(encoding="utf-8"))
        return {name: entry for name, entry in value.items() if entry["state"] == "published"}

    @property
    def log(self) -> str:
        return "\n".join(finished.log for finished in self.ended)

    def is_of(self, origin: Provenance) -> bool:
        ours = (self.pipeline, self.branch, self.number)
        return (origin.pipeline, origin.branch, origin.build) == ours

    def run(self) -> None:
        self.worker.execute_count = len(self.ended) + 1
        self.ended.append(self.worker.run())


def make_builds(emulator: Emulator, root: Path, seed: int) -> list[Build]:
    """Return builds of which some share a branch, and most share domains."""
    chance = random.Random(seed)  # noqa: S311 - a seed has to give the same again
    branches = ["main", "main", "dev", "dev", "dev", *(f"feature/{n}" for n in range(BUILDS - 5))]
    began = int(time.time() * 1000) - 300_000
    domains = [sorted(chance.sample(HOSTS, chance.choice((1, 1, 2, 3)))) for _ in branches]
    return [
        make_build(emulator, root, branch, 100 + n, hosts, began=began)
        for n, (branch, hosts) in enumerate(zip(branches, domains))
    ]


def make_build(
    emulator: Emulator, root: Path, branch: str, number: int, hosts: Sequence[str], *, began: int
) -> Build:
    pipeline = "p-2" if branch.endswith(("3", "7")) else "p-1"
    domains = [
        {"host": h, "image": f"example.com/{h}:{number}", "load_balancers": ["lb-1"], "branch_paths": True}
        for h in hosts
    ]
    region = {
        "gateway": emulator.url,
        "app_code": "web_app",
        "app_secret": "web_app-secret",
        "read_timeout": 20,
        "concurrency": 4,
    }
    home = root / str(number)
    home.mkdir()
    worker = Worker(
        home,
        emulator,
        regions={"gz": region},
        inputs={
            "region": "gz",
            "template_space": SPACE,
            "values": json.dumps({"app": "nginx", "domains": domains}),
        },
        variables={
            "BK_CI_PIPELINE_ID": pipeline,
            "BK_CI_GIT_REF": f"refs/heads/{branch}",
            "BK_CI_BUILD_START_TIME": str(began + number * 1000),
        },
        build_number=number,
    )
    return Build(worker, branch, number, pipeline, tuple(hosts))


@contextmanager
def open_round(root: Path, seed: int) -> Iterator[tuple[Emulator, list[Build]]]:
    with Emulator(dialect=at_work()) as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("web_app", "web_app-secret", vouches_for={"lisi"})
        yield emulator, make_builds(emulator, root, seed)


def run_all(builds: Sequence[Build], *, seed: int) -> None:
    """Start all processes, in some order, and wait for every one."""
    order = list(builds)
    random.Random(seed).shuffle(order)  # noqa: S311 - see above
    started = [(build, *build.worker.start()) for build in order]
    for build, process, directory in started:
        build.ended.append(finish(process, directory, seconds=180))


# --- what BCS holds -------------------------------------------------------------------------------------


def versions_of(emulator: Emulator, name: str) -> list[TemplateVersion]:
    return emulator.state.find_versions(SPACE, name)


def current(emulator: Emulator, name: str) -> TemplateVersion:
    """Return the version that the file points at; of several files of a name, the oldest counts."""
    file = min(emulator.state.find_files(SPACE, name), key=lambda found: found.id)
    return next(v for v in reversed(versions_of(emulator, name)) if v.version == file.version)


def origin_of(version: TemplateVersion) -> Provenance:
    origin = read_provenance(version.description)
    assert origin is not None, version
    return origin


def file_names(emulator: Emulator) -> list[str]:
    return sorted({file.name for file in emulator.state.find_files(SPACE)})


# --- what has to hold -----------------------------------------------------------------------------------


def check_round(emulator: Emulator, builds: Sequence[Build]) -> None:
    for build in builds:
        assert build.last.output is not None, build.last.stderr
        assert "Traceback" not in build.last.log + build.last.stderr
        assert build.code // 100 != 8009, build.last.log
    check_published_once(emulator, builds)
    check_current_is_told(emulator, builds)
    check_older_know(emulator, builds)
    check_twice_is_told(emulator, builds)
    check_histories(emulator, builds)
    knows_everything = all(build.succeeded and UNSETTLED not in build.log for build in builds)
    if knows_everything:
        check_no_path_lost(emulator, builds)


def check_published_once(emulator: Emulator, builds: Sequence[Build]) -> None:
    """Every version that was reported as published exists, once, as that build's."""
    for build in builds:
        for name, entry in build.published.items():
            found = [v for v in versions_of(emulator, name) if v.version == entry["version"]]
            assert [v.id for v in found] == [entry["id"]], (build.branch, build.number, name, entry)
            assert build.is_of(origin_of(found[0]))


def check_histories(emulator: Emulator, builds: Sequence[Build]) -> None:
    """What every build has asked is a behaviour of the publish model, and what it reports was read back."""
    requests = recorded(emulator.exchanges)
    for build in builds:
        knows = build.succeeded and UNSETTLED not in build.log
        reported = {name: entry["id"] for name, entry in build.published.items() if knows}
        version = build.last.value("version")
        assert not version or breaches(requests, version=version, reported=reported) == []


def check_current_is_told(emulator: Emulator, builds: Sequence[Build]) -> None:
    """The current version is one of a build whose report names it, or that says it does not know."""
    for name in file_names(emulator):
        version = current(emulator, name)
        build = next(b for b in builds if b.is_of(origin_of(version)))
        told = build.published.get(name, {}).get("version") == version.version
        assert told or not build.succeeded or version.version in build.log, (name, version.version)


def check_older_know(emulator: Emulator, builds: Sequence[Build]) -> None:
    """An older build of a branch whose version counts, although a newer one published, has said so."""
    for name in (f"{host}.deployment.yaml" for host in HOSTS):
        if name not in file_names(emulator):
            continue
        at_the_end = origin_of(current(emulator, name))
        newer = [v for v in versions_of(emulator, name) if origin_of(v).is_newer_than(at_the_end)]
        build = next(b for b in builds if b.is_of(at_the_end))
        reported = [
            v for v in newer for b in builds if b.published.get(name, {}).get("id") == v.id and b.succeeded
        ]
        assert not reported or not build.succeeded or UNSETTLED in build.log, (
            name,
            build.branch,
            build.number,
        )


def check_twice_is_told(emulator: Emulator, builds: Sequence[Build]) -> None:
    """What BCS's missing index lets exist twice, somebody has said."""
    everything = "\n".join(build.log for build in builds)
    names = Counter(file.name for file in emulator.state.find_files(SPACE))
    for name in (name for name, count in names.items() if count > 1):
        assert f"{name} exists twice" in everything or UNSETTLED in everything
    for name in file_names(emulator):
        counted = Counter(version.version for version in versions_of(emulator, name))
        assert set(counted.values()) == {1}, (name, counted)


def check_no_path_lost(emulator: Emulator, builds: Sequence[Build]) -> None:
    """Every branch of a build that succeeded is served, on every domain of that build."""
    for host in HOSTS:
        ours = [b for b in builds if host in b.hosts and b.succeeded]
        wanted = {path_of_branch(b.branch, main_branches=("main",)): b.branch for b in ours}
        served = paths(current(emulator, f"{host}.routes.yaml").content) if ours else {}
        lost = {path: branch for path, branch in wanted.items() if served.get(path) != branch}
        assert not lost, (host, served)


def check_settled(emulator: Emulator, builds: Sequence[Build]) -> None:
    """In peace everybody succeeds but those whose branch has a newer build, and everybody has its path."""
    for build in builds:
        if not build.succeeded:
            assert build.code == NEWER_BUILD, build.last.log
            numbers = re.findall(r"Build (\d+) of branch", build.last.log)
            assert any(int(number) > build.number for number in numbers)
    check_published_once(emulator, builds)
    check_no_path_lost(emulator, builds)


@pytest.mark.parametrize("seed", SEEDS)
def test_builds_at_once_lose_nothing_and_know_what_happened(tmp_path: Path, seed: int) -> None:
    print(f"BCS_SEED={seed}")
    with open_round(tmp_path, seed) as (emulator, builds):
        chaos = Chaos(seed, delays=DELAYS, rates=RATES, servers=3)
        emulator.unleash(chaos)
        run_all(builds, seed=seed)
        emulator.calm()
        ends = Counter(build.code for build in builds)
        print(f"ended: {dict(ends)}, faults: {chaos.struck}, requests: {len(emulator.exchanges)}")
        check_round(emulator, builds)
        for build in [b for b in builds if not b.succeeded]:
            build.run()
        # What a build that was cut off has hidden, the next build of the domain brings back.
        newest = make_build(emulator, tmp_path, "main", 900, HOSTS, began=int(time.time() * 1000))
        newest.run()
        check_settled(emulator, [*(b for b in builds if b.branch != "main"), newest])
        assert emulator.problems() == []
