"""What lists prove of a workload that was live already, and where they prove nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.objects import MARKS, NAME, VERSION, Object, condition, workload

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB, STATEFUL_SET
from bcs_template_set.rollout.newest_pods import PodSummary, proven_ready
from bcs_template_set.rollout.watched import Workload

LIVE: Object = {
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"spec": {"containers": [{"image": "example.com/web:2"}]}},
    }
}
STATUSES: dict[str, Object] = {
    "Deployment": {"updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2},
    "StatefulSet": {"updatedReplicas": 2, "readyReplicas": 2},
    "DaemonSet": {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2},
}
SETS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)


def listed(kind: Kind, *, replicas: int = 2, **status: int) -> Object:
    """Return a workload's entry in a list, by default one that is done."""
    spec: Object = {"replicas": replicas, "updateStrategy": None}
    return {
        "metadata": {"name": "web", "annotations": MARKS},
        "spec": spec,
        "status": {**STATUSES[kind.name], **status},
    }


def pod(name: str, **fields: object) -> PodSummary:
    well = PodSummary(
        name=name,
        uid=name,
        labels=(("app", "web"), ("pod-template-hash", "b")),
        created="",
        state="Running",
        images=("example.com/web:2",),
        is_ready=True,
        is_going=False,
    )
    return replace(well, **fields)  # type: ignore[arg-type]  # the fields of a summary


PODS = (pod("web-b-1"), pod("web-b-2"))
OTHER = pod("api-1", labels=(("app", "api"),), is_ready=False)


def proven(kind: Kind, item: Object, *pods: PodSummary, live: Object = LIVE) -> bool:
    known = Workload(kind, "web", NAME, VERSION, was_live=True, live=live)
    found = proven_ready(known, item, pods)
    assert found is None or (found.state, found.done) == ("ready", found.wanted)
    if found is not None and kind is not JOB:
        assert found.sentence.key == ("rollout.ready" if found.wanted else "rollout.ready_none")
    return found is not None


@pytest.mark.parametrize("kind", SETS)
def test_as_many_pods_as_are_wanted_of_one_revision_and_each_ready_prove_it(kind: Kind) -> None:
    assert proven(kind, listed(kind), *PODS, OTHER)


def test_a_workload_that_wants_no_pods_and_has_none_is_proven() -> None:
    item = listed(DEPLOYMENT, replicas=0, updatedReplicas=0, availableReplicas=0)
    assert proven(DEPLOYMENT, item, OTHER)
    assert not proven(DEPLOYMENT, item, *PODS)


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize(
    "pods",
    [
        (),
        PODS[:1],
        (*PODS, pod("web-b-3")),
        (*PODS, pod("web-c-1", is_ready=False, state="ImagePullBackOff")),
        (PODS[0], pod("web-b-2", is_going=True)),
        (PODS[0], pod("web-a-2", labels=(("app", "web"), ("pod-template-hash", "a")))),
        (PODS[0], pod("web-b-2", images=("example.com/web:1",))),
    ],
)
def test_fewer_more_or_other_pods_prove_nothing(kind: Kind, pods: tuple[PodSummary, ...]) -> None:
    assert not proven(kind, listed(kind), *pods)


def test_old_pods_beside_one_new_one_that_can_not_start_look_done_in_the_counts_alone() -> None:
    """One wanted, one new, one available: the one that is available is the old one."""
    item = listed(DEPLOYMENT, replicas=1, updatedReplicas=1, availableReplicas=1)
    old = pod("web-a-1", labels=(("app", "web"), ("pod-template-hash", "a")))
    assert DEPLOYMENT.may_be_done(item)
    assert not proven(DEPLOYMENT, item, old, pod("web-b-1", is_ready=False, state="ErrImagePull"))


@pytest.mark.parametrize("kind", SETS)
def test_what_is_not_done_marked_otherwise_or_not_listed_is_not_proven(kind: Kind) -> None:
    name = "updatedNumberScheduled" if kind == DAEMON_SET else "updatedReplicas"
    assert not proven(kind, listed(kind, **{name: 1}), *PODS)
    assert not proven(kind, {**listed(kind), "metadata": {"name": "web"}}, *PODS)
    assert not proven(kind, {}, *PODS)


@pytest.mark.parametrize(
    "name", ["deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"]
)
def test_a_template_that_was_counted_since_is_looked_at_whole(name: str) -> None:
    now: Object = {"name": "web", "annotations": {**MARKS, name: "3"}}
    for before in "23":
        live: Object = {**LIVE, "metadata": {"annotations": {name: before}}}
        item: Object = {**listed(DEPLOYMENT), "metadata": now}
        assert proven(DEPLOYMENT, item, *PODS, live=live) == (before == "3")


def test_pods_that_nothing_tells_apart_from_others_prove_nothing() -> None:
    assert not proven(DEPLOYMENT, listed(DEPLOYMENT), *PODS, live={"spec": {}})


def test_a_partition_that_keeps_a_pod_old_is_looked_at_whole() -> None:
    item = listed(STATEFUL_SET)
    item["spec"] = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
    old = pod("web-a-0", labels=(("app", "web"), ("pod-template-hash", "a")))
    assert proven(STATEFUL_SET, item, *PODS, pod("web-a-0"))
    assert not proven(STATEFUL_SET, item, *PODS, old)


def test_of_a_job_its_own_conditions_decide() -> None:
    done = workload("Job", annotations=MARKS, status={"succeeded": 1, "conditions": [condition("Complete")]})
    assert proven(JOB, done)
    assert not proven(JOB, workload("Job", annotations=MARKS, status={"active": 1}))
