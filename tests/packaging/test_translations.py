"""Every text of the form exists in both languages. A key unknown to task.json is never shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

import pytest
from tests.packaging.store_files import (
    CHINESE,
    ENGLISH,
    english_form,
    error_titles,
    read_properties,
    task_texts,
    write_properties,
)

HAN = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def test_every_text_has_an_english_one_in_the_same_order_and_no_key_is_surplus() -> None:
    assert list(english_form()) == list(task_texts())


def test_english_texts_hold_no_chinese_and_are_never_empty() -> None:
    assert [key for key, text in english_form().items() if HAN.search(text) or not text.strip()] == []


def test_the_chinese_file_says_what_task_json_says(derived: Callable[[Path, str], None]) -> None:
    # BK-CI takes the list of what can be translated from the default language's file: without it the
    # English file is never read (bk-ci, StoreI18nMessageServiceImpl.parseJsonMapI18nInfo, 2026-08).
    derived(CHINESE, write_properties({**task_texts(), **error_titles("zh_CN")}))


def test_the_english_file_has_the_title_of_each_error(
    derived: Callable[[Path, str], None],
) -> None:
    derived(ENGLISH, write_properties({**english_form(), **error_titles("en_US")}))


def test_help_texts_of_the_form_are_whole_sentences_each_said_once() -> None:
    for key, text in {**task_texts(), **{f"en {key}": text for key, text in english_form().items()}}.items():
        if key.endswith(".desc"):
            assert text.endswith((".", "。")), key
            sentences = re.split(r"(?<=\.) |(?<=。)", text)
            assert len(sentences) == len(set(sentences)), key


def test_actions_keep_the_word_that_logs_and_settings_use() -> None:
    for index, word in enumerate(("plan", "publish", "deploy", "rollback", "doctor")):
        assert word in task_texts()[f"input.action.options[{index}].name"]


@pytest.mark.parametrize("text", ["a=b", "back\\slash", "two\nlines"])
def test_a_text_survives_being_written_and_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "message.properties"
    path.write_text(write_properties({"input.x.desc": text}), encoding="utf-8")
    assert read_properties(path) == [("input.x.desc", text)]
