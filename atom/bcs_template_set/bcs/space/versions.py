"""Read versions of template files: those of some ids, or all of some files. Only reads leave this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.template_spaces import files_by_name, find_space


def read_versions(
    reader: Reader,
    project: str,
    ids: Iterable[str],
    *,
    known: Mapping[str, TemplateVersion] = MappingProxyType({}),
) -> dict[str, TemplateVersion]:
    """Return the versions of these ids, each read once; those that are known are not read.

    Raises:
        StepError: one of them could not be read.
    """
    wanted = list(dict.fromkeys(ids))
    unread = [version_id for version_id in wanted if version_id not in known]
    reads = [partial(reader.read, protocol.get_version(project, version_id)) for version_id in unread]
    read = dict(zip(unread, together(reader, reads)))
    return {version_id: read.get(version_id) or known[version_id] for version_id in wanted}


def list_past_files(reader: Reader, project: str, *, space: str) -> Mapping[str, TemplateFile]:
    """Return the files of a folder by name; none where there is no such folder.

    Raises:
        StepError: whatever the gateway or BCS answered.
    """
    found = find_space(reader, project=project, space=space)
    return files_by_name(reader, project, found.id) if found is not None else {}


def read_past_files(reader: Reader, project: str, rows: Iterable[TemplateFile]) -> Mapping[str, PastFile]:
    """Return these files with all their versions, drafts left out.

    Raises:
        StepError: whatever the gateway or BCS answered.
    """
    wanted = list(rows)
    reads = [partial(reader.read, protocol.list_versions(project, row.id)) for row in wanted]
    listed = together(reader, reads)
    return {
        row.real_name: PastFile(row, tuple(version for version in versions if not version.draft))
        for row, versions in zip(wanted, listed)
    }
