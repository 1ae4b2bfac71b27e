"""The pods that objects make: where their templates are, what they say, and which objects may make others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bcs_template_set.manifests.parse import Document, parse_documents
from bcs_template_set.manifests.pod_templates import (
    PodTemplate,
    is_filled_in,
    may_make_other_pods,
    named_ports_of,
    numbers_of_ports,
    objects_of,
    pod_of,
    selects_pods,
)

DEPLOYMENT = "apiVersion: apps/v1, kind: Deployment"
ROLLOUT = "apiVersion: argoproj.io/v1alpha1, kind: Rollout"
THING = "apiVersion: example.com/v1, kind: Thing"
POD = "metadata: {labels: {a: b}, annotations: {c: d}}, spec: {containers: [{image: i}]}"
REFERS = "workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}"


def document(text: str) -> Document:
    (found,) = parse_documents(f"{{{text}}}\n", source="x")
    return found


def pod_with(spec: str) -> PodTemplate:
    pod = pod_of(document(f"kind: Pod, spec: {spec}"))
    assert pod is not None
    return pod


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("kind: PodList, items: [{kind: Pod, metadata: {name: a}}, 5]", ["Pod/a"]),
        ("kind: List, items: []", []),
        ("kind: AllowList, metadata: {name: a}", ["AllowList/a"]),
        ("kind: AllowList, metadata: {name: a}, items: {kind: Pod}", ["AllowList/a"]),
        ("kind: Thing, metadata: {name: a}, items: [{kind: Pod}]", ["Thing/a"]),
    ],
)
def test_what_is_no_list_of_objects_is_an_object_itself(text: str, titles: list[str]) -> None:
    assert [found.title for found in objects_of([document(text)])] == titles


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"kind: Pod, {POD}", ""),
        (f"{THING}, spec: {{template: {{{POD}}}}}", "spec.template."),
    ],
)
def test_a_pod_is_read_with_its_labels_its_annotations_and_its_place(text: str, place: str) -> None:
    pod = pod_of(document(text))
    assert pod is not None
    assert (pod.labels, pod.annotations) == ({"a": "b"}, {"c": "d"})
    assert pod.field("spec") == f"{place}spec"
    assert [container.image for container in pod.containers] == ["i"]


@pytest.mark.parametrize(
    "text",
    [
        f"{DEPLOYMENT}, spec: {{replicas: 1}}",
        f"{DEPLOYMENT}, spec: {{template: {{}}}}",
        f"{THING}, spec: {{template: {{spec: {{volumes: []}}}}}}",
        f"{THING}, spec: {{containers: [{{image: i}}]}}",
        "kind: Service, spec: {template: {spec: {containers: [{image: i}]}}}",
    ],
)
def test_an_object_without_a_template_has_no_pod(text: str) -> None:
    assert pod_of(document(text)) is None


def test_containers_come_before_init_containers_each_with_its_place() -> None:
    pod = pod_with("{initContainers: [{image: i}], containers: [5, {image: c}, {name: n}]}")
    assert [(container.place, container.image) for container in pod.containers] == [
        ("spec.containers[1]", "c"),
        ("spec.containers[2]", ""),
        ("spec.initContainers[0]", "i"),
    ]


def test_what_is_missing_may_be_added_by_the_controller_of_a_kind_that_nobody_knows() -> None:
    assert is_filled_in(document(THING))
    assert not is_filled_in(document(DEPLOYMENT))


@pytest.mark.parametrize(
    ("ports", "names", "numbers"),
    [
        ("[{name: http, containerPort: 80}, {containerPort: 90}, 5]", {"http"}, {80, 90}),
        ("[{name: http, containerPort: '80'}, {name: rpc}]", {"http", "rpc"}, set()),
        ("[{name: http, containerPort: 80}, {containerPort: '{{PORT}}'}]", {"http"}, set()),
        ("[]", set(), set()),
    ],
)
def test_the_ports_of_a_pod_are_known_by_name_and_by_number_where_bcs_fills_in_none(
    ports: str, names: set[str], numbers: set[int]
) -> None:
    pod = pod_with(f"{{containers: [{{ports: {ports}}}, {{image: i}}]}}")
    assert named_ports_of(pod) == names
    assert numbers_of_ports(pod) == numbers


WORDS = [
    *("chart", "containers", "image", "instances", "jobTemplate", "nodeSets", "podSpec", "podTemplate"),
    *("replicas", "tasks", "template", "templates"),
]


@pytest.mark.parametrize("spec", ["{%s: 1}", "{server: {%s: 1}}", "{sets: [5, {%s: 1}]}"])
def test_an_object_of_a_kind_that_nobody_knows_may_make_pods_if_it_speaks_of_some(spec: str) -> None:
    for word in WORDS:
        assert may_make_other_pods(document(f"{THING}, spec: {spec % word}")), word


@pytest.mark.parametrize(
    ("ask", "text", "answer"),
    [
        (may_make_other_pods, f"{THING}, spec: {{size: 1, server: {{size: 1}}}}", False),
        (may_make_other_pods, f"{THING}, image: 1", False),
        (
            may_make_other_pods,
            f"{THING}, spec: {{template: {{spec: {{containers: [{{image: i}}]}}}}}}",
            False,
        ),
        (may_make_other_pods, f"{DEPLOYMENT}, spec: {{replicas: 1}}", False),
        (may_make_other_pods, "kind: Service, spec: {template: 1}", False),
        (may_make_other_pods, f"{ROLLOUT}, spec: {{replicas: 1}}", False),
        (may_make_other_pods, f"{ROLLOUT}, spec: {{{REFERS}}}", True),
        (selects_pods, DEPLOYMENT, True),
        (selects_pods, ROLLOUT, True),
        (selects_pods, f"{ROLLOUT}, spec: {{{REFERS}}}", False),
        (selects_pods, "apiVersion: batch/v1, kind: Job", False),
        (selects_pods, THING, False),
    ],
)
def test_whether_an_object_selects_pods_or_makes_others_is_known_by_its_kind(
    ask: Callable[[Document], bool],
    text: str,
    answer: bool,  # noqa: FBT001 - a row of a table
) -> None:
    assert ask(document(text)) is answer
