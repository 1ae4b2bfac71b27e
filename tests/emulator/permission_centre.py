"""The permission centre (IAM): who may view a project, and the link to apply. Performs no I/O.

The apply link is part of cluster-resources' `data.perms` and of the other services' `web_annotations.perms`
(cluster-resources pkg/iam/perm/errors.go; bcs-project-manager internal/wrapper/response.go).
"""

from __future__ import annotations

from tests.emulator.entities import Project

VIEW = "project_view"


def may_view(project: Project, *, user: str) -> bool:
    """Tell whether the user has project_view in the project."""
    return user in project.viewers


def perms_of(project: Project) -> dict[str, object]:
    """Return the `perms` object: where to apply, and for what."""
    return {
        "apply_url": f"https://iam.example.com/apply-custom-perm?system_id=bk_bcs_app&project={project.code}",
        "action_list": [{"resource_type": "project", "action_id": VIEW}],
    }
