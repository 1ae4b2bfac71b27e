"""Runs to fuzz: on the agent's files as a process has it, and against a site without a socket."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from bcs_template_set.agent.build_api import Sender as BuildApiSender
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.open_agent import Agent, open_agent
from bcs_template_set.agent.output_file import pessimistic
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.config.principal import Principal
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.run.context import RenderedRun, RunContext, Services
from bcs_template_set.run.entry import Process, run_whole
from bcs_template_set.run.finish import RunFolder, end_run
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.render_phase import prepare_rendering, render_desired
from bcs_template_set.run.settings_phase import identify, read_everything
from bcs_template_set.run.step import _with_who, carry_out
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent
from bcs_template_set.system.signals import Interruption
from bcs_template_set.system.version import step_version
from tests.emulator import Emulator
from tests.emulator.build_worker import Task, exported
from tests.emulator.http_message import Request
from tests.fuzz.bounded import HurriedClock
from tests.support.deploying import CLUSTER, NAMESPACE
from tests.support.stand_ins import SDK_JSON

SITE = "http://127.0.0.1:1"
SPACE = "front-ends"
SECRET = "web_app-secret"
UNNAMED = "800901"

Reply = Union[HttpAnswer, NotSent, NoAnswer]
Bend = Callable[[int, HttpAnswer], Reply]
"""What becomes of the n-th answer, from 0."""


def as_it_is(_: int, answer: HttpAnswer) -> Reply:
    return answer


def check_named(error: StepError) -> None:
    """Assert that an error is none of ours alone, and that it can be told in both languages."""
    assert not 800900 < error.code < 801000, str(error)
    for language in LANGUAGES:
        for line in error.explain(language):
            assert isinstance(line, str)


# --- as a process has it --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a run ended for BK-CI: its exit status, `output.json`, and what it said."""

    status: int
    output: Mapping[str, Any]
    log: str

    def check(self) -> None:
        """Assert that the run told, in the agent's form, how it ended, and that it knows why."""
        assert self.output["status"] in ("success", "failure", "error"), self.output
        assert (self.output["status"] == "success") == (self.status == 0), self.log
        assert self.output["type"] == "default"
        assert isinstance(self.output["data"], dict)
        if self.status:
            code = self.output["errorCode"]
            assert 800100 < code < 800900, self.log
            assert self.output["errorType"] in (1, 2)
            assert self.output["message"]
        assert UNNAMED not in self.log
        assert "Traceback" not in self.log


def run_agent(
    directory: Path,
    *,
    post_action: str = "",
    sender: Optional[BuildApiSender] = None,
    rate: float = 1.0,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Ended:
    """Run the step on a directory's files, through all of `agent_run` but the process's signals.

    `variables` are those of the build, as the environment has them.
    """
    environ = {**exported(variables), "bk_data_dir": str(directory), "bk_data_output": "output.json"}
    (directory / "output.json").unlink(missing_ok=True)
    clock, masker, shown = HurriedClock(rate=rate), Masker(), io.StringIO()
    log = Log(shown, "en_US", masker=masker)
    agent = open_agent(
        environ, clock=clock, masker=masker, sender=(lambda _: sender) if sender else None, warn=log.warning
    )
    interruption = Interruption(clock, alarm=lambda _: str)  # nothing here hears a signal
    process = Process(environ, clock, interruption, clock.monotonic(), post_action)
    with working_in(directory):
        status = run_whole(agent, log, process=process)
    output = json.loads((directory / "output.json").read_text(encoding="utf-8"))
    return Ended(status, output, shown.getvalue())


@contextmanager
def working_in(directory: Path) -> Iterator[None]:
    """Work in a directory, so that a run without a workspace leaves nothing elsewhere."""
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


# --- against a site without a socket --------------------------------------------------------------------


class Memory:
    """Sends requests to an emulator that listens nowhere; `bend` has its way with every answer."""

    def __init__(self, emulator: Emulator, bend: Bend = as_it_is) -> None:
        self._emulator = emulator
        self._bend = bend
        self.count = 0

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:  # noqa: ARG002 - no I/O, no time
        where = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, where.path, where.query, headers, request.body or b"")
        answer, _ = self._emulator._respond(asked)
        number, self.count = self.count, self.count + 1
        headers = {name.lower(): value for name, value in answer.headers.items()}
        reply = self._bend(number, HttpAnswer(answer.status, headers, answer.body))
        if isinstance(reply, HttpAnswer):
            return reply
        raise reply


