"""The last line of defence: text with every registered secret replaced by `***`. Performs no I/O.

A secret counts as shown if anybody can get it back from the text without a key; the worker masks by exact
substring only (facts/agent.md, "The log"). So what is compared is what the text says with everything undone
that software wraps around it (`spellings`), and what is masked is the place of it as it stands. So is what is
left of a secret where a text was cut within it, and what stands in front of the `@` of an address, whose ever
it is. The time it takes grows with the text, whatever is in it (`needles`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from typing import Optional

from bcs_template_set.agent.needles import REMAIN, Needles, Span
from bcs_template_set.agent.wrappings import folded, layers, undone
from bcs_template_set.messages.secret import MASK, Secret

SHORTEST = REMAIN
"""Bytes of a secret; shorter ones are not looked for: `***` in place of every "ab" would hide the log."""

MOST_WORDS = 1 << 16
"""Characters of a server's words that are looked at; hundreds are shown, and it may send millions."""

_SHORTEST_LINE = 8
"""Bytes of one line of a secret, or of what its escapes mean, that is looked for by itself."""

_CUT_USERINFO = re.compile(r"""(?<=:)(\\?/\\?/)[^\s/?#@:"'<>]+:[^\s/?#@"'<>]+(?=…)""")
_USERINFO = re.compile(rb"""(?<=:)\\?/\\?/([^\s/?#@"'<>]+)@""")
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
        within = [(start, min(end, len(kept))) for start, end in found if start < len(kept)]
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

    A place that begins or ends within a character of the text is not of that character.
    """
    mask, out, done = MASK.encode("ascii"), bytearray(), -1
    for begin, stop in sorted(spans):
        start, end = _boundary(data, begin, step=1), _boundary(data, stop, step=-1)
        if start > done and start < end:
            out += data[max(done, 0) : start] + mask
        done = max(done, end)
    return bytes(out + data[max(done, 0) :])


def _boundary(data: bytes, at: int, *, step: int) -> int:
    """Return the nearest place, in one direction, that is not within a character."""
    while at < len(data) and 0x80 <= data[at] < 0xC0:  # noqa: PLR2004 - the bytes that go on with one
        at += step
    return at
