"""Variables, preview and deploy of template files (facts/bcs.md traps 1, 2, 7, 8, 9, 11, 13)."""

from __future__ import annotations

import pytest
import yaml

from tests.contract.documents import NAMESPACE, config_map, content_of, service, workload
from tests.emulator import Cluster, Emulator, Match, gateway_fault
from tests.emulator.cluster.tree import Manifest, branch, find, grow, items, number, text
from tests.emulator.pace import Pace
from tests.support.plain_client import V1, PlainClient, Reply

TEMPLATE = f"{V1}/web/template"
CLUSTER = "BCS-K8S-40000"
BROKEN = service(name="1web")


def version_of(emulator: Emulator, content: str, *, name: str = "web.yaml", mode: str = "Simple") -> str:
    """Return the id of a new file's only version, `shop/<name>` 1.0.0."""
    emulator.state.add_file("shop", name, content=content, render_mode=mode, project="web")
    return emulator.state.find_versions("shop", name, project="web")[0].id


def ask(client: PlainClient, call: str, *versions: str, **changes: object) -> Reply:
    body = {"templateVersions": list(versions), "clusterID": CLUSTER, "namespace": NAMESPACE, **changes}
    return client.post(f"{TEMPLATE}/{call}", body)


def preview_items(reply: Reply) -> list[Manifest]:
    return items(reply.item, "items")


