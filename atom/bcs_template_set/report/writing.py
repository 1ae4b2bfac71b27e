"""Puts the report and the rendered manifests into the workspace. The only module of the report with I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from bcs_template_set.manifests.document_texts import document_texts
from bcs_template_set.manifests.masking import holds_secret, masked_text
from bcs_template_set.manifests.parse import ManifestFile
from bcs_template_set.own_files import OwnFile

PAGE = "index.html"

# Either ends a document, so neither lets a Secret's lines into the one that follows it.


def write_report(directory: OwnFile, html: str) -> Path:
    """Write the HTML page into a directory of its own, which BK-CI archives whole; return the page's path.

    Raises:
        WorkspaceUnwritable: the disk is full, the workspace may not be written, or something else is there.
    """
    return write_text(directory.below(PAGE), html)


def write_rendered(
    directory: OwnFile, files: Iterable[ManifestFile], *, mask: Callable[[str], str] = str
) -> tuple[str, ...]:
    """Write each rendered manifest under its name in the space; return the absolute paths, sorted.

    The values of Kubernetes Secrets are masked; every other document is written as it was uploaded, but
    for what `mask` takes out: the run's own secrets.

    Raises:
        WorkspaceUnwritable: the disk is full, the workspace may not be written, or something else is there.
    """
    written = [write_text(directory.below(file.name), mask(shown_text(file))) for file in files]
    return tuple(sorted(str(path.absolute()) for path in written))


def write_text(file: OwnFile, text: str) -> Path:
    """Write a text, making the directories above it; return its path.

    Raises:
        WorkspaceUnwritable: the disk is full, the workspace may not be written, or something else is there.
    """
    file.write_bytes(text.encode("utf-8", errors="replace"))
    return file.path


def shown_text(file: ManifestFile) -> str:
    """Return a manifest's text, of which every document that may hold a Secret is its masked form."""
    if not any(holds_secret(document) for document in file.documents):
        return file.text
    texts = zip(file.documents, document_texts(file.text, file.documents))
    return "---\n".join(masked_text(doc) if holds_secret(doc) else text for doc, text in texts)
