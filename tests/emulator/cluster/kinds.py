"""Which kinds the API server serves, and how its messages call them. Performs no I/O.

Kubernetes API reference 1.18 to 1.28 and its deprecation guide; what 1.20.2 serves was seen live
(contract/recorded).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from tests.emulator.cluster.tree import Manifest, branch, items, text


@dataclass(frozen=True)
class Kind:
    """One kind. `versions` are its group versions, the preferred one first.

    `releases` are the minor releases of Kubernetes that serve a version, from the first to before the last;
    a version that is not in it is served by all.
    """

    name: str
    plural: str
    versions: tuple[str, ...]
    releases: Mapping[str, tuple[int, int]] = field(default_factory=dict, hash=False)
    namespaced: bool = True

    @property
    def group(self) -> str:
        """Return the API group, empty for the core group."""
        return self.versions[0].rpartition("/")[0]

    def served(self, minor: int) -> tuple[str, ...]:
        """Return the group versions that a server of this release has, the preferred one first."""
        return tuple(v for v in self.versions if minor in range(*self.releases.get(v, (0, _NEVER))))

    @property
    def resource(self) -> str:
        """Return the name that "not found" uses: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def shown(self) -> str:
        """Return the name that "is invalid" uses: `Deployment.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name


_NEVER = 1000
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
    Kind(
        "CronJob",
        "cronjobs",
        ("batch/v1", "batch/v1beta1"),
        {"batch/v1": (21, _NEVER), "batch/v1beta1": (0, 25)},
    ),
    Kind(
        "Ingress",
        "ingresses",
        ("networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"),
        {
            "networking.k8s.io/v1": (19, _NEVER),
            "networking.k8s.io/v1beta1": (14, 22),
            "extensions/v1beta1": (0, 22),
        },
    ),
    Kind("NetworkPolicy", "networkpolicies", ("networking.k8s.io/v1",)),
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        ("autoscaling/v2", "autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2"),
        {
            "autoscaling/v2": (23, _NEVER),
            "autoscaling/v2beta1": (0, 25),
            "autoscaling/v2beta2": (12, 26),
        },
    ),
    Kind(
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        ("policy/v1", "policy/v1beta1"),
        {"policy/v1": (21, _NEVER), "policy/v1beta1": (0, 25)},
    ),
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

    def __init__(self, *, minor: int) -> None:
        self._minor = minor
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
        return kind.served(self._minor)
