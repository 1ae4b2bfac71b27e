from __future__ import annotations

import re
from dataclasses import replace
from typing import Callable

import pytest
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.pages import Page, page_of, structure

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.page import bars_of, workload_bars
from bcs_template_set.report.picture import BOX, WIDTH, picture_of
from bcs_template_set.report.rows import rows_of_outcome
from bcs_template_set.report.shown_limits import PAGE_OPEN_READY
from bcs_template_set.report.topology import MOST_DOMAINS, Lane, topology_of
from bcs_template_set.report.workload_rows import workload_rows
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.page_checks import Arrival
from bcs_template_set.rollout.pods import PodProblem, Termination
from bcs_template_set.rollout.result import Before, Restoration, Rollout

SCENES = rollout_scenes.SCENES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "scene", ["deployed", "paused", "image_not_found", "timed_out", "restored", "page_missed"]
)
def test_what_the_page_says_of_a_deployment_is_its_golden_file(
    scene: str, language: Language, golden: Callable[[str, str], None]
) -> None:
    page = page_of(replace(SCENES[scene]().outcome, language=language))
    golden(f"report/{scene}.{language}.html.txt", "\n".join(page.skeleton) + "\n")


@pytest.mark.parametrize("scene", SCENES)
def test_headings_step_by_one_and_every_name_and_link_has_its_place(scene: str) -> None:
    page = page_of(SCENES[scene]().outcome)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)
        href = attributes.get("href") or ""
        assert not href.startswith("#") or href[1:] in ids


def test_the_workload_that_failed_comes_first_with_cause_evidence_and_cure() -> None:
    failed, ready = workload_rows(rollout_scenes.image_not_found().changes)
    assert (failed.state, failed.done, failed.wanted, ready.state) == ("failed", 0, 1, "ready")
    assert "does not exist in its registry" in failed.causes[0].render("en_US")
    assert any("ErrImagePull" in line.render("en_US") for line in failed.evidence)
    assert failed.cure is not None
    assert ready.causes == ready.evidence == ()


def test_a_bar_is_as_long_as_the_wait_and_the_longest_fills_the_track() -> None:
    bars = workload_bars(rollout_scenes.deployed().changes)
    assert bars[0].length == 100
    assert [bar.seconds for bar in bars] == sorted((bar.seconds for bar in bars), reverse=True)


def test_every_state_has_a_word_and_a_symbol_beside_its_colour_in_the_rollout() -> None:
    html = render_html(rollout_scenes.image_not_found().outcome)
    assert '<span class="word failed"><span aria-hidden="true">✗</span> failed</span>' in html
    assert '<span class="word ready"><span aria-hidden="true">✓</span> ready</span>' in html


def test_a_run_that_did_not_deploy_has_no_rollout_on_its_page() -> None:
    html = render_html(scenes.published())
    assert 'id="rollout"' not in html
    assert "#rollout" not in html


def hostile_rollout(text: str) -> Outcome:
    """A deployment of which every text was written by somebody else."""
    problem = PodProblem(
        pod=text,
        reason="CrashLoopBackOff",
        message=text,
        container=text,
        image=text,
        last=Termination(1, text, text, text),
        restarts=4,
        volumes=(text,),
    )
    item = rollout_scenes.watched(text, "failed", problem=problem)
    item = replace(item, workload=replace(item.workload, kind=Kind("", text), name=text))
    missed = Arrival(text, ok=False, problem=say("arrival.text_missing", text=text), first_line=text)
    files = (FileVersion(text, text, text),)
    rollout = Rollout(
        cluster_id=text,
        namespace=text,
        deployed=files,
        live_already=files,
        before=(Before(text, text + "1"),),
        differences=((text, f"-{text}\n+{text}\n"),),
        watched=(item,),
        arrivals=(missed,),
        restoration=Restoration(
            files,
            (text,),
            watched=(item,),
            problem=say("plan.route_lost", how="Prefix", host=text, path="", name=""),
        ),
    )
    return replace(hostile_texts.run(text), rollout=rollout)


@pytest.mark.parametrize("text", hostile_texts.TEXTS)
def test_hostile_text_in_a_deployment_adds_no_element_no_handler_and_no_link(text: str) -> None:
    tame, page = page_of(hostile_rollout("tame")), page_of(hostile_rollout(text))
    assert structure(page) == structure(tame)
    assert not [name for _, a in page.elements for name in a if name.startswith("on") or name == "style"]
    assert all((a["href"] or "").startswith("#") for a in page.all("a"))
    assert "49" not in "".join(page.skeleton)


