"""Read what a template space holds of a run's files: only what the plan must see, overlapping where it may.

The chain of round trips is three long: project and space; the space's files; the contents of their current
versions. What lies under these is asked for only where it can matter (under_current.py), so that what a run
reads does not grow with history. Only reads leave this module: it is given the gateway as a `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Optional, Union, cast

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import ChartVersion, Project, TemplateFile, TemplateSpace
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import space_name_problem
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.bcs.space.existing import (
    Existing,
    ExistingFile,
    OtherFile,
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
    find_space,
    list_files,
    oldest_of_each_name,
)
from bcs_template_set.bcs.space.under_current import UnderCurrent
from bcs_template_set.bcs.space.wanted import Wanted
from bcs_template_set.bcs.told_by_bcs import HELM_NOT_ESTABLISHED
from bcs_template_set.messages.errors import (
    AppNotGranted,
    InputsInvalid,
    NobodyArrived,
    NoPermission,
    ProjectNotVisible,
)
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.parallel import Done, Raised, overlap


def read_existing(reader: Reader, wanted: Wanted) -> Existing:
    """Return what BCS holds of the run's files, and the routes of the space's other files.

    Raises:
        InputsInvalid: the space is not there, and BCS makes none of that name.
        StepError: whatever the gateway or BCS answered.
    """
    project_id, space = _find_place(reader, wanted)
    place = _namespace_of(wanted, project_id)
    if space is None:
        _check_creatable(reader, wanted)
        return replace(_read_live(reader, place), project_id=project_id)
    listing = _read_listing(reader, wanted, space)
    existing = _read_contents(reader, wanted, listing, place=place)
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


def _find_place(reader: Reader, wanted: Wanted) -> tuple[str, Optional[TemplateSpace]]:
    """Return the project's id and the space, as they were where the run has planned before."""
    if wanted.again is not None and wanted.again.before.space is not None:
        return wanted.again.before.project_id, wanted.again.before.space
    project, space = _read_project_and_space(reader, wanted)
    return project.project_id if project is not None else "", space


def _read_project_and_space(
    reader: Reader, wanted: Wanted
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
    of_project, of_space = overlap(tasks, concurrency=reader.most_at_once)
    if isinstance(of_space, Raised):
        raise _explained(of_space.error, of_project)
    if isinstance(of_project, Raised) and not isinstance(
        of_project.error, (NoPermission, ProjectNotVisible, ApiMissing, AppNotGranted, BcsFailed)
    ):
        raise of_project.error
    project = of_project.value if isinstance(of_project, Done) else None
    return cast("Optional[Project]", project), cast("Optional[TemplateSpace]", of_space.value)


def _explained(error: BaseException, of_project: object) -> BaseException:
    rival = of_project.error if isinstance(of_project, Raised) else None
    if not isinstance(error, StepError) or not isinstance(rival, StepError):
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


def _read_listing(reader: Reader, wanted: Wanted, space: TemplateSpace) -> _Listing:
    tasks: list[Callable[[], _Listing]] = [
        lambda: _Listing(space, list_files(reader, wanted.project, space.id)),
        *([lambda: _Listing(space, (), *_read_wanted_chart(reader, wanted))] if wanted.template_set else []),
    ]
    listing, *charts = together(reader, tasks)
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
    reader: Reader, wanted: Wanted, listing: _Listing, *, place: Optional[NamespaceRef]
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
        *[partial(_read_other, reader, wanted, row) for row in must_see],
        *[partial(read_if_it_can_be, reader, wanted.project, row) for row in good_to_see],
    ]
    live, *values = together(reader, tasks)
    known = dict(wanted.again.versions) if wanted.again is not None else {}
    under = UnderCurrent(reader, wanted, listing.space, ours, known)
    files = under.with_the_past([value for value in values if isinstance(value, ExistingFile)])
    return replace(
        cast("Existing", live),
        files={f.metadata.real_name: f for f in files},
        others=tuple(value for value in values if isinstance(value, OtherFile)),
        rows=oldest_of_each_name(listing.files),
        chart=listing.chart,
        chart_readable=listing.chart_readable,
    )


def _read_current(reader: Reader, wanted: Wanted, row: TemplateFile) -> ExistingFile:
    current = wanted.again.versions.get(row.version_id) if wanted.again is not None else None
    if current is None and row.version_id:
        current = reader.read(protocol.get_version(wanted.project, row.version_id))
    return ExistingFile(metadata=row, current=current)


def _read_other(reader: Reader, wanted: Wanted, row: TemplateFile) -> OtherFile:
    known = wanted.again.others if wanted.again is not None else {}
    return known.get((row.real_name, row.version_id)) or read_other(reader, wanted.project, row)
