"""Manifests of custom kinds, and the definitions that a cluster needs for them."""

from __future__ import annotations

from typing import Optional

import yaml
from tests.emulator import Cluster
from tests.emulator.cluster.tree import Manifest
from tests.support.deploying import image_of

DEFINITIONS = {
    "GameDeployment": ("gamedeployments", "tkex.tencent.com", "v1alpha1"),
    "GameStatefulSet": ("gamestatefulsets", "tkex.tencent.com", "v1alpha1"),
    "HookRun": ("hookruns", "tkex.tencent.com", "v1alpha1"),
    "Rollout": ("rollouts", "argoproj.io", "v1alpha1"),
    "Thing": ("things", "example.com", "v1"),
    "Ox": ("oxen", "example.com", "v1"),
    "Gateway": ("gateways", "example.com", "v1"),
    "Valley": ("valleies", "example.com", "v1"),
}


def define(cluster: Cluster, *kinds: str) -> None:
    """Define custom kinds in a cluster, with their controllers; all of them where none is named."""
    for kind in kinds or DEFINITIONS:
        cluster.operators.add(kind)
        plural, group, version = DEFINITIONS[kind]
        names: Manifest = {"kind": kind, "plural": plural}
        spec = {"group": group, "scope": "Namespaced", "names": names}
        cluster.put(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{group}"},
                "spec": {**spec, "versions": [{"name": version, "served": True, "storage": True}]},
            }
        )


def custom_workload(kind: str, name: str = "web", *, tag: str = "1", spec: Optional[Manifest] = None) -> str:
    """Return a workload of a custom kind, of three pods with one container each."""
    _, group, version = DEFINITIONS[kind]
    pod: Manifest = {"containers": [{"name": "main", "image": image_of(name, tag)}]}
    labels = {"app": name}
    body: Manifest = {
        "replicas": 3,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if kind == "GameStatefulSet":
        body["serviceName"] = name
    manifest = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": name}}
    return yaml.safe_dump({**manifest, "spec": {**body, **(spec or {})}}, sort_keys=False)
