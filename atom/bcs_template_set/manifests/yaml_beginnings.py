"""Where a mistake in YAML begins that its parser gives up on later: key, quote, bracket. Performs no I/O."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Optional, Protocol, cast

import yaml

from bcs_template_set.manifests.look_alikes import Sign
from bcs_template_set.messages import Text, say

_EMPTY_TAG = re.compile(r"\s*(?:- +)*image: +[^\s#'\"{\[]+:\s*(?:#.*)?$")
"""A line whose image ends in a colon: a variable of the pipeline was empty."""

_NO_BLANK = re.compile(r"([A-Za-z_][\w.-]*):[^\s/]")
_OPENED = {
    "while scanning a quoted scalar": "yaml_quote_open",
    "while parsing a flow sequence": "yaml_bracket_open",
    "while parsing a flow mapping": "yaml_bracket_open",
}


class Parser(Protocol):
    """What reading needs of PyYAML's parsers, the C one and the Python one."""

    def get_event(self) -> yaml.Event:
        """Return the next event."""


class ParserType(Protocol):
    """What makes one, for a text."""

    def __call__(self, text: str) -> Parser:
        """Return the parser of a text."""


def begun_at(exc: yaml.MarkedYAMLError, text: str, *, line: int, parser: ParserType) -> Optional[Sign]:
    """Return where it begins, and what is wrong there; None where the parser's own `line` is the place."""
    lines = text.splitlines()
    if line < len(lines) and _EMPTY_TAG.match(lines[line]):
        return Sign(line, lines[line].index("image:"), say("render.yaml_image_tag"))
    mark = exc.context_mark
    if mark is not None and mark.line < len(lines):
        problem = _begun_with(str(exc.context), lines[mark.line][mark.column :], is_here=mark.line == line)
        if problem is not None:
            return Sign(mark.line, mark.column, problem)
    return _quote_open_until(line, parser(text))


def _begun_with(context: str, rest: str, *, is_here: bool) -> Optional[Text]:
    """Return what is wrong with what begins so: `rest` is its line; `is_here`: the parser ends there."""
    if context == "while scanning a simple key":
        found = _NO_BLANK.match(rest)
        return say("render.yaml_no_blank", key=found[1]) if found else say("render.yaml_no_colon")
    sentence = None if is_here else _OPENED.get(context)
    return say(f"render.{sentence}") if sentence else None


def _quote_open_until(line: int, parser: Parser) -> Optional[Sign]:
    """Return where the text in quotes begins that ends in this line, and is the last before the mistake."""
    last: Optional[yaml.Event] = None
    with suppress(yaml.MarkedYAMLError):
        while True:
            last = parser.get_event()
    if not isinstance(last, yaml.ScalarEvent) or last.style not in ("'", '"'):
        return None
    start, end = cast("yaml.Mark", last.start_mark), cast("yaml.Mark", last.end_mark)
    if start.line < end.line == line:
        return Sign(start.line, start.column, say("render.yaml_quote_open"))
    return None
