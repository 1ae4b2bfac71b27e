"""What the emulated API server refuses, and what it does to a document that it takes."""

from __future__ import annotations

import pytest

from tests.contract.documents import NAMESPACE, config_map, job, new_cluster, pod_template, service, workload
from tests.emulator.cluster.refusals import ApiRefusal
from tests.emulator.cluster.tree import Manifest, branch, find, grow, items, number, text
from tests.support.refused import ROWS, Row, field_of, manifest_of


def refusal_of(manifest: Manifest, *, kubernetes: str = "1.28") -> str:
    with pytest.raises(ApiRefusal) as caught:
        new_cluster(kubernetes=kubernetes).put(manifest)
    return caught.value.message


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_the_check_of_values_finds_the_api_server_refuses_and_nothing_else(row: Row) -> None:
    manifest = manifest_of(row)
    grow(manifest, "metadata")["namespace"] = NAMESPACE
    if field_of(row):
        assert refusal_of(manifest)
    else:
        assert new_cluster().put(manifest)


def test_a_label_value_has_at_most_63_characters() -> None:
    name = f"deployment.{'a' * 60}.test"
    message = refusal_of(workload(name=name))
    assert message.startswith(
        f'Deployment.apps "{name}" is invalid: [spec.selector.matchLabels: Invalid value: '
    )
    assert "must be no more than 63 characters" in message


@pytest.mark.parametrize(
    ("manifest", "part"),
    [
        (service(name="1web"), 'Service "1web" is invalid: metadata.name: Invalid value: "1web": a DNS-1035'),
        (
            workload(name="Web"),
            'Deployment.apps "Web" is invalid: metadata.name: Invalid value: "Web": a lower',
        ),
        (workload(image=""), "spec.template.spec.containers[0].image: Required value"),
        (workload(selector={"matchLabels": {"k8s-app": "b"}}), "`selector` does not match template `labels`"),
        (workload(selector={}), "spec.selector: Required value"),
        (workload(replicas="2"), "json: cannot unmarshal string into Go struct field"),
        (service(node_port=80), "The range of valid ports is 30000-32767"),
        (config_map() | {"metadata": {"name": "a", "namespace": "gone"}}, 'namespaces "gone" not found'),
        (workload() | {"apiVersion": "apps/v9"}, "the server could not find the requested resource"),
        (
            workload() | {"kind": "Ingress"},
            "kind Ingress not found in cluster BCS-K8S-40000, groupVersion: apps",
        ),
    ],
)
def test_the_api_server_says_which_field_is_wrong(manifest: Manifest, part: str) -> None:
    assert part in refusal_of(manifest)


def test_a_number_as_a_label_does_not_decode() -> None:
    manifest = workload()
    grow(manifest, "metadata", "labels")["release"] = 7
    assert refusal_of(manifest).startswith(
        'Deployment in version "v1" cannot be handled as a Deployment: json: '
    )


def test_an_invalid_image_name_is_taken() -> None:
    assert new_cluster().put(workload(image="example.com/web::2"))


def test_a_deployments_selector_is_immutable() -> None:
    cluster = new_cluster()
    cluster.put(workload())
    changed = workload(selector={"matchLabels": {"k8s-app": "b"}}, template=pod_template(name="b"))
    with pytest.raises(ApiRefusal) as caught:
        cluster.put(changed)
    assert caught.value.message == (
        'Deployment.apps "web" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:'
        'map[string]string{"k8s-app":"b"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: '
        "field is immutable"
    )


def test_a_stateful_sets_service_name_is_immutable_and_its_replicas_are_not() -> None:
    cluster = new_cluster()
    cluster.put(workload("StatefulSet", serviceName="a"))
    cluster.put(workload("StatefulSet", serviceName="a", replicas=3))
    with pytest.raises(ApiRefusal, match="updates to statefulset spec for fields other than"):
        cluster.put(workload("StatefulSet", serviceName="b", replicas=3))


def test_a_job_cannot_be_replaced_by_the_document_that_made_it() -> None:
    cluster = new_cluster()
    cluster.put(job())
    with pytest.raises(ApiRefusal, match=r"spec\.selector: Required value.*field is immutable"):
        cluster.put(job())


