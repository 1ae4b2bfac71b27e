from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

import pytest
import yaml

from bcs_template_set.manifests.parser_words import DEEPEST, YamlUnreadable
from bcs_template_set.manifests.yaml_events import MOST_NOTED, Events, available_parser
from bcs_template_set.manifests.yaml_words import MANIFESTS, SETTINGS, VALUES, WRITTEN, Reading, key_of

PARSERS = (yaml.SafeLoader, available_parser())


@pytest.fixture(autouse=True)
def _no_key_is_known() -> None:
    key_of.cache_clear()


def events_of(
    text: str, reading: Reading = VALUES, lost: Optional[list[YamlUnreadable]] = None
) -> Iterator[Events]:
    for parser in PARSERS:
        yield Events(text, source="a", reading=reading, parser=parser, lost=lost)  # type: ignore[arg-type] # as yaml_reading casts it


@pytest.mark.parametrize(
    ("text", "documents", "spent"),
    [
        ("", [], 0),
        ("a: |\n  x\n", [(1, {"a": "x\n"})], 6),
        ("# c\n---\na: 1\n---\n\n- b\n", [(3, {"a": 1}), (6, ["b"])], 8),
        ("a: &x b\n---\n*x : 1\n", None, 6),
        ('"": ""\n', [(1, {"": ""})], 3),
        ("a: [b, &x c, *x]\n", [(1, {"a": ["b", "c", "c"]})], 10),
        ("&k a: *k\nb: {*k : *k}\n", [(1, {"a": "a", "b": {"a": "a"}})], 12),
        ("a: &x {b: [c]}\ne: [*x, *x]\n", [(1, {"a": {"b": ["c"]}, "e": [{"b": ["c"]}, {"b": ["c"]}]})], 24),
        (
            "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
            [(1, {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}})],
            33,
        ),
        ("d:\n  <<: [{x: 1}, {x: 2, y: 2}]\n", [(1, {"d": {"x": 1, "y": 2}})], 25),
        ("d:\n  y: 3\n  <<: {x: 1}\n  <<: {x: 2, y: 2}\n", [(1, {"d": {"x": 1, "y": 3}})], 31),
        ("'<<': 1\n", [(1, {"<<": 1})], 6),
        ("a: !!int 5\n", [(1, {"a": 5})], 5),
        ('a: !!int "5"\n', [(1, {"a": 5})], 5),
        ("a: [!!null '', !!null ]\n", [(1, {"a": [None, None]})], 6),
        ("a: [!!float 5, !!float 5.5]\n", [(1, {"a": [5, 5.5]})], 10),
        ("a: [!!bool true, !!bool 'false']\n", [(1, {"a": [True, False]})], 15),
        ("a: [! 5, !!str 5, '5', !!str '']\n", [(1, {"a": ["5", "5", "5", ""]})], 11),
        ("a: [!!map {b: c}, ! {b: c}]\n", [(1, {"a": [{"b": "c"}, {"b": "c"}]})], 14),
        ("a: [!!seq [b], ! [b]]\n", [(1, {"a": [["b"], ["b"]]})], 10),
    ],
)
def test_documents_are_built_and_each_node_is_paid_for_also_where_it_is_an_alias(
    text: str, documents: Optional[list[object]], spent: int
) -> None:
    for events in events_of(text):
        if documents is None:
            with pytest.raises(YamlUnreadable):
                list(events.documents())
        else:
            assert repr(list(events.documents())) == repr(documents)
        assert events.spent == spent


@pytest.mark.parametrize(
    ("reading", "text", "at", "sentence", "fields"),
    [
        (VALUES, "<<: 1.10\n", (1, 5), "yaml_spelling_number", {"form": '"…"'}),
        (VALUES, "a: 1.10\n", (1, 4), "yaml_spelling_number", {"form": 'a: "…"'}),
        (VALUES, "a.b: 0x1f\n", (1, 6), "yaml_spelling_number", {"form": '"…"'}),
        (VALUES, "a: [1.10]\n", (1, 5), "yaml_spelling_number", {"form": '"…"'}),
        (VALUES, "a: on\n", (1, 4), "yaml_spelling_word", {"form": 'a: "…"'}),
        (VALUES, "a: ~\n", (1, 4), "yaml_spelling_word", {"form": 'a: "…"'}),
        (VALUES, "a: !!int 1_0\n", (1, 4), "yaml_spelling_number", {"form": 'a: "…"'}),
        (VALUES, "a: .inf\n", (1, 4), "yaml_number", {}),
        (VALUES, "a: !!float .inf\n", (1, 4), "yaml_number", {}),
        (WRITTEN, "on: 1\n", (1, 1), "yaml_word_key", {"key": "on", "arrives": "true"}),
        (WRITTEN, "  1.0: 1\n", (1, 3), "yaml_number_key", {}),
        (VALUES, "a: {b: 1, b: 2}\n", (1, 11), "yaml_duplicate", {"key": "b"}),
        (VALUES, "a.: 1\na.: 2\n", (2, 1), "yaml_twice", {}),
        *(
            (reading, "kk\xa0x: 1\n", (1, 3), "sign_blank", {"code": "U+00A0"})
            for reading in (VALUES, WRITTEN)
        ),
    ],
)
def test_a_mistake_past_which_the_rest_can_be_read_is_noted_or_raised(
    reading: Reading, text: str, at: tuple[int, int], sentence: str, fields: dict[str, str]
) -> None:
    lost: list[YamlUnreadable] = []
    for events in events_of(text, reading):
        with pytest.raises(YamlUnreadable) as caught:
            list(events.documents())
        lost.append(caught.value)
    for events in events_of("<<: {}\n" if text.startswith("<<") else text, reading, lost):
        assert len(list(events.documents())) == 1
    for problem in lost:
        assert (problem.source, problem.line, problem.column) == ("a", *at)
        assert (problem.problem.key, problem.problem.fields) == (f"render.{sentence}", fields)
    assert len(lost) == (2 if text.startswith("<<") else 4)


