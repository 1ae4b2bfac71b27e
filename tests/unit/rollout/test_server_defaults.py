"""What a replacement takes away is shown, and what a server only fills in is not."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from tests.emulator.cluster.defaults import complete
from tests.emulator.go_yaml import write
from tests.support.recordings import FILES, Asked, read

from bcs_template_set.manifests.fields import Fields, mapping_at
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_diff import changes_anything, live_difference
from bcs_template_set.rollout.server_defaults import beyond_defaults

Body = dict[str, YamlValue]
PROBE: Body = {"httpGet": {"path": "/", "port": 80}}
ENV: list[YamlValue] = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
CONTAINER: Body = {
    "name": "main",
    "image": "example.com/web:1",
    "ports": [{"containerPort": 80}],
    "env": ENV,
    "livenessProbe": PROBE,
}
POD: Body = {"containers": [CONTAINER], "volumes": [{"name": "v", "configMap": {"name": "c"}}]}
TEMPLATE: Body = {"metadata": {"labels": {"app": "web"}}, "spec": POD}


def body(kind: str, spec: Body) -> Body:
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": copy.deepcopy(spec)}


def stored(wanted: Body) -> Body:
    """Return an object as a server stores it and BCS's preview shows it."""
    (found,) = parse_foreign(write(complete({**wanted}))) or ()
    return dict(found.body)


