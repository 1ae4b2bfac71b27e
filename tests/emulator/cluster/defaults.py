"""What the API server makes of a document before it stores it: empties dropped, defaults filled in.

Kubernetes API reference 1.20-1.28. It matters because BCS's preview shows the stored object beside the
document as it was written (facts/bcs.md trap 8): the defaults are in one and not in the other.
Performs no I/O.
"""

from __future__ import annotations

import base64
from typing import Callable, Optional

from tests.emulator.cluster.tree import Manifest, branch, copied, find, grow, items, number, text

_KEPT_EMPTY = {"emptyDir", "resources", "podSelector", "securityContext", "loadBalancer", "data", "status"}
_ZERO_IS_UNSET = {"readOnly": False, "minReadySeconds": 0, "hostNetwork": False, "nodePort": 0}
_QUARTER = "25%"


_KNOWN = {
    "apiVersion", "kind", "metadata", "spec", "data", "stringData", "binaryData", "immutable", "type",
    "rules", "subjects", "roleRef", "aggregationRule", "secrets", "imagePullSecrets",
    "automountServiceAccountToken",
    "subsets", "provisioner", "parameters", "reclaimPolicy", "allowVolumeExpansion", "mountOptions",
    "volumeBindingMode", "allowedTopologies",
}  # fmt: skip
"""The fields that objects of the built-in kinds have at their top; others are dropped silently."""


_IN_SPEC, _IN_JOB = ("spec", "template"), ("spec", "jobTemplate")
_TEMPLATES: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (_IN_SPEC,),
    "StatefulSet": (_IN_SPEC,),
    "DaemonSet": (_IN_SPEC,),
    "Job": (_IN_SPEC,),
    "CronJob": (_IN_JOB, (*_IN_JOB, *_IN_SPEC)),
}
"""Where in its spec a kind has templates of other objects."""


def complete(manifest: Manifest, *, known: bool = True) -> Manifest:
    """Return the document as it is stored, without what the API server alone knows (uid, versions).

    `known` is a built-in kind: of a custom one nothing is dropped and nothing filled in.
    """
    if not known:
        return copied(manifest)
    read = {key: value for key, value in copied(manifest).items() if key in _KNOWN}
    for name, value in branch(read, "data").items():
        if value is None and text(read, "kind") == "ConfigMap":
            branch(read, "data")[name] = ""  # as reading into a map of texts does
    made = _without_empties(read)
    fill = _FILLERS.get(text(made, "kind"))
    if fill is not None:
        fill(made)
    for path in _TEMPLATES.get(text(made, "kind"), ()):
        grow(made, *path, "metadata").setdefault("creationTimestamp", None)  # a field without omitempty
    return made


def _without_empties(tree: Manifest) -> Manifest:
    return {key: _cleaned(value) for key, value in tree.items() if not _is_empty(key, value)}


def _is_empty(key: str, value: object) -> bool:
    if value is None or (key in _ZERO_IS_UNSET and value == _ZERO_IS_UNSET[key]):
        return True
    return value in ({}, []) and key not in _KEPT_EMPTY


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return _without_empties(value)
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _fill_claim(made: Manifest) -> None:
    grow(made, "spec").setdefault("volumeMode", "Filesystem")
    grow(made, "metadata").setdefault("finalizers", ["kubernetes.io/pvc-protection"])


