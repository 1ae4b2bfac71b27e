from __future__ import annotations

from collections.abc import Callable
from typing import Optional, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.objects import Object, condition, deployment, workload

from bcs_template_set.manifests.kind_rules import DONE, SETTLED, WorkloadState
from bcs_template_set.manifests.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, STATEFUL_SET
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.watched import RolloutStatus, status_of


def told(status: RolloutStatus) -> tuple[str, str]:
    return status.state, status.sentence.key.partition(".")[2]


# --- Deployment: the lines of kubectl's DeploymentStatusViewer, top to bottom ---------------------------

TIMED_OUT = condition("Progressing", "False", reason="ProgressDeadlineExceeded")
DEPLOYMENTS: list[tuple[str, Object, str, str]] = [
    ("spec not observed", {**deployment(), "status": {"observedGeneration": 1}}, "progressing", "observing"),
    ("status empty", {**deployment(), "status": {}}, "progressing", "observing"),
    ("deadline, though counts are full", deployment(conditions=[TIMED_OUT]), "failed", "deadline_exceeded"),
    ("fewer updated than wanted", deployment(updated=2), "progressing", "updating"),
    ("no updated count at all", deployment(updated=0, total=3), "progressing", "updating"),
    ("paused half way", deployment(updated=2, paused=True), "failed", "paused"),
    ("paused beside old pods", deployment(total=4, paused=True), "failed", "paused"),
    ("paused while they start", deployment(available=2, paused=True), "progressing", "not_available"),
    ("paused when done", deployment(paused=True), "ready", "ready"),
    ("old pods left", deployment(total=4), "progressing", "old_pods"),
    ("updated not available", deployment(available=2), "progressing", "not_available"),
    ("done", deployment(), "ready", "ready"),
    (
        "observed more than asked",
        deployment(generation=2) | {"metadata": {"generation": 1}},
        "ready",
        "ready",
    ),
    ("scaled to nothing", deployment(replicas=0, total=0, updated=0, available=0), "ready", "ready_none"),
    (
        "nothing wanted, old ones ending",
        deployment(replicas=0, total=2, updated=0),
        "progressing",
        "old_pods",
    ),
    (
        "replicas left out means one",
        workload("Deployment", status={"replicas": 0, "updatedReplicas": 0}),
        "progressing",
        "updating",
    ),
]


@pytest.mark.parametrize(
    ("live", "state", "sentence"), [row[1:] for row in DEPLOYMENTS], ids=[row[0] for row in DEPLOYMENTS]
)
def test_a_deployment_is_judged_as_kubectl_judges_it(live: Object, state: str, sentence: str) -> None:
    assert told(status_of(DEPLOYMENT, live)) == (state, sentence)


def test_a_deadline_of_the_spec_before_is_not_held_against_the_new_one() -> None:
    live = deployment(conditions=[TIMED_OUT])
    live["metadata"] = {"generation": 3}
    assert told(status_of(DEPLOYMENT, live)) == ("progressing", "observing")


@pytest.mark.parametrize(
    ("total", "updated", "available", "done"),
    [(3, 0, 3, 0), (4, 1, 3, 0), (4, 1, 4, 1), (4, 2, 3, 1), (3, 3, 2, 2), (3, 3, 3, 3)],
)
def test_old_pods_that_are_well_are_not_counted_as_done(
    total: int, updated: int, available: int, done: int
) -> None:
    status = status_of(DEPLOYMENT, deployment(total=total, updated=updated, available=available))
    assert (status.done, status.wanted) == (done, 3)


# --- StatefulSet ----------------------------------------------------------------------------------------


def stateful_set(
    *,
    strategy: Optional[Object] = None,
    ready: int = 3,
    updated: int = 3,
    update: str = "web-2",
    current: str = "web-2",
    generation: int = 2,
) -> Object:
    return workload(
        "StatefulSet",
        generation=generation,
        spec={"replicas": 3, **({"updateStrategy": strategy} if strategy is not None else {})},
        status={
            "replicas": 3,
            "readyReplicas": ready,
            "updatedReplicas": updated,
            "updateRevision": update,
            "currentRevision": current,
        },
    )


def rolling(partition: int) -> Object:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}


