"""The verdict on workloads: hosts and numbers first, then who serves, then the cure; evidence last."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Optional

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.agent.output_file import MOST_MESSAGE_UNITS, utf16_units
from bcs_template_set.manifests import kinds
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.errors import Interrupted, RolloutFailed
from bcs_template_set.messages.server_errors import (
    RolloutBlocked,
    RolloutTimedOut,
    RolloutUnseen,
    WorkloadsGone,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.examination import Finding
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.output import message_of
from bcs_template_set.report.rollout_verdict import (
    cure_of,
    evidence_of_troubles,
    grouped_lines,
    impact_texts,
    others_ready_text,
    trouble_lines,
    trouble_title,
    troubles_of,
)
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.rollout.causes import Cause, cause_of_vanishing
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.result import Restoration
from bcs_template_set.rollout.watched import RolloutStatus, Watched

HOSTS = tuple(f"h{number}.example.com" for number in range(8))
WHO = {"acting_user": "lisi", "app": "lisi_app", "region": "gz", "project": "demo"}
FAILED, LATE = RolloutFailed(count=1), RolloutTimedOut(count=1, seconds=600)


def run(
    *watched: Watched,
    error: StepError = FAILED,
    restoration: Optional[Restoration] = None,
    hosts: tuple[str, ...] = HOSTS,
) -> Outcome:
    """A run of eight domains that waited for these workloads."""
    plan = scenes.plan_of(*(change for host in hosts for change in scenes.updated(host)))
    before = tuple(
        replace(item, file=f"{host}.deployment.yaml")
        for host in hosts
        for item in rollout_scenes.ROLLOUT.before[:1]
    )
    rollout = replace(
        rollout_scenes.ROLLOUT, watched=watched, before=before, restoration=restoration, deployed=()
    )
    files = tuple(map(scenes.ended, plan.changes))
    outcome = rollout_scenes.failed(rollout, error)
    return replace(outcome, plan=plan, files=files)


def pods(item: Watched, *, serving: Optional[int], old: int = 0, done: int = 0, wanted: int = 1) -> Watched:
    status = RolloutStatus("progressing", say("rollout.observing"), done, wanted, serving=serving, old=old)
    return replace(item, status=status)


def missing(host: str, end: WorkloadState = "failed") -> Watched:
    return rollout_scenes.watched(host, end, problem=rollout_scenes.NOT_FOUND)


def english(texts: object) -> list[str]:
    assert isinstance(texts, list)
    return [str(text) for text in texts]


def test_the_headline_counts_and_names_the_hosts_and_the_place() -> None:
    ready = [rollout_scenes.watched(host, "ready") for host in HOSTS[2:]]
    told = str(trouble_title(run(missing(HOSTS[1]), missing(HOSTS[0]), *ready)))
    hosts = "h0.example.com, h1.example.com"
    assert told == (
        f"2 of 8 domains can't become ready: {hosts}. Version {scenes.VERSION}, BCS-K8S-40000/prod."
    )


def test_of_many_hosts_the_headline_names_five_and_the_lines_all() -> None:
    outcome = run(*map(missing, HOSTS))
    assert str(trouble_title(outcome)).count("example.com") == 5
    assert ", and 3 more. Version" in str(trouble_title(outcome))
    assert [line.partition(":")[0] for line in english(trouble_lines(outcome))] == list(HOSTS)


def test_a_workload_of_no_domain_stands_for_itself() -> None:
    outcome = run(missing("x.example.com"), hosts=())
    assert str(trouble_title(outcome)).startswith(
        "1 of 1 workload can't become ready: Deployment/deployment.nginx.x.example.com."
    )


def test_only_what_the_error_is_about_is_counted_and_the_rest_is_told_after_it() -> None:
    pending = rollout_scenes.watched(HOSTS[0], "pending")
    outcome = run(pending, missing(HOSTS[1]))
    assert str(trouble_title(outcome)).startswith("1 of 2 domains can't become ready: h1.example.com.")
    assert [trouble.name for trouble in troubles_of(outcome)] == [HOSTS[1], HOSTS[0]]
    assert str(trouble_title(run(pending, error=LATE))).startswith(
        "1 of 1 domain did not become ready within 600 s, and did not fail: h0.example.com."
    )


def test_a_time_out_that_fail_fast_would_have_ended_says_so() -> None:
    put_off = RolloutTimedOut(count=1, seconds=600, put_off=True)
    told = str(trouble_title(run(rollout_scenes.watched(HOSTS[0], "pending"), error=put_off)))
    assert told == (
        "1 of 1 domain did not become ready within 600 s: h0.example.com. For what some of them lack, "
        f"fail_fast would have ended the wait. Version {scenes.VERSION}, BCS-K8S-40000/prod."
    )


def test_files_that_were_sent_and_could_not_be_read_back_are_named_as_no_workload_is_known() -> None:
    outcome = run(error=RolloutUnseen(count=2))
    assert outcome.rollout is not None
    unread = replace(outcome.rollout, unread=("a.yaml", "b.yaml"))
    assert str(trouble_title(replace(outcome, rollout=unread))) == (
        "2 files were sent and could not be read back, so whether they are live is not known: "
        "a.yaml, b.yaml. BCS-K8S-40000/prod."
    )


def test_what_the_cluster_keeps_from_being_ready_is_not_called_failed_by_its_own_fault() -> None:
    told = str(trouble_title(run(missing(HOSTS[0]), error=RolloutBlocked(count=1))))
    assert told.startswith("the cluster keeps 1 of 1 domain from becoming ready: h0.example.com.")


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        ("image_not_found", "1 of 2 domains can't become ready: b.example.com."),
        ("timed_out", "1 of 2 domains did not become ready within 600 s, and did not fail: b.example.com."),
        ("gone", "1 of 2 domains vanished from the cluster after the deployment: b.example.com."),
        ("unseen", "1 of 2 domains could not be looked at any more, so the step does not know whether"),
    ],
)
def test_every_end_of_a_wait_counts_the_domains_that_it_is_about(scene: str, told: str) -> None:
    assert str(trouble_title(rollout_scenes.SCENES[scene]().outcome)).startswith(told)


def test_what_ended_a_wait_before_its_time_is_told_once_after_the_workloads() -> None:
    early = say("rollout.ended_before_timeout", deadline=60, timeout=600)
    error = RolloutTimedOut(count=1, seconds=60, details=[early, early, say("rollout.observing"), "else"])
    outcome = run(rollout_scenes.watched(HOSTS[0], "pending"), error=error)
    line = "h0.example.com: 0 of 1 updated pod is available."
    assert english(trouble_lines(outcome)) == [line, str(early)]
    assert english(grouped_lines(outcome))[1:] == [str(early)]


def test_up_to_fifty_have_a_line_each_and_more_share_them_by_cause_each_with_who_serves() -> None:
    hosts = tuple(f"h{number:02}.example.com" for number in range(51))
    fifty, more = (run(*map(missing, hosts[:count]), hosts=hosts) for count in (50, 51))
    assert len(trouble_lines(fifty)) == 50
    assert len(impact_texts(fifty)) == 1
    assert trouble_lines(more) == grouped_lines(more)
    assert impact_texts(more) == []
    why = "does not exist in its registry."
    shared, second, third = english(trouble_lines(more))
    assert shared.startswith("Old pods still serve: h00.example.com, h01.example.com, ")
    assert "h19.example.com. They share a cause; of the first: The image" in shared
    assert shared.endswith(why)
    assert second == f"Old pods still serve: {', '.join(hosts[20:40])}."
    assert third == f"Old pods still serve: {', '.join(hosts[40:])}."
    (alone,) = english(grouped_lines(run(missing(HOSTS[0]))))
    assert alone.startswith("Old pods still serve: h0.example.com. The image")
    assert alone.endswith(why)


def test_a_job_that_failed_has_to_be_deleted_before_it_runs_again() -> None:
    job = pods(missing(HOSTS[0]), serving=None)
    job = replace(job, workload=replace(job.workload, kind=kinds.JOB))
    title = "Job/deployment.nginx.h0.example.com"
    assert english(grouped_lines(run(job)))[0].startswith("Not ready: h0.example.com.")
    again = f"delete it in the cluster first, or give it another name ({title})."
    assert str(cure_of(run(job))).endswith(again)
    assert str(cure_of(run(job))).startswith(str(cure_of(run(missing(HOSTS[0])))))
    still = replace(job, end="pending")
    assert cure_of(run(still, missing(HOSTS[1]))) == cure_of(run(missing(HOSTS[0])))


def test_what_another_deployment_replaced_or_somebody_deleted_needs_no_word_of_running_again() -> None:
    cure = say("rollout.replaced.cure")
    cause = Cause("replaced", 1, 0, say("rollout.observing"), cure)
    replaced = replace(missing(HOSTS[0]), cause=cause)
    assert cure_of(run(replaced)) == cure
    gone = rollout_scenes.gone().outcome
    (row,) = [row for trouble in troubles_of(gone) for row in trouble.rows]
    assert cure_of(gone) == row.cure


def test_after_an_examination_the_cure_is_to_mend_what_it_found() -> None:
    finding = Finding("user", "failed", FAILED)
    assert cure_of(replace(run(missing(HOSTS[0])), findings=(finding,))) == say("doctor.cure")


def test_one_cure_for_all_is_told_once_below_and_several_each_in_its_line() -> None:
    same = run(missing(HOSTS[0]), missing(HOSTS[1]))
    assert not any("What to do" in line for line in english(trouble_lines(same)))
    assert str(cure_of(same)).startswith("Check that the build pushed this very tag")
    assert "Then run again;" in str(cure_of(same))
    late = run(rollout_scenes.watched(HOSTS[0], "pending", problem=rollout_scenes.NOT_READY), error=LATE)
    assert str(cure_of(late)).endswith(str(LATE.cure()))
    other = rollout_scenes.watched(HOSTS[1], "failed", problem=PodProblem(pod="p", reason="OOMKilled"))
    both = run(missing(HOSTS[0]), other, rollout_scenes.watched(HOSTS[2], "failed"))
    cured = ["What to do" in line for line in english(trouble_lines(both))]
    assert cured == [True, True, False]
    assert str(cure_of(both)) == str(FAILED.cure())


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (
            pods(missing(HOSTS[0]), serving=2, old=2, wanted=2),
            f"Old pods still serve: h0.example.com (2 of 2) at {rollout_scenes.BEFORE}.",
        ),
        (
            pods(missing("new.example.com"), serving=1, old=1),
            "Old pods still serve: Deployment/deployment.nginx.new.example.com (1 of 1).",
        ),
        (
            pods(missing(HOSTS[0]), serving=2, old=1, done=1, wanted=3),
            "Some pods serve: h0.example.com (2 of 3).",
        ),
        (pods(missing(HOSTS[0]), serving=1, wanted=3), "Some pods serve: h0.example.com (1 of 3)."),
        (
            pods(missing(HOSTS[0]), serving=0, old=1),
            "No pod serves, so visitors get an error: h0.example.com.",
        ),
        (
            pods(missing("own"), serving=0),
            "No pod is ready: Deployment/deployment.nginx.own.",
        ),
        (
            replace(missing(HOSTS[0]), status=None),
            "The step could not see whether pods serve: h0.example.com.",
        ),
        (
            replace(pods(missing(HOSTS[0]), serving=1, old=1), end="unseen"),
            "The step could not see whether pods serve: h0.example.com.",
        ),
        (
            replace(pods(missing(HOSTS[0]), serving=0, old=1), end="gone"),
            "The step could not see whether pods serve: h0.example.com.",
        ),
    ],
)
def test_who_serves_is_told_with_numbers(item: Watched, told: str) -> None:
    assert told in english(impact_texts(run(item)))


def test_pods_of_a_version_that_was_rewritten_in_place_are_not_told_by_its_name() -> None:
    item = pods(missing(HOSTS[0]), serving=1, old=1)
    outcome = run(replace(item, workload=replace(item.workload, version=rollout_scenes.BEFORE)))
    assert english(impact_texts(outcome)) == ["Old pods still serve: h0.example.com (1 of 1)."]


def test_old_pods_are_told_without_a_version_that_was_not_ready_itself() -> None:
    outcome = run(pods(missing(HOSTS[0]), serving=1, old=1))
    assert outcome.rollout is not None
    before = tuple(replace(item, ready=False) for item in outcome.rollout.before)
    outcome = replace(outcome, rollout=replace(outcome.rollout, before=before))
    assert english(impact_texts(outcome)) == ["Old pods still serve: h0.example.com (1 of 1)."]


def test_pods_of_what_somebody_else_has_deployed_over_it_are_not_called_old() -> None:
    item = pods(missing(HOSTS[0]), serving=1, old=1)
    assert item.status is not None
    item = replace(item, status=replace(item.status, sentence=say("rollout.changed")))
    assert english(impact_texts(run(item))) == ["Some pods serve: h0.example.com (1 of 1)."]


@pytest.mark.parametrize(
    ("runs", "told"), [("", "The step could not see"), ("1.0.7", "Old pods still serve")]
)
def test_of_what_is_gone_after_a_restore_nobody_says_that_its_pods_serve(runs: str, told: str) -> None:
    way = Restoration(runs=((f"{HOSTS[0]}.deployment.yaml", runs),))
    (text,) = english(impact_texts(run(pods(missing(HOSTS[0]), serving=1, old=1), restoration=way)))
    assert text.startswith(told)


def test_a_workload_whose_cause_names_it_is_named_once() -> None:
    vanished = rollout_scenes.watched("own", "gone")
    item = vanished.workload
    cause = cause_of_vanishing(item.kind, item.title, live={}, seen_at=1.0, patience=10)
    outcome = run(replace(vanished, cause=cause), error=WorkloadsGone(count=1), hosts=())
    (line,) = english(trouble_lines(outcome))
    assert line.startswith("Deployment/deployment.nginx.own was there at ")


def test_what_serves_nobody_has_no_impact() -> None:
    job = pods(missing(HOSTS[0]), serving=None)
    job = replace(job, workload=replace(job.workload, kind=kinds.JOB))
    assert impact_texts(run(job)) == []
    assert impact_texts(run(replace(job, end="gone"))) == []
    assert impact_texts(scenes.published()) == []


def test_what_was_restored_serves_again_and_what_is_on_its_way_does_so_in_part() -> None:
    item = pods(missing(HOSTS[0]), serving=0)
    back = replace(
        item, end="ready", status=RolloutStatus("ready", say("rollout.observing"), 1, 1, serving=1)
    )
    way = Restoration(watched=(back,))
    assert english(impact_texts(run(item, restoration=way))) == [
        "The version before serves again: h0.example.com."
    ]
    half = Restoration(watched=(pods(replace(back, end="pending"), serving=1, old=1, wanted=2),))
    assert english(impact_texts(run(item, restoration=half))) == ["Some pods serve: h0.example.com (1 of 2)."]


def test_evidence_comes_last_in_a_closed_group_and_holds_the_pods_words() -> None:
    outcome = run(missing(HOSTS[0]))
    texts = [(line.kind, line.text) for line in verdict_lines(outcome)]
    group = [index for index, (kind, _) in enumerate(texts) if kind == "group"]
    assert len(group) == 1
    cure = next(index for index, (_, text) in enumerate(texts) if text.startswith("What to do:"))
    assert cure < group[0]
    assert texts[-1][0] == "endgroup"
    assert any("ErrImagePull" in line for line in english(evidence_of_troubles(outcome)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_message_has_hosts_then_cure_then_impact(language: Language) -> None:
    outcome = replace(run(pods(missing(HOSTS[0]), serving=1, old=1)), language=language)
    message = message_of(outcome)
    impact, cure = impact_texts(outcome)[0].render(language), say("report.then_again").render(language)
    assert message.index(HOSTS[0]) < message.index(cure) < message.index(impact)
    assert "rpc error" not in message


def test_a_message_that_just_fits_is_not_shortened() -> None:
    def told(size: int) -> str:
        early = say("rollout.ended_before_timeout", deadline="d" * size, timeout=1)
        error = RolloutTimedOut(count=1, seconds=1, details=[early])
        return message_of(run(rollout_scenes.watched(HOSTS[0], "pending"), error=error))

    size = 1 + MOST_MESSAGE_UNITS - utf16_units(told(1) + "\n")
    impact = "\nOld pods still serve: h0.example.com (1 of 1) at "
    assert utf16_units(told(size) + "\n") == MOST_MESSAGE_UNITS
    assert impact in told(size)
    assert impact not in told(size + 1)


CAUSES = {
    "one cause": (rollout_scenes.NOT_FOUND,),
    "several": (rollout_scenes.NOT_FOUND, PodProblem(pod="p", reason="OOMKilled"), rollout_scenes.NOT_READY),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("causes", CAUSES.values(), ids=CAUSES)
@pytest.mark.parametrize("count", [1, 3, 12, 40])
def test_the_message_names_every_host_that_failed_with_cause_impact_cure_and_who_acted(
    language: Language, causes: tuple[PodProblem, ...], count: int
) -> None:
    hosts = tuple(f"a-host-with-a-long-name-{number}.web.example.com" for number in range(count))
    items = [
        pods(
            rollout_scenes.watched(host, "failed", problem=causes[number % len(causes)]),
            serving=number % 2,
            old=number % 2,
        )
        for number, host in enumerate(hosts)
    ]
    outcome = replace(run(*items, hosts=hosts), language=language)
    message = message_of(outcome)
    assert utf16_units(message) <= MOST_MESSAGE_UNITS
    assert all(host in message for host in hosts)
    told = [
        say("report.serve_none_web", names="").render(language)[:-2],
        say("context.cure", value=cure_of(outcome)).render(language),
        *(say(f"context.{name}", value=value).render(language) for name, value in WHO.items()),
    ]
    assert all(text in message for text in told)
    assert "…" not in message
    assert not any(word in message for word in ("above", "上面", "上文"))
    assert message.splitlines()[-1] == say("context.gateway_request_id", value="g-5").render(language)


def test_of_more_hosts_than_a_message_holds_the_others_are_counted_and_each_name_is_whole() -> None:
    hosts = tuple(f"a-host-with-a-long-name-{number}.web.example.com" for number in range(120))
    outcome = run(*map(missing, hosts), hosts=hosts)
    message = message_of(outcome)
    assert utf16_units(message) <= MOST_MESSAGE_UNITS
    shown = {host for host in hosts if re.search(rf"{re.escape(host)}\b", message)}
    more = re.search(r"… and (\d+) more\.", message)
    assert more
    assert len(shown) + int(more[1]) == len(hosts)
    log = "\n".join(line.text for line in verdict_lines(outcome))
    assert all(host in log for host in hosts)


def test_a_cause_is_told_once_and_then_with_what_differs() -> None:
    other = replace(rollout_scenes.NOT_FOUND, image="reg/web:2")
    killed = PodProblem(pod="p", reason="OOMKilled", container="web")
    items = [missing(HOSTS[0]), rollout_scenes.watched(HOSTS[1], "failed", problem=other)]
    items += [rollout_scenes.watched(host, "failed", problem=killed) for host in HOSTS[2:4]]
    lines = english(trouble_lines(run(*items)))
    assert "does not exist in its registry. What to do: " in lines[0]
    assert lines[1] == "h1.example.com: the same, for reg/web:2."
    assert "Container web was killed" in lines[2]
    assert lines[3] == "h3.example.com: the same."


def test_what_is_ready_all_the_same_is_counted() -> None:
    ready = [rollout_scenes.watched(host, "ready") for host in HOSTS[1:]]
    assert str(others_ready_text(run(missing(HOSTS[0]), *ready))) == "Ready: 7 of 8 domains."
    assert others_ready_text(run(missing(HOSTS[0]))) is None
    assert others_ready_text(scenes.published()) is None


def test_an_error_that_is_not_about_workloads_keeps_its_own_details() -> None:
    stopped = replace(rollout_scenes.timed_out().outcome, error=Interrupted(signal="SIGTERM"))
    never = replace(rollout_scenes.timed_out().outcome, rollout=None)
    for outcome in (rollout_scenes.page_missed().outcome, scenes.half_published(), stopped, never):
        assert troubles_of(outcome) == ()
        assert trouble_title(outcome) is None
        assert trouble_lines(outcome) == []
    went_well = rollout_scenes.deployed().outcome
    assert cure_of(went_well) is None
    assert trouble_lines(went_well) == grouped_lines(went_well) == []
