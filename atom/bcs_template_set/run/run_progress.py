"""How far a run is, told from its record, and shown wherever somebody can see it.

A phase has a fixed share of the whole, by what the run is to do; within publishing and deploying, the share
is that of what has ended. Where nothing tells how far a phase is, it counts once it is over, unless it
failed. A subtask is a row of the report: a domain, or a file that belongs to none. Nothing is shown before
the region has said which form the platform takes, nor after `finish`.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Callable, Literal, Optional, TextIO

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.progress_payload import (
    Snapshot,
    Subtask,
    SubtaskStatus,
    TimelineItem,
    build_detail,
    clamped,
    clean_name,
    summary_of,
)
from bcs_template_set.config.regions import Region
from bcs_template_set.manifests.kind_rules import DONE, SETTLED
from bcs_template_set.messages import say
from bcs_template_set.messages.state_words import FileState
from bcs_template_set.messages.text import shorten
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.file_states import STATES, endings_of
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.rollout.watched import Watched
from bcs_template_set.run.record import RunRecord
from bcs_template_set.system.clock import Clock

SHARES: Mapping[str, Mapping[str, float]] = {
    "doctor": {"doctor": 1.0},
    "plan": {"settings": 0.05, "render": 0.25, "plan": 0.7},
    "publish": {"settings": 0.05, "render": 0.1, "plan": 0.25, "publish": 0.6},
    "rollback": {"settings": 0.02, "plan": 0.28, "deploy": 0.7},
    "deploy": {"settings": 0.02, "render": 0.05, "plan": 0.13, "publish": 0.3, "deploy": 0.5},
}
"""What each phase is of the whole, by action; they add up to 1."""

MOST_OF_A_PHASE = 0.95
"""A phase whose subtasks have all ended still looks back, or fetches pages, before it is over."""

WRITTEN = 0.4
"""What a row has behind it once its files are written, where they are to be deployed too."""

SECONDS_APART = 1.0
"""The worker passes progress on every 2 s (bk-ci's `Heartbeat.kt`), so more often helps nobody."""

_STATUSES: Mapping[FileState, SubtaskStatus] = {
    **dict.fromkeys(STATES, "succeeded"),
    **dict.fromkeys(("failed", "live-not-ready", "rolling-out", "partly-deployed", "restored"), "failed"),
    **dict.fromkeys(("unknown", "not-deployed", "not-attempted", "planned"), "pending"),
}
_ON_THE_WAY: tuple[FileState, ...] = ("live-not-ready", "rolling-out", "partly-deployed")
"""What fails a run if it is so in the end, and may yet become ready before."""

_ONLY_WRITTEN: tuple[FileState, ...] = ("published", "unchanged", "skipped")
_KNOWN_AT_THE_END: tuple[FileState, ...] = (*_ONLY_WRITTEN, "deployed", "live", "unknown", "not-deployed")
"""What a file without workloads is while it is deployed, and what it is yet to be."""


def snapshot_of(record: RunRecord) -> Snapshot:
    """Return how far the run of this record is, with what it is working on."""
    rows = _rows(record)
    shares = SHARES.get(record.heading.action, SHARES["publish"])
    value = sum(shares.get(name, 0.0) for name in set(record.gone_well))
    if record.under_way is not None:
        name = record.under_way.name
        value += shares.get(name, 0.0) * _share_of_phase(name, rows.values())
    subtasks = tuple(_subtask(record, name, row) for name, row in rows.items())
    return Snapshot(value=value, subtasks=subtasks, phases=tuple(_phases(record)))


def _phases(record: RunRecord) -> Iterable[TimelineItem]:
    def named(name: str) -> str:
        return say(f"progress.phase_{name}").render(record.language)

    for phase in record.phases:
        yield TimelineItem(named(phase.name), phase.started_at, phase.seconds)
    if record.under_way is not None:
        yield TimelineItem(named(record.under_way.name), record.under_way.started_at)


# --- rows -----------------------------------------------------------------------------------------------


@dataclass
class _Row:
    """What a row of the report is made of: its files that are written, its workloads that are waited for.

    `states` are those of the files, and of the files that the workloads come from.
    """

    files: list[FileOutcome] = field(default_factory=list)
    workloads: list[Watched] = field(default_factory=list)
    states: dict[str, FileState] = field(default_factory=dict)


def _rows(record: RunRecord) -> dict[str, _Row]:
    """Return the rows that the run works on by their names: domains, and files that belong to none."""
    rows: dict[str, _Row] = {}
    states = {name: ending.state for name, ending in endings_of(record.tell("failed")).items()}
    names = {file.change.name: file.change.row for file in record.files()}
    for file in [file for file in record.files() if file.change.writes]:
        row = rows.setdefault(names[file.change.name], _Row())
        row.files.append(file)
        row.states[file.change.name] = states[file.change.name]
    for item in record.watched():
        if item.workload.was_live and item.end in DONE:
            continue  # nothing was done to it
        name = item.workload.file_name
        row = rows.setdefault(names[name], _Row())
        row.workloads.append(item)
        row.states[name] = states[name]
    return rows


def _share_of_phase(name: str, rows: Iterable[_Row]) -> float:
    """Return how much of the phase under way is done; files tell nothing of a deployment."""
    if name == "deploy":
        shares = [_share_ready(row.workloads) for row in rows if row.workloads]
    else:
        shares = [_share_written(row.files) for row in rows]
    return MOST_OF_A_PHASE * sum(shares) / len(shares) if shares else 0.0


def _subtask(record: RunRecord, name: str, row: _Row) -> Subtask:
    """Return a row as the subtask it is from publishing on to the end of its wait: it never goes back."""
    status, written = _status(record, row), _share_written(row.files)
    if record.heading.action != "deploy":
        return Subtask(name, written, status)
    live = _share_ready(row.workloads) if row.workloads else float(status == "succeeded")
    return Subtask(name, WRITTEN * written + (1 - WRITTEN) * live, status)


def _status(record: RunRecord, row: _Row) -> SubtaskStatus:
    found = {_status_of(record, state, waited_for=bool(row.workloads)) for state in row.states.values()}
    if "failed" in found or len(found) == 1:
        return "failed" if "failed" in found else found.pop()
    return "running"


def _status_of(record: RunRecord, state: FileState, *, waited_for: bool) -> SubtaskStatus:
    """Return what a file is of a row: where it is to be live, written is only half the way."""
    if state in _ON_THE_WAY and record.error is None:
        return "running"
    if record.heading.action != "deploy" or state not in _KNOWN_AT_THE_END:
        return _STATUSES[state]
    if "deploy" not in record.gone_well and record.error is None and not waited_for:
        return "running"
    return "pending" if state in _ONLY_WRITTEN and record.error is not None else _STATUSES[state]


def _share_written(files: Sequence[FileOutcome]) -> float:
    done = sum(file.state in ("applied", "unchanged", "skipped") for file in files)
    return done / len(files) if files else 1.0


def _share_ready(workloads: Sequence[Watched]) -> float:
    return sum(map(_share_of, workloads)) / len(workloads)


def _share_of(item: Watched) -> float:
    if item.end in SETTLED:
        return 1.0
    status = item.status
    return status.done / status.wanted if status is not None and status.wanted > 0 else 0.0


# --- who sees it ----------------------------------------------------------------------------------------

Audience = Literal["worker", "terminal", "nobody"]


def audience_of(environ: Mapping[str, str], stream: Optional[TextIO]) -> Audience:
    """Return who can see progress: a terminal that can erase, an agent (facts/agent.md, "Start"), or nobody.

    A terminal comes first: BK-CI's worker reads stdout through a pipe.
    """
    try:
        at_terminal = stream is not None and stream.isatty()
    except ValueError:  # closed
        return "nobody"
    if at_terminal:
        return "nobody" if environ.get("TERM") == "dumb" else "terminal"
    return "worker" if environ.get("bk_data_dir") else "nobody"


class ShownProgress:
    """Shows a record's progress: changes only, and never backwards, whatever it is told.

    To BK-CI's worker it goes by `::set-progress-rate`, to a terminal as a live line of so many `columns`.
    `move` may be called from several threads; it never fails a run.
    """

    def __init__(
        self, log: Log, *, clock: Clock, audience: Audience, columns: Optional[Callable[[], int]] = None
    ) -> None:
        self._log = log
        self._clock = clock
        self._audience = audience
        self._columns = columns or (lambda: shutil.get_terminal_size().columns)
        self._is_shown = self._detail = False
        self._looked_at = float("-inf")
        self._furthest = 0.0
        self._furthest_of: dict[str, float] = {}
        self._told: JsonValue = None
        self._lock = threading.RLock()  # a signal's handler may end the run while its thread is in here

    def begin(self, region: Region) -> None:
        """Show from now on, in the form that the region's platform takes."""
        self._is_shown, self._detail = self._audience != "nobody", region.progress_detail

    def move(self, record: RunRecord) -> None:
        """Show how far the record is now, unless that was shown a moment ago: to find it out costs too."""
        with self._lock:
            now = self._clock.monotonic()
            if not self._is_shown or record.stopped or now - self._looked_at < SECONDS_APART:
                return
            self._looked_at = now
            self.show(snapshot_of(record))

    def finish(self, record: RunRecord, outcome: Outcome) -> None:
        """Show how far the run came, all the way where it ended well, and nothing any more."""
        with self._lock:
            if self._is_shown and self._audience == "terminal":
                self._log.live("")
            elif self._is_shown:
                snapshot = snapshot_of(record)
                self.show(snapshot if outcome.error is not None else replace(snapshot, value=1.0))
            self._is_shown = False

    def show(self, snapshot: Snapshot) -> None:
        """Tell how far the run is, where that is not what was told last."""
        payload = self._payload(self._forward(snapshot))
        if payload == self._told:
            return
        self._told = payload
        if isinstance(payload, str):
            self._log.live(payload)
        else:
            self._log.progress(payload)

    def _forward(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with nothing in it less far than it was."""
        self._furthest = max(self._furthest, clamped(snapshot.value))
        subtasks = tuple(self._forward_subtask(subtask) for subtask in snapshot.subtasks)
        return replace(snapshot, value=self._furthest, subtasks=subtasks)

    def _forward_subtask(self, subtask: Subtask) -> Subtask:
        given = 1.0 if subtask.status == "succeeded" else clamped(subtask.progress)
        furthest = max(given, self._furthest_of.get(subtask.name, 0.0))
        self._furthest_of[subtask.name] = furthest
        return replace(subtask, progress=furthest)

    def _payload(self, snapshot: Snapshot) -> JsonValue:
        mask = self._log.masker.mask
        if self._audience == "terminal":
            return live_line(snapshot, columns=self._columns() - 1, mask=mask)
        return (
            build_detail(snapshot, language=self._log.language, mask=mask) if self._detail else snapshot.value
        )


def live_line(snapshot: Snapshot, *, columns: int, mask: Callable[[str], str]) -> str:
    """Return a snapshot as one line: the share, how many have ended, the phase, and what is under way."""
    phases = [phase.name for phase in snapshot.phases if phase.seconds is None]
    running = [subtask.name for subtask in snapshot.subtasks if subtask.status == "running"]
    names = [clean_name(mask(name)) for name in phases + running[:3]]
    parts = [f"{int(snapshot.value * 100):3d}%", summary_of(snapshot.subtasks), *names]
    return shorten("  ".join(part for part in parts if part), max(1, columns))
