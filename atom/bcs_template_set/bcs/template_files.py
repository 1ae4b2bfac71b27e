"""Read what a template space holds of a run's files: only what the plan must see, overlapping where it may.

The chain of round trips is four long for files that change: project and space; the space's files and
version names; the contents that must be seen; versions written since the build started. A version that has
the run's name already is one more. Only reads leave this module: it is given the gateway as a `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import Place
from bcs_template_set.bcs.hidden_versions import read_unmerged, suspects_of
from bcs_template_set.bcs.live_routes import list_live_ingresses
from bcs_template_set.bcs.protocol import (
    ChartVersion,
    FileVersions,
    Project,
    TemplateFile,
    TemplateSpace,
    TemplateVersion,
)
from bcs_template_set.bcs.versions import read_versions
from bcs_template_set.errors import (
    AppNotGranted,
    BcsFailed,
    NobodyArrived,
    NoPermission,
    NoSuchPath,
    ProjectNotVisible,
    StepError,
)
from bcs_template_set.existing import Existing, ExistingFile, OtherFile, VersionRef
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.parse import ManifestFile, parse_foreign
from bcs_template_set.manifests.routes import node_ports_of, routes_of
from bcs_template_set.overlap import Done, Raised, overlap, values_of
from bcs_template_set.provenance import read_provenance

ROUTING_KINDS = frozenset({"Ingress", "Service"})
CLOCK_SKEW_SECONDS = 120
MOST_LATER_VERSIONS = 20


@dataclass(frozen=True)
class Wanted:
    """What a run must know of its space. `started_at` is in seconds since the epoch, 0 where unknown.

    `shared` are the files that other branches write too; `cluster_id` and `namespace` are where the run
    will be deployed, "" where it will not.
    """

    project: str
    space: str
    files: tuple[ManifestFile, ...]
    version: str
    template_set: str
    started_at: float
    shared: frozenset[str] = frozenset()
    cluster_id: str = ""
    namespace: str = ""


def read_existing(reader: Reader, wanted: Wanted, *, concurrency: int) -> Existing:
    """Return what BCS holds of the run's files, and the routes of the space's other files.

    Raises:
        StepError: whatever the gateway or BCS answered.
    """
    project, space = _read_project_and_space(reader, wanted, concurrency=concurrency)
    project_id = project.project_id if project is not None else ""
    place = _place_of(wanted, project_id)
    if space is None:
        return replace(_read_live(reader, place), project_id=project_id)
    listing = _read_listing(reader, wanted, space, concurrency=concurrency)
    existing = _read_contents(reader, wanted, listing, place=place, concurrency=concurrency)
    return replace(existing, project_id=project_id, space=space)


def _place_of(wanted: Wanted, project_id: str) -> Optional[Place]:
    """Return the namespace whose Ingresses matter to this run, None where there is none or nobody knows."""
    if not (project_id and wanted.cluster_id and _routes_anything(wanted.files)):
        return None
    return Place(wanted.project, project_id, wanted.cluster_id, wanted.namespace)


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
        of_project.error, (NoPermission, ProjectNotVisible, NoSuchPath, AppNotGranted, BcsFailed)
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


def find_space(reader: Reader, *, project: str, space: str) -> Optional[TemplateSpace]:
    """Return the space of exactly this name; the oldest where two creations at once made several.

    BCS keys template files by the space's *name* (its store, 2026-07), so spaces of one name share files.
    """
    found = [s for s in reader.read(protocol.list_spaces(project, name=space)) if s.name == space]
    return min(found, key=lambda s: s.id) if found else None


# --- files, version names, contents ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Listing:
    files: tuple[TemplateFile, ...]
    histories: Optional[dict[str, tuple[VersionRef, ...]]]
    chart: Optional[ChartVersion]
    chart_readable: bool


def _read_listing(reader: Reader, wanted: Wanted, space: TemplateSpace, *, concurrency: int) -> _Listing:
    files: list[TemplateFile] = []
    histories: list[Optional[dict[str, tuple[VersionRef, ...]]]] = []
    charts: list[tuple[Optional[ChartVersion], bool]] = []

    def read_names() -> None:
        histories.append(space_histories(reader, wanted.project, space_id=space.id, space=space.name))

    tasks: list[Callable[[], None]] = [
        lambda: files.extend(reader.read(protocol.list_files(wanted.project, space.id))),
        read_names,
    ]
    if wanted.template_set:
        tasks.append(lambda: charts.append(_read_wanted_chart(reader, wanted)))
    values_of(overlap(tasks, concurrency=concurrency))
    chart, readable = charts[0] if charts else (None, True)
    if _is_behind(histories[0], files, shared=wanted.shared):
        read_names()
    return _Listing(tuple(files), histories[-1], chart, readable)


def _is_behind(
    histories: Optional[dict[str, tuple[VersionRef, ...]]],
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


def space_histories(
    reader: Reader, project: str, *, space_id: str, space: str
) -> Optional[dict[str, tuple[VersionRef, ...]]]:
    """Return every version name of the space by file name, or None where this BCS has no such list."""
    try:
        rows = reader.read(protocol.list_space_versions(project, space_id))
    except (NoSuchPath, AppNotGranted):
        return None
    return dict(_history(row, space) for row in rows)


def _history(row: FileVersions, space: str) -> tuple[str, tuple[VersionRef, ...]]:
    name = (
        row.template_name[len(space) + 1 :]
        if row.template_name.startswith(space + "/")
        else row.template_name
    )
    refs = [VersionRef(id=v.version_id, name=v.version, created_at=v.create_at) for v in row.version_list]
    return name, tuple(sorted(refs, key=lambda ref: (ref.created_at, ref.id), reverse=True))


def _read_wanted_chart(reader: Reader, wanted: Wanted) -> tuple[Optional[ChartVersion], bool]:
    return read_chart(reader, wanted.project, template_set=wanted.template_set, version=wanted.version)


def read_chart(
    reader: Reader, project: str, *, template_set: str, version: str
) -> tuple[Optional[ChartVersion], bool]:
    """Return the template set of that name and version, and whether this could be asked at all.

    helm-manager answers an unknown chart with an error of its own, like any other failure; both mean
    "not known to exist".
    """
    try:
        return reader.read(protocol.get_chart_version(project, name=template_set, version=version)), True
    except BcsFailed:
        return None, True
    except (NoSuchPath, AppNotGranted, NoPermission):
        return None, False


def _read_live(reader: Reader, place: Optional[Place]) -> Existing:
    """Return what is live as far as it may be looked at: a plan needs no more than the project."""
    if place is None:
        return Existing()
    try:
        return Existing(live=reader.read(list_live_ingresses(place)))
    except (NoPermission, NoSuchPath, AppNotGranted, BcsFailed):
        return Existing(live_readable=False)


def _read_contents(
    reader: Reader, wanted: Wanted, listing: _Listing, *, place: Optional[Place], concurrency: int
) -> Existing:
    ours = {file.name: file for file in wanted.files}
    mine = list(oldest_of_each_name(row for row in listing.files if row.real_name in ours).values())
    others = [row for row in listing.files if row.real_name not in ours]
    must_see = [row for row in others if _may_route(row)] if _routes_anything(wanted.files) else []
    tasks: list[Callable[[], Union[ExistingFile, OtherFile, Existing]]] = [
        partial(_read_live, reader, place),
        *[partial(_read_file, reader, wanted, row, listing, ours[row.real_name]) for row in mine],
        *[partial(_read_other, reader, wanted.project, row) for row in must_see],
    ]
    values = values_of(overlap(tasks, concurrency=concurrency))
    files = [value for value in values if isinstance(value, ExistingFile)]
    later = _read_later(reader, wanted, files, ours, concurrency=concurrency)
    files = [later.get(f.metadata.id, f) for f in files]
    files = [_with_unmerged(reader, wanted, f, concurrency=concurrency) for f in files]
    live = next(value for value in values if isinstance(value, Existing))
    return replace(
        live,
        files={f.metadata.real_name: f for f in files},
        others=tuple(value for value in values if isinstance(value, OtherFile)),
        histories=listing.histories or {},
        chart=listing.chart,
        chart_readable=listing.chart_readable,
    )


def _with_unmerged(reader: Reader, wanted: Wanted, file: ExistingFile, *, concurrency: int) -> ExistingFile:
    if file.metadata.real_name not in wanted.shared:
        return file
    return replace(file, unmerged=read_unmerged(reader, wanted.project, file, concurrency=concurrency))


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


def _read_file(
    reader: Reader, wanted: Wanted, row: TemplateFile, listing: _Listing, ours: ManifestFile
) -> ExistingFile:
    current = reader.read(protocol.get_version(wanted.project, row.version_id)) if row.version_id else None
    history = listing.histories.get(row.real_name, ()) if listing.histories is not None else None
    found = ExistingFile(metadata=row, current=current, history=history)
    if current is not None and current.content == ours.text:
        return found
    return replace(found, same_name=_read_same_name(reader, wanted, found))


def _read_same_name(reader: Reader, wanted: Wanted, found: ExistingFile) -> Optional[TemplateVersion]:
    """Return the version that has the run's version name already, where it is not the current one."""
    if found.current is not None and found.current.version == wanted.version:
        return None
    if found.history is not None:
        refs = [ref for ref in found.history if ref.name == wanted.version]
        return reader.read(protocol.get_version(wanted.project, refs[0].id)) if refs else None
    call = protocol.find_version(
        wanted.project, space=wanted.space, name=found.metadata.real_name, version=wanted.version
    )
    return reader.read(call)


