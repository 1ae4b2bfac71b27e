"""How soon a rollout's end is told after it happened, and at how many requests a second.

The emulated cluster is put into its state directly and watched through the gateway, in real time. An
observer inside the cluster notes when it happened.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.rollout.watch import watch
from bcs_template_set.rollout.watched import Watched, Workload
from bcs_template_set.system.clock import Clock, Deadline, SystemClock
from bcs_template_set.system.http_client import Transport
from tests.bench.api import CEILING, LATENCY, ignore, principal_at
from tests.emulator import Behaviour, Cluster, Emulator
from tests.emulator.cluster.tree import find, items, number, text

HEADINGS = ("rollout", "happened", "told after", "aim", "requests", "a second", "aim", "most in 1 s")
NAMESPACE = "prod"
GLIMPSE = 0.02
"""Seconds between two looks of the observer."""

Happened = Callable[[Cluster], bool]


@dataclass(frozen=True)
class Case:
    """What is rolled out, what is waited for, and within how many seconds of it that has to be told."""

    name: str
    behaviours: Sequence[Behaviour]
    happened: Happened
    end: WorkloadState
    aim: float


def measure() -> list[tuple[str, ...]]:
    """Return the rows of the issue's three aims."""
    ready, missing = Behaviour("ready", after=3.0), Behaviour("not-found", after=3.0)
    return [
        row_of(Case("20 ready at 3 s", [ready] * 20, all_ready, "ready", 1.5)),
        # 60 whole looks at fewer than 8 a second take their time, whoever asks.
        row_of(Case("60 ready at 3 s", [ready] * 60, all_ready, "ready", 7.0)),
        row_of(Case("an image not found", [missing], pull_failed, "failed", 3.0)),
        row_of(Case("one of 20 not found", [missing, *[ready] * 19], pull_failed, "failed", 3.0)),
    ]


def row_of(case: Case) -> tuple[str, ...]:
    """Measure one case."""
    with Emulator(latency=LATENCY) as emulator:
        cluster = site_of(emulator)
        workloads = [put(cluster, n, behaviour) for n, behaviour in enumerate(case.behaviours)]
        began = time.monotonic()
        seen: list[float] = []
        observer = threading.Thread(target=observe, args=(cluster, case.happened, seen), daemon=True)
        observer.start()
        told = tell(emulator, workloads, end=case.end)
        ended = time.monotonic()
        observer.join(timeout=10)
        sent = sorted(exchange.started for exchange in emulator.exchanges)
    return (
        case.name,
        f"{seen[0] - began:.2f} s",
        f"{told - seen[0]:.2f} s",
        f"{case.aim:g} s",
        str(len(sent)),
        f"{len(sent) / (ended - began):.1f}",
        "< 8",
        str(most_in_a_second(sent)),
    )


def site_of(emulator: Emulator) -> Cluster:
    """Return a cluster that lisi may look into."""
    emulator.state.add_project("web", viewers={"lisi"})
    emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
    return emulator.state.add_cluster(namespaces=(NAMESPACE,))


def put(cluster: Cluster, count: int, behaviour: Behaviour) -> Workload:
    """Put a Deployment into the cluster as BCS would have, and return it as it is waited for."""
    name, image = f"web-{count}", f"example.com/web-{count}:1"
    cluster.images[image] = behaviour
    labels = {"k8s-app": name}
    marks = {TEMPLATE_NAME: f"front-ends/{name}.yaml", TEMPLATE_VERSION: "1.0.1"}
    containers = [{"name": "web", "image": image}]
    cluster.put(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": NAMESPACE, "annotations": marks},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
        }
    )
    return Workload(DEPLOYMENT, name, f"front-ends/{name}.yaml", "1.0.1")


def observe(cluster: Cluster, happened: Happened, seen: list[float]) -> None:
    """Note the moment when it happened in the cluster."""
    rhythm = threading.Event()
    while not happened(cluster):
        rhythm.wait(GLIMPSE)
    seen.append(time.monotonic())


def all_ready(cluster: Cluster) -> bool:
    """Tell whether every Deployment has its pod available."""
    live = cluster.find_all("Deployment", NAMESPACE)
    return all(number(item, "status", "availableReplicas") == 1 for item in live)


def pull_failed(cluster: Cluster) -> bool:
    """Tell whether a pod says that its image could not be pulled."""
    pods = cluster.find_all("Pod", NAMESPACE)
    statuses = [status for pod in pods for status in items(pod, "status", "containerStatuses")]
    return any(text(find(status, "state"), "waiting", "reason") == "ErrImagePull" for status in statuses)


def way_to(emulator: Emulator, clock: Clock, deadline: Deadline) -> tuple[Gateway, NamespaceRef]:
    """Return a gateway to the emulated site, and the namespace that is measured in."""
    gateway = Gateway(
        Endpoint(gateway=emulator.url, concurrency=CEILING),
        principal_at(emulator.url),
        transport=Transport(connections=CEILING),
        clock=clock,
        deadline=deadline,
        on_exchange=ignore,
    )
    return gateway, NamespaceRef("web", emulator.cluster().project_id, emulator.cluster().id, NAMESPACE)


def tell(emulator: Emulator, workloads: Sequence[Workload], *, end: WorkloadState) -> float:
    """Watch to the end; return the moment when the last workload that ended so was told."""
    clock = SystemClock()
    deadline = Deadline(clock, seconds=60)
    gateway, place = way_to(emulator, clock, deadline)
    told: list[float] = []

    def note(watched: Watched) -> None:
        if watched.end == end:
            told.append(time.monotonic())

    ended = watch(
        gateway,
        place,
        workloads,
        clock=clock,
        deadline=deadline,
        on_change=note,
        on_quiet=lambda _items, _seconds: None,
        on_sight=lambda _: None,
        fail_fast=True,
    )
    assert any(watched.end == end for watched in ended), ended
    return max(told)


def most_in_a_second(moments: Sequence[float]) -> int:
    """Return the largest number of requests that left within one second."""
    return max(sum(first <= moment < first + 1 for moment in moments) for first in moments)
