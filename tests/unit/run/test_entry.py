"""How long a run may work, where it leaves its files, and what comes of it where it can't even begin."""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Optional, cast

import pytest
from tests.support.phases import StandInAgent
from tests.support.pieces import URL, FakeClock

from bcs_template_set.agent.build_info import TaskInfo
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.open_agent import Agent
from bcs_template_set.agent.output_file import OutputDocument
from bcs_template_set.config.regions import Endpoint, Region
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputUnreadable, Interrupted, WorkspaceUnwritable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.context import Services
from bcs_template_set.run.entry import (
    Process,
    _folder_of,
    _run_folder_of,
    margin_of,
    run_for_agent,
    run_whole,
    time_for_work,
)
from bcs_template_set.run.journal import Journal, Seal
from bcs_template_set.system.own_files import OwnFile
from bcs_template_set.system.signals import STOP_SIGNALS, Interruption, Stopped


@pytest.mark.parametrize(
    ("timeout", "margin", "work"),
    [(60, 10, 50), (100, 10, 90), (300, 30, 270), (600, 60, 540), (36_000, 60, 35_940), (10, 10, 1)],
)
def test_a_tenth_of_the_time_is_kept_back_between_ten_seconds_and_a_minute(
    timeout: float, margin: float, work: float
) -> None:
    assert (margin_of(timeout), time_for_work(timeout)) == (margin, work)


def test_without_a_limit_there_is_none() -> None:
    assert time_for_work(None) is None


class Limits:
    """An interruption that only remembers until when it was to stop what."""

    def __init__(self) -> None:
        self.limits: list[tuple[Optional[float], int]] = []
        self.closed = 0
        self.at_close: Optional[BaseException] = None

    @contextmanager
    def limited(self, until: Optional[float], *, seconds: int) -> Iterator[None]:
        self.limits.append((until, seconds))
        yield

    def close(self) -> None:
        self.closed += 1
        if self.at_close is not None:
            raise self.at_close


def process_of(environ: Optional[dict[str, str]] = None, *, post_action: str = "") -> tuple[Process, Limits]:
    limits, clock = Limits(), FakeClock()
    given = {} if environ is None else environ
    made = Process(given, clock, cast("Interruption", limits), clock.monotonic(), post_action)
    return made, limits


def test_work_is_stopped_with_most_of_the_margin_left_and_files_with_less() -> None:
    process, limits = process_of()
    with process.limited(600, left=0.75), process.limited(600, left=0.25), process.limited(None, left=0.75):
        pass
    assert limits.limits == [(1000 + 600 - 45, 600), (1000 + 600 - 15, 600), (None, 0)]
    deadline = process.deadline(600)
    assert deadline.remaining() == 540
    process.clock.wait(40)
    assert deadline.remaining() == 500, "the step's time began with its process"


@pytest.mark.parametrize(
    ("build", "task", "folder"),
    [
        ("b-1", "e-2", "b-1-e-2"),
        ("b-1", "", "b-1"),
        ("", "e-2", "e-2"),
        ("", "", "run"),
        ("b/../1", "e_2", "b____1-e_2"),
    ],
)
def test_a_run_leaves_its_files_in_a_folder_of_its_own(build: str, task: str, folder: str) -> None:
    info = TaskInfo(build_id=build, task_id=task)
    assert _folder_of(info, task) == f".bcs-template-set/{folder}"


def test_a_task_without_an_id_takes_a_folder_that_nobody_has_used(tmp_path: Path) -> None:
    nameless = TaskInfo(build_id="b-1", workspace=str(tmp_path))
    found = [_run_folder_of(nameless) for _ in range(3)]
    names = [".bcs-template-set/b-1", ".bcs-template-set/b-1-2", ".bcs-template-set/b-1-3"]
    assert found == [(tmp_path, name) for name in names]
    named = TaskInfo(build_id="b-1", task_id="e-2", workspace=str(tmp_path))
    assert _run_folder_of(named) == _run_folder_of(named) == (tmp_path, ".bcs-template-set/b-1-e-2")
    (tmp_path / "other").write_text("in the way")
    unwritable = TaskInfo(build_id="b-1", workspace=str(tmp_path / "other"))
    assert _run_folder_of(unwritable) == (tmp_path / "other", ".bcs-template-set/b-1")
    assert _run_folder_of(TaskInfo(build_id="b-1", task_id="e-2"))[0] == Path.cwd()


# --- where it can't even begin --------------------------------------------------------------------------


class Writing(StandInAgent):
    """An agent that keeps what is written to output.json, or refuses it from the n-th time on."""

    written: list[OutputDocument]
    problem: Optional[Exception]
    unwritable: Optional[Exception]
    refuses_from: int = 0

    def write_output(self, output: OutputDocument) -> None:
        """Write output.json."""
        if self.unwritable is not None and len(self.written) >= self.refuses_from:
            raise self.unwritable
        self.written.append(output)

    def inputs(self) -> Mapping[str, str]:
        """Return the inputs, or raise why they can't be read."""
        if self.problem is not None:
            raise self.problem
        return self.given


