from __future__ import annotations

import pytest

from bcs_template_set.manifests.fields import (
    Fields,
    Paths,
    canonical,
    is_left_for_bcs,
    is_same,
    list_at,
    mapping_at,
    objects_at,
    text_at,
    texts_of,
    value_at,
)
from bcs_template_set.manifests.yaml_reading import YamlValue

BODY: dict[str, YamlValue] = {"map": {"list": [1], "text": "t", "none": None}, "text": "x", "list": []}


@pytest.mark.parametrize(
    ("keys", "value", "mapping", "items", "text"),
    [
        ((), BODY, BODY, (), ""),
        (("map",), BODY["map"], BODY["map"], (), ""),
        (("map", "list"), [1], {}, [1], ""),
        (("map", "text"), "t", {}, (), "t"),
        (("map", "none"), None, {}, (), ""),
        (("map", "none", "below"), None, {}, (), ""),
        (("map", "missing"), None, {}, (), ""),
        (("missing", "below"), None, {}, (), ""),
        (("text", "x"), None, {}, (), ""),
        (("list", "0"), None, {}, (), ""),
    ],
)
def test_what_is_missing_or_of_another_kind_is_empty(
    keys: tuple[str, ...], value: YamlValue, mapping: Fields, items: object, text: str
) -> None:
    found = (value_at(BODY, keys), mapping_at(BODY, *keys), list_at(BODY, *keys), text_at(BODY, *keys))
    assert found == (value, mapping, items, text)


def test_of_what_is_no_mapping_nothing_is_found() -> None:
    assert (value_at("x", ["a"]), mapping_at(None), list_at(5, "a"), text_at(True, "a")) == (None, {}, (), "")
    assert texts_of([1]) == {}


def test_texts_are_the_entries_that_are_text() -> None:
    assert texts_of({"a": "x", "b": "", "c": 1, "d": None, "e": ["y"]}) == {"a": "x", "b": ""}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ([1, 2], [2, 1], False),
        (1, True, False),
        ({"a": 1}, {"a": 1.0}, False),
        ("1", 1, False),
        (None, {}, False),
    ],
)
def test_the_order_of_keys_makes_no_difference_and_a_type_does(
    one: YamlValue, other: YamlValue, *, same: bool
) -> None:
    assert is_same(one, other) is same
    assert (canonical(one) == canonical(other)) is same


POD: dict[str, YamlValue] = {
    "volumes": [{"secret": {"name": "a"}}, 5, {"secret": [{}]}, {"secret": {"items": [{"key": "k"}, None]}}],
    "affinity": {"node": {"any": True}},
    "securityContext": [],
    "nothing": None,
}
ITEMS = "volumes[].secret.items[]"
FOUND: list[tuple[str, list[tuple[str, Fields]]]] = [
    ("", [("", POD)]),
    ("affinity", [("affinity", {"node": {"any": True}})]),
    ("affinity.node", [("affinity.node", {"any": True})]),
    ("affinity.node.any", []),
    ("affinity[]", []),
    (
        "volumes[]",
        [
            ("volumes[0]", {"secret": {"name": "a"}}),
            ("volumes[1]", {}),
            ("volumes[2]", {"secret": [{}]}),
            ("volumes[3]", {"secret": {"items": [{"key": "k"}, None]}}),
        ],
    ),
    ("volumes", []),
    (
        "volumes[].secret",
        [
            ("volumes[0].secret", {"name": "a"}),
            ("volumes[3].secret", {"items": [{"key": "k"}, None]}),
        ],
    ),
    (ITEMS, [("volumes[3].secret.items[0]", {"key": "k"}), ("volumes[3].secret.items[1]", {})]),
    ("securityContext[]", []),
    ("nothing.below", []),
    ("missing[].below", []),
]


@pytest.mark.parametrize(("path", "found"), FOUND)
def test_mappings_are_found_at_a_path_each_with_where_it_is(
    path: str, found: list[tuple[str, Fields]]
) -> None:
    assert objects_at(POD, path) == found
    below = [(f"spec.{where}" if where else "spec", value) for where, value in found]
    assert objects_at(POD, path, where="spec") == below
    assert Paths([(path, 7)]).found_in(POD) == [(where, value, [7]) for where, value in found]
    assert Paths([(path, 7)]).found_in(POD, "spec") == [(where, value, [7]) for where, value in below]


def test_many_paths_are_followed_in_one_walk() -> None:
    paths = Paths([(ITEMS, "items"), ("volumes[].secret", "secret"), ("affinity", "a"), ("affinity", "b")])
    assert [(where, list(noted)) for where, _, noted in paths.found_in(POD)] == [
        ("volumes[0].secret", ["secret"]),
        ("volumes[3].secret", ["secret"]),
        ("volumes[3].secret.items[0]", ["items"]),
        ("volumes[3].secret.items[1]", ["items"]),
        ("affinity", ["a", "b"]),
    ]
    assert Paths[int]().found_in(POD) == []


@pytest.mark.parametrize(
    ("value", "is_left"),
    [("{{ X }}", True), ("a{{", True), ("{ { X } }", False), ("", False), (5, False), (["{{ X }}"], False)],
)
def test_what_bcs_fills_in_is_known_by_its_braces(value: object, *, is_left: bool) -> None:
    assert is_left_for_bcs(value) is is_left
