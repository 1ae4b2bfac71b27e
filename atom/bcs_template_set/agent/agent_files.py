"""Reads the agent's JSON files: `input.json`, and `.sdk.json`, by which its build API knows this build.

Never shows what a file holds: `input.json` has private settings in it, `.sdk.json` the agent's secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Optional, Union, cast
from urllib.parse import urlsplit

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputUnreadable, SdkFileUnreadable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.records.late_dataclass import dataclass

JsonValue = Union[None, bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]"]


class FileProblem(Exception):
    """What is wrong with a file, as a sentence; the caller knows which of our errors it becomes."""

    def __init__(self, problem: Text) -> None:
        super().__init__(problem.key)
        self.problem = problem


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the directory of the agent's files: `bk_data_dir`, else the one the worker runs us in."""
    return Path(environ.get("bk_data_dir", ""))


def read_object(path: Path) -> dict[str, JsonValue]:
    """Return the JSON object that a file holds.

    Raises:
        FileProblem: the file is missing, unreadable, no UTF-8, no JSON or no object.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as exc:
        raise FileProblem(say("agent.file_missing")) from exc
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        raise FileProblem(say("agent.file_unreadable", reason=reason_of(exc))) from exc
    return parse_object(content)


def parse_object(content: bytes) -> dict[str, JsonValue]:
    """Return the JSON object that UTF-8 content holds; a byte order mark is allowed.

    Raises:
        FileProblem: it is empty, no UTF-8, no JSON or no object.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FileProblem(say("agent.file_not_utf8", position=exc.start)) from _without_content(exc)
    if not text.strip():
        raise FileProblem(say("agent.file_empty"))
    try:
        value: JsonValue = json.loads(text)
    except json.JSONDecodeError as exc:
        problem = say("agent.file_not_json", line=exc.lineno, column=exc.colno)
        raise FileProblem(problem) from _without_content(exc)
    except (RecursionError, ValueError):  # nested or with a number beyond what Python reads
        raise FileProblem(say("agent.file_beyond_limits")) from None
    if not isinstance(value, dict):
        raise FileProblem(say("agent.file_not_object", kind=kind_of(value)))
    return value


