"""The tables of docs/reference, made of the code and of `docs/reference/tables.json`. Reads, writes nothing.

A page holds each of them between `<!-- make golden: NAME -->` and `<!-- end -->`; what stands around them is
written by hand. `tables.json` holds, in both languages, what the code does not say: what a name means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable

import msgspec
from tests.packaging.store_files import ENGLISH, PROJECT, general_title, read_properties, task_texts
from tests.support.every_error import every_error

from bcs_template_set.config.inputs import INPUTS
from bcs_template_set.config.regions import KEYS, Endpoint
from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.manifests.checks.finding import Check
from bcs_template_set.manifests.templating.build_context import CONTEXT_NAMES
from bcs_template_set.messages import Language, Text
from bcs_template_set.report.output import OUTPUTS
from bcs_template_set.rollout.cause_rules import (
    BELOW,
    CHANGED,
    CRASHES,
    EARLIER,
    NEVER,
    PAUSED,
    REPLACED,
    RULES,
    STARTS,
    Rule,
)
from bcs_template_set.rollout.causes import CRASH_RESTARTS

REFERENCE = PROJECT / "docs" / "reference"
INVALID = PROJECT / "tests" / "unit" / "manifests" / "checks" / "invalid"
SCHEMA = PROJECT / "templates" / "web" / "values.schema.json"
MARKED = re.compile(r"(<!-- make golden: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

Row = Iterable[str]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages."""

    en_US: str  # noqa: N815 - as the catalogue and BK-CI spell languages
    zh_CN: str  # noqa: N815 - as en_US

    def __getitem__(self, language: Language) -> str:
        return self.zh_CN if language == "zh_CN" else self.en_US


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a call is made, and what happens where the app may not make it."""

    when: Words
    without: Words


class Meanings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tables.json` holds."""

    inputs: dict[str, Words]
    outputs: dict[str, Words]
    private_settings: dict[str, Words]
    calls: dict[str, Grant]
    error_groups: dict[int, Words]
    names: dict[str, Words]
    checks: dict[str, Words]
    values: dict[str, dict[str, Words]]


MEANINGS = msgspec.json.decode((REFERENCE / "tables.json").read_bytes(), type=Meanings)

REQUIRED = Words("(required)", "（必填）")
NONE = Words("none", "无")
FILLED_IN_BY_THE_RUN = {
    "project_code": Words("the pipeline's project", "流水线所在的项目"),
    "region": Words("the only region there is", "仅有的一个区域"),
}
MEANING = Words("meaning", "含义")
DEFAULT = Words("default", "默认值")
CURE = Words("what to do", "怎么办")


def with_tables(page: str, language: Language) -> str:
    """Return a page whose tables say what the code says today."""
    return MARKED.sub(lambda found: f"{found[1]}\n{TABLES[found[2]](language)}\n{found[3]}", page)


def _table(head: Row, rows: Iterable[Row]) -> str:
    cells = [[_cell(text) for text in row] for row in (head, *rows)]
    written = [f"| {' | '.join(row)} |\n" for row in cells]
    return "".join([written[0], "|---" * len(cells[0]) + "|\n", *written[1:]])


def _cell(text: str) -> str:
    """Return a text for a cell: no bar ends it, and what looks like a tag of HTML is none."""
    return re.sub(
        r"`[^`]*`|<", lambda found: "&lt;" if found[0] == "<" else found[0], text.replace("|", "\\|")
    )


def _inputs(language: Language) -> str:
    texts = task_texts() if language == "zh_CN" else dict(read_properties(ENGLISH))
    rows = []
    for known in INPUTS:
        default = f"`{known.default}`" if known.default else (REQUIRED if known.required else NONE)[language]
        if known.name in FILLED_IN_BY_THE_RUN:
            default = FILLED_IN_BY_THE_RUN[known.name][language]
        label = texts[f"input.{known.name}.label"]
        rows.append([f"`{known.name}`", label, default, MEANINGS.inputs[known.name][language]])
    head = (Words("input", "输入"), Words("in the form", "表单中的名称"), DEFAULT, MEANING)
    return _table([word[language] for word in head], rows)


def _outputs(language: Language) -> str:
    return _named(Words("output", "输出"), Words("what it is", "内容"), OUTPUTS, MEANINGS.outputs, language)


def _names(language: Language) -> str:
    head = Words("name", "名字"), Words("what it is", "内容")
    return _named(*head, CONTEXT_NAMES, MEANINGS.names, language)


def _named(
    name: Words, what: Words, names: Iterable[str], meanings: Mapping[str, Words], language: Language
) -> str:
    rows = ([f"`{known}`", meanings[known][language]] for known in names)
    return _table([name[language], what[language]], rows)


def _private_settings(language: Language) -> str:
    endpoint = Endpoint(gateway="")
    given = {"gateway": REQUIRED[language], "people": "`record`", "progress_detail": "`false`"}
    rows = []
    for key in KEYS:
        value = getattr(endpoint, key, None)
        shown = f"{value:g}" if isinstance(value, (int, float)) else value
        default = given.get(key) or (f"`{shown}`" if shown else NONE[language])
        rows.append([f"`{key}`", default, MEANINGS.private_settings[key][language]])
    head = (Words("key", "键"), DEFAULT, MEANING)
    return _table([word[language] for word in head], rows)


