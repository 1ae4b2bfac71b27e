"""Starts the installed step as BK-CI's worker does (facts/agent.md, "Start"), for tests and the demo.

A fresh directory for every run, with `input.json` and `.sdk.json` in it, the `bk_data_*` variables, and the
console script of the environment that runs this.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Optional

from tests.emulator import Emulator
from tests.emulator.build_worker import WORKER_FACTS, Task
from tests.support import warm_start
from tests.support.warm_start import (
    Started,
    as_text,
    can_be_warm,
    limit_files,
    remembered_children,
    run_program,
    start_warm,
)

ATOM_CODE = "bcsTemplateSet"
STEP, MEASURED = warm_start.STEP, warm_start.MEASURED
PROGRESS = "::set-progress-rate "


def measured() -> dict[str, str]:
    """Return that name and its value, if it has one."""
    return {MEASURED: os.environ[MEASURED]} if MEASURED in os.environ else {}


@dataclass(frozen=True)
class Finished:
    """How a run ended: exit status, the log, stderr, output.json (None where there is none).

    `progress` are the lines of stdout that are commands to the worker and say how far the run is.
    """

    status: int
    log: str
    stderr: str
    output: Optional[dict[str, Any]]
    directory: Path
    progress: tuple[str, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """Return output.json, which must be there."""
        assert self.output is not None, self.log + self.stderr
        return self.output

    def value(self, name: str) -> str:
        """Return a string output, "" where it is not given."""
        entry = self.told["data"].get(name)
        return str(entry["value"]) if entry is not None else ""

    def report(self, workspace: Path) -> str:
        """Return the HTML report."""
        entry: dict[str, str] = self.told["data"]["report"]
        return (workspace / entry["path"] / entry["target"]).read_text(encoding="utf-8")


@dataclass
class Worker:
    """A build machine with one workspace. `inputs` and `env` are the step's, `variables` the pipeline's.

    `environ` is the machine's. `build_user` is whom BK-CI authenticated when the build was started: the
    starter, unless told otherwise; `row_modifier` who has changed the pipeline last by now, alike. `cold` has
    each run started as an agent starts it, imports and all; `here` has it live in this very process.
    """

    root: Path
    emulator: Emulator
    regions: Mapping[str, Mapping[str, object]]
    inputs: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    build_number: int = 7
    execute_count: int = 1
    secret_key: str = "agent-secret"
    task_id: str = "e-0123456789"
    environ: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    build_user: Optional[str] = None
    row_modifier: Optional[str] = None
    cold: bool = False
    here: bool = False

    def __post_init__(self) -> None:
        """Let BK-CI know the machine, unless it knows one."""
        if not self.emulator.state.agents:
            self.emulator.state.add_agent(project_id="web")

    @property
    def workspace(self) -> Path:
        """Return the pipeline's workspace."""
        path = self.root / "workspace"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def prepare(self, **inputs: str) -> tuple[Path, dict[str, str]]:
        """Write the agent's files into a fresh directory; return it and the environment of the step."""
        directory = Path(tempfile.mkdtemp(prefix="task-", dir=self.root))
        return directory, self.environment(directory, self.task(**inputs))

    def task(self, **inputs: str) -> Task:
        """Return the task that runs next, whose build BK-CI knows from now on."""
        given = {**self.pipeline_variables(), **self.variables}
        stored = {name: value for name, value in given.items() if name not in WORKER_FACTS}
        identity = self.identity()
        self.emulator.state.start_build(
            str(identity["buildId"]),
            project_id=str(identity["projectId"]),
            pipeline_id=stored["BK_CI_PIPELINE_ID"],
            variables=stored,
            user_id=stored["BK_CI_START_USER_NAME"] if self.build_user is None else self.build_user,
            modifier=self.row_modifier,
        )
        return Task(
            identity=identity,
            variables=stored,
            facts={name: given[name] for name in WORKER_FACTS if name in given},
            inputs={"image_check": "off", **self.inputs, **inputs},  # made-up names: nobody is to be asked
            env=self.env,
            private_settings={"regions": json.dumps(self.regions)},
        )

    def pipeline_variables(self) -> dict[str, str]:
        """Return what BK-CI says of the build: started by wangwu, in a pipeline that lisi changed last."""
        return {
            "BK_CI_START_USER_NAME": "wangwu",
            "BK_CI_PIPELINE_UPDATE_USER": "lisi",
            "BK_CI_PIPELINE_CREATE_USER": "zhangsan",
            "BK_CI_PROJECT_NAME": "web",
            "BK_CI_PIPELINE_ID": "p-0123456789abcdef",
            "BK_CI_PIPELINE_NAME": "release front ends",
            "BK_CI_BUILD_ID": self.build_id,
            "BK_CI_BUILD_NUM": str(self.build_number),
            "BK_CI_BUILD_START_TIME": "1767225600000",
            "BK_CI_BUILD_URL": f"https://devops.example.com/console/pipeline/web/p-0/detail/b-{self.build_number}",
            "BK_CI_GIT_REF": "refs/heads/main",
            "BK_CI_GIT_SHA": "0123456789abcdef0123456789abcdef01234567",
            "BK_CI_ATOM_CODE": ATOM_CODE,
            "BK_CI_ATOM_TIMEOUT": "15",
            "BK_CI_LOCALE_LANGUAGE": "en_US",
            "bkWorkspace": str(self.workspace),
        }

    @property
    def build_id(self) -> str:
        """Return the build's id; every build of every pipeline has one of its own."""
        pipeline = self.variables.get("BK_CI_PIPELINE_ID", "")
        return f"b-{zlib.crc32(pipeline.encode()):08x}{self.build_number:024x}"

    def identity(self) -> dict[str, object]:
        """Return `.sdk.json`."""
        return {
            "buildType": "AGENT",
            "projectId": "web",
            "agentId": "agent-1",
            "secretKey": self.secret_key,
            "gateway": self.emulator.host,
            "buildId": self.build_id,
            "vmSeqId": "1",
            "fileGateway": "",
            "taskId": self.task_id,
            "executeCount": self.execute_count,
        }

    def environment(self, directory: Path, task: Task) -> dict[str, str]:
        """Hand the task over; return the step's environment: the machine's own, and what the worker adds."""
        known = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", MEASURED)
        machine = {name: os.environ[name] for name in known if name in os.environ}
        return {**machine, **self.environ, **task.hand_over(directory)}

    def start(self, **inputs: str) -> tuple[Started, Path]:
        """Start the step and return its process and directory."""
        directory, environ = self.prepare(**inputs)
        return launch(directory, environ, cold=self.cold), directory

    def run(self, **inputs: str) -> Finished:
        """Run the step to its end."""
        if self.here:
            return live(*self.prepare(**inputs))
        process, directory = self.start(**inputs)
        return finish(process, directory)


