"""How long BCS takes for a deployment, and how long the gateway waits for it. Performs no I/O.

BCS applies an object after the other; the gateway ends the wait after 60 seconds, and BCS stops where it is,
since the caller's hanging up cancels it (facts/bcs.md, trap 7, seen live).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable


class HungUp(Exception):
    """The gateway no longer waits: what BCS has not done by now it does not do."""


def at_once(_seconds: float) -> None:
    """Wait for nothing."""


@dataclass(frozen=True)
class Pace:
    """Seconds for each object of a deployment and of a preview, and the gateway's patience. `wait` waits."""

    deploy: float = 0.0
    preview: float = 0.0
    patience: float = 60.0
    wait: Callable[[float], None] = at_once

    def work(self, *, dry_run: bool) -> Work:
        """Return the work of one request, before its first object."""
        return Work(self, self.preview if dry_run else self.deploy)


@dataclass
class Work:
    """What one request has taken so far."""

    pace: Pace
    each: float
    taken: float = 0.0

    def take(self) -> None:
        """Take the time for one object, or raise HungUp when the gateway's patience is over before."""
        seconds = min(self.each, self.pace.patience - self.taken)
        self.taken += self.each
        if self.each:
            self.pace.wait(seconds)
        if self.taken > self.pace.patience:
            raise HungUp