@pytest.mark.parametrize(("count", "folds"), [(6, 0), (7, 1)])
def test_what_changes_in_the_cluster_is_one_line_where_it_is_much(count: int, folds: int) -> None:
    outcome = rollout_scenes.deployed().outcome
    assert outcome.rollout is not None
    differences = tuple((f"Deployment/{n}", "-a\n+b\n") for n in range(count))
    html = render_html(replace(outcome, rollout=replace(outcome.rollout, differences=differences)))
    assert html.count(f"What this changes in the cluster ({count} objects)") == folds
    assert html.count("<summary>What this changes of the live Deployment/") == count


def test_files_that_stay_at_their_version_are_no_other_version_of_their_domain() -> None:
    outcome = rollout_scenes.deployed().outcome
    assert outcome.rollout is not None
    older = replace(outcome.rollout.deployed[-1], version="1.0.7")
    files = tuple(
        replace(file, change=replace(file.change, action="unchanged"), state="unchanged")
        if file.change.name == older.name
        else file
        for file in outcome.files
    )
    deployed = (*outcome.rollout.deployed[:-1], older)
    run = replace(outcome, files=files, rollout=replace(outcome.rollout, deployed=deployed))
    assert all(row.live_otherwise == () for row in rows_of_outcome(run))


# --- the picture ----------------------------------------------------------------------------------------


def lane(host: str) -> Lane:
    (found,) = [lane for lane in topology_of(rollout_scenes.PLAN.changes).lanes if lane.host == host]
    return found


def test_a_domain_leads_over_each_load_balancer_to_one_service_and_its_images() -> None:
    found = lane("b.example.com")
    by_column = [[node.name for node in found.nodes if node.column == column] for column in range(6)]
    assert by_column == [
        ["b.example.com"],
        ["lb-0", "lb-1"],
        ["ingress-b.example.com-0", "ingress-b.example.com-1"],
        ["service-b.example.com"],
        ["Deployment/deployment.nginx.b.example.com"],
        [f"{scenes.OLD} → {scenes.NEW}"],
    ]
    names = [node.name for node in found.nodes]
    edges = {(names[start], names[end]) for start, end in found.edges}
    assert ("lb-1", "ingress-b.example.com-1") in edges
    assert ("ingress-b.example.com-1", "service-b.example.com") in edges
    assert len(edges) == 8


def test_what_differs_is_signed_object_by_object_and_what_stays_is_not() -> None:
    signs = {node.name: node.sign for node in lane("b.example.com").nodes}
    assert signs["b.example.com"] == "~"
    assert signs["ingress-b.example.com-0"] == "~"
    assert signs["ingress-b.example.com-1"] == signs["service-b.example.com"] == "="
    assert signs["Deployment/deployment.nginx.b.example.com"] == "~"
    assert {node.sign for node in lane("a.example.com").nodes if node.column != 1} == {"+"}
    assert not lane("c.example.com").changes


def test_a_domain_that_is_served_no_more_is_drawn_as_going() -> None:
    change = scenes.change("x.yaml", routes_removed=(("old.example.com", "/"),))
    (found,) = topology_of([change]).lanes
    assert [(node.name, node.sign) for node in found.nodes] == [("old.example.com", "-")]


def test_where_a_file_can_not_be_read_its_routes_are_still_drawn() -> None:
    change = scenes.change("x.yaml", content="{broken", routes=(scenes.route_of("x.example.com", "/"),))
    (found,) = topology_of([change]).lanes
    assert [node.column for node in found.nodes] == [0, 2, 3]


def test_an_image_that_stays_is_named_with_its_tag_below() -> None:
    image = lane("c.example.com").nodes[-1]
    assert (image.name, image.sign, image.more) == (scenes.NEW, "=", "1704448999620-428")


def test_of_many_changed_domains_the_first_are_drawn_and_the_page_says_how_many() -> None:
    paths = [(n, change) for n in range(60) for change in scenes.updated(f"h{n:02}.example.com")]
    changes = [replace(c, routes_added=(*c.routes_added, (c.domain, f"/{n}"))) for n, c in paths]
    changes = [replace(c, routes=(*c.routes, scenes.route_of(c.domain, f"/{n}"))) for n, c in paths]
    assert len(topology_of(changes).lanes) == MOST_DOMAINS
    html = render_html(scenes.outcome_of(scenes.plan_of(*changes)))
    assert "40 of the 60 that change are drawn." in html
    assert '<details class="fold"><summary><h2 id="picture">' in html