BARE: Object = {"type": "RollingUpdate"}
BY_HAND: Object = {"type": "OnDelete"}
STATEFUL_SETS: list[tuple[str, Object, str, str]] = [
    ("by hand, some old", stateful_set(strategy=BY_HAND, updated=2), "paused", "by_hand"),
    (
        "by hand, not all ready",
        stateful_set(strategy=BY_HAND, ready=2, updated=0),
        "progressing",
        "not_ready",
    ),
    ("by hand, all new", stateful_set(strategy=BY_HAND, current="web-1"), "ready", "ready"),
    ("never observed", {**stateful_set(), "status": {"readyReplicas": 3}}, "progressing", "observing"),
    ("spec not observed", stateful_set() | {"metadata": {"generation": 3}}, "progressing", "observing"),
    ("not all ready", stateful_set(ready=2), "progressing", "not_ready"),
    ("ready comes before updated", stateful_set(ready=2, updated=1), "progressing", "not_ready"),
    ("partition 0, too few updated", stateful_set(strategy=rolling(0), updated=2), "progressing", "updating"),
    ("partition 0, all updated", stateful_set(strategy=rolling(0), current="web-1"), "ready", "ready"),
    ("partition 2, none updated", stateful_set(strategy=rolling(2), updated=0), "progressing", "updating"),
    ("partition 2, one updated", stateful_set(strategy=rolling(2), updated=1), "paused", "partitioned"),
    ("partition past the end", stateful_set(strategy=rolling(5), updated=0), "paused", "partitioned"),
    ("partition 2, all updated", stateful_set(strategy=rolling(2), current="web-1"), "ready", "ready"),
    ("no strategy is partition 0", stateful_set(current="web-1"), "ready", "ready"),
    ("no strategy, too few updated", stateful_set(updated=2), "progressing", "updating"),
    ("by revision, under way", stateful_set(strategy=BARE, current="web-1"), "progressing", "updating"),
    ("by revision, done", stateful_set(strategy=BARE, updated=0), "ready", "ready"),
    (
        "by revision, since what else is said is no mapping",
        stateful_set(strategy={**BARE, "rollingUpdate": "x"}, updated=0),
        "ready",
        "ready",
    ),
]


@pytest.mark.parametrize(
    ("live", "state", "sentence"), [row[1:] for row in STATEFUL_SETS], ids=[row[0] for row in STATEFUL_SETS]
)
def test_a_stateful_set_is_judged_as_kubectl_judges_it(live: Object, state: str, sentence: str) -> None:
    assert told(status_of(STATEFUL_SET, live)) == (state, sentence)


@pytest.mark.parametrize("partition", [1, 3, 5])
def test_new_pods_that_a_partition_would_keep_are_counted_too(partition: int) -> None:
    status = status_of(STATEFUL_SET, stateful_set(strategy=rolling(partition), current="web-1"))
    assert str(status.sentence) == "3 of 3 pods are updated and ready."


def test_pods_that_a_partition_keeps_old_are_not_done() -> None:
    status = status_of(STATEFUL_SET, stateful_set(strategy=rolling(1), updated=1))
    assert (status.done, status.wanted) == (1, 3)


# --- DaemonSet ------------------------------------------------------------------------------------------


def daemon_set(
    *, desired: int = 3, updated: int = 3, available: int = 3, strategy: Optional[Object] = None
) -> Object:
    return workload(
        "DaemonSet",
        spec={"updateStrategy": strategy} if strategy is not None else {},
        status={
            "desiredNumberScheduled": desired,
            "currentNumberScheduled": desired,
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
        },
    )


DAEMON_SETS: list[tuple[str, Object, str, str]] = [
    ("by hand, some old", daemon_set(strategy=BY_HAND, updated=0), "paused", "by_hand"),
    (
        "by hand, not all available",
        daemon_set(strategy=BY_HAND, updated=0, available=2),
        "progressing",
        "not_available",
    ),
    ("by hand, all new", daemon_set(strategy=BY_HAND), "ready", "ready"),
    ("spec not observed", daemon_set() | {"metadata": {"generation": 3}}, "progressing", "observing"),
    ("too few updated", daemon_set(updated=2), "progressing", "updating"),
    ("too few available", daemon_set(available=2), "progressing", "not_available"),
    ("done", daemon_set(strategy={"type": "RollingUpdate"}), "ready", "ready"),
    ("no node is chosen", daemon_set(desired=0, updated=0, available=0), "ready", "ready_none"),
]


@pytest.mark.parametrize(
    ("live", "state", "sentence"), [row[1:] for row in DAEMON_SETS], ids=[row[0] for row in DAEMON_SETS]
)
def test_a_daemon_set_is_judged_as_kubectl_judges_it(live: Object, state: str, sentence: str) -> None:
    assert told(status_of(DAEMON_SET, live)) == (state, sentence)


# --- Job ------------------------------------------------------------------------------------------------


def job(*conditions: YamlValue, succeeded: int = 0, **spec: YamlValue) -> Object:
    return workload("Job", spec=spec, status={"succeeded": succeeded, "conditions": list(conditions)})


def job_with(**status: YamlValue) -> Object:
    return workload("Job", status=status)


