"""What ends a run from outside -> one exception in the main thread, so that a stopped run still speaks.

That is a signal, or the end of the time it has: whatever is under way is left, also what looks at no clock.
"""

from __future__ import annotations

import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Optional

from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.clock import Clock, SystemClock

STOP_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
"""BK-CI's worker sends SIGTERM when a build is cancelled; SIGBREAK is its like on Windows."""


A_MOMENT = 0.01
"""Seconds until a signal that came where it would go unheard is taken up again."""

A_LONG_TIME = 1_000_000.0
"""Seconds after which no alarm is asked for: a system takes no larger numbers than it can count."""

Alarm = Callable[[float], Callable[[], object]]
"""Has this process get a signal after so many seconds, and returns what calls that off."""

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
    """The run is being stopped from outside; `error` says by what. No `except Exception` catches it."""

    def __init__(self, error: StepError) -> None:
        super().__init__(error)
        self.error = error


class Interruption:
    """Whether a signal still stops the run. `close()` once the verdict is being written: it must stand.

    What is `limited` is stopped at its moment all the same.
    """

    def __init__(self, clock: Clock, *, alarm: Alarm) -> None:
        self._clock = clock
        self._alarm = alarm
        self._open = True
        self._limit: Optional[tuple[float, StepError]] = None

    def listen(self) -> None:
        """Take the signals that were held back, if any were: one that has come already stops the run here."""
        if hasattr(signal, "pthread_sigmask"):  # pragma: no branch - not on Windows
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _known_signals())

    def close(self) -> None:
        """Let signals change nothing from now on."""
        self._open = False

    @contextmanager
    def limited(self, until: Optional[float], *, seconds: int) -> Iterator[None]:
        """Raise `Stopped` inside once the clock's monotonic time is `until`; None is never.

        `seconds` is the time that the whole run has, for the error to say.
        """
        if until is None:
            yield
            return
        self._limit = (until, OutOfTime(seconds=seconds))
        disarm = self._alarm(max(A_MOMENT, until - self._clock.monotonic()))
        try:
            yield
        finally:
            self._limit = None
            disarm()

    def take(self, number: int) -> Optional[StepError]:
        """Return what this signal stops the run for: its time is over, or it is the first stop signal."""
        if self._limit is not None and self._clock.monotonic() >= self._limit[0]:
            _, error = self._limit
            self._open, self._limit = False, None
            return error
        if not self._open or number == _ALARM:
            return None
        self._open, self._limit = False, None
        return Interrupted(signal=signal.Signals(number).name)


def hold_signals() -> None:
    """Let stop signals wait until somebody `listen`s, where the system can do that.

    So one that comes while the step is still being imported is answered as any other: by a verdict.
    """
    if hasattr(signal, "pthread_sigmask"):  # pragma: no branch - not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK, _known_signals())


_ALARM: Optional[signal.Signals] = getattr(signal, "SIGALRM", None)
"""What tells that the time is over; on Windows, which has none, any stop signal after that moment does."""


def alarm(seconds: float) -> Callable[[], object]:
    """Have this process get a signal after so many seconds; return what calls that off."""
    seconds = min(seconds, A_LONG_TIME)
    if _ALARM is not None:
        # Not a thread's doing: what holds the interpreter for long, as `re` may, lets no thread run.
        signal.setitimer(signal.ITIMER_REAL, seconds)
        return lambda: signal.setitimer(signal.ITIMER_REAL, 0)
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGTERM])
    timer.daemon = True
    timer.start()
    return timer.cancel


def _known_signals() -> list[signal.Signals]:
    return [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]


@contextmanager
def stoppable(clock: SystemClock) -> Iterator[Interruption]:
    """Raise `Stopped` in the main thread on the first stop signal or at a limit, and end all waiting.

    Where an exception would go unheard or become another, it waits until that place is left.

    For the whole rest of a process: afterwards the signals are ignored, since the verdict is written and
    the interpreter's own last moments must not turn it into a killed process.
    """
    interruption = Interruption(clock, alarm=alarm)
    main_thread = threading.get_ident()

    def send_again(number: int) -> None:
        if hasattr(signal, "pthread_kill"):  # else it comes in the timer's thread, and the main one waits on
            signal.pthread_kill(main_thread, number)
        else:  # pragma: no cover - on Windows
            signal.raise_signal(number)

    def stop(number: int, frame: Optional[FrameType]) -> None:
        if is_unheard(frame):
            once_more = threading.Timer(A_MOMENT, send_again, [number])
            once_more.daemon = True
            once_more.start()
            return
        error = interruption.take(number)
        if error is not None:
            clock.interrupt()
            raise Stopped(error)

    known = [*_known_signals(), *([_ALARM] if _ALARM is not None else ())]
    for number in known:
        signal.signal(number, stop)
    try:
        yield interruption
    finally:
        interruption.close()
        for number in known:
            signal.signal(number, signal.SIG_IGN)


def is_unheard(frame: Optional[FrameType]) -> bool:
    """Tell whether an exception raised in this frame is printed and forgotten, and the stop lost with it.

    So it is below whatever the interpreter calls by itself when an object goes: finalizers, `__del__`, and
    the callbacks of weak references, those of the import system included. Below `__set_name__`, while a class
    is made, it becomes a `RuntimeError` before Python 3.12, and would be told as a defect of ours.
    """
    while frame is not None:
        code = frame.f_code
        if (
            code.co_name in ("__del__", "__set_name__")
            or (code.co_filename, code.co_name) in _CALLED_BY_THE_COLLECTOR
        ):
            return True
        frame = frame.f_back
    return False
