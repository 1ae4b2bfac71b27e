"""What the operating system bounds of a child process: memory and the processor's time.

Windows has no such bounds, and macOS none of memory: there the parent's clock ends a child.
"""

from __future__ import annotations

import math
import signal
from types import FrameType
from typing import Callable, NamedTuple, Optional

try:
    import resource
except ImportError:
    _HAS_BOUNDS = False
else:
    _HAS_BOUNDS = True

_OVER: signal.Signals = getattr(signal, "SIGXCPU", signal.SIGTERM)
"""What says in a child that its time is over: sent by the kernel, by the parent, or by itself."""

_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP")
"""A terminal or a build machine sends these to all processes: the parent answers them, and ends its child."""

_TO_SPEAK_SECONDS = 2
_TO_SPEAK_MEMORY = 64 * 2**20
"""What is left above the bounds to say that they are reached, and where."""


class Limits(NamedTuple):
    """How much a child may take: seconds in all, seconds of the processor, and memory (its address space)."""

    seconds: float = 30
    cpu_seconds: float = 30
    mebibytes: int = 512


def confine(limits: Limits) -> None:
    """Bound this process, as far as the system can; what it holds is never dumped into a file."""
    if not _HAS_BOUNDS:
        return
    seconds, memory = math.ceil(limits.cpu_seconds), limits.mebibytes * 2**20
    _set(resource.RLIMIT_CORE, 0, 0)
    _set(resource.RLIMIT_CPU, seconds, seconds + _TO_SPEAK_SECONDS)
    _set(resource.RLIMIT_AS, memory, memory + _TO_SPEAK_MEMORY)


def _set(what: int, soft: int, hard: int) -> None:
    """Set a limit, never above the one that this process was started with."""
    _, most = resource.getrlimit(what)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(what, (soft, hard))


def leave_room_to_speak() -> None:
    """Let this process, which has used up its memory, have what it needs to say so."""
    if _HAS_BOUNDS:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def when_over(call: Callable[[Optional[FrameType]], object]) -> None:
    """Have `call` get the frame that the main thread is at when the time is over; hear no other signal.

    Once: where a template has used the processor all the time, the kernel and the parent say so in the same
    moment, and the second must not stop what tells the first.
    """

    def stop(_number: int, frame: Optional[FrameType]) -> None:
        signal.signal(_OVER, signal.SIG_IGN)
        call(frame)

    for name in _IGNORED:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(_OVER, stop)


def end_this() -> None:
    """Say in this very process that its time is over."""
    signal.raise_signal(_OVER)


def hurry(send: Callable[[int], object], *, kill: Callable[[], object]) -> None:
    """Say to a child that its time is over; where it could not hear that, end it."""
    if _OVER is signal.SIGTERM:
        kill()
    else:
        send(_OVER)
