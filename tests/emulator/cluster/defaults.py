"""What the API server makes of a document before it stores it: empties dropped, defaults filled in.

Kubernetes API reference 1.20-1.28. It matters because BCS's preview shows the stored object beside the
document as it was written (facts/bcs.md trap 8): the defaults are in one and not in the other.
Performs no I/O.
"""

from __future__ import annotations

import base64
import copy
from typing import Callable

from tests.emulator.cluster.tree import Manifest, branch, find, grow, items, number, text

_KEPT_EMPTY = {"emptyDir", "resources", "podSelector", "securityContext", "loadBalancer", "data"}
_ZERO_IS_UNSET = {"readOnly": False, "minReadySeconds": 0, "hostNetwork": False, "nodePort": 0}
_QUARTER = "25%"


def complete(manifest: Manifest) -> Manifest:
    """Return the document as it is stored, without what the API server alone knows (uid, versions)."""
    made = _without_empties(copy.deepcopy(manifest))
    fill = _FILLERS.get(text(made, "kind"))
    if fill is not None:
        fill(made)
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


def _fill_deployment(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = grow(spec, "strategy")
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = grow(strategy, "rollingUpdate")
        rolling.setdefault("maxSurge", _QUARTER)
        rolling.setdefault("maxUnavailable", _QUARTER)
    _fill_pod(grow(spec, "template", "spec"))


def _fill_stateful_set(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = grow(spec, "updateStrategy")
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        grow(strategy, "rollingUpdate").setdefault("partition", 0)
    _fill_pod(grow(spec, "template", "spec"))


def _fill_daemon_set(made: Manifest) -> None:
    spec = grow(made, "spec")
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = grow(spec, "updateStrategy")
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        grow(strategy, "rollingUpdate").setdefault("maxUnavailable", 1)
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
    """Keep `stringData` as `data`, as recorded (shared/contract/recorded)."""
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


_FILLERS: dict[str, Callable[[Manifest], None]] = {
    "Deployment": _fill_deployment,
    "StatefulSet": _fill_stateful_set,
    "DaemonSet": _fill_daemon_set,
    "Job": _fill_job,
    "Secret": _fill_secret,
    "Service": _fill_service,
    "Pod": lambda made: _fill_pod(grow(made, "spec")),
}
