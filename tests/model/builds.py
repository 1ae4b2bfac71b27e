"""Builds that publish one file at once: the order of a build's requests, and what may go wrong. Pure.

A build (`publish_phase.py`) reads the file's row and, where something young is seen, the names of its
versions; plans; looks whether what it planned against is current, and creates its version. Of a file that
branches share it looks again when every build that had looked before its own creation was answered has been
answered too (`look_first.py`: that is a time), and plans again where its version is no part of the current
one. Each request is a move of its own, and each of BCS's steps is one.

Time is told by windows: one is open from a build's look before writing until BCS has answered. A build waits
for those that were open when it was answered itself. One that is slow is not waited for, and lists names
before it ends. One that finds another build's version there, made from what its own was planned against,
writes beside it if nobody who was answered after its plan was read has looked back yet: then its window began
with the plan. One that finds siblings which nobody has merged waits for its turn (`turns.py`; that is time
alone), and plans again.

Left out, since it commutes with everything that others do: reading a version by its id (versions never
change), and what a build does without BCS. A move between two requests of one build is therefore part of
the request before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

from tests.model.decisions import Crowded, Decisions, NeedsNames, Nothing, Refused, View
from tests.model.shelf import Clocks, Row, Shelf, Write, advance

PUBLISHED, UNCHANGED, OVERTAKEN, DEAD = "published", "unchanged", "Overtaken", "dead"
SUCCESSES = (PUBLISHED, UNCHANGED)
MOST_ROUNDS = 3
"""Time bounds a run's rounds; so many are explored."""


class Trouble(NamedTuple):
    """What the site does to the builds.

    `may_die` are builds that may be killed at any moment; what they sent is still handled. `may_miss` are
    builds that may miss one answer: the request was handled, or it never arrived. With `late` it may also
    still be under way, for any time. `may_be_slow` are builds that may take any time between their look and
    BCS's answer.
    """

    clocks: Clocks = Clocks()
    may_die: frozenset[int] = frozenset()
    may_miss: frozenset[int] = frozenset()
    may_be_slow: frozenset[int] = frozenset()
    late: bool = False
    lean: bool = False


class Mutant(NamedTuple):
    """A protocol with a part left out, which the explorer must find out."""

    looks_back: bool = True
    checks_current: bool = True
    waits: bool = True
    asks_when_slow: bool = True
    rounds: tuple[int, ...] = ()

    def rounds_of(self, index: int) -> int:
        """Return how many rounds a build has."""
        return self.rounds[index] if self.rounds else MOST_ROUNDS


class Build(NamedTuple):
    """Where one build is. `rows` and `seen` (how many versions) are what its last look has read so far.

    `mine` is the id of the version that it wrote last, `open_before` are the builds whose windows were open
    when that was answered. `stale` tells that its plan is older than somebody's whole wait, `queued` that it
    has waited for its turn, `owes` that it has seen versions hidden that it has not merged, `within` that it
    has found its own in another's, and looks once more. `at` is a place of `_AT`, or how it ended; then
    `told` is the version that it took for the current one, and `knew` are those that it had seen.
    """

    at: str = "read"
    round: int = 0
    rows: Optional[tuple[Row, ...]] = None
    seen: int = -1
    write: Optional[Write] = None
    mine: str = ""
    missed: bool = False
    slow: bool = False
    stale: bool = False
    queued: bool = False
    owes: bool = False
    within: bool = False
    open_before: frozenset[int] = frozenset()
    told: str = ""
    knew: frozenset[str] = frozenset()

    @property
    def has_ended(self) -> bool:
        """Tell whether the build does nothing more."""
        return self.at not in _AT


ROWS, NAMES, FIND, CREATE = "rows", "names", "find", "create"
REQUEST_AT = {
    "read": ROWS,
    "names": NAMES,
    "check": ROWS,
    "send": CREATE,
    "find": FIND,
    "look": ROWS,
    "look at names": NAMES,
}
"""What a build asks at each place: a run of the step asks the same, in the same order (`histories.py`)."""

_AT = (*REQUEST_AT, "wait")
_BEFORE_WINDOW = ("names", "check")
_IN_WINDOW = ("send", "wait", "find")


class State(NamedTuple):
    """The shelf and every build."""

    shelf: Shelf
    builds: tuple[Build, ...]

    def put(self, index: int, build: Build) -> State:
        """Return the state with one build replaced."""
        return self._replace(builds=(*self.builds[:index], build, *self.builds[index + 1 :]))


