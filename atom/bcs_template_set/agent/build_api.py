"""BK-CI's build API: this build's record, credentials and private settings, asked for in its name.

Sends only reads, so each may be sent again (facts/agent.md, ".sdk.json and the build API"). The HTTP itself
is the sender's, which is handed in. Of which type a credential is, its keys tell; bk-ci sends a value that
was never filled in as "" (`CredentialServiceImpl.kt`, `buildGetDetail`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Optional, Protocol, Union
from urllib.parse import quote

from bcs_template_set.agent.agent_files import AgentIdentity, FileProblem, JsonValue, parse_object
from bcs_template_set.agent.build_info import BuildRow
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import CredentialUnusable, RecordRefused
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import BuildApiFailed
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.clock import Clock
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent

CredentialType = Literal["access token", "app", "secret key", "user name and password", "password", "other"]

# The first row whose keys are all there decides.
_TYPES: tuple[tuple[CredentialType, tuple[str, ...]], ...] = (
    ("access token", ("access_token",)),
    ("app", ("appId", "secretKey")),
    ("secret key", ("secretKey",)),
    ("user name and password", ("username", "password")),
    ("password", ("password",)),
)
_NO_SECRET = ("username", "appId")


@dataclass(frozen=True)
class Credential:
    """A credential: `plain` are its values that may be shown, `secrets` those that may not."""

    id: str
    type: CredentialType
    plain: Mapping[str, str]
    secrets: Mapping[str, Secret]


def parse_credential(credential_id: str, data: JsonValue) -> Credential:
    """Return the credential that the build API's `data` describes.

    White space around a value is taken off: it comes from pasting, and no header can hold it.

    Raises:
        CredentialUnusable: it is no object of texts, or a value that its type is made of is empty.
    """
    if not isinstance(data, dict):
        raise CredentialUnusable(credential=credential_id, problem=say("agent.credential_empty"))
    values = {key: value.strip() for key, value in data.items() if isinstance(value, str)}
    kind, keys = _type_of(values)
    if not values or not all(values[key] for key in keys):
        raise CredentialUnusable(credential=credential_id, problem=say("agent.credential_empty"))
    return Credential(
        id=credential_id,
        type=kind,
        plain={key: value for key, value in values.items() if key in _NO_SECRET},
        secrets={key: Secret(value) for key, value in values.items() if key not in _NO_SECRET},
    )


def _type_of(values: Mapping[str, str]) -> tuple[CredentialType, tuple[str, ...]]:
    for kind, keys in _TYPES:
        if all(key in values for key in keys):
            return kind, keys
    return "other", ()


WAITS = (0.5, 1.0)
"""Seconds before the second and the third attempt; there is no fourth."""

_TOO_MANY, _SERVER_ERROR = 429, 500
_SHOWN = 300


class Sender(Protocol):
    """What sends a request: `transport.Transport`, or a test's stand-in.

    Raises `NotSent` or `NoAnswer`.
    """

    def send(self, request: HttpRequest) -> HttpAnswer:
        """Send a request and return its answer, whatever its status."""
        ...


class Refused(Exception):
    """BK-CI understood the request and says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.message: Union[Text, str] = message or say("agent.no_message")


@dataclass(frozen=True)
class BuildApi:
    """The build API as one build may use it. `mask` takes what must not be shown out of its words."""

    identity: AgentIdentity
    sender: Sender
    clock: Clock
    mask: Callable[[str], str] = str

    def credential(self, credential_id: str) -> Credential:
        """Return a credential of the project.

        Raises:
            CredentialUnusable: BK-CI refuses it, or it is empty.
            BuildApiFailed: BK-CI does not answer as promised.
        """
        if credential_id.strip() in {"", ".", ".."}:  # as a path's segment, these name another resource
            raise CredentialUnusable(credential=credential_id, problem=say("agent.credential_id_empty"))
        path = f"/ticket/api/build/credentials/{quote(credential_id, safe='')}/detail"
        try:
            return parse_credential(credential_id, self._get(path))
        except Refused as exc:
            problem = say("agent.credential_refused", status=exc.status, message=exc.message)
            raise CredentialUnusable(credential=credential_id, problem=problem) from exc

    def private_settings(self, atom_code: str) -> Mapping[str, Secret]:
        """Return the atom's private settings by name.

        Raises:
            BuildApiFailed: BK-CI does not answer as promised, or refuses.
        """
        path = f"/store/api/build/store/sensitiveConf/types/ATOM/codes/{quote(atom_code, safe='')}"
        if not atom_code:
            raise self._failed(path, say("agent.atom_code_unknown"))
        try:
            return parse_private_settings(self._get(path))
        except Refused as exc:
            problem = say("agent.api_refused", status=exc.status, message=exc.message)
            raise self._failed(path, problem) from exc
        except FileProblem as exc:
            raise self._failed(path, exc.problem) from exc

    def stored_variables(self) -> Mapping[str, str]:
        """Return the variables that BK-CI keeps for this build: no input of a step, no `env` of one.

        BK-CI's gateway finds the build by the agent's secret, so that nobody can ask about another one
        (bk-ci `BuildVarResource.kt`, `build_util.lua`; since 1.2).

        Raises:
            RecordRefused: whose permissions the pipeline borrows may not execute it.
            BuildApiFailed: BK-CI does not answer as promised.
        """
        data = self._record("/process/api/build/variable/getBuildVariable")
        return {name: value for name, value in data.items() if isinstance(value, str)}

    def row_of_build(self, pipeline_id: str) -> BuildRow:
        """Return whom the build's own row names.

        From tables that no variable reaches (bk-ci `BuildBuildResource.kt`, `ModelDetail.kt`).

        Raises:
            RecordRefused, BuildApiFailed: as with the stored variables.
        """
        ids = (self.identity.project_id, pipeline_id, self.identity.build_id)
        path = "/process/api/build/builds/" + "/".join(quote(part, safe="") for part in ids) + "/detail"
        data = self._record(path)
        if (data.get("pipelineId"), data.get("id")) != (pipeline_id, self.identity.build_id):
            raise self._failed(path, say("agent.api_field", path="data.id"))
        return BuildRow(_name(data.get("userId")), _name(data.get("lastModifyUser")))

    def _record(self, path: str) -> Mapping[str, JsonValue]:
        try:
            data = self._get(path)
        except Refused as exc:
            raise RecordRefused(status=exc.status, message=exc.message) from exc
        if not isinstance(data, dict):
            raise self._failed(path, say("agent.api_field", path="data"))
        return data

    def _get(self, path: str) -> JsonValue:
        """Return the `data` of an answer, asking again where that may help."""
        answer = self._attempt(path)
        for seconds in WAITS:
            if isinstance(answer, HttpAnswer) and not (
                answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR
            ):
                break
            self.clock.wait(seconds)
            answer = self._attempt(path)
        if not isinstance(answer, HttpAnswer):
            raise self._failed(path, _lost(answer)) from answer
        try:
            return parse_answer(answer, mask=self.mask)
        except FileProblem as exc:
            raise self._failed(path, exc.problem) from exc

    def _attempt(self, path: str) -> Union[HttpAnswer, NotSent, NoAnswer]:
        request = HttpRequest(
            method="GET", url=self.identity.gateway + path, headers=headers_of(self.identity), body=None
        )
        try:
            return self.sender.send(request)
        except (NotSent, NoAnswer) as exc:
            return exc

    def _failed(self, path: str, problem: Text) -> BuildApiFailed:
        return BuildApiFailed(url=self.identity.gateway + path, problem=problem)


