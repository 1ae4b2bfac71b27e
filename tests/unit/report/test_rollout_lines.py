"""What the log of a deployment tells before it and while it goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import say
from bcs_template_set.report.log_lines import LogLine
from bcs_template_set.report.rollout_lines import (
    deployment_lines,
    heartbeat_line,
    kept_line,
    watched_lines,
)
from bcs_template_set.report.shown_limits import LOG_LIVE_DIFF_LINES, LOG_PENDING
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.watched import Watched

PLAN = rollout_scenes.deployment_plan(rollout_scenes.ROLLOUT)
TITLE = "Deployment/deployment.nginx.b"
NOTE, PODS = say("deploy.never_seen"), say("rollout.observing")


def english(lines: list[LogLine]) -> list[tuple[str, str]]:
    return [(line.kind, line.text) for line in lines]


def told(plan: DeploymentPlan) -> list[tuple[str, str]]:
    return english(deployment_lines(plan, language="en_US"))


def waiting(end: WorkloadState, **fields: object) -> Watched:
    return replace(rollout_scenes.watched("b", end), **fields)  # type: ignore[arg-type] # its fields


# --- before ---------------------------------------------------------------------------------------------


def test_a_deployment_tells_its_files_what_they_change_which_pods_stay_and_what_to_know() -> None:
    empty = replace(rollout_scenes.LIVE[0], objects=())
    plan = replace(
        PLAN,
        deploy=PLAN.deploy[:1],
        live_already=(*rollout_scenes.LIVE, empty),
        differences=(("Pod/a", "-a\n+b\n"), ("Pod/b", "+c\n")),
        kept=("Deployment/a (3)",),
        pods=(PODS,),
        notes=(NOTE,),
    )
    name = "a.example.com.deployment.yaml"
    assert told(plan) == [
        ("info", "Deploying 1 file; 2 are live already."),
        ("plain", f"{name}  version {scenes.VERSION}"),
        ("plain", "what this changes in the cluster (2 objects)"),
        ("foreign", "-a\n+b\n+c"),
        ("info", "The number of pods stays as it is: Deployment/a (3)."),
        ("warning", str(PODS)),
        ("warning", str(NOTE)),
    ]
    assert told(replace(plan, differences=(), kept=(), pods=(), notes=())) == told(plan)[:2]


def test_where_nothing_is_deployed_that_is_told_and_whether_something_is_held() -> None:
    nothing = replace(PLAN, deploy=(), notes=(NOTE,))
    first, note = told(nothing)
    assert first == ("info", str(say("deploy.nothing_to_deploy")))
    assert note == ("warning", str(NOTE))
    assert told(replace(nothing, held=("a.yaml",)))[0] == ("info", str(say("deploy.nothing_but_held")))


def test_of_many_workloads_whose_pods_stay_the_first_are_named() -> None:
    assert kept_line((), language="en_US") == []
    (line,) = kept_line([f"w{n}" for n in range(LOG_PENDING + 1)], language="en_US")
    assert line.text == "The number of pods stays as it is: w0, w1, w2, w3, w4, and 1 more."


def test_of_a_difference_that_is_cut_only_what_is_not_shown_is_counted() -> None:
    def cut(*differences: tuple[str, str]) -> str:
        (text,) = [text for kind, text in told(replace(PLAN, differences=differences)) if kind == "foreign"]
        return text

    full = "+x\n" * LOG_LIVE_DIFF_LINES
    assert cut(("Pod/a", full)) == full.rstrip()
    assert cut(("Pod/a", f"{full}-y\n")) == (
        f"{full}… and 1 more line; 1 of them goes or is replaced, in Pod/a: the report shows it"
    )
    assert cut(("Pod/a", full), ("Pod/b", "--- Pod/b\n+++ Pod/b\n")) == f"{full}… and 2 more lines"
    assert cut(("Pod/a", full), ("Pod/b", "--- Pod/b\n+++ Pod/b\n-z\n")).endswith(
        "1 of them goes or is replaced, in Pod/b: the report shows it"
    )
    head = "+x\n" * (LOG_LIVE_DIFF_LINES - 1)
    assert cut(("Pod/a", head), ("Pod/b", "--- b\n+++ b\n-z\n")) == (
        f"{head}--- b\n… and 2 more lines; 1 of them goes or is replaced, in Pod/b: the report shows it"
    )


# --- while it goes on -----------------------------------------------------------------------------------


def test_a_workload_that_has_a_cause_or_was_not_seen_is_news_at_once() -> None:
    early = rollout_scenes.watched("b", "pending", seconds=0.2, key="rollout.observing")
    assert watched_lines(early, language="en_US") == []
    caused = rollout_scenes.watched(
        "b", "pending", problem=rollout_scenes.NOT_READY, seconds=0.2, key="rollout.observing"
    )
    assert len(watched_lines(caused, language="en_US")) == 1
    assert english(watched_lines(replace(early, status=None), language="en_US")) == [
        ("plain", f"0 s  {TITLE}: {say('deploy.never_seen')}")
    ]


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("failed", "warning"),
        ("gone", "warning"),
        ("pending", "plain"),
        ("ready", "plain"),
        ("paused", "plain"),
    ],
)
def test_a_workload_that_is_lost_is_a_warning(end: WorkloadState, kind: str) -> None:
    (line,) = watched_lines(waiting(end, seconds=7.6), language="en_US")
    assert (line.kind, line.text.startswith(f"8 s  {TITLE}")) == (kind, True)
    assert ("can't become ready" in line.text) == (end == "failed")


def test_each_cause_follows_where_a_workload_stands() -> None:
    item = rollout_scenes.watched("b", "failed", problem=rollout_scenes.NOT_FOUND)
    (line,) = watched_lines(item, language="en_US")
    assert item.cause is not None
    stands = "0 of 1 updated pod is available."
    assert line.text.endswith(f": {stands} {item.cause.sentence} {item.cause.grace}")


def test_of_a_workload_that_waits_for_a_person_a_line_says_where_the_console_shows_it() -> None:
    link = "https://c/{}/{}".format
    _, look = watched_lines(waiting("paused"), language="en_US", link=link)
    assert look == LogLine("plain", f"See {TITLE} in BCS: https://c/{TITLE}")
    assert len(watched_lines(waiting("paused"), language="en_US")) == 1
    assert len(watched_lines(waiting("pending"), language="en_US", link=link)) == 1


def test_a_heartbeat_says_of_each_how_far_it_is_or_that_it_could_not_be_read() -> None:
    pending = [waiting("pending"), waiting("pending", status=None)]
    assert heartbeat_line(pending, seconds=30.4, language="en_US") == LogLine(
        "plain",
        f"30 s  still waiting, 2 workloads not seen ready: {TITLE} (0 of 1), {TITLE} (could not be read)",
    )
