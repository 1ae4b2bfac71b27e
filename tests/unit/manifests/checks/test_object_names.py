"""Kubernetes' rules for names, labels and annotations: which one is told, and by which sentence."""

from __future__ import annotations

import json

import pytest
import yaml
from tests.support.building import findings_of, manifest

POD = "v1 Pod"
DEPLOYMENT = "apps/v1 Deployment"


def told(text: str, *, check: str, kube_version: str = "") -> list[str]:
    """Return field, sentence and what it speaks of, of all that a check finds, in a line each."""
    lines = []
    for finding in findings_of(manifest(text), kube_version=kube_version):
        if finding.id == check:
            said = {key: getattr(value, "key", value) for key, value in finding.message.fields.items()}
            words = [finding.field, finding.message.key, *(f"{key}={said[key]}" for key in sorted(said))]
            lines.append(" ".join(words).replace("checks.", ""))
    return lines


def pod(kind: str = POD, *, metadata: str = "", spec: str = "", **parts: str) -> str:
    """Return a pod, or an object with a pod template, of these parts in YAML."""
    api_version, _, name = kind.partition(" ")
    own = {
        "metadata": yaml.safe_load(f"{{{metadata}}}"),
        "spec": {"containers": [{"name": "a", "image": "r/a:1"}], **yaml.safe_load(f"{{{spec}}}")},
    }
    head = {"apiVersion": api_version, "kind": name, "metadata": {"name": "a"}}
    if name == "Pod":
        return json.dumps({**head, **own, "metadata": {"name": "a", **own["metadata"]}})
    selector = yaml.safe_load(parts.get("selector", "{}"))
    return json.dumps({**head, "spec": {"selector": selector, "template": own}})


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("containers: [{name: a}, {name: b}, {name: a}]", ["containers[2].name name=a problem=name_twice"]),
        ("initContainers: [{name: a}]", ["initContainers[0].name name=a problem=name_twice"]),
        ("initContainers: [{name: a_b}]", ["initContainers[0].name name=a_b problem=form_label"]),
        ("containers: [{name: ''}, {name: ''}, {}]", []),
        ("containers: [{name: ''}, {name: a_b}]", ["containers[1].name name=a_b problem=form_label"]),
        ("containers: [{name: '{{ N }}'}, {name: '{{ N }}'}]", []),
        ("volumes: [{name: a}, {name: a_b}]", ["volumes[1].name name=a_b problem=form_label"]),
        ("volumes: [{name: ''}, {name: '{{ N }}'}, {}]", []),
    ],
)
@pytest.mark.parametrize("kind", [POD, DEPLOYMENT])
def test_containers_and_volumes_of_a_pod_have_labels_for_names(
    kind: str, spec: str, wanted: list[str]
) -> None:
    above = "spec" if kind == POD else "spec.template.spec"
    lines = [f"{above}.{line}".replace(".name ", ".name named_wrong ") for line in wanted]
    assert told(pod(kind, spec=spec), check="container-name") == lines


@pytest.mark.parametrize(
    ("name", "before", "now"),
    [
        *(("A_b.c-d9", True, True), ("_", True, True), ("1A", False, True), ("A B", False, True)),
        *((" ", False, True), ("~", False, True), ("A<B", False, True), ("A>B", False, True)),
        *(("A=B", False, False), ("\u00fc", False, False), ("A\tB", False, False), ("A\x7fB", False, False)),
        *(("", True, True), ("{{ N }}=", True, True)),
    ],
)
def test_a_variable_has_a_name_as_the_kubernetes_in_question_takes_it(
    name: str, *, before: bool, now: bool
) -> None:
    text = pod(spec=f"containers: [{{name: a, env: [{{name: A}}, {{name: {json.dumps(name)}}}]}}]")
    line = f"spec.containers[0].env[1].name named_wrong name={name} problem=form_variable"
    for version, is_right in (("1.31", before), ("1.32", now), ("", now)):
        assert told(text, check="container-name", kube_version=version) == ([] if is_right else [line])


