"""The summary of an object that BCS puts into `manifestExt`. Performs no I/O.

pkg/resource/formatter/{common,workload,network,config,hpa,cobj}.go, of master where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Callable

from tests.emulator.cluster.tree import Manifest, branch, find, items, number, text
from tests.emulator.dialect import Dialect

_ANNOTATION = "io.tencent.paas."
_LABEL_OF_PODS = "workload.bcs.tencent.io/workloadSelector"
_LB_ID = "kubernetes.io/ingress.existLbId"


def extend(kind: str, manifest: Manifest, *, now: float, dialect: Dialect) -> Manifest:
    """Return the summary of an object of that kind; one that is not named here is a custom object."""
    own = _OWN.get(kind)
    summary = {**_common(manifest, now=now), **(_custom(manifest) if own is None else own(manifest))}
    if dialect.summarises_as_v1_30:
        summary.pop("podLabelSelector", None)
        if kind == "Service":
            ports = items(manifest, "spec", "ports")
            summary["ports"] = [_shown_port({**port, "nodePort": port.get("port")}) for port in ports]
    return summary


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
    return "--" if not created else _duration(max(int(now - _seconds(created)), 0))


def _seconds(moment: str) -> float:
    return datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


def _duration(seconds: int) -> str:
    return f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"


# --- workloads ------------------------------------------------------------------------------------------


def _workload(manifest: Manifest) -> Manifest:
    return {
        "images": _images(manifest, "spec", "template", "spec", "containers"),
        "resources": _resources(manifest, "spec", "template", "spec", "containers"),
        "podLabelSelector": _pod_selector(manifest),
    }


def _pod_selector(manifest: Manifest) -> str:
    value = text(manifest, "metadata", "labels", _LABEL_OF_PODS)
    return f"{_LABEL_OF_PODS}={value}" if value else ""


def _images(manifest: Manifest, *path: str) -> list[str]:
    return list(dict.fromkeys(text(container, "image") for container in items(manifest, *path)))


def _resources(manifest: Manifest, *path: str) -> Manifest:
    """Return the containers' resources: of what only one names, as it is written; none are "0"."""

    def named(side: str, what: str) -> str:
        values = [text(container, "resources", side, what) for container in items(manifest, *path)]
        return next((value for value in values if value), "0")

    return {side: {what: named(side, what) for what in ("cpu", "memory")} for side in ("limits", "requests")}


def _deployment(manifest: Manifest) -> Manifest:
    counts = ("availableReplicas", "readyReplicas", "updatedReplicas")
    return {**_workload(manifest), "status": _workload_status(manifest, counts=counts)}


def _stateful_set(manifest: Manifest) -> Manifest:
    counts = ("currentReplicas", "readyReplicas", "updatedReplicas")
    return {**_workload(manifest), "status": _workload_status(manifest, counts=counts)}


def _workload_status(manifest: Manifest, *, counts: tuple[str, ...]) -> str:
    if text(manifest, "metadata", "deletionTimestamp"):
        return "deleting"
    wanted = number(manifest, "spec", "replicas")
    if all(number(manifest, "status", name) == wanted for name in counts):
        return "normal"
    return "creating" if number(manifest, "metadata", "generation") == 1 else "updating"


def _job(manifest: Manifest) -> Manifest:
    begun, ended = text(manifest, "status", "startTime"), text(manifest, "status", "completionTime")
    took = _duration(int(_seconds(ended) - _seconds(begun))) if begun and ended else "--"
    return {**_workload(manifest), "duration": took}


def _cron_job(manifest: Manifest) -> Manifest:
    path = ("spec", "jobTemplate", "spec", "template", "spec", "containers")
    return {"images": _images(manifest, *path), "active": 0, "lastSchedule": "--"}


