"""A pod's containers: which port, volume, image or variable of theirs is told, and which can't be judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.support.building import findings_of, manifest

from bcs_template_set.messages import say

RUNNER = "actions.summerwind.dev/v1alpha1 RunnerDeployment"
HTTP = "ports: [{name: web, containerPort: 1}, {name: api, containerPort: 2}, {containerPort: 3}]"


def told(container: str, pod: str = "", *, check: str, kind: str = "v1 Pod") -> list[tuple[str, str, Any]]:
    """Return field, sentence and its fields of what a check finds in a pod of such a container."""
    api_version, _, name = kind.partition(" ")
    own = yaml.safe_load(f"{{name: main, image: 'r/w:1', {container}}}")
    spec = {"containers": [own], **yaml.safe_load(f"{{{pod}}}")}
    if name != "Pod":
        spec = {"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}
    if name == "StatefulSet":
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "claimed"}}]
    body = {"apiVersion": api_version, "kind": name, "metadata": {"name": "a"}, "spec": spec}
    return [
        (finding.field, finding.message.key.partition(".")[2], finding.message.fields)
        for finding in findings_of(manifest(json.dumps(body)))
        if finding.id == check
    ]


@pytest.mark.parametrize("handler", ["livenessProbe", "readinessProbe", "startupProbe"])
@pytest.mark.parametrize("action", ["httpGet", "tcpSocket"])
def test_a_probe_asks_a_port_that_its_own_container_has(handler: str, action: str) -> None:
    at = f"spec.containers[0].{handler}.{action}.port"
    probe = f"{handler}: {{{action}: {{port: PORT}}}}"
    fields = {"port": "http", "known": ["api", "web"]}
    asked = probe.replace("PORT", "http")
    assert told(f"{HTTP}, {asked}", check="probe-port") == [(at, "probe-port", fields)]
    assert told(asked, check="probe-port") == [(at, "probe-port", {**fields, "known": ["-"]})]
    assert told(asked, check="probe-port", kind=RUNNER) == []
    for port in ("web", "'81'", "81", "'{{ N }}'", "''"):
        assert told(f"{HTTP}, {probe.replace('PORT', port)}", check="probe-port") == []
    assert told(f"ports: [{{name: '{{{{ N }}}}'}}], {asked}", check="probe-port") == []


@pytest.mark.parametrize("hook", ["postStart", "preStop"])
@pytest.mark.parametrize("action", ["httpGet", "tcpSocket"])
def test_a_hook_asks_a_port_that_its_own_container_has(hook: str, action: str) -> None:
    found = told(f"lifecycle: {{{hook}: {{{action}: {{port: http}}}}}}", check="probe-port")
    assert [field for field, *_ in found] == [f"spec.containers[0].lifecycle.{hook}.{action}.port"]


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("nginx", "image_untagged"),
        ("r.org:5000/nginx", "image_untagged"),
        ("nginx:latest", "image_latest"),
        ("nginx:1", ""),
        ("nginx:latest@sha256:" + "a" * 64, ""),
        ("nginx@sha256:" + "a" * 64, ""),
        ("{{ N }}:latest", ""),
        ("", ""),
        ("r/ü:latest", ""),
    ],
)
def test_of_an_image_without_a_tag_of_its_own_it_is_told_which_and_where(image: str, sentence: str) -> None:
    at = "spec.containers[0].image"
    wanted = [(at, sentence, {"image": image})] if sentence else []
    assert told(f"image: '{image}'", check="image-tag") == wanted


@pytest.mark.parametrize(
    ("image", "word", "count"),
    [
        ("auto", "inject.istio.io/templates", 0),
        ("auto", "sidecar.istio.io/inject", 0),
        ("auto", "istio.io/rev", 1),
        ("auto", "example.com/inject", 1),
        ("other", "sidecar.istio.io/inject", 1),
    ],
)
@pytest.mark.parametrize("part", ["labels", "annotations"])
def test_an_image_that_istio_fills_in_has_no_tag(image: str, word: str, count: int, part: str) -> None:
    text = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a", part: {word: "true"}},
            "spec": {"containers": [{"name": "a", "image": image}]},
        }
    )
    found = findings_of(manifest(text))
    assert [(finding.id, finding.is_warning) for finding in found] == [("image-tag", True)] * count


@pytest.mark.parametrize("image", ["r/w:${TAG}", "{{ N }}:${TAG}", ""])
def test_an_image_that_no_runtime_reads_is_told_where_it_is_known(image: str) -> None:
    found = told(f"image: '{image}'", check="image-name")
    is_known = image == "r/w:${TAG}"
    assert [[field, *fields] for field, _, fields in found] == (
        [["spec.containers[0].image", "problem"]] if is_known else []
    )


@pytest.mark.parametrize(
    ("mounts", "pod", "kind", "wanted"),
    [
        ("{name: v, mountPath: /v}", "volumes: [{name: v, emptyDir: {}}]", "v1 Pod", ""),
        (
            "{name: w, mountPath: /v}",
            "volumes: [{name: v, emptyDir: {}}]",
            "v1 Pod",
            "[0].name mount_unknown w",
        ),
        ("{name: w, mountPath: /v}", "volumes: [{name: '{{ N }}', emptyDir: {}}]", "v1 Pod", ""),
        ("{name: '{{ N }}', mountPath: /v}", "volumes: [{name: v, emptyDir: {}}]", "v1 Pod", ""),
        ("{name: '', mountPath: /v}", "", "v1 Pod", ""),
        ("{name: claimed, mountPath: /v}", "", "apps/v1 StatefulSet", ""),
        ("{name: other, mountPath: /v}", "", "apps/v1 StatefulSet", "[0].name mount_unknown other"),
        ("{name: work, mountPath: /v}", "", RUNNER, ""),
        (
            "{name: v, mountPath: /v}, {name: v, mountPath: /w}, {name: v, mountPath: /v}",
            "volumes: [{name: v, emptyDir: {}}]",
            "v1 Pod",
            "[2].mountPath mount_twice /v",
        ),
        ("{name: v}, {name: v}", "volumes: [{name: v, emptyDir: {}}]", "v1 Pod", ""),
        ("{name: v, mountPath: /v}, {name: v, mountPath: /v}", "", RUNNER, "[1].mountPath mount_twice /v"),
    ],
)
def test_a_mount_is_of_a_volume_of_the_pod_and_at_a_place_of_its_own(
    mounts: str, pod: str, kind: str, wanted: str
) -> None:
    found = told(f"volumeMounts: [{mounts}]", pod, check="volume-mount", kind=kind)
    shown = [
        f"{field.rpartition('volumeMounts')[2]} {said} {fields['name']}" for field, said, fields in found
    ]
    assert shown == ([wanted] if wanted else [])
    above = "spec" if kind == "v1 Pod" else "spec.template.spec"
    assert all(field.startswith(f"{above}.containers[0].volumeMounts") for field, *_ in found)


@pytest.mark.parametrize(
    ("value", "given"),
    [("1", "integer"), ("yes", "boolean"), ("null", ""), ("'1'", ""), ("{a: b}", "object")],
)
def test_a_variable_whose_value_is_no_text_is_told_by_its_name_and_place(value: str, given: str) -> None:
    found = told(f"env: [{{name: A, value: a}}, {{name: PORT, value: {value}}}]", check="env-value")
    fields = {"name": "PORT", "given": say(f"checks.type_{given}")}
    assert found == ([("spec.containers[0].env[1].value", "env-value", fields)] if given else [])
