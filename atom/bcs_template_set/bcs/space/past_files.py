"""The files of a folder with all their versions: what one goes back to. Only reads leave this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.template_spaces import files_by_name, find_space


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
