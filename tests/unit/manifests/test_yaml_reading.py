from __future__ import annotations

import inspect
import math
import re
import sys
from typing import Optional

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from tests.emulator import go_yaml
from tests.support.building import VALUES_OF_ANY_KIND

from bcs_template_set.manifests import yaml_reading
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.templating.bcs_places import Marks
from bcs_template_set.manifests.templating.template_notes import Notes
from bcs_template_set.manifests.templating.templates import Templates
from bcs_template_set.manifests.yaml_events import MOST_NOTED, available_parser
from bcs_template_set.manifests.yaml_reading import (
    LARGEST_TEXT,
    YamlValue,
    dump_yaml,
    read_documents,
    read_yaml,
)
from bcs_template_set.manifests.yaml_words import (
    MANIFESTS,
    SETTINGS,
    TEXTS,
    VALUES,
    WRITTEN,
    NumberUnusable,
    is_text,
    read_word,
)
from bcs_template_set.messages import LANGUAGES

TOO_DEEP = "it is nested deeper than 100 levels."
PARSERS = (yaml.SafeLoader, available_parser())


def read(text: str, parser: object = None) -> YamlValue:
    return read_yaml(text, source="v.yaml", parser=parser)  # type: ignore[arg-type] # any of the two


def complaint(text: str, parser: object = None) -> YamlUnreadable:
    with pytest.raises(YamlUnreadable) as caught:
        read(text, parser)
    for language in LANGUAGES:
        assert caught.value.as_text().render(language)
    assert not re.search("expected|could not|did not|found", caught.value.as_text().render("zh_CN"))
    return caught.value


@pytest.fixture(params=PARSERS, ids=["python", "available"])
def parser(request: pytest.FixtureRequest) -> object:
    return request.param


def test_a_document_becomes_plain_values(parser: object) -> None:
    text = "a: 1\nb: [x, 'y', 1.5, true, null]\nc: {d: 16.5, e: !!str 5}\n"
    assert read(text, parser) == {"a": 1, "b": ["x", "y", 1.5, True, None], "c": {"d": 16.5, "e": "5"}}


def test_an_empty_text_is_nothing(parser: object) -> None:
    assert read("", parser) is None
    assert read("# only a comment\n", parser) is None


def test_keys_stay_as_they_are_written(parser: object) -> None:
    assert read("80: a\ntrue: b\n1.10: c\n", parser) == {"80": "a", "true": "b", "1.10": "c"}


def test_anchors_aliases_and_merges_work(parser: object) -> None:
    text = "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\nlist: [*b]\n"
    assert read(text, parser) == {
        "base": {"x": 1, "y": 2},
        "more": {"x": 1, "y": 3},
        "list": [{"x": 1, "y": 2}],
    }


def test_the_first_of_several_merged_mappings_wins(parser: object) -> None:
    assert read("m:\n  <<: [{x: 1}, {x: 2, y: 2}]\n", parser) == {"m": {"x": 1, "y": 2}}


