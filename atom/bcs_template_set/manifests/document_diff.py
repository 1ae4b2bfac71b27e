"""A unified diff per Kubernetes document, with the values of Secrets masked. Pure: performs no I/O.

Documents are matched by kind and name, so a document that moved within its file is no difference. A
Secret is compared by its values and shown by its keys: changed or not is visible, the values are not.
Of a difference longer than anybody reads, only the beginning is kept, and what is left out is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bcs_template_set.manifests.document_texts import document_texts
from bcs_template_set.manifests.masking import holds_secret, masked_pair, may_hold_secret
from bcs_template_set.manifests.parse import Document

MOST_LINES = 5000
"""So many lines of one document's difference are kept."""

_LEFT_OUT = re.compile(r"^# not shown: ([0-9]+) lines removed, ([0-9]+) added$", re.MULTILINE)
NOT_SHOWN = "# not shown: this text may hold a Secret and is not readable YAML\n"

Identity = tuple[str, str, int]


def diff_documents(before: str, after: str, *, old: Sequence[Document], new: Sequence[Document]) -> str:
    """Return the unified diff of two contents, document by document; "" where nothing differs.

    `old` and `new` are the documents of the two texts; `old` is empty where `before` could not be parsed.
    """
    if before and not old:
        return _whole_text_diff(before, after)
    old_parts, new_parts = _parts(before, old), _parts(after, new)
    return "".join(
        _diff_document(identity, old_parts.get(identity), new_parts.get(identity))
        for identity in _in_order(old_parts, new_parts)
    )


@dataclass(frozen=True)
class _Part:
    """One document with the text it came from."""

    document: Document
    text: str


def _parts(text: str, documents: Sequence[Document]) -> dict[Identity, _Part]:
    seen: Counter[tuple[str, str]] = Counter()
    parts: dict[Identity, _Part] = {}
    for document, own_text in zip(documents, document_texts(text, documents)):
        key = (document.kind, document.name)
        parts[(*key, seen[key])] = _Part(document, own_text)
        seen[key] += 1
    return parts


def _in_order(old: Mapping[Identity, _Part], new: Mapping[Identity, _Part]) -> list[Identity]:
    return [*new, *(identity for identity in old if identity not in new)]


def _diff_document(identity: Identity, old: _Part | None, new: _Part | None) -> str:
    before, after = _shown(old, new)
    if before == after:
        return ""
    return unified(before, after, title=f"{identity[0] or '(no kind)'}/{identity[1]}")


def _shown(old: _Part | None, new: _Part | None) -> tuple[str, str]:
    documents = [part.document for part in (old, new) if part is not None]
    if not any(holds_secret(document) for document in documents):
        return (old.text if old else ""), (new.text if new else "")
    return masked_pair(old.document if old else None, new.document if new else None)


def unified(before: str, after: str, *, title: str) -> str:
    """Return the unified diff of two texts under one title; "" where they are the same."""
    if before == after:
        return ""
    new = after.splitlines(keepends=True)
    if not before:
        return _whole(f"--- /dev/null\n+++ {title}\n", [_created(new)])
    from bcs_template_set.manifests.line_matching import changed_hunks  # noqa: PLC0415 - only updates need difflib

    target = title if after else "/dev/null"
    return _whole(f"--- {title}\n+++ {target}\n", changed_hunks(before.splitlines(keepends=True), new))


def count_lines(diff: str) -> int:
    """Return how many lines a difference has, those that are not kept included."""
    left_out = sum(int(removed) + int(added) for removed, added in _LEFT_OUT.findall(diff))
    return len(diff.splitlines()) + left_out


def _created(lines: Sequence[str]) -> tuple[str, list[str]]:
    """Return the one hunk of a text that comes new, without looking for what it keeps."""
    size = f",{len(lines)}" if len(lines) > 1 else ""
    return f"@@ -0,0 +1{size} @@\n", ["+" + line for line in lines]


def _whole(headers: str, hunks: Iterable[tuple[str, list[str]]]) -> str:
    """Return the headers and as many lines of the hunks as are kept, then how many more there are."""
    kept, removed, added = [headers], 0, 0
    for head, lines in hunks:
        room = max(0, MOST_LINES - len(kept))
        kept += [head, *lines[:room]] if room else []
        removed += sum(line.startswith("-") for line in lines[room:])
        added += sum(line.startswith("+") for line in lines[room:])
    if removed or added:
        kept.append(f"# not shown: {removed} lines removed, {added} added")
    return "".join(line if line.endswith("\n") else line + "\n" for line in kept)


def _whole_text_diff(before: str, after: str) -> str:
    if may_hold_secret(before) or may_hold_secret(after):
        return NOT_SHOWN
    return unified(before, after, title="(whole file)")
