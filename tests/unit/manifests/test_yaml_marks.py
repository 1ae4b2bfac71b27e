"""Where values stand in a YAML text: what is between the offsets is the value, and nothing more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.building import VALUES_OF_ANY_KIND

from bcs_template_set.manifests.yaml_marks import Anchored, Collection, Marked, Scalar, marked_documents
from bcs_template_set.manifests.yaml_reading import YamlUnreadable, dump_yaml, read_yaml
from bcs_template_set.manifests.yaml_words import MANIFESTS

TEXT = """\
# first
a:
  - b: 1   # one
    c:
      d: "é\U0001f600"
  # the next
  - {e: 1, f: [2]}
g: |
  two
  lines
---
---
h:
"""


def written(text: str, value: Marked) -> str:
    return text[value.start : value.end]


def test_values_are_found_without_the_comments_around_them() -> None:
    first, second = marked_documents(TEXT)
    assert isinstance(first, Collection)
    items = first.at("a")
    assert isinstance(items, Collection)
    assert (items.is_list, items.is_flow) == (True, False)
    assert [written(TEXT, item) for item in items.items()] == [
        'b: 1   # one\n    c:\n      d: "é\U0001f600"',
        "{e: 1, f: [2]}",
    ]
    assert isinstance(second, Collection)
    assert second.at("h") == Scalar("", start=len(TEXT) - 1, end=len(TEXT) - 1)
    assert second.at("nothing") is None


def scalars(value: Marked) -> list[Scalar]:
    if isinstance(value, Scalar):
        return [value]
    return [scalar for pair in value.entries for item in pair if item is not None for scalar in scalars(item)]


@given(st.dictionaries(st.text("ab-", min_size=1), VALUES_OF_ANY_KIND, min_size=1))
def test_every_value_reads_the_same_at_its_own_place(values: dict[str, object]) -> None:
    text = dump_yaml(values)  # type: ignore[arg-type]  # they are YAML values
    (document,) = marked_documents(text)
    for scalar in scalars(document):
        place = written(text, scalar)
        if scalar.style in ("'", '"') and "\n" not in place:
            assert read_yaml(place, source="", reading=MANIFESTS) == scalar.value


@pytest.mark.parametrize("text", ["a: &x 1", "a: &x [1]", "a: &x {b: 1}", "a: *x", "a: &x 1\nb: {<<: *x}"])
def test_anchors_and_aliases_are_refused(text: str) -> None:
    with pytest.raises(Anchored):
        marked_documents(text)


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\x00"])
def test_what_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(YamlUnreadable):
        marked_documents(text)
