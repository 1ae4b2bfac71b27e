"""What is live as a document wants it is known by its content, and every doubt counts against it."""

from __future__ import annotations

import copy

import pytest
from tests.emulator.cluster.defaults import complete
from tests.emulator.go_yaml import write

from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.as_wanted import is_as_wanted, unlike_wanted

Body = dict[str, YamlValue]
CONTAINER: Body = {"name": "main", "image": "example.com/web:1", "ports": [{"containerPort": 80}]}
TEMPLATE: Body = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}}
PORT: Body = {"name": "http", "port": 80}
MARKS: Body = {
    "io.tencent.paas.template_name": "web/other.yaml",
    "deployment.kubernetes.io/revision": "3",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
}


def body(kind: str, **more: YamlValue) -> Body:
    return copy.deepcopy({"apiVersion": "v1", "kind": kind, "metadata": {"name": "web"}, **more})


WANTED: dict[str, Body] = {
    "Deployment": body("Deployment", spec={"template": TEMPLATE}),
    "StatefulSet": body("StatefulSet", spec={"serviceName": "web", "template": TEMPLATE}),
    "DaemonSet": body("DaemonSet", spec={"template": TEMPLATE}),
    "CronJob": body(
        "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}
    ),
    "Job": body("Job", spec={"template": TEMPLATE}),
    "Service": body("Service", spec={"type": "NodePort", "selector": {"app": "web"}, "ports": [PORT]}),
    "Ingress": body("Ingress", spec={"rules": [{"host": "a.b"}]}),
    "ConfigMap": body("ConfigMap", data={"a": "x"}),
    "Secret": body("Secret", stringData={"a": "x"}),
    "HorizontalPodAutoscaler": body("HorizontalPodAutoscaler", spec={"maxReplicas": 3}),
    "PodDisruptionBudget": body("PodDisruptionBudget", spec={"minAvailable": 1}),
    "PersistentVolumeClaim": body("PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"]}),
}


def stored(wanted: Body, **spec: YamlValue) -> Body:
    """Return the object as a server keeps it, made by other hands, with more in its spec."""
    (found,) = parse_foreign(write(complete({**wanted}))) or ()
    made = copy.deepcopy(dict(found.body))
    metadata, kept = made["metadata"], made.get("spec")
    assert isinstance(metadata, dict)
    made["metadata"] = {**metadata, "annotations": MARKS}
    if spec:
        assert isinstance(kept, dict)
        made["spec"] = {**kept, **spec}
    return {**made, "status": {"phase": "any"}}


@pytest.mark.parametrize("kind", WANTED)
def test_what_a_server_filled_in_is_as_wanted_whatever_its_mark(kind: str) -> None:
    assert is_as_wanted(WANTED[kind], stored(WANTED[kind]))


def test_what_nobody_knows_the_defaults_of_is_never_known_to_be_as_wanted() -> None:
    thing = body("Rollout", spec={"replicas": 1})
    assert not is_as_wanted(thing, thing)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Deployment", {"minReadySeconds": 5}),
        ("Deployment", {"paused": True}),
        ("Deployment", {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}}),
        ("Deployment", {"strategy": {"type": "Recreate"}}),
        (
            "DaemonSet",
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%"}}},
        ),
        (
            "DaemonSet",
            {
                "updateStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"},
                }
            },
        ),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}),
        ("Job", {"backoffLimit": 1}),
        ("Job", {"template": {**TEMPLATE, "metadata": {"labels": {"app": "web", "more": "x"}}}}),
        ("CronJob", {"suspend": True}),
        ("Service", {"externalTrafficPolicy": "Local"}),
        ("Service", {"ports": [{**PORT, "targetPort": 81, "nodePort": 31000}]}),
        ("Ingress", {"ingressClassName": "nginx"}),
        ("PersistentVolumeClaim", {"accessModes": ["ReadWriteMany"]}),
    ],
)
def test_what_an_earlier_text_or_a_hand_has_left_is_not_as_wanted(kind: str, spec: Body) -> None:
    assert not is_as_wanted(WANTED[kind], stored(WANTED[kind], **spec))


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Deployment", {"replicas": 9}),
        ("DaemonSet", {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}}),
        (
            "DaemonSet",
            {
                "updateStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
                }
            },
        ),
        ("Job", {"selector": {"matchLabels": {"controller-uid": "1"}}}),
        ("Service", {"ports": [{**PORT, "targetPort": 80, "nodePort": 31000}], "clusterIP": "10.0.0.1"}),
        ("PersistentVolumeClaim", {"volumeName": "pv-1", "storageClassName": "cbs"}),
    ],
)
def test_what_the_cluster_chose_is_no_difference(kind: str, spec: Body) -> None:
    assert is_as_wanted(WANTED[kind], stored(WANTED[kind], **spec))


