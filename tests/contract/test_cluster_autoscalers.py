"""What an HPA of the emulated cluster does to its target, and what a whole replacement does to that."""

from __future__ import annotations

import pytest

from tests.contract.documents import NAMESPACE, new_cluster, workload
from tests.emulator import Cluster
from tests.emulator.cluster.tree import Manifest, branch, items, number


def autoscaler(kind: str = "Deployment", *, least: int = 2, most: int = 10) -> Manifest:
    target: Manifest = {"apiVersion": "apps/v1", "kind": kind, "name": "web"}
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "minReplicas": least,
            "maxReplicas": most,
            "scaleTargetRef": target,
            "targetCPUUtilizationPercentage": 60,
        },
    }


def replicas(cluster: Cluster, kind: str = "Deployment") -> int:
    return number(cluster.get(kind, NAMESPACE, "web"), "spec", "replicas")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_an_autoscaler_sets_the_number_of_its_targets_pods(kind: str) -> None:
    cluster = new_cluster()
    cluster.put(workload(kind))
    cluster.put(autoscaler(kind))
    cluster.load[kind, "web"] = 1
    assert replicas(cluster, kind) == 1
    cluster.advance(16)
    assert replicas(cluster, kind) == 2, "the fewest it may have"
    cluster.load[kind, "web"] = 30
    seen = []
    for _ in range(3):
        cluster.advance(15)
        seen.append(replicas(cluster, kind))
    assert seen == [4, 8, 10], "it doubles, up to the most"
    status = branch(cluster.get("HorizontalPodAutoscaler", NAMESPACE, "web"), "status")
    assert (status["currentReplicas"], status["desiredReplicas"]) == (8, 10)


def test_pods_go_only_when_nothing_has_asked_for_them_for_five_minutes() -> None:
    cluster = new_cluster()
    cluster.put(workload(replicas=4))
    cluster.put(autoscaler())
    cluster.load["Deployment", "web"] = 4
    cluster.advance(16)
    cluster.load["Deployment", "web"] = 2
    cluster.advance(200)
    assert replicas(cluster) == 4
    cluster.advance(120)
    assert replicas(cluster) == 2


def test_a_replacement_without_a_number_leaves_one_pod_whatever_an_autoscaler_had_set() -> None:
    """Trap 11 of facts/bcs.md; seen live."""
    cluster = new_cluster()
    cluster.put(workload())
    cluster.put(autoscaler())
    cluster.load["Deployment", "web"] = 10
    cluster.advance(60)
    assert replicas(cluster) == 10
    cluster.put(workload(image="example.com/web:2"))
    assert replicas(cluster) == 1


def test_a_target_that_somebody_set_to_0_or_that_is_not_there_is_left() -> None:
    cluster = new_cluster()
    cluster.put(autoscaler())
    cluster.load["Deployment", "web"] = 3
    cluster.advance(60)
    cluster.put(workload(replicas=0))
    cluster.advance(60)
    assert replicas(cluster) == 0


def test_an_autoscaler_is_shown_in_the_version_that_is_asked_for() -> None:
    cluster = new_cluster()
    cluster.put(autoscaler())
    listed = cluster.find_all("HorizontalPodAutoscaler", NAMESPACE)[0]
    assert (listed["apiVersion"], "targetCPUUtilizationPercentage" in branch(listed, "spec")) == (
        "autoscaling/v2",
        False,
    )
    (metric,) = items(listed, "spec", "metrics")
    assert number(metric, "resource", "target", "averageUtilization") == 60
    cluster.put({**listed})
    asked = cluster.get("HorizontalPodAutoscaler", NAMESPACE, "web", version="autoscaling/v1")
    assert branch(asked, "spec") == branch(autoscaler(), "spec")
