"""error.json and errorCodes.json say what the catalogue says, for every error and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

import msgspec
import pytest
from tests.packaging.store_files import (
    ERROR_CODES,
    ERROR_JSON,
    error_titles,
    general_title,
    write_error_codes,
    write_error_json,
)
from tests.support.every_error import every_error

from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.messages.step_error import StepError


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One error as BK-CI's store takes it."""

    error_code: int
    error_msg_zh_cn: str
    error_msg_en: str


def test_it_says_what_the_catalogue_says(derived: Callable[[Path, str], None]) -> None:
    derived(ERROR_JSON, write_error_json())


def test_newer_platforms_find_each_code_in_a_list_of_numbers_and_its_text_in_both_languages(
    derived: Callable[[Path, str], None],
) -> None:
    derived(ERROR_CODES, write_error_codes())
    codes = msgspec.json.decode(ERROR_CODES.read_bytes(), type=list[int])
    for language in LANGUAGES:  # test_translations.py holds the files of texts to these
        texts = error_titles(language)
        assert [str(code) for code in codes if not texts[str(code)].strip()] == []


def test_every_code_is_there_once_with_six_digits_beginning_with_8() -> None:
    rows = msgspec.json.decode(ERROR_JSON.read_bytes(), type=list[Row])
    codes = [row.error_code for row in rows]
    assert codes == [kind.code for kind in every_error()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"8\d{5}", str(code)) for code in codes)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_a_title_reads_well_without_the_facts_of_a_run(kind: type[StepError], language: Language) -> None:
    title = general_title(kind.code, language)
    assert not re.search(r"[{}]|:$|：$|\s[.。]|……|…[.。]|\(\)|（）", title), title
    assert title.endswith((".", "。", "…")), title


@pytest.mark.parametrize(
    ("code", "language", "title"),
    [
        (800101, "en_US", "The agent's input file … can't be read."),
        (800201, "en_US", "run_as is …, but this build does not say who that is."),
        (800102, "zh_CN", "输入有误。"),
        (800612, "zh_CN", "步骤即将达到时间上限，因此提前停止，说明完成了什么。"),
    ],
)
def test_what_only_a_run_knows_is_left_out(code: int, language: Language, title: str) -> None:
    assert general_title(code, language) == title
