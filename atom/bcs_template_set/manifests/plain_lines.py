"""The plain part of YAML, read line by line: what nearly all manifests are made of. Pure: performs no I/O.

A line is `key:`, `key: word`, `- word` or `- key: word`, indented as its neighbours are; a word may be a list
of quoted ones. A text of nothing else is read here three times as fast as from a parser's events, and comes
to the same. Where any line is another, the text is left to the parser (`yaml_reading`), which alone says what
is wrong, and where.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Optional, Union

from bcs_template_set.manifests.yaml_words import NumberUnusable, Plain, Reading, key_of, read_word

if TYPE_CHECKING:
    from bcs_template_set.manifests.yaml_reading import YamlValue

_BREAKS = re.compile("[\t\r\x85\u2028\u2029\ufeff]")
"""What is space without being one, or ends a line beside `\\n`."""
_KEY = "[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}"
_WORD = "-{0,2}[A-Za-z0-9_/.$(](?:[^ :#]|:(?=[^ ])| (?=[^ :#]))*"
_TEXT = "\"[^\"\\\\]*\"|'[^']*'"
_TEXTS = re.compile(_TEXT)
_LINE = re.compile(
    rf"( {{0,40}})(- {{1,4}})?(?:({_KEY}):(?= |$))?"  # 40 columns: never as deep as the parser's limit
    rf"(?: *(?:({_WORD})|({_TEXT})|(\{{\}})|(\[(?: *(?:{_TEXT}) *(?:, *(?:{_TEXT}) *)*)?\])))?(?: +#.*| *)"
)
_INDENT, _DASH, _OPEN, _PLAIN, _QUOTED, _MAP, _LIST = range(1, 8)
"""The numbers of groups, by which a line is told: nothing after the dash, nothing after the key, ..."""
_NOTHING = re.compile(" *(?:#.*)?")
_NEXT = "---"
_LONGEST = 500
"""Signs of a line: an expression takes memory for each."""

_Line = tuple[int, int, Optional[str], Union[Plain, tuple[str, ...]], int]
"""The columns of a line and of what is after its dash (0: no dash), key, value, and its last group."""
_SKIPPED: _Line = (0, 0, None, None, 0)


def read_plain(text: str, reading: Reading) -> Optional[list[tuple[int, YamlValue]]]:
    """Return each document with the line where its first key is; None where the text is not plain."""
    if _BREAKS.search(text):
        return None
    documents: list[tuple[int, YamlValue]] = []
    tree, is_first = _Tree(), True
    for number, written in enumerate([*text.split("\n"), _NEXT], 1):
        if written != _NEXT:
            line = _line(written, reading) if len(written) <= _LONGEST else None
            if line is _SKIPPED:
                continue
            if line is None or not tree.takes(line):
                return None
            tree.line = tree.line or number
        else:
            if tree.line:
                documents.append((tree.line, tree.root[""]))
            elif not is_first:
                return None
            tree, is_first = _Tree(), False
    return documents


class _Tree:
    """One document, as far as it is read. `line` is that of its first key, 0 before it."""

    __slots__ = ("_nodes", "_open", "line", "root")

    def __init__(self) -> None:
        self.line = 0
        self.root: dict[str, YamlValue] = {}
        self._nodes: list[tuple[int, Union[dict[str, YamlValue], list[YamlValue]]]] = [(-1, self.root)]
        self._open: Optional[tuple[dict[str, YamlValue], str]] = (self.root, "")
        """Where the value goes that the line before has left for the next ones."""

    def takes(self, line: _Line) -> bool:
        """Add a line; return False where it has no place."""
        indent, inner, key, value, group = line
        nodes = self._nodes
        if self._open is not None and (indent > nodes[-1][0] or (inner and indent == nodes[-1][0])):
            owner, name = self._open
            node = owner[name] = [] if inner else {}
            nodes.append((indent, node))
        else:
            while nodes[-1][0] > indent:
                nodes.pop()
            if not inner and isinstance(nodes[-1][1], list):  # one that begins below its key, not right of it
                nodes.pop()
            column, node = nodes[-1]
            if column != indent:
                return False
        self._open = None
        made: YamlValue = {} if group == _MAP else list(value) if isinstance(value, tuple) else value
        if inner:
            if not isinstance(node, list):
                return False
            if key is None:
                node.append(made)
                return True
            item: dict[str, YamlValue] = {}
            node.append(item)
            nodes.append((inner, item))
            node = item
        if key is None or not isinstance(node, dict) or key in node:
            return False
        node[key] = made
        if group == _OPEN:
            self._open = (node, key)
        return True


@lru_cache(maxsize=2048)
def _line(written: str, reading: Reading) -> Optional[_Line]:
    """Return what a line says, None where it is not plain. Most lines stand in many manifests."""
    match = _LINE.fullmatch(written)
    if match is None or match.lastindex == _INDENT:
        return _SKIPPED if _NOTHING.fullmatch(written) else None
    indent, key, group = match.end(_INDENT), match[_OPEN], match.lastindex or 0
    inner = 0 if match[_DASH] is None else match.end(_DASH)
    if not (inner or key) or group == _DASH or (key and reading.text_keys and key_of(key) != key):
        return None
    value: Union[Plain, tuple[str, ...]] = None
    if group == _PLAIN:
        try:
            value = read_word(match[_PLAIN], reading=reading)
        except NumberUnusable:
            return None
    elif group == _QUOTED:
        value = match[_QUOTED][1:-1]
    elif group == _LIST:
        value = tuple(text[1:-1] for text in _TEXTS.findall(match[_LIST]))
    # The same keys come in every document: one string for all keeps 1,000 domains small.
    return indent, inner, sys.intern(key) if key else None, value, group
