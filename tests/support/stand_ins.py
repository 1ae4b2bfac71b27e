"""What the tests of the agent hand in: a clock that does not wait, a sender that sends nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Optional, Union

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent

CANARY = "canary-5up3r"

SDK_JSON: Mapping[str, JsonValue] = {
    "buildType": "AGENT",
    "projectId": "demo",
    "agentId": "a-1",
    "secretKey": "agent-s3cret",
    "gateway": "http://ci.example.com",
    "buildId": "b-1",
    "vmSeqId": "1",
    "taskId": "t-1",
    "executeCount": 1,
}


class FakeClock:
    """A clock that remembers how long it was asked to wait."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return sum(self.waited)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


Reply = Union[HttpAnswer, NotSent, NoAnswer]


class FakeSender:
    """Gives the replies it was made with, in order; fails on a request too many."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self.replies = list(replies)
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        assert self.replies, f"one request too many: {request.method} {request.url}"
        reply = self.replies.pop(0)
        if isinstance(reply, HttpAnswer):
            return reply
        raise reply


def answer(body: object, *, status: int = 200) -> HttpAnswer:
    """Return an answer; `body` is bytes as they are, or what JSON is made of."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status=status, headers={}, body=content)


def agent_directory(
    directory: Path,
    *,
    inputs: Optional[Mapping[str, object]] = None,
    sdk: Optional[Mapping[str, object]] = None,
) -> dict[str, str]:
    """Write the agent's files; return the environment that names them."""
    (directory / "input.json").write_text(json.dumps({"region": "gz"} if inputs is None else dict(inputs)))
    (directory / ".sdk.json").write_text(json.dumps(dict(SDK_JSON if sdk is None else sdk)))
    return {
        "bk_data_dir": str(directory),
        "bk_data_input": "input.json",
        "bk_data_output": "output.json",
    }
