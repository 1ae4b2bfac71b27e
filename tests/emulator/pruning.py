"""What BCS leaves of objects in a list, and the summary it adds. Performs no I/O.

pkg/resource/formatter/{prune,common,workload,network}.go (facts/bcs.md trap 12). What a pruned object keeps
but the live one lacks is there as null.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from tests.emulator.cluster.tree import Manifest, branch, find, items, number, text

Paths = tuple[tuple[str, ...], ...]
_KEPT: dict[str, Paths] = {
    "Deployment": (
        ("status", "availableReplicas"),
        ("status", "readyReplicas"),
        ("status", "updatedReplicas"),
        ("spec", "replicas"),
        ("spec", "strategy"),
    ),
    "StatefulSet": (
        ("status", "readyReplicas"),
        ("status", "updatedReplicas"),
        ("spec", "replicas"),
        ("spec", "updateStrategy"),
        ("spec", "podManagementPolicy"),
    ),
    "DaemonSet": (
        ("status", "desiredNumberScheduled"),
        ("status", "currentNumberScheduled"),
        ("status", "numberReady"),
        ("status", "updatedNumberScheduled"),
        ("status", "numberAvailable"),
        ("spec", "updateStrategy"),
    ),
    "Job": (("status",), ("spec", "completions")),
    "Pod": (("status", "hostIP"), ("spec", "nodeName")),
    "Ingress": (("spec", "ingressClassName"),),
    "Service": (("spec",),),
}
_ANNOTATION = "io.tencent.paas."


def prune(kind: str, manifest: Manifest) -> Manifest:
    """Return what a list shows of an object."""
    kept: Manifest = {
        "apiVersion": text(manifest, "apiVersion"),
        "kind": text(manifest, "kind"),
        "metadata": {
            name: find(manifest, "metadata", name)
            for name in ("name", "namespace", "uid", "labels", "annotations")
        },
    }
    for path in _KEPT[kind]:
        if len(path) == 1:
            kept[path[0]] = find(manifest, *path)
        else:
            part = kept.setdefault(path[0], {})
            assert isinstance(part, dict)
            part[path[1]] = find(manifest, *path)
    return kept


def extend(kind: str, manifest: Manifest, *, now: float) -> Manifest:
    """Return the summary that stands in `manifestExt`."""
    summary = _common(manifest, now=now)
    if kind == "Pod":
        summary.update(_pod_summary(manifest))
    elif kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        summary["images"] = _images(manifest, "spec", "template", "spec", "containers")
    if kind == "Deployment":
        summary["status"] = _workload_status(
            manifest, counts=("availableReplicas", "readyReplicas", "updatedReplicas")
        )
    elif kind == "StatefulSet":
        summary["status"] = _workload_status(
            manifest, counts=("currentReplicas", "readyReplicas", "updatedReplicas")
        )
    elif kind == "Ingress":
        summary["rules"] = list(_ingress_rules(manifest))
    return summary


def _ingress_rules(manifest: Manifest) -> Iterator[Manifest]:
    """Yield a row for every path, as parseV1IngRules and parseV1beta1IngRules do; what is absent is null."""
    is_v1 = text(manifest, "apiVersion").startswith("networking.k8s.io/")
    for rule in items(manifest, "spec", "rules"):
        for path in items(rule, "http", "paths"):
            service = (
                find(path, "backend", "service", "name") if is_v1 else find(path, "backend", "serviceName")
            )
            port = (
                find(path, "backend", "service", "port", "number")
                if is_v1
                else find(path, "backend", "servicePort")
            )
            yield {
                "host": rule.get("host"),
                "path": path.get("path"),
                "pathType": path.get("pathType") if is_v1 else "--",
                "serviceName": "N/A" if service is None else service,
                "port": "N/A" if port is None else port,
            }


def _common(manifest: Manifest, *, now: float) -> Manifest:
    annotations = branch(manifest, "metadata", "annotations")
    created = text(manifest, "metadata", "creationTimestamp")
    is_template = annotations.get(_ANNOTATION + "source_type") == "template"
    is_web = bool(annotations.get(_ANNOTATION + "creator"))
    return {
        "namespace": text(manifest, "metadata", "namespace"),
        "age": _age(created, now=now),
        "createTime": created,
        "editMode": text(annotations, "io.tencent.bcs.editFormat") or "yaml",
        "creator": text(annotations, _ANNOTATION + "creator"),
        "updater": text(annotations, _ANNOTATION + "updator"),
        "immutable": False,
        "createSource": "Template" if is_template else "Web" if is_web else "Client",
        "templateName": text(annotations, _ANNOTATION + "template_name"),
        "templateVersion": text(annotations, _ANNOTATION + "template_version"),
        "chart": "",
    }


def _age(created: str, *, now: float) -> str:
    if not created:
        return "--"
    begun = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    seconds = max(int(now - begun), 0)
    return f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"


def _images(manifest: Manifest, *path: str) -> list[str]:
    return list(dict.fromkeys(text(container, "image") for container in items(manifest, *path)))


def _workload_status(manifest: Manifest, *, counts: tuple[str, ...]) -> str:
    wanted = number(manifest, "spec", "replicas")
    if all(number(manifest, "status", name) == wanted for name in counts):
        return "normal"
    return "creating" if number(manifest, "metadata", "generation") == 1 else "updating"


def _pod_summary(manifest: Manifest) -> Manifest:
    statuses = items(manifest, "status", "containerStatuses")
    return {
        "images": _images(manifest, "spec", "containers"),
        "status": _pod_status(manifest, statuses),
        "readyCnt": sum(status.get("ready") is True for status in statuses),
        "totalCnt": len(statuses),
        "restartCnt": sum(number(status, "restartCount") for status in statuses),
        "readinessGates": {},
        "podIPv4": text(manifest, "status", "podIP"),
        "podIPv6": "",
    }


def _pod_status(manifest: Manifest, statuses: list[Manifest]) -> str:
    """Return the reason of the first container that has one, else the phase; Terminating wins."""
    if text(manifest, "metadata", "deletionTimestamp"):
        return "Terminating"
    shown = text(manifest, "status", "reason") or text(manifest, "status", "phase")
    for status in reversed(statuses):
        reason = text(status, "state", "waiting", "reason") or text(status, "state", "terminated", "reason")
        shown = reason or shown
    return shown or "Unknown"
