"""Enough of Helm's rendering to fail where Helm fails on a template set. Performs no I/O.

BCS renders the chart once before it uploads it (facts/bcs.md trap 14). What BCS itself would replace at
deploy time, `{{ NAME }}`, is a call of an unknown function to Helm. Known here: `.Values` and the other
built-in objects, literals, comments, control words, and the functions a manifest is likely to call.
`.Values.a.b` needs a mapping at `a`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

_ACTION = re.compile(r"""\{\{-?\s*(/\*.*?\*/|(?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`])*?)\s*-?\}\}""", re.DOTALL)
_VALUES = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_CONTROL = {"if", "else", "end", "range", "with", "define", "template", "block", "true", "false", "nil"}
_FUNCTIONS = {
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "print", "printf",
    "println", "default", "quote", "squote", "include", "tpl", "toYaml", "toJson", "fromYaml",
    "fromJson", "indent", "nindent", "trim", "trunc", "trimSuffix", "trimPrefix", "lower", "upper",
    "replace", "contains", "required", "list", "dict", "get", "hasKey", "ternary", "int", "toString",
    "b64enc", "b64dec", "sha256sum", "coalesce", "empty", "join", "split", "lookup",
}  # fmt: skip


def refuse_template(path: str, text: str, *, values: Mapping[str, object]) -> Optional[str]:
    """Return Helm's complaint about the first action it can't render, None where it renders."""
    end = 0
    for action in _ACTION.finditer(text):
        line = text.count("\n", 0, action.start()) + 1
        reason = _refuse_action(action.group(1), values=values)
        if reason is not None:
            return f"parse error at ({path}:{line}): {reason}"
        end = action.end()
    opened = text.find("{{", end)
    if opened >= 0:
        return f"parse error at ({path}:{text.count(chr(10), 0, opened) + 1}): unclosed action"
    return None


def _refuse_action(action: str, *, values: Mapping[str, object]) -> Optional[str]:
    if action.startswith("/*"):
        return None
    if not action:
        return "missing value for command"
    code = _LITERAL.sub('""', action)
    for word in _bare_words(code):
        if word not in _CONTROL | _FUNCTIONS:
            return f'function "{word}" not defined'
    for path in _VALUES.findall(code):
        if not _parents_exist(path.strip(".").split("."), values):
            return f"nil pointer evaluating interface {{}}.{path.rpartition('.')[2]}"
    return None


def _bare_words(code: str) -> list[str]:
    return re.findall(r"(?<![\w.$\"])([A-Za-z_]\w*)", code)


def _parents_exist(names: list[str], values: Mapping[str, object]) -> bool:
    here: object = values
    for name in names[:-1]:
        here = here.get(name) if isinstance(here, Mapping) else None
    return isinstance(here, Mapping)
