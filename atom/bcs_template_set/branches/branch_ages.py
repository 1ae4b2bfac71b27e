"""Which branch has which path in the space, and its last build, as a run can tell cheaply. Only reads.

A run has read every routes file and every version's name already. What a name does not tell, who built it
and whether it was that branch, is in one version a path: the newest whose name holds the branch's slug, as
the default version name does. Where names are made otherwise the last build is not known here; the verb
`branches` reads whole histories (branch_histories.py), and so is it done here where BCS does not list a
space's version names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.protocol import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.branches.branch_histories import read_histories
from bcs_template_set.branches.branch_rows import (
    BranchRow,
    HeldPath,
    Histories,
    branch_rows,
    files_of,
    published,
)
from bcs_template_set.manifests.naming import slug_of
from bcs_template_set.messages.errors import StepError
from bcs_template_set.publish.plan import Desired
from bcs_template_set.system.parallel import Raised, overlap

MOST_READ = 60
"""How many versions are read for this; a space with more paths shows the others without their last build."""


def rows_of_space(
    reader: Reader, desired: Desired, existing: Existing, *, now: float, concurrency: int
) -> tuple[BranchRow, ...]:
    """Return the branches' paths of the space as they will be, with the last build of each where it is known.

    What can't be read is not known, and no failure: nothing of the run depends on it.
    """
    held = held_paths(desired, existing)
    if existing.histories is None:
        return _rows_of_listed(reader, held, existing, desired, now=now, concurrency=concurrency)
    wanted = {path: ref for path in held for ref in [_newest_of(path, existing.histories)] if ref is not None}
    ids = list(dict.fromkeys(ref.id for ref in wanted.values()))[:MOST_READ]
    versions = _read(reader, ids, project=desired.target.project, concurrency=concurrency)
    newest = {path: versions[ref.id] for path, ref in wanted.items() if ref.id in versions}
    return tuple(
        row
        for path in held
        for known in [(published(newest[path]),) if path in newest else ()]
        for row in branch_rows([path], {path.file: known}, now=now)
    )


def _rows_of_listed(
    reader: Reader,
    held: Sequence[HeldPath],
    existing: Existing,
    desired: Desired,
    *,
    now: float,
    concurrency: int,
) -> tuple[BranchRow, ...]:
    """Return the rows where this BCS lists the versions of one file at a time only."""
    names = list(dict.fromkeys(name for path in held for name in files_of(path) if name in existing.ids))
    ids = {name: existing.ids[name] for name in names[:MOST_READ]}
    found, _ = read_histories(reader, ids, project=desired.target.project, concurrency=concurrency)
    unknown: Histories = dict.fromkeys(names[MOST_READ:])
    return branch_rows(held, {**found, **unknown}, now=now)


def held_paths(desired: Desired, existing: Existing) -> tuple[HeldPath, ...]:
    """Return what branches claim in the files of the run and of the rest of the space, sorted."""
    ours = [(file.name, file.claims) for file in desired.files if file.name in desired.shared]
    others = [(other.name, other.claims) for other in existing.others]
    found = {HeldPath(name, host, claim) for name, claims in (*ours, *others) for host, claim in claims}
    return tuple(sorted(found, key=lambda path: (path.domain, path.claim.path, path.file)))


def with_this_build(
    rows: Iterable[BranchRow], provenance: Provenance, *, written: frozenset[str], now: float
) -> tuple[BranchRow, ...]:
    """Return the rows after this build has written files: of its branch there, it is the last build."""
    return tuple(
        replace(
            row,
            last_build=provenance.build,
            last_at=int(now),
            age_seconds=0,
            who=provenance.started_by or row.who,
        )
        if row.branch == provenance.branch and written.intersection(files_of(row))
        else row
        for row in rows
    )


def _newest_of(path: HeldPath, histories: Mapping[str, Sequence[VersionRef]]) -> VersionRef | None:
    """Return the newest version of a domain's files whose name holds the branch's slug."""
    slug = slug_of(path.claim.branch)
    refs = [ref for name in files_of(path) for ref in histories.get(name, ()) if slug in ref.name]
    return max(refs, key=lambda ref: (ref.created_at, ref.id), default=None)


def _read(
    reader: Reader, ids: Sequence[str], *, project: str, concurrency: int
) -> dict[str, TemplateVersion]:
    results = overlap(
        [partial(reader.read, protocol.get_version(project, version_id)) for version_id in ids],
        concurrency=concurrency,
    )
    found = {}
    for version_id, result in zip(ids, results):
        if not isinstance(result, Raised):
            found[version_id] = result.value
        elif not isinstance(result.error, StepError):
            raise result.error
    return found
