"""What the HTML page shows beside the rows, as values: differences, routes, timeline, requests, a deployment.

Pure: performs no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Literal, Optional

from bcs_template_set.bcs.space.route_map import OwnedRoute
from bcs_template_set.manifests.document_diff import count_lines
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.route_changes import by_key, key_of, served_as, way_change
from bcs_template_set.manifests.routes import Route, RouteKey
from bcs_template_set.messages import Text, known, say
from bcs_template_set.messages.text import shorten, text_lines
from bcs_template_set.publish.plan import Change
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome, Phase
from bcs_template_set.report.rows import file_rows
from bcs_template_set.report.shown_limits import (
    PAGE_DIFF_COLUMNS,
    PAGE_DIFF_LINES,
    PAGE_DIFF_LINES_PER_FILE,
    PAGE_REQUESTS,
)
from bcs_template_set.rollout.watched import Watched

if TYPE_CHECKING:
    from bcs_template_set.bcs.gateway import Exchange

RunKind = Literal["ins", "del", "hunk", "same"]
_KIND_OF_LINE: tuple[tuple[str, RunKind], ...] = (
    ("--- ", "hunk"),
    ("+++ ", "hunk"),
    ("@@", "hunk"),
    ("+", "ins"),
    ("-", "del"),
)


@dataclass(frozen=True)
class Diff:
    """A difference as runs of lines of one kind, how many lines that is, and how many are left out."""

    runs: tuple[tuple[RunKind, str], ...]
    shown: int
    more: int


@dataclass(frozen=True)
class RouteLine:
    """A host and path: "+" for what comes, "-" for what goes, "~" for what changes, "=" for the rest.

    `how` is its type and class, or how these change. `branch` and `build` are whose it is, "" and 0 where
    that is not known.
    """

    sign: Literal["+", "-", "~", "="]
    route: str
    how: str
    service: str
    ingresses: str
    file: str
    branch: str = ""
    build: int = 0


@dataclass(frozen=True)
class Bar:
    """A phase in the timeline: where it begins and how long it is, in per cent of the whole run."""

    name: Text | str
    began: str
    seconds: float
    start: float
    length: float


@dataclass(frozen=True)
class RequestGroup:
    """All requests of one name; seconds of the slowest."""

    name: str
    count: int
    failed: int
    slowest: float


def diffs_of(texts: Iterable[tuple[str, str]]) -> list[tuple[str, Diff]]:
    """Return unified diffs with their names, as much of them as the page has room for."""
    left = PAGE_DIFF_LINES
    diffs: list[tuple[str, Diff]] = []
    for name, text in texts:
        diff = diff_of(text, most=min(PAGE_DIFF_LINES_PER_FILE, left))
        left -= diff.shown
        diffs.append((name, diff))
    return diffs


def diff_of(text: str, *, most: int) -> Diff:
    """Return a unified diff, of which at most so many lines are shown."""
    shown = text_lines(text, most=most)
    return Diff(_runs(shown), shown=len(shown), more=count_lines(text) - len(shown))


def _runs(lines: Sequence[str]) -> tuple[tuple[RunKind, str], ...]:
    return tuple(
        (kind, "\n".join(shorten(line, PAGE_DIFF_COLUMNS) for line in run))
        for kind, run in groupby(lines, key=_kind_of)
    )


def _kind_of(line: str) -> RunKind:
    return next((kind for start, kind in _KIND_OF_LINE if line.startswith(start)), "same")


def routes_of(outcome: Outcome) -> tuple[RouteLine, ...]:
    """Return every host and path of the run's files, and those that go; first what changes."""
    lines: dict[tuple[str, str, str], RouteLine] = {}
    found = outcome.plan.route_map if outcome.plan is not None else ()
    owners = {(owned.host, owned.path, owned.file): owned for owned in found}
    for file in file_rows(outcome):
        for line in _routes_of_change(file.change, owners):
            lines[line.sign, line.route, line.file] = line
    return tuple(sorted(lines.values(), key=lambda line: ("-~+=".index(line.sign), line.route, line.file)))


