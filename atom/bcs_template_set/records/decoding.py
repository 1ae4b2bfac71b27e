"""JSON as values of declared types, or one sentence that names what does not fit. Pure: performs no I/O.

A type is str, int, float, bool, None, a list, tuple or dict of such, a choice between them (`Optional`,
`Union`, `Literal`), one with a `Rule` (`Annotated`), or a record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from typing import Annotated, Literal, NoReturn, Optional, TypeVar, Union, cast, get_args, get_origin

from bcs_template_set.records.declared import Record, types_of
from bcs_template_set.records.late_dataclass import dataclass

T = TypeVar("T")
_Read = Callable[[object], object]

_NAMES: Mapping[object, str] = {
    **{kind: kind.__name__ for kind in (str, int, float, bool)},
    type(None): "null",
    list: "array",
    dict: "object",
}
"""What JSON calls a type."""

_NUMBERS = {int: r"-?(0|[1-9][0-9]{0,17})", float: r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?"}
"""What a text is that says such a number."""


class Mismatch(ValueError):
    """A value is not of its type; the sentence ends with the path to it, from `$`, where that is longer."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.path = ""

    def inside(self, place: str) -> Mismatch:
        """Say that it lies in that part of something larger; return the same error."""
        self.path = place + self.path
        return self

    def __str__(self) -> str:
        return f"{self.problem} - at `${self.path}`" if self.path else self.problem


class _OtherKind(Mismatch):
    """What is there is of another kind: text in place of a number. A choice has others."""


