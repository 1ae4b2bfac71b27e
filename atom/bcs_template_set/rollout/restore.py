"""Go back to what was deployed before, per file: by deploying it again, never by deleting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.template_files import Reader
from bcs_template_set.manifests.fields import text_at
from bcs_template_set.rollout.deployment_plan import FileVersion, LiveState
from bcs_template_set.rollout.live_fields import TEMPLATE_NAME, TEMPLATE_VERSION


@dataclass(frozen=True)
class Way:
    """What a restore would do: the versions to go back to, and the files that have none."""

    back: tuple[FileVersion, ...]
    first_time: tuple[str, ...]


def versions_before(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str
) -> Mapping[str, str]:
    """Return the version name that each file had in this namespace before we deployed.

    The marks of the live objects, as they were read before, say it of this namespace; a file without any
    falls back on BCS's `latestDeployVersion`, which does not say where it was deployed.
    """
    before = {file.name: file.before for file in files if file.before}
    for state in states:
        if state.live is not None and text_at(state.live, "metadata", "annotations", TEMPLATE_NAME) == (
            f"{space}/{state.file}"
        ):
            mark = text_at(state.live, "metadata", "annotations", TEMPLATE_VERSION)
            before[state.file] = mark or before.get(state.file, "")
    return before


def way_back(
    reader: Reader, *, project: str, space: str, files: Sequence[FileVersion], before: Mapping[str, str]
) -> Way:
    """Return what has to be deployed to restore these files.

    A file that was deployed for the first time, whose version is gone, or which already was at this version
    (redeploy) is left as it is, and named.
    """
    back: list[FileVersion] = []
    left: list[str] = []
    for file in files:
        earlier = before.get(file.name, "")
        found = _find(reader, project, space, file.name, earlier) if earlier else None
        if found is None or earlier == file.version:
            left.append(file.name)
        else:
            back.append(replace(file, version_id=found, version=earlier))
    return Way(tuple(back), tuple(left))


def _find(reader: Reader, project: str, space: str, name: str, version: str) -> Optional[str]:
    found = reader.read(protocol.find_version(project, space=space, name=name, version=version))
    return found.id if found is not None else None
