"""Which pods are read whole: the new ones in trouble, and those of earlier revisions that are waited for."""

from __future__ import annotations

import pytest
from tests.support.objects import Object, condition, deployment, pod, workload

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB, STATEFUL_SET
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.newest_pods import (
    PodSummary,
    Suspect,
    lasts,
    problems_of_suspect,
    suspects_of,
)

REVISION = "controller-revision-hash"
NAMED = condition("Progressing", reason="ReplicaSetUpdated", message='ReplicaSet "web-new" is progressing.')


def one(
    name: str,
    revision: str = "new",
    *,
    state: str = "ImagePullBackOff",
    label: str = REVISION,
    going: bool = False,
    created: str = "1",
) -> PodSummary:
    ready = state == "ready"
    return PodSummary(
        name=name,
        uid=name,
        labels=((label, revision),),
        created=created,
        state="Running" if ready else state,
        images=(),
        is_ready=ready,
        is_going=going,
    )


def stateful_set(**spec: YamlValue) -> Object:
    status: Object = {"updateRevision": "new", "currentRevision": "old"}
    return workload("StatefulSet", spec={**STRATEGY, **spec}, status=status)


STRATEGY: Object = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}
BY_HAND: Object = {"updateStrategy": {"type": "OnDelete"}}


def found(
    *pods: PodSummary, live: Object, kind: Kind = STATEFUL_SET, quiet_for: float = 0.0, failed: bool = False
) -> list[tuple[str, str]]:
    suspects = suspects_of(pods, kind=kind, live=live, quiet_for=quiet_for, failed=failed)
    return [(suspect.pod.name, suspect.role) for suspect in suspects]


def test_a_broken_pod_of_an_earlier_revision_is_what_an_ordered_stateful_set_waits_for() -> None:
    pods = [one("web-10", "old"), one("web-2", "old"), one("web-0", "old", state="ready"), one("web-3")]
    assert found(*pods, live=stateful_set()) == [
        ("web-2", "earlier"),
        ("web-10", "earlier"),
        ("web-3", "new"),
    ]


def test_a_parallel_stateful_set_replaces_a_broken_old_pod_by_itself() -> None:
    assert found(one("web-1", "old"), live=stateful_set(podManagementPolicy="Parallel")) == []


@pytest.mark.parametrize("policy", ["Parallel", "OrderedReady"])
def test_below_the_partition_an_old_pod_stays_and_has_to_be_ready(policy: str) -> None:
    strategy: Object = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    live = stateful_set(updateStrategy=strategy, podManagementPolicy=policy)
    assert found(one("web-1", "old"), live=live) == [("web-1", "below")]


@pytest.mark.parametrize("kind", [STATEFUL_SET, DAEMON_SET])
def test_with_on_delete_an_old_pod_stays_and_has_to_be_ready(kind: Kind) -> None:
    labels = {STATEFUL_SET: REVISION, DAEMON_SET: "pod-template-generation"}
    live = workload(
        kind.name,
        spec=BY_HAND,
        status={"updateRevision": "new"},
        annotations={"deprecated.daemonset.template.generation": "new"},
    )
    assert found(one("web-1", "old", label=labels[kind]), live=live, kind=kind) == [("web-1", "earlier")]


def test_a_rolling_daemon_set_and_deployment_replace_a_broken_old_pod_by_themselves() -> None:
    notes: Object = {"deprecated.daemonset.template.generation": "new"}
    daemons = workload("DaemonSet", spec=STRATEGY, annotations=notes)
    assert found(one("web-a", "old", label="pod-template-generation"), live=daemons, kind=DAEMON_SET) == []
    live = deployment(conditions=[NAMED])
    assert found(one("web-a", "old", label="pod-template-hash"), live=live, kind=DEPLOYMENT) == []


@pytest.mark.parametrize(
    "state",
    [
        *("Evicted", "NodeLost", "NodeShutdown", "Shutdown", "Terminated", "Preempted", "Preempting"),
        *("Running", "Pending", "ContainerCreating", "PodInitializing", "Completed", "Terminating"),
        "Init:0/1",
    ],
)
def test_a_pod_that_is_over_or_on_its_way_is_no_trouble_by_itself(state: str) -> None:
    assert found(one("web-1", state=state), live=stateful_set()) == []
    assert found(one("web-1", state=state), live=stateful_set(), failed=True) == [("web-1", "new")]


