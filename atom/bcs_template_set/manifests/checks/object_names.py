"""Checks of Kubernetes' rules for names, labels and annotations (facts/manifests.md, "Limits"). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Optional

from bcs_template_set.manifests.checks.finding import (
    CheckInput,
    DocumentInFile,
    Finding,
    PodOwner,
    check,
    type_of,
)
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import SERVICE, is_of
from bcs_template_set.manifests.naming import (
    LONGEST_LABEL,
    LONGEST_SUBDOMAIN,
    check_label,
    check_label_key,
    check_label_value,
    check_service_name,
    check_subdomain,
)
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import selects_pods
from bcs_template_set.manifests.schema.field_types import KubeVersions, field_types
from bcs_template_set.messages import Text, say

# Named by path segments such as `system:node` or `2001:db8::1`, as all objects of unknown groups may be.
_NAMED_FREELY = (
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "IPAddress",
    "ClusterTrustBundle",
)
_LONGEST_NAME: Mapping[tuple[str, str], tuple[int, str]] = {
    ("apps", "Deployment"): (LONGEST_SUBDOMAIN - 11, "derived_replica_set"),
    ("apps", "StatefulSet"): (LONGEST_LABEL - 11, "derived_revision"),
    ("tkex.tencent.com", "GameStatefulSet"): (LONGEST_LABEL - 11, "derived_revision"),
    ("batch", "Job"): (LONGEST_LABEL, "derived_label"),
    ("batch", "CronJob"): (LONGEST_LABEL - 11, "derived_job"),
}
"""How long a name may be of which Kubernetes makes others, with a hyphen and ten characters, and which."""

_VARIABLE, _ANY_VARIABLE = re.compile("[-._a-zA-Z][-._a-zA-Z0-9]*"), re.compile("[ -<>-~]+")
_RELAXED_VARIABLES = 32
"""The Kubernetes 1.x that takes any printable ASCII but = in a variable's name (KEP 4369)."""
_RELAXED_SERVICE = 36
"""The Kubernetes 1.x that lets a Service's name begin with a digit (facts/manifests.md, "Limits")."""


