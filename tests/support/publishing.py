"""One space, one pipeline, run after run inside this process: the real step, gateway and transport.

Only time is made up: waiting moves the clock, and BCS stamps what it stores with the same clock.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Callable, Optional

from tests.emulator import Dialect, Emulator
from tests.emulator.build_worker import Task
from tests.emulator.entities import TemplateVersion
from tests.emulator.exchanges import Exchange
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.dialects import at_work
from tests.support.openapi import check_exchange
from tests.support.pieces import FakeClock
from tests.support.stand_ins import SDK_JSON
from tests.support.warm_start import remembered_children

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.open_agent import Agent, open_agent
from bcs_template_set.messages import Language
from bcs_template_set.messages.secret import Secret
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.report.output import output_of, texts_of
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.run.context import Services
from bcs_template_set.run.journal import Journal, Seal
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.step import run_step
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.own_files import OwnFile
from bcs_template_set.system.version import step_version

SPACE = "front-ends"
IDENTITY = {**SDK_JSON, "projectId": "web"}
"""What `.sdk.json` says of the machine."""
USER = "lisi"
BEGAN = 1_767_225_600.0
"""Seconds since the epoch: when the made-up clock begins."""
APART = 1200
"""Seconds between the starts of two builds: so what one has written is nothing young for the next."""

GET_FILE = Match("GET", r"/template/metadatas/")
GET_VERSION = Match("GET", r"/template/versions/")
LIST_FILES = Match("GET", r"/template/[0-9a-f]{24}/metadatas$")
LOOK_BEFORE = Match("GET", LIST_FILES.path, nth=2)
"""The list of files right before writing, of a run that plans once; the first is the plan's."""
LOOK_AFTER = Match("GET", LIST_FILES.path, nth=3)
CREATE_SPACE = Match("POST", r"/template/spaces$")
CREATE_FILE = Match("POST", r"/template/([0-9a-f]{24}/)?metadatas$")
CREATE_VERSION = Match("POST", r"/template/[0-9a-f]{24}/versions$")
UPDATE_FILE = Match("PUT", r"/template/metadatas/")
CREATE_CHART = Match("POST", r"/templatesets$")


def config(name: str, value: str) -> str:
    """Return a manifest that passes every check and routes nothing."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: {json.dumps(value)}\n"


def routes(host: str, *paths: str, node_port: int = 0) -> str:
    """Return a Deployment, its Service and an Ingress with these paths, which pass every check."""
    name = host.partition(".")[0]
    rules = "".join(
        f"          - path: {path}\n            pathType: Prefix\n"
        f"            backend: {{service: {{name: {name}, port: {{number: 80}}}}}}\n"
        for path in paths
    )
    kind = "  type: NodePort\n" if node_port else ""
    port = f", nodePort: {node_port}" if node_port else ""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\n"
        f"spec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n"
        f"    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec: {{containers: [{{name: {name}, image: 'example.com/{name}:1', "
        f"ports: [{{containerPort: 80}}]}}]}}\n"
        f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
        f"spec:\n{kind}  selector: {{app: {name}}}\n  ports: [{{port: 80, targetPort: 80{port}}}]\n"
        f"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\n"
        f"spec:\n  rules:\n    - host: {host}\n      http:\n        paths:\n{rules}"
    )


@dataclass(frozen=True)
class Ran:
    """A run that has ended: its outcome, its log, and what it asked of the site."""

    outcome: Outcome
    log: str
    exchanges: tuple[Exchange, ...]

    @property
    def operations(self) -> list[str]:
        """Return the APIs asked, in order, without their service's name."""
        return [exchange.operation.rpartition(".")[2] for exchange in self.exchanges]

    @property
    def writes(self) -> list[Exchange]:
        """Return the requests that change something, whether they were handled or not."""
        return [exchange for exchange in self.exchanges if exchange.is_write]

    @property
    def written(self) -> list[str]:
        """Return the names of the APIs that were asked to change something."""
        return [path_name(exchange) for exchange in self.writes]

    def output(self) -> Mapping[str, str]:
        """Return the string outputs."""
        told = output_of(
            self.outcome,
            report="",
            rendered=(),
            spill=lambda _name, _text: "",
            texts=texts_of(self.outcome),
        )
        return {name: entry["value"] for name, entry in told["data"].items() if entry["type"] == "string"}

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the output `versions`."""
        found: dict[str, dict[str, str]] = json.loads(self.output()["versions"])
        return found

    def version_ids(self) -> dict[str, dict[str, str]]:
        """Return of the output `versions` what is the same for every try of a build: versions, not states."""
        keys = ("id", "version", "previous_id", "previous_version")
        return {name: {key: entry[key] for key in keys} for name, entry in self.versions().items()}

    def file(self, name: str) -> FileOutcome:
        """Return how one file ended."""
        return next(file for file in self.outcome.files if file.change.name == name)

    def states(self) -> dict[str, str]:
        """Return how every file ended."""
        return {file.change.name: file.state for file in self.outcome.files}

    @property
    def code(self) -> int:
        """Return the error's code, 0 where there is none."""
        return self.outcome.error.code if self.outcome.error is not None else 0


