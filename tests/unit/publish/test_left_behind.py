"""BCS deletes nothing: what files hold no more, and files that are rendered no more, stay and are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from tests.support import rollout_scenes, scenes
from tests.support.planned import (
    OURS,
    POLICY,
    A,
    B,
    desired,
    existing,
    existing_file,
    file_id,
    ingress,
    service,
    version_of,
)

from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.bcs.space.existing import Existing, OtherFile, ref_of
from bcs_template_set.bcs.space.provenance import Provenance, is_earlier_name
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Plan
from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.output import message_of
from bcs_template_set.report.verdict_lines import verdict_lines

TWO = A + "---\n" + service(0, name="old")


def plan_of(text: str, held: str, *more: tuple[str, str]) -> Plan:
    there = existing(existing_file("a.yaml", version_of(held)))
    return make_plan(desired(("a.yaml", text), *more), there, policy=POLICY)


def test_an_object_that_is_dropped_or_renamed_is_named() -> None:
    assert plan_of(B, TWO).dropped == ("Service/old",)
    assert plan_of(B + "---\n" + service(0, name="new"), TWO).dropped == ("Service/old",)


def test_what_moves_to_another_file_of_the_run_or_stays_is_not_dropped() -> None:
    assert plan_of(B, TWO, ("service.yaml", service(0, name="old"))).dropped == ()
    assert plan_of(TWO, TWO).dropped == ()
    assert plan_of(B, "a: [").dropped == (), "nothing is known of what can't be read"


def row(name: str, *, version: str = "by hand", at: int = 0) -> TemplateFile:
    return TemplateFile(file_id(name), name, version, file_id(name), 0, real_name=name, update_at=at)


def gone(
    *names: str,
    build: int = 6,
    branch: str = "main",
    ids: tuple[str, ...] = (),
    scope: Optional[Scope] = None,
) -> tuple[str, ...]:
    origin = replace(OURS, build=build, branch=branch)
    others = tuple(OtherFile(name, origin=origin) for name in names)
    there = replace(existing(others=others), rows={name: row(name) for name in (*names, *ids)})
    wanted = replace(desired(("new.example.com.routes.yaml", A)), scope=scope or Scope())
    return make_plan(wanted, there, policy=POLICY).rendered_no_more


def test_a_file_of_an_earlier_build_that_is_rendered_no_more_is_named() -> None:
    assert gone("news.yaml") == ("news.yaml",)
    assert gone("news.yaml", ids=("by-hand.yaml",)) == ("news.yaml",), "the other is of no domain either"
    assert gone("news.yaml", build=7) == (), "another step of this build"
    assert gone("news.yaml", branch="login") == (), "another branch's"
    assert make_plan(desired(("a.yaml", A)), Existing(), policy=POLICY).rendered_no_more == ()


def test_of_a_domain_that_is_gone_all_files_are_named() -> None:
    beside = ("old.example.com.deployment.yaml", "new.example.com.deployment.yaml", "x.yaml")
    assert gone("old.example.com.routes.yaml", ids=beside) == (
        "old.example.com.deployment.yaml",
        "old.example.com.routes.yaml",
    )


def test_of_a_narrowed_run_only_what_it_names_can_be_gone() -> None:
    ours, extra = "new.example.com.routes.yaml", "extra.yaml"
    files = (ours, extra)
    names = ("a.yaml", "b.yaml", "old.example.com.routes.yaml", extra)
    assert gone(*names, scope=Scope(("new.example.com",), files)) == (), "the extra one is outside"
    named = Scope(("b.yaml", "old.example.com", ours), files)
    assert gone(*names, scope=named) == ("b.yaml", "old.example.com.routes.yaml")


AT = 1_767_225_601


@pytest.mark.parametrize(
    ("there", "origin", "is_gone"),
    [
        (row("x.yaml", version="1.0.6-main", at=AT + 60), OURS, True),
        (row("x.yaml", version="1.0.6-main", at=AT + 600), OURS, True),
        (row("x.yaml", version="1.0.6-main", at=AT + 601), OURS, False),
        (row("x.yaml", version="1.0.6-main", at=AT - 601), OURS, False),
        (row("x.yaml", version="1.0.6-main", at=AT), replace(OURS, pipeline="p-2"), False),
        (row("x.yaml", version="1.0.6-main", at=AT), replace(OURS, branch="login"), False),
        (row("x.yaml", version="1.0.6-login", at=AT), OURS, False),
        (row("x.yaml", version="1.0.5-main", at=AT), OURS, False),
        (row("x.yaml", version="by hand", at=AT), OURS, False),
    ],
)
def test_a_file_that_nothing_is_read_of_is_known_by_a_version_that_one_run_made_with_one_of_ours(
    there: TemplateFile, origin: Provenance, *, is_gone: bool
) -> None:
    held = existing(existing_file("a.yaml", version_of(A, origin=replace(origin, build=6))))
    known = replace(held, rows={there.real_name: there, "a.yaml": row("a.yaml")})
    plan = make_plan(desired(("a.yaml", B)), known, policy=POLICY)
    assert plan.rendered_no_more == (("x.yaml",) if is_gone else ())


def test_any_file_that_is_read_tells_of_one_that_is_not_but_nothing_of_this_build_is_gone() -> None:
    there = existing(others=(OtherFile("y.yaml", current=ref_of(version_of(A))),))
    rows = {"x.yaml": row("x.yaml", version="1.0.6-main", at=AT), "y.yaml": row("y.yaml")}
    plan = make_plan(desired(("a.yaml", B)), replace(there, rows=rows), policy=POLICY)
    assert plan.rendered_no_more == ("x.yaml",)
    held = existing(existing_file("a.yaml", version_of(A, name="1.0.7-main", origin=OURS)))
    rows = {"x.yaml": row("x.yaml", version="1.0.7-main", at=AT), "a.yaml": row("a.yaml")}
    plan = make_plan(desired(("a.yaml", B)), replace(held, rows=rows), policy=POLICY)
    assert plan.rendered_no_more == ()


@pytest.mark.parametrize(
    ("name", "version", "build", "is_earlier"),
    [
        ("1.0.6-main", "1.0.7-main", 7, True),
        ("1.0.7-main", "1.0.7-main", 7, False),
        ("1.0.8-main", "1.0.7-main", 7, False),
        ("1.0.-main", "1.0.7-main", 7, False),
        ("1.0.x-main", "1.0.7-main", 7, False),
        ("1.0.6-x", "1.0.7-main", 7, False),
        ("7.6-b7", "7.7-b7", 7, True),
        ("1.0.16-main", "1.0.17-main", 7, False),
        ("6a1b2c", "7a1b2c", 8, False),
    ],
)
def test_a_versions_name_is_an_earlier_builds_where_only_its_number_is_lower(
    name: str, version: str, build: int, *, is_earlier: bool
) -> None:
    assert is_earlier_name(name, version=version, build=build) is is_earlier


def test_a_route_of_a_person_is_nobodys_to_mention() -> None:
    there = existing(others=(OtherFile("theirs.yaml"),))
    assert make_plan(desired(("a.yaml", ingress("h", "/"))), there, policy=POLICY).rendered_no_more == ()


LEAVES = ("Deployment/canary", "news.example.com.routes.yaml")


def leaving(outcome: Outcome) -> Outcome:
    assert outcome.plan is not None
    plan = replace(outcome.plan, dropped=LEAVES[:1], rendered_no_more=LEAVES[1:])
    return replace(outcome, plan=plan)


@pytest.mark.parametrize(
    "outcome",
    [scenes.published(), rollout_scenes.deployed().outcome, rollout_scenes.image_not_found().outcome],
    ids=["published", "deployed", "failed"],
)
def test_log_report_and_message_say_what_stays(outcome: Outcome) -> None:
    left = leaving(outcome)
    log = "\n".join(line.text for line in verdict_lines(left))
    for told in (log, render_html(left), message_of(left)):
        for name in LEAVES:
            assert name in told
