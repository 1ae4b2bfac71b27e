"""What Kubernetes' published schemas say of an apiVersion and of fields: each sentence with what it names."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.messages import say

ADMISSION = "admissionregistration.k8s.io/v1"


def found(api_version: str, kind: str, *, check: str, version: str = "", spec: str = "{}") -> list[Finding]:
    text = f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    return [finding for finding in findings_of(manifest(text), kube_version=version) if finding.id == check]


@pytest.mark.parametrize(
    ("api_version", "kind", "version", "sentence", "fields"),
    [
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "1.20",
            "since",
            {"version": 23, "now": "autoscaling/v1"},
        ),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "1.23", "", {}),
        ("extensions/v1beta1", "Ingress", "1.22", "removed", {"version": 22, "now": "networking.k8s.io/v1"}),
        ("extensions/v1beta1", "Ingress", "1.21", "", {}),
        ("policy/v1beta1", "PodSecurityPolicy", "1.25", "removed_for_good", {"version": 25, "now": ""}),
        (ADMISSION, "ValidatingAdmissionPolicy", "1.20", "since_for_good", {"version": 30, "now": ""}),
        (ADMISSION, "ValidatingAdmissionPolicy", "", "", {}),
        ("v1", "Deployment", "", "elsewhere", {"now": "apps/v1"}),
        ("apps/v1", "Deploymnt", "", "misspelt", {"near": "Deployment"}),
        ("v1", "Deploymnt", "", "misspelt", {"near": "Deployment"}),
        ("apps/v1", "Zzz", "", "unknown", {}),
        ("apps/v1", "'{{ N }}'", "", "", {}),
        ("'{{ N }}'", "Zzz", "", "", {}),
        ("''", "Deployment", "", "", {}),
        ("example.com/v1", "Deployment", "", "", {}),
        ("apps/v1", "DeploymentList", "", "", {}),
        ("apps/v1", "''", "", "", {}),
    ],
)
def test_of_an_api_version_that_is_not_served_it_is_told_since_when_and_what_to_write(
    api_version: str, kind: str, version: str, sentence: str, fields: Mapping[str, object]
) -> None:
    findings = found(api_version, kind, check="api-version", version=version)
    at = "kind" if sentence == "misspelt" else "apiVersion"
    named = {"given": api_version, "kind": kind, **fields}
    assert [(f.field, f.message.key, f.message.fields) for f in findings] == (
        [(at, f"checks.api_{sentence}", named)] if sentence else []
    )


POD = "{{containers: [{{name: a, image: 'r/a:1'}}], {}}}"


@pytest.mark.parametrize(
    ("spec", "version", "field", "sentence", "fields"),
    [
        ("hostnam: a", "", "hostnam", "misspelt", {"near": "hostname", "belongs": ""}),
        (
            "readinessProbe: {}",
            "",
            "readinessProbe",
            "misplaced",
            {"near": "", "belongs": "spec.containers[]"},
        ),
        ("zzz: 1", "", "zzz", "unknown", {"near": "", "belongs": ""}),
        ("schedulingGates: []", "1.25", "schedulingGates", "since", {"version": 26}),
        ("schedulingGates: []", "1.26", "", "", {}),
        ("workloadRef: {}", "1.36", "workloadRef", "until", {"version": 35}),
    ],
)
def test_a_field_that_kubernetes_would_drop_is_told_by_what_was_meant(
    spec: str, version: str, field: str, sentence: str, fields: Mapping[str, object]
) -> None:
    findings = found("v1", "Pod", check="unknown-field", version=version, spec=POD.format(spec))
    assert [(f.field, f.message.key, f.message.fields) for f in findings] == (
        [(f"spec.{field}", f"checks.field_{sentence}", fields)] if sentence else []
    )


@pytest.mark.parametrize(
    ("spec", "field", "wanted", "given"),
    [
        ("hostname: 1", "hostname", "text", "integer"),
        ("hostname: 1.5", "hostname", "text", "number"),
        ("terminationGracePeriodSeconds: a", "terminationGracePeriodSeconds", "integer", "text"),
        ("hostNetwork: {}", "hostNetwork", "boolean", "object"),
        ("volumes: true", "volumes", "list", "boolean"),
        ("nodeSelector: []", "nodeSelector", "object", "list"),
        ("overhead: {cpu: []}", "overhead[cpu]", "quantity", "list"),
        (
            "initContainers: [{name: b, image: 'r/b:1', livenessProbe: {tcpSocket: {port: []}}}]",
            "initContainers[0].livenessProbe.tcpSocket.port",
            "integer_or_text",
            "list",
        ),
    ],
)
def test_of_a_value_of_the_wrong_type_both_types_are_told(
    spec: str, field: str, wanted: str, given: str
) -> None:
    findings = found("v1", "Pod", check="field-type", spec=POD.format(spec))
    fields = {"wanted": say(f"checks.type_{wanted}"), "given": say(f"checks.type_{given}")}
    assert [(f.field, f.message.fields, f.is_warning) for f in findings] == [(f"spec.{field}", fields, False)]
