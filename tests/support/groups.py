"""Which tests one of pytest-xdist's processes runs, one after the other: its `--dist loadgroup`.

pytest-xdist 3.8 hands a mark's group on in a name that pytest 9.2 reads no more, so that a mark divides
nothing; and who divides has the tests' ids alone. So a file's group stands here.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it has no types
from xdist.workermanage import WorkerController  # type: ignore[import-untyped] # as above

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
    "tests/hostile/test_texts.py",
    "tests/hostile/test_servers.py",
    "tests/contract/test_site.py",
)
"""Groups that take long for their number of tests: begun late, one of them keeps all others waiting."""


class ByGroup(LoadScopeScheduling):  # type: ignore[misc] # as above
    """Gives each group to one process: those that take long, then the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        long = next((group for group in FIRST if group in self.workqueue), None)
        if long is not None:
            self.workqueue.move_to_end(long, last=False)
        super()._assign_work_unit(node)


def group_of(nodeid: str) -> str:
    """Return the group of a test; elsewhere it is the function, whatever its parameters are."""
    path, _, test = nodeid.partition("::")
    if path in SEVERAL_FILES:
        return SEVERAL_FILES[path]
    layer = path.split("/")[1:2]
    return path if QUICK.issuperset(layer) else f"{path}::{test.partition('[')[0]}"
