"""What is said of values and pairs that the API server refuses: those of test_value_rows.py."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Optional

import pytest
from tests.support.building import findings_of, manifest
from tests.support.refused import field_of, manifest_of

from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.quantities import size_of

_TWO = "[{name: a, containerPort: 1}, {name: a, containerPort: 2}]"
_SPREAD = "{maxSkew: 1, topologyKey: '{{ N }}', whenUnsatisfiable: DoNotSchedule}"
_OUTSIDE = "{type: External, external: {metric: {name: a}, target: {type: Value, value: 1}}}"
_BACKEND = "spec: {defaultBackend: {service: {name: a, port: {}}}}"


def _path(path: str, host: str = "a.org") -> str:
    entry = f"{{path: '{path}', pathType: Prefix, backend: {{resource: {{kind: a, name: b}}}}}}"
    return f"spec: {{rules: [{{host: '{host}', http: {{paths: [{entry}]}}}}]}}"


SAID = [
    (
        "container",
        "livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}",
        "exactly one of exec, httpGet",
    ),
    (
        "container",
        "env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        "value and valueFrom",
    ),
    ("container", "ports: [{containerPort: 65536}]", "65536 is not a port"),
    ("container", f"ports: {_TWO}", "two of the name a"),
    (
        "container",
        "ports: [{containerPort: 80, name: a-port-of-sixteen}]",
        "a-port-of-sixteen takes at most 15",
    ),
    ("container", "resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}", "more cpu is requested"),
    ("container", "resources: {limits: {memory: 512MB}}", "a quantity such as"),
    ("container", "resources: {limits: {memory: -1}}", "must be 0 or more"),
    ("container", "resources: {limits: {memory: 100m}}", "a thousandth of a byte"),
    ("container", "resources: {limits: {gpu: 1}}", "no resource gpu"),
    ("container", "resources: {limits: {a.org/gpu: 1.5}}", "a.org/gpu is counted in whole numbers"),
    ("container", "livenessProbe: {exec: {command: [a]}, successThreshold: 2}", "needs successThreshold: 1"),
    ("container", "volumeMounts: [{name: v, mountPath: /v, subPath: /hunter2}]", "a relative path"),
    ("pod", "volumes: [{name: v, hostPath: {path: /hunter2/..}}]", "must not have `..`"),
    ("pod", "hostAliases: [{ip: hunter2}]", "must be an IP address"),
    ("pod", "hostname: Web", "it takes lower-case letters"),
    ("pod", "volumes: [{name: v, emptyDir: {}, configMap: {name: b}}]", "exactly one of emptyDir, configMap"),
    ("pod", "restartPolicy: Never", "have restartPolicy: Always"),
    ("pod", "tolerations: [{key: a, operator: Exists, value: b}]", "value goes with operator: Equal only"),
    (
        "pod",
        "topologySpreadConstraints: [{maxSkew: 0}]",
        "1 or more",
    ),
    ("pod", "securityContext: {fsGroup: -1}", "from 0 to 2147483647"),
    (
        "Deployment",
        "spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}}",
        "rollingUpdate must be left out",
    ),
    ("Deployment", "spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}}", "both 0"),
    ("Deployment", "spec: {strategy: {rollingUpdate: {maxSurge: '1'}}}", "a number without quotes"),
    ("Job", "spec: {template: {spec: {restartPolicy: Always}}}", "a Job needs restartPolicy"),
    ("CronJob", "spec: {schedule: 0 3 * *}", "a cron schedule"),
    ("Service", "spec: {ports: [{port: 80, nodePort: 30080}]}", "has no nodePort"),
    ("Service", "spec: {ports: [{port: 80, targetPort: '80'}]}", "write the number without quotes"),
    ("Service", "spec: {clusterIP: none}", "or None in this spelling"),
    ("Ingress", "spec: {rules: [{host: A.org}]}", "A.org is not a host"),
    (
        "Ingress",
        _path("a"),
        "a does not begin with /",
    ),
    (
        "Ingress",
        _path("//"),
        "must not have //",
    ),
    ("Ingress", _BACKEND, "exactly one of name, number"),
    (
        "NetworkPolicy",
        "spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]}",
        "a block of addresses",
    ),
    ("HorizontalPodAutoscaler", "spec: {minReplicas: 6}", "minReplicas 6 is above maxReplicas 5"),
    ("PodDisruptionBudget", "spec: {minAvailable: 1, maxUnavailable: 1}", "exclude each other"),
    ("Secret", "data: {key: hunter2!}", "not base64"),
    ("Secret", "data: {hunter2!: YQ==}", "a key takes letters"),
    ("Secret", "data: {'a] hunter2': YQ==}", "a key takes letters"),
    ("Secret", "type: kubernetes.io/dockercfg, stringData: {.dockercfg: hunter2}", "must be JSON"),
    ("ConfigMap", "data: {a b: hunter2}", "a key takes letters"),
    ("PersistentVolumeClaim", "spec: {accessModes: []}", "PersistentVolumeClaim needs accessModes"),
]


@pytest.mark.parametrize(("base", "patch", "words"), SAID)
def test_a_finding_says_what_is_wrong_and_shows_no_value(base: str, patch: str, words: str) -> None:
    found = findings_of(manifest(json.dumps(manifest_of((base, patch, "")))))
    (message,) = [finding.message.render("en_US") for finding in found if finding.id == "value"]
    assert words in message
    assert "hunter2" not in told_lines(found)[0].render("en_US")


def test_variables_without_a_name_are_not_called_the_same() -> None:
    nameless = manifest_of(("container", "env: [{value: a}, {value: b}]", ""))
    assert {finding.id for finding in findings_of(manifest(json.dumps(nameless)))} == {"required-field"}


@pytest.mark.parametrize(
    ("base", "patch"),
    [
        ("container", 'ports: [{containerPort: 80, name: "{{ N }}"}, {containerPort: 1, name: "{{ N }}"}]'),
        ("container", 'resources: {requests: {cpu: "{{ N }}"}, limits: {cpu: 1, "{{ N }}": 1}}'),
        (
            "container",
            'ports: [{containerPort: 1, hostPort: "{{ N }}"}, {containerPort: 2, hostPort: "{{ N }}"}]',
        ),
        (
            "container",
            (
                "volumeMounts: [{name: v, mountPath: /v, mountPropagation: Bidirectional}], "
                'securityContext: {privileged: "{{ N }}"}'
            ),
        ),
        ("pod", f"topologySpreadConstraints: [{_SPREAD}, {_SPREAD}]"),
        ("pod", 'dnsPolicy: None, dnsConfig: {nameservers: "{{ N }}"}'),
        ("container", 'env: [{name: A, valueFrom: {fieldRef: {fieldPath: "{{ N }}"}}}]'),
        ("container", 'env: [{name: A, valueFrom: {resourceFieldRef: {resource: "{{ N }}"}}}]'),
        ("pod", 'tolerations: [{key: a, tolerationSeconds: 5, effect: "{{ N }}"}, {operator: "{{ N }}"}]'),
        ("Job", 'spec: {template: {spec: {restartPolicy: "{{ N }}"}}}'),
        ("CronJob", 'spec: {schedule: "{{ N }}"}'),
        (
            "Ingress",
            _path("{{ N }}//", host="{{ N }}"),
        ),
        (
            "Ingress",
            'metadata: {annotations: {kubernetes.io/ingress.class: "{{ N }}"}}, spec: {ingressClassName: a}',
        ),
        ("Service", 'spec: {type: "{{ N }}", clusterIP: "{{ N }}", loadBalancerSourceRanges: [10.0.0.0/8]}'),
        (
            "Ingress",
            'metadata: {annotations: {kubernetes.io/ingress.class: a}}, spec: {ingressClassName: "{{ N }}"}',
        ),
        ("Service", 'spec: {ports: [{name: a, port: "{{ N }}"}, {name: b, port: "{{ N }}"}]}'),
        ("Service", 'spec: {ports: [{port: 80, nodePort: "{{ N }}"}]}'),
        ("NetworkPolicy", 'spec: {egress: [{ports: [{port: "{{ N }}", endPort: 80}]}]}'),
        ("NetworkPolicy", 'spec: {egress: [{ports: [{port: 80, endPort: "{{ N }}"}]}]}'),
        ("NetworkPolicy", 'spec: {ingress: [{from: [{ipBlock: {cidr: "{{ N }}", except: [10.0.0.0/8]}}]}]}'),
        ("NetworkPolicy", 'spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ["{{ N }}"]}}]}]}'),
        ("ConfigMap", 'data: {"{{ N }}": a}'),
        ("Secret", 'type: kubernetes.io/tls, data: {"{{ N }}": YQ==}'),
        ("Secret", 'type: kubernetes.io/basic-auth, stringData: {"{{ N }}": a}'),
        ("Secret", 'data: {a: "{{ N }}"}'),
        ("Secret", 'type: kubernetes.io/dockercfg, stringData: {.dockercfg: "{{ N }}"}'),
    ],
)
def test_what_bcs_fills_in_later_is_not_judged(base: str, patch: str) -> None:
    found = findings_of(manifest(json.dumps(manifest_of((base, patch, ""))), variables="N"))
    assert [finding for finding in found if finding.id in ("value", "field-value")] == []


@pytest.mark.parametrize(
    ("base", "patch", "field"),
    [
        (
            "container",
            'env: [{name: A, value: "{{ N }}", valueFrom: {fieldRef: {fieldPath: spec.host}}}]',
            "env[0]",
        ),
        ("container", 'resources: {limits: {gpu: "{{ N }}"}}', "resources.limits[gpu]"),
        ("pod", 'tolerations: [{key: a, operator: Exists, value: "{{ N }}"}]', "tolerations[0].value"),
    ],
)
def test_what_bcs_fills_in_later_is_there(base: str, patch: str, field: str) -> None:
    found = findings_of(manifest(json.dumps(manifest_of((base, patch, ""))), variables="N"))
    assert [finding.field for finding in found] == [field_of((base, patch, field))]


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController", "Deployment", "Pod", "Job"])
@pytest.mark.parametrize("group", ["", "apps", "example.com"])
def test_pods_of_a_kind_that_runs_on_are_always_started_again(group: str, kind: str) -> None:
    spec = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "r/a:1"}]}
    body = {"apiVersion": f"{group}/v1".strip("/"), "kind": kind, "metadata": {"name": "a"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    found = findings_of(manifest(json.dumps({**body, "spec": {"replicas": 1, "template": template}})))
    is_judged = kind not in ("Pod", "Job") and group != "example.com"
    assert ("value_restart_always" in {one.message.key.partition(".")[2] for one in found}) is is_judged


@pytest.mark.parametrize(
    ("api_version", "kind", "is_refused"),
    [
        *(("apps/v1", kind, True) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")),
        ("v1", "ReplicationController", True),
        ("batch/v1", "Job", False),
        ("example.com/v1", "ReplicaSet", False),
    ],
)
def test_only_pods_that_end_have_a_deadline(api_version: str, kind: str, *, is_refused: bool) -> None:
    pods = {"activeDeadlineSeconds": 60, "containers": [{"name": "a", "image": "r/a:1"}]}
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pods}
    found = findings_of(manifest(json.dumps({**body, "spec": {"template": template}})))
    fields = [finding.field for finding in found if finding.message.key == "checks.value_goes_with"]
    assert fields == (["spec.template.spec.activeDeadlineSeconds"] if is_refused else [])


@pytest.mark.parametrize(
    ("patch", "warns"),
    [
        ("resources: {limits: {memory: 100m}}", True),
        ("env: [{name: A, value: b}, {name: A, value: c}]", True),
        ("resources: {limits: {memory: 1X}}", False),
    ],
)
def test_what_the_api_server_takes_and_nobody_means_is_a_warning(patch: str, *, warns: bool) -> None:
    (finding,) = findings_of(manifest(json.dumps(manifest_of(("container", patch, "")))))
    assert (finding.id, finding.is_warning) == ("value", warns)


@pytest.mark.parametrize(
    ("base", "patch"),
    [
        ("HorizontalPodAutoscaler", f"spec: {{minReplicas: 0, metrics: [{_OUTSIDE}]}}"),
        ("container", "env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: a, key: b}}}]"),
    ],
)
def test_what_only_some_api_servers_take_is_taken(base: str, patch: str) -> None:
    assert findings_of(manifest(json.dumps(manifest_of((base, patch, ""))))) == ()


@pytest.mark.parametrize(
    ("value", "size"),
    [
        *[
            ("500m", "0.5"),
            (2, "2"),
            (0.5, "0.5"),
            ("1e3", "1000"),
            ("1E3", "1000"),
            ("1k", "1000"),
            ("2E", "2e18"),
        ],
        *[("1Ki", "1024"), ("1.5Gi", "1610612736"), (".5", "0.5"), ("+1", "1"), ("3n", "3e-9"), ("-1", "-1")],
        *[("", None), ("1KB", None), ("half", None), (True, None), ([], None), ("1 Gi", None), ("Gi", None)],
    ],
)
def test_a_quantity_has_a_size(value: object, size: Optional[str]) -> None:
    assert size_of(value) == (None if size is None else Decimal(size))  # type: ignore[arg-type] # any value of YAML
