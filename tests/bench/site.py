"""An emulated site in a process of its own, so that measuring does not share an interpreter with it.

Prints its gateway's address. Then answers every line of its standard input with how many requests it got so
far and how many seconds of CPU they took, until the input is closed.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.bench.many_space import fill
from tests.emulator import Emulator


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every request")
    parser.add_argument("--domains", type=int, default=0, help="how many domains the space has")
    parser.add_argument("--branches", type=int, default=0, help="how many branches have paths there")
    parser.add_argument("--same", action="store_true", help="all branches lack the same domains")
    options = parser.parse_args()
    with Emulator(latency=options.latency) as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        if options.domains:
            fill(emulator.state, domains=options.domains, branches=options.branches, same=options.same)
        print(emulator.url, flush=True)
        filled = time.process_time()
        for _ in sys.stdin:
            print(len(emulator.exchanges), time.process_time() - filled, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
