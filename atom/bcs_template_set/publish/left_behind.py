"""What a run leaves in the cluster, since BCS deletes nothing: dropped objects, files no more. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.publish.plan import Change, Desired

_PARTS = 3
"""A file of a domain is named `<host>.<part>.yaml`, so its name has so many parts at least."""


def dropped_objects(desired: Desired, existing: Existing, changes: Sequence[Change]) -> tuple[str, ...]:
    """Name the objects, `Kind/name`, that the files held and no file of the run holds any more; sorted."""
    kept = {document.title for file in desired.files for document in file.documents}
    written = [existing.files[c.name] for c in changes if c.writes_version and c.name in existing.files]
    return tuple(sorted({d.title for found in written for d in found.documents or ()} - kept))


def files_no_more(desired: Desired, existing: Existing) -> tuple[str, ...]:
    """Name the files that an earlier build of this branch published and this run does not render; sorted.

    Of a domain that is gone all files are named, also those that nothing is read of.
    """
    ours = desired.provenance
    gone = {
        other.name
        for other in existing.others
        if other.origin is not None and ours.is_newer_than(other.origin)
    }
    rendered = {file.name for file in desired.files}
    domains = {_domain(name) for name in gone} - {_domain(name) for name in rendered} - {""}
    beside = {name for name in existing.ids.keys() - rendered if _domain(name) in domains}
    return tuple(sorted(gone | beside))


def _domain(name: str) -> str:
    """Return the host that a file's name begins with, "" where it is not of that form."""
    return name.rsplit(".", 2)[0] if name.count(".") >= _PARTS else ""
