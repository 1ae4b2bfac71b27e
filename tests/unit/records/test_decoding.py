"""JSON as typed values, held to what msgspec makes of the same types and texts."""

from __future__ import annotations

import json
from typing import Annotated, Callable, Literal, Optional, Union, cast

import msgspec
import pytest

from bcs_template_set.records.declared import Record, camel, fresh
from bcs_template_set.records.decoding import Mismatch, Rule, convert, decode, encode, fits, parse


class TheirInner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As `Inner`."""

    a: int
    b: Optional[str] = None


class TheirOuter(msgspec.Struct, frozen=True, rename="camel"):
    """As `Outer`."""

    an_id: int
    inner: Optional[TheirInner] = None
    rows: tuple[TheirInner, ...] = ()
    by_name: dict[str, TheirInner] = {}


class TheirRow(msgspec.Struct, frozen=True, array_like=True):
    """As `Row`."""

    a: int
    b: str = "x"


class Inner(Record, is_closed=True):
    """A record that may have no other field."""

    a: int
    b: Optional[str] = None


class Outer(Record, named=camel):
    """A record of records."""

    an_id: int
    inner: Optional[Inner] = None
    rows: tuple[Inner, ...] = ()
    by_name: dict[str, Inner] = fresh(factory=dict)


class Row(Record, is_list=True):
    """A record that is a list in JSON."""

    a: int
    b: str = "x"


PAIRS: dict[str, tuple[object, object]] = {
    **{str(kind): (kind, kind) for kind in (str, int, float, bool, type(None))},
    **{
        str(kind): (kind, kind) for kind in (Optional[str], Optional[int], Union[int, str], Union[int, float])
    },
    **{str(kind): (kind, kind) for kind in (list[int], dict[str, int], tuple[int, ...], tuple[int, str])},
    "Literal": (Literal["x", "1"], Literal["x", "1"]),
    "Inner": (Inner, TheirInner),
    "Outer": (Outer, TheirOuter),
    "Row": (Row, TheirRow),
    "rows": (list[Inner], list[TheirInner]),
    "optional": (Optional[Inner], Optional[TheirInner]),
    "either": (Union[str, Inner, list[int]], Union[str, TheirInner, list[int]]),
    "number": (Annotated[int, Rule(least=0, most=1)], Annotated[int, msgspec.Meta(ge=0, le=1)]),
    "text": (
        Annotated[str, Rule(pattern="^1", shortest=1, longest=2)],
        Annotated[str, msgspec.Meta(pattern="^1", min_length=1, max_length=2)],
    ),
    "at most two": (Annotated[str, Rule(longest=2)], Annotated[str, msgspec.Meta(max_length=2)]),
    "some": (Annotated[list[int], Rule(shortest=1)], Annotated[list[int], msgspec.Meta(min_length=1)]),
    "word": (
        Union[Annotated[int, Rule(least=0)], Literal["auto"]],
        Union[Annotated[int, msgspec.Meta(ge=0)], Literal["auto"]],
    ),
}
TEXTS = (
    *("null", "true", "0", "1", "2", "-1", "1.5", "2.0", "[]", "{}", '"auto"'),
    *('"1"', '"-2"', '"1.5"', '"true"', '"TRUE"', '"x"', '""', '"01"', '" 1"', '"123"'),
    *("[1]", '["1"]', '[1,"a"]', "[1,2]", "[1,2,3]", '[{"a":1}]', '[{"a":"x"}]', '["x"]'),
    *('{"a":1}', '{"a":"1"}', '{"a":1,"b":null}', '{"a":1,"z":1}', '{"b":1}', '{"b":"x"}', '{"a":{"a":1}}'),
    *(
        '{"anId":1}',
        '{"an_id":1}',
        '{"anId":1,"more":1}',
        '{"anId":1,"inner":{"a":1},"byName":{"x":{"a":2}}}',
    ),
    *(
        '{"anId":1,"inner":{}}',
        '{"anId":1,"rows":[{"a":1},{"a":"x"}]}',
        '{"anId":1,"byName":{"x":{"a":"y"}}}',
    ),
)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("reads_text", [False, True])
def test_it_reads_what_msgspec_reads_and_refuses_what_that_refuses(name: str, *, reads_text: bool) -> None:
    ours, theirs = PAIRS[name]
    for text in TEXTS:
        value = json.loads(text)
        assert outcome_of_ours(value, ours, reads_text) == outcome_of_theirs(value, theirs, reads_text), text


def outcome_of_ours(value: object, kind: object, reads_text: bool) -> str:  # noqa: FBT001 - a test's
    """Return the value, or where in it what is refused lies."""
    try:
        return encode(convert(value, cast("type[object]", kind), reads_text=reads_text)).decode()
    except Mismatch as exc:
        return place_in(exc)


def outcome_of_theirs(value: object, kind: object, reads_text: bool) -> str:  # noqa: FBT001 - a test's
    try:
        found = msgspec.convert(value, kind, strict=not reads_text)
        return encode(json.loads(msgspec.json.encode(found))).decode()
    except msgspec.ValidationError as exc:
        return place_in(exc)


def place_in(error: Exception) -> str:
    return f"refused at {str(error).partition(' - at ')[2]}"


@pytest.mark.parametrize(
    "name", ["<class 'int'>", str(Optional[str]), "Literal", "Outer", "rows", str(dict[str, int]), "word"]
)
@pytest.mark.parametrize("text", ["[]", '"x"', "{}", '{"anId":"x"}', '{"anId":1,"rows":[{"a":1},{}]}', "[1]"])
def test_it_says_so_in_the_same_words(name: str, text: str) -> None:
    ours, theirs = PAIRS[name]
    value = json.loads(text)
    assert sentence(lambda: convert(value, cast("type[object]", ours))) == sentence(
        lambda: msgspec.convert(value, theirs)
    )


def sentence(read: Callable[[], object]) -> str:
    try:
        read()
    except (ValueError, msgspec.ValidationError) as exc:  # which is none of the former in older ones
        return str(exc)
    return ""


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "-Infinity", '{"a": 1}}', "[1,]", '"\t"', "01", b"\xff", b"\xff\xfe1\x00"]
)
def test_what_is_no_json_is_refused(text: Union[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


def test_json_is_read_and_written_as_it_came() -> None:
    text = '{"anId":1,"inner":{"a":2,"b":"Grüße 分支"},"rows":[],"byName":{}}'
    outer = decode(text.encode(), Outer)
    assert outer == Outer(1, Inner(2, "Grüße 分支"))
    assert encode(outer).decode() == text
    assert json.loads(encode([outer], indent=1)) == [json.loads(text)]
    assert encode({"a": [1]}, indent=1).decode() == '{\n "a": [\n  1\n ]\n}'


def test_a_value_fits_its_type_or_not() -> None:
    assert fits([1], list[int])
    assert not fits(["1"], list[int])


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ("1", int, "Expected `int`, got `str`"),
        ([], Optional[Inner], "Expected `object | null`, got `array`"),
        ({"a": 1, "z": 1}, Inner, "Object contains unknown fields"),
    ],
)
def test_what_is_refused_is_said(given: object, kind: type[object], said: str) -> None:
    assert sentence(lambda: convert(given, kind)) == said
