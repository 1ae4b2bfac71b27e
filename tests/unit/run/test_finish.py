"""What is left beside the verdict must not cost it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import scenes

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.report.log_lines import LineKind, LogLine
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.run.finish import Keep, Limited, RunFolder, end_run, show_lines
from bcs_template_set.system.signals import Stopped


@contextmanager
def no_time() -> Iterator[None]:
    yield
    raise Stopped(OutOfTime(seconds=60))


def test_whatever_goes_wrong_with_the_report_is_a_warning_and_the_outcome_stands(tmp_path: Path) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    def refuse() -> str:
        raise WorkspaceUnwritable(file="report", problem="no space left on device")

    run = scenes.published()
    for leave, words in ((fail, "ZeroDivisionError"), (refuse, "no space left on device")):
        keep = Keep(run, RunFolder(tmp_path, "run"), Masker(), nullcontext)
        assert keep.attempt(leave, file=keep.place.file("report")) is None
        told = keep.outcome
        assert (told.result, told.error, told.files) == (run.result, run.error, run.files)
        assert words in str(told.warnings[-1])


def ended(
    workspace: Path,
    outcome: Outcome,
    *,
    names: tuple[str, ...] = (),
    secrets: tuple[str, ...] = (),
    limited: Limited = nullcontext,
) -> tuple[OutputDocument, str]:
    """End a run in the middle of a group, and return its output and its log."""
    written: list[OutputDocument] = []
    shown, masker = io.StringIO(), Masker()
    masker.add(*map(Secret, secrets))
    log = Log(shown, "en_US", masker=masker)
    log.group_start("the last one")
    end_run(
        outcome,
        rendered=[ManifestFile(name, f"# {name}\n", "t", ()) for name in names],
        place=RunFolder(workspace, ".bcs-template-set/b-1"),
        write_output=written.append,
        log=log,
        limited=limited,
    )
    return written[0], shown.getvalue()


def test_a_report_that_can_not_be_read_back_is_not_named_and_the_log_says_why(tmp_path: Path) -> None:
    report = tmp_path / ".bcs-template-set" / "b-1" / "report"
    report.mkdir(parents=True)
    (report / "index.html").symlink_to("/dev/null")
    output, log = ended(tmp_path, scenes.published())
    assert "report" not in output["data"]
    assert "index.html" in log.partition("##[warning]")[2]
    assert output["status"] == "success"
    good, log = ended(tmp_path / "other", scenes.published())
    page = tmp_path / "other" / ".bcs-template-set" / "b-1" / "report" / "index.html"
    assert good["data"]["report"] == {**good["data"]["report"], "target": "index.html"}
    assert page.stat().st_size > 0


def test_the_page_is_named_beside_the_verdict_outside_of_any_group(tmp_path: Path) -> None:
    output, log = ended(tmp_path, scenes.published())
    folder = tmp_path / ".bcs-template-set" / "b-1" / "report"
    assert output["data"]["report"] == {**output["data"]["report"], "path": ".bcs-template-set/b-1/report"}
    assert log.partition("##[endgroup]")[2].count(str(folder / "index.html")) == 1
    (tmp_path / "other").write_text("in the way")
    _, log = ended(tmp_path / "other", scenes.published())
    assert "report/index.html" not in log.splitlines()[-1]


def test_a_plan_is_left_for_programs_and_its_manifests_are_not(tmp_path: Path) -> None:
    run = replace(scenes.planned(), identity=replace(scenes.IDENTITY, acting_user="李四"))
    output, _ = ended(tmp_path, run, names=("a.yaml",), secrets=("demo",))
    assert "rendered" not in output["data"]
    file = tmp_path / ".bcs-template-set" / "b-1" / "plan.json"
    assert output["data"]["plan"] == {"type": "artifact", "value": [str(file)]}
    text = file.read_text(encoding="utf-8")
    assert text.startswith('{\n  "$schema"')
    assert text.endswith("}\n")
    assert '"acting_user": "李四"' in text
    assert '"project": "***"' in text


def test_of_a_run_that_came_to_no_plan_none_is_left(tmp_path: Path) -> None:
    output, log = ended(tmp_path, scenes.no_permission())
    assert output["data"].keys().isdisjoint({"plan", "rendered"})
    assert "plan.json" not in log


def test_lines_of_each_kind_are_shown_as_that() -> None:
    shown = io.StringIO()
    kinds: list[LineKind] = ["group", "info", "plain", "foreign", "endgroup", "warning", "error"]
    show_lines(Log(shown, "en_US"), [LogLine(kind, kind) for kind in kinds])
    assert shown.getvalue().splitlines() == [
        "##[group]group",
        "##[info]info",
        "plain",
        "| foreign",
        "##[endgroup]",
        "##[warning]warning",
        "##[error]error",
    ]


def test_manifests_are_written_under_names_that_the_worker_finds_and_none_over_another(
    tmp_path: Path,
) -> None:
    output, log = ended(tmp_path, scenes.published(), names=("a,b.yaml", "a[b.yaml", "a_b.yaml", "c/d*.yaml"))
    field = output["data"]["rendered"]
    assert field["type"] == "artifact"
    rendered = tmp_path / ".bcs-template-set" / "b-1" / "rendered"
    assert [str(Path(path).relative_to(rendered)) for path in field["value"]] == [
        "a_b.yaml", "a_b~2.yaml", "a_b~3.yaml", "c/d_.yaml",
    ]  # fmt: skip
    assert {Path(path).read_text() for path in field["value"]} == {
        "# a,b.yaml\n", "# a[b.yaml\n", "# a_b.yaml\n", "# c/d*.yaml\n",
    }  # fmt: skip
    assert "##[warning]" not in log


@pytest.mark.parametrize("workspace", ["a,b", "a[1]", "{x}"])
def test_where_the_worker_finds_no_file_none_is_named_and_the_log_says_why(
    tmp_path: Path, workspace: str
) -> None:
    output, log = ended(tmp_path / workspace, scenes.published(), names=("a.yaml",))
    assert "rendered" not in output["data"]
    assert "not among the artifacts" in log


def test_an_output_with_a_secret_in_it_is_said_and_given_without(tmp_path: Path) -> None:
    run = scenes.published()
    output, log = ended(tmp_path, run, secrets=("lisi", "published", "x!"))
    assert output["data"]["acting_user"] == {"type": "string", "value": "***"}
    assert output["data"]["result"] == {"type": "string", "value": "published"}
    assert "The output acting_user holds a secret" in log
    assert "The output version " not in log
    told = replace(run, heading=replace(run.heading, version="1.0-x!"))
    assert "The output version holds a secret" in ended(tmp_path, told, secrets=("x!",))[1]


def test_a_list_that_can_not_be_kept_in_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / ".bcs-template-set").mkdir()
    (tmp_path / ".bcs-template-set" / "b-1").write_text("in the way")
    change = replace(scenes.change("a.yaml"), routes=(scenes.route_of("n" * 5000, "/"),))
    output, log = ended(tmp_path, scenes.outcome_of(scenes.plan_of(change)))
    assert output["data"]["routes"] == {"type": "string", "value": '{"file":"","count":1}'}
    assert "routes.json" in log


def test_what_there_is_no_time_for_is_named_and_no_output_leads_to_it(tmp_path: Path) -> None:
    change = replace(scenes.change("a.yaml"), routes=(scenes.route_of("n" * 5000, "/"),))
    run = scenes.outcome_of(scenes.plan_of(change))
    output, log = ended(tmp_path, run, names=("a.yaml",), limited=no_time)
    assert {"report", "rendered"}.isdisjoint(output["data"])
    assert output["data"]["routes"] == {"type": "string", "value": '{"file":"","count":1}'}
    for name in ("report", "rendered", "routes.json"):
        place = tmp_path / ".bcs-template-set" / "b-1" / name
        assert f"so this was not written, or not to its end: {place}" in log
    assert output["data"]["result"] == {"type": "string", "value": "published"}
    in_time, _ = ended(tmp_path / "other", run, names=("a.yaml",))
    assert {"report", "rendered"} <= set(in_time["data"])
    _, log = ended(tmp_path / "without", run, limited=no_time)
    assert "rendered" not in log, "there was nothing to write"
    assert json.dumps(in_time["data"]["routes"]).count("routes.json") == 1
