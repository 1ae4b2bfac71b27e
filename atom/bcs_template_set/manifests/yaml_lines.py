"""Where in a YAML text a key stands. Pure: performs no I/O.

Reading values keeps no lines: they are looked for again, and only where there is something to say of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import yaml

from bcs_template_set.records.late_dataclass import dataclass

_ITEM = re.compile(r"\[(\d{1,9})\]")
_MERGE = "<<"


@dataclass(frozen=True)
class Position:
    """Where as much of a path stands as the text has: that much of it, line and column from 1; 0 for none.

    `is_all`: it is the whole path. `is_final`: no text that is merged below this one can have the rest.
    """

    path: str = ""
    line: int = 0
    column: int = 0
    is_all: bool = False
    is_final: bool = False


class YamlLines:
    """The lines of a text of one or more documents, which has been read already."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _roots(self) -> list[yaml.Node]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            return list(yaml.compose_all(self._text, loader))
        except (yaml.YAMLError, RecursionError):
            return []

    @cached_property
    def _by_line(self) -> dict[int, yaml.Node]:
        return {_line(root): root for root in reversed(self._roots)}

    def find(self, path: str, *, document_at: int = 0) -> Position:
        """Return where a path such as `domains[1].image` stands, or the longest part of it that is there.

        `document_at` is the line, from 1, where the document begins; 0 for the first one.
        """
        node = self._by_line.get(document_at) if document_at else next(iter(self._roots), None)
        if node is None:
            return Position()
        mark, rest, is_final = node, path, False
        while rest:
            if isinstance(node, yaml.SequenceNode):
                is_final = True
                item = _ITEM.match(rest)
                if item is None or int(item[1]) >= len(node.value):
                    break
                node = mark = node.value[int(item[1])]
                rest = rest[item.end() :]
            elif isinstance(node, yaml.MappingNode):
                found = max(_entries(node, rest.removeprefix(".")), key=_length, default=None)
                if found is None:
                    break
                mark, node, length = found
                rest = rest.removeprefix(".")[length:]
            else:
                is_final = True
                break
        known = path[: len(path) - len(rest)]
        return Position(known, _line(mark), mark.start_mark.column + 1, not rest, is_final or not rest)


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


Entry = tuple[yaml.Node, yaml.Node, int]
"""A key, its value, and how much of a path it takes."""


def _length(entry: Entry) -> int:
    return entry[2]


def _entries(mapping: yaml.MappingNode, rest: str) -> Iterator[Entry]:
    """Yield the entries that a path goes on with, those that the mapping merges included; its own win."""
    waiting: list[yaml.Node] = [mapping]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += reversed(node.value)
        elif isinstance(node, yaml.MappingNode):
            found = False
            for key, value in node.value:
                if key.value == _MERGE and not isinstance(value, yaml.ScalarNode):
                    waiting.append(value)
                elif length := _taken(key, rest):
                    found = True
                    yield key, value, length
            if found:
                return


def _taken(key: yaml.Node, rest: str) -> int:
    """Return how much of a path a key takes: `a.b` of `a.b[0]`, `[a.b]` of `[a.b].c`; 0 if it is another."""
    if not isinstance(key, yaml.ScalarNode):
        return 0
    for written in (key.value, f"[{key.value}]"):
        if key.value and rest.startswith(written) and rest[len(written) : len(written) + 1] in ("", ".", "["):
            return len(written)
    return 0