def begun(
    *,
    problem: Optional[Exception] = None,
    unwritable: Optional[Exception] = None,
    environ: Optional[dict[str, str]] = None,
    names: tuple[str, ...] = (),
    post_action: str = "",
    refuses_from: int = 0,
) -> tuple[int, list[OutputDocument], str, Limits]:
    """Begin a run; return its status, what it wrote, its log, and how long it was given."""
    agent, printed = Writing(names=names), io.StringIO()
    agent.refuses_from = refuses_from
    agent.written, agent.problem, agent.unwritable = [], problem, unwritable
    process, limits = process_of(environ, post_action=post_action)
    status = run_whole(cast("Agent", agent), Log(printed, "en_US"), process=process)
    return status, agent.written, printed.getvalue(), limits


UNREADABLE = InputUnreadable(file="input.json", problem="no JSON")


def test_inputs_that_can_not_be_read_are_the_result_after_a_pessimistic_one() -> None:
    status, written, log, limits = begun(problem=UNREADABLE)
    assert status == 1
    assert [(output["status"], output["errorCode"]) for output in written][-1] == ("failure", UNREADABLE.code)
    assert len(written) == 2
    assert log.startswith("##[error]")
    assert limits.limits == [(1000 + 60 - 7.5, 60)]
    assert limits.closed == 1