def kind_of(value: JsonValue) -> Text:
    """Return the name of a JSON value's kind, which may be shown where the value may not."""
    kinds = {bool: "flag", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return say(f"agent.kind_{kinds.get(type(value), 'null')}")


def strings_in(value: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return a JSON object whose values are all text.

    Raises:
        FileProblem: a value is something else, or holds half a character that no file could.
    """
    for name, item in value.items():
        if not isinstance(item, str):
            raise FileProblem(say("agent.value_not_text", name=name, kind=kind_of(item)))
        if not _encodable(name) or not _encodable(item):
            raise FileProblem(say("agent.value_half_character", name=name))
    return cast("dict[str, str]", dict(value))


def reason_of(exc: BaseException) -> str:
    """Return why the operating system refused, in its own words and without the path."""
    number = exc.errno if isinstance(exc, OSError) else None
    return os.strerror(number) if number is not None else type(exc).__name__


def _without_content(exc: ValueError) -> ValueError:
    # Both errors carry the whole content (`doc`, `object`), and a traceback printer may show it.
    return ValueError(f"{type(exc).__name__}: content withheld")


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


PRIVATE_SETTINGS = "bkSensitiveConfInfo"


@dataclass(frozen=True)
class AgentInput:
    """What `input.json` holds. `private_settings` is None where the platform keeps them out of the file."""

    values: Mapping[str, str]
    private_settings: Optional[Mapping[str, Secret]]


def input_path(environ: Mapping[str, str]) -> Path:
    """Return where the agent writes `input.json`: `bk_data_input` in `bk_data_dir`."""
    return data_directory(environ) / (environ.get("bk_data_input") or "input.json")


def read_input(environ: Mapping[str, str]) -> AgentInput:
    """Return what the agent hands to the step.

    Raises:
        InputUnreadable: the file is missing or garbled, or holds a value that is no text.
    """
    path = input_path(environ)
    try:
        return parse_input(read_object(path))
    except FileProblem as exc:
        raise InputUnreadable(file=str(path), problem=exc.problem) from exc


def parse_input(content: Mapping[str, JsonValue]) -> AgentInput:
    """Return the input that a JSON object holds.

    Raises:
        FileProblem: a value is no text, or the private settings are no object of texts.
    """
    values = {name: value for name, value in content.items() if name != PRIVATE_SETTINGS}
    return AgentInput(strings_in(values), _private_settings(content.get(PRIVATE_SETTINGS)))


def _private_settings(given: JsonValue) -> Optional[Mapping[str, Secret]]:
    """Return what the worker wrote: an object, or nothing (bk-ci `MarketAtomTask.kt`, 2026-08).

    Whatever a step's inputs bring is text; under this name it would be somebody's own private settings.
    """
    if given is None or given == "":
        return None
    if not isinstance(given, dict):
        problem = say("agent.settings_not_from_platform", name=PRIVATE_SETTINGS, kind=kind_of(given))
        raise FileProblem(problem)
    return {name: Secret(value) for name, value in strings_in(given).items()}


SDK_FILE = ".sdk.json"

_REQUIRED = ("buildType", "projectId", "agentId", "secretKey", "gateway", "buildId", "vmSeqId")
# The worker writes these two empty on the platform's own build machines (`BuildType.WORKER` in bk-ci's
# MarketAtomTask.kt), where the network address stands for the agent.
_MAY_BE_EMPTY = ("agentId", "secretKey")


@dataclass(frozen=True)
class AgentIdentity:
    """Who this build is to BK-CI. `gateway` has its scheme and no slash at the end.

    `execute_count` is 1 for a first run and more when the step is being retried; `task_id` is "" on
    workers that do not write it.
    """

    build_type: str
    project_id: str
    agent_id: str
    secret_key: Secret
    gateway: str
    build_id: str
    vm_seq_id: str
    task_id: str = ""
    execute_count: int = 1


def read_identity(environ: Mapping[str, str]) -> AgentIdentity:
    """Return who this build is.

    Raises:
        SdkFileUnreadable: the file is missing or garbled, or a field is missing or can't be one.
    """
    path: Path = data_directory(environ) / SDK_FILE
    try:
        return parse_identity(read_object(path))
    except FileProblem as exc:
        raise SdkFileUnreadable(file=str(path), problem=exc.problem) from exc


def parse_identity(content: Mapping[str, JsonValue]) -> AgentIdentity:
    """Return the identity that a JSON object holds.

    Raises:
        FileProblem: a field is missing or can't be one; every such field is named.
    """
    wrong = [name for name in _REQUIRED if not _usable(name, content.get(name))]
    if wrong:
        raise FileProblem(say("agent.fields_missing", names=wrong))
    fields = {name: _text(content.get(name)) or "" for name in (*_REQUIRED, "taskId")}
    return AgentIdentity(
        build_type=fields["buildType"],
        project_id=fields["projectId"],
        agent_id=fields["agentId"],
        secret_key=Secret(fields["secretKey"]),
        gateway=parse_gateway(fields["gateway"]),
        build_id=fields["buildId"],
        vm_seq_id=fields["vmSeqId"],
        task_id=fields["taskId"],
        execute_count=_count(content.get("executeCount")),
    )


def parse_gateway(given: str) -> str:
    """Return the gateway's address with a scheme (`http` where it has none) and without a slash at the end.

    Raises:
        FileProblem: it is no http address.
    """
    address = given if "://" in given else f"http://{given}"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that hold no address
        usable = False
    # Space and backslash are read one way here and another by an HTTP library.
    if not usable or "@" in address or "?" in address or "#" in address or "\\" in address or " " in address:
        raise FileProblem(say("agent.gateway_no_address"))
    return address.rstrip("/")


def _usable(name: str, value: JsonValue) -> bool:
    text = _text(value)
    if text is None or not (text or name in _MAY_BE_EMPTY):
        return False
    return text.isascii() and text.isprintable()  # they go into headers


def _text(value: JsonValue) -> Optional[str]:
    # vmSeqId is a number on some workers; the API's header takes it either way.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else None


def _count(value: JsonValue) -> int:
    text = _text(value)
    if text is None or not (text.isascii() and text.isdigit() and len(text) < len("1000000000")):
        return 1
    return max(1, int(text))
