"""What the API server refuses in a document, in its words. Only rules that a template can meet. No I/O.

Kubernetes pkg/apis/{core,apps,batch}/validation. Each function returns the causes; none means accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from tests.emulator.cluster.tree import Manifest, branch, find, items, text

LABEL_VALUE_LIMIT = 63
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL_1123 = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
BAD_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN}')"
)
_BAD_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    f"validation is '{_LABEL_1035}')"
)
BAD_1123 = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL_1123}')"
)
_BAD_LABEL = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_UNMATCHED = "`selector` does not match template `labels`"
_STATEFUL_FORBIDDEN = (
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template', "
    "'updateStrategy' and 'minReadySeconds' are forbidden"
)
_CLAIM_FORBIDDEN = (
    "spec: Forbidden: spec is immutable after creation except resources.requests for bound claims"
)
_STATEFUL_CHANGEABLE = {"replicas", "template", "updateStrategy", "minReadySeconds"}


def refuse_new(manifest: Manifest) -> list[str]:
    """Return what is wrong with the document by itself."""
    kind = text(manifest, "kind")
    causes = _refuse_name(manifest, service=kind == "Service")
    causes += _refuse_labels(branch(manifest, "metadata", "labels"), "metadata.labels")
    if kind in WORKLOADS:
        causes += _refuse_workload(manifest)
    elif kind == "Job":
        causes += _refuse_template(manifest)
    replicas = find(manifest, "spec", "replicas")
    if isinstance(replicas, int) and replicas < 0:
        causes.append(f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0")
    return causes


def _refuse_name(manifest: Manifest, *, service: bool) -> list[str]:
    name = text(manifest, "metadata", "name")
    limit, pattern, reason = (63, _LABEL_1035, _BAD_1035) if service else (253, _SUBDOMAIN, BAD_SUBDOMAIN)
    causes = []
    if len(name) > limit:
        causes.append(f'metadata.name: Invalid value: "{name}": must be no more than {limit} characters')
    if re.fullmatch(pattern, name) is None:
        causes.append(f'metadata.name: Invalid value: "{name}": {reason}')
    return causes


def _refuse_labels(labels: Manifest, where: str) -> list[str]:
    causes = []
    for value in labels.values():
        shown = str(value)
        if len(shown) > LABEL_VALUE_LIMIT:
            causes.append(
                f'{where}: Invalid value: "{shown}": must be no more than {LABEL_VALUE_LIMIT} characters'
            )
        if _LABEL_VALUE.fullmatch(shown) is None:
            causes.append(f'{where}: Invalid value: "{shown}": {_BAD_LABEL}')
    return causes


def _refuse_workload(manifest: Manifest) -> list[str]:
    selector = branch(manifest, "spec", "selector", "matchLabels")
    if not branch(manifest, "spec", "selector"):
        return ["spec.selector: Required value"]
    causes = _refuse_labels(selector, "spec.selector.matchLabels")
    labels = branch(manifest, "spec", "template", "metadata", "labels")
    if not selector.items() <= labels.items():
        causes.append(
            f"spec.template.metadata.labels: Invalid value: {_go_map(labels)}: `selector` does not match "
            "template `labels`"
        )
    return causes + _refuse_template(manifest)


def _refuse_template(manifest: Manifest) -> list[str]:
    template = branch(manifest, "spec", "template")
    causes = _refuse_labels(branch(template, "metadata", "labels"), "spec.template.labels")
    containers = items(template, "spec", "containers")
    if not containers:
        causes.append("spec.template.spec.containers: Required value")
    volumes = {text(volume, "name") for volume in items(template, "spec", "volumes")}
    for index, container in enumerate(containers):
        where = f"spec.template.spec.containers[{index}]"
        causes += _refuse_container(container, where) + _refuse_mounts(container, where, volumes)
    return causes


def _refuse_container(container: Manifest, where: str) -> list[str]:
    causes = []
    name, image = text(container, "name"), text(container, "image")
    if not name:
        causes.append(f"{where}.name: Required value")
    elif len(name) > LABEL_VALUE_LIMIT or re.fullmatch(_LABEL_1123, name) is None:
        causes.append(f'{where}.name: Invalid value: "{name}": {BAD_1123}')
    if not image:
        causes.append(f"{where}.image: Required value")
    elif image != image.strip():
        causes.append(
            f'{where}.image: Invalid value: "{image}": must not have leading or trailing whitespace'
        )
    return causes


def _refuse_mounts(container: Manifest, where: str, volumes: Iterable[str]) -> list[str]:
    mounts = enumerate(items(container, "volumeMounts"))
    return [
        f'{where}.volumeMounts[{index}].name: Not found: "{text(mount, "name")}"'
        for index, mount in mounts
        if text(mount, "name") not in volumes
    ]


def refuse_change(old: Manifest, new: Manifest) -> list[str]:
    """Return what may not change in a stored object."""
    kind = text(new, "kind")
    if kind in ("Deployment", "DaemonSet") and find(old, "spec", "selector") != find(new, "spec", "selector"):
        shown = _go_selector(branch(new, "spec", "selector"))
        return [f"spec.selector: Invalid value: {shown}: field is immutable"]
    if kind == "StatefulSet":
        return _refuse_stateful_change(branch(old, "spec"), branch(new, "spec"))
    if kind == "Job":
        return _refuse_job_change(branch(old, "spec"), branch(new, "spec"))
    if kind == "PersistentVolumeClaim":
        return _refuse_claim_change(branch(old, "spec"), branch(new, "spec"))
    if kind == "Pod" and find(old, "spec") != find(new, "spec"):
        return ["spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`"]
    return []


def _refuse_claim_change(old: Manifest, new: Manifest) -> list[str]:
    """Return why a bound claim stays as it is: a document that replaces it lacks `volumeName` (trap 11)."""
    if not old.get("volumeName"):
        return []
    fixed = {*old, *new} - {"resources"}
    return [_CLAIM_FORBIDDEN] if any(old.get(key) != new.get(key) for key in fixed) else []


def _refuse_stateful_change(old: Manifest, new: Manifest) -> list[str]:
    if any(old.get(key) != new.get(key) for key in {*old, *new} - _STATEFUL_CHANGEABLE):
        return [_STATEFUL_FORBIDDEN]
    return []


def _refuse_job_change(old: Manifest, new: Manifest) -> list[str]:
    """Return why: what the API server generated into a Job is not in a document that replaces it whole."""
    if new.get("selector") == old.get("selector") and new.get("template") == old.get("template"):
        return []
    causes = []
    if new.get("selector") != old.get("selector"):
        labels = _go_map(branch(new, "template", "metadata", "labels"))
        causes = [
            "spec.selector: Required value",
            f"spec.template.metadata.labels: Invalid value: {labels}: {_UNMATCHED}",
            'spec.selector: Invalid value: "null": field is immutable',
        ]
    return [*causes, "spec.template: Invalid value: core.PodTemplateSpec{…}: field is immutable"]


def _go_map(labels: Manifest) -> str:
    inner = ", ".join(f"{json.dumps(key)}:{json.dumps(labels[key])}" for key in sorted(labels))
    return f"map[string]string{{{inner}}}"


def _go_selector(selector: Manifest) -> str:
    labels = _go_map(branch(selector, "matchLabels"))
    return f"v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}}"
