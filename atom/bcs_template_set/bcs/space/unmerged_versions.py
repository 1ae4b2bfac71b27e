"""Read the versions of shared files that were hidden without having been seen (lineage.py). Only reads."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import FROM_NOTHING, ExistingFile, Unmerged, VersionRef
from bcs_template_set.bcs.space.lineage import eldest_base, suspects, unmerged
from bcs_template_set.bcs.space.provenance import NOBODY, UPON, ids_in, read_provenance

MOST_WALKED = 16
"""How many versions are read to find out whether one is part of the current one."""


def suspects_of(file: ExistingFile) -> tuple[VersionRef, ...]:
    """Return the versions that a race may have hidden under the current one; ordinarily there are none.

    A file pinned by a person is left as the person wants it.
    """
    if file.current is None or file.origin is None or file.is_pinned:
        return ()
    return suspects(file.history or (), current=file.current.id, bases=file.origin.bases)


MOST_AT_ONCE = 8
"""Of the versions that may be hidden so many are read before it is clear which others need not be."""

ReadVersions = Callable[[Iterable[str]], dict[str, TemplateVersion]]
"""Returns the versions of these ids; raises StepError where one of them could not be read."""


def with_crowd(file: ExistingFile, *, read: ReadVersions) -> ExistingFile:
    """Return a file with the hidden versions that are left to somebody's turn, if it has any.

    A new version of it then names since when there are such.

    Raises:
        StepError: a version could not be read.
    """
    found, history = suspects_of(file), file.history or ()
    if not found or file.current is None or file.origin is None:
        return file
    made_at = {ref.id: ref.created_at for ref in history}
    young = {version_id for version_id, at in made_at.items() if at >= found[-1].created_at}
    left = not_upon([ref.id for ref in found], file.current.id, read=read, goes_on=young.__contains__)
    eldest = eldest_base(history, file.origin.bases)
    if any(made_at[version_id] <= made_at.get(eldest, 0) for version_id in left):
        left = not_upon(left, eldest, read=read, goes_on=frozenset[str]().__contains__)
    return replace(file, crowd=left, part_of=_upon(file, left)) if left else file


def with_unmerged(file: ExistingFile, *, read: ReadVersions) -> ExistingFile:
    """Return a file with its hidden versions, if it has any.

    Raises:
        StepError: a version could not be read.
    """
    hidden = read_unmerged(file, read=read)
    if not hidden:
        return file
    return replace(file, unmerged=hidden, part_of=_upon(file, {rival.version.id for rival in hidden}))


def _upon(file: ExistingFile, hidden: Container[str]) -> tuple[str, ...]:
    """Return what the current version stands upon, since where it may hide others, the youngest first."""
    bases = sorted(ids_in((file.origin or NOBODY).bases), reverse=True)
    return (*(ref.id for ref in suspects_of(file) if ref.id not in hidden), *bases)


def read_unmerged(file: ExistingFile, *, read: ReadVersions) -> tuple[Unmerged, ...]:
    """Return the hidden versions of a file, newest first. In the ordinary case nothing is read.

    The bases of the current version are read too: an ancestor of it is no rival. What one of those that are
    read has merged is part of it: the youngest are read first.

    Raises:
        StepError: a version could not be read.
    """
    refs = suspects_of(file)
    if not refs or file.current is None or file.origin is None:
        return ()
    known = {ref.id for ref in file.history or ()}
    versions = read(base for base in file.origin.bases if base in known)
    left, merged = [ref.id for ref in refs], frozenset[str]()
    while left:
        versions.update(read(left[:MOST_AT_ONCE]))
        merged = _merged(versions)
        left = [ref.id for ref in refs if ref.id not in versions and ref.id not in merged]
    bases = {version_id: _base_of(version, file) for version_id, version in versions.items()}
    missing = sorted({base for base in bases.values() if base is not None} - set(versions))
    versions.update(read(missing))
    candidates = [ref.id for ref in refs if ref.id not in merged]
    parents = _parents([*versions.values(), file.current])
    hidden = unmerged(candidates, current=file.current.id, parents=parents)
    return tuple(Unmerged(versions[id_], versions.get(bases[id_] or "")) for id_ in hidden)


def not_upon(
    versions: Iterable[str], current: str, *, read: ReadVersions, goes_on: Callable[[str], bool]
) -> frozenset[str]:
    """Return those of some versions that the current one was not made from, going back from it one by one.

    What was merged is named where it was merged, and all that is young where something was hidden: so what
    those stand upon need not be read. It goes on with the versions that may have been made from one of those.

    Raises:
        StepError: a version could not be read.
    """
    left, at = frozenset(versions) - {current}, current
    for _ in range(MOST_WALKED):
        if not left or at == FROM_NOTHING or (at != current and not goes_on(at)):
            break
        origin = read_provenance(read([at])[at].description)
        if origin is None or not origin.bases:
            break
        left -= ids_in(origin.bases)
        if any(base.startswith(UPON) for base in origin.bases):
            break
        at = origin.bases[0]
    return left


def _base_of(version: TemplateVersion, file: ExistingFile) -> Optional[str]:
    """Return what a hidden version was made from; for a person's, that is the version before it."""
    origin = read_provenance(version.description)
    if origin is not None and origin.bases:
        known = {ref.id for ref in file.history or ()}
        return origin.bases[0] if origin.bases[0] in known else None
    before = file.before(version.id)
    return before.id if before is not None else None


def _merged(versions: Mapping[str, TemplateVersion]) -> frozenset[str]:
    """Return what these have merged themselves, so that it is part of what each adds to its base.

    What one of them was planned against counts by itself: that adds nothing to it which it had before.
    """
    origins = [read_provenance(version.description) for version in versions.values()]
    bases = [origin.bases for origin in origins if origin is not None]
    merged = frozenset(base for several in bases for base in several[1:])
    return merged.difference(base for several in bases for base in several[:1])


def _parents(versions: Iterable[TemplateVersion]) -> dict[str, Sequence[str]]:
    """Return what each version says it was made from, by id."""
    origins = {version.id: read_provenance(version.description) for version in versions}
    return {
        version_id: [*ids_in(origin.bases)] for version_id, origin in origins.items() if origin is not None
    }
