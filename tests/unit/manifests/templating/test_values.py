from __future__ import annotations

import pytest
from hypothesis import given
from tests.support.building import VALUES_OF_ANY_KIND

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import refusal_of
from bcs_template_set.manifests.templating.values import RESERVED, ValuesText, merge_values, read_values
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import ValuesInvalid


def read(*texts: str) -> dict[str, YamlValue]:
    found: list[Finding] = []
    read = read_values([ValuesText(f"v{n}.yaml", text) for n, text in enumerate(texts)], found=found)
    refusal = refusal_of(found)
    if refusal is not None:
        raise refusal
    assert read is not None
    return read


def complaint(*texts: str) -> ValuesInvalid:
    with pytest.raises(ValuesInvalid) as caught:
        read(*texts)
    return caught.value


def test_later_texts_win_mapping_by_mapping() -> None:
    assert read("a: {x: 1, y: 2}\nb: 1", "a: {y: 3, z: 4}") == {"a": {"x": 1, "y": 3, "z": 4}, "b": 1}


def test_lists_are_replaced_and_not_joined() -> None:
    assert read("a: [1, 2]", "a: [3]") == {"a": [3]}


def test_a_mapping_over_something_else_replaces_it_and_the_other_way_round() -> None:
    assert read("a: 1\nb: {x: 1}", "a: {x: 1}\nb: 2") == {"a": {"x": 1}, "b": 2}


def test_empty_texts_are_no_values() -> None:
    assert read("", "# nothing\n", "null") == {}


@pytest.mark.parametrize("texts", [("- a", "b: 1"), ("b: 1", "- a"), ("b: 1", "a: [")])
def test_without_one_of_the_texts_there_are_no_values(texts: tuple[str, ...]) -> None:
    assert read_values([ValuesText("v.yaml", text) for text in texts], found=[]) is None


@pytest.mark.parametrize(
    ("text", "kind"), [("[1]", "a list"), ("5", "a single value"), ("text", "a single value")]
)
def test_values_that_are_no_mapping_are_refused_by_name(text: str, kind: str) -> None:
    assert f"v0.yaml: values are a mapping of names to values, not {kind}" in str(complaint(text))


def test_values_that_a_full_width_colon_leaves_without_a_key_are_told_where_it_stands() -> None:
    (said,) = complaint("# tag\ntag\uff1a 1").details
    assert str(said).startswith("v0.yaml:2:4: the character U+FF1A (\uff1a) is a full-width colon")


@pytest.mark.parametrize("name", RESERVED)
def test_a_name_of_the_context_is_a_mistake(name: str) -> None:
    assert f'"{name}" is a name that the step sets itself' in str(complaint(f"{name}: 1"))


@pytest.mark.parametrize(
    "text",
    [
        "- canary",
        "'canary",
        "a: canary: x",
        "a: 1\n'a canary': 1\n'a canary': 2",
        "\tcanary: 1",
        "a: !canary x",
    ],
)
def test_a_mistake_shows_its_place_and_not_what_stands_there(text: str) -> None:
    shown = "\n".join(line for language in LANGUAGES for line in complaint(text).explain(language))
    assert "canary" not in shown
    assert "v0.yaml" in shown


@pytest.mark.parametrize(
    ("text", "line", "form"),
    [
        ("tag: 1.10", 1, 'tag: "…"'),
        ("a: 1\nsha: 0123456", 2, 'sha: "…"'),
        *(
            (f"a:\n  b: {word}", 2, 'b: "…"')
            for word in ("0x1f", "0o17", "0b11", "1_0", "+5", ".5", "1.", "-0")
        ),
        *((f"a:\n  b: {word}", 2, 'b: "…"') for word in ("on", "No", "True", "FALSE", "yes", "~", "Null")),
        ("a: [x, 1.10]", 1, 'quotes, "…"'),
        ("a: &x 1.10\nb: *x", 1, 'a: "…"'),
        ("a: !!float 1.10", 1, 'a: "…"'),
        ("hunter two: 1.10", 1, 'quotes, "…"'),
    ],
)
def test_a_word_that_would_lose_its_spelling_is_refused_by_name(text: str, line: int, form: str) -> None:
    problem = complaint(text)
    assert f"v0.yaml:{line}:" in str(problem)
    assert form in str(problem)
    assert "hunter" not in str(problem)


def test_all_words_that_would_lose_their_spelling_are_said_together() -> None:
    assert str(complaint("a: 1.10\nb: on\nc: [0x1]", "d: on")).count("in quotes") == 4


def test_all_mistakes_are_said_together() -> None:
    problem = complaint("- a", "a: 1\na: 2", "build: 1\nbranch: 2", "ok: 1")
    said = [str(line) for line in problem.details]
    assert said[:3] == [
        "v0.yaml: values are a mapping of names to values, not a list. Correct v0.yaml.",
        'v1.yaml:2:1: the key "a" is there twice in one mapping. Correct v1.yaml.',
        "v2.yaml:",
    ]
    assert [line[: line.index(" is a name")] for line in said[3:]] == ['line 1: "build"', 'line 2: "branch"']


@given(VALUES_OF_ANY_KIND, VALUES_OF_ANY_KIND)
def test_merging_loses_no_key_and_the_later_value_wins(low: YamlValue, high: YamlValue) -> None:
    below, over = {"a": low, "b": 1}, {"a": high, "c": 2}
    merged = merge_values(below, over)
    assert merged.keys() == {"a", "b", "c"}
    if not (isinstance(low, dict) and isinstance(high, dict)):
        assert merged["a"] == high
    assert merge_values(merged, over) == merged
