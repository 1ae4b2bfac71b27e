from __future__ import annotations

import json
from typing import Callable

import pytest

from bcs_template_set.bcs import deploy_calls
from bcs_template_set.bcs.calls import Call, JsonValue, Read, Unreadable, Write
from bcs_template_set.bcs.deploy_calls import Deployed, NamespaceRef
from bcs_template_set.manifests.custom_kinds import ROLLOUT
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid

PLACE = NamespaceRef("demo", "f" * 32, "BCS-K8S-1", "web")
CHOSEN: dict[str, JsonValue] = {"templateVersions": ["1", "2"], "clusterID": "BCS-K8S-1", "namespace": "web"}
ROLLOUTS = "crds/rollouts.argoproj.io/custom_objects"

CALLS: list[tuple[Callable[[], Call[object]], str, str, object]] = [
    (
        lambda: deploy_calls.list_variables(PLACE, version_ids=["1", "2"]),
        "list variables",
        "POST +/variables",
        CHOSEN,
    ),
    (
        lambda: deploy_calls.preview(PLACE, version_ids=["1", "2"], variables={"A": "b"}),
        "preview",
        "POST +/preview",
        {**CHOSEN, "variables": {"A": "b"}},
    ),
    (
        lambda: deploy_calls.deploy(PLACE, version_ids=["1", "2"], variables={}),
        "deploy",
        "POST +/deploy",
        {**CHOSEN, "variables": {}},
    ),
    (
        lambda: deploy_calls.may_deploy(PLACE),
        "may deploy",
        "POST +/deploy",
        {**CHOSEN, "templateVersions": [], "variables": {}},
    ),
    (
        lambda: deploy_calls.may_delete(PLACE),
        "may delete",
        "DELETE ~/namespaces/web/configs/configmaps/nobody-has-this-name",
        None,
    ),
    (lambda: deploy_calls.list_namespaces(PLACE), "list namespaces", "GET ~/namespaces", None),
    (
        lambda: deploy_calls.get_live(PLACE, kind=DEPLOYMENT, name="shop"),
        "get Deployment",
        "GET ~/namespaces/web/workloads/deployments/shop?format=manifest",
        None,
    ),
    (
        lambda: deploy_calls.get_live(PLACE, kind=ROLLOUT, name="shop"),
        "get Rollout",
        f"GET ~/{ROLLOUTS}/shop?namespace=web&format=manifest",
        None,
    ),
    (
        lambda: deploy_calls.delete_live(PLACE, kind=DEPLOYMENT, name="shop"),
        "delete Deployment",
        "DELETE ~/namespaces/web/workloads/deployments/shop",
        None,
    ),
    (
        lambda: deploy_calls.delete_live(PLACE, kind=ROLLOUT, name="shop"),
        "delete Rollout",
        f"DELETE ~/{ROLLOUTS}/shop?namespace=web",
        None,
    ),
    (
        lambda: deploy_calls.list_live(PLACE, kind=ROLLOUT),
        "list Rollout",
        f"GET ~/{ROLLOUTS}?namespace=web&format=manifest",
        None,
    ),
    (
        lambda: deploy_calls.list_autoscalers(PLACE),
        "list HorizontalPodAutoscaler",
        "GET ~/namespaces/web/hpa?format=manifest",
        None,
    ),
    (
        lambda: deploy_calls.list_pods_of(PLACE, kind=DEPLOYMENT, name="shop", labels={"app": "shop"}),
        "list pods",
        "GET ~/namespaces/web/workloads/pods?ownerKind=Deployment&ownerName=shop&format=manifest",
        None,
    ),
    (
        lambda: deploy_calls.list_pods_of(PLACE, kind=ROLLOUT, name="shop", labels={"b": "2", "a": "1"}),
        "list pods",
        "GET ~/namespaces/web/workloads/pods?labelSelector=a%3D1%2Cb%3D2&format=manifest",
        None,
    ),
    (
        lambda: deploy_calls.list_pods_of(PLACE, kind=ROLLOUT, name="shop", labels={}),
        "list pods",
        "GET ~/namespaces/web/workloads/pods?ownerKind=Rollout&ownerName=shop&format=manifest",
        None,
    ),
]


@pytest.mark.parametrize(
    ("build", "name", "target", "body"), CALLS, ids=[target for _, _, target, _ in CALLS]
)
def test_every_call_has_the_method_path_and_body_of_the_facts(
    build: Callable[[], Call[object]], name: str, target: str, body: object
) -> None:
    call = build()
    of_templates = "/clusterresources/v1/projects/demo/template"
    of_cluster = f"/clusterresources/v1/projects/{'f' * 32}/clusters/BCS-K8S-1"
    assert call.name == name
    assert f"{call.method} {call.target}" == target.replace("+", of_templates).replace("~", of_cluster)
    assert call.project == "demo"
    assert json.loads(call.body_bytes() or b"null") == body


