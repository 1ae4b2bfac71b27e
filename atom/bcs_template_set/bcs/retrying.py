"""When to send again, as a small value. Performs no I/O."""

from __future__ import annotations

from typing import Optional

from bcs_template_set.bcs.decision import RetryAfter
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is sent at most, and how long to wait in between, in seconds.

    Waits double from `first_wait` up to `longest_wait`, from a tenth of it where it may be soon, each
    shortened by chance to as little as its half, so that requests which failed together do not come back
    together. A rate limit is counted apart: it lifts by itself. All that one call waits for limits is at most
    `longest_limit`, whoever met them.
    """

    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 8.0
    limited_attempts: int = 20
    longest_limit: float = 600.0

    def wait(
        self, retry: RetryAfter, *, failures: int, limits: int, chance: float, waited: float
    ) -> Optional[float]:
        """Return the seconds to wait before sending again, None to give up.

        `failures` and `limits` are how often this request has failed and been limited so far, this time
        included; `chance` is from 0 to 1; `waited` are the seconds it has waited for limits already.
        """
        if retry.slows_all:
            first = self.first_wait / 10 if retry.soon else self.first_wait
            chosen = self._backoff(limits, chance=chance, first=first)
            seconds = chosen if retry.seconds is None else retry.seconds
            return (
                seconds if limits < self.limited_attempts and waited + seconds <= self.longest_limit else None
            )
        most = self.attempts if retry.most_attempts is None else min(self.attempts, retry.most_attempts)
        return self._backoff(failures, chance=chance, first=self.first_wait) if failures < most else None

    def _backoff(self, failures: int, *, chance: float, first: float) -> float:
        return min(self.longest_wait, first * 2.0 ** (failures - 1)) * (1 - chance / 2)
