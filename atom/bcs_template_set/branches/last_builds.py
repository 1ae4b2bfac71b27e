"""Which branch has which path, and its last build. Only reads leave this module.

A run and the verb `branches` ask for different things:

- **A run** shows the rows in its report, and asks nothing for it: what it has read for its plan tells the
  last build of the branch that published a domain's files last. What lies below nobody asks for: a run must
  not cost more where BCS keeps more versions (facts/bcs.md, trap 20).
- **The verb** lists a space's names where BCS has such a list, and reads one version a branch: the newest
  whose name holds the branch's slug, as the default version name does. Where no name tells, and for every
  domain that is to lose a path, all versions of the domain's files are read: a newer build under any name
  must keep one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Callable, Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateSpace
from bcs_template_set.bcs.calls import Reader, each
from bcs_template_set.bcs.space.existing import Existing, SpaceHistories, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import Provenance, told
from bcs_template_set.bcs.space.template_spaces import files_by_name, space_histories
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
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Desired

_MOST_LOOKS = 3
"""How many versions are read of a branch whose slug stands in others' names, before all are."""


# --- as a run tells it ----------------------------------------------------------------------------------


def rows_of_space(desired: Desired, existing: Existing, *, now: float) -> tuple[BranchRow, ...]:
    """Return the branches' paths of the space as they will be, with each last build that was read anyway."""
    found = {name: ref_of(file.current) for name, file in existing.files.items() if file.current is not None}
    found.update({other.name: other.current for other in existing.others if other.current is not None})
    newest = {name: ref for name, ref in found.items() if existing.rows[name].version_mode != protocol.PINNED}
    rows: list[BranchRow] = []
    for path in held_paths(desired, existing):
        last = _last_of_domain(path, existing, newest)
        rows += branch_rows([path], {path.file: last}, now=now)
    return tuple(rows)


def _last_of_domain(
    path: HeldPath, existing: Existing, newest: Mapping[str, VersionRef]
) -> Optional[tuple[PublishedVersion, ...]]:
    """Return the version of a domain's files that came last, where the newest of each of them was read."""
    names = [name for name in files_of(path) if name in existing.rows]
    if not names or not newest.keys() >= {*names}:
        return None
    last = max((newest[name] for name in names), key=lambda ref: (ref.created_at, ref.id))
    origin = last.origin
    if origin is None:
        return None
    return (
        PublishedVersion(last.id, last.name, last.created_at, origin.branch, origin.build, origin.started_by),
    )


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


# --- as the verb tells it -------------------------------------------------------------------------------


def read_branches(reader: Reader, *, project: str, space: TemplateSpace) -> SpaceBranches:
    """Return the branches' paths in a space's routes files, and the versions that tell their age.

    Raises:
        StepError: the files of the space, or a routes file, could not be read.
    """
    rows = files_by_name(reader, project, space.id)
    files = _read_current(reader, rows.values(), project=project)
    held, unreadable = _held_paths(files)
    ids = {name: rows[name].id for path in held for name in files_of(path) if name in rows}
    unread = tuple(say("branches.unreadable_file", name=name) for name in unreadable)
    named = _names(reader, project, space) if held else {}
    read = partial(_read_published, reader, project=project)
    newest = _last_builds({path: _named_after(path, named) for path in held}, read=read)
    histories: dict[str, tuple[PublishedVersion, ...]] = {}
    for path, last in newest.items():
        histories[path.file] = (*histories.get(path.file, ()), last)
    found = SpaceBranches(files, ids, tuple(held), histories, unread)
    untold = [path for path in held if path not in newest]
    return with_whole(reader, found, untold, project=project)


def _names(reader: Reader, project: str, space: TemplateSpace) -> SpaceHistories:
    """Return the names of all versions of the space, none where this BCS would not list them."""
    if reader.site.lists_versions is not False:
        with suppress(StepError):
            return space_histories(reader, project, space) or {}
    return {}


