"""Workloads of custom kinds have pods, so what holds for pods holds for theirs."""

from __future__ import annotations

import pytest
from tests.support.building import findings_of, manifest

HEADS = {
    "GameDeployment": "apiVersion: tkex.tencent.com/v1alpha1\nkind: GameDeployment\n",
    "GameStatefulSet": "apiVersion: tkex.tencent.com/v1alpha1\nkind: GameStatefulSet\n",
    "Rollout": "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\n",
}
BODY = """\
metadata: {name: web}
spec:
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "example.com/web:1"}]}
"""


def found(kind: str, body: str) -> set[str]:
    body = body if kind == "GameStatefulSet" else body.replace("  serviceName: web\n", "")
    return {finding.id for finding in findings_of(manifest(HEADS[kind] + body))}


@pytest.mark.parametrize("kind", HEADS)
def test_a_custom_workload_that_is_right_has_no_finding(kind: str) -> None:
    assert found(kind, BODY) == set()


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(
    ("right", "wrong", "finding"),
    [
        ("example.com/web:1", "example.com/web:latest", "image-tag"),
        ("labels: {app: web}", "labels: {app: api}", "pod-selector"),
        ('image: "example.com/web:1"', "env: []", "required-field"),
        ("  selector: {matchLabels: {app: web}}\n", "", "required-field"),
    ],
)
def test_the_checks_of_pods_look_at_those_of_custom_workloads(
    kind: str, right: str, wrong: str, finding: str
) -> None:
    assert finding in found(kind, BODY.replace(right, wrong))


def test_a_rollout_may_take_its_pods_from_another_workload() -> None:
    refers = (
        "metadata: {name: web}\nspec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n"
    )
    assert found("Rollout", refers) == set()
    assert found("Rollout", "metadata: {name: web}\nspec: {replicas: 1}\n") == {"required-field"}


POD = '{containers: [{name: main, image: "r/main:latest"}], restartPolicy: Never}'


@pytest.mark.parametrize(
    ("api_version", "kind", "body", "place"),
    [
        ("v1", "Pod", "spec: {pod}", "spec"),
        ("v1", "ReplicationController", "spec: {{template: {{spec: {pod}}}}}", "spec.template.spec"),
        ("v1", "PodTemplate", "template: {{spec: {pod}}}", "template.spec"),
        ("batch/v1", "Job", "spec: {{template: {{spec: {pod}}}}}", "spec.template.spec"),
        (
            "batch/v1beta1",
            "CronJob",
            "spec: {{jobTemplate: {{spec: {{template: {{spec: {pod}}}}}}}}}",
            "spec.jobTemplate.spec.template.spec",
        ),
        (
            "tkex.tencent.com/v1alpha1",
            "GameDeployment",
            "spec: {{template: {{spec: {pod}}}}}",
            "spec.template.spec",
        ),
        (
            "tkex.tencent.com/v1alpha1",
            "GameStatefulSet",
            "spec: {{template: {{spec: {pod}}}}}",
            "spec.template.spec",
        ),
        ("argoproj.io/v1alpha1", "Rollout", "spec: {{template: {{spec: {pod}}}}}", "spec.template.spec"),
        (
            "apps.openshift.io/v1",
            "DeploymentConfig",
            "spec: {{template: {{spec: {pod}}}}}",
            "spec.template.spec",
        ),
        ("serving.knative.dev/v1", "Service", "spec: {{template: {{spec: {pod}}}}}", "spec.template.spec"),
        ("example.com/v1", "Thing", "spec: {{template: {{spec: {pod}}}}}", "spec.template.spec"),
        ("example.com/v1", "Thing", "spec: {{template: {{words: {pod}}}}}", ""),
        ("batch.volcano.sh/v1alpha1", "Job", "spec: {{tasks: [{{template: {{spec: {pod}}}}}]}}", ""),
    ],
)
def test_the_pods_of_every_kind_that_keeps_a_template_are_found(
    api_version: str, kind: str, body: str, place: str
) -> None:
    text = f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n{body.format(pod=POD)}\n"
    fields = [finding.field for finding in findings_of(manifest(text)) if finding.id == "image-tag"]
    assert fields == ([f"{place}.containers[0].image"] if place else [])
