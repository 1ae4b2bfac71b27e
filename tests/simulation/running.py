"""Lives a world and tells what does not hold in it; makes a world that fails smaller."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.simulation.builds import Told
from tests.simulation.promises import Seen, breaches
from tests.simulation.site import SimulatedSite, same
from tests.simulation.worlds import BuildPlan, World

MOST_TRIES = 400
"""Worlds that are lived to make one smaller."""


@dataclass(frozen=True)
class Lived:
    """A world that has come to rest: what happened, line by line, and what did not hold."""

    world: World
    lines: tuple[str, ...]
    told: tuple[Told, ...]
    broken: tuple[tuple[str, str], ...]

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the promises that do not hold."""
        return frozenset(name for name, _ in self.broken)

    def __str__(self) -> str:
        broken = [f"{name}: {how}" for name, how in self.broken]
        replay = f"replay: python -m tests.simulation --world '{self.world}'"
        return "\n".join([*self.lines, "", *(broken or ["every promise holds"]), replay])


def live(world: World, *, as_done: Callable[[BuildPlan], BuildPlan] = same) -> Lived:
    """Live a world; `as_done` says what its builds do in place of what they are to do."""
    state = random.getstate()
    random.seed(world.seed)  # the gateway draws its jitter there
    site = SimulatedSite(world, as_done=as_done)
    try:
        site.live()
        broken = breaches(Seen(site, site.told))
    finally:
        site.close()
        random.setstate(state)
    return Lived(world, tuple(site.lines), tuple(site.told), tuple(broken))


def shrunk(lived: Lived, *, again: Callable[[World], Lived] = live) -> Lived:
    """Return a world in which one of the same promises is broken, as small as taking away makes it."""
    wanted, tries = lived.names, 0
    while True:
        for world in smaller(lived.world):
            tries += 1
            found = again(world)
            if found.names & wanted:
                lived = found
                break
            if tries >= MOST_TRIES:
                return lived
        else:
            return lived


def smaller(world: World) -> Iterator[World]:
    """Yield worlds with one thing less, the largest first."""
    for build in world.builds if len(world.builds) > 1 else ():
        others = tuple(other for other in world.builds if other is not build)
        yield replace(world, builds=others, faults=tuple(f for f in world.faults if f.build != build.key))
    for fault in world.faults:
        yield replace(world, faults=tuple(other for other in world.faults if other is not fault))
    for person in world.people:
        yield replace(world, people=tuple(other for other in world.people if other is not person))
    plain = World(0, ())
    for name in ("dialect", "servers", "each", "bad_image", "rough"):
        if getattr(world, name) != getattr(plain, name):
            yield replace(world, **{name: getattr(plain, name)})
    for number, build in enumerate(world.builds):
        for simpler in _simpler(build):
            yield replace(world, builds=(*world.builds[:number], simpler, *world.builds[number + 1 :]))


def _simpler(build: BuildPlan) -> Iterator[BuildPlan]:
    plain = BuildPlan(build.number)
    for name in ("inputs", "threads", "minutes", "job_fails", "web", "action", "at", "branch", "user"):
        if getattr(build, name) != getattr(plain, name):
            yield replace(build, **{name: getattr(plain, name)})
    for file in build.files if len(build.files) > 1 else ():
        yield replace(build, files=tuple(other for other in build.files if other is not file))
