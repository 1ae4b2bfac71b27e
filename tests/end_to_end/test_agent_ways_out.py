"""Every way out of a run writes output.json, ends with 0 or 1, and leaves no half of anything."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Optional

import pytest
from tests.emulator import Fault, Match
from tests.support.scene import FILES, VALUES, check_refused, run_changed, run_within, site
from tests.support.worker import MEASURED, STEP, Finished, Worker, finish, launch, run_step

CHINESE = "发布"

# --- what nobody foresaw --------------------------------------------------------------------------------

SDK = """
    import json, os, sys
    from pathlib import Path

    print("::set-variable name=a::the SDK prints at import")

    def _path(variable):
        return Path(os.environ["bk_data_dir"], os.environ[variable])

    def get_input():
        return json.loads(_path("bk_data_input").read_text())

    def get_sensitive_conf(key):
        return get_input()["bkSensitiveConfInfo"].get(key)

    def get_credential(name):
        return True, {"access_token": "token-canary"}

    def set_output(output):
        _path("bk_data_output").write_text(json.dumps(output))
"""


@contextlib.contextmanager
def with_sdk(root: Path, source: str, *, module: str = "python_atom_sdk") -> Iterator[Worker]:
    """Yield a build machine on which that SDK is installed and asked for."""
    place = root / "installed"
    place.mkdir()
    (place / f"{module}.py").write_text(textwrap.dedent(source))
    with site(root) as worker:
        worker.environ = {"PYTHONPATH": str(place), "BCS_TEMPLATE_SET_SDK": module}
        yield worker


def test_a_whole_run_goes_through_an_installed_platform_sdk(tmp_path: Path) -> None:
    with with_sdk(tmp_path, SDK) as worker:
        worker.cold = True
        worker.emulator.state.add_user_token("token-canary", user="lisi")
        finished = worker.run(credential="my_cred")
        assert finished.status == 0, finished.log + finished.stderr
        assert finished.value("result") == "published"
        assert "::set-variable" not in finished.log
        assert finished.stderr == ""
        assert {version.creator for version in worker.emulator.state.versions} == {"lisi"}
        assert worker.emulator.find(path="/ticket/") == []


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("raise RuntimeError('sdk-canary')", "RuntimeError"),
        ("import sys; print('sdk-canary'); sys.exit(-1)", "end"),
        ("def get_input(): raise KeyError('sdk-canary')", "KeyError"),
        ("def get_input(): return ['sdk-canary']", "get_input"),
        ("def get_input(): raise RecursionError('sdk-canary')", "RecursionError"),
        ("x = 1", "get_input"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_broken_platform_sdk_is_named_and_its_habits_are_contained(
    tmp_path: Path, source: str, word: str
) -> None:
    with with_sdk(tmp_path, source) as worker:
        finished = worker.run()
        check_refused(finished, 800108, "python_atom_sdk", word, "What to do: ")
        assert "sdk-canary" not in finished.log + json.dumps(finished.told)
        assert worker.emulator.exchanges == []


@pytest.mark.parametrize("module", ["no_such_sdk", "not a module", "os.path.", "../evil", "class"])
def test_a_bad_name_of_a_platform_sdk_is_refused(tmp_path: Path, module: str) -> None:
    with site(tmp_path) as worker:
        worker.environ = {"BCS_TEMPLATE_SET_SDK": module}
        check_refused(worker.run(), 800108, module)


def test_an_sdk_that_can_not_write_the_result_does_not_lose_it(tmp_path: Path) -> None:
    source = textwrap.dedent(SDK) + "\ndef set_output(output):\n    exit(-1)\n"
    with with_sdk(tmp_path, source) as worker:
        finished = worker.run()
        assert finished.status == 0, finished.log
        assert finished.value("result") == "published"
        assert "##[warning]" in finished.log


WEIRD = """
    class Weird(str):
        def strip(self, *_):
            raise ZeroDivisionError("nobody foresaw this")

    def get_input():
        return {"region": "gz", "bkWorkspace": Weird("x"), "bkSensitiveConfInfo": {}}

    def set_output(output):
        pass
"""


def test_an_exception_nobody_foresaw_is_a_defect_with_its_place(tmp_path: Path) -> None:
    """Before the run's own boundary: in what is read of the build."""
    with with_sdk(tmp_path, WEIRD) as worker:
        finished = worker.run()
        check_refused(finished, 800901, "ZeroDivisionError", "build_info.py", status="error")
        assert finished.told["errorType"] == 3
        assert "| Traceback" in finished.log


def test_an_exception_nobody_foresaw_inside_the_run_is_a_defect_too(tmp_path: Path) -> None:
    source = textwrap.dedent(SDK) + textwrap.dedent("""
        class Odd(str):
            def splitlines(self, *_):
                raise ZeroDivisionError("nobody foresaw this")
            def strip(self, *_):
                return self

        read = get_input

        def get_input():
            return {**read(), "templates": Odd("builtin:web")}
    """)
    with with_sdk(tmp_path, source) as worker:
        finished = worker.run()
        check_refused(finished, 800901, "ZeroDivisionError", "config/inputs.py", status="error")
        assert "800901" in finished.report(worker.workspace)


