"""Same, changed, or not known: what a hand changed, what a known writer set, what a variable fills in."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from bcs_template_set.rollout import drift
from bcs_template_set.rollout.drift import Drift, Signs

drift_of = partial(drift.drift_of, is_scaled=False)
SIGNS = Signs(("TAG", "PORT", "live_replicas.Deployment.web"), {"TAG": "7", "PORT": ""})
TAG, PORT, NUMBER = SIGNS.values().values()


def deployment(**spec: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a manifest
    container = {"name": "main", "image": "web:1", "env": [{"name": "A", "value": "1"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": selector, "template": template, **spec},
    }


def live(desired: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API server makes of a Deployment."""
    found = copy.deepcopy(dict(desired))
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    found["spec"] = {"strategy": rolling, "progressDeadlineSeconds": 600, **found["spec"]}
    found["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    found["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    return found


def pods(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["spec"]["template"]["spec"]
    return found


def test_a_servers_defaults_are_no_drift() -> None:
    assert drift_of(deployment(), live(deployment())) == Drift()


def test_what_a_hand_changed_is_named_by_its_field_and_never_by_its_value() -> None:
    found = live(deployment())
    found["spec"]["replicas"] = 5
    found["metadata"]["labels"] = {"team": "x"}
    pods(found)["containers"][0]["env"] = [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]
    pods(found)["containers"][0]["command"] = ["sleep"]
    main = "spec.template.spec.containers[main]"
    assert drift_of(deployment(), found).changed == (
        "metadata.labels",
        "spec.replicas",
        f"{main}.command",
        f"{main}.env[A].value",
        f"{main}.env[B]",
    )


def test_lists_without_names_are_compared_by_place() -> None:
    desired, found = (body(args=["a", "b"]) for body in (_with_args, _with_args))
    pods(found)["containers"][0]["args"] = ["a", "c", "d"]
    main = "spec.template.spec.containers[main].args"
    assert drift_of(desired, live(found)).changed == (main, f"{main}[1]")


def _with_args(*, args: list[str]) -> dict[str, Any]:
    body = deployment()
    pods(body)["containers"][0]["args"] = args
    return body


def secret(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a manifest
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque", **fields}


def test_of_a_secret_no_more_is_told_than_that_it_changed() -> None:
    desired, found = secret(stringData={"token": "a"}), secret(data={"token": "Yg=="})
    assert drift_of(desired, found).changed == ("data",)
    assert drift_of(desired, secret(data={"token": "YQ=="})) == Drift()


def test_of_a_kind_that_nobody_knows_only_what_the_version_says_is_compared() -> None:
    thing: dict[str, Any] = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "t"},
        "spec": {"size": 3},
    }
    found = {**thing, "spec": {"size": 4, "defaulted": True}}
    assert drift_of(thing, found).changed == ("spec.size",)


def test_what_a_known_writer_sets_is_shown_as_its_own() -> None:
    found = live(deployment())
    found["spec"]["replicas"] = 7
    found["spec"]["template"]["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/restartedAt": "2026-01-01",
        "sidecar.istio.io/status": "{}",
    }
    pods(found)["containers"].append({"name": "istio-proxy", "image": "istio:1"})
    pods(found)["volumes"] = [{"name": "istio-data", "emptyDir": {}}]
    notes = "spec.template.metadata.annotations"
    assert drift_of(deployment(), found, is_scaled=True) == Drift(
        theirs=(
            ("restart", f"{notes}.kubectl.kubernetes.io/restartedAt"),
            ("injector", f"{notes}.sidecar.istio.io/status"),
            ("injector", "spec.template.spec.containers[istio-proxy]"),
            ("injector", "spec.template.spec.volumes[istio-data]"),
            ("autoscaler", "spec.replicas"),
        )
    )


@pytest.mark.parametrize(
    ("writer", "place", "note"),
    [
        ("restart", "pods", "kubectl.kubernetes.io/restartedAt"),
        ("injector", "pods", "sidecar.istio.io/status"),
        ("injector", "pods", "linkerd.io/proxy-version"),
        ("injector", "pods", "vault.hashicorp.com/agent-inject-status"),
        ("load-balancer", "own", "service.kubernetes.io/loadbalance-id"),
        ("load-balancer", "own", "service.kubernetes.io/tke-existed-lbid"),
        ("load-balancer", "own", "service.cloud.tencent.com/loadbalance-type"),
        ("load-balancer", "own", "ingress.cloud.tencent.com/status"),
        ("load-balancer", "own", "kubernetes.io/ingress.qcloud-loadbalance-id"),
        ("load-balancer", "own", "kubernetes.io/ingress.http-rules"),
        ("load-balancer", "own", "kubernetes.io/ingress.https-rules"),
        ("load-balancer", "own", "ingress.kubernetes.io/url-map"),
        ("load-balancer", "own", "cloud.google.com/neg-status"),
        ("", "own", "example.com/note"),
        ("", "pods", "example.com/note"),
    ],
)
def test_a_note_has_the_writer_that_it_is_known_for(writer: str, place: str, note: str) -> None:
    found = live(deployment())
    at = found["metadata"] if place == "own" else found["spec"]["template"]["metadata"]
    at["annotations"] = {note: "x"}
    path = f"{'spec.template.' if place == 'pods' else ''}metadata.annotations"
    drift = drift_of(deployment(), found)
    assert drift.theirs == (((writer, f"{path}.{note}"),) if writer else ())
    assert bool(drift.changed) is not bool(writer)


@pytest.mark.parametrize("where", ["containers", "initContainers", "volumes"])
@pytest.mark.parametrize(
    "name", ["istio-x", "istiod-x", "linkerd-x", "vault-agent", "envoy", "consul-connect-x", "other"]
)
def test_what_an_injector_adds_is_known_by_how_its_name_begins(where: str, name: str) -> None:
    found = live(deployment())
    pods(found)[where] = [
        *pods(found).get(where, []),
        {"name": name, "image": "x:1", "hostPath": {"path": "/"}},
    ]
    is_theirs = name != "other"
    drift = drift_of(deployment(), found)
    assert (len(drift.theirs), bool(drift.changed)) == ((1, False) if is_theirs else (0, True))


def test_a_container_that_the_version_names_is_nobodys_but_its_own() -> None:
    desired = deployment()
    pods(desired)["containers"].append({"name": "envoy", "image": "envoy:1"})
    found = live(desired)
    pods(found)["containers"][1]["image"] = "envoy:2"
    assert drift_of(desired, found).changed == ("spec.template.spec.containers[envoy].image",)


def test_a_load_balancer_notes_its_id_on_the_service() -> None:
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "nodePort": 0}]},
    }
    found = copy.deepcopy(body)
    found["metadata"] = {"name": "web", "annotations": {"service.kubernetes.io/loadbalance-id": "lb-1"}}
    found["spec"]["ports"] = [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 32011}]
    note = "metadata.annotations.service.kubernetes.io/loadbalance-id"
    assert drift_of(body, found) == Drift(theirs=(("load-balancer", note),))


