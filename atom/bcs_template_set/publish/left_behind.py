"""What a run leaves in the cluster, since BCS deletes nothing: dropped objects, files no more. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import Existing, ref_of
from bcs_template_set.bcs.space.provenance import is_earlier_name
from bcs_template_set.manifests.scope import host_of
from bcs_template_set.publish.plan import Change, Desired

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
    gone -= desired.scope.outside
    rendered = {file.name for file in desired.files} | desired.scope.outside
    unread = existing.rows.keys() - rendered - {other.name for other in existing.others}
    times = _times_of_ours(desired, existing)
    gone |= {name for name in unread if _is_of_ours(existing.rows[name], desired, times)}
    domains = {host_of(name) for name in gone} - {host_of(name) for name in rendered} - {""}
    gone |= {n for n in existing.rows.keys() - rendered if host_of(n) in domains}
    only = desired.scope.only
    return tuple(sorted(name for name in gone if not only or name in only or host_of(name) in only))


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
