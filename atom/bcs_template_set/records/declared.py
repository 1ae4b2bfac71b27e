"""A value with declared fields: frozen, compared by them, and what JSON is read into. Pure: performs no I/O.

Making such a class costs next to nothing, where a dataclass costs a start half a millisecond: what its
annotations mean is worked out when the first JSON is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Optional, TypeVar, Union, cast, get_type_hints

T = TypeVar("T")


class _Fresh(NamedTuple):
    make: Callable[[], object]


def fresh(*, factory: Callable[[], T]) -> T:
    """Return a default that is made for each value anew."""
    return cast("T", _Fresh(factory))


if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform

    @dataclass_transform(frozen_default=True, field_specifiers=(fresh,))
    class _Declared:
        """Lets a type checker know the fields that a class declares."""
else:
    _Declared = object


class Shape(NamedTuple):
    """What a class declares: the name in JSON of each field, and the defaults.

    With `is_list`, JSON has a list in the order of the fields; with `is_closed`, it may have no other field.
    """

    fields: Mapping[str, str]
    defaults: Mapping[str, object]
    is_list: bool = False
    is_closed: bool = False
    named: Callable[[str], str] = str


class Record(_Declared):
    """What a class annotates are its fields; what it assigns to one is the default.

    `named` makes the name that a field has in JSON; `is_list` and `is_closed` are as in `Shape`.
    """

    shape: ClassVar[Shape] = Shape({}, {})

    def __init_subclass__(
        cls,
        *,
        named: Optional[Callable[[str], str]] = None,
        is_list: bool = False,
        is_closed: bool = False,
    ) -> None:
        above, spelled = cls.shape, named or cls.shape.named
        own = {name: spelled(name) for name in vars(cls).get("__annotations__", ())}
        defaults = {name: vars(cls)[name] for name in own if name in vars(cls)}
        cls.shape = Shape(
            {**above.fields, **own}, {**above.defaults, **defaults}, is_list, is_closed, named=spelled
        )

    def __init__(self, *values: object, **named: object) -> None:
        fields = self.shape.fields
        given = {**dict(zip(fields, values)), **named}
        if len(given) < len(values) + len(named) or given.keys() - fields.keys():
            raise TypeError(f"{type(self).__name__} has no other fields than {', '.join(fields)}, each once")
        vars(self).update(given)
        for name in self.filled():
            raise TypeError(f"{type(self).__name__}: {name} is missing")

    def filled(self) -> list[str]:
        """Give the fields that are not there yet their defaults; return those that have none."""
        given, defaults = vars(self), self.shape.defaults
        missing = [name for name in self.shape.fields if name not in given]
        for name in missing:
            if name in defaults:
                default = defaults[name]
                given[name] = default.make() if isinstance(default, _Fresh) else default
        return [name for name in missing if name not in defaults]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.shape.fields))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shape.fields)
        return f"{type(self).__name__}({shown})"

    def replaced(self, **fields: object) -> Self:
        """Return this value with other fields."""
        return type(self)(**{**vars(self), **fields})

    def as_json(self) -> Union[list[object], dict[str, object]]:
        """Return what this is in JSON."""
        items = {key: getattr(self, name) for name, key in self.shape.fields.items()}
        return [*items.values()] if self.shape.is_list else items


def types_of(kind: type[Record]) -> Mapping[str, object]:
    """Return the type of each field."""
    return _types_of(cast("object", kind))


@cache
def _types_of(kind: object) -> Mapping[str, object]:
    """Return the same; remembered, since every annotation is evaluated anew."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint for name, hint in hints.items() if name != "shape"}


def camel(name: str) -> str:
    """Return a field's name with capitals in place of underlines."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
