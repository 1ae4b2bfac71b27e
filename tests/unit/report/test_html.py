from __future__ import annotations

import re
import time
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from typing import Callable, get_args

import pytest
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.pages import Page, page_of, structure

from bcs_template_set.bcs.dialect import BELOW_SPACE, releases
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.branches.branch_rows import BranchRow
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.state_words import FileState, Result
from bcs_template_set.publish.file_outcome import ChartState, Word
from bcs_template_set.publish.plan import ChartAction
from bcs_template_set.report.examination import State
from bcs_template_set.report.file_states import STATES
from bcs_template_set.report.html import (
    _MOODS,
    _MOODS_OF_FINDINGS,
    _MOODS_OF_STATES,
    _SIGN_NAMES,
    _SIGNS,
    _SYMBOLS,
    render_html,
)
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.shown_limits import PAGE_DIFF_LINES, PAGE_REQUESTS, PAGE_VALUE
from bcs_template_set.report.topology import MOST_TEXT, Sign


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", ["planned", "half_published", "no_permission", "skipped"])
def test_what_the_page_says_is_its_golden_file(
    scene: str, language: Language, golden: Callable[[str, str], None]
) -> None:
    page = page_of(replace(scenes.SCENES[scene](), language=language))
    golden(f"report/{scene}.{language}.html.txt", "\n".join(page.skeleton) + "\n")


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_the_verdict_is_the_first_heading_and_headings_step_by_one(scene: str) -> None:
    headings = [
        int(tag[1]) for tag, _ in page_of(scenes.SCENES[scene]()).elements if re.fullmatch("h[1-6]", tag)
    ]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(headings, headings[1:]))


@pytest.mark.parametrize("scene", scenes.SCENES)
def test_a_screen_reader_finds_landmarks_names_and_table_headers(scene: str) -> None:
    page = page_of(scenes.SCENES[scene]())
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.elements}
    assert all(attributes.get("scope") in ("row", "col") for attributes in page.all("th"))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "for"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
        href = attributes.get("href") or ""
        assert not href.startswith("#") or href[1:] in ids


def test_a_keyboard_reaches_the_differences_and_skips_to_the_verdict() -> None:
    page = page_of(scenes.published())
    assert page.all("a")[0]["href"] == "#main"
    assert len(page.all("pre")) == 4
    assert all(pre["tabindex"] == "0" and pre["aria-label"] for pre in page.all("pre"))


@pytest.mark.parametrize(("language", "lang"), [("zh_CN", "zh-CN"), ("en_US", "en")])
def test_the_page_says_which_language_it_is_in(language: Language, lang: str) -> None:
    assert page_of(replace(scenes.published(), language=language)).all("html") == [{"lang": lang}]


def test_nothing_is_fetched_and_the_policy_says_so() -> None:
    html = render_html(scenes.published())
    page = Page(html)
    assert "default-src 'none'" in html
    assert not [a for tag, a in page.elements if "src" in a or tag in ("link", "img", "iframe", "object")]
    assert "url(" not in html
    assert "@import" not in html


def test_the_policy_allows_the_pages_own_style_and_script_by_their_hashes_and_no_other() -> None:
    html = render_html(scenes.published())
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', html)[0])
    own = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", html, re.DOTALL)
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in own]
    assert re.findall(r"'sha256-([^']*)'", policy) == hashes
    assert len(hashes) == 2


def test_a_value_is_whole_up_to_so_many_characters_and_else_its_beginning_and_end() -> None:
    def shown(note: str) -> str:
        return render_html(replace(scenes.published(), warnings=(say("report.join", parts=note),)))

    whole = "a" * PAGE_VALUE
    assert f"<li>{whole}</li>" in shown(whole)
    half = PAGE_VALUE // 2
    assert f"<li>{'a' * half} … {'b' * half}</li>" in shown("a" * half + "x" + "b" * half)


def test_a_texts_lines_stay_lines_and_what_is_unseen_in_them_is_shown() -> None:
    change = scenes.change("a.yaml", writes_version=True, diff="-a\n-b\u200b\n+<c>\n")
    html = render_html(scenes.outcome_of(scenes.plan_of(change)))
    assert "<del>-a\n-b\\u200b</del><ins>+&lt;c&gt;</ins>" in html
    noted = replace(scenes.published(), warnings=(say("report.join", parts="a\nb\u200b<c>"),))
    assert "<li>a\nb\\u200b&lt;c&gt;</li>" in render_html(noted)


@pytest.mark.parametrize(
    ("result", "planned", "done", "told"),
    [
        ("planned", "create", "none", ["p: Template set web-set 1.0.428 would be published."]),
        ("planned", "unchanged", "none", []),
        ("skipped", "create", "none", []),
        ("published", "create", "created", ["p: Template set web-set 1.0.428 was published."]),
    ],
)
def test_a_plans_page_says_that_a_template_set_would_be_published_and_others_what_became_of_it(
    result: Result, planned: ChartAction, done: ChartState, told: list[str]
) -> None:
    run = scenes.planned()
    heading = replace(run.heading, template_set="web-set", version="1.0.428")
    run = replace(run, result=result, chart=done, heading=heading, plan=replace(scenes.USUAL, chart=planned))
    assert [line for line in page_of(run).skeleton if line.startswith("p: Template set ")] == told


