"""What is said of values and pairs that the API server refuses: those of test_refused_values.py."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Optional

import pytest
from tests.support.building import findings_of, manifest
from tests.support.refused import manifest_of

from bcs_template_set.manifests.checks.telling import told_lines
from bcs_template_set.manifests.quantities import size_of

_TWO = "[{name: a, containerPort: 1}, {name: a, containerPort: 2}]"
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
        ("Secret", 'data: {a: "{{ N }}"}'),
        ("Secret", 'type: kubernetes.io/dockercfg, stringData: {.dockercfg: "{{ N }}"}'),
    ],
)
def test_what_bcs_fills_in_later_is_not_judged(base: str, patch: str) -> None:
    found = findings_of(manifest(json.dumps(manifest_of((base, patch, ""))), variables="N"))
    assert [finding for finding in found if finding.id in ("value", "field-value")] == []


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
