"""The versions of a domain's files: who published each, who deployed it, and what is live of it. Pure.

A revision of a Deployment is a pod template, not a deployment: so of most versions nobody knows who deployed
them. BCS's record names the last deployment of a file, whatever the namespace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Optional

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.bcs.space.provenance import Provenance, read_provenance
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.revisions import Revision


@dataclass(frozen=True)
class Deployed:
    """Who deployed a version, and where that is known from."""

    by: str
    known_by: Literal["revision", "objects", "record"]
    at: str = ""


@dataclass(frozen=True)
class HistoryRow:
    """The versions of one name in a domain's files, newest of them first.

    `current` are the files that point at it, `live` the objects that carry it; None where no namespace is
    asked for. `origin` is the build that published it, None where a person did.
    """

    name: str
    files: tuple[str, ...]
    published_at: int
    published_by: str
    origin: Optional[Provenance]
    current: tuple[str, ...]
    live: Optional[tuple[str, ...]]
    deployed: Optional[Deployed]


def history_rows(
    files: Iterable[PastFile],
    *,
    space: str,
    live: Optional[Sequence[LiveRow]],
    revisions: Iterable[Revision],
) -> tuple[HistoryRow, ...]:
    """Return the versions of these files by name, newest first.

    `live` are the namespace's objects, None where nobody asked, `revisions` those of its Deployments.
    """
    by_name: dict[str, list[tuple[TemplateFile, TemplateVersion]]] = {}
    for found in sorted(files, key=lambda found: found.row.real_name):
        for version in found.versions:
            by_name.setdefault(version.version, []).append((found.row, version))
    known = tuple(revisions)
    rows = [_row(name, pairs, space=space, live=live, revisions=known) for name, pairs in by_name.items()]
    return tuple(sorted(rows, key=lambda row: (row.published_at, row.name), reverse=True))


def _row(
    name: str,
    pairs: Sequence[tuple[TemplateFile, TemplateVersion]],
    *,
    space: str,
    live: Optional[Sequence[LiveRow]],
    revisions: Sequence[Revision],
) -> HistoryRow:
    newest = max((version for _, version in pairs), key=lambda version: (version.create_at, version.id))
    marks = {Mark(f"{space}/{file.real_name}", name) for file, _ in pairs}
    carrying = None if live is None else [row for row in live if row.mark in marks]
    return HistoryRow(
        name=name,
        files=tuple(file.real_name for file, _ in pairs),
        published_at=newest.create_at,
        published_by=newest.creator,
        origin=read_provenance(newest.description),
        current=tuple(file.real_name for file, version in pairs if file.version_id == version.id),
        live=None if carrying is None else tuple(row.title for row in carrying),
        deployed=_deployed(name, pairs, carrying or (), [one for one in revisions if one.mark in marks]),
    )


def _deployed(
    name: str,
    pairs: Iterable[tuple[TemplateFile, TemplateVersion]],
    carrying: Iterable[LiveRow],
    revisions: Sequence[Revision],
) -> Optional[Deployed]:
    """Return who deployed a version, by the revision of its pods, else by its objects, else by the record."""
    for revision in revisions:
        return Deployed(revision.deployed_by, "revision", revision.created_at)
    for row in carrying:
        return Deployed(row.deployed_by, "objects")
    for file, _ in pairs:
        if file.latest_deploy_version == name and file.latest_deployer:
            return Deployed(file.latest_deployer, "record")
    return None
