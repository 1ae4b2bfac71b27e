"""Which lines two texts share, found by work that grows as the texts do. Pure: performs no I/O.

`difflib` compares, at worst, every line with every other, over and over. Here each of its steps is paid for
before it begins; where nothing is left, only lines that are the same at both ends are taken for shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher
from itertools import accumulate
from typing import Optional

CONTEXT_LINES = 3
WORK_AT_LEAST = 200_000
"""How many comparisons any two texts may take; longer ones one more for each of their characters."""

_MOST_PLACES = 20
"""Lines that stand in more places of a long text, such as `- name: http`, tell little and cost most."""

Hunk = tuple[str, list[str]]
"""A hunk's first line and its lines, each with its sign before it."""


class BoundedMatcher(SequenceMatcher[str]):
    """Finds what two texts share; `work` is what it may spend, `spent` what it has."""

    b2j: dict[str, list[int]]

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new)
        self._old, self._new = old, new
        self.work = WORK_AT_LEAST + sum(map(len, old)) + sum(map(len, new))
        self.spent = 0
        places = self.b2j
        if sum(len(places.get(line, ())) for line in old) > WORK_AT_LEAST:
            places = {line: found for line, found in places.items() if len(found) <= _MOST_PLACES}
            self.b2j = places
        self._prices = [0, *accumulate(1 + len(places.get(line, ())) for line in old)]

    def find_longest_match(
        self, alo: int = 0, ahi: Optional[int] = None, blo: int = 0, bhi: Optional[int] = None
    ) -> Match:
        """Return the longest match of the two parts or, where that would cost too much, the one at an end."""
        old_end = len(self._old) if ahi is None else ahi
        new_end = len(self._new) if bhi is None else bhi
        price = self._prices[old_end] - self._prices[alo]
        if self.spent + price > self.work:
            return self._match_at_an_end(alo, old_end, blo, new_end)
        self.spent += price
        return super().find_longest_match(alo, old_end, blo, new_end)

    def _match_at_an_end(self, alo: int, ahi: int, blo: int, bhi: int) -> Match:
        most = min(ahi - alo, bhi - blo)
        same = next((n for n in range(most) if self._old[alo + n] != self._new[blo + n]), most)
        if same:
            return Match(alo, blo, same)
        same = next((n for n in range(most) if self._old[ahi - 1 - n] != self._new[bhi - 1 - n]), most)
        return Match(ahi - same, bhi - same, same)


def changed_hunks(old: Sequence[str], new: Sequence[str]) -> Iterator[Hunk]:
    """Yield the hunks of the unified diff of two texts' lines, as `difflib.unified_diff` writes them."""
    for group in BoundedMatcher(old, new).get_grouped_opcodes(CONTEXT_LINES):
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        lines: list[str] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [" " + line for line in old[i1:i2]]
            else:
                lines += ["-" + line for line in old[i1:i2]]
                lines += ["+" + line for line in new[j1:j2]]
        yield f"@@ -{_range(old_start, old_end)} +{_range(new_start, new_end)} @@\n", lines


def _range(start: int, end: int) -> str:
    """Return a range of lines, counted from 1; an empty one begins at the line before it."""
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
