from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.planned import (
    OURS,
    POLICY,
    TARGET,
    A,
    B,
    chart,
    deployment,
    desired,
    existing,
    existing_file,
    ingress,
    only,
    version_of,
)

from bcs_template_set.bcs.space.existing import Existing, OtherFile, VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.routes import Route
from bcs_template_set.messages.errors import (
    NewerBuild,
    PlanChanged,
    RouteRemoval,
    RouteTaken,
    VersionConflict,
)
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Policy, refusal

# --- create, update, unchanged --------------------------------------------------------------------------


def test_what_is_not_there_is_created_also_in_a_space_that_is_not_there() -> None:
    plan = make_plan(desired(("a.yaml", A)), Existing(), policy=POLICY)
    assert plan.creates_space
    assert only(plan) == ("create", True, False)
    assert plan.changes[0].images == (("", "example.com/web:1"),)


def test_the_plan_of_what_is_there_already_is_empty() -> None:
    plan = make_plan(desired(("a.yaml", A)), existing(existing_file("a.yaml", version_of(A))), policy=POLICY)
    assert only(plan) == ("unchanged", False, False)
    assert not plan.writes
    assert plan.changes[0].version == "1.0.6-main"


def test_other_content_is_an_update_with_its_difference_and_images() -> None:
    plan = make_plan(desired(("a.yaml", B)), existing(existing_file("a.yaml", version_of(A))), policy=POLICY)
    assert only(plan) == ("update", True, False)
    change = plan.changes[0]
    assert change.images == (("example.com/web:1", "example.com/web:2"),)
    assert change.previous == VersionRef(f"{1:024x}", "1.0.6-main", 1_767_225_601)
    assert "-          image: example.com/web:1\n+          image: example.com/web:2\n" in change.diff


def test_a_pinned_file_is_pinned_to_the_new_version() -> None:
    plan = make_plan(
        desired(("a.yaml", B)), existing(existing_file("a.yaml", version_of(A), mode=1)), policy=POLICY
    )
    assert only(plan) == ("update", True, True)


def test_a_file_that_is_only_a_draft_gets_its_first_version() -> None:
    plan = make_plan(desired(("a.yaml", A)), existing(existing_file("a.yaml", None)), policy=POLICY)
    assert only(plan) == ("update", True, False)


@given(st.permutations(["a.yaml", "b.yaml", "c.yaml", "d.yaml"]))
def test_the_order_of_the_files_changes_nothing(names: list[str]) -> None:
    texts = dict(zip(["a.yaml", "b.yaml", "c.yaml", "d.yaml"], [A, B, A, B]))
    there = existing(existing_file("a.yaml", version_of(A)), existing_file("b.yaml", version_of(A)))
    plan = make_plan(desired(*((name, texts[name]) for name in names)), there, policy=POLICY)
    assert plan == make_plan(desired(*sorted(texts.items())), there, policy=POLICY)
    assert [change.name for change in plan.changes] == sorted(names)
    assert [plan.count(action) for action in ("create", "update", "unchanged")] == [2, 1, 1]


# --- version names --------------------------------------------------------------------------------------


def test_the_same_version_name_with_other_content_is_a_conflict_that_names_who_and_when() -> None:
    found = replace(
        existing_file("a.yaml", version_of(A)), same_name=version_of("other", name="1.0.7-main", number=2)
    )
    plan = make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY)
    assert only(plan) == ("conflict", False, False)
    error = refusal(plan, policy=POLICY)
    assert isinstance(error, VersionConflict)
    for word in ("a.yaml", "1.0.7-main", "lisi", "2026-01-01", "build 6", "wangwu"):
        assert word in str(error)


def test_the_current_version_of_that_name_with_other_content_is_a_conflict_too() -> None:
    found = existing_file("a.yaml", version_of(A, name="1.0.7-main"))
    assert only(make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY))[0] == "conflict"


def test_overwriting_has_to_be_asked_for() -> None:
    found = existing_file("a.yaml", version_of(A, name="1.0.7-main"))
    policy = Policy(overwrite_version=True)
    plan = make_plan(desired(("a.yaml", B)), existing(found), policy=policy)
    assert only(plan) == ("update", True, False)
    assert plan.changes[0].overwrites
    assert refusal(plan, policy=policy) is None


def test_a_retry_that_finds_its_version_written_but_not_pinned_moves_the_pin_only() -> None:
    ours = version_of(B, name="1.0.7-main", number=2, origin=OURS)
    found = replace(existing_file("a.yaml", version_of(A), mode=1), same_name=ours)
    plan = make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY)
    assert only(plan) == ("update", False, True)
    assert plan.changes[0].version_id == ours.id


