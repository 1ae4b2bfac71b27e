"""Signals that end a process -> one exception in the main thread, so that a stopped run still speaks."""

from __future__ import annotations

import signal
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Optional

from bcs_template_set.clock import SystemClock

STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
"""BK-CI's worker sends SIGTERM when a build is cancelled; SIGBREAK is its like on Windows."""


A_MOMENT = 0.01
"""Seconds until a signal that came where it would go unheard is taken up again."""

_CALLED_BY_THE_COLLECTOR = frozenset(
    {
        (weakref.finalize.__call__.__code__.co_filename, "__call__"),
        (weakref.finalize.__call__.__code__.co_filename, "remove"),
        (weakref.WeakSet.__init__.__code__.co_filename, "_remove"),
        ("<frozen importlib._bootstrap>", "cb"),
    }
)
"""Files and names of the functions that CPython calls by itself (3.9 to 3.13)."""


class Stopped(BaseException):
    """The run is being stopped from outside. No `except Exception` catches it."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


class Interruption:
    """Whether a signal still stops the run. `close()` once the verdict is being written: it must stand."""

    def __init__(self) -> None:
        self._open = True

    def listen(self) -> None:
        """Take the signals that were held back, if any were: one that has come already stops the run here."""
        if hasattr(signal, "pthread_sigmask"):  # pragma: no branch - not on Windows
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _known_signals())

    def close(self) -> None:
        """Let signals change nothing from now on."""
        self._open = False

    def take(self) -> bool:
        """Tell whether this signal is the one that stops the run; the first one is, while it still may."""
        may, self._open = self._open, False
        return may


def hold_signals() -> None:
    """Let stop signals wait until somebody `listen`s, where the system can do that.

    So one that comes while the step is still being imported is answered as any other: by a verdict.
    """
    if hasattr(signal, "pthread_sigmask"):  # pragma: no branch - not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, _known_signals())


def _known_signals() -> list[signal.Signals]:
    return [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]


@contextmanager
def stoppable(clock: SystemClock) -> Iterator[Interruption]:
    """Raise `Stopped` in the main thread on the first stop signal, and end all waiting.

    Where an exception would go unheard, it waits until that place is left.

    For the whole rest of a process: afterwards the signals are ignored, since the verdict is written and
    the interpreter's own last moments must not turn it into a killed process.
    """
    interruption = Interruption()

    def stop(number: int, frame: Optional[FrameType]) -> None:
        if is_unheard(frame):
            once_more = threading.Timer(A_MOMENT, signal.raise_signal, [number])
            once_more.daemon = True
            once_more.start()
        elif interruption.take():
            clock.interrupt()
            raise Stopped(signal.Signals(number).name)

    known = _known_signals()
    for number in known:
        signal.signal(number, stop)
    try:
        yield interruption
    finally:
        for number in known:
            signal.signal(number, signal.SIG_IGN)


def is_unheard(frame: Optional[FrameType]) -> bool:
    """Tell whether an exception raised in this frame is printed and forgotten, and the stop lost with it.

    So it is below whatever the interpreter calls by itself when an object goes: finalizers, `__del__`, and
    the callbacks of weak references, those of the import system included.
    """
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or (code.co_filename, code.co_name) in _CALLED_BY_THE_COLLECTOR:
            return True
        frame = frame.f_back
    return False
