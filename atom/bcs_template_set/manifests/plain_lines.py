"""The plain part of YAML, read line by line: what nearly all manifests are made of. Pure: performs no I/O.

A line is `key:`, `key: word`, `- word` or `- key: word`, indented as its neighbours are; a word may be what
stands in brackets on the same line. A text of nothing else is read here three times as fast as from a
parser's events, without the time to import one, and comes to the same. Where any line is another, the text is
left to the parser (`yaml_events`), which alone says what is wrong, and where.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Optional, Union, cast

from bcs_template_set.manifests.yaml_words import NumberUnusable, Plain, Reading, key_of, read_word

if TYPE_CHECKING:
    from bcs_template_set.manifests.yaml_reading import YamlValue

_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
"""What is space without being one, or ends a line beside `\\n`; so are tabs and `\\r`."""
_KEY = "[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}"
_WORD = "-{0,2}[A-Za-z0-9_/.$(](?:[^ :#]|:(?=[^ ])| (?=[^ :#]))*"
_TEXT = "\"[^\"\\\\]*\"|'[^']*'"
_INSIDE = re.compile(rf" *(?:({_KEY}): +|(-?[A-Za-z0-9_/.][A-Za-z0-9_/.@-]*)|({_TEXT})|([\[\]{{}},])) *")
"""What stands in brackets: a key, a word, a quoted one, or a sign."""
_MOST_SIGNS = 50
"""With 40 columns before them they are never as deep as the parser's limit."""
_LINE = re.compile(
    rf"( {{0,40}})(- {{1,4}})?(?:({_KEY}):(?= |$))?"  # see _MOST_SIGNS
    rf"(?: *(?:({_WORD})|({_TEXT})|([\[{{].*?[\]}}])))?(?: +#.*| *)"
)
_INDENT, _DASH, _OPEN, _PLAIN, _QUOTED, _BRACKETS = range(1, 7)
"""The numbers of groups, by which a line is told: nothing after the dash, nothing after the key, ..."""
_NOTHING = re.compile(" *(?:#.*)?")
_NEXT = "---"
_LONGEST = 500
"""Signs of a line: an expression takes memory for each."""
_MOST_KNOWN = 2048

_Line = tuple[int, int, Optional[str], Plain, int]
"""The columns of a line and of what is after its dash (0: no dash), key, value, and its last group.

What is in brackets is its value as JSON, so that each document gets its own.
"""
_Node = Union["dict[str, YamlValue]", "list[YamlValue]"]
_SKIPPED: _Line = (0, 0, None, None, 0)


def read_plain(text: str, reading: Reading) -> Optional[list[tuple[int, YamlValue]]]:
    """Return each document with the line where its first key is; None where the text is not plain."""
    if "\t" in text or "\r" in text or not (text.isascii() or _BREAKS.search(text) is None):
        return None
    known = _known(reading)
    documents: list[tuple[int, YamlValue]] = []
    for begin, written in _parts_of(text.split("\n")):
        lines: list[_Line] = []
        for each in written:
            line = known.get(each) or _named(each, reading) or _read(each, reading, known)
            if line is None:
                return None
            lines.append(line)
        first = next((number for number, line in enumerate(lines, begin + 1) if line is not _SKIPPED), 0)
        root = _tree_of(lines)
        if root is None or not (first or begin == 0):
            return None
        if first:
            documents.append((first, root[""]))
    return documents


