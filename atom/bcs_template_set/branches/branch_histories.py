"""Read which branches have paths in a space, and when each was built last. Only reads leave this module.

One list of files, then the current version of every routes file, then all versions of the files of those
domains that a branch has a path of: what is read grows with branches, not with the space.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.space.template_spaces import list_files, oldest_of_each_name
from bcs_template_set.bcs.space.unmerged_versions import read_unmerged
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.branches.branch_rows import (
    HeldPath,
    Histories,
    PublishedVersion,
    RoutesFile,
    SpaceBranches,
    files_of,
    published,
)
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.naming import routes_file
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.parallel import Raised, overlap


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
