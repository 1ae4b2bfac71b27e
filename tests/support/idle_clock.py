"""Made-up time that passes only while nobody in this process is at work. Linux only: it reads /proc.

So what several threads wait for at once takes the time of one, however busy the machine is.
"""

from __future__ import annotations

import heapq
import threading
import time
from pathlib import Path
from typing import Optional, final

GLIMPSE = 0.001
"""Real seconds that nobody may have worked before time goes on."""

_TASKS = Path("/proc/self/task")
_AT_WORK = ("R", "D")
"""States of a thread that runs, or would if it had a processor."""


@final
class IdleClock:
    """A clock that goes to the next moment somebody waits for, as soon as all threads wait."""

    def __init__(self, *, at: float = 0.0) -> None:
        self.time = at
        self._waited_for: list[float] = []
        self._moved = threading.Condition()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> IdleClock:
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._ticker.join()

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.time

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.time

    def wait(self, seconds: float) -> None:
        """Return when so many made-up seconds have passed."""
        with self._moved:
            until = self.time + max(0.0, seconds)
            heapq.heappush(self._waited_for, until)
            self._moved.wait_for(lambda: self.time >= until)

    def _tick(self) -> None:
        while not self._ended.is_set():
            if not _all_wait():
                continue
            with self._moved:
                if self._waited_for:
                    self.time = max(self.time, heapq.heappop(self._waited_for))
                    self._moved.notify_all()


def _all_wait() -> bool:
    """Tell whether no other thread of this process has worked for a moment, or is about to."""
    before = time.process_time() - time.thread_time()
    threading.Event().wait(GLIMPSE)
    own = threading.get_native_id()
    states = [_state(task) for task in _TASKS.iterdir() if task.name != str(own)]
    return not any(state in _AT_WORK for state in states) and (
        time.process_time() - time.thread_time() - before < GLIMPSE / 10
    )


def _state(task: Path) -> Optional[str]:
    try:
        return (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return None
