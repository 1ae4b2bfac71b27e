"""What is in the wheel, and what it says about itself."""

from __future__ import annotations

import ast
import email
import json
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
from release import bundle
from release.bundle import STORE_FILES
from release.dependencies import read_dependencies
from release.parts import FAST
from release.wheel import build_wheel, copy_sources
from tests.packaging.conftest import parts_here
from tests.packaging.store_files import PROJECT, read_task_json

CARRIED = re.compile(r"bcs_template_set/parts(\.txt|\.zip|/.+)")


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
    own = {name for name in names_in(wheel) if not CARRIED.fullmatch(name)}
    assert {name for name in own if ".dist-info/" not in name} == shipped()


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
    assert [name for name in names_in(wheel) if re.search(r"/test_|/tests/|\.pyc$", name)] == []


def test_its_metadata_ask_for_nothing(metadata: Message) -> None:
    assert "MIT" in (metadata["License-Expression"] or metadata["License"])
    assert {name for name in metadata if name.lower().startswith("requires")} == set()


def test_at_a_desk_pip_brings_what_it_runs_on(desk: Path) -> None:
    metadata = email.message_from_string(text_in(desk, ".dist-info/METADATA"))
    assert metadata["Requires-Python"] == ">=3.9"
    assert metadata.get_all("Requires-Dist") == [str(dependency) for dependency in read_dependencies()]
    assert [name for name in names_in(desk) if CARRIED.fullmatch(name)] == []


def test_it_brings_the_console_script_that_the_worker_starts(wheel: Path) -> None:
    target = read_task_json().execution.target
    assert f"{target} = bcs_template_set:entry_point" in text_in(wheel, "entry_points.txt")


# --- nothing runs when it is installed ------------------------------------------------------------------


def test_installing_it_runs_nothing_and_puts_nothing_beside_the_package(wheel: Path) -> None:
    folders = {name.partition("/")[0] for name in names_in(wheel)}
    assert {folder.rpartition(".")[2] for folder in folders} == {"bcs_template_set", "dist-info"}
    assert [name for name in names_in(wheel) if name.endswith((".pth", ".exe", ".sh"))] == []


def test_its_entry_points_are_one_program_and_no_plugin_of_anything_else(wheel: Path) -> None:
    lines = [line for line in text_in(wheel, "entry_points.txt").splitlines() if line]
    assert [line for line in lines if line.startswith("[")] == ["[console_scripts]"]
    assert len(lines) == len(["the heading", "the program"])


def test_it_is_for_every_python_and_machine(wheel: Path) -> None:
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

    def build(self, sources: Path, parts: Path, folder: Path) -> bytes:
        """Return the zip that this builder gets from a copy of the sources, as `make package` packs it."""
        self._copy(sources, folder / "project")
        self._copy(parts, folder / "parts")
        text = (sources / "release/locked.json").read_bytes()
        locked = {
            **json.loads(text),
            "parts": [part._asdict() for part in parts_here() if part.module not in FAST],
        }
        (folder / "project/release/locked.json").write_text(json.dumps(locked))
        dist = str(folder / "dist")
        for command in (["release.wheel", dist, str(folder / "parts")], ["release.bundle", dist]):
            self._run(command, folder / "project")
        return (folder / "dist/bcsTemplateSet.zip").read_bytes()

    def _run(self, command: list[str], project: Path) -> None:
        subprocess.run(
            [sys.executable, "-m", *command],
            cwd=project,
            env={"PATH": os.environ["PATH"], **self.environment},
            umask=self.umask,
            check=True,
        )

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
    """Return a copy of what a package is built from and with."""
    folder = tmp_path_factory.mktemp("sources") / "project"
    copy_sources(folder)
    for name in ("release", *STORE_FILES):
        is_folder = (PROJECT / name).is_dir()
        (shutil.copytree if is_folder else shutil.copyfile)(PROJECT / name, folder / name)
    return folder


def test_two_who_build_the_same_sources_get_the_same_bytes(
    sources: Path, parts: Path, tmp_path: Path
) -> None:
    ones = ONE.build(sources, parts, tmp_path / "one")
    others = OTHER.build(sources, parts, tmp_path / "a place of another length")
    assert ones == others


def test_nothing_is_packed_without_a_file_that_the_store_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "PROJECT", tmp_path)
    for name in ("step.whl", *STORE_FILES[:-1]):
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match=STORE_FILES[-1]):
        bundle.main([str(tmp_path)])


@pytest.fixture(scope="module")
def desk(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that is made without parts."""
    return build_wheel(tmp_path_factory.mktemp("desk"), project=sources)


def test_other_sources_give_other_bytes(sources: Path, desk: Path, tmp_path: Path) -> None:
    shutil.copytree(sources, tmp_path / "changed")
    with (tmp_path / "changed" / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("one line more\n")
    changed = build_wheel(tmp_path / "after", project=tmp_path / "changed")
    assert changed.read_bytes() != desk.read_bytes()