def test_a_byte_order_mark_is_no_mistake(parser: object) -> None:
    assert read("\ufeffa: 1", parser) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, 'the key "c" is there twice'),
        ("a: 1\n\tb: 2\n", 2, 1, "indented with a tab"),
        ("a: [1, 2\n", 1, 4, "the bracket that begins here is not closed"),
        ("a: {b: 1\nc: 2\nd: 3\n", 1, 4, "the bracket that begins here is not closed"),
        ("a:\n  b: 1\n  replicas:2\nc: 1\n", 3, 3, 'a blank is missing after "replicas:".'),
        ("a:\n  b: 1\n  word\nc: 1\n", 3, 3, 'the key has no ":" after it'),
        ('a: "x\nb: 1\n', 1, 4, "the quote that begins here is not closed"),
        ('a: "x\nb: 1\nc: "y"\n', 1, 4, "the quote that begins here is not closed"),
        ("- image: reg/web:\n  port: 80\n", 1, 3, "the image's tag is empty"),
        ('a: "x" y\n', 1, 8, "the indentation does not match"),
        ("-   - a\n  - b\n", 2, 3, "the indentation does not match"),
        ("a: 'x", 1, 7, "a quote or bracket is not closed before the end"),
        ("a: b: c\n", 1, 5, '": " stands where YAML expects none'),
        ("a: *nobody\n", 1, 4, "alias (*)"),
        ("a: &x [*x]\n", 1, 8, "contain itself"),
        ("a: !python/object:os.system x\n", 1, 4, "tag (!)"),
        ("a: !!set {x}\n", 1, 4, "tag (!)"),
        ("? [a]\n: 1\n", 1, 3, "this key must be text"),
        ("a:\n  <<: 5\n", 2, 3, "merges mappings"),
        ("a: 123456789012345678901234567890\n", 1, 4, "beyond 64 bits"),
        ("a: " + "9" * 100_000, 1, 4, "beyond 64 bits"),
        ("a: .nan\n", 1, 4, "not finite"),
        ("a: b\x00c\n", 1, 5, "U+0000"),
        ("a: b\n\ud800: c\n", 2, 1, "U+D800"),
        ("a: 1\n---\nb: 2\n", 3, 1, "second document"),
    ],
)
def test_a_mistake_is_named_with_line_and_column(
    text: str, line: int, column: int, says: str, parser: object
) -> None:
    problem = complaint(text, parser)
    assert says in str(problem)
    assert problem.line == line
    assert f"v.yaml, line {line}, column" in str(problem)
    if says != "YAML":
        assert abs(problem.column - column) <= 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 101, id="one too many"),
        pytest.param("[" * 1001, id="lists, by one more than PyYAML 6.0.4 takes"),
        pytest.param("[" * 100_000, id="lists"),
        pytest.param("- " * 100_000, id="block lists"),
        pytest.param("{a: " * 50_000, id="mappings"),
        pytest.param("[{a: " * 20_000, id="lists and mappings"),
        pytest.param("".join(" " * depth + "a:\n" for depth in range(1500)), id="block mappings"),
    ],
)
def test_deep_nesting_is_refused_and_breaks_nothing(text: str, parser: object) -> None:
    assert complaint(text, parser).problem.render("en_US") == TOO_DEEP


