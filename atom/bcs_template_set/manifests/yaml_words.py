"""What an unquoted YAML word means: text, number, truth or nothing. Pure: performs no I/O.

Readings. `SETTINGS` is for what people write into private settings: only what nobody can take for text is a
number. `VALUES` is the same where templates print what they read, so each word has to be printed as it is
written. In `TEXTS` every word is text. `MANIFESTS` follows gopkg.in/yaml.v2 (its resolve.go), with which BCS
reads documents at deploy time (cluster-resources, pkg/action/template/template.go): there `y` is true, `0X1F`
is 31, and `1234e5` and `12_3e4`, the starts of commits, are numbers. None makes anything of times or base 60,
as yaml.v2 does not.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Union

from bcs_template_set.records.late_dataclass import dataclass

Plain = Union[None, bool, int, float, str]

_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_CLEAR_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+][0-9]+)?")
_GO_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""yaml.v2's own expression, for a word that its first sign calls a number, without its `_`."""
_GO_DOTTED = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
"""What Go's ParseFloat takes of words that begin with a dot, where a `_` stands between digits only."""
_GO_INTEGER = re.compile(r"[-+]?(0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_LONGEST_INTEGER = 80
_FIRST_OF_NUMBERS = frozenset("0123456789+-.")


class NumberUnusable(ValueError):
    """A number that no Kubernetes field can hold: above 64 bits, infinite or not a number."""


class SpellingLost(NumberUnusable):
    """A word that would be printed otherwise than it is written: `1.10`, `0123456`, `on`."""

    def __init__(self, value: Plain) -> None:
        self.value = value


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to read unquoted words: the words with a meaning, and what a word is that may be a number.

    With `text_keys`, a key must be one that arrives as it is written, with `same_spelling` a word.
    """

    words: Mapping[str, Plain]
    number: Callable[[str], Plain]
    text_keys: bool = False
    same_spelling: bool = False


def _words(*, yes: tuple[str, ...], no: tuple[str, ...]) -> Mapping[str, Plain]:
    table: dict[str, Plain] = {}
    table.update(dict.fromkeys(_NULLS))
    table.update(dict.fromkeys(yes, True))
    table.update(dict.fromkeys(no, False))
    return table


def read_word(text: str, *, reading: Reading) -> Plain:
    """Return what an unquoted word means.

    Raises:
        NumberUnusable: it is a number beyond 64 bits, infinite or not a number.
        SpellingLost: it is one that would be printed otherwise than it is written.
    """
    if text in reading.words:
        value = reading.words[text]
    elif text[0] not in _FIRST_OF_NUMBERS:
        return text
    elif _NOT_FINITE.fullmatch(text):
        raise NumberUnusable
    else:
        value = reading.number(text)
    if reading.same_spelling and text and not isinstance(value, str) and json.dumps(value) != text:
        raise SpellingLost(value)
    return value


@lru_cache(maxsize=4096)
def key_of(text: str) -> str:
    """Return what BCS makes of an unquoted key: it reads it as any word, and writes down what that means.

    `on: x` is the key `true`, `null: x` the key `` (facts/manifests.md, "YAML as BCS reads it", and trap 19).
    """
    try:
        value = read_word(text, reading=MANIFESTS)
    except NumberUnusable:
        return ""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value).removesuffix(".0")


def is_text(word: str) -> bool:
    """Tell whether an unquoted word is text in every reading."""
    try:
        return all(read_word(word, reading=reading) == word for reading in (VALUES, MANIFESTS))
    except NumberUnusable:
        return False


# --- numbers --------------------------------------------------------------------------------------------


def _clear_number(text: str) -> Plain:
    """Return the number that nobody can take for text, else the text."""
    if _INTEGER.fullmatch(text):
        return _read_integer(text)
    return _read_float(text) if _CLEAR_FLOAT.fullmatch(text) else text


def _number_of_go(text: str) -> Plain:
    """Return what yaml.v2 makes of a word: all `_` are taken out first, unless it begins with a dot."""
    if text[0] == ".":
        return _read_float(text) if _GO_DOTTED.fullmatch(text) else text
    plain = text.replace("_", "")
    if _GO_INTEGER.fullmatch(plain):
        return _read_integer(plain)
    number = _read_float(plain) if _GO_FLOAT.fullmatch(plain) else plain
    return text if isinstance(number, str) else number


def _read_float(text: str) -> Plain:
    number = float(text.replace("_", ""))
    # Go's ParseFloat refuses what overflows, and the word stays text.
    return text if math.isinf(number) else number


def _read_integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER:
        raise NumberUnusable
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits in ("0x", "0o", "0b"):
        raise NumberUnusable
    if re.fullmatch(r"0[0-7]+", digits):
        digits = "0o" + digits[1:]
    number = sign * int(digits, 0)
    if not _SMALLEST <= number <= _LARGEST:
        raise NumberUnusable
    return number


SETTINGS = Reading(words=_words(yes=_TRUE, no=_FALSE), number=_clear_number)
VALUES = replace(SETTINGS, same_spelling=True)
TEXTS = Reading(words=_words(yes=(), no=()), number=lambda text: text)
MANIFESTS = Reading(words=_words(yes=(*_TRUE, "y", "Y"), no=(*_FALSE, "n", "N")), number=_number_of_go)
WRITTEN = replace(MANIFESTS, text_keys=True)
"""How a manifest of ours is read: `MANIFESTS`, of which every key arrives as it is written."""
