"""`make contract BCS=URL`: asks a real site what the recordings asked, in a space of its own.

It sends only what `own_space` says can't leave that space, each request to the emulator too, prints a line
per difference, and takes away what it made, whatever happened. The environment's variables say what to do.
Exit status: 0 all the same, 1 something differs, 2 it could not run to its end, or left something behind.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import signal
import sys
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Optional
from urllib.parse import quote

from tests.contract.own_space import FOLLOWS, NAMESPACE, PROJECT, SPACE, Place, Selection, names_in, rewritten
from tests.contract.real_site import ID, UNPUBLISHED, CannotRun, Site, item_of
from tests.contract.replay import OWN, STEP, Clock, body_of, build_world
from tests.contract.three_answers import RECORDED_USERS, Answer, Judge, Shaper, Translator
from tests.emulator import Dialect, Emulator
from tests.support.plain_client import PlainClient
from tests.support.recordings import Asked, Done, read

LONGEST_LINE = 800
NEVER = threading.Event()
TRIES = 3
"""How often it is tried to take away what was made."""
NEEDED: Mapping[str, str] = {
    "BCS": r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?",
    "PREFIX": r"(?:/[A-Za-z0-9._~-]+)*",
    "PROJECT": r"[A-Za-z0-9-]{1,64}",
    "SPACE": r"[A-Za-z][A-Za-z0-9_-]{11,39}",
    "CLUSTER": r"|[A-Za-z0-9-]{13,14}",
    "NAMESPACE": r"|[a-z0-9-]{1,64}",
    "TENANT": r"|[A-Za-z0-9_-]{1,64}",
    "BCS_TOKEN": r"[!-~]+",
}
"""The variables, each with what it must match: what goes into a path or a header can't leave it."""


@dataclass
class Tally:
    """What came of all requests."""

    sent: int = 0
    same: int = 0
    not_as_recorded: int = 0
    not_as_emulated: int = 0
    unrecorded: int = 0
    not_sent: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """Return the summary."""
        told = [
            f"sent {self.sent}: {self.same} the same",
            f"  {self.not_as_recorded:4} not as recorded",
            f"  {self.not_as_emulated:4} not as the emulator",
            f"  {self.unrecorded:4} held to the emulator alone: the recorded world held more",
            f"not sent {sum(self.not_sent.values())}, each of which",
        ]
        return told + [f"  {count:4} {reason}" for reason, count in self.not_sent.most_common()]


class Twin:
    """The emulator in the recorded world: it is asked what the site is asked."""

    def __init__(self, emulator: Emulator, clock: Clock) -> None:
        build_world(emulator)
        self.place = Place(PROJECT, SPACE, OWN, NAMESPACE)
        self._clock = clock
        headers = {"Authorization": "Bearer ann-canary-token", "X-Request-Id": "rid-1"}
        self._client = PlainClient(f"{emulator.root}/bcsapi/v4", headers=headers)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def send(self, asked: Asked) -> Answer:
        """Send a request and return what was answered."""
        self._clock.now += STEP
        path = quote(asked.path, safe="/") + (f"?{asked.query}" if asked.query else "")
        raw = asked.body.encode() if isinstance(asked.body, str) else None
        reply = self._client.send(asked.method, path, None if raw else asked.body, raw=raw)
        return reply.status, body_of(reply)


