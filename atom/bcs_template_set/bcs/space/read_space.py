"""Read what a template space holds of a run's files: only what the plan must see, overlapping where it may.

The chain of round trips is four long for files that change: project and space; the space's files and
version names; the contents that must be seen; versions written since the build started. A version that has
the run's name already is one more. Only reads leave this module: it is given the gateway as a `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import ChartVersion, Project, TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import space_name_problem
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.bcs.space.existing import (
    Existing,
    ExistingFile,
    OtherFile,
    SpaceHistories,
    VersionRef,
)
from bcs_template_set.bcs.space.live_routes import list_live_ingresses
from bcs_template_set.bcs.space.other_files import (
    may_route,
    newest_named_earlier,
    read_if_it_can_be,
    read_other,
    routes_anything,
)
from bcs_template_set.bcs.space.template_spaces import (
    ask_dialect,
    file_versions,
    find_space,
    history_of,
    oldest_of_each_name,
    read_listing,
    space_histories,
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

CLOCK_SKEW_SECONDS = 120
MOST_LATER_VERSIONS = 20


@dataclass(frozen=True)
class Wanted:
    """What a run must know of its space. `started_at` is in seconds since the epoch, 0 where unknown.

    `build` is its number. `shared` are the files that other branches write too, `outside` those that the run
    would have without `only`; `cluster_id` and `namespace` are where the run will be deployed, "" where it
    will not.
    """

    project: str
    space: str
    files: tuple[ManifestFile, ...]
    version: str
    template_set: str
    started_at: float
    build: int = 0
    shared: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    cluster_id: str = ""
    namespace: str = ""


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
    files: tuple[TemplateFile, ...]
    histories: Optional[SpaceHistories]
    chart: Optional[ChartVersion]
    chart_readable: bool


def _read_listing(reader: Reader, wanted: Wanted, space: TemplateSpace, *, concurrency: int) -> _Listing:
    charts: list[tuple[Optional[ChartVersion], bool]] = []
    also = [lambda: charts.append(_read_wanted_chart(reader, wanted))] if wanted.template_set else []
    listing = read_listing(reader, wanted.project, space, concurrency=concurrency, also=also)
    chart, readable = charts[0] if charts else (None, True)
    histories = listing.histories
    if _is_behind(histories, listing.files, shared=wanted.shared):
        histories = space_histories(reader, wanted.project, space)
    return _Listing(listing.files, histories, chart, readable)


def _is_behind(
    histories: Optional[SpaceHistories],
    files: Iterable[TemplateFile],
    *,
    shared: frozenset[str],
) -> bool:
    """Tell whether a shared file points at a version that the names do not have: both lists overlapped.

    What a race has hidden is told from the names (lineage.py), so they must be at least as new.
    """
    rows = [row for row in files if row.real_name in shared and row.version_id]
    return histories is not None and any(
        row.version_id not in {ref.id for ref in histories.get(row.real_name, ())} for row in rows
    )


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
    tasks: list[Callable[[], Union[_FileRead, OtherFile, Existing, None]]] = [
        partial(_read_live, reader, place),
        *[partial(_read_file, reader, wanted, row, listing, ours[row.real_name]) for row in mine],
        *[partial(read_other, reader, wanted.project, row) for row in must_see],
        *[partial(read_if_it_can_be, reader, wanted.project, row) for row in good_to_see],
    ]
    values = values_of(overlap(tasks, concurrency=concurrency))
    reads = [value for value in values if isinstance(value, _FileRead)]
    reading = _Reading(reader, wanted, {v.id: v for read in reads for v in read.listed}, concurrency)
    files = [read.file for read in reads]
    later = _read_later(reading, files, ours)
    files = [later.get(f.metadata.id, f) for f in files]
    files = [_with_unmerged(reading, f) for f in files]
    live = next(value for value in values if isinstance(value, Existing))
    return replace(
        live,
        files={f.metadata.real_name: f for f in files},
        others=tuple(value for value in values if isinstance(value, OtherFile)),
        histories=listing.histories,
        rows=oldest_of_each_name(listing.files),
        chart=listing.chart,
        chart_readable=listing.chart_readable,
    )


@dataclass(frozen=True)
class _FileRead:
    """A file as it is, and its versions with contents where they had to be listed one file at a time."""

    file: ExistingFile
    listed: tuple[TemplateVersion, ...] = ()


@dataclass(frozen=True)
class _Reading:
    """What it takes to read further versions; those that are `known` are not read again."""

    reader: Reader
    wanted: Wanted
    known: Mapping[str, TemplateVersion]
    concurrency: int

    def versions(self, ids: Iterable[str]) -> dict[str, TemplateVersion]:
        """Return the versions of these ids."""
        return read_versions(
            self.reader, self.wanted.project, ids, concurrency=self.concurrency, known=self.known
        )


def _with_unmerged(reading: _Reading, file: ExistingFile) -> ExistingFile:
    if file.metadata.real_name not in reading.wanted.shared:
        return file
    return replace(file, unmerged=read_unmerged(file, read=reading.versions))


def _read_file(
    reader: Reader, wanted: Wanted, row: TemplateFile, listing: _Listing, ours: ManifestFile
) -> _FileRead:
    """Read the current version, and what else of a file that changes or is shared has to be seen.

    Where the space's versions are not listed, all of the file's come with their contents, which is one
    request and may be much: a file that is as it should be, and was before this build, does without.
    """
    current = reader.read(protocol.get_version(wanted.project, row.version_id)) if row.version_id else None
    history = listing.histories.get(row.real_name, ()) if listing.histories is not None else None
    is_settled = current is not None and current.content == ours.text
    listed: Optional[tuple[TemplateVersion, ...]] = None
    is_ours = current is not None and current.version == wanted.version
    if history is None and (is_ours or not is_settled or row.real_name in wanted.shared):
        listed = file_versions(reader, wanted.project, row.id)
        history = history_of(listed) if listed is not None else None
    found = ExistingFile(metadata=row, current=current, history=history)
    if not is_settled:
        found = replace(found, same_name=_read_same_name(reader, wanted, found, listed))
    return _FileRead(found, listed or ())


def _read_same_name(
    reader: Reader, wanted: Wanted, found: ExistingFile, listed: Optional[Sequence[TemplateVersion]]
) -> Optional[TemplateVersion]:
    """Return the version that has the run's version name already, where it is not the current one."""
    if found.current is not None and found.current.version == wanted.version:
        return None
    if listed is not None:
        return next((version for version in listed if version.version == wanted.version), None)
    if found.history is not None:
        refs = [ref for ref in found.history if ref.name == wanted.version]
        return reader.read(protocol.get_version(wanted.project, refs[0].id)) if refs else None
    call = protocol.find_version(
        wanted.project, space=wanted.space, name=found.metadata.real_name, version=wanted.version
    )
    return reader.read(call)


