"""What BCS holds of a run's files, as values. Performs no I/O; `read_space.py` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Optional

from bcs_template_set.bcs.answers import ChartVersion, TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.space.provenance import UPON, Provenance, ids_in, read_provenance
from bcs_template_set.bcs.space.route_map import HostClaim, LiveIngress
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.manifests.routes import Route, images_of, routes_of
from bcs_template_set.records.late_dataclass import dataclass

FROM_NOTHING = "-"
"""In the place of a base: there was no version that the content could have been made from."""


@dataclass(frozen=True)
class VersionRef:
    """A version by id and name, without its content. `created_at` is in seconds since the epoch.

    `origin` is the build that published it, None where a person did, or where its description was not read.
    """

    id: str
    name: str
    created_at: int = 0
    origin: Optional[Provenance] = field(default=None, compare=False, repr=False)


def ref_of(version: TemplateVersion) -> VersionRef:
    """Return a version without its content."""
    origin = read_provenance(version.description)
    return VersionRef(id=version.id, name=version.version, created_at=version.create_at, origin=origin)


SpaceHistories = Mapping[str, tuple[VersionRef, ...]]
"""The versions of all files of a space by file name, newest first."""


@dataclass(frozen=True)
class Unmerged:
    """A version that the current one was not made from (lineage.py), and what it was made from itself."""

    version: TemplateVersion
    base: Optional[TemplateVersion] = None


@dataclass(frozen=True)
class ExistingFile:
    """A template file of the space that this run renders too.

    `current` is the version the file points at, None for a mere draft or a dangling pointer. `same_name`
    is the version that already has this run's version name, if that is not the current one. `later` are
    other versions written since the build started, newest first. `history` holds the versions known,
    newest first: all there are, or this build's and what it was made from; None where they were not needed
    or can't be listed. `unmerged` are the versions that were hidden without having been seen; only for files
    that branches share. Those in its `crowd` are such too, by their ids, and left to somebody's turn.
    `part_of` are versions that the current one is made from, and has to name in their place: those that were
    read with the unmerged ones, or the one since which there may be such.
    """

    metadata: TemplateFile
    current: Optional[TemplateVersion] = None
    same_name: Optional[TemplateVersion] = None
    later: tuple[TemplateVersion, ...] = ()
    history: Optional[tuple[VersionRef, ...]] = None
    unmerged: tuple[Unmerged, ...] = ()
    crowd: frozenset[str] = frozenset()
    part_of: tuple[str, ...] = ()

    @cached_property
    def documents(self) -> Optional[tuple[Document, ...]]:
        """Return what the current version holds, None where it can't be read; nothing without one."""
        return parse_foreign(self.current.content) if self.current is not None else ()

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Return every host and path that the current version serves, sorted."""
        return routes_of(self.documents or ())

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Return the images of the current version's containers."""
        return images_of(self.documents or ())

    @property
    def read(self) -> tuple[TemplateVersion, ...]:
        """Return the versions that were read with their contents."""
        held = (self.current, self.same_name, *self.later, *(rival.version for rival in self.unmerged))
        return tuple(version for version in held if version is not None)

    @property
    def bases(self) -> tuple[str, ...]:
        """Return what a new version is made from: the current one, and what is merged with it."""
        first = self.current.id if self.current is not None else FROM_NOTHING
        return (first, *(rival.version.id for rival in self.unmerged), *(UPON + id_ for id_ in self.part_of))

    @property
    def known(self) -> frozenset[str]:
        """Return the ids of all versions that were there, the ones a new version is made from among them."""
        return frozenset((*(ref.id for ref in self.history or ()), *ids_in(self.bases)))

    @property
    def origin(self) -> Optional[Provenance]:
        """Return the build that published the current version, None where a person did."""
        return read_provenance(self.current.description) if self.current is not None else None

    @property
    def is_pinned(self) -> bool:
        """Tell whether a new version would not become current by itself (facts/bcs.md, trap 4)."""
        return self.metadata.version_mode == 1

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the versions that it is known to have."""
        return frozenset((*(ref.name for ref in self.history or ()), *(found.version for found in self.read)))

    def before(self, version_id: str) -> Optional[VersionRef]:
        """Return the version that was written before another one, if that can be said."""
        history = self.history or ()
        for index, ref in enumerate(history):
            if ref.id == version_id:
                return history[index + 1] if index + 1 < len(history) else None
        return None


@dataclass(frozen=True)
class PastFile:
    """A file as it is listed, and all its versions with their contents."""

    row: TemplateFile
    versions: tuple[TemplateVersion, ...]

    def named(self, version: str) -> Optional[TemplateVersion]:
        """Return the version of this name, None where there is none."""
        return next((found for found in self.versions if found.version == version), None)


@dataclass(frozen=True)
class OtherFile:
    """A file of the space that this run does not render, as far as it matters: its routes and nodePorts.

    `claims` say which branches its paths belong to, `origin` which build published its `current` version.
    `readable` is False where its content is no YAML we can read, so that nothing is known of its routes.
    """

    name: str
    routes: tuple[Route, ...] = ()
    node_ports: tuple[int, ...] = ()
    claims: tuple[HostClaim, ...] = ()
    origin: Optional[Provenance] = None
    current: Optional[VersionRef] = None
    readable: bool = True


@dataclass(frozen=True)
class Existing:
    """What the space holds. `space` is None where it does not exist yet.

    `project_id` is the 32-hex id, "" where the project manager would not say. `chart` is the template
    set of this run's name and version, None where there is none or it can't be read
    (`chart_readable` tells the two apart). `live` are the namespace's Ingresses, where the run has a target
    (`live_readable` is False where they may not be looked at), `ingresses_as` is the group version in which
    the cluster serves them, "" where nobody knows. `rows` are all files as they are listed, by name.
    """

    project_id: str = ""
    space: Optional[TemplateSpace] = None
    files: Mapping[str, ExistingFile] = field(default_factory=dict)
    others: tuple[OtherFile, ...] = ()
    live: tuple[LiveIngress, ...] = ()
    ingresses_as: str = ""
    live_readable: bool = True
    rows: Mapping[str, TemplateFile] = field(default_factory=dict)
    chart: Optional[ChartVersion] = None
    chart_readable: bool = True

    @property
    def versions(self) -> dict[str, TemplateVersion]:
        """Return the versions of the run's files that were read with their contents, by id."""
        return {version.id: version for file in self.files.values() for version in file.read}
