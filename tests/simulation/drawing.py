"""Draws a world from a seed. Pure.

Most worlds are small: what goes wrong goes wrong between two builds, and a small world costs little.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tests.simulation.line import DELAYS, ENDINGS, STRIKES
from tests.simulation.people import OF_CLUSTERS, OF_FILES
from tests.simulation.worlds import (
    DEV,
    FEATURE,
    FIRST_USER,
    MAIN,
    OTHER_USER,
    STRANGER,
    BuildPlan,
    FaultPlan,
    PersonPlan,
    World,
)
from tests.support.deploying import CLUSTER, NAMESPACE

Thing = TypeVar("Thing")

COUNTS: Mapping[int, int] = {1: 380, 2: 400, 3: 120, 4: 55, 5: 25, 6: 12, 8: 5, 12: 2, 20: 1}
"""How many builds a world has, and how often: from two on, half as often for each more."""

DIALECTS: Mapping[str, int] = {"C": 8, "A": 6, "B2": 2, "B": 2, "MULTI_TENANT": 2}
GAPS: Mapping[float, int] = {0.0: 2, 0.5: 3, 6.0: 4, 120.0: 4, 300_000.0: 1}
WIDE_GAPS: Mapping[float, int] = {0.0: 1, 6.0: 3, 30.0: 3, 150.0: 6, 300_000.0: 1}
"""Seconds from one build's start to the next one's, at most; deployments take longer."""

ROUGH: Mapping[float, int] = {0.0: 1, 0.2: 4, 1.0: 5, 4.0: 2, 15.0: 1}
FAULTS: Mapping[int, int] = {0: 6, 1: 8, 2: 4, 4: 1}
EACH: Mapping[float, int] = {0.0: 5, 2.0: 2, 25.0: 2}
LATEST = 12.0
RETRIED = 0.3
"""How often older builds of a branch come after newer ones, as where somebody retries them."""


@dataclass(frozen=True)
class _Things:
    names: Sequence[str]
    usual: int
    branches: Mapping[str, int]
    actions: Mapping[str, int]


FOLDER_THINGS = _Things(("a", "b"), 1, {MAIN: 4, DEV: 3, FEATURE: 2}, {"publish": 9, "plan": 1})
CLUSTER_THINGS = _Things(
    ("app", "c", "entry"), 2, {MAIN: 9, DEV: 1}, {"publish": 2, "plan": 1, "deploy": 9, "rollback": 1}
)
DOMAIN_THINGS = _Things(("a", "b"), 1, {MAIN: 4, DEV: 3, FEATURE: 2}, CLUSTER_THINGS.actions)
SCENES: Mapping[str, int] = {"files": 24, "cluster": 5, "domains": 4, "live domains": 3}
SCENES_THINGS: Mapping[str, _Things] = {"cluster": CLUSTER_THINGS, "live domains": DOMAIN_THINGS}
IN_CLUSTER, OF_DOMAINS = ("cluster", "live domains"), ("domains", "live domains")


def draw(seed: int) -> World:
    """Return the world of that seed."""
    chance = random.Random(seed)  # noqa: S311 - replayed
    scene = _one_of(chance, SCENES)
    builds = _builds(chance, scene)
    return World(
        seed,
        builds,
        faults=_faults(chance, builds),
        people=_people(chance, scene, last=builds[-1].at),
        dialect=_one_of(chance, DIALECTS),
        rough=_one_of(chance, ROUGH),
        servers=chance.choice((1, 1, 3)),
        each=_one_of(chance, EACH) if scene in IN_CLUSTER else 0.0,
        bad_image=scene == "cluster" and chance.random() < 0.3,
    )


def _one_of(chance: random.Random, things: Mapping[Thing, int]) -> Thing:
    return chance.choices(list(things), weights=list(things.values()))[0]


def _builds(chance: random.Random, scene: str) -> tuple[BuildPlan, ...]:
    gap, at = _one_of(chance, WIDE_GAPS if scene in IN_CLUSTER else GAPS), 0.0
    builds, numbers = [], [*range(1, _one_of(chance, COUNTS) + 1)]
    is_retried = chance.random() < RETRIED
    if is_retried:
        numbers.reverse()
    for number in numbers:
        builds.append(_build(chance, scene, number, at=round(at, 3)))
        at += gap * chance.random()
    line = builds[0] if is_retried else None
    return tuple(replace(b, branch=line.branch, pipeline=line.pipeline) if line else b for b in builds)


def _build(chance: random.Random, scene: str, number: int, *, at: float) -> BuildPlan:
    things = SCENES_THINGS.get(scene, FOLDER_THINGS)
    names = _some(chance, things.names, usual=things.usual)
    branch, action = _one_of(chance, things.branches), _one_of(chance, things.actions)
    inputs = _inputs(chance, scene, action, branch)
    return BuildPlan(
        number,
        at,
        branch=branch,
        pipeline=_one_of(chance, {"p-1": 9, "p-2": 1}),
        action=action,
        files=tuple((name, chance.choice("123")) for name in names),
        web=scene in OF_DOMAINS,
        inputs=tuple((name, value) for name, value in inputs.items() if value),
        threads=_one_of(chance, {1: 5, 2: 1, 4: 1}),
        minutes=_one_of(chance, {15: 15, 1: 2, 2: 3, 4: 1}),
        job_fails=action == "deploy" and chance.random() < 0.15,
        user=_one_of(chance, {FIRST_USER: 20, OTHER_USER: 9, STRANGER: 1}),
    )


def _some(chance: random.Random, names: Sequence[str], *, usual: int) -> list[str]:
    count = usual if chance.random() < 0.7 else chance.randint(1, len(names))
    return sorted(chance.sample(names, count))


def _inputs(chance: random.Random, scene: str, action: str, branch: str) -> dict[str, str]:
    given = {"on_newer_build": _one_of(chance, {"": 8, "skip": 1, "replace": 1})}
    if scene in OF_DOMAINS and chance.random() < 0.1:
        given["remove_branches"] = DEV if branch != DEV else FEATURE
    if action == "plan" and scene in IN_CLUSTER:
        given |= {"cluster_id": CLUSTER, "namespace": NAMESPACE}
    if action == "deploy":
        given |= {
            "on_failure": _one_of(chance, {"": 2, "restore": 1}),
            "timeout": _one_of(chance, {"": 6, "0": 1, "20": 2}),
            "redeploy": _one_of(chance, {"": 6, "true": 1}),
            "prune": _one_of(chance, {"": 3, "delete": 2, "off": 1}),
            "keep_versions": _one_of(chance, {"": 4, "1": 1}),
        }
    if action == "rollback":
        given["rollback_to"] = _one_of(chance, {"": 2, "build 1": 1})
    return given


def _people(chance: random.Random, scene: str, *, last: float) -> tuple[PersonPlan, ...]:
    if scene in OF_DOMAINS or chance.random() < 0.8:
        return ()
    names = SCENES_THINGS.get(scene, FOLDER_THINGS).names
    acts = (*OF_FILES, *OF_CLUSTERS) if scene == "cluster" else OF_FILES
    count = _one_of(chance, {1: 3, 2: 1})
    moments = [round((last + 20) * chance.random(), 3) for _ in range(count)]
    return tuple(PersonPlan(chance.choice(acts), at, chance.choice(names)) for at in moments)


def _faults(chance: random.Random, builds: Sequence[BuildPlan]) -> tuple[FaultPlan, ...]:
    return tuple(_fault(chance, builds) for _ in range(_one_of(chance, FAULTS)))


def _fault(chance: random.Random, builds: Sequence[BuildPlan]) -> FaultPlan:
    writes = chance.random() < 0.6
    kind = chance.choice((*STRIKES, *DELAYS, *ENDINGS, "lost", "late", "late-504", "kill", "past"))
    return FaultPlan(
        chance.choice(builds).key,
        kind,
        nth=chance.randint(1, 4) if writes else chance.randint(1, 18),
        writes=writes,
        seconds=round(LATEST * chance.random() ** 2, 3),
    )
