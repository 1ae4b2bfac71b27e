"""Go back to what was deployed before, per file: by deploying it again, never by deleting."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.marks import told_mark
from bcs_template_set.bcs.space.provenance import read_provenance, told
from bcs_template_set.bcs.space.versions import list_past_files
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.rollout.before_deploying import ask_variables
from bcs_template_set.rollout.live_diff import Object
from bcs_template_set.rollout.live_look import look
from bcs_template_set.rollout.live_state import FileVersion, LiveState, objects_in
from bcs_template_set.rollout.result import Restoration
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.rollout.watched import status_of


def versions_before(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str
) -> Mapping[str, str]:
    """Return the version name that each file had in this namespace before we deployed.

    The marks of the live objects, as they were read before, say it of this namespace; a file that was live
    without any falls back on BCS's `latestDeployVersion`, which does not say where it was deployed.
    """
    live = {state.file for state in states if state.live is not None}
    before = {f.name: f.before for f in files if f.name in live or f.before == f.version}
    for state in states:
        if state.mark.file == f"{space}/{state.file}":
            before[state.file] = state.mark.version or before.get(state.file, "")
    return before


def readiness_of(states: Sequence[LiveState]) -> Mapping[str, Optional[bool]]:
    """Return whether all live workloads of each file were ready when they were read whole.

    So that whoever goes back knows what to: the version before may have been broken itself. It is None where
    nobody knows. Files without any workload are left out.
    """
    found: dict[str, list[Optional[bool]]] = {}
    for state in states:
        kind = state.watched_kind
        if state.live is not None and kind is not None:
            found.setdefault(state.file, []).append(_is_ready(kind, state.whole))
    # One that is not ready decides, whatever is known of the others.
    return {
        name: False if False in ready else None if None in ready else True for name, ready in found.items()
    }


def _is_ready(kind: Kind, whole: Object) -> Optional[bool]:
    found = status_of(kind, whole).state if whole else "nothing"
    return None if found in ("nothing", "paused") else found == "ready"


def touched(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str
) -> tuple[FileVersion, ...]:
    """Return the files of which at least one live object is ours now: only those are there to restore."""
    ours = {state.file for state in states for file in files if _is_ours(state, file, space=space)}
    return tuple(file for file in files if file.name in ours)


def absent(
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    before: Mapping[str, str],
    known: Sequence[LiveState],
) -> tuple[str, ...]:
    """Return the files that had a version before, and of which nothing is live now.

    `known` are the objects as they were before, of the files that somebody here has seen: of them none may
    have been live although BCS remembers a version.
    """
    now, was = ({state.file for state in some if state.live is not None} for some in (states, known))
    never = {state.file for state in known} - was
    return tuple(f.name for f in files if before.get(f.name) and f.name not in now | never)


def versions_live(files: Collection[str], states: Sequence[LiveState]) -> tuple[tuple[str, str], ...]:
    """Return what the live objects of each file are marked with, "-" for those without a mark; sorted.

    Of a file of which nothing is live that is "".
    """
    found: dict[str, set[str]] = {}
    for state in states:
        if state.file in files:
            marks = {state.mark.version or "-"} if state.live is not None else set()
            found.setdefault(state.file, set()).update(marks)
    return tuple((name, ", ".join(sorted(versions))) for name, versions in sorted(found.items()))


def added(
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    space: str,
    known: Sequence[LiveState],
) -> tuple[str, ...]:
    """Name the objects that are live as these files' versions made them, and were not live before.

    `known` are the objects as they were before, as far as somebody here has seen them.
    """
    before = {state.title for state in known if state.live is not None}
    ours = [s.title for s in states if any(_is_ours(s, file, space=space) for file in files)]
    return tuple(title for title in ours if title not in before)


def overtaken(
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    space: str,
    before: Mapping[str, str],
    known: Sequence[LiveState],
) -> dict[str, Text]:
    """Return, and tell, the files of which an object has a mark that is neither ours nor one from before."""
    earlier = {state.title: state.mark for state in known}
    return {
        file.name: say("deploy.overtaken", name=file.name, mark=told_mark(state.live or {}))
        for state in states
        for file in files
        if state.file == file.name
        and state.mark.version
        and not (
            state.mark.file == f"{space}/{file.name}"
            and state.mark.version in (file.version, before.get(file.name))
        )
        and state.mark != earlier.get(state.title)
    }


def met(seen: Sequence[LiveState], now: Sequence[LiveState]) -> dict[str, Text]:
    """Return, and tell, the files of which an object has got another mark since it was seen."""
    marks = {state.title: state.mark for state in seen}
    return {
        state.file: say("deploy.overtaken", name=state.file, mark=told_mark(state.live))
        for state in now
        if state.live is not None and state.mark != marks.get(state.title, state.mark)
    }


def _is_ours(state: LiveState, file: FileVersion, *, space: str) -> bool:
    return state.file == file.name and state.is_at(space=space, version=file.version)


def way_back(
    reader: Reader,
    *,
    project: str,
    space: str,
    files: Sequence[FileVersion],
    before: Mapping[str, str],
    left: Mapping[str, Detail],
    missing: Sequence[str],
) -> tuple[tuple[FileVersion, ...], Restoration]:
    """Return what has to be deployed to restore these files, and a restoration in which none of it is back.

    `left` are files that others have deployed, and says of each how it is told. `missing` are files of which
    nothing is live.
    """
    back: list[FileVersion] = []
    first_time: list[str] = []
    same: list[str] = []
    gone: list[str] = []
    for file in files:
        earlier = before.get(file.name, "")
        if file.name in left:
            continue
        if not earlier:
            first_time.append(file.name)
        elif earlier == file.version:
            (gone if file.rewritten else same).append(file.name)
        else:
            found = find_version(reader, project, space, file.name, earlier)
            if found is None:
                gone.append(file.name)
            else:
                objects = objects_in(parse_foreign(found.content))
                back.append(
                    replace(file, version_id=found.id, version=earlier, rewritten=False, objects=objects)
                )
    return tuple(back), Restoration(
        left=tuple(first_time),
        same=tuple(same),
        gone=tuple(gone),
        absent=tuple(missing),
        overtaken=tuple(left.values()),
        not_back=tuple(file.name for file in back),
    )


def gone_marks(
    reader: Reader,
    files: Sequence[FileVersion],
    states: Sequence[LiveState],
    *,
    project: str,
    space: str,
    known: Mapping[str, Collection[str]],
) -> Iterator[Text]:
    """Say which versions that live objects are marked with are no longer in BCS: nothing goes back to them.

    `known` are the names of versions that each file is known to have.
    """
    marked: dict[tuple[str, str], list[str]] = {}
    own = {file.name: {file.version, *known.get(file.name, ())} for file in files}
    for state in states:
        version = state.mark.version
        is_ours = state.mark.file == f"{space}/{state.file}"
        if version and is_ours and version not in own.get(state.file, ()):
            marked.setdefault((state.file, version), []).append(state.title)
    for (name, version), titles in marked.items():
        try:
            is_gone = find_version(reader, project, space, name, version) is None
        except StepError:  # what nobody could look at is not said to be gone
            continue
        if is_gone:
            yield say("deploy.mark_gone", objects=titles, name=name, version=version)


def find_version(
    reader: Reader, project: str, space: str, name: str, version: str
) -> Optional[TemplateVersion]:
    """Return a file's version by its name, None where BCS has none of that name."""
    return reader.read(protocol.find_version(project, space=space, name=name, version=version))


# --- what a build has deployed ------------------------------------------------------------------------


def deployed_by_build(reader: Reader, deploying: Deploying, *, pipeline: str, build: int) -> tuple[str, ...]:
    """Return the files of which a version that this build published is live in the namespace; sorted.

    For whoever has lost, or was robbed of, the build's own word for it: by the cluster's marks and BCS's
    descriptions. It errs on the side of "live": what can't be looked at counts as deployed.

    Raises:
        StepError: whatever the gateway or BCS answered.
    """
    files = _published(reader, deploying, pipeline=pipeline, build=build)
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


def _published(reader: Reader, deploying: Deploying, *, pipeline: str, build: int) -> list[FileVersion]:
    """Return the versions of this build among those that files have now, and that BCS deployed last.

    Those that hold no object were not deployed.
    """
    project, space = deploying.place.project, deploying.space
    rows = list_past_files(reader, project, space=space).values()
    reads = [partial(_versions_of, reader, project, space, row) for row in rows]
    pairs = zip(rows, together(reader, reads))
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
    return origin is not None and (origin.pipeline, origin.build) == (told(pipeline), build)
