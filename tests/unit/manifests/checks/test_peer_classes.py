"""The classes of invalid manifests in other tools' fixtures: which check finds each, on inputs of our own.

A row is the tool and its class, the check that finds it, and the documents: each a base of
`tests/support/refused.py` and what is laid over it. What no check finds has its reason in place of the check.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from tests.support.building import findings_of, manifest
from tests.support.refused import manifest_of

Document = tuple[str, str]
WEB, LONG = ("Deployment", "{}"), "a" * 64
RUNS = "only a running cluster knows what a process does"
ANOTHERS = "what the run does not have may be another's, where nothing in it has a near name"
STYLE = "a matter of style: Kubernetes takes it, and does what it says"


def labelled(value: str) -> str:
    labels = f"{{app: {value}}}"
    return f"spec: {{selector: {{matchLabels: {labels}}}, template: {{metadata: {{labels: {labels}}}}}}}"


def probed(probe: str) -> Sequence[Document]:
    return [("container", f"{probe}: {{httpGet: {{path: /, port: htpp}}}}")]


def backend(name: str, port: str = "number: 80") -> str:
    paths = f"[{{path: /, pathType: Prefix, backend: {{service: {{name: {name}, port: {{{port}}}}}}}}}]"
    return f"spec: {{rules: [{{host: a.org, http: {{paths: {paths}}}}}]}}"


CLASSES: Sequence[tuple[str, str, Sequence[Document]]] = (
    ("kubeconform invalid", "field-type", [("Deployment", "spec: {replicas: asd}")]),
    ("kubeconform multi_invalid", "field-type", [WEB, ("ConfigMap", "data: {a: 1}")]),
    ("kubeconform extra_property", "unknown-field", [("Deployment", "spec: {replicaz: 2}")]),
    ("kubeconform list_invalid", "missing-kind", [("ConfigMap", "kind: List, data: null, items: [1]")]),
    ("kubeconform missing_kind", "missing-kind", [("ConfigMap", "kind: null")]),
    ("kubeconform missing_kind_value", "missing-kind", [("ConfigMap", "kind: ''")]),
    ("kubeconform missing_apiversion", "required-field", [("ConfigMap", "apiVersion: null")]),
    ("kubeconform metadata_missing", "required-field", [("ConfigMap", "metadata: null")]),
    (
        "kubeconform metadata_name_missing",
        "required-field",
        [("ConfigMap", "metadata: {name: null, labels: {a: b}}")],
    ),
    ("kubeconform label_name_length", "label", [("ConfigMap", f"metadata: {{labels: {{{LONG}: a}}}}")]),
    ("kubeconform label_namespace", "label", [("ConfigMap", "metadata: {labels: {-a.org/b: a}}")]),
    ("kubeconform label_value_length", "label", [("ConfigMap", f"metadata: {{labels: {{a: {LONG}}}}}")]),
    (
        "kubeconform object_name-max_length",
        "object-name",
        [("ConfigMap", f"metadata: {{name: {'a' * 254}}}")],
    ),
    (
        "kubeconform annotation_key_invalid",
        "annotation",
        [("ConfigMap", "metadata: {annotations: {a b: c}}")],
    ),
    ("krane bad_probe", "probe-port", probed("readinessProbe")),
    ("krane bad_secret", "value", [("Secret", "data: {a: not base64}")]),
    ("krane missing_volumes", "volume-mount", [("container", "volumeMounts: [{name: w, mountPath: /w}]")]),
    ("krane cannot_run", RUNS, [("container", "command: [/not/a/command]")]),
    ("krane crash_loop", RUNS, [("container", "command: ['false']")]),
    ("krane init_crash", RUNS, [("pod", "initContainers: [{name: a, image: 'r/a:1', command: ['false']}]")]),
    (
        "kube-linter dangling-hpa",
        "reference",
        [WEB, ("HorizontalPodAutoscaler", "spec: {scaleTargetRef: {name: wbe}}")],
    ),
    ("kube-linter dangling-ingress", "reference", [("Service", "{}"), ("Ingress", backend("wbe"))]),
    (
        "kube-linter dangling-networkpolicy",
        "near-selector",
        [
            ("Deployment", labelled("shop")),
            ("NetworkPolicy", "spec: {podSelector: {matchLabels: {app: shpo}}}"),
        ],
    ),
    (
        "kube-linter dangling-networkpolicypeer-podselector",
        "near-selector",
        [
            ("Deployment", labelled("shop")),
            ("NetworkPolicy", "spec: {ingress: [{from: [{podSelector: {matchLabels: {app: shpo}}}]}]}"),
        ],
    ),
    ("kube-linter dangling-service", "service-selector", [WEB, ("Service", "spec: {selector: {app: api}}")]),
    (
        "kube-linter dangling-servicemonitor",
        "near-selector",
        [
            ("Service", "metadata: {labels: {app: shop}}"),
            (
                "ConfigMap",
                (
                    "apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, data: null, "
                    "spec: {selector: {matchLabels: {app: shpo}}}"
                ),
            ),
        ],
    ),
    (
        "kube-linter duplicate-env-var",
        "value",
        [("container", "env: [{name: A, value: b}, {name: A, value: c}]")],
    ),
    (
        "kube-linter env-var-value-from",
        "reference",
        [
            ("ConfigMap", "{}"),
            ("container", "env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: b}}}]"),
        ],
    ),
    (
        "kube-linter invalid-target-ports",
        "value",
        [("Service", "spec: {ports: [{port: 80, targetPort: a--b}]}")],
    ),
    ("kube-linter latest-tag", "image-tag", [("container", "image: 'r/web:latest'")]),
    ("kube-linter liveness-port", "probe-port", probed("livenessProbe")),
    ("kube-linter readiness-port", "probe-port", probed("readinessProbe")),
    ("kube-linter startup-port", "probe-port", probed("startupProbe")),
    (
        "kube-linter mismatching-selector",
        "pod-selector",
        [("Deployment", "spec: {selector: {matchLabels: {app: api}}}")],
    ),
    ("kube-linter no-extensions-v1beta", "api-version", [("Deployment", "apiVersion: extensions/v1beta1")]),
    (
        "kube-linter non-existent-service-account",
        "reference",
        [
            ("ConfigMap", "{kind: ServiceAccount, data: null, metadata: {name: shop}}"),
            ("pod", "serviceAccountName: shpo"),
        ],
    ),
    (
        "kube-linter pdb-max-unavailable",
        "blocked-drain",
        [WEB, ("PodDisruptionBudget", "spec: {maxUnavailable: 0}")],
    ),
    (
        "kube-linter pdb-min-available",
        "blocked-drain",
        [("Deployment", "spec: {replicas: 2}"), ("PodDisruptionBudget", "spec: {minAvailable: 2}")],
    ),
    ("kube-linter restart-policy", "value", [("pod", "restartPolicy: OnFailure")]),
    ("kube-linter kubeconform", "unknown-field", [("container", "imagePullPolcy: Always")]),
    (
        "kube-score cronjob-restartpolicy-invalid",
        "value",
        [("CronJob", "spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Always}}}}}")],
    ),
    (
        "kube-score cronjob-restartpolicy-not-set",
        "value",
        [("CronJob", "spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: null}}}}}")],
    ),
    (
        "kube-score deployment-extensions-v1beta1",
        "api-version",
        [("Deployment", "apiVersion: extensions/v1beta1")],
    ),
    ("kube-score deployment-appsv1beta1", "api-version", [("Deployment", "apiVersion: apps/v1beta1")]),
    ("kube-score deployment-appsv1beta2", "api-version", [("Deployment", "apiVersion: apps/v1beta2")]),
    (
        "kube-score daemonset-extensionsv1beta1",
        "api-version",
        [("DaemonSet", "apiVersion: extensions/v1beta1")],
    ),
    ("kube-score daemonset-appsv1beta2", "api-version", [("DaemonSet", "apiVersion: apps/v1beta2")]),
    ("kube-score statefulset-appsv1beta1", "api-version", [("StatefulSet", "apiVersion: apps/v1beta1")]),
    ("kube-score statefulset-appsv1beta2", "api-version", [("StatefulSet", "apiVersion: apps/v1beta2")]),
    (
        "kube-score host-antiaffinity-selector-no-match",
        "near-selector",
        [
            ("Deployment", labelled("shop")),
            (
                "pod",
                (
                    "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                    "[{topologyKey: a, labelSelector: {matchLabels: {app: shpo}}}]}}"
                ),
            ),
        ],
    ),
    (
        "kube-score poddisruptionbudget-no-match",
        "near-selector",
        [
            ("Deployment", labelled("shop")),
            ("PodDisruptionBudget", "spec: {maxUnavailable: 1, selector: {matchLabels: {app: shpo}}}"),
        ],
    ),
    (
        "kube-score hpa-has-no-target",
        "required-field",
        [("HorizontalPodAutoscaler", "spec: {scaleTargetRef: null}")],
    ),
    (
        "kube-score deployment-with-hpa-has-replicas",
        STYLE,
        [
            ("Deployment", "spec: {replicas: 3}"),
            ("HorizontalPodAutoscaler", "spec: {scaleTargetRef: {name: web}}"),
        ],
    ),
    (
        "kube-score ingress-v1-invalid-backend",
        "unknown-field",
        [
            (
                "Ingress",
                (
                    "spec: {rules: [{host: a.org, http: {paths: [{path: /, pathType: Prefix, "
                    "backend: {serviceName: web, servicePort: 80}}]}}]}"
                ),
            )
        ],
    ),
    (
        "kube-score ingress-targets-service-no-match",
        "reference",
        [("Service", "{}"), ("Ingress", backend("webb"))],
    ),
    (
        "kube-score ingress-targets-service-no-match-port",
        "ingress-service",
        [("Service", "{}"), ("Ingress", backend("web", "number: 8080"))],
    ),
    (
        "kube-score networkpolicy-not-matching",
        "near-selector",
        [
            ("Deployment", labelled("shop")),
            ("NetworkPolicy", "spec: {podSelector: {matchLabels: {app: sohp}}}"),
        ],
    ),
    (
        "kube-score networkpolicy-targets-another",
        ANOTHERS,
        [WEB, ("NetworkPolicy", "spec: {podSelector: {matchLabels: {app: database}}}")],
    ),
    (
        "kube-score networkpolicy-cronjob-not-matching-selector",
        "near-selector",
        [
            ("CronJob", "spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: shop}}}}}}"),
            ("NetworkPolicy", "spec: {podSelector: {matchLabels: {app: shpo}}}"),
        ],
    ),
    (
        "kube-score networkpolicy-statefulset-not-matching-selector",
        "near-selector",
        [
            ("StatefulSet", labelled("shop")),
            ("NetworkPolicy", "spec: {podSelector: {matchLabels: {app: shpo}}}"),
        ],
    ),
    (
        "kube-score ports-duplicate-names",
        "value",
        [("container", "ports: [{name: a, containerPort: 1}, {name: a, containerPort: 2}]")],
    ),
    ("kube-score ports-missing-containerport", "required-field", [("container", "ports: [{name: a}]")]),
    (
        "kube-score ports-name-too-long",
        "value",
        [("container", "ports: [{name: a-port-of-sixteen, containerPort: 1}]")],
    ),
    (
        "kube-score env-duplicated",
        "value",
        [("container", "env: [{name: A, value: b}, {name: A, value: b}]")],
    ),
    ("kube-score image-tag-latest", "image-tag", [("container", "image: r/web:latest")]),
    (
        "kube-score service-not-target-pod",
        "service-selector",
        [WEB, ("Service", "spec: {selector: {app: other}}")],
    ),
    (
        "kube-score statefulset-service-name",
        "reference",
        [("Service", "{}"), ("StatefulSet", "spec: {serviceName: wbe}")],
    ),
    ("kube-score probes-all-missing", STYLE, [WEB]),
)
LEAST = 60


def documents(parts: Sequence[Document]) -> str:
    return "---\n".join(json.dumps(manifest_of((base, patch, ""))) + "\n" for base, patch in parts)


@pytest.mark.parametrize(("name", "check", "parts"), CLASSES, ids=[row[0] for row in CLASSES])
def test_a_class_of_other_tools_is_found_or_has_its_reason(
    name: str, check: str, parts: Sequence[Document]
) -> None:
    found = {finding.id for finding in findings_of(manifest(documents(parts)))}
    assert (check in found) is (" " not in check), name


def test_most_classes_are_found() -> None:
    names = [row[0] for row in CLASSES]
    assert len(names) == len(set(names)) == 68
    assert sum(" " not in check for _, check, _ in CLASSES) >= LEAST