# --- variables ------------------------------------------------------------------------------------------


def config(text: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - values of a manifest
    metadata = {"name": "conf"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"app.conf": text, **data}}


@pytest.mark.parametrize(
    ("wanted", "found", "drift"),
    [
        (f"tag={TAG}\nlevel=1\n", "tag=7\nlevel=1\n", Drift()),
        (f"tag={TAG}\nlevel=1\n", "tag=8\nlevel=1\n", Drift(open=(("data.app.conf", "TAG"),))),
        (f"tag={TAG}\nlevel=1\n", "gone\nlevel=1\n", Drift(open=(("data.app.conf", "TAG"),))),
        (f"tag={TAG}\nlevel=1\n", "tag=8\nlevel=2\n", Drift(changed=("data.app.conf",))),
        (f"a=1\ntag={TAG}\nb=2\nport={PORT}", "a=1\ntag=8\nb=3\nport=1", Drift(changed=("data.app.conf",))),
        (
            f"a=1\ntag={TAG}\nb=2\nport={PORT}",
            "a=1\ntag=8\nb=2\nport=1",
            Drift(open=(("data.app.conf", "TAG"), ("data.app.conf", "PORT"))),
        ),
        (f"{TAG}:{TAG}", "8:8", Drift(open=(("data.app.conf", "TAG"),))),
        ("level=1\n", "level=2\n", Drift(changed=("data.app.conf",))),
    ],
)
def test_a_drift_in_a_variables_line_is_not_known_and_one_in_the_next_line_is_found(
    wanted: str, found: str, drift: Drift
) -> None:
    assert drift_of(config(wanted), config(found), signs=SIGNS) == drift


