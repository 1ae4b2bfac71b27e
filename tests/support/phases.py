"""A run's phases without a site: files and inputs are values, and a stand-in answers what BCS is asked."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Callable, TypeVar, Union, cast

import yaml
from tests.support.pieces import URL, FakeClock
from tests.support.planned import desired

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import BuildInfo, BuildRow, TaskInfo
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.open_agent import Agent
from bcs_template_set.bcs.calls import Body, Call, JsonValue, Read, Write
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.config.inputs import Settings, read_settings
from bcs_template_set.config.regions import Endpoint, Region
from bcs_template_set.manifests.templating.build_context import make_context
from bcs_template_set.manifests.templating.prepare import RenderRequest, prepare
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Desired
from bcs_template_set.report.outcome import Heading
from bcs_template_set.run.context import RenderedRun, RunContext, Services
from bcs_template_set.run.record import RunRecord
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.proxies import Machine

T = TypeVar("T")

CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"
PLACE = NamespaceRef("web", "a" * 32, CLUSTER, NAMESPACE)

Answer = Union[JsonValue, StepError, Callable[[Call[object]], JsonValue]]


class Answers:
    """Answers calls by their names, and by the last word of their path where that is named too.

    A call that nobody has an answer for fails. `calls` are the names of those that were sent, `bodies` what
    they carried.
    """

    most_at_once = 1

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.site = Site()
        self.calls: list[str] = []
        self.bodies: list[Body] = []
        self.answers = dict(answers)

    def read(self, call: Read[T]) -> T:
        """Answer a read."""
        return self._answer(call)

    def write(self, call: Write[T]) -> T:
        """Answer a write."""
        return self._answer(call)

    def _answer(self, call: Call[T]) -> T:
        named = f"{call.name} {call.segments[-1]}"
        known = named if named in self.answers else call.name
        assert known in self.answers, f"nobody answers {named}"
        self.calls.append(named)
        self.bodies.append(call.body or {})
        found = self.answers[known]
        if isinstance(found, StepError):
            raise found
        return call.parse(found(call) if callable(found) else found)


class Cluster(Answers):
    """Answers as these, and with an empty list for each kind that they say nothing of."""

    def _answer(self, call: Call[T]) -> T:
        if call.name not in self.answers and call.name.startswith("list "):
            self.answers[call.name] = {"manifest": {"items": []}}
        return super()._answer(call)


_OF_PODS: Mapping[str, Mapping[str, object]] = {
    "Deployment": {"replicas": 3},
    "DaemonSet": {"updateStrategy": {"type": "OnDelete"}},
}
_WELL = (
    *("replicas", "updatedReplicas", "availableReplicas"),
    *("desiredNumberScheduled", "currentNumberScheduled", "numberAvailable"),
)


class Namespace(Cluster):
    """A namespace that versions are deployed into: what it shows is what it was last told.

    A version is known by its id, `<file>@<version>`, and holds one object, of the file's name: a ConfigMap,
    or, where the file's name says so, a Deployment that is ready at once, or a DaemonSet whose old pods stay
    until a person deletes them. `live` are the versions that the objects are marked with; `on_deploy` may
    change that, or raise, when a deployment has come. `seen` is what a preview shows of a live object.
    """

    def __init__(self, versions: Iterable[str], live: Mapping[str, str], **answers: Answer) -> None:
        super().__init__({name.replace("_", " "): answer for name, answer in answers.items()})
        self.versions, self.live = set(versions), dict(live)
        self.deployed: list[list[str]] = []
        self.on_deploy: Callable[[], None] = lambda: None
        self.seen: Callable[[dict[str, JsonValue]], object] = lambda body: body
        own: dict[str, Answer] = {
            "list variables": {"vars": []},
            "preview": self._preview,
            "deploy": self._deploy,
            "find version": self._find,
            "get version": lambda call: self.version(call.segments[-1]),
            "get Deployment": self._get,
            "get DaemonSet": self._get,
            "list pods": {"manifest": {"items": []}},
        }
        self.answers = {**own, **self.answers}

    @staticmethod
    def text_of(version_id: str) -> str:
        """Return the manifest that a version holds."""
        file, _, version = version_id.partition("@")
        name = file.partition(".")[0]
        for kind, spec in _OF_PODS.items():
            if kind.lower() in file:
                pods = {"containers": [{"name": "main", "image": f"example.com/{name}:{version}"}]}
                body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}}
                return yaml.safe_dump({**body, "spec": {**spec, "template": {"spec": pods}}})
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        return yaml.safe_dump({**body, "data": {"version": version}})

    def version(self, version_id: str) -> dict[str, JsonValue]:
        """Return a version as BCS has it."""
        return {
            "id": version_id,
            "version": version_id.partition("@")[2],
            "content": self.text_of(version_id),
        }

    def marked(self, file: str, version: str) -> dict[str, JsonValue]:
        """Return a file's object as it is live at a version."""
        body: dict[str, JsonValue] = yaml.safe_load(self.text_of(f"{file}@{version}"))
        marks: JsonValue = {TEMPLATE_NAME: f"front-ends/{file}", TEMPLATE_VERSION: version}
        name = file.partition(".")[0]
        return {**body, "metadata": {"name": name, "generation": 2, "annotations": marks}}

    def _preview(self, call: Call[object]) -> JsonValue:
        ids = (call.body or {})["templateVersions"]
        assert isinstance(ids, list)
        return {"items": [self._item(str(version_id)) for version_id in ids]}

    def _item(self, version_id: str) -> JsonValue:
        file, _, version = version_id.partition("@")
        wanted = self.marked(file, version)
        live = self.live.get(file, "")
        before = yaml.safe_dump(self.seen(self.marked(file, live))) if live else ""
        metadata = wanted["metadata"]
        assert isinstance(metadata, dict)
        return {
            "kind": wanted["kind"],
            "name": metadata["name"],
            "content": yaml.safe_dump(wanted),
            "previousContent": before,
        }

    def _deploy(self, call: Call[object]) -> JsonValue:
        ids = (call.body or {})["templateVersions"]
        assert isinstance(ids, list)
        self.deployed.append([str(version_id) for version_id in ids])
        self.live.update(dict(version_id.split("@") for version_id in self.deployed[-1]))
        self.on_deploy()
        return None

    def _find(self, call: Call[object]) -> JsonValue:
        body = call.body or {}
        version_id = f"{body['templateName']}@{body['version']}"
        return self.version(version_id) if version_id in self.versions else {}

    def _get(self, call: Call[object]) -> JsonValue:
        kind = call.name.partition(" ")[2].lower()
        file = next(f for f in self.live if f.startswith(f"{call.segments[-1]}.") and kind in f)
        status: JsonValue = {"observedGeneration": 2, **dict.fromkeys(_WELL, 3)}
        return {"manifest": {**self.marked(file, self.live[file]), "status": status}}


