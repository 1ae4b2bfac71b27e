"""Whether what a run asked of BCS is a behaviour of the publish model. Pure.

The model says which request a build makes at each place (`builds.REQUEST_AT`); where an answer leads is found
by exploring it. A run's requests are read as such steps, for each file that it writes: a read may be about
other files, so it counts or does not; a creation counts always. What fits in no way is no behaviour of the
model: a creation without a look right before it, one that is sent again without reading back, one after the
verdict (which no look of the next run's trace precedes). Besides, what a run reports is held to its trace:
each version was read back and looked at after the last write, and nothing was deleted on the way.

What a struck request came to for the run is not known here: whatever it may have heard counts.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import NamedTuple, Optional, cast

from tests.emulator.exchanges import Exchange
from tests.model.builds import CREATE, FIND, NAMES, REQUEST_AT, ROWS, Build, Mutant, Trouble
from tests.model.builds import Protocol as Publishing
from tests.model.decisions import Decisions, Who
from tests.model.explorer import explore
from tests.model.properties import first_state
from tests.model.shelf import Clocks

FIRST, ENDED = "read", "ended"
MADE, EXISTS, UNHEARD = "made", "exists", "unheard"
"""What a creation comes to for the build that sent it."""

HARMLESS = frozenset({"", "rival", "stale"})
"""What is done beside a request, or to what it reads, and not to it."""

SAID_UNSENT = frozenset({"refuse", "refused", "limited", "unsent-502"})
"""After these a run knows that its request was not handled."""

_UNSENT, _REFUSED = "unsent", "refused"

# --- the model ------------------------------------------------------------------------------------------

Steps = Mapping[str, Mapping[str, frozenset[str]]]
"""Where each request, and its answer, may lead from each place."""

_SAID = {"is told that the name exists": EXISTS}
_OLD = Who("old", 9, shares=False)
_LOST = Trouble(Clocks(stamps_apart=False), may_miss=frozenset({0}))
_SLOW = _LOST._replace(may_be_slow=frozenset({0}))
_SCENES: Sequence[tuple[tuple[Who, ...], bool, Trouble, tuple[int, ...]]] = (
    ((_OLD,), True, Trouble(), (1,)),
    ((Who("a", shares=False), Who("b", shares=False)), False, _LOST, (2, 1)),
    ((Who("a", 1, shares=False), Who("a", 2, shares=False)), True, _LOST, (3, 1)),
    ((Who("a"), Who("b")), True, _SLOW, (2, 1)),
    ((Who("a"), Who("a", removes=frozenset({"old"}))), True, _LOST, (2, 1)),
)
"""Builds that meet on a file that is there, or not, what the site does, and how many rounds each has."""


@cache
def steps() -> Steps:
    """Return every step that the model's builds make in some scenes, which hold each kind of it."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for builds, exists, trouble, rounds in _SCENES:
        shares = builds[0].shares
        decisions = Decisions((*builds, Who("old", 9, shares=shares), Who("fresh", shares=shares)))
        protocol = Publishing(decisions, trouble, mutant=Mutant(rounds=rounds))
        for state in explore(first_state(decisions, builds=len(builds), exists=exists), protocol.moves).came:
            for move, after in protocol.moves(state):
                for index, (before, now) in enumerate(zip(state.builds, after.builds)):
                    if before.at != now.at:
                        place, word = _step(before, move.removeprefix(f"{index} "))
                        found[place][word].add(ENDED if now.has_ended else now.at)
    return {
        place: {word: frozenset(places - {"wait"}) for word, places in words.items()}
        for place, words in found.items()
    }


def _step(before: Build, move: str) -> tuple[str, str]:
    """Return the place at which a build has made a request, and what it was, with its answer."""
    if before.at == "wait":
        return "send", MADE
    request = REQUEST_AT[before.at]
    if request != CREATE:
        return before.at, request
    return before.at, MADE if move == "sends" else _SAID.get(move, UNHEARD)


