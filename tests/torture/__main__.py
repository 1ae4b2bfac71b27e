"""`python -m tests.torture faults|canaries|kill`: all that `make test` samples, and how to replay it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.torture.canaries import all_pokes, count_requests, nest_of, nesting, poke
from tests.torture.cases import Case, all_cases, attack, parse_case, sampled
from tests.torture.killing import drawn, kill

SHOW_EVERY, SHOW_EVERY_KILL = 200, 20
KILLS = 250
"""Every fifth is a SIGKILL: 200 that the step can hear, and 50 that it can't."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("what", choices=("faults", "canaries", "kill"))
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
    cases = [parse_case(text) for text in given.case] or list(all_cases(given.scenario))
    if given.sample:
        cases = sampled(cases, count=given.sample, seed=given.seed)
        print(f"seed {given.seed}")
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
    began, failed = time.monotonic(), 0
    print(f"{len(cases)} cases", flush=True)
    for number, (case, problems) in enumerate(attacked(cases, jobs=jobs), start=1):
        failed += bool(problems)
        for problem in problems:
            print(f"{case}: {problem}", flush=True)
        if problems:
            print(f"replay: python -m tests.torture faults --case {case}", flush=True)
        if number % SHOW_EVERY == 0:
            print(f"  {number} cases, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(cases)} cases, {failed} failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


def canaries(*, seed: int) -> int:
    """Strike every request of a deployment among canaries, and say how it went; 1 if any showed."""
    began, failed, nest = time.monotonic(), 0, nest_of(seed)
    with nesting(nest) as site:
        wanted = list(all_pokes(count_requests(site, nest)))
        print(f"seed {seed}: {len(wanted)} cases", flush=True)
        for number, case in enumerate(wanted, start=1):
            problems = poke(site, nest, case)
            failed += bool(problems)
            for problem in problems:
                print(f"{number}, {case}: {problem}", flush=True)
            if number % SHOW_EVERY == 0:
                print(f"  {number} cases, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(wanted)} cases, {failed} failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


def kills(count: int, *, seed: int) -> int:
    """Stop that many runs, and say how it went; 1 if any went wrong."""
    began, failed = time.monotonic(), 0
    print(f"seed {seed}: {count} runs", flush=True)
    for number, wanted in enumerate(drawn(count, seed=seed), start=1):
        problems = kill(wanted)
        failed += bool(problems)
        for problem in problems:
            print(f"{number}, {wanted}: {problem}", flush=True)
        if number % SHOW_EVERY_KILL == 0:
            print(f"  {number} runs, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{count} runs, {failed} failed, {time.monotonic() - began:.1f} s")
    if failed:
        print(f"again: python -m tests.torture kill --seed {seed} --sample {count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
