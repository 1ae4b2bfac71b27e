"""What `make test` draws of a sweep that `make torture` makes whole, and by which seed.

The seed is `BCS_SEED` where that is set, else always the same, so that a clone that is green today is green
tomorrow; it is printed at the end of every run. `BCS_SWEEPS=whole` draws nothing: all cases run.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

ALWAYS = 20261129
IS_SEEDED_ANEW = bool(os.environ.get("BCS_SEED", ""))
WHOLE = os.environ.get("BCS_SWEEPS", "") == "whole"
_Case = TypeVar("_Case")
_Other = TypeVar("_Other")


def seed_of_this_run() -> int:
    """Return the seed; whoever draws by it names it where something goes wrong."""
    given = os.environ.get("BCS_SEED", "")
    return int(given) if given else ALWAYS


def sampled(cases: Iterable[_Case], *, count: int, seed: int) -> list[_Case]:
    """Return that many of the cases, the same ones for the same seed."""
    known = list(cases)
    return random.Random(seed).sample(known, min(count, len(known)))  # noqa: S311 - no secret


def swept(cases: Iterable[_Case], *, sample: int) -> list[_Case]:
    """Return so many of the cases, in their order; all of them where sweeps are whole."""
    known = list(cases)
    drawn = sampled(range(len(known)), count=len(known) if WHOLE else sample, seed=seed_of_this_run())
    return [known[index] for index in sorted(drawn)]


def in_turn(cases: Iterable[_Case], others: Sequence[_Other]) -> list[tuple[_Case, _Other]]:
    """Return each case with one of the others, in turn; where sweeps are whole, each with each."""
    known = list(cases)
    if WHOLE:
        return list(itertools.product(known, others))
    return [(case, others[number % len(others)]) for number, case in enumerate(known)]


def crossed(cases: Iterable[_Case], others: Sequence[_Other]) -> list[tuple[_Case, _Other]]:
    """Return each case with one of the others, in turn, and the first case with each.

    So no case is left out, and none of the others is without a case. Where sweeps are whole: each with each.
    """
    known = list(cases)
    drawn = in_turn(known, others)
    return drawn if WHOLE else [(known[0], other) for other in others] + drawn[1:]


def examples(count: int, *, sample: int) -> int:
    """Return how many examples Hypothesis looks at: the count where sweeps are whole, else the sample."""
    return count if WHOLE else sample
