"""Tells how far the run is: to BK-CI's worker by `::set-progress-rate`, to a terminal by a live line.

Changes only, and never backwards, whatever it is told.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Callable, final

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.agent.log import Log
from bcs_template_set.agent.progress_payload import (
    Snapshot,
    Subtask,
    build_detail,
    clamped,
    clean_name,
    summary_of,
)
from bcs_template_set.messages.text import shorten


def terminal_columns() -> int:
    """Return how many columns the terminal has."""
    return shutil.get_terminal_size().columns


@final
class Progress:
    """Shows snapshots of a run.

    `detail` is for workers that take the JSON form, `terminal` for a reader at a terminal and no agent.
    """

    def __init__(
        self, log: Log, *, detail: bool, terminal: bool, columns: Callable[[], int] = terminal_columns
    ) -> None:
        self._log = log
        self._detail = detail
        self._terminal = terminal
        self._columns = columns
        self._furthest = 0.0
        self._furthest_of: dict[str, float] = {}
        self._told: JsonValue = None

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

    def finish(self, snapshot: Snapshot) -> None:
        """Tell how far the run came, or leave no live line behind."""
        if self._terminal:
            self._log.live("")
        else:
            self.show(snapshot)

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
