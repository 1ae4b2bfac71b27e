"""BK-CI's build API: credentials and private settings, for a known build machine. Performs no I/O.

facts/agent.md, ".sdk.json and the build API". A build machine that is not known is refused by the platform's
gateway before any service sees it: HTTP 401 and a page, not JSON. The HTTP status of "no such credential" is
a guess; a client decides by `status`.
"""

from __future__ import annotations

from typing import Optional

from tests.emulator.entities import Agent
from tests.emulator.http_message import Answer, Request, json_answer, unknown_api
from tests.emulator.state import State

GET_CREDENTIAL, GET_PRIVATE_SETTINGS = "BuildCredential.detail", "BuildSensitiveConf.list"
NO_SUCH_CREDENTIAL = 2118001
_UNAUTHORIZED_PAGE = b"<html><head><title>401 Authorization Required</title></head></html>"
_CREDENTIALS = ("ticket", "api", "build", "credentials")
_SETTINGS = ("store", "api", "build", "store", "sensitiveConf", "types", "ATOM", "codes")


def answer_build_api(state: State, request: Request) -> Answer:
    """Return a credential or the atom's private settings."""
    if request.method != "GET":
        return unknown_api()
    if _agent_of(state, request) is None:
        return Answer(status=401, headers={"Content-Type": "text/html"}, body=_UNAUTHORIZED_PAGE)
    segments = request.segments
    if segments[:4] == _CREDENTIALS and segments[5:] == ("detail",):
        return _answer_credential(state, segments[4])
    if segments[:-1] == _SETTINGS:
        return _answer_settings(state, segments[-1])
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
    return next((agent for agent in state.agents if agent == shown), None)


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
