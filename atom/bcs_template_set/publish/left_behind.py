"""What a run leaves in the cluster, since BCS deletes nothing: dropped objects, files no more. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import Existing, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import is_earlier_name
from bcs_template_set.manifests.scope import host_of
from bcs_template_set.publish.plan import Change, Desired

_ONE_RUN = 600
"""Versions of one name that were made within so many seconds are of one run."""


def dropped_objects(desired: Desired, existing: Existing, changes: Sequence[Change]) -> tuple[str, ...]:
    """Name the objects, `Kind/name`, that the files held and no file of the run holds any more; sorted."""
    kept = {document.title for file in desired.files for document in file.documents}
    written = [existing.files[c.name] for c in changes if c.writes_version and c.name in existing.files]
    return tuple(sorted({d.title for found in written for d in found.documents or ()} - kept))


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
    made = {name: _made(existing.rows[name], desired, existing) for name in sorted(unread)}
    times = _times_of_ours(desired, existing, among={ref.name for refs in made.values() for ref in refs})
    gone |= {name for name, refs in made.items() if any(_is_one_run(ref, times) for ref in refs)}
    domains = {host_of(name) for name in gone} - {host_of(name) for name in rendered} - {""}
    gone |= {n for n in existing.rows.keys() - rendered if host_of(n) in domains}
    only = desired.scope.only
    return tuple(sorted(name for name in gone if not only or name in only or host_of(name) in only))


def _made(row: TemplateFile, desired: Desired, existing: Existing) -> list[VersionRef]:
    """Return the versions of a file that earlier builds of this branch have made, going by their names."""
    earlier = partial(is_earlier_name, version=desired.version, build=desired.provenance.build)
    if not earlier(row.version):
        return []
    current = VersionRef(row.version_id, row.version, row.update_at)
    return [current, *(ref for ref in _history(row.real_name, existing) if earlier(ref.name))]


def _is_one_run(ref: VersionRef, times: Mapping[str, Sequence[int]]) -> bool:
    return any(abs(ref.created_at - at) <= _ONE_RUN for at in times.get(ref.name, ()))


def _times_of_ours(desired: Desired, existing: Existing, *, among: set[str]) -> Mapping[str, Sequence[int]]:
    """Return when this pipeline and branch made versions of these names, as far as what was read tells it."""
    ours, times = desired.provenance, defaultdict[str, list[int]](list)
    held = {name: [f.current, f.same_name, *f.later] for name, f in existing.files.items()}
    refs = {name: [ref_of(version) for version in versions if version] for name, versions in held.items()}
    refs.update({other.name: [other.current] for other in existing.others if other.current})
    for name, read in refs.items():
        told = [ref for ref in read if ref.origin and ours.is_same_line_of_builds(ref.origin)]
        for ref in (*told, *(_history(name, existing) if told and among else ())):
            if ref.name in among:
                times[ref.name].append(ref.created_at)
    return times


def _history(name: str, existing: Existing) -> Sequence[VersionRef]:
    if existing.histories is not None:
        return existing.histories.get(name, ())
    found = existing.files.get(name)
    return (found.history if found is not None else None) or ()
