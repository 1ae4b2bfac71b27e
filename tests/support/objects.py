"""Live objects as an API server shows them, for the tests of rollouts."""

from __future__ import annotations

from typing import Optional

from bcs_template_set.manifests.yaml_reading import YamlValue

Object = dict[str, YamlValue]
VERSION = "1.0.2-main"
NAME = "web/www.yaml"
MARKS: Object = {"io.tencent.paas.template_version": VERSION, "io.tencent.paas.template_name": NAME}


def workload(
    kind: str,
    *,
    spec: Optional[Object] = None,
    status: Optional[Object] = None,
    generation: int = 2,
    annotations: Optional[Object] = None,
) -> Object:
    """Return a whole live workload named `web` that its controller has seen."""
    return {
        "kind": kind,
        "metadata": {"name": "web", "generation": generation, "annotations": annotations or {}},
        "spec": spec or {},
        "status": {"observedGeneration": generation, **(status or {})},
    }


def deployment(
    *,
    replicas: int = 3,
    total: int = 3,
    updated: int = 3,
    available: int = 3,
    conditions: Optional[list[YamlValue]] = None,
    generation: int = 2,
    annotations: Optional[Object] = None,
    **spec: YamlValue,
) -> Object:
    """Return a Deployment, by default one that is rolled out."""
    return workload(
        "Deployment",
        generation=generation,
        annotations=annotations,
        spec={"replicas": replicas, **spec},
        status={
            "replicas": total,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "conditions": conditions or [],
        },
    )


def condition(kind: str, status: str = "True", *, reason: str = "", message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def pod(
    *,
    containers: Optional[list[YamlValue]] = None,
    init: Optional[list[YamlValue]] = None,
    phase: str = "Running",
    conditions: Optional[list[YamlValue]] = None,
    spec: Optional[Object] = None,
    **status: YamlValue,
) -> Object:
    """Return a whole pod named `web-abc-1` with one container `web` of image `example.com/web:2`."""
    return {
        "kind": "Pod",
        "metadata": {"name": "web-abc-1", "uid": "u1"},
        "spec": {"containers": [{"name": "web", "image": "example.com/web:2"}], **(spec or {})},
        "status": {
            "phase": phase,
            "conditions": conditions or [],
            "initContainerStatuses": init or [],
            "containerStatuses": containers or [],
            **status,
        },
    }


def waiting(reason: str, message: str = "", *, restarts: int = 0, last: Optional[Object] = None) -> Object:
    """Return the status of a container that waits."""
    return {
        "name": "web",
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": last} if last else {},
    }


def running(*, ready: bool = True, restarts: int = 0, last: Optional[Object] = None) -> Object:
    """Return the status of a container that runs."""
    return {
        "name": "web",
        "ready": ready,
        "restartCount": restarts,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "lastState": {"terminated": last} if last else {},
    }


def ended(exit_code: int, reason: str = "Error", message: str = "") -> Object:
    """Return how a container ended."""
    return {"exitCode": exit_code, "reason": reason, "message": message, "finishedAt": "2026-01-01T00:00:09Z"}


def stopped(exit_code: int, reason: str = "Error", *, restarts: int = 0) -> Object:
    """Return the status of a container that ended and was not started again yet."""
    return {
        "name": "web",
        "ready": False,
        "restartCount": restarts,
        "state": {"terminated": ended(exit_code, reason)},
    }