def test_a_page_has_no_run_of_empty_lines() -> None:
    assert "\n\n\n" not in render_html(scenes.half_published())


def test_a_run_that_does_not_know_who_it_is_says_where_it_was_and_no_user() -> None:
    run = replace(scenes.no_permission(), identity=None, phases=())
    skeleton = page_of(run).skeleton
    assert not skeleton[skeleton.index("h2: Who acted, and where") + 1].startswith("summary:")
    assert "dt: Region" in skeleton
    assert "dt: Acting user" not in skeleton
    nowhere = replace(run, heading=replace(scenes.HEADING, project=""))
    assert "h2: Who acted, and where" not in page_of(nowhere).skeleton


def test_a_run_that_has_no_end_yet_says_none() -> None:
    run = scenes.published()
    begun = Outcome(run.result, changed=True, language="en_US", heading=run.heading)
    assert "dt: Finished" in page_of(run).skeleton
    assert "dt: Finished" not in page_of(begun).skeleton


def test_whoever_made_a_version_by_bcs_own_word_is_named_once_and_nobody_where_it_says_none() -> None:
    first, *rest = scenes.published().files
    others = replace(scenes.published(), files=(replace(first, creator="zhaoliu"), *rest))
    assert "dd: lisi, zhaoliu" in page_of(others).skeleton
    nobody = [replace(file, creator="") for file in others.files]
    assert "dt: Creator recorded by BCS" not in page_of(replace(others, files=tuple(nobody))).skeleton


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", hostile_texts.TEXTS)
def test_hostile_text_adds_no_element_no_handler_and_no_link(text: str, language: Language) -> None:
    tame = page_of(replace(hostile_texts.run("tame"), language=language))
    html = render_html(replace(hostile_texts.run(text), language=language))
    page = Page(html)
    assert structure(page) == structure(tame)
    assert not [name for _, a in page.elements for name in a if name.startswith("on") or name == "style"]
    hrefs = [a["href"] for a in page.all("a")]
    assert all(href is not None and href.startswith("#") for href in hrefs)
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff]", html
    )
    assert "49" not in "".join(page.skeleton)


def test_the_link_to_apply_for_a_permission_follows_the_cure_that_speaks_of_it() -> None:
    page = page_of(scenes.no_permission())
    assert "https://iam.example.com/apply-custom-perm?id=1" in [a["href"] for a in page.all("a")]
    spoken = "\n".join(page.skeleton)
    assert spoken.index("What to do:") < spoken.index("Apply at:") < spoken.index("Request id:")


def test_every_state_has_a_word_and_a_symbol_beside_its_colour() -> None:
    html = render_html(scenes.half_published())
    for name, symbol in (("failed", "✗"), ("create", "+"), ("skip", "»")):
        assert f'<span class="word {name}"><span aria-hidden="true">{symbol}</span> {name}</span>' in html
    for mood, symbol, state in (
        ("bad", "✗", "failed"),
        ("good", "✓", "published"),
        ("calm", "=", "unchanged"),
    ):
        assert f'<span class="word {mood}"><span aria-hidden="true">{symbol}</span> {state}</span>' in html


def test_every_word_that_there_is_has_a_look_with_colours_and_without() -> None:
    assert {*_MOODS} == {*get_args(Result)}
    assert {*_MOODS_OF_STATES} == {*STATES} - {"pruned"}, "which no row is"
    assert {*_MOODS_OF_FINDINGS} == {*get_args(State)}
    assert {*_SYMBOLS} == {*get_args(Word)}
    assert {*_SIGNS} == {*_SIGN_NAMES} == {*get_args(Sign)}
    looks = [*_MOODS.values(), *_MOODS_OF_STATES.values()]
    of_the_style = {*re.findall(r"\.([a-z]+)\b", render_html(scenes.planned()).partition("</style>")[0])}
    assert {*_MOODS_OF_FINDINGS.values(), *(mood for mood, _ in looks)} <= of_the_style
    assert all([*_SYMBOLS.values(), *(symbol for _, symbol in looks)])
    assert [sign for sign, symbol in _SIGNS.items() if not symbol] == ["="], "what stays needs none"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_row_has_a_name_in_both_languages(state: FileState, language: Language) -> None:
    assert say(f"report.row_{state}").render(language).startswith(state)


def test_a_filter_is_hidden_until_the_script_runs() -> None:
    assert "hidden" in page_of(scenes.half_published()).all("form")[0]


def test_an_image_keeps_its_tag_in_a_part_that_is_not_cut() -> None:
    html = render_html(scenes.planned())
    uncut = re.findall(
        r'<span class="was">[^<]*</span>(?: <span class="arrow">→</span> )?<span>([^<]*)</span>', html
    )
    assert {"1704448999620-428", ":1704448999620-428"} <= set(uncut)


