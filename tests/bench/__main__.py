"""`make bench`: what the step costs, side by side in one run."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence

from tests.bench import api, many_builds, rendering, rollout, starting


def main() -> int:
    print(
        f"Python {platform.python_version()}, {api.LATENCY * 1000:.0f} ms of latency added to every request,"
    )
    print(f"{api.CONCURRENCY} requests at a time\n")
    table(api.HEADINGS, [measured.row() for measured in api.measure()])
    print(
        "bound: the longest chain of round trips x latency; one by one: the same requests in a plain loop\n"
    )
    table(rollout.HEADINGS, rollout.measure())
    print("happened: in the cluster, after it was deployed; told after: from there to the line in the log\n")
    for case in many_builds.CASES:
        table(case.headings, many_builds.measure(case))
        print(f"processes of the installed step, on {os.cpu_count()} processors together with the site\n")
    table(rendering.HEADINGS, rendering.measure())
    print("builtin:web rendered, checked and planned\n")
    table(starting.HEADINGS, starting.measure())
    return 0


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