class Protocol:
    """All that can happen, for `explorer.explore`."""

    def __init__(self, decisions: Decisions, trouble: Trouble, *, mutant: Mutant = Mutant()) -> None:  # noqa: B008 - a tuple
        self._decisions, self._trouble, self._mutant = decisions, trouble, mutant

    def moves(self, state: State) -> Iterator[tuple[str, State]]:
        """Return every move that can be made, and what comes of it."""
        for index, build in enumerate(state.builds):
            if not build.has_ended and not self._waits_for_its_turn(state, index):
                for name, after in self._moves_of(state, index, build):
                    yield f"{index} {name}", after
                if index in self._trouble.may_die:
                    dead = state.put(index, Build(DEAD))
                    yield f"{index} dies", dead if _is_open(dead, index) else _closed(dead, index)
        for request in state.shelf.requests:
            for shelf, has_ended in advance(state.shelf, request, self._trouble.clocks):
                after, build = state._replace(shelf=shelf), state.builds[request.by]
                if has_ended and request.is_awaited and not build.has_ended:
                    after = self._written(after, request.by, request.id)
                elif has_ended:
                    after = _closed(after, request.by)
                yield f"BCS goes on from {request.step} for {request.by}", after

    def _waits_for_its_turn(self, state: State, index: int) -> bool:
        return self._trouble.lean and index > 0 and state.builds[index - 1] == Build()

    # --- a build ----------------------------------------------------------------------------------------

    def _moves_of(self, state: State, index: int, build: Build) -> Iterator[tuple[str, State]]:
        if build.at == "read":
            with_rows = build._replace(rows=state.shelf.rows)
            yield "reads", state.put(index, self._plan(state.shelf, index, with_rows))
            if build.mine and not build.owes and self._is_part(state.shelf, index, with_rows):
                yield "finds itself merged", self._rests(state, index, build._replace(at="look"))
        elif build.at == "names":
            with_names = build._replace(seen=len(state.shelf.versions))
            yield "reads the names", state.put(index, self._plan(state.shelf, index, with_names))
        elif build.at in ("look", "look at names"):
            yield from self._looks(state, index, build)
        elif build.at == "check":
            name, after = self._checks(state, index, build)
            sends = self._trouble.lean and after.builds[index].at == "send"
            yield from self._sends(after, index, after.builds[index]) if sends else ((name, after),)
        elif build.at == "send":
            yield from self._sends(state, index, build)
        elif build.at == "find" and (self._trouble.late or not state.shelf.is_working_for(index)):
            yield self._finds(state, index, build)

    def _looks(self, state: State, index: int, build: Build) -> Iterator[tuple[str, State]]:
        """Look back: at the row as soon as all have ended that must have, then at names where it is slow."""
        if build.at == "look at names":
            with_names = build._replace(seen=len(state.shelf.versions))
            yield "looks at the names", state.put(index, self._look_back(state.shelf, index, with_names))
            return
        for other in sorted(i for i in build.open_before if _may_be_open(state, i)):
            is_planning = state.builds[other].at in _BEFORE_WINDOW
            if other not in self._trouble.may_be_slow and not is_planning:
                return
            late = state.builds[other]
            state = state.put(other, late._replace(stale=True) if is_planning else late._replace(slow=True))
        with_rows = build._replace(rows=state.shelf.rows, open_before=frozenset())
        after = self._look_back(state.shelf, index, with_rows)
        is_within = (
            after.at == PUBLISHED and after.told != build.mine and self._decisions.builds[index].shares
        )
        if is_within and not build.within:
            yield "finds itself within", self._rests(state, index, build)
        else:
            yield "looks", state.put(index, after)

    def _rests(self, state: State, index: int, build: Build) -> State:
        """Return the state in which a build looks once more, when all that may hide it have ended."""
        others = {i for i in range(len(state.builds)) if i != index and _may_be_open(state, i)}
        return state.put(index, build._replace(within=True, open_before=frozenset(others)))

    def _ended(self, build: Build, how: str, view: Optional[View] = None) -> Build:
        """Return a build that does nothing more, with nothing but what matters afterwards."""
        if view is None:
            return Build(how, mine=build.mine)
        told = view.rows[0].version if view.rows else ""
        return Build(how, mine=build.mine, told=told, knew=frozenset(v.id for v in view.held))

    def _plan(self, shelf: Shelf, index: int, build: Build) -> Build:
        view = view_of(shelf, build)
        merges = bool(build.mine) or build.queued
        decision = self._decisions.plan(index, view, again=build.round > 0 or build.queued, merges=merges)
        if isinstance(decision, Crowded):
            return Build(round=build.round, queued=True)
        if isinstance(decision, NeedsNames):
            return build._replace(at="names")
        if isinstance(decision, Refused):
            return self._ended(build, decision.error, view)
        if isinstance(decision, Nothing):
            return self._ended(build, PUBLISHED if build.mine else UNCHANGED, view)
        if build.round >= self._mutant.rounds_of(index):
            return self._ended(build, OVERTAKEN, view)
        at = "check" if self._mutant.checks_current else "send"
        return build._replace(at=at, round=build.round + 1, write=decision, rows=None, seen=-1)

    def _look_back(self, shelf: Shelf, index: int, build: Build) -> Build:
        view = view_of(shelf, build)
        is_slow = build.slow and self._mutant.asks_when_slow
        if build.within:
            is_part = self._is_part(shelf, index, build)
            return self._ended(build, PUBLISHED, view) if is_part else self._again(build)
        assert build.write is not None
        found = self._decisions.look(index, build.write, build.mine, view, unsure=is_slow)
        if isinstance(found, NeedsNames):
            return build._replace(at="look at names")
        if found.is_rivalled or build.owes:
            return self._again(build._replace(owes=build.owes or found.hides))
        return self._ended(build, PUBLISHED, view)

    def _again(self, build: Build) -> Build:
        """Return a build that plans again, when it is its turn."""
        return Build("read", build.round, mine=build.mine, missed=build.missed, owes=build.owes)

    def _is_part(self, shelf: Shelf, index: int, build: Build) -> bool:
        view = view_of(shelf, build)
        return bool(view.rows) and self._decisions.is_part(index, shelf.version(build.mine), view)

    def _checks(self, state: State, index: int, build: Build) -> tuple[str, State]:
        assert build.write is not None
        if state.shelf.is_as_planned(build.write):
            afresh = _closed(state.put(index, build._replace(at="send")), index)
            return "finds it current", afresh
        is_shared = self._decisions.builds[index].shares
        if is_shared and not build.stale and state.shelf.is_beside(build.write):
            return "finds a sibling", state.put(index, build._replace(at="send"))
        return "finds it overtaken", _closed(state.put(index, self._overtaken(index, build)), index)

    def _overtaken(self, index: int, build: Build) -> Build:
        if build.round >= self._mutant.rounds_of(index):
            return self._ended(build, OVERTAKEN)
        return self._again(build)

    def _sends(self, state: State, index: int, build: Build) -> Iterator[tuple[str, State]]:
        assert build.write is not None
        if state.shelf.refuses(build.write):
            yield "is told that the name exists", state.put(index, build._replace(at="find"))
        else:
            begun = state._replace(shelf=state.shelf.begin(index, build.write))
            yield "sends", begun.put(index, build._replace(at="wait"))
        if index in self._trouble.may_miss and not build.missed:
            unheard = build._replace(at="find", missed=True)
            yield "sends into the void", state.put(index, unheard)
            if not state.shelf.refuses(build.write):
                begun = state._replace(shelf=state.shelf.begin(index, build.write, is_awaited=False))
                yield "sends and will hear nothing", begun.put(index, unheard)

    def _written(self, state: State, index: int, version_id: str) -> State:
        """Return the state after BCS's answer: this build's window is closed, and it waits for the others."""
        build = state.builds[index]
        assert build.write is not None
        build = build._replace(mine=version_id, owes=build.write.owes)
        if not self._mutant.looks_back:
            return _closed(state.put(index, self._ended(build, PUBLISHED)), index)
        waits = self._mutant.waits and self._decisions.builds[index].shares
        others = {i for i in range(len(state.builds)) if waits and i != index and _may_be_open(state, i)}
        return _closed(state.put(index, build._replace(at="look", open_before=frozenset(others))), index)

    def _finds(self, state: State, index: int, build: Build) -> tuple[str, State]:
        """Read back by name, as `write_once` does after an answer that was lost, or "the name exists"."""
        write = build.write
        assert write is not None
        found = state.shelf.named(write.name)
        if not write.row and not state.shelf.rows:
            return "finds nothing", state.put(index, build._replace(at="send"))
        if not found and write.row:
            return "finds nothing", state.put(index, build._replace(at="send"))
        if not found or found[0].text != write.text:
            return "finds a rival's", _closed(state.put(index, self._overtaken(index, build)), index)
        asked = state.put(index, build._replace(slow=True))
        return "finds it", self._written(asked, index, found[0].id)


def _is_open(state: State, index: int) -> bool:
    """Tell whether a build may still change what it looked at before: it waits for BCS, or BCS is at work."""
    return state.builds[index].at in _IN_WINDOW or state.shelf.is_working_for(index)


def _may_be_open(state: State, index: int) -> bool:
    """Tell the same of a build whose window may have begun with its plan, too."""
    return _is_open(state, index) or state.builds[index].at in _BEFORE_WINDOW


def _closed(state: State, index: int) -> State:
    """Return the state in which nobody waits for this build's window any more."""
    builds = tuple(build._replace(open_before=build.open_before - {index}) for build in state.builds)
    return state._replace(builds=builds)


def view_of(shelf: Shelf, build: Build) -> View:
    """Return what a build has read: rows at one moment, names at another, and whatever contents it wants."""
    assert build.rows is not None
    versions = shelf.versions[: build.seen] if build.seen >= 0 else None
    wanted, held = {row.version for row in build.rows} | {v.id for v in versions or ()}, set[str]()
    while wanted:
        held |= wanted
        wanted = {base for v in shelf.versions if v.id in wanted for base in v.bases} - held - {"-"}
    return View(build.rows, versions, tuple(v for v in shelf.versions if v.id in held))