def _parts_of(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines between those that end a document, and how many stand before them."""
    begin = 0
    while _NEXT in lines[begin:]:
        end = lines.index(_NEXT, begin)
        yield begin, lines[begin:end]
        begin = end + 1
    yield begin, lines[begin:]


def _tree_of(lines: Iterable[_Line]) -> Optional[dict[str, YamlValue]]:  # noqa: C901 - a call a line would take as long as the rest
    """Return what the lines of a document come to, below ""; None where one has no place."""
    root: dict[str, YamlValue] = {}
    columns: list[int] = [-1]
    nodes: list[_Node] = [root]
    column = -1
    node: _Node = root
    owner: Optional[dict[str, YamlValue]] = root
    name = ""  # where the value goes that the line before has left for the next ones, if it has an owner
    for indent, inner, key, given, group in lines:
        if not group:
            continue
        if owner is not None and (indent > column or (inner and indent == column)):
            column, node = indent, [] if inner else {}
            owner[name] = node
            columns.append(indent)
            nodes.append(node)
        else:
            while columns[-1] > indent:
                columns.pop()
                nodes.pop()
            if not inner and isinstance(nodes[-1], list):  # one that begins below its key, not right of it
                columns.pop()
                nodes.pop()
            column, node = columns[-1], nodes[-1]
            if column != indent:
                return None
        owner = None
        value: YamlValue = given if group < _BRACKETS else json.loads(cast("str", given))
        if inner:
            if not isinstance(node, list):
                return None
            if key is None:
                node.append(value)
                continue
            item: dict[str, YamlValue] = {}
            node.append(item)
            columns.append(inner)
            nodes.append(item)
            column, node = inner, item
        if key is None or isinstance(node, list) or key in node:
            return None
        node[key] = value
        if group == _OPEN:
            owner, name = node, key
    return root


@cache
def _known(_reading: Reading) -> dict[str, _Line]:
    """Return the lines read so far, of which many stand in many manifests."""
    return {}


def _read(written: str, reading: Reading, known: dict[str, _Line]) -> Optional[_Line]:
    """Return what a line says that is not known yet, None where it is not plain."""
    line = _line(written, reading) if len(written) <= _LONGEST else None
    if line is not None:
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[written] = line
    return line


def _named(written: str, reading: Reading) -> Optional[_Line]:
    """Return what `key: "text"` says, as `_line` does: of these hardly any stands in two manifests."""
    head, _, text = written.partition(': "')
    if text[-1:] != '"' or text.find('"') != len(text) - 1 or "\\" in text:
        return None
    known = _head(head, reading)
    return None if known is None else (*known, text[:-1], _QUOTED)


@lru_cache(maxsize=1024)
def _head(head: str, reading: Reading) -> Optional[tuple[int, int, Optional[str]]]:
    """Return columns and key of a line from what stands before its `: "`; None where it is not plain."""
    line = None if "#" in head else _line(f"{head}:", reading)  # what is a comment leaves the key without one
    return None if line is None or line[4] != _OPEN else line[:3]


def _line(written: str, reading: Reading) -> Optional[_Line]:
    """Return what a line says, None where it is not plain."""
    match = _LINE.fullmatch(written)
    if match is None or match.lastindex == _INDENT:
        return _SKIPPED if _NOTHING.fullmatch(written) else None
    indent, inner = match.end(_INDENT), max(0, match.end(_DASH))
    key, group = match[_OPEN], cast("int", match.lastindex)
    if not (inner or key) or group == _DASH or (key and reading.text_keys and key_of(key) != key):
        return None
    value: Plain = None
    if group == _PLAIN:
        try:
            value = read_word(match[_PLAIN], reading=reading)
        except NumberUnusable:
            return None
    elif group == _QUOTED:
        value = match[_QUOTED][1:-1]
    elif group == _BRACKETS:
        value = _as_json(match[_BRACKETS], reading)
        if value is None:
            return None
    # The same keys come in every document: one string for all keeps 1,000 domains small.
    return indent, inner, sys.intern(key) if key else None, value, group


def _as_json(written: str, reading: Reading) -> Optional[str]:
    """Return what stands in brackets as JSON, which has the same grammar; None where it is not plain."""
    pieces: list[str] = []
    end = 0
    for found in _INSIDE.finditer(written):
        key, word, text, sign = found.groups()
        if found.start() != end or (key and reading.text_keys and key_of(key) != key):
            return None
        end = found.end()
        try:
            value = key or (text[1:-1] if text else read_word(word, reading=reading) if word else None)
        except NumberUnusable:
            return None
        pieces.append(sign or f"{json.dumps(value)}{':' if key else ''}")
    made = " ".join(pieces)
    if end != len(written) or sum(map(made.count, "[{")) > _MOST_SIGNS:
        return None
    try:
        _PROOF.decode(made)
    except ValueError:
        return None
    return made


def _once(pairs: list[tuple[str, object]]) -> None:
    """Refuse a key that is there twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError


_PROOF = json.JSONDecoder(object_pairs_hook=_once)
