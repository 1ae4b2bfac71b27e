"""How many requests may be under way at once: a rule over what became of those before. Performs no I/O.

The limit begins at `START` and doubles while the median answer takes no longer than `SLOWER` times the
quickest one to the same question; a refusal for load, or none in time, halves it, and takes it back to
`START`. It is never above the ceiling. Answers in rounds that nobody waits in double what may be tried, and
it is tried once `START` at a time have gone well: so a gateway that takes fewer refuses no more than it ever
did. What is refused for being too many at once tells how many are not. After a refusal one request goes ahead
of the others. Where the gateway says how many it still takes in a while, no more are sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import inf
from typing import Literal, Optional, Union

from bcs_template_set.bcs.seen import gateway_code_in
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent

START = 8
SLOWER = 1.5

QUIET = 60.0
"""Seconds after a halving in which the limit does not grow: what was too much may be so for a window."""

ROUNDED = 0.5
"""Seconds that a window may last longer than the gateway says (facts/gateway.md, "Limits")."""

LONGEST_HELD = 60.0
"""Seconds to the next window that are waited for; above, one request after the other goes and is told."""

REFUSED, LATE = (429, 503), (504,)
"""Statuses that tell of load; what is slow by nature may be late without any."""

TOO_MANY_AT_ONCE = 1642904
"""The gateway's code for what is refused while so many are under way (facts/gateway.md, "Limits")."""

Load = Literal["carried", "too much", "unknown"]


@dataclass(frozen=True)
class Quota:
    """How many requests the gateway takes in a window, how many that leaves, and the seconds to its end."""

    whole: int
    left: int
    seconds: float


@dataclass(frozen=True)
class Heard:
    """What an attempt tells of the load. Only answers to the same `question` are compared, "" to none.

    What was too much may be so only `at_once`, at any time.
    """

    load: Load
    question: str = ""
    quota: Optional[Quota] = None
    at_once: bool = False


@dataclass(frozen=True)
class Permit:
    """The permission for one attempt: when it was given, and how often the limit had changed by then.

    `level` is how many attempts were under way with it.
    """

    at: float
    turn: int
    level: int


