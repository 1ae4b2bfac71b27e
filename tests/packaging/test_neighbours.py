"""Beside other atoms in one Python, the installed step runs on its own parts, and leaves theirs as they are.

Small here: the neighbours are stand-ins that refuse to be used. `make torture-neighbours` installs real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packaging.building import holding, packages_of, run
from tests.support.installed_step import start_installed
from tests.support.scene import site
from tests.support.worker import Finished, Worker, finish

NEIGHBOURS = (
    "requests",
    "urllib3",
    "idna",
    "certifi",
    "chardet",
    "simplejson",
    "jinja2",
    "markupsafe",
    "yaml",
)
REFUSES = (
    b"def __getattr__(name):\n    if name[:2] != '__':\n        raise SystemError(__name__ + '.' + name)\n"
)


@pytest.fixture(scope="module")
def shared(programs: Path) -> Iterator[Path]:
    """Return the programs of a Python that has neighbours, each imported before anything of the step is."""
    packages = packages_of(programs)
    added = {packages / f"{name}.py": REFUSES for name in NEIGHBOURS}
    first = packages / "neighbours.pth"
    with holding({**added, first: f"import {', '.join(NEIGHBOURS)}\n".encode()}):
        yield programs
        assert {file: file.read_bytes() for file in added} == added


def published(worker: Worker, programs: Path, **environ: str) -> Finished:
    """Run the installed step: it publishes built-in templates and one that a child renders."""
    return finish(*start_installed(worker, programs, environ=environ))


def test_neighbours_that_are_imported_before_it_do_not_reach_the_step(shared: Path, tmp_path: Path) -> None:
    with site(tmp_path) as worker:
        finished = published(worker, shared)
    assert finished.told["status"] == "success", finished.log
    assert finished.value("result") == "published"
    run([str(shared / "python"), "-m", "pip", "check"], cwd=tmp_path)


def test_from_a_path_with_blanks_and_chinese_where_nothing_can_be_written(
    programs: Path, tmp_path: Path
) -> None:
    home = tmp_path / "build 机器"
    home.mkdir()
    with site(home) as worker:
        nowhere = {"LC_ALL": "C", "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"}
        finished = published(worker, programs, **nowhere)
    assert finished.told["status"] == "success", finished.log


def test_where_compiled_code_is_damaged_pure_code_serves_and_the_log_says_so(
    programs: Path, tmp_path: Path
) -> None:
    (compiled,) = packages_of(programs).glob("bcs_template_set/parts/yaml/_yaml.*")
    with holding({compiled: bytes(compiled.stat().st_size)}), site(tmp_path) as worker:
        finished = published(worker, programs)
    assert finished.told["status"] == "success"
    assert "YAML is read by pure Python" in finished.log


@pytest.mark.parametrize("part", ["requests/__init__.py", "jinja2/sandbox.py"])
def test_a_damaged_part_is_named_with_a_code_and_no_traceback(
    programs: Path, tmp_path: Path, part: str
) -> None:
    package = packages_of(programs) / "bcs_template_set"
    with site(tmp_path) as worker, holding({package / "parts" / part: b""}):
        assert published(worker, programs).told["status"] == "success"
        with holding({package / "parts.zip": bytes(100)}):
            finished = finish(*start_installed(worker, programs, environ={}, templates="settings.yaml.j2"))
    assert finished.told["errorCode"] == 800110
    assert f"parts/{part}" in finished.told["message"]
    assert not re.search("Traceback|File ", finished.log + finished.stderr)
