"""What a run goes back to: which files, what of them is live, which state is meant. Only reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.live_objects import read_live_objects
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance, told
from bcs_template_set.config.inputs import Settings
from bcs_template_set.manifests.kinds import REPLICA_SET
from bcs_template_set.manifests.scope import Scope, web_host
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid, NoPermission
from bcs_template_set.messages.past_errors import NoSuchState, NothingNamed, VersionGone
from bcs_template_set.messages.spelling import nearest
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.publish.past_states import (
    History,
    PastState,
    Pods,
    alike_in,
    builds_of,
    never_live,
    state_at_build,
    state_at_version,
    state_before,
    with_gaps,
)
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.live_look import is_there_after_all, look
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.revisions import never_was, revisions_of
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.parallel import overlap, values_of

PREVIOUS = "previous"
_BUILD = re.compile(r"build\s+#?([0-9]{1,12})")

LiveVersions = Mapping[str, tuple[TemplateVersion, ...]]
"""The versions that the objects of each file are marked with, newest first; of one that is gone, nothing."""


@dataclass(frozen=True)
class Past:
    """The files of the scope, what this pipeline and branch published of them, and what is live."""

    files: Mapping[str, PastFile]
    line: Provenance
    history: History
    live: LiveVersions


def rows_in_scope(
    settings: Settings, rows: Mapping[str, TemplateFile], *, prepared: Prepared
) -> dict[str, Optional[TemplateFile]]:
    """Return the files that the run is about, with their rows, None for those that the folder does not have.

    Raises:
        NothingNamed: a host nobody has, or a file, each with the nearest.
    """
    if not settings.only:
        return {name: rows.get(name) for name in prepared.scope.files}
    scope = Scope(settings.only, {name: web_host(name) for name in rows})
    mistakes = scope.mistakes()
    if mistakes:
        raise NothingNamed(details=mistakes)
    return {name: row for name, row in rows.items() if scope.has(name)}


def line_of(ours: Provenance, files: Mapping[str, PastFile]) -> Provenance:
    """Return whose versions count: this pipeline's and branch's; at a desk, of the only pipeline there is.

    Raises:
        InputsInvalid: there are several, or none.
    """
    if ours.pipeline:
        return ours
    origins = [read_provenance(v.description) for file in files.values() for v in file.versions]
    of_branch = [
        origin for origin in origins if origin is not None and told(origin.branch) == told(ours.branch)
    ]
    pipelines = sorted({origin.pipeline for origin in of_branch if origin.pipeline})
    if len(pipelines) == 1:
        return replace(ours, pipeline=pipelines[0])
    problem = say("rollback.pipelines", pipelines=pipelines)
    raise InputsInvalid(details=[problem if pipelines else say("rollback.no_pipeline", branch=ours.branch)])


def read_live(
    reader: Reader, deploying: Deploying, files: Mapping[str, PastFile], *, target: str
) -> LiveVersions:
    """Return which versions the files are live at, going by the marks of objects.

    Lists show those of most kinds, also of objects that a file no longer holds. A dry run shows every kind,
    and no more of a call than up to the first object that fails (facts/bcs.md, trap 8): files that it does
    not show are asked for one by one. To who may see nothing that is live all looks new: then the current
    versions stand for it, so that no route is lost unseen.

    Raises:
        NoSuchState: nobody may see what is live, and so what was before it: `previous` might come forward.
        StepError: whatever the gateway or BCS answered.
    """
    current = [
        FileVersion(name, file.row.version_id, file.row.version)
        for name, file in files.items()
        if file.row.version_id
    ]
    states, error = look(reader, deploying, current) if current else ((), "")
    seen = {state.file for state in states}
    if error:
        unseen = [partial(look, reader, deploying, [file]) for file in current if file.name not in seen]
        again = values_of(overlap(unseen, concurrency=deploying.at_once))
        states = (*states, *(state for found, _ in again for state in found))
    if _is_hidden(reader, deploying.place, states):
        if target == PREVIOUS:
            problem = say("rollback.unseen", namespace=deploying.place.namespace)
            raise NoSuchState(target=target, problem=problem)
        return {name: tuple(v for v in (file.named(file.row.version),) if v) for name, file in files.items()}
    listed = read_live_objects(reader, deploying.place, concurrency=deploying.at_once).rows
    marks = {row.mark for row in listed} | {state.mark for state in states if state.live is not None}
    return {name: _marked(name, file, marks, space=deploying.space) for name, file in files.items()}


def _is_hidden(reader: Reader, place: NamespaceRef, states: Sequence[LiveState]) -> bool:
    """Tell whether this user may not see what is live, so that nothing is known to be missing."""
    try:
        return is_there_after_all(reader, place, states)
    except NoPermission:
        return True


def _marked(name: str, file: PastFile, marks: Iterable[Mark], *, space: str) -> tuple[TemplateVersion, ...]:
    names = {mark.version for mark in marks if mark.file_in(space) == name}
    found = [version for version in map(file.named, sorted(names)) if version is not None]
    return tuple(sorted(found, key=lambda version: (version.create_at, version.id), reverse=True))


def choose_state(past: Past, reader: Reader, place: NamespaceRef, *, target: str, space: str) -> PastState:
    """Return the state that `target` names: `previous`, `build N`, or a version's name.

    Raises:
        VersionGone: none of the files has this version, of this pipeline and branch.
        NoSuchState: nothing existed then, there is no such build, or what a file was then is deleted.
    """
    names = first_names(sorted(past.history))
    build = _BUILD.fullmatch(target)
    if target == PREVIOUS:
        state, problem = _previous(past, reader, place, space=space), "nothing_before"
    elif build is not None:
        newest, ours = next(iter(builds_of(past.history)), 0), past.line.build
        if int(build[1]) > max(newest, ours):
            problem_text = say("rollback.never_built", newest=newest, ours=ours)
            raise NoSuchState(target=target, problem=problem_text)
        state, problem = state_at_build(past.history, int(build[1])), "nothing_then"
    else:
        state = state_at_version(past.history, target)
        if state is None:
            known = {ref.name for refs in past.history.values() for ref in refs}
            near = nearest(target, sorted(known))
            details = [say("rollback.near", near=near)] if near else []
            raise VersionGone(version=target, files=names, details=details)
    if state is None:
        problem_text = say(f"rollback.{problem}", names=names, namespace=place.namespace)
        raise NoSuchState(target=target, problem=problem_text)
    ids = {name: {version.id for version in file.versions} for name, file in past.files.items()}
    state = with_gaps(state, past.history, ids)
    deleted = sorted({*state.absent} & {*state.unsure})
    if deleted:
        raise NoSuchState(target=target, problem=say("rollback.deleted", names=first_names(deleted)))
    return state


def _previous(past: Past, reader: Reader, place: NamespaceRef, *, space: str) -> Optional[PastState]:
    replica_sets = read_live_objects(reader, place, kinds=(REPLICA_SET,), concurrency=1).rows
    revisions = revisions_of(replica_sets, by="name")

    def is_unseen(pods: Pods) -> bool:
        return never_was(pods.marks, revisions.get(pods.deployment, ()), limit=pods.limit)

    return state_before(
        past.history,
        live={name: {version.id for version in versions} for name, versions in past.live.items()},
        alike=alike_in(past.files),
        never_live=never_live(past.history, past.files, space=space, never_was=is_unseen),
    )
