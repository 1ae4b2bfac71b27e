"""What is live, domain by domain, and what was, as lines and as JSON. Pure: performs no I/O.

No value of an object is shown, only which field differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional, Union

from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.text import exact_time, one_line, shown_time, table
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.domain_status import DomainHere, FileHere, Readiness
from bcs_template_set.rollout.revisions import Deployed, HistoryRow

_COLUMNS = ("domain", "live", "published", "ready", "drift", "since", "build", "by")
_UNREADY: tuple[Readiness, ...] = ("not-ready", "not-known")

Cell = Union[str, Text]


@dataclass(frozen=True)
class DomainRow:
    """A domain, and what is known of the versions of its files, by file and version.

    `builds` are the builds that published these versions, "7 (main)", each once.
    """

    here: DomainHere
    refs: Mapping[tuple[str, str], VersionRef]
    builds: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the domain, or the file."""
        return self.here.name

    @property
    def published(self) -> tuple[str, ...]:
        """Return the current versions of its files that are not what is live, each once."""
        versions = (file.file.version for file in self.here.files if not file.is_published)
        return tuple(dict.fromkeys(filter(None, versions)))

    @property
    def behind(self) -> str:
        """Return how what is live stands to what is published: "older", "newer", "not-deployed", or ""."""
        if self.here.standing == "not-known" or not self.published:
            return ""
        live = [file for file in self.here.files if file.standing == "live" and not file.is_published]
        if not live:
            return "not-deployed"
        newer = (self._made_at(file) > self._published_at(file) > 0 for file in live)
        return "newer" if all(newer) else "older"

    def _published_at(self, file: FileHere) -> int:
        ref = self.refs.get((file.name, file.file.version))
        return ref.created_at if ref is not None else 0

    @property
    def since(self) -> tuple[str, str]:
        """Return since when, and by what that is known: its Deployment's revision, else its publication."""
        revised = max(file.since for file in self.here.files)
        if revised:
            return revised, "revision"
        made = max(map(self._made_at, self.here.files))
        return (exact_time(made), "published") if made else ("", "")

    def _made_at(self, file: FileHere) -> int:
        found = (self.refs.get((file.name, version)) for version, _ in file.versions)
        return max((ref.created_at for ref in found if ref is not None), default=0)

    @property
    def deployed_by(self) -> tuple[str, ...]:
        """Return who deployed its objects last."""
        return tuple(dict.fromkeys(name for file in self.here.files for name in file.deployed_by))


# --- lines ----------------------------------------------------------------------------------------------


def status_lines(rows: Sequence[DomainRow], *, language: Language) -> list[str]:
    """Return a table of the domains, below each what is to be said of it, and how many there are of each."""
    heads = [say(f"status.column_{name}").render(language) for name in _COLUMNS]
    cells = [_words_of(_cells(row), language) for row in rows]
    head, *lines = table([heads, *cells])
    told = [line for row, own in zip(rows, lines) for line in (own, *_below(row, language))]
    return [head, *told, one_line(_counted(rows).render(language))]


def _words_of(cells: Iterable[Cell], language: Language) -> list[str]:
    return [one_line(cell if isinstance(cell, str) else cell.render(language)) for cell in cells]


def _cells(row: DomainRow) -> tuple[Cell, ...]:
    here = row.here
    if here.standing != "live":
        return row.name, say(f"status.{here.standing}"), ", ".join(row.published), *([""] * 5)
    since, _ = row.since
    return (
        row.name,
        ", ".join(version or "?" for version in here.versions) or say("status.unmarked"),
        ", ".join(row.published) or "=",
        _ready_cell(here),
        say(f"status.{here.drift}"),
        since,
        ", ".join(row.builds),
        ", ".join(row.deployed_by),
    )


def _ready_cell(here: DomainHere) -> Cell:
    if not here.workloads:
        return "-"
    state = worst(here)
    done, wanted = (sum(getattr(found, name) for found in here.workloads) for name in ("done", "wanted"))
    return say(f"status.{state}", count=f"{done}/{wanted}")


def worst(here: DomainHere) -> Readiness:
    """Return whether all workloads of a domain are ready."""
    states = {workload.state for workload in here.workloads}
    return next((word for word in _UNREADY if word in states), "ready")


def _below(row: DomainRow, language: Language) -> Iterator[str]:
    return (f"  {one_line(text.render(language))}" for text in _notes(row))


def _notes(row: DomainRow) -> Iterator[Text]:
    here = row.here
    if any(len(file.versions) > 1 for file in here.files):
        for version, titles in (pair for file in here.files for pair in file.versions):
            yield say("status.carries", version=version or "?", objects=list(titles))
    for file in here.files:
        yield from _of_file(file, is_live=here.standing == "live")
    for workload in here.workloads:
        if workload.why is not None:
            yield say("status.workload", object=workload.title, why=workload.why)


def _of_file(file: FileHere, *, is_live: bool) -> Iterator[Text]:
    for key, titles in (("others", file.others), ("more", file.more), ("missing", file.missing)):
        if titles:
            yield say(f"status.{key}", objects=list(titles))
    if is_live and file.standing == "not-here":
        yield say("status.file_not_here", name=file.name, version=file.file.version)
    for undone in file.undone:
        key = "status.undone" if undone.rest else "status.went_back"
        yield say(key, object=undone.title, pods=undone.pods, left=undone.left)
    yield from _differences(file)
    for why in file.why:
        yield say("status.why", why=why)
    record = file.file.latest_deploy_version
    if record and record not in dict(file.versions):
        yield say("status.record", name=file.name, version=record, by=file.file.latest_deployer or "?")