def test_a_pod_that_is_well_or_names_no_revision_is_in_nobodys_way() -> None:
    unlabelled = one("web-1", "old", label="other")
    assert found(unlabelled, one("web-2", state="ready"), live=stateful_set(), failed=True) == [
        ("web-1", "new")
    ]


def test_nobody_is_in_the_way_of_a_spec_that_the_controller_has_not_seen() -> None:
    live = stateful_set()
    live["metadata"] = {"name": "web", "generation": 3}
    assert found(one("web-1", "old"), live=live, quiet_for=99) == []


def test_a_quiet_pod_is_read_after_a_while_and_one_without_a_node_sooner() -> None:
    quiet, unplaced = one("web-1", "old", state="ContainerCreating"), one("web-2", state="Pending")
    assert found(quiet, live=stateful_set(), quiet_for=14.9) == []
    assert found(quiet, live=stateful_set(), quiet_for=15) == [("web-1", "earlier")]
    assert found(unplaced, live=stateful_set(), quiet_for=5) == [("web-2", "new")]


def test_a_pod_that_is_over_does_not_hide_the_one_that_took_its_place() -> None:
    over = one("web-a", label="pod-template-hash", state="Evicted", created="2")
    next_one = one("web-b", label="pod-template-hash", state="Pending")
    live = deployment(conditions=[NAMED])
    assert found(over, next_one, live=live, kind=DEPLOYMENT) == []
    later = found(over, next_one, live=live, kind=DEPLOYMENT, quiet_for=5)
    assert later == [("web-b", "new"), ("web-a", "new")]


def test_of_a_workload_that_has_failed_every_pod_is_read_that_in_trouble_first() -> None:
    live = workload("Job")
    live["metadata"] = {"name": "web", "uid": "j1", "generation": 1}
    pods = [
        one("web-a", "j1", label="controller-uid", state="Pending", created="3"),
        one("web-b", "j1", label="controller-uid", state="Error", created="2"),
        one("web-c", "j1", label="controller-uid", state="Evicted", created="1"),
    ]
    names = [name for name, _ in found(*pods, live=live, kind=JOB, failed=True)]
    assert names == ["web-b", "web-a", "web-c"]


@pytest.mark.parametrize(
    ("kind", "spec", "waits"),
    [
        (STATEFUL_SET, STRATEGY, True),
        (DAEMON_SET, STRATEGY, True),
        (DEPLOYMENT, {"strategy": {"type": "Recreate"}}, True),
        (DEPLOYMENT, {"strategy": {"type": "RollingUpdate"}}, False),
        (JOB, {}, False),
    ],
)
def test_a_pod_that_does_not_end_is_read_where_another_takes_its_place(
    kind: Kind, spec: Object, *, waits: bool
) -> None:
    live = workload(kind.name, spec=spec)
    ending = one("web-1", "old", state="Terminating", going=True)
    assert found(ending, live=live, kind=kind) == []
    expected = [("web-1", "ending")] if waits else []
    assert found(ending, live=live, kind=kind, quiet_for=15) == expected


def test_what_is_wrong_with_a_suspect_has_its_role_and_its_revision() -> None:
    whole = pod(phase="Failed", reason="Evicted")
    (problem,) = problems_of_suspect(Suspect(one("web-1", "web-6c9f"), "earlier"), whole)
    assert (problem.role, problem.revision, problem.reason) == ("earlier", "web-6c9f", "Evicted")


def test_a_pod_that_ends_is_a_problem_once_it_takes_long_and_says_what_may_hold_it() -> None:
    whole = pod(spec={"nodeName": "node-1"})
    ending = Suspect(one("web-1", going=True), "ending")
    assert problems_of_suspect(ending, whole) == ()
    whole["metadata"] = {"name": "web-1", "namespace": "prod", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    (problem,) = problems_of_suspect(ending, whole)
    assert problem.message == "nodeName: node-1"
    assert [lasts(problem, seconds) for seconds in (44.9, 45)] == [False, True]
    whole["metadata"] = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b", "c"]}
    (held,) = problems_of_suspect(ending, {**whole, "spec": {}})
    assert held.message == "nodeName: -, finalizers: a/b, c"
