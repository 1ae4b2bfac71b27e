"""Two texts that say the same: in what they differ, such as comments or quotes. Pure: performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Optional

from bcs_template_set.manifests.fields import canonical, is_same
from bcs_template_set.manifests.masking import holds_secret, may_hold_secret
from bcs_template_set.manifests.parse import Document

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_QUOTES = str.maketrans("", "", "\"'")


def _by_line(form: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Return what makes the lines of a text, in a form, without blanks at their ends and empty ones."""
    return lambda text: [line for line in (form(line).rstrip() for line in text.splitlines()) if line]


def _without_comment(line: str) -> str:
    return _COMMENT.sub("", line)


def _without_quotes(line: str) -> str:
    return line.translate(_QUOTES)


_BLANKS = (("line_ends", str.splitlines), ("blanks", _by_line(str)))
_FORMS = (
    *_BLANKS,
    ("comments", _by_line(_without_comment)),
    ("quotes", _by_line(_without_quotes)),
    ("quotes_comments", _by_line(lambda line: _without_quotes(_without_comment(line)))),
)
"""In what forms two texts may be the same, each told by what differs then; the first counts."""


_OF_QUOTES = ("quotes", "quotes_comments")


def same_values(one: Document, other: Document) -> bool:
    """Tell whether two documents say the same, whatever the order of their keys."""
    return is_same(one.body, other.body)


def only_difference(
    before: str, after: str, *, old: Sequence[Document], new: Sequence[Document]
) -> Optional[str]:
    """Return the one thing in which two texts differ, None where it is more, or what they say.

    `old` and `new` are their documents. Nothing is told that only the values of a Secret have.
    """
    says_same = bool(old) and len(old) == len(new) and all(map(same_values, old, new))
    if not says_same and _is_moved(old, new):
        return "order" if sorted(before.splitlines()) == sorted(after.splitlines()) else "writing"
    is_secret = any(map(may_hold_secret, (before, after))) or any(map(holds_secret, (*old, *new)))
    forms = _FORMS if says_same else () if is_secret else _BLANKS
    found = next((name for name, form in forms if form(before) == form(after)), None)
    if says_same and (found is None or (is_secret and found in _OF_QUOTES)):
        return "writing"
    return found


def _is_moved(old: Sequence[Document], new: Sequence[Document]) -> bool:
    """Tell whether documents are the same in another order."""
    if [document.title for document in old] == [document.title for document in new]:
        return False
    one, other = (sorted(canonical(document.body) for document in documents) for documents in (old, new))
    return one == other
