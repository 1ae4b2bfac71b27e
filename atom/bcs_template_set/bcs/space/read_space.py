"""Read what a template space holds of a run's files: only what the plan must see, overlapping where it may.

The chain of round trips is three long: project and space; the space's files; the contents of their current
versions. What lies under these is asked for only where it can matter (`_Reading`), so that what a run reads
does not grow with history. Only reads leave this module: it is given the gateway as a `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import ChartVersion, Project, TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import space_name_problem
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.bcs.space.existing import (
    FROM_NOTHING,
    Existing,
    ExistingFile,
    OtherFile,
    VersionRef,
    ref_of,
)
from bcs_template_set.bcs.space.live_routes import list_live_ingresses
from bcs_template_set.bcs.space.other_files import (
    may_route,
    newest_named_earlier,
    read_if_it_can_be,
    read_other,
    routes_anything,
)
from bcs_template_set.bcs.space.provenance import Provenance, holds_number, read_provenance
from bcs_template_set.bcs.space.template_spaces import (
    ask_dialect,
    find_space,
    list_files,
    list_histories,
    oldest_of_each_name,
)
from bcs_template_set.bcs.space.unmerged_versions import read_unmerged, suspects_of
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.bcs.told_by_bcs import HELM_NOT_ESTABLISHED
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages.errors import (
    AppNotGranted,
    InputsInvalid,
    NobodyArrived,
    NoPermission,
    ProjectNotVisible,
)
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.parallel import Done, Raised, overlap, values_of

CLOCK_SKEW_SECONDS = 600
"""How far the clocks of BK-CI and BCS may be apart."""

MOST_LATER_VERSIONS = 20


@dataclass(frozen=True)
class Wanted:
    """What a run must know of its space. `started_at` is in seconds since the epoch.

    `ours` is the build, None where it is nobody's. `shared` are the files that other branches write too,
    `outside` those that the run would have without `only`; `again` are files that others have written since
    the last plan, and with `may_exist` versions of this run's name may be there in any. `cluster_id` and
    `namespace` are where the run will be deployed, "" where it will not.
    """

    project: str
    space: str
    files: tuple[ManifestFile, ...]
    version: str
    template_set: str
    started_at: float
    ours: Optional[Provenance] = None
    shared: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    may_exist: bool = False
    cluster_id: str = ""
    namespace: str = ""

    @property
    def build(self) -> int:
        """Return the build's number, 0 where it has none."""
        return self.ours.build if self.ours is not None else 0

    def wrote(self, version: TemplateVersion) -> bool:
        """Tell whether this very build has written a version."""
        origin = read_provenance(version.description)
        return origin is not None and self.ours is not None and origin.is_same_build_as(self.ours)


def read_existing(reader: Reader, wanted: Wanted, *, concurrency: int) -> Existing:
    """Return what BCS holds of the run's files, and the routes of the space's other files.

    Raises:
        InputsInvalid: the space is not there, and BCS makes none of that name.
        StepError: whatever the gateway or BCS answered.
    """
    project, space = _read_project_and_space(reader, wanted, concurrency=concurrency)
    project_id = project.project_id if project is not None else ""
    place = _namespace_of(wanted, project_id)
    if space is None:
        _check_creatable(reader, wanted)
        return replace(_read_live(reader, place), project_id=project_id)
    listing = _read_listing(reader, wanted, space, concurrency=concurrency)
    existing = _read_contents(reader, wanted, listing, place=place, concurrency=concurrency)
    return replace(existing, project_id=project_id, space=space)


def _check_creatable(reader: Reader, wanted: Wanted) -> None:
    """Refuse a space that would have to be made and that this BCS would not make under that name."""
    ask_dialect(reader, wanted.project)
    problem = space_name_problem(wanted.space, reader.site.possible)
    if problem is not None:
        raise InputsInvalid(details=[problem])


