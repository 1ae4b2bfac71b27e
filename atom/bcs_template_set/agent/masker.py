"""The last line of defence: text with every registered secret replaced by `***`. Performs no I/O.

A secret counts as shown if anybody can get it back from the text without a key; the worker masks by exact
substring only (facts/agent.md, "The log"). So what is compared is what the text says with everything undone
that software wraps around it (`spellings`), and what is masked is the place of it as it stands. So is what is
left of a secret where a text was cut within it, and what stands in front of the `@` of an address, whose ever
it is.

Texts are found, or pieces of them, in a time that grows with the text alone: neither the number of texts that
are looked for nor how often they occur matters. The text is cut into blocks of four and of eight bytes, which
are looked up in tables of the blocks that can be within what is looked for.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, count
from typing import Literal, Optional

from bcs_template_set.agent.wrappings import folded, layers, undone
from bcs_template_set.messages.secret import MASK, Secret

LONG = 16
"""Bytes of a text of which pieces are found too; a piece of a shorter one would be a word of anybody's."""

END = 8
"""Bytes of a long text's beginning or end that are found by themselves: it may be cut within them."""

REMAIN = 4
"""Bytes of a piece that counts where another piece of the same text has been found close by."""

_NEAR = 10
"""Bytes between two pieces of one text: what stands there is a spelling that nobody knows how to undo."""

_MOST_REMAIN = 512
"""Bytes of a text that are looked for beside a piece of it."""

_SHORTEST_IN_BLOCKS = 7
"""Bytes of a text that has a whole block of four in it, wherever the blocks begin."""

_MOST_DENSE = 1 << 16
"""Bytes of long texts of which every block of eight is kept, not every eighth one: a table has a price."""

_MOST_SHARED = 4
"""Texts that a block is looked at in; what they go on with has blocks of its own."""

_SIZES = {kind: array(kind).itemsize for kind in "IQ"}
_ORDER: Literal["little", "big"] = "little" if array("H", b"\1\0")[0] == 1 else "big"
"""The order of bytes in which this machine reads a block."""

Span = tuple[int, int]
Stretch = tuple[int, int]
"""The number of a long text, and a place in it."""


class Needles:
    """A set of texts of four bytes and more that are looked for."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        known = sorted(set(texts), key=lambda text: (-len(text), text))
        self._long = [text for text in known if len(text) >= LONG]
        self._tiny = [text for text in known if len(text) < _SHORTEST_IN_BLOCKS]
        short = [text for text in known if _SHORTEST_IN_BLOCKS <= len(text) < LONG]
        self._ends = _ends(self._long)
        self._whole = frozenset(short)
        self._fours = _fours((*short, *self._ends))
        dense = sum(map(len, self._long)) <= _MOST_DENSE
        self._eights = _eights(self._long, every=1 if dense else END)
        self._beginnings = (0, END // 2) if dense else tuple(range(END))
        self._all_fours = frozenset((*self._fours, *_windows(self._long))) if dense else None

    def spans(self, data: bytes) -> Iterator[Span]:
        """Yield the places of what is found, in no order; they may overlap."""
        for text in self._tiny:
            yield from _occurrences(text, data)
        if self._all_fours is not None and self._all_fours.isdisjoint(_words(data, "I")):
            return  # as mostly; a block of eight holds one of four
        yield from self._whole_ones(data)
        yield from self._pieces(data)

    def _whole_ones(self, data: bytes) -> Iterator[Span]:
        """Yield the short texts, and the long ones of which beginning or end is there."""
        walk = _Walk(data)
        for at in _blocks(data, "I", 0, self._fours):
            for before, size in self._fours[_word(data[at : at + 4])]:
                start = at - before
                text = data[start : start + size]  # too short, too, where a start is below 0
                if len(text) == size and text in self._whole:
                    yield start, start + size
                if start >= walk.floor and text in self._ends:
                    yield walk.grown(start, [(self._long[nth], inside) for nth, inside in self._ends[text]])

    def _pieces(self, data: bytes) -> Iterator[Span]:
        walk = _Walk(data)
        for at in sorted(at for first in self._beginnings for at in _blocks(data, "Q", first, self._eights)):
            if at >= walk.floor:
                places = self._eights[_word(data[at : at + END])]
                yield walk.grown(at, [(self._long[nth], inside) for nth, inside in places])


class _Walk:
    """One walk through a text, in which nothing is looked at twice.

    `floor` is where the last piece ended, `swept` how far others have been looked for beside one.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.floor = 0
        self.swept = 0

    def grown(self, at: int, places: Iterable[tuple[bytes, int]]) -> Span:
        """Return all there is around a place, of those texts that agree there the longest."""
        found = [(self._around(at, text, inside), text) for text, inside in places]
        (before, after, inside), text = max(found, key=lambda one: one[0][0] + one[0][1])
        start, end, floor = at - before, at + after, self.floor
        self.floor = end
        head = text[max(0, inside - before - _MOST_REMAIN) : inside - before]
        start -= _remains(self.data[max(floor, start - 4 * len(head)) : start][::-1], head[::-1])
        if end >= self.swept:
            rest = text[inside + after : inside + after + _MOST_REMAIN]
            end += _remains(self.data[end : end + 4 * len(rest)], rest)
            self.swept = end
        return start, end

    def _around(self, at: int, text: bytes, inside: int) -> tuple[int, int, int]:
        """Return how much before and after a place agrees with a text, and the place in it."""
        most = min(at - self.floor, inside)
        before = _alike_before(self.data, at, text, inside, most=most)
        return before, _alike_after(self.data, at, text, inside), inside


