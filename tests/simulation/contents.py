"""What builds publish: a few files in a few variants, as a workspace and inputs have them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

import yaml

from tests.emulator.cluster.tree import items, text
from tests.simulation.worlds import BuildPlan
from tests.support.deploying import CLUSTER, NAMESPACE, service, workload
from tests.support.publishing import SPACE, config

BAD = "3"
"""The variant of a Deployment whose image is not there, in a world that has it so."""

SERVICE = "entry"


def texts_of(plan: BuildPlan) -> dict[str, str]:
    """Return the files of a build's workspace."""
    return {} if plan.web else {f"{name}.yaml": text_of(name, variant) for name, variant in plan.files}


def text_of(name: str, variant: str) -> str:
    """Return a file's text: `app` is a Deployment, `entry` its Service, all others are ConfigMaps."""
    if name == "app":
        return workload(name="app", tag=variant)
    if name == SERVICE:
        return service("app", note=variant)
    return config(name, variant)


def title_of(file: str) -> str:
    """Return `Kind/name` of the one object that a file holds."""
    name = file.partition(".")[0]
    return {"app": "Deployment/app", SERVICE: "Service/app"}.get(name, f"ConfigMap/{name}")


def essence_of(manifest: Mapping[str, object]) -> str:
    """Return what differs between the variants of an object; of an Ingress, its paths."""
    kind = text(manifest, "kind")
    if kind == "Ingress":
        rules = items(manifest, "spec", "rules")
        return " ".join(sorted(text(path, "path") for rule in rules for path in items(rule, "http", "paths")))
    if kind == "Deployment":
        return text(items(manifest, "spec", "template", "spec", "containers")[0], "image")
    return (
        text(manifest, "metadata", "labels", "note") if kind == "Service" else text(manifest, "data", "key")
    )


@lru_cache(maxsize=1024)
def essences_of(text: str) -> Mapping[str, str]:
    """Return the essence of each object of a file's text, by `Kind/name`."""
    documents = yaml.safe_load_all(text)
    return {f"{found['kind']}/{found['metadata']['name']}": essence_of(found) for found in documents if found}


def inputs_of(plan: BuildPlan) -> dict[str, str]:
    """Return the step's inputs."""
    given = {"region": "gz", "template_space": SPACE, "image_check": "off", "action": plan.action}
    if plan.action in ("deploy", "rollback"):
        given |= {"cluster_id": CLUSTER, "namespace": NAMESPACE, "timeout": "120"}
    if plan.job_fails:
        given |= {"restore_if_job_fails": "true"}
    if plan.web:
        given |= {"values": json.dumps({"app": "nginx", "domains": [_domain(*file) for file in plan.files]})}
    else:
        given |= {"templates": "\n".join(f"{name}.yaml" for name, _ in plan.files)}
    return {**given, **dict(plan.inputs)}


def _domain(name: str, variant: str) -> Mapping[str, object]:
    return {
        "host": f"{name}.example.com",
        "image": f"example.com/{name}:{variant}",
        "load_balancers": ["lb-1"],
        "branch_paths": True,
    }
