from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.manifests.yaml_words import (
    MANIFESTS,
    SETTINGS,
    TEXTS,
    VALUES,
    WRITTEN,
    NumberUnusable,
    Plain,
    Reading,
    SpellingLost,
    is_text,
    key_of,
    read_word,
)

NONE = ("", "~", "null", "Null", "NULL")
TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
REFUSED = "refused"


def outcome(word: str, reading: Reading) -> Plain:
    try:
        return read_word(word, reading=reading)
    except NumberUnusable:
        return REFUSED


def test_a_few_words_are_nothing_or_a_truth() -> None:
    for words, value in ((NONE, None), (TRUE, True), (FALSE, False)):
        for word in words:
            assert [read_word(word, reading=reading) for reading in (SETTINGS, MANIFESTS)] == [value, value]
            assert not is_text(word)
    of_go = [read_word(word, reading=MANIFESTS) for word in ("y", "Y", "n", "N")]
    assert of_go == [True, True, False, False]
    assert [read_word(word, reading=SETTINGS) for word in ("y", "Y", "n", "N")] == ["y", "Y", "n", "N"]
    assert [read_word(word, reading=TEXTS) for word in (*NONE, "on", "1.5")] == [None] * 5 + ["on", "1.5"]


@pytest.mark.parametrize(
    ("word", "in_settings", "in_manifests"),
    [
        *((word, REFUSED, REFUSED) for word in ("+.inf", "-.Inf", ".INF", ".nan", ".NaN", ".NAN")),
        *((word, word, word) for word in ("+.nan", "x.inf", "a.nan", "0b", "0o", "0x", "0o8", "0xg")),
        *((word, REFUSED, word) for word in ("0b_", "0o_", "0x_")),
        ("0b1_1", 3, 3),
        ("-0b11", -3, -3),
        ("+0b11", 3, 3),
        ("0B1_", "0B1_", 1),
        ("0o_7", 7, 7),
        ("0O_7", "0O_7", 7),
        ("0x_f", 15, 15),
        ("0X_F", "0X_F", 15),
        ("0xFf", 255, 255),
        ("00", 0, 0),
        ("0_17", 15, 15),
        ("-017", -15, -15),
        ("+017", 15, 15),
        ("08", "08", 8.0),
        ("09.5", 9.5, 9.5),
        ("1__2_", 12, 12),
        *((word, word, word) for word in ("--1", "+-1", ".", "..", "-.", "e3", ".e3", ".5e", "1.5.2")),
        ("1.", 1.0, 1.0),
        ("1_.5", 1.5, 1.5),
        ("-.5", -0.5, -0.5),
        ("-._5", "-._5", -0.5),
        ("-.5_", -0.5, -0.5),
        (".5_", 0.5, ".5_"),
        (".5_5", 0.55, 0.55),
        (".5_5e1_0", ".5_5e1_0", 5500000000.0),
        (".5e1_", ".5e1_", ".5e1_"),
        ("1.5e3", "1.5e3", 1500.0),
        ("1.5e+3", 1500.0, 1500.0),
        ("-1e3", "-1e3", -1000.0),
        ("1_0.5_0e1_0", "1_0.5_0e1_0", 105000000000.0),
        ("1.0e+400", "1.0e+400", "1.0e+400"),
        ("-1.0e+400", "-1.0e+400", "-1.0e+400"),
        ("18446744073709551615", 2**64 - 1, 2**64 - 1),
        ("18446744073709551616", REFUSED, REFUSED),
        ("-9223372036854775808", -(2**63), -(2**63)),
        ("-9223372036854775809", REFUSED, REFUSED),
        ("0" * 100_000, REFUSED, REFUSED),
    ],
)
def test_what_may_be_a_number_is_read_by_the_rules_of_its_reading(
    word: str, in_settings: Plain, in_manifests: Plain
) -> None:
    found = (outcome(word, SETTINGS), outcome(word, MANIFESTS))
    assert found == (in_settings, in_manifests)
    assert [type(value) for value in found] == [type(in_settings), type(in_manifests)]
    assert is_text(word) is (found == (word, word))


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("~", None),
        ("on", True),
        ("True", True),
        ("1.10", 1.1),
        ("017", 15),
        ("1_0", 10),
        ("+5", 5),
        ("1.", 1.0),
    ],
)
def test_a_word_that_would_be_printed_otherwise_is_told_with_what_it_is_read_as(
    word: str, value: Plain
) -> None:
    with pytest.raises(SpellingLost) as caught:
        read_word(word, reading=VALUES)
    assert repr(caught.value.value) == repr(value)
    assert repr(read_word(word, reading=SETTINGS)) == repr(value)


@pytest.mark.parametrize("word", ["", "null", "true", "false", "1", "-5", "1.5", "0.1", "web", "1.2.3"])
def test_a_word_that_is_printed_as_it_is_written_is_taken(word: str) -> None:
    assert repr(read_word(word, reading=VALUES)) == repr(read_word(word, reading=SETTINGS))


@pytest.mark.parametrize(
    ("key", "arrives"),
    [
        *(
            ("a", None),
            ("v1.0", None),
            ("1", None),
            ("1.5", None),
            ("true", None),
            ("<<", None),
            ("1.0.0", None),
        ),
        *(("on", "true"), ("Y", "true"), ("n", "false"), ("OFF", "false")),
        *((word, "") for word in ("~", "null", "NULL", ".inf", "9" * 30)),
        *(("1.0", "1"), ("0x1F", "31"), ("1e3", "1000"), ("1.50", "1.5"), ("+5", "5"), ("08", "8")),
    ],
)
def test_a_key_arrives_as_what_its_word_means(key: str, arrives: Optional[str]) -> None:
    key_of.cache_clear()
    assert key_of(key) == (key if arrives is None else arrives)


def test_only_what_is_to_arrive_as_it_is_written_minds_its_keys_or_its_spelling() -> None:
    readings = (SETTINGS, VALUES, TEXTS, MANIFESTS, WRITTEN)
    assert [reading.text_keys for reading in readings] == [False, False, False, False, True]
    assert [reading.same_spelling for reading in readings] == [False, True, False, False, False]
