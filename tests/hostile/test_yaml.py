"""YAML of somebody who wants the parser's time, memory or objects: bounded, and named by line and column."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.yaml_reading import LARGEST_TEXT, read_documents
from bcs_template_set.manifests.yaml_words import MANIFESTS, VALUES, Reading
from tests.hostile.confined import Confined
from tests.support.draws import examples, swept

MANY = "".join(f"k{number}: 1\n" for number in range(180_000))
BIG = ", ".join(f"k{number}: 1" for number in range(90_000))
LAUGHS = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi")
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(LAUGHS, "aliases (*) expand", id="a billion laughs"),
        pytest.param(
            "- &a " + "x" * 9000 + "\n" + "- *a\n" * 2000, "aliases (*) expand", id="one long alias"
        ),
        pytest.param("[" * 1_000_000, "nested deeper", id="flow lists"),
        pytest.param("{a: " * 400_000, "nested deeper", id="flow mappings"),
        pytest.param("- " * 900_000, "nested deeper", id="block lists"),
        pytest.param("".join(" " * n + "a:\n" for n in range(2000)), "nested deeper", id="block mappings"),
        pytest.param("? " * 900_000, "this key must be text", id="keys of keys"),
        pytest.param("a: &a {<<: *a}", "contain itself", id="a merge of itself"),
        pytest.param("a: &a [*a]", "contain itself", id="a list of itself"),
        pytest.param("a: &a\n  b: &b\n    c: *a", "contain itself", id="a loop through a child"),
        pytest.param("a: " + "1" * 2_000_000, "beyond 64 bits", id="two million digits"),
        pytest.param("a: 0x" + "f" * 2_000_000, "beyond 64 bits", id="two million hexadecimal digits"),
        pytest.param("a: 1_" + "0_" * 900_000, "beyond 64 bits", id="digits and underscores"),
        pytest.param("".join(f"%TAG !a{n}! x\n" for n in range(120_000)) + "--- a", "tag (!)", id="%TAG"),
        pytest.param("%YAML " + "9" * 1_900_000 + ".1\n--- a", "not valid YAML", id="%YAML"),
        pytest.param("a: !!python/object/apply:os.system [id]", "tag (!)", id="a Python object"),
        pytest.param("a: !<tag:yaml.org,2002:python/name:os.system> x", "tag (!)", id="a Python name"),
        pytest.param("a: !!binary aGk=", "tag (!)", id="binary"),
        pytest.param("a: !" + "x" * 1_000_000 + " y", "tag (!)", id="a tag of a megabyte"),
        pytest.param("a: !<" + "%41" * 600_000 + "> x", "tag (!)", id="an escaped tag"),
        pytest.param("a: \0", "U+0000", id="NUL"),
        pytest.param("a: \ud800", "U+D800", id="half a character"),
        pytest.param('a: "\\ud800"', "not valid YAML", id="half a character, escaped"),
        pytest.param('a: "\\UFFFFFFFF"', "not valid YAML", id="no character"),
        pytest.param("a: 1\n" * 400_000, "there twice", id="one key"),
        pytest.param("{" + "'a', " * 400_000, "there twice", id="one key, unclosed"),
        pytest.param("x" * (LARGEST_TEXT + 1), "over the limit", id="too long"),
    ],
)
def test_what_is_refused_is_refused_at_its_place(confined: Confined, text: str, says: str) -> None:
    end = confined.yaml(text)
    assert end.error == "YamlUnreadable", end
    assert says in end.said
    assert "t.yaml, line " in end.said
    assert len(end.said) < 500
    assert end.seconds < 3
    assert end.mebibytes < 400


@pytest.mark.parametrize(
    "text",
    swept(
        [
            pytest.param(MANY, id="180,000 keys"),
            pytest.param(
                f"big: &b {{{BIG}}}\ns: &s {{a: 1}}\nm:\n  <<: [*b" + ",*s" * 250_000 + "]\n",
                id="small merges into a large mapping",
            ),
            pytest.param("[" + "[]," * 680_000 + "]", id="empty lists"),
            pytest.param("---\n" * 500_000, id="empty documents"),
            pytest.param("--- a\n" * 340_000, id="documents"),
            pytest.param(
                "".join("- &a x\n" for _ in range(240_000)) + "- *a\n", id="one anchor again and again"
            ),
            pytest.param("".join(f"- &a{n} x\n" for n in range(150_000)), id="anchors"),
            pytest.param("a: " + "x" * 2_000_000, id="a long text"),
            pytest.param("a: 1." + "1" * 2_000_000, id="a long fraction"),
            pytest.param("a: |\n" + " \n" * 900_000 + "  x\n", id="a block of blanks"),
            pytest.param('a: "' + "x\n\n " * 500_000 + '"', id="folded lines"),
            pytest.param("#\n" * 1_000_000, id="comments"),
            pytest.param("a" + ":a" * 900_000, id="colons"),
            pytest.param("{" + "a " * 900_000 + "}", id="what may become a key"),
            pytest.param("%TAG ! " + "x" * 2_000_000 + "\n--- a", id="a long directive"),
        ],
        sample=2,
    ),
)
def test_what_is_only_large_is_read_in_seconds(confined: Confined, text: str) -> None:
    end = confined.yaml(text)
    assert end.error == "", end
    assert end.seconds < 5
    assert end.mebibytes < 400


def test_the_last_of_two_anchors_of_one_name_counts() -> None:
    ((_, value),) = read_documents("- &a 1\n- &a 2\n- *a\n", source="t")
    assert value == [1, 2, 2]


def test_merged_keys_stand_before_a_mappings_own_and_the_first_wins() -> None:
    ((_, value),) = read_documents("m: {x: 0, <<: [{a: 1, b: 1}, {b: 2, c: 2}, {x: 9}]}", source="t")
    assert isinstance(value, dict)
    assert value["m"] == {"a": 1, "b": 1, "c": 2, "x": 0}
    assert list(value["m"])[-1] == "a", "the last part comes first, as in PyYAML's own merge"


_INGREDIENTS = st.sampled_from(
    [
        *("&a ", "*a", "<<: ", "- ", "? ", ": ", "a: ", "b: ", "[", "]", "{", "}", ", ", "!!str ", "!x "),
        *("|\n", ">-\n", "\n", "\n  ", "---\n", "...\n", "%TAG ! x\n", "%YAML 1.1\n", "'", '"', "\\", "#"),
        *("\t", "~", "1e9", "0x", "\ufeff", "\x85", "\u2028", "@", "`", "%", "\0", "\r"),
    ]
)


@settings(max_examples=examples(300, sample=80), deadline=None)
@given(
    text=st.lists(st.one_of(_INGREDIENTS, st.text(max_size=3)), max_size=40).map("".join),
    reading=st.sampled_from([VALUES, MANIFESTS]),
)
def test_any_mixture_of_yamls_own_signs_is_read_or_refused(text: str, reading: Reading) -> None:
    try:
        list(read_documents(text, source="t.yaml", reading=reading))
    except YamlUnreadable as refused:
        assert "t.yaml, line " in str(refused)  # noqa: PT017 - either is fine
