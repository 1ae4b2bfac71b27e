"""What a sentence of the catalogue is made of, and for whom."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.messages import Language, language_of, say


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en_US", "en_US"),
        ("EN", "en_US"),
        ("zh_CN", "zh_CN"),
        ("ja_JP", "zh_CN"),
        ("", "zh_CN"),
        (None, "zh_CN"),
    ],
)
def test_whose_locale_is_english_reads_english_and_all_others_chinese(
    locale: Optional[str], language: Language
) -> None:
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("first", "told"),
    [("one", "one. two"), ("one.", "one. two"), ("one!", "one! two"), ("one：", "one： two"), ("", " two")],
)
def test_a_field_that_ends_a_sentence_ends_as_one(first: str, told: str) -> None:
    assert say("report.two", first=first, second="two").render("en_US") == told


def test_a_full_stop_and_what_parts_a_list_are_the_languages_own() -> None:
    text = say("report.two", first=["a", "b"], second="c")
    assert [text.render("en_US"), text.render("zh_CN")] == ["a, b. c", "a、b。c"]
