"""Numbers that are given out once each, by whatever can be copied."""

from __future__ import annotations

import itertools


class RunningNumbers:
    """Counts up, for any number of threads; a copy goes on by itself.

    `itertools.count` alone can't be copied any more from Python 3.14 on, and warns of that before.
    """

    def __init__(self, first: int) -> None:
        self._count = itertools.count(first)

    def __iter__(self) -> RunningNumbers:
        return self

    def __next__(self) -> int:
        return next(self._count)

    def __deepcopy__(self, _memo: dict[int, object]) -> RunningNumbers:
        following = next(self._count)
        self._count = itertools.count(following)
        return RunningNumbers(following)
