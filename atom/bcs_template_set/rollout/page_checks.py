"""Whether what was rolled out has arrived: pages fetched as a visitor would, until they show the new text.

`judge` decides, without I/O, what one answer means; `verify_arrivals` sends. A page has arrived when its last
answer is a 2xx that came to its end, and its first 1 MiB hold the text that was asked for. All that is in the
way may pass (a load balancer still starting, its old certificate, the old build), so it is tried again for a
while.

No request carries a credential or a cookie, and none goes to a host that the author did not name. Private
networks are what this is for; but no link-local address is asked, under whatever name (clouds give out the
machine's credentials there), and of what this machine itself serves nothing is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Optional, Protocol, Union
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

from bcs_template_set.config.inputs import VerifyUrl
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.text import visible
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.address_kinds import is_this_machine
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent
from bcs_template_set.system.parallel import overlap, values_of

PATIENCE = 60.0
"""Seconds in which all pages together have to arrive."""

TRY_SECONDS = 10.0
"""Seconds that one try at one page may take, its redirects included."""

LEAST_TRY = 1.0
LONGEST_PAUSE = 5.0
MOST_REDIRECTS = 5
MOST_AT_ONCE = 8
FIRST_BYTES = 1024 * 1024
SHOWN = 200
"""Characters shown of a page's first line, and of an address it redirects to."""

_ENCODINGS = ("utf-8", "gb18030", "latin-1")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GOOD_STATUS = range(200, 300)
_PORTS = {"http": 80, "https": 443}

# A kept connection may stay at the pod it first reached, a cache at the page before.
_HEADERS = {"Accept": "*/*", "Cache-Control": "no-cache", "Connection": "close"}


@dataclass(frozen=True)
class Arrival:
    """How one page ended: `problem` says what was in the way, None where it arrived.

    `status` is that of the last answer, 0 where there was none. `seconds` count from the beginning to the
    last try. `first_line` is the page's own where the text was not in it: data, made visible and cut.
    """

    url: str
    ok: bool
    status: int = 0
    seconds: float = 0.0
    tries: int = 0
    problem: Optional[Text] = None
    first_line: str = ""

    def describe(self) -> Text:
        """Return the sentence that tells it."""
        facts = {"url": self.url, "tries": self.tries, "seconds": f"{self.seconds:.1f}"}
        if self.problem is None:
            return say("arrival.arrived", status=self.status, **facts)
        if self.first_line:
            return say("arrival.missed_line", problem=self.problem, first_line=self.first_line, **facts)
        return say("arrival.missed", problem=self.problem, **facts)


class Pages(Protocol):
    """A `Transport`, as far as it is used here."""

    def send(self, request: HttpRequest, *, seconds: float = ..., first: Optional[int] = None) -> HttpAnswer:
        """Send a request and return the first bytes of its answer."""
        ...


# --- deciding -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """The page is as it should be."""


@dataclass(frozen=True)
class Follow:
    """The page is elsewhere on the same host."""

    url: str


@dataclass(frozen=True)
class Missed:
    """The page is not as it should be. `final` where trying again can't change that."""

    problem: Text
    first_line: str = ""
    final: bool = False


def judge(answer: HttpAnswer, *, url: str, contains: str) -> Union[Found, Follow, Missed]:
    """Return what the answer to a request for `url` means; `contains` is the text looked for, "" = any."""
    location = answer.headers.get("location", "")
    is_ours = is_this_machine(answer.peer)
    if answer.status in _REDIRECTS and location:
        judged = judge_redirect(location, url=url)
        return Missed(say("arrival.redirect_here")) if is_ours and isinstance(judged, Missed) else judged
    if answer.status not in _GOOD_STATUS:
        return Missed(say("arrival.status", status=answer.status))
    if contains and not holds(answer.body, contains):
        line = first_line(answer.body)
        problem = say("arrival.text_missing" if line else "arrival.page_empty", text=contains)
        return Missed(problem, first_line="" if is_ours else line)
    return Found()


def judge_redirect(location: str, *, url: str) -> Union[Follow, Missed]:
    """Return whether to follow a redirect: to the same host only, and never from https to http.

    The port may change only with the step from http to https.
    """
    try:
        target = urldefrag(urljoin(url, location.strip())).url
        old, new = urlsplit(url), urlsplit(target)
        old_place, new_place = (old.hostname, _port_of(old)), (new.hostname, _port_of(new))
    except ValueError:
        return Missed(say("arrival.redirect_invalid", location=shown(location)))
    place = shown(f"{new.scheme}://{new.netloc.rpartition('@')[2]}{new.path}")
    if new.scheme not in _PORTS or not new.hostname or "@" in new.netloc:
        return Missed(say("arrival.redirect_invalid", location=place))
    if (old.scheme, new.scheme) == ("https", "http"):
        return Missed(say("arrival.redirect_downgrade", location=place))
    if old_place != new_place and (old_place[0] != new_place[0] or old.scheme == new.scheme):
        return Missed(say("arrival.redirect_elsewhere", location=place))
    return Follow(target)


