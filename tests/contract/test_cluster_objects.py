"""Objects that the cluster makes, keeps or removes by itself, as a 1.20.2 was seen to (contract/recorded)."""

from __future__ import annotations

import pytest

from tests.contract.documents import NAMESPACE, job, new_cluster, workload
from tests.emulator import Cluster
from tests.emulator.cluster.refusals import ApiRefusal
from tests.emulator.cluster.replica_sets import REVISION
from tests.emulator.cluster.tree import Manifest, grow, items, number, text
from tests.support.custom_kinds import define

MARK = "io.tencent.paas.template_version"
OTHER = "example.com/web:2"


def marked(version: str, image: str) -> Manifest:
    manifest = workload(image=image)
    grow(manifest, "metadata", "annotations")[MARK] = version
    return manifest


def sets(cluster: Cluster) -> list[tuple[str, str, int]]:
    """Return revision, mark and number of pods of every ReplicaSet, oldest revision first."""
    found = [
        (
            text(one, "metadata", "annotations", REVISION),
            text(one, "metadata", "annotations", MARK),
            number(one, "spec", "replicas"),
        )
        for one in cluster.find_all("ReplicaSet", NAMESPACE)
    ]
    return sorted(found)


def test_a_deployments_revisions_bear_its_marks() -> None:
    cluster = new_cluster()
    cluster.put(marked("1.0.0", "example.com/web:1"))
    cluster.advance(5)
    assert sets(cluster) == [("1", "1.0.0", 1)]
    cluster.put(marked("2.0.0", OTHER))
    cluster.advance(5)
    assert sets(cluster) == [("1", "1.0.0", 0), ("2", "2.0.0", 1)]


def test_an_undone_rollout_brings_the_mark_back_under_the_newest_number() -> None:
    cluster = new_cluster()
    for version, image in (("1.0.0", "example.com/web:1"), ("2.0.0", OTHER)):
        cluster.put(marked(version, image))
        cluster.advance(5)
    cluster.undo_rollout(NAMESPACE, "web")
    cluster.advance(5)
    live = cluster.get("Deployment", NAMESPACE, "web")
    assert text(live, "metadata", "annotations", MARK) == "1.0.0"
    assert text(live, "metadata", "annotations", REVISION) == "3"
    assert sets(cluster) == [("2", "2.0.0", 0), ("3", "1.0.0", 1)]


def test_history_goes_back_as_far_as_the_deployment_says() -> None:
    cluster = new_cluster()
    for build in range(5):
        cluster.put(workload(image=f"example.com/web:{build}", revisionHistoryLimit=2))
        cluster.advance(5)
    assert [revision for revision, _, _ in sets(cluster)] == ["3", "4", "5"]


@pytest.mark.parametrize("manifest", [workload(), job()], ids=["Deployment", "Job"])
def test_what_is_deleted_takes_what_it_owns_along(manifest: Manifest) -> None:
    cluster = new_cluster()
    cluster.put(manifest)
    cluster.advance(0.5)
    assert cluster.find_all("Pod", NAMESPACE) != []
    cluster.delete(text(manifest, "kind"), NAMESPACE, text(manifest, "metadata", "name"))
    cluster.advance(2)
    assert cluster.find_all("Pod", NAMESPACE) == []
    assert cluster.find_all("ReplicaSet", NAMESPACE) == []


def account() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "robot", "namespace": NAMESPACE},
    }


def tokens(cluster: Cluster) -> list[str]:
    return [text(one, "metadata", "name") for one in cluster.find_all("Secret", NAMESPACE)]


def test_before_1_24_a_service_account_that_is_replaced_gets_another_token() -> None:
    cluster = new_cluster(kubernetes="1.20")
    cluster.put(account())
    (first,) = tokens(cluster)
    shown = cluster.get("ServiceAccount", NAMESPACE, "robot")
    assert [text(secret, "name") for secret in items(shown, "secrets")] == [first]
    cluster.put(account())
    assert len(tokens(cluster)) == 2
    cluster.put(cluster.get("ServiceAccount", NAMESPACE, "robot"))
    assert len(tokens(cluster)) == 2, "a document that names its token keeps it"
    cluster.delete("ServiceAccount", NAMESPACE, "robot")
    assert tokens(cluster) == []
    newer = new_cluster()
    newer.put(account())
    assert tokens(newer) == []


def test_only_a_bound_claim_can_not_be_replaced() -> None:
    cluster = new_cluster()
    claim: Manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "disk", "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    cluster.put(claim)
    cluster.put(claim)
    cluster.bind(NAMESPACE, "disk")
    with pytest.raises(ApiRefusal, match="spec is immutable after creation except resources"):
        cluster.put(claim)
    whole = cluster.get("PersistentVolumeClaim", NAMESPACE, "disk")
    grow(whole, "spec", "resources", "requests")["storage"] = "2Gi"
    cluster.put(whole)


@pytest.mark.parametrize(
    ("kind", "version", "old", "new"),
    [
        ("CronJob", "batch/v1", False, True),
        ("CronJob", "batch/v1beta1", True, False),
        ("HorizontalPodAutoscaler", "autoscaling/v2", False, True),
        ("HorizontalPodAutoscaler", "autoscaling/v1", True, True),
        ("PodDisruptionBudget", "policy/v1", False, True),
        ("Ingress", "networking.k8s.io/v1", True, True),
        ("Ingress", "extensions/v1beta1", True, False),
    ],
)
def test_a_release_serves_its_own_versions(kind: str, version: str, *, old: bool, new: bool) -> None:
    for release, served in (("1.20", old), ("1.28", new)):
        cluster = new_cluster(kubernetes=release)
        if served:
            assert cluster.find_kind(kind, version).name == kind
        else:
            with pytest.raises(ApiRefusal):
                cluster.find_kind(kind, version)


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("1.18", "networking.k8s.io/v1beta1"),
        ("1.19", "networking.k8s.io/v1"),
        ("1.22", "networking.k8s.io/v1"),
    ],
)
def test_ingresses_are_listed_in_the_version_that_the_release_prefers(release: str, version: str) -> None:
    assert new_cluster(kubernetes=release).versions("Ingress")[0] == version


def test_a_custom_kind_is_there_once_it_is_defined_and_nothing_of_it_is_dropped() -> None:
    cluster = new_cluster()
    thing: Manifest = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "a", "namespace": NAMESPACE},
        "anything": {"empty": {}},
    }
    with pytest.raises(ApiRefusal):
        cluster.put(thing)
    define(cluster, "Thing")
    cluster.put(thing)
    assert cluster.get("Thing", NAMESPACE, "a")["anything"] == {"empty": {}}


def test_a_refusal_that_is_ordered_says_so() -> None:
    cluster = new_cluster()
    cluster.put(workload())
    cluster.refuses["GET .*/deployments"] = 403
    with pytest.raises(ApiRefusal, match="refused for a test"):
        cluster.get("Deployment", NAMESPACE, "web")
    with pytest.raises(ApiRefusal, match="refused for a test"):
        cluster.find_all("Deployment", NAMESPACE)
    assert cluster.find_all("Pod", NAMESPACE) is not None
