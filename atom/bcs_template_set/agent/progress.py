"""Tells how far the run is: to BK-CI's worker by `::set-progress-rate`, to a terminal by a live line.

Changes only, at most one a second but for the last, and never backwards, whatever it is told and by
whichever thread. A change that comes too early is held until the next one or until `finish`.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from types import TracebackType
from typing import Callable, Optional, Protocol, final

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.progress_payload import (
    Snapshot,
    Subtask,
    SubtaskStatus,
    TimelineItem,
    build_detail,
    clamped,
    clean_name,
    share_done,
    summary_of,
)
from bcs_template_set.messages import Language
from bcs_template_set.messages.text import shorten
from bcs_template_set.system.clock import Clock

__all__ = ["Progress", "ProgressLog", "Snapshot", "Subtask", "SubtaskStatus", "TimelineItem", "share_done"]

SECONDS_APART = 1.0
"""The worker passes progress on every 2 s (bk-ci's `Heartbeat.kt`), so more often helps nobody."""


class ProgressLog(Protocol):
    """The log, as far as progress is told through it."""

    language: Language
    masker: Masker

    def progress(self, payload: JsonValue) -> None:
        """Print the worker's command."""
        ...

    def live(self, line: str) -> None:
        """Show a line on a terminal in place of the one before; "" takes it away."""
        ...


def terminal_columns() -> int:
    """Return how many columns the terminal has."""
    return shutil.get_terminal_size().columns


@final
class Progress:
    """Shows snapshots of a run. Safe to use from several threads; use it as a context, or call `finish`.

    `detail` is for workers that take the JSON form, `terminal` for a reader at a terminal and no agent.
    """

    def __init__(
        self,
        log: ProgressLog,
        *,
        detail: bool,
        terminal: bool,
        clock: Clock,
        columns: Callable[[], int] = terminal_columns,
    ) -> None:
        self._log = log
        self._detail = detail
        self._terminal = terminal
        self._clock = clock
        self._columns = columns
        self._lock = threading.RLock()  # a signal's handler may end the run while its thread is in here
        self._furthest = 0.0
        self._furthest_of: dict[str, float] = {}
        self._held: Optional[Snapshot] = None
        self._told: JsonValue = None
        self._told_at = float("-inf")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.finish()

    def show(self, snapshot: Snapshot) -> None:
        """Tell how far the run is, now or, within a second of the last time, later."""
        with self._lock:
            self._held = self._forward(snapshot)
            if self._clock.monotonic() - self._told_at >= SECONDS_APART:
                self._tell()

    def finish(self) -> None:
        """Tell what is held back, and leave no live line behind."""
        with self._lock:
            if self._terminal:
                self._log.live("")
                self._held = self._told = None
            else:
                self._tell()

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

    def _tell(self) -> None:
        if self._held is None:
            return
        payload = self._payload(self._held)
        self._held = None
        if payload == self._told:
            return
        self._told, self._told_at = payload, self._clock.monotonic()
        if isinstance(payload, str):
            self._log.live(payload)
        else:
            self._log.progress(payload)

    def _payload(self, snapshot: Snapshot) -> JsonValue:
        if self._terminal:
            return live_line(snapshot, columns=self._columns() - 1, mask=self._log.masker.mask)
        if self._detail:
            return build_detail(snapshot, language=self._log.language, mask=self._log.masker.mask)
        return snapshot.value


def live_line(snapshot: Snapshot, *, columns: int, mask: Callable[[str], str]) -> str:
    """Return a snapshot as one line: the share, how many have ended, the phase, and what is under way."""
    phases = [phase.name for phase in snapshot.phases if phase.seconds is None]
    running = [subtask.name for subtask in snapshot.subtasks if subtask.status == "running"]
    names = [clean_name(mask(name)) for name in phases[-1:] + running[:3]]
    parts = [f"{int(snapshot.value * 100):3d}%", summary_of(snapshot.subtasks), *names]
    return shorten("  ".join(part for part in parts if part), max(1, columns))
