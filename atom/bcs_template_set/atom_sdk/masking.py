"""The last line of defence: text with every registered secret replaced by `***`. Performs no I/O.

The worker masks the secrets it knows by exact substring only (facts/agent.md, "The log"). Here a secret is
found in every form that software in between gives it: plain, base64 (also inside a longer text, such as
`user:secret`), URL-encoded, JSON-escaped once or twice, escaped for HTML, and line by line where it has
several lines.
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

_SHORTEST_BASE64 = 8
_GROUP = 3  # bytes that base64 encodes together


class Masker:
    """Knows the secrets of a run and takes them out of text. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: tuple[str, ...] = ()
        self._pattern: Optional[re.Pattern[str]] = None

    def add(self, secret: Secret) -> None:
        """Look for this secret from now on."""
        with self._lock:
            known = forms_of(secret).union(self._forms)
            self._forms = tuple(sorted(known, key=lambda form: (-len(form), form)))
            self._pattern = None

    def mask(self, text: str) -> str:
        """Return the text with `***` for every secret in it."""
        forms = self._forms
        # Hardly any text holds one, and to see that this takes a fraction of the pattern's time.
        return self._compiled().sub(MASK, text) if any(form in text for form in forms) else text

    def _compiled(self) -> re.Pattern[str]:
        with self._lock:
            if self._pattern is None:
                self._pattern = re.compile("|".join(map(re.escape, self._forms)))
            return self._pattern


def forms_of(secret: Secret) -> frozenset[str]:
    """Return every text that gives the secret away."""
    value = secret.reveal()
    lines = [line.strip() for line in value.splitlines()]
    plain = {text for text in (value, value.strip(), *lines) if len(text) >= SHORTEST}
    return frozenset(form for text in plain for form in _forms(text))


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
