r"""What software wraps around a text, undone layer by layer. Pure: performs no I/O.

A server, a proxy or a log library escapes what it shows, often what is escaped already. Undone are the
escapes of JSON (also Go's `\u0026`), Python, JavaScript, Rust, C and shells, of URLs and of HTML, several
times over; then line breaks and spaces that were put in or left out; and base64 and hexadecimal digits, in
which a text may begin anywhere, and bytes as numbers, as Go prints them. Each place is known in the text it
came from, and nothing here takes longer than a multiple of the text's length.
"""

from __future__ import annotations

import binascii
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import compress, count
from typing import NamedTuple, Optional

MOST_TIMES = 6
"""How often escapes are undone; every level of JSON in JSON doubles the backslashes, so this is deep."""

_MOST_NESTED = 2
"""How often base64 is undone: a registry's password is base64 within a Secret's base64."""

_ESCAPE = re.compile(
    rb"""\\u(?:[dD][89aAbB][0-9a-fA-F]{2})\\u(?:[dD][c-fC-F][0-9a-fA-F]{2})
    |\\u[0-9a-fA-F]{4} |\\[ux]\{[0-9a-fA-F]{1,6}\} |\\U[0-9a-fA-F]{8} |\\x[0-9a-fA-F]{2} |\\[0-7]{3}
    |\\[^0-9A-Zac-eg-mo-qsuw-z]
    |%[0-9a-fA-F]{2} |%u[0-9a-fA-F]{4}
    |&\#[xX][0-9a-fA-F]{1,6};? |&\#[0-9]{1,7};? |&[a-zA-Z][a-zA-Z0-9]{1,30};
    |''|"" |'"'"' |'\\''""",
    re.VERBOSE,
)
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_UNSEEN = bytes(range(0x21)) + b"\x7f"
_SEEN = bytes(code not in _UNSEEN for code in range(256))
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_AS_BASE64 = bytes(
    code if code in _ALPHABET else {ord("-"): ord("+"), ord("_"): ord("/")}.get(code, ord("A"))
    for code in range(256)
)
_NUMBERS = re.compile(rb"[0-9][0-9]{0,2}[,\s-]{1,40}(?:[0-9]{1,3}[,\s-]{1,40}){6}[0-9]")
_NUMBER = re.compile(rb"(?<![0-9.])-?(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![0-9.])")
"""Bytes as Go and YAML print them; and Java, whose bytes are signed."""
_HEX_LIST = re.compile(rb"[0-9a-fA-F]{2}[,:;-](?:(?:0[xX])?[0-9a-fA-F]{2}[,:;-]){6}")
_BETWEEN_HEX = re.compile(rb"0[xX](?=[0-9a-fA-F])|[,:;-]")
_GROUP, _BYTES = 4, 3


class _Run:
    """So many bytes of these and no other between them: found ten times sooner than by an expression."""

    def __init__(self, least: int, of: bytes) -> None:
        self._is_one = bytes(code in of for code in range(256))
        self._run = b"\1" * least

    def is_in(self, data: bytes) -> bool:
        """Tell whether a text holds such a run."""
        return self._run in data.translate(self._is_one)


_DIGITS = b"0123456789"
_HEX_DIGITS = _DIGITS + b"abcdefABCDEF"
_AS_HEX = bytes(code if code in _HEX_DIGITS else ord("0") for code in range(256))
_BASE64_RUN = _Run(11, _ALPHABET + b"-_")
"""Eight characters in base64, or a line of more; where no such word is, nothing worth a look is encoded."""
_HEX_RUN = _Run(16, _HEX_DIGITS)
_HEX_LIST_RUN = _Run(21, _HEX_DIGITS + b"xX,:;-")
_NUMBERS_RUN = _Run(15, _DIGITS + b", \t\n\r\f\v-")
"""Without such runs the expressions, which are slow, find nothing either."""


