"""Reads `.sdk.json`: how this build identifies itself to BK-CI's build API.

Performs I/O: reads the one file. Never shows what it holds: the agent's secret is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional
from urllib.parse import urlsplit

from bcs_template_set.agent.agent_files import FileProblem, JsonValue, data_directory, read_object
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import SdkFileUnreadable
from bcs_template_set.messages.secret import Secret

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
    text = _text(value) or ""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < len("1000000000") else 1
