"""Which tests one process runs, one after the other, and which groups of them begin."""

from __future__ import annotations

from collections.abc import Sequence

QUICK = frozenset({"unit", "wire", "contract", "hostile", "mutation", "packaging"})
"""Layers whose files are quick: each file is a group of its own, so what it prepares is prepared once."""

ALONE = "measures seconds, or fills all cores"
WHEEL = "the wheel is built and installed once"
DOMAINS = "110 domains are published once"
SEVERAL_FILES = {
    "tests/torture/test_kill.py": ALONE,
    "tests/end_to_end/test_interruption.py": ALONE,
    "tests/end_to_end/test_many_builds.py": ALONE,
    "tests/end_to_end/test_out_of_time.py": ALONE,
    "tests/end_to_end/test_template_child.py": ALONE,
    "tests/end_to_end/test_matrix.py": DOMAINS,
    "tests/packaging/test_install.py": WHEEL,
    "tests/packaging/test_neighbours.py": WHEEL,
    "tests/packaging/test_without_posix.py": WHEEL,
    "tests/packaging/test_wheel.py": WHEEL,
    "tests/packaging/test_sbom.py": WHEEL,
}
FIRST = (
    *(ALONE, WHEEL, DOMAINS),
    "tests/end_to_end/test_every_field.py::test_every_field_that_is_shown_is_filled_in_by_some_run",
    "tests/torture/test_faults.py::test_a_fault_at_any_request_makes_no_lie_and_is_made_good_by_the_next_run",
    "tests/simulation/test_simulation.py::test_every_promise_holds_in_every_world",
    "tests/simulation/test_simulation.py::test_a_world_is_the_same_again_in_another_process",
    "tests/hostile/test_texts.py",
    "tests/hostile/test_servers.py",
    "tests/contract/test_site.py",
)
"""Groups that take long for their number of tests: begun late, one of them keeps all others waiting."""


WEIGHTS = {"unit": 1, "contract": 2, "packaging": 4, "wire": 4, "hostile": 10, "fuzz": 20, "model": 100}
"""What a test of a layer costs, in hundredths of a second; of the others twenty."""


def in_groups(nodeids: Sequence[str]) -> list[list[int]]:
    """Return the tests' numbers by group: those that take long, then the heaviest first."""
    groups: dict[str, list[int]] = {}
    for number, nodeid in enumerate(nodeids):
        groups.setdefault(group_of(nodeid), []).append(number)
    weights = {group: len(tests) * _weight(nodeids[tests[0]]) for group, tests in groups.items()}
    early = {group: len(FIRST) - place for place, group in enumerate(FIRST)}
    names = sorted(groups, key=lambda group: (early.get(group, 0), weights[group]), reverse=True)
    return [groups[name] for name in names]


def _weight(nodeid: str) -> int:
    return WEIGHTS.get("".join(nodeid.split("/")[1:2]), 20)


def group_of(nodeid: str) -> str:
    """Return the group of a test; elsewhere it is the function, whatever its parameters are."""
    path, _, test = nodeid.partition("::")
    if path in SEVERAL_FILES:
        return SEVERAL_FILES[path]
    layer = path.split("/")[1:2]
    return path if QUICK.issuperset(layer) else f"{path}::{test.partition('[')[0]}"