def test_a_retry_that_was_overtaken_says_so_and_writes_nothing() -> None:
    ours = version_of(B, name="1.0.7-main", number=2, origin=OURS)
    found = replace(existing_file("a.yaml", version_of(A)), same_name=ours)
    plan = make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY)
    assert only(plan) == ("unchanged", False, False)
    assert "1.0.6-main" in str(plan.changes[0].notes[0])


# --- builds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["current", "later"])
def test_a_newer_build_of_the_same_pipeline_and_branch_stops_this_one(place: str) -> None:
    newer = version_of("x", name="1.0.8-main", number=2, origin=replace(OURS, build=8))
    found = existing_file("a.yaml", newer if place == "current" else version_of(A))
    found = found if place == "current" else replace(found, later=(newer,))
    plan = make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY)
    error = refusal(plan, policy=POLICY)
    assert isinstance(error, NewerBuild)
    for word in ("a.yaml", "1.0.8-main", "Build 8", "main", "wangwu"):
        assert word in str(error)
    skip = Policy(on_newer_build="skip")
    skipped = make_plan(desired(("a.yaml", B)), existing(found), policy=skip)
    assert only(skipped) == ("skip", False, False)
    assert refusal(skipped, policy=skip) is None
    instead = Policy(on_newer_build="replace")
    assert only(make_plan(desired(("a.yaml", B)), existing(found), policy=instead))[0] == "update"


@pytest.mark.parametrize(
    "other",
    [replace(OURS, build=8, branch="dev"), replace(OURS, build=8, pipeline="p-2"), replace(OURS, build=7)],
)
def test_other_branches_pipelines_and_the_same_build_stop_nobody(other: Provenance) -> None:
    found = existing_file("a.yaml", version_of(A, origin=other))
    plan = make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY)
    assert refusal(plan, policy=POLICY) is None


# --- routes ---------------------------------------------------------------------------------------------


def test_a_route_that_is_served_today_is_not_dropped_unasked() -> None:
    found = existing_file("r.yaml", version_of(ingress("a.example.com", "/", "/old")))
    want = desired(("r.yaml", ingress("a.example.com", "/", "/new")))
    plan = make_plan(want, existing(found), policy=POLICY)
    assert plan.changes[0].routes_added == (("a.example.com", "/new"),)
    assert plan.changes[0].routes_removed == (("a.example.com", "/old"),)
    error = refusal(plan, policy=POLICY)
    assert isinstance(error, RouteRemoval)
    assert "a.example.com/old is served by r.yaml" in str(error)
    allowed = Policy(allow_route_removal=True)
    assert refusal(make_plan(want, existing(found), policy=allowed), policy=allowed) is None


def test_a_route_that_moves_to_another_file_of_the_run_is_refused_unless_removal_is_allowed() -> None:
    found = existing_file("r.yaml", version_of(ingress("a.example.com", "/", "/x")))
    want = desired(("r.yaml", ingress("a.example.com", "/")), ("s.yaml", ingress("a.example.com", "/x")))
    refused = refusal(make_plan(want, existing(found), policy=POLICY), policy=POLICY)
    assert isinstance(refused, RouteRemoval)
    assert "a.example.com/x is served by r.yaml today (Prefix) and would move to s.yaml" in str(
        refused.details[0]
    )
    allowed = replace(POLICY, allow_route_removal=True)
    assert refusal(make_plan(want, existing(found), policy=allowed), policy=allowed) is None


def test_a_route_or_port_of_another_file_is_not_taken() -> None:
    other = OtherFile("theirs.yaml", routes=(Route("a.example.com", "/", "x", "y"),), node_ports=(30080,))
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        "spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}\n"
    )
    want = desired(("r.yaml", ingress("a.example.com", "/")), ("s.yaml", service))
    error = refusal(make_plan(want, existing(others=(other,)), policy=POLICY), policy=POLICY)
    assert isinstance(error, RouteTaken)
    assert "a.example.com/ of r.yaml is served by theirs.yaml" in str(error)
    assert "nodePort 30080 of s.yaml is used by theirs.yaml" in str(error)


def test_what_can_not_be_read_is_said() -> None:
    plan = make_plan(
        desired(("a.yaml", B)),
        existing(existing_file("a.yaml", version_of("{{{\n: :")), others=(OtherFile("z", readable=False),)),
        policy=POLICY,
    )
    assert "z" in str(plan.notes[0])
    assert "a.yaml" in str(plan.changes[0].notes[0])


# --- template set ---------------------------------------------------------------------------------------


