"""What a pipeline and branch left after each of its builds: the state that one goes back to. Pure.

A version of a file is no state of a domain: content that does not change gets no new version, so a build's
number exists in some of its files only. A state is of every file the newest version that is not newer than
the build or version named. Builds are ordered by number, and the versions of one by the time they were made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Callable, NamedTuple, Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import FROM_NOTHING, PastFile, VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.fields import canonical, mapping_at
from bcs_template_set.manifests.kinds import DEPLOYMENT, kind_of
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.records.late_dataclass import dataclass

History = Mapping[str, tuple[VersionRef, ...]]
"""The versions of each file that one pipeline and branch has published, newest first."""

Alike = Callable[[str, VersionRef, VersionRef], bool]
"""Tells whether two versions of a file hold the same."""


@dataclass(frozen=True)
class PastState:
    """Of each file the version that it had; `absent` are the files that did not exist yet.

    `passed` are later builds that never were live, newest first, which `previous` has left out for that.
    `unsure` are files of which a version was deleted that came after the one here.
    """

    versions: Mapping[str, VersionRef]
    absent: tuple[str, ...] = ()
    passed: tuple[int, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def newest(self) -> VersionRef:
        """Return the newest version of all."""
        return max(self.versions.values(), key=order)


def order(version: VersionRef) -> tuple[int, int, str]:
    """Return what versions of a pipeline and branch are ordered by."""
    return build_of(version), version.created_at, version.id


def build_of(version: VersionRef) -> int:
    """Return the number of the build that published a version, 0 for a person's."""
    return version.origin.build if version.origin is not None else 0


def history_of_line(versions: Mapping[str, Iterable[VersionRef]], line: Provenance) -> History:
    """Return the versions that this pipeline and branch has published, of each file, newest first."""
    return {
        name: tuple(
            sorted(
                (ref for ref in refs if ref.origin is not None and ref.origin.is_same_line_of_builds(line)),
                key=order,
                reverse=True,
            )
        )
        for name, refs in versions.items()
    }


def builds_of(history: History) -> list[int]:
    """Return the builds that published any of these files, newest first."""
    return sorted({build_of(ref) for refs in history.values() for ref in refs}, reverse=True)


def state_at_build(history: History, build: int) -> Optional[PastState]:
    """Return the state after a build, None where nothing existed."""
    return _state(history, lambda ref: build_of(ref) <= build)


def state_at_version(history: History, name: str) -> Optional[PastState]:
    """Return the state after the newest version of this name was made, None where there is none."""
    named = [ref for refs in history.values() for ref in refs if ref.name == name]
    if not named:
        return None
    last = max(map(order, named))
    return _state(history, lambda ref: order(ref) <= last)


def state_before(
    history: History, *, live: Mapping[str, Collection[str]], alike: Alike, never_live: Callable[[int], bool]
) -> Optional[PastState]:
    """Return the state before the newest build of which anything is live, None where nothing existed.

    `live` are the ids of the versions that each file is live at. A version that holds the same as the one
    before it counts as that one. A file that no build before it had stays where it is, whatever the state:
    it does not count either. One that is live at an older version than the state has stays there: somebody
    has gone back with it alone, and nothing comes forward again.
    """
    newest = max((build_of(ref) for ref in _moving(history, live, alike)), default=0)
    passed: list[int] = []
    for build in builds_of(history):
        if build >= newest:
            continue
        if not never_live(build):
            state = state_at_build(history, build)
            return None if state is None else _not_forward(state, history, live, passed=tuple(passed))
        passed.append(build)
    return None


def with_gaps(state: PastState, history: History, known: Mapping[str, Collection[str]]) -> PastState:
    """Return a state with the files of which it is not sure: the next version names one that is gone.

    `known` are the ids of all versions of each file, whoever published them.
    """
    found = []
    for name, refs in history.items():
        at = state.versions.get(name)
        later = [ref for ref in refs if at is None or order(ref) > order(at)][-1:]
        replaced = [base for ref in later if ref.origin is not None for base in ref.origin.bases[:1]]
        if any(base not in (FROM_NOTHING, *known.get(name, ())) for base in replaced):
            found.append(name)
    return replace(state, unsure=tuple(sorted(found)))


