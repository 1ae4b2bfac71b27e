"""A unified diff per Kubernetes document, with the values of Secrets masked. Pure: performs no I/O.

Documents are matched by kind and name, so a document that moved within its file is no difference. A
Secret is compared by its values and shown by its keys: changed or not is visible, the values are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bcs_template_set.manifests.document_texts import document_texts
from bcs_template_set.manifests.masking import holds_secret, masked_pair, may_hold_secret
from bcs_template_set.manifests.parse import Document

_CONTEXT_LINES = 3
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
    if not before:
        return _created(after, title=title)
    from difflib import unified_diff  # noqa: PLC0415 - a run without updates needs no difflib

    lines: Iterable[str] = unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=title,
        tofile=title if after else "/dev/null",
        n=_CONTEXT_LINES,
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _created(text: str, *, title: str) -> str:
    """Return what `unified_diff` makes of a text that comes new, without looking for what it keeps."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return ""
    size = f",{len(lines)}" if len(lines) > 1 else ""
    added = "".join(f"+{line}" if line.endswith("\n") else f"+{line}\n" for line in lines)
    return f"--- /dev/null\n+++ {title}\n@@ -0,0 +1{size} @@\n{added}"


def _whole_text_diff(before: str, after: str) -> str:
    if may_hold_secret(before) or may_hold_secret(after):
        return NOT_SHOWN
    return unified(before, after, title="(whole file)")
