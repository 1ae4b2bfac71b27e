"""The last lines of a log: what is told once, what is told again, and where a run leads a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes
from tests.unit.report.test_log_lines import shown

from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.report.log_lines import LogLine
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.rollout.result import Restoration

WARNING = say("plan.draft_kept", name="a.yaml", user="zhaoliu")


def verdict(outcome: Outcome, *, at_desk: bool = False) -> str:
    return shown(verdict_lines(outcome, report_path="", at_desk=at_desk))


def test_warnings_stand_above_the_verdict_unless_a_plan_at_a_desk_has_just_told_them() -> None:
    planned = replace(scenes.planned(), warnings=(WARNING,))
    told = f"##[warning]{WARNING}\n"
    assert verdict(planned).startswith(told)
    assert told not in verdict(planned, at_desk=True)
    failed = replace(planned, result="failed", error=InputsInvalid())
    assert verdict(failed, at_desk=True).startswith(told)
    assert told in verdict(replace(scenes.published(), warnings=(WARNING,)), at_desk=True)


def test_how_a_plan_is_carried_out_is_told_in_a_pipeline_where_it_would_change_something() -> None:
    how = f"expect_plan {scenes.USUAL.digest}"
    assert how in verdict(scenes.planned())
    assert how not in verdict(scenes.planned(), at_desk=True)
    assert how not in verdict(scenes.published())


def test_newer_builds_are_told_of_by_the_run_that_they_stopped() -> None:
    skipped = scenes.skipped()
    assert skipped.plan is not None
    newer = str(skipped.plan.newer_builds[0])
    assert f"\n  - {newer}\n" in verdict(skipped)
    assert newer not in verdict(replace(scenes.published(), plan=skipped.plan))


def test_what_else_stands_against_a_refused_plan_has_a_line_above_it() -> None:
    outcome = scenes.lost_route()
    assert outcome.plan is not None
    taken = say("plan.port_taken", port=30001, name="a.yaml", owner="b.yaml")
    further = f"##[error]{say('report.further')}\n##[error]  - {taken}\n"
    assert further in verdict(replace(outcome, plan=replace(outcome.plan, taken=(taken,))))
    assert str(say("report.further")) not in verdict(outcome)


def test_what_stays_is_a_warning_of_a_run_that_acted_and_a_plan_has_told_it_above() -> None:
    plan = replace(scenes.USUAL, dropped=("Deployment/old",))
    assert "##[warning]Left in the cluster" in verdict(replace(scenes.published(), plan=plan))
    assert "Left in the cluster" not in verdict(replace(scenes.planned(), plan=plan))


def test_a_template_set_that_was_published_is_named() -> None:
    run = replace(scenes.published(), heading=replace(scenes.HEADING, template_set="shop"))
    assert "shop" not in verdict(run)
    told = say("log.chart_created", name="shop", version=scenes.VERSION)
    assert f"\n{told}\n" in verdict(replace(run, chart="created"))


def test_who_acted_is_told_where_that_is_known_and_no_report_where_there_is_none() -> None:
    by_whom = str(say("log.by_whom", user="lisi", target=""))[:12]
    assert by_whom in verdict(scenes.published())
    assert by_whom not in verdict(replace(scenes.published(), identity=None))
    path = str(say("log.report", path="r/index.html"))
    assert verdict_lines(scenes.published(), report_path="r/index.html")[-1] == LogLine("plain", path)
    assert str(say("log.report", path="")) not in verdict(scenes.published())


@pytest.mark.parametrize("result", ["deployed", "rolled-back"])
def test_how_long_workloads_took_is_told_however_they_came_to_be_deployed(result: str) -> None:
    run = replace(rollout_scenes.deployed().outcome, result=result)  # type: ignore[arg-type] # one of them
    assert "\n2 workloads are ready, the last after 12 s.\n" in verdict(run)


def test_a_restore_that_is_not_whole_is_a_warning() -> None:
    outcome = rollout_scenes.restored().outcome
    assert outcome.rollout is not None
    title = str(say("report.restore_title"))
    assert f"\n{title}\n" in verdict(outcome)
    lost = replace(outcome.rollout, restoration=Restoration(lost=("a.yaml",)))
    assert f"\n##[warning]{title}\n" in verdict(replace(outcome, rollout=lost))
