"""The text of each document of a file, as it was written, comments included. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.manifests.parse import Document

_MARK = "---"


def document_texts(text: str, documents: Sequence[Document]) -> tuple[str, ...]:
    """Return one text a document: its lines without the `---` around them, ending in one line break.

    `documents` are those of the text, in order; their lines tell where each begins, and comments above a
    document's first key belong to it.
    """
    lines = text.splitlines(keepends=True)
    starts = [_start(lines, document) for document in documents]
    return tuple(_kept(lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)]))


def _start(lines: Sequence[str], document: Document) -> int:
    start = max(0, min(document.line - 1, len(lines)))
    while start > 0 and not lines[start - 1].startswith(_MARK):
        start -= 1
    return start


def _kept(lines: Sequence[str]) -> str:
    return "".join(line for line in lines if not line.startswith(_MARK)).rstrip() + "\n"
