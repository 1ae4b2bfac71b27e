"""The ReplicaSets that a Deployment's controller keeps, one for each revision of its pod template. No I/O.

Kubernetes pkg/controller/deployment (sync.go, util/deployment_util.go): the one of the current template bears
the Deployment's annotations, so a Deployment's marks are found in its history; those of older templates keep
what they bore, and a template that comes back is a new revision of the old ReplicaSet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.emulator.cluster.pods import Pod
from tests.emulator.cluster.tree import Manifest, branch, copied, grow, number, text, without_zeros
from tests.emulator.cluster.world import World

KIND = "ReplicaSet"
REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


@dataclass
class Revision:
    """One pod template of a Deployment: its number, and what its ReplicaSet bears."""

    hash: str
    template: Manifest
    number: int = 0
    annotations: Manifest = field(default_factory=dict)


def write_replica_set(
    revision: Revision, world: World, *, workload: Manifest, pods: list[Pod], most: int, wanted: int
) -> None:
    """Store a revision's ReplicaSet as it is with these pods; `most` is how many the Deployment may have."""
    labels: Manifest = {**branch(revision.template, "metadata", "labels"), _HASH: revision.hash}
    name, namespace = f"{text(workload, 'metadata', 'name')}-{revision.hash}", _namespace(workload)
    counts = {"desired-replicas": str(wanted), "max-replicas": str(most), "revision": str(revision.number)}
    own: Manifest = {f"deployment.kubernetes.io/{key}": value for key, value in counts.items()}
    template = copied(revision.template)
    grow(template, "metadata")["labels"] = labels
    metadata: Manifest = {
        "name": name,
        "namespace": namespace,
        "labels": dict(labels),
        "annotations": {**revision.annotations, **own},
        "ownerReferences": [_owner(workload)],
    }
    spec: Manifest = {
        "replicas": len(pods),
        "selector": {"matchLabels": dict(labels)},
        "template": template,
    }
    key = (KIND, namespace, name)
    world.api.write(key, {"apiVersion": "apps/v1", "kind": KIND, "metadata": metadata, "spec": spec})
    generation = number(world.api.objects[key], "metadata", "generation")
    world.api.write_status(key, _status(pods, observed=generation))


def drop_replica_set(revision: Revision, world: World, *, workload: Manifest) -> None:
    """Remove the ReplicaSet of a revision that is older than the history goes back."""
    name = f"{text(workload, 'metadata', 'name')}-{revision.hash}"
    world.api.objects.pop((KIND, _namespace(workload), name), None)


def _namespace(workload: Manifest) -> str:
    return text(workload, "metadata", "namespace")


def _owner(workload: Manifest) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": text(workload, "metadata", "name"),
        "uid": text(workload, "metadata", "uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _status(pods: list[Pod], *, observed: int) -> Manifest:
    ready = sum(pod.is_ready for pod in pods)
    counted: Manifest = {
        "fullyLabeledReplicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": observed,
    }
    return {"replicas": len(pods), **without_zeros(counted)}