def path_name(exchange: Exchange) -> str:
    """Return a request's method and its path behind the project, ids left out: faults leave no operation.

    A file is made in one of two places; what is asked is the same.
    """
    behind = exchange.path.partition("/projects/")[2].partition("/")[2]
    named = f"{exchange.method} {re.sub('[0-9a-f]{24}', '*', behind)}"
    return "POST template/metadatas" if named == "POST template/*/metadatas" else named


def of_gateway(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the requests to the API gateway; what BK-CI's build API was asked is left out."""
    return tuple(exchange for exchange in exchanges if not exchange.path.startswith("/process/"))


@dataclass
class Site:
    """A site whose project `web` lisi may view, and one pipeline of hers that publishes `files` there."""

    emulator: Emulator
    clock: FakeClock
    root: Path
    files: dict[str, str] = field(default_factory=dict)
    build: int = 7
    branch: str = "main"
    seconds: Optional[float] = None
    concurrency: int = 4
    user: str = USER
    app: str = "web_app"
    region: Mapping[str, object] = field(default_factory=dict)
    printed: io.StringIO = field(default_factory=io.StringIO)
    """The log of the run that is under way, or was the last one."""
    language: Language = "en_US"
    """In which the next run speaks."""
    attempt: int = 0
    """Which try of the step this is, by the note that its tries leave each other; 0 for one without any."""

    def run(self, **inputs: str) -> Ran:
        """Run the step on the files as they are now; an input of a variable's name is that variable."""
        seen = len(self.emulator.exchanges)
        directory = self._prepare(inputs)
        stream = self.printed = io.StringIO()
        log = Log(stream, self.language)
        with remembered_children():
            outcome = run_step(self.services(open_agent(directory, clock=self.clock), log))
        verdict = "\n".join(line.text for line in verdict_lines(outcome))
        return Ran(outcome, stream.getvalue() + verdict, of_gateway(self.emulator.exchanges[seen:]))

    def services(self, agent: Agent, log: Log) -> Services:
        """Return the world of a run that this agent has started."""
        return Services(
            agent=agent,
            log=log,
            clock=self.clock,
            deadline=Deadline(self.clock, seconds=self.seconds),
            record=RunRecord(
                clock=self.clock, language=self.language, heading=Heading(step_version=step_version())
            ),
            workspace=self.root / "workspace",
            environ=os.environ,
            journal_of=lambda *_: self._journal(),
        )

    def _journal(self) -> Optional[Journal]:
        note = OwnFile(self.root, f"notes/{self.build}.json")
        seal = Seal(("web", str(self.build)), self.user, Secret(f"{self.app}-secret"))
        return Journal(note, seal, self.attempt) if self.attempt else None

    def _prepare(self, inputs: Mapping[str, str]) -> dict[str, str]:
        workspace = self.root / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        for name, text in self.files.items():
            path = workspace / "manifests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        region = {
            "gateway": self.emulator.url,
            "app_code": self.app,
            "app_secret": f"{self.app}-secret",
            "concurrency": self.concurrency,
            **self.region,
        }
        variables = {
            "BK_CI_START_USER_NAME": "wangwu",
            "BK_CI_PIPELINE_UPDATE_USER": self.user,
            "BK_CI_PROJECT_NAME": "web",
            "BK_CI_PIPELINE_ID": "p-1",
            "BK_CI_BUILD_NUM": str(self.build),
            "BK_CI_BUILD_START_TIME": str(int((BEGAN + APART * self.build) * 1000)),
            "BK_CI_GIT_REF": f"refs/heads/{self.branch}",
            "BK_CI_GIT_SHA": "0123456789abcdef",
            **{name: value for name, value in inputs.items() if name.startswith("BK_CI_")},
        }
        given = {
            "region": "gz",
            "template_space": SPACE,
            "image_check": "off",  # made-up names: nobody is to be asked
            "templates": "\n".join(f"manifests/{name}" for name in self.files),
            **{name: value for name, value in inputs.items() if not name.startswith("BK_CI_")},
        }
        build_id = f"b-{self.build}-{zlib.crc32(f'{self.root} {self.branch}'.encode()):08x}"
        identity = {**IDENTITY, "gateway": self.emulator.host, "buildId": build_id}
        self.emulator.state.start_build(
            build_id, project_id="web", pipeline_id="p-1", variables=variables, user_id="wangwu"
        )
        settings = {"regions": json.dumps({"gz": region})}
        return Task(identity, variables, {}, given, private_settings=settings).hand_over(self.root)

    def next_build(self, **files: str) -> None:
        """Go on to the next build, some time later, in which these files (`_` for `.`) are others."""
        self.build += 1
        self.clock.time += APART
        self.files.update({name.replace("_", "."): text for name, text in files.items()})

    def fault(self, kind: str, match: Match, *, times: int = 1, status: int = 500) -> Fault:
        """Order a fault."""
        return self.emulator.faults.add(Fault(kind=kind, match=match, times=times, status=status))

    def rival(
        self, act: Callable[[State], None], *, before: Match, times: int = 1, after: bool = False
    ) -> Fault:
        """Let somebody else act right before these requests are handled, or right after."""
        when = "after" if after else "before"
        return self.emulator.faults.add(Fault("rival", before, times=times, rival=act, when=when))

    def contents(self) -> dict[str, str]:
        """Return the current content of every file of the space that points at a version."""
        state = self.emulator.state
        return {
            file.name: state.current_content(SPACE, file.name)
            for file in state.find_files(SPACE)
            if any(version.version == file.version for version in state.find_versions(SPACE, file.name))
        }

    def history(self, name: str) -> list[TemplateVersion]:
        """Return the versions of a file in the order they were written."""
        return self.emulator.state.find_versions(SPACE, name)

    def version_names(self, name: str) -> list[str]:
        """Return the names of a file's versions in the order they were written."""
        return [version.version for version in self.history(name)]


