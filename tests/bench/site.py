"""An emulated site in a process of its own, so that measuring does not share an interpreter with it.

Prints its gateway's address, then serves until its standard input is closed.
"""

from __future__ import annotations

import argparse
import sys

from tests.emulator import Emulator


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every request")
    options = parser.parse_args()
    with Emulator(latency=options.latency) as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-canary", vouches_for={"lisi"})
        print(emulator.url, flush=True)
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
