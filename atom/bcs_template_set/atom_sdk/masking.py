"""The last line of defence: text with every registered secret replaced by `***`. Performs no I/O.

The worker masks the secrets it knows by exact substring only (facts/agent.md, "The log"). Here a secret is
found in every form that software in between gives it: plain, base64 (also inside a longer text, such as
`user:secret`), URL-encoded, JSON-escaped once or twice, escaped for HTML, and line by line where it has
several lines. So is what is left of one where a text was cut within it, and what stands in front of the `@`
of an address, whose ever it is.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from typing import Optional
from urllib.parse import quote, quote_plus

from bcs_template_set.secret import MASK, Secret

SHORTEST = 4
"""Shorter secrets are not looked for: `***` in place of every "ab" would hide the log, not the secret."""

PIECE = 8
"""Characters of a longer secret's beginning or end that are looked for too: a text may be cut within it."""

SHORTEST_WITH_PIECES = 2 * PIECE
"""Of a shorter secret a piece would be most of a word, such as the app's name in front of it."""

_USERINFO = re.compile(r"""(?<=:)(\\?/\\?/)(?:[^\s/?#@"'<>]+@|[^\s/?#@:"'<>]+:[^\s/?#@"'<>]+(?=…))""")
"""What stands in front of the `@` of an address; or of the place where that was cut off."""

_SHORTEST_BASE64 = 8
_GROUP = 3  # bytes that base64 encodes together


class Masker:
    """Knows the secrets of a run and takes them out of text. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()
        self._pieces: tuple[str, ...] = ()
        self._pattern: Optional[re.Pattern[str]] = None

    def add(self, *secrets: Secret) -> None:
        """Look for these secrets from now on."""
        with self._lock:
            known = frozenset(self._forms).union(*map(forms_of, secrets))
            self._forms = tuple(sorted(known, key=lambda form: (-len(form), form)))
            self._pieces = tuple({piece for form in known for piece in _ends(form)})
            self._pattern = None

    def mask(self, text: str) -> str:
        """Return the text with `***` for every secret in it."""
        if "@" in text or "…" in text:
            text = _USERINFO.sub(rf"\1{MASK}@", text)
        # Hardly any text holds one, and to see that this takes a fraction of the pattern's time.
        if not any(piece in text for piece in self._pieces):
            return text
        return _without_remains(self._compiled().sub(MASK, text), self._forms)

    def _compiled(self) -> re.Pattern[str]:
        with self._lock:
            if self._pattern is None:
                self._pattern = re.compile("|".join(map(re.escape, self._forms)))
            return self._pattern


def _ends(form: str) -> tuple[str, ...]:
    """Return what is in every text that shows a form, or its beginning, or its end."""
    return (form[:PIECE], form[-PIECE:]) if len(form) >= SHORTEST_WITH_PIECES else (form,)


def _without_remains(text: str, forms: tuple[str, ...]) -> str:
    """Return the text with `***` for the beginnings and ends of forms that were cut."""
    backwards = tuple(form[::-1] for form in forms)
    return _without_heads(_without_heads(text, forms)[::-1], backwards)[::-1]


def _without_heads(text: str, forms: tuple[str, ...]) -> str:
    """Return the text with `***`, the same backwards, for as much of a form as begins anywhere in it."""
    long = [form for form in forms if len(form) >= SHORTEST_WITH_PIECES]
    for head in {form[:PIECE] for form in long}:
        while head in text:
            at = text.index(head)
            size = max(_shared(text[at : at + len(form)], form) for form in long if form.startswith(head))
            text = text[:at] + MASK + text[at + size :]
    return text


def _shared(text: str, form: str) -> int:
    """Return how many characters two texts begin with alike."""
    return next(
        (at for at, (one, other) in enumerate(zip(text, form)) if one != other), min(len(text), len(form))
    )


def forms_of(secret: Secret) -> frozenset[str]:
    """Return every text that gives the secret away."""
    value = secret.reveal()
    lines = [line.strip() for line in value.splitlines()]
    plain = {text for text in (value, value.strip(), *lines) if len(text) >= SHORTEST}
    found = {form for text in plain for form in _forms(text)}
    return frozenset(found.union(map(_in_html, found)))  # a server's words are escaped in the report


def _forms(text: str) -> Iterator[str]:
    yield text
    for slash in ("/", ""):
        quoted = quote(text, safe=slash, errors="replace")
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
    yield quote_plus(text, errors="replace")
    yield _in_html(text)
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield from _base64_forms(text.encode("utf-8", "replace"))


def _base64_forms(value: bytes) -> Iterator[str]:
    for offset in range(_GROUP):
        core = _certain_base64(value, offset)
        if len(core) >= _SHORTEST_BASE64:
            yield core
            yield core.replace("+", "-").replace("/", "_")
    for whole in (base64.b64encode(value).decode(), base64.urlsafe_b64encode(value).decode()):
        yield whole
        yield whole.rstrip("=")


def _certain_base64(value: bytes, offset: int) -> str:
    """Return the characters that the secret alone decides when `offset` bytes stand before its group."""
    encoded = base64.b64encode(bytes(offset) + value).decode()
    first = -(-offset * 8 // 6)  # the characters before this one hold bits of what stands in front
    last = (offset + len(value)) * 8 // 6
    return encoded[first:last]


def _in_html(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ('"', "&#34;")):
        text = text.replace(character, entity)
    return text
