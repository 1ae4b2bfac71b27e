"""The permission centre (IAM): who may do what, action by action, and the link to apply. No I/O.

A permission's parents are asked for with it: whoever lacks `cluster_view` is told so, though the namespace's
own action is held; and with every refusal come the parents', held or not, for the sake of the apply link
(cluster-resources pkg/iam/perm/resource/{namespace/perm.go,cluster/related.go}; seen live).
The apply link is part of cluster-resources' `data.perms` and of the other services' `web_annotations.perms`
(cluster-resources pkg/iam/perm/errors.go; bcs-project-manager internal/wrapper/response.go).
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.emulator.cluster import Cluster
from tests.emulator.entities import Project

VIEW, CLUSTER_VIEW, NAMESPACE_VIEW = "project_view", "cluster_view", "namespace_view"
SCOPED_VIEW, SCOPED_CREATE, SCOPED_DELETE = (
    "namespace_scoped_view",
    "namespace_scoped_create",
    "namespace_scoped_delete",
)
CLUSTER_SCOPED_VIEW = "cluster_scoped_view"
MAY_NOT_VIEW = f"permission denied, need {VIEW} permition"
ACTIONS = (
    VIEW,
    CLUSTER_VIEW,
    CLUSTER_SCOPED_VIEW,
    NAMESPACE_VIEW,
    SCOPED_VIEW,
    SCOPED_CREATE,
    "namespace_scoped_update",
    SCOPED_DELETE,
)
"""All that is asked for, and `namespace_scoped_update`, which no template call asks for (seen live)."""
Actions = tuple[tuple[str, str], ...]
"""Resource type and action, as `action_list` holds them."""
_PROJECT: Actions = (("project", VIEW),)
_CLUSTER: Actions = (("cluster", CLUSTER_VIEW), *_PROJECT)


def may_view(project: Project, *, user: str) -> bool:
    """Tell whether the user has project_view in the project."""
    return user in project.viewers and (user, VIEW) not in project.denied


def missing_in_namespace(
    project: Project, cluster: Cluster, *, user: str, namespace: str, actions: Iterable[str]
) -> Actions:
    """Return what a refusal of these namespace actions names; nothing where all are held."""

    def lacks(action: str) -> bool:
        denied = cluster.is_denied(user, action, namespace=namespace)
        return denied or user not in project.viewers or (user, action) in project.denied

    lacking: Actions = tuple(("namespace", action) for action in actions if lacks(action))
    if lacking:
        return lacking + _CLUSTER
    if lacks(CLUSTER_VIEW):
        return _CLUSTER
    return () if may_view(project, user=user) else _PROJECT


def missing_in_cluster(project: Project, cluster: Cluster, *, user: str) -> Actions:
    """Return what a refusal names of who may not look at definitions (perm/resource/cluster/perm.go)."""
    denied = cluster.is_denied(user, CLUSTER_SCOPED_VIEW, namespace="")
    if denied or (user, CLUSTER_SCOPED_VIEW) in project.denied:
        return (("cluster", CLUSTER_SCOPED_VIEW), *_CLUSTER)
    return missing_in_namespace(project, cluster, user=user, namespace="", actions=())


def perms_of(project: Project, *, actions: Actions = _PROJECT) -> dict[str, object]:
    """Return the `perms` object: where to apply, and for what."""
    return {
        "apply_url": f"https://iam.example.com/apply-custom-perm?system_id=bk_bcs_app&project={project.code}",
        "action_list": [{"resource_type": kind, "action_id": action} for kind, action in actions],
    }