def test_a_template_set_is_made_when_a_file_changes_and_not_otherwise() -> None:
    want = desired(("a.yaml", A), template_set="web")
    assert make_plan(want, Existing(), policy=POLICY).chart == "create"
    there = existing(existing_file("a.yaml", version_of(A)))
    assert make_plan(want, there, policy=POLICY).chart == "none"


def test_a_retry_finishes_the_template_set_that_this_build_began() -> None:
    want = desired(("a.yaml", A), template_set="web")
    there = existing(existing_file("a.yaml", version_of(A, name="1.0.7-main", origin=OURS)))
    plan = make_plan(want, there, policy=POLICY)
    assert plan.chart == "create"
    assert plan.writes
    done = replace(there, chart=chart(**{"a.yaml": A}))
    assert make_plan(want, done, policy=POLICY).chart == "unchanged"


def test_a_template_set_of_that_version_with_other_templates_is_a_conflict() -> None:
    want = desired(("a.yaml", A), template_set="web")
    plan = make_plan(want, replace(Existing(), chart=chart(**{"a.yaml": B})), policy=POLICY)
    assert isinstance(refusal(plan, policy=POLICY), VersionConflict)


# --- digest ---------------------------------------------------------------------------------------------


def test_the_digest_changes_with_everything_a_person_approves() -> None:
    base = existing(existing_file("a.yaml", version_of(A)))
    newer = existing(existing_file("a.yaml", version_of(A, number=9)))
    wanted = [
        make_plan(desired(("a.yaml", B)), base, policy=POLICY),
        make_plan(desired(("a.yaml", A)), base, policy=POLICY),
        make_plan(desired(("b.yaml", B)), base, policy=POLICY),
        make_plan(desired(("a.yaml", B), version="1.0.8"), base, policy=POLICY),
        make_plan(desired(("a.yaml", B), template_set="web"), base, policy=POLICY),
        make_plan(desired(("a.yaml", B)), newer, policy=POLICY),
        make_plan(replace(desired(("a.yaml", B)), target=replace(TARGET, region="sh")), base, policy=POLICY),
        make_plan(replace(desired(("a.yaml", B)), inputs={"namespace": "test"}), base, policy=POLICY),
        make_plan(
            replace(desired(("a.yaml", B)), provenance=replace(OURS, acting_as="boss")), base, policy=POLICY
        ),
    ]
    for one, other in itertools.combinations(wanted, 2):
        assert one.digest != other.digest
    assert refusal(wanted[0], policy=POLICY, expect_plan=wanted[0].digest) is None
    assert isinstance(refusal(wanted[0], policy=POLICY, expect_plan="0" * 32), PlanChanged)
    assert {len(plan.digest) for plan in wanted} == {32}


def test_a_text_that_is_lost_by_overwriting_is_part_of_what_is_approved() -> None:
    policy = replace(POLICY, overwrite_version=True)

    def digest(text: str, *, name: str = "1.0.7-main") -> str:
        held = existing(existing_file("a.yaml", version_of(text, name=name)))
        return make_plan(desired(("a.yaml", B)), held, policy=policy).digest

    assert digest(A) != digest(deployment("example.com/web:3"))
    assert digest(A, name="1.0.6") == digest(deployment("example.com/web:3"), name="1.0.6")


def test_a_template_set_that_is_overwritten_is_part_of_what_is_approved() -> None:
    policy = replace(POLICY, overwrite_version=True)

    def digest(text: str) -> str:
        held = replace(existing(), chart=chart(**{"a.yaml": text}))
        return make_plan(desired(("a.yaml", A), template_set="web"), held, policy=policy).digest

    assert digest(B) != digest(deployment("example.com/web:3"))


def test_a_retried_step_has_the_digest_that_was_approved() -> None:
    want = desired(("a.yaml", B), ("new.yaml", A), ("same.yaml", A))
    old, same = version_of(A), version_of(A, number=5)
    before = existing(existing_file("a.yaml", old), existing_file("same.yaml", same))
    ours = version_of(B, name="1.0.7-main", number=20, origin=OURS)
    written = existing_file("a.yaml", ours)
    written = replace(
        written, history=(*(written.history or ()), VersionRef(old.id, old.version, old.create_at))
    )
    created = existing_file("new.yaml", version_of(A, name="1.0.7-main", number=21, origin=OURS))
    after = existing(written, created, existing_file("same.yaml", same))
    first, again = (make_plan(want, there, policy=POLICY) for there in (before, after))
    assert not again.writes
    assert first.digest == again.digest
    assert again.changes[0].previous == first.changes[0].previous
