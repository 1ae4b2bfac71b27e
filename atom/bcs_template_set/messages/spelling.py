"""The near miss: which known word somebody probably meant. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Optional

from bcs_template_set.messages import Text, say

LONGEST = 80
"""Characters of a name that somebody may have misspelt; comparing costs the product of two lengths."""

_LEAST_ALIKE = 0.64
"""`tsl` is as like to `tls` as two thirds; `version` to `region`, which is another word, less."""

MOST_KNOWN = 500
"""Among more names none is looked for: all that share their letters would be compared one by one."""


def nearest(word: str, known: Iterable[str]) -> Optional[str]:
    """Return the known word that is most like `word`, whatever its case, or None if none is like it.

    None, too, where the word is too long or the words are too many to be compared.
    """
    return next(iter(nearest_few(word, known, most=1)), None)


def near_name(key: str, word: str, known: Iterable[str]) -> list[Text]:
    """Return this sentence with what was probably meant in it; none where nothing is like the word."""
    near = nearest(word, known)
    return [say(key, near=near)] if near else []


def nearest_few(word: str, known: Iterable[str], *, most: int) -> list[str]:
    """Return so many known words that are like `word`, the nearest first, as `nearest` does."""
    few = list(islice(known, MOST_KNOWN + 1))
    if len(few) > MOST_KNOWN or len(word) > LONGEST:
        return []
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it, and start-up is counted

    by_case = {candidate.lower(): candidate for candidate in few if len(candidate) <= LONGEST}
    found = get_close_matches(word.lower(), list(by_case), n=most, cutoff=_LEAST_ALIKE)
    return [by_case[near] for near in found]


def with_nearest(mistake: Text, word: str, known: Iterable[str]) -> Text:
    """Return the sentence about a mistake, with the known word that was probably meant, if there is one."""
    near = nearest(word, known)
    return say("settings.did_you_mean", mistake=mistake, near=near) if near else mistake


def not_known(mistake: Text, word: str, known: Iterable[str], *, path: str) -> Text:
    """Return that the word at a path is not known: with the one that was meant, else what lists them all."""
    near = nearest(word, known)
    return say("settings.unknown_near", path=path, near=near) if near else mistake


_DIGITS = re.compile("[0-9]+")
_JOINTS = re.compile("[-._]+")
_LETTERS_FOR_ONE, _LETTERS_FOR_ANOTHER = 3, 4
"""So long are words of which one letter may be missing or misplaced, and of which one may be another."""


class NearNames:
    """Names, to find the one that was meant by another, however many they are.

    Names that differ by digits alone are versions of one thing, and those that differ in whole words are two
    things: `db-config` is not `app-config`, nor `egress` `ingress`. So one word of all differs by a letter.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._whole: dict[tuple[str, ...], str] = {}
        self._joined: dict[str, str] = {}
        self._but_one: dict[tuple[str, ...], str] = {}
        self._but_a_letter: dict[tuple[str, ...], list[tuple[int, str, str]]] = {}
        for name in names:
            words = _words(name)
            self._whole.setdefault(words, name)
            self._joined.setdefault(_joined(name), name)
            for at, word in enumerate(words):
                self._but_one.setdefault(words[:at] + words[at + 1 :], name)
                for part in _but_a_letter(word):
                    key = (*words[:at], part, *words[at + 1 :])
                    self._but_a_letter.setdefault(key, []).append((at, word, name))

    def meant_by(self, name: str, *, is_own: bool = False) -> Optional[str]:
        """Return the name that somebody who wrote this one meant, None where it may be another's.

        If it hardly ever is another's (`is_own`), a word may be missing or too many.
        """
        words = _words(name)
        found = self._joined.get(_joined(name)) or next(self._but_for_a_letter(words), None)
        if found is None and is_own and words:
            rests = (words[:at] + words[at + 1 :] for at in range(len(words)))
            shorter = (self._whole[rest] for rest in rests if rest and rest in self._whole)
            found = self._but_one.get(words) or next(shorter, None)
        return found

    def _but_for_a_letter(self, words: tuple[str, ...]) -> Iterator[str]:
        """Yield the names of which one word differs from these by a letter."""
        for at, word in enumerate(words):
            keys = ((*words[:at], part, *words[at + 1 :]) for part in _but_a_letter(word))
            near = (entry for key in keys for entry in self._but_a_letter.get(key, ())[:MOST_KNOWN])
            yield from (other for place, meant, other in near if place == at and _is_one_word(word, meant))


def _words(name: str) -> tuple[str, ...]:
    return tuple(word for word in _JOINTS.split(_DIGITS.sub("", name.lower())) if word)


def _joined(name: str) -> str:
    return "".join(_JOINTS.split(name.lower()))


def _but_a_letter(word: str) -> Iterable[str]:
    """Return a word, and it without each of its letters: two that differ by a letter have one in common.

    They are in order, so that of names that are as near each run tells the same. What is too long has no
    other: its parts would be as many as its letters, each as long as it.
    """
    if len(word) > LONGEST:
        return (word,)
    return dict.fromkeys((word, *(word[:at] + word[at + 1 :] for at in range(len(word)))))


def _is_one_word(word: str, other: str) -> bool:
    """Tell whether two words that have such a part in common differ by one letter, and are long enough."""
    least = min(len(word), len(other))
    if len(word) != len(other):
        return least >= _LETTERS_FOR_ONE
    wrong = [at for at in range(len(word)) if word[at] != other[at]]
    if len(wrong) == 1:
        return least >= _LETTERS_FOR_ANOTHER
    is_turned = len(wrong) == 2 and wrong[1] - wrong[0] == 1  # noqa: PLR2004 - two letters in the wrong order
    return is_turned and sorted(word) == sorted(other) and least >= _LETTERS_FOR_ONE
