"""What must hold when all runs have ended and nothing is under way any more. Pure.

The first run of a scene begins before the others: whatever they tell is newer than what it wants.

- took away another's: what a run deleted, another one had put there since it looked; or, that it had seen.
- took away what another needs: what a run deleted, another one that ended well has told to be live.
- pruned though it had seen another deploy: a build took something away after another one had replaced it.
- deleted a version or file that it had seen in use: live, current, or published by another one since.
- restored over another's: a build went back over what another run had put there since it had looked; or, that
  it had seen.
- an older build won: an older build's version is live over a newer one's, and both say that they ended well.
- lost for good: what is live is of a version that BCS does not have any more.
- said what is not so: the run that put there what is live, or deleted it, ended well and has told otherwise.
- nobody knows: a run that ended well has told what is not live, and whoever did that has not told it.
- not healed: the next build does not come to what it would have come to alone, or does not say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.model.beside import At, Beside, State, Who
from tests.model.namespace import Event, Namespace, Thing, objects_of
from tests.model.runs import Build, told_of

WELL = frozenset({"deployed", "rolled-back", "skipped", "done"})
"""The results that say that all is as it was to be."""


def problems(end: State, runs: Sequence[Who]) -> Iterator[str]:
    """Yield every problem of a state in which nothing more happens."""
    for event in end.now.done:
        yield from _of_event(event, end, runs)
    for thing in end.now.things:
        yield from _of_thing(thing, end, runs)
    for index, run in enumerate(end.runs):
        yield from _of_told(index, run, end)


def _of_event(event: Event, end: State, runs: Sequence[Who]) -> Iterator[str]:
    before, by, who = event.before, event.by, runs[event.by]
    seen = " that it had seen" if event.was_seen else ""
    if event.beside:
        yield "pruned though it had seen another deploy"
    if not isinstance(before, Thing):
        if event.was_seen:
            yield "deleted a version or file that it had seen in use"
        return
    if event.what == "deleted" and (before.by not in (by, -1) or event.was_seen):
        yield f"took away another's{seen}"
    if event.what == "deleted" and end.now.thing(before.kind, before.name) is None:
        others = (told_of(run.ended) for index, run in enumerate(end.runs) if index != by and _is_well(run))
        if any((before.file, before.version) in told.live for told in others):
            yield "took away what another needs"
    goes_back = isinstance(who, Build) and event.version != who.version and not who.goes_back
    if event.what == "replaced" and goes_back:
        yield f"restored over another's{seen}"


def _of_thing(thing: Thing, end: State, runs: Sequence[Who]) -> Iterator[str]:
    file = end.now.file(thing.file)
    if file is None or file.named(thing.version) is None:
        yield "lost for good"
    if thing.by < 0:
        return
    run, told = end.runs[thing.by], told_of(end.runs[thing.by].ended)
    if _is_well(run) and (thing.file, thing.version) not in (*told.live, *told.back):
        yield "said what is not so"
    own = runs[thing.by]
    for index, other in enumerate(runs):
        if not (isinstance(own, Build) and isinstance(other, Build) and _is_well(run)):
            continue
        is_newer = other.provenance.is_newer_than(own.provenance) and thing.file in dict(other.files)
        if is_newer and _is_well(end.runs[index]):
            yield "an older build won"


def _of_told(index: int, run: At, end: State) -> Iterator[str]:
    told = told_of(run.ended)
    if not _is_well(run):
        return
    for thing in end.now.things:
        if f"{thing.title}" in told.gone and thing.by in (index, -1):
            yield "said what is not so"
        at = dict((*told.live, *told.back)).get(thing.file, thing.version)
        if at != thing.version and thing.by not in (index, -1) and not _tells(end.runs[thing.by], thing):
            yield "nobody knows"


def _tells(run: At, thing: Thing) -> bool:
    """Tell whether a run has told of what it put there, or that it does not know."""
    told = told_of(run.ended)
    return not _is_well(run) or (thing.file, thing.version) in (*told.live, *told.back)


def _is_well(run: At) -> bool:
    return run.ended is not None and run.ended.result in WELL and not told_of(run.ended).warned


def is_healed(beside: Beside, now: Namespace, *, by: Build) -> bool:
    """Tell whether the next build, undisturbed, ends as it should, with just what it renders live."""
    after, ended = beside.alone(by, now._replace(done=frozenset()))
    wanted = {
        (kind, name, file, text) for file, content in by.files for kind, name, text in objects_of(content)
    }
    live = {(thing.kind, thing.name, thing.file, thing.text) for thing in after.things}
    return ended.result == "deployed" and not told_of(ended).warned and live == wanted
