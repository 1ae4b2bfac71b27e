"""Read the versions of shared files that were hidden without having been seen (lineage.py). Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Optional, Protocol, TypeVar

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Read
from bcs_template_set.bcs.protocol import TemplateVersion
from bcs_template_set.existing import FROM_NOTHING, ExistingFile, Unmerged, VersionRef
from bcs_template_set.lineage import suspects, unmerged
from bcs_template_set.overlap import Raised, overlap
from bcs_template_set.provenance import read_provenance

T = TypeVar("T")


class Reader(Protocol):
    """A gateway as far as reading goes."""

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        ...


@dataclass(frozen=True)
class _Suspected:
    file: ExistingFile
    refs: tuple[VersionRef, ...]


def read_unmerged(
    reader: Reader, project: str, files: Sequence[ExistingFile], *, concurrency: int
) -> dict[str, tuple[Unmerged, ...]]:
    """Return the hidden versions of each file that has some, by the file's id; newest first.

    In the ordinary case nothing is read. A file pinned by a person is left as the person wants it.

    Raises:
        StepError: a version could not be read.
    """
    found = [_Suspected(file, refs) for file in files for refs in [suspects_of(file)] if refs]
    wanted = {ref_id: None for item in found for ref_id in _ids_to_read(item)}
    versions = _read_versions(reader, project, list(wanted), concurrency=concurrency)
    bases = {base for version in versions.values() for base in _bases_of(version, found)}
    missing = [base for base in sorted(bases) if base not in versions]
    versions.update(_read_versions(reader, project, missing, concurrency=concurrency))
    return {item.file.metadata.id: rivals for item in found for rivals in [_unmerged_of(item, versions)]}


def suspects_of(file: ExistingFile) -> tuple[VersionRef, ...]:
    """Return the versions that a race may have hidden under the current one; ordinarily there are none."""
    if file.current is None or file.origin is None or file.is_pinned:
        return ()
    return suspects(file.history or (), current=file.current.id, bases=file.origin.bases)


def _ids_to_read(item: _Suspected) -> list[str]:
    """Return the suspects, and what the current version was made from: an ancestor of it is no rival."""
    bases = item.file.origin.bases if item.file.origin is not None else ()
    known = {ref.id for ref in item.file.history or ()}
    return [*(ref.id for ref in item.refs), *(base for base in bases if base in known)]


def _bases_of(version: TemplateVersion, found: Sequence[_Suspected]) -> list[str]:
    """Return what a hidden version was made from; for a person's, that is the version before it."""
    origin = read_provenance(version.description)
    known = {ref.id for item in found for ref in item.file.history or ()}
    if origin is not None and origin.bases:
        return [base for base in origin.bases[:1] if base in known and base != FROM_NOTHING]
    before = [ref for item in found for ref in [item.file.before(version.id)] if ref is not None]
    return [ref.id for ref in before[:1]]


def _read_versions(
    reader: Reader, project: str, ids: Sequence[str], *, concurrency: int
) -> dict[str, TemplateVersion]:
    results = overlap(
        [partial(reader.read, protocol.get_version(project, version_id)) for version_id in ids],
        concurrency=concurrency,
    )
    versions = {}
    for version_id, result in zip(ids, results):
        if isinstance(result, Raised):
            raise result.error
        versions[version_id] = result.value
    return versions


def _unmerged_of(item: _Suspected, versions: dict[str, TemplateVersion]) -> tuple[Unmerged, ...]:
    current = item.file.current
    origins = {version_id: read_provenance(version.description) for version_id, version in versions.items()}
    parents = {version_id: origin.bases for version_id, origin in origins.items() if origin is not None}
    if current is not None and item.file.origin is not None:
        parents[current.id] = item.file.origin.bases
    hidden = unmerged(
        [ref.id for ref in item.refs], current=current.id if current is not None else "", parents=parents
    )
    return tuple(Unmerged(versions[id_], _base_version(versions[id_], item, versions)) for id_ in hidden)


def _base_version(
    version: TemplateVersion, item: _Suspected, versions: dict[str, TemplateVersion]
) -> Optional[TemplateVersion]:
    bases = _bases_of(version, [item])
    return versions.get(bases[0]) if bases else None
