"""One template file in BCS: its versions, the rows that point at them, and creations under way. Pure.

As pkg/action/templateversion and pkg/action/template (Create, 2026-07) do it, in steps of their own: the
name is looked up; id and time are stamped; the version is inserted; the row is pointed at it, by name. The
creation of a file inserts its first version, and then its row. Nothing holds the steps together, and there
is no unique index.
"""

from __future__ import annotations

from typing import NamedTuple

BEGAN = 1_767_225_600
"""Seconds since the epoch: when the builds began."""

LONG_AGO = BEGAN - 100_000
"""When the version was written that they find."""


class Version(NamedTuple):
    """A version as BCS keeps it. `by` is the build that sent it, `bases` are ids."""

    id: str
    name: str
    text: str
    bases: tuple[str, ...]
    second: int
    by: int


class Row(NamedTuple):
    """A file of the name: which of the versions it points at. Rows are kept oldest id first."""

    id: str
    version: str


class Write(NamedTuple):
    """What a build sends: a version of this text under this name, for a row or, where it is "", a new file.

    `against` is the id of the version that was current when it was planned, `known` are those of all that
    was there. It `owes` where it leaves hidden what it has seen.
    """

    row: str
    against: str
    name: str
    text: str
    bases: tuple[str, ...]
    known: frozenset[str]
    owes: bool = False


class Request(NamedTuple):
    """A creation that BCS has begun: `step` is what it has done of it. `id` and `second` are its stamp.

    `is_awaited` tells whether its build still waits for the answer.
    """

    by: int
    step: str
    write: Write
    id: str = ""
    second: int = 0
    is_awaited: bool = True


CHECKED, STAMPED, INSERTED = "checked", "stamped", "inserted"


class Shelf(NamedTuple):
    """All that BCS holds. Versions are in the order of their insertion, and only ever added."""

    versions: tuple[Version, ...] = ()
    rows: tuple[Row, ...] = ()
    requests: tuple[Request, ...] = ()

    @property
    def current(self) -> str:
        """Return the id of the current version: everybody takes the oldest of several rows."""
        return self.rows[0].version if self.rows else ""

    def version(self, version_id: str) -> Version:
        """Return the version of that id."""
        return next(version for version in self.versions if version.id == version_id)

    def named(self, name: str) -> list[Version]:
        """Return the versions of that name."""
        return [version for version in self.versions if version.name == name]

    def is_as_planned(self, write: Write) -> bool:
        """Tell whether a write's file points at what it was planned against, or is still not there."""
        if not write.row:
            return not self.rows
        return next(row.version for row in self.rows if row.id == write.row) == write.against

    def is_beside(self, write: Write) -> bool:
        """Tell whether a build has made what is current since a write was planned: nobody else is here."""
        return bool(write.row and self.current and write.against)

    def refuses(self, write: Write) -> bool:
        """Tell whether BCS would find the name taken now."""
        return bool(self.rows) if not write.row else bool(self.named(write.name))

    def begin(self, by: int, write: Write, *, is_awaited: bool = True) -> Shelf:
        """Return the shelf with a creation that has passed the check for its name."""
        request = Request(by, CHECKED, write, is_awaited=is_awaited)
        return self._replace(requests=(*self.requests, request))

    def is_working_for(self, by: int) -> bool:
        """Tell whether something that a build has sent is under way."""
        return any(request.by == by for request in self.requests)


class Clocks(NamedTuple):
    """How BCS stamps.

    `per_second` creations fall into one second; `slow` builds are served by a server whose clock is a second
    behind. With `falling_ids` the later of two ids of a second, made by two servers, sorts first.
    `stamps_apart` has others act between stamp and insert. With `by_server` every build has a server of its
    own and all happens in one second, so that the order of insertions is in no id: the versions are then
    kept in the order of their ids.
    """

    per_second: int = 100
    slow: frozenset[int] = frozenset()
    falling_ids: bool = False
    stamps_apart: bool = True
    by_server: bool = False

    def stamp(self, shelf: Shelf, request: Request) -> Request:
        """Return the creation with its time and id."""
        if self.by_server:
            number = sum(version.by == request.by for version in shelf.versions)
            stamped = f"{BEGAN + 10:08x}{request.by:010x}{number:06x}"
            return request._replace(step=STAMPED, id=stamped, second=BEGAN + 10)
        order = len(shelf.versions) + sum(other.step == STAMPED for other in shelf.requests)
        second = BEGAN + 10 + order // self.per_second - (request.by in self.slow)
        server = (99 - order) if self.falling_ids else order
        return request._replace(step=STAMPED, id=f"{second:08x}{server:010x}{order:06x}", second=second)


def advance(shelf: Shelf, request: Request, clocks: Clocks) -> list[tuple[Shelf, bool]]:
    """Return what one more step of a creation may lead to, and whether it has ended with it."""
    others = tuple(other for other in shelf.requests if other is not request)
    write = request.write
    if request.step == CHECKED and not clocks.stamps_apart:
        stamped = clocks.stamp(shelf, request)
        return advance(shelf._replace(requests=(*others, stamped)), stamped, clocks)
    if request.step == CHECKED:
        return [(shelf._replace(requests=(*others, clocks.stamp(shelf, request))), False)]
    if request.step == STAMPED:
        version = Version(request.id, write.name, write.text, write.bases, request.second, request.by)
        versions = (*shelf.versions, version)
        versions = tuple(sorted(versions)) if clocks.by_server else versions
        return [(Shelf(versions, shelf.rows, (*others, request._replace(step=INSERTED))), False)]
    if write.row:
        rows = tuple(row._replace(version=request.id) if row.id == write.row else row for row in shelf.rows)
        return [(shelf._replace(rows=rows, requests=others), True)]
    return [(shelf._replace(rows=rows, requests=others), True) for rows in _with_row(shelf, request)]


def _with_row(shelf: Shelf, request: Request) -> list[tuple[Row, ...]]:
    """A new row is the youngest; made by another server in the same second it may have the lowest id."""
    if not shelf.rows:
        return [(Row(f"{BEGAN + 10:08x}{50:010x}{0:06x}", request.id),)]
    number = len(shelf.rows)
    younger = Row(f"{BEGAN + 10:08x}{50 + number:010x}{0:06x}", request.id)
    older = Row(f"{BEGAN + 10:08x}{50 - number:010x}{0:06x}", request.id)
    return [(*shelf.rows, younger), (older, *shelf.rows)]
