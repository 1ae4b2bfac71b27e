"""What BCS leaves of objects in a list. Performs no I/O.

pkg/resource/formatter/prune.go (facts/bcs.md trap 12). What a pruned object keeps but the live one lacks is
there as null; kinds that are not named here are listed whole.
"""

from __future__ import annotations

from tests.emulator.cluster.tree import Manifest, find, text

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
    "CronJob": (("spec", "schedule"), ("spec", "suspend")),
    "Pod": (("status", "hostIP"), ("spec", "nodeName")),
    "Ingress": (("spec", "ingressClassName"),),
    "Service": (("spec",),),
    "ConfigMap": (),
    "Secret": (),
}


def prune(kind: str, manifest: Manifest) -> Manifest:
    """Return what a list shows of an object."""
    if kind not in _KEPT:
        return manifest
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
