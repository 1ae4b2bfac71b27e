"""How a JSON file of the agent is read: an object or one sentence on what is wrong with it.

Never shows what the file holds: `input.json` has private settings in it, `.sdk.json` the agent's secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Union, cast

from bcs_template_set.messages import Text, say

JsonValue = Union[None, bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]"]


class FileProblem(Exception):
    """What is wrong with a file, as a sentence; the caller knows which of our errors it becomes."""

    def __init__(self, problem: Text) -> None:
        super().__init__(problem.key)
        self.problem = problem


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the directory of the agent's files: `bk_data_dir`, else the one the worker runs us in."""
    return Path(environ.get("bk_data_dir") or ".")


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


def parse_object(content: Union[bytes, str]) -> dict[str, JsonValue]:
    """Return the JSON object that UTF-8 content holds; a byte order mark is allowed.

    Raises:
        FileProblem: it is empty, no UTF-8, no JSON or no object.
    """
    text = _decode(content) if isinstance(content, bytes) else content
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


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FileProblem(say("agent.file_not_utf8", position=exc.start)) from _without_content(exc)


def _without_content(exc: ValueError) -> ValueError:
    # Both errors carry the whole content (`doc`, `object`), and a traceback printer may show it.
    return ValueError(f"{type(exc).__name__}: content withheld")


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
