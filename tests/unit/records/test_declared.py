"""Records: fields, defaults, names in JSON."""

from __future__ import annotations

from typing import Annotated, Optional

import pytest

from bcs_template_set.records.declared import Record, camel, fresh, types_of
from bcs_template_set.records.decoding import Rule, convert, fits


class Point(Record, named=camel):
    """Two numbers."""

    far_left: int
    far_up: int = 2


class Named(Point):
    """A point with words."""

    words: list[str] = fresh(factory=list)
    label: Optional[str] = None


def test_fields_are_given_in_their_order_or_by_name() -> None:
    assert Point(1, 3) == Point(far_up=3, far_left=1)
    assert (Point(1).far_left, Point(1).far_up) == (1, 2)
    assert Named(1, label="x").label == "x"


def test_a_default_that_can_change_is_made_for_each() -> None:
    class Words(Record):
        words: list[str] = fresh(factory=list)

    one, other = Words(), Words()
    one.words.append("x")
    assert other.words == []


def test_one_that_says_nothing_of_its_json_is_read_from_an_object_that_may_hold_more() -> None:
    class Plain(Record):
        at_most_two: Annotated[int, Rule(most=2)]

    assert convert({"at_most_two": 2, "more": 1}, Plain) == Plain(2)
    assert not fits({"at_most_two": 3}, Plain)
    assert not fits([2], Plain)


def test_a_name_has_capitals_where_it_had_underlines() -> None:
    assert (camel("one"), camel("one_or_two")) == ("one", "oneOrTwo")


def test_a_value_is_equal_to_one_with_the_same_fields_of_its_class() -> None:
    assert Point(1) == Point(1, 2)
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert len({Point(1), Point(1, 2)}) == 1


def test_it_is_frozen_and_another_is_made_from_it() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="far_left is frozen"):
        point.far_left = 2  # type: ignore[misc]  # that is the point
    assert point.replaced(far_left=2) == Point(2)


def test_it_shows_its_fields() -> None:
    assert repr(Point(1)) == "Point(far_left=1, far_up=2)"


@pytest.mark.parametrize("given", [(), (1, 2, 3)])
def test_fields_that_are_missing_or_too_many_are_refused(given: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="Point"):
        Point(*given)


@pytest.mark.parametrize("named", [{"far_left": 1, "z": 1}, {"far_up": 1}])
def test_so_are_others_by_name(named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Point"):
        Point(**named)


def test_one_field_given_twice_is_refused() -> None:
    with pytest.raises(TypeError, match="each once"):
        Point(1, far_left=1)  # type: ignore[misc]  # as above


def test_its_types_are_those_that_are_written() -> None:
    assert types_of(Named) == {"far_left": int, "far_up": int, "words": list[str], "label": Optional[str]}
