"""`python -m tests.simulation`: worlds for a time, or so many; or one again, with what happens in it.

A world that breaks a promise is made smaller, and printed with the line that replays it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.drawing import draw
from tests.simulation.running import Lived, live, shrunk
from tests.simulation.worlds import read_world
from tests.support.warm_start import compile_once, derive_once, import_everything, warm_children

AT_ONCE = 50
"""Worlds that one process lives before it tells."""

SHOWN = 5
"""Worlds that are made smaller and printed; more are counted."""

EVERY = 60.0
_Chunk = tuple[int, list[int], dict[str, int]]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="live this world, and print what happens")
    parser.add_argument("--world", default="", help="the same, of a world that is written out")
    parser.add_argument("--logs", action="store_true", help="with the logs of its builds")
    parser.add_argument("--runs", type=int, default=0, help="live so many worlds")
    parser.add_argument("--minutes", type=float, default=10.0, help="or for so long")
    parser.add_argument("--first", type=int, default=int(time.time()) * 1000, help="the first one's seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    given = parser.parse_args(arguments)
    if given.world or given.seed is not None:
        return again(live(read_world(given.world) if given.world else draw(given.seed)), logs=given.logs)
    warm_up()
    return hunt(given.first, runs=given.runs, minutes=given.minutes, jobs=given.jobs)


def warm_up() -> None:
    """Do once what each process and each build would do: what is imported, compiled and derived."""
    warm_children()
    compile_once()
    derive_once()
    import_everything()
    gc.freeze()


def again(lived: Lived, *, logs: bool) -> int:
    """Print what happens in a world; 1 if a promise is broken."""
    for told in lived.told if logs else ():
        print(f"--- {told.plan.key}, try {told.attempt}\n{told.log}")
    print(lived)
    return 1 if lived.broken else 0


def hunt(first: int, *, runs: int, minutes: float, jobs: int) -> int:
    """Live worlds one after the other in several processes; 1 if a promise is broken in any."""
    print(f"from seed {first}", flush=True)
    began = said = time.monotonic()
    worlds, broken, ends = 0, 0, Counter[str]()
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        for count, found, ended in _chunks(pool, first, runs=runs, until=began + minutes * 60, jobs=jobs):
            worlds, ends = worlds + count, ends + Counter(ended)
            for seed in found:
                broken += 1
                if broken <= SHOWN:
                    print(f"seed {seed}:\n{shrunk(live(draw(seed)))}\n", flush=True)
            if time.monotonic() - said > EVERY:
                said = time.monotonic()
                print(f"  {worlds} worlds, {broken} broken, {said - began:.0f} s", flush=True)
    seconds = time.monotonic() - began
    print(f"{worlds} worlds, {sum(ends.values())} builds, {broken} broken, {seconds:.0f} s")
    print(", ".join(f"{end or 'killed'} {count}" for end, count in ends.most_common()))
    return 1 if broken else 0


def _chunks(pool: ProcessPoolExecutor, first: int, *, runs: int, until: float, jobs: int) -> Iterator[_Chunk]:
    """Yield what came of the worlds, as many at once as there are processes; so many, or until then."""
    under_way: list[Future[_Chunk]] = []
    for seed in itertools.count(first, AT_ONCE):
        left = first + runs - seed if runs else AT_ONCE
        if left <= 0 or (not runs and time.monotonic() > until):
            break
        under_way.append(pool.submit(lived_from, seed, min(left, AT_ONCE)))
        if len(under_way) > jobs:
            yield under_way.pop(0).result()
    yield from (future.result() for future in under_way)


def lived_from(first: int, count: int) -> _Chunk:
    """Return how many worlds were lived, the seeds of the broken ones, and how their builds ended."""
    broken, ends = [], Counter[str]()
    for seed in range(first, first + count):
        lived = live(draw(seed))
        broken += [seed] if lived.broken else []
        ends.update(told.result for told in lived.told)
    return count, broken, dict(ends)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
