"""The permission centre (IAM): who may view a project or act in a namespace, and the link to apply. No I/O.

The apply link is part of cluster-resources' `data.perms` and of the other services' `web_annotations.perms`
(cluster-resources pkg/iam/perm/errors.go; bcs-project-manager internal/wrapper/response.go).
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.emulator.cluster import Cluster
from tests.emulator.entities import Project

VIEW = "project_view"
NAMESPACE_VIEW, SCOPED_VIEW, SCOPED_CREATE = (
    "namespace_view",
    "namespace_scoped_view",
    "namespace_scoped_create",
)
_PARENTS = (("cluster", "cluster_view"), ("project", VIEW))
Actions = tuple[tuple[str, str], ...]
"""Resource type and action, as `action_list` holds them."""


def may_view(project: Project, *, user: str) -> bool:
    """Tell whether the user has project_view in the project."""
    return user in project.viewers


def missing_in_namespace(
    project: Project, cluster: Cluster, *, user: str, namespace: str, actions: Iterable[str]
) -> Actions:
    """Return what the user lacks of these namespace actions; with a refusal come the parents', held or not.

    pkg/iam/perm/resource/{namespace/perm.go,cluster/related.go}: the parents are there for the apply link.
    """
    lacking = tuple(
        ("namespace", action)
        for action in actions
        if not may_view(project, user=user) or cluster.is_denied(user, action, namespace=namespace)
    )
    return lacking + _PARENTS if lacking else ()


def perms_of(project: Project, *, actions: Actions = (("project", VIEW),)) -> dict[str, object]:
    """Return the `perms` object: where to apply, and for what."""
    return {
        "apply_url": f"https://iam.example.com/apply-custom-perm?system_id=bk_bcs_app&project={project.code}",
        "action_list": [{"resource_type": kind, "action_id": action} for kind, action in actions],
    }
