"""Read the versions of shared files that were hidden without having been seen (lineage.py). Only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import FROM_NOTHING, ExistingFile, Unmerged, VersionRef
from bcs_template_set.bcs.space.lineage import suspects, unmerged
from bcs_template_set.bcs.space.provenance import read_provenance

MOST_WALKED = 64
"""How many versions are read to find out whether one is part of the current one."""


def suspects_of(file: ExistingFile) -> tuple[VersionRef, ...]:
    """Return the versions that a race may have hidden under the current one; ordinarily there are none.

    A file pinned by a person is left as the person wants it.
    """
    if file.current is None or file.origin is None or file.is_pinned:
        return ()
    return suspects(file.history or (), current=file.current.id, bases=file.origin.bases)


ReadVersions = Callable[[Iterable[str]], dict[str, TemplateVersion]]
"""Returns the versions of these ids; raises StepError where one of them could not be read."""


def read_unmerged(file: ExistingFile, *, read: ReadVersions) -> tuple[Unmerged, ...]:
    """Return the hidden versions of a file, newest first. In the ordinary case nothing is read.

    The bases of the current version are read too: an ancestor of it is no rival.

    Raises:
        StepError: a version could not be read.
    """
    refs = suspects_of(file)
    if not refs or file.current is None or file.origin is None:
        return ()
    known = {ref.id for ref in file.history or ()}
    wanted = [*(ref.id for ref in refs), *(base for base in file.origin.bases if base in known)]
    versions = read(wanted)
    bases = {version_id: _base_of(version, file) for version_id, version in versions.items()}
    missing = sorted({base for base in bases.values() if base is not None} - set(versions))
    versions.update(read(missing))
    hidden = unmerged([ref.id for ref in refs], current=file.current.id, parents=_parents(file, versions))
    return tuple(Unmerged(versions[id_], versions.get(bases[id_] or "")) for id_ in hidden)


def is_part_of(
    version_id: str, current: str, *, read: ReadVersions, known: frozenset[str], most: int = MOST_WALKED
) -> bool:
    """Tell whether the current version was made from another one, going by what each says it was made from.

    Nothing before the versions that are `known` can be made from it, and at most so many are read.

    Raises:
        StepError: a version could not be read.
    """
    seen, unread = set(known), {current}
    while unread and version_id not in unread and len(seen) < most + len(known):
        versions = read(sorted(unread))
        seen |= unread
        origins = [read_provenance(version.description) for version in versions.values()]
        unread = {base for origin in origins if origin is not None for base in origin.bases} - seen
        unread.discard(FROM_NOTHING)
    return version_id in unread


def _base_of(version: TemplateVersion, file: ExistingFile) -> Optional[str]:
    """Return what a hidden version was made from; for a person's, that is the version before it."""
    origin = read_provenance(version.description)
    if origin is not None and origin.bases:
        known = {ref.id for ref in file.history or ()}
        return origin.bases[0] if origin.bases[0] in known else None
    before = file.before(version.id)
    return before.id if before is not None else None


def _parents(file: ExistingFile, versions: dict[str, TemplateVersion]) -> dict[str, Sequence[str]]:
    """Return what each version says it was made from, by id; the current one among them."""
    read = [*versions.values(), *([file.current] if file.current is not None else [])]
    origins = {version.id: read_provenance(version.description) for version in read}
    return {version_id: origin.bases for version_id, origin in origins.items() if origin is not None}
