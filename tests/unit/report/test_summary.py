"""The outputs `summary` and `plan`: a run for people elsewhere, and for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.many_findings import many_findings

from bcs_template_set.agent.output_file import MOST_STRING_UNITS, utf16_units
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.manifests import kinds
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.errors import InputsInvalid, NoPermission, ProjectNotVisible
from bcs_template_set.messages.text import json_text
from bcs_template_set.publish.pruning import Orphan, OrphanFile, Pruning
from bcs_template_set.report.outcome import NO_CONSOLE, Outcome
from bcs_template_set.report.plan_document import SCHEMA_ID, plan_document
from bcs_template_set.report.summary import summary_of

SCHEMA = json.loads(
    Path(__file__).parents[3].joinpath("docs/reference/plan.schema.json").read_text(encoding="utf-8")
)
SCENES: dict[str, Outcome] = {
    **{name: made() for name, made in scenes.SCENES.items()},
    **{name: made().outcome for name, made in rollout_scenes.SCENES.items()},
}
SHOWN = ("planned", "unchanged", "no_permission", "half_published", "deployed", "image_not_found")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_summary_reads_as_reviewed(language: Language, golden: Callable[[str, str], None]) -> None:
    told = (f"# {name}\n\n{summary_of(replace(SCENES[name], language=language))}\n" for name in SHOWN)
    golden(f"report/summary.{language}.md", "\n".join(told))


@pytest.mark.parametrize("text", [*hostile_texts.TEXTS, "x" * 5000, "[a](http://b)*`<i>", "# - a"])
def test_a_summary_fits_and_holds_no_markup_of_others(text: str) -> None:
    told = summary_of(hostile_texts.run(text))
    assert utf16_units(told) <= MOST_STRING_UNITS
    assert re.search(r"(?<!\\)<i>", told) is None
    assert "[a](" not in told
    assert "\n#" not in told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("~~~ x", r"~\~\~ x"),
        ("~~a~~", r"~\~a\~\~"),
        ("_a_ fail_fast __init__", r"\_a\_ fail_fast \_\_init\_\_"),
        ("1. x", r"1\. x"),
        ("12) y", r"12\) y"),
        ("1.0.7 -> 1.0.8", "1.0.7 -> 1.0.8"),
        ("&lt;b&#62; a&b", r"\&lt;b\&#62; a&b"),
        ("- - a", r"\- - a"),
    ],
)
def test_whatever_markdown_obeys_is_shown_as_it_is(text: str, shown: str) -> None:
    assert f"\n- {shown}\n" in summary_of(hostile_texts.run(text))


def test_a_headline_is_whole_and_of_a_hundred_domains_those_are_counted_that_do_not_fit() -> None:
    hosts = [f"h{n}.example.com" for n in range(100)]
    plan = scenes.plan_of(*(change for host in hosts for change in scenes.updated(host)))
    told = summary_of(replace(scenes.planned(), plan=plan))
    assert told.startswith("**Plan")
    shown = told.count("\n- update")
    assert utf16_units(told) <= MOST_STRING_UNITS < utf16_units(told) + len(told) // shown
    assert f"… and {100 - shown} more." in told
    error = ProjectNotVisible(project="p" * 900, user="lisi", message="no")
    assert "p" * 900 in summary_of(replace(scenes.no_permission(), error=error))


def test_lines_are_left_out_whole_and_counted() -> None:
    error = InputsInvalid(details=[f"mistake {n} " + "x" * 380 for n in range(80)])
    told = summary_of(replace(scenes.no_permission(), error=error))
    assert utf16_units(told) <= MOST_STRING_UNITS
    assert "- mistake 8 " in told
    assert "- mistake 9 " not in told
    assert "71 more" in told


def test_as_many_lines_are_told_as_there_is_room_for() -> None:
    def told(*sizes: int) -> str:
        lines = [letter * size for letter, size in zip("abcde", sizes)]
        return summary_of(replace(scenes.no_permission(), error=InputsInvalid(details=lines)))

    def free(text: str) -> int:
        return MOST_STRING_UNITS - utf16_units(text)

    size = 1 + free(told(1100, 1100, 1100, 1))
    whole, cut = told(1100, 1100, 1100, size), told(1100, 1100, 1100, size + 1)
    assert (free(whole), "d\n" in whole, "more." in whole) == (0, True, False)
    assert ("d\n" in cut, "… and 1 more." in cut) == (False, True)
    size = 1 + free(told(1100, 1100, 1100, 1, 1100))
    most, fewer = told(1100, 1100, 1100, size, 1100), told(1100, 1100, 1100, size + 1, 1100)
    assert (free(most), "d\n- … and 1 more." in most) == (0, True)
    assert "c\n- … and 2 more." in fewer


@pytest.mark.parametrize(("stays", "shown"), [(3, True), (4, False)])
def test_where_what_follows_leaves_no_room_the_list_goes_first_and_then_all_but_the_headline(
    stays: int, *, shown: bool
) -> None:
    left = tuple(say("report.workload_line", object=n, reason="x" * 1100) for n in range(stays))
    plan = replace(scenes.USUAL, pruning=Pruning(is_seen=True, stays=left))
    error = InputsInvalid(details=["y" * 1100])
    told = summary_of(replace(scenes.half_published(), plan=plan, error=error, files=()))
    assert told.startswith("**Failed (800102): The inputs have mistakes.**")
    assert ("\n- … and 1 more.\n" in told) == shown
    assert ("\n\n" in told) == shown
    assert "yyy" not in told


def test_a_run_without_a_build_or_a_console_has_no_links() -> None:
    run = scenes.published()
    assert "](" in summary_of(run)
    assert "](" not in summary_of(
        replace(run, heading=replace(run.heading, build_url="", console=NO_CONSOLE))
    )


def test_a_row_tells_what_is_served_otherwise_and_that_a_version_was_rewritten() -> None:
    old = scenes.route_of("a.example.com", "/")
    change = scenes.change(
        "a.yaml",
        writes_version=True,
        overwrites=True,
        version="1.0.7",
        previous=VersionRef(id="v", name="1.0.7"),
        routes_changed=((old, old._replace(path_type="Exact")),),
    )
    told = summary_of(scenes.outcome_of(scenes.plan_of(change)))
    assert (
        "\n- update a.yaml: 1.0.7 -> 1.0.428-feature-login, content rewritten, ~a.example.com/ Prefix" in told
    )


def test_a_row_of_which_only_the_state_is_news_tells_that() -> None:
    run = rollout_scenes.nothing_to_deploy().outcome
    assert run.rollout is not None
    sent = replace(run.rollout, deployed=rollout_scenes.LIVE, live_already=(), waited=False)
    assert "\n- unchanged c.example.com: deployed\n" in summary_of(replace(run, rollout=sent))


def test_findings_are_a_list_in_a_list_below_their_file() -> None:
    told = summary_of(replace(scenes.no_permission(), error=many_findings(300)))
    assert utf16_units(told) <= MOST_STRING_UNITS
    assert (
        r"""- a0.yaml:
  - line 1, Pod/a0 spec: the image i0 has no tag. \[image-tag\]
