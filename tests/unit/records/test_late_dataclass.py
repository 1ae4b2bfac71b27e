"""The classes that are completed late are what the standard library makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest

from bcs_template_set.records import late_dataclass

Make = Callable[..., Any]
MAKERS = (dataclasses.dataclass, late_dataclass.dataclass)


def kinds_of(make: Make, **options: bool) -> tuple[Any, Any]:
    """Return a class with every sort of field, and one that is made from it."""

    @make(**options)
    class Above:
        first: str
        second: int = 2
        hidden: str = dataclasses.field(default="", repr=False)
        beside: int = dataclasses.field(default=0, compare=False)
        items: tuple[int, ...] = dataclasses.field(default_factory=tuple)

        @cached_property
        def twice(self) -> int:
            return self.second * 2

    @make(**options)
    class Below(Above):
        third: str = "3"

    return Above, Below


VALUES = (
    lambda above, _: above("a"),
    lambda above, _: above("a", 2, "", 1),
    lambda above, _: above("a", hidden="h"),
    lambda above, _: above("b", items=(1,)),
    lambda above, _: dataclasses.replace(above("a"), second=7),
    lambda _, below: below("a"),
    lambda _, below: below("a", third="4"),
)


@pytest.mark.parametrize("options", [{"frozen": True}, {"frozen": True, "order": True}, {}, {"eq": False}])
def test_values_are_shown_and_compared_alike(options: dict[str, bool]) -> None:
    made = [[value(*kinds) for value in VALUES] for kinds in (kinds_of(make, **options) for make in MAKERS)]
    theirs, ours = made
    assert [*map(repr, ours)] == [*map(repr, theirs)]
    assert [*map(dataclasses.asdict, ours)] == [*map(dataclasses.asdict, theirs)]
    pairs = [(one, other) for one in range(len(VALUES)) for other in range(len(VALUES))]
    for said in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        told = [
            [
                str(getattr(type(values[one]), said)(values[one], values[other]))
                for one, other in pairs
                if options.get("eq", True) or one != other
            ]
            for values in made
        ]
        assert told[0] == told[1]
    hashable = [getattr(values[0], "__hash__", None) is not None for values in made]
    assert hashable[0] == hashable[1]
    if options.get("frozen"):
        assert len(set(ours)) == len(set(theirs))
    assert ours[0].twice == 4


def test_one_that_is_frozen_does_not_change() -> None:
    above, below = kinds_of(late_dataclass.dataclass, frozen=True)
    for value in (above("a"), below("a")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.first = "b"
        with pytest.raises(dataclasses.FrozenInstanceError):
            del value.first


def test_one_that_is_not_frozen_is_worked_out_when_it_is_made() -> None:
    @late_dataclass.dataclass
    class Counted:
        began: int
        told: int = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            self.told = self.began + 1

    value = Counted(1)
    value.began = 7
    assert (value.began, value.told) == (7, 2)
    assert value.__hash__ is None


def test_one_without_fields_is_the_same_as_any_other() -> None:
    @late_dataclass.dataclass(frozen=True)
    class Nothing:
        """What it is."""

    assert Nothing.__doc__ == "What it is."
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1


@pytest.mark.parametrize(("given", "named"), [((), {}), (("a", 1, "", 0, (), 6), {}), (("a",), {"other": 1})])
def test_other_fields_than_it_has_are_refused(given: tuple[object, ...], named: dict[str, object]) -> None:
    for make in MAKERS:
        with pytest.raises(TypeError):
            kinds_of(make, frozen=True)[0](*given, **named)
