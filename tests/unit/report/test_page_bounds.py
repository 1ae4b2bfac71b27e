"""A page stays one that a browser opens: of everything a run may have many of, the rest is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import scenes
from tests.support.many_findings import many_findings

from bcs_template_set.manifests.routes import Route
from bcs_template_set.messages import say
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.shown_limits import MOST_DETAILS, PAGE_IN_CELL, PAGE_ROWS
from bcs_template_set.report.topology import MOST_BOXES, topology_of


def routes(count: int, *, host: str = "www.example.com") -> tuple[Route, ...]:
    return tuple(Route(host, f"/{n:05}", f"service-{n:05}", f"ingress-{n:05}") for n in range(count))


def english(outcome: Outcome) -> Outcome:
    return replace(outcome, language="en_US")


def test_a_table_has_so_many_rows_and_says_how_many_more_there_are() -> None:
    several = scenes.change("a.yaml", routes=routes(PAGE_ROWS + 3))
    page = render_html(english(scenes.outcome_of(scenes.plan_of(several))))
    table = page[page.index('id="routes"') :]
    assert table.count('role="rowheader">www.example.com/') == PAGE_ROWS
    assert "… and 3 more." in table


def test_the_row_of_a_file_has_so_many_routes_and_images() -> None:
    places = tuple(("h", f"/{n}") for n in range(PAGE_IN_CELL + 4))
    images = tuple((f"a:{n}", f"b:{n}") for n in range(PAGE_IN_CELL + 5))
    several = scenes.change("a.yaml", routes_added=places, routes_removed=places[:-1], images=images)
    page = render_html(english(scenes.outcome_of(scenes.plan_of(several))))
    assert page.count('<span class="part come">') == page.count('<span class="part go">') == PAGE_IN_CELL
    assert page.count('<span class="part" title="a:') == PAGE_IN_CELL
    for more in (3, 4, 5):
        assert f"… and {more} more." in page


@pytest.mark.parametrize("where", ["warnings", "notes"])
def test_sentences_are_listed_as_an_errors_details_are(where: str) -> None:
    sentences = tuple(say("report.count_update", what=1000 + n) for n in range(MOST_DETAILS + 7))
    run = english(scenes.published())
    assert run.plan is not None
    plan = replace(run.plan, notes=sentences if where == "notes" else ())
    page = render_html(replace(run, warnings=sentences if where == "warnings" else (), plan=plan))
    assert str(sentences[MOST_DETAILS - 1].render("en_US")) in page
    assert str(sentences[MOST_DETAILS].render("en_US")) not in page
    assert "… and 7 more." in page


def test_findings_stand_below_their_file_and_those_that_are_too_many_are_folded() -> None:
    page = render_html(replace(english(scenes.no_permission()), error=many_findings(300)))
    assert '<li>a0.yaml:</li><li class="depth-2">line 1, Pod/a0 spec: the image i0 has no tag.' in page
    shown, folded = page.split("<summary>The others</summary>")
    assert shown.count(" has no tag. ") == 33
    assert folded.count(" has no tag. ") == 267
    assert "<li>300 image-tag: Give it the tag" in shown
    few = render_html(replace(english(scenes.no_permission()), error=many_findings(3)))
    assert "The others" not in few


def test_a_domain_has_so_many_boxes_and_the_rest_is_counted() -> None:
    several = scenes.change("a.yaml", routes=routes(MOST_BOXES))
    topology = topology_of([several])
    (lane,) = topology.lanes
    ways_drawn = (MOST_BOXES - 1 + 1) // 2  # the domain, then an Ingress and a Service a way
    assert len(lane.nodes) == 1 + 2 * ways_drawn
    assert lane.left_out == MOST_BOXES - ways_drawn
    assert lane.changes, "nobody knows what the boxes left out are"
    page = render_html(english(scenes.outcome_of(scenes.plan_of(several))))
    assert f"At least {lane.left_out} more boxes are not drawn." in page
    assert not topology_of([scenes.change("a.yaml", routes=routes(2))]).lanes[0].left_out


def test_paths_of_one_ingress_and_service_are_one_way() -> None:
    same = tuple(Route("h", f"/{n}", "s", "i") for n in range(3000))
    (lane,) = topology_of([scenes.change("a.yaml", routes=same)]).lanes
    assert (len(lane.nodes), len(lane.edges), lane.left_out) == (3, 2, 0)