def test_a_jobs_generated_labels_are_no_difference() -> None:
    own: Body = {"controller-uid": "1", "job-name": "web"}
    labels: Body = {"app": "web", **own, **{f"batch.kubernetes.io/{name}": own[name] for name in own}}
    live = stored(WANTED["Job"], template={**TEMPLATE, "metadata": {"labels": labels}})
    live["metadata"] = {"name": "web", "labels": labels}
    assert is_as_wanted(WANTED["Job"], live)
    named = body("Job", spec={"template": TEMPLATE})
    named["metadata"] = {"name": "web", "labels": {"app": "web"}}
    assert not is_as_wanted(named, live)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("Service", {"metadata": {"name": "web", "labels": {"a": "b"}}}),
        ("Service", {"metadata": {"name": "web", "annotations": {"a": "b"}}}),
        ("ConfigMap", {"immutable": True}),
        ("ConfigMap", {"binaryData": {"b": "eA=="}}),
        ("ConfigMap", {"data": {"a": "x", "b": "y"}}),
        ("Secret", {"type": "kubernetes.io/tls"}),
    ],
)
def test_more_than_the_document_says_is_not_as_wanted(kind: str, more: Body) -> None:
    assert not is_as_wanted(WANTED[kind], {**stored(WANTED[kind]), **more})


SURGE = body("Deployment", spec={"strategy": {"rollingUpdate": {"maxSurge": "50%"}}, "template": TEMPLATE})
ADDRESS = body("Service", spec={"clusterIP": "10.0.0.1", "ports": [PORT]})
MORE_LABELS: Body = {"metadata": {"labels": {"app": "web", "controller-uid": "1"}}, "spec": TEMPLATE["spec"]}
OF_ITS_PODS: Body = {"name": "web", "uid": "1", "labels": {"app": "web"}, "annotations": {"a": "b"}}


@pytest.mark.parametrize(
    ("wanted", "live", "named"),
    [
        (WANTED["Job"], {"metadata": OF_ITS_PODS}, "metadata.annotations"),
        (WANTED["Service"], {"metadata": OF_ITS_PODS}, "metadata.annotations metadata.labels"),
        (SURGE, {}, ""),
        (SURGE, {"spec": stored(WANTED["Deployment"])["spec"]}, "spec.strategy.rollingUpdate.maxSurge"),
        (ADDRESS, {"spec": stored(body("Service", spec={"ports": [PORT]}))["spec"]}, "spec.clusterIP"),
        (
            WANTED["Deployment"],
            {"spec": stored(WANTED["Deployment"], template=MORE_LABELS)["spec"]},
            "spec.template.metadata.labels.controller-uid",
        ),
    ],
)
def test_what_is_not_as_wanted_is_named_by_its_field(wanted: Body, live: Body, named: str) -> None:
    found = unlike_wanted(wanted, {**stored(wanted), **live})
    assert [name for name in found if not name.startswith("metadata.annotations.")] == named.split()


def test_a_strategy_that_the_document_names_is_compared_as_it_stands() -> None:
    recreate = body("Deployment", spec={"strategy": {"type": "Recreate"}, "template": TEMPLATE})
    assert is_as_wanted(recreate, stored(recreate))
    assert not is_as_wanted(recreate, stored(WANTED["Deployment"]))
