"""What a pod of the emulated cluster shows for each way in which it can fail."""

from __future__ import annotations

import pytest

from tests.contract.documents import IMAGE, NAMESPACE, behave, container_state, new_cluster, workload
from tests.emulator import Behaviour, Cluster
from tests.emulator.cluster.tree import Manifest, branch, find, items, number, text


def only_pod(cluster: Cluster) -> Manifest:
    (pod,) = cluster.find_all("Pod", NAMESPACE)
    return pod


def started(kind: str, *, seconds: float = 30.0, after: float = 0.5, message: str = "") -> Manifest:
    cluster = new_cluster()
    behave(cluster, kind, after=after, message=message)
    cluster.put(workload())
    cluster.advance(seconds)
    return only_pod(cluster)


def test_a_pod_is_created_runs_and_becomes_ready() -> None:
    cluster = new_cluster()
    cluster.put(workload())
    cluster.advance(0.3)
    assert container_state(only_pod(cluster))[:2] == ("waiting", "ContainerCreating")
    cluster.advance(2)
    pod = only_pod(cluster)
    assert (text(pod, "status", "phase"), container_state(pod)[0]) == ("Running", "running")
    ready = next(item for item in items(pod, "status", "conditions") if item["type"] == "Ready")
    assert ready["status"] == "True"
    (owner,) = items(pod, "metadata", "ownerReferences")
    assert (owner["kind"], text(owner, "name").startswith("web-")) == ("ReplicaSet", True)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("not-found", "not found"),
        ("unauthorized", "401 Unauthorized"),
        ("unauthorized-head", "HEAD request to https://example.com/v2/web/manifests/1: 401 Unauthorized"),
        ("rate-limited", "https://example.com/v2/web/manifests/1: 429 Too Many Requests"),
        ("docker-not-found", f"manifest for {IMAGE} not found"),
        ("docker-denied", "pull access denied for example.com/web,"),
        ("unreachable", "i/o timeout"),
    ],
)
def test_a_pull_fails_backs_off_and_says_why(kind: str, words: str) -> None:
    state, reason, message = container_state(started(kind, seconds=2))
    assert (state, reason) == ("waiting", "ErrImagePull")
    assert words in message
    _, reason, message = container_state(started(kind, seconds=6))
    assert reason == "ImagePullBackOff"
    assert message.startswith(f'Back-off pulling image "{IMAGE}": ErrImagePull: ')
    assert words in message
    assert text(started(kind), "status", "phase") == "Pending"


def test_an_older_kubelet_says_why_only_while_it_tries() -> None:
    cluster = new_cluster()
    cluster.terse = True
    behave(cluster, "not-found")
    cluster.put(workload())
    cluster.advance(6)
    assert container_state(only_pod(cluster))[2] == f'Back-off pulling image "{IMAGE}"'
    cluster.advance(6)
    assert container_state(only_pod(cluster))[1] == "ErrImagePull"


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        ("invalid-name", "InvalidImageName", "invalid reference format"),
        ("config-error", "CreateContainerConfigError", 'secret "web-env" not found'),
        ("create-error", "CreateContainerError", "mount path not found"),
        ("cannot-start", "RunContainerError", "executable file not found"),
    ],
)
def test_a_container_that_cannot_start_waits_with_its_reason(kind: str, reason: str, words: str) -> None:
    _, shown, message = container_state(started(kind))
    assert shown == reason
    assert words in message


def test_an_image_that_is_no_image_name_needs_no_setting() -> None:
    cluster = new_cluster()
    cluster.put(workload(image="example.com/Web:2"))
    cluster.advance(5)
    assert container_state(only_pod(cluster))[1] == "InvalidImageName"


@pytest.mark.parametrize(("kind", "reason", "code"), [("crash", "Error", 1), ("oom", "OOMKilled", 137)])
def test_a_crash_loop_counts_restarts_and_keeps_the_last_end(kind: str, reason: str, code: int) -> None:
    pod = started(kind, message="no such host: db")
    assert container_state(pod)[:2] == ("waiting", "CrashLoopBackOff")
    (status,) = items(pod, "status", "containerStatuses")
    assert number(status, "restartCount") >= 2
    last = branch(status, "lastState", "terminated")
    assert (last["reason"], last["exitCode"], last["message"]) == (reason, code, "no such host: db")


def test_restarts_grow_as_the_back_off_doubles() -> None:
    counts = [
        number(items(started("crash", seconds=seconds), "status", "containerStatuses")[0], "restartCount")
        for seconds in (1, 5, 15, 40, 90, 200)
    ]
    assert counts == [0, 1, 2, 3, 4, 5]


def test_a_container_that_crashes_late_is_ready_first() -> None:
    cluster = new_cluster()
    behave(cluster, "crash", after=8)
    cluster.put(workload())
    cluster.advance(5)
    assert find(cluster.get("Deployment", NAMESPACE, "web"), "status", "readyReplicas") == 1
    cluster.advance(5)
    assert find(cluster.get("Deployment", NAMESPACE, "web"), "status", "readyReplicas") is None


def test_a_failing_probe_is_running_and_not_ready() -> None:
    pod = started("never-ready")
    assert (text(pod, "status", "phase"), container_state(pod)[0]) == ("Running", "running")
    ready = next(item for item in items(pod, "status", "conditions") if item["type"] == "Ready")
    assert (ready["status"], ready["message"]) == ("False", "containers with unready status: [main]")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("unschedulable", "Insufficient cpu"),
        ("tainted", "untolerated taint"),
        ("unbound-volume", "unbound immediate PersistentVolumeClaims"),
    ],
)
def test_a_pod_without_a_node_carries_the_schedulers_words(kind: str, words: str) -> None:
    pod = started(kind)
    (scheduled,) = items(pod, "status", "conditions")
    assert (scheduled["type"], scheduled["status"], scheduled["reason"]) == (
        "PodScheduled",
        "False",
        "Unschedulable",
    )
    assert words in text(scheduled, "message")
    assert "containerStatuses" not in branch(pod, "status")
    assert "nodeName" not in branch(pod, "spec")


@pytest.mark.parametrize("kind", ["unschedulable", "not-found", "crash", "config-error"])
def test_what_is_wrong_can_heal(kind: str) -> None:
    cluster = new_cluster()
    cluster.images[IMAGE] = Behaviour(kind=kind, after=0.5, heals_after=20)
    cluster.put(workload())
    cluster.advance(15)
    assert find(cluster.get("Deployment", NAMESPACE, "web"), "status", "readyReplicas") is None
    cluster.advance(15)
    assert find(cluster.get("Deployment", NAMESPACE, "web"), "status", "readyReplicas") == 1


def test_a_pod_that_is_ending_says_so() -> None:
    cluster = new_cluster()
    cluster.images[IMAGE] = Behaviour(stops_after=30)
    cluster.put(workload())
    cluster.advance(5)
    cluster.delete("Deployment", NAMESPACE, "web")
    assert "deletionTimestamp" in branch(only_pod(cluster), "metadata")


def test_a_behaviour_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no such behaviour: rainy"):
        Behaviour(kind="rainy")
