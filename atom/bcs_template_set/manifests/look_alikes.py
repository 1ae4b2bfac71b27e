"""Characters that look like an ASCII one, or like nothing, where nobody means them. Pure: performs no I/O.

In text for people they are right. So a key or a name is looked at only where ASCII would be all of it, and a
line of YAML only where a key should stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Optional

from bcs_template_set.messages import Text, say

_BLANKS = "\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_UNSEEN = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_LETTERS = {
    **dict(zip(map(ord, "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһԛԝ"), "ABESIJKMHOPCTYXaesijopcyxdhqw")),
    **dict(zip(map(ord, "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ"), "ABEZHIKMNOPTYXovp")),
}
"""Of Cyrillic and Greek words, where they are beside ASCII letters."""

_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_ALIKE = {
    **_WIDE,
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u2036\xab\xbb\u301d\u301e"), '"'),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201b\u2032\u2035\xb4\u02bc\u02b9"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u30fc"), "-"),
    **dict.fromkeys(map(ord, "\u2236\ufe55\ua789\u02d0\ufe13"), ":"),
    **dict.fromkeys(map(ord, "\u2024\ufe52\u3002\u00b7"), "."),
    **dict.fromkeys(map(ord, "\u2044\u2215\u29f8"), "/"),
    **dict.fromkeys(map(ord, "\ufe50\u3001\u201a"), ","),
    **_LETTERS,
}
_SIGN = re.compile("[" + _BLANKS + _UNSEEN + re.escape("".join(map(chr, _ALIKE))) + "]")
_BLANK = re.compile(f"[{_BLANKS}]")
_OTHER = re.compile("[^\x00-\x7f]")
_ASCII_LETTER = re.compile("[A-Za-z]")
_VALUE = re.compile(r":[ \t]|[#'\"]")
"""Where a line's indentation and key are over."""


def disguised(text: str) -> Optional[int]:
    """Return where the first such character is in a text that is else ASCII; None if nowhere."""
    first = None if text.isascii() else _SIGN.search(text)
    if first is None or _OTHER.search(_SIGN.sub("", text)):
        return None
    is_foreign_word = ord(first[0]) in _LETTERS and not _ASCII_LETTER.search(text)
    return None if is_foreign_word else first.start()


def sentence(sign: str, *, ends_key: bool = False) -> Text:
    """Return what is said of such a character, by its code point; a colon that `ends_key` needs a blank."""
    code, number = f"U+{ord(sign):04X}", ord(sign)
    if number in _ALIKE:
        like = _ALIKE[number].replace('"', '\\"')
        if number not in _WIDE:
            return say("render.sign_alike", code=code, like=like)
        key = "render.sign_wide_colon" if ends_key and like == ":" else "render.sign_wide"
        return say(key, code=code, sign=sign, like=like)
    return say("render.sign_blank" if _BLANK.match(sign) else "render.sign_unseen", code=code)


class Sign(NamedTuple):
    """Where such a character is, from 0, and what is said of it."""

    line: int
    column: int
    problem: Text


def sign_before_value(lines: Iterable[str]) -> Optional[Sign]:
    """Return the first such character in the indentation or key of lines of YAML; None if there is none."""
    for number, line in enumerate(lines):
        value = _VALUE.search(line)
        found = _SIGN.search(line[: value.start()] if value else line)
        if found is not None:
            return Sign(number, found.start(), sentence(found[0], ends_key=True))
    return None
