"""Requests and seconds of plan and publish against a site with latency, beside a sequential loop."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Optional
from urllib.parse import urlsplit

import requests  # noqa: TID251 - the plain loop to compare with

from bcs_template_set.bcs.gateway import Exchange, Gateway
from bcs_template_set.bcs.space.read_space import Wanted, read_existing
from bcs_template_set.config.principal import People, Principal, resolve_principal
from bcs_template_set.config.regions import App, Endpoint, Region
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.messages.secret import Secret
from bcs_template_set.publish.concurrent_writes import settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Policy, SpaceRef
from bcs_template_set.publish.write_files import Publishing, ensure_space, publish_files
from bcs_template_set.system.clock import Deadline, SystemClock
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest
from tests.bench.rendering import PROVENANCE

LATENCY = 0.05
CONCURRENCY = 8
FILES = 60
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web-{number}}}
spec:
  selector: {{matchLabels: {{k8s-app: web-{number}}}}}
  template:
    metadata: {{labels: {{k8s-app: web-{number}}}}}
    spec:
      containers:
        - {{name: web, image: "example.com/web:{tag}"}}
"""


@dataclass(frozen=True)
class Measured:
    """One run: `chain` is the longest chain of round trips that the work allows at the concurrency."""

    name: str
    requests: int
    seconds: float
    chain: int
    sequential: float

    @property
    def bound(self) -> float:
        """Return the seconds that the chain takes if nothing but latency counts."""
        return self.chain * LATENCY

    def row(self) -> tuple[str, ...]:
        """Return the run as a table's row."""
        return (
            self.name,
            str(self.requests),
            f"{self.seconds:.2f}",
            f"{self.bound:.2f}",
            f"{self.seconds / self.bound:.2f}",
            f"{self.sequential:.2f}",
            f"{self.sequential / self.seconds:.1f}x",
        )


HEADINGS = ("60 files", "requests", "seconds", "bound", "ratio", "one by one", "faster")


@contextmanager
def site(latency: float) -> Iterator[str]:
    """Run an emulated site in a process of its own and give its gateway's address."""
    command = [sys.executable, "-m", "tests.bench.site", "--latency", str(latency)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


class _Recording:
    """Passes requests on and remembers them, so that the sequential loop can do the very same work."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.sent: list[HttpRequest] = []

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:
        self.sent.append(request)
        return self._transport.send(request, seconds=seconds)


def measure() -> list[Measured]:
    """Return the three cases of the issue: unchanged, one changed, all changed."""
    results: list[Measured] = []
    with site(LATENCY) as url:
        run(url, tag=1, version="1.0.1")
        results.append(case("unchanged", url, tags=[1] * FILES, version="1.0.2"))
        results.append(case("one changed", url, tags=[3, *[1] * (FILES - 1)], version="1.0.3"))
        results.append(case("all changed", url, tags=[4] * FILES, version="1.0.4"))
    return results


def case(name: str, url: str, *, tags: Sequence[int], version: str) -> Measured:
    """Measure one run, then the same requests one after another on one kept connection."""
    began = time.perf_counter()
    recording, changed = run(url, tags=tags, version=version)
    seconds = time.perf_counter() - began
    return Measured(name, len(recording.sent), seconds, chain_of(changed), replay(recording.sent))


def chain_of(changed: int) -> int:
    """Return the longest chain of round trips that this much work allows.

    Project beside space; files beside version names; one read a file; three round trips, which follow each
    other, a changed file (still current?, write, read back); a last look at files beside version names.
    """
    reading = 2 + ceil(FILES)
    return reading + (max(3, ceil(changed * 3)) + 1 if changed else 0)


def ceil(requests: int) -> int:
    """Return how many round trips that many requests take at the concurrency."""
    return -(-requests // CONCURRENCY)


def run(
    url: str, *, version: str, tag: int = 0, tags: Optional[Sequence[int]] = None
) -> tuple[_Recording, int]:
    """Read, plan and publish 60 files; return the requests and how many files were written."""
    clock = SystemClock()
    recording = _Recording(Transport(connections=CONCURRENCY))
    gateway = Gateway(
        Endpoint(gateway=url, concurrency=CONCURRENCY),
        principal_at(url),
        transport=recording,
        clock=clock,
        deadline=Deadline(clock, seconds=None),
        on_exchange=ignore,
    )
    files = tuple(manifest(number, given) for number, given in enumerate(tags or [tag] * FILES))
    target = SpaceRef(region="gz", project="web", space="front-ends")
    desired = Desired(target, version, files, replace(PROVENANCE, build=int(version.rpartition(".")[2])))
    wanted = Wanted("web", "front-ends", files, version, "", 0)
    existing = read_existing(gateway, wanted, concurrency=CONCURRENCY)
    plan = make_plan(desired, existing, policy=Policy())
    publishing = Publishing(gateway, desired, clock, Deadline(clock, seconds=None), CONCURRENCY, ended)
    space_id = existing.space.id if existing.space is not None else ensure_space(publishing)[0]
    written = publish_files(publishing, plan, space_id=space_id)
    outcomes = settle(publishing, written, space_id=space_id).files
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert not failed, failed[0].error
    return recording, sum(outcome.state == "applied" for outcome in outcomes)


def manifest(number: int, tag: int) -> ManifestFile:
    """Return one small file."""
    text = MANIFEST.format(number=number, tag=tag)
    return ManifestFile(f"web-{number}.yaml", text, "bench", parse_documents(text, source="bench"))


def principal_at(url: str) -> Principal:
    """Return lisi with lisi's app."""
    region = Region("gz", Endpoint(gateway=url), app=App("lisi_app", Secret("lisi-canary")), owner="lisi")
    return resolve_principal(region, People(modifier="lisi"), run_as="modifier")


def ignore(_: Exchange) -> None:
    """Take no notice of a request."""


def ended(_: FileOutcome) -> None:
    """Take no notice of a file."""


def replay(requests_sent: Sequence[HttpRequest]) -> float:
    """Send the same requests one after another in a plain `requests` loop; return the seconds."""
    with site(LATENCY) as url, requests.Session() as session:
        session.get(url, timeout=10)  # the connection is there, as it is kept in ours
        began = time.perf_counter()
        for request in requests_sent:
            session.request(
                request.method,
                moved(request.url, url),
                data=request.body,
                headers=dict(request.headers),
                timeout=10,
            ).json()
        return time.perf_counter() - began


def moved(url: str, gateway: str) -> str:
    """Return the address that a request of one site has on another; their gateways' paths are alike."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{gateway}{parts.path[len(urlsplit(gateway).path) :]}{query}"
