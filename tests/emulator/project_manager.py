"""The project manager: GET /bcsproject/v1/projects/{projectIDOrCode}. Performs no I/O.

It has codes of its own (facts/bcs.md, "Around them"), and where the gateway passes no user it takes the *app*
as the user, so that "nobody" shows as 40403 unless the app is exempt. Existence is checked before permission
(bcs-project-manager internal/wrapper/auth.go).
"""

from __future__ import annotations

from functools import partial

from tests.emulator.entities import Project
from tests.emulator.http_message import Answer, Caller, Request, answer_of_manager, unknown_api
from tests.emulator.permission_centre import MAY_NOT_VIEW, may_view, perms_of
from tests.emulator.state import State

GET_PROJECT = "BCSProject.GetProject"
_PREFIX = ("bcsproject", "v1", "projects")


def answer_project_manager(
    state: State, request: Request, *, segments: tuple[str, ...], caller: Caller
) -> Answer:
    """Return the project, 40404 where there is none, 40403 where the caller may not view it."""
    if request.method != "GET" or segments[:3] != _PREFIX or len(segments) != len(_PREFIX) + 1:
        return unknown_api()
    answer = partial(answer_of_manager, request, caller, operation=GET_PROJECT)
    project = state.find_project(segments[3])
    if not (caller.user or caller.app):
        return answer(code=1405500, message="username is empty")
    if project is None and caller.exempt:
        # The check that says 40404 is skipped, and the handler finds no row (actions/project/get.go).
        return answer(code=1405501, message="db error, record not found")
    if project is None:
        return answer(code=40404, message="项目不存在")
    if not (caller.exempt or may_view(project, user=caller.user or caller.app)):
        return answer(code=40403, message=MAY_NOT_VIEW, perms=perms_of(project))
    return answer(code=0, message="success", data=_show(project))


def _show(project: Project) -> dict[str, object]:
    return {
        "createTime": "2024-01-05T10:00:00Z",
        "updateTime": "2024-01-05T10:00:00Z",
        "creator": "admin",
        "updater": "admin",
        "managers": "admin",
        "projectID": project.id,
        "name": project.name,
        "projectCode": project.code,
        "useBKRes": False,
        "description": "",
        "isOffline": False,
        "kind": "k8s",
        "businessID": project.business_id,
        "businessName": "",
        "labels": {},
        "annotations": {},
    }
