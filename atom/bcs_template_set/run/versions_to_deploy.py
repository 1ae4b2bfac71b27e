"""Which versions a deployment is to make live, looked at right before it and right after. Only reads.

Publishing and deploying are two steps, and other builds publish and deploy in between. Of a file that
branches share, the current version is what has to be live: this build's own may lack what another branch
has added since. Of any other file, a newer build of the same branch is not replaced by an older one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.bcs.space.template_spaces import list_files, oldest_of_each_name
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.manifests.branch_paths import Claim, claims_of
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import NewerBuild, Overtaken
from bcs_template_set.publish.make_plan import is_believed, newer_build_lines
from bcs_template_set.publish.plan import Desired
from bcs_template_set.rollout.live_state import FileVersion, objects_in


@dataclass(frozen=True)
class Looking:
    """What it takes to look: the space's id, what this run published, and its branch's claim."""

    reader: Reader
    space_id: str
    desired: Desired
    claim: Claim
    concurrency: int
    replaces_newer: bool


def newest_versions(looking: Looking, files: Sequence[FileVersion]) -> tuple[FileVersion, ...]:
    """Return the versions to make live: shared files at their current version, the others as they are.

    Raises:
        NewerBuild: a newer build of this branch has published a file since, and is not to be replaced.
        Overtaken: the current version of a shared file lacks this branch's path.
        StepError: whatever the gateway or BCS answered.
    """
    project = looking.desired.target.project
    rows = oldest_of_each_name(list_files(looking.reader, project, looking.space_id))
    current = {file.name: rows[file.name].version_id for file in files if file.name in rows}
    moved = {f.name: current[f.name] for f in files if current.get(f.name, "") not in ("", f.version_id)}
    found = read_versions(looking.reader, project, moved.values(), concurrency=looking.concurrency)
    versions = {name: found[version_id] for name, version_id in moved.items()}
    newer = {name: pair for name, v in versions.items() for pair in _newer(looking, name, v)}
    if newer and not looking.replaces_newer:
        raise NewerBuild(details=newer_build_lines(newer, ours=looking.desired.provenance.build))
    return tuple(_newest(looking, file, versions) for file in files)


def _newer(looking: Looking, name: str, version: TemplateVersion) -> list[tuple[TemplateVersion, Provenance]]:
    origin = read_provenance(version.description)
    if name in looking.desired.shared or origin is None:
        return []
    ours = looking.desired.provenance
    if not origin.is_newer_than(ours) or not is_believed(version, origin, ours=ours):
        return []
    return [(version, origin)]


def _newest(looking: Looking, file: FileVersion, versions: dict[str, TemplateVersion]) -> FileVersion:
    version = versions.get(file.name)
    if version is None or file.name not in looking.desired.shared:
        return file
    if not _serves(version, looking.claim):
        detail = say("deploy.shared_lacks", name=file.name, current=version.version, path=looking.claim.path)
        raise Overtaken(details=[detail])
    objects = objects_in(parse_foreign(version.content))
    return replace(file, version_id=version.id, version=version.version, objects=objects)


def _serves(version: TemplateVersion, claim: Claim) -> bool:
    claims = [found for _, found in claims_of(parse_foreign(version.content) or ())]
    return any(
        found.branch == claim.branch and normal_path(found.path) == normal_path(claim.path)
        for found in claims
    )
