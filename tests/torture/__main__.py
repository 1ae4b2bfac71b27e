"""`python -m tests.torture faults|canaries|kill|…`: what `make test` samples, and how to replay it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.support.draws import sampled
from tests.torture.bounds import all_measured, late_verdicts
from tests.torture.canaries import all_pokes, count_requests, nest_of, nesting, poke
from tests.torture.cases import Case, all_cases, attack, parse_case
from tests.torture.killing import drawn, kill
from tests.torture.neighbours import beside_neighbours

SHOW_EVERY, SHOW_EVERY_KILL = 200, 20
KILLS = 250
"""Every fifth is a SIGKILL: 200 that the step can hear, and 50 that it can't."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("what", choices=("faults", "canaries", "kill", "bounds", "neighbours"))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--sample", type=int, default=0, help="that many cases, chosen by the seed; 0: all")
    parser.add_argument("--scenario", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--case", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    given = parser.parse_args(arguments)
    if given.what == "kill":
        return kills(given.sample or KILLS, seed=given.seed)
    if given.what == "canaries":
        return canaries(seed=given.seed)
    if given.what == "bounds":
        return bounds()
    if given.what == "neighbours":
        return beside_neighbours()
    cases = [parse_case(text) for text in given.case] or list(all_cases(given.scenario, seed=given.seed))
    print(f"seed {given.seed}")
    if given.sample:
        cases = sampled(cases, count=given.sample, seed=given.seed)
    return faults(cases, jobs=given.jobs)


def attacked(cases: Sequence[Case], *, jobs: int) -> Iterator[tuple[Case, list[str]]]:
    """Yield every case with what went wrong in it, in order, from that many processes."""
    with ProcessPoolExecutor(jobs) as pool:
        yield from zip(cases, pool.map(attack_by_name, map(str, cases), chunksize=8))


def attack_by_name(name: str) -> list[str]:
    """Return what went wrong in the case of that name; a case itself does not travel between processes."""
    return attack(parse_case(name))


def faults(cases: Sequence[Case], *, jobs: int) -> int:
    """Attack with these cases, and say how it went; 1 if any went wrong."""
    print(f"{len(cases)} cases", flush=True)
    replay = "replay: python -m tests.torture faults --case "
    return 1 if told(attacked(cases, jobs=jobs), what="cases", every=SHOW_EVERY, replay=replay) else 0


def canaries(*, seed: int) -> int:
    """Strike every request of a deployment among canaries, and say how it went; 1 if any showed."""
    nest = nest_of(seed)
    with nesting(nest) as site:
        wanted = list(all_pokes(count_requests(site, nest)))
        print(f"seed {seed}: {len(wanted)} cases", flush=True)
        results = ((case, poke(site, nest, case)) for case in wanted)
        return 1 if told(results, what="cases", every=SHOW_EVERY) else 0


def bounds() -> int:
    """Measure how every family grows, print its seconds, and say how it went; 1 if any grew too much."""
    failed = 0
    for line, problems in all_measured():
        print(line, *problems, sep="  ", flush=True)
        failed += bool(problems)
    for problem in late_verdicts():
        print(problem, flush=True)
        failed += 1
    print(f"{failed} failed")
    return 1 if failed else 0


def kills(count: int, *, seed: int) -> int:
    """Stop that many runs, and say how it went; 1 if any went wrong."""
    print(f"seed {seed}: {count} runs", flush=True)
    failed = told(((one, kill(one)) for one in drawn(count, seed=seed)), what="runs", every=SHOW_EVERY_KILL)
    if failed:
        print(f"again: python -m tests.torture kill --seed {seed} --sample {count}")
    return 1 if failed else 0


def told(results: Iterable[tuple[object, Sequence[str]]], *, what: str, every: int, replay: str = "") -> int:
    """Say what went wrong in each as it ends, and from time to time how far it is; return how many failed."""
    began, number, failed = time.monotonic(), 0, 0
    for number, (case, problems) in enumerate(results, start=1):
        failed += bool(problems)
        for problem in problems:
            print(f"{number}, {case}: {problem}", flush=True)
        if problems and replay:
            print(f"{replay}{case}", flush=True)
        if number % every == 0:
            print(f"  {number} {what}, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{number} {what}, {failed} failed, {time.monotonic() - began:.1f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
