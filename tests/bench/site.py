"""An emulated site in a process of its own, so that measuring does not share an interpreter with it.

Prints its gateway's address. Then answers every line of its standard input, until that is closed: how many
requests it got so far, how many bytes its answers to them have, and how many seconds of CPU they took. A line
is a number: as many seconds pass for what the folders hold.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.bench.many_space import branch_of, fill
from tests.emulator import Dialect, Emulator
from tests.emulator.door import Door
from tests.support.older_versions import give_past, grow_older


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every request")
    parser.add_argument("--domains", type=int, default=0, help="how many domains the space has")
    parser.add_argument("--branches", type=int, default=0, help="how many branches have paths there")
    parser.add_argument("--same", action="store_true", help="all branches lack the same domains")
    parser.add_argument("--older", type=int, help="how many older versions each file has, on a cluster, too")
    parser.add_argument("--dialect", default=Dialect.C.name, help="which BCS it is")
    parser.add_argument("--handles", type=int, default=0, help="how many requests it handles at a time")
    parser.add_argument("--at-once", type=int, default=0, help="how many under way it does not refuse")
    parser.add_argument("--rate", type=int, default=0, help="how many in a second it does not refuse")
    parser.add_argument("--untold", action="store_true", help="no answer says what a second has left")
    options = parser.parse_args()
    with Emulator(latency=options.latency, dialect=Dialect[options.dialect]) as emulator:
        emulator.door = Door(options.handles, options.at_once, options.rate, tells=not options.untold)
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        if options.domains:
            fill(emulator.state, domains=options.domains, branches=options.branches, same=options.same)
        if options.older is not None:
            give_past(
                emulator.state, options.older, branches=["main", *map(branch_of, range(options.branches))]
            )
            emulator.state.add_cluster("BCS-K8S-40000", namespaces=("prod",), speed=400.0)
        print(emulator.url, flush=True)
        filled = time.process_time()
        for line in sys.stdin:
            grow_older(emulator.state, int(line))
            answered = sum(len(exchange.answer_body) for exchange in emulator.exchanges)
            print(len(emulator.exchanges), answered, time.process_time() - filled, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
