"""Draws a world from a seed. Pure.

Most worlds are small: what goes wrong goes wrong between two builds, and a small world costs little.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

from tests.simulation.line import DELAYS, ENDINGS, STRIKES
from tests.simulation.worlds import DEV, FEATURE, MAIN, BuildPlan, FaultPlan, World

Thing = TypeVar("Thing")

COUNTS: Mapping[int, int] = {1: 32, 2: 38, 3: 16, 4: 8, 6: 4, 12: 1, 20: 1}
"""How many builds a world has, and how often."""

DIALECTS: Mapping[str, int] = {"C": 8, "A": 6, "B2": 2, "B": 2, "MULTI_TENANT": 2}
GAPS: Mapping[float, int] = {0.0: 2, 0.5: 4, 3.0: 4, 120.0: 3}
"""Seconds from one build's start to the next one's, at most."""

ROUGH: Mapping[float, int] = {0.0: 1, 0.2: 4, 1.0: 5, 4.0: 2, 15.0: 1}
FAULTS: Mapping[int, int] = {0: 6, 1: 8, 2: 4, 4: 1}
LATEST = 12.0


def draw(seed: int) -> World:
    """Return the world of that seed."""
    chance = random.Random(seed)  # noqa: S311 - replayed
    scene = _one_of(chance, {"files": 12, "domains": 4})
    builds = _builds(chance, scene)
    return World(
        seed,
        builds,
        faults=_faults(chance, builds),
        dialect=_one_of(chance, DIALECTS),
        rough=_one_of(chance, ROUGH),
        servers=chance.choice((1, 1, 3)),
    )


def _one_of(chance: random.Random, things: Mapping[Thing, int]) -> Thing:
    return chance.choices(list(things), weights=list(things.values()))[0]


def _builds(chance: random.Random, scene: str) -> tuple[BuildPlan, ...]:
    gap, at = _one_of(chance, GAPS), 0.0
    builds = []
    for number in range(1, _one_of(chance, COUNTS) + 1):
        builds.append(_build(chance, scene, number, at=round(at, 3)))
        at += gap * chance.random()
    return tuple(builds)


def _build(chance: random.Random, scene: str, number: int, *, at: float) -> BuildPlan:
    names = _some(chance, ("a", "b"), usual=1)
    return BuildPlan(
        number,
        at,
        branch=_one_of(chance, {MAIN: 4, DEV: 3, FEATURE: 2}),
        pipeline=_one_of(chance, {"p-1": 9, "p-2": 1}),
        action=_one_of(chance, {"publish": 9, "plan": 1}),
        files=tuple((name, chance.choice("123")) for name in names),
        web=scene == "domains",
        inputs=_inputs(chance),
        threads=_one_of(chance, {1: 5, 2: 1, 4: 1}),
        minutes=_one_of(chance, {15: 9, 1: 1}),
    )


def _some(chance: random.Random, names: Sequence[str], *, usual: int) -> list[str]:
    count = usual if chance.random() < 0.7 else chance.randint(1, len(names))
    return sorted(chance.sample(names, count))


def _inputs(chance: random.Random) -> tuple[tuple[str, str], ...]:
    given = {"on_newer_build": _one_of(chance, {"": 8, "skip": 1, "replace": 1})}
    return tuple((name, value) for name, value in given.items() if value)


def _faults(chance: random.Random, builds: Sequence[BuildPlan]) -> tuple[FaultPlan, ...]:
    return tuple(_fault(chance, builds) for _ in range(_one_of(chance, FAULTS)))


def _fault(chance: random.Random, builds: Sequence[BuildPlan]) -> FaultPlan:
    writes = chance.random() < 0.6
    kind = chance.choice((*STRIKES, *DELAYS, *ENDINGS, "lost", "late", "late-504", "kill"))
    return FaultPlan(
        chance.choice(builds).key,
        kind,
        nth=chance.randint(1, 4) if writes else chance.randint(1, 18),
        writes=writes,
        seconds=round(LATEST * chance.random() ** 2, 3),
    )
