"""`python -m tests.fuzz [--minutes N] [--seed N] [TARGET …]`: feeds the parsers, and keeps what breaks one.

Afterwards the property tests look 200 times as hard as in `make test`. Exits with 1 where anything broke;
its input lies in `tests/fuzz/corpus/<target>/` then, where every later run begins. With `--guided` the
parsers' coverage guides what is tried, by `atheris`, where that is installed (it has wheels for Python 3.11
to 3.13).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from tests.fuzz.attack import Found, attack
from tests.fuzz.targets import CORPUS, TARGETS, Target

MOST_KEPT = 3
"""Inputs kept of one target and run: the same fault breaks in many ways."""

EFFORT = 20


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *(target.name for target in TARGETS)])
    parser.add_argument("--minutes", type=float, default=10.0, help="for all parsers together")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    parser.add_argument(
        "--effort", type=float, default=EFFORT, help="of the property tests; 0: leave them out"
    )
    given = parser.parse_args(arguments)
    wanted = [target for target in TARGETS if not given.targets or target.name in given.targets]
    seconds = given.minutes * 60 / len(wanted)
    print(f"seed {given.seed}", flush=True)
    if given.guided:
        broken = sum(_guided(target, seconds=seconds, seed=given.seed) for target in wanted)
    else:
        broken = sum(_fed(target, seconds=seconds, seed=given.seed) for target in wanted)
    failed = 0 if given.targets or not given.effort else _properties(given.effort, seed=given.seed)
    return 1 if broken or failed else 0


def _fed(target: Target, *, seconds: float, seed: int) -> int:
    """Feed one target for that long; return how often it broke."""
    cases, kept, broken = 0, 0, 0
    for found in attack(target, seed=seed, seconds=seconds):
        cases += 1
        if found is None:
            continue
        broken += 1
        if kept < MOST_KEPT:
            kept += 1
            _keep(found)
    print(f"{target.name}: {cases} cases, {broken} broke it, {seconds:.0f} s", flush=True)
    return broken


def _keep(found: Found) -> Path:
    digest = hashlib.sha256(found.content).hexdigest()[:12]
    path = CORPUS / found.target / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found.content)
    print(f"{found.target} broke; its input is kept in {path.relative_to(Path.cwd())}")
    traceback.print_exception(type(found.error), found.error, found.error.__traceback__, file=sys.stdout)
    return path


def _guided(target: Target, *, seconds: float, seed: int) -> int:
    """Let atheris feed one target, in a process of its own: libFuzzer ends it."""
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, str(int(seconds)), str(seed)]
    status = subprocess.run(command, check=False).returncode
    kept = CORPUS / target.name
    if kept.is_dir() and not any(kept.iterdir()):
        kept.rmdir()
    print(f"{target.name}: {'broke' if status else 'held'}", flush=True)
    return int(status != 0)


def _properties(effort: float, *, seed: int) -> int:
    environ = {**os.environ, "FUZZ_EFFORT": str(effort), "FUZZ_SEED": str(seed)}
    where = str(Path(__file__).parent)
    command = [sys.executable, "-m", "pytest", "-q", f"--hypothesis-seed={seed}", where]
    return subprocess.run(command, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
