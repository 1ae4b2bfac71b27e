"""What of a build is live in a namespace, by the cluster's marks and BCS's descriptions. Only reads.

For whoever has lost, or was robbed of, the build's own word for it. It errs on the side of "live": what
can't be looked at counts as deployed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.space.provenance import read_provenance, told
from bcs_template_set.bcs.space.template_spaces import find_space, list_files, oldest_of_each_name
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.rollout.before_deploying import ask_variables
from bcs_template_set.rollout.live_look import look
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.parallel import overlap, values_of


def deployed_by_build(
    reader: Reader, deploying: Deploying, *, pipeline: str, build: int, concurrency: int
) -> tuple[str, ...]:
    """Return the files of which a version that this build published is live in the namespace; sorted.

    Raises:
        StepError: whatever the gateway or BCS answered.
    """
    files = _published(reader, deploying, pipeline=pipeline, build=build, concurrency=concurrency)
    if not files:
        return ()
    asked = ask_variables(reader, deploying.place, [file.version_id for file in files])
    values = {variable.key: deploying.variables.get(variable.key, variable.value) for variable in asked.vars}
    states, _ = look(reader, replace(deploying, variables=values), files)
    hidden = {file.name for file in files} - {state.file for state in states}
    versions = {(file.name, file.version) for file in files}
    ours = {
        s.file
        for s in states
        if s.mark.file == f"{deploying.space}/{s.file}" and (s.file, s.mark.version) in versions
    }
    return tuple(sorted(hidden | ours))


def _published(
    reader: Reader, deploying: Deploying, *, pipeline: str, build: int, concurrency: int
) -> list[FileVersion]:
    """Return the versions of this build among those that files have now, and that BCS deployed last.

    Those that hold no object were not deployed.
    """
    project, space = deploying.place.project, deploying.space
    found = find_space(reader, project=project, space=space)
    if found is None:
        return []
    rows = oldest_of_each_name(list_files(reader, project, found.id)).values()
    reads = [partial(_versions_of, reader, project, space, row) for row in rows]
    pairs = zip(rows, values_of(overlap(reads, concurrency=concurrency)))
    return [
        FileVersion(row.real_name, version.id, version.version)
        for row, versions in pairs
        for version in versions
        if _is_of(version, pipeline=pipeline, build=build) and parse_foreign(version.content) != ()
    ]


def _versions_of(reader: Reader, project: str, space: str, row: TemplateFile) -> Sequence[TemplateVersion]:
    current = [reader.read(protocol.get_version(project, row.version_id))] if row.version_id else []
    if row.latest_deploy_version in ("", *(version.version for version in current)):
        return current
    call = protocol.find_version(project, space=space, name=row.real_name, version=row.latest_deploy_version)
    found = reader.read(call)
    return current if found is None else [*current, found]


def _is_of(version: TemplateVersion, *, pipeline: str, build: int) -> bool:
    origin = read_provenance(version.description)
    return origin is not None and (told(origin.pipeline), origin.build) == (told(pipeline), build)
