from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.messages.text import json_text, one_line, pad, shorten, table, visible, width

CELLS = st.text(alphabet="abc 域名一二é…-/:", max_size=120)


def test_a_chinese_character_takes_two_columns_and_a_combining_mark_none() -> None:
    assert width("域名 a") == 6
    assert width("e\u0301") == 1


def test_what_is_cut_is_cut_in_the_middle() -> None:
    assert shorten("registry.example.com/app:1704448623620-428", 20) == "registry.e…23620-428"
    assert shorten("short", 20) == "short"
    assert width(shorten("域名" * 40, 21)) <= 21
    assert [shorten("abc", columns) for columns in (0, 1, 2)] == ["", "…", "a…"]


def test_a_line_break_shows_as_a_mark_and_an_escape_sequence_as_its_escape() -> None:
    assert one_line("a\r\nb\u2028c\td") == "a ⏎ b ⏎ c d"
    assert visible("a\nb") == "a\\x0ab"
    assert visible("a\x1b\nb", keep_line_feeds=True) == "a\\x1b\nb"
    assert visible("\x1b[31mred\u202e\ufeff\ud800") == "\\x1b[31mred\\u202e\\ufeff\\ud800"


@pytest.mark.parametrize("hidden", ["\x1b[31m", "\x9b31m", "\u2028", "\u202e", "\ud800", "\U000e0041"])
def test_json_shows_what_would_not_be_seen_and_reads_as_it_was(hidden: str) -> None:
    shown = json_text({"a": f"é{hidden}\n"})
    assert (visible(shown, keep_line_feeds=True), json.loads(shown)) == (shown, {"a": f"é{hidden}\n"})


def test_json_is_indented_and_keeps_what_can_be_seen() -> None:
    assert json_text({"a": "é\u200b"}) == '{\n  "a": "é\\u200b"\n}'


def test_columns_align_by_the_width_people_see() -> None:
    lines = table([["域名", "x"], ["a.b", "y"]])
    assert lines == ["域名  x", "a.b   y"]


@pytest.mark.parametrize(
    ("row", "columns", "line"),
    [
        (["a" * 10, "b" * 6, "c" * 3], 17, "aa…aa  bb…bb  ccc"),
        (["aa", "bb"], 4, "…  …"),
        (["a", "b"], 2, "a  b"),
    ],
)
def test_the_widest_column_gives_way_first_and_none_gives_all(
    row: list[str], columns: int, line: str
) -> None:
    assert table([row], columns=columns) == [line]


def test_a_table_that_fits_is_not_shortened() -> None:
    assert table([]) == []
    assert table([["a" * 80, "b" * 78]]) == ["a" * 80 + "  " + "b" * 78]
    assert table([["a" * 80, "b" * 79]]) == ["a" * 39 + "…" + "a" * 39 + "  " + "b" * 79]


@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=6), st.integers(20, 160))
def test_no_row_of_a_table_is_wider_than_it_may_be(rows: list[list[str]], columns: int) -> None:
    assert all(width(line) <= columns for line in table(rows, columns=columns))


@given(CELLS, st.integers(0, 130))
def test_shortening_never_exceeds_its_columns_and_padding_fills_them(text: str, columns: int) -> None:
    shown = shorten(text, columns)
    assert width(shown) <= columns
    assert width(pad(shown, columns)) == columns


@given(st.text())
def test_one_line_holds_no_character_that_ends_a_line_or_hides(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)