def _port_of(parts: SplitResult) -> Optional[int]:
    """Return the port an address names, or its scheme's.

    Raises:
        ValueError: the port is no number or too large.
    """
    return parts.port or _PORTS.get(parts.scheme)


def holds(body: bytes, text: str) -> bool:
    """Tell whether a page contains a text, as it is: entities such as `&amp;` are not undone.

    What encoding a page has, it often does not say; so the text is looked for in each that is likely.
    """
    for encoding in _ENCODINGS:
        with suppress(UnicodeEncodeError):  # not every encoding can say it
            if text.encode(encoding) in body:
                return True
    return False


def first_line(body: bytes) -> str:
    """Return a page's first line that is not blank, fit to be shown; "" where there is none."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        cut_at_the_end = exc.end == len(body) == FIRST_BYTES
        text = body.decode("utf-8-sig" if cut_at_the_end else "gb18030", "replace")
    return next((shown(line.strip()) for line in text.splitlines() if line.strip()), "")


def shown(text: str) -> str:
    """Return somebody else's text as one line with nothing unseen in it, cut where it is long."""
    line = visible(text[: SHOWN + 1].replace("\t", " "))
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def pause_after(rounds: int) -> float:
    """Return the seconds to wait after so many rounds: 1, 2, 4, then 5 each time."""
    return min(LONGEST_PAUSE, 2.0 ** (rounds - 1))


# --- fetching -------------------------------------------------------------------------------------------


def verify_arrivals(
    wanted: Sequence[VerifyUrl], *, pages: Pages, clock: Clock, deadline: Deadline
) -> tuple[Arrival, ...]:
    """Fetch every page until it has arrived or the time is up; return how each ended, in order.

    They are fetched in rounds, up to 8 at once, so that a page that hangs takes no other page's time.
    """
    return _Watch(pages, clock, deadline).run(wanted)


class _Watch:
    """One `verify_arrivals`: its clock, its time and its way out."""

    def __init__(self, pages: Pages, clock: Clock, deadline: Deadline) -> None:
        self._pages = pages
        self._clock = clock
        self._deadline = deadline
        self._began = clock.monotonic()
        self._window = Deadline(clock, seconds=min(PATIENCE, deadline.remaining()))

    def run(self, wanted: Sequence[VerifyUrl]) -> tuple[Arrival, ...]:
        arrivals = [Arrival(page.url, ok=False, problem=say("arrival.no_time")) for page in wanted]
        pending, rounds = list(range(len(wanted))), 1
        while True:
            pending = self._round(wanted, arrivals, pending)
            pause = pause_after(rounds)
            if not pending or self._window.remaining() <= pause:
                return tuple(arrivals)
            self._clock.wait(pause)
            rounds += 1

    def _round(self, wanted: Sequence[VerifyUrl], arrivals: list[Arrival], pending: list[int]) -> list[int]:
        """Try each pending page once, note how it went, and return those to be tried again."""
        tasks = [partial(self._try, wanted[index], arrivals[index]) for index in pending]
        again = []
        tried = values_of(overlap(tasks, concurrency=MOST_AT_ONCE))
        for index, (arrivals[index], is_final) in zip(pending, tried):
            if not is_final:
                again.append(index)
        return again

    def _try(self, page: VerifyUrl, before: Arrival) -> tuple[Arrival, bool]:
        """Return how the page stands after one more try, and whether that is final."""
        if self._deadline.passed():
            return before, True
        judged, status = self._fetch(page)
        seconds = self._clock.monotonic() - self._began
        after = replace(before, status=status, tries=before.tries + 1, seconds=seconds)
        if isinstance(judged, Found):
            return replace(after, ok=True, problem=None, first_line=""), True
        return replace(after, problem=judged.problem, first_line=judged.first_line), judged.final

    def _fetch(self, page: VerifyUrl) -> tuple[Union[Found, Missed], int]:
        """Fetch a page and follow its redirects; return what came of it, and the last answer's status."""
        patience = min(TRY_SECONDS, self._deadline.remaining(), max(LEAST_TRY, self._window.remaining()))
        time_left = Deadline(self._clock, seconds=patience)
        url = urldefrag(page.url).url
        for _ in range(MOST_REDIRECTS + 1):
            try:
                answer = self._pages.send(
                    HttpRequest("GET", url, _HEADERS), seconds=time_left.remaining(), first=FIRST_BYTES
                )
            except (NotSent, NoAnswer) as exc:
                final = isinstance(exc, NotSent) and exc.kind in ("invalid", "address")
                return Missed(say("arrival.no_answer", problem=exc.problem), final=final), 0
            judgement = judge(answer, url=url, contains=page.contains)
            if not isinstance(judgement, Follow):
                return judgement, answer.status
            url = judgement.url
        return Missed(say("arrival.redirect_loop", most=MOST_REDIRECTS)), answer.status
