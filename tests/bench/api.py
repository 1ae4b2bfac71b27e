"""Requests and seconds of plan and publish against sites with latency, beside a sequential loop.

With as many requests at a time as ever, and with a number that grows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Optional
from urllib.parse import urlsplit

import requests  # noqa: TID251 - the plain loop to compare with

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.bcs.gateway import Exchange, Gateway
from bcs_template_set.bcs.request_pace import Heard, Pace, Permit
from bcs_template_set.bcs.space.read_space import read_existing
from bcs_template_set.bcs.space.wanted import Wanted
from bcs_template_set.config.principal import Principal, resolve_principal
from bcs_template_set.config.regions import App, Endpoint, Region
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.messages.secret import Secret
from bcs_template_set.publish.concurrent_writes import settle
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Desired, Policy, SpaceRef
from bcs_template_set.publish.write_files import Publishing, ensure_space, publish_files
from bcs_template_set.run.settings_phase import FIRST
from bcs_template_set.system.clock import Deadline, SystemClock
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest
from tests.bench.rendering import PROVENANCE
from tests.bench.site_apart import site_apart

LATENCY = 0.05
AS_EVER, CEILING = 8, 64
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
class Kind:
    """A kind of gateway: what it is told by, its options, how many it answers a round trip, and a second."""

    name: str
    options: Sequence[str] = ()
    a_round: float = float("inf")
    a_second: float = float("inf")


KINDS = (
    Kind("takes any number"),
    Kind("handles 8 at a time", ("--handles", "8"), a_round=8),
    Kind("refuses above 4 at once", ("--at-once", "4"), a_round=4),
    Kind("refuses above 16 at once", ("--at-once", "16"), a_round=16),
    Kind("refuses above 50 a second", ("--rate", "50"), a_second=50),
    Kind("the same, and does not tell", ("--rate", "50", "--untold"), a_second=50),
)


@dataclass(frozen=True)
class Measured:
    """One run: `chain` is its longest chain of dependent round trips; `sequential` 0 where not measured."""

    name: str
    kind: Kind
    at_a_time: str
    requests: int
    refused: int
    seconds: float
    chain: int
    sequential: float = 0.0

    @property
    def bound(self) -> float:
        """Return the seconds that nobody can be below: those of the chain, or of what the gateway takes."""
        rounds = max(self.chain, (self.requests - self.refused) / self.kind.a_round)
        return max(rounds * LATENCY, (self.requests - self.refused) / self.kind.a_second - 1)

    def row(self) -> tuple[str, ...]:
        """Return the run as a table's row."""
        return (
            self.name,
            self.kind.name,
            self.at_a_time,
            str(self.requests),
            str(self.refused),
            f"{self.seconds:.2f}",
            f"{self.bound:.2f}",
            f"{self.seconds / self.bound:.2f}",
            f"{self.sequential:.2f}" if self.sequential else "",
        )


HEADINGS = (
    *("60 files", "a gateway that", "at a time", "requests", "429s", "seconds", "bound", "ratio"),
    "one by one",
)


@contextmanager
def site(latency: float, *options: str) -> Iterator[str]:
    """Run an emulated site in a process of its own and give its gateway's address."""
    with site_apart("--latency", latency, *options) as apart:
        yield apart.url


class _Recording:
    """Passes requests on and remembers them, so that the sequential loop can do the very same work."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.sent: list[HttpRequest] = []
        self.refused = 0

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:
        self.sent.append(request)
        answer = self._transport.send(request, seconds=seconds)
        self.refused += answer.status == 429
        return answer


class _AsEver(Pace):
    """As many at a time as the ceiling, whatever is heard: what the step did before."""

    def give_back(self, _: Permit, __: Heard, *, now: float) -> None:  # noqa: ARG002 - as of Pace
        self.under_way -= 1


def measure() -> Iterator[Measured]:
    """Yield the three cases of the issue for each kind of gateway: unchanged, one changed, all changed."""
    for kind in KINDS:
        for name, pace in (("8, as ever", _AsEver(AS_EVER)), ("growing", Pace(CEILING))):
            yield from _cases(kind, name, pace)


def _cases(kind: Kind, at_a_time: str, pace: Pace) -> Iterator[Measured]:
    with site(LATENCY, *kind.options) as url:
        run(url, tags=[1] * FILES, version="1.0.1")
        for number, (name, tags) in enumerate(
            (("unchanged", [1]), ("one changed", [3, 1]), ("all changed", [4])), start=2
        ):
            every = [*tags, *tags[-1:] * (FILES - len(tags))]
            began = time.perf_counter()
            recording, changed = run(url, tags=every, version=f"1.0.{number}", pace=type(pace)(pace.ceiling))
            seconds = time.perf_counter() - began
            is_first = kind is KINDS[0] and isinstance(pace, _AsEver)
            yield Measured(
                *(name, kind, at_a_time, len(recording.sent), recording.refused, seconds),
                chain=chain_of(changed),
                sequential=replay(recording.sent) if is_first else 0.0,
            )


def chain_of(changed: int) -> int:
    """Return the longest chain of round trips that depend on each other.

    Project beside space; files beside version names; their contents. Of a changed file also whether it is
    still current, its write, reading it back, and a last look at the folder.
    """
    return 7 if changed else 3


def run(
    url: str, *, version: str, tags: Sequence[int], pace: Optional[Pace] = None
) -> tuple[_Recording, int]:
    """Read, plan and publish 60 files; return the requests and how many files were written."""
    clock = SystemClock()
    transport = Transport(connections=CEILING)
    transport.connect_ahead(url, count=FIRST)
    recording = _Recording(transport)
    concurrency = CEILING if pace is None else pace.ceiling
    gateway = Gateway(
        Endpoint(gateway=url, concurrency=concurrency),
        principal_at(url),
        transport=recording,
        clock=clock,
        deadline=Deadline(clock, seconds=None),
        on_exchange=ignore,
    )
    gateway._pace = pace or gateway._pace
    files = tuple(manifest(number, tag) for number, tag in enumerate(tags))
    transport.connect_ahead(url, count=min(FILES, concurrency))
    target = SpaceRef(region="gz", project="web", space="front-ends")
    ours = replace(PROVENANCE, build=int(version.rpartition(".")[2]))
    desired = Desired(target, version, files, ours)
    later = clock.now() + 601  # builds of a bench follow each other faster than those of people
    wanted = Wanted("web", "front-ends", files, version, "", later, ours)
    existing = read_existing(gateway, wanted)
    plan = make_plan(desired, existing, policy=Policy())
    publishing = Publishing(gateway, desired, clock, Deadline(clock, seconds=None), ended)
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
    return resolve_principal(region, BuildInfo("record", modifier="lisi"), run_as="modifier")


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