# --- a run ----------------------------------------------------------------------------------------------

_NAME_EXISTS = 7
_ID = "([0-9a-f]{24})"
_LIST_FILES = re.compile(rf"/template/{_ID}/metadatas$")
_CREATE_FILE = re.compile(rf"/template/(?:{_ID}/)?metadatas$")
_VERSIONS = re.compile(rf"/template/{_ID}/versions$")
_VERSION = re.compile(rf"/template/versions/{_ID}$")
_NAMES = re.compile(rf"/template/{_ID}/metadata/versions$")
_SPACES = re.compile("/template/spaces$")
_FIND = re.compile("/template/detail$")


class Request(NamedTuple):
    """A request of a run, as far as it counts here: `body` is decoded, `status` 0 where no answer was sent.

    `handled` tells whether BCS has seen it, `faults` what struck it: then the run may have heard another
    answer than `answer`.
    """

    method: str
    path: str
    body: object
    status: int
    answer: bytes
    is_write: bool
    handled: bool = True
    faults: tuple[str, ...] = ()


def recorded(exchanges: Iterable[Exchange]) -> list[Request]:
    """Return the requests that the emulator has kept."""
    return [
        Request(
            exchange.method,
            exchange.path,
            decoded(exchange.request.body),
            exchange.status,
            exchange.answer_body,
            exchange.is_write,
            exchange.handled,
            exchange.faults,
        )
        for exchange in exchanges
    ]


class _File(NamedTuple):
    """A file that a run writes: its name, "" where only its id is known, and its id, "" for a new one."""

    name: str
    id: str