def test_equal_domains_are_drawn_once_but_failed_ones_each_and_first() -> None:
    hosts = [f"h{n:02}.example.com" for n in range(60)]
    changes = [c for host in hosts for c in rollout_scenes.with_content(scenes.updated(host))]
    topology = topology_of(changes, failed={f"Deployment/deployment.nginx.{hosts[n]}" for n in (7, 50)})
    assert [(lane.host, lane.count, lane.failed) for lane in topology.lanes] == [
        (hosts[7], 1, True),
        (hosts[50], 1, True),
        (hosts[0], 58, False),
    ]
    domain = topology.lanes[2].nodes[0]
    assert domain.more.startswith("×58 ")
    assert domain.name.startswith("h00.example.com, h01.example.com, ")
    assert domain.name.endswith(", …")
    assert {node.column for node in topology.lanes[0].nodes if node.sign == "!"} == {0, 4}
    few = topology_of(changes[:14]).lanes
    assert [lane.nodes[0].name for lane in few] == [", ".join(hosts[:7])]
    assert len(topology_of(changes[:12]).lanes) == 6


def test_a_failed_workload_is_drawn_unlike_a_changed_one() -> None:
    html = render_html(rollout_scenes.image_not_found().outcome)
    assert re.search(r'<g class="box failed"><title>Workload: [^<]* \(failed\)</title>', html)
    assert '<span class="sign failed">' in html
    assert '<span class="sign failed">' not in render_html(rollout_scenes.deployed().outcome)


def test_a_moment_is_one_that_the_readers_browser_can_read() -> None:
    html = render_html(rollout_scenes.deployed().outcome)
    assert len(re.findall(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ">[^<]* UTC</time>', html)) == 2


def test_no_two_boxes_of_the_picture_overlap_and_none_leaves_it() -> None:
    picture = picture_of(topology_of(rollout_scenes.PLAN.changes))
    boxes = [box for lane in picture.lanes for box in lane.boxes]
    assert len({(box.x, box.y) for box in boxes}) == len(boxes)
    for box in boxes:
        assert 0 <= box.x <= WIDTH - BOX
        assert not [other for other in boxes if other.x == box.x and 0 < other.y - box.y < 42]
    ends = [lane.y + lane.height for lane in picture.lanes]
    assert [lane.y for lane in picture.lanes[1:]] == ends[:-1]
    assert picture.height == ends[-1]


def test_what_differs_in_the_picture_has_a_sign_a_dashed_outline_and_words() -> None:
    html = render_html(rollout_scenes.deployed().outcome)
    assert re.search(r"\.box\.changed rect[^}]*stroke-dasharray", html)
    assert re.search(r'<g class="box changed"><title>Workload: [^<]* \(changed\)</title>', html)
    assert '<text class="sign" x="9" y="' in html


def test_the_picture_has_a_title_a_description_and_the_same_in_words() -> None:
    page = page_of(rollout_scenes.deployed().outcome)
    (svg,) = [a for a in page.all("svg") if a.get("class") != "bar"]
    assert svg["role"] == "img"
    assert svg["aria-labelledby"] == "picture-title picture-desc"
    assert {"picture-title", "picture-desc"} <= {a.get("id") for _, a in page.elements}
    (words,) = [line for line in page.skeleton if line.startswith("li: Domain b.example.com")]
    assert words.endswith(
        "→ Workload Deployment/deployment.nginx.b.example.com (changed) → "
        f"Image {scenes.OLD} → {scenes.NEW} (changed)"
    )


@pytest.mark.parametrize(("count", "is_open"), [(PAGE_OPEN_READY, True), (60, False)])
def test_a_page_of_many_workloads_holds_a_row_for_each_and_folds_what_is_ready(
    count: int, *, is_open: bool
) -> None:
    ends = tuple(rollout_scenes.watched(f"h{n}.example.com", "ready") for n in range(count))
    outcome = rollout_scenes.outcome_of(replace(rollout_scenes.ROLLOUT, watched=ends))
    html = render_html(outcome)
    assert sum(a.get("class") == "word ready" for _, a in Page(html).elements) == count + 1
    folded = f'<details class="group"><summary>{count} <span class="word ready">'
    unfolded = folded.replace('"group"', '"group" open')
    assert (unfolded in html, folded in html) == (is_open, not is_open)
    assert folded in render_html(replace(outcome, error=rollout_scenes.image_not_found().outcome.error))


def test_what_failed_comes_first_then_how_to_go_back_then_the_rest() -> None:
    html = render_html(rollout_scenes.image_not_found().outcome)
    rest = '<details class="group"><summary>1 <span class="word good">'
    marks = ["<h1>", 'id="failed-rows"', 'id="by-hand"', rest, 'id="rollout"']
    assert sorted(marks, key=html.index) == marks


def test_a_run_that_ended_before_its_first_phase_has_no_bars() -> None:
    assert bars_of(()) == ()
