"""Which tests share a process, and that our division is the one at work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.packaging.store_files import PROJECT
from tests.support.groups import FIRST, SEVERAL_FILES, WHEEL, group_of

_ran: list[int] = []


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_one_process_runs_a_group(turn: int, request: pytest.FixtureRequest) -> None:
    """Where several processes run the tests; whoever runs some of these alone has no others to wait for."""
    _ran.append(turn)
    here = [item for item in request.session.items if item.nodeid.startswith(request.node.nodeid[:-2])]
    if request.config.getoption("processes") != "0" and len(here) == 3:
        assert _ran == [*range(turn + 1)]


@pytest.mark.parametrize("path", SEVERAL_FILES)
def test_every_file_that_is_grouped_is_there(path: str) -> None:
    assert (PROJECT / path).is_file()


@pytest.mark.parametrize("group", FIRST)
def test_every_group_that_comes_first_is_one(group: str) -> None:
    path, _, test = group.partition("::")
    if group not in SEVERAL_FILES.values():
        assert group_of(f"{path}::{test}") == group
        assert f"def {test}" in (PROJECT / path).read_text("utf-8")


def test_what_needs_the_wheel_is_in_the_process_that_has_it(request: pytest.FixtureRequest) -> None:
    needing = [item for item in request.session.items if "wheel" in getattr(item, "fixturenames", ())]
    assert [item.nodeid for item in needing if group_of(item.nodeid) != WHEEL] == []


@pytest.mark.parametrize(
    "names",
    [
        ("tests/unit/run/test_a.py::test_one", "tests/unit/run/test_a.py::test_two[x]"),
        ("tests/end_to_end/test_a.py::test_one[BCS-A-x::y]", "tests/end_to_end/test_a.py::test_one[BCS-C-z]"),
        ("tests/packaging/test_install.py::test_one", "tests/packaging/test_wheel.py::test_two"),
    ],
)
def test_these_run_one_after_the_other(names: tuple[str, str]) -> None:
    assert len({group_of(name) for name in names}) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("tests/unit/run/test_a.py::test_one", "tests/unit/run/test_b.py::test_one"),
        ("tests/end_to_end/test_a.py::test_one[x]", "tests/end_to_end/test_a.py::test_two[x]"),
    ],
)
def test_these_may_run_at_once(names: tuple[str, str]) -> None:
    assert len({group_of(name) for name in names}) == 2


FOUR = """
import os, pytest
def test_good(): assert len(getattr(os, "sched_getaffinity", lambda _: {0})(0)) == 1
def test_bad(): assert print("said") or [1] == [2]
@pytest.mark.skip(reason="why")
def test_skipped(): pass
@pytest.fixture
def torn(): yield; raise ValueError
def test_torn(torn): pass
def test_lost(): os._exit(3)
"""
ALONE = """
import os
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, range(os.cpu_count()))
    CORES = os.sched_getaffinity(0)
    def test_anywhere(): assert os.sched_getaffinity(0) == CORES
else:
    def test_anywhere(): pass
"""


@pytest.mark.parametrize(
    ("more", "counted"),
    [((), "2 failed, 3 passed, 1 skipped, 1 error"), (("-x",), "stopping after 1 failures")],
)
def test_what_ends_badly_in_a_forked_process_is_told(
    tmp_path: Path, more: tuple[str, ...], counted: str
) -> None:
    """And each process stays on one core, but for tests that measure seconds or fill all cores."""
    alone = tmp_path / "tests/torture/test_kill.py"
    alone.parent.mkdir(parents=True)
    alone.write_text(ALONE, encoding="utf-8")
    (tmp_path / "test_four.py").write_text(FOUR, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.forked_tests", "--processes", "2", *more]
    done = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert counted in done.stdout
    if not more:
        assert "the process that ran it ended with 3" in done.stdout
        assert "At index 0 diff: 1 != 2" in done.stdout
        assert done.stdout.count("said") > 1