def _alike_after(data: bytes, at: int, text: bytes, inside: int) -> int:
    """Return how many bytes two texts have in common from two places on."""

    def alike(begin: int, end: int) -> bool:
        return data[at + begin : at + end] == text[inside + begin : inside + end]

    return _longest(alike, most=len(text) - inside)


def _alike_before(data: bytes, at: int, text: bytes, inside: int, *, most: int) -> int:
    """Return how many bytes two texts have in common before two places."""

    def alike(begin: int, end: int) -> bool:
        return data[at - end : at - begin] == text[inside - end : inside - begin]

    return _longest(alike, most=most)


def _longest(alike: Callable[[int, int], bool], *, most: int) -> int:
    """Return how far two texts are alike: in steps that double, and then halve."""
    size, step = 0, END
    while size < most and alike(size, min(size + step, most)):
        size = min(size + step, most)
        step *= 2
    while step := step // 2:
        if alike(size, min(size + step, most)):
            size = min(size + step, most)
    return size


def _remains(data: bytes, text: bytes) -> int:
    """Return how far pieces of a text, in their order and each close to the last, reach into what follows."""
    taken = at = 0
    while at < min(taken + _NEAR, len(data) - REMAIN + 1):
        inside = text.find(data[at : at + REMAIN])
        if inside < 0:
            at += 1
            continue
        size = _alike_after(data, at, text, inside)
        taken = at = at + size
        text = text[inside + size :]
    return taken


def _ends(texts: Sequence[bytes]) -> Mapping[bytes, tuple[Stretch, ...]]:
    found: defaultdict[bytes, list[Stretch]] = defaultdict(list)
    for nth, text in enumerate(texts):
        for inside in (0, len(text) - END):
            found[text[inside : inside + END]].append((nth, inside))
    return {end: tuple(places[:_MOST_SHARED]) for end, places in found.items()}


def _fours(texts: Iterable[bytes]) -> Mapping[int, tuple[Span, ...]]:
    """Return, for each block of four, how far before it texts begin that hold it, and their lengths."""
    found: defaultdict[int, set[Span]] = defaultdict(set)
    for text in texts:
        for inside in range(4):
            found[_word(text[inside : inside + 4])].add((inside, len(text)))
    return {word: tuple(places) for word, places in found.items()}


def _windows(texts: Iterable[bytes]) -> Iterator[int]:
    """Yield every block of four that is within a text."""
    return (_word(text[at : at + 4]) for text in texts for at in range(len(text) - 3))


def _eights(texts: Sequence[bytes], *, every: int) -> Mapping[int, tuple[Stretch, ...]]:
    found: defaultdict[int, list[Stretch]] = defaultdict(list)
    for nth, text in enumerate(texts):
        for inside in range(0, len(text) - END + 1, every):
            places = found[_word(text[inside : inside + END])]
            if len(places) < _MOST_SHARED:
                places.append((nth, inside))
    return {word: tuple(places) for word, places in found.items()}


def _blocks(data: bytes, kind: Literal["I", "Q"], first: int, known: Mapping[int, object]) -> Iterable[int]:
    """Return where the text's blocks begin that are in a table."""
    if not known:
        return ()
    words = _words(data[first:], kind)
    return compress(count(first, words.itemsize), map(known.__contains__, words))


