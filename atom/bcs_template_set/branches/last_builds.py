"""Which branch has which path, and its last build. Only reads leave this module.

A run and the verb `branches` ask for different things:

- **A run** shows the rows in its report and must not be slowed by them. It has read every routes file and
  every version's name already. What a name does not tell, who built it and whether it was that branch, is in
  the version: those whose names hold the branch's slug, as the default version name does, are read, newest
  first, until a description names the branch. Where names are made otherwise the last build is not known.
- **The verb** takes paths out, so a newer build under any name must keep one: the whole history of the
  domain's files decides. One list of files, then the current version of every routes file, then all versions
  of the files of those domains that a branch has a path of: what is read grows with branches, not with the
  space. A run does the same where BCS does not list the names of a space's versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Callable, Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.space.existing import Existing, VersionRef
from bcs_template_set.bcs.space.provenance import Provenance, told
from bcs_template_set.bcs.space.template_spaces import list_files, oldest_of_each_name
from bcs_template_set.bcs.space.unmerged_versions import read_unmerged
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.branches.branch_rows import (
    BranchRow,
    HeldPath,
    Histories,
    PublishedVersion,
    RoutesFile,
    SpaceBranches,
    branch_rows,
    files_of,
    published,
)
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.naming import routes_file, slug_of
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Desired
from bcs_template_set.system.parallel import Raised, overlap

MOST_READ = 60
"""How many versions a run reads for this; a space with more paths shows the others without a last build."""


# --- as a run tells it ----------------------------------------------------------------------------------


def rows_of_space(
    reader: Reader, desired: Desired, existing: Existing, *, now: float, concurrency: int
) -> tuple[BranchRow, ...]:
    """Return the branches' paths of the space as they will be, with the last build of each where it is known.

    What can't be read is not known, and no failure: nothing of the run depends on it.
    """
    held = held_paths(desired, existing)
    if existing.histories is None:
        return _rows_of_listed(reader, held, existing, desired, now=now, concurrency=concurrency)
    read = partial(_read_published, reader, project=desired.target.project, concurrency=concurrency)
    newest = _last_builds({path: _named_after(path, existing.histories) for path in held}, read=read)
    rows: list[BranchRow] = []
    for path in held:
        known = (newest[path],) if path in newest else ()
        rows += branch_rows([path], {path.file: known}, now=now)
    return tuple(rows)


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
    names = list(dict.fromkeys(name for path in held for name in files_of(path) if name in existing.rows))
    ids = {name: existing.rows[name].id for name in names[:MOST_READ]}
    found, _ = read_histories(reader, ids, project=desired.target.project, concurrency=concurrency)
    unknown: Histories = dict.fromkeys(names[MOST_READ:])
    return branch_rows(held, {**found, **unknown}, now=now)


def held_paths(desired: Desired, existing: Existing) -> tuple[HeldPath, ...]:
    """Return what branches claim in the files of the run and of the rest of the space, sorted."""
    ours = [(file.name, claims_of(file.documents)) for file in desired.files if file.name in desired.shared]
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


def _named_after(path: HeldPath, histories: Mapping[str, Sequence[VersionRef]]) -> Iterator[VersionRef]:
    """Yield the versions of a domain's files whose names hold the branch's slug, newest first."""
    slug = slug_of(path.claim.branch)
    refs = (ref for name in files_of(path) for ref in histories.get(name, ()) if slug in ref.name)
    yield from sorted(refs, key=lambda ref: (ref.created_at, ref.id), reverse=True)


def _last_builds(
    candidates: Mapping[HeldPath, Iterator[VersionRef]],
    *,
    read: Callable[[Sequence[str]], Mapping[str, PublishedVersion]],
) -> dict[HeldPath, PublishedVersion]:
    """Return the newest version of each path whose description names its branch.

    All paths are read for at once, a version each, until none is left to look for. Of a path one of whose
    versions can't be read, or is beyond `MOST_READ`, nothing is known: an older one may not be the last.
    """
    found: dict[HeldPath, PublishedVersion] = {}
    seen: dict[str, PublishedVersion] = {}
    waiting, asked = dict(candidates), 0
    while waiting:
        nexts = {
            path: ref.id for path, refs in waiting.items() for ref in [next(refs, None)] if ref is not None
        }
        ids = [number for number in dict.fromkeys(nexts.values()) if number not in seen][: MOST_READ - asked]
        asked += len(ids)
        seen.update(read(ids))
        looked = {path: seen[number] for path, number in nexts.items() if number in seen}
        found.update({path: last for path, last in looked.items() if last.branch == told(path.claim.branch)})
        waiting = {path: waiting[path] for path in looked if path not in found}
    return found


def _read_published(
    reader: Reader, ids: Sequence[str], *, project: str, concurrency: int
) -> dict[str, PublishedVersion]:
    """Return the versions that can be read, by their ids."""
    reads = [partial(reader.read, protocol.get_version(project, version_id)) for version_id in ids]
    found = {}
    for version_id, result in zip(ids, overlap(reads, concurrency=concurrency)):
        if not isinstance(result, Raised):
            found[version_id] = published(result.value)
        elif not isinstance(result.error, StepError):
            raise result.error
    return found


# --- as the verb tells it -------------------------------------------------------------------------------


def read_branches(reader: Reader, *, project: str, space_id: str, concurrency: int) -> SpaceBranches:
    """Return the branches' paths in a space's routes files, and the versions that tell their age.

    Raises:
        StepError: the files of the space, or a routes file, could not be read.
    """
    rows = oldest_of_each_name(list_files(reader, project, space_id))
    files = _read_current(reader, rows.values(), project=project, concurrency=concurrency)
    held, unreadable = _held_paths(files)
    wanted = sorted({name for path in held for name in files_of(path) if name in rows})
    ids = {name: rows[name].id for name in wanted}
    histories, notes = read_histories(reader, ids, project=project, concurrency=concurrency)
    unread = [say("branches.unreadable_file", name=name) for name in unreadable]
    return SpaceBranches(files, tuple(held), histories, (*unread, *notes))


def read_hidden(
    reader: Reader, found: SpaceBranches, names: Iterable[str], *, project: str, concurrency: int
) -> dict[str, list[str]]:
    """Return, by file, the names of the versions that a race has hidden and nobody has merged (lineage.py).

    Raises:
        StepError: such a version could not be read.
    """
    read = partial(read_versions, reader, project, concurrency=concurrency)
    return {
        name: [rival.version.version for rival in read_unmerged(found.existing(name), read=read)]
        for name in names
    }


def _read_current(
    reader: Reader, rows: Iterable[TemplateFile], *, project: str, concurrency: int
) -> dict[str, RoutesFile]:
    routes = [row for row in rows if row.real_name.endswith(routes_file("")) and row.version_id]
    versions = read_versions(reader, project, [row.version_id for row in routes], concurrency=concurrency)
    return {row.real_name: RoutesFile(row, versions[row.version_id]) for row in routes}


def _held_paths(files: Mapping[str, RoutesFile]) -> tuple[list[HeldPath], list[str]]:
    """Return the paths that branches claim, and the names of the files that can't be read."""
    held: list[HeldPath] = []
    unreadable: list[str] = []
    for name, file in sorted(files.items()):
        documents = parse_foreign(file.current.content)
        if documents is None:
            unreadable.append(name)
            continue
        held += [HeldPath(name, host, claim) for host, claim in claims_of(documents)]
    return held, unreadable


def read_histories(
    reader: Reader, ids: Mapping[str, str], *, project: str, concurrency: int
) -> tuple[Histories, list[Text]]:
    """Return the versions by file name, of the files of these ids.

    A list that can't be read (all contents are in it) is told, no failure.
    """
    reads = [partial(_read_history, reader, template_id, project=project) for template_id in ids.values()]
    histories: dict[str, Optional[tuple[PublishedVersion, ...]]] = {}
    notes: list[Text] = []
    for name, result in zip(ids, overlap(reads, concurrency=concurrency)):
        if not isinstance(result, Raised):
            histories[name] = result.value
        elif isinstance(result.error, StepError) and not isinstance(result.error, OutOfTime):
            histories[name] = None
            notes.append(say("branches.age_unreadable", name=name, problem=result.error.title()))
        else:
            raise result.error
    return histories, notes


def _read_history(reader: Reader, template_id: str, *, project: str) -> tuple[PublishedVersion, ...]:
    versions = reader.read(protocol.list_versions(project, template_id))
    return tuple(published(version) for version in versions if not version.draft)
