"""The cluster manager: GET /clustermanager/v1/projects/{projectID}/clusters. Performs no I/O.

The project's own clusters come first, with `is_shared` false even of one that others share, then those that
others share with it (facts/bcs.md, "Around them"). How a refusal looks is a guess: as the project manager's.
"""

from __future__ import annotations

from tests.emulator.cluster import Cluster
from tests.emulator.http_message import Answer, Caller, Request, json_answer, unknown_api
from tests.emulator.permission_centre import MAY_NOT_VIEW, may_view, perms_of
from tests.emulator.state import State

LIST_PROJECT_CLUSTER = "ClusterManager.ListProjectCluster"
_PATTERN = ("clustermanager", "v1", "projects", "", "clusters")


def answer_cluster_manager(
    state: State, request: Request, *, segments: tuple[str, ...], caller: Caller
) -> Answer:
    """Return the clusters that a project may use; the project is named by its id alone."""
    if request.method != "GET" or (*segments[:3], "", *segments[4:]) != _PATTERN:
        return unknown_api()
    project = next((known for known in state.projects if known.id == segments[3]), None)
    payload: dict[str, object] = {"code": 0, "message": "success", "result": True}
    if project is None or not may_view(project, user=caller.user):
        perms = None if project is None else {"perms": perms_of(project)}
        payload = {
            "code": 40403,
            "message": MAY_NOT_VIEW,
            "result": False,
            "data": [],
            "web_annotations": perms,
        }
    else:
        own = [cluster for cluster in state.clusters.values() if cluster.project_id == project.id]
        others = [cluster for cluster in state.clusters.values() if cluster not in own and cluster.shared]
        payload["data"] = [_show(cluster, is_shared=cluster in others) for cluster in (*own, *others)]
    return json_answer(payload, operation=LIST_PROJECT_CLUSTER, user=caller.user)


def _show(cluster: Cluster, *, is_shared: bool) -> dict[str, object]:
    return {
        "clusterID": cluster.id,
        "clusterName": "",
        "projectID": cluster.project_id,
        "status": "RUNNING",
        "kubeConfig": "",
        "is_shared": is_shared,
    }
