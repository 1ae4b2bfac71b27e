"""The page in Debian's Chromium, where that is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import pytest
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.browser import CHROMIUM, dom
from tests.support.draws import in_turn
from tests.support.pages import scripted

from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.rollout.result import Before

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="needs Debian's package chromium (apt-get install chromium)"
)

LONG = "a-very-long-name-of-a-domain-that-somebody-has-chosen.and-another-one." * 3 + "example.com"
MEASURE = """
document.querySelectorAll("details").forEach(function(d){d.open=true});
var root=document.documentElement;
root.setAttribute("data-measured",[window.innerWidth,root.scrollWidth,
[].some.call(document.querySelectorAll("pre"),function(p){return p.scrollWidth>p.clientWidth})].join(" "));
root.setAttribute("data-heads",[].filter.call(document.querySelectorAll(".picture .head"),
function(head){return getComputedStyle(head).display!=="none"}).length);
"""


@dataclass(frozen=True)
class Measured:
    """Widths of window and page with all folds open, and whether a difference scrolls by itself."""

    window: int
    page: int
    scrolls: bool
    seen: str


def measured(html: str, *, directory: Path, width: int) -> Measured:
    seen = scripted(html, MEASURE, directory=directory, width=width)
    found = re.search(r'data-measured="(\d+) (\d+) (true|false)"', seen)
    assert found is not None
    return Measured(int(found[1]), int(found[2]), found[3] == "true", seen)


WIDTHS = (640, 1280)


@pytest.mark.parametrize(("language", "width"), in_turn(LANGUAGES, WIDTHS))
def test_the_page_never_scrolls_sideways_but_a_difference_may(
    language: Language, width: int, tmp_path: Path
) -> None:
    changes = [*scenes.updated("b.example.com"), *scenes.created(LONG), *scenes.unchanged("c." + LONG)]
    outcome = replace(scenes.outcome_of(scenes.plan_of(*changes)), language=language)
    found = measured(render_html(outcome), directory=tmp_path, width=width)
    assert found.window == width
    assert found.page <= width
    assert found.scrolls


@pytest.mark.parametrize(("scene", "width"), in_turn(["image_not_found", "restored"], WIDTHS))
def test_the_page_of_a_deployment_never_scrolls_sideways_though_its_picture_may(
    scene: str, width: int, tmp_path: Path
) -> None:
    html = render_html(replace(rollout_scenes.SCENES[scene]().outcome, language="zh_CN"))
    found = measured(html, directory=tmp_path, width=width)
    assert found.window == width
    assert found.page <= width
    assert len(re.findall(r'<div class="picture" tabindex="0"', found.seen)) == 1
    assert len(re.findall(r'<g class="box ', found.seen)) == 20
    assert 'data-heads="6"' in found.seen


def test_hostile_text_does_not_widen_the_page(tmp_path: Path) -> None:
    html = render_html(hostile_texts.run("名x" * 400))
    assert measured(html, directory=tmp_path, width=640).page <= 640


WWW = "example.com/web/www"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", f"{WWW}:1704448623620-427"),
        (f"{WWW}:1", f"{WWW}:2"),
        (f"{WWW}:1", f"{WWW}:1704448623620-427"),
        (scenes.OLD, scenes.NEW),
    ],
    ids=["new", "both short", "after a short one", "after a long one"],
)
def test_a_tag_for_which_there_is_room_is_not_cut(old: str, new: str, tmp_path: Path) -> None:
    """What is before it goes first: the tag is what tells two images apart."""
    deployment, routes = scenes.updated("a.example.com")
    plan = scenes.plan_of(replace(deployment, images=((old, new),)), routes)
    tell = """
    var tag=document.querySelector(".part .pair>span:last-child");
    var told=tag.textContent+" "+(tag.scrollWidth>tag.clientWidth?"cut":"whole");
    document.body.setAttribute("data-tag",told);
    """
    seen = scripted(render_html(replace(scenes.planned(), plan=plan)), tell, directory=tmp_path, width=1280)
    assert re.findall(r'data-tag=":?(.*?)"', seen) == [f"{new.rpartition(':')[2]} whole"]


def test_the_script_runs_under_the_pages_own_policy(tmp_path: Path) -> None:
    seen = dom(render_html(scenes.half_published()), directory=tmp_path, width=1280)
    form = re.search(r"<form[^>]*>", seen)
    assert form is not None
    assert "hidden" not in form[0]
    assert "4 of 4 rows" in seen
    assert len(re.findall(r"<li data-state=", seen)) == 4


def test_no_other_script_runs(tmp_path: Path) -> None:
    intruder = (
        '<script>document.title="taken"</script><img src="x" onerror="document.title=\'taken\'"></body>'
    )
    seen = dom(render_html(scenes.published()).replace("</body>", intruder), directory=tmp_path, width=1280)
    assert "<title>taken" not in seen
    assert "<title>✓ BCS template set" in seen


def test_the_filter_hides_what_does_not_fit(tmp_path: Path) -> None:
    html = render_html(scenes.published())
    typing = """
    var box=document.getElementById("filter-text");
    box.value="C.example";box.dispatchEvent(new Event("input"));
    """
    seen = scripted(html, typing, directory=tmp_path)
    rows = re.findall(r'<li data-state="(\w+)"( hidden="")?>', seen)
    assert [state for state, hidden in rows if not hidden] == ["unchanged"]
    assert "1 of 4 rows" in seen
    assert re.search(r'<details class="group" id="unchanged" open="">', seen)


def test_the_filter_reaches_workloads_routes_picture_and_what_is_folded(tmp_path: Path) -> None:
    outcome = rollout_scenes.SCENES["image_not_found"]().outcome
    html = render_html(outcome)
    typing = """
    function left(unit){return document.querySelectorAll(unit+":not([hidden])").length}
    function told(){return [".lane",".workloads tr:not(.under)",".workloads tr.under"].map(function(unit){
    return left(unit)+"/"+document.querySelectorAll(unit).length}).join(" ")}
    var box=document.getElementById("filter-text"),root=document.documentElement;
    [["a"," A.example.com"],["b","ErrImagePull"]].forEach(function(pair){
    box.value=pair[1];box.dispatchEvent(new Event("input"));root.setAttribute("data-"+pair[0],told())});
    root.setAttribute("data-open",document.querySelectorAll("#rollout~details.group[open]").length);
    """
    seen = scripted(html, typing, directory=tmp_path)
    heads = 2  # of the two tables of workloads
    assert f'data-a="1/3 {heads + 1}/{heads + 2} 0/1"' in seen
    assert f'data-b="0/3 {heads + 1}/{heads + 2} 1/1"' in seen
    assert 'data-open="1"' in seen


def test_the_filter_is_kept_in_the_address_and_what_is_unfolded_can_be_folded(tmp_path: Path) -> None:
    html = render_html(scenes.published())
    typing = """
    var root=document.documentElement,all=document.getElementById("open-all");
    function told(){return document.querySelectorAll(".rows details[open]").length+" "+all.textContent}
    all.click();root.setAttribute("data-first",told());all.click();root.setAttribute("data-then",told());
    var box=document.getElementById("filter-text");
    box.value="C.example &";box.dispatchEvent(new Event("input"));
    root.setAttribute("data-kept",location.hash);
    location.replace("#filter=a.example");window.dispatchEvent(new Event("hashchange"));
    root.setAttribute("data-recalled",box.value+" "+document.getElementById("filter-said").textContent);
    """
    seen = scripted(html, typing, directory=tmp_path)
    assert 'data-first="4 Fold all differences"' in seen
    assert 'data-then="0 Unfold all differences"' in seen
    assert 'data-kept="#filter=C.example%20%26"' in seen
    assert 'data-recalled="a.example 1 of 4 rows"' in seen


def plan_of_six() -> Outcome:
    changes = [c for n in range(6) for c in rollout_scenes.with_content(scenes.updated(f"h{n}.example.com"))]
    return replace(scenes.planned(), plan=scenes.plan_of(*changes))


def sixty_of_which_three_failed() -> Outcome:
    hosts = [f"h{n:02}.example.com" for n in range(60)]
    problems = {hosts[n]: replace(rollout_scenes.NOT_FOUND, pod=f"nginx-{hosts[n]}") for n in (7, 21, 40)}
    plan = scenes.plan_of(*(c for h in hosts for c in rollout_scenes.with_content(scenes.updated(h))))
    rollout = replace(
        rollout_scenes.ROLLOUT,
        deployed=tuple(rollout_scenes.file_version(change.name) for change in plan.changes),
        live_already=(),
        before=tuple(Before(change.name, rollout_scenes.BEFORE, ready=True) for change in plan.changes),
        watched=tuple(
            rollout_scenes.watched(h, "failed" if h in problems else "ready", problem=problems.get(h))
            for h in hosts
        ),
    )
    failed = rollout_scenes.image_not_found().outcome
    return replace(scenes.outcome_of(plan), result="failed", error=failed.error, rollout=rollout)


@pytest.mark.parametrize(
    ("run", "most"), [(plan_of_six, 2000), (sixty_of_which_three_failed, 3000)], ids=["plan", "deploy"]
)
def test_what_a_person_looks_for_is_on_few_screens(
    run: Callable[[], Outcome], most: int, tmp_path: Path
) -> None:
    tell = 'document.body.setAttribute("data-height",document.body.scrollHeight)'
    found = re.search(r'data-height="(\d+)"', scripted(render_html(run()), tell, directory=tmp_path))
    assert found is not None
    assert 900 < int(found[1]) < most