def _not_forward(
    state: PastState, history: History, live: Mapping[str, Collection[str]], *, passed: tuple[int, ...]
) -> PastState:
    newest = {
        name: [ref for ref in refs if ref.id in live.get(name, ())][:1] for name, refs in history.items()
    }
    versions = {name: min([ref, *newest[name]], key=order) for name, ref in state.versions.items()}
    return PastState(versions, state.absent, passed)


def _moving(history: History, live: Mapping[str, Collection[str]], alike: Alike) -> Iterable[VersionRef]:
    """Yield the live versions that something else came before, each as the first that held the same."""
    for name, refs in history.items():
        for at, ref in enumerate(refs):
            if ref.id not in live.get(name, ()):
                continue
            first = at
            while first + 1 < len(refs) and alike(name, refs[first], refs[first + 1]):
                first += 1
            if first + 1 < len(refs):
                yield refs[first]


def _state(history: History, is_old_enough: Callable[[VersionRef], bool]) -> Optional[PastState]:
    found = {name: next(filter(is_old_enough, refs), None) for name, refs in history.items()}
    versions = {name: ref for name, ref in found.items() if ref is not None}
    absent = tuple(sorted(found.keys() - versions.keys()))
    return PastState(versions, absent) if versions else None


# --- what never was live -------------------------------------------------------------------------------

USUAL_LIMIT = 10
"""How many old revisions a Deployment keeps that does not say it (Kubernetes, apps/v1)."""


class Pods(NamedTuple):
    """The pods of a Deployment as a version of a file has them; `marks` are of all that have the same."""

    deployment: str
    marks: frozenset[Mark]
    limit: int


def never_live(
    history: History,
    files: Mapping[str, PastFile],
    *,
    space: str,
    never_was: Callable[[Pods], bool],
) -> Callable[[int], bool]:
    """Return what tells of a build whether none of the Deployments that it published ever was live.

    Revisions of Deployments show it. One bears the marks of the version that brought its pod template last,
    so versions of one template stand for each other, and a build that changed no pod template is shown by
    none.
    """

    def is_never(build: int) -> bool:
        published = [
            pods
            for name, refs in history.items()
            for ref in refs
            if build_of(ref) == build
            for pods in _pods_of(files[name], ref, space=space)
        ]
        return bool(published) and all(map(never_was, published))

    return is_never


def alike_in(files: Mapping[str, PastFile]) -> Alike:
    """Return what tells whether two versions of a file hold the same objects, however they are written."""
    contents = {version.id: version.content for file in files.values() for version in file.versions}

    def is_alike(_: str, one: VersionRef, other: VersionRef) -> bool:
        left, right = contents[one.id], contents[other.id]
        if left == right:
            return True
        objects = _objects(left)
        return objects is not None and objects == _objects(right)

    return is_alike


def _objects(content: str) -> Optional[list[str]]:
    documents = parse_foreign(content)
    return None if documents is None else [canonical(document.body) for document in documents]


def _pods_of(file: PastFile, ref: VersionRef, *, space: str) -> Iterable[Pods]:
    by_template: dict[tuple[str, str], set[Mark]] = {}
    for version in file.versions:
        for found in _deployments(version):
            mark = Mark(f"{space}/{file.row.real_name}", version.version)
            by_template.setdefault((found.name, _template(found)), set()).add(mark)
    own = next(version for version in file.versions if version.id == ref.id)
    for found in _deployments(own):
        limit = mapping_at(found.body, "spec").get("revisionHistoryLimit", USUAL_LIMIT)
        marks = by_template[found.name, _template(found)]
        yield Pods(found.name, frozenset(marks), limit if isinstance(limit, int) else USUAL_LIMIT)


def _deployments(version: TemplateVersion) -> list[Document]:
    documents = parse_foreign(version.content) or ()
    return [document for document in documents if kind_of(document.api_version, document.kind) is DEPLOYMENT]


def _template(document: Document) -> str:
    return canonical(mapping_at(document.body, "spec", "template"))
