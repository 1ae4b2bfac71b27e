"""What single objects must have, and have once; and what is no object of Kubernetes at all."""

from __future__ import annotations

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import Finding


def found(text: str, check: str, *, name: str = "a.yaml") -> list[Finding]:
    return [finding for finding in findings_of(manifest(text, name=name)) if finding.id == check]


def said(finding: Finding) -> tuple[str, str]:
    return finding.field, finding.message.key.partition(".")[2]


def thing(kind: str, rest: str = "metadata: {name: a}", *, version: str = "example.com/v1") -> str:
    return f"apiVersion: {version}\nkind: {kind}\n{rest}\n"


# --- what is no object ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        *((f"base/{name}", "kustomize") for name in ("kustomization.yaml", "kustomization.yml")),
        *((name, "kustomize") for name in ("Kustomization", "kustomizeconfig.yaml")),
        *((name, "Helm") for name in ("charts/web/Chart.yaml", "values.yaml")),
        *((name, "Docker Compose") for name in ("docker-compose.yml", "docker-compose.yaml", "compose.yaml")),
    ],
)
def test_a_file_of_another_tool_that_a_glob_catches_is_called_so(name: str, tool: str) -> None:
    (finding,) = findings_of(manifest("resources: [a.yaml]\n", name=name))
    assert (finding.id, *said(finding)) == ("missing-kind", "", "foreign_file")
    assert finding.message.fields == {"tool": tool, "line": 1}


@pytest.mark.parametrize(
    ("group", "tool"),
    [
        ("kustomize.config.k8s.io", "kustomize"),
        ("skaffold", "Skaffold"),
        ("kind.x-k8s.io", "kind"),
        ("kubeadm.k8s.io", "kubeadm"),
        ("eksctl.io", "eksctl"),
    ],
)
def test_what_is_of_another_tools_group_is_called_so_whatever_its_file(group: str, tool: str) -> None:
    (finding,) = findings_of(manifest(thing("Config", version=f"{group}/v1")))
    assert (said(finding), finding.message.fields["tool"]) == (("", "foreign_file"), tool)


def test_an_object_of_kubernetes_may_be_in_a_file_that_is_named_as_another_tools() -> None:
    text = thing("ConfigMap", version="v1")
    assert found(text, "missing-kind", name="values.yaml") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (thing("List", "items: [{kind: a}]", version="v1"), ["list_kind"]),
        (thing("List", version="v1"), ["list_kind"]),
        (thing("ConfigMapList", "items: []", version="v1"), ["list_kind"]),
        (thing("PriceList"), []),
        (thing("Cart", "metadata: {name: a}\nitems: [{kind: b}]"), []),
        ("metadata: {name: a}\n", ["missing-kind"]),
    ],
)
def test_a_list_has_the_name_and_the_items_of_one(text: str, wanted: list[str]) -> None:
    assert [said(finding) for finding in found(text, "missing-kind")] == [("kind", name) for name in wanted]
    assert found(text, "required-field") == []


# --- what has to be there -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "wanted"),
    [
        ("metadata: {generateName: web-}", ("metadata.name", "name_generated")),
        ("metadata: {generateName: ''}", ("metadata.name", "required-field")),
        ("metadata: {labels: {a: b}}", ("metadata.name", "required-field")),
    ],
)
def test_a_name_is_not_made_up_for_bcs(rest: str, wanted: tuple[str, str]) -> None:
    assert [said(finding) for finding in found(thing("Cafe", rest), "required-field")] == [wanted]


def test_what_else_is_missing_beside_a_generated_name_is_said_as_ever() -> None:
    text = thing("CronJob", "metadata: {generateName: web-}\nspec: {jobTemplate: {}}", version="batch/v1")
    assert [said(finding) for finding in found(text, "required-field")] == [
        ("metadata.name", "name_generated"),
        ("spec.jobTemplate.spec.template.spec.containers", "required-field"),
        ("spec.schedule", "required-field"),
    ]


@pytest.mark.parametrize(
    ("rest", "wanted"),
    [
        ("spec: {}", ["spec.selector", "spec.template"]),
        ("spec: {template: {spec: {}}}", ["spec.selector", "spec.template.spec.containers"]),
    ],
)
def test_of_what_is_missing_nothing_below_is_missed_too(rest: str, wanted: list[str]) -> None:
    text = thing("Deployment", f"metadata: {{name: a}}\n{rest}", version="apps/v1")
    assert [finding.field for finding in found(text, "required-field")] == wanted


def ingress(path: str, version: str = "networking.k8s.io/v1") -> str:
    rest = f"metadata: {{name: a}}\nspec: {{rules: [{{http: {{paths: [{path}]}}}}]}}"
    return thing("Ingress", rest, version=version)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (ingress("{path: /, pathType: Prefix, backend: {}}"), ["backend"]),
        (ingress("{path: /, pathType: Prefix}"), ["backend"]),
        (ingress("{path: /, backend: {resource: {kind: A, name: a}}}"), ["pathType"]),
        (ingress("{path: /, backend: {serviceName: a, servicePort: 1}}", "networking.k8s.io/v1beta1"), []),
        (ingress("{path: /}", "networking.k8s.io/v1beta1"), ["backend"]),
    ],
)
def test_a_path_of_an_ingress_leads_somewhere_and_says_how_it_is_compared(
    text: str, wanted: list[str]
) -> None:
    paths = [f"spec.rules[0].http.paths[0].{field}" for field in wanted]
    assert [finding.field for finding in found(text, "required-field")] == paths


# --- what is there twice --------------------------------------------------------------------------------


def test_an_object_is_the_same_in_whichever_group_its_kind_was_served() -> None:
    new, old = (thing("Ingress", version=f"{group}/v1beta1") for group in ("networking.k8s.io", "extensions"))
    (finding,) = found(f"{new}---\n{old}", "duplicate-object")
    assert (finding.field, finding.message.fields) == ("metadata.name", {"first": "a.yaml", "line": 1})
    assert found(f"{new}---\n{thing('Ingress')}", "duplicate-object") == []
