"""Where the values of a YAML text stand in it, so that lines can be cut out of it. Pure: performs no I/O.

Beside `yaml_reading.py` the one importer of PyYAML: that one says what a text means and holds every limit,
this one only where; read a text there first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional, Protocol, Union

import yaml

from bcs_template_set.manifests.yaml_reading import YamlUnreadable
from bcs_template_set.messages import say

LINE_BREAKS = "\n\r\x85\u2028\u2029"
"""What ends a line for YAML 1.1."""


class Anchored(Exception):
    """The text has an anchor or an alias: what is cut out in one place may be missing in another."""


@dataclass(frozen=True)
class Scalar:
    """A text, number or word: `text[start:end]`, quotes included; `style` is "" for a plain one."""

    value: str
    start: int
    end: int
    style: str = ""


@dataclass(frozen=True)
class Collection:
    """A mapping or list; `end` is behind its last value, and behind its bracket in flow style.

    `entries` are (key, value) pairs in their order; a list has None for its keys.
    """

    is_list: bool
    is_flow: bool
    start: int
    end: int
    entries: tuple[tuple[Optional[Marked], Marked], ...]

    def at(self, key: str) -> Optional[Marked]:
        """Return the value of a key, None where there is none."""
        return next((v for k, v in self.entries if isinstance(k, Scalar) and k.value == key), None)

    def items(self) -> tuple[Marked, ...]:
        """Return the values in their order."""
        return tuple(value for _, value in self.entries)


Marked = Union[Scalar, Collection]


def marked_documents(text: str) -> tuple[Marked, ...]:
    """Return the documents of a text with the offsets of all that is in them, empty ones left out.

    Raises:
        Anchored: see there.
        YamlUnreadable: the text is no YAML.
    """
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    try:
        found = [_marked(event, events) for event in events if isinstance(event, yaml.NodeEvent)]
    except yaml.YAMLError as exc:
        raise YamlUnreadable(say("render.no_object"), source="", line=1, column=1) from exc
    return tuple(value for value in found if not (isinstance(value, Scalar) and value.start == value.end))


def _marked(event: yaml.Event, events: Iterator[yaml.Event]) -> Marked:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise Anchored
    start = _offset(event.start_mark)
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(value=event.value, start=start, end=_offset(event.end_mark), style=event.style or "")
    is_list = isinstance(event, yaml.SequenceStartEvent)
    entries: list[tuple[Optional[Marked], Marked]] = []
    for inner in events:
        if isinstance(inner, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            is_flow = bool(getattr(event, "flow_style", False))
            # In block style the end is where the next token begins, beyond comments that are not its own.
            end = _offset(inner.end_mark) if is_flow or not entries else entries[-1][1].end
            return Collection(is_list, is_flow, start, end, tuple(entries))
        first = _marked(inner, events)
        entries.append((None, first) if is_list else (first, _marked(next(events), events)))
    raise AssertionError("PyYAML ends every collection that it begins")  # pragma: no cover - as it says


class _Mark(Protocol):
    index: int


def _offset(mark: Optional[_Mark]) -> int:
    return mark.index if mark is not None else 0
