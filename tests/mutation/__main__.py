"""`python -m tests.mutation [MODULE …]`: mutates the modules of `targets.py`, or those that are named.

Exits with 1 where a mutant survives that `equivalent.json` does not explain, or where an explanation there
has lost its mutant. `--workers N` runs N at a time; `--lines A-B` takes the mutants of these lines only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from tests.mutation.mutants import Key, Mutant, mutants_of
from tests.mutation.running import baseline, run_all, warm_up
from tests.mutation.targets import TARGETS, Target

EXPLAINED = Path(__file__).parent / "equivalent.json"
SHORTEST = 60.0


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--lines", default="0-1000000")
    options = parser.parse_args(arguments)
    first, last = map(int, options.lines.split("-"))
    unknown = set(options.modules) - {target.module for target in TARGETS}
    if unknown:
        parser.error(f"not in targets.py: {', '.join(sorted(unknown))}")
    warm_up()
    wanted = [target for target in TARGETS if not options.modules or target.module in options.modules]
    return max([_hunt(target, range(first, last + 1), workers=options.workers) for target in wanted])


def _hunt(target: Target, lines: range, *, workers: int) -> int:
    """Mutate one module, print what survived, and return 1 where that is not explained."""
    explained = read_explained(target)
    mutants = [mutant for mutant in mutants_of(target.source()) if mutant.line in lines]
    started = time.monotonic()
    limit = max(SHORTEST, baseline(target) * 10)
    endings = list(run_all(target, mutants, seconds=limit, workers=workers))
    survivors = sorted((m for m, ending in endings if ending == "survived"), key=lambda m: m.line)
    new = [mutant for mutant in survivors if mutant.key not in explained]
    slow = sum(1 for _, ending in endings if ending == "timed out")
    print(
        f"{target.module}: {len(mutants)} mutants, {len(mutants) - len(survivors)} noticed"
        f" ({slow} by time), {len(survivors) - len(new)} explained, {len(new)} survived,"
        f" {time.monotonic() - started:.0f} s",
        flush=True,
    )
    for mutant in new:
        where = f"{mutant.line} in {mutant.place or 'the module'}"
        print(f"  {where}: {mutant.before}  ->  {mutant.after} ({mutant.nth})")
    return 1 if new else 0


def read_explained(target: Target) -> dict[Key, str]:
    """Return why survivors of a module are none: they change nothing that anybody could see."""
    rows = json.loads(EXPLAINED.read_text(encoding="utf-8")).get(target.module, [])
    return {(row["in"], row["before"], row["after"], row.get("nth", 1)): row["because"] for row in rows}


def explains_nothing(target: Target, mutants: Sequence[Mutant]) -> list[Key]:
    """Return the explanations of a module whose mutants are no longer made."""
    made = {mutant.key for mutant in mutants}
    return [key for key in read_explained(target) if key not in made]


if __name__ == "__main__":
    sys.exit(main())
