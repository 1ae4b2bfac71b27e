"""Builds of many branches that add their path to the same domains at once, in made-up time."""

from __future__ import annotations

import random

import pytest

from tests.simulation.builds import Told
from tests.simulation.running import live
from tests.simulation.worlds import BuildPlan, FaultPlan, World
from tests.support.draws import WHOLE

MORE, MOST_MORE = 45, 75
"""Requests of a build among others, more than it makes alone: on average, and of each."""


def build(number: int, files: int, *, at: float, branch: str = "main") -> BuildPlan:
    domains = tuple((name, "1") for name in "abcde"[:files])
    return BuildPlan(number, at=at, branch=branch, files=domains, web=True, threads=8)


def lived(branches: int, files: int, *, dialect: str, seed: int) -> tuple[Told, ...]:
    """Return how builds end that add their branches within a second, to domains that have none yet."""
    chance = random.Random(seed)  # noqa: S311 - a seed has to give the same again
    builds = [build(10 + n, files, at=2000 + chance.random(), branch=f"b{n:02}") for n in range(branches)]
    world = World(seed, (build(1, files, at=0.0), *builds), dialect=dialect, rough=0.1)
    found = live(world)
    assert found.broken == ()
    return found.told[1:]


@pytest.mark.parametrize("dialect", ["C", "A"] if WHOLE else ["C"])
def test_builds_that_meet_all_end_published_and_ask_little_more_than_alone(dialect: str) -> None:
    branches, files = (20, 5) if WHOLE else (6, 2)
    (alone,) = lived(1, files, dialect=dialect, seed=1)
    for seed in range(4, 9 if WHOLE else 5):  # in the fourth, others merge what some have written
        ends = lived(branches, files, dialect=dialect, seed=seed)
        assert {(end.result, end.code) for end in ends} == {("published", 0)}
        more = [len(end.sent) - len(alone.sent) for end in ends]
        assert sum(more) / len(more) <= MORE
        assert max(more) <= MOST_MORE
        assert max(end.ended - end.began for end in ends) < 30


def test_a_build_whose_lists_lag_plans_again_only_now_and_then() -> None:
    plans = [
        BuildPlan(1, action="deploy", files=(("b", "1"),), web=True),
        BuildPlan(2, at=146.0, branch="feature/x", files=(("b", "1"),), web=True, threads=2, minutes=2),
    ]
    lags = FaultPlan("p-1#2", "past", nth=3, writes=True, seconds=6.826)
    found = live(World(2000317, tuple(plans), faults=(lags,), rough=0.0, each=2.0))
    assert found.broken == ()
    assert max(len(told.sent) for told in found.told) < 400
