"""BCS deletes nothing: what files hold no more, and files that are rendered no more, stay and are named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes
from tests.support.planned import (
    OURS,
    POLICY,
    A,
    B,
    desired,
    existing,
    existing_file,
    ingress,
    service,
    version_of,
)

from bcs_template_set.bcs.space.existing import Existing, OtherFile
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Plan
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.output import message_of
from bcs_template_set.report.verdict import left_texts
from bcs_template_set.report.verdict_lines import verdict_lines

TWO = A + "---\n" + service(0, name="old")


def plan_of(text: str, held: str, *more: tuple[str, str]) -> Plan:
    there = existing(existing_file("a.yaml", version_of(held)))
    return make_plan(desired(("a.yaml", text), *more), there, policy=POLICY)


def test_an_object_that_is_dropped_or_renamed_is_named() -> None:
    assert plan_of(B, TWO).dropped == ("Service/old",)
    assert plan_of(B + "---\n" + service(0, name="new"), TWO).dropped == ("Service/old",)


def test_what_moves_to_another_file_of_the_run_or_stays_is_not_dropped() -> None:
    assert plan_of(B, TWO, ("service.yaml", service(0, name="old"))).dropped == ()
    assert plan_of(TWO, TWO).dropped == ()
    assert plan_of(B, "a: [").dropped == (), "nothing is known of what can't be read"


def gone(*names: str, build: int = 6, branch: str = "main", ids: tuple[str, ...] = ()) -> tuple[str, ...]:
    origin = replace(OURS, build=build, branch=branch)
    others = tuple(OtherFile(name, origin=origin) for name in names)
    there = replace(existing(others=others), ids=dict.fromkeys((*names, *ids), "id"))
    return make_plan(desired(("new.example.com.routes.yaml", A)), there, policy=POLICY).rendered_no_more


def test_a_file_of_an_earlier_build_that_is_rendered_no_more_is_named() -> None:
    assert gone("news.yaml") == ("news.yaml",)
    assert gone("news.yaml", build=7) == (), "another step of this build"
    assert gone("news.yaml", branch="login") == (), "another branch's"
    assert make_plan(desired(("a.yaml", A)), Existing(), policy=POLICY).rendered_no_more == ()


def test_of_a_domain_that_is_gone_all_files_are_named() -> None:
    beside = ("old.example.com.deployment.yaml", "new.example.com.deployment.yaml", "x.yaml")
    assert gone("old.example.com.routes.yaml", ids=beside) == (
        "old.example.com.deployment.yaml",
        "old.example.com.routes.yaml",
    )


def test_a_route_of_a_person_is_nobodys_to_mention() -> None:
    there = existing(others=(OtherFile("theirs.yaml"),))
    assert make_plan(desired(("a.yaml", ingress("h", "/"))), there, policy=POLICY).rendered_no_more == ()


LEAVES = ("Deployment/canary", "news.example.com.routes.yaml")


def leaving(outcome: Outcome) -> Outcome:
    assert outcome.plan is not None
    plan = replace(outcome.plan, dropped=LEAVES[:1], rendered_no_more=LEAVES[1:])
    return replace(outcome, plan=plan)


@pytest.mark.parametrize(
    "outcome",
    [scenes.published(), rollout_scenes.deployed().outcome, rollout_scenes.image_not_found().outcome],
    ids=["published", "deployed", "failed"],
)
def test_log_report_and_message_say_what_stays(outcome: Outcome) -> None:
    left = leaving(outcome)
    log = "\n".join(line.text for line in verdict_lines(left))
    for told in (log, render_html(left), message_of(left)):
        for name in LEAVES:
            assert name in told


def test_what_was_taken_back_or_not_begun_leaves_nothing() -> None:
    assert left_texts(leaving(rollout_scenes.restored().outcome)) == []
    assert left_texts(leaving(scenes.conflict())) == []
    assert left_texts(leaving(scenes.skipped())) == []
    assert left_texts(leaving(scenes.nothing_to_do())) != []
