"""Which kinds the API server serves, and how its messages call them. Performs no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Kind:
    """One kind. `versions` are its group versions, the preferred one first; old ones only legacy serves."""

    name: str
    plural: str
    versions: tuple[str, ...]
    old_versions: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def group(self) -> str:
        """Return the API group, empty for the core group."""
        return self.versions[0].rpartition("/")[0]

    @property
    def resource(self) -> str:
        """Return the name that "not found" uses: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def shown(self) -> str:
        """Return the name that "is invalid" uses: `Deployment.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name


_RBAC = ("rbac.authorization.k8s.io/v1",)
KINDS = (
    Kind("Namespace", "namespaces", ("v1",), namespaced=False),
    Kind("Pod", "pods", ("v1",)),
    Kind("Service", "services", ("v1",)),
    Kind("Endpoints", "endpoints", ("v1",)),
    Kind("ConfigMap", "configmaps", ("v1",)),
    Kind("Secret", "secrets", ("v1",)),
    Kind("ServiceAccount", "serviceaccounts", ("v1",)),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", ("v1",)),
    Kind("PersistentVolume", "persistentvolumes", ("v1",), namespaced=False),
    Kind("Deployment", "deployments", ("apps/v1",)),
    Kind("ReplicaSet", "replicasets", ("apps/v1",)),
    Kind("StatefulSet", "statefulsets", ("apps/v1",)),
    Kind("DaemonSet", "daemonsets", ("apps/v1",)),
    Kind("Job", "jobs", ("batch/v1",)),
    Kind("CronJob", "cronjobs", ("batch/v1",), ("batch/v1beta1",)),
    Kind(
        "Ingress",
        "ingresses",
        ("networking.k8s.io/v1",),
        ("networking.k8s.io/v1beta1", "extensions/v1beta1"),
    ),
    Kind("NetworkPolicy", "networkpolicies", ("networking.k8s.io/v1",)),
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        ("autoscaling/v2", "autoscaling/v1"),
        ("autoscaling/v2beta2",),
    ),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", ("policy/v1",), ("policy/v1beta1",)),
    Kind("StorageClass", "storageclasses", ("storage.k8s.io/v1",), namespaced=False),
    Kind("Role", "roles", _RBAC),
    Kind("RoleBinding", "rolebindings", _RBAC),
    Kind("ClusterRole", "clusterroles", _RBAC, namespaced=False),
    Kind("ClusterRoleBinding", "clusterrolebindings", _RBAC, namespaced=False),
)
_BY_NAME = {kind.name: kind for kind in KINDS}


def find_kind(name: str) -> Optional[Kind]:
    """Return the kind of that name, None where the API server does not know it."""
    return _BY_NAME.get(name)


def served_versions(*, legacy: bool) -> set[str]:
    """Return every group version that has kinds."""
    found = {version for kind in KINDS for version in kind.versions}
    return found | {version for kind in KINDS for version in kind.old_versions if legacy}


def is_served(kind: Kind, group_version: str, *, legacy: bool) -> bool:
    """Tell whether that kind is served in that group version; an empty one means the preferred."""
    served = kind.versions + (kind.old_versions if legacy else ())
    return group_version in ("", *served)
