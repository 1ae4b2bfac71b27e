"""What `status` of a fleet costs: lists and dry runs, whatever the number of domains.

Everything is live as it was published. The emulated cluster is put into its state directly; each request has
its latency.
"""

from __future__ import annotations

import time

import yaml

from bcs_template_set.bcs.answers import TemplateSpace
from bcs_template_set.bcs.space.template_spaces import list_files
from bcs_template_set.rollout.read_status import read_status
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.clock import Deadline, SystemClock
from tests.bench.api import LATENCY
from tests.bench.rollout import NAMESPACE, site_of, way_to
from tests.emulator import Cluster, Emulator
from tests.emulator.cluster.tree import Manifest
from tests.support.deploying import FILE_MARK, MARK, service, workload
from tests.support.publishing import config

HEADINGS = ("status of", "files", "requests", "aim", "seconds", "live, ready and the same")
DOMAINS = 200
SPACE = "front-ends"


def measure(domains: int = DOMAINS) -> list[tuple[str, ...]]:
    """Return the row of a fleet."""
    clock = SystemClock()
    with Emulator(latency=LATENCY) as emulator:
        cluster = site_of(emulator)
        for number in range(domains):
            put(emulator, cluster, f"d{number:03}")
        cluster.advance(60)
        deadline = Deadline(clock, seconds=600)
        gateway, place = way_to(emulator, clock, deadline)
        began = time.monotonic()
        space = TemplateSpace(id=emulator.state.find_spaces(SPACE)[0].id, name=SPACE)
        files = list_files(gateway, place.project, space.id)
        deploying = Deploying(place, SPACE, {}, clock, deadline)
        found = read_status(gateway, deploying, files)
        seconds = time.monotonic() - began
        requests = len(emulator.exchanges)
    well = [
        here
        for here in found.domains
        if here.standing == "live"
        and here.drift == "same"
        and all(workload.state == "ready" for workload in here.workloads)
    ]
    return [
        (
            f"{domains} domains",
            str(len(files)),
            str(requests),
            "not one a domain",
            f"{seconds:.2f} s",
            str(len(well)),
        )
    ]


def put(emulator: Emulator, cluster: Cluster, name: str) -> None:
    """Publish the three files of a domain, and have their objects live."""
    host = f"{name}.example.com"
    parts = {"deployment": workload(name=name), "service": service(name), "routes": config(name, "1")}
    for part, text in parts.items():
        file = f"{host}.{part}.yaml"
        emulator.state.add_file(SPACE, file, content=text, version="1.0.7-main")
        body: Manifest = yaml.safe_load(text)
        metadata = dict(body["metadata"])  # type: ignore[call-overload] # a mapping
        marks = {FILE_MARK: f"{SPACE}/{file}", MARK: "1.0.7-main"}
        body["metadata"] = {**metadata, "namespace": NAMESPACE, "annotations": marks}
        cluster.put(body)
