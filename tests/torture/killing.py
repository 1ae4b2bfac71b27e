"""Real processes, stopped or killed at chosen moments: their verdict, and what follows.

A moment is a share of the time that a run takes, or the arrival of its n-th request. The seed fixes the
choice; where exactly in the step that strikes, the machine decides.
"""

from __future__ import annotations

import functools
import json
import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from tests.emulator import Dialect
from tests.emulator.cluster.tree import Manifest, text
from tests.model.histories import breaches, recorded
from tests.support.dialects import NEWEST, STABLE, speaking
from tests.support.scene import run_here, site
from tests.support.warm_start import Started
from tests.support.worker import Finished, Worker, finish

SPACE = "front-ends"
PAUSE = threading.Event()
"""Never set: waiting for it lets a process that we look at from outside go on."""

SECONDS_TO_SPEAK = 20.0
"""Far more than a stopped run takes: a machine with many other tests on it is no reason to fail."""

LATENCY = 0.004
WEB = "app: nginx\ndomains:\n" + "".join(
    f"  - {{host: h{n}.example.com, image: 'example.com/h:{{tag}}', load_balancers: [lb-1]}}\n"
    for n in range(3)
)
TARGET = {"action": "deploy", "cluster_id": "BCS-K8S-40000", "namespace": "prod"}
PRUNE = {
    **TARGET,
    "prune": "delete",
    "allow_route_removal": "true",
    "values": "\n".join(WEB.replace("{tag}", "2").splitlines()[:-1]),
}
"""The last domain is rendered no more, and goes."""
ACTIONS: dict[str, dict[str, str]] = {
    "publish": {},
    "deploy": TARGET,
    "prune": PRUNE,
    "keep": {**TARGET, "keep_versions": "1"},
}


@dataclass(frozen=True)
class Kill:
    """When to send which signal: at a share of the run's time, or right after its n-th request, and later."""

    action: str
    signal: signal.Signals
    share: float = 0.0
    nth_request: int = 0
    later: float = 0.0
    dialect: Dialect = NEWEST

    def __str__(self) -> str:
        when = f"request-{self.nth_request}+{self.later:.3f}s" if self.nth_request else f"{self.share:.3f}"
        return f"{self.action}/{self.signal.name}/{when}/{self.dialect.name}"