""".replace("]", "")
        in told.replace("]", "")
    )
    shown = told.count("has no tag")
    assert f"… and {300 - shown} more." in told
    assert "Found: 300 image-tag" in told


def test_secrets_are_masked_before_a_line_is_shortened() -> None:
    error = InputsInvalid(details=["x" * 390 + "canary" + "y" * 100])
    told = summary_of(replace(scenes.no_permission(), error=error), mask=lambda t: t.replace("canary", "***"))
    assert "cana" not in told


def test_a_refusal_brings_the_link_to_apply_whole_and_the_request() -> None:
    url = "https://iam.example.com/apply-custom-perm?system_id=bk_bcs_app&id=_" + "1" * 900
    error = NoPermission(user="lisi", message="no", context={"apply_url": url, "request_id": "r-1"})
    told = summary_of(replace(scenes.no_permission(), error=error))
    assert f"\nApply at: {url}\n" in told
    assert "Request id: r-1" in told
    odd = NoPermission(user="lisi", message="no", context={"apply_url": "*a* 100%"})
    assert r"Apply at: \*a\* 100%" in summary_of(replace(scenes.no_permission(), error=odd))


def test_an_address_can_not_end_its_link_early() -> None:
    run = scenes.published()
    told = summary_of(replace(run, heading=replace(run.heading, build_url="https://ci/a(b) c\u3000")))
    assert "](https://ci/a%28b%29%20c%E3%80%80)" in told


@pytest.mark.parametrize("name", SCENES)
def test_a_plan_is_what_its_schema_says(name: str) -> None:
    document = plan_document(SCENES[name])
    assert (document is None) == (SCENES[name].plan is None)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert document is None or list(validator.iter_errors(document)) == []
    assert SCHEMA["$id"] == SCHEMA_ID


def test_a_plan_for_programs_reads_as_reviewed(golden: Callable[[str, str], None]) -> None:
    deployment, routes = scenes.updated("b.example.com")
    old = scenes.route_of("b.example.com", "/way")
    routes = replace(
        routes,
        version="1.0.428",
        routes_changed=((old, old._replace(path_type="Exact")),),
        notes=(say("plan.draft_kept", name="b", user="lisi"),),
    )
    alone = scenes.change("alone.yaml", moves_pin=True, only=say("rollout.observing"))
    plan = scenes.plan_of(*scenes.created("z.example.com"), deployment, routes, alone, *scenes.STILL[:2])
    noted = tuple(say("report.workload_line", object=name, reason="r") for name in "abcdefg")
    gone = Orphan(kinds.DEPLOYMENT, "old", "old.yaml", "1.0.7-main")
    plan = replace(
        plan,
        target=replace(plan.target, template_set="shop"),
        creates_space=True,
        chart="create",
        dropped=("Deployment/dropped",),
        rendered_no_more=("dropped.yaml",),
        notes=noted[:1],
        conflicts=noted[1:2],
        taken=noted[2:3],
        lost_routes=noted[3:4],
        newer_builds=noted[4:5],
        pruning=Pruning("delete", True, (gone,), (OrphanFile("gone.yaml", "t", "v"),), stays=noted[5:6]),
    )
    run = replace(scenes.planned(), plan=plan, warnings=noted[6:])
    document = plan_document(run)
    golden("report/plan.json", json_text(document) + "\n")
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)) == []
    kept = replace(plan, pruning=replace(plan.pruning, mode="report"))
    told = plan_document(replace(run, plan=kept, identity=None))
    assert told is not None
    assert told["acting_user"] == ""
    assert told["deletes"] == {"objects": [], "files": [], "stays": ["f: r"]}


def test_a_plan_tells_domains_files_routes_and_what_stands_against_it() -> None:
    run = scenes.lost_route()
    document = plan_document(run)
    assert document is not None
    assert run.plan is not None
    assert document["obstacles"] == {
        "conflicts": [],
        "routes_taken": [],
        "routes_lost": [str(run.plan.lost_routes[0])],
        "newer_builds": [],
    }
    planned = plan_document(scenes.planned())
    assert planned is not None
    assert planned["writes"] is True
    assert isinstance(planned["domains"], list)
    assert planned["domains"][0] == {
        "host": "a.example.com",
        "action": "create",
        "files": ["a.example.com.deployment.yaml", "a.example.com.routes.yaml"],
    }