def _pod(manifest: Manifest) -> Manifest:
    statuses = items(manifest, "status", "containerStatuses")
    return {
        "images": _images(manifest, "spec", "containers"),
        "resources": _resources(manifest, "spec", "containers"),
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
        ended = branch(status, "state", "terminated")
        reason = text(status, "state", "waiting", "reason") or text(ended, "reason")
        shown = reason or (f"ExitCode: {number(ended, 'exitCode')}" if ended else shown)
    return shown or "Unknown"


# --- others ---------------------------------------------------------------------------------------------


def _service(manifest: Manifest) -> Manifest:
    annotations = branch(manifest, "metadata", "annotations")
    existing = text(annotations, "service.kubernetes.io/tke-existed-lbid")
    return {
        "externalIP": find(manifest, "spec", "externalIPs") or [],
        "ports": [_shown_port(port) for port in items(manifest, "spec", "ports")],
        "clbID": text(annotations, "service.kubernetes.io/loadbalance-id"),
        "existLBID": existing,
        "subnetID": text(annotations, "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid"),
        "clbUseType": "useExists" if existing else "autoCreate",
        "stickyTime": number(manifest, "spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"),
        "clusterIPv4": text(manifest, "spec", "clusterIP"),
        "clusterIPv6": "",
    }


def _shown_port(port: Manifest) -> str:
    held = number(port, "nodePort")
    behind = f":{held}" if held else ""
    return f"{number(port, 'port')}{behind}/{text(port, 'protocol')}"


def _ingress(manifest: Manifest) -> Manifest:
    annotations = branch(manifest, "metadata", "annotations")
    controller = text(annotations, "kubernetes.io/ingress.class") or "nginx"
    used = "kubernetes.io/ingress.qcloud-loadbalance-id" if controller == "qcloud" else _LB_ID
    rules = items(manifest, "spec", "rules")
    return {
        "hosts": [text(rule, "host") for rule in rules if "host" in rule],
        "addresses": [],
        "defaultPorts": "80, 443" if find(manifest, "spec", "tls") else "80",
        "rules": list(_ingress_rules(manifest)),
        "controller": controller,
        "existLBID": text(annotations, _LB_ID),
        "clbID": text(annotations, used),
        "subNetID": text(annotations, "kubernetes.io/ingress.subnetId"),
        "clbUseType": "useExists" if text(annotations, _LB_ID) else "autoCreate",
        "autoRewrite": text(annotations, "ingress.cloud.tencent.com/auto-rewrite") == "true",
    }


def _ingress_rules(manifest: Manifest) -> Iterator[Manifest]:
    """Yield a row for every path, as parseV1IngRules and parseV1beta1IngRules do; what is absent is null."""
    is_v1 = text(manifest, "apiVersion").startswith("networking.k8s.io/")
    name = ("backend", "service", "name") if is_v1 else ("backend", "serviceName")
    port = ("backend", "service", "port", "number") if is_v1 else ("backend", "servicePort")
    for rule in items(manifest, "spec", "rules"):
        for path in items(rule, "http", "paths"):
            service, number_of_port = find(path, *name), find(path, *port)
            yield {
                "host": rule.get("host"),
                "path": path.get("path"),
                "pathType": path.get("pathType") if is_v1 else "--",
                "serviceName": "N/A" if service is None else service,
                "port": "N/A" if number_of_port is None else number_of_port,
            }


def _config(manifest: Manifest) -> Manifest:
    return {"data": sorted(branch(manifest, "data")), "immutable": manifest.get("immutable") is True}


def _autoscaler(manifest: Manifest) -> Manifest:
    target = branch(manifest, "spec", "scaleTargetRef")
    return {
        "reference": f"{text(target, 'kind')}/{text(target, 'name')}",
        "targets": "<none>",
        "minPods": find(manifest, "spec", "minReplicas"),
        "maxPods": find(manifest, "spec", "maxReplicas"),
        "replicas": find(manifest, "status", "currentReplicas"),
    }


def _definition(manifest: Manifest) -> Manifest:
    served = next(iter(items(manifest, "spec", "versions")), {})
    return {
        "name": text(manifest, "metadata", "name"),
        "scope": text(manifest, "spec", "scope"),
        "kind": text(manifest, "spec", "names", "kind"),
        "apiVersion": f"{text(manifest, 'spec', 'group')}/{text(served, 'name')}",
        "addColumns": [],
    }


def _custom(manifest: Manifest) -> Manifest:
    return {"podLabelSelector": _pod_selector(manifest)}


def _game_deployment(manifest: Manifest) -> Manifest:
    counts = ("readyReplicas", "updatedReplicas", "updatedReadyReplicas")
    return {
        **_custom(manifest),
        "images": _images(manifest, "spec", "template", "spec", "containers"),
        "resStatus": _workload_status(manifest, counts=counts),
    }


_OWN: dict[str, Callable[[Manifest], Manifest]] = {
    "Deployment": _deployment,
    "ReplicaSet": _workload,
    "StatefulSet": _stateful_set,
    "DaemonSet": _workload,
    "Job": _job,
    "CronJob": _cron_job,
    "Pod": _pod,
    "Service": _service,
    "Ingress": _ingress,
    "ConfigMap": _config,
    "Secret": _config,
    "HorizontalPodAutoscaler": _autoscaler,
    "Namespace": lambda _: {},
    "CustomResourceDefinition": _definition,
    "GameDeployment": _game_deployment,
}
