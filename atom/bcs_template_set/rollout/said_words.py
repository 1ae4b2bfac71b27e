"""What a message of the cluster says once the names in it are taken out. Pure: performs no I/O.

Names are data: a repository may be called `certificate-ui`, a tag end in `-429`, a taint be `volume`. So a
URL, a quotation without blanks, what is in braces, and every word that is made like a name (`a/b`, `a:1`,
`a-b`) is dropped before any word is looked for, whoever gave the name; a name of one plain word stands in
quotation marks, or where the grammar of the message shows it. A registry's answer is known by its
HTTP status; where none is told, by the last clause that says something: an error names its cause last.
The forms are containerd's (core/remotes/docker), Docker's (distribution) and CRI-O's (containers/image).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_URL = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s\"'\\]*[^\s\"'\\:;,.)]", re.IGNORECASE)
_QUOTED = re.compile(r"""\\?"[^"\s]*"|(?<!\w)'[^'\s]*'""")
_DENIED = re.compile(r"(?<=access denied for )[^\s,]+")
_BRACED = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[^\s\"'()\[\],;]+")
_MADE_LIKE_A_NAME = re.compile(r"[-_./:@=%+~]")
_NO_NAMES = frozenset(
    {
        *("i/o", "net/http", "client.timeout"),
        *("insufficient_scope", "manifest_unknown", "name_unknown"),
        *("non-root", "non-existent", "anti-affinity", "affinity/selector"),
    }
)
"""Words that are made like a name, and are the cluster's own."""

_STATUS = re.compile(
    r"\bstatus(?: code)?\b(?:[^:\n]{0,80}:)? (?P<told>\d{3})(?!\S)"
    r"|\bhttp (?P<bare>\d{3})(?!\S)"
    r"|(?<!\S)(?P<phrased>\d{3}) (?:unauthorized|forbidden|not found|request timeout|too many requests|"
    r"internal server error|bad gateway|service unavailable|gateway time-?out)\b",
    re.IGNORECASE,
)
_OF_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    408: "i/o timeout",
    429: "too many requests",
}
_SERVER_ERROR = 500

# containerd's "no match for platform in manifest …: not found" is one clause.
_CLAUSE = re.compile(r"(?<!in manifest)(?<!in manifest _):\s|;\s|\n")


def without_names(message: str) -> str:
    """Return the message with `_` for every name in it."""
    for pattern in (_URL, _BRACED, _QUOTED, _DENIED):
        message = pattern.sub("_", message)
    return _WORD.sub(_unless_a_name, message)


def _unless_a_name(found: re.Match[str]) -> str:
    word = found[0].rstrip(".:!?")
    is_name = word.lower() not in _NO_NAMES and _MADE_LIKE_A_NAME.search(word) is not None
    return "_" + found[0][len(word) :] if is_name else found[0]


def registry_words(message: str) -> Iterator[str]:
    """Yield what a failed pull says without names, what tells most first: its status, else each clause."""
    bare = without_names(message)
    statuses = [int(next(filter(None, found.groups()))) for found in _STATUS.finditer(bare)]
    told = [words for words in map(_words_of, statuses) if words]
    yield from told[-1:] or reversed(_CLAUSE.split(bare))


def _words_of(status: int) -> str:
    return _OF_STATUS.get(status, "registry is unavailable" if status >= _SERVER_ERROR else "")
