"""Valid manifests, usual and rare, in which no check finds anything, and what stands next to them.

The first line of each file says why it is there, and names a Kubernetes that takes it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.telling import told_lines

FOLDER = Path(__file__).parent / "valid"
FIRST_LINE = re.compile(r"# Kubernetes (1\.[0-9]+): .+")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_kubernetes_takes_is_no_finding(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = FIRST_LINE.match(text)
    assert first is not None
    file = manifest(text, name=path.name, variables="N")
    for version in ("", first[1]):
        found = findings_of(file, kube_version=version, namespace="prod")
        assert [told_lines([finding])[0].render("en_US") for finding in found] == []


A = "spec.containers[0]"
IN_TEMPLATE = f"spec.template.{A}"
INJECTED = ', annotations: {inject.istio.io/templates: gateway}, labels: {sidecar.istio.io/inject: "true"}'


@pytest.mark.parametrize(
    ("name", "old", "new", "check", "field"),
    [
        ("pod-probes", "hostPort: 0", "hostPort: 65536", "value", f"{A}.ports[1].hostPort"),
        (
            "pod-probes",
            "{name: X-Empty}",
            "{value: a}",
            "required-field",
            f"{A}.livenessProbe.httpGet.httpHeaders[1].name",
        ),
        (
            "pod-probes",
            '{exec: {command: [sh, -c, "test -f /ready"]}}',
            "{periodSeconds: 1}",
            "value",
            f"{A}.readinessProbe",
        ),
        ("pod-quantities", '" 1 "', '"1 m"', "value", "spec.containers[6].resources.requests[cpu]"),
        (
            "pod-volumes",
            'iqn: "iqn.2001-04.com.example:a", ',
            "",
            "required-field",
            "spec.volumes[12].iscsi.iqn",
        ),
        (
            "pod-affinity",
            "{weight: 1}",
            "{preference: {}}",
            "required-field",
            "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[1].weight",
        ),
        ("pod-injected", INJECTED, "", "image-tag", f"{A}.image"),
        ("secret-carriage", "\\r\\n", " ", "value", "data[a]"),
        (
            "deployment-bcs",
            'values: ["{{ N }}"]',
            "values: [b]",
            "pod-selector",
            "spec.selector.matchExpressions[0]",
        ),
        ("run", "name: http}], env", "name: https}], env", "service-port", "spec.ports[0].targetPort"),
        ("run-bcs", '"{{ N }}-data"', "data", "volume-mount", f"{IN_TEMPLATE}.volumeMounts[0].name"),
        ("run-bcs", 'name: "{{ N }}"}]', "name: https}]", "service-port", "spec.ports[0].targetPort"),
        ("run-bcs", 'service: {name: "{{ N }}"', "service: {name: www", "route-clash", "spec.rules"),
        (
            "runner-volume",
            "}]}]",
            "}, {mountPath: /runner/_work}]}]",
            "volume-mount",
            f"{IN_TEMPLATE}.volumeMounts[1].mountPath",
        ),
        ("run-entries", 'canary: "true"', 'canary: "false"', "route-clash", "spec.rules"),
        ("run-entries", "class: internal", "class: nginx", "route-clash", "spec.rules"),
        ("run-entries", "existLbId: lb-b", "existLbId: lb-a", "route-clash", "spec.rules"),
        ("rolebinding", "kind: ClusterRole, ", "", "required-field", "roleRef.kind"),
        ("endpointslice-empty", "addressType: FQDN", "endpoints: []", "required-field", "addressType"),
        ("limitrange", "type: Pod, ", "", "required-field", "spec.limits[1].type"),
        ("trustbundle", ':v1"', '/v1"', "object-name", "metadata.name"),
        ("service-digit", "2048-game", "game.2048", "object-name", "metadata.name"),
        ("knative", "image: r/hello:1", "image: r/hello", "image-tag", f"{IN_TEMPLATE}.image"),
        (
            "knative",
            "{successThreshold: 1}",
            "{exec: {}, grpc: {}}",
            "value",
            f"{IN_TEMPLATE}.readinessProbe",
        ),
        ("runner", "limits: {cpu: 1}", "limit: {cpu: 1}", "unknown-field", f"{IN_TEMPLATE}.resources.limit"),
        ("cloneset", "{name: web, image", "{nam: web, image", "unknown-field", f"{IN_TEMPLATE}.nam"),
    ],
)
def test_what_stands_next_to_it_is_found(name: str, old: str, new: str, check: str, field: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    found = findings_of(manifest(text.replace(old, new, 1), variables="N"))
    assert [(finding.id, finding.field) for finding in found] == [(check, field)]


def test_a_services_name_begins_with_a_letter_where_each_kubernetes_in_question_is_old() -> None:
    file = manifest((FOLDER / "service-digit.yaml").read_text(encoding="utf-8"))
    assert [finding.id for finding in findings_of(file, kube_version="1.35")] == ["object-name"]
    assert findings_of(file, kube_version="1.36") == ()
