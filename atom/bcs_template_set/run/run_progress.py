"""How far a run is, told from what its record knows. Pure: performs no I/O.

A phase has a fixed share of the whole, by what the run is to do; within publishing and deploying, the share
is that of what has ended. Where nothing tells how far a phase is, it counts once it is over, unless it
failed. A subtask is a row of the report: a domain, or a file that belongs to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bcs_template_set.agent.progress_payload import Snapshot, Subtask, SubtaskStatus, TimelineItem
from bcs_template_set.messages import known, say
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.report.rows import name_of_row
from bcs_template_set.rollout.watched import Watched
from bcs_template_set.run.record import RunRecord

SHARES: Mapping[str, Mapping[str, float]] = {
    "plan": {"settings": 0.05, "render": 0.25, "plan": 0.7},
    "publish": {"settings": 0.05, "render": 0.1, "plan": 0.25, "publish": 0.6},
    "deploy": {"settings": 0.02, "render": 0.05, "plan": 0.13, "publish": 0.3, "deploy": 0.5},
}
"""What each phase is of the whole, by action; they add up to 1."""

MOST_OF_A_PHASE = 0.95
"""A phase whose subtasks have all ended still looks back, or fetches pages, before it is over."""

WRITTEN = 0.4
"""What a row has behind it once its files are written, where they are to be deployed too."""

_DONE, _WRONG = ("applied", "unchanged", "skipped"), ("failed",)


def snapshot_of(record: RunRecord) -> Snapshot:
    """Return how far the run of this record is, with what it is working on."""
    rows = _rows(record)
    shares = SHARES.get(record.heading.action, SHARES["publish"])
    value = sum(shares.get(name, 0.0) for name in set(record.gone_well))
    if record.under_way is not None:
        value += shares.get(record.under_way.name, 0.0) * _share_of_phase(record, rows.values())
    subtasks = tuple(_subtask(record, name, row) for name, row in rows.items())
    return Snapshot(value=value, subtasks=subtasks, phases=tuple(_phases(record)))


def finished(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot of a run that ended well: nothing is left to do."""
    return Snapshot(1.0, snapshot.subtasks, snapshot.phases)


def _phases(record: RunRecord) -> Iterable[TimelineItem]:
    for phase in record.phases:
        yield TimelineItem(_name_of(record, phase.name), phase.started_at, phase.seconds)
    if record.under_way is not None:
        yield TimelineItem(_name_of(record, record.under_way.name), record.under_way.started_at)


def _name_of(record: RunRecord, name: str) -> str:
    key = f"progress.phase_{name}"
    return say(key).render(record.language) if known(key) else name


# --- rows -----------------------------------------------------------------------------------------------


@dataclass
class _Row:
    """What a row of the report is made of: its files that are written, its workloads that are waited for."""

    files: list[FileOutcome] = field(default_factory=list)
    workloads: list[Watched] = field(default_factory=list)


def _rows(record: RunRecord) -> dict[str, _Row]:
    """Return the rows that the run works on by their names: domains, and files that belong to none."""
    rows: dict[str, _Row] = {}
    names = {}
    for file in record.files():
        names[file.change.name] = name_of_row(file.change)
        if file.change.writes:
            rows.setdefault(names[file.change.name], _Row()).files.append(file)
    for item in record.watched():
        name = item.workload.file_name
        rows.setdefault(names.get(name, name), _Row()).workloads.append(item)
    return rows


def _share_of_phase(record: RunRecord, rows: Iterable[_Row]) -> float:
    """Return how much of the phase under way is done; files tell nothing of a deployment."""
    if record.under_way is not None and record.under_way.name == "deploy":
        shares = [_share_ready(row) for row in rows if row.workloads]
    else:
        shares = [_share_written(row) for row in rows if row.files]
    return MOST_OF_A_PHASE * sum(shares) / len(shares) if shares else 0.0


def _subtask(record: RunRecord, name: str, row: _Row) -> Subtask:
    """Return a row as the subtask it is from publishing on to the end of its wait: it never goes back."""
    if record.heading.action != "deploy":
        return Subtask(name, _share_written(row), _status_written(row))
    written = _share_written(row) if row.files else 1.0
    share = WRITTEN * written + (1 - WRITTEN) * _share_live(record, row)
    return Subtask(name, share, _status_live(record, row))


def _share_written(row: _Row) -> float:
    return sum(file.state in _DONE for file in row.files) / len(row.files) if row.files else 0.0


def _status_written(row: _Row) -> SubtaskStatus:
    if any(file.state in _WRONG for file in row.files):
        return "failed"
    done = _share_written(row)
    return "succeeded" if done == 1.0 else "running" if done else "pending"


def _share_live(record: RunRecord, row: _Row) -> float:
    return _share_ready(row) if row.workloads else float(_is_live(record, row))


def _is_live(record: RunRecord, row: _Row) -> bool:
    """Tell whether a row is live that has nothing to wait for: known once the phase is over."""
    if "deploy" in record.gone_well:
        return True
    if record.error is None or record.rollout is None:
        return False
    live = {file.name for file in (*record.rollout.deployed, *record.rollout.live_already)}
    return all(file.change.name in live for file in row.files)


def _share_ready(row: _Row) -> float:
    return sum(map(_share_of, row.workloads)) / len(row.workloads)


def _share_of(item: Watched) -> float:
    if item.end in ("ready", "nothing"):
        return 1.0
    status = item.status
    return status.done / status.wanted if status is not None and status.wanted > 0 else 0.0


def _status_live(record: RunRecord, row: _Row) -> SubtaskStatus:
    """Return the status of a row that is to be live: written is only half the way."""
    written = _status_written(row) if row.files else "succeeded"
    if written != "succeeded":
        return written
    ends = {item.end for item in row.workloads}
    if "failed" in ends:
        return "failed"
    if "pending" in ends:
        return "running"
    if ends or _is_live(record, row):
        return "succeeded"
    return "running" if record.error is None else "pending"
