"""How workloads move on in the emulated cluster, seen as a client sees them: in their status."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.documents import IMAGE, NAMESPACE, behave, job, new_cluster, workload
from tests.emulator import Behaviour, Cluster
from tests.emulator.cluster.behaviour import KINDS
from tests.emulator.cluster.tree import Manifest, branch, find, grow, items, number, text

BROKEN = "example.com/web:broken"


def status_of(cluster: Cluster, kind: str = "Deployment", name: str = "web") -> Manifest:
    return branch(cluster.get(kind, NAMESPACE, name), "status")


def condition(status: Manifest, name: str) -> tuple[str, str]:
    found = next(item for item in items(status, "conditions") if item["type"] == name)
    return text(found, "status"), text(found, "reason")


def revisions(cluster: Cluster, kind: str = "Deployment", name: str = "web") -> list[str]:
    pods = cluster.pods_of(kind, NAMESPACE, name)
    return sorted(text(items(pod, "spec", "containers")[0], "image") for pod in pods)


def deployed(**spec: object) -> Cluster:
    cluster = new_cluster()
    cluster.put(workload(**spec))  # type: ignore[arg-type]  # a spec's fields have any type
    cluster.advance(5)
    return cluster


def test_the_status_lags_behind_the_spec() -> None:
    cluster = deployed(replicas=2)
    cluster.put(workload(image="example.com/web:2", replicas=2))
    found = cluster.get("Deployment", NAMESPACE, "web")
    assert (find(found, "metadata", "generation"), find(found, "status", "observedGeneration")) == (2, 1)
    cluster.advance(0.3)
    assert status_of(cluster)["observedGeneration"] == 2


def test_a_deployment_becomes_available_and_counts_leave_zeros_out() -> None:
    cluster = new_cluster()
    cluster.put(workload(replicas=2))
    cluster.advance(0.3)
    early = status_of(cluster)
    assert (early["updatedReplicas"], early["unavailableReplicas"]) == (2, 2)
    assert "readyReplicas" not in early
    assert condition(early, "Available") == ("False", "MinimumReplicasUnavailable")
    cluster.advance(2)
    late = status_of(cluster)
    assert [late[name] for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")] == [
        2
    ] * 4
    assert "unavailableReplicas" not in late
    assert condition(late, "Progressing") == ("True", "NewReplicaSetAvailable")


def test_min_ready_seconds_separates_ready_from_available() -> None:
    cluster = new_cluster()
    cluster.put(workload(minReadySeconds=10))
    cluster.advance(3)
    assert (number(status_of(cluster), "readyReplicas"), number(status_of(cluster), "availableReplicas")) == (
        1,
        0,
    )
    cluster.advance(10)
    assert number(status_of(cluster), "availableReplicas") == 1


def test_old_pods_end_after_the_new_are_there() -> None:
    cluster = deployed(replicas=2)
    cluster.images["example.com/web:1"] = Behaviour(stops_after=30)
    cluster.put(workload(image="example.com/web:2", replicas=2))
    cluster.advance(10)
    assert revisions(cluster)[-2:] == ["example.com/web:2"] * 2
    status = status_of(cluster)
    assert (status["replicas"], status["updatedReplicas"]) == (2, 2)
    cluster.advance(60)
    assert revisions(cluster) == ["example.com/web:2"] * 2


def test_a_broken_image_leaves_the_old_pods_serving_until_the_deadline_says_so() -> None:
    cluster = deployed(replicas=2)
    behave(cluster, "not-found", image=BROKEN)
    cluster.put(workload(image=BROKEN, replicas=2, progressDeadlineSeconds=30))
    cluster.advance(25)
    status = status_of(cluster)
    assert (status["availableReplicas"], status["updatedReplicas"], status["replicas"]) == (2, 1, 3)
    assert condition(status, "Progressing") == ("True", "ReplicaSetUpdated")
    cluster.advance(10)
    assert condition(status_of(cluster), "Progressing") == ("False", "ProgressDeadlineExceeded")
    cluster.put(workload(replicas=2, progressDeadlineSeconds=30))
    cluster.advance(5)
    assert condition(status_of(cluster), "Progressing") == ("True", "NewReplicaSetAvailable")
    assert revisions(cluster) == [IMAGE, IMAGE]


def test_recreate_ends_all_before_it_begins() -> None:
    cluster = deployed(replicas=2, strategy={"type": "Recreate"})
    cluster.put(workload(image="example.com/web:2", replicas=2, strategy={"type": "Recreate"}))
    cluster.advance(0.4)
    assert revisions(cluster) == [IMAGE, IMAGE]
    assert number(status_of(cluster), "replicas") == 0
    cluster.advance(5)
    assert revisions(cluster) == ["example.com/web:2"] * 2


def test_pods_of_all_revisions_are_the_deployments() -> None:
    cluster = deployed()
    behave(cluster, "never-ready", image=BROKEN)
    cluster.put(workload(image=BROKEN))
    cluster.advance(3)
    assert revisions(cluster) == [IMAGE, BROKEN]


def test_replacing_an_object_with_itself_restarts_nothing() -> None:
    cluster = deployed(replicas=2)
    before = [text(pod, "metadata", "uid") for pod in cluster.pods_of("Deployment", NAMESPACE, "web")]
    manifest = workload(replicas=2)
    grow(manifest, "metadata", "annotations")["io.tencent.paas.template_version"] = "2"
    cluster.put(manifest)
    cluster.advance(5)
    assert [text(pod, "metadata", "uid") for pod in cluster.pods_of("Deployment", NAMESPACE, "web")] == before
    annotations = branch(cluster.get("Deployment", NAMESPACE, "web"), "metadata", "annotations")
    assert annotations["deployment.kubernetes.io/revision"] == "1"


def test_deleting_a_deployment_ends_its_pods() -> None:
    cluster = deployed(replicas=2)
    cluster.delete("Deployment", NAMESPACE, "web")
    cluster.advance(1)
    assert cluster.find_all("Pod", NAMESPACE) == []


def test_a_deleted_pod_comes_back() -> None:
    cluster = deployed()
    (pod,) = cluster.find_all("Pod", NAMESPACE)
    cluster.delete("Pod", NAMESPACE, text(pod, "metadata", "name"))
    cluster.advance(3)
    (other,) = cluster.find_all("Pod", NAMESPACE)
    assert text(other, "metadata", "name") != text(pod, "metadata", "name")


def test_a_stateful_set_goes_up_in_turn_and_is_updated_from_the_top() -> None:
    cluster = new_cluster()
    cluster.put(workload("StatefulSet", replicas=3))
    cluster.advance(0.5)
    assert len(cluster.find_all("Pod", NAMESPACE)) == 1
    cluster.advance(10)
    first = status_of(cluster, "StatefulSet")
    assert (first["readyReplicas"], first["currentRevision"]) == (3, first["updateRevision"])
    cluster.put(workload("StatefulSet", image="example.com/web:2", replicas=3))
    cluster.advance(2)
    middle = status_of(cluster, "StatefulSet")
    assert middle["currentRevision"] != middle["updateRevision"]
    images = {text(pod, "metadata", "name"): revision_of(pod) for pod in cluster.find_all("Pod", NAMESPACE)}
    assert (images["web-2"], images["web-0"]) == ("example.com/web:2", IMAGE)
    cluster.advance(20)
    last = status_of(cluster, "StatefulSet")
    assert (last["updatedReplicas"], last["currentRevision"]) == (3, last["updateRevision"])


def revision_of(pod: Manifest) -> str:
    return text(items(pod, "spec", "containers")[0], "image")


def test_a_partition_keeps_the_lower_ordinals_as_they_are() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    cluster = new_cluster()
    cluster.put(workload("StatefulSet", replicas=3, updateStrategy=strategy))
    cluster.advance(10)
    cluster.put(workload("StatefulSet", image="example.com/web:2", replicas=3, updateStrategy=strategy))
    cluster.advance(20)
    status = status_of(cluster, "StatefulSet")
    assert (status["updatedReplicas"], status["currentReplicas"], status["readyReplicas"]) == (1, 2, 3)


def test_a_broken_ordered_pod_is_waited_for_even_when_the_template_was_mended() -> None:
    cluster = new_cluster()
    behave(cluster, "not-found", image=BROKEN)
    cluster.put(workload("StatefulSet", image=BROKEN, replicas=2))
    cluster.advance(10)
    cluster.put(workload("StatefulSet", replicas=2))
    cluster.advance(60)
    assert revisions(cluster, "StatefulSet") == [BROKEN]
    cluster.delete("Pod", NAMESPACE, "web-0")
    cluster.advance(10)
    assert revisions(cluster, "StatefulSet") == [IMAGE, IMAGE]


def test_a_daemon_set_runs_on_every_node_and_moves_one_at_a_time() -> None:
    cluster = new_cluster()
    cluster.nodes.append("node-3")
    cluster.put(workload("DaemonSet"))
    cluster.advance(5)
    status = status_of(cluster, "DaemonSet")
    assert (status["desiredNumberScheduled"], status["numberAvailable"]) == (3, 3)
    cluster.put(workload("DaemonSet", image="example.com/web:2"))
    cluster.advance(1)
    middle = status_of(cluster, "DaemonSet")
    assert number(middle, "numberAvailable") == 2
    cluster.advance(20)
    assert revisions(cluster, "DaemonSet") == ["example.com/web:2"] * 3
    assert status_of(cluster, "DaemonSet")["updatedNumberScheduled"] == 3


def test_time_can_pass_faster_than_outside() -> None:
    clock = [1_700_000_000.0]
    cluster = Cluster("BCS-K8S-40000", project_id="p", speed=10.0, now=lambda: clock[0])
    cluster.add_namespace(NAMESPACE)
    cluster.put(workload())
    assert number(status_of(cluster), "readyReplicas") == 0
    clock[0] += 0.3
    assert cluster.now == pytest.approx(clock[0] + 2.7, abs=0.01)
    assert number(status_of(cluster), "readyReplicas") == 1


def test_many_may_look_and_write_at_once() -> None:
    cluster = Cluster("BCS-K8S-40000", project_id="p", speed=50.0)
    cluster.add_namespace(NAMESPACE)

    def use(index: int) -> int:
        cluster.put(workload(name=f"web-{index % 5}", replicas=2))
        return len(cluster.find_all("Deployment", NAMESPACE))

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(use, range(60))) == 5
    cluster.advance(10)
    assert len(cluster.find_all("Pod", NAMESPACE)) == 10


def test_a_job_completes() -> None:
    cluster = new_cluster()
    cluster.put(job(completions=2))
    cluster.advance(0.5)
    assert status_of(cluster, "Job", "once")["active"] == 1
    cluster.advance(5)
    status = status_of(cluster, "Job", "once")
    assert (status["succeeded"], condition(status, "Complete")[0]) == (2, "True")
    assert "completionTime" in status


@pytest.mark.parametrize("restart", ["Never", "OnFailure"])
def test_a_job_fails_when_its_back_off_is_used_up(restart: str) -> None:
    cluster = new_cluster()
    behave(cluster, "crash")
    cluster.put(job(restart=restart, backoffLimit=1))
    cluster.advance(200)
    assert condition(status_of(cluster, "Job", "once"), "Failed") == ("True", "BackoffLimitExceeded")


def test_a_job_fails_at_its_own_deadline() -> None:
    cluster = new_cluster()
    behave(cluster, "never-ready")
    cluster.put(job(activeDeadlineSeconds=5))
    cluster.advance(10)
    assert condition(status_of(cluster, "Job", "once"), "Failed") == ("True", "DeadlineExceeded")


def test_a_job_that_is_over_is_deleted_when_its_time_to_live_is_over() -> None:
    cluster = new_cluster()
    cluster.put(job(ttlSecondsAfterFinished=5))
    cluster.advance(4)
    assert condition(status_of(cluster, "Job", "once"), "Complete")
    cluster.advance(10)
    assert cluster.find_all("Job", NAMESPACE) == []


def test_a_suspended_job_runs_nothing() -> None:
    cluster = new_cluster()
    cluster.put(job(suspend=True))
    cluster.advance(30)
    assert condition(status_of(cluster, "Job", "once"), "Suspended") == ("True", "JobSuspended")
    assert cluster.find_all("Pod", NAMESPACE) == []


@pytest.mark.parametrize(("kind", "left"), [("Deployment", 1), ("StatefulSet", 0), ("DaemonSet", 0)])
def test_an_evicted_pod_is_over_and_its_controller_makes_another(kind: str, left: int) -> None:
    """A ReplicaSet leaves the one that is over where it is; the others delete it."""
    cluster = new_cluster()
    cluster.nodes[:] = ["node-1"]
    cluster.put(workload(kind, replicas=1) if kind != "DaemonSet" else workload(kind))
    cluster.advance(5)
    cluster.evict(NAMESPACE, "web")
    if left:
        evicted = [pod for pod in cluster.find_all("Pod", NAMESPACE) if find(pod, "status", "reason")]
        assert [find(pod, "status", "phase") for pod in evicted] == ["Failed"]
    cluster.advance(10)
    phases = sorted(str(find(pod, "status", "phase")) for pod in cluster.find_all("Pod", NAMESPACE))
    assert phases == ["Failed"] * left + ["Running"]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_with_on_delete_a_pod_is_new_when_somebody_has_deleted_it(kind: str) -> None:
    cluster = new_cluster()
    cluster.nodes[:] = ["node-1"]
    strategy = {"type": "OnDelete"}
    cluster.put(workload(kind, updateStrategy=strategy))
    cluster.advance(5)
    cluster.put(workload(kind, image="example.com/web:2", updateStrategy=strategy))
    cluster.advance(60)
    (pod,) = cluster.find_all("Pod", NAMESPACE)
    assert items(pod, "spec", "containers")[0]["image"] == "example.com/web:1"
    cluster.delete("Pod", NAMESPACE, text(pod, "metadata", "name"))
    cluster.advance(10)
    (pod,) = cluster.find_all("Pod", NAMESPACE)
    assert items(pod, "spec", "containers")[0]["image"] == "example.com/web:2"
    if kind == "StatefulSet":  # stateful_set_control.go, completeRollingUpdate: of a rolling update alone
        status = status_of(cluster, kind, "web")
        assert (status["updatedReplicas"], status["currentRevision"] == status["updateRevision"]) == (
            1,
            False,
        )


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    workload_kind=st.sampled_from(["Deployment", "StatefulSet", "DaemonSet"]),
    steps=st.lists(st.floats(min_value=0.01, max_value=40.0), max_size=12),
)
def test_a_state_depends_on_the_time_and_not_on_how_often_somebody_looked(
    kind: str, workload_kind: str, steps: list[float]
) -> None:
    watched, left_alone = new_cluster(), new_cluster()
    for cluster in (watched, left_alone):
        behave(cluster, kind, image=BROKEN)
        cluster.put(workload(workload_kind, replicas=3))
        cluster.advance(20)
        cluster.put(workload(workload_kind, image=BROKEN, replicas=3))
    for step in steps:
        watched.advance(step)
        watched.find_all("Pod", NAMESPACE)
    left_alone.advance(sum(steps))
    watched.advance(0.001)
    left_alone.advance(0.001)
    assert status_of(watched, workload_kind) == status_of(left_alone, workload_kind)
    assert revisions(watched, workload_kind) == revisions(left_alone, workload_kind)