JOBS: list[tuple[str, Object, str, str]] = [
    ("running", job(), "progressing", "job_running"),
    ("some done", job(succeeded=2, completions=3), "progressing", "job_running"),
    ("counts alone are no end", job(succeeded=3, completions=3), "progressing", "job_running"),
    ("complete", job(condition("Complete"), succeeded=1), "ready", "job_complete"),
    ("not complete", job(condition("Complete", "False")), "progressing", "job_running"),
    ("failed", job(condition("Failed", reason="BackoffLimitExceeded")), "failed", "job_failed"),
    ("bound to fail", job(condition("FailureTarget", reason="DeadlineExceeded")), "failed", "job_failed"),
    ("suspended by its spec", job(suspend=True), "nothing", "job_suspended"),
    ("suspended", job(condition("Suspended")), "nothing", "job_suspended"),
    ("complete before suspended", job(condition("Complete"), suspend=True), "ready", "job_complete"),
]


@pytest.mark.parametrize(
    ("live", "state", "sentence"), [row[1:] for row in JOBS], ids=[row[0] for row in JOBS]
)
def test_a_job_ends_by_its_conditions(live: Object, state: str, sentence: str) -> None:
    assert told(status_of(JOB, live)) == (state, sentence)


def test_a_failed_job_says_what_the_cluster_says_and_never_reads_it_as_a_sentence() -> None:
    failed = job(condition("Failed", reason="DeadlineExceeded", message="{wanted} was active too long"))
    sentence = status_of(JOB, failed).sentence.render("en_US")
    assert sentence == "The Job failed (DeadlineExceeded: {wanted} was active too long)."


# --- CronJob --------------------------------------------------------------------------------------------

CRON_JOBS: list[tuple[str, Object, str, str]] = [
    ("as it is", workload("CronJob", spec={"schedule": "0 3 * * *"}), "nothing", "cron_job"),
    ("suspended", workload("CronJob", spec={"suspend": True}), "nothing", "cron_job_suspended"),
    ("not suspended", workload("CronJob", spec={"suspend": False}), "nothing", "cron_job"),
]


@pytest.mark.parametrize(
    ("live", "state", "sentence"), [row[1:] for row in CRON_JOBS], ids=[row[0] for row in CRON_JOBS]
)
def test_of_a_cron_job_nothing_is_awaited(live: Object, state: str, sentence: str) -> None:
    assert told(status_of(CRON_JOB, live)) == (state, sentence)


# --- all of them ----------------------------------------------------------------------------------------

LATE = deployment(conditions=[TIMED_OUT], progressDeadlineSeconds=600, total=4, updated=2, available=1)
ALL = {
    DEPLOYMENT: [*DEPLOYMENTS, ("deadline of ten minutes", LATE, "", "")],
    STATEFUL_SET: STATEFUL_SETS,
    DAEMON_SET: DAEMON_SETS,
    JOB: [*JOBS, ("some run, some failed", job_with(active=2, failed=1), "", "")],
    CRON_JOB: CRON_JOBS,
}


def test_each_look_says_what_it_has_counted(golden: Callable[[str, str], None]) -> None:
    said = ""
    for kind, rows in ALL.items():
        for name, live, *_ in rows:
            status = status_of(kind, live)
            counts = f"{status.done} of {status.wanted} done"
            said += f"{kind.name}, {name}\n  {status.state}, {counts}: {status.sentence.render('en_US')}\n"
    golden("looks.txt", said)


def test_a_wait_is_over_for_what_is_well_and_settled_for_what_waits_for_a_person() -> None:
    states: tuple[WorkloadState, ...] = get_args(WorkloadState)
    assert [state for state in states if state in DONE] == ["ready", "nothing"]
    assert [state for state in states if state in SETTLED] == ["ready", "paused", "nothing"]
    ends = {status_of(kind, live).state for kind, rows in ALL.items() for _, live, *_ in rows}
    assert ends == SETTLED | {"progressing", "failed"}


# --- more never makes less -------------------------------------------------------------------------------

COUNT = st.integers(min_value=0, max_value=6)


@given(replicas=COUNT, total=COUNT, updated=COUNT, available=COUNT)
def test_one_more_available_pod_never_makes_a_deployment_less_done(
    replicas: int, total: int, updated: int, available: int
) -> None:
    def at(count: int) -> RolloutStatus:
        return status_of(
            DEPLOYMENT, deployment(replicas=replicas, total=total, updated=updated, available=count)
        )

    less, more = at(available), at(available + 1)
    assert less.done <= more.done <= more.wanted == replicas
    assert less.state != "ready" or more.state == "ready"


@given(ready=COUNT, updated=COUNT, partition=COUNT)
def test_one_more_ready_pod_never_makes_a_stateful_set_less_done(
    ready: int, updated: int, partition: int
) -> None:
    def at(count: int) -> RolloutStatus:
        return status_of(
            STATEFUL_SET, stateful_set(strategy=rolling(partition), ready=count, updated=updated)
        )

    less, more = at(ready), at(ready + 1)
    assert less.done <= more.done <= more.wanted
    assert less.state != "ready" or more.state == "ready"
