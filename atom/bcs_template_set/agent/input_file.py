"""Reads `input.json`: the pipeline's variables, the step's inputs and, apart from them, private settings.

Performs I/O: reads the one file. Never shows what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from bcs_template_set.agent.agent_files import (
    FileProblem,
    JsonValue,
    data_directory,
    kind_of,
    read_object,
    strings_in,
)
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputUnreadable
from bcs_template_set.messages.secret import Secret

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
