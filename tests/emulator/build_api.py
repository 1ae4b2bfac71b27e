"""BK-CI's build API: a build's record, credentials, private settings, for a known machine. Performs no I/O.

facts/agent.md, ".sdk.json and the build API". A build machine that is not known is refused by the platform's
gateway before any service sees it: HTTP 401 and a page, not JSON. The HTTP status of "no such credential" and
of a refused record are guesses; a client decides by `status`. The record is that of facts/agent.md, "Whom
to ask" (bk-ci `BuildVarResource.kt`, `BuildBuildResource.kt`, 2026-08): the gateway finds project, pipeline
and build by the agent's secret.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from tests.emulator.entities import Agent
from tests.emulator.http_message import Answer, Request, json_answer, unknown_api
from tests.emulator.state import State

GET_CREDENTIAL, GET_PRIVATE_SETTINGS = "BuildCredential.detail", "BuildSensitiveConf.list"
GET_VARIABLES, GET_DETAIL = "BuildVar.getBuildVariable", "BuildBuild.detail"
NO_SUCH_CREDENTIAL = 2118001
MAY_NOT_EXECUTE, NO_SUCH_BUILD = 2101008, 2101012
_UNAUTHORIZED_PAGE = b"<html><head><title>401 Authorization Required</title></head></html>"
_CREDENTIALS = ("ticket", "api", "build", "credentials")
_VARIABLES = ("process", "api", "build", "variable", "getBuildVariable")
_BUILDS = ("process", "api", "build", "builds")
_SETTINGS = ("store", "api", "build", "store", "sensitiveConf", "types", "ATOM", "codes")


def answer_build_api(state: State, request: Request) -> Answer:
    """Return what is asked for in the name of the build that the machine runs."""
    if request.method != "GET":
        return unknown_api()
    if _agent_of(state, request) is None:
        return Answer(status=401, headers={"Content-Type": "text/html"}, body=_UNAUTHORIZED_PAGE)
    segments = request.segments
    if segments[:2] == ("process", "api"):
        return _answer_process(state, segments, build_id=request.header("x-devops-build-id"))
    if segments[:4] == _CREDENTIALS and segments[5:] == ("detail",):
        return _answer_credential(state, segments[4])
    if segments[:-1] == _SETTINGS:
        return _answer_settings(state, segments[-1])
    return unknown_api()


def _answer_process(state: State, segments: tuple[str, ...], *, build_id: str) -> Answer:
    if segments == _VARIABLES:
        return _answer_variables(state, build_id)
    if segments[:4] == _BUILDS and segments[7:] == ("detail",):
        return _answer_detail(state, *segments[4:7])
    return unknown_api()


def _agent_of(state: State, request: Request) -> Optional[Agent]:
    shown = Agent(
        project_id=request.header("x-devops-project-id"),
        agent_id=request.header("x-devops-agent-id"),
        secret_key=request.header("x-devops-agent-secret-key"),
        build_id=request.header("x-devops-build-id"),
        vm_seq_id=request.header("x-devops-vm-sid"),
        build_type=request.header("x-devops-build-type"),
    )
    build = state.builds.get(shown.build_id)
    runs = build is not None and build.project_id == shown.project_id
    known = (replace(agent, build_id=shown.build_id) if runs else agent for agent in state.agents)
    return next((agent for agent in known if agent == shown), None)


def _answer_variables(state: State, build_id: str) -> Answer:
    build = state.builds.get(build_id)
    if build is None or not build.readable:
        refusal = {"status": MAY_NOT_EXECUTE, "message": "用户没有执行该流水线的权限", "data": None}
        return json_answer(refusal, status=403, operation=GET_VARIABLES)
    return json_answer({"status": 0, "message": "", "data": dict(build.variables)}, operation=GET_VARIABLES)


def _answer_detail(state: State, project_id: str, pipeline_id: str, build_id: str) -> Answer:
    build = state.builds.get(build_id)
    if build is None or (build.project_id, build.pipeline_id) != (project_id, pipeline_id):
        missing = {"status": NO_SUCH_BUILD, "message": "构建任务不存在", "data": None}
        return json_answer(missing, status=404, operation=GET_DETAIL)
    data = {
        "id": build.id,
        "pipelineId": build.pipeline_id,
        "pipelineName": build.variables.get("BK_CI_PIPELINE_NAME", ""),
        "userId": build.user_id,
        # Not proof: a variable may name it (facts/agent.md).
        "triggerUser": build.variables.get("BK_CI_START_USER_NAME", ""),
        "trigger": "MANUAL",
        "startTime": int(build.variables.get("BK_CI_BUILD_START_TIME") or 0),
        "status": "RUNNING",
        "model": {"name": "release", "stages": []},
        "buildNum": int(build.variables.get("BK_CI_BUILD_NUM") or 0),
        "lastModifyUser": build.modifier,
    }
    return json_answer({"status": 0, "message": "", "data": data}, operation=GET_DETAIL)


def _answer_credential(state: State, credential_id: str) -> Answer:
    fields = state.credentials.get(credential_id)
    if fields is None:
        payload = {"status": NO_SUCH_CREDENTIAL, "message": f"凭证{credential_id}不存在", "data": None}
        return json_answer(payload, operation=GET_CREDENTIAL)
    return json_answer({"status": 0, "message": "", "data": fields}, operation=GET_CREDENTIAL)


def _answer_settings(state: State, atom_code: str) -> Answer:
    settings = state.private_settings.get(atom_code, {})
    data = [
        {"fieldId": str(number), "fieldName": name, "fieldValue": value, "fieldDesc": ""}
        for number, (name, value) in enumerate(settings.items(), start=1)
    ]
    return json_answer({"status": 0, "message": "", "data": data}, operation=GET_PRIVATE_SETTINGS)
