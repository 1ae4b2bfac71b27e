"""The branches of a space: their paths, when each was last built, which may go, and how. Pure: no I/O.

A branch's path is what it claims in a routes file (branch_paths.py). Its last build is the newest
version of the domain's files whose description names the branch (provenance.py). A build that changed
nothing left no version and does not count; where a file's versions can't be read the age is not known, and
what is not known never goes.

A file from which branches go is written under a successor of its current version's name, with that version as
its base. One that can't be changed, or that hides a version nobody has merged yet, is left as it is, with the
reason.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Optional, Union

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.space.existing import ExistingFile, VersionRef, ref_of
from bcs_template_set.bcs.space.provenance import NOBODY, content_digest, read_provenance, told
from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.manifests.cut_paths import CannotRemove, without_paths
from bcs_template_set.manifests.document_diff import diff_documents
from bcs_template_set.manifests.naming import (
    DEFAULT_MAIN_BRANCHES,
    deployment_file,
    free_successor,
    normal_path,
    routes_file,
)
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.route_changes import changes_of
from bcs_template_set.manifests.routes import routes_of
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.plan import Change, Plan, SpaceRef
from bcs_template_set.records.late_dataclass import dataclass

_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
_MINUTE = 60


@dataclass(frozen=True)
class HeldPath:
    """A path of a domain that a branch claims, and the file that says so."""

    file: str
    domain: str
    claim: Claim


@dataclass(frozen=True)
class PublishedVersion:
    """A version, and what its description tells of its build. `at` is in seconds since the epoch."""

    id: str
    name: str
    at: int
    branch: str
    build: int
    who: str


def published(version: TemplateVersion) -> PublishedVersion:
    """Return what a version's description tells; a person's names no branch."""
    origin = read_provenance(version.description) or NOBODY
    return PublishedVersion(
        id=version.id,
        name=version.version,
        at=version.create_at,
        branch=origin.branch,
        build=origin.build,
        who=origin.started_by or version.creator,
    )


Histories = Mapping[str, Optional[Sequence[PublishedVersion]]]
"""The versions of a space's files by file name; None where they could not be read."""


@dataclass(frozen=True)
class RoutesFile:
    """A routes file and its current version."""

    metadata: TemplateFile
    current: TemplateVersion


@dataclass(frozen=True)
class SpaceBranches:
    """What a space holds of branches. `notes` say what could not be read, and so is not known.

    `ids` are those of the domains' files by name. `histories` hold all versions of the files that are
    `whole`, and else the last build of each branch.
    """

    files: Mapping[str, RoutesFile]
    ids: Mapping[str, str]
    held: tuple[HeldPath, ...]
    histories: Histories
    notes: tuple[Text, ...] = ()
    whole: frozenset[str] = frozenset()

    def existing(self, name: str) -> ExistingFile:
        """Return a routes file that is whole as a step's plan knows files, newest version first."""
        file, versions = self.files[name], self.histories.get(name) or ()
        newest_first = sorted(versions, key=lambda version: (version.at, version.id), reverse=True)
        history = tuple(VersionRef(id=v.id, name=v.name, created_at=v.at) for v in newest_first)
        return ExistingFile(metadata=file.metadata, current=file.current, history=history)


@dataclass(frozen=True, order=True)
class BranchRow:
    """One path of a branch in a domain.

    `last_build` and `last_at` are 0, and `age_seconds` is None, where no build of it is known. `who`
    started the last build, or else the one that added the path. `protected` ones are never removed.
    """

    domain: str
    path: str
    branch: str
    file: str
    added_build: int
    last_build: int
    last_at: int
    age_seconds: Optional[int]
    who: str
    protected: bool


def branch_rows(
    held: Iterable[HeldPath], histories: Histories, *, now: float, keep: Sequence[str] = ()
) -> tuple[BranchRow, ...]:
    """Return a row for every path that a branch has, sorted by domain and path.

    `keep` are patterns (`release/*`) of branches to protect beside the main ones and whatever is served at
    `/`. `now` is in seconds since the epoch.
    """
    rows = (_row(path, histories, now=now, keep=keep) for path in held)
    return tuple(sorted(rows, key=lambda row: (row.domain, row.path, row.branch, row.file)))


def _row(path: HeldPath, histories: Histories, *, now: float, keep: Sequence[str]) -> BranchRow:
    claim = path.claim
    last = _last_version(path, histories)
    return BranchRow(
        domain=path.domain,
        path=claim.path,
        branch=claim.branch,
        file=path.file,
        added_build=claim.build,
        last_build=last.build if last else 0,
        last_at=last.at if last else 0,
        age_seconds=max(0, int(now) - last.at) if last else None,
        who=(last.who if last else "") or claim.by,
        protected=normal_path(claim.path) == "/" or is_kept(claim.branch, keep=keep),
    )


def _last_version(path: HeldPath, histories: Histories) -> Optional[PublishedVersion]:
    """Return the newest version by a branch; None if there is none, or one list could hold a newer one."""
    branch, found = told(path.claim.branch), list[PublishedVersion]()
    for name in files_of(path):
        versions = histories.get(name, ())
        if versions is None:
            return None
        found += [version for version in versions if version.branch == branch and version.at > 0]
    return max(found, key=lambda version: (version.at, version.build), default=None)


def files_of(path: Union[HeldPath, BranchRow]) -> tuple[str, ...]:
    """Return the names of the files that a build of a domain writes, each once."""
    names = (deployment_file(path.domain), routes_file(path.domain), path.file)
    return tuple(dict.fromkeys(names))


# --- what may go ----------------------------------------------------------------------------------------


def is_kept(branch: str, *, keep: Sequence[str]) -> bool:
    """Tell whether a branch is a main one, or matches a pattern."""
    return any(fnmatchcase(branch, pattern) for pattern in (*DEFAULT_MAIN_BRANCHES, *keep))


def may_be_stale(row: BranchRow, *, older_than: int) -> bool:
    """Tell whether a row may go, unless a newer build of it turns up."""
    return not row.protected and (row.age_seconds is None or row.age_seconds > older_than)


def stale_rows(rows: Iterable[BranchRow], *, older_than: int) -> tuple[BranchRow, ...]:
    """Return the rows whose last build is older than that many seconds and that nothing protects."""
    return tuple(
        row for row in rows if may_be_stale(row, older_than=older_than) and row.age_seconds is not None
    )


def keep_patterns(given: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns of texts that each hold some, separated by commas."""
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


def duration_of(text: str) -> Optional[int]:
    """Return the seconds of a duration such as 12h, 30d or 8w; None for anything else, zero too."""
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text.strip(), re.ASCII)
    return int(match[1]) * _SECONDS[match[2]] or None if match else None


# --- in words -------------------------------------------------------------------------------------------


def age_text(seconds: Optional[int]) -> Text:
    """Return an age in its largest whole unit."""
    if seconds is None:
        return say("branches.age_unknown")
    for unit, size in _units():
        if seconds >= size:
            return say(f"branches.age_{unit}", number=seconds // size)
    return say("branches.age_now")


def _units() -> Iterator[tuple[str, int]]:
    yield "days", _SECONDS["d"]
    yield "hours", _SECONDS["h"]
    yield "minutes", _MINUTE


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
