"""Kubernetes documents for the contract suite, as small as they can be."""

from __future__ import annotations

import yaml

from tests.emulator import Behaviour, Cluster
from tests.emulator.cluster.tree import Manifest, items, text

NAMESPACE = "shop"
IMAGE = "example.com/web:1"


def new_cluster(*, start: float = 1_700_000_000.0, kubernetes: str = "1.28") -> Cluster:
    """Return a cluster whose time stands still until it is advanced."""
    cluster = Cluster("BCS-K8S-40000", project_id="p", kubernetes=kubernetes, now=lambda: start)
    cluster.add_namespace(NAMESPACE)
    return cluster


def workload(kind: str = "Deployment", *, image: str = IMAGE, name: str = "web", **spec: object) -> Manifest:
    """Return a Deployment, StatefulSet or DaemonSet with one container."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"k8s-app": name}},
            "template": pod_template(image, name),
            **spec,
        },
    }


def pod_template(image: str = IMAGE, name: str = "web") -> Manifest:
    """Return a pod template with one container."""
    container = {"name": "main", "image": image}
    return {"metadata": {"labels": {"k8s-app": name}}, "spec": {"containers": [container]}}


def job(*, image: str = IMAGE, restart: str = "Never", **spec: object) -> Manifest:
    """Return a Job with one container."""
    container = {"name": "main", "image": image}
    template = {"spec": {"restartPolicy": restart, "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once", "namespace": NAMESPACE},
        "spec": {"template": template, **spec},
    }


def service(*, name: str = "web", node_port: int = 0, **spec: object) -> Manifest:
    """Return a NodePort Service of one port, as the project's template writes it."""
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "container", "nodePort": node_port}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"type": "NodePort", "selector": {"k8s-app": "web"}, "ports": [port], **spec},
    }


def config_map(name: str = "settings", **data: str) -> Manifest:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def content_of(*manifests: Manifest) -> str:
    """Return the documents as a template file's content."""
    return "\n---\n".join(yaml.safe_dump(manifest, sort_keys=False) for manifest in manifests)


def behave(cluster: Cluster, kind: str, *, after: float = 0.5, image: str = IMAGE, message: str = "") -> None:
    """Set how an image behaves."""
    cluster.images[image] = Behaviour(kind=kind, after=after, message=message)


def container_state(pod: Manifest) -> tuple[str, str, str]:
    """Return the first container's state, its reason and its message."""
    status = items(pod, "status", "containerStatuses")[0]
    states = status["state"]
    assert isinstance(states, dict)
    (name,) = states
    return name, text(states, name, "reason"), text(states, name, "message")