@dataclass
class MemorySite:
    """A site whose project `web` lisi may deploy in, and a pipeline of hers whose files are in `root`."""

    root: Path
    build: int = 7
    branch: str = "main"
    language: str = "en_US"
    rate: float = 1.0
    clock: HurriedClock = field(init=False)
    emulator: Emulator = field(init=False)

    def __post_init__(self) -> None:
        self.clock = HurriedClock(rate=self.rate)
        self.emulator = Emulator(now=self.clock.now)
        state = self.emulator.state
        state.add_project("web", viewers={"lisi"})
        state.add_agent(project_id="web", agent_id="a-1", secret_key=str(SDK_JSON["secretKey"]))
        state.add_app("web_app", SECRET, vouches_for={"lisi"})
        state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        self.workspace.mkdir(parents=True, exist_ok=True)

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def write(self, name: str, text: str) -> None:
        """Put a file into the workspace."""
        (self.workspace / name).write_bytes(text.encode("utf-8", "surrogatepass"))

    def task(self, given: Mapping[str, str]) -> Task:
        """Return the task that runs next; what is given under a variable's name is that variable."""
        rules = self.emulator.rules
        region = {
            "gateway": f"{SITE}/api/{rules.name}/{rules.stage}",
            "app_code": "web_app",
            "app_secret": SECRET,
            "concurrency": 1,
        }
        facts = {"BK_CI_LOCALE_LANGUAGE": self.language, "bkWorkspace": str(self.workspace)}
        variables = {
            "BK_CI_START_USER_NAME": "wangwu",
            "BK_CI_PIPELINE_UPDATE_USER": "lisi",
            "BK_CI_PROJECT_NAME": "web",
            "BK_CI_PIPELINE_ID": "p-1",
            "BK_CI_BUILD_ID": f"b-{self.build}",
            "BK_CI_BUILD_NUM": str(self.build),
            "BK_CI_BUILD_START_TIME": str((1_767_225_600 + 600 * self.build) * 1000),
            "BK_CI_BUILD_URL": f"https://ci.example.com/b-{self.build}",
            "BK_CI_GIT_REF": f"refs/heads/{self.branch}",
            "BK_CI_GIT_SHA": "0123456789abcdef",
        }
        stored = {name: given.get(name, value) for name, value in variables.items()}
        inputs = {name: value for name, value in given.items() if name not in stored}
        self.emulator.state.start_build(
            f"b-{self.build}", project_id="web", pipeline_id="p-1", variables=stored, user_id="wangwu"
        )
        return Task(
            identity={**SDK_JSON, "projectId": "web", "buildId": f"b-{self.build}"},
            variables=stored,
            facts=facts,
            inputs={"region": "gz", "template_space": SPACE, "image_check": "off", **inputs},
            private_settings={"regions": json.dumps({"gz": region})},
        )

    def run(self, inputs: Mapping[str, str], *, bend: Bend = as_it_is) -> Lived:
        """Live a run: the phases of `step`, over a sender that needs no socket, and its ending."""
        environ = self.task(inputs).hand_over(self.root)
        masker, shown = Masker(), io.StringIO()
        log = Log(shown, "en_US", masker=masker)
        memory = Memory(self.emulator)
        agent = open_agent(environ, clock=self.clock, masker=masker, sender=lambda _: memory)
        agent.write_output(pessimistic("en_US"))
        seen = len(self.emulator.exchanges)
        try:
            services = _services(agent, log, clock=self.clock, workspace=self.workspace)
        except StepError as exc:
            check_named(exc)
            return Lived(None, shown.getvalue(), exc.code, 0)
        outcome = _live(services, Memory(self.emulator, bend))
        if outcome.error is not None:
            check_named(outcome.error)
        place = RunFolder(self.workspace, ".bcs-template-set/run")
        end_run(
            outcome, rendered=services.record.rendered, place=place, write_output=agent.write_output, log=log
        )
        writes = sum(exchange.is_write for exchange in self.emulator.exchanges[seen:])
        lived = Lived(outcome, shown.getvalue(), outcome.error.code if outcome.error else 0, writes)
        output = json.loads((self.root / "output.json").read_text(encoding="utf-8"))
        lived.check(output, action=str(inputs.get("action", "")))
        return lived


@dataclass(frozen=True)
class Lived:
    """How a run ended; `outcome` is None where it never began. `writes` counts the requests that change."""

    outcome: Optional[Outcome]
    log: str
    code: int
    writes: int

    def check(self, output: Mapping[str, Any], *, action: str) -> None:
        """Assert that what was written for BK-CI is what happened, and that no part of it was given up."""
        assert (output["status"] == "success") == (self.code == 0), output
        assert output.get("errorCode", 0) == self.code
        unnamed = str(say(f"errors.{UNNAMED}.title", kind="", place="")).partition("(")[0]
        assert unnamed not in self.log, self.log
        assert SECRET not in self.log + json.dumps(output)
        if action == "plan":
            assert self.writes == 0, self.log


def _services(agent: Agent, log: Log, *, clock: HurriedClock, workspace: Path) -> Services:
    record = RunRecord(clock=clock, language="en_US", heading=Heading(step_version=step_version()))
    return Services(agent, log, clock, Deadline(clock, seconds=900), record, workspace)


def _live(services: Services, sender: Memory) -> Outcome:
    """Live the run as `step.run_step` does; an exception that nobody foresaw is the test's."""
    result: Result = "failed"
    try:
        with services.record.phase("settings"):
            context = read_everything(services)
        result = _phases(context, identify(context), sender=sender)
    except StepError as exc:
        services.record.error = _with_who(exc, services.record)
    return services.record.tell(result)


def _phases(context: RunContext, principal: Principal, *, sender: Memory) -> Result:
    services = context.services
    with services.record.phase("render"):
        prepared = prepare_rendering(context)
        desired = render_desired(context, principal, prepared=prepared)
    gateway = Gateway(
        context.region.endpoint,
        principal,
        transport=sender,
        clock=services.clock,
        deadline=services.deadline,
        chance=lambda: 0.5,
    )
    return carry_out(RenderedRun(context, prepared, desired), gateway, principal)
