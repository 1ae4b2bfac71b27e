"""One attack on one target: its seeds and its corpus first, then changes to them, drawn from a seed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Optional

from tests.fuzz.bounded import Hung, within
from tests.fuzz.mutations import mutated_bytes, seeded
from tests.fuzz.targets import BETWEEN, Target

LONGEST_CASE = 10.0
"""Seconds of real time, on a machine that does other things too."""

MOST_BRED = 500
"""How many of its own changes an attack goes on from: a chain of small ones reaches what a few do not."""


@dataclass(frozen=True)
class Found:
    """An input that broke a target, and how."""

    target: str
    content: bytes
    error: BaseException


def attack(
    target: Target, *, seed: int, cases: Optional[int] = None, seconds: Optional[float] = None
) -> Iterator[Optional[Found]]:
    """Yield for each case what it broke, None where it broke nothing; until either bound is reached."""
    until = None if seconds is None else time.monotonic() + seconds
    for number, content in enumerate(inputs(target, seed=seed)):
        if (cases is not None and number >= cases) or (until is not None and time.monotonic() >= until):
            return
        yield tried(target, content)


def tried(target: Target, content: bytes) -> Optional[Found]:
    """Return what an input broke."""
    try:
        with within(LONGEST_CASE):
            target.eat(content)
    except (Exception, Hung) as exc:  # noqa: BLE001 - not hidden: it is what was looked for
        return Found(target.name, content, exc)
    return None


def inputs(target: Target, *, seed: int) -> Iterator[bytes]:
    """Yield inputs without end; the same ones for the same seed."""
    rng = seeded(f"{target.name} {seed}")
    bred = [*target.seeds, *target.kept()]
    yield from bred
    first = len(bred)
    while True:
        content = mutated_bytes(rng.choice(bred), rng)
        if rng.random() < 0.05:
            content = _crossed(content, rng.choice(bred), rng)
        if rng.random() < 0.2:
            if len(bred) > first + MOST_BRED:
                bred[rng.randrange(first, len(bred))] = content
            else:
                bred.append(content)
        yield content


def _crossed(one: bytes, other: bytes, rng: Random) -> bytes:
    """Return the head of one input and the tail of another, or both as two parts."""
    if rng.random() < 0.5:
        return one[: rng.randint(0, len(one))] + other[rng.randint(0, len(other)) :]
    return one + BETWEEN + other