def test_a_defect_is_the_result_too_with_its_traceback() -> None:
    status, written, log, _ = begun(problem=ZeroDivisionError("canary"))
    assert (status, written[-1]["errorCode"] // 100) == (1, 8009)
    assert "ZeroDivisionError" in log
    assert "| Traceback" in log or log.count("ZeroDivisionError") > 1


def test_where_nothing_can_be_written_the_log_says_both() -> None:
    full = WorkspaceUnwritable(file="output.json", problem="disk full")
    status, written, log, _ = begun(problem=UNREADABLE, unwritable=full)
    assert (status, written) == (1, [])
    assert str(full.title()) in log
    _, _, log, _ = begun(problem=UNREADABLE, unwritable=full, refuses_from=1)
    assert (str(UNREADABLE.title()) in log, log.splitlines()[-1]) == (True, f"##[error]{full.title()}")
    assert str(full.title()) not in begun(problem=UNREADABLE)[2]


def test_what_the_pipeline_has_set_of_the_machine_is_forgotten_with_a_warning() -> None:
    environ = {"SSL_CERT_FILE": "/evil.pem", "PATH": "/bin"}
    _, _, log, _ = begun(problem=UNREADABLE, environ=environ, names=("SSL_CERT_FILE", "PATH"))
    assert environ == {"PATH": "/bin"}
    assert f"##[warning]{say('agent.not_obeyed', name='SSL_CERT_FILE')}" in log.splitlines()


def test_a_post_action_that_nobody_asked_for_ends_well() -> None:
    status, written, log, limits = begun(post_action="restore")
    assert (status, written[-1]["status"], limits.closed) == (0, "success", 1)
    assert log == f"##[info]{say('post.not_asked')}\n"
    assert written[-1]["message"] == str(say("post.not_asked"))


# --- a run that begins, and fails in its settings --------------------------------------------------------


def failing_run(
    tmp_path: Path,
    *,
    equip: Callable[[Services], Services] = lambda services: services,
    at_close: Optional[BaseException] = None,
    **inputs: str,
) -> tuple[int, list[OutputDocument], str, Limits]:
    """Live a run whose private settings are none; `at_close` is what strikes right after its work."""
    agent, printed = Writing(given={"template_space": "front-ends", **inputs}), io.StringIO()
    agent.written, agent.problem, agent.unwritable = [], None, None
    agent.of_task = TaskInfo(
        project="web", build_id="b-1", task_id="e-1", workspace=str(tmp_path), timeout=600, attempt=2
    )
    process, limits = process_of({"bk_data_dir": "x"})
    process, limits.at_close = replace(process, equip=equip), at_close
    status = run_whole(cast("Agent", agent), Log(printed, "en_US"), process=process)
    return status, agent.written, printed.getvalue(), limits


def test_a_run_that_fails_leaves_its_page_and_its_output(tmp_path: Path) -> None:
    status, written, log, limits = failing_run(tmp_path)
    assert (status, len(written)) == (1, 2)
    assert written[-1]["status"] == "failure"
    folder = tmp_path / ".bcs-template-set" / "b-1-e-1"
    assert [path.name for path in folder.iterdir()] == ["report"]
    assert "##[error]" in log
    assert (limits.limits[1:3], limits.closed) == ([(1000 + 600 - 45, 600), (1000 + 600 - 15, 600)], 1)


def test_a_signal_right_after_the_work_is_what_ended_the_run(tmp_path: Path) -> None:
    stopped = Interrupted(signal="SIGTERM")
    status, written, _, _ = failing_run(tmp_path, at_close=Stopped(stopped))
    assert (status, written[-1]["errorCode"]) == (1, stopped.code)
    assert written[-1]["data"]["result"] == {"type": "string", "value": "failed"}


def test_how_far_a_run_came_is_shown_at_its_end(tmp_path: Path) -> None:
    def equip(services: Services) -> Services:
        services.on_region(Region("gz", Endpoint(gateway=URL)))
        services.record.on_move = lambda _: None  # and not before
        return services

    told = [line for line in failing_run(tmp_path, equip=equip)[2].splitlines() if "progress" in line]
    assert told == ["::set-progress-rate 0.0"]


SEAL = Seal(("web", "b-1"), "lisi", Secret("an-app-secret"))


def test_what_a_run_has_deployed_is_left_for_its_next_try_or_where_a_restore_was_asked_for(
    tmp_path: Path,
) -> None:
    file = OwnFile(tmp_path, "restore.json")
    deployed = Rollout("BCS-K8S-40000", "prod", deployed=(FileVersion("a.yaml", "1", "2"),))

    def left(rollout: Optional[Rollout], *, restore_if_job_fails: str = "false") -> bool:
        def equip(services: Services) -> Services:
            services.record.rollout, services.record.journal = rollout, Journal(file, SEAL, 1)
            return services

        failing_run(tmp_path, equip=equip, restore_if_job_fails=restore_if_job_fails)
        was_left = file.path.exists()
        file.path.unlink(missing_ok=True)
        return was_left

    assert left(deployed)
    assert left(None, restore_if_job_fails="true")
    assert not left(None)
    written = failing_run(tmp_path, restore_if_job_fails="true")[1]
    assert written[-1]["errorCode"] // 100 == 8001, "who acts was not known yet, and nothing was deployed"


def test_that_it_can_not_be_left_is_a_warning_only_where_somebody_asked_for_it(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("in the way")
    deployed = Rollout("BCS-K8S-40000", "prod", deployed=(FileVersion("a.yaml", "1", "2"),))

    def equip(services: Services) -> Services:
        journal = Journal(OwnFile(tmp_path, "other/restore.json"), SEAL, 1)
        services.record.rollout, services.record.journal = deployed, journal
        return services

    told = "restore.json"
    assert told not in failing_run(tmp_path, equip=equip)[2]
    assert told in failing_run(tmp_path, equip=equip, restore_if_job_fails="true")[2]


def test_a_post_action_that_knows_no_step_says_so(tmp_path: Path) -> None:
    logs = []
    for parent in ("", "e-1"):
        agent, printed = Writing(given={"restore_if_job_fails": "true"}), io.StringIO()
        agent.written, agent.problem, agent.unwritable = [], None, None
        agent.of_task = TaskInfo(build_id="b-1", parent_task=parent, workspace=str(tmp_path))
        process, _ = process_of(post_action="restore")
        assert run_whole(cast("Agent", agent), Log(printed, "en_US"), process=process) == 1
        logs.append(printed.getvalue())
    warning = f"##[warning]{say('post.no_parent')}"
    assert [warning in log.splitlines() for log in logs] == [True, False]


def test_what_a_process_is_shows_no_password_of_a_proxy() -> None:
    assert "canary" not in repr(process_of({"https_proxy": "http://me:canary@proxy"})[0])


# --- as the agent starts it -----------------------------------------------------------------------------


@contextmanager
def own_signals() -> Iterator[None]:
    """Give this process its handlers of signals back afterwards."""
    names = [name for name in (*STOP_SIGNALS, "SIGALRM") if hasattr(signal, name)]
    handlers = {getattr(signal, name): signal.getsignal(getattr(signal, name)) for name in names}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


# On a slow machine the moment may strike while a file is opened, which nobody closes then.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_steps_time_begins_with_its_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "input.json")  # nobody ever writes to it
    environ = {"bk_data_dir": str(tmp_path), "bk_data_input": "input.json", "bk_data_output": "output.json"}
    started = time.monotonic()
    with own_signals():
        assert run_for_agent(environ, post_action="", began=started - 52.4) == 1
    assert time.monotonic() - started < 20
    written = json.loads((tmp_path / "output.json").read_text(encoding="utf-8"))
    assert written["errorCode"] == OutOfTime(seconds=60).code


class Struck(dict[str, str]):
    """An environment in which a signal comes as soon as the agent is looked for."""

    def __getitem__(self, name: str) -> str:
        raise Stopped(Interrupted(signal="SIGTERM"))

    def get(self, name: str, default: Optional[str] = None) -> Optional[str]:  # type: ignore[override]  # all are texts
        if name.startswith("bk_data"):
            raise Stopped(Interrupted(signal="SIGTERM"))
        return default


def test_a_signal_that_comes_before_there_is_an_agent_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with own_signals():
        assert run_for_agent(Struck(), post_action="") == 1
    assert "SIGTERM" in capsys.readouterr().out
