"""Read what a template space holds, in whichever dialect BCS speaks: files by their own names, versions.

Every list tells of the site's dialect (dialect.py), and is read as the dialect that it comes from. Where the
first answers leave it open, one more read asks. Only reads leave this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import FileVersions, TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.dialect import (
    BELOW_SPACE,
    EVERY,
    LISTS_VERSIONS,
    OLDEST_RELEASE,
    WITH_SPACE,
    Site,
    own_name,
    said_by_rows,
)
from bcs_template_set.bcs.space.existing import SpaceHistories, VersionRef, ref_of
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import AppNotGranted, NoPermission
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed, BcsTooOld, NoSuchPath

_NOT_ALLOWED = 405


# --- the space ------------------------------------------------------------------------------------------


def find_space(reader: Reader, *, project: str, space: str) -> Optional[TemplateSpace]:
    """Return the space of exactly this name; the oldest where two creations at once made several.

    BCS keys template files by the space's *name* (its store, 2026-07), so spaces of one name share files.

    Raises:
        BcsTooOld: spaces are listed as v1.29 lists them.
    """
    listed = reader.read(protocol.list_spaces(project, name=space))
    if any(row.bare for row in listed):
        raise _too_old("bcs.needs_folders")
    found = [row for row in listed if row.name == space]
    return min(found, key=lambda row: row.id) if found else None


def ask_dialect(reader: Reader, project: str) -> None:
    """Ask for the dialect where the answers so far leave open where files are created.

    A gateway that does not publish the path asked leaves it open.

    Raises:
        BcsTooOld: it is v1.29, which has the path.
    """
    if reader.site.creates_below_space is not None:
        return
    try:
        reader.read(protocol.ask_old_path(project))
    except BcsTooOld as exc:
        is_there = exc.status == _NOT_ALLOWED
        reader.site.learn(WITH_SPACE if is_there else BELOW_SPACE)
        return
    except (BcsFailed, NoPermission):
        pass
    except (NoSuchPath, AppNotGranted):
        return
    raise _too_old("bcs.needs_files")


def _too_old(sentence: str) -> BcsTooOld:
    return BcsTooOld(problem=say(sentence), oldest=OLDEST_RELEASE)


# --- its files ------------------------------------------------------------------------------------------


def list_files(reader: Reader, project: str, space_id: str) -> tuple[TemplateFile, ...]:
    """Return a space's files by their own names."""
    rows = reader.read(protocol.list_files(project, space_id))
    reader.site.learn(said_by_rows(rows))
    if rows:
        ask_dialect(reader, project)
    return _named(rows, reader.site)


def read_file(reader: Reader, project: str, template_id: str, *, known_as: str) -> TemplateFile:
    """Return one file's metadata by its own name, which one row alone may not tell.

    `known_as` is the name that a list gave it.
    """
    row = reader.read(protocol.get_file(project, template_id))
    reader.site.learn(said_by_rows([row]))
    if not row.real_name and row.name in (known_as, f"{row.template_space}/{known_as}"):
        return row.replaced(real_name=known_as)
    return _named([row], reader.site)[0]


def _named(rows: Iterable[TemplateFile], site: Site) -> tuple[TemplateFile, ...]:
    possible = site.possible
    return tuple(row.replaced(real_name=own_name(row, possible)) for row in rows)


def oldest_of_each_name(rows: Iterable[TemplateFile]) -> dict[str, TemplateFile]:
    """Return one file a name: the oldest, where two creations at once made several.

    Their versions are shared, since BCS keys versions by file name (its store, 2026-07), so every build
    that takes the oldest works on the same thing. Ids are ObjectIDs, which grow with time.
    """
    files: dict[str, TemplateFile] = {}
    for row in rows:
        known = files.get(row.real_name)
        files[row.real_name] = row if known is None or row.id < known.id else known
    return files


def files_by_name(reader: Reader, project: str, space_id: str) -> dict[str, TemplateFile]:
    """Return a space's files by their own names, one a name."""
    return oldest_of_each_name(list_files(reader, project, space_id))


# --- versions -------------------------------------------------------------------------------------------


def space_histories(reader: Reader, project: str, space: TemplateSpace) -> Optional[SpaceHistories]:
    """Return every version name of the space by file name, or None where this BCS has no such list."""
    try:
        rows = reader.read(protocol.list_space_versions(project, space.id))
    except BcsTooOld:
        reader.site.learn(EVERY - LISTS_VERSIONS)
        return None
    except (NoSuchPath, AppNotGranted):
        return None
    reader.site.learn(LISTS_VERSIONS)
    return dict(_history(row, space.name) for row in rows)


Histories = tuple[dict[str, Optional[tuple[VersionRef, ...]]], tuple[TemplateVersion, ...]]


def list_histories(
    reader: Reader, project: str, space: TemplateSpace, rows: Sequence[TemplateFile]
) -> Histories:
    """Return the versions of some files by file name, and those whose contents had to come with them.

    Where this BCS lists the names of a space's versions, that is one request, else one a file; of a file
    whose versions nobody lists the history is None. What is answered grows with history (facts/bcs.md, trap
    20): this is for files of which names must be known.
    """
    names = None
    if rows and reader.site.lists_versions is not False:
        names = space_histories(reader, project, space)
    if names is not None or not rows:
        return {row.real_name: (names or {}).get(row.real_name, ()) for row in rows}, ()
    reads = [partial(file_versions, reader, project, row.id) for row in rows]
    lists = together(reader, reads)
    found = {row.real_name: history_of(v) if v is not None else None for row, v in zip(rows, lists)}
    return found, tuple(version for versions in lists for version in versions or ())


def _history(row: FileVersions, space: str) -> tuple[str, tuple[VersionRef, ...]]:
    front = space + "/"
    name = row.template_name.removeprefix(front)
    refs = [VersionRef(id=v.version_id, name=v.version, created_at=v.create_at) for v in row.version_list]
    return name, newest_first(refs)


def newest_first(refs: Iterable[VersionRef]) -> tuple[VersionRef, ...]:
    """Return versions in the order they were made: BCS lists those of equal precedence in no order."""
    return tuple(sorted(refs, key=lambda ref: (ref.created_at, ref.id), reverse=True))


def file_versions(reader: Reader, project: str, template_id: str) -> Optional[tuple[TemplateVersion, ...]]:
    """Return all versions of a file with their contents, None where a gateway does not publish the list.

    Where a space's versions are not listed, this is how a file's history is known.
    """
    try:
        versions = reader.read(protocol.list_versions(project, template_id))
    except (ApiMissing, AppNotGranted):
        return None
    return tuple(version for version in versions if not version.draft)


def history_of(versions: Iterable[TemplateVersion]) -> tuple[VersionRef, ...]:
    """Return versions without their contents, newest first."""
    return newest_first(map(ref_of, versions))