def breaches(
    requests: Sequence[Request], *, version: str = "", reported: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """Return what in the requests of a run is no behaviour of the model.

    `version` is the name of the version that the run writes, where requests of others with another one may be
    among them. `reported` are the versions that it says it has written, by their files.
    """
    every = [_Asked(request) for request in requests]
    created = {asked.file_of(version): None for asked in every}
    files = [file for file in created if file is not None]
    found = [problem for file in files for problem in _of_file(every, file, version=version)]
    return [*found, *_of_reported(every, reported, version=version), *_of_deletions(every, version=version)]


# --- one file -------------------------------------------------------------------------------------------


def _of_file(every: Sequence[_Asked], file: _File, *, version: str) -> Iterator[str]:
    places, makes_space = frozenset([FIRST]), any(asked.makes_space for asked in every)
    for asked in every:
        if asked.file_of(version) == file:
            words = asked.creation()
            after = frozenset(place for word in words for place in _creates(places, word))
            if not after:
                yield f"{asked}: {file.name or file.id} is created at {sorted(places)}"
                return
            places = after
        else:
            words = asked.reads(version=version, is_new=not file.id, makes_space=makes_space)
            places |= {
                place for at in places for word in words for place in steps().get(at, {}).get(word, ())
            }


def _creates(places: Iterable[str], word: str) -> Iterator[str]:
    for place in places:
        known = steps().get(place, {})
        if MADE not in known:
            continue
        if word == _UNSENT:
            yield place
        elif word == _REFUSED:
            yield from (FIRST, ENDED)
        else:
            yield from known[word]


# --- all of it ------------------------------------------------------------------------------------------


def _of_reported(every: Sequence[_Asked], reported: Mapping[str, str], *, version: str) -> Iterator[str]:
    last = max((n for n, asked in enumerate(every) if asked.file_of(version) is not None), default=-1)
    looked = any(asked.is_look for asked in every[last + 1 :])
    read = {asked.version_id: n for n, asked in enumerate(every) if asked.version_id}
    made = {asked.made_id: n for n, asked in enumerate(every) if asked.file_of(version) and asked.made_id}
    for name, version_id in reported.items():
        if version_id in made and read.get(version_id, -1) < made[version_id]:
            yield f"{name}: {version_id} is reported, and was not read back"
        if version_id in made and not looked:
            yield f"{name}: {version_id} is reported, and nobody looked after the last write"


def _of_deletions(every: Sequence[_Asked], *, version: str) -> Iterator[str]:
    last = max((n for n, asked in enumerate(every) if asked.file_of(version) is not None), default=-1)
    yield from (f"{asked}, while it publishes" for asked in every[: last + 1] if asked.deletes)


class _Asked:
    """A request, read as what the model knows of it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._posts = request.method == "POST"
        self._body = _mapping(request.body) if self._posts else {}
        self._answer = _mapping(decoded(request.answer)) if self._posts else {}

    def __str__(self) -> str:
        return f"{self._request.method} {self._request.path}"

    def file_of(self, version: str) -> Optional[_File]:
        """Return the file that it creates this version of, None where it is something else."""
        if not self._posts or _FIND.search(self._request.path):
            return None
        if version and self._body.get("version") != version:
            return None
        is_file, is_version = _CREATE_FILE.search(self._request.path), _VERSIONS.search(self._request.path)
        if is_version:
            return _File("", is_version[1])
        return _File(str(self._body.get("name", "")).rpartition("/")[2], "") if is_file else None

    @property
    def is_doubtful(self) -> bool:
        """Tell whether the run may have heard something else than what BCS has answered."""
        return any(fault not in HARMLESS for fault in self._request.faults)

    @property
    def made_id(self) -> str:
        """Return the id of the version that it has made, "" for none."""
        data = _mapping(self._answer.get("data"))
        return str(data.get("versionID") or data.get("id") or "") if self._posts else ""

    @property
    def version_id(self) -> str:
        """Return the id of the version that it reads, "" for none."""
        found = _VERSION.search(self._request.path) if self._request.method == "GET" else None
        return found[1] if found else ""

    @property
    def is_look(self) -> bool:
        """Tell whether it lists the files."""
        return self._request.method == "GET" and bool(_LIST_FILES.search(self._request.path))

    @property
    def deletes(self) -> bool:
        """Tell whether it deletes something."""
        return self._request.method == "DELETE" and self._request.is_write

    def creation(self) -> set[str]:
        """Return what a creation may have come to for the run."""
        request = self._request
        if self.is_doubtful and request.handled:
            return {MADE, EXISTS, UNHEARD, _REFUSED}
        if self.is_doubtful:
            was_told = bool(request.status) or not SAID_UNSENT.isdisjoint(request.faults)
            return {_UNSENT, UNHEARD, _REFUSED} if was_told else {UNHEARD}
        if request.status in (404, 405, 429):  # a path that is not there, a limit: nothing is done
            return {_UNSENT, _REFUSED}
        code = self._answer.get("code")
        return {{0: MADE, _NAME_EXISTS: EXISTS}.get(code, _REFUSED) if isinstance(code, int) else UNHEARD}

    @property
    def makes_space(self) -> bool:
        """Tell whether it makes the folder: then there was none to list the files of."""
        return self._posts and bool(_SPACES.search(self._request.path))

    def reads(self, *, version: str, is_new: bool, makes_space: bool) -> set[str]:
        """Return as what it may count for a file; a new one is read back by the list of files."""
        path, is_heard = self._request.path, self.is_doubtful or self._request.status == 200
        if not is_heard:
            return set()
        if self._posts:
            is_own = not version or self._body.get("version") == version
            return {FIND} if _FIND.search(path) and is_own else set()
        if self.is_look:
            return {ROWS, FIND} if is_new else {ROWS}
        if _SPACES.search(path):
            return {ROWS} if makes_space else set()
        return {NAMES} if _NAMES.search(path) or _VERSIONS.search(path) else set()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def decoded(body: bytes) -> object:
    """Return the value of a JSON text, None where it is none."""
    try:
        return cast("object", json.loads(body))
    except ValueError:
        return None
