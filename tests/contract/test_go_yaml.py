"""YAML as BCS reads and writes it: Go's yaml.v2, not PyYAML (facts/manifests.md; contract/recorded)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulator.go_yaml import (
    Unreadable,
    format_float,
    read_mapping,
    write,
    write_anything,
    write_quickly,
)
from tests.support.deploying import workload


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("y", True), ("N", False), ("on", True), ("Off", False), ("yes", True), ("oN", "oN"),
        ("~", None), ("null", None), ("", None), ("NuLL", "NuLL"),
        ("0X1F", 31), ("0x1f", 31), ("0o17", 15), ("0123456", 42798), ("0b11", 3), ("-0x1", -1),
        ("0_8", 8.0), ("08", 8.0), ("1_000", 1000), ("1e_3", 1000.0), ("1e3", 1000.0), ("+1", 1),
        ("1.10", 1.1), (".5", 0.5), ("5.", 5.0), ("1e", "1e"), ("0x", "0x"), ("1.2.3", "1.2.3"),
        ("22:22", "22:22"), ("1:30", "1:30"), ("2024-01-05", "2024-01-05"),
        ("2024-1-5T1:2:3Z", "2024-1-5T1:2:3Z"),
        (".inf", math.inf), ("1E400", "1E400"), ("-.9e999", "-.9e999"), ("-.Inf", -math.inf),
        ("99999999999999999999", 1e20), ("18446744073709551615", 2**64 - 1),
        ("!foo x", "x"), ("!!str 3", "3"), ("!!int '3'", 3), ("'3'", "3"), ('"on"', "on"),
    ],
)  # fmt: skip
def test_a_scalar_is_what_go_makes_of_it(written: str, read: object) -> None:
    found = read_mapping(f"a: {written}\n")["a"]
    assert found == read
    assert type(found) is type(read)


def test_keys_below_the_top_are_what_go_prints_of_their_values() -> None:
    found = read_mapping("on: {on: a, n: b, 3: c, 0x10: d, 1.50: e, ~: f, 'on': g}\n")
    assert found == {
        "on": {"true": "a", "false": "b", "3": "c", "16": "d", "1.5": "e", "<nil>": "f", "on": "g"}
    }


def test_of_a_key_that_comes_twice_the_last_counts_and_merged_ones_least() -> None:
    text = "a: &a {x: 1, y: 2, z: 0}\nb: &b {y: 3}\nc: {<<: [*b, *a], x: 9, x: 5}\n"
    found = read_mapping(text)["c"]
    assert isinstance(found, dict)
    assert set(found) == {"true", "x", "z"}, "y is a word"
    assert (found["true"], found["x"], found["z"]) == (3, 5, 0)


ERRORS = "yaml: unmarshal errors:\n  line 1: cannot unmarshal "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [\n", "yaml: line 1: "),
        ("a: 1\n b: 2\n", "yaml: line 2: "),
        ("a:\n\t- b\n", "yaml: line 2: "),
        ("words", f"{ERRORS}!!str `words` into map[string]interface {{}}"),
        ("- a", f"{ERRORS}!!seq into map[string]interface {{}}"),
        ("? [a]\n: b\n", "yaml: invalid map key"),
        ("a: {<<: 3}\n", "yaml: map merge requires map or sequence of maps as the value"),
    ],
)  # fmt: skip
def test_what_go_can_not_read_names_its_line(text: str, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_mapping(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["", "# nothing\n", "~\n", "---\n"])
def test_nothing_is_an_empty_mapping(text: str) -> None:
    assert read_mapping(text) == {}


def test_only_the_first_document_is_read() -> None:
    assert read_mapping("a: 1\n...\n---\nb: 2\n") == {"a": 1}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("x:1", "x:1"), ("[]", "'[]'"), ("", '""'), ("on", '"on"'), ("y", '"y"'), ("22:22", '"22:22"'),
        ("2024-01-05", '"2024-01-05"'), ("1", '"1"'), ("0_8", '"0_8"'), ("- a", "'- a'"), ("a: b", "'a: b'"),
        ("# a", "'# a'"), ("a ", "'a '"), ("é", "é"), ("a\nb\n", "|\n  a\n  b"), ("a\nb", "|-\n  a\n  b"),
        ("a \nb", '"a \\nb"'), (None, "null"), (True, "true"), (31, "31"), (8.0, "8"), (1e6, "1e+06"),
        (0.00001, "1e-05"), (-2.5, "-2.5"), (math.inf, ".inf"), ({}, "{}"), ([], "[]"), (["b"], "\n- b"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_go_writes_it(value: object, written: str) -> None:
    assert write({"a": value}) == f"a: {written}\n".replace(": \n", ":\n")


def test_keys_are_sorted_with_numbers_by_value_and_letters_last() -> None:
    keys = ["a10", "a2", "a1b", "a-1", "a.1", "b", "A", "a", "a01", "a1"]
    assert list(read_mapping(write(dict.fromkeys(keys, "x")))) == [
        "A", "a", "a-1", "a.1", "a1", "a1b", "a01", "a2", "a10", "b",
    ]  # fmt: skip


def test_a_float_is_written_as_go_prints_it() -> None:
    shown = [format_float(value) for value in (0.0, 1.5, 123456789.0, 1e21, math.nan, -math.inf)]
    assert shown == ["0", "1.5", "1.23456789e+08", "1e+21", ".nan", "-.inf"]


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), texts),
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(texts, inside, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(texts, trees, max_size=4))
def test_what_is_written_is_read_again(tree: dict[str, object]) -> None:
    assert read_mapping(write(tree)) == tree


_WORDS = st.one_of(
    st.sampled_from(
        [
            "true",
            "y",
            "0x1F",
            "1e3",
            "2026-01-01",
            "12:30",
            "a: b",
            "a #b",
            "- a",
            "~",
            "'",
            "k8s.io/a_b",
            "中",
        ]
    ),
    st.text("ab1 :./-_=+@#\n", max_size=12),
    st.sampled_from(["x" * 90, "word " * 14 + "x", "word " * 30]),
)


@given(
    st.dictionaries(
        _WORDS,
        st.recursive(
            st.one_of(_WORDS, st.integers(), st.floats(), st.booleans(), st.none()),
            lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(_WORDS, below, max_size=3)),
        ),
    )
)
def test_what_is_written_quickly_is_what_is_written_slowly(tree: dict[str, object]) -> None:
    assert write_quickly(tree) in (None, write_anything(tree))


def test_an_object_as_most_are_is_written_quickly() -> None:
    assert write_quickly(read_mapping(workload(minReadySeconds=5))) == write_anything(
        read_mapping(workload(minReadySeconds=5))
    )