def _differences(file: FileHere) -> Iterator[Text]:
    for title, drift in file.drift:
        if drift.changed:
            yield say("status.fields", object=title, fields=list(drift.changed))
        for writer in dict.fromkeys(writer for writer, _ in drift.theirs):
            fields = [path for found, path in drift.theirs if found == writer]
            yield say(f"status.by_{writer.replace('-', '_')}", object=title, fields=fields)
        if drift.open:
            names = dict.fromkeys(name for _, name in drift.open)
            yield say("status.open", object=title, fields=[path for path, _ in drift.open], names=[*names])


def _counted(rows: Sequence[DomainRow]) -> Text:
    counts = Counter(row.here.standing for row in rows)
    drifted = sum(row.here.drift == "changed" for row in rows)
    return say(
        "status.counts",
        live=counts["live"],
        absent=counts["not-here"],
        unknown=counts["not-known"],
        changed=drifted,
    )


# --- JSON -----------------------------------------------------------------------------------------------


def status_document(rows: Iterable[DomainRow], *, language: Language) -> list[dict[str, object]]:
    """Return the domains as programs read them; the words are the same in every language."""
    return [_domain(row, language) for row in rows]


def _domain(row: DomainRow, language: Language) -> dict[str, object]:
    here, (since, since_by) = row.here, row.since
    return {
        "name": row.name,
        "state": here.standing,
        "versions": list(here.versions),
        "published": list(row.published),
        "behind": row.behind or None,
        "ready": worst(here) if here.workloads else None,
        "workloads": [
            {
                "object": workload.title,
                "state": workload.state,
                "done": workload.done,
                "wanted": workload.wanted,
                "why": workload.why.render(language) if workload.why is not None else None,
            }
            for workload in here.workloads
        ],
        "drift": here.drift if here.standing == "live" else None,
        "since": since or None,
        "since_by": since_by or None,
        "builds": list(row.builds),
        "deployed_by": list(row.deployed_by),
        "files": [_file(file, language) for file in here.files],
    }


def _file(file: FileHere, language: Language) -> dict[str, object]:
    return {
        "name": file.name,
        "state": file.standing,
        "published": file.file.version or None,
        "is_published": file.is_published,
        "versions": [{"version": version, "objects": list(titles)} for version, titles in file.versions],
        "without_our_mark": list(file.others),
        "not_in_the_version": list(file.more),
        "changed": [{"object": title, "field": path or None} for title, path in file.changed],
        "theirs": [
            {"object": title, "field": path, "writer": writer}
            for title, drift in file.drift
            for writer, path in drift.theirs
        ],
        "open": [
            {"object": title, "field": path, "variable": name}
            for title, drift in file.drift
            for path, name in drift.open
        ],
        "undone": [
            {
                "object": one.title,
                "pods": one.pods,
                "left": one.left,
                "rest_of": one.left if one.rest else None,
            }
            for one in file.undone
        ],
        "not_known": [why.render(language) for why in file.why],
        "last_deployed_anywhere": {
            "version": file.file.latest_deploy_version or None,
            "by": file.file.latest_deployer or None,
        },
    }


# --- the past -----------------------------------------------------------------------------------------


_OF_ORIGIN = ("build", "pipeline", "branch", "commit", "started_by", "link")
_PAST_COLUMNS = ("version", "state", "build", "branch", "commit", "published", "by", "deployed_by", "files")
_NAMES_OF_A_DOMAIN = 1000
"""Columns of a line, so that names of files are whole; no worker shows this table."""


def history_lines(rows: Sequence[HistoryRow], *, language: Language) -> list[str]:
    """Return the versions as a table, newest first."""
    heads = [say(f"history.column_{name}") for name in _PAST_COLUMNS]
    cells = [_words_of(cells, language) for cells in (heads, *map(_past_cells, rows))]
    return table(cells, columns=_NAMES_OF_A_DOMAIN)


def _past_cells(row: HistoryRow) -> tuple[Cell, ...]:
    origin = row.origin
    states = [say(f"history.{word}") for word in ("current", "live") if getattr(row, word)]
    by = row.published_by if origin is None else origin.started_by or row.published_by
    return (
        row.name,
        say("history.states", states=states),
        str(origin.build) if origin is not None and origin.build else "",
        origin.branch if origin is not None else "",
        origin.commit[:8] if origin is not None else "",
        shown_time(row.published_at),
        by,
        _deployed_cell(row.deployed),
        ", ".join(row.files),
    )


def _deployed_cell(deployed: Optional[Deployed]) -> Cell:
    if deployed is None or not deployed.by:
        return say("history.not_recorded")
    return say("history.anywhere", name=deployed.by) if deployed.known_by == "record" else deployed.by


def history_document(rows: Iterable[HistoryRow]) -> list[Mapping[str, object]]:
    """Return the versions as programs read them."""
    return [_version(row) for row in rows]


def _version(row: HistoryRow) -> Mapping[str, object]:
    deployed = row.deployed
    return {
        "version": row.name,
        "files": list(row.files),
        "current": list(row.current),
        "live": list(row.live) if row.live is not None else None,
        "published_at": exact_time(row.published_at) if row.published_at else None,
        "published_by": row.published_by or None,
        **{name: getattr(row.origin, name, None) or None for name in _OF_ORIGIN},
        "deployed_by": deployed.by or None if deployed is not None else None,
        "deployed_at": deployed.at or None if deployed is not None else None,
        "deployed_known_by": deployed.known_by if deployed is not None else None,
    }
