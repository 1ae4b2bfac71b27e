"""The chart repository: GET …/projects/{code}/repos/{repo}/charts/{name}/versions/{version}. Performs no I/O.

bcs-helm-manager internal/actions/chart/detail.go (2026-07): what is not there is HTTP 200 with code 6 and
`result: false`, as is every other failure; the project's own repository is named like the project. An unknown
project, and nobody, fail in front of it: code 11 (internal/utils/runtimex/errorhandler.go).
"""

from __future__ import annotations

from functools import partial

from tests.emulator.entities import Chart
from tests.emulator.http_message import Answer, Caller, Request, answer_of_manager, json_answer, unknown_api
from tests.emulator.permission_centre import MAY_NOT_VIEW, may_view, perms_of
from tests.emulator.state import State

GET_VERSION_DETAIL = "HelmManager.GetVersionDetailV1"
LIST_ACTION_FAILED, FAILED_IN_FRONT, NO_PERMISSION = 6, 11, 40403
_PATTERN = ("helmmanager", "v1", "projects", "", "repos", "", "charts", "", "versions", "")


def answer_helm_manager(
    state: State, request: Request, *, segments: tuple[str, ...], caller: Caller
) -> Answer:
    """Return a chart version's files."""
    if request.method != "GET" or not _is_version_detail(segments):
        return unknown_api()
    answer = partial(answer_of_manager, request, caller, operation=GET_VERSION_DETAIL)
    _, _, _, code, _, repo, _, name, _, version = segments
    project = state.find_project(code)
    if project is None:
        return _fail_in_front(request, "项目不存在", caller=caller)
    if not (caller.user or caller.exempt):
        return _fail_in_front(request, "username is empty", caller=caller)
    if not (caller.exempt or may_view(project, user=caller.user)):
        perms = perms_of(project)
        return answer(code=NO_PERMISSION, message=MAY_NOT_VIEW, result=False, perms=perms)
    chart = state.find_chart(name, version, project=project.code) if repo == project.code else None
    if chart is None:
        message = "request to bk-repo failed, http(404)404 Not Found" if repo == code else "record not found"
        return answer(code=LIST_ACTION_FAILED, message=message, result=False)
    return answer(code=0, message="success", result=True, data=_show(chart))


def _is_version_detail(segments: tuple[str, ...]) -> bool:
    pairs = zip(_PATTERN, segments)
    return len(segments) == len(_PATTERN) and all(
        part == segment or (not part and segment) for part, segment in pairs
    )


def _fail_in_front(request: Request, message: str, *, caller: Caller) -> Answer:
    payload = {"code": FAILED_IN_FRONT, "message": message, "data": None, "requestID": request.request_id}
    return json_answer(payload, operation=GET_VERSION_DETAIL, user=caller.user)


def _show(chart: Chart) -> dict[str, object]:
    return {
        "name": chart.name,
        "version": chart.version,
        "readme": "",
        "valuesFile": [f"{chart.name}/values.yaml"],
        "contents": {
            path: {"name": path.rpartition("/")[2], "path": path, "content": content}
            for path, content in chart.contents.items()
        },
        "url": f"https://repo.example.com/{chart.project}/charts/{chart.name}-{chart.version}.tgz",
    }
