"""Checks of Kubernetes' rules for names, labels and annotations (facts/manifests.md, "Limits"). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from bcs_template_set.manifests.checks.finding import (
    CheckInput,
    DocumentInFile,
    Finding,
    PodOwner,
    check,
    type_of,
)
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, mapping_at, text_at
from bcs_template_set.manifests.naming import (
    check_label,
    check_label_key,
    check_label_value,
    check_service_name,
    check_subdomain,
)
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import containers_of, selects_pods
from bcs_template_set.manifests.schema.field_types import KubeVersions, field_types
from bcs_template_set.manifests.yaml_reading import YamlValue
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
_LONGEST_CRON_JOB = 52
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
        if problem is not None:
            yield checked.finding(place, "metadata.name", "named_wrong", name=name, problem=problem)


def _check_is_text(checked: CheckInput, place: DocumentInFile) -> Iterator[Finding]:
    """Yield a name that BCS's reader takes for a number or for true or false: `name: y`, `name: 1e5`."""
    for key in ("name", "namespace"):
        value = mapping_at(place.document.body, "metadata").get(key)
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
    if kind == "CronJob" and len(name) > _LONGEST_CRON_JOB:
        return say("checks.too_long", length=len(name), limit=_LONGEST_CRON_JOB)
    return check_subdomain(name)


@check("container-name")
def check_container_names(checked: CheckInput) -> Iterator[Finding]:
    """Yield containers whose name is no DNS-1123 label, or is another container's in the same pod."""
    for workload in checked.workloads:
        seen: set[str] = set()
        for container in containers_of(workload.pod):
            name = text_at(container.body, "name")
            field = workload.pod.field(f"{container.place}.name")
            if not name or is_left_for_bcs(name):
                continue
            problem = say("checks.name_twice") if name in seen else check_label(name)
            seen.add(name)
            if problem is not None:
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


def _labels_of(place: DocumentInFile) -> Iterator[tuple[str, Fields]]:
    body = place.document.body
    yield "metadata.labels", mapping_at(body, "metadata", "labels")
    if selects_pods(place.document):
        yield "spec.selector.matchLabels", mapping_at(body, "spec", "selector", "matchLabels")
    if place.document.kind == "Service":
        yield "spec.selector", mapping_at(body, "spec", "selector")


def _check_labels(
    checked: CheckInput, place: DocumentInFile | PodOwner, path: str, labels: Fields
) -> Iterator[Finding]:
    for key, value in labels.items():
        field = f"{path}[{key}]"
        problem = check_label_key(key)
        if problem is not None and not is_left_for_bcs(key):
            yield checked.finding(place, field, "label_key", name=key, problem=problem)
        yield from _check_label_value(checked, place, field, value)


def _check_label_value(
    checked: CheckInput, place: DocumentInFile | PodOwner, field: str, value: YamlValue
) -> Iterator[Finding]:
    if value is None or is_left_for_bcs(value):
        return
    if not isinstance(value, str):
        yield checked.finding(place, field, "text_needed", given=type_of(value))
        return
    problem = check_label_value(value)
    if problem is not None:
        yield checked.finding(place, field, "label_value", name=value, problem=problem)


@check("annotation")
def check_annotations(checked: CheckInput) -> Iterator[Finding]:
    """Yield annotations that are no text."""
    for place in checked.places:
        for key, value in mapping_at(place.document.body, "metadata", "annotations").items():
            field = f"metadata.annotations[{key}]"
            if value is not None and not isinstance(value, str):
                yield checked.finding(place, field, "text_needed", given=type_of(value))