def test_two_services_cannot_hold_one_node_port() -> None:
    cluster = new_cluster()
    cluster.put(service(node_port=30080))
    with pytest.raises(ApiRefusal, match="provided port is already allocated"):
        cluster.put(service(name="other", node_port=30080))
    cluster.delete("Service", NAMESPACE, "web")
    cluster.put(service(name="other", node_port=30080))


def port_of(manifest: Manifest) -> int:
    return number(items(manifest, "spec", "ports")[0], "nodePort")


@pytest.mark.parametrize("release", ["1.18", "1.20", "1.22"])
def test_an_old_api_server_refuses_a_service_without_cluster_ip(release: str) -> None:
    cluster = new_cluster(kubernetes=release)
    cluster.put(service())
    with pytest.raises(ApiRefusal) as caught:
        cluster.put(service())
    assert caught.value.message == (
        'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: []string(nil): '
        "primary clusterIP can not be unset"
    )


def test_an_old_api_server_gives_another_node_port_for_zero() -> None:
    cluster = new_cluster(kubernetes="1.20")
    first = cluster.put(service())
    again = cluster.put(service(clusterIP=text(first, "spec", "clusterIP")))
    assert port_of(first) != port_of(again) >= 30000


@pytest.mark.parametrize("release", ["1.23", "1.28"])
def test_a_current_api_server_carries_both_over(release: str) -> None:
    cluster = new_cluster(kubernetes=release)
    first = cluster.put(service())
    again = cluster.put(service())
    assert (port_of(again), find(again, "spec", "clusterIP")) == (
        port_of(first),
        find(first, "spec", "clusterIP"),
    )


def test_a_dry_run_stores_nothing_and_holds_no_port() -> None:
    cluster = new_cluster()
    cluster.apply(service(node_port=30080), dry_run=True)
    cluster.put(service(name="other", node_port=30080))
    assert [text(found, "metadata", "name") for found in cluster.find_all("Service", NAMESPACE)] == ["other"]


def test_defaults_are_filled_in_and_empties_dropped() -> None:
    cluster = new_cluster()
    manifest = workload(minReadySeconds=0)
    grow(manifest, "metadata")["labels"] = {}
    cluster.put(manifest)
    stored = cluster.get("Deployment", NAMESPACE, "web")
    assert "labels" not in branch(stored, "metadata")
    assert "minReadySeconds" not in branch(stored, "spec")
    assert find(stored, "spec", "strategy", "rollingUpdate", "maxSurge") == "25%"
    container = items(stored, "spec", "template", "spec", "containers")[0]
    assert container["terminationMessagePath"] == "/dev/termination-log"


def test_only_a_changed_spec_makes_a_new_generation() -> None:
    cluster = new_cluster()
    cluster.put(workload("StatefulSet"))
    cluster.advance(2)
    before = cluster.get("StatefulSet", NAMESPACE, "web")
    manifest = workload("StatefulSet")
    grow(manifest, "metadata", "annotations")["note"] = "x"
    cluster.put(manifest)
    after = cluster.get("StatefulSet", NAMESPACE, "web")
    assert find(after, "metadata", "generation") == find(before, "metadata", "generation") == 1
    assert find(after, "metadata", "resourceVersion") != find(before, "metadata", "resourceVersion")
    assert find(after, "metadata", "uid") == find(before, "metadata", "uid")
    cluster.put(workload("StatefulSet", replicas=2))
    assert find(cluster.get("StatefulSet", NAMESPACE, "web"), "metadata", "generation") == 2


def test_a_deployments_annotations_count_for_its_generation_but_not_those_of_its_controller() -> None:
    cluster = new_cluster()
    cluster.put(workload())
    cluster.advance(2)
    assert find(cluster.get("Deployment", NAMESPACE, "web"), "metadata", "generation") == 1
    manifest = workload()
    grow(manifest, "metadata", "annotations")["note"] = "x"
    cluster.put(manifest)
    cluster.advance(2)
    assert find(cluster.get("Deployment", NAMESPACE, "web"), "metadata", "generation") == 2


def test_a_rival_between_read_and_write_is_a_conflict() -> None:
    cluster = new_cluster()
    cluster.put(workload())

    def rival(_kind: str, _name: str) -> None:
        cluster.put(workload(replicas=3))

    cluster.before_write = rival
    with pytest.raises(ApiRefusal) as caught:
        cluster.apply(workload(replicas=2))
    assert caught.value.message.startswith(
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified'
    )
