"""Shows how far a run is, wherever somebody can see it: BK-CI's worker, a terminal, or nobody.

The one place that connects a record with `progress.py`: the record says that it moved, and this asks
it how far it is. Nothing is shown before the region has said which form the platform takes, nor after
`finish`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Literal, Optional, Protocol

from bcs_template_set.agent.progress import SECONDS_APART, Progress, ProgressLog
from bcs_template_set.config.regions import Region
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.run_progress import finished, snapshot_of
from bcs_template_set.system.clock import Clock

Audience = Literal["worker", "terminal", "nobody"]


class Stream(Protocol):
    """What is asked of stdout."""

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        ...


def audience_of(environ: Mapping[str, str], stream: Optional[Stream]) -> Audience:
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
    """Shows a record's progress. `move` may be called from several threads; it never fails a run."""

    def __init__(self, log: ProgressLog, *, clock: Clock, audience: Audience) -> None:
        self._log = log
        self._clock = clock
        self._audience = audience
        self._progress: Optional[Progress] = None
        self._looked_at = float("-inf")
        self._lock = threading.RLock()  # a signal's handler may end the run while its thread is in here

    def begin(self, region: Region) -> None:
        """Show from now on, in the form that the region's platform takes."""
        if self._audience == "nobody":
            return
        self._progress = Progress(
            self._log,
            detail=region.progress_detail,
            terminal=self._audience == "terminal",
            clock=self._clock,
        )

    def move(self, record: RunRecord) -> None:
        """Show how far the record is now, unless that was shown a moment ago: to find it out costs too."""
        with self._lock:
            now = self._clock.monotonic()
            if self._progress is None or record.stopped or now - self._looked_at < SECONDS_APART:
                return
            self._looked_at = now
            self._progress.show(snapshot_of(record))

    def finish(self, record: RunRecord, outcome: Outcome) -> None:
        """Show how far the run came, all the way where it ended well, and nothing any more."""
        with self._lock:
            progress, self._progress = self._progress, None
            if progress is None:
                return
            with progress:
                snapshot = snapshot_of(record)
                progress.show(snapshot if outcome.error is not None else finished(snapshot))
