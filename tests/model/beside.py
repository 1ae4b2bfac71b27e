"""Who deploys into one namespace at once, and all that can happen between them. Pure, but for the step's own.

Publishing a build's files is one move; after that each request is one, and so is each step of BCS and of the
cluster. What a run reads of one thing in a row (the folder, the lists, objects) it reads at one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional, Union, cast

from bcs_template_set.bcs.calls import Call, Read
from tests.model.namespace import File, Namespace, Things
from tests.model.replay import Ended, Machine, Run
from tests.model.runs import Build, begin
from tests.model.shown import LOST, NO_VERSION, Answer, FileRow, not_there, rows_in, things_in

DEAD = Ended("dead")
Who = Union[Build, Run]


class Trouble(NamedTuple):
    """What the site does to the runs.

    Those that `may_die` may be killed at any moment; BCS may do what it was asked for, or stop. Those that
    `may_miss` may hear nothing of a write, once.
    """

    may_die: frozenset[int] = frozenset()
    may_miss: frozenset[int] = frozenset()


class At(NamedTuple):
    """Where one run is: a place of the machine, -1 before it begins; how it ended.

    `seen` is what others had put into the namespace, and `rows` how the files were, as it has read them last;
    `beside`: its last lists showed that another run had deployed over it.
    """

    place: int = -1
    seen: Things = frozenset()
    rows: tuple[FileRow, ...] = ()
    beside: bool = False
    waits: bool = False
    ended: Optional[Ended] = None
    missed: bool = False


class State(NamedTuple):
    """The site and every run."""

    now: Namespace
    runs: tuple[At, ...]

    def put(self, index: int, run: At, now: Optional[Namespace] = None) -> State:
        """Return the state with one run replaced, and the site, where it is given."""
        runs = (*self.runs[:index], run, *self.runs[index + 1 :])
        return State(self.now if now is None else now, runs)


class Beside:
    """All that can happen, for `explorer.explore`."""

    def __init__(self, runs: Sequence[Who], *, kinds: frozenset[str], trouble: Trouble = Trouble()) -> None:  # noqa: B008 - a tuple
        self._runs, self._trouble = tuple(runs), trouble
        self.machine = Machine(kinds)
        self._begun: dict[tuple[int, Namespace], tuple[Namespace, Union[int, Ended]]] = {}

    def start(self, now: Namespace) -> State:
        """Return the state before anything happens."""
        return State(now, tuple(At() for _ in self._runs))

    def moves(self, state: State) -> Iterator[tuple[str, State]]:
        """Return every move that can be made, and what comes of it."""
        for index, run in enumerate(state.runs):
            if run.ended is None:
                yield from self._moves_of(state, index, run)
        for call in state.now.calls:
            now, has_ended = state.now.go_on(call)
            after = state._replace(now=now)
            if has_ended and call.is_awaited:
                after = self._told(after, call.by, None)
            yield f"BCS goes on for {call.by}", after
            if not call.is_awaited:
                yield f"BCS stops for {call.by}", state._replace(now=state.now.drop(call))
        for thing in state.now.things:
            if thing.going:
                yield f"{thing.title} is gone", state._replace(now=state.now.let_go(thing))

    def alone(self, who: Who, now: Namespace) -> tuple[Namespace, Ended]:
        """Return what comes of one more run that nobody disturbs."""
        runs = (*self._runs, who)
        beside = Beside(runs, kinds=self.machine.kinds)
        state = State(now, (*(At(ended=DEAD) for _ in self._runs), At()))
        while True:
            steps = list(beside.moves(state))
            if not steps:
                return state.now, cast("Ended", state.runs[-1].ended)
            state = steps[-1][1]  # BCS and the cluster first

    # --- a run ------------------------------------------------------------------------------------------

    def _moves_of(self, state: State, index: int, run: At) -> Iterator[tuple[str, State]]:
        if run.place < 0:
            if index == 0 or state.runs[0] != At():
                yield f"{index} publishes", self._begins(state, index)
            return
        if index in self._trouble.may_die:
            yield f"{index} dies", state.put(index, At(ended=DEAD), state.now.hang_up(index))
        if run.waits:
            if index in self._trouble.may_miss and not run.missed:
                hung = state._replace(now=state.now.hang_up(index))
                yield f"{index} hears nothing", self._told(hung, index, LOST, missed=True)
            return
        pending = self.machine.next(run.place)
        assert pending is not None
        call = pending.call
        if isinstance(call, Read):
            place, answers = self.machine.read(run.place, state.now)
            after = self._having_read(index, run._replace(place=place), answers)
            yield f"{index} asks: {call.name}", self._at(state, index, after)
        else:
            yield f"{index} asks: {call.name}", self._writes(state, index, call)
            if index in self._trouble.may_miss and not run.missed and call.name != "deploy":
                done = self._writes(state, index, call).now
                yield f"{index} hears nothing", self._told(state, index, LOST, missed=True)
                yield (
                    f"{index} hears nothing, and it is done",
                    self._told(state._replace(now=done), index, LOST, missed=True),
                )

    def _having_read(self, index: int, run: At, answers: Sequence[tuple[Call[object], Answer]]) -> At:
        """Return a run with what it knows of others by what it has just read."""
        shown = {thing.title: thing for _, answer in answers for thing in things_in(answer)}
        others = {title: one for title, one in shown.items() if one.by not in (index, -1)}
        known = (one for one in run.seen if one.title not in shown)
        rows = {row.id: row for row in run.rows}
        rows.update((row.id, row) for call, answer in answers for row in rows_in(call, answer))
        own, beside = self._runs[index], run.beside
        if isinstance(own, Build) and any(call.name.startswith("list ConfigMap") for call, _ in answers):
            beside = any(one.file in dict(own.files) for one in others.values())
        seen = frozenset((*known, *others.values()))
        return run._replace(seen=seen, rows=tuple(sorted(rows.values())), beside=beside)

    def _begins(self, state: State, index: int) -> State:
        key = (index, state.now)
        if key not in self._begun:
            self._begun[key] = self._begin(index, state.now)
        now, place = self._begun[key]
        if isinstance(place, Ended):
            return state.put(index, At(ended=place), now)
        return self._at(state.put(index, At(), now), index, At(place, now.others(index)))

    def _begin(self, index: int, now: Namespace) -> tuple[Namespace, Union[int, Ended]]:
        who = self._runs[index]
        return (
            begin(self.machine, who, now, by=index)
            if isinstance(who, Build)
            else (now, self.machine.begin(who))
        )

    def _at(self, state: State, index: int, run: At) -> State:
        """Return the state with a run at its place; one that has ended is nowhere."""
        self.machine.next(run.place)
        ended = self.machine.ended.get(run.place)
        return state.put(index, run if ended is None else At(ended=ended))

    def _told(self, state: State, index: int, answer: Answer, *, missed: bool = False) -> State:
        run = state.runs[index]
        place = self.machine.after(run.place, answer)
        after = run._replace(place=place, waits=False, missed=run.missed or missed)
        return self._at(state, index, after)

    def _writes(self, state: State, index: int, call: Call[object]) -> State:
        if call.name == "deploy":
            return self._deploys(
                state, index, tuple(cast("list[str]", (call.body or {})["templateVersions"]))
            )
        verb, _, what = call.name.partition(" ")
        assert verb == "delete", call.name
        delete = {"version": self._delete_version, "file": self._delete_file}.get(what)
        last = call.segments[-1]
        now, answer = delete(state, index, last) if delete else self._delete_thing(state, index, what, last)
        return self._told(state._replace(now=now), index, answer)

    def _deploys(self, state: State, index: int, ids: tuple[str, ...]) -> State:
        run = state.runs[index]
        if state.now.documents(ids) is None:
            return self._told(state, index, NO_VERSION)
        return state.put(index, run._replace(waits=True), state.now.begin(index, ids, seen=run.seen))

    def _delete_version(self, state: State, index: int, version_id: str) -> tuple[Namespace, Answer]:
        found, run = state.now.version(version_id), state.runs[index]
        if found is None:
            return state.now, NO_VERSION
        file, version = found
        is_live = any((one.file, one.version) == (file.name, version.name) for one in run.seen)
        rows = [row for row in run.rows if row.id == file.id]
        is_used = any(
            version.id == row.current or version.name in (row.deployed, row.version) for row in rows
        )
        return state.now.delete_version(index, file, version, was_seen=is_live or is_used), None

    def _delete_file(self, state: State, index: int, file_id: str) -> tuple[Namespace, Answer]:
        file = next(one for one in state.now.files if one.id == file_id)
        was_seen = self._is_anew(index, state.runs[index], file, state.now)
        return state.now.delete_file(index, file, was_seen=was_seen), None

    def _delete_thing(self, state: State, index: int, kind: str, name: str) -> tuple[Namespace, Answer]:
        now, run, thing = state.now, state.runs[index], state.now.thing(kind, name)
        if thing is None:
            return now, not_there(kind, name)
        if thing.going:
            return now, None
        file = now.file(thing.file)
        was_seen = thing in run.seen or (file is not None and self._is_anew(index, run, file, now))
        return now.accept_deletion(index, thing, was_seen=was_seen, beside=run.beside), None

    def _is_anew(self, index: int, run: At, file: File, now: Namespace) -> bool:
        """Tell whether a run has read that another one has published a file."""
        current = next((row.current for row in run.rows if row.id == file.id), "")
        found = now.version(current)
        return found is not None and found[1].by not in (index, -1)