def test_a_variable_stands_for_a_value_of_any_type_and_for_none() -> None:
    desired = deployment(minReadySeconds=TAG, paused=PORT)
    assert drift_of(desired, live(deployment(minReadySeconds=7.0)), signs=SIGNS) == Drift()
    assert drift_of(desired, live(deployment(minReadySeconds=7, paused=True)), signs=SIGNS) == Drift(
        open=(("spec.paused", "PORT"),)
    )


def test_the_live_number_of_pods_is_what_its_variable_stands_for() -> None:
    assert drift_of(deployment(replicas=NUMBER), live(deployment(replicas=9)), signs=SIGNS) == Drift()


def test_a_variable_in_a_list_is_found_by_name_or_by_place() -> None:
    desired = _with_args(args=["--tag", TAG, "--more"])
    pods(desired)["containers"][0]["env"].append({"name": "T", "value": TAG})
    found = live(_with_args(args=["--tag", "8"]))
    main = "spec.template.spec.containers[main]"
    assert drift_of(desired, found, signs=SIGNS) == Drift(
        changed=(f"{main}.args", f"{main}.env[T]"),
        open=((f"{main}.env[T].value", "TAG"), (f"{main}.args[1]", "TAG")),
    )


def test_items_without_names_are_found_each_at_its_place_and_named_ones_in_any_order() -> None:
    desired = _with_args(args=[TAG, PORT])
    pods(desired)["containers"][0]["env"] = [{"name": name, "value": TAG} for name in ("X", "Y")]
    found = live(_with_args(args=["7", "80"]))
    pods(found)["containers"][0]["env"] = [{"name": "Y", "value": "7"}, {"name": "X", "value": "6"}]
    main = "spec.template.spec.containers[main]"
    drift = drift_of(desired, found, signs=SIGNS)
    assert {*drift.open} == {(f"{main}.args[1]", "PORT"), (f"{main}.env[X].value", "TAG")}


def test_of_a_list_that_is_not_there_each_variable_is_open() -> None:
    drift = drift_of(_with_args(args=[TAG]), live(deployment()), signs=SIGNS)
    args = "spec.template.spec.containers[main].args"
    assert drift == Drift(changed=(args,), open=((f"{args}[0]", "TAG"),))


def test_what_a_variable_fills_in_is_told_as_yaml_writes_it() -> None:
    signs = Signs(("FLAG", "NONE"), {"FLAG": "true"})
    flag, none = signs.values().values()
    desired = deployment(paused=flag, minReadySeconds=none)
    assert drift_of(desired, live(deployment(paused=True)), signs=signs) == Drift()


@pytest.mark.parametrize(
    ("wanted", "found", "may_be"),
    [
        (f"a\n{TAG}\na\n", "a\n", False),
        (f"a\n{TAG}\na\n", "a\na\n", True),
        (f"a\n{TAG}\nb\n{TAG}\nb\n", "a\nx\nb\n", False),
        (f"a\n{TAG}\nb\n{TAG}\nb\n", "a\nx\nb\nb\n", True),
        (f"{TAG}\nb\n{TAG}\n", "b\nx\n", True),
        (f"{TAG}\nb\n{TAG}\nb\n{TAG}\n", "x\nb\ny\n", False),
        (f"{TAG}\nb\n{TAG}\nb\n{TAG}\n", "x\nb\ny\nb\n", True),
    ],
)
def test_a_text_may_be_the_wanted_one_where_its_other_lines_stand_in_their_order(
    wanted: str, found: str, *, may_be: bool
) -> None:
    drift = drift_of(config(wanted), config(found), signs=SIGNS)
    assert (bool(drift.open), bool(drift.changed)) == (may_be, not may_be)


def test_a_text_that_only_looks_like_a_sign_is_none() -> None:
    assert drift_of(config("bcsopen3x"), config("other"), signs=SIGNS).changed == ("data.app.conf",)
    assert drift_of(config("bcsopen99x"), config("other"), signs=SIGNS).changed == ("data.app.conf",)
