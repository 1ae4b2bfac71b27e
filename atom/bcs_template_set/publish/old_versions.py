"""Which versions of files nobody needs any more, by all that was read. Pure: performs no I/O.

What holds a version is known by its name, as marks, pointers and records of deployments know no more of it:
where two versions of a file have one name, both are held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import Provenance, published_as_it_is, told
from bcs_template_set.publish.past_states import history_of_line
from bcs_template_set.records.late_dataclass import dataclass

YOUNGEST = 24 * 3600
"""Seconds: a build that waits may still need a younger version to go back to."""

EVER_LIVE = 2
"""How many of the versions that ever were live stay of each branch: failures push out no good one."""


MOST_A_RUN = 200


@dataclass(frozen=True)
class Keeping:
    """What stays of each branch, in which folder, for whose pipeline; `now` in seconds since the epoch.

    `before` are the versions that the files were live at, or last deployed at, before this run.
    """

    space: str
    ours: Provenance
    newest: int
    now: float
    before: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Held:
    """The marks of what is live in any namespace, and of what ever was, as far as that can be seen."""

    live: frozenset[Mark] = frozenset()
    ever: frozenset[Mark] = frozenset()


@dataclass(frozen=True)
class OldVersion:
    """A version that may go, and the id of its file."""

    template_id: str
    version: TemplateVersion


def old_versions(
    files: Mapping[str, PastFile],
    keeping: Keeping,
    held: Held = Held(),  # noqa: B008 - it can't change
) -> tuple[OldVersion, ...]:
    """Return the versions that may go, oldest first; without `held`, all that may turn out to be old."""
    found = [old for file in files.values() for old in _old(file, keeping, held)]
    return tuple(sorted(found, key=lambda old: (old.version.create_at, old.version.id)))


def may_go(
    files: Mapping[str, PastFile], keeping: Keeping, held: Held, *, visible: Collection[str]
) -> tuple[OldVersion, ...]:
    """Return what one run deletes, oldest first; of `visible`, by id, the marks can be seen."""
    return tuple(old for old in old_versions(files, keeping, held) if old.version.id in visible)[:MOST_A_RUN]


def _old(file: PastFile, keeping: Keeping, held: Held) -> Iterator[OldVersion]:
    name = file.row.real_name
    refs = [ref for ref in map(ref_of, file.versions) if _is_ours(ref, keeping.ours)]
    lines = {told(ref.origin.branch): ref.origin for ref in refs if ref.origin is not None}
    lived = {
        *keeping.before.get(name, ()),
        *(mark.version for mark in held.live if mark.file_in(keeping.space) == name),
        file.row.latest_deploy_version,
    }
    ever = lived | {mark.version for mark in held.ever if mark.file_in(keeping.space) == name}
    kept = {file.row.version, *lived}
    for line in lines.values():
        newest_first = history_of_line({name: refs}, line)[name]
        was_live = [ref for ref in newest_first if ref.name in ever]
        kept |= {ref.name for ref in (*newest_first[: keeping.newest], *was_live[:EVER_LIVE])}
    gone_by = keeping.now - YOUNGEST
    going = {ref.id for ref in refs if ref.name not in kept and 0 < ref.created_at <= gone_by}
    for version in file.versions:
        is_changed = published_as_it_is(version.description, version.content) is None
        if version.id in going and version.id != file.row.version_id and not is_changed:
            yield OldVersion(file.row.id, version)


def _is_ours(ref: VersionRef, ours: Provenance) -> bool:
    """Tell whether a build of this pipeline published it, of whichever branch."""
    return ref.origin is not None and bool(ours.pipeline) and told(ref.origin.pipeline) == told(ours.pipeline)
