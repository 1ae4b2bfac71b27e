"""What earlier builds leave, since BCS deletes nothing: objects, files, and versions that nobody needs. Pure.

What holds a version is known by its name, as marks, pointers and records of deployments know no more of it:
where two versions of a file have one name, both are held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import Existing, PastFile, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import Provenance, is_earlier_name, published_as_it_is, told
from bcs_template_set.manifests.scope import host_of
from bcs_template_set.publish.past_states import history_of_line
from bcs_template_set.publish.plan import Change, Desired
from bcs_template_set.records.late_dataclass import dataclass

_ONE_RUN = 600
"""Versions of one name that were made within so many seconds are of one run."""


def dropped_objects(desired: Desired, existing: Existing, changes: Sequence[Change]) -> tuple[str, ...]:
    """Name the objects, `Kind/name`, that the files held and no file of the run holds any more; sorted."""
    written = [existing.files[c.name] for c in changes if c.writes_version and c.name in existing.files]
    held = {document.title for found in written for document in found.documents or ()}
    kept = {document.title for file in desired.files for document in file.documents} if held else set()
    return tuple(sorted(held - kept))


def files_no_more(desired: Desired, existing: Existing) -> tuple[str, ...]:
    """Name the files that an earlier build of this branch published and this run does not render; sorted.

    Of a domain that is gone all files are named, also those that nothing is read of. Of a run that is
    narrowed nothing is gone but what `only` names.
    """
    ours = desired.provenance
    gone = {
        other.name
        for other in existing.others
        if other.origin is not None and ours.is_newer_than(other.origin)
    }
    rendered = {file.name for file in desired.files} | desired.scope.outside
    unread = existing.rows.keys() - rendered - {other.name for other in existing.others}
    times = _times_of_ours(desired, existing)
    gone |= {name for name in unread if _is_of_ours(existing.rows[name], desired, times)}
    domains = {host_of(name) for name in gone} - {host_of(name) for name in rendered} - {""}
    gone |= {n for n in existing.rows.keys() - rendered if host_of(n) in domains}
    return tuple(sorted(filter(desired.scope.has, gone)))


def _is_of_ours(row: TemplateFile, desired: Desired, times: Mapping[str, Sequence[int]]) -> bool:
    """Tell whether an earlier build of this branch made a file's version, by its name and its time."""
    if not is_earlier_name(row.version, version=desired.version, build=desired.provenance.build):
        return False
    return any(abs(row.update_at - at) <= _ONE_RUN for at in times.get(row.version, ()))


def _times_of_ours(desired: Desired, existing: Existing) -> Mapping[str, Sequence[int]]:
    """Return when this pipeline and branch made versions of which names, as far as what was read tells it."""
    ours, times = desired.provenance, defaultdict[str, list[int]](list)
    read = [ref_of(version) for file in existing.files.values() for version in file.read]
    read += [other.current for other in existing.others if other.current is not None]
    for ref in read:
        if ref.origin is not None and ours.is_same_line_of_builds(ref.origin):
            times[ref.name].append(ref.created_at)
    return times


# --- old versions -------------------------------------------------------------------------------------

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