def _namespace_of(wanted: Wanted, project_id: str) -> Optional[NamespaceRef]:
    """Return the namespace whose Ingresses matter to this run, None where there is none or nobody knows."""
    if not (project_id and wanted.cluster_id and routes_anything(wanted.files)):
        return None
    return NamespaceRef(wanted.project, project_id, wanted.cluster_id, wanted.namespace)


# --- project and space ----------------------------------------------------------------------------------


def _read_project_and_space(
    reader: Reader, wanted: Wanted, *, concurrency: int
) -> tuple[Optional[Project], Optional[TemplateSpace]]:
    """Ask both at once, and let the two refusals explain each other.

    A refused list has no apply link, the project look-up has one; where nobody arrived the project manager
    says "no permission" of the app (facts/bcs.md, "Answers"). So the space's answer decides, and the
    project's adds what it knows.
    """
    tasks: list[Callable[[], object]] = [
        lambda: reader.read(protocol.get_project(wanted.project)),
        lambda: find_space(reader, project=wanted.project, space=wanted.space),
    ]
    of_project, of_space = overlap(tasks, concurrency=concurrency)
    if isinstance(of_space, Raised):
        raise _explained(of_space.error, of_project)
    project = of_project.value if isinstance(of_project, Done) else None
    if isinstance(of_project, Raised) and not isinstance(
        of_project.error, (NoPermission, ProjectNotVisible, ApiMissing, AppNotGranted, BcsFailed)
    ):
        raise of_project.error
    space = of_space.value
    return (
        project if isinstance(project, Project) else None,
        space if isinstance(space, TemplateSpace) else None,
    )


def _explained(error: BaseException, of_project: object) -> BaseException:
    rival = of_project.error if isinstance(of_project, Raised) else None
    if not isinstance(error, StepError) or not isinstance(rival, StepError) or error is rival:
        return error
    if isinstance(error, NobodyArrived):
        return error
    if isinstance(rival, (NobodyArrived, ProjectNotVisible)):
        return rival.with_context(**error.context)
    return error.with_context(**rival.context)


# --- files, version names, contents ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Listing:
    space: TemplateSpace
    files: tuple[TemplateFile, ...]
    chart: Optional[ChartVersion] = None
    chart_readable: bool = True


def _read_listing(reader: Reader, wanted: Wanted, space: TemplateSpace, *, concurrency: int) -> _Listing:
    tasks: list[Callable[[], _Listing]] = [
        lambda: _Listing(space, list_files(reader, wanted.project, space.id)),
        *([lambda: _Listing(space, (), *_read_wanted_chart(reader, wanted))] if wanted.template_set else []),
    ]
    listing, *charts = values_of(overlap(tasks, concurrency=concurrency))
    ask_dialect(reader, wanted.project)
    return replace(charts[0], files=listing.files) if charts else listing


def _read_wanted_chart(reader: Reader, wanted: Wanted) -> tuple[Optional[ChartVersion], bool]:
    return read_chart(reader, wanted.project, template_set=wanted.template_set, version=wanted.version)


def read_chart(
    reader: Reader, project: str, *, template_set: str, version: str
) -> tuple[Optional[ChartVersion], bool]:
    """Return the template set of that name and version, and whether this could be asked at all.

    helm-manager answers an unknown chart with an error of its own, like any other failure; both mean
    "not known to exist". Only its code 11 says that it did not come to looking.
    """
    try:
        return reader.read(protocol.get_chart_version(project, name=template_set, version=version)), True
    except BcsFailed as exc:
        return None, exc.bcs_code != HELM_NOT_ESTABLISHED
    except (ApiMissing, AppNotGranted, NoPermission):
        return None, False


def _read_live(reader: Reader, place: Optional[NamespaceRef]) -> Existing:
    """Return what is live as far as it may be looked at: a plan needs no more than the project.

    Raises:
        ClusterNotVisible: there is no such cluster, or it is another project's.
    """
    if place is None:
        return Existing()
    try:
        found = ask_cluster(reader, place, list_live_ingresses(place))
        return Existing(live=found.ingresses, ingresses_as=found.served_as)
    except (NoPermission, ApiMissing, AppNotGranted, BcsFailed):
        return Existing(live_readable=False)