def test_a_row_tells_why_it_ended_so_and_how_long_it_took() -> None:
    spoken = page_of(scenes.half_published()).skeleton
    assert any(line.startswith("summary: ✗ failed 800606 ") and line.endswith(" 0.6 s") for line in spoken)


def test_hundreds_of_domains_with_their_manifests_render_within_seconds_and_a_few_megabytes() -> None:
    changes = [
        change
        for n in range(400)
        for change in rollout_scenes.with_content(
            (scenes.updated if n % 3 else scenes.created)(f"h{n}.example.com"), balancers=4
        )
    ]
    assert sum(len(change.content) for change in changes) > MOST_TEXT
    outcome = scenes.outcome_of(scenes.plan_of(*changes))
    began = time.process_time()
    html = render_html(outcome)
    assert time.process_time() - began < 5  # a generous bound for a busy machine
    assert len(html.encode("utf-8")) < 2_000_000


def test_long_differences_are_cut_and_say_so() -> None:
    change = scenes.change("a.yaml", writes_version=True, diff="+x\n" * (PAGE_DIFF_LINES + 10))
    html = render_html(scenes.outcome_of(scenes.plan_of(change)))
    assert html.count("+x") == 600
    assert f"… {PAGE_DIFF_LINES + 10 - 600} more lines" in html


def test_of_many_requests_the_failed_ones_are_all_shown() -> None:
    good, _, bad, _ = scenes.REQUESTS
    requests = (good,) * 500 + (replace(bad, request_id="the-failed-one"),)
    html = render_html(replace(scenes.published(), requests=requests))
    assert "the-failed-one" in html
    assert f"{501 - PAGE_REQUESTS} more requests" in html


def test_another_creator_than_the_acting_user_is_visible() -> None:
    warning = say("publish.other_creator", creator="root", user="lisi", names=["a.yaml"])
    change = scenes.change("a.yaml", writes_version=True)
    outcome = replace(
        scenes.outcome_of(scenes.plan_of(change)),
        files=(scenes.applied(change, creator="root"),),
        warnings=(warning,),
    )
    skeleton = page_of(outcome).skeleton
    assert "dd: root" in skeleton
    assert f"li: {warning.render('en_US')}" in skeleton


def colours(html: str) -> list[dict[str, str]]:
    """The colour variables of the page: light, and dark over light."""
    blocks = [
        dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root\{[^}]*\}", html)
    ]
    return [blocks[0], {**blocks[0], **blocks[1]}]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    "pair",
    [
        *((ink, ground) for ink in ("ink", "soft", "link") for ground in ("bg", "card", "code")),
        *((mood, f"{mood}-bg") for mood in ("good", "bad", "calm", "warn")),
        *((mood, "card") for mood in ("good", "bad", "calm", "warn")),
        ("ink", "warn-bg"),
    ],
    ids="-on-".join,
)
def test_every_text_has_the_contrast_of_wcag_aa(pair: tuple[str, str], theme: int) -> None:
    known = colours(render_html(scenes.published()))[theme]
    light, dark = sorted((luminance(known[name]) for name in pair), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def branch(path: str, name: str, **known: int) -> BranchRow:
    return BranchRow(
        domain="a.example.com",
        path=path,
        branch=name,
        file="a.example.com.routes.yaml",
        added_build=3,
        last_build=known.get("last_build", 0),
        last_at=known.get("last_at", 0),
        age_seconds=known.get("age"),
        who="wangwu",
        protected=path == "/",
    )


def test_the_page_lists_the_branches_of_the_space_and_says_what_is_not_known() -> None:
    rows = (branch("/", "main", last_build=9, last_at=1_767_225_600, age=90_000), branch("/x/", "<b>x</b>"))
    page = Page(render_html(replace(scenes.published(), branches=rows)))
    words = " ".join(page.skeleton)
    for expected in ("a.example.com/x/", "<b>x</b>", "#9", "1 day", "not known", "2 paths of branches"):
        assert expected in words, words
    assert "branches" not in " ".join(Page(render_html(scenes.published())).skeleton)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_release_of_bcs_is_told_where_it_is_known(language: Language) -> None:
    outcome = replace(scenes.published(), language=language)
    told = releases(BELOW_SPACE)
    known = replace(outcome, heading=replace(outcome.heading, bcs=told))
    label = say("report.fact_bcs").render(language)
    assert f"<dt>{label}</dt><dd>{told.render(language)}</dd>" in render_html(known)
    assert label not in render_html(outcome)


def test_a_difference_links_the_build_that_published_what_was_there_before() -> None:
    link = "https://ci.example.com/console/pipeline/demo/p-1/detail/b-427"
    origin = Provenance("p-1", 427, "feature/login", "0" * 8, "wangwu", "lisi", link=link)
    old, new = scenes.updated("a.example.com")
    assert old.previous is not None
    known = replace(old, previous=replace(old.previous, origin=origin))
    html = render_html(scenes.outcome_of(scenes.plan_of(known, new)))
    assert html.count(f'<a href="{link}"') == 1
    assert f"before: {old.previous.name}, build #427</a>" in html
