"""The verbs with a settings file, where one ends before a server is asked: what it prints, and its end."""

from __future__ import annotations

import io
import json
import signal
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.agent.log import Log
from bcs_template_set.cli.main import main
from bcs_template_set.cli.verb_plan import action_of, at_a_desk, tell_end
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import say
from bcs_template_set.report.outcome import Heading
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.settings_phase import read_everything

INPUTS: Mapping[str, YamlValue] = {"region": "gz", "project_code": "web", "template_space": "front-ends"}
REGION: Mapping[str, YamlValue] = {
    "gateway": "http://127.0.0.1:9",
    "app_code": "a",
    "app_secret": "s3cret-of-app",
}
FILE = "desk.yaml"
NUMBERS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGALRM")]


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", "en_US")
    monkeypatch.delenv("NO_COLOR", raising=False)
    handlers = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)  # a verb ends with its process, and leaves them ignored


def settings(user: str = "lisi", **inputs: YamlValue) -> None:
    """Write a settings file."""
    said = {"regions": {"gz": {**REGION}}, "inputs": {**INPUTS, **inputs}, "user": user}
    Path(FILE).write_text(json.dumps(said), encoding="utf-8")


@pytest.mark.parametrize(
    "verb", [["plan"], ["rollback", "a.example.com"], ["rollback", "a.example.com", "--yes"]]
)
def test_a_run_that_ends_early_says_why_on_stderr_with_the_key_to_correct(
    capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    settings(user="", cluster_id="BCS-K8S-40000", namespace="prod")
    assert main([*verb, "--settings", FILE]) == 1
    out, err = capsys.readouterr()
    assert f"Failed (800201): {FILE}: user is missing." in err
    assert f"What to do: Correct user in {FILE}." in err
    assert ("Failed" in out, "What to do" in out, "--yes" in out + err) == (False, False, False)


@pytest.mark.parametrize(
    ("verb", "action", "is_told"),
    [
        (["plan"], "", False),
        (["plan"], "plan", False),
        (["plan"], "publish", True),
        (["rollback", "a"], "rollback", False),
        (["rollback", "a"], "plan", True),
    ],
)
def test_an_action_of_the_settings_file_that_is_not_the_verb_is_said_to_be_ignored(
    capsys: pytest.CaptureFixture[str], verb: list[str], action: str, *, is_told: bool
) -> None:
    settings(user="", action=action)
    main([*verb, "--settings", FILE])
    told = f"inputs.action is {action}; at a desk it is ignored: the verb says what is done.\n"
    assert (told in capsys.readouterr().out) is is_told


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({"verb": "plan"}, "##[info]"),
        ({"verb": "rollback", "yes": True}, "##[info]"),
        ({"verb": "rollback", "yes": False}, "##[info]Nothing was deployed. To go back, give --yes.\n"),
    ],
)
def test_a_rollback_that_was_only_planned_says_how_it_is_done(
    options: Mapping[str, object], first: str
) -> None:
    record = RunRecord(clock=FakeClock(), language="en_US", heading=Heading(action="plan"))
    record.warnings.append(say("local.no_file"))  # right above, in the plan
    out, err = io.StringIO(), io.StringIO()
    logs = {"log": Log(out, "en_US"), "errors": Log(err, "en_US")}
    assert tell_end(record.tell("planned"), Namespace(settings=FILE, **options), **logs) == 0
    lines = out.getvalue().splitlines(keepends=True)
    assert (lines[0].startswith(first), len(lines) > 1) == (True, "--yes" in first)
    assert ("no such file" in out.getvalue(), err.getvalue()) == (False, "")


@pytest.mark.parametrize(
    ("options", "action"),
    [
        ({"verb": "plan"}, "plan"),
        ({"verb": "rollback", "yes": False}, "plan"),
        ({"verb": "rollback", "yes": True}, "rollback"),
    ],
)
def test_only_a_rollback_that_is_meant_is_more_than_a_plan(
    options: Mapping[str, object], action: str
) -> None:
    assert action_of(Namespace(**options)) == action


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.filterwarnings("ignore:SOCKS support")  # of what opens connections ahead
def test_on_a_terminal_the_line_that_shows_progress_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    settings(values_files="gone.yaml")
    main(["plan", "--settings", FILE])
    for thread in [one for one in threading.enumerate() if one.name == "connect"]:
        thread.join()
    shown = terminal.getvalue()
    assert (" 5%  render" in shown, shown[-2:]) == (True, " \r")


@pytest.mark.parametrize("verb", [["status"], ["init"], ["undeploy", "a"], ["branches"], ["history", "a"]])
def test_a_verb_that_has_no_user_names_the_key_to_correct(
    capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    settings(user="", cluster_id="BCS-K8S-40000", namespace="prod")
    assert main([*verb, "--settings", FILE]) == 1
    out, err = capsys.readouterr()
    assert (out, f"Correct user in {FILE}." in err) == ("", True)


def test_doctor_tells_a_settings_file_that_is_none_as_a_check_with_its_cure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--settings", FILE]) == 1
    out, err = capsys.readouterr()
    assert (f"Correct {FILE}." in out, err) == (True, "")
    assert [line.split()[:2] for line in out.splitlines()[:2]] == [["✗", "settings"], ["–", "values"]]
    Path(FILE).write_text("regions: {gz: {}}\ninputs: {region: gz}", encoding="utf-8")
    assert main(["doctor", "--json", "--settings", FILE]) == 1
    first, *rest = json.loads(capsys.readouterr().out)["checks"]
    assert (first["state"], first["cure"]) == ("failed", f"Correct regions in {FILE}.")
    assert "failed" not in [one["state"] for one in rest]


def test_doctor_paints_its_marks_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["doctor", "--settings", FILE]) == 1
    assert terminal.getvalue().startswith("\033[31m✗\033[0m settings")


def test_a_verb_that_only_looks_needs_nothing_of_what_a_rollback_needs() -> None:
    settings(rollback_to="previous")
    with at_a_desk(FILE, log=Log(io.StringIO(), "en_US")) as services:
        context = read_everything(services)
    assert (context.settings.goes_back, services.workspace) == (False, Path.cwd())