def _read_contents(
    reader: Reader, wanted: Wanted, listing: _Listing, *, place: Optional[NamespaceRef], concurrency: int
) -> Existing:
    ours = {file.name: file for file in wanted.files}
    mine = list(oldest_of_each_name(row for row in listing.files if row.real_name in ours).values())
    others = [row for row in listing.files if row.real_name not in ours]
    must_see = [row for row in others if may_route(row)] if routes_anything(wanted.files) else []
    seen = {row.id for row in must_see}
    unseen = [row for row in others if row.id not in seen and row.real_name not in wanted.outside]
    good_to_see = newest_named_earlier(unseen, version=wanted.version, build=wanted.build)
    tasks: list[Callable[[], Union[ExistingFile, OtherFile, Existing, None]]] = [
        partial(_read_live, reader, place),
        *[partial(_read_current, reader, wanted, row) for row in mine],
        *[partial(read_other, reader, wanted.project, row) for row in must_see],
        *[partial(read_if_it_can_be, reader, wanted.project, row) for row in good_to_see],
    ]
    values = values_of(overlap(tasks, concurrency=concurrency))
    reading = _Reading(reader, wanted, listing.space, ours, concurrency)
    files = reading.with_the_past([value for value in values if isinstance(value, ExistingFile)])
    live = next(value for value in values if isinstance(value, Existing))
    return replace(
        live,
        files={f.metadata.real_name: f for f in files},
        others=tuple(value for value in values if isinstance(value, OtherFile)),
        rows=oldest_of_each_name(listing.files),
        chart=listing.chart,
        chart_readable=listing.chart_readable,
    )


def _read_current(reader: Reader, wanted: Wanted, row: TemplateFile) -> ExistingFile:
    current = reader.read(protocol.get_version(wanted.project, row.version_id)) if row.version_id else None
    return ExistingFile(metadata=row, current=current)


# --- what lies under the current versions ---------------------------------------------------------------


