"""`input.json`: what is read from it, and what is said where it can't be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcs_template_set.agent.agent_files import input_path, read_input
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import InputUnreadable

CANARY = "canary-5up3r"

same_directory = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def environment(directory: Path, content: Union[bytes, str, None] = None) -> dict[str, str]:
    if content is not None:
        written = content.encode() if isinstance(content, str) else content
        (directory / "input.json").write_bytes(written)
    return {"bk_data_dir": str(directory), "bk_data_input": "input.json"}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(InputUnreadable) as caught:
        read_input(environ)
    for language in LANGUAGES:
        assert caught.value.explain(language)
    return str(caught.value)


def test_variables_and_inputs_are_read_and_private_settings_kept_apart(tmp_path: Path) -> None:
    content = {"pipeline.id": "p-1", "action": "plan", "bkSensitiveConfInfo": {"regions": CANARY}}
    found = read_input(environment(tmp_path, json.dumps(content)))
    assert found.values == {"pipeline.id": "p-1", "action": "plan"}
    assert found.private_settings is not None
    assert found.private_settings["regions"].reveal() == CANARY
    assert CANARY not in repr(found)


def test_a_text_of_their_name_is_an_input_and_no_private_settings(tmp_path: Path) -> None:
    content = {"a": "b", "bkSensitiveConfInfo": json.dumps({"regions": "gz: {}"})}
    assert "take it away" in refusal(environment(tmp_path, json.dumps(content)))


@pytest.mark.parametrize("absent", ["{}", '{"bkSensitiveConfInfo": ""}', '{"bkSensitiveConfInfo": null}'])
def test_private_settings_that_are_not_in_the_file_are_told_from_empty_ones(
    tmp_path: Path, absent: str
) -> None:
    assert read_input(environment(tmp_path, absent)).private_settings is None
    assert read_input(environment(tmp_path, '{"bkSensitiveConfInfo": {}}')).private_settings == {}


def test_the_file_is_found_by_the_workers_environment(tmp_path: Path) -> None:
    assert input_path({"bk_data_dir": str(tmp_path), "bk_data_input": "in.json"}) == tmp_path / "in.json"
    assert input_path({}) == Path("input.json")
    assert input_path({"bk_data_dir": "", "bk_data_input": ""}) == Path("input.json")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert read_input(environment(tmp_path, b'\xef\xbb\xbf{"a": "b"}')).values == {"a": "b"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a": "\xff\xfe"}', "not UTF-8 text (byte 7)"),
        ('{"a": "b"'.encode("utf-16"), "not UTF-8"),
        (f'{{"token": "{CANARY}", "b": ', "only a part of it"),
        (f'{{"token": "{CANARY}" "b"}}', "line 1, column"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5_000 + "}", "too long"),
        (f'["{CANARY}"]', "a list where a JSON object belongs"),
        (f'"{CANARY}"', "a text where a JSON object belongs"),
        ("null", "null where a JSON object belongs"),
        ("12", "a number where"),
        ("1.5", "a number where"),
        (f'{{"token": ["{CANARY}"]}}', "the value of token is a list"),
        ('{"a": 1}', "the value of a is a number"),
        ('{"a": true}', "the value of a is true or false"),
        ('{"a": null}', "the value of a is null"),
        ('{"a": {}}', "the value of a is an object"),
        ('{"a": "\\ud800"}', "a holds half a character"),
        (f'{{"bkSensitiveConfInfo": ["{CANARY}"]}}', "bkSensitiveConfInfo is a list. BK-CI itself"),
        (f'{{"bkSensitiveConfInfo": "{CANARY}"}}', "bkSensitiveConfInfo is a text. BK-CI itself"),
        (f'{{"bkSensitiveConfInfo": {{"regions": ["{CANARY}"]}}}}', "the value of regions is a list"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_problem_and_never_shown(
    tmp_path: Path, content: Union[bytes, str, None], said: str
) -> None:
    text = refusal(environment(tmp_path, content))
    assert str(tmp_path / "input.json") in text
    assert CANARY not in text
    assert said in text


def test_a_directory_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "input.json").mkdir()
    assert "Is a directory" in refusal(environment(tmp_path))


def test_a_traceback_of_the_error_does_not_show_the_content(tmp_path: Path) -> None:
    environ = environment(tmp_path, f'{{"token": "{CANARY}", ')
    with pytest.raises(InputUnreadable) as caught:
        read_input(environ)
    problem = caught.value.__cause__
    assert problem is not None
    assert CANARY not in repr(vars(problem))
    assert CANARY not in repr(vars(problem.__cause__))


@same_directory
@given(st.binary())
def test_any_bytes_are_an_input_or_an_error_that_says_so(tmp_path: Path, content: bytes) -> None:
    environ = environment(tmp_path, content)
    try:
        found = read_input(environ)
    except InputUnreadable:
        refusal(environ)
    else:
        assert all(isinstance(value, str) for value in found.values.values())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@same_directory
@given(st.dictionaries(st.sampled_from(["action", "bkSensitiveConfInfo", "x"]) | st.text(), json_values))
def test_any_object_is_an_input_of_texts_or_an_error_that_says_so(
    tmp_path: Path, content: dict[str, object]
) -> None:
    try:
        found = read_input(environment(tmp_path, json.dumps(content)))
    except InputUnreadable:
        wrong = [v for k, v in content.items() if k != "bkSensitiveConfInfo" and not isinstance(v, str)]
        assert wrong or "bkSensitiveConfInfo" in content
    else:
        expected = {k: v for k, v in content.items() if k != "bkSensitiveConfInfo"}
        assert dict(found.values) == expected
