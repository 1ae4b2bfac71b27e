"""The files that BK-CI's store reads beside the wheel, as typed values and as the text they must hold.

`task.json` and the English texts of its form, in `i18n`, are written by hand. The other texts of `i18n`,
`error.json` and `errorCodes.json` say again what task.json and the catalogue say: a test holds them to it,
and `make golden` writes them anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Optional, Union

import msgspec
from tests.support.every_error import every_error

from bcs_template_set.messages import Language, Text

PROJECT = Path(__file__).parents[2]
TASK_JSON = PROJECT / "task.json"
ERROR_JSON = PROJECT / "error.json"
ERROR_CODES = PROJECT / "errorCodes.json"
ENGLISH = PROJECT / "i18n" / "message_en_US.properties"
CHINESE = PROJECT / "i18n" / "message_zh_CN.properties"

# What the store shows to people: everything else in task.json is a name, a type or an address.
_TEXT_KEYS = (
    *("label", "desc", "text", "placeholder", "name", "description", "itemText", "tipStr"),
    *("summary", "versionContent"),
)


class Post(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the worker starts again at the end of the job, and when."""

    post_entry_param: str
    post_condition: str


class Execution(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How the worker installs and starts the step."""

    package_path: str
    language: str
    runtime_version: str
    demands: list[str]
    target: str
    post: Post


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A foldable group of inputs."""

    name: str
    label: str
    is_expanded: bool


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice of a `select-input`."""

    id: str
    name: str


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What another input's value is, or what is found in it whatever its case."""

    key: str
    value: str = ""
    regex: str = ""

    def holds(self, given: str) -> bool:
        """Tell whether a value meets it, as the form decides (facts/agent.md, "The form")."""
        return re.search(self.regex, given, re.IGNORECASE) is not None if self.regex else given == self.value


class Rely(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an input is visible."""

    operation: Literal["AND", "OR", "NOT"]
    expression: list[Condition]

    def shows(self, given: str) -> bool:
        """Tell whether the input is visible while the one that it relies on has a value."""
        return any(one.holds(given) for one in self.expression) == (self.operation == "OR")


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the form takes."""

    regex: str


class OptionsConf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Where a `select-input` gets its choices from."""

    url: str
    param_id: str
    param_name: str
    has_add_item: bool
    item_target_url: str
    item_text: str


Widget = Literal["vuex-input", "vuex-textarea", "atom-ace-editor", "select-input", "atom-checkbox", "tips"]
"""What our form is made of: each is a type of BK-CI's (facts/agent.md, "The form")."""


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One input of the form."""

    label: str
    type: Widget
    required: bool
    default: Union[str, bool]
    group_name: str = ""
    desc: str = ""
    tip_str: str = ""
    text: str = ""
    placeholder: str = ""
    options: list[Option] = []
    options_conf: Optional[OptionsConf] = None
    lang: str = ""
    default_height: int = 0
    rule: Optional[Rule] = None
    rely: Optional[Rely] = None

    def default_text(self) -> str:
        """Return the default as the agent hands it over: a checkbox sends `true` or `false`."""
        return json.dumps(self.default) if isinstance(self.default, bool) else self.default

    def choices(self) -> tuple[str, ...]:
        """Return the values a person can choose from; none where anything can be typed."""
        return tuple(option.id for option in self.options)


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One output of the step: the store takes no other types (facts/agent.md, "The form")."""

    type: Literal["string", "artifact", "report"]
    description: str


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the platform does around a run. `default_timeout` is in minutes."""

    can_pause_before_run: bool
    default_timeout: int
    default_fail_policy: Literal["AUTO_CONTINUE", "MANUALLY_CONTINUE"]
    default_retry_policy: list[Literal["AUTO_RETRY", "MANUALLY_RETRY"]]
    retry_times: int


class ConfigInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How the form is drawn."""

    frontend_type: str


class VersionInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the store says of this version."""

    publisher: str
    release_type: str
    version: str
    version_content: str


class ReleaseInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the store says of the step where the platform's operator releases the package by its API."""

    project_id: str
    name: str
    language: str
    logo_url: str
    category: str
    classify_code: str
    job_type: str
    os: list[str]
    label_codes: list[str]
    summary: str
    description: str
    config_info: ConfigInfo
    version_info: VersionInfo


class TaskJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The whole file. A key it does not know is a mistake."""

    atom_code: str
    default_locale_language: str
    execution: Execution
    release_info: ReleaseInfo
    input_groups: list[Group]
    input: dict[str, Field]
    output: dict[str, Output]
    config: Config


def read_task_json() -> TaskJson:
    """Return task.json; a key that is missing, unknown or of another type fails here."""
    return msgspec.json.decode(TASK_JSON.read_bytes(), type=TaskJson)


def task_texts() -> dict[str, str]:
    """Return every text of task.json that people read, by the key BK-CI looks a translation up with.

    Keys are paths: `input.action.list[0].label` (bk-ci, MessageUtil.traverseMap, 2026-08).
    """
    return dict(_texts("", json.loads(TASK_JSON.read_text(encoding="utf-8"))))


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(f"{path}[{index}]", item)
    elif isinstance(value, str) and _is_text(path):
        yield path, value


def _is_text(path: str) -> bool:
    is_group_name = re.fullmatch(r"inputGroups\[\d+\]\.name", path) is not None
    return path.rpartition(".")[2] in _TEXT_KEYS and not is_group_name


def read_properties(path: Path) -> list[tuple[str, str]]:
    """Return keys and values of a Java properties file as we write it: one a line, UTF-8."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        assert equals, f"{path.name}: no '=' in {line!r}"
        rows.append((key, value.replace("\\n", "\n").replace("\\\\", "\\")))
    return rows


def write_properties(texts: Mapping[str, str]) -> str:
    """Return a Java properties file. BK-CI reads it as UTF-8 text, so nothing but `\\` is escaped."""
    escaped = {key: text.replace("\\", "\\\\").replace("\n", "\\n") for key, text in texts.items()}
    return "".join(f"{key}={text}\n" for key, text in escaped.items())


def write_error_json() -> str:
    """Return error.json: every error's code and title, in both languages."""
    rows = [
        {
            "errorCode": kind.code,
            "errorMsgZhCn": general_title(kind.code, "zh_CN"),
            "errorMsgEn": general_title(kind.code, "en_US"),
        }
        for kind in every_error()
    ]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def write_error_codes() -> str:
    """Return errorCodes.json: the errors whose titles `i18n` has (facts/agent.md, "output.json")."""
    return json.dumps([kind.code for kind in every_error()], indent=2) + "\n"


def error_titles(language: Language) -> dict[str, str]:
    """Return each error's title, by the key that BK-CI looks it up with."""
    return {str(kind.code): general_title(kind.code, language) for kind in every_error()}


def english_form() -> dict[str, str]:
    """Return the English texts of the form, by their keys."""
    rows = [(key, text) for key, text in read_properties(ENGLISH) if not key.isdecimal()]
    assert len(rows) == len(dict(rows)), "a key stands twice"
    return dict(rows)


def general_title(code: int, language: Language) -> str:
    """Return an error's title for a list of all errors: what only a single run knows is left out.

    A parenthesis with a placeholder goes, a placeholder at the end goes, any other becomes an ellipsis.
    """
    ellipsis, stop = "…", "." if language == "en_US" else "。"
    title = _template(code, language)
    title = re.sub(r"\s*[(（][^()（）]*\{\w+\}[^()（）]*[)）]", "", title)
    title = re.sub(r"(?<=[.。])\s*\{\w+\}$", "", title)
    title = re.sub(r"\s*[:：]\s*(\{\w+\})?[.。]?$", stop, title)
    title = re.sub(r"\{\w+\}", ellipsis, title)
    title = re.sub(r"\s+([:：.。])", r"\1", title)
    return title.replace(f"{ellipsis}.", ellipsis).replace(f"{ellipsis}。", ellipsis)


class _Braces(dict[str, object]):
    """Fields that render as their own placeholders, whatever a title asks for."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _template(code: int, language: Language) -> str:
    return Text(f"errors.{code}.title", _Braces()).render(language)
