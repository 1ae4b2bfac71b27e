"""Beside other atoms in one Python, the installed step runs on its own parts, and leaves theirs as they are.

Small here: the neighbours are stand-ins that refuse to be used. `make torture-neighbours` installs real ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packaging.building import run
from tests.support.scene import site
from tests.support.worker import Finished, Worker, finish, launch

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
    "def __getattr__(name):\n    if name[:2] != '__':\n        raise SystemError(__name__ + '.' + name)\n"
)
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {app: "{{ app | upper }}"}
"""


@pytest.fixture(scope="module")
def shared(programs: Path) -> Iterator[Path]:
    """Return the programs of a Python that has neighbours, each imported before anything of the step is."""
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    added = [packages / f"{name}.py" for name in NEIGHBOURS]
    for file in added:
        file.write_text(REFUSES, encoding="utf-8")
    first = packages / "neighbours.pth"
    first.write_text(f"import {', '.join(NEIGHBOURS)}\n", encoding="utf-8")
    before = digests(added)
    yield programs
    assert digests(added) == before
    for file in [*added, first]:
        file.unlink()


def digests(files: list[Path]) -> list[str]:
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def published(
    worker: Worker, programs: Path, *, templates: str = "settings.yaml.j2\nbuiltin:web", **environ: str
) -> Finished:
    """Run the installed step: it publishes built-in templates and one that a child renders."""
    (worker.workspace / "settings.yaml.j2").write_text(TEMPLATE, encoding="utf-8")
    directory, given = worker.prepare(templates=templates)
    command = [str(programs / "bcs-template-set")]
    return finish(launch(directory, {**given, **environ}, command=command), directory)


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
    (compiled,) = programs.parent.glob("lib/python*/site-packages/bcs_template_set/parts/yaml/_yaml.*")
    whole = compiled.read_bytes()
    try:
        compiled.write_bytes(bytes(len(whole)))
        with site(tmp_path) as worker:
            finished = published(worker, programs)
    finally:
        compiled.write_bytes(whole)
    assert finished.told["status"] == "success"
    assert "YAML is read by pure Python" in finished.log


@pytest.mark.parametrize("part", ["requests/__init__.py", "jinja2/sandbox.py"])
def test_a_damaged_part_is_named_with_a_code_and_no_traceback(
    programs: Path, tmp_path: Path, part: str
) -> None:
    (package,) = programs.parent.glob("lib/python*/site-packages/bcs_template_set")
    names = (f"parts/{part}", "parts.zip")
    whole = {name: (package / name).read_bytes() for name in names}
    try:
        with site(tmp_path) as worker:
            (package / names[0]).write_bytes(b"")
            assert published(worker, programs).told["status"] == "success"
            (package / names[1]).write_bytes(bytes(100))
            finished = published(worker, programs, templates="settings.yaml.j2")
    finally:
        for name, content in whole.items():
            (package / name).write_bytes(content)
    assert finished.told["errorCode"] == 800110
    assert names[0] in finished.told["message"]
    assert not re.search("Traceback|File ", finished.log + finished.stderr)