def drawn(count: int, *, seed: int) -> list[Kill]:
    """Return that many kills, the same ones for the same seed; every fifth can't be noticed by the step."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [_draw(chance, number) for number in range(count)]


def _draw(chance: random.Random, number: int) -> Kill:
    stops = (signal.SIGTERM, signal.SIGINT)
    number_of = signal.SIGKILL if number % 5 == 4 else stops[number % 2]
    action, dialect = chance.choice(sorted(ACTIONS)), chance.choice((NEWEST, STABLE))
    if chance.random() < 0.5:
        return Kill(action, number_of, share=chance.random(), dialect=dialect)
    nth, later = chance.randint(1, 30), chance.random() * 0.05
    return Kill(action, number_of, nth_request=nth, later=later, dialect=dialect)


@contextmanager
def scene(dialect: Dialect) -> Iterator[Worker]:
    """Yield a build machine whose pipeline has published, and is about to bring a new image."""
    with tempfile.TemporaryDirectory() as root, speaking(dialect), site(Path(root), cold=True) as worker:
        cluster = worker.emulator.state.add_cluster(TARGET["cluster_id"], namespaces=("prod",), speed=20.0)
        assert cluster.has_namespace("prod")
        worker.inputs["values"] = WEB.replace("{tag}", "1")
        lived = run_here(worker)
        assert lived.code == 0, lived.log
        _age(worker)
        worker.build_number += 1
        worker.inputs["values"] = WEB.replace("{tag}", "2")
        worker.emulator.latency = LATENCY
        yield worker


def _age(worker: Worker) -> None:
    """Give every file versions that are days older, for `keep_versions` to delete."""
    state, day = worker.emulator.state, 24 * 3600
    state.versions.extend(
        [
            replace(
                newest, id=state.new_id(), version=f"0.0.{number}", create_at=newest.create_at - number * day
            )
            for newest in state.versions
            for number in range(2, 5)
        ]
    )


@functools.cache
def usual(action: str, dialect: Dialect) -> tuple[float, dict[str, tuple[str, ...]]]:
    """Return how long a run takes when nobody stops it, and which versions each file has afterwards."""
    with scene(dialect) as worker:
        began = time.monotonic()
        finished = worker.run(**ACTIONS[action])
        assert finished.status == 0, finished.log
        return time.monotonic() - began, names(worker)


def names(worker: Worker) -> dict[str, tuple[str, ...]]:
    """Return the names of the versions of every file, twice where they are there twice."""
    found: dict[str, tuple[str, ...]] = {}
    for version in worker.emulator.state.find_versions(SPACE):
        found[version.file] = (*found.get(version.file, ()), version.version)
    return dict(sorted(found.items()))


def kill(wanted: Kill) -> list[str]:
    """Return what went wrong when a run was stopped like that, and in the run after it."""
    seconds, expected = usual(wanted.action, wanted.dialect)
    with scene(wanted.dialect) as worker:
        before = names(worker)
        seen = len(worker.emulator.exchanges)
        process, directory = worker.start(**ACTIONS[wanted.action])
        _wait_for(wanted, worker, process, seen=seen, seconds=seconds)
        process.send_signal(wanted.signal)
        finished = finish(process, directory, seconds=SECONDS_TO_SPEAK)
        _come_to_rest(worker)
        sent = len(worker.emulator.exchanges) > seen
        check = _lies_of_the_killed if wanted.signal is signal.SIGKILL else _lies_of_the_stopped
        problems = check(finished, sent=sent)
        problems += _false_claims(worker, finished, before=before)
        problems += breaches(recorded(worker.emulator.exchanges[seen:]))
        return problems + _unlike(wanted, worker, expected=expected)


def _wait_for(wanted: Kill, worker: Worker, process: Started, *, seen: int, seconds: float) -> None:
    """Return when the moment has come, or will not come any more."""
    if not wanted.nth_request:
        PAUSE.wait(seconds * wanted.share)
        return
    while len(worker.emulator.exchanges) < seen + wanted.nth_request and process.poll() is None:
        PAUSE.wait(0.001)
    PAUSE.wait(wanted.later)


def _come_to_rest(worker: Worker) -> None:
    end = time.monotonic() + SECONDS_TO_SPEAK
    while any(exchange.ended == 0 for exchange in list(worker.emulator.exchanges)):
        assert time.monotonic() < end, "requests are under way and do not end"
        PAUSE.wait(0.01)


def _lies_of_the_stopped(finished: Finished, *, sent: bool) -> list[str]:
    """Return what is wrong with how a run ended that could speak."""
    if finished.output is None and not sent and not finished.log:
        # Our first line has not run: the interpreter says of the signal what it says of any.
        return [f"our own code is in {finished.stderr}"] if "run/entry.py" in finished.stderr else []
    problems: list[str] = []
    if finished.stderr or "Traceback" in finished.log:
        problems.append(f"it said: {finished.log}{finished.stderr}")
    told = finished.output
    if told is None:
        return [*problems, f"it ended with {finished.status} and without output.json: {finished.log}"]
    succeeded = told["status"] == "success"
    if finished.status != (0 if succeeded else 1):
        problems.append(f"status {finished.status}, and output.json says {told['status']}")
    if not succeeded and told["errorCode"] != 800107:
        problems.append(f"it was stopped, and output.json says {told['errorCode']}: {told['message']}")
    return problems


def _lies_of_the_killed(finished: Finished, *, sent: bool) -> list[str]:
    """Return what is wrong with what a run left that could not speak any more."""
    told = finished.output
    if told is None:
        return ["it had begun, and there is no output.json"] if sent else []
    may_be_over = told["status"] == "success" and finished.status in (0, -signal.SIGKILL)
    if not may_be_over and (told["status"], told["errorType"], told["errorCode"]) != ("error", 3, 800901):
        return [f"it was killed, and output.json says {told}"]
    return []


def _false_claims(worker: Worker, finished: Finished, *, before: dict[str, tuple[str, ...]]) -> list[str]:
    """Return what a run said of versions that is not so, and what it wrote without a word."""
    told: Optional[dict[str, Any]] = finished.output
    if told is None or told.get("errorCode") == 800901:
        return []
    entries = json.loads(finished.value("versions") or "{}")
    held = {version.id: version for version in worker.emulator.state.find_versions(SPACE)}
    problems = [
        f"{name} is said to be {entry['id']}, which is not there"
        for name, entry in entries.items()
        if entry["id"] and (entry["id"] not in held or held[entry["id"]].file != name)
    ]
    claimed = {entry["id"] for entry in entries.values()}
    old = {(file, version) for file, versions in before.items() for version in versions}
    hidden = [v.file for v in held.values() if v.id not in claimed and (v.file, v.version) not in old]
    if hidden and "under way" not in finished.log:
        problems.append(f"written without a word: {hidden}\n{finished.log}")
    if hidden and finished.value("changed") != "true":
        problems.append(f"changed is not true, and there are {hidden}")
    return problems


def _live(worker: Worker) -> list[Manifest]:
    cluster = worker.emulator.cluster(TARGET["cluster_id"])
    kinds = ("Ingress", "Service", "Deployment")
    return [found for kind in kinds for found in cluster.find_all(kind, TARGET["namespace"])]


def _unlike(wanted: Kill, worker: Worker, *, expected: dict[str, tuple[str, ...]]) -> list[str]:
    """Return where the next run does not come to what a single one would have come to."""
    worker.execute_count += 1
    again = run_here(worker, **ACTIONS[wanted.action])
    good = ("published", "unchanged") if wanted.action == "publish" else ("deployed",)
    problems = [] if again.outcome.result in good else [f"the next run: {again.outcome.result}\n{again.log}"]
    if names(worker) != expected:
        problems.append(f"the next run: {names(worker)}, not {expected}")
    left = [text(found, "metadata", "name") for found in _live(worker)]
    if wanted.action == "prune" and any("h2" in name for name in left):
        problems.append(f"the next run: {left} are live still")
    wrong = [
        file.name
        for file in worker.emulator.state.find_files(SPACE)
        if file.name.endswith("deployment.yaml")
        and not (wanted.action == "prune" and file.name.startswith("h2"))
        and "example.com/h:2" not in worker.emulator.state.current_content(SPACE, file.name)
    ]
    return problems + [f"the next run: {name} is still the old one" for name in wrong]
