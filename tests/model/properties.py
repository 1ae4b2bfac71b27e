"""What must hold when all builds have ended and BCS has handled all that was sent. Pure.

- there twice: a version that was reported is there once, by id and by name.
- hidden for now: the branch of a build that succeeded is not served, and somebody did not end well.
- hidden though all went well: the same, and everybody succeeded.
- lost for good: not even the next build of another branch, planning now, would serve it.
- lost if nobody comes soon: the same, of a build that begins when nothing of all this is young any more.
- not removed: a branch that a build took out, successfully, is served.
- said what is not so: a build succeeded though its branch was not in what it took for current.
- not what it told: the build that wrote the current version took another for current when it ended.
- nobody knows: the version of a build that ended as current is not current, and who replaced it never saw it.
- an older build won: what is current is an older build's, which succeeded though a newer one has published,
  and the newer one did not find it to be what it wants too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.model.builds import DEAD, SUCCESSES, Build, State
from tests.model.decisions import Decisions, View, Who
from tests.model.shelf import LONG_AGO, Row, Shelf, Version, Write


def first_state(decisions: Decisions, *, builds: int, exists: bool) -> State:
    """Return the start: nothing at all, or a file that the build behind the last has published."""
    waiting = tuple(Build() for _ in range(builds))
    if not exists:
        return State(Shelf(), waiting)
    write = decisions.plan(builds, View((), (), ()))
    assert isinstance(write, Write)
    first = Version(f"{LONG_AGO:08x}{0:016x}", write.name, write.text, write.bases, LONG_AGO, builds)
    return State(Shelf((first,), (Row(f"{LONG_AGO:08x}{1:016x}", first.id),)), waiting)


def problems(end: State, decisions: Decisions, builds: Sequence[Who]) -> Iterator[str]:
    """Yield every problem of a state in which nothing more happens."""
    shelf = end.shelf
    for build in end.builds:
        if build.mine and len(shelf.named(shelf.version(build.mine).name)) != 1:
            yield "there twice"
    if shelf.rows:
        yield from _about_paths(end, decisions, builds) if builds[0].shares else ()
        yield from _about_the_current(end, builds)


def is_served(end: State, index: int, decisions: Decisions, builds: Sequence[Who]) -> bool:
    """Tell whether a build that succeeded has its branch served; one that failed needs none."""
    if end.builds[index].at not in SUCCESSES:
        return True
    return builds[index].branch in decisions.branches(end.shelf.version(end.shelf.current).text)


def _about_paths(end: State, decisions: Decisions, builds: Sequence[Who]) -> Iterator[str]:
    shelf = end.shelf
    current = decisions.branches(shelf.version(shelf.current).text)
    view = View(shelf.rows, shelf.versions, shelf.versions)
    soon, late = (
        decisions.branches(after.text) if isinstance(after, Write) else current
        for after in (
            decisions.plan(len(builds) + number, view, again=number == 1, merges=number == 1)
            for number in (1, 2)
        )
    )
    all_well = all(build.at in SUCCESSES for build in end.builds)
    for who, build in zip(builds, end.builds):
        if build.at not in SUCCESSES:
            continue
        if who.branch not in current:
            yield "hidden though all went well" if all_well else "hidden for now"
        if who.branch not in soon:
            yield "lost for good"
        if who.branch not in late:
            yield "lost if nobody comes soon"
        if who.removes & current:
            yield "not removed"
        if build.told and who.branch not in decisions.branches(shelf.version(build.told).text):
            yield "said what is not so"


def _about_the_current(end: State, builds: Sequence[Who]) -> Iterator[str]:
    current = end.shelf.version(end.shelf.current)
    if current.by >= len(builds) or end.builds[current.by].at == DEAD:
        return
    owner, who = end.builds[current.by], builds[current.by]
    if owner.told and owner.told != current.id:
        yield "not what it told"
    for rival, other in zip(end.builds, builds):
        if rival is owner or not rival.mine:
            continue
        if rival.told in ("", rival.mine) and rival.mine not in owner.knew and rival.at in SUCCESSES:
            yield "nobody knows"
        is_newer = other.branch == who.branch and other.number > who.number
        accepts = rival.told == current.id
        if is_newer and not accepts and rival.at in SUCCESSES and owner.at in SUCCESSES:
            yield "an older build won"