class Stopped:
    """A parser that stops at once, with the words of a limit of its own."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __call__(self, text: str) -> Stopped:  # noqa: ARG002 - as PyYAML's parsers are made
        return self

    def get_event(self) -> yaml.Event:
        mark = yaml.Mark("", 0, 2, 4, None, 0)
        raise yaml.MarkedYAMLError("while increasing flow level", None, self.problem, mark)


@pytest.mark.parametrize(
    ("words", "is_depth"),
    [
        ("exceeded maximum nesting depth", True),  # PyYAML 6.0.4
        ("Maximum nesting level reached, set with yaml_set_max_nest_level())", True),  # libyaml
        ("found undefined alias 'nesting'", False),
        ("found undefined tag handle '!nested!'", False),
    ],
)
def test_the_words_of_a_parsers_own_limit_are_our_sentence(words: str, *, is_depth: bool) -> None:
    problem = complaint("\n\n\t[", Stopped(words))
    assert (problem.problem.render("en_US") == TOO_DEEP) is is_depth
    assert (problem.line, problem.column) == (3, 5)


def test_pythons_limit_is_our_sentence_where_it_comes_first(parser: object) -> None:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 120)
    try:
        with pytest.raises(YamlUnreadable) as caught:
            read("\n" + "[" * 99 + "]" * 99, parser)
    finally:
        sys.setrecursionlimit(usual)
    assert caught.value.problem.render("en_US") == TOO_DEEP
    assert caught.value.line == 2
    assert 1 < caught.value.column < 99
    assert read("[" * 99 + "]" * 99, parser)


def test_an_alias_bomb_is_refused_before_it_grows(parser: object) -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "expand" in str(complaint("a0: &a0 [lol]\n" + "\n".join(levels), parser))


def test_a_merge_bomb_is_refused_before_it_grows(parser: object) -> None:
    wide = "a: &a {" + ", ".join(f"k{n}: 0" for n in range(5000)) + "}\n"
    text = wide + "".join(f"m{n}: {{<<: [{', '.join(['*a'] * 40)}]}}\n" for n in range(10))
    assert "expand" in str(complaint(text, parser))


def test_a_text_over_the_limit_is_refused_unread() -> None:
    assert "2 MiB" in str(complaint("a" * (LARGEST_TEXT + 1)))


def test_the_line_itself_is_never_shown() -> None:
    assert "hunter2" not in str(complaint("app_secret: !hunter2\n"))


@pytest.mark.parametrize(
    "text", ["s: *hunter2", "s: %hunter2", "s: @hunter2", "s: 'hunter2", "s: !<hunter2", "s: [hunter2"]
)
def test_what_the_parser_quotes_is_not_in_the_sentence_for_secrets(text: str, parser: object) -> None:
    assert "hunter2" not in str(complaint(text, parser).as_text())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((f"a: 1\n{key}: 2\n", f"the key {key} without") for key in ("on", "~", "NULL")),
        *((f"a: 1\n{key}: 2\n", "without quotes is a number") for key in (".inf", "1.10", "0x1f", "9" * 21)),
        ("a: {on4: 1, on4: 2}\n", "this key is there twice"),
        ("a: 1\na: 2\n", 'the key "a" is there twice'),
    ],
)
def test_a_key_that_would_arrive_as_another_is_told_by_its_place_and_what_it_is_read_as(
    text: str, words: str
) -> None:
    with pytest.raises(YamlUnreadable) as caught:
        list(read_documents(text, source="m.yaml", reading=WRITTEN))
    assert words in str(caught.value)
    assert "***" not in str(caught.value)
    assert caught.value.line == text.count("\n")


def test_mistakes_are_noted_until_they_are_too_many(parser: object) -> None:
    lost: list[YamlUnreadable] = []
    text = "a: 1\n" * (MOST_NOTED + 2)
    with pytest.raises(YamlUnreadable) as caught:
        read_yaml(text, source="v.yaml", parser=parser, lost=lost)  # type: ignore[arg-type] # any of the two
    assert [error.line for error in lost] == [*range(2, MOST_NOTED + 2)]
    assert caught.value.line == MOST_NOTED + 2


def test_documents_come_with_the_line_of_their_first_key(parser: object) -> None:
    text = "# comment\n---\n# more\na: 1\n---\n---\nb: 2\n"
    found = list(read_documents(text, source="", parser=parser))  # type: ignore[arg-type] # any of the two
    assert [(line, value) for line, value in found if value is not None] == [(4, {"a": 1}), (7, {"b": 2})]


@pytest.mark.parametrize(
    ("word", "in_settings", "in_manifests"),
    [
        ("yes", True, True),
        ("off", False, False),
        ("y", "y", True),
        ("1234e5", "1234e5", 123400000.0),
        ("1e999", "1e999", "1e999"),
        ("017", 15, 15),
        ("0o17", 15, 15),
        ("0b11", 3, 3),
        ("1_000", 1000, 1000),
        ("22:22", "22:22", "22:22"),
        ("2024-01-01", "2024-01-01", "2024-01-01"),
        ("1.10", 1.1, 1.1),
        ("-5", -5, -5),
        ("", None, None),
        ("~", None, None),
        ("1.2.3", "1.2.3", "1.2.3"),
        ("089", "089", 89.0),
        # facts/manifests.md, "YAML as BCS reads it": all `_` are taken out first.
        ("0X1F", "0X1F", 31),
        ("0B11", "0B11", 3),
        ("0O17", "0O17", 15),
        ("0_8", "0_8", 8.0),
        ("12_3e4", "12_3e4", 1230000.0),
        ("1e_3", "1e_3", 1000.0),
        ("1e3", "1e3", 1000.0),
        ("1_0.5", 10.5, 10.5),
        ("-_90", "-_90", -90),
        ("+_4", "+_4", 4),
        ("_4", "_4", "_4"),
        (".067_6", 0.0676, 0.0676),
        ("._5", "._5", "._5"),
        (".5_", 0.5, ".5_"),
        ("1:30", "1:30", "1:30"),
        ("=", "=", "="),
        ("-", "-", "-"),
        ("-_", "-_", "-_"),
        ("0x", "0x", "0x"),
        ("N", "N", False),
    ],
)
def test_words_mean_what_the_table_says(word: str, in_settings: object, in_manifests: object) -> None:
    for reading, expected in ((SETTINGS, in_settings), (MANIFESTS, in_manifests)):
        found = read_word(word, reading=reading)
        assert found == expected
        assert type(found) is type(expected)


WORDS = st.text("0123456789_.+-eExXoObBaf:nyNY~", min_size=1, max_size=9)


@given(st.one_of(WORDS, st.sampled_from(["on", "True", "null", "Null", "true", "0.1", "1e-07", "100000.0"])))
@example("1.10")
@example("0123456")
@example("12345678901234567890")
def test_what_a_template_prints_is_what_was_written_or_is_refused(word: str) -> None:
    try:
        value = read_word(word, reading=VALUES)
    except NumberUnusable:
        return
    notes = Notes({})
    templates = Templates({"v": value}, notes=notes, marks=Marks("x"), read_text=str)
    assert templates.render("{{ v }}", name="t") == (None if value is None else word)
    assert read_word(word, reading=TEXTS) in (word, None)


@given(WORDS)
@example("1E400")
def test_a_word_of_a_manifest_is_what_bcs_takes_it_for(word: str) -> None:
    """The emulator's reader was held to what real servers answered (contract/recorded)."""
    expected = go_yaml.resolve(word)
    if isinstance(expected, float) and not math.isfinite(expected):
        with pytest.raises(NumberUnusable):
            read_word(word, reading=MANIFESTS)
    else:
        assert read_word(word, reading=MANIFESTS) == expected


