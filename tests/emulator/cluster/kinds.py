"""Which kinds the API server serves, and how its messages call them. Performs no I/O.

Kubernetes API reference 1.20 and 1.28; what 1.20.2 serves was seen live (contract/recorded).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from tests.emulator.cluster.tree import Manifest, branch, items, text


@dataclass(frozen=True)
class Kind:
    """One kind. `versions` are its group versions, the preferred one first; `in_1_20` a legacy server's."""

    name: str
    plural: str
    versions: tuple[str, ...]
    in_1_20: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def group(self) -> str:
        """Return the API group, empty for the core group."""
        return self.versions[0].rpartition("/")[0]

    def served(self, *, legacy: bool) -> tuple[str, ...]:
        """Return the group versions that the server has, the preferred one first."""
        return self.in_1_20 if legacy and self.in_1_20 else self.versions

    @property
    def resource(self) -> str:
        """Return the name that "not found" uses: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def shown(self) -> str:
        """Return the name that "is invalid" uses: `Deployment.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name


_CRD = ("apiextensions.k8s.io/v1",)
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
        ("networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"),
    ),
    Kind("NetworkPolicy", "networkpolicies", ("networking.k8s.io/v1",)),
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        ("autoscaling/v2", "autoscaling/v1"),
        ("autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2"),
    ),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", ("policy/v1",), ("policy/v1beta1",)),
    Kind("CustomResourceDefinition", "customresourcedefinitions", _CRD, namespaced=False),
    Kind("StorageClass", "storageclasses", ("storage.k8s.io/v1",), namespaced=False),
    Kind("Role", "roles", _RBAC),
    Kind("RoleBinding", "rolebindings", _RBAC),
    Kind("ClusterRole", "clusterroles", _RBAC, namespaced=False),
    Kind("ClusterRoleBinding", "clusterrolebindings", _RBAC, namespaced=False),
)
_BY_NAME = {kind.name: kind for kind in KINDS}


class Kinds:
    """The kinds of one API server: those of its release, and those that were defined in it."""

    def __init__(self, *, legacy: bool) -> None:
        self._legacy = legacy
        self._defined: dict[str, Kind] = {}

    def define(self, definition: Manifest) -> None:
        """Add the kind of a CustomResourceDefinition."""
        spec = branch(definition, "spec")
        name = text(spec, "names", "kind")
        self._defined[name] = Kind(
            name,
            text(spec, "names", "plural"),
            tuple(f"{text(spec, 'group')}/{text(version, 'name')}" for version in items(spec, "versions")),
            namespaced=text(spec, "scope") != "Cluster",
        )

    def named(self, name: str) -> Kind:
        """Return a kind that must be known. Raises KeyError."""
        return self._defined.get(name) or _BY_NAME[name]

    def defined_as(self, resource: str) -> Optional[Kind]:
        """Return the custom kind of that definition (`gamedeployments.tkex.tencent.com`)."""
        return next((kind for kind in self._defined.values() if kind.resource == resource), None)

    def is_custom(self, kind: Kind) -> bool:
        """Tell whether the kind was defined in this server: of its objects nothing is dropped."""
        return kind.name in self._defined

    def has_version(self, group_version: str) -> bool:
        """Tell whether any kind is served in that group version."""
        return any(group_version in self.versions(kind) for kind in (*KINDS, *self._defined.values()))

    def find(self, name: str, group_version: str) -> Optional[Kind]:
        """Return the kind where it is served in that group version; an empty one means the preferred."""
        kind = self._defined.get(name) or _BY_NAME.get(name)
        return kind if kind is not None and group_version in ("", *self.versions(kind)) else None

    def versions(self, kind: Kind) -> tuple[str, ...]:
        """Return the group versions that a kind is served in, the preferred one first."""
        return kind.served(legacy=self._legacy)
