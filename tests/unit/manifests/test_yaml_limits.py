from __future__ import annotations

import pytest
import yaml

from bcs_template_set.manifests import yaml_reading
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.yaml_reading import MOST_TAG_DIRECTIVES, read_documents, read_yaml


def complaint(text: str) -> tuple[int, int, str, dict[str, object]]:
    with pytest.raises(YamlUnreadable) as caught:
        read_yaml(text, source="a.yaml")
    assert caught.value.source == "a.yaml"
    problem = caught.value.problem
    return caught.value.line, caught.value.column, str(problem), dict(problem.fields)


def test_a_text_of_two_mebibytes_is_read_and_of_one_character_more_refused() -> None:
    text = "# " + "x" * (2 * 2**20 - 2)
    assert read_yaml(text, source="") is None
    line, column, words, _ = complaint(f"{text}x")
    assert (line, column) == (1, 1)
    assert " 2 MiB" in words


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("a: b\x00c", 1, 5, "U+0000"),
        ("a: b\n\n  \x1b", 3, 3, "U+001B"),
        ("\x7f", 1, 1, "U+007F"),
        ("a: é\n\x80", 2, 1, "U+0080"),
        ("\ud800a", 1, 1, "U+D800"),
        ("a: \ufffe", 1, 4, "U+FFFE"),
    ],
)
def test_a_character_that_yaml_does_not_know_is_told_by_place_and_code(
    text: str, line: int, column: int, code: str
) -> None:
    assert complaint(text)[:2] == (line, column)
    assert complaint(text)[3] == {"code": code}


@pytest.mark.parametrize("text", ["a:\tb\r\n", "a: '~ \x85\xa0\u2028'", "\U0001f680: 1", "\ufeffa: b"])
def test_what_yaml_knows_is_read(text: str) -> None:
    assert isinstance(read_yaml(text, source=""), dict)


def test_a_hundred_tag_directives_are_read_and_the_next_is_refused_unread() -> None:
    lines = [f"%TAG !a{number}! x" for number in range(MOST_TAG_DIRECTIVES + 3)]
    text = "\n".join([*lines[:MOST_TAG_DIRECTIVES], "--- # %TAG", "a: '%TAG'"])
    assert MOST_TAG_DIRECTIVES == 100
    assert read_yaml(text, source="") == {"a": "%TAG"}
    assert complaint("\n".join([*lines, "--- a"]))[:2] == (101, 1)
    assert "tag (!)" in complaint("\n".join([*lines, "--- a"]))[2]


def test_a_second_document_is_refused_with_its_line() -> None:
    assert complaint("a: 1\n---\n\n  b: 2\n")[:2] == (4, 1)


def test_a_byte_order_mark_takes_no_column() -> None:
    assert read_yaml("\ufeffa: 1", source="") == {"a": 1}
    assert complaint("\ufeffa: b: c")[:2] == (1, 5)
    assert complaint("\ufeff\x00")[:2] == (1, 1)


class Untouched:
    """A parser that nobody may ask."""

    def __init__(self, text: str) -> None:
        raise AssertionError(text)


def test_a_plain_text_needs_no_parser_and_a_given_one_is_asked() -> None:
    yaml_reading._events.cache_clear()
    assert list(read_documents("a: 1\n", source="")) == [(1, {"a": 1})]
    assert not yaml_reading.has_read_slowly()
    assert yaml_reading._events.cache_info().currsize == 0
    with pytest.raises(AssertionError, match="a: 1"):
        read_yaml("a: 1\n", source="", parser=Untouched)  # type: ignore[arg-type] # none of the two
    for parser in (yaml.SafeLoader, None):
        assert read_yaml("a: |\n  b\n", source="", parser=parser) == {"a": "b\n"}  # type: ignore[arg-type] # as above
