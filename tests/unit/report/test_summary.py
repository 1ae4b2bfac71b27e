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
from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.messages.errors import InputsInvalid, NoPermission, ProjectNotVisible
from bcs_template_set.report.outcome import Outcome
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


def test_a_headline_is_whole_and_of_three_hundred_domains_those_are_counted_that_do_not_fit() -> None:
    hosts = [f"h{n}.example.com" for n in range(300)]
    plan = scenes.plan_of(*(change for host in hosts for change in scenes.updated(host)))
    told = summary_of(replace(scenes.planned(), plan=plan))
    assert told.startswith("**Plan")
    shown = told.count("\n- update")
    assert utf16_units(told) <= MOST_STRING_UNITS < utf16_units(told) + len(told) // shown
    assert f"… and {300 - shown} more." in told
    error = ProjectNotVisible(project="p" * 900, user="lisi", message="no")
    assert "p" * 900 in summary_of(replace(scenes.no_permission(), error=error))


def test_lines_are_left_out_whole_and_counted() -> None:
    error = InputsInvalid(details=[f"mistake {n} " + "x" * 380 for n in range(80)])
    told = summary_of(replace(scenes.no_permission(), error=error))
    assert utf16_units(told) <= MOST_STRING_UNITS
    assert "- mistake 8 " in told
    assert "- mistake 9 " not in told
    assert "71 more" in told


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
