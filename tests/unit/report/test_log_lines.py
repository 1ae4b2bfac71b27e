from __future__ import annotations

from dataclasses import replace
from typing import Callable, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.many_findings import many_findings

from bcs_template_set.messages import LANGUAGES, Language, Text, say
from bcs_template_set.messages.errors import InputsInvalid, ManifestsInvalid, TokenRefused
from bcs_template_set.messages.server_errors import AnswerUnreadable
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.text import ROW_COLUMNS, width
from bcs_template_set.report.log_lines import (
    LogLine,
    build_text,
    file_lines,
    header_lines,
    plan_lines,
)
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.report.rows import was_attempted
from bcs_template_set.report.shown_limits import LOG_DIFF_LINES, LOG_DIFF_LINES_PER_FILE
from bcs_template_set.report.verdict import details_of
from bcs_template_set.report.verdict_lines import verdict_lines

MARKERS = {
    "info": "",
    "plain": "",
    "group": "##[group]",
    "endgroup": "##[endgroup]",
    "warning": "##[warning]",
    "error": "##[error]",
}


def shown(lines: list[LogLine]) -> str:
    """The lines as the log will hold them, near enough."""
    printed = []
    for line in lines:
        if line.kind == "foreign":
            printed += [f"| {part}" for part in line.text.split("\n")]
        else:
            printed.append(MARKERS[line.kind] + line.text)
    return "\n".join(printed) + "\n"


def published_lines(outcome: Outcome, *, language: Language) -> list[LogLine]:
    """What publishing prints while it goes: the lines of a file when it has been written."""
    written = (file for file in outcome.files if file.change.writes)
    return [line for file in written for line in file_lines(file, language=language)]


def log_of(outcome: Outcome) -> list[LogLine]:
    language = outcome.language
    lines = header_lines(outcome.heading, outcome.identity, language=language)
    if outcome.plan is not None:
        lines += plan_lines(outcome.plan, language=language)
    if was_attempted(outcome):
        lines += published_lines(outcome, language=language)
    return lines + verdict_lines(outcome, report_path=".bcs-template-set/b-428/report/index.html")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", scenes.SCENES)
def test_the_log_of_a_run_is_its_golden_file(
    scene: str, language: Language, golden: Callable[[str, str], None]
) -> None:
    outcome = replace(scenes.SCENES[scene](), language=language)
    golden(f"report/{scene}.{language}.txt", shown(log_of(outcome)))


def plan_text(outcome: Outcome, *, language: Language = "en_US") -> str:
    assert outcome.plan is not None
    return shown(plan_lines(outcome.plan, language=language))


def test_a_build_without_branch_or_commit_is_told_by_its_number() -> None:
    told = build_text(Heading(pipeline="p-1", build_number=8)).render("en_US")
    assert told == "#8 of pipeline p-1"


def test_a_build_at_a_desk_has_a_number_and_no_pipeline() -> None:
    told = build_text(Heading(build_number=7, branch="main"))
    assert told.render("en_US") == "#7, branch main"
    assert told.render("zh_CN") == "#7，分支 main"


def test_counts_come_before_the_table_and_the_digest_last() -> None:
    lines = plan_text(scenes.planned()).splitlines()
    assert lines[0].endswith("1 domain to update, 1 domain to create, 2 domains unchanged (8 files)")
    assert lines[1].startswith("change")
    assert lines[-1] == "Plan digest: 9f86d081884c7d659a2feaa0c55ad015"


def test_the_chinese_log_explains_the_fixed_words_where_it_counts() -> None:
    first = plan_text(scenes.planned(), language="zh_CN").splitlines()[0]
    assert "更新 1 个域名、新建 1 个域名" in first
    assert "2 个域名不变（8 个文件）" in first


def test_no_row_of_the_table_is_wider_than_160_columns() -> None:
    host = "a-very-long-name-of-a-domain." * 6 + "example.com"
    deployment, routes = scenes.updated(host)
    many = tuple((f"{n}.{host}", "/path") for n in range(9))
    plan = scenes.plan_of(
        replace(deployment, images=((scenes.OLD, "other.example.com/" + "x" * 90 + ":2"),)),
        replace(routes, routes_added=many),
    )
    lines = [line.text for line in plan_lines(plan, language="zh_CN") if line.kind == "plain"]
    assert any("…" in line for line in lines)
    assert all(width(line) <= ROW_COLUMNS for line in lines if line.startswith(("update  ", "变更")))


def test_a_long_difference_is_cut_and_says_by_how_much() -> None:
    change = scenes.change("a.yaml", writes_version=True, diff="+x\n" * 1000)
    lines = plan_lines(scenes.plan_of(change), language="en_US")
    (foreign,) = [line for line in lines if line.kind == "foreign"]
    assert len(foreign.text.splitlines()) == LOG_DIFF_LINES_PER_FILE
    assert "… 800 more lines" in shown(lines)


def test_many_differences_together_are_cut_too_and_changes_are_shown_before_new_files() -> None:
    new = [scenes.change(f"a{n}.yaml", action="create", diff="+x\n" * 150) for n in range(20)]
    changed = scenes.change("z.yaml", writes_version=True, diff="-y\n")
    lines = plan_lines(scenes.plan_of(*new, changed), language="en_US")
    foreign = [line.text for line in lines if line.kind == "foreign"]
    assert foreign[0] == "-y"
    assert sum(len(text.splitlines()) for text in foreign) == LOG_DIFF_LINES