@dataclass(frozen=True)
class _Reading:
    """What it takes to read further versions, of those files alone of which something has to be known.

    `ours` are the run's files. Versions that are `known` are not read again.
    """

    reader: Reader
    wanted: Wanted
    space: TemplateSpace
    ours: Mapping[str, ManifestFile]
    concurrency: int
    known: dict[str, TemplateVersion] = field(default_factory=dict)

    def with_the_past(self, files: Sequence[ExistingFile]) -> list[ExistingFile]:
        """Return the files with what was written under the current versions, where that matters.

        In the ordinary case nothing is read: what is older than this build can be no newer build's, nor hide
        what has just been written, and a version of this build's name was never written.
        """
        young = {f.metadata.real_name for f in files if self._is_young(f)}
        files = self._with_names(files, young)
        found = values_of(
            overlap([partial(self._with_same_name, f) for f in files], concurrency=self.concurrency)
        )
        parts = {f.metadata.real_name for f in found if self._has_own_part(f)}
        found = self._with_names(found, parts - young)
        return [self._with_unmerged(f) for f in self._with_later(found)]

    def _with_names(self, files: Sequence[ExistingFile], wanted: set[str]) -> list[ExistingFile]:
        rows = [f.metadata for f in files if f.metadata.real_name in wanted]
        histories, listed = list_histories(
            self.reader, self.wanted.project, self.space, rows, concurrency=self.concurrency
        )
        self.known.update({version.id: version for version in listed})
        return [replace(f, history=histories.get(f.metadata.real_name, f.history)) for f in files]

    def _is_young(self, file: ExistingFile) -> bool:
        """Tell whether a file was changed since this build began, and not by this build as it wants it."""
        current, wanted = file.current, self.wanted
        changed_at = max(file.metadata.update_at, current.create_at if current is not None else 0)
        if file.metadata.real_name in wanted.again:
            return True
        if changed_at < wanted.started_at - CLOCK_SKEW_SECONDS:
            return False
        return current is None or self._differs(file) or not wanted.wrote(current)

    def _differs(self, file: ExistingFile) -> bool:
        return file.current is not None and file.current.content != self.ours[file.metadata.real_name].text

    def _with_same_name(self, file: ExistingFile) -> ExistingFile:
        """Return a file with the version that has the run's version name, where that is not the current one.

        Of a file that this build has published before, also with what that was made from.
        """
        current, name = file.current, self.wanted.version
        if current is not None and not self._differs(file):
            return self._with_base(file, current)
        if current is not None and current.version == name:
            return file
        if file.history is not None:
            ref = next((ref for ref in file.history if ref.name == name), None)
            return replace(file, same_name=self.versions([ref.id])[ref.id]) if ref is not None else file
        if not self._may_have_our_name(file):
            return file
        where = {"space": self.wanted.space, "name": file.metadata.real_name, "version": name}
        same = self.reader.read(protocol.find_version(self.wanted.project, **where))
        file = replace(file, same_name=same)
        return self._with_base(file, same) if same is not None else file

    def _may_have_our_name(self, file: ExistingFile) -> bool:
        """Tell whether a version that is not current, and not young, can have this run's version name.

        BCS refuses a name that is there, so what is not foreseen here ends in another plan, no harm.
        """
        wanted = self.wanted
        is_own = holds_number(wanted.version, wanted.build)
        is_first = not (wanted.may_exist or file.is_pinned or self._is_young(file))
        return not (is_own and is_first) or file.current is None

    def _with_base(self, file: ExistingFile, version: TemplateVersion) -> ExistingFile:
        """Return a file with what a version of this build was made from, where no names were listed."""
        origin = read_provenance(version.description)
        if file.history is not None or origin is None or not self.wanted.wrote(version):
            return file
        refs = [ref_of(version)]
        with suppress(BcsFailed):  # it was deleted
            refs += map(ref_of, self.versions(set(origin.bases[:1]) - {FROM_NOTHING}).values())
        return replace(file, history=tuple(refs))

    def _has_own_part(self, file: ExistingFile) -> bool:
        """Tell whether this build has a part in a shared file already, so that another needs a free name."""
        held = [version for version in (file.current, file.same_name) if version is not None]
        return file.metadata.real_name in self.wanted.shared and any(map(self.wanted.wrote, held))

    def versions(self, ids: Iterable[str]) -> dict[str, TemplateVersion]:
        """Return the versions of these ids."""
        return read_versions(
            self.reader, self.wanted.project, ids, concurrency=self.concurrency, known=self.known
        )

    def _with_unmerged(self, file: ExistingFile) -> ExistingFile:
        if file.metadata.real_name not in self.wanted.shared:
            return file
        return replace(file, unmerged=read_unmerged(file, read=self.versions))

    def _with_later(self, files: Sequence[ExistingFile]) -> list[ExistingFile]:
        """Return the files with the versions that a newer build may have written under the current one.

        A newer build started after this one, so what it published is younger than this build's start, give
        or take the clocks' skew. Of a file that has our content already, only what a race has hidden matters.
        At most 20 a file are read, newest first.
        """
        refs = {
            f.metadata.id: self._refs_since(f) if self._differs(f) else suspects_of(f)
            for f in files
            if f.history is not None
        }
        versions = self.versions(ref.id for several in refs.values() for ref in several)
        return [
            replace(f, later=tuple(versions[ref.id] for ref in refs.get(f.metadata.id, ()))) for f in files
        ]

    def _refs_since(self, found: ExistingFile) -> list[VersionRef]:
        known = {version.id for version in (found.current, found.same_name) if version is not None}
        since = self.wanted.started_at - CLOCK_SKEW_SECONDS
        refs = [ref for ref in found.history or () if ref.id not in known and ref.created_at >= since]
        return refs[:MOST_LATER_VERSIONS]