@contextmanager
def open_site(**files: str) -> Iterator[Site]:
    """Yield a site, and hold the run to what no test may leave behind."""
    clock = FakeClock()
    clock.time = BEGAN + APART * 7 + 1
    root = Path(tempfile.mkdtemp(prefix="site-"))
    try:
        with Emulator(now=clock.now, dialect=at_work()) as emulator:
            emulator.state.add_project("web", viewers={USER})
            emulator.state.add_agent(project_id="web", agent_id="a-1", secret_key="agent-s3cret")
            emulator.state.add_app("web_app", "web_app-secret", vouches_for={USER})
            yield Site(emulator, clock, root, files={n.replace("_", "."): text for n, text in files.items()})
            assert emulator.problems() == []
            assert breaches(emulator.exchanges) == []
    finally:
        shutil.rmtree(root)


@contextmanager
def site_after(builds: Callable[[Site], object], **files: str) -> Iterator[Site]:
    """Yield a site as these builds of the files leave one; they are made once for each dialect."""
    made = _after(builds, at_work(), tuple(files.items()))
    with open_site(**made.files) as site:
        site.clock.time, site.build, site.branch = made.clock.time, made.build, made.branch
        site.emulator.take(copy_of(made.emulator.state, {id(made.clock): site.clock}))
        yield site


@cache
def _after(builds: Callable[[Site], object], _: Dialect, files: tuple[tuple[str, str], ...]) -> Site:
    with open_site(**dict(files)) as site:
        builds(site)
        return site


def copy_of(state: State, instead: Mapping[int, object]) -> State:
    """Return a copy of all that a site knows, with these in place of what has those ids: its clock, say."""
    locks = [state.lock, *(cluster.lock for cluster in state.clusters.values())]
    return deepcopy(state, {**{id(lock): RLock() for lock in locks}, **instead})


def breaches(exchanges: Iterable[Exchange]) -> list[str]:
    """Return what in the exchanges is against BCS's OpenAPI file, where that is at hand."""
    return [breach for exchange in exchanges for breach in check_exchange(exchange)]
