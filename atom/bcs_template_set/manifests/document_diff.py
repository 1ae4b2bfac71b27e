"""A unified diff per Kubernetes document, with the values of Secrets masked. Pure: performs no I/O.

Documents are matched by kind and name, so a document that moved within its file is none, if another one
changes. A Secret is compared by its values and shown by its keys: changed or not is visible, the values are
not. Texts that differ always have a difference, were it only in how they are written (`same_things.py`). Of
one longer than anybody reads, only the beginning is kept, and what is left out is counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bcs_template_set.manifests.document_texts import document_texts
from bcs_template_set.manifests.masking import holding_secrets, holds_secret, masked_pair, may_hold_secret
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.same_things import same_values

MOST_LINES = 5000
"""So many lines of one document's difference are kept."""

_LEFT_OUT = re.compile(r"^# not shown: ([0-9]+) lines removed, ([0-9]+) added$", re.MULTILINE)
NOT_SHOWN = "# not shown: this text may hold a Secret and is not readable YAML\n"
_WRITING = "# not shown: comments, quotes or layout of what holds a Secret; its values are the same\n"
WHOLE_FILE = "(whole file)"
_VALUES = "# not shown: values of a Secret that changed\n"

Identity = tuple[str, str, int]


def diff_documents(before: str, after: str, *, old: Sequence[Document], new: Sequence[Document]) -> str:
    """Return the unified diff of two contents, document by document; "" only where they are the same.

    `old` and `new` are the documents of the two texts; `old` is empty where `before` could not be parsed.
    """
    if before == after:
        return ""
    if not old and (before or not new):
        return _whole_text_diff(before, after)
    old_parts, new_parts = _parts(before, old), _parts(after, new)
    return "".join(
        _diff_document(identity, old_parts.get(identity), new_parts.get(identity))
        for identity in dict.fromkeys((*new_parts, *old_parts))
    ) or _diff_around(before, after, old=old, new=new)


class _Part(NamedTuple):
    """One document with the text it came from."""

    document: Document
    text: str
    holds_secret: bool


def _parts(text: str, documents: Sequence[Document]) -> dict[Identity, _Part]:
    seen: dict[tuple[str, str], list[_Part]] = defaultdict(list)
    parts: dict[Identity, _Part] = {}
    for part in map(_Part, documents, document_texts(text, documents), holding_secrets(text, documents)):
        key = (part.document.kind, part.document.name)
        parts[(*key, len(seen[key]))] = part
        seen[key].append(part)
    return parts


def _diff_document(identity: Identity, old: _Part | None, new: _Part | None) -> str:
    title = f"{identity[0] or '(no kind)'}/{identity[1]}"
    parts = [part for part in (old, new) if part is not None]
    if not any(part.holds_secret for part in parts):
        return unified(old.text if old else "", new.text if new else "", title=title)
    before, after = masked_pair(old.document if old else None, new.document if new else None)
    if before == after and old and new and old.text != new.text:
        is_writing = same_values(old.document, new.document)
        return f"--- {title}\n+++ {title}\n{_WRITING if is_writing else _VALUES}"
    return unified(before, after, title=title)


def _diff_around(before: str, after: str, *, old: Sequence[Document], new: Sequence[Document]) -> str:
    """Return what differs between texts whose documents are the same: their order, or what is around them."""
    titles = ["".join(f"{document.title}\n" for document in documents) for documents in (old, new)]
    if titles[0] != titles[1]:
        return unified(*titles, title="(order of documents)")
    if any(map(holds_secret, (*old, *new))):
        return f"--- {WHOLE_FILE}\n+++ {WHOLE_FILE}\n{_WRITING}"
    return _whole_text_diff(before, after)


def unified(before: str, after: str, *, title: str) -> str:
    """Return the unified diff of two texts under one title; "" where they are the same."""
    if before == after:
        return ""
    new = after.splitlines(keepends=True)
    if not before:
        headers = f"--- /dev/null\n+++ {title}\n"
        if len(new) == after.count("\n") < MOST_LINES:  # as nearly all texts are: no line is looked at
            return f"{headers}{_created(new)}+" + after[:-1].replace("\n", "\n+") + "\n"
        return _whole(headers, [(_created(new), ["+" + line for line in new])])
    from bcs_template_set.manifests.line_matching import changed_hunks  # noqa: PLC0415 - only updates need difflib

    target = title if after else "/dev/null"
    return _whole(f"--- {title}\n+++ {target}\n", changed_hunks(before.splitlines(keepends=True), new))


def count_lines(diff: str) -> int:
    """Return how many lines a difference has, those that are not kept included."""
    left_out = sum(int(removed) + int(added) for removed, added in _LEFT_OUT.findall(diff))
    return len(diff.splitlines()) + left_out


def _created(lines: Sequence[str]) -> str:
    """Return the head of the one hunk of a text that comes new, in which there is nothing to look for."""
    size = f",{len(lines)}" if len(lines) > 1 else ""
    return f"@@ -0,0 +1{size} @@\n"


def _whole(headers: str, hunks: Iterable[tuple[str, list[str]]]) -> str:
    """Return the headers and as many lines of the hunks as are kept, then how many more there are."""
    kept, removed, added = [headers], 0, 0
    for head, lines in hunks:
        room = max(0, MOST_LINES - len(kept))
        kept += [head, *lines[:room]] if room else []
        signs = [line[0] for line in lines[room:]]
        removed, added = removed + signs.count("-"), added + signs.count("+")
    if removed or added:
        kept.append(f"# not shown: {removed} lines removed, {added} added")
    return "".join([line if line[-1] == "\n" else line + "\n" for line in kept])


def _whole_text_diff(before: str, after: str) -> str:
    if may_hold_secret(before) or may_hold_secret(after):
        return NOT_SHOWN
    return unified(before, after, title=WHOLE_FILE)