def _fill_cron_job(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("concurrencyPolicy", "Allow")
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    _fill_pod(grow(spec, "jobTemplate", "spec", "template", "spec"), restart="")


def _fill_namespace(made: Manifest) -> None:
    grow(made, "spec").setdefault("finalizers", ["kubernetes"])


def _fill_definition(made: Manifest) -> None:
    grow(made, "spec").setdefault("conversion", {"strategy": "None"})


def _fill_role(made: Manifest) -> None:
    """Keep `rules` where it is empty: it is a field without omitempty."""
    made.setdefault("rules", None)


def _fill_deployment(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("replicas", 1)
    spec.setdefault("progressDeadlineSeconds", 600)
    _fill_workload(spec, grow(spec, "strategy"), maxSurge=_QUARTER, maxUnavailable=_QUARTER)


def _fill_stateful_set(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    _fill_workload(spec, grow(spec, "updateStrategy"), partition=0)


def _fill_daemon_set(made: Manifest) -> None:
    grow(made, "metadata", "annotations").setdefault("deprecated.daemonset.template.generation", "1")
    spec = grow(made, "spec")
    _fill_workload(spec, grow(spec, "updateStrategy"), maxUnavailable=1)


def _fill_workload(spec: Manifest, strategy: Manifest, **rolling: object) -> None:
    spec.setdefault("revisionHistoryLimit", 10)
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {**rolling, **branch(strategy, "rollingUpdate")}
    _fill_pod(grow(spec, "template", "spec"))


def _fill_job(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("parallelism", 1)
    spec.setdefault("completions", 1)
    _fill_pod(grow(spec, "template", "spec"), restart="")


def _fill_pod(spec: Manifest, *, restart: str = "Always") -> None:
    if restart:
        spec.setdefault("restartPolicy", restart)
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    for container in items(spec, "containers") + items(spec, "initContainers"):
        _fill_container(container)
    for volume in items(spec, "volumes"):
        if isinstance(find(volume, "hostPath"), dict):
            branch(volume, "hostPath").setdefault("type", "")


def _fill_container(container: Manifest) -> None:
    latest = (
        text(container, "image").endswith(":latest") or ":" not in text(container, "image").split("/")[-1]
    )
    container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    container.setdefault("resources", {})
    for kind in ("limits", "requests"):
        _fill_amounts(branch(container, "resources", kind))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    for port in items(container, "ports"):
        port.setdefault("protocol", "TCP")


_SMALLER = {"Mi": "Gi", "Ki": "Mi"}


def _fill_amounts(amounts: Manifest) -> None:
    """Word amounts as Kubernetes does (apimachinery, resource.Quantity): `1000m` becomes `1`."""
    for name, value in amounts.items():
        amount, unit = str(value)[:-2], str(value)[-2:]
        if str(value).endswith("000m"):
            amounts[name] = str(value)[:-4]
        elif unit in _SMALLER and amount.isdecimal() and int(amount) % 1024 == 0:
            amounts[name] = f"{int(amount) // 1024}{_SMALLER[unit]}"


def _fill_secret(made: Manifest) -> None:
    """Keep `stringData` as `data`, as recorded (contract/recorded)."""
    given = made.pop("stringData", None)
    if isinstance(given, dict):
        coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in given.items()}
        made["data"] = {**branch(made, "data"), **coded}
    made.setdefault("type", "Opaque")


def _fill_service(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    for port in items(spec, "ports"):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", number(port, "port"))


def _fill_autoscaler(made: Manifest) -> None:
    grow(made, "spec").setdefault("minReplicas", 1)


_FILLERS: dict[str, Callable[[Manifest], None]] = {
    "Deployment": _fill_deployment,
    "StatefulSet": _fill_stateful_set,
    "DaemonSet": _fill_daemon_set,
    "Job": _fill_job,
    "Service": _fill_service,
    "Secret": _fill_secret,
    "PersistentVolumeClaim": _fill_claim,
    "CronJob": _fill_cron_job,
    "Namespace": _fill_namespace,
    "HorizontalPodAutoscaler": _fill_autoscaler,
    "Role": _fill_role,
    "CustomResourceDefinition": _fill_definition,
    "ClusterRole": _fill_role,
    "Pod": lambda made: _fill_pod(grow(made, "spec")),
}


_STATUS: dict[str, Manifest] = {
    "Namespace": {"phase": "Active"},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "HorizontalPodAutoscaler": {"currentReplicas": 0, "desiredReplicas": 0},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "CronJob": {},
    "PodDisruptionBudget": {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
}


def first_status(made: Manifest) -> Optional[Manifest]:
    """Return the status that an object has soon after it is made, None where it has none."""
    if text(made, "kind") == "CustomResourceDefinition":
        return _status_of_definition(made)
    found = _STATUS.get(text(made, "kind"))
    return None if found is None else copied(found)


def _status_of_definition(made: Manifest) -> Manifest:
    since = text(made, "metadata", "creationTimestamp")

    def condition(name: str, reason: str, message: str) -> Manifest:
        return {
            "type": name,
            "status": "True",
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }

    return {
        "acceptedNames": copied(branch(made, "spec", "names")),
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": [text(version, "name") for version in items(made, "spec", "versions")],
    }
