"""What is in the wheel, and what it says about itself."""

from __future__ import annotations

import email
import re
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
from tests.packaging.building import build_wheel
from tests.packaging.store_files import PROJECT, read_task_json

# Each one is installed again by every build of every user.
MOST_DEPENDENCIES = 5


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
    assert f"{target} = bcs_template_set.command_line:entry_point" in text_in(wheel, "entry_points.txt")


def test_a_second_build_of_the_same_sources_gives_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert build_wheel(tmp_path).read_bytes() == wheel.read_bytes()
