"""What a process costs, seen from outside: seconds on the clock, seconds of CPU, peak memory.

It is started by a small process in between: Linux begins the peak of a new process at that of the one that
starts it, and a bench is large.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

_LAUNCHER = """\
import json, os, signal, sys, time
output, limit, *command = sys.argv[1:]
began = time.monotonic()
with open(output, "wb") as out:
    child = os.posix_spawnp(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
    )
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, float(limit))
_, status, used = os.wait4(child, 0)
seconds = time.monotonic() - began
print(json.dumps([status, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Cost:
    """What a process took; `ended` is False where it was stopped because it took too long."""

    seconds: float
    cpu: float
    megabytes: float
    ended: bool = True


def cost_of(
    command: Sequence[str],
    *,
    cwd: Optional[Path] = None,
    environ: Optional[Mapping[str, str]] = None,
    output: Path = Path(os.devnull),
    limit: float = 600,
) -> Cost:
    """Run a program to its end, or for `limit` seconds, its stdout going into a file."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(output), str(limit), *command]
    done = subprocess.run(launcher, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    status, seconds, cpu, megabytes = json.loads(done.stdout)
    ended = status != signal.SIGKILL
    assert status == 0 or not ended, f"{command} ended with {status}: {done.stderr}"
    return Cost(seconds, cpu, megabytes, ended=ended)


def best_of(rounds: int, *measured: Callable[[], Cost]) -> list[Cost]:
    """Return the least of several rounds, each figure for itself: what other processes cost is left out.

    All take turns, so that a busy minute of the machine meets them alike.
    """
    turns = [[measure() for measure in measured] for _ in range(rounds)]
    return [_least(costs) for costs in zip(*turns)]


def _least(costs: Sequence[Cost]) -> Cost:
    return Cost(
        min(cost.seconds for cost in costs),
        min(cost.cpu for cost in costs),
        min(cost.megabytes for cost in costs),
    )
