"""What a page shows beside its rows: differences, routes, the timeline, requests, addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.route_map import OwnedRoute
from bcs_template_set.manifests.routes import EntryPoint, Route
from bcs_template_set.messages import say
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change
from bcs_template_set.report.outcome import Phase
from bcs_template_set.report.page import (
    Bar,
    Diff,
    RequestGroup,
    RouteLine,
    RunKind,
    WorkloadBar,
    bars_of,
    diff_of,
    diffs_of,
    file_urls,
    only_web,
    request_groups,
    routes_of,
    shown_requests,
    workload_bars,
)
from bcs_template_set.report.shown_limits import (
    PAGE_DIFF_COLUMNS,
    PAGE_DIFF_LINES,
    PAGE_DIFF_LINES_PER_FILE,
    PAGE_REQUESTS,
)

# --- differences ----------------------------------------------------------------------------------------


def test_a_difference_is_shown_in_runs_of_lines_of_one_kind() -> None:
    text = "--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n-older\n+new\n\n"
    runs: tuple[tuple[RunKind, str], ...] = (
        ("hunk", "--- a\n+++ b\n@@ -1 +1 @@"),
        ("same", " same"),
        ("del", "-old\n-older"),
        ("ins", "+new"),
        ("same", ""),
    )
    assert diff_of(text, most=9) == Diff(runs, shown=8, more=0)
    assert diff_of(text, most=2) == Diff((("hunk", "--- a\n+++ b"),), shown=2, more=6)
    (((_, line),),) = (diff_of("+" + "x" * 2000, most=1).runs,)
    assert len(line) == PAGE_DIFF_COLUMNS


def test_a_page_has_room_for_so_many_lines_of_a_file_and_of_all() -> None:
    files = PAGE_DIFF_LINES // PAGE_DIFF_LINES_PER_FILE
    long = [(f"a{n}", "+x\n" * (PAGE_DIFF_LINES_PER_FILE + 1)) for n in range(files)]
    found = diffs_of([*long[1:], ("half", "+y\n" * 300), long[0]])
    assert [(name, diff.shown, diff.more) for name, diff in found] == [
        *((f"a{n}", PAGE_DIFF_LINES_PER_FILE, 1) for n in range(1, files)),
        ("half", 300, 0),
        ("a0", PAGE_DIFF_LINES_PER_FILE - 300, 301),
    ]


# --- routes ---------------------------------------------------------------------------------------------

HOST = "a.example.com"


def route(path: str, service: str = "s", *, kind: str = "Prefix", of: str = "i", host: str = HOST) -> Route:
    return Route(host, path, service, of, path_type=kind)


CHANGE = scenes.change(
    "a.yaml",
    routes=(
        route("/"),
        route("/", "t", kind="Exact", of="j"),
        route("/", of="j"),
        route("/new"),
        route("/way", kind="Exact"),
    ),
    routes_added=((HOST, "/new"),),
    routes_removed=((HOST, "/old"), (HOST, "/unknown")),
    routes_lost=(route("/old/", kind="Exact"), route("/old", "t"), route("/else")),
    routes_changed=(
        (route("/way"), route("/way", kind="Exact")),
        (route("/way", kind="Exact"), route("/way")),
        (route("/moved"), route("/moved", host="*.example.com")),
    ),
)
OWNED = OwnedRoute(HOST, "/", "a.yaml", "s", "p-1", "main", 7, (HOST, "/"), EntryPoint())


def test_routes_are_told_with_how_they_are_served_what_goes_first() -> None:
    plan = replace(scenes.plan_of(CHANGE), route_map=(OWNED, replace(OWNED, path="/new", file="b.yaml")))
    assert routes_of(scenes.outcome_of(plan)) == (
        RouteLine("-", f"{HOST}/old", "Exact; Prefix", "", "", "a.yaml"),
        RouteLine("-", f"{HOST}/unknown", "", "", "", "a.yaml"),
        RouteLine("~", f"{HOST}/moved", "-> *.example.com/moved", "", "", "a.yaml"),
        RouteLine("~", f"{HOST}/way", "Prefix -> Exact; Exact -> Prefix", "s", "i", "a.yaml"),
        RouteLine("+", f"{HOST}/new", "Prefix", "s", "i", "a.yaml"),
        RouteLine("=", f"{HOST}/", "Prefix; Exact", "s, t", "i, j", "a.yaml", branch="main", build=7),
    )


def test_of_one_sign_routes_are_sorted_and_then_files() -> None:
    def served(name: str) -> Change:
        return scenes.change(name, action="unchanged", routes=(route("/b"), route("/a")))

    lines = routes_of(scenes.outcome_of(scenes.plan_of(served("b.yaml"), served("a.yaml"))))
    assert [(line.route, line.file) for line in lines] == [
        (f"{HOST}/a", "a.yaml"),
        (f"{HOST}/a", "b.yaml"),
        (f"{HOST}/b", "a.yaml"),
        (f"{HOST}/b", "b.yaml"),
    ]
    assert routes_of(scenes.no_permission()) == ()


# --- the timeline ---------------------------------------------------------------------------------------


def test_phases_are_drawn_on_one_scale_that_ends_with_the_last_of_them() -> None:
    phases = (Phase("plan", 101.26, 1.0), Phase("settings", 100.0, 0.5), Phase("mine", 102.0, 1.0))
    assert bars_of(phases) == (
        Bar(say("report.phase_plan"), "+1.3 s", 1.0, 42.0, 33.33),
        Bar(say("report.phase_settings"), "+0.0 s", 0.5, 0.0, 16.67),
        Bar("mine", "+2.0 s", 1.0, 66.67, 33.33),
    )
    assert bars_of((Phase("mine", 100.0, 0.5),)) == (Bar("mine", "+0.0 s", 0.5, 0.0, 100.0),)
    assert bars_of((Phase("mine", 100.0, 0.0),)) == (Bar("mine", "+0.0 s", 0.0, 0.0, 0.0),)
    assert bars_of(()) == ()


def test_workloads_are_drawn_on_the_scale_of_the_longest_wait() -> None:
    waits = [
        rollout_scenes.watched(host, "ready", seconds=seconds)
        for host, seconds in (("b", 1.0), ("c", 3.0), ("a", 1.0))
    ]
    assert workload_bars(waits) == (
        WorkloadBar("Deployment/deployment.nginx.c", "ready", 3.0, 100.0),
        WorkloadBar("Deployment/deployment.nginx.a", "ready", 1.0, 33.33),
        WorkloadBar("Deployment/deployment.nginx.b", "ready", 1.0, 33.33),
    )
    (short,) = workload_bars([rollout_scenes.watched("a", "ready", seconds=0.5)])
    assert short.length == 100
    (none,) = workload_bars([rollout_scenes.watched("a", "ready", seconds=0.0)])
    assert (none.length, workload_bars([])) == (0.0, ())


# --- requests -------------------------------------------------------------------------------------------


def sent(number: int, *, name: str = "get", refused: int = 0) -> Exchange:
    return Exchange(name, "GET", "/x", 200, number / 10, f"r-{number}", "", refused=refused)


def test_requests_are_grouped_by_name_with_how_many_failed_and_the_slowest() -> None:
    requests = [sent(1), sent(5, name="put", refused=800606), sent(3, refused=800601), sent(2)]
    assert request_groups(requests) == (RequestGroup("get", 3, 1, 0.3), RequestGroup("put", 1, 1, 0.5))


def test_of_more_requests_than_there_is_room_for_the_first_are_shown_and_those_that_failed() -> None:
    requests = [sent(n) for n in range(PAGE_REQUESTS)]
    assert shown_requests(requests) == tuple(requests)
    failed = sent(999, refused=800606)
    assert shown_requests([*requests, failed, sent(1000)]) == (*requests[:-1], failed)


# --- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "end", "page"),
    [
        ({}, None, ""),
        ({"template_id": "t"}, None, "/t"),
        ({"template_id": "t", "previous": VersionRef("p", "1")}, None, "/t?versionID=p"),
        ({"template_id": "t", "previous": VersionRef("p", "1"), "version_id": "v"}, None, "/t?versionID=v"),
        ({"template_id": "t", "version_id": "v"}, ("w", ""), "/t?versionID=w"),
        ({"template_id": "t", "version_id": "v"}, ("", "other"), "/t?versionID=v"),
        ({}, ("w", "made"), "/made?versionID=w"),
    ],
)
def test_a_file_is_linked_at_the_version_that_the_run_wrote_or_found(
    change: dict[str, object], end: tuple[str, str] | None, page: str
) -> None:
    planned = scenes.change("a.yaml", writes_version=True, **change)
    plan = scenes.plan_of(planned)
    files = [FileOutcome(planned, "applied", end[0], template_id=end[1])] if end is not None else []
    run = replace(scenes.outcome_of(plan), files=tuple(files))
    folder = run.heading.console.space_url
    assert file_urls(run) == {"a.yaml": f"{folder}{page}" if page else ""}


def test_only_an_address_of_the_web_is_one_to_follow() -> None:
    followed = ["http://bcs.example.com/x", "https://bcs.example.com/x"]
    assert [only_web(url) for url in followed] == followed
    assert [only_web(url) for url in ("javascript:alert(1)", "data:text/html,x", "//x", "")] == [None] * 4