def test_only_a_deployment_and_a_deletion_write_and_two_calls_read_an_error_beside_a_success() -> None:
    calls = [build() for build, *_ in CALLS]
    assert {call.name for call in calls if isinstance(call, Write)} == {
        *("deploy", "delete Deployment", "delete Rollout"),
    }
    assert all(isinstance(call, (Read, Write)) for call in calls)
    assert {call.name for call in calls if call.reads_error} == {"preview", "deploy"}


@pytest.mark.parametrize(
    ("place", "what"),
    [
        (NamespaceRef("demo", "..", "BCS-K8S-1", "web"), "projectID"),
        (NamespaceRef("demo", "f", "..", "web"), "cluster_id"),
        (NamespaceRef("demo", "f", "BCS-K8S-1", ".."), "namespace"),
    ],
)
def test_a_place_that_would_change_the_path_is_refused_by_name(place: NamespaceRef, what: str) -> None:
    with pytest.raises(InputsInvalid) as caught:
        deploy_calls.list_live(place, kind=DEPLOYMENT)
    assert caught.value.details == (say("gateway.segment", what=what, value="'..'"),)


def test_an_objects_name_that_would_change_the_path_is_refused() -> None:
    for build in (deploy_calls.get_live, deploy_calls.delete_live):
        with pytest.raises(InputsInvalid) as caught:
            build(PLACE, kind=DEPLOYMENT, name="..")
        refused = say("gateway.segment", what="Deployment.metadata.name", value="'..'")
        assert caught.value.details == (refused,)
    with pytest.raises(InputsInvalid) as caught:
        deploy_calls.may_deploy(NamespaceRef("..", "f", "BCS-K8S-1", "web"))
    assert caught.value.details == (say("gateway.segment", what="project_code", value="'..'"),)


# --- answers --------------------------------------------------------------------------------------------


def test_what_an_answer_does_not_say_is_empty() -> None:
    assert deploy_calls.PreviewItem() == deploy_calls.PreviewItem("", "", "", "")
    assert deploy_calls.Preview() == deploy_calls.Preview((), "")
    assert deploy_calls.Variable("A") == deploy_calls.Variable("A", "")


def test_a_variable_is_listed_once_with_the_first_value_that_it_has() -> None:
    rows: list[JsonValue] = [
        {"key": "B", "value": ""},
        {"key": "A"},
        {"key": "B", "value": "2"},
        {"key": "B", "value": "3"},
    ]
    found = deploy_calls.list_variables(PLACE, version_ids=["1"]).parse({"vars": rows})
    assert [(variable.key, variable.value) for variable in found.vars] == [("B", "2"), ("A", "")]


@pytest.mark.parametrize(("data", "error"), [(None, ""), ({}, ""), ({"error": "no"}, "no")])
def test_a_deployment_answers_nothing_or_what_failed(data: JsonValue, error: str) -> None:
    call = deploy_calls.deploy(PLACE, version_ids=["1"], variables={})
    assert call.parse(data) == Deployed(error)


@pytest.mark.parametrize("data", [None, [], {}, {"manifest": None}, {"manifest": []}])
def test_a_live_object_without_a_manifest_is_unreadable(data: JsonValue) -> None:
    call = deploy_calls.get_live(PLACE, kind=DEPLOYMENT, name="shop")
    with pytest.raises(Unreadable, match=r"^Object missing required field `manifest` - at `data`$"):
        call.parse(data)
    assert call.parse({"manifest": {"kind": "Deployment"}}).manifest == {"kind": "Deployment"}


@pytest.mark.parametrize(
    ("data", "manifest", "notes"),
    [
        (None, {}, {}),
        ([], {}, {}),
        ({}, {}, {}),
        ({"manifest": [], "manifestExt": []}, {}, {}),
        ({"manifest": {"items": []}, "manifestExt": {"uid": {}}}, {"items": []}, {"uid": {}}),
    ],
)
def test_a_list_is_what_is_live_and_what_bcs_says_of_it(
    data: JsonValue, manifest: object, notes: object
) -> None:
    found = deploy_calls.list_live(PLACE, kind=DEPLOYMENT).parse(data)
    assert (found.manifest, found.manifest_ext) == (manifest, notes)


def test_namespaces_are_named_in_order_and_a_list_that_goes_on_is_unreadable() -> None:
    call = deploy_calls.list_namespaces(PLACE)
    manifest: dict[str, JsonValue] = {"items": [{"metadata": {"name": name}} for name in ("web", "api")]}
    assert call.parse({"manifest": manifest}) == ("api", "web")
    with pytest.raises(Unreadable, match=r"^the list goes on - at `data\.manifest\.metadata\.continue`$"):
        call.parse({"manifest": {**manifest, "metadata": {"continue": "x"}}})