def with_whole(
    reader: Reader,
    found: SpaceBranches,
    paths: Iterable[Union[HeldPath, BranchRow]],
    *,
    project: str,
) -> SpaceBranches:
    """Return what is known after all versions of the files of these paths' domains were read."""
    names = {name for path in paths for name in files_of(path)} - found.whole
    ids = {name: found.ids[name] for name in sorted(names & found.ids.keys())}
    histories, notes = read_histories(reader, ids, project=project)
    return replace(
        found,
        histories={**found.histories, **histories},
        notes=(*found.notes, *notes),
        whole=found.whole | ids.keys(),
    )


def _named_after(path: HeldPath, histories: SpaceHistories) -> Iterator[VersionRef]:
    """Yield the versions of a domain's files whose names hold the branch's slug, newest first."""
    slug = slug_of(path.claim.branch)
    refs = (ref for name in files_of(path) for ref in histories.get(name, ()) if slug in ref.name)
    yield from sorted(refs, key=lambda ref: (ref.created_at, ref.id), reverse=True)


def _last_builds(
    candidates: Mapping[HeldPath, Iterator[VersionRef]],
    *,
    read: Callable[[Sequence[str]], Mapping[str, PublishedVersion]],
) -> dict[HeldPath, PublishedVersion]:
    """Return the newest version of each path whose description names its branch, where a few reads find it.

    All paths are read for at once, a version each. Of a path one of whose versions can't be read nothing is
    known: an older one may not be the last.
    """
    found: dict[HeldPath, PublishedVersion] = {}
    seen: dict[str, PublishedVersion] = {}
    waiting = dict(candidates)
    for _ in range(_MOST_LOOKS):
        nexts = {
            path: ref.id for path, refs in waiting.items() for ref in [next(refs, None)] if ref is not None
        }
        seen.update(read([number for number in dict.fromkeys(nexts.values()) if number not in seen]))
        looked = {path: seen[number] for path, number in nexts.items() if number in seen}
        found.update({path: last for path, last in looked.items() if last.branch == told(path.claim.branch)})
        waiting = {path: waiting[path] for path in looked if path not in found}
    return found


def _read_published(reader: Reader, ids: Sequence[str], *, project: str) -> dict[str, PublishedVersion]:
    """Return the versions that can be read, by their ids."""
    found = each(reader, [protocol.get_version(project, version_id) for version_id in ids])
    return {
        version_id: published(version)
        for version_id, version in zip(ids, found)
        if not isinstance(version, StepError)
    }


def read_hidden(
    reader: Reader, found: SpaceBranches, names: Iterable[str], *, project: str
) -> dict[str, list[str]]:
    """Return, by file, the names of the versions that a race has hidden and nobody has merged (lineage.py).

    Raises:
        StepError: such a version could not be read.
    """
    read = partial(read_versions, reader, project)
    return {
        name: [rival.version.version for rival in read_unmerged(found.existing(name), read=read)]
        for name in names
    }


def _read_current(reader: Reader, rows: Iterable[TemplateFile], *, project: str) -> dict[str, RoutesFile]:
    routes = [row for row in rows if row.real_name.endswith(routes_file("")) and row.version_id]
    versions = read_versions(reader, project, [row.version_id for row in routes])
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


def read_histories(reader: Reader, ids: Mapping[str, str], *, project: str) -> tuple[Histories, list[Text]]:
    """Return the versions by file name, of the files of these ids.

    A list that can't be read (all contents are in it) is told, no failure.
    """
    found = each(reader, [protocol.list_versions(project, number) for number in ids.values()])
    histories: dict[str, Optional[tuple[PublishedVersion, ...]]] = {}
    notes: list[Text] = []
    for name, versions in zip(ids, found):
        if isinstance(versions, StepError):
            histories[name] = None
            notes.append(say("branches.age_unreadable", name=name, problem=versions.title()))
        else:
            histories[name] = tuple(published(version) for version in versions if not version.draft)
    return histories, notes
