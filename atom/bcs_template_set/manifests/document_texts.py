"""The text of each document of a file, as it was written, comments included. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.manifests.parse import Document

_MARK = "---"


def document_texts(text: str, documents: Sequence[Document]) -> tuple[str, ...]:
    """Return one text a document: its lines without the `---` around them, ending in one line break.

    `documents` are those of the text, in order; their lines tell where each begins. Comments above a
    document's first key belong to it, and the first document has all that is above it.
    """
    if len(documents) == 1 and _MARK not in text:
        return (text.rstrip() + "\n",)
    lines = text.splitlines(keepends=True)
    starts = [0, *(_start(lines, document) for document in documents[1:])]
    ends = [*starts[1:], len(lines)]
    return tuple(_kept(lines[start:end]) for _, start, end in zip(documents, starts, ends))


def _start(lines: Sequence[str], document: Document) -> int:
    """Return the index of the line from which a document has its text: the `---`, which may hold its keys.

    Nothing of the document before may come with it, for that may be a Secret.
    """
    own = min(document.line, len(lines)) - 1
    return next((number for number in range(own, 0, -1) if lines[number].startswith(_MARK)), own)


def _kept(lines: Sequence[str]) -> str:
    return "".join(map(_without_mark, lines)).rstrip() + "\n"


def _without_mark(line: str) -> str:
    """Return what a line holds, without the `---` before it; "" where it is nothing else."""
    if not line.startswith(_MARK):
        return line
    held = line[len(_MARK) :].lstrip(" \t")
    return held if held.strip() else ""
