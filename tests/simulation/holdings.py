"""What a site holds at a moment, and what is about to be deleted from it. Reads, and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from bcs_template_set.bcs.space.provenance import read_provenance
from tests.emulator.cluster.tree import Manifest, branch, number, text
from tests.emulator.entities import TemplateVersion
from tests.emulator.exchanges import asks_for_rights
from tests.emulator.http_message import Request
from tests.simulation.contents import essence_of, essences_of
from tests.support.deploying import CLUSTER, FILE_MARK, MARK, NAMESPACE
from tests.support.publishing import SPACE

if TYPE_CHECKING:
    from tests.simulation.builds import Build
    from tests.simulation.site import SimulatedSite

PLURALS = {
    "deployments": "Deployment",
    "services": "Service",
    "configmaps": "ConfigMap",
    "ingresses": "Ingress",
}
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Live:
    """A live object: which file's version it is marked with, which variant it is, whether it is ready."""

    file: str
    version: str
    essence: str
    is_ready: bool


@dataclass(frozen=True)
class Moment:
    """What was live from then on, once somebody had written, by `Kind/name`."""

    at: float
    by: str
    objects: Mapping[str, Live]


@dataclass(frozen=True)
class Deletion:
    """Something that a build has asked to delete, and what speaks against it."""

    by: str
    what: str
    problems: tuple[str, ...]


def live_objects(site: SimulatedSite) -> dict[str, Live]:
    """Return the live objects of the namespace by `Kind/name`; what a controller has made is left out."""
    cluster = site.emulator.cluster(CLUSTER)
    return {
        f"{kind}/{text(found, 'metadata', 'name')}": _live(found)
        for kind in PLURALS.values()
        for found in cluster.find_all(kind, NAMESPACE)
        if text(found, "metadata", "name") != "kube-root-ca.crt"
    }


def current_versions(site: SimulatedSite) -> dict[str, Optional[TemplateVersion]]:
    """Return the version that each file of the folder points at; of files of a name, the oldest counts."""
    state = site.emulator.state
    oldest = {
        file.name: file for file in sorted(state.find_files(SPACE), key=lambda file: file.id, reverse=True)
    }
    versions = {(version.file, version.version): version for version in state.find_versions(SPACE)}
    return {name: versions.get((name, file.version)) for name, file in oldest.items()}


def is_live(objects: Mapping[str, Live], text: str) -> bool:
    """Tell whether all objects of a file's text are among these."""
    return all(
        title in objects and objects[title].essence == essence for title, essence in essences_of(text).items()
    )


def _live(manifest: Manifest) -> Live:
    notes = branch(manifest, "metadata", "annotations")
    file = text(notes, FILE_MARK).partition("/")[2]
    return Live(file, text(notes, MARK), essence_of(manifest), _is_ready(manifest))


def _is_ready(manifest: Manifest) -> bool:
    """Tell whether a Deployment is rolled out, as kubectl has it; all else is, at once."""
    if text(manifest, "kind") != "Deployment":
        return True
    wanted = number(manifest, "spec", "replicas", default=1)
    status = branch(manifest, "status")
    seen = number(status, "observedGeneration") >= number(manifest, "metadata", "generation")
    counts = [number(status, name) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return seen and counts == [wanted] * 3


def deletion_of(site: SimulatedSite, request: Request, *, by: Build) -> Iterator[Deletion]:
    """Yield what a request is about to delete, unless it only asks for the right."""
    if asks_for_rights(request):
        return
    version = re.search("/template/versions/([0-9a-f]{24})$", request.path)
    kind, name = request.path.split("/")[-2:]
    if version is not None:
        found = next((v for v in site.emulator.state.versions if v.id == version.group(1)), None)
        problems = tuple(_of_version(site, found, by=by)) if found is not None else ()
        yield Deletion(by.plan.key, f"version {found.version if found else 'nobody has'}", problems)
    elif kind in PLURALS:
        yield Deletion(by.plan.key, f"{PLURALS[kind]}/{name}", tuple(_of_object(site, kind, name, by=by)))
    elif kind == "metadatas":
        yield Deletion(by.plan.key, f"file {name}", tuple(_of_file(site, name, by=by)))


def _of_version(site: SimulatedSite, version: TemplateVersion, *, by: Build) -> Iterator[str]:
    """Yield what speaks against deleting a version (docs/guide/taking-away.md, "Old versions")."""
    if not dict(by.plan.inputs).get("keep_versions"):
        yield "nobody asked for it"
    files = site.emulator.state.find_files(SPACE, version.file)
    if any(file.version == version.version for file in files):
        yield "it is current"
    objects = live_objects(site).values() if site.emulator.state.clusters else ()
    if any((found.file, found.version) == (version.file, version.version) for found in objects):
        yield "it is live"
    if site.baton.now - version.create_at < DAY:
        yield "it is younger than a day"
    yield from _of_another(version, by=by, branch_too=False)


def _of_file(site: SimulatedSite, file_id: str, *, by: Build) -> Iterator[str]:
    """Yield what speaks against deleting a file: only one that was never deployed goes (the same page)."""
    if dict(by.plan.inputs).get("prune") != "delete":
        yield "nobody asked for it"
    for file in site.emulator.state.files:
        if file.id == file_id:
            if file.latest_deploy_version:
                yield "it was deployed"
            if file.is_draft:
                yield "somebody has a draft of it"
            if file.name.partition(".")[0] in dict(by.plan.files):
                yield "the build renders it"
            for version in site.emulator.state.find_versions(SPACE, file.name):
                if version.version == file.version:
                    yield from _of_another(version, by=by, branch_too=True)


def _of_object(site: SimulatedSite, kind: str, name: str, *, by: Build) -> Iterator[str]:
    """Yield what speaks against deleting an object (docs/guide/taking-away.md, "What is left")."""
    found: Optional[Live] = live_objects(site).get(f"{PLURALS[kind]}/{name}")
    if dict(by.plan.inputs).get("prune") != "delete":
        yield "nobody asked for it"
    if found is None:
        return
    if found.file.partition(".")[0] in dict(by.plan.files):
        yield f"the build renders {found.file}"
    origin = [v for v in site.emulator.state.find_versions(SPACE, found.file) if v.version == found.version]
    if not origin:
        yield "its version is not there"
    for version in origin:
        yield from _of_another(version, by=by, branch_too=True)


def _of_another(version: TemplateVersion, *, by: Build, branch_too: bool) -> Iterator[str]:
    origin = read_provenance(version.description)
    if origin is None or origin.pipeline != by.plan.pipeline:
        yield "another pipeline's, or a person's"
    elif branch_too and origin.branch != by.plan.branch:
        yield "another branch's"