@dataclass(frozen=True)
class Rule:
    """What a value of a type must be beside. `accepts` names a sentence about it."""

    pattern: str = ""
    least: Optional[int] = None
    most: Optional[int] = None
    shortest: int = 0
    longest: Optional[int] = None
    accepts: str = ""

    @cached_property
    def _form(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def broken_by(self, value: object) -> bool:
        """Tell whether a value breaks it."""
        if isinstance(value, (str, list)):
            length = len(value)
            too_long = self.longest is not None and length > self.longest
            fits = not self.pattern or (isinstance(value, str) and self._form.search(value))
            return length < self.shortest or too_long or not fits
        number = cast("float", value)
        return (self.least is not None and number < self.least) or (
            self.most is not None and number > self.most
        )


def decode(text: Union[str, bytes], kind: type[T]) -> T:
    """Return the value of that type that a JSON text holds.

    Raises:
        ValueError: it is no JSON, or of another type.
        RecursionError: it is nested too deep.
    """
    return convert(parse(text), kind)


def parse(text: Union[str, bytes]) -> object:
    """Return the value that a JSON text holds.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deep.
    """
    return json.loads(text if isinstance(text, str) else text.decode("utf-8"), parse_constant=_refuse)


def encode(value: object, *, indent: Optional[int] = None) -> bytes:
    """Return a value as JSON."""
    separators = (",", ":") if indent is None else None
    return json.dumps(
        value, ensure_ascii=False, indent=indent, separators=separators, default=Record.as_json
    ).encode("utf-8")


def convert(value: object, kind: type[T], *, reads_text: bool = False) -> T:
    """Return what JSON holds as a value of a type. With `reads_text`, a number may stand there as text.

    Raises:
        Mismatch: it is of another type.
    """
    return cast("T", _reader(cast("object", kind), reads_text)(value))


def fits(value: object, kind: object) -> bool:
    """Tell whether what JSON holds is a value of a type."""
    try:
        _reader(kind, False)(value)
    except Mismatch:
        return False
    return True


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


@cache
def _reader(kind: object, reads_text: bool) -> _Read:  # noqa: FBT001 - a key of the cache
    """Return what reads a value of a type."""
    if isinstance(kind, type) and issubclass(kind, Record):
        return _Fields(kind, reads_text)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return partial(_chosen, args)
    if origin is None:
        return partial(_plain, cast("type", kind), reads_text)
    inner = [one for one in args if one is not Ellipsis and not isinstance(one, Rule)]
    reads = [_reader(one, reads_text) for one in inner]
    if origin is Union:  # a text that may stay one does
        reads[:0] = [_reader(one, False) for one in inner if one in _NAMES]
    several = partial(_fixed, reads) if len(inner) == len(args) else partial(_several, reads[0], tuple)
    made: dict[object, _Read] = {
        Annotated: partial(_ruled, reads[0], args[-1], _name(args[0])),
        Union: partial(_either, reads, " | ".join(_name(one) for one in args)),
        dict: partial(_mapping, reads[0], reads[-1]),
        list: partial(_several, reads[0], list),
        tuple: several,
    }
    return made[origin]


def _name(kind: object) -> str:
    """Return a type by JSON's word for it."""
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    plain = {tuple: list, Literal: str}.get(cast("type", get_origin(kind)), get_origin(kind) or kind)
    return _NAMES.get(cast("type", plain), "object")


def _wrong(expected: str, value: object) -> Mismatch:
    return _OtherKind(f"Expected `{expected}`, got `{_NAMES.get(type(value), 'object')}`")


def _plain(kind: type, reads_text: bool, value: object) -> object:  # noqa: FBT001 - as above
    given = type(value)
    if given is kind:
        return value
    if kind is float and given is int:
        return float(cast("int", value))
    if reads_text and kind is int and given is float and cast("float", value).is_integer():
        return int(cast("float", value))
    if reads_text and given in (str, int):
        return _of_text(kind, value)
    raise _wrong(_NAMES[kind], value)


def _of_text(kind: type, value: object) -> object:
    """Return the number or the truth that a text says."""
    text = str(value).lower()
    if kind is bool and text in ("true", "false", "1", "0"):
        return text in ("true", "1")
    if kind in _NUMBERS and re.fullmatch(_NUMBERS[kind], text):
        return kind(text)
    raise _wrong(_NAMES[kind], value)


def _ruled(read: _Read, rule: Rule, name: str, value: object) -> object:
    found = read(value)
    if rule.broken_by(found):
        raise Mismatch(f"Expected `{name}` of another form")
    return found


def _either(reads: Sequence[_Read], name: str, value: object) -> object:
    for read in reads:
        try:
            return read(value)
        except _OtherKind as exc:  # noqa: PERF203 - one kind after the other
            if exc.path:
                raise
    raise _wrong(name, value)


def _chosen(words: Sequence[object], value: object) -> object:
    if not isinstance(value, str):
        raise _wrong("str", value)
    if value not in words:
        raise Mismatch(f"Invalid enum value {value!r}")
    return value


def _mapping(key: _Read, read: _Read, value: object) -> dict[object, object]:
    if not isinstance(value, dict):
        raise _wrong("object", value)
    return {key(name): _at(read, item, "[...]") for name, item in value.items()}


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise _wrong("array", value)
    return value


def _several(read: _Read, kind: type, value: object) -> object:
    return kind(_at(read, item, "[{}]", number) for number, item in enumerate(_list(value)))


def _fixed(reads: Sequence[_Read], value: object) -> tuple[object, ...]:
    items = _list(value)
    if len(items) != len(reads):
        raise Mismatch(f"Expected `array` of length {len(reads)}")
    return tuple(_at(read, item, "[{}]", number) for number, (read, item) in enumerate(zip(reads, items)))


def _at(read: _Read, value: object, place: str, which: object = None) -> object:
    try:
        return read(value)
    except Mismatch as exc:
        raise exc.inside(place.format(which)) from None


class _Fields:
    """Reads a record. What its fields are read by is made when the first one comes: it may hold its like."""

    def __init__(self, kind: type[Record], reads_text: bool) -> None:  # noqa: FBT001 - as above
        self._kind = kind
        self._reads_text = reads_text
        self._rows: list[tuple[str, str, object, _Read]] = []

    def __call__(self, value: object) -> Record:
        kind, shape = self._kind, self._kind.shape
        given = dict(zip(shape.fields.values(), _list(value))) if shape.is_list else value
        if not isinstance(given, dict):
            raise _wrong("object", value)
        if not self._rows:
            types = types_of(kind)
            rows = ((name, key, types[name]) for name, key in shape.fields.items())
            self._rows = [(name, key, of, _reader(of, self._reads_text)) for name, key, of in rows]
        record = object.__new__(kind)
        found = vars(record)
        for nth, (name, key, of, read) in enumerate(self._rows):
            if key in given:
                item = given[key]
                if type(item) is not of:  # else it is right as it stands
                    item = _at(read, item, "[{}]" if shape.is_list else ".{}", nth if shape.is_list else key)
                found[name] = item
        for name in record.filled():
            raise Mismatch(f"Object missing required field `{shape.fields[name]}`")
        if shape.is_closed and given.keys() - shape.fields.values():
            raise Mismatch("Object contains unknown fields")
        return record