def _words(data: bytes, kind: Literal["I", "Q"]) -> array[int]:
    """Return a text's whole blocks as the numbers that this machine reads in them."""
    size = _SIZES[kind]
    return array(kind, data[: len(data) // size * size])


def _word(block: bytes) -> int:
    return int.from_bytes(block, _ORDER)


def _occurrences(text: bytes, data: bytes) -> Iterator[Span]:
    at = data.find(text)
    while at >= 0:
        yield at, at + len(text)
        at = data.find(text, at + len(text))


SHORTEST = REMAIN
"""Bytes of a secret; shorter ones are not looked for: `***` in place of every "ab" would hide the log."""

MOST_WORDS = 1 << 16
"""Characters of a server's words that are looked at; hundreds are shown, and it may send millions."""

_SHORTEST_LINE = 8
"""Bytes of one line of a secret, or of what its escapes mean, that is looked for by itself."""

_CUT_USERINFO = re.compile(r"""(?<=:)(\\?/\\?/)[^\s/?#@:"'<>]+:[^\s/?#@"'<>]+(?=…)""")
_USERINFO = re.compile(rb""":\\?/\\?/([^\s/?#@"'<>]+)@""")
"""What stands in front of the `@` of an address; or of the place where that was cut off."""


class Masker:
    """Knows the secrets of a run and takes them out of text. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may log while its own thread is in here
        self._secrets: frozenset[Secret] = frozenset()
        self._known: frozenset[bytes] = frozenset()
        self._needles: Optional[Needles] = None

    def add(self, *secrets: Secret) -> None:
        """Look for these secrets from now on."""
        with self._lock:
            self._secrets |= frozenset(secrets)
            self._known = self._known.union(*map(needles_of, secrets))
            self._needles = None

    def mask(self, text: str) -> str:
        """Return the text with `***` for every secret in it."""
        if "…" in text:
            text = _CUT_USERINFO.sub(rf"\1{MASK}@", text)
        data = text.encode("utf-8", "surrogatepass")
        found = self._found(data)
        return _masked(data, found).decode("utf-8", "surrogatepass") if found else text

    def mask_beginning(self, text: str, *, most: int = MOST_WORDS) -> str:
        """Return so many characters of the text, masked; as much again is looked at for what is cut there."""
        if len(text) <= most:
            return self.mask(text)
        kept = text[:most].encode("utf-8", "surrogatepass")
        found = self._found(text[: 2 * most].encode("utf-8", "surrogatepass"))
        within = [(start, min(end, len(kept))) for start, end in found]
        return _masked(kept, within).decode("utf-8", "surrogatepass")

    def holds(self, text: str) -> bool:
        """Tell whether a text holds a secret in any spelling, or as it is a shorter one than is masked."""
        known = (secret.reveal() for secret in self._secrets)
        return any(value in text for value in known if value) or self.mask(text) != text

    def _found(self, data: bytes) -> list[Span]:
        needles = self._ready()
        return [
            layer.place(*span)
            for layer in layers(data)
            for span in (*needles.spans(layer.data), *_userinfo(layer.data))
        ]

    def _ready(self) -> Needles:
        with self._lock:
            if self._needles is None:
                self._needles = Needles(self._known)
            return self._needles


def needles_of(secret: Secret) -> frozenset[bytes]:
    """Return what is looked for in a text of which all escapes are undone."""
    value = secret.reveal().strip()
    lines = [line.strip() for line in value.splitlines()]
    texts = {value, *(line for line in lines if len(line) >= _SHORTEST_LINE)}
    return frozenset(needle for text in texts for needle in _needles_of(text))


def _needles_of(text: str) -> Iterator[bytes]:
    for encoded in _encoded(text):
        for nth, spelt in enumerate(undone(encoded)):
            for needle in (spelt, spelt.replace(b" ", b"+"), folded(spelt)):
                if len(needle) >= (_SHORTEST_LINE if nth else SHORTEST):
                    yield needle


def _encoded(text: str) -> Iterator[bytes]:
    """Yield a text as bytes, also without halves of characters, and with a byte for each of the first 256."""
    yield text.encode("utf-8", "surrogatepass")
    if not text.isascii():
        yield text.encode("utf-8", "replace")
        yield b"".join(
            character.encode("latin-1" if character < "\u0100" else "utf-8", "replace") for character in text
        )


def _userinfo(data: bytes) -> Iterator[Span]:
    return (found.span(1) for found in _USERINFO.finditer(data)) if b"@" in data else iter(())


def _masked(data: bytes, spans: Iterable[Span]) -> bytes:
    """Return the text with `***` for all places that touch each other.

    A place that begins or ends within a character of the text is not of that character, and may be none.
    """
    mask, out, done = MASK.encode("ascii"), bytearray(), -1
    places = ((_boundary(data, start, step=1), _boundary(data, end, step=-1)) for start, end in spans)
    for start, end in sorted(place for place in places if place[0] < place[1]):
        if start > done:
            out += data[max(done, 0) : start] + mask
        done = max(done, end)
    return bytes(out + data[max(done, 0) :])


def _boundary(data: bytes, at: int, *, step: int) -> int:
    """Return the nearest place, in one direction, that is not within a character."""
    while at < len(data) and 0x80 <= data[at] < 0xC0:  # noqa: PLR2004 - the bytes that go on with one
        at += step
    return at