class Comparison:
    """One recording on its way through a site and the emulator beside it."""

    def __init__(self, site: Site, twin: Twin, *, say: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._site, self._twin, self._say = site, twin, say
        self._kept: dict[str, str] = {}
        self._twins: dict[str, str] = {}
        self._of_recording = Translator(twin.place, users=RECORDED_USERS)
        self._of_site = Translator(site.place)
        self._shape = Shaper()
        self._world, self._recorded, self._emulated = Judge(), Judge(), Judge()

    def run(self, dialect: Dialect) -> None:
        """Send all that may be sent, and say what differs."""
        selection = Selection(dialect, with_cluster=bool(self._site.place.cluster))
        for line in read(dialect):
            if isinstance(line, Done):
                selection.note(line)
                continue
            reason = selection.refuse(line) or self._ask(line)
            if reason:
                self.tally.not_sent[reason] += 1
                for name in line.keep:
                    self._kept.pop(name, None)

    def _ask(self, asked: Asked) -> str:
        if not names_in(asked) <= {*self._kept} & {*self._twins}:
            return FOLLOWS
        answer = self._site.send(rewritten(asked, self._site.place, kept=self._kept))
        if answer is None:
            return UNPUBLISHED
        twins = self._twin.send(rewritten(asked, self._twin.place, kept=self._twins))
        _keep(asked, answer, self._kept)
        _keep(asked, twins, self._twins)
        self._compare(asked, answer, twins)
        return ""

    def _compare(self, asked: Asked, answer: Answer, twins: Answer) -> None:
        recorded = self._of_recording((asked.status, asked.answer))
        found, emulated = self._of_site(answer), self._of_recording(twins)
        unrecorded = bool(self._world.differences(recorded, emulated))
        by_record = [] if unrecorded else self._recorded.differences(recorded, found)
        by_emulator = self._emulated.differences(self._shape(emulated), found)
        for what in by_record:
            self._say(f"{asked}: not as recorded: {what}")
        for what in by_emulator:
            self._say(f"{asked}: not as the emulator: {what}")
        self.tally.sent += 1
        self.tally.unrecorded += unrecorded
        self.tally.not_as_recorded += bool(by_record)
        self.tally.not_as_emulated += bool(by_emulator)
        self.tally.same += not (by_record or by_emulator)


def main(
    environment: Mapping[str, str],
    *,
    say: Callable[[str], None] = print,
    wait: Callable[[float], object] = NEVER.wait,
) -> int:
    """Run, and return the exit status."""
    tell = _Plain(environment.get("BCS_TOKEN", ""), say)
    try:
        site = Site(_settings(environment), wait=wait)
    except (CannotRun, OSError) as exc:
        tell(f"This can't run: {_said(exc)}")
        return 2
    found: Optional[Tally] = None
    try:
        found = _compare(site, tell)
    except (CannotRun, OSError, http.client.HTTPException, KeyboardInterrupt) as exc:
        tell(f"This could not run to its end: {_said(exc)}")
    finally:
        is_clean = _take_away(site, tell)
        site.close()
    if found is None or not is_clean:
        return 2
    return int(found.same < found.sent)


def _compare(site: Site, tell: Callable[[str], None]) -> Tally:
    dialect = site.begin()
    tell(f"{site.base} calls itself {site.version()!r}")
    tell(f"project {site.place.project}, space {site.place.space}, compared with {dialect.value}")
    clock = Clock()
    with Emulator(dialect=dialect, now=clock) as emulator, closing(Twin(emulator, clock)) as twin:
        under_way = Comparison(site, twin, say=tell)
        under_way.run(dialect)
    for line in under_way.tally.lines():
        tell(line)
    return under_way.tally


def _take_away(site: Site, tell: Callable[[str], None]) -> bool:
    for _ in range(TRIES):
        if not (site.made or site.space_in_doubt):
            break
        try:
            site.close()
            site.take_away()
        except (CannotRun, OSError, http.client.HTTPException, KeyboardInterrupt) as exc:
            tell(f"taking away ended early: {_said(exc)}")
    if not (site.made or site.space_in_doubt):
        tell("nothing is left of it at the site")
    doubtful = [f"the space {site.place.space}, if it was made"] if site.space_in_doubt else []
    for what in site.made + doubtful:
        tell(f"LEFT in the space {site.place.space}, take it away yourself: {what}")
    return not site.made + doubtful


def _said(exc: BaseException) -> str:
    return str(exc) if isinstance(exc, CannotRun) else f"{type(exc).__name__} {exc}"


class _Plain:
    """Says lines that show no token, move no cursor, and end."""

    def __init__(self, token: str, say: Callable[[str], None]) -> None:
        self._forms = [
            form for form in (token, quote(token, safe=""), b64encode(token.encode()).decode()) if form
        ]
        self._say = say

    def __call__(self, line: str) -> None:
        for form in self._forms:
            line = line.replace(form, "***")
        shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
        self._say(shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}…")


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    space = f"contract-probe-{secrets.token_hex(5)}"
    found = {"PREFIX": "/v4", "SPACE": space} | {
        name: "" for name in NEEDED if name not in ("PREFIX", "SPACE")
    }
    found["CA_BUNDLE"] = environment.get("CA_BUNDLE", "")
    found.update({name: environment[name] for name in NEEDED if name in environment})
    found["SPACE"] = found["SPACE"] or space
    bad = [name for name, pattern in NEEDED.items() if not re.fullmatch(pattern, found[name])]
    if bad:
        raise CannotRun(
            f"set these, or set them to something else: {', '.join(bad)} (docs/dev/testing.md, make contract)"
        )
    if bool(found["CLUSTER"]) != bool(found["NAMESPACE"]):
        raise CannotRun("CLUSTER and NAMESPACE go together")
    return found


def _keep(asked: Asked, answer: Answer, kept: dict[str, str]) -> None:
    for name, path in asked.keep.items():
        found = item_of(answer).get(path.removeprefix("data."))
        kept.pop(name, None)
        if isinstance(found, str) and ID.fullmatch(found):
            kept[name] = found


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(os.environ))
