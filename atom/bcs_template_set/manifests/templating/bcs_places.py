"""Whose braces a rendered text has: `bcs()`'s, the template's own, or somebody else's. Pure: performs no I/O.

BCS replaces every `{{ … }}` of a file, whoever wrote it. So `bcs()` and the braces of a template's own text
leave marks while the templates run, and only when a file is whole do marks become braces: what has braces
then without a mark came out of a value, a name or a branch. A mark is nine signs of a Unicode plane that no
text uses, so that filters leave it alone; which ones follows from all that the run's values are, so that no
value can hold a mark by chance or on purpose.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

_PRIVATE_NUMBERS, _PRIVATE_SIGNS = 0xF0000, 0x100000
_SIGNS = 0xFFFE
"""Private signs in one plane; the two after them are no characters."""
_OWN = ("{{", "}}")


class Settled(NamedTuple):
    """A rendered text with its braces. `places` are where `bcs()` put a variable, with its name.

    `foreign` are the lines that have a `{{ … }}` of nobody's, `is_cut` says that a piece of a mark is left.
    `left_out` are the comments of its templates: file, first and last line.
    """

    text: str
    places: Mapping[int, str]
    foreign: tuple[int, ...] = ()
    is_cut: bool = False
    left_out: tuple[tuple[str, int, int], ...] = ()


def stem_of(context: Mapping[str, object]) -> str:
    """Return what every mark of a run begins with, from all values that its templates may use."""
    digest = hashlib.sha256(repr(context).encode()).digest()
    return "".join(chr(_PRIVATE_SIGNS + sign % _SIGNS) for sign in memoryview(digest[:16]).cast("H"))


class Marks:
    """The marks of one run. `names` are the variables that have one, in the order of their numbers."""

    def __init__(self, stem: str, names: Sequence[str] = ()) -> None:
        self._stem = stem
        self._mark = re.compile(
            f"{self._stem}([{chr(_PRIVATE_NUMBERS)}-{chr(_PRIVATE_NUMBERS + _SIGNS - 1)}])"
        )
        first = self._stem[0]
        self._spelled = (quote(first), ascii(first).strip("'"))
        self._pieces = (*self._stem, *self._spelled)
        """What a filter may have left of a mark, as it is or spelled in another way."""
        self._own = {text: self._stem + chr(_PRIVATE_NUMBERS + number) for number, text in enumerate(_OWN)}
        self.names = [*names]
        self._known: dict[str, str] = {}

    def of_name(self, name: str) -> str:
        """Return the mark of a variable of BCS.

        Raises:
            ValueError: there are more names than marks.
        """
        if name not in self._known:
            number = len(_OWN) + len(self.names)
            if number == _SIGNS:
                raise TypeError("bcs() was given too many names")
            self._known[name] = self._stem + chr(_PRIVATE_NUMBERS + number)
            self.names.append(name)
        return self._known[name]

    def in_text(self, text: str) -> str:
        """Return a template's own text with marks for its braces."""
        for braces, mark in self._own.items():
            text = text.replace(braces, mark)
        return text

    def as_text(self, json: str) -> str:
        """Return JSON in which BCS sees no braces; what `bcs()` put stays."""
        for braces, mark in self._own.items():
            json = json.replace(mark, braces)
        return json.replace("{{", "{\\u007b")  # in texts alone: JSON has no two elsewhere

    def settled(self, marked: str) -> Settled:
        """Return what a rendered text is when its marks have become braces."""
        pieces: list[str] = []
        places: dict[int, str] = {}
        texts = (*_OWN, *self.names)
        own: set[int] = set()
        end = length = 0
        for match in () if marked.isascii() else self._mark.finditer(marked):
            number = ord(match[1]) - _PRIVATE_NUMBERS
            length += match.start() - end
            if number < len(_OWN):
                own.add(length)
                written = texts[number]
            elif number >= len(texts):  # nobody's, and refused as a piece of a mark is
                written = match[0]
            else:
                places[length] = texts[number]
                written = "{{ " + texts[number] + " }}"
            pieces += (marked[end : match.start()], written)
            end, length = match.end(), length + len(written)
        text = "".join((*pieces, marked[end:]))
        is_cut = any(piece in text for piece in (self._spelled if text.isascii() else self._pieces))
        foreign = _foreign_lines(text, {*places}, own) if "{{" in text else ()
        return Settled(text, places, tuple(foreign), is_cut)


def _foreign_lines(text: str, places: set[int], own: set[int]) -> list[int]:
    from bcs_template_set.manifests.parse import bcs_variables_in  # noqa: PLC0415 - a child only marks, and its start is counted

    lines = []
    line, at = 1, 0
    for variable in bcs_variables_in(text):
        if variable.start in places or {variable.start, variable.end - 2} <= own:
            continue
        line, at = line + text.count("\n", at, variable.start), variable.start
        lines.append(line)
    return lines
