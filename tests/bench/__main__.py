"""`make bench`: what the step costs, side by side in one run; `python -m tests.bench api` for one table."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence

from tests.bench import (
    api,
    cold_start,
    dialects,
    fleet,
    growth,
    history,
    installing,
    looking,
    many_builds,
    peers,
    rendering,
    rollout,
    template_child,
)


def main() -> int:
    print(
        f"Python {platform.python_version()}, {api.LATENCY * 1000:.0f} ms of latency added to every request\n"
    )
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            {"api": _requests, "builds": _many_builds}[name]()
        return 0
    _requests()
    table(dialects.HEADINGS, list(dialects.measure()))
    print("three files published; what is found out is how to name files, and where new ones are made\n")
    table(history.HEADINGS, history.measure())
    print("40 files, some changed, some shared by branches; A lists versions a file at a time, and whole\n")
    table(rollout.HEADINGS, rollout.measure())
    print("happened: in the cluster, after it was deployed; told after: from there to the line in the log\n")
    table(fleet.HEADINGS, fleet.measure())
    print("half a second an object, a quarter to look, a gateway that waits a minute; in made-up time\n")
    table(looking.HEADINGS, looking.measure())
    print("without build and whom: lists of the namespace, and dry runs of what they show\n")
    _many_builds()
    table(rendering.HEADINGS, rendering.measure())
    print(
        f"builtin:web rendered, checked, planned; {rendering.schema_milliseconds():.1f} ms for the schema; "
        "the last is as much as a run may have\n"
    )
    table(template_child.HEADINGS, template_child.measure())
    print("templates of one's own, rendered in a child; with one it is the child's start that counts\n")
    table(peers.REQUESTS_HEADINGS, peers.measure_requests())
    print("the same requests in a plain loop of theirs\n")
    table(growth.HEADINGS, growth.measure())
    print("the installed step from its inputs to its verdict, without latency\n")
    _as_installed()
    return 0


def _requests() -> None:
    table(api.HEADINGS, [measured.row() for measured in api.measure()])
    print("bound: the longest chain of round trips, or what this gateway takes; one by one: a plain loop\n")


def _many_builds() -> None:
    for case in many_builds.CASES:
        table(case.headings, many_builds.measure(case))
        print(f"processes of the installed step, on {os.cpu_count()} processors together with the site\n")


def _as_installed() -> None:
    with installing.installed() as ours, installing.installed(at_a_desk=True) as desk:
        step = ours.python.with_name("bcs-template-set")
        table(peers.RENDERING_HEADINGS, peers.measure_rendering(step))
        print(f"whole processes, the best of {peers.ROUNDS} in turns; kustomize once, for a while\n")
        table(installing.HEADINGS, installing.measure(ours, desk))
        print("with pip, from wheels that are here; megabytes of what is installed without bytecode\n")
        table(cold_start.BESIDE_HEADINGS, cold_start.measure_beside(ours.python, desk.python))
        print("cold: nothing is compiled yet; of wheels the store's package may have 15 MB\n")
        starts = cold_start.measure(ours.python)
    table(cold_start.HEADINGS, starts.starts)
    print()
    table(cold_start.PARTS_HEADINGS, starts.parts)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with aligned columns."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