LABELS = "{'a b': c, d: 'e f', g: 1, h: null, '{{ N }} i': j, k: '{{ N }} l', m: o}"
WRONG = [
    "[a b] label_key name=a b problem=form_label_key",
    "[d] label_value name=e f problem=form_label_value",
    "[g] text_needed given=type_integer",
]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {LABELS}}}\n", "metadata.labels"),
        (
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{selector: {LABELS}}}\n",
            "spec.selector",
        ),
        (pod(metadata=f"labels: {LABELS}"), "metadata.labels"),
        (pod(spec=f"nodeSelector: {LABELS}"), "spec.nodeSelector"),
        (pod(DEPLOYMENT, metadata=f"labels: {LABELS}"), "spec.template.metadata.labels"),
        (pod(DEPLOYMENT, spec=f"nodeSelector: {LABELS}"), "spec.template.spec.nodeSelector"),
        (pod(DEPLOYMENT, selector=f"{{matchLabels: {LABELS}}}"), "spec.selector.matchLabels"),
        (pod("batch/v1 Job", selector=f"{{matchLabels: {LABELS}}}"), ""),
        (pod("example.com/v1 Cafe", selector=LABELS), ""),
    ],
)
def test_of_each_label_it_is_told_what_is_wrong_with_key_or_value_but_of_what_bcs_fills_in(
    text: str, path: str
) -> None:
    assert told(text, check="label") == ([f"{path}{line}" for line in WRONG] if path else [])


ANNOTATIONS = "{'a b': 'c d', A.B/C: e, g: 1, h: null, '{{ N }} i': j}"


@pytest.mark.parametrize(
    ("text", "path", "is_typed"),
    [
        (pod(metadata=f"annotations: {ANNOTATIONS}"), "metadata.annotations", True),
        (
            pod(DEPLOYMENT, metadata=f"annotations: {ANNOTATIONS}"),
            "spec.template.metadata.annotations",
            False,
        ),
    ],
)
def test_of_each_annotation_it_is_told_what_is_wrong_with_its_key_and_that_it_is_no_text(
    text: str, path: str, *, is_typed: bool
) -> None:
    key = f"{path}[a b] annotation_key name=a b problem=form_label_key"
    value = f"{path}[g] text_needed given=type_integer"
    assert told(text, check="annotation") == ([key, value] if is_typed else [key])


@pytest.mark.parametrize(
    ("kind", "name", "problem"),
    [
        ("v1 ConfigMap", "A", "form_subdomain"),
        ("v1 ConfigMap", "a.b", ""),
        ("v1 ConfigMap", "'{{ N }}_'", ""),
        ("v1 Namespace", "a.b", "form_label"),
        ("batch/v1 Job", "A" * 64, "form_subdomain"),
        ("v1 Service", "a.b", "form_label"),
        *((f"rbac.authorization.k8s.io/v1 {kind}", "a:b", "") for kind in ("Role", "ClusterRole")),
        *((f"rbac.authorization.k8s.io/v1 {kind}Binding", "a:b", "") for kind in ("Role", "ClusterRole")),
        ("networking.k8s.io/v1 IPAddress", "'2001:db8::1'", ""),
        ("certificates.k8s.io/v1alpha1 ClusterTrustBundle", "a:b", ""),
        ("example.com/v1 Cafe", "A:b", ""),
        *(("example.com/v1 Cafe", name, "form_segment") for name in ("a/b", "a%b", ".", "..")),
        ("example.com/v1 Cafe", "...", ""),
        ("rbac.authorization.k8s.io/v1 Role", "a/b", "form_segment"),
    ],
)
def test_an_object_has_a_name_of_the_form_of_its_kind(kind: str, name: str, problem: str) -> None:
    api_version, _, own = kind.partition(" ")
    text = f"apiVersion: {api_version}\nkind: {own}\nmetadata: {{name: {name}}}\n"
    line = f"metadata.name named_wrong name={name} problem={problem}"
    assert told(text, check="object-name") == ([line] if problem else [])


def test_a_services_name_begins_with_a_letter_before_1_36() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: 1a}\n"
    line = "metadata.name named_wrong name=1a problem=form_service"
    assert told(text, check="object-name", kube_version="1.35") == [line]
    assert told(text, check="object-name", kube_version="1.36") == []