def settings_of(inputs: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """Return the settings of a run that deploys; inputs say otherwise."""
    given = {
        "action": "deploy",
        "region": "gz",
        "project_code": "web",
        "template_space": "front-ends",
        "cluster_id": CLUSTER,
        "namespace": NAMESPACE,
    }
    return read_settings({**given, **inputs}, regions=["gz"])


@dataclass
class StandInAgent:
    """An agent that says what it was made with; `asked` are the questions that went to BK-CI."""

    given: Mapping[str, str] = field(default_factory=dict)
    regions: str = ""
    of_task: TaskInfo = field(default_factory=lambda: TaskInfo(project="web"))
    of_build: BuildInfo = field(default_factory=lambda: BuildInfo("record"))
    row: BuildRow = field(default_factory=BuildRow)
    credentials: Mapping[str, Union[Credential, StepError]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    def inputs(self) -> Mapping[str, str]:
        """Return the step's inputs."""
        return self.given

    def private_setting(self, name: str) -> Secret:
        """Return the private settings."""
        assert name == "regions"
        return Secret(self.regions)

    def names_of_pipeline(self) -> tuple[str, ...]:
        """Return the names that the pipeline has set."""
        return self.names

    def task(self) -> TaskInfo:
        """Return what the worker says of the task."""
        return self.of_task

    def build(self, *, recorded: bool) -> BuildInfo:
        """Return what is known of the build, by BK-CI's record or without it."""
        self.asked.append("build" if recorded else "build of the environment")
        return self.of_build

    def build_row(self, build: BuildInfo) -> BuildRow:
        """Return the build's own row."""
        assert build is self.of_build
        self.asked.append("row")
        return self.row

    def credential(self, credential_id: str) -> Credential:
        """Return a credential, or raise why there is none."""
        self.asked.append(credential_id)
        found = self.credentials[credential_id]
        if isinstance(found, StepError):
            raise found
        return found


def services_of(
    agent: StandInAgent, printed: io.StringIO, *, clock: FakeClock, seconds: float | None = None
) -> Services:
    """Return what a run has that this agent started, within so many seconds."""
    return Services(
        agent=cast("Agent", agent),
        log=Log(printed, "en_US"),
        clock=clock,
        deadline=Deadline(clock, seconds=seconds),
        record=RunRecord(clock=clock, language="en_US", heading=Heading()),
        workspace=Path(),
    )


@dataclass
class Phases:
    """A run that has rendered, and what it has said so far."""

    run: RenderedRun
    clock: FakeClock
    printed: io.StringIO = field(default_factory=io.StringIO)

    @property
    def record(self) -> RunRecord:
        """Return what the run has come to know."""
        return self.run.services.record

    @property
    def log(self) -> str:
        """Return what it has printed."""
        return self.printed.getvalue()

    @property
    def warnings(self) -> list[str]:
        """Return the keys of what it has warned of."""
        return [warning.key for warning in self.record.warnings]


def run_of(
    *files: tuple[str, str],
    seconds: float | None = None,
    clock: FakeClock | None = None,
    build: BuildInfo = BuildInfo("record", build_number=7, branch="main"),  # noqa: B008 - frozen
    wanted: Desired | None = None,
    inputs: Mapping[str, str] = MappingProxyType({}),
    credentials: Mapping[str, Union[Credential, StepError]] = MappingProxyType({}),
) -> Phases:
    """Return a run that has rendered these files, within so many seconds."""
    clock, printed = clock or FakeClock(), io.StringIO()
    agent = StandInAgent(credentials=credentials)
    services = services_of(agent, printed, clock=clock, seconds=seconds)
    region = Region("gz", Endpoint(gateway=URL))
    context = RunContext(services, settings_of(inputs), region, build, Machine({}, ()))
    request = RenderRequest(
        workspace=Path(),
        templates=(),
        values_text="",
        values_files=(),
        context=make_context({"branch.name": build.branch, "build.number": str(build.build_number)}),
        clock=clock,
    )
    rendered = wanted if wanted is not None else desired(*files)
    return Phases(RenderedRun(context, prepare(request), rendered), clock, printed)


def sharing(wanted: Desired, *names: str) -> Desired:
    """Return what is wanted with these files shared by branches."""
    return replace(wanted, shared=frozenset(names))


def rows(*versions: tuple[str, str]) -> list[JsonValue]:
    """Return the list of a folder's files, each at the version of that id."""
    return [
        {
            "id": f"{number:024x}",
            "name": name,
            "realName": name,
            "templateSpace": "front-ends",
            "version": "x",
            "versionID": version_id,
            "versionMode": 0,
        }
        for number, (name, version_id) in enumerate(versions)
    ]
