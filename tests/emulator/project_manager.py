"""The project manager: GET /bcsproject/v1/projects/{projectIDOrCode}. Performs no I/O.

It has codes of its own (facts/bcs.md, "Around them"), and where the gateway passes no user it takes the *app*
as the user, so that "nobody" shows as 40403 unless the app is exempt. Existence is checked before permission
(bcs-project-manager internal/wrapper/auth.go).
"""

from __future__ import annotations

from tests.emulator.entities import Project
from tests.emulator.http_message import Answer, Caller, Request, json_answer, unknown_api
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
    project = state.find_project(segments[3])
    if not (caller.user or caller.app):
        return _body(request, code=1405500, message="username is empty", caller=caller)
    if project is None and caller.exempt:
        # The check that says 40404 is skipped, and the handler finds no row (actions/project/get.go).
        return _body(request, code=1405501, message="db error, record not found", caller=caller)
    if project is None:
        return _body(request, code=40404, message="项目不存在", caller=caller)
    if not (caller.exempt or may_view(project, user=caller.user or caller.app)):
        return _body(request, code=40403, message=MAY_NOT_VIEW, caller=caller, perms=perms_of(project))
    return _body(request, code=0, message="success", caller=caller, data=_show(project))


def _body(
    request: Request,
    *,
    code: int,
    message: str,
    caller: Caller,
    data: object = None,
    perms: object = None,
) -> Answer:
    payload = {
        "code": code,
        "message": message,
        "data": data,
        "requestID": request.request_id,
        "web_annotations": None if perms is None else {"perms": perms},
    }
    return json_answer(payload, operation=GET_PROJECT, user=caller.user)


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