class Layer(NamedTuple):
    """A text with one more wrapping undone. `where` tells a place of it in the layer below."""

    data: bytes
    below: Optional[Layer] = None
    where: Callable[[int, int], tuple[int, int]] = lambda start, end: (start, end)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return a place of this layer in the text that all layers came from."""
        layer: Optional[Layer] = self
        while layer is not None:
            start, end = layer.where(start, end)
            layer = layer.below
        return start, end


def layers(text: bytes) -> Iterator[Layer]:
    """Yield the text, and everything that somebody could read out of it."""
    return _layers(Layer(text), nested=_MOST_NESTED)


def undone(text: bytes) -> Iterator[bytes]:
    """Yield the text, and what it is with its escapes undone, once and more often."""
    return (layer.data for layer in _unescaped(Layer(text)))


def folded(text: bytes) -> bytes:
    """Return the text without spaces, line breaks and control characters."""
    return text.translate(None, _UNSEEN)


def _layers(layer: Layer, *, nested: int) -> Iterator[Layer]:
    last = layer
    for last in _unescaped(layer):
        yield last
    plain = _fold(last)
    if plain is not last:
        yield plain
    if _HEX_RUN.is_in(plain.data):
        yield from (_from_hex(plain, at) for at in range(2))
    if _HEX_LIST_RUN.is_in(plain.data) and _HEX_LIST.search(plain.data):
        digits = _without(plain, _BETWEEN_HEX)
        yield from (_from_hex(digits, at) for at in range(2))
    if _NUMBERS_RUN.is_in(last.data) and _NUMBERS.search(last.data):
        yield _from_numbers(last)
    if nested and _BASE64_RUN.is_in(last.data):
        for at in range(_GROUP):
            yield from _layers(_from_base64(plain, at), nested=nested - 1)


def _unescaped(layer: Layer) -> Iterator[Layer]:
    yield layer
    for _ in range(MOST_TIMES):
        above = _unescape(layer)
        if above is None:
            return
        yield above
        layer = above


def _unescape(layer: Layer) -> Optional[Layer]:
    """Return a layer with every escape of this one undone once; None where there is none."""
    data, out, done = layer.data, bytearray(), 0
    table = _Escapes(array("q"), array("q"), array("q"), array("q"))
    for found in _ESCAPE.finditer(data):
        meant = _meant(found[0])
        if meant is None:
            continue
        out += data[done : found.start()]
        done = found.end()
        table.begin.append(found.start())
        table.end.append(done)
        table.begin_above.append(len(out))
        out += meant
        table.end_above.append(len(out))
    if not done:
        return None
    out += data[done:]
    return Layer(bytes(out), layer, table.where)


class _Escapes(NamedTuple):
    """Where escapes begin and end, in the text that has them and in the one that has what they mean."""

    begin: array[int]
    end: array[int]
    begin_above: array[int]
    end_above: array[int]

    def where(self, start: int, end: int) -> tuple[int, int]:
        """Return the place below of one above; an escape is never cut."""
        return self._character(start)[0], self._character(end - 1)[1]

    def _character(self, at: int) -> tuple[int, int]:
        nth = bisect_right(self.begin_above, at) - 1
        if nth < 0:
            return at, at + 1
        if at < self.end_above[nth]:
            return self.begin[nth], self.end[nth]
        at += self.end[nth] - self.end_above[nth]
        return at, at + 1


@lru_cache(maxsize=4096)
def _meant(escape: bytes) -> Optional[bytes]:
    """Return what an escape stands for; None where it is none after all."""
    kind, rest = escape[:1], escape[1:]
    if kind == b"%":
        return _character(int(rest[1:], 16)) if rest[:1] == b"u" else bytes([int(rest, 16)])
    if kind == b"&":
        return _entity(escape)
    if kind in (b"'", b'"'):
        return kind
    return _after_backslash(rest)


def _after_backslash(rest: bytes) -> Optional[bytes]:
    kind = rest[:1]
    if kind in (b"u", b"U") or rest[1:2] == b"{":
        codes = [int(part.strip(b"{}"), 16) for part in rest[1:].split(b"\\u")]
        if len(codes) > 1:
            return _character(0x10000 + ((codes[0] - 0xD800) << 10) + codes[1] - 0xDC00)
        return _character(codes[0])
    if kind == b"x":
        return bytes([int(rest[1:], 16)])
    if len(rest) == 3:  # noqa: PLR2004 - three octal digits
        return bytes([int(rest, 8) & 0xFF])
    return _LETTERS.get(rest, rest)


def _entity(escape: bytes) -> Optional[bytes]:
    name = escape[1:].decode("ascii")
    if name.startswith("#"):
        digits = name[1:].rstrip(";")
        return _character(int(digits[1:], 16) if digits[0] in "xX" else int(digits))
    from html.entities import html5  # noqa: PLC0415 - 2,000 names that most runs never need

    meant = html5.get(name)
    return meant.encode("utf-8") if meant is not None else None


def _character(code: int) -> Optional[bytes]:
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else None  # noqa: PLR2004 - the last one


def _fold(layer: Layer) -> Layer:
    data = folded(layer.data)
    if len(data) == len(layer.data):
        return layer
    kept: list[array[int]] = []  # made when it is first asked for

    def where(start: int, end: int) -> tuple[int, int]:
        if not kept:
            kept.append(array("q", compress(count(), layer.data.translate(_SEEN))))
        return kept[0][start], kept[0][end - 1] + 1

    return Layer(data, layer, where)


def _from_base64(layer: Layer, at: int) -> Layer:
    """Return what a text means in base64 from a place on; whatever is no base64 gives what means nothing."""
    digits = layer.data[at:].translate(_AS_BASE64)
    most = len(layer.data)

    def where(start: int, end: int) -> tuple[int, int]:
        return at + start * _GROUP // _BYTES, min(most, at - (-end * _GROUP // _BYTES))

    return Layer(binascii.a2b_base64(digits + b"A" * (-len(digits) % _GROUP)), layer, where)


def _from_hex(layer: Layer, at: int) -> Layer:
    digits = layer.data[at:].translate(_AS_HEX)
    data = binascii.a2b_hex(digits[: len(digits) // 2 * 2])
    return Layer(data, layer, lambda start, end: (at + 2 * start, at + 2 * end))


def _without(layer: Layer, between: re.Pattern[bytes]) -> Layer:
    """Return a text without what stands between the digits of its bytes."""
    kept = bytearray(b"\x01" * len(layer.data))
    for found in between.finditer(layer.data):
        kept[found.start() : found.end()] = bytes(len(found[0]))
    places = array("q", compress(count(), kept))

    def where(start: int, end: int) -> tuple[int, int]:
        return places[start], places[end - 1] + 1

    return Layer(bytes(compress(layer.data, kept)), layer, where)


def _from_numbers(layer: Layer) -> Layer:
    """Return the bytes that the numbers of a text are."""
    begins, ends, data = array("q"), array("q"), bytearray()
    for found in _NUMBER.finditer(layer.data):
        begins.append(found.start())
        ends.append(found.end())
        data.append(int(found[0]) & 0xFF)
    return Layer(bytes(data), layer, lambda start, end: (begins[start], ends[end - 1]))
