"""Pods that the API server does not take: which workloads say so, and which keep it to themselves."""

from __future__ import annotations

import pytest
import yaml

from tests.contract.documents import NAMESPACE, job, new_cluster, workload
from tests.emulator import Cluster
from tests.emulator.cluster.tree import Manifest, branch, grow, items, text
from tests.support.custom_kinds import DEFINITIONS, custom_workload, define


def put(cluster: Cluster, **fields: object) -> None:
    cluster.put(workload(**fields))  # type: ignore[arg-type]  # a spec's fields have any type
    cluster.advance(5)


def failure(cluster: Cluster, kind: str = "Deployment", name: str = "web") -> str:
    """Return what the workload says of why its pods are not made, "" where it says nothing."""
    conditions = items(cluster.get(kind, NAMESPACE, name), "status", "conditions")
    found = [one for one in conditions if (one["type"], one["status"]) == ("ReplicaFailure", "True")]
    return text(found[0], "message") if found else ""


def pods(cluster: Cluster, kind: str = "Deployment", name: str = "web") -> int:
    return len(cluster.pods_of(kind, NAMESPACE, name))


def test_a_deployment_says_that_the_quota_is_used_up_until_it_is_not() -> None:
    cluster = new_cluster()
    cluster.set_quota(NAMESPACE, pods=1)
    put(cluster, replicas=2)
    assert "is forbidden: exceeded quota: team, requested: pods=1, used: pods=1, limited: pods=1" in failure(
        cluster
    )
    assert pods(cluster) == 1
    cluster.set_quota(NAMESPACE, pods=None)
    cluster.advance(5)
    assert (failure(cluster), pods(cluster)) == ("", 2)


def test_a_deployment_says_what_a_webhook_says() -> None:
    cluster = new_cluster()
    cluster.refuse_pods("no image of example.com")
    put(cluster)
    assert failure(cluster).endswith("denied the request: no image of example.com")
    cluster.refuse_pods("")
    cluster.advance(5)
    assert failure(cluster) == ""


def test_a_deployment_says_that_its_service_account_is_missing() -> None:
    cluster = new_cluster()
    manifest = workload()
    branch(manifest, "spec", "template", "spec")["serviceAccountName"] = "deployer"
    cluster.put(manifest)
    cluster.advance(5)
    assert failure(cluster).endswith('serviceaccount "deployer" not found')
    account: Manifest = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "deployer", "namespace": NAMESPACE},
    }
    cluster.put(account)
    cluster.advance(5)
    assert (failure(cluster), pods(cluster)) == ("", 1)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Job", "GameDeployment", "GameStatefulSet"])
def test_the_other_kinds_tell_it_in_events_alone(kind: str) -> None:
    cluster = new_cluster()
    cluster.set_quota(NAMESPACE, pods=0)
    name = "once" if kind == "Job" else "web"
    if kind in DEFINITIONS:
        define(cluster, kind)
        made: Manifest = yaml.safe_load(custom_workload(kind))
        grow(made, "metadata")["namespace"] = NAMESPACE
        cluster.put(made)
    else:
        cluster.put(job() if kind == "Job" else workload(kind))
    cluster.advance(30)
    assert (failure(cluster, kind, name), pods(cluster, kind, name)) == ("", 0)
    cluster.set_quota(NAMESPACE, pods=None)
    cluster.advance(30)
    assert pods(cluster, kind, name) > 0
