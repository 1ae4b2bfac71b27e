"""Beside other atoms in one Python, the installed step runs on its own parts, and leaves theirs as they are.

Small here: the neighbours are stand-ins that refuse to be used. `make torture-neighbours` installs real ones.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, Optional

import pytest
from tests.packaging.building import holding, packages_of, run
from tests.packaging.store_files import PROJECT
from tests.support.draws import swept
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

Damage = Callable[[bytes], Optional[bytes]]
DAMAGES: tuple[Damage, ...] = (
    lambda _: None,
    lambda held: held[: len(held) // 2],
    lambda held: bytes(len(held)),
)
"""A file that is not there, cut short, or zeros at the same size."""

USED = ("messages/errors.py", "parts/requests/__init__.py", "parts/jinja2/sandbox.py")
"""Files that every run needs: what says so, and what is read early and late."""

OWN = sorted(
    path.relative_to(folder).as_posix()
    for folder in [PROJECT / "atom/bcs_template_set"]
    for path in folder.glob("*/**/*")
    if path.suffix in (".py", ".json", ".j2")
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
        nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), "/nonexistent")
        finished = published(worker, programs, LC_ALL="C", **nowhere)
    assert finished.told["status"] == "success", finished.log


def test_where_compiled_code_is_damaged_pure_code_serves_and_the_log_says_so(
    programs: Path, tmp_path: Path
) -> None:
    (compiled,) = packages_of(programs).glob("bcs_template_set/parts/yaml/_yaml.*")
    with holding({compiled: bytes(compiled.stat().st_size)}), site(tmp_path) as worker:
        finished = published(worker, programs)
    assert finished.told["status"] == "success"
    assert "YAML is read by pure Python" in finished.log


def test_all_that_is_damaged_comes_from_the_copy(programs: Path, tmp_path: Path) -> None:
    package = packages_of(programs) / "bcs_template_set"
    first = {package / "__init__.py", *package.glob("__pycache__/__init__.*")}
    files = {path for path in package.rglob("*") if path.is_file()} - first - {package / "parts.zip"}
    damages = zip(sorted(files), itertools.cycle(DAMAGES))
    with holding({path: damaged(path.read_bytes()) for path, damaged in damages}), site(tmp_path) as worker:
        finished = published(worker, programs)
    assert finished.told["status"] == "success", finished.log + finished.stderr


@pytest.mark.parametrize(
    ("file", "damaged"), [*zip([*swept(OWN, sample=1), *USED], itertools.cycle(DAMAGES))]
)
def test_what_is_damaged_in_the_copy_too_is_named_with_a_code_and_no_traceback(
    programs: Path, tmp_path: Path, file: str, damaged: Damage
) -> None:
    package = packages_of(programs) / "bcs_template_set"
    damages = {package / name: damaged((package / name).read_bytes()) for name in (file, "parts.zip")}
    compiled = dict.fromkeys((package / file).parent.glob("__pycache__/*"))
    with site(tmp_path) as worker, holding({**damages, **compiled}):
        finished = finish(*start_installed(worker, programs, environ={}, templates="settings.yaml.j2"))
    assert not re.search('Traceback|File "', finished.log + finished.stderr)
    if file in USED or finished.told["status"] != "success":
        assert finished.told["errorCode"] == 800110
        assert f"bcs_template_set/{file}" in finished.told["message"]


def test_a_full_disk_is_named_with_a_code_and_no_traceback(programs: Path, tmp_path: Path) -> None:
    unwritten = {"PYTHONDONTWRITEBYTECODE": "1"}  # else what is cut stays for other tests
    with site(tmp_path) as worker:
        finished = finish(*start_installed(worker, programs, environ=unwritten, largest_file=1000))
    assert finished.told["errorCode"] == 800106
    assert "output.json can't be written: File too large" in finished.told["message"]
    assert not re.search('Traceback|File "', finished.log + finished.stderr)
