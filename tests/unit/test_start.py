"""What keeps the step from starting is said in the log and in output.json, by standard library code alone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Optional

import pytest

import bcs_template_set as start
from bcs_template_set.cli import main
from bcs_template_set.messages.errors import InstallationDamaged, InterpreterTooOld


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the agent's directory."""
    monkeypatch.setenv("bk_data_dir", str(tmp_path))
    monkeypatch.delenv("bk_data_output", raising=False)
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", "en_US")
    return tmp_path


def told(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "output.json").read_text(encoding="utf-8"))
    assert [path.name for path in data.iterdir()] == ["output.json"]
    return found


def test_the_codes_and_types_are_those_of_the_errors() -> None:
    assert (InterpreterTooOld.code, InstallationDamaged.code) == (start.TOO_OLD, start.DAMAGED)
    assert InterpreterTooOld.error_type == InstallationDamaged.error_type == 1


def test_an_interpreter_that_is_too_old_is_named(
    data: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with pytest.raises(SystemExit) as ended:
        start.entry_point((3, 6))
    assert ended.value.code == 1
    output = told(data)
    assert (output["status"], output["errorType"], output["errorCode"]) == ("failure", 1, 800109)
    assert output["message"].startswith("The step needs Python 3.9 or newer, and ")
    assert capfdbinary.readouterr().out.decode().replace("##[error]", "") == f"{output['message']}\n"


@pytest.mark.parametrize(
    ("locale", "begins"),
    [("zh_CN", "本步骤需要"), ("", "本步骤需要"), ("en", "The step needs"), ("EN-us", "The step needs")],
)
def test_it_is_said_in_the_language_of_the_platform(
    data: Path, monkeypatch: pytest.MonkeyPatch, locale: str, begins: str
) -> None:
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", locale)
    with pytest.raises(SystemExit):
        start.entry_point((2, 7))
    assert told(data)["message"].startswith(begins)


def test_a_damaged_package_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def take() -> None:
        raise InstallationDamaged(file="/somewhere/parts.txt")

    monkeypatch.setattr(start, "take", take)
    with pytest.raises(SystemExit):
        start.entry_point()
    assert told(data)["errorCode"] == 800110
    assert "/somewhere/parts.txt" in told(data)["message"]


def test_so_is_a_module_of_our_own(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(main, "entry_point")
    with pytest.raises(SystemExit):
        start.entry_point()
    assert str(main.__file__) in told(data)["message"]


@pytest.mark.parametrize("damage", [NameError("name 'cut' is not defined"), EOFError("cut")])
def test_and_damage_that_names_no_file(
    data: Path, monkeypatch: pytest.MonkeyPatch, damage: Exception
) -> None:
    def begin() -> None:
        raise damage

    monkeypatch.setattr(main, "entry_point", begin)
    with pytest.raises(SystemExit):
        start.entry_point()
    assert (told(data)["errorCode"], str(damage) in told(data)["message"]) == (800110, True)


@pytest.mark.parametrize("catalogue", [None, "", "[]", '{"800109.title": null}', "{}"])
def test_a_damaged_catalogue_leaves_the_code_and_a_sentence(
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    catalogue: Optional[str],
) -> None:
    home = tmp_path_factory.mktemp("home")
    if catalogue is not None:
        (home / "messages").mkdir()
        (home / "messages" / "errors.json").write_text(catalogue, encoding="utf-8")
    monkeypatch.setattr(start, "HOME", str(home))
    with pytest.raises(SystemExit):
        start.entry_point((3, 6))
    assert told(data)["errorCode"] == 800109
    assert told(data)["message"].startswith("The step can't start: 3.6, ")


def test_output_json_is_there_though_nobody_hears_the_log(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard(*_: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(os, "write", unheard)
    with pytest.raises(SystemExit):
        start.entry_point((3, 6))
    assert told(data)["errorCode"] == 800109


def test_a_path_that_is_no_text_is_said_all_the_same(
    data: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "executable", "/\udce7/python")
    with pytest.raises(SystemExit):
        start.entry_point((3, 6))
    assert told(data)["errorCode"] == 800109
    assert b"\\udce7/python" in capfdbinary.readouterr().out


def test_a_disk_without_room_is_said(data: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    start.write(data / "gone" / "output.json", "{}")
    assert capfdbinary.readouterr().out.decode().startswith(f"##[error]{data}/gone/output.json: ")


def test_what_could_not_be_put_in_its_place_is_taken_away(data: Path) -> None:
    (data / "output.json").mkdir()
    start.write(data / "output.json", "{}")
    assert [path.name for path in data.iterdir()] == ["output.json"]


def test_at_a_desk_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("bk_data_dir", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        start.entry_point((3, 6))
    assert [*tmp_path.iterdir()] == []


def test_what_is_whole_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[bool] = []
    monkeypatch.setattr(main, "entry_point", lambda: handed.append(True))
    start.entry_point()
    assert handed == [True]