BARE = [
    body("Deployment", {"template": TEMPLATE}),
    body("StatefulSet", {"serviceName": "web", "template": TEMPLATE}),
    body("DaemonSet", {"template": TEMPLATE}),
    body("CronJob", {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}),
    body("Service", {"ports": [{"port": 80}], "selector": {"app": "web"}}),
    body("HorizontalPodAutoscaler", {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment"}}),
]


@pytest.mark.parametrize("wanted", BARE, ids=lambda wanted: wanted["kind"])
def test_what_the_emulated_server_fills_in_is_not_shown(wanted: Body) -> None:
    assert live_difference(wanted, stored(wanted)) == ""


def pairs() -> Iterator[tuple[Fields, Fields]]:
    """Yield what real servers' previews showed: a text that says no more than is live, and what is live."""
    for dialect in FILES:
        for line in read(dialect):
            if isinstance(line, Asked) and line.path.endswith("/template/preview"):
                items = mapping_at(line.answer if isinstance(line.answer, dict) else {}, "data").get("items")
                for item in items if isinstance(items, list) else ():
                    assert isinstance(item, dict)
                    texts = (str(item["content"]), str(item["previousContent"]))
                    found = [document.body for text in texts for document in parse_foreign(text) or ()]
                    if len(found) < len(texts) or ("data" in found[1] and "data" not in found[0]):
                        continue
                    if not changes_anything(found[0], found[1]):
                        yield found[0], found[1]


def test_what_a_real_server_fills_in_is_not_shown() -> None:
    kinds = set()
    for wanted, live in pairs():
        kinds.add(wanted["kind"])
        assert live_difference(wanted, live) == ""
    assert kinds >= {"Deployment", "Service", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget"}


def removed(wanted: Body, live: Body) -> list[str]:
    shown = live_difference(wanted, live).splitlines()
    return [line[1:].strip(" -") for line in shown if line.startswith("-") and not line.startswith("---")]


def with_pod(**more: YamlValue) -> Body:
    return stored(body("Deployment", {"template": {**TEMPLATE, "spec": {**POD, **more}}}))


def with_container(**more: YamlValue) -> Body:
    return with_pod(containers=[{**CONTAINER, **more}])


DEPLOYMENT = BARE[0]


@pytest.mark.parametrize(
    ("live", "lost"),
    [
        (stored(body("Deployment", {"template": TEMPLATE, "replicas": 10})), ["replicas: 10"]),
        (stored(body("Deployment", {"template": TEMPLATE, "replicas": 0})), ["replicas: 0"]),
        (stored(body("Deployment", {"template": TEMPLATE, "paused": True})), ["paused: true"]),
        (
            stored(
                body("Deployment", {"template": TEMPLATE, "strategy": {"rollingUpdate": {"maxSurge": 5}}})
            ),
            ["strategy:", "rollingUpdate:", "maxSurge: 5"],
        ),
        (with_pod(nodeSelector={"pool": "big"}), ["nodeSelector:", "pool: big"]),
        (with_pod(automountServiceAccountToken=False), ["automountServiceAccountToken: false"]),
        (with_pod(enableServiceLinks=False), ["enableServiceLinks: false"]),
        (
            with_container(resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}),
            ["resources:", "limits:", "memory: 1Gi", "requests:", "cpu: '1'"],
        ),
        (with_container(imagePullPolicy="Always"), ["imagePullPolicy: Always"]),
        (
            with_container(env=[*ENV, {"name": "DEBUG", "value": "1"}]),
            ["name: DEBUG", "value: '1'"],
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_what_somebody_set_by_hand_is_shown_before_it_is_lost(live: Body, lost: list[str]) -> None:
    assert removed(DEPLOYMENT, live) == lost


GAME: Body = {
    "apiVersion": "tkex.tencent.com/v1alpha1",
    "kind": "GameDeployment",
    "metadata": {"name": "web"},
}
BODIES: list[tuple[Body, Body, list[str]]] = [
    (
        {"kind": "Service", "metadata": {"name": "web"}},
        {
            "kind": "Service",
            "metadata": {
                "name": "web",
                "labels": {"by": "hand"},
                "annotations": {"lb/id": "1", "deployment.kubernetes.io/revision": "3"},
                "finalizers": ["lb/clean-up"],
            },
        },
        ["labels:", "by: hand", "annotations:", "lb/id: '1'", "finalizers:", "lb/clean-up"],
    ),
    (
        {"kind": "ConfigMap", "metadata": {"name": "c"}},
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "x"}, "immutable": True},
        ["data:", "a: x", "immutable: true"],
    ),
    (
        {"kind": "Secret", "metadata": {"name": "s"}},
        {"kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque"},
        [],
    ),
    (
        {**GAME, "spec": {"template": TEMPLATE}},
        stored({**GAME, "spec": {"template": TEMPLATE, "minReadySeconds": 5}}),
        ["minReadySeconds: 5"],
    ),
]


@pytest.mark.parametrize(("wanted", "live", "lost"), BODIES, ids=lambda value: str(value)[:20])
def test_what_others_wrote_beside_the_manifest_is_shown_too(
    wanted: Body, live: Body, lost: list[str]
) -> None:
    assert removed(wanted, live) == lost


def test_what_a_restart_by_hand_wrote_is_shown_and_deploys_nothing() -> None:
    note: Body = {"kubectl.kubernetes.io/restartedAt": "2026-11-28T12:00:00Z"}
    live = stored(body("Deployment", {"template": {"metadata": {"annotations": note}, "spec": POD}}))
    wanted = body("Deployment", {"template": {"metadata": {}, "spec": POD}})
    assert "annotations:" in removed(wanted, live)
    assert not changes_anything(wanted, live)


@pytest.mark.parametrize(
    ("image", "policy", "shown"),
    [
        ("web", "Always", False),
        ("web:latest", "Always", False),
        ("web:latest", "IfNotPresent", True),
        ("registry:5000/web:1", "IfNotPresent", False),
        ("registry:5000/web", "Always", False),
        ("web@sha256:0", "IfNotPresent", False),
        (7, "IfNotPresent", False),
    ],
)
def test_when_an_image_is_pulled_follows_from_its_tag(image: YamlValue, policy: str, shown: bool) -> None:  # noqa: FBT001 - a parameter
    wanted = body("Deployment", {"template": {"spec": {"containers": [{"name": "m", "image": image}]}}})
    container: Body = {"name": "m", "image": image, "imagePullPolicy": policy}
    live = body("Deployment", {"template": {"spec": {"containers": [container]}}})
    assert bool(live_difference(wanted, live)) == shown


FILLED_IN: dict[str, tuple[YamlValue, ...]] = {
    **dict.fromkeys(("replicas", "completions", "parallelism", "minReplicas", "successThreshold"), (1,)),
    **dict.fromkeys(("failedJobsHistoryLimit",), (1,)),
    **dict.fromkeys(("revisionHistoryLimit", "periodSeconds"), (10,)),
    **dict.fromkeys(("successfulJobsHistoryLimit", "failureThreshold"), (3,)),
    **dict.fromkeys(("whenDeleted", "whenScaled"), ("Retain",)),
    **dict.fromkeys(("externalTrafficPolicy", "internalTrafficPolicy"), ("Cluster",)),
    **dict.fromkeys(("enableServiceLinks", "allocateLoadBalancerNodePorts"), (True,)),
    "progressDeadlineSeconds": (600,),
    "maxSurge": ("25%", 0),
    "maxUnavailable": ("25%", 1),
    "partition": (0,),
    "podManagementPolicy": ("OrderedReady",),
    "concurrencyPolicy": ("Allow",),
    "suspend": (False,),
    "backoffLimit": (6,),
    "completionMode": ("NonIndexed",),
    "podReplacementPolicy": ("TerminatingOrFailed",),
    "restartPolicy": ("Always",),
    "dnsPolicy": ("ClusterFirst",),
    "terminationGracePeriodSeconds": (30,),
    "schedulerName": ("default-scheduler",),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1, 10800),
    "scheme": ("HTTP",),
    "defaultMode": (420,),
    "expirationSeconds": (3600,),
    "volumeMode": ("Filesystem",),
    "protocol": ("TCP",),
    "sessionAffinity": ("None",),
    "pathType": ("ImplementationSpecific",),
    "type": ("RollingUpdate", "ClusterIP", "Opaque"),
    "apiVersion": ("v1",),
    "subPath": ("",),
    "targetCPUUtilizationPercentage": (80,),
}


@pytest.mark.parametrize("name", FILLED_IN)
def test_a_value_that_kubernetes_documents_as_a_default_is_nobodys(name: str) -> None:
    assert [beyond_defaults(name, value, beside={}) for value in FILLED_IN[name]] == [None] * len(
        FILLED_IN[name]
    )
    assert beyond_defaults(name, "other", beside={}) == "other"


@pytest.mark.parametrize(
    "name",
    [
        *("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "nodePort", "healthCheckNodePort"),
        *("ingressClassName", "creationTimestamp", "secrets", "status"),
        *("io.tencent.paas.updator", "deployment.kubernetes.io/revision"),
        *("deprecated.daemonset.template.generation", "kubectl.kubernetes.io/last-applied-configuration"),
        *("autoscaling.alpha.kubernetes.io/conditions", "pv.kubernetes.io/bound-by-controller"),
        *("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/selected-node"),
    ],
)
def test_a_field_that_servers_and_controllers_fill_in_is_nobodys_whatever_it_holds(name: str) -> None:
    assert beyond_defaults(name, "any", beside={}) is None


@pytest.mark.parametrize(
    ("name", "other"),
    [("serviceAccount", "serviceAccountName"), ("hostPort", "containerPort"), ("targetPort", "port")],
)
def test_a_field_that_says_another_again_is_nobodys_while_both_agree(name: str, other: str) -> None:
    assert beyond_defaults(name, 80, beside={other: 80}) is None
    assert beyond_defaults(name, 80, beside={other: 81}) == 80