def test_a_group_that_is_opened_is_closed() -> None:
    for scene in scenes.SCENES.values():
        kinds = [line.kind for line in log_of(scene()) if line.kind in ("group", "endgroup")]
        assert kinds == ["group", "endgroup"] * (len(kinds) // 2)


def test_an_unchanged_plan_has_neither_table_nor_differences() -> None:
    assert plan_text(scenes.nothing_to_do()) == (
        "Plan for 1.0.428-feature-login: 2 domains unchanged (4 files)\n"
    )


def test_a_new_folder_and_a_template_set_are_said() -> None:
    plan = replace(scenes.USUAL, creates_space=True, chart="create")
    plan = replace(plan, target=replace(plan.target, template_set="shop"))
    text = shown(plan_lines(plan, language="en_US"))
    assert "The folder web does not exist yet" in text
    assert "create  template set shop" in text


def test_what_was_learnt_about_a_file_follows_its_line_once() -> None:
    known = say("plan.draft_kept", name="a.yaml", user="zhaoliu")
    learnt = say("publish.file_twice", name="a.yaml")
    change = scenes.change("a.yaml", writes_version=True, notes=(known,))
    file = replace(scenes.applied(change), notes=(known, learnt))
    line, note = file_lines(file, language="en_US")
    assert line.text.startswith("update     a.yaml  version 1.0.428-feature-login")
    assert note == LogLine("warning", learnt.render("en_US"))


def test_a_failed_file_is_an_error_line_with_its_code() -> None:
    failed = next(file for file in scenes.half_published().files if file.state == "failed")
    (line,) = file_lines(failed, language="en_US")
    assert line.kind == "error"
    assert "(800606)" in line.text


def test_fifty_details_are_listed_and_the_rest_counted() -> None:
    error = ManifestsInvalid(details=[f"finding {n}" for n in range(60)])
    outcome = replace(scenes.no_permission(), error=error)
    text = shown(verdict_lines(outcome))
    assert "finding 49" in text
    assert "finding 50" not in text
    assert "… and 10 more." in text


def test_three_hundred_findings_are_fifty_lines_and_what_to_do_for_each_check() -> None:
    error = many_findings(300)
    warnings = tuple(line for line in error.details if isinstance(line, Text))
    text = shown(verdict_lines(replace(scenes.no_permission(), error=error, warnings=warnings)))
    lines = text.splitlines()
    assert "##[error]  - a0.yaml:" in lines
    assert "##[error]    - line 1, Pod/a0 spec: the image i0 has no tag. [image-tag]" in lines
    assert sum(line.startswith("##[error]") for line in lines) == 1 + 50 + 1 + 1
    assert sum("… and 267 more." in line for line in lines) == 2
    assert "##[warning]  line 1, Pod/a0 spec: the image i0 has no tag. [image-tag]" in lines
    assert any(line.startswith("##[error]  - 300 image-tag: Give it") for line in lines)
    assert "  Found: 300 image-tag" in lines


def test_what_else_stands_against_a_refused_plan_is_said_at_once() -> None:
    outcome = scenes.lost_route()
    assert outcome.plan is not None
    taken = say("plan.port_taken", port=30001, name="a.yaml", owner="b.yaml")
    text = shown(verdict_lines(replace(outcome, plan=replace(outcome.plan, taken=(taken,)))))
    assert "nodePort 30001" in text


def test_other_files_that_failed_are_listed_with_the_first() -> None:
    outcome = scenes.half_published()
    other = replace(outcome.files[3], state="failed", error=TokenRefused(credential="t", message="expired"))
    text = shown(verdict_lines(replace(outcome, files=(*outcome.files[:3], other, *outcome.files[4:]))))
    assert f"- {other.change.name}: (800206)" in text


def test_a_platform_error_without_ids_gets_those_of_the_last_request() -> None:
    outcome = replace(scenes.no_permission(), error=AnswerUnreadable(url="/", problem="no code"))
    assert "Request id: r-4" in shown(verdict_lines(outcome))


def test_the_cure_follows_what_happened_and_then_who_acted_with_the_ids_last() -> None:
    lines = [line.text.strip() for line in verdict_lines(scenes.no_permission())]
    at = [
        next(place for place, line in enumerate(lines) if line.startswith(word))
        for word in ("Failed", "What to do", "Nothing was written", "Acting user", "Apply at", "Request id")
    ]
    assert at == sorted(at)


def test_where_only_the_token_knows_the_user_the_credential_is_named() -> None:
    identity = replace(
        scenes.IDENTITY, acting_user="credential:bcs_token", app_code="", credential="bcs_token"
    )
    text = shown(header_lines(scenes.HEADING, identity, language="en_US"))
    assert "acting user  credential:bcs_token (" in text


def test_a_run_that_failed_before_it_knew_anything_has_a_header_and_a_verdict() -> None:
    empty = Heading(step_version="0.1.0")
    outcome = Outcome(
        "failed", changed=False, language="en_US", heading=empty, error=InputsInvalid(details=["x"])
    )
    assert [line.kind for line in log_of(outcome)] == ["info", "error", "error", "warning", "plain", "plain"]


def test_a_run_that_did_not_fail_has_no_details() -> None:
    assert details_of(scenes.published()) == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("result", get_args(Result))
def test_every_result_has_a_verdict(result: Result, language: Language) -> None:
    outcome = replace(scenes.published(), result=result, language=language)
    if result == "paused":
        outcome = replace(rollout_scenes.paused().outcome, language=language)
    if result in ("failed", "timed-out", "unseen"):
        outcome = replace(outcome, error=InputsInvalid())
    assert verdict_lines(outcome)[0].text


@given(text=st.text(alphabet=st.characters(exclude_categories=()), max_size=30))
def test_whatever_the_data_only_foreign_text_has_more_than_one_line(text: str) -> None:
    for line in log_of(hostile_texts.run(text + "\n::set-variable name=x::y\r##[error]" + text)):
        if line.kind != "foreign":
            assert len(line.text.splitlines()) <= 1
