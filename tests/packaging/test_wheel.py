"""What is in the wheel, and what it says about itself."""

from __future__ import annotations

import ast
import email
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
from release.wheel import build_wheel, copy_sources
from tests.packaging.store_files import PROJECT, read_task_json

# Each one is installed again by every build of every user.
MOST_DEPENDENCIES = 6


def names_in(wheel: Path) -> list[str]:
    with ZipFile(wheel) as archive:
        return archive.namelist()


def text_in(wheel: Path, ending: str) -> str:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(ending)]
        return archive.read(name).decode("utf-8")


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    return email.message_from_string(text_in(wheel, ".dist-info/METADATA"))


def test_the_wheel_has_the_name_that_the_worker_is_told(wheel: Path) -> None:
    assert wheel.name == read_task_json().execution.package_path


def test_one_import_name_comes_out_of_it(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bcs_template_set"}
    assert text_in(wheel, ".dist-info/top_level.txt").split() == ["bcs_template_set"]


def shipped() -> set[str]:
    """Return every file that is ours to ship, by the name it has in the wheel."""
    roots = {"bcs_template_set": PROJECT / "atom/bcs_template_set"}
    roots["bcs_template_set/templates"] = PROJECT / "templates"
    return {
        f"{prefix}/{path.relative_to(root).as_posix()}"
        for prefix, root in roots.items()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_nothing_that_the_step_needs_is_left_out_and_nothing_else_is_in(wheel: Path) -> None:
    assert {name for name in names_in(wheel) if ".dist-info/" not in name} == shipped()


@pytest.mark.parametrize(
    "pattern",
    [
        r"bcs_template_set/py\.typed",
        r"bcs_template_set/messages/errors\.json",
        r"bcs_template_set/report/.*\.html\.j2",
        r"bcs_template_set/templates/web/.*\.j2",
        r"bcs_template_set/templates/web/.*schema.*\.json",
        r"bcs_template_set-.*\.dist-info/(licenses/)?LICENSE",
    ],
)
def test_it_holds_what_the_step_reads_at_run_time(wheel: Path, pattern: str) -> None:
    assert [name for name in names_in(wheel) if re.fullmatch(pattern, name)]


def test_no_test_and_no_compiled_file_is_in_it(wheel: Path) -> None:
    assert [name for name in names_in(wheel) if "test_" in name or "/tests/" in name or ".pyc" in name] == []


def test_its_metadata_say_python_licence_and_few_dependencies(metadata: Message) -> None:
    assert metadata["Requires-Python"] == ">=3.9"
    assert "MIT" in (metadata["License-Expression"] or metadata["License"])
    assert 1 <= len(metadata.get_all("Requires-Dist", [])) <= MOST_DEPENDENCIES


def test_it_brings_the_console_script_that_the_worker_starts(wheel: Path) -> None:
    target = read_task_json().execution.target
    assert f"{target} = bcs_template_set.cli.main:entry_point" in text_in(wheel, "entry_points.txt")


# --- nothing runs when it is installed ------------------------------------------------------------------


def test_installing_it_runs_nothing_and_puts_nothing_beside_the_package(wheel: Path) -> None:
    folders = {name.partition("/")[0] for name in names_in(wheel)}
    assert {folder.rpartition(".")[2] for folder in folders} == {"bcs_template_set", "dist-info"}
    assert [name for name in names_in(wheel) if name.endswith((".pth", ".so", ".dll", ".exe", ".sh"))] == []


def test_its_entry_points_are_one_program_and_no_plugin_of_anything_else(wheel: Path) -> None:
    lines = [line for line in text_in(wheel, "entry_points.txt").splitlines() if line]
    assert [line for line in lines if line.startswith("[")] == ["[console_scripts]"]
    assert len(lines) == len(["the heading", "the program"])


def test_it_is_for_every_python_and_machine_so_it_has_nothing_compiled(wheel: Path) -> None:
    text = text_in(wheel, ".dist-info/WHEEL")
    assert "Root-Is-Purelib: true" in text
    assert "Tag: py3-none-any" in text


def test_building_it_runs_no_code_of_ours_but_setup_py(wheel: Path) -> None:
    keywords = {
        node.arg
        for node in ast.walk(ast.parse((PROJECT / "setup.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
    }
    assert keywords.isdisjoint({"cmdclass", "ext_modules", "scripts", "data_files", "setup_requires"})
    assert not any(name.endswith("/setup.py") for name in names_in(wheel))


# --- the same sources give the same bytes ---------------------------------------------------------------


@dataclass(frozen=True)
class Builder:
    """Somebody who builds: what their machine does to files and programs."""

    umask: int
    mode: int
    time: int
    environment: Mapping[str, str]

    def build(self, sources: Path, folder: Path) -> bytes:
        """Return the wheel that this builder gets from a copy of the sources, as `make package` builds it."""
        self._copy(sources, folder / "project")
        subprocess.run(
            [sys.executable, "-m", "release.wheel", str(folder / "dist")],
            cwd=folder / "project",
            env={"PATH": os.environ["PATH"], **self.environment},
            umask=self.umask,
            check=True,
        )
        (wheel,) = (folder / "dist").iterdir()
        return wheel.read_bytes()

    def _copy(self, source: Path, target: Path) -> None:
        shutil.copytree(source, target)
        for path in target.rglob("*"):
            path.chmod(0o700 if path.is_dir() else self.mode)
            os.utime(path, (self.time, self.time))


ONE = Builder(0o022, 0o644, 1_000_000_000, {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "1"})
OTHER = Builder(
    0o077,
    0o700,
    1_700_000_000,
    {"LC_ALL": "zh_CN.UTF-8", "TZ": "Asia/Shanghai", "PYTHONHASHSEED": "2", "SOURCE_DATE_EPOCH": "1"},
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what a wheel is built from and with."""
    folder = tmp_path_factory.mktemp("sources") / "project"
    copy_sources(folder)
    shutil.copytree(PROJECT / "release", folder / "release")
    return folder


def test_two_who_build_the_same_sources_get_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    ones = ONE.build(sources, tmp_path / "one")
    others = OTHER.build(sources, tmp_path / "a place of another length")
    assert ones == others


def test_other_sources_give_other_bytes(wheel: Path, sources: Path, tmp_path: Path) -> None:
    shutil.copytree(sources, tmp_path / "changed")
    with (tmp_path / "changed" / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("one line more\n")
    assert build_wheel(tmp_path / "after", project=tmp_path / "changed").read_bytes() != wheel.read_bytes()