def _name(value: JsonValue) -> str:
    return value.strip() if isinstance(value, str) else ""


def headers_of(identity: AgentIdentity) -> Mapping[str, str]:
    """Return the headers that say which build is asking."""
    return {
        "X-DEVOPS-BUILD-TYPE": identity.build_type,
        "X-DEVOPS-PROJECT-ID": identity.project_id,
        "X-DEVOPS-AGENT-ID": identity.agent_id,
        "X-DEVOPS-AGENT-SECRET-KEY": identity.secret_key.reveal(),
        "X-DEVOPS-BUILD-ID": identity.build_id,
        "X-DEVOPS-VM-SID": identity.vm_seq_id,
    }


def parse_answer(answer: HttpAnswer, *, mask: Callable[[str], str] = str) -> JsonValue:
    """Return the `data` of an answer.

    Raises:
        Refused: BK-CI says no: `status` other than 0, or HTTP 4xx with its JSON.
        FileProblem: it is not what the API promises; the sentence says why.
    """
    body = _body(answer)
    status, message = _number(body.get("status")), _message(body.get("message"), mask)
    if _refuses(answer):
        raise Refused(answer.status if status is None else status, message)
    if not _succeeded(answer):
        raise FileProblem(_status_sentence(answer, message))
    if status is None:
        raise FileProblem(say("agent.api_field", path="status"))
    if status != 0:
        raise Refused(status, message)
    return body.get("data")


def parse_private_settings(data: JsonValue) -> Mapping[str, Secret]:
    """Return the private settings that the API's `data` lists; a setting without a value is "".

    Raises:
        FileProblem: an entry is not what the API promises.
    """
    if data is None:
        return {}
    if not isinstance(data, list):
        raise FileProblem(say("agent.api_field", path="data"))
    return dict(_setting(entry, place=f"data[{index}]") for index, entry in enumerate(data))


def _setting(entry: JsonValue, *, place: str) -> tuple[str, Secret]:
    if not isinstance(entry, dict):
        raise FileProblem(say("agent.api_field", path=place))
    name, value = entry.get("fieldName"), entry.get("fieldValue") or ""
    if not isinstance(name, str) or not name:
        raise FileProblem(say("agent.api_field", path=f"{place}.fieldName"))
    if not isinstance(value, str):
        raise FileProblem(say("agent.api_field", path=f"{place}.fieldValue"))
    return name, Secret(value)


def _body(answer: HttpAnswer) -> dict[str, JsonValue]:
    try:
        return parse_object(answer.body)
    except FileProblem as exc:
        if not _succeeded(answer):  # a page of some proxy's: its status says more than its words
            raise FileProblem(_status_sentence(answer, "")) from exc
        raise FileProblem(say("agent.api_not_json", status=answer.status, problem=exc.problem)) from exc


def _status_sentence(answer: HttpAnswer, message: str) -> Text:
    return say("agent.api_status", status=answer.status, message=message or say("agent.no_message"))


def _number(value: JsonValue) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _message(value: JsonValue, mask: Callable[[str], str]) -> str:
    """Return the beginning of BK-CI's words; masked first: of a secret that is cut, nobody could tell."""
    return mask(value.strip())[:_SHOWN] if isinstance(value, str) else ""


def _refuses(answer: HttpAnswer) -> bool:
    return 400 <= answer.status < 500 and answer.status != _TOO_MANY  # noqa: PLR2004 - HTTP's classes


def _succeeded(answer: HttpAnswer) -> bool:
    return 200 <= answer.status < 300  # noqa: PLR2004 - HTTP's classes


def _lost(problem: Union[NotSent, NoAnswer]) -> Text:
    key = "agent.api_unreachable" if isinstance(problem, NotSent) else "agent.api_no_answer"
    return say(key, reason=problem.problem)