@pytest.mark.parametrize(
    ("reading", "text", "document"),
    [
        (VALUES, "a: [1.10, on, .inf]\n", {"a": [1.1, True, ".inf"]}),
        (VALUES, "a: 1\na: 2\n", {"a": 1}),
        (WRITTEN, "on: 1.10\nk\xa0: 1\n", {"on": 1.1, "k\xa0": 1}),
    ],
)
def test_what_is_noted_is_read_all_the_same(reading: Reading, text: str, document: object) -> None:
    for events in events_of(text, reading, []):
        assert list(events.documents()) == [(1, document)]


@pytest.mark.parametrize(
    ("reading", "text", "document"),
    [
        (WRITTEN, "'on': 1\n\"1.0\": 2\n'k\xa0': 3\n1: 4\n", {"on": 1, "1.0": 2, "k\xa0": 3, "1": 4}),
        (MANIFESTS, "k\xa0: 1\n1.0: 2\n", {"k\xa0": 1, "1.0": 2}),
        (SETTINGS, "on: 1\na: on\n", {"on": 1, "a": True}),
    ],
)
def test_a_key_in_quotes_or_of_others_is_taken_as_it_is(
    reading: Reading, text: str, document: object
) -> None:
    for events in events_of(text, reading):
        assert list(events.documents()) == [(1, document)]


def test_no_more_mistakes_are_noted_than_a_text_of_yaml_has() -> None:
    lost: list[YamlUnreadable] = []
    (events, *_) = events_of("a: on\n" * (MOST_NOTED + 2), VALUES, lost)
    with pytest.raises(YamlUnreadable) as caught:
        list(events.documents())
    assert len(lost) == MOST_NOTED
    assert caught.value.line == MOST_NOTED // 2 + 1
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        ("a: *x\n", 1, 4, "yaml_alias_unknown"),
        ("*x : 1\n", 1, 1, "yaml_alias_unknown"),
        ("a: &x [*x]\n", 1, 8, "yaml_alias_loop"),
        ("a: &x b\n---\na: *x\n", 3, 4, "yaml_alias_unknown"),
        ("a: &x 5\n*x : 1\n", 2, 1, "yaml_key"),
        ("? [a]\n: 1\n", 1, 3, "yaml_key"),
        ("? {a: b}\n: 1\n", 1, 3, "yaml_key"),
        *((f"a: {word}\n", 1, 4, "yaml_tag") for word in ("!!int x", "!!int true", "!!int ''", "!!int 1.5")),
        *(
            (f"a: {word}\n", 1, 4, "yaml_tag")
            for word in ("!!null x", "!!float x", "!!bool 1", "!x 5", "!!set 5")
        ),
        *(
            (f"a: {word}\n", 1, 4, "yaml_tag")
            for word in ("!!seq {b: c}", "!!map [b]", "!x [b]", "!!omap [b]")
        ),
        ("<<: [5]\n", 1, 1, "yaml_merge"),
        ("\n <<: [{a: 1}, x]\n", 2, 2, "yaml_merge"),
        ("\na: 1\nb:\n  <<: x\n", 4, 3, "yaml_merge"),
        ("a: b\n\tc: d\n", 2, 1, "yaml_tab"),
        ("\ta: b\n", 1, 1, "yaml_tab"),
        ("\na: b: c\n\td: e\n", 2, 5, "yaml_colon"),
        ("a: b:\tc\n", 1, 5, "yaml_colon"),
        ("\xa0a: b: c\n", 1, 1, "sign_blank"),
        ("a: b\nk\xa0: 1\nc: d: e\n", 2, 2, "sign_blank"),
        ("k\xa0: 1\nb: 2\nc: d: e\n", 3, 5, "yaml_colon"),
        ("a: 1\nb: 2\nk\xa0: c: d\n", 3, 2, "sign_blank"),
        ("c: d: e\nk\xa0: 1\n", 1, 5, "yaml_colon"),
        ("\na\uff1a 1\nb: 2\n", 2, 2, "sign_wide_colon"),
        ("\n\nx:\n  a: b: c\n", 4, 7, "yaml_colon"),
        ("%\n", 1, 2, "yaml_problem"),
        (f"\n  {'[' * (DEEPEST + 1)}", 2, 3 + DEEPEST, "yaml_deep"),
        ("{a: " * (DEEPEST + 1), 1, 1 + 4 * DEEPEST, "yaml_deep"),
        (
            "".join(f"{' ' * depth}a:\n" for depth in range(DEEPEST + 2)),
            1 + DEEPEST,
            1 + DEEPEST,
            "yaml_deep",
        ),
        ("- " * (DEEPEST + 1) + "a\n", 1, 1 + 2 * DEEPEST, "yaml_deep"),
    ],
)
def test_a_mistake_that_ends_the_reading_is_told_where_it_is(
    text: str, line: int, column: int, sentence: str
) -> None:
    for events in events_of(text, SETTINGS, []):
        with pytest.raises(YamlUnreadable) as caught:
            list(events.documents())
        found = caught.value
        assert (found.line, found.column, found.problem.key) == (line, column, f"render.{sentence}")


def test_a_hundred_levels_are_read() -> None:
    for events in events_of("[" * DEEPEST + "]" * DEEPEST):
        ((_, document),) = events.documents()
        assert str(document) == "[" * DEEPEST + "]" * DEEPEST
    nested = "".join(f"{' ' * depth}a:\n" for depth in range(DEEPEST))
    for events in events_of(nested):
        assert len(list(events.documents())) == 1
