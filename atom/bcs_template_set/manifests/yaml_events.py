"""What is not plain YAML, read from a parser's events. Pure: performs no I/O.

Values are built by our own loop, so that duplicate keys, alias bombs, deep nesting and numbers beyond 64 bits
are refused within bounded time and memory. Imported by the first text that needs it, as PyYAML is: most need
neither, and that saves a start as much as reading 500 documents takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Optional, cast

import yaml

from bcs_template_set.manifests.look_alikes import disguised, sentence, sign_before_value
from bcs_template_set.manifests.parser_words import (
    DEEPEST,
    PLAIN_KEY,
    YamlUnreadable,
    sentence_of,
    too_deep,
)
from bcs_template_set.manifests.yaml_beginnings import ParserType, begun_at
from bcs_template_set.manifests.yaml_words import (
    MANIFESTS,
    NumberUnusable,
    Reading,
    SpellingLost,
    key_of,
    read_word,
)
from bcs_template_set.messages import Text, say

if TYPE_CHECKING:
    from bcs_template_set.manifests.yaml_reading import YamlValue

MOST_EXPANDED = 8_000_000
MOST_NOTED = 100
"""Mistakes of one text; who made more has written another thing."""

_MERGE = "<<"
_TAG = "tag:yaml.org,2002:"


def available_parser() -> ParserType:
    """Return the parser built on libyaml, about ten times as fast, or the Python one where it is missing."""
    return cast("ParserType", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def reads_slowly() -> bool:
    """Tell whether the parser built on libyaml is missing."""
    return available_parser() is yaml.SafeLoader


class Events:
    """Builds values from the parser's events. `spent` grows with every node, aliases at full price."""

    def __init__(
        self,
        text: str,
        *,
        source: str,
        reading: Reading,
        parser: Optional[ParserType],
        lost: Optional[list[YamlUnreadable]],
    ) -> None:
        self._lost = lost
        self._text = text
        self._source = source
        self._reading = reading
        self._parser_type = parser or available_parser()
        self._anchors: dict[Optional[str], Optional[tuple[YamlValue, int]]] = {}
        self.spent = 0

    def documents(self) -> Iterator[tuple[int, YamlValue]]:
        """Yield what `read_documents` does."""
        self._next = self._parser_type(self._text).get_event
        try:
            while not isinstance(event := self._next(), yaml.StreamEndEvent):
                if isinstance(event, yaml.DocumentStartEvent):
                    first = self._next()
                    yield _start(first)[0] + 1, self._document(first)
        except yaml.MarkedYAMLError as exc:
            raise self._translate(exc) from exc

    def _document(self, first: yaml.Event) -> YamlValue:
        self._anchors, self._innermost = {}, first
        try:
            return self._node(first, depth=0)
        except RecursionError:  # where somebody calls from deep within, Python's limit comes before ours
            raise self._error(self._innermost, too_deep()) from None

    def _node(self, event: yaml.Event, *, depth: int, key: str = "") -> YamlValue:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        before, anchor = self.spent, cast("yaml.NodeEvent", event).anchor
        self._anchors[anchor] = None
        value: YamlValue
        if kind is yaml.ScalarEvent:
            value = self._scalar(cast("yaml.ScalarEvent", event), key)
        elif kind is yaml.MappingStartEvent:
            value = self._mapping(self._opened(event, depth=depth, tag="map"), depth=depth + 1)
        else:
            value = self._sequence(self._opened(event, depth=depth, tag="seq"), depth=depth + 1)
        self._anchors[anchor] = (value, self.spent - before)
        return value

    def _opened(self, event: yaml.Event, *, depth: int, tag: str) -> yaml.Event:
        given = cast("yaml.CollectionStartEvent", event).tag
        if given not in (None, "!", _TAG + tag):
            raise self._error(event, say("render.yaml_tag"))
        self._innermost = event
        if depth >= DEEPEST:
            raise self._error(event, too_deep())
        self._spend(1, event)
        return event

    def _sequence(self, start: yaml.Event, *, depth: int) -> list[YamlValue]:  # noqa: ARG002 - as _mapping
        items: list[YamlValue] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            items.append(self._node(event, depth=depth))
        return items

    def _mapping(self, start: yaml.Event, *, depth: int) -> dict[str, YamlValue]:
        result: dict[str, YamlValue] = {}
        merged: list[YamlValue] = []
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key = self._key(event)
            value = self._node(self._next(), depth=depth, key=key or "")
            if key is None:
                merged.append(value)
            elif key in result:
                problem = say("render.yaml_duplicate", key=key)
                self._note(event, problem if PLAIN_KEY.fullmatch(key) else say("render.yaml_twice"))
            else:
                result[key] = value
        return self._merge(merged, result, start) if merged else result

    def _key(self, event: yaml.Event) -> Optional[str]:
        """Return a key as it is written, whatever an unquoted word would mean; None for a merge key."""
        if type(event) is yaml.AliasEvent:
            value = self._alias(event)
            if isinstance(value, str):
                return value
        if type(event) is not yaml.ScalarEvent:
            raise self._error(event, say("render.yaml_key"))
        text: str = event.value
        self._spend(len(text) + 1, event)
        self._anchors[event.anchor] = (text, len(text) + 1)
        if text == _MERGE and event.implicit[0]:
            return None
        if event.implicit[0] and self._reading is not MANIFESTS:  # what others wrote is read as BCS reads it
            at = disguised(text)
            if at is not None:
                self._note(event, sentence(text[at]), at=at)
        if self._reading.text_keys and event.implicit[0] and key_of(text) != text:
            is_word = text in self._reading.words
            word = say("render.yaml_word_key", key=text, arrives=key_of(text))
            self._note(event, word if is_word else say("render.yaml_number_key"))
        # The same keys come in every document: one string for all keeps 1,000 domains small.
        return sys.intern(text)

    def _merge(
        self, merged: list[YamlValue], explicit: dict[str, YamlValue], event: yaml.Event
    ) -> dict[str, YamlValue]:
        parts: list[dict[str, YamlValue]] = []
        for value in merged:
            for part in value if isinstance(value, list) else [value]:
                if not isinstance(part, dict):
                    raise self._error(event, say("render.yaml_merge"))
                self._spend(len(part), event)
                parts.append(part)
        # Filled in place: a copy for every part would take the square of their number.
        result: dict[str, YamlValue] = {}
        for part in reversed(parts):
            result.update(part)
        result.update(explicit)
        return result

    def _alias(self, event: yaml.Event) -> YamlValue:
        name = cast("yaml.NodeEvent", event).anchor
        if name not in self._anchors:
            raise self._error(event, say("render.yaml_alias_unknown"))
        found = self._anchors[name]
        if found is None:
            raise self._error(event, say("render.yaml_alias_loop"))
        value, cost = found
        self._spend(cost, event)
        return value

    def _scalar(self, event: yaml.ScalarEvent, key: str) -> YamlValue:
        text: str = event.value
        self._spend(len(text) + 1, event)
        try:
            if event.tag is not None:
                return self._tagged(event, text)
            if event.implicit[0]:
                return read_word(text, reading=self._reading)
        except SpellingLost as loss:
            which = "number" if type(loss.value) in (int, float) else "word"
            form = f'{key}: "…"' if PLAIN_KEY.fullmatch(key) else '"…"'
            self._note(event, say(f"render.yaml_spelling_{which}", form=form))
            return loss.value
        except NumberUnusable:
            self._note(event, say("render.yaml_number"))
        return text

    def _tagged(self, event: yaml.ScalarEvent, text: str) -> YamlValue:
        if event.tag in ("!", _TAG + "str"):
            return text
        value = read_word(text, reading=self._reading)
        wanted = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}
        if type(value) not in wanted.get(str(event.tag).removeprefix(_TAG), ()):
            raise self._error(event, say("render.yaml_tag"))
        return value

    def _spend(self, amount: int, event: yaml.Event) -> None:
        self.spent += amount
        if self.spent > MOST_EXPANDED:
            raise self._error(event, say("render.yaml_bomb"))

    def _note(self, event: yaml.Event, problem: Text, *, at: int = 0) -> None:
        """Keep a mistake past which the rest can be read; raise it where nobody collects any more."""
        error = self._error(event, problem, at=at)
        if self._lost is None or len(self._lost) >= MOST_NOTED:
            raise error from None
        self._lost.append(error)

    def _error(self, event: yaml.Event, problem: Text, *, at: int = 0) -> YamlUnreadable:
        line, column = _start(event)
        return self._unreadable(problem, line=line, column=column + at)

    def _translate(self, exc: yaml.MarkedYAMLError) -> YamlUnreadable:
        mark = cast("yaml.Mark", exc.problem_mark)
        line, column = mark.line, mark.column
        begin = max(0, line - 1)
        lines = self._text.splitlines()[begin : line + 1]
        sign = sign_before_value(lines)
        if sign is not None:
            return self._unreadable(sign.problem, line=begin + sign.line, column=sign.column)
        begun = begun_at(exc, self._text, line=line, parser=self._parser_type)
        if begun is not None:
            return self._unreadable(begun.problem, line=begun.line, column=begun.column)
        is_tab = any("\t" in candidate[: _indent(candidate)] for candidate in lines)
        problem = sentence_of(str(exc.problem))
        if is_tab and problem != too_deep():
            problem = say("render.yaml_tab")
        return self._unreadable(problem, line=line, column=column)

    def _unreadable(self, problem: Text, *, line: int, column: int) -> YamlUnreadable:
        return YamlUnreadable(problem, source=self._source, line=line + 1, column=column + 1)


def _start(event: yaml.Event) -> tuple[int, int]:
    """Return the line and column of an event, from 0. Both parsers always mark where one begins."""
    mark = cast("yaml.Mark", event.start_mark)
    return mark.line, mark.column


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
