"""What is live of a folder's files in a namespace, by what its objects carry and hold. Pure: no I/O.

A file is live where an object is marked with it; of which version, each object says itself, and a record of
BCS's (`latestDeployVersion`, one a file, whatever the namespace) says nothing of it. What could not be read
is not known, with the reason, and never "not here" or "same".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Literal, Optional

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.marks import UPDATOR
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.manifests.scope import web_host
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.drift import NO_SIGNS, Drift, Signs, drift_of
from bcs_template_set.rollout.live_diff import Object, with_hidden
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.revisions import Revision, Revisions, current_of, left_behind_of

Standing = Literal["live", "not-here", "not-known"]
Readiness = Literal["ready", "not-ready", "not-known"]
DriftWord = Literal["same", "changed", "not-known"]

_OF_PODS = "spec.template"


@dataclass(frozen=True)
class WorkloadHere:
    """Whether a live workload is ready: so many of its pods, and why it is not, or nobody knows."""

    title: str
    state: Readiness
    done: int = 0
    wanted: int = 0
    why: Optional[Text] = None


@dataclass(frozen=True)
class Undone:
    """A Deployment whose pods somebody took back from `left` to `pods`; with `rest`, not the rest of it."""

    title: str
    pods: str
    left: str
    rest: bool


@dataclass(frozen=True)
class FileHere:
    """A file of the folder, and what is live of it.

    `versions` are those that its objects carry, each with the objects. `others` are objects of it that carry
    no mark of it, and `missing` those that its live version holds and that are not there; `more` carry its
    mark, and are in no version of it that is live. `why` says what is not known of it. `since` is when the
    pods of its Deployment are of this kind.
    """

    file: TemplateFile
    standing: Standing
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    others: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    drift: tuple[tuple[str, Drift], ...] = ()
    why: tuple[Text, ...] = ()
    undone: tuple[Undone, ...] = ()
    workloads: tuple[WorkloadHere, ...] = ()
    since: str = ""
    deployed_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return its name in the folder."""
        return self.file.real_name

    @property
    def is_published(self) -> bool:
        """Tell whether what is live of it is its current version, and nothing else."""
        return [version for version, _ in self.versions] == [self.file.version] and not self.others

    @property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """Return the fields that are not what the version says, with their objects; "" for a whole one."""
        fields = [(title, path) for title, drift in self.drift for path in drift.changed]
        return (*fields, *((title, "") for title in self.missing))


