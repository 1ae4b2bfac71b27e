"""Reads of live objects: whole one by one, pruned in lists (facts/bcs.md trap 12)."""

from __future__ import annotations

import pytest
import yaml

from bcs_template_set.bcs.deploy_calls import NamespaceRef, get_live, list_live
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DEPLOYMENT
from tests.contract.documents import (
    IMAGE,
    NAMESPACE,
    behave,
    config_map,
    container_state,
    job,
    service,
    workload,
)
from tests.emulator import Behaviour, Cluster, Emulator
from tests.emulator.cluster.tree import Manifest, branch, find, items, text
from tests.support.custom_kinds import custom_workload, define
from tests.support.plain_client import APP_AS_LISI, V1, PlainClient, authorization, through_gateway

KIND_OF_THING = Kind("example.com", "Thing", route="crds/things.example.com")

INGRESS: Manifest = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {"rules": [{"host": "www.example.com"}]},
}
THING: Manifest = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {"size": 3},
}


@pytest.fixture
def place(emulator: Emulator, cluster: Cluster) -> str:
    """The path of the namespace `shop`, by the project's 32-hex id."""
    project = emulator.state.find_project("web")
    assert project is not None
    return f"{V1}/{project.id}/clusters/{cluster.id}/namespaces/{NAMESPACE}"


@pytest.mark.parametrize(
    ("path", "manifest"),
    [
        ("workloads/deployments/web", workload()),
        ("workloads/statefulsets/web", workload("StatefulSet")),
        ("workloads/daemonsets/web", workload("DaemonSet")),
        ("workloads/jobs/once", job()),
        ("networks/services/web", service()),
        ("networks/ingresses/web", INGRESS),
    ],
)
def test_one_object_is_whole(
    lisi: PlainClient, cluster: Cluster, place: str, path: str, manifest: Manifest
) -> None:
    cluster.put(manifest)
    cluster.advance(5)
    reply = lisi.get(f"{place}/{path}?format=manifest")
    assert reply.code == 0
    assert reply.item["manifest"] == cluster.get(
        text(manifest, "kind"), NAMESPACE, text(manifest, "metadata", "name")
    )
    assert text(reply.item, "manifestExt", "namespace") == NAMESPACE


def test_a_deployment_by_name_has_observed_generation_and_conditions(
    lisi: PlainClient, cluster: Cluster, place: str
) -> None:
    cluster.put(workload())
    cluster.advance(5)
    status = branch(lisi.get(f"{place}/workloads/deployments/web").item, "manifest", "status")
    assert status["observedGeneration"] == 1
    assert len(items(status, "conditions")) == 2


def test_listed_deployments_have_lost_both(lisi: PlainClient, cluster: Cluster, place: str) -> None:
    cluster.images["slow"] = Behaviour(after=100)
    cluster.put(workload(image="slow"))
    cluster.advance(5)
    reply = lisi.get(f"{place}/workloads/deployments?format=manifest")
    (listed,) = items(reply.item, "manifest", "items")
    assert listed["status"] == {"availableReplicas": None, "readyReplicas": None, "updatedReplicas": 1}
    assert set(branch(listed, "metadata")) == {"name", "namespace", "uid", "labels", "annotations"}
    assert branch(listed, "spec")["replicas"] == 1
    assert text(reply.item, "manifest", "kind") == "DeploymentList"
    summary = branch(reply.item, "manifestExt", text(listed, "metadata", "uid"))
    assert (summary["status"], summary["images"]) == ("creating", ["slow"])


@pytest.mark.parametrize(
    ("kind", "path"), [("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets"), ("Job", "jobs")]
)
def test_other_lists_are_pruned_too(
    lisi: PlainClient, cluster: Cluster, place: str, kind: str, path: str
) -> None:
    cluster.put(job() if kind == "Job" else workload(kind))
    cluster.advance(5)
    (listed,) = items(lisi.get(f"{place}/workloads/{path}").item, "manifest", "items")
    assert "template" not in branch(listed, "spec")
    assert ("observedGeneration" in branch(listed, "status")) is False


def test_listed_pods_keep_their_host_and_tell_their_reason_in_the_summary(
    lisi: PlainClient, cluster: Cluster, place: str
) -> None:
    behave(cluster, "not-found", image=IMAGE)
    cluster.put(workload())
    cluster.put(workload(name="other", image="example.com/other:1"))
    cluster.advance(6)
    path = f"{place}/workloads/pods"
    reply = lisi.get(f"{path}?ownerKind=Deployment&ownerName=web&format=manifest")
    (listed,) = items(reply.item, "manifest", "items")
    assert listed["status"] == {"hostIP": "192.0.2.10"}
    summary = branch(reply.item, "manifestExt", text(listed, "metadata", "uid"))
    assert [summary[name] for name in ("status", "readyCnt", "totalCnt", "restartCnt")] == [
        "ImagePullBackOff",
        0,
        1,
        0,
    ]
    whole = branch(lisi.get(f"{path}/{text(listed, 'metadata', 'name')}?format=manifest").item, "manifest")
    assert container_state(whole)[1] == "ImagePullBackOff"
    assert len(items(lisi.get(path).item, "manifest", "items")) == 2


