"""The near miss: which known word somebody probably meant. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Optional

LONGEST = 80
"""Characters of a name that somebody may have misspelt; comparing costs the product of two lengths."""

MOST_KNOWN = 500
"""Among more names none is looked for: all that share their letters would be compared one by one."""


def nearest(word: str, known: Iterable[str]) -> Optional[str]:
    """Return the known word that is most like `word`, whatever its case, or None if none is like it.

    None, too, where the word is too long or the words are too many to be compared.
    """
    few = list(islice(known, MOST_KNOWN + 1))
    if len(few) > MOST_KNOWN or len(word) > LONGEST:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it, and start-up is counted

    by_case = {candidate.lower(): candidate for candidate in few if len(candidate) <= LONGEST}
    found = get_close_matches(word.lower(), list(by_case), n=1, cutoff=0.6)
    return by_case[found[0]] if found else None


_DIGITS = re.compile("[0-9]+")
_JOINTS = re.compile("[-._]+")
_TWO = 2
_LETTERS_FOR_ONE, _LETTERS_FOR_ANOTHER, _LETTERS_FOR_TWO = 3, 4, 8
"""So long are words of which one letter may be missing, one may be another, and two may be wrong."""


def misspelt(name: str, known: Iterable[str], *, is_own: bool = False) -> Optional[str]:
    """Return the known name that somebody who wrote `name` meant, None where it may be another's.

    Names that differ by digits alone are versions of one thing, and those that differ in whole words are two
    things: `db-config` is not `app-config`, nor `egress` `ingress`. So one word of all differs by a letter.
    If it hardly ever is another's (`is_own`), a word may be missing or too many.
    """
    words = _words(name)
    few = [(other, _words(other)) for other in islice(known, MOST_KNOWN)]
    letters = (other for other, others in few if _is_misspelt(words, others) or _is_joined(name, other))
    whole = (other for other, others in few if is_own and _has_a_word_more(words, others))
    return next(letters, None) or next(whole, None)


def _words(name: str) -> list[str]:
    return [word for word in _JOINTS.split(_DIGITS.sub("", name.lower())) if word]


def _is_joined(name: str, other: str) -> bool:
    """Tell whether only what stands between words differs, or the case."""
    return "".join(_JOINTS.split(name.lower())) == "".join(_JOINTS.split(other.lower()))


def _is_misspelt(words: list[str], others: list[str]) -> bool:
    differing = [pair for pair in zip(words, others) if pair[0] != pair[1]]
    return len(words) == len(others) and len(differing) == 1 and _is_one_word(*differing[0])


def _has_a_word_more(words: list[str], others: list[str]) -> bool:
    """Tell whether one name is the other and one word."""
    short, long = sorted((words, others), key=len)
    return bool(short) and any(short == long[:at] + long[at + 1 :] for at in range(len(long)))


def _is_one_word(word: str, other: str) -> bool:
    least, slips = min(len(word), len(other)), _slips(word, other)
    if slips == 1:
        is_another_letter = len(word) == len(other) and sorted(word) != sorted(other)
        return least >= (_LETTERS_FOR_ANOTHER if is_another_letter else _LETTERS_FOR_ONE)
    return slips == _TWO and least >= _LETTERS_FOR_TWO and word[0] == other[0]


def _slips(word: str, other: str) -> int:
    """Return how many letters are wrong, missing, too many or changed places (optimal string alignment)."""
    before, row = list(range(len(other) + 1)), list(range(len(other) + 1))
    for i, letter in enumerate(word):
        former, before, row = before, row, [i + 1]
        for j, wanted in enumerate(other):
            cost = min(before[j] + (letter != wanted), before[j + 1] + 1, row[j] + 1)
            if i and j and letter == other[j - 1] and word[i - 1] == wanted:
                cost = min(cost, former[j - 1] + 1)
            row.append(cost)
    return row[-1]
