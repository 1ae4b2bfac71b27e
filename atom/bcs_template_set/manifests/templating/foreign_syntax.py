"""What a template says that is no Jinja2, in its author's terms: other tools' languages and filters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.spelling import with_nearest

_HELM = "Helm"
_TOOLS: Mapping[str, re.Pattern[str]] = {
    _HELM: re.compile(
        r"\.(Values|Release|Chart|Capabilities|Files|Template)\b"
        r"|\{\{-? *(include|template|define|tpl|toYaml|required)\b|\| *\w+ +[\"\d.$(]"
    ),
    "Vue": re.compile(r"\{\{ *!\w|\{\{[^}]*(\$t\(|[=!]==|&&|\|\|| \? |\| *\w+ *:)"),
    "Prometheus": re.compile(r"\$(labels|value|externalLabels)\b|\| *humanize"),
    "Handlebars": re.compile(r"\{\{\{? *[#/>^&!]|\{\{\{"),
    "Go": re.compile(r"\{\{-? *([.$]|/\*|(if|else|end|range|with|block|define)\b)|:="),
}
"""Whose language a line is that Jinja2 can't read; the first that fits."""

_PIPELINE = "${{"
_FILLED_IN: Mapping[str, re.Pattern[str]] = {
    "Vue": re.compile(r"</?[a-zA-Z][^<>]*>|\bv-(if|for|bind|on|model)\b"),
    "Grafana": re.compile(r"\blegendFormat\b"),
}
"""Who else may fill in a name that Jinja2 can read, by what stands beside it."""
_LONGEST_LINE = 1000

_STATEMENTS = ("if", "else", "end", "with", "define", "block")
"""Statements that Jinja2 takes for names where nothing but a dot follows."""

_JSON = "tojson"
_USE: Mapping[str, str] = {
    **dict.fromkeys(("toYaml", "to_yaml", "to_nice_yaml", "toJson", "to_json", "to_nice_json"), _JSON),
    **dict.fromkeys(("toPrettyJson", "toRawJson", "quote", "squote"), _JSON),
    "nindent": "indent(N)",
    **dict.fromkeys(("toString", "to_text"), "string"),
    **dict.fromkeys(("int64", "atoi"), "int"),
    "float64": "float",
    "bool": '== "true"',
    "trunc": "[:N]",
    **dict.fromkeys(("trimSuffix", "trimPrefix"), '.removesuffix("…"), .removeprefix("…")'),
    **dict.fromkeys(("regex_replace", "regexReplaceAll"), 'replace("…", "…")'),
    "contains": '"…" in NAME',
    "hasKey": '"…" in NAME',
    "ternary": "A if CONDITION else B",
    "coalesce": "A or B",
    **dict.fromkeys(("combine", "merge"), "dict(A, **B)"),
    "dict2items": "items",
    "basename": '.split("/") | last',
}
"""What to write in place of filters that Helm, Sprig or Ansible has."""

_NEEDLESS = ("required", "mandatory")
_BASE64 = ("b64encode", "b64enc")
_NO_FILTER = re.compile(r"No filter named '(.*)'\.")


TOO_DEEP = "nested too deeply or too large"
_PROBLEMS: Mapping[str, re.Pattern[str]] = {
    "deep": re.compile(TOO_DEEP),
    "open": re.compile(r"block that needs to be closed is '(?P<block>\w+)'|end of (?P<raw>raw) directive"),
    "tag": re.compile(r"unknown tag '(?P<tag>\w+)'"),
    "test": re.compile(r"No test named '(?P<name>.+)'\."),
    "sign": re.compile(r"unexpected char (?P<sign>.+) at \d+"),
    "end": re.compile(r"unexpected end of template"),
    "value": re.compile(r"an expression, got|expected name|expected token 'name'|^unexpected 'end of"),
    "stray": re.compile(r"(?:unexpected|got) '(?P<word>(?!end of)[^']+)'"),
}
"""What we and Jinja2 say of a template that it can't read (Jinja2 3.1.6, parser.py and lexer.py): the first
that fits, and the words of it that are the template's own."""


def syntax_problem(message: str) -> Text:
    """Return in the reader's words what Jinja2 finds wrong with a template."""
    for name, says in _PROBLEMS.items():
        found = says.search(message)
        if found is not None:
            words = {key: word for key, word in found.groupdict().items() if word}
            return say(f"render.syntax_{name}", **({"block": words["raw"]} if "raw" in words else words))
    return say("render.syntax_other")


def tool_in(line: str) -> Text | None:
    """Return what to do with a line that is another tool's; None where it is nobody's we know."""
    way = say("render.way_for_braces")
    if _PIPELINE in line:
        return say("render.of_pipeline", way=way)
    tool = next((tool for tool, looks in _TOOLS.items() if looks.search(line[:_LONGEST_LINE])), None)
    if tool is None:
        return None
    return say("render.of_helm") if tool == _HELM else say("render.of_tool", tool=tool, way=way)


def tools_in(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a template, from 1, whose names another tool may fill in, and that tool."""
    for number, line in enumerate(source.split("\n"), 1):
        if "{{" in line and len(line) <= _LONGEST_LINE:
            if _PIPELINE in line:
                yield number, _PIPELINE
            else:
                yield from ((number, tool) for tool, beside in _FILLED_IN.items() if beside.search(line))


def name_missing(name: str, tool: str) -> Text:
    """Return the sentence about a name that is not there, in a line that may be this tool's."""
    way = say("render.way_for_braces")
    if tool == _PIPELINE:
        return say("render.of_pipeline", way=way)
    if tool:
        return say("render.name_of_tool", name=name, tool=tool, way=way)
    return say("render.name_missing", name=name)


def word_of_helm(name: str) -> Text | None:
    """Return what to do with a name that is a statement of Helm's; None where it is none."""
    return say("render.of_helm") if name in _STATEMENTS else None


def filter_missing(problem: str) -> str:
    """Return the name of the filter that Jinja2 says it lacks, "" where it says something else."""
    found = _NO_FILTER.fullmatch(problem)
    return found[1] if found is not None else ""


def filter_to_use(name: str, *, known: Iterable[str]) -> Text:
    """Return the sentence about a filter that is not there, with what to write in its place if we know."""
    if name in _USE:
        return say("render.filter_use", name=name, use=_USE[name])
    if name in (*_NEEDLESS, *_BASE64):
        return say("render.filter_needless" if name in _NEEDLESS else "render.filter_base64", name=name)
    return with_nearest(say("render.filter_missing", name=name), name, known)