@given(WORDS)
def test_what_the_step_writes_is_text_for_bcs_too(word: str) -> None:
    (written,) = dump_yaml({"a": word}).splitlines()
    assert written.endswith("'") or go_yaml.resolve(written.partition(": ")[2]) == word


@pytest.mark.parametrize("word", ["9" * 30, "0x" + "f" * 17, "-9223372036854775809", ".inf", "0x_"])
def test_a_number_that_nothing_can_hold_is_refused(word: str) -> None:
    with pytest.raises(NumberUnusable):
        read_word(word, reading=VALUES)


def _near(left: YamlValue, right: YamlValue) -> bool:
    if isinstance(left, float) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-12)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_near, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_near(left[key], right[key]) for key in left)
    return left == right and type(left) is type(right)


@given(VALUES_OF_ANY_KIND)
def test_what_is_dumped_reads_back_the_same(value: YamlValue) -> None:
    assert _near(value, read_yaml(dump_yaml(value), source="", reading=SETTINGS))


def refusal(text: str, parser: object) -> Optional[YamlUnreadable]:
    try:
        read(text, parser)
    except YamlUnreadable as exc:
        return exc
    return None


@given(st.one_of(st.text(max_size=200), st.text("ab:-[]{}&*!|>'\"%@#,? \n\t1.~<", max_size=60)))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    for parser in PARSERS:
        problem = refusal(text, parser)
        assert problem is None or (problem.line >= 1 and str(problem))


def test_an_alias_of_a_text_is_a_key_and_one_of_anything_else_is_none(parser: object) -> None:
    assert read("a: &k name\n*k : 1\n", parser) == {"a": "name", "name": 1}
    assert "key" in str(complaint("a: &k [1]\n*k : 1\n", parser).problem)


def test_a_tag_that_says_what_a_word_is_anyway_is_taken(parser: object) -> None:
    assert read("[!!int 5, !!float 5.5, !!bool true, !!null null, !!str 5]", parser) == [
        5,
        5.5,
        True,
        None,
        "5",
    ]


def test_more_tag_directives_than_anybody_writes_are_refused_unread() -> None:
    assert complaint("%TAG !a! x\n" * 101 + "--- a").line == 101


@pytest.mark.parametrize(
    ("word", "text"),
    [(".inf", False), ("9" * 90, False), ("1", False), ("yes", False), ("y", False), ("web", True)],
)
def test_a_word_is_text_where_it_is_text_in_every_reading(word: str, text: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_text(word) == text


@pytest.mark.parametrize(
    ("text", "missing", "told"),
    [("a: 1", True, False), ("a: |\n  b\n", True, True), ("a: |\n  b\n", False, False)],
)
def test_it_has_read_slowly_where_a_text_has_needed_the_parser(
    monkeypatch: pytest.MonkeyPatch, text: str, *, missing: bool, told: bool
) -> None:
    yaml_reading._events.cache_clear()
    if missing:
        monkeypatch.delattr(yaml, "CSafeLoader")
    assert read_yaml(text, source="")
    assert yaml_reading.has_read_slowly() is told