def _read_other(reader: Reader, project: str, row: TemplateFile) -> OtherFile:
    version = reader.read(protocol.get_version(project, row.version_id))
    documents = parse_foreign(version.content)
    if documents is None:
        return OtherFile(name=row.real_name, readable=False)
    return OtherFile(
        name=row.real_name,
        routes=routes_of(documents),
        node_ports=node_ports_of(documents),
        claims=claims_of(documents),
        origin=read_provenance(version.description),
    )


def _may_route(row: TemplateFile) -> bool:
    """Tell whether a file may hold an Ingress or a Service.

    BCS keeps the kinds of a file's newest content in `resourceType`, but only while versionMode is 0 (its
    CreateTemplateVersion, 2026-07): a pinned file's kinds may be stale.
    """
    if not row.version_id:
        return False
    return row.version_mode != 0 or not row.resource_type or bool(ROUTING_KINDS & set(row.resource_type))


def _routes_anything(files: Iterable[ManifestFile]) -> bool:
    kinds: set[str] = {document.kind for file in files for document in file.documents}
    return bool(ROUTING_KINDS & kinds)


# --- what was written since the build started -----------------------------------------------------------


def _differs(found: ExistingFile, ours: dict[str, ManifestFile]) -> bool:
    return found.current is not None and found.current.content != ours[found.metadata.real_name].text


def _read_later(
    reader: Reader,
    wanted: Wanted,
    files: Sequence[ExistingFile],
    ours: dict[str, ManifestFile],
    *,
    concurrency: int,
) -> dict[str, ExistingFile]:
    """Return the files with the versions that a newer build may have written under the current one.

    A newer build started after this one, so what it published is younger than this build's start, give or
    take the clocks' skew. Of a file that has our content already, only what a race has hidden matters. At
    most 20 a file are read, newest first.
    """
    wanted_refs = [
        (f, ref) for f in files for ref in (_refs_since(f, wanted) if _differs(f, ours) else suspects_of(f))
    ]
    versions = read_versions(
        reader, wanted.project, [ref.id for _, ref in wanted_refs], concurrency=concurrency
    )
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
