"""Builds that publish one file at once: the order of a build's requests, and what may go wrong. Pure.

A build (`publish_phase.py`) reads the file's row and the names of its versions, plans, checks that what it
planned against is current, creates its version, reads both again to look back, and plans again where a rival
wrote; three rounds at most. Each request is a move of its own, and each of BCS's steps is one.

Left out, since it commutes with everything that others do: reading a version by its id (versions never
change), and what a build does without BCS. A move between two requests of one build is therefore part of
the request before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional

from bcs_template_set.run.publish_phase import MOST_ROUNDS
from tests.model.decisions import Decisions, Nothing, Refused, View
from tests.model.shelf import Clocks, Row, Shelf, Write, advance

PUBLISHED, UNCHANGED, OVERTAKEN, DEAD = "published", "unchanged", "Overtaken", "dead"
SUCCESSES = (PUBLISHED, UNCHANGED)


class Trouble(NamedTuple):
    """What the site does to the builds.

    `reads_apart` has the two lists of a look read at two moments, in any order, as they overlap. `may_die`
    are builds that may be killed at any moment; what they sent is still handled. `may_miss` are builds that
    may miss one answer: the request was handled, or it never arrived. With `late` it may also still be under
    way, for any time.
    """

    clocks: Clocks = Clocks()
    reads_apart: bool = True
    may_die: frozenset[int] = frozenset()
    may_miss: frozenset[int] = frozenset()
    late: bool = False
    lean: bool = False


class Mutant(NamedTuple):
    """A protocol with a part left out, which the explorer must find out."""

    looks_back: bool = True
    checks_current: bool = True
    rounds: tuple[int, ...] = ()

    def rounds_of(self, index: int) -> int:
        """Return how many rounds a build has."""
        return self.rounds[index] if self.rounds else MOST_ROUNDS


class Build(NamedTuple):
    """Where one build is. `rows` and `seen` (how many versions) are what its last look has read so far.

    `mine` is the id of the version that it wrote last. `at` is a place of `_AT`, or how the build ended;
    then `told` is the version that it took for the current one, and `knew` are those that it had seen.
    """

    at: str = "read"
    round: int = 0
    rows: Optional[tuple[Row, ...]] = None
    seen: int = -1
    write: Optional[Write] = None
    mine: str = ""
    missed: bool = False
    told: str = ""
    knew: frozenset[str] = frozenset()

    @property
    def has_ended(self) -> bool:
        """Tell whether the build does nothing more."""
        return self.at not in _AT


_AT = ("read", "check", "send", "wait", "find", "look")


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
                    yield f"{index} dies", state.put(index, Build(DEAD))
        for request in state.shelf.requests:
            for shelf, has_ended in advance(state.shelf, request, self._trouble.clocks):
                after, build = state._replace(shelf=shelf), state.builds[request.by]
                if has_ended and request.is_awaited and not build.has_ended:
                    after = after.put(request.by, self._written(build, request.id))
                yield f"BCS goes on from {request.step} for {request.by}", after

    def _waits_for_its_turn(self, state: State, index: int) -> bool:
        return self._trouble.lean and index > 0 and state.builds[index - 1] == Build()

    # --- a build ----------------------------------------------------------------------------------------

    def _moves_of(self, state: State, index: int, build: Build) -> Iterator[tuple[str, State]]:
        if build.at in ("read", "look"):
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
        rows, seen = state.shelf.rows, len(state.shelf.versions)
        if not self._trouble.reads_apart:
            whole = build._replace(rows=rows, seen=seen)
            yield f"{build.at}s", state.put(index, self._after_look(state.shelf, index, whole))
            return
        if build.rows is None:
            with_rows = build._replace(rows=rows)
            yield f"{build.at}s the row", state.put(index, self._after_look(state.shelf, index, with_rows))
        if build.seen < 0:
            with_names = build._replace(seen=seen)
            yield f"{build.at}s the names", state.put(index, self._after_look(state.shelf, index, with_names))

    def _after_look(self, shelf: Shelf, index: int, build: Build) -> Build:
        if build.rows is None or build.seen < 0:
            return build
        view = view_of(shelf, build)
        return self._look_back(index, build, view) if build.at == "look" else self._plan(index, build, view)

    def _ended(self, build: Build, how: str, view: Optional[View] = None) -> Build:
        """Return a build that does nothing more, with nothing but what matters afterwards."""
        if view is None:
            return Build(how, mine=build.mine)
        told = view.rows[0].version if view.rows else ""
        return Build(how, mine=build.mine, told=told, knew=frozenset(v.id for v in view.versions))

    def _plan(self, index: int, build: Build, view: View) -> Build:
        decision = self._decisions.plan(index, view)
        is_last = build.round >= self._mutant.rounds_of(index)
        if isinstance(decision, Refused):
            return self._ended(build, decision.error, view)
        if isinstance(decision, Nothing):
            return self._ended(build, PUBLISHED if build.mine else UNCHANGED, view)
        if is_last:
            return self._ended(build, OVERTAKEN, view)
        at = "check" if decision.row and self._mutant.checks_current else "send"
        return Build(at, build.round + 1, write=decision, mine=build.mine, missed=build.missed)

    def _look_back(self, index: int, build: Build, view: View) -> Build:
        assert build.write is not None
        if self._decisions.is_rivalled(index, build.write, build.mine, view):
            return build._replace(at="read", rows=None, seen=-1, write=None)
        return self._ended(build, PUBLISHED, view)

    def _checks(self, state: State, index: int, build: Build) -> tuple[str, State]:
        assert build.write is not None
        if state.shelf.points_at(build.write.row) == build.write.against:
            return "finds it current", state.put(index, build._replace(at="send"))
        return "finds it overtaken", state.put(index, self._overtaken(index, build))

    def _overtaken(self, index: int, build: Build) -> Build:
        if build.round >= self._mutant.rounds_of(index):
            return self._ended(build, OVERTAKEN)
        return build._replace(at="read", write=None)

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

    def _written(self, build: Build, version_id: str) -> Build:
        written = build._replace(at="look", mine=version_id)
        return written if self._mutant.looks_back else self._ended(written, PUBLISHED)

    def _finds(self, state: State, index: int, build: Build) -> tuple[str, State]:
        """Read back by name, as `write_once` does after an answer that was lost, or "the name exists"."""
        write = build.write
        assert write is not None
        found = state.shelf.named(write.name)
        if not write.row and not state.shelf.rows:
            return "finds nothing", state.put(index, build._replace(at="send"))
        if not found:
            at = build._replace(at="send") if write.row else self._overtaken(index, build)
            return "finds nothing", state.put(index, at)
        if found[0].text != write.text:
            return "finds a rival's", state.put(index, self._ended(build, "VersionConflict"))
        return "finds it", state.put(index, self._written(build, found[0].id))


def view_of(shelf: Shelf, build: Build) -> View:
    """Return what a build has read: rows at one moment, names at another, and whatever contents it wants."""
    assert build.rows is not None
    versions = shelf.versions[: build.seen]
    later = [v for v in shelf.versions[build.seen :] if v.id in {row.version for row in build.rows}]
    return View(build.rows, versions, (*versions, *later))
