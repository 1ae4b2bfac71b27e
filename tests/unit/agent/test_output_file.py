"""`output.json`: always valid, always whole, and pessimistic until the step knows better."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.agent.output_file import (
    MOST_MESSAGE_UNITS,
    MOST_STRING_UNITS,
    OutputField,
    OutputFile,
    artifact_field,
    failure,
    output_path,
    pessimistic,
    report_field,
    string_field,
    success,
    utf16_units,
    valid_document,
)
from bcs_template_set.messages.errors import InputUnreadable, WorkspaceUnwritable
from bcs_template_set.messages.server_errors import Unreachable
from bcs_template_set.messages.step_error import Defect


def written(path: Path) -> dict[str, object]:
    content = json.loads(path.read_text(encoding="ascii"))
    assert isinstance(content, dict)
    return content


class Stopped(BaseException):
    """What a signal handler raises in the middle of anything."""


def test_a_success_is_written_as_the_platform_reads_it(tmp_path: Path) -> None:
    path, kept = tmp_path / "output.json", tmp_path / "kept.yaml"
    kept.write_text("a: b")
    fields: dict[str, OutputField] = {
        "result": string_field("published"),
        "rendered": artifact_field([str(kept)]),
        "report": report_field(label="Report", path=".report"),
    }
    OutputFile(path).write(success("done", fields))
    assert written(path) == {
        "status": "success",
        "message": "done",
        "type": "default",
        "data": {
            "result": {"type": "string", "value": "published"},
            "rendered": {"type": "artifact", "value": [str(kept)]},
            "report": {
                "type": "report",
                "reportType": "INTERNAL",
                "label": "Report",
                "path": ".report",
                "target": "index.html",
            },
        },
    }


def test_a_failure_carries_the_errors_type_code_title_and_cure(tmp_path: Path) -> None:
    error = Unreachable(url="https://x.example.com", problem="refused")
    path = tmp_path / "output.json"
    OutputFile(path).write(failure(error, {"result": string_field("failed")}, language="en_US"))
    content = written(path)
    assert (content["status"], content["errorType"], content["errorCode"]) == ("failure", 2, 800601)
    assert str(error.title()) in str(content["message"])
    assert str(error.cure()) in str(content["message"])


def test_a_defect_ends_in_status_error_and_another_failure_in_failure() -> None:
    assert failure(Defect(kind="KeyError", place="x.py:1"), {}, language="zh_CN")["status"] == "error"
    mistake = failure(InputUnreadable(file="f", problem="p"), {}, language="zh_CN", message="short")
    assert (mistake["status"], mistake["message"]) == ("failure", "short")


def test_the_pessimistic_output_blames_the_step_and_not_the_user(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    OutputFile(path).write(pessimistic("en_US"))
    content = written(path)
    assert (content["status"], content["errorType"], content["errorCode"]) == ("error", 3, 800901)
    assert "ended without a word" in str(content["message"])
    assert (content["type"], content["data"]) == ("default", {})


def test_the_file_may_be_written_any_number_of_times_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = OutputFile(tmp_path / "output.json")
    for round_ in range(3):
        file.write(success(str(round_), {}))
    assert written(file.path)["message"] == "2"
    assert [entry.name for entry in tmp_path.iterdir()] == ["output.json"]


def test_the_file_beside_it_is_new_and_whole_on_the_disk_before_it_takes_its_place(tmp_path: Path) -> None:
    path, elsewhere, sizes = tmp_path / "output.json", tmp_path / "elsewhere", list[int]()
    elsewhere.touch()
    (tmp_path / f".output.json.{os.getpid()}.0").symlink_to(elsewhere)
    OutputFile(path, sync=lambda file: sizes.append(os.fstat(file).st_size)).write(success("done", {}))
    assert sizes == [path.stat().st_size]
    assert (elsewhere.read_bytes(), path.is_symlink()) == (b"", False)


def test_a_full_disk_is_said_and_the_pessimistic_output_still_stands(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    OutputFile(path).write(pessimistic("en_US"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(WorkspaceUnwritable) as caught:
        OutputFile(path, sync=full).write(success("done", {}))
    assert "No space left on device" in str(caught.value)
    assert str(path) in str(caught.value)
    assert written(path)["errorCode"] == 800901
    assert [entry.name for entry in tmp_path.iterdir()] == ["output.json"]


def test_a_place_that_can_not_be_replaced_is_said(tmp_path: Path) -> None:
    (tmp_path / "output.json").mkdir()
    with pytest.raises(WorkspaceUnwritable):
        OutputFile(tmp_path / "output.json").write(success("done", {}))
    with pytest.raises(WorkspaceUnwritable):
        OutputFile(tmp_path / "missing" / "output.json").write(success("done", {}))
    with pytest.raises(WorkspaceUnwritable):
        OutputFile(tmp_path / "nul\0" / "output.json").write(success("done", {}))


@contextmanager
def interrupted(at: str, path: Path) -> Iterator[OutputFile]:
    def stop(*_: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        yield OutputFile(path, sync=stop) if at == "sync" else OutputFile(path, replace=stop)


@pytest.mark.parametrize("at", ["sync", "replace"])
def test_a_write_that_a_signal_interrupts_leaves_the_old_result_and_can_be_made_again(
    tmp_path: Path, at: str
) -> None:
    path = tmp_path / "output.json"
    OutputFile(path).write(pessimistic("zh_CN"))
    with interrupted(at, path) as file:
        file.write(success("done", {}))
    assert written(path)["errorCode"] == 800901
    OutputFile(path).write(success("done", {}))
    assert written(path)["status"] == "success"
    assert [entry.name for entry in tmp_path.iterdir()] == ["output.json"]


def test_a_result_stands_only_where_the_platform_can_read_it(tmp_path: Path) -> None:
    file = OutputFile(tmp_path / "output.json")
    assert not file.stands()
    for broken in ("", "{", "[]", "{}", '{"status": "fine"}'):
        file.path.write_text(broken)
        assert not file.stands()
    mistake = failure(InputUnreadable(file="f", problem="p"), {}, language="en_US")
    for written_ in (pessimistic("en_US"), mistake, success("done", {})):
        file.write(written_)
        assert file.stands()


def test_the_file_is_found_by_the_workers_environment(tmp_path: Path) -> None:
    assert output_path({"bk_data_dir": str(tmp_path), "bk_data_output": "o.json"}) == tmp_path / "o.json"
    assert output_path({}) == Path("output.json")


def value_of(value: str, *, mask: Callable[[str], str] = str) -> str:
    field = valid_document(success("", {"v": string_field(value)}), mask=mask)["data"]["v"]
    assert field["type"] == "string"
    return field["value"]


@pytest.mark.parametrize("character", ["x", "中", "🎉"])
def test_a_value_over_4000_units_is_cut_at_a_character(character: str) -> None:
    value = value_of(character * 5000)
    assert MOST_STRING_UNITS - 2 <= utf16_units(value) <= MOST_STRING_UNITS
    assert value.endswith(f"{character}… [cut]")


@pytest.mark.parametrize("value", ["x" * 4000, "中" * 4000, "🎉" * 2000])
def test_a_value_of_exactly_4000_units_stays_whole(value: str) -> None:
    assert value_of(value) == value
    assert value_of(value + "x") != value + "x"


def test_no_half_of_a_mask_is_left_where_a_value_is_cut() -> None:
    for before in range(3980, 3996):
        assert re.search(r"(?<!\*)\*{1,2}(?!\*)", value_of("x" * before + "***" + "y" * 50)) is None
    assert value_of("x" * 3992 + "***" + "y" * 50) == "x" * 3992 + "… [cut]"


def test_words_of_our_own_are_never_masked_as_a_whole_value() -> None:
    def mask(text: str) -> str:
        return text.replace("published", "***").replace("true", "***")

    assert [value_of(word, mask=mask) for word in ("published", "true")] == ["published", "true"]
    assert value_of("1.0-published", mask=mask) == "1.0-***"


def test_a_message_that_is_too_long_ends_with_a_sentence() -> None:
    message = valid_document(success("This is one. " * 500, {}))["message"]
    assert utf16_units(message) <= MOST_MESSAGE_UNITS
    assert message == ("This is one. " * 292).rstrip()
    exact = "One. " * (MOST_MESSAGE_UNITS // 5)
    assert valid_document(success(exact, {}))["message"] == exact
    assert valid_document(success(exact + "x", {}))["message"] == exact.rstrip()
    assert valid_document(success("half \ud83d", {}))["message"] == "half ?"
    chinese = valid_document(success("这是一句🎉。" * 900, {}))["message"]
    assert utf16_units(chinese) <= MOST_MESSAGE_UNITS
    assert chinese.endswith("这是一句🎉。")


def test_a_message_of_one_endless_sentence_is_cut_at_a_character() -> None:
    message = valid_document(success("🎉" * 5000, {}))["message"]
    assert MOST_MESSAGE_UNITS - 2 <= utf16_units(message) <= MOST_MESSAGE_UNITS
    assert message.endswith("🎉… [cut]")


@pytest.mark.parametrize("name", ["a,b", "a*", "a?", "[a]", "{a}"])
def test_files_that_the_worker_could_not_find_are_not_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "kept").touch()
    fields = {"some": artifact_field([str(tmp_path / name), str(tmp_path / "kept")])}
    assert valid_document(success("", fields))["data"] == {"some": artifact_field([str(tmp_path / "kept")])}


def test_files_that_do_not_exist_are_left_out_of_artifacts(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    fields = {
        "some": artifact_field([str(kept), str(tmp_path / "gone")]),
        "none": artifact_field([str(tmp_path / "gone")]),
    }
    assert valid_document(success("", fields))["data"] == {"some": artifact_field([str(kept)])}


def test_secrets_are_masked_in_message_and_values() -> None:
    document = success("a canary b", {"v": string_field("canary")})
    valid = valid_document(document, mask=lambda text: text.replace("canary", "***"))
    assert "canary" not in json.dumps(valid)


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_any_text_is_written_as_a_valid_document(message: str, values: dict[str, str]) -> None:
    fields = {name: string_field(value) for name, value in values.items()}
    valid = valid_document(success(message, fields))
    assert json.loads(json.dumps(valid).encode("utf-8")) == valid
    assert valid["message"] == message or utf16_units(message) > MOST_MESSAGE_UNITS
