"""How files and rows end: what publishing and the rollout say of them, and no better than they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import DeployRefused, Interrupted
from bcs_template_set.messages.state_words import FileState, Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.file_states import STATES, Ending, ending_of_row, endings_of
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rows import rows_of_outcome
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.result import Restoration, Rollout


def states(outcome: Outcome) -> dict[str, str]:
    """How each row ended, with its reason."""
    return {row.name.partition(".")[0]: row.ending.words for row in rows_of_outcome(outcome)}


def rolled_out(scene: str, **fields: object) -> Outcome:
    """A scene whose rollout has these fields instead of its own."""
    outcome = rollout_scenes.SCENES[scene]().outcome
    assert outcome.rollout is not None
    return replace(outcome, rollout=replace(outcome.rollout, **fields))  # type: ignore[arg-type] # its fields


# --- publishing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("planned", {"a": "planned", "b": "planned", "c": "unchanged", "d": "unchanged"}),
        ("published", {"a": "published", "b": "published", "c": "unchanged", "d": "unchanged"}),
        ("unchanged", {"c": "unchanged", "d": "unchanged"}),
        ("conflict", {"a": "not-attempted", "b": "failed (800401)"}),
        ("lost_route", {"b": "not-attempted", "c": "unchanged", "d": "unchanged"}),
        ("skipped", {"b": "skipped"}),
        ("half_published", {"a": "published", "b": "failed (800606)", "c": "unchanged", "d": "unchanged"}),
    ],
)
def test_a_row_ends_as_its_files_did(scene: str, expected: dict[str, str]) -> None:
    assert states(scenes.SCENES[scene]()) == expected


def test_a_domain_that_the_run_did_not_get_through_tells_how_many_of_its_files_are_written() -> None:
    first, second = scenes.updated("b.example.com")
    outcome = scenes.outcome_of(scenes.plan_of(first, second))
    outcome = replace(
        outcome,
        result="failed",
        error=Interrupted(signal="SIGTERM"),
        files=(scenes.applied(first), scenes.not_attempted(second)),
    )
    assert states(outcome) == {"b": "not-attempted (1/2)"}


def test_a_row_took_as_long_as_its_slowest_file() -> None:
    (row, *_) = rows_of_outcome(scenes.published())
    assert [file.ending.seconds for file in row.files] == [0.6, 0.4]
    assert row.ending.seconds == 0.6


def test_what_nobody_did_anything_about_took_no_time() -> None:
    assert endings_of(rollout_scenes.deployed().outcome)["c.example.com.deployment.yaml"].seconds == 0


def test_a_run_without_a_plan_has_no_rows() -> None:
    assert endings_of(scenes.no_permission()) == {}


# --- deploying ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("deployed", {"a": "ready", "b": "ready", "c": "live"}),
        ("paused", {"a": "ready", "b": "paused (1/3)", "c": "live"}),
        ("image_not_found", {"a": "ready", "b": "failed (ErrImagePull)", "c": "live"}),
        ("timed_out", {"a": "ready", "b": "rolling-out (0/1)", "c": "live"}),
        ("unseen", {"a": "ready", "b": "unknown (server-error, 800606)", "c": "live"}),
        ("gone", {"a": "ready", "b": "failed (gone)", "c": "live"}),
        ("restored", {"a": "ready", "b": "restored (ErrImagePull)", "c": "live"}),
        ("nothing_to_deploy", {"c": "live"}),
        ("page_missed", {"a": "deployed", "b": "ready", "c": "live"}),
    ],
)
def test_after_a_deployment_a_row_ends_as_its_workloads_did(scene: str, expected: dict[str, str]) -> None:
    assert states(rollout_scenes.SCENES[scene]().outcome) == expected


def test_a_deployed_row_took_its_publishing_and_then_the_wait() -> None:
    endings = endings_of(rollout_scenes.deployed().outcome)
    assert endings["b.example.com.deployment.yaml"].seconds == pytest.approx(0.6 + 12.3)


@pytest.mark.parametrize(
    ("end", "expected"),
    [("failed", "live-not-ready"), ("pending", "live-not-ready (0/1)"), ("ready", "live")],
)
def test_what_was_live_before_and_is_not_ready_is_called_so(end: WorkloadState, expected: str) -> None:
    item = rollout_scenes.watched("c.example.com", end)
    item = replace(item, workload=replace(item.workload, was_live=True))
    assert states(rolled_out("deployed", watched=(item,)))["c"] == expected


def test_what_has_nothing_to_wait_for_is_deployed_and_not_called_ready() -> None:
    item = rollout_scenes.watched("a.example.com", "nothing", key="rollout.job_suspended")
    assert states(rolled_out("deployed", watched=(item,)))["a"] == "deployed"


def test_what_nobody_waited_for_is_deployed_and_not_called_ready() -> None:
    assert states(rolled_out("deployed", watched=(), waited=False)) == {
        "a": "deployed",
        "b": "deployed",
        "c": "live",
    }


def refused(error: StepError, **fields: object) -> Outcome:
    return replace(rolled_out("deployed", watched=(), **fields), result="failed", error=error)


def test_what_a_refused_call_did_is_told_file_by_file() -> None:
    deployed, rest = rollout_scenes.DEPLOYED[:2], rollout_scenes.DEPLOYED[2:]
    outcome = refused(DeployRefused(message="no"), deployed=deployed, partly=rest[:1])
    assert states(outcome) == {"a": "deployed", "b": "partly-deployed", "c": "live"}
    assert endings_of(outcome)["b.example.com.routes.yaml"].state == "not-deployed"


def test_where_nobody_could_look_a_file_is_not_said_to_be_as_it_was() -> None:
    files = tuple(file.name for file in rollout_scenes.DEPLOYED)
    stopped = refused(Interrupted(signal="SIGTERM"), deployed=(), unread=files)
    assert states(stopped) == {"a": "unknown", "b": "unknown", "c": "live"}


def test_a_file_at_which_bcs_stopped_has_the_errors_code_and_what_was_not_sent_is_not_attempted() -> None:
    first, second, *rest = (file.name for file in rollout_scenes.DEPLOYED)
    outcome = refused(
        DeployRefused(message="no"),
        deployed=rollout_scenes.DEPLOYED[:1],
        refused=(second,),
        not_attempted=tuple(rest),
    )
    words = {name: ending.words for name, ending in endings_of(outcome).items()}
    assert (words[first], words[second]) == ("deployed", "not-deployed (800504)")
    assert {words[name] for name in rest} == {"not-attempted"}


def test_an_unchanged_file_that_did_not_become_live_is_not_hidden_among_the_unchanged() -> None:
    plan = scenes.plan_of(*scenes.unchanged("c.example.com"))
    rollout = Rollout(rollout_scenes.CLUSTER, rollout_scenes.NAMESPACE)
    outcome = replace(
        scenes.outcome_of(plan), result="failed", error=DeployRefused(message="no"), rollout=rollout
    )
    (row,) = rows_of_outcome(outcome)
    assert (row.word, row.ending.state, row.is_quiet) == ("unchanged", "not-deployed", False)


def test_a_file_that_is_held_back_is_called_so_and_one_that_failed_to_be_written_stays_failed() -> None:
    held, failed = (file.name for file in rollout_scenes.DEPLOYED[:2])
    outcome = rolled_out("deployed", deployed=(), watched=(), held=(held, failed))
    files = [
        replace(file, state="failed", error=None) if file.change.name == failed else file
        for file in outcome.files
    ]
    endings = endings_of(replace(outcome, files=tuple(files)))
    assert (endings[held].words, endings[failed].words) == ("held", "failed")
    assert endings[failed].seconds == files[1].seconds


def test_a_file_that_nobody_deployed_has_no_reason_where_no_error_tells_one() -> None:
    refused, other = (file.name for file in rollout_scenes.DEPLOYED[:2])
    endings = endings_of(rolled_out("deployed", deployed=(), watched=(), refused=(refused,)))
    assert endings[refused].words == endings[other].words == "not-deployed"


@pytest.mark.parametrize(("result", "state"), [("planned", "planned"), ("failed", "not-attempted")])
def test_a_file_that_is_to_go_back_has_not_gone_yet(result: Result, state: str) -> None:
    change = replace(scenes.unchanged("c.example.com")[0], action="rollback")
    run = replace(scenes.outcome_of(scenes.plan_of(change)), result=result)
    assert endings_of(replace(run, files=(scenes.not_attempted(change),)))[change.name].state == state
    assert endings_of(replace(run, files=()))[change.name].state == state


def test_a_file_is_not_ready_before_all_its_workloads_are_and_tells_each_reason_once() -> None:
    first = rollout_scenes.watched("a.example.com", "failed", problem=rollout_scenes.NOT_FOUND)
    killed = rollout_scenes.watched(
        "a.example.com", "failed", problem=PodProblem(pod="p", reason="OOMKilled")
    )
    mute = replace(first, problem=None, cause=None)
    pending = rollout_scenes.watched("a.example.com", "pending")
    late = rollout_scenes.watched("a.example.com", "pending", problem=rollout_scenes.NOT_READY)
    assert states(rolled_out("deployed", watched=(first, killed, first, mute, late)))["a"] == (
        "failed (ErrImagePull, OOMKilled)"
    )
    ready = rollout_scenes.watched("a.example.com", "ready")
    unread = replace(pending, status=None)
    assert states(rolled_out("deployed", watched=(ready, pending, unread)))["a"] == "rolling-out (1/2)"
    assert states(rolled_out("deployed", watched=(unread,)))["a"] == "rolling-out"


def test_a_file_failed_where_one_of_its_workloads_was_not_live_before() -> None:
    new = rollout_scenes.watched("c.example.com", "failed")
    live = replace(new, workload=replace(new.workload, was_live=True))
    assert states(rolled_out("deployed", watched=(new, live)))["c"] == "failed"
    blind = replace(live, end="unseen")
    assert states(rolled_out("deployed", watched=(blind,)))["c"] == "unknown"


def test_a_wait_counts_for_the_file_that_was_waited_for_and_not_for_one_that_was_live() -> None:
    waited = rollout_scenes.watched("a.example.com", "ready", seconds=4.0)
    longer = replace(waited, seconds=9.0)
    live = rollout_scenes.watched("c.example.com", "ready", seconds=3.0)
    endings = endings_of(rolled_out("deployed", watched=(longer, waited, live)))
    assert endings["a.example.com.deployment.yaml"].seconds == pytest.approx(0.6 + 9.0)
    assert endings["a.example.com.routes.yaml"].seconds == pytest.approx(0.4)
    assert endings["c.example.com.deployment.yaml"].seconds == 0


# --- going back -----------------------------------------------------------------------------------------

BACK = tuple(
    rollout_scenes.file_version(item.file, version=item.version) for item in rollout_scenes.ROLLOUT.before
)
NAMES = tuple(file.name for file in BACK)
RUNS = tuple((name, scenes.VERSION) for name in NAMES)
PROBLEM = say("deploy.restoring")


@pytest.mark.parametrize(
    ("way", "state"),
    [
        (Restoration(files=BACK), "restored (ErrImagePull)"),
        (Restoration(files=BACK, problem=PROBLEM, unwatched=NAMES), "unknown (ErrImagePull)"),
        (
            Restoration(
                files=BACK,
                problem=PROBLEM,
                watched=(rollout_scenes.watched("b.example.com", "failed"),),
            ),
            "failed (ErrImagePull)",
        ),
        (
            Restoration(
                files=BACK,
                problem=PROBLEM,
                watched=(rollout_scenes.watched("b.example.com", "pending"),),
            ),
            "rolling-out (ErrImagePull)",
        ),
        (
            Restoration(files=BACK, watched=(rollout_scenes.watched("b.example.com", "paused"),)),
            "paused (ErrImagePull)",
        ),
        (Restoration(problem=PROBLEM), "failed (ErrImagePull)"),
        (Restoration(problem=PROBLEM, not_back=NAMES), "unknown (ErrImagePull)"),
        (Restoration(problem=PROBLEM, unread=NAMES), "unknown (ErrImagePull)"),
        (Restoration(problem=PROBLEM, not_back=NAMES, runs=RUNS), "failed (ErrImagePull)"),
    ],
)
def test_only_what_was_seen_to_be_back_is_restored(way: Restoration, state: str) -> None:
    assert states(rolled_out("restored", restoration=way))["b"] == state


def test_a_restored_file_that_is_not_of_this_run_is_none_of_its_rows() -> None:
    other = rollout_scenes.file_version("other.yaml")
    back = rolled_out("restored", restoration=Restoration(files=(*BACK, other)))
    assert "other.yaml" not in endings_of(back)


# --- rows -----------------------------------------------------------------------------------------------


def test_every_state_has_its_place_in_the_order() -> None:
    assert len(set(STATES)) == len(STATES)


def test_a_row_has_the_reasons_of_its_worst_files_each_once_and_the_longest_time() -> None:
    files = [Ending("failed", "a", 1.0), Ending("failed", "b", 3.0), Ending("failed", "a"), Ending("failed")]
    assert ending_of_row([Ending("ready", "x", 2.0), *files]) == Ending("failed", "a, b", 3.0)


def test_a_row_that_was_not_attempted_tells_what_was_written_of_it_and_nothing_of_the_unchanged() -> None:
    left, done, still = Ending("not-attempted"), Ending("published"), Ending("unchanged")
    assert ending_of_row([done, left, left, still, still]).words == "not-attempted (1/3)"
    assert ending_of_row([left, still]).words == "not-attempted"


@pytest.mark.parametrize("worse", STATES)
def test_a_row_is_no_better_than_the_worst_of_its_files(worse: FileState) -> None:
    better = STATES[STATES.index(worse) :]
    for other in better:
        assert ending_of_row([Ending(other), Ending(worse)]).state == worse


def test_of_rows_in_one_state_those_with_a_reason_come_first() -> None:
    rows = rows_of_outcome(rolled_out("restored", restoration=Restoration(files=rollout_scenes.DEPLOYED)))
    assert [(row.name, row.ending.words) for row in rows[:2]] == [
        ("b.example.com", "restored (ErrImagePull)"),
        ("a.example.com", "restored"),
    ]


def test_a_file_that_is_left_to_a_newer_build_is_skipped_also_where_the_run_did_not_get_to_it() -> None:
    change = replace(scenes.updated("b.example.com")[0], action="skip")
    run = replace(scenes.outcome_of(scenes.plan_of(change)), files=(scenes.not_attempted(change),))
    assert endings_of(run)[change.name].state == "skipped"


def test_a_workload_without_a_pods_problem_has_the_cause_in_itself_as_its_reason() -> None:
    item = rollout_scenes.watched("b.example.com", "failed", problem=rollout_scenes.NOT_FOUND)
    run = rolled_out("image_not_found", watched=(replace(item, problem=None),))
    assert item.cause is not None
    assert f"failed ({item.cause.name})" in states(run).values()