@dataclass(frozen=True)
class DomainHere:
    """A domain of `builtin:web` with its files, or another file alone."""

    name: str
    files: tuple[FileHere, ...]

    @property
    def standing(self) -> Standing:
        """Return whether it is live: where anything of it is, it is."""
        found = {file.standing for file in self.files}
        return next(word for word in ("live", "not-known", "not-here") if word in found)

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the versions that its objects carry, each once."""
        return tuple(dict.fromkeys(version for file in self.files for version, _ in file.versions))

    @property
    def drift(self) -> DriftWord:
        """Return whether its objects are what their versions say; of what is not live nothing is."""
        live = [file for file in self.files if file.standing == "live"]
        if any(file.changed for file in live):
            return "changed"
        is_open = any(drift.open for file in live for _, drift in file.drift)
        return "not-known" if is_open or not live or any(file.why for file in self.files) else "same"

    @property
    def workloads(self) -> tuple[WorkloadHere, ...]:
        """Return its live workloads."""
        return tuple(workload for file in self.files for workload in file.workloads)


@dataclass(frozen=True)
class Seen:
    """All that was read of a namespace for its status.

    `looks` are by file and version its objects, as they would be and as they are live; `failed` is why there
    are none. `refs` are the versions of files that are known by id. `scaled` are the workloads, kind and
    name, whose pods an autoscaler counts; `hidden` is why an object, `Kind/name`, was not seen whole.
    """

    space: str
    objects: LiveObjects
    revisions: Revisions = field(default_factory=dict)
    looks: Mapping[str, Mapping[str, tuple[LiveState, ...]]] = field(default_factory=dict)
    failed: Mapping[tuple[str, str], Text] = field(default_factory=dict)
    hidden: Mapping[str, Text] = field(default_factory=dict)
    refs: Mapping[tuple[str, str], VersionRef] = field(default_factory=dict)
    signs: Signs = NO_SIGNS
    scaled: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def rows(self) -> Mapping[str, LiveRow]:
        """Return the objects of the lists by `Kind/name`."""
        return {row.title: row for row in self.objects.rows}

    def made_at(self, name: str, version: str) -> int:
        """Return when a version of a file was published, in seconds since the epoch, 0 where nobody knows."""
        ref = self.refs.get((name, version))
        return ref.created_at if ref is not None else 0

    def revision_of(self, title: str) -> Optional[Revision]:
        """Return the revision that a Deployment is at, None for another object, or where nobody knows."""
        row = self.rows.get(title)
        if row is None or row.kind is not DEPLOYMENT:
            return None
        return current_of(self.revisions.get(row.uid, ()), row.item)

    def states(self) -> Iterator[LiveState]:
        """Yield the objects of all versions that were looked at."""
        return (state for found in self.looks.values() for states in found.values() for state in states)

    def look(self, name: str, version: str) -> tuple[LiveState, ...]:
        """Return the objects of a file at a version, none where nobody looked."""
        return self.looks.get(name, {}).get(version, ())


def domains_here(
    files: Iterable[TemplateFile], seen: Seen, *, ready: Mapping[str, WorkloadHere]
) -> tuple[DomainHere, ...]:
    """Return the domains of these files as they are in the namespace, sorted by name.

    `ready` says of live workloads, by `Kind/name`, whether they are ready.
    """
    rows = seen.objects.by_file(seen.space)
    found: dict[str, list[FileHere]] = {}
    for file in sorted(files, key=lambda file: file.real_name):
        here = _file_here(file, rows.get(file.real_name, ()), seen, ready=ready)
        found.setdefault(web_host(here.name) or here.name, []).append(here)
    return tuple(DomainHere(name, tuple(members)) for name, members in sorted(found.items()))


def _file_here(
    file: TemplateFile, rows: Sequence[LiveRow], seen: Seen, *, ready: Mapping[str, WorkloadHere]
) -> FileHere:
    name = file.real_name
    carried: dict[str, list[str]] = {}
    for row in rows:
        carried.setdefault(row.mark.version, []).append(row.title)
    looked = seen.looks.get(name, {})
    listed = dict.fromkeys(row.title for row in rows)
    for version, states in looked.items():
        for state in states:
            if state.title not in listed and state.is_at(space=seen.space, version=version):
                carried.setdefault(version, []).append(state.title)
    newest = max(carried, key=lambda version: seen.made_at(name, version), default=file.version)
    there = [state for state in looked.get(newest, ()) if state.live is not None]
    others = [state for state in there if state.mark.file != f"{seen.space}/{name}"]
    unread = not_known_of(seen, name, newest, looked.get(newest, ()))
    if not carried and not others:
        return FileHere(file, "not-known" if unread else "not-here", why=tuple(unread.values()))
    absent = [state.title for state in looked.get(newest, ()) if state.live is None]
    drift = {
        state.title: _drift(state, seen)
        for version, states in looked.items()
        for state in states
        if state.live is not None
        and state.title not in seen.hidden
        and (state.is_at(space=seen.space, version=version) or (version == newest and state in others))
    }
    return FileHere(
        file,
        "live",
        versions=tuple((version, tuple(titles)) for version, titles in sorted(carried.items())),
        others=tuple(state.title for state in others),
        missing=tuple(title for title in absent if title not in unread),
        more=tuple(_more(carried, looked)),
        drift=tuple(drift.items()),
        why=(*unread.values(), *_unread_versions(seen, name, [v for v in carried if v != newest])),
        undone=tuple(_undone(file, rows, seen)),
        workloads=tuple(ready[title] for title in dict.fromkeys((*listed, *drift)) if title in ready),
        since=_since(rows, seen),
        deployed_by=_deployed_by(rows, [state for states in looked.values() for state in states]),
    )


def _deployed_by(rows: Iterable[LiveRow], states: Iterable[LiveState]) -> tuple[str, ...]:
    """Return who deployed its objects last; of kinds that are not listed, a dry run shows them."""
    listed = {row.deployed_by for row in rows}
    shown = {annotation_of(state.live or {}, UPDATOR) for state in states}
    return tuple(sorted((listed or shown) - {""}))


def not_known_of(seen: Seen, name: str, version: str, states: Sequence[LiveState]) -> dict[str, Text]:
    """Return what is not known of a file, by the object that it is about, "" for all of them."""
    problem = seen.failed.get((name, version))
    if problem is not None:
        return {"": say("status.no_look", version=version or "?", problem=problem)}
    found: dict[str, Text] = {}
    for state in states:
        kind = state.known_kind
        refused = seen.objects.unread.get(kind) if kind is not None else None
        if state.title in seen.hidden:
            found[state.title] = say("status.no_list", object=state.title, problem=seen.hidden[state.title])
        elif seen.signs.named_in(state.name):
            found[state.title] = say("status.open_name", object=seen.signs.filled(state.title))
        elif state.live is None and refused is not None:
            found[state.title] = say("status.no_list", object=state.title, problem=refused.title())
        elif state.live is None and state.title in seen.rows:
            found[state.title] = say("status.not_shown", object=state.title)
    return found


def _unread_versions(seen: Seen, name: str, versions: Iterable[str]) -> list[Text]:
    return [
        say("status.no_look", version=version or "?", problem=seen.failed[name, version])
        for version in versions
        if (name, version) in seen.failed
    ]


def _more(carried: Mapping[str, Sequence[str]], looked: Mapping[str, tuple[LiveState, ...]]) -> Iterable[str]:
    """Yield the objects that carry a version's mark and are not in that version."""
    for version, titles in carried.items():
        held = {state.title for state in looked.get(version, ())}
        if version in looked:
            yield from (title for title in titles if title not in held)