def launch(
    directory: Path,
    environ: Mapping[str, str],
    *,
    arguments: Sequence[str] = (),
    command: Sequence[str] = (),
    largest_file: Optional[int] = None,
    cold: bool = False,
) -> Started:
    """Start the step in a prepared directory, or the `command`; it writes no file of more than so many bytes.

    Unless it is to be cold, the step starts with its modules imported already.
    """
    if not (cold or command) and can_be_warm(environ):
        return start_warm(arguments, at=directory, environ=environ, largest_file=largest_file)
    # The limit is the child's alone, and no test starts it in a thread.
    limit = None if largest_file is None else partial(limit_files, largest_file)
    process: subprocess.Popen[str] = subprocess.Popen(
        command or [str(STEP), *arguments],
        cwd=directory,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=limit,  # noqa: PLW1509 - as above
    )
    return process


def live(directory: Path, environ: Mapping[str, str], *, post_action: str = "") -> Finished:
    """Run the step to its end in this process, which takes half of what a process of its own does."""
    from bcs_template_set.run.entry import run_for_agent
    from bcs_template_set.system.signals import _ALARM, _known_signals

    numbers = [*_known_signals(), *([_ALARM] if _ALARM is not None else ())]
    handlers = [signal.getsignal(number) for number in numbers]
    stdout, stderr = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr), remembered_children():
            status = run_for_agent({**environ}, post_action=post_action)
    finally:
        for number, handler in zip(numbers, handlers):
            signal.signal(number, handler)
    return _finished(status, stdout.getvalue(), stderr.getvalue(), directory)


def run_step(
    arguments: Sequence[str], *, at: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the step, or one of its verbs, to its end; return what it printed as text."""
    done = run_program(arguments, at=at, environ=environ)
    printed = (as_text(done.stdout), as_text(done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, *printed)


def finish(process: Started, directory: Path, *, seconds: float = 60) -> Finished:
    """Wait for a started step and return how it ended."""
    log, stderr = process.communicate(timeout=seconds)
    assert process.returncode is not None
    return _finished(process.returncode, log, stderr, directory)


def _finished(status: int, log: str, stderr: str, directory: Path) -> Finished:
    path = directory / "output.json"
    output = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    lines = log.splitlines(keepends=True)
    told = tuple(line.rstrip("\n") for line in lines if line.startswith(PROGRESS))
    shown = "".join(line for line in lines if not line.startswith(PROGRESS))
    return Finished(status, shown, stderr, output, directory, told)