# --- variables ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cluster")
def test_variables_are_listed_once_with_the_values_of_the_namespace(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.set_namespace_variable("TAG", "everywhere")
    emulator.state.set_namespace_variable("TAG", "here", cluster=CLUSTER, namespace=NAMESPACE)
    version = version_of(emulator, "a: {{ TAG }}{{TAG}}\nb: {{ OTHER }}{{ SYS_NAMESPACE }}{{ }}")
    assert ask(lisi, "variables", version).item == {
        "vars": [
            {"key": "TAG", "value": "here", "readonly": False},
            {"key": "OTHER", "value": "", "readonly": False},
            {"key": "SYS_NAMESPACE", "value": NAMESPACE, "readonly": False},
        ]
    }
    assert emulator.writes() == []


@pytest.mark.usefixtures("cluster")
def test_a_namespaces_variables_are_a_proposal_and_deploy_does_not_know_them(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.set_namespace_variable("TAG", "here", cluster=CLUSTER, namespace=NAMESPACE)
    version = version_of(emulator, content_of(config_map(tag="<{{ TAG }}{{ SYS_NAMESPACE }}>")))
    assert ask(lisi, "deploy", version).code == 0
    assert find(emulator.cluster().get("ConfigMap", NAMESPACE, "settings"), "data", "tag") == "<>"
    assert ask(lisi, "deploy", version, variables={"TAG": "there"}).code == 0
    assert find(emulator.cluster().get("ConfigMap", NAMESPACE, "settings"), "data", "tag") == "<there>"


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("value", [1, True, ["a"], {"a": "b"}])
def test_a_variable_that_is_no_string_is_http_400(
    emulator: Emulator, lisi: PlainClient, value: object
) -> None:
    version = version_of(emulator, content_of(config_map()))
    reply = ask(lisi, "deploy", version, variables={"A": value})
    assert (reply.status, reply.json()["code"]) == (400, 3)
    emulator.forget()  # the request breaks the OpenAPI file, which is the point


# --- who and where --------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["variables", "preview", "deploy"])
def test_an_unknown_cluster_is_http_500(emulator: Emulator, lisi: PlainClient, call: str) -> None:
    version = version_of(emulator, "a: b")
    reply = ask(lisi, call, version, clusterID="BCS-K8S-49999")
    assert (reply.status, reply.json()["code"], reply.json()["details"]) == (500, 2, [])
    assert "BCS-K8S-49999" in str(reply.json()["error"])


def test_a_cluster_of_another_project_is_http_500(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_project("other", viewers={"lisi"})
    emulator.state.add_cluster("BCS-K8S-40001", project="other")
    reply = ask(lisi, "deploy", clusterID="BCS-K8S-40001")
    assert (reply.status, reply.json()["error"]) == (500, "集群 BCS-K8S-40001 不属于指定项目!")


@pytest.mark.usefixtures("cluster")
def test_a_version_that_is_not_there_is_code_1(lisi: PlainClient) -> None:
    reply = ask(lisi, "deploy", "0" * 24)
    assert (reply.code, reply.message) == (1, "record not found")


def test_deploy_asks_for_the_namespace_and_preview_does_not(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    cluster.deny("lisi", "namespace_scoped_create", namespace=NAMESPACE)
    version = version_of(emulator, content_of(config_map()))
    assert ask(lisi, "preview", version).code == 0
    reply = ask(lisi, "deploy", version)
    assert reply.code == 40300
    perms = branch(reply.item, "perms")
    assert text(perms, "apply_url").startswith("https://iam.example.com/")
    assert items(perms, "action_list") == [
        {"resource_type": "namespace", "action_id": "namespace_scoped_create"},
        {"resource_type": "cluster", "action_id": "cluster_view"},
        {"resource_type": "project", "action_id": "project_view"},
    ]
    assert cluster.writes == []
    cluster.allow("lisi", "namespace_scoped_create", namespace=NAMESPACE)
    assert ask(lisi, "deploy", version).code == 0


@pytest.mark.parametrize("call", ["preview", "deploy"])
@pytest.mark.parametrize("kind", ["DaemonSet", ""])
def test_a_shared_cluster_refuses_other_kinds(
    emulator: Emulator, lisi: PlainClient, call: str, kind: str
) -> None:
    emulator.state.add_cluster(namespaces=("shop",), shared=True)
    other: Manifest = {"metadata": {"name": "a"}, **({"kind": kind} if kind else {})}
    reply = ask(lisi, call, version_of(emulator, content_of(config_map(), other)))
    assert (reply.code, reply.message) == (4, f"该请求资源类型 {kind} 在共享集群中不可用")
    assert emulator.cluster().writes == []


def test_a_shared_cluster_takes_a_project_in_its_own_namespaces_only(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.add_project("owner")
    shared = emulator.state.add_cluster(project="owner", namespaces=("shop",), shared=True)
    shared.add_namespace("mine", project="web")
    version = version_of(emulator, content_of(config_map()))
    assert ask(lisi, "deploy", version).code == 4
    assert ask(lisi, "deploy", version, namespace="gone").message == 'namespaces "gone" not found'
    assert ask(lisi, "deploy", version, namespace="mine").code == 0


# --- preview --------------------------------------------------------------------------------------------


def test_preview_shows_new_objects_and_changes_nothing(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    version = version_of(emulator, content_of(workload(), config_map(a="{{ A }}")))
    reply = ask(lisi, "preview", version, variables={"A": "x"})
    assert (reply.code, reply.item["error"]) == (0, "")
    first, second = preview_items(reply)
    assert (first["kind"], first["name"], first["previousContent"]) == ("Deployment", "web", "")
    content = yaml.safe_load(text(second, "content"))
    assert content["data"] == {"a": "x"}
    assert content["metadata"]["namespace"] == NAMESPACE
    assert content["metadata"]["annotations"] == {
        "io.tencent.paas.creator": "lisi",
        "io.tencent.paas.updator": "lisi",
        "io.tencent.paas.source_type": "template",
        "io.tencent.paas.template_name": "shop/web.yaml",
        "io.tencent.paas.template_version": "1.0.0",
    }
    assert cluster.writes == []
    assert emulator.writes() == []


@pytest.mark.usefixtures("cluster")
def test_preview_shows_the_live_text_and_carries_its_resource_version(
    emulator: Emulator, lisi: PlainClient
) -> None:
    version = version_of(emulator, content_of(workload(replicas=2)))
    assert ask(lisi, "deploy", version).code == 0
    (item,) = preview_items(ask(lisi, "preview", version))
    live = yaml.safe_load(text(item, "previousContent"))
    assert live["spec"]["replicas"] == 2
    assert live["spec"]["progressDeadlineSeconds"] == 600
    assert not {"resourceVersion", "uid", "generation", "creationTimestamp"} & set(live["metadata"])
    assert "status" not in live
    assert "schedulerName" not in live["spec"]["template"]["spec"]
    assert yaml.safe_load(text(item, "content"))["metadata"]["resourceVersion"]


def test_preview_hides_the_live_text_from_those_who_may_not_see_it(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    version = version_of(emulator, content_of(config_map()))
    assert ask(lisi, "deploy", version).code == 0
    cluster.deny("lisi", "namespace_scoped_view")
    assert preview_items(ask(lisi, "preview", version))[0]["previousContent"] == ""


@pytest.mark.usefixtures("cluster")
def test_the_dry_run_stops_at_the_first_object_that_fails(emulator: Emulator, lisi: PlainClient) -> None:
    version = version_of(emulator, content_of(config_map(), BROKEN, service(name="2web")))
    reply = ask(lisi, "preview", version)
    assert reply.code == 0
    assert text(reply.item, "error").startswith('Service "1web" is invalid: metadata.name')
    assert [item["name"] for item in preview_items(reply)] == ["settings", "1web", "2web"]


@pytest.mark.usefixtures("cluster")
def test_text_that_is_no_yaml_is_data_error_in_preview_and_code_1_in_deploy(
    emulator: Emulator, lisi: PlainClient
) -> None:
    version = version_of(emulator, "a: [")
    reply = ask(lisi, "preview", version)
    assert (reply.code, reply.item["items"]) == (0, [])
    assert text(reply.item, "error").startswith("yaml: ")
    refused = ask(lisi, "deploy", version)
    assert (refused.code, refused.json()["data"]) == (1, None)


@pytest.mark.usefixtures("cluster")
def test_helm_that_does_not_render_is_data_error_beside_code_0_even_in_deploy(
    emulator: Emulator, lisi: PlainClient
) -> None:
    version = version_of(emulator, "a: {{ toYaml (dict `}` 1) | nosuch }}", mode="Helm")
    reply = ask(lisi, "deploy", version)
    assert (reply.code, reply.item["items"]) == (0, [])
    assert reply.item["error"]


# --- deploy ---------------------------------------------------------------------------------------------


def test_deploy_applies_in_order_and_marks_the_files(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    first = version_of(emulator, content_of(service(), workload()))
    second = version_of(emulator, content_of(config_map()), name="settings.yaml")
    reply = ask(lisi, "deploy", first, second)
    assert (reply.code, reply.item) == (0, {})
    assert [kind for kind, _, _ in cluster.writes] == ["Service", "Deployment", "ConfigMap"]
    for file in emulator.state.find_files("shop"):
        assert (file.latest_deploy_version, file.latest_deployer, file.updator) == (
            "1.0.0",
            "lisi",
            "console",
        )


def test_deploy_sets_the_namespace_and_says_where_an_object_comes_from(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    manifest = config_map()
    grow(manifest, "metadata")["namespace"] = "elsewhere"
    grow(manifest, "metadata", "annotations")["io.tencent.paas.creator"] = "zhangsan"
    assert ask(lisi, "deploy", version_of(emulator, content_of(manifest))).code == 0
    annotations = branch(cluster.get("ConfigMap", NAMESPACE, "settings"), "metadata", "annotations")
    assert annotations["io.tencent.paas.creator"] == "zhangsan"
    assert annotations["io.tencent.paas.updator"] == "lisi"
    assert annotations["io.tencent.paas.template_name"] == "shop/web.yaml"
    assert annotations["io.tencent.paas.template_version"] == "1.0.0"


def test_deploy_stops_at_the_first_error_keeps_what_it_did_and_marks_nothing(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    version = version_of(emulator, content_of(config_map(), BROKEN, workload()))
    reply = ask(lisi, "deploy", version)
    assert (reply.status, reply.code, reply.json()["data"]) == (200, 1, None)
    assert reply.message.startswith('Service "1web" is invalid: ')
    assert cluster.writes == [("ConfigMap", NAMESPACE, "settings")]
    assert emulator.state.find_file("shop", "web.yaml").latest_deploy_version == ""


def test_a_document_without_kind_is_passed_over(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    nameless: Manifest = {"metadata": {"name": "x"}}
    version = version_of(emulator, content_of(nameless, config_map()) + "\n---\n# only a comment\n")
    assert ask(lisi, "deploy", version).code == 0
    assert len(cluster.writes) == 1


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("manifest", "code", "message"),
    [
        ({"kind": "ConfigMap", "metadata": {}}, 2, "metadata.name 必须指定"),
        (
            {"kind": "Rollout", "metadata": {"name": "a"}},
            1,
            "kind Rollout not found in cluster BCS-K8S-40000",
        ),
        (
            {"kind": "Ingress", "apiVersion": "networking.k8s.io/v2", "metadata": {"name": "a"}},
            1,
            "the server could not find the requested resource",
        ),
    ],
)
def test_what_the_cluster_has_no_place_for_is_refused(
    emulator: Emulator, lisi: PlainClient, manifest: Manifest, code: int, message: str
) -> None:
    reply = ask(lisi, "deploy", version_of(emulator, content_of(manifest)))
    assert (reply.code, reply.message) == (code, message)


@pytest.mark.usefixtures("cluster")
def test_a_namespace_document_cannot_be_deployed(emulator: Emulator, lisi: PlainClient) -> None:
    manifest: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}
    reply = ask(lisi, "deploy", version_of(emulator, content_of(manifest)))
    assert reply.code == 1
    assert reply.message.startswith("检测到集群资源变动")


@pytest.mark.usefixtures("cluster")
def test_a_namespace_that_does_not_exist_is_the_api_servers_refusal(
    emulator: Emulator, lisi: PlainClient
) -> None:
    reply = ask(lisi, "deploy", version_of(emulator, content_of(config_map())), namespace="gone")
    assert (reply.code, reply.message) == (1, 'namespaces "gone" not found')


def test_a_redeployed_service_is_refused_by_an_old_api_server(emulator: Emulator, lisi: PlainClient) -> None:
    emulator.state.add_cluster(namespaces=("shop",))
    version = version_of(emulator, content_of(service()))
    assert ask(lisi, "deploy", version).code == 0
    assert "primary clusterIP can not be unset" in text(ask(lisi, "preview", version).item, "error")
    assert "primary clusterIP can not be unset" in ask(lisi, "deploy", version).message


def test_a_selector_that_changes_is_refused_by_preview_and_deploy(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    cluster.put(workload())
    changed = workload(name="other")
    grow(changed, "metadata")["name"] = "web"
    version = version_of(emulator, content_of(changed))
    assert text(ask(lisi, "preview", version).item, "error").endswith("field is immutable")
    assert ask(lisi, "deploy", version).message.endswith("field is immutable")


def test_a_504_leaves_the_outcome_to_the_live_annotations(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    match = Match("POST", "template/deploy")
    emulator.faults.add(gateway_fault("REQUEST_BACKEND_TIMEOUT", match=match, handled=True))
    reply = ask(lisi, "deploy", version_of(emulator, content_of(config_map())))
    assert (reply.status, reply.json()["code"]) == (504, 1650401)
    assert cluster.writes == [("ConfigMap", NAMESPACE, "settings")]
    assert emulator.exchanges[-1].handled


@pytest.mark.parametrize(("call", "done"), [("deploy", 12), ("preview", 0)])
def test_a_slow_deployment_ends_in_the_gateways_504_and_bcs_stops_where_it_is(
    call: str, done: int, emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    waited: list[float] = []
    emulator.state.pace = Pace(deploy=5.0, preview=4.0, wait=waited.append)
    content = "---\n".join(content_of(config_map(f"c{n:02}")) for n in range(20))
    reply = ask(lisi, call, version_of(emulator, content))
    assert (reply.status, reply.json()["code"]) == (504, 1650401)
    assert sum(waited) == 60
    assert len(cluster.writes) == done
    emulator.state.pace = Pace(deploy=3.0, preview=3.0, wait=waited.append)
    assert ask(lisi, call, version_of(emulator, content)).code == 0


def test_a_deploy_waits_for_nothing(emulator: Emulator, lisi: PlainClient, cluster: Cluster) -> None:
    assert ask(lisi, "deploy", version_of(emulator, content_of(workload()))).code == 0
    live = cluster.get("Deployment", NAMESPACE, "web")
    assert number(live, "status", "readyReplicas") == 0