# --- places that can't be written -----------------------------------------------------------------------


def run_limited(worker: Worker, *, largest_file: int, **inputs: str) -> Finished:
    """Run with files limited to so many bytes, which is what a full disk looks like to a program."""
    directory, environ = worker.prepare(**inputs)
    # What was measured could not be written either, and that is said on stderr. A fork of ours is measured.
    cold = environ.pop(MEASURED, None) is not None
    return finish(launch(directory, environ, largest_file=largest_file, cold=cold), directory)


def test_a_full_disk_from_the_start_is_said_in_the_log(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        finished = run_limited(worker, largest_file=0)
        assert finished.status == 1
        assert finished.output is None
        assert "800106" in finished.log or "can't be written" in finished.log
        assert "output.json" in finished.log
        assert finished.stderr == ""
        assert worker.emulator.exchanges == [], "what could not be told is not done"
        assert sorted(path.name for path in finished.directory.iterdir()) == [".sdk.json", "input.json"]


def test_a_disk_that_is_full_for_the_report_costs_the_report_and_not_the_verdict(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        finished = run_limited(worker, largest_file=8000)
        assert finished.status == 0, finished.log
        assert finished.value("result") == "published"
        assert "report" not in finished.told["data"]
        assert "rendered" in finished.told["data"]
        assert "index.html can't be written" in finished.log


def test_a_disk_that_fills_up_during_the_run_leaves_the_pessimistic_result_and_the_verdict_in_the_log(
    tmp_path: Path,
) -> None:
    with site(tmp_path) as worker:
        size = len(json.dumps(worker.run(action="plan").told))
        finished = run_limited(worker, largest_file=size // 2)
        assert finished.status == 1
        assert finished.told["errorCode"] in (800106, 800901), "whichever of the two still fits"
        assert "Published " in finished.log
        assert "output.json can't be written" in finished.log


def test_a_workspace_that_can_not_be_written_costs_report_and_artifacts_only(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        (worker.workspace / ".bcs-template-set").write_text("a file where the folder belongs")
        finished = worker.run()
        assert finished.status == 0, finished.log
        assert set(finished.told["data"]).isdisjoint({"report", "rendered"})
        assert finished.log.count("can't be written") >= 2
        assert len(worker.emulator.state.versions) == len(FILES)


def test_a_folder_committed_as_a_link_is_not_followed_and_costs_no_verdict(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        (tmp_path / "elsewhere").mkdir()
        (worker.workspace / ".bcs-template-set").symlink_to(tmp_path / "elsewhere")
        finished = worker.run(restore_if_job_fails="true")
        assert finished.status == 0, finished.log
        assert finished.value("result") == "published"
        assert set(finished.told["data"]).isdisjoint({"report", "rendered"})
        assert f"{worker.workspace}/.bcs-template-set is a link" in finished.log
        assert list((tmp_path / "elsewhere").iterdir()) == []


def test_steps_of_a_build_without_a_task_id_leave_each_other_their_reports(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.task_id = ""
        ran = [worker.run() for _ in range(3)]
        folders = [finished.told["data"]["report"]["path"] for finished in ran]
        build = f".bcs-template-set/b-{7:032x}"
        assert folders == [f"{build}/report", f"{build}-2/report", f"{build}-3/report"]
        assert "Published " in ran[0].report(worker.workspace)
        assert "Published " not in ran[1].report(worker.workspace)


def test_an_output_too_long_for_the_platform_is_counted_where_its_file_can_not_be_written(
    tmp_path: Path,
) -> None:
    domains = "".join(f"  - {{host: h{n}.example.com, image: 'example.com/h:1'}}\n" for n in range(40))
    with site(tmp_path) as worker:
        worker.inputs["values"] = "app: nginx\ndomains:\n" + domains
        told = json.loads(worker.run(action="plan").value("versions"))
        spilt = json.loads((worker.workspace / told["file"]).read_text())
        assert len(spilt) == told["count"] == 120
        shutil.rmtree(worker.workspace / ".bcs-template-set")
        (worker.workspace / ".bcs-template-set").write_text("a file where the folder belongs")
        finished = worker.run(action="plan")
        assert finished.status == 0, finished.log
        assert json.loads(finished.value("versions")) == {"file": "", "count": 120}


def test_an_output_that_is_a_directory_stops_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        directory, environ = worker.prepare()
        (directory / "output.json").mkdir()
        log, stderr = launch(directory, environ).communicate(timeout=30)
        assert "output.json can't be written" in log
        assert stderr == ""
        assert worker.emulator.exchanges == []


# --- stdout ---------------------------------------------------------------------------------------------


def run_with(
    worker: Worker, *, stdout: int, environ: Optional[Mapping[str, str]] = None, **inputs: str
) -> tuple[Finished, str]:
    directory, known = worker.prepare(**inputs)
    process = subprocess.run(
        [str(STEP)],
        cwd=directory,
        env={**known, **(environ or {})},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    path = directory / "output.json"
    output = json.loads(path.read_text()) if path.exists() else None
    stderr = process.stderr.decode()
    return Finished(process.returncode, "", stderr, output, directory), stderr


def broken_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("stdout", [broken_pipe, lambda: os.open("/dev/full", os.O_WRONLY)])
def test_a_stdout_that_nobody_reads_does_not_stop_the_run(tmp_path: Path, stdout: Callable[[], int]) -> None:
    with site(tmp_path) as worker:
        descriptor = stdout()
        finished, stderr = run_with(worker, stdout=descriptor)
        os.close(descriptor)
        assert (finished.status, stderr) == (0, "")
        assert finished.value("result") == "published"


def test_a_missing_stdout_does_not_stop_the_run(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        directory, environ = worker.prepare()
        command = ["sh", "-c", f'exec "{STEP}" >&- 2>&-']
        status = subprocess.run(command, cwd=directory, env=environ, check=False, timeout=60).returncode
        assert status == 0
        assert json.loads((directory / "output.json").read_text())["status"] == "success"


def test_a_reader_that_takes_one_line_gets_it_and_the_run_goes_on(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        directory, environ = worker.prepare()
        command = ["bash", "-c", f'set -o pipefail; "{STEP}" | head -n 1']
        done = subprocess.run(command, cwd=directory, env=environ, check=False, capture_output=True)
        assert done.returncode == 0
        assert done.stdout.startswith(b"##[info]bcs-template-set")
        assert done.stderr == b""


def test_a_stdout_that_knows_only_ascii_gets_chinese_as_escapes(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.variables = {"BK_CI_LOCALE_LANGUAGE": "zh_CN"}
        worker.environ = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
        finished = worker.run()
        assert finished.status == 0, finished.stderr
        assert "\\u53d1\\u5e03" in finished.log
        assert CHINESE not in finished.log
        assert CHINESE in finished.told["message"]


# --- time -----------------------------------------------------------------------------------------------


def test_a_server_that_is_too_slow_ends_in_a_verdict_before_the_time_is_over(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.faults.add(Fault("slow", Match(path="template/spaces"), times=1, delay=20))
        lived = run_within(worker, seconds=1, inputs={})
        assert lived.code == 800612, lived.log
        for word in ("Nothing was written", "no whole answer in time", "template/spaces", "Request id: "):
            assert word in lived.log


def test_a_write_that_the_end_of_time_cuts_off_is_not_said_to_have_failed(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_space("front-ends")
        worker.emulator.faults.add(Fault("slow", Match("POST"), times=2, delay=20, when="after"))
        lived = run_within(worker, seconds=2, inputs={})
        assert lived.code == 800610, lived.log
        assert len(worker.emulator.state.versions) == len(FILES)
        assert "Nothing was written" not in lived.log
        assert lived.outcome.changed


def test_the_platforms_minutes_less_a_margin_are_what_the_work_may_take(tmp_path: Path) -> None:
    from bcs_template_set.run.entry import time_for_work

    assert [time_for_work(seconds) for seconds in (None, 60, 600, 36000)] == [None, 50, 540, 35940]
    with site(tmp_path) as worker:
        worker.variables = {"BK_CI_ATOM_TIMEOUT": "1"}
        assert worker.run().status == 0


# --- exit status ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["rendr"], ["plan"], ["render", "--vlaues", "x"], ["check", "--values"], ["--verbose"]]
)
def test_mistaken_arguments_end_with_1_since_bk_ci_knows_no_other(arguments: list[str]) -> None:
    done = subprocess.run([str(STEP), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "usage: bcs-template-set" in done.stderr
    assert done.stdout == ""


def test_help_is_printed_on_any_stdout(tmp_path: Path) -> None:
    for environ in ({}, {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}):
        known = {"PATH": os.environ["PATH"], **environ}
        done = subprocess.run([str(STEP), "--help"], check=False, capture_output=True, env=known)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"render" in done.stdout
    descriptor = broken_pipe()
    broken = subprocess.run([str(STEP), "--help"], check=False, stdout=descriptor, stderr=subprocess.PIPE)
    os.close(descriptor)
    assert (broken.returncode, broken.stderr) == (0, b"")
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_agent_left_no_input_says_so_and_ends_with_1(tmp_path: Path) -> None:
    known = {"PATH": os.environ["PATH"], "bk_data_dir": str(tmp_path)}
    done = subprocess.run(
        [str(STEP)], check=False, capture_output=True, cwd=tmp_path, env=known, text=True, encoding="utf-8"
    )
    assert done.returncode == 1
    assert "input.json" in done.stdout
    assert json.loads((tmp_path / "output.json").read_text())["errorCode"] == 800101


def test_where_no_worker_starts_it_the_bare_command_is_the_help_and_writes_nothing(
    tmp_path: Path,
) -> None:
    done = run_step([], at=tmp_path, environ={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr) == (0, "")
    assert "render" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_retried_step_says_published_and_writes_nothing_new(tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        assert worker.run(values=VALUES).value("result") == "published"
        worker.execute_count = 2
        again = run_changed(worker, lambda _: None)
        assert again.value("result") == "unchanged"
        assert len(worker.emulator.state.versions) == len(FILES)
