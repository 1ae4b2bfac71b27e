"""What an unquoted YAML word means: text, number, truth or nothing. Pure: performs no I/O.

Two readings. `VALUES` is for what people write into values and settings: only what nobody can take for
text is a number. `MANIFESTS` follows gopkg.in/yaml.v2, with which BCS reads documents at deploy time
(cluster-resources, pkg/action/template/template.go): there `y` is true and `1234e5`, the start of a
commit, is a number. Neither knows timestamps or base 60, as yaml.v2 does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

Plain = Union[None, bool, int, float, str]

_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_CLEAR_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+][0-9]+)?")
_GO_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_LONGEST_INTEGER = 80
_FIRST_OF_NUMBERS = frozenset("0123456789+-.")


class NumberUnusable(ValueError):
    """A number that no Kubernetes field can hold: above 64 bits, infinite or not a number."""


@dataclass(frozen=True)
class Reading:
    """One way to read unquoted words: the words with a meaning, and what counts as a float."""

    words: Mapping[str, Plain]
    floats: re.Pattern[str]


def _words(*, yes: tuple[str, ...], no: tuple[str, ...]) -> Mapping[str, Plain]:
    table: dict[str, Plain] = {}
    table.update(dict.fromkeys(_NULLS))
    table.update(dict.fromkeys(yes, True))
    table.update(dict.fromkeys(no, False))
    return table


VALUES = Reading(words=_words(yes=_TRUE, no=_FALSE), floats=_CLEAR_FLOAT)
MANIFESTS = Reading(words=_words(yes=(*_TRUE, "y", "Y"), no=(*_FALSE, "n", "N")), floats=_GO_FLOAT)


def read_word(text: str, *, reading: Reading) -> Plain:
    """Return what an unquoted word means.

    Raises:
        NumberUnusable: it is a number beyond 64 bits, infinite or not a number.
    """
    if text in reading.words:
        return reading.words[text]
    return _read_number(text, reading=reading) if text[0] in _FIRST_OF_NUMBERS else text


def is_text(word: str) -> bool:
    """Tell whether an unquoted word is text in every reading."""
    try:
        return all(read_word(word, reading=reading) == word for reading in (VALUES, MANIFESTS))
    except NumberUnusable:
        return False


def _read_number(text: str, *, reading: Reading) -> Plain:
    if _INTEGER.fullmatch(text):
        return _read_integer(text)
    if _NOT_FINITE.fullmatch(text):
        raise NumberUnusable
    if not reading.floats.fullmatch(text):
        return text
    number = float(text.replace("_", ""))
    # Go's ParseFloat refuses what overflows, and the word stays text.
    return text if number in (float("inf"), float("-inf")) else number


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
