"""Which routes files change so that stale branches go, and how. Pure: performs no I/O.

A file is written under a successor of its current version's name, with that version as its base. A file
that can't be changed, or that hides a version nobody has merged yet, is left as it is, with the reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import ExistingFile, ref_of
from bcs_template_set.bcs.space.provenance import content_digest
from bcs_template_set.branches.branch_rows import BranchRow, SpaceBranches
from bcs_template_set.manifests.cut_paths import CannotRemove, without_paths
from bcs_template_set.manifests.document_diff import diff_documents
from bcs_template_set.manifests.naming import free_successor
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.route_changes import changes_of
from bcs_template_set.manifests.routes import routes_of
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.plan import Change, Plan, SpaceRef


@dataclass(frozen=True)
class Removal:
    """What is to become of a routes file: the change that takes the rows' paths out, or why there is none."""

    file: str
    rows: tuple[BranchRow, ...]
    change: Optional[Change] = None
    refused: Optional[Text] = None

    @property
    def paths(self) -> list[Text]:
        """Return the paths with their branches, as a message names them."""
        return [say("branches.path", path=row.domain + row.path, branch=row.branch) for row in self.rows]


def plan_removals(found: SpaceBranches, stale: Iterable[BranchRow]) -> tuple[Removal, ...]:
    """Return a removal for every file that holds a stale row, sorted by file."""
    by_file = itertools.groupby(sorted(stale, key=lambda row: row.file), key=lambda row: row.file)
    return tuple(_removal(name, tuple(rows), found) for name, rows in by_file)


def _removal(name: str, rows: tuple[BranchRow, ...], found: SpaceBranches) -> Removal:
    file = found.files[name]
    try:
        content = file.current.content
        for domain in sorted({row.domain for row in rows}):
            branches = frozenset(row.branch for row in rows if row.domain == domain)
            content = without_paths(content, host=domain, branches=branches)
    except CannotRemove as exc:
        return Removal(name, rows, refused=exc.reason)
    return Removal(name, rows, change=_change(found.existing(name), file.current, content))


def _change(file: ExistingFile, current: TemplateVersion, content: str) -> Change:
    before, after = parse_foreign(current.content) or (), parse_foreign(content) or ()
    new = routes_of(after)
    served = changes_of(routes_of(before), new)
    return Change(
        name=file.metadata.real_name,
        action="update",
        content=content,
        digest=content_digest(content),
        version=free_successor(current.version, taken={ref.name for ref in file.history or ()}),
        template_id=file.metadata.id,
        previous=ref_of(current),
        bases=file.bases,
        known=file.known,
        writes_version=True,
        moves_pin=file.is_pinned,
        routes=new,
        routes_removed=served.removed,
        routes_lost=served.lost,
        diff=diff_documents(current.content, content, old=before, new=after),
    )


def without_hidden(removals: Iterable[Removal], hidden: Mapping[str, Sequence[str]]) -> tuple[Removal, ...]:
    """Refuse the files that have hidden versions, given by their names: a new version would bury them."""
    return tuple(
        replace(removal, change=None, refused=say("branches.hidden", versions=hidden[removal.file]))
        if removal.change is not None and hidden.get(removal.file)
        else removal
        for removal in removals
    )


def plan_of(removals: Iterable[Removal], *, target: SpaceRef) -> Plan:
    """Return the plan that publishes the removals."""
    changes = tuple(removal.change for removal in removals if removal.change is not None)
    return Plan(target=target, version="", changes=changes, creates_space=False, chart="none", digest="")
