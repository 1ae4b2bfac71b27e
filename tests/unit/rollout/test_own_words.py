"""What a workload says of itself, and which silence is one."""

from __future__ import annotations

import pytest
from tests.support.objects import Object, condition, deployment, workload

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB, POD, STATEFUL_SET
from bcs_template_set.rollout.causes import is_silent, told_by

QUOTA = condition("ReplicaFailure", reason="FailedCreate", message="exceeded quota: team")


def stateful_set(*, wanted: int = 2, total: int = 0, ready: int = 0) -> Object:
    return workload(
        "StatefulSet",
        spec={"replicas": wanted},
        status={"replicas": total, "readyReplicas": ready, "updatedReplicas": total},
    )


def daemon_set(*, wanted: int = 2, total: int = 0, ready: int = 0) -> Object:
    counts = {"desiredNumberScheduled": wanted, "currentNumberScheduled": total, "numberAvailable": ready}
    return workload("DaemonSet", status=dict(counts))


def unobserved() -> Object:
    return {**stateful_set(), "status": {"observedGeneration": 1}}


SILENCES: list[tuple[str, Kind, Object, bool]] = [
    ("none of two pods", STATEFUL_SET, stateful_set(), True),
    ("one of two, and that one is well", STATEFUL_SET, stateful_set(total=1, ready=1), True),
    ("one of two, and that one is on its way", STATEFUL_SET, stateful_set(total=1), False),
    ("all are there", STATEFUL_SET, stateful_set(total=2, ready=1), False),
    ("none are wanted", STATEFUL_SET, stateful_set(wanted=0), False),
    ("a spec that nobody has seen", STATEFUL_SET, unobserved(), False),
    ("on no node", DAEMON_SET, daemon_set(), True),
    ("on one of two nodes", DAEMON_SET, daemon_set(total=1), False),
    ("no node", DAEMON_SET, daemon_set(wanted=0), False),
    ("a Job without a pod", JOB, workload("Job"), True),
    ("a Job whose pod runs", JOB, workload("Job", status={"active": 1}), False),
    ("a Job between two tries", JOB, workload("Job", status={"failed": 1}), False),
    ("a Job that is done", JOB, workload("Job", status={"conditions": [condition("Complete")]}), False),
    ("a Job whose pods have succeeded", JOB, workload("Job", status={"succeeded": 1}), False),
    ("a Job whose pods have failed", JOB, workload("Job", status={"failed": 1}), False),
    ("a Job that is suspended", JOB, workload("Job", spec={"suspend": True}), False),
    ("a Deployment says it itself", DEPLOYMENT, deployment(total=0, updated=0, available=0), False),
    ("a Job without status", JOB, {**workload("Job"), "status": None}, False),
    (
        "a StatefulSet without status",
        STATEFUL_SET,
        {**stateful_set(), "status": None},
        False,
    ),
    ("a kind without a rule", POD, workload("Pod"), False),
]


@pytest.mark.parametrize(
    ("kind", "live", "silent"), [row[1:] for row in SILENCES], ids=[r[0] for r in SILENCES]
)
def test_pods_that_are_wanted_and_not_made_are_a_silence(kind: Kind, live: Object, silent: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_silent(kind, live) is silent


def test_what_a_workload_says_comes_before_its_silence() -> None:
    cause = told_by(DEPLOYMENT, deployment(conditions=[QUOTA]), silent_for=60)
    assert cause is not None
    assert (cause.name, cause.patience) == ("quota", None)