# --- one object -----------------------------------------------------------------------------------------


def _drift(state: LiveState, seen: Seen) -> Drift:
    is_scaled = (state.kind, state.name) in seen.scaled
    return drift_of(state.desired, live_of(state, seen), signs=seen.signs, is_scaled=is_scaled)


def live_of(state: LiveState, seen: Seen) -> Object:
    """Return a live object with what a preview cuts from a Deployment, as its ReplicaSet has it."""
    live, revision = state.live or {}, seen.revision_of(state.title)
    if revision is None:
        return live
    return with_hidden(live, {"spec": {"template": dict(revision.template)}})


def _since(rows: Sequence[LiveRow], seen: Seen) -> str:
    """Return since when the pods of its Deployments are as they are, by the newest revision."""
    found = (seen.revision_of(row.title) for row in rows)
    return max((revision.created_at for revision in found if revision is not None), default="")


def versions_left(file: TemplateFile, rows: Iterable[LiveRow], seen: Seen) -> Iterable[str]:
    """Yield the versions of a file that its Deployments seem to have been taken back from."""
    return (left for _, left in _went_back(file, rows, seen))


def _went_back(file: TemplateFile, rows: Iterable[LiveRow], seen: Seen) -> Iterable[tuple[LiveRow, str]]:
    """Yield the Deployments of a file that are at a revision from before another one, with its version.

    The current version of the file is live again where its pods are those of an earlier one, too.
    """
    for row in rows:
        left = left_behind_of(seen.revisions.get(row.uid, ()), row.item)
        if left is None or left.mark.file != row.mark.file:
            continue
        if row.mark.version not in (file.version, left.mark.version):
            yield row, left.mark.version


def _undone(file: TemplateFile, rows: Iterable[LiveRow], seen: Seen) -> Iterable[Undone]:
    """Yield how somebody went back: mark and content decide, since an undo brings back the pods alone."""
    name = file.real_name
    for row, left in _went_back(file, rows, seen):
        is_newer = seen.made_at(name, left) > seen.made_at(name, row.mark.version)
        if left == file.version or is_newer:
            now = _paths(name, row.mark.version, row.title, seen)
            then = _paths(name, left, row.title, seen)
            yield Undone(row.title, row.mark.version, left, rest=is_rest_of(now, then))


def is_rest_of(now: Collection[str], left: Collection[str]) -> bool:
    """Tell whether a Deployment has the pods of a version, and the rest of the one that was left.

    Given are the fields in which it is not what either says.
    """
    return bool(now and left) and not any(map(_is_of_pods, now)) and all(map(_is_of_pods, left))


def _paths(name: str, version: str, title: str, seen: Seen) -> tuple[str, ...]:
    states = seen.look(name, version)
    found = [_drift(state, seen) for state in states if state.title == title and state.live is not None]
    return found[0].changed if found else ()


def _is_of_pods(path: str) -> bool:
    return path == _OF_PODS or path.startswith(f"{_OF_PODS}.")