@check("object-name")
def check_object_names(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects whose metadata.name the API server refuses."""
    for place in checked.places:
        name = place.document.name
        yield from _check_is_text(checked, place)
        if not name or is_left_for_bcs(name):
            continue
        problem = _name_problem(place.document, checked.kubernetes)
        longest, reason = _longest_name(place.document)
        if problem is not None:
            yield checked.finding(place, "metadata.name", "named_wrong", name=name, problem=problem)
        elif reason and len(name) > longest:
            reasons = {"reason": say(f"checks.{reason}"), "length": len(name), "limit": longest}
            yield checked.finding(place, "metadata.name", "name_derived", **reasons)


def _check_is_text(checked: CheckInput, place: DocumentInFile) -> Iterator[Finding]:
    """Yield a name that BCS's reader takes for a number or for true or false: `name: y`, `name: 1e5`."""
    metadata = mapping_at(place.document.body, "metadata")
    for key in ("name", "namespace"):
        value = metadata.get(key)
        if value is not None and not isinstance(value, str):
            yield checked.finding(place, f"metadata.{key}", "text_needed", given=type_of(value))


def _name_problem(document: Document, kubernetes: KubeVersions) -> Optional[Text]:
    kind, name = document.kind, document.name
    if kind in _NAMED_FREELY or not field_types().is_known_group(document.api_version):
        is_segment = name not in (".", "..") and "/" not in name and "%" not in name
        return None if is_segment else say("checks.form_segment")
    if kind == "Service":
        is_relaxed = kubernetes.has(_RELAXED_SERVICE, 0)
        return check_label(name) if is_relaxed else check_service_name(name)
    if kind == "Namespace":
        return check_label(name)
    return check_subdomain(name)


def _longest_name(document: Document) -> tuple[int, str]:
    """Return how long a name may be of which others are made, and the sentence about these; "" of none."""
    longest, reason = _LONGEST_NAME.get((document.group, document.kind), (LONGEST_SUBDOMAIN, ""))
    spec = mapping_at(document.body, "spec") if reason == "derived_label" else {}
    number = spec.get("completions")
    if spec.get("completionMode") == "Indexed" and type(number) is int:
        return longest - len(f"-{number - 1}"), "derived_index"
    return longest, reason


@check("container-name")
def check_container_names(checked: CheckInput) -> Iterator[Finding]:
    """Yield names in a pod that are refused: of containers, which differ, of volumes, and of variables."""
    for workload in checked.workloads:
        seen: set[str] = set()
        for container in workload.pod.containers:
            name = text_at(container.body, "name")
            if not name or is_left_for_bcs(name):
                continue
            problem = say("checks.name_twice") if name in seen else check_label(name)
            seen.add(name)
            if problem is not None:
                field = workload.pod.field(f"{container.place}.name")
                yield checked.finding(workload, field, "named_wrong", name=name, problem=problem)
        yield from _check_volume_names(checked, workload)
        yield from _check_variable_names(checked, workload)


def _check_volume_names(checked: CheckInput, workload: PodOwner) -> Iterator[Finding]:
    for index, volume in enumerate(list_at(workload.pod.spec, "volumes")):
        name = text_at(volume, "name")
        problem = check_label(name) if name and not is_left_for_bcs(name) else None
        if problem is not None:
            field = workload.pod.field(f"spec.volumes[{index}].name")
            yield checked.finding(workload, field, "named_wrong", name=name, problem=problem)


def _check_variable_names(checked: CheckInput, workload: PodOwner) -> Iterator[Finding]:
    form = _ANY_VARIABLE if checked.kubernetes.has(_RELAXED_VARIABLES, 0) else _VARIABLE
    for container in workload.pod.containers:
        for index, entry in enumerate(list_at(container.body, "env")):
            name = text_at(entry, "name")
            if name and not is_left_for_bcs(name) and not form.fullmatch(name):
                field = workload.pod.field(f"{container.place}.env[{index}].name")
                problem = say("checks.form_variable")
                yield checked.finding(workload, field, "named_wrong", name=name, problem=problem)


@check("label")
def check_labels(checked: CheckInput) -> Iterator[Finding]:
    """Yield labels and selectors that the API server refuses: 63 characters, and text only."""
    for place in checked.places:
        for path, labels in _labels_of(place):
            yield from _check_labels(checked, place, path, labels)
    for workload in checked.workloads:
        if workload.pod.path:
            yield from _check_labels(
                checked, workload, workload.pod.field("metadata.labels"), workload.pod.labels
            )
        where, selected = (
            workload.pod.field("spec.nodeSelector"),
            mapping_at(workload.pod.spec, "nodeSelector"),
        )
        yield from _check_labels(checked, workload, where, selected)


def _labels_of(place: DocumentInFile) -> Iterator[tuple[str, Fields]]:
    body = place.document.body
    yield "metadata.labels", mapping_at(body, "metadata", "labels")
    if selects_pods(place.document):
        yield "spec.selector.matchLabels", mapping_at(body, "spec", "selector", "matchLabels")
    if is_of(SERVICE, place.document.api_version, place.document.kind):
        yield "spec.selector", mapping_at(body, "spec", "selector")


def _check_labels(
    checked: CheckInput, place: DocumentInFile | PodOwner, path: str, labels: Fields
) -> Iterator[Finding]:
    for key, value in labels.items():
        problem = check_label_key(key)
        if problem is not None and not is_left_for_bcs(key):
            yield checked.finding(place, f"{path}[{key}]", "label_key", name=key, problem=problem)
        if value is None or is_left_for_bcs(value):
            continue
        if not isinstance(value, str):
            yield checked.finding(place, f"{path}[{key}]", "text_needed", given=type_of(value))
            continue
        problem = check_label_value(value)
        if problem is not None:
            yield checked.finding(place, f"{path}[{key}]", "label_value", name=value, problem=problem)


@check("annotation")
def check_annotations(checked: CheckInput) -> Iterator[Finding]:
    """Yield annotations that are no text, or whose key the API server refuses."""
    for place in checked.places:
        annotations = mapping_at(place.document.body, "metadata", "annotations")
        yield from _check_annotation_keys(checked, place, "metadata.annotations", annotations)
        for key, value in annotations.items():
            if value is not None and not isinstance(value, str):
                field = f"metadata.annotations[{key}]"
                yield checked.finding(place, field, "text_needed", given=type_of(value))
    for workload in checked.workloads:
        if workload.pod.path:
            path = workload.pod.field("metadata.annotations")
            yield from _check_annotation_keys(checked, workload, path, workload.pod.annotations)


def _check_annotation_keys(
    checked: CheckInput, place: DocumentInFile | PodOwner, path: str, annotations: Fields
) -> Iterator[Finding]:
    for key in annotations:
        problem = check_label_key(key.lower())
        if problem is not None and not is_left_for_bcs(key):
            yield checked.finding(place, f"{path}[{key}]", "annotation_key", name=key, problem=problem)
