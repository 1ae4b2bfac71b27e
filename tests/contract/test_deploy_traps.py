"""Traps of preview and deploy: dialects, YAML and rights (facts/bcs.md traps 8, 9, 16 to 19)."""

from __future__ import annotations

from typing import Optional

import pytest

from tests.contract.documents import NAMESPACE, config_map, content_of
from tests.emulator import Cluster, Dialect, Emulator
from tests.emulator.cluster.tree import find, items, text
from tests.support.plain_client import V1, PlainClient, Reply

TEMPLATE = f"{V1}/web/template"
NIL = "panic recovered: runtime error: invalid memory address or nil pointer dereference"


def ask(
    emulator: Emulator, client: PlainClient, call: str, content: str, *, cluster: str = "BCS-K8S-40000"
) -> Reply:
    """Have the only version of a new file previewed or deployed."""
    name = f"{len(emulator.state.files)}.yaml"
    emulator.state.add_file("shop", name, content=content, project="web")
    version = emulator.state.find_versions("shop", name, project="web")[0].id
    body = {"templateVersions": [version], "clusterID": cluster, "namespace": NAMESPACE, "variables": {}}
    return client.post(f"{TEMPLATE}/{call}", body)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_live_object_that_can_not_be_read_is_a_panic(
    status: int, emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    content = content_of(config_map("one", a="1"), config_map("two", a="1"))
    assert ask(emulator, lisi, "deploy", content).code == 0
    cluster.refuses["GET .*/configmaps/two"] = status
    changed = content.replace("a: '1'", "a: '2'")
    for call in ("preview", "deploy"):
        reply = ask(emulator, lisi, call, changed)
        assert (reply.status, reply.code, reply.message) == (200, 1, NIL)
    assert find(cluster.get("ConfigMap", NAMESPACE, "one"), "data", "a") == "2", "what came before is applied"
    emulator.state.dialect = Dialect.MULTI_TENANT
    assert ask(emulator, lisi, "deploy", changed).message == "refused for a test"
    assert ask(emulator, lisi, "preview", changed).item["error"] == "refused for a test"


def test_a_write_that_is_refused_is_passed_on(
    emulator: Emulator, lisi: PlainClient, cluster: Cluster
) -> None:
    assert ask(emulator, lisi, "deploy", content_of(config_map("one"))).code == 0
    cluster.refuses["PUT .*/configmaps/one"] = 409
    assert ask(emulator, lisi, "deploy", content_of(config_map("one"))).message == "refused for a test"


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("line", "type_"),
    [
        ("metadata: {name: 7}", "int"),
        ("metadata: {name: on}", "bool"),
        ("metadata: {name: 1.5}", "float64"),
        ("metadata: {name: ~}", "nil"),
        ("metadata: {name: a, namespace: 7}", "int"),
    ],
)
def test_a_name_that_is_no_text_is_a_panic_on_v1_30_and_no_name_later(
    line: str, type_: str, emulator: Emulator, lisi: PlainClient
) -> None:
    content = f"apiVersion: v1\nkind: ConfigMap\n{line}\n"
    emulator.state.dialect = Dialect.A
    said = f"panic recovered: interface conversion: interface {{}} is {type_}, not string"
    assert [ask(emulator, lisi, call, content).message for call in ("preview", "deploy")] == [said, said]
    emulator.state.dialect = Dialect.C
    later = ask(emulator, lisi, "deploy", content)
    assert later.message == ("OK" if "namespace" in line else "metadata.name 必须指定")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a: 1\n---b: 2\n", ["a: 1\n", "b: 2\n"]),  # to YAML it is a key
        ('a: "one\n---\ntwo"\n', None),  # to YAML it is a text
        ("a: |\n  one\n  ---\n  two\n", ["a: |-\n  one\n  ---\n  two\n"]),
        ("a: 1\n...\nb: 2\n", ["a: 1\n"]),  # to YAML there are two
        ("---\n# nothing\n---\na: 1\n", ["{}\n", "a: 1\n"]),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_three_dashes_at_the_beginning_of_a_line_split_whatever_they_stand_in(
    content: str, parts: Optional[list[str]], emulator: Emulator, lisi: PlainClient
) -> None:
    shown = ask(emulator, lisi, "preview", content).item
    if parts is None:
        assert text(shown, "error").startswith("yaml: line ")
    else:
        assert [text(item, "content") for item in items(shown, "items")] == parts


@pytest.mark.usefixtures("cluster")
def test_keys_are_words_too(emulator: Emulator, lisi: PlainClient, cluster: Cluster) -> None:
    content = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {on: x, n: y1, '1': z}\n"
    assert ask(emulator, lisi, "deploy", content).code == 0
    assert find(cluster.get("ConfigMap", NAMESPACE, "a"), "data") == {"true": "x", "false": "y1", "1": "z"}


@pytest.mark.usefixtures("cluster")
def test_a_name_that_two_versions_use_is_listed_twice(emulator: Emulator, lisi: PlainClient) -> None:
    for name in ("a.yaml", "b.yaml"):
        emulator.state.add_file("shop", name, content="a: {{ TAG }}{{ TAG }}")
    versions = [version.id for version in emulator.state.find_versions("shop")]
    body = {"templateVersions": versions, "clusterID": "BCS-K8S-40000", "namespace": NAMESPACE}
    shown = lisi.post(f"{TEMPLATE}/variables", body).item
    assert [variable["key"] for variable in items(shown, "vars")] == ["TAG", "TAG"]


@pytest.mark.parametrize(
    ("denied", "named"),
    [
        ("namespace_scoped_create", ["namespace_scoped_create", "cluster_view", "project_view"]),
        ("namespace_view", ["namespace_view", "cluster_view", "project_view"]),
        ("cluster_view", ["cluster_view", "project_view"]),
        ("project_view", ["project_view"]),
        ("namespace_scoped_update", []),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_a_deployment_of_nothing_asks_for_all_that_one_needs(
    denied: str, named: list[str], emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.projects[0].denied = {("lisi", denied)}
    body = {"templateVersions": [], "clusterID": "BCS-K8S-40000", "namespace": NAMESPACE, "variables": {}}
    reply = lisi.post(f"{TEMPLATE}/deploy", body)
    assert reply.code == (40300 if named else 0)
    listed = items(reply.json(), "data", "perms", "action_list")
    assert [action["action_id"] for action in listed] == named
    assert reply.code == 0 or bool(text(reply.json(), "data", "perms", "apply_url"))
    emulator.state.dialect = Dialect.MULTI_TENANT
    unlinked = lisi.post(f"{TEMPLATE}/deploy", body)
    assert (unlinked.code, unlinked.item) == (reply.code, {})


def test_a_shared_cluster_asks_for_namespace_view_before_it_looks(
    emulator: Emulator, lisi: PlainClient
) -> None:
    emulator.state.add_project("owner", viewers=())
    shared = emulator.state.add_cluster("BCS-K8S-15000", project="owner", shared=True, namespaces=())
    shared.add_namespace(NAMESPACE, project="web")
    content = content_of(config_map("a"))
    assert ask(emulator, lisi, "preview", content, cluster=shared.id).code == 0
    emulator.state.projects[0].denied = {("lisi", "namespace_view")}
    refused = ask(emulator, lisi, "preview", content, cluster=shared.id)
    assert refused.message.startswith("40300: no namespace_view permission; no cluster_view permission; ")
    at = f"{V1}/{emulator.state.projects[0].id}/clusters/{shared.id}/namespaces/{NAMESPACE}"
    assert lisi.get(f"{at}/workloads/deployments").code == 40300
