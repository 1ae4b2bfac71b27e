"""Puts the report and the rendered manifests into the workspace. The only module of the report with I/O."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from itertools import count
from pathlib import Path

from bcs_template_set.agent.output_file import can_be_archived
from bcs_template_set.manifests.document_texts import document_texts
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.masking import holding_secrets, masked_text
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.report.output import PAGE
from bcs_template_set.system.own_files import OwnFile


def write_report(directory: OwnFile, html: str) -> Path:
    """Write the HTML page into a directory of its own, which BK-CI archives whole; return the page's path.

    Raises:
        WorkspaceUnwritable: the disk is full, the workspace may not be written, or something else is there.
    """
    path = write_text(directory.below(PAGE), html)
    # The worker puts an error of its own in place of our result where a report that is named is not there.
    if not _is_readable(path):
        raise WorkspaceUnwritable(file=str(path), problem=say("report.unreadable"))
    return path


def _is_readable(path: Path) -> bool:
    try:
        return path.is_file() and bool(path.stat().st_size) and os.access(path, os.R_OK)
    except OSError:  # pragma: no cover - the directory went between two calls
        return False


def write_rendered(
    directory: OwnFile, files: Iterable[ManifestFile], *, mask: Callable[[str], str] = str
) -> tuple[str, ...]:
    """Write each rendered manifest under its name in the space; return the absolute paths, sorted.

    The values of Kubernetes Secrets are masked; every other document is written as it was uploaded, but
    for what `mask` takes out: the run's own secrets.

    Raises:
        WorkspaceUnwritable: the disk is full, the workspace may not be written, or something else is there.
    """
    written: list[Path] = []
    for file in files:
        place = _another(directory.below(_archivable(file.name)), written)
        written.append(write_text(place, mask(shown_text(file))))
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
    are_secret = holding_secrets(file.text, file.documents)
    if not any(are_secret):
        return file.text
    texts = zip(file.documents, document_texts(file.text, file.documents), are_secret)
    return "---\n".join(masked_text(doc) if is_secret else text for doc, text, is_secret in texts)


def _archivable(name: str) -> str:
    """Return a file's name with characters only that the worker can find a file by."""
    return "".join(character if can_be_archived(character) else "_" for character in name)


def _another(file: OwnFile, taken: Collection[Path]) -> OwnFile:
    """Return the file, or one beside it where another name has become the same."""
    free = (file if nth == 1 else file.numbered(nth) for nth in count(1))
    return next(candidate for candidate in free if candidate.path not in taken)
