"""Does BCS see the documents that the file has? It splits them by an expression of its own. Pure: no I/O.

It splits the trimmed text at each `---` that begins a line, with the blanks around it (cluster-resources,
pkg/resource/form/parser/common.go), and reads the first document of each piece. So a line of text that
begins with `---` cuts its document in two, blanks before a first key are lost, and what follows a break that
only YAML knows is dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import Document, parse_documents
from bcs_template_set.manifests.parser_words import YamlUnreadable

_BLANKS = "\t\n\f\r "
"""What Go's `\\s` is."""
_SEPARATOR = re.compile(rf"(?:\A|[{_BLANKS}]*\n)---(?P<after>[{_BLANKS}]*)")
_BREAKS_OF_YAML_ALONE = re.compile("[\x85\u2028\u2029]")
_ODD_BEGINNINGS = (*_BLANKS, "%")
"""Blanks, and how directives begin; BCS knows neither these nor those breaks."""


def first_other_line(file: ManifestFile) -> int:
    """Return the line of the first document that BCS would read otherwise, 0 where it reads all alike."""
    if not _may_differ(file.text):
        return 0
    seen = list(_pieces(file.text))
    for document, piece in zip(file.documents, seen):
        if piece.first != document.body:
            return piece.line
    if len(seen) < len(file.documents):
        return seen[-1].line
    return next((piece.line for piece in seen[len(file.documents) :]), 0)


def _may_differ(text: str) -> bool:
    """Tell whether a text has anything that the two can read differently; it is read twice only then.

    Every file comes here: an expression that looks at each line takes longer than all other checks.
    """
    if text.startswith(_ODD_BEGINNINGS):
        return True
    if "\n%" in text:
        return True
    if not text.isascii() and _BREAKS_OF_YAML_ALONE.search(text):
        return True
    if not ("\n---" in text or text.startswith("---")):
        return False
    return any(not match["after"].endswith("\n") for match in _SEPARATOR.finditer(text))


class _Piece(NamedTuple):
    """What BCS reads of a piece: nothing where it can't read it."""

    line: int
    first: object


def _pieces(text: str) -> Iterator[_Piece]:
    is_ended = "\n" in text[len(text.rstrip()) :]
    trimmed = text.strip() + ("\n" if is_ended else "")
    line = 1 + text[: len(text) - len(text.lstrip())].count("\n")
    begin = 0
    for end, after in [*map(re.Match.span, _SEPARATOR.finditer(trimmed)), (len(trimmed), len(trimmed))]:
        is_last = end == len(trimmed)
        documents = _read(trimmed[begin:end] + ("" if is_last else "\n"))  # the end of a line is no content
        if documents is None or documents:
            first = documents[0].body if documents else None
            yield _Piece(line + trimmed[:begin].count("\n"), first)
        begin = after


def _read(piece: str) -> tuple[Document, ...] | None:
    """Return the documents of a piece, None where it is unreadable."""
    try:
        return parse_documents(piece, source="")
    except YamlUnreadable:
        return None