# --- what was written since the build started -----------------------------------------------------------


def _differs(found: ExistingFile, ours: dict[str, ManifestFile]) -> bool:
    return found.current is not None and found.current.content != ours[found.metadata.real_name].text


def _read_later(
    reading: _Reading, files: Sequence[ExistingFile], ours: dict[str, ManifestFile]
) -> dict[str, ExistingFile]:
    """Return the files with the versions that a newer build may have written under the current one.

    A newer build started after this one, so what it published is younger than this build's start, give or
    take the clocks' skew. Of a file that has our content already, only what a race has hidden matters. At
    most 20 a file are read, newest first.
    """
    wanted_refs = [
        (f, ref)
        for f in files
        for ref in (_refs_since(f, reading.wanted) if _differs(f, ours) else suspects_of(f))
    ]
    versions = reading.versions(ref.id for _, ref in wanted_refs)
    later: dict[str, list[TemplateVersion]] = {}
    for found, ref in wanted_refs:
        later.setdefault(found.metadata.id, []).append(versions[ref.id])
    return {
        f.metadata.id: replace(f, later=tuple(later[f.metadata.id])) for f in files if f.metadata.id in later
    }


def _refs_since(found: ExistingFile, wanted: Wanted) -> list[VersionRef]:
    if wanted.started_at <= 0:
        return []
    known = {version.id for version in (found.current, found.same_name) if version is not None}
    since = wanted.started_at - CLOCK_SKEW_SECONDS
    refs = [ref for ref in found.history or () if ref.id not in known and ref.created_at >= since]
    return refs[:MOST_LATER_VERSIONS]