class Pace:
    """Who may send, for all threads of one gateway; whoever uses it holds a lock. Times are monotonic."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = self._within_reach = min(START, ceiling)
        self.under_way = 0
        self._turn = 0
        self._last_halving = 0
        self._proven = 1
        self._turn_refused = 0
        self._quiet_until = -inf
        self._probe: Optional[Literal["due", "out"]] = None
        self._someone_waited = False
        self._quickest: dict[str, float] = {}
        self._slowness: deque[float] = deque(maxlen=self.limit)
        self._whole = self._left = ceiling
        self._window_ends = -inf

    def take(self, now: float) -> Union[Permit, float]:
        """Return a permit, or after how many seconds to ask again: infinity is "when one is given back"."""
        to_next = self._window_ends - now
        left = self._left if to_next > 0 else self._whole
        if left == 0 and 0 < to_next <= LONGEST_HELD:
            return to_next
        if self._probe == "out" or self.under_way >= min(self.limit, max(1, left)):
            if not self._someone_waited:
                self._someone_waited = True
                self._slowness.clear()  # a round at the limit begins with what is under way
            return inf
        if self._probe == "due":
            self._probe = "out"
        self.under_way += 1
        return Permit(now, self._turn, self.under_way)

    def give_back(self, permit: Permit, heard: Heard, *, now: float) -> None:
        """Take back a permit, and learn from what its attempt told."""
        self.under_way -= 1
        if heard.quota is not None:
            self._learn_quota(heard.quota, permit, now=now)
        if permit.turn >= self._last_halving:
            self._probe = None
            if heard.load == "too much":
                self._turn_refused = permit.turn
                self._halve(now, well=permit.level - 1 if heard.at_once else START)
        elif permit.turn >= self._turn_refused and heard.at_once:  # of the same burst
            self.limit = min(self.limit, max(self._proven, permit.level - 1))
        if heard.load == "carried" and heard.question:
            self._learn_time(heard.question, now - permit.at, turn=permit.turn)
            if now >= self._quiet_until and self._is_as_quick():
                self._grow()

    def _learn_quota(self, quota: Quota, permit: Permit, *, now: float) -> None:
        """Answers overtake each other, so in one window the smallest number counts.

        The first answer of a window names its whole length, which is no fraction.
        """
        is_new = permit.at >= self._window_ends
        self._left = quota.left if is_new else min(self._left, quota.left)
        is_first = quota.left == quota.whole - 1
        ends = now + quota.seconds + (0.0 if is_first else ROUNDED)
        self._window_ends = ends if is_new or is_first else min(self._window_ends, ends)
        self._whole = quota.whole

    def _learn_time(self, question: str, seconds: float, *, turn: int) -> None:
        quickest = min(seconds, self._quickest.get(question, inf))
        self._quickest[question] = quickest
        if turn == self._turn or not self._someone_waited:
            self._slowness.append(seconds / quickest if quickest > 0 else 1.0)

    def _is_as_quick(self) -> bool:
        """Tell whether more may go: each answer says so while nobody has to wait, else a whole round."""
        enough = self.limit if self._someone_waited else 1
        ordered = sorted(self._slowness)
        count = len(ordered)
        return count >= enough and ordered[(count - 1) // 2] + ordered[count // 2] <= 2 * SLOWER

    def _grow(self) -> None:
        if self._someone_waited:
            self._proven = self.limit
            self._change(min(self.ceiling, max(2 * self.limit, self._within_reach)))
        elif not self._last_halving:
            self._within_reach = min(self.ceiling, 2 * self._within_reach)

    def _halve(self, now: float, *, well: int) -> None:
        """Go back to half at least, and to what may go `well`, or has gone so before."""
        if well < self._proven:
            self._proven = 1
        self._change(max(1, min(self.limit // 2, max(self._proven, well))))
        self._last_halving, self._quiet_until, self._within_reach = self._turn, now + QUIET, 1
        self._probe = "due"  # at once: what is under way still may be a deployment, which takes long

    def _change(self, limit: int) -> None:
        self.limit = limit
        self._turn += 1
        self._someone_waited = False
        self._slowness = deque(maxlen=limit)


def heard_from(reply: Union[HttpAnswer, NotSent, NoAnswer, None], *, question: str, is_slow: bool) -> Heard:
    """Return what a reply tells of the load, None being none that was waited for.

    What `is_slow` by its nature takes as long as what it carries, and tells nothing by that.
    """
    if isinstance(reply, HttpAnswer):
        load = _load_of(reply.status, is_slow=is_slow)
        at_once = gateway_code_in(reply.headers) == TOO_MANY_AT_ONCE
        return Heard(load, "" if is_slow else question, _quota_in(reply.headers), at_once=at_once)
    is_late = reply is not None and reply.kind == "timeout" and not is_slow
    return Heard("too much" if is_late else "unknown")


def _load_of(status: int, *, is_slow: bool) -> Load:
    if status in REFUSED or (status in LATE and not is_slow):
        return "too much"
    return "carried" if status < 300 else "unknown"  # noqa: PLR2004 - HTTP's classes


def _quota_in(headers: Mapping[str, str]) -> Optional[Quota]:
    """Return the quota that an answer tells, None for none.

    One of a single resource may be used up while others are not: then one request is left, to find out.
    """
    told = [headers.get(f"x-bkapi-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(map(_is_number, told)):
        return None
    whole, left, seconds = map(int, told)
    of_a_resource = "resource" in headers.get("x-bkapi-ratelimit-plugin", "")
    return Quota(whole, max(left, 1 if of_a_resource else 0), seconds)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - beyond all that is counted