def test_pods_of_a_workload_that_is_not_there_are_none(
    lisi: PlainClient, cluster: Cluster, place: str
) -> None:
    cluster.put(workload())
    cluster.advance(2)
    reply = lisi.get(f"{place}/workloads/pods?ownerKind=Deployment&ownerName=gone")
    assert (reply.code, items(reply.item, "manifest", "items")) == (0, [])


def test_labels_select(lisi: PlainClient, cluster: Cluster, place: str) -> None:
    cluster.put(workload())
    cluster.put(workload(name="other"))
    cluster.advance(2)
    reply = lisi.get(f"{place}/workloads/pods?labelSelector=k8s-app%3Dother")
    assert [text(pod, "metadata", "labels", "k8s-app") for pod in items(reply.item, "manifest", "items")] == [
        "other"
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("workloads/deployments/gone", 'deployments.apps "gone" not found'),
        ("workloads/pods/gone", 'pods "gone" not found'),
        ("networks/services/gone", 'services "gone" not found'),
        ("networks/ingresses/gone", 'ingresses.networking.k8s.io "gone" not found'),
    ],
)
def test_what_is_not_there_is_code_1(lisi: PlainClient, place: str, path: str, message: str) -> None:
    reply = lisi.get(f"{place}/{path}?format=manifest")
    assert (reply.status, reply.code, reply.message, reply.json()["data"]) == (200, 1, message, None)


@pytest.mark.usefixtures("cluster")
def test_a_project_code_in_place_of_the_id_is_refused_by_the_validator(lisi: PlainClient) -> None:
    path = f"{V1}/web/clusters/BCS-K8S-40000/namespaces/{NAMESPACE}/workloads/deployments"
    for query, message in (("", "ResListReq"), ("/web", "ResGetReq")):
        reply = lisi.get(path + query)
        assert (reply.status, reply.code) == (200, 1)
        assert reply.message == (
            f'invalid {message}.ProjectID: value does not match regex pattern "^[0-9a-f]{{32}}$"'
        )


def test_a_format_that_does_not_exist_is_refused(lisi: PlainClient, place: str) -> None:
    reply = lisi.get(f"{place}/workloads/deployments/web?format=yaml")
    assert (reply.code, reply.message) == (
        1,
        "invalid ResGetReq.Format: value must be in list [ manifest formData]",
    )


def test_an_unknown_cluster_and_project_are_http_500(lisi: PlainClient, place: str) -> None:
    reply = lisi.get(place.replace("40000", "49999") + "/workloads/deployments")
    assert (reply.status, reply.json()["code"]) == (500, 2)
    unknown = f"{V1}/{'0' * 32}/clusters/BCS-K8S-40000/namespaces/shop/workloads/deployments"
    assert lisi.get(unknown).status == 500


def test_reading_needs_the_namespace(lisi: PlainClient, cluster: Cluster, place: str) -> None:
    cluster.deny("lisi", "namespace_scoped_view")
    reply = lisi.get(f"{place}/workloads/deployments/web")
    assert reply.code == 40300
    assert items(reply.item, "perms", "action_list")[0]["action_id"] == "namespace_scoped_view"


@pytest.mark.usefixtures("cluster")
def test_nobody_may_read(emulator: Emulator, place: str) -> None:
    with through_gateway(emulator, **{**APP_AS_LISI, "bk_username": "wangwu"}) as client:
        reply = client.get(f"{place}/workloads/deployments/web")
    assert (reply.code, reply.message) == (2, "ctx validate failed: Username/ProjectID/ClusterID required")


def test_networks_can_be_listed() -> None:
    """The cut OpenAPI file has no such path, so this site is not held to it."""
    with Emulator() as site:
        project = site.state.add_project("web", viewers={"lisi"})
        site.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        site.state.add_cluster(namespaces=("shop",)).put(service())
        site.cluster().put(config_map() | {"metadata": {"name": "a", "namespace": "shop"}})
        path = f"/v4{V1}/{project.id}/clusters/BCS-K8S-40000/namespaces/shop/networks/services"
        with PlainClient(site.url, headers=authorization(**APP_AS_LISI)) as client:
            (listed,) = items(client.get(path).item, "manifest", "items")
        assert find(listed, "spec", "type") == "NodePort"
        assert site.problems() == []


@pytest.mark.parametrize(("kind", "manifest"), [(DEPLOYMENT, workload()), (KIND_OF_THING, THING)])
def test_the_steps_own_calls_find_an_object_of_either_route(
    lisi: PlainClient, emulator: Emulator, cluster: Cluster, kind: Kind, manifest: Manifest
) -> None:
    project = emulator.state.find_project("web")
    assert project is not None
    namespace = NamespaceRef("web", project.id, cluster.id, NAMESPACE)
    define(cluster, "Thing")
    cluster.put(manifest)
    one = lisi.get(get_live(namespace, kind=kind, name="web").target)
    assert text(one.item, "manifest", "metadata", "name") == "web"
    listed = lisi.get(list_live(namespace, kind=kind).target)
    assert [text(found, "metadata", "name") for found in items(listed.item, "manifest", "items")] == ["web"]