def schema_part(part: str) -> Mapping[str, Any]:
    """Return the schema of the whole values ("run"), or of a part of them."""
    schema: Mapping[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema if part == "run" else schema["$defs"][part]


def _values(part: str) -> Callable[[Language], str]:
    def written(language: Language) -> str:
        table = schema_part(part)
        rows = []
        for name, rule in table["properties"].items():
            default = (REQUIRED if name in table.get("required", ()) else NONE)[language]
            if "default" in rule:
                value = rule["default"]
                default = f"`{value if isinstance(value, str) else json.dumps(value)}`"
            rows.append([f"`{name}`", default, MEANINGS.values[part][name][language]])
        head = (Words("value", "值"), DEFAULT, MEANING)
        return _table([word[language] for word in head], rows)

    return written


def _calls(language: Language) -> str:
    rows = (
        [f"`{call}`", grant.when[language], grant.without[language]] for call, grant in MEANINGS.calls.items()
    )
    head = (
        Words("call", "接口"),
        Words("when", "何时调用"),
        Words("without the grant", "没有权限时"),
    )
    return _table([word[language] for word in head], rows)


def _checks(language: Language) -> str:
    """Return a section for each check: what holds, why, how severe it is, what allows it, an example."""
    stop, gap = Words(".", "。")[language], Words(" ", "")[language]
    return "\n".join(
        f"## {check.id}\n{check.summary.render(language)}{gap}{MEANINGS.checks[check.id][language]}\n\n"
        f"{_severity(check, language)}{gap}`# bcs-template-set: allow {check.id}`{stop}\n\n"
        f"```yaml\n{_example(check.id)}```\n"
        for check in CHECKS
    )


def _severity(check: Check, language: Language) -> str:
    if check.warns is True:
        return Words("A warning. The comment that allows it:", "提醒。放行的注释：")[language]
    sentences = () if check.warns is False else check.warns
    told = [Text(f"checks.{name}", _Ellipses()).render(language).rstrip(".。") for name in sentences]
    quoted = Words('", "'.join(told), "”“".join(told))[language]
    part = Words(f'; only a warning is "{quoted}"', f"；仅为提醒的是“{quoted}”")[language] if told else ""
    return Words(f"An error{part}. The comment that allows it:", f"错误{part}。放行的注释：")[language]


def _example(check: str) -> str:
    """Return the smallest example that a check finds, as the tests of the checks have it."""
    (path,) = INVALID.glob(f"{check}.*")
    return path.read_text(encoding="utf-8").partition("\n")[2]


def _errors(language: Language) -> str:
    head = (
        Words("code", "错误码"),
        Words("what happened", "发生了什么"),
        CURE,
    )
    colon = Words(": ", "：")[language]
    parts = []
    for group, title in MEANINGS.error_groups.items():
        codes = [kind.code for kind in every_error() if kind.code // 100 == group]
        rows = ([f"`{code}`", general_title(code, language), _cure(code, language)] for code in codes)
        table = _table([word[language] for word in head], rows)
        parts.append(f"### {group}xx{colon}{title[language]}\n\n{table}")
    return "\n".join(parts)


def _error_classes(language: Language) -> str:
    """Return the tree of errors: whose fault, which group, which classes."""
    tree: dict[tuple[str, int, int], list[str]] = {}
    for kind in every_error():
        family = kind.__mro__[kind.__mro__.index(Exception) - 2]
        tree.setdefault((family.__name__, kind.error_type, kind.code // 100), []).append(kind.__name__)
    rows = (
        [f"`{family}`", str(number), f"{group}xx", ", ".join(f"`{name}`" for name in names)]
        for (family, number, group), names in sorted(tree.items(), key=lambda entry: entry[0][1:])
    )
    head = (
        Words("family", "类别"),
        Words("`errorType`", "`errorType`"),
        Words("codes", "错误码"),
        Words("classes", "类"),
    )
    return _table([word[language] for word in head], rows)


class _Ellipses(dict[str, object]):
    """Fields that are all an ellipsis, whatever a sentence asks for."""

    def __missing__(self, key: str) -> str:
        return "…"


def _cure(code: int, language: Language) -> str:
    return Text(f"errors.{code}.cure", _Ellipses()).render(language)


def _causes(language: Language) -> str:
    rules = [*(rule for rule in RULES if rule.reasons), REPLACED, CHANGED, PAUSED, EARLIER, BELOW]
    ended_by = {kind.__name__: str(kind.code) for kind in every_error()}
    codes = {1: ended_by["RolloutFailed"], 2: ended_by["RolloutBlocked"]}
    rows = (
        [
            _open(rule, "cause", language),
            _open(rule, "cure", language),
            codes[rule.fault],
            _patience(rule)[language],
        ]
        for rule in rules
    )
    head = (Words("what is wrong", "出了什么问题"), CURE, Words("code", "错误码"), Words("waits", "等待"))
    return _table([word[language] for word in head], rows)


def _open(rule: Rule, part: str, language: Language) -> str:
    """Return a sentence of a cause with an ellipsis for what a run fills in."""
    return re.sub("…[.。]", "…", Text(f"rollout.{rule.name}.{part}", _Ellipses()).render(language))


def _patience(rule: Rule) -> Words:
    """Return how long a cause may last before it counts as failed."""
    if rule.patience == NEVER:
        return Words("no", "不等待")
    if rule.patience is not None:
        return Words(f"{rule.patience:g} s", f"{rule.patience:g} 秒")
    if rule.reasons & (CRASHES | STARTS | {"OOMKilled"}):
        return Words(f"{CRASH_RESTARTS} restarts", f"重启 {CRASH_RESTARTS} 次")
    return Words("timeout", "到 timeout")


TABLES: Mapping[str, Callable[[Language], str]] = {
    "inputs": _inputs,
    "outputs": _outputs,
    "names": _names,
    "private-settings": _private_settings,
    "calls": _calls,
    "checks": _checks,
    "errors": _errors,
    "error-classes": _error_classes,
    "causes": _causes,
    **{part: _values(part) for part in MEANINGS.values},
}
