"""Characters that look like an ASCII one: in which fields they are told, and at which of the characters."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.support.building import findings_of, manifest

WIDE = "\uff57\uff45\uff42"
POD = "v1 Pod"
SUBJECT = "{kind: ServiceAccount, name: a, namespace: WEB}"


def told(kind: str, body: str, *, escaped: bool = False) -> list[tuple[str, Any]]:
    """Return the field of each such character, and its place in the text."""
    api_version, _, name = kind.partition(" ")
    parsed = yaml.safe_load(f"{{{body}}}".replace("WEB", f"a{WIDE}"))
    metadata = {"name": "a", **parsed.get("metadata", {})}
    whole = {"apiVersion": api_version, "kind": name, **parsed, "metadata": metadata}
    text = json.dumps(whole, ensure_ascii=escaped)
    found = (finding for finding in findings_of(manifest(text)) if finding.id == "look-alike")
    return [(finding.field, finding.message.fields["nth"]) for finding in found]


CONTAINER = "spec: {{containers: [{{name: a, image: 'r/a:1', {}}}]}}"
IN_POD = "spec.containers[0]"


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (POD, "apiVersion: vWEB", "apiVersion"),
        (POD, "kind: PodWEB", "kind"),
        (POD, "metadata: {name: WEB}", "metadata.name"),
        (POD, "metadata: {namespace: WEB}", "metadata.namespace"),
        (POD, "metadata: {labels: {a.b/c: WEB}}", "metadata.labels[a.b/c]"),
        ("apps/v1 Deployment", "spec: {selector: {matchLabels: {a: WEB}}}", "spec.selector.matchLabels[a]"),
        (POD, "spec: {volumes: [{name: a, configMap: {name: WEB}}]}", "spec.volumes[0].configMap.name"),
        (POD, "spec: {volumes: [{name: a, secret: {secretName: WEB}}]}", "spec.volumes[0].secret.secretName"),
        (
            POD,
            "spec: {volumes: [{name: a, persistentVolumeClaim: {claimName: WEB}}]}",
            "spec.volumes[0].persistentVolumeClaim.claimName",
        ),
        (POD, "spec: {serviceAccountName: WEB}", "spec.serviceAccountName"),
        (POD, "spec: {restartPolicy: WEB}", "spec.restartPolicy"),
        (
            POD,
            CONTAINER.format("livenessProbe: {httpGet: {port: 1, host: WEB}}"),
            f"{IN_POD}.livenessProbe.httpGet.host",
        ),
        (
            POD,
            CONTAINER.format("livenessProbe: {httpGet: {port: WEB}}"),
            f"{IN_POD}.livenessProbe.httpGet.port",
        ),
        (POD, CONTAINER.format("ports: [{containerPort: WEB}]"), f"{IN_POD}.ports[0].containerPort"),
        (POD, CONTAINER.format("ports: [{containerPort: 1, hostPort: WEB}]"), f"{IN_POD}.ports[0].hostPort"),
        (
            POD,
            CONTAINER.format("env: [{name: A, valueFrom: {secretKeyRef: {name: a, key: WEB}}}]"),
            f"{IN_POD}.env[0].valueFrom.secretKeyRef.key",
        ),
        ("v1 Service", "spec: {ports: [{port: WEB}]}", "spec.ports[0].port"),
        ("v1 Service", "spec: {ports: [{port: 1, targetPort: WEB}]}", "spec.ports[0].targetPort"),
        ("v1 Service", "spec: {ports: [{port: 1, nodePort: WEB}]}", "spec.ports[0].nodePort"),
        ("apps/v1 StatefulSet", "spec: {serviceName: WEB}", "spec.serviceName"),
        ("rbac.authorization.k8s.io/v1 RoleBinding", f"subjects: [{SUBJECT}]", "subjects[0].namespace"),
        ("example.com/v1 Cafe", "metadata: {name: WEB}", "metadata.name"),
        ("example.com/v1 Cafe", "metadata: {namespace: WEB}", "metadata.namespace"),
        (
            POD,
            "spec: {volumes: [{name: a, secret: {secretName: a, items: [{key: WEB, path: a}]}}]}",
            "spec.volumes[0].secret.items[0].key",
        ),
        (
            "example.com/v1 Cafe",
            "spec: {template: {spec: {containers: [{name: WEB}]}}}",
            "spec.template.spec.containers[0].name",
        ),
        (
            "example.com/v1 Cafe",
            "spec: {template: {spec: {containers: [{name: a}], initContainers: [{ports: [{name: WEB}]}]}}}",
            "spec.template.spec.initContainers[0].ports[0].name",
        ),
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_it_is_told_in_a_name_or_word_by_its_field_and_place(
    kind: str, body: str, field: str, *, escaped: bool
) -> None:
    ((at, nth),) = told(kind, body, escaped=escaped)
    assert at == field
    assert nth == {"apiVersion": 3, "kind": 5}.get(field, 2)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((POD, f"metadata: {{annotations: {{{key}: WEB}}}}") for key in ("name", "labels")),
        (POD, CONTAINER.format("env: [{name: A, value: WEB}]")),
        (POD, CONTAINER.format("args: [WEB]")),
        (POD, "spec: {zzz: WEB}"),
        *(("v1 ConfigMap", f"data: {{{key}: WEB}}") for key in ("a", "name", "host")),
        ("v1 Secret", "stringData: {name: WEB}"),
        ("example.com/v1 Cafe", "spec: {name: WEB, host: WEB}"),
        (POD, "metadata: {labels: {a: web}}"),
    ],
)
def test_it_is_not_told_in_a_text_for_people(kind: str, body: str) -> None:
    assert told(kind, body) == []


def test_of_what_holds_one_nothing_else_is_said() -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{WIDE}, labels: {{b: 'a b'}}}}\n"
    assert [finding.id for finding in findings_of(manifest(text))] == ["label", "look-alike"]
