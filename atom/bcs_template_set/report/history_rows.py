"""The versions of a domain's files as a table and as JSON. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Union

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.text import exact_time, one_line, shown_time, table
from bcs_template_set.rollout.past_versions import Deployed, HistoryRow

_OF_ORIGIN = ("build", "pipeline", "branch", "commit", "started_by", "link")
_COLUMNS = ("version", "state", "build", "branch", "commit", "published", "by", "deployed_by", "files")


def history_lines(rows: Sequence[HistoryRow], *, language: Language) -> list[str]:
    """Return the versions as a table, newest first."""
    heads = [say(f"history.column_{name}") for name in _COLUMNS]
    return table(
        [
            [one_line(cell if isinstance(cell, str) else cell.render(language)) for cell in cells]
            for cells in (heads, *map(_cells, rows))
        ]
    )


def _cells(row: HistoryRow) -> Sequence[Union[str, Text]]:
    origin = row.origin
    states = [say(f"history.{word}") for word, holds in _states(row) if holds]
    by = row.published_by if origin is None else origin.started_by or row.published_by
    return (
        row.name,
        say("history.states", states=states) if states else "",
        str(origin.build) if origin is not None and origin.build else "",
        origin.branch if origin is not None else "",
        origin.commit[:8] if origin is not None else "",
        shown_time(row.published_at),
        by,
        _deployed_cell(row.deployed),
        ", ".join(row.files),
    )


def _states(row: HistoryRow) -> Iterable[tuple[str, bool]]:
    yield "current", bool(row.current)
    yield "live", bool(row.live)


def _deployed_cell(deployed: Optional[Deployed]) -> Union[str, Text]:
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
