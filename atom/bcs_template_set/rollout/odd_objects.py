"""What is odd about the objects that are to be deployed, said before they are: missing, or another's. Pure.

A missing object is made again: of most kinds nothing else can be meant, and of a Job nobody can know whether
it has done its work, so the file that is asked for decides. BCS remembers that it has deployed a file, and
not where; the marks of the file's other objects are of this namespace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Callable

from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import JOB, SERVICE
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.rollout.live_state import FileVersion, LiveState

Held = Callable[[str, str], Collection[str]]
"""Names what a version of a file holds, `Kind/name`, as far as that can be known; by file and version."""


def odd_notes(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str, held: Held
) -> Iterator[Text]:
    """Yield what to say of the objects of the files that are deployed, before they are."""
    for file in files:
        own = [state for state in states if state.file == file.name]
        yield from _missing(file, own, space=space, held=held)
        for state in own:
            owner = _owner(state)
            if owner:
                yield say("deploy.owned", object=state.title, owner=owner)


def marked_elsewhere(
    files: Sequence[FileVersion], states: Sequence[LiveState], *, space: str
) -> Iterator[Text]:
    """Yield what is live as wanted and marked as another folder's: its former owner may delete it."""
    names = {file.name for file in files}
    found = [s for s in states if s.file in names and s.mark.file and not s.mark.file_in(space)]
    if found:
        marks = sorted({state.mark.file for state in found})
        objects = first_names([state.title for state in found])
        yield say("deploy.marked_elsewhere", files=first_names(marks), objects=objects)


def moved_objects(states: Sequence[LiveState], *, space: str) -> tuple[tuple[str, str], ...]:
    """Return (file, object) pairs of what a file's live version holds, and another file of the run now.

    Only what a cluster may refuse to replace (facts/bcs.md, trap 11): that version can't be deployed again.
    """
    files = {f"{space}/{state.file}": state.file for state in states}
    kept = [s for s in states if s.kind == SERVICE.name or (s.known_kind is not None and s.known_kind.kept)]
    return tuple(
        (files[state.mark.file], state.title)
        for state in kept
        if files.get(state.mark.file, state.file) != state.file
    )


def _missing(file: FileVersion, own: Sequence[LiveState], *, space: str, held: Held) -> Iterator[Text]:
    """Yield what is said of objects that are not there, and that the version before held."""
    missing = [state for state in own if state.live is None]
    here = [state.mark.version for state in own if state.mark.file == f"{space}/{file.name}"]
    version = here[0] if here else file.before
    if not (missing and version):
        return
    before = held(file.name, version)
    missing = [state for state in missing if state.title in before]
    gone = [state.title for state in missing if state.known_kind != JOB]
    if gone:
        yield say("deploy.missing" if here else "deploy.missing_here", objects=gone, version=version)
    for state in missing:
        if state.known_kind == JOB:
            seconds = mapping_at(state.desired, "spec").get("ttlSecondsAfterFinished")
            key = "deploy.missing_job" if seconds is None else "deploy.missing_ttl"
            yield say(key, object=state.title, seconds=seconds)


def _owner(state: LiveState) -> str:
    """Return what controls a live object, such as `App/web`; "" for nothing."""
    owners = [mapping_at(item) for item in list_at(state.live or {}, "metadata", "ownerReferences")]
    controlling = [owner for owner in owners if owner.get("controller") is True]
    return "/".join(text_at(controlling[0], name) for name in ("kind", "name")) if controlling else ""