def _routes_of_change(
    change: Change, owners: Mapping[tuple[str, str, str], OwnedRoute]
) -> Iterable[RouteLine]:
    gone = by_key(change.routes_lost)
    for host, path in change.routes_removed:
        how = _how(gone.get((host, normal_path(path)), ()))
        yield RouteLine("-", host + path, how, "", "", change.name)
    added = set(change.routes_added)
    otherwise: dict[RouteKey, list[str]] = {}
    for old, new in change.routes_changed:
        if key_of(old) == key_of(new):
            otherwise.setdefault((new.host, new.path), []).append(way_change(old, new))
        else:
            yield RouteLine("~", old.host + old.path, f"-> {new.host}{new.path}", "", "", change.name)
    routes: dict[RouteKey, list[Route]] = {}
    for route in change.routes:
        routes.setdefault((route.host, route.path), []).append(route)
    for key, same in routes.items():
        owner = owners.get((*key, change.name))
        changed = otherwise.get(key)
        yield RouteLine(
            sign="+" if key in added else "~" if changed else "=",
            route="".join(key),
            how="; ".join(changed) if changed else _how(same),
            service=", ".join(dict.fromkeys(route.service for route in same)),
            ingresses=", ".join(dict.fromkeys(route.ingress for route in same)),
            file=change.name,
            branch=owner.branch if owner is not None else "",
            build=owner.build if owner is not None else 0,
        )


def _how(routes: Iterable[Route]) -> str:
    return "; ".join(dict.fromkeys(map(served_as, routes)))


def bars_of(phases: Sequence[Phase]) -> tuple[Bar, ...]:
    """Return the phases on one scale, which ends with the last of them."""
    if not phases:
        return ()
    began = min(phase.started_at for phase in phases)
    whole = max(max(phase.started_at + phase.seconds for phase in phases) - began, 0.001)
    return tuple(
        Bar(
            name=say(key) if known(key := f"report.phase_{phase.name}") else phase.name,
            began=f"+{phase.started_at - began:.1f} s",
            seconds=phase.seconds,
            start=round(100 * (phase.started_at - began) / whole, 2),
            length=round(100 * phase.seconds / whole, 2),
        )
        for phase in phases
    )


def request_groups(requests: Iterable[Exchange]) -> tuple[RequestGroup, ...]:
    """Return the requests by name, in the order of their first ones."""
    groups: dict[str, list[Exchange]] = {}
    for request in requests:
        groups.setdefault(request.name, []).append(request)
    return tuple(
        RequestGroup(
            name=name,
            count=len(members),
            failed=sum(bool(request.refused) for request in members),
            slowest=max(request.seconds for request in members),
        )
        for name, members in groups.items()
    )


def shown_requests(requests: Sequence[Exchange]) -> tuple[Exchange, ...]:
    """Return the requests there is room for, in the order they were sent; failed ones are left out last."""
    by_need = sorted(range(len(requests)), key=lambda index: not requests[index].refused)
    return tuple(requests[index] for index in sorted(by_need[:PAGE_REQUESTS]))


def file_urls(outcome: Outcome) -> dict[str, str]:
    """Return the console's page of each file by its name, at the version the run found or wrote.

    A file that nobody has made yet has none.
    """
    console, urls = outcome.heading.console, {}
    for file in file_rows(outcome):
        change, end = file.change, file.outcome
        written = end.version_id if end is not None else ""
        before = change.previous.id if change.previous is not None else ""
        template_id = change.template_id or (end.template_id if end is not None else "")
        urls[file.name] = console.file_url(template_id, written or change.version_id or before)
    return urls


def only_web(url: str) -> Optional[str]:
    """Return an address a person may follow; None for any other scheme, such as `javascript:`."""
    return url if url.startswith(("https://", "http://")) else None


@dataclass(frozen=True)
class WorkloadBar:
    """How long a workload was waited for, in per cent of the longest wait."""

    title: str
    state: WorkloadState
    seconds: float
    length: float


def workload_bars(watched: Sequence[Watched]) -> tuple[WorkloadBar, ...]:
    """Return how long each workload was waited for, the longest first; all begin with the wait."""
    whole = max([0.001, *(item.seconds for item in watched)])
    bars = [
        WorkloadBar(item.workload.title, item.end, item.seconds, round(100 * item.seconds / whole, 2))
        for item in watched
    ]
    return tuple(sorted(bars, key=lambda bar: (-bar.seconds, bar.title)))