# --- custom objects (facts/workloads.md) ----------------------------------------------------------------

CRDS = "clusters/BCS-K8S-40000/crds"


def definitions_of(emulator: Emulator) -> str:
    project = emulator.state.find_project("web")
    assert project is not None
    return f"{V1}/{project.id}/{CRDS}"


def test_custom_objects_are_listed_whole(lisi: PlainClient, emulator: Emulator, cluster: Cluster) -> None:
    define(cluster, "Thing")
    cluster.put(THING)
    path = f"{definitions_of(emulator)}/things.example.com/custom_objects"
    listed = lisi.get(f"{path}?namespace={NAMESPACE}&format=manifest")
    (found,) = items(listed.item, "manifest", "items")
    assert found == cluster.get("Thing", NAMESPACE, "web")
    assert found["spec"] == {"size": 3}


def test_a_custom_object_needs_its_namespace(lisi: PlainClient, emulator: Emulator, cluster: Cluster) -> None:
    define(cluster, "Thing")
    reply = lisi.get(f"{definitions_of(emulator)}/things.example.com/custom_objects/web")
    assert (reply.status, reply.code) == (200, 2)


def test_whoever_may_not_see_definitions_sees_no_custom_object(
    lisi: PlainClient, emulator: Emulator, cluster: Cluster
) -> None:
    define(cluster, "Thing")
    cluster.put(THING)
    cluster.deny("lisi", "cluster_scoped_view")
    for path in ("/things.example.com", "/things.example.com/custom_objects/web"):
        reply = lisi.get(f"{definitions_of(emulator)}{path}?namespace={NAMESPACE}")
        assert (reply.code, items(reply.item, "perms", "action_list")[0]["action_id"]) == (
            40300,
            "cluster_scoped_view",
        )


def test_a_shared_cluster_shows_the_custom_kinds_that_its_site_has_enabled(
    lisi: PlainClient, emulator: Emulator
) -> None:
    shared = emulator.state.add_cluster("BCS-K8S-40001", namespaces=(NAMESPACE,), shared=True, project="web")
    define(shared, "Thing")
    shared.put(THING)
    path = definitions_of(emulator).replace("40000", "40001")
    one = f"{path}/things.example.com/custom_objects/web?namespace={NAMESPACE}"
    refused = lisi.get(one)
    assert (refused.code, refused.message) == (4, "共享集群中不支持查看 CRD things.example.com 信息")
    shared.enabled_definitions.add("things.example.com")
    assert lisi.get(one).code == 0


@pytest.mark.parametrize("kind", ["GameDeployment", "Rollout"])
def test_pods_are_found_by_their_own_owner_alone_and_by_their_labels(
    lisi: PlainClient, cluster: Cluster, place: str, kind: str
) -> None:
    define(cluster, kind)
    manifest = yaml.safe_load(custom_workload(kind))
    cluster.put({**manifest, "metadata": {"name": "web", "namespace": NAMESPACE}})
    cluster.advance(5)
    path = f"{place}/workloads/pods"
    owned = items(lisi.get(f"{path}?ownerKind={kind}&ownerName=web").item, "manifest", "items")
    labelled = items(lisi.get(f"{path}?labelSelector=app%3Dweb").item, "manifest", "items")
    assert (len(owned), len(labelled)) == (3 if kind == "GameDeployment" else 0, 3)


def test_whoever_deletes_what_nobody_has_learns_whether_he_may(
    lisi: PlainClient, cluster: Cluster, place: str
) -> None:
    nobody = f"{place}/configs/configmaps/nobody"
    assert lisi.send("DELETE", nobody).code == 1
    cluster.deny("lisi", "namespace_scoped_delete")
    reply = lisi.send("DELETE", nobody)
    assert reply.code == 40300
    assert items(reply.item, "perms", "action_list")[0]["action_id"] == "namespace_scoped_delete"


def test_what_is_deleted_takes_along_what_it_owns(lisi: PlainClient, cluster: Cluster, place: str) -> None:
    cluster.put(workload())
    cluster.advance(60)
    one = f"{place}/workloads/deployments/web"
    assert [reply.code for reply in (lisi.send("DELETE", one), lisi.send("DELETE", one))] == [0, 1]
    cluster.advance(60)
    assert [cluster.find_all(kind, NAMESPACE) for kind in ("ReplicaSet", "Pod")] == [[], []]


def test_what_a_finalizer_holds_is_accepted_and_stays_until_that_lets_go(
    lisi: PlainClient, cluster: Cluster, place: str
) -> None:
    held = service()
    branch(held, "metadata")["finalizers"] = ["service.kubernetes.io/load-balancer-cleanup"]
    cluster.put(held)
    one = f"{place}/networks/services/web"
    assert [lisi.send("DELETE", one).code for _ in range(2)] == [0, 0]
    manifest = branch(lisi.get(f"{one}?format=manifest").item, "manifest")
    assert text(manifest, "metadata", "deletionTimestamp")
    cluster.release("Service", NAMESPACE, "web")
    assert lisi.get(one).code == 1
