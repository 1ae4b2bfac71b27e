"""Plan and publish where nothing goes wrong: what is read, what is written, and what is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.emulator.dialect import Dialect
from tests.emulator.state import State
from tests.support.publishing import GET_VERSION, SPACE, USER, Site, config, open_site, routes

PROJECT_AND_SPACE = ["GetProject", "ListTemplateSpace"]
FILES = "ListTemplateMetadata"
SEEN, NOT_THERE = "GetTemplateVersion", ""
"""The second is the name of an API that this BCS has not: how it is not there tells its dialect."""
OUTPUTS = ("result", "changed", "version", "versions", "plan_digest", "acting_user", "routes", "summary")
A1, A2, B1 = config("a", "1"), config("a", "2"), config("b", "1")


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site(a_yaml=A1, b_yaml=B1) as made:
        yield made


# --- plan -----------------------------------------------------------------------------------------------


def test_a_plan_of_files_to_create_sends_no_write(site: Site) -> None:
    ran = site.run(action="plan")
    assert (ran.outcome.result, ran.writes) == ("planned", [])
    assert sorted(ran.operations) == sorted([*PROJECT_AND_SPACE, NOT_THERE])
    plan = ran.outcome.plan
    assert plan is not None
    assert [change.action for change in plan.changes] == ["create", "create"]


def test_a_plan_of_updates_pins_and_a_template_set_sends_no_write(site: Site) -> None:
    site.run()
    site.emulator.state.pin(SPACE, "b.yaml", version="1.0.7-main")
    site.next_build(a_yaml=A2, b_yaml=config("b", "2"))
    ran = site.run(action="plan", template_set="web", version="1.0.8")
    assert (ran.outcome.result, ran.writes) == ("planned", [])
    plan = ran.outcome.plan
    assert plan is not None
    assert plan.chart == "create"
    assert [(change.action, change.moves_pin) for change in plan.changes] == [
        ("update", False),
        ("update", True),
    ]


def test_a_plan_gives_every_output(site: Site) -> None:
    site.files = {"r.yaml": routes("r.example.com", "/", "/api")}
    output = site.run(action="plan").output()
    assert sorted(output) == sorted(OUTPUTS)
    assert (output["result"], output["changed"]) == ("planned", "true"), "publishing would write"
    assert (output["version"], output["acting_user"]) == ("1.0.7-main", USER)
    assert json.loads(output["routes"]) == ["r.example.com/", "r.example.com/api"]
    assert json.loads(output["versions"])["r.yaml"]["id"] == ""


# --- first publish --------------------------------------------------------------------------------------


def test_the_first_publish_makes_the_space_and_a_version_a_file(site: Site) -> None:
    ran = site.run()
    assert (ran.outcome.result, ran.code) == ("published", 0)
    assert ran.written == [
        "POST template/spaces",
        "POST template/metadatas",
        "POST template/metadatas",
    ]
    assert site.contents() == {"a.yaml": A1, "b.yaml": B1}
    planning = [*PROJECT_AND_SPACE, NOT_THERE]
    writing = ["CreateTemplateSpace", *["CreateTemplateMetadata", SEEN] * 2]
    assert sorted(ran.operations) == sorted([*planning, *writing, FILES, FILES])


def test_bcs_records_the_acting_user_and_where_the_version_came_from(site: Site) -> None:
    ran = site.run()
    (version,) = site.history("a.yaml")
    assert version.creator == USER
    for word in ("bk-ci", "pipeline=p-1", "build=7", "branch=main", "commit=0123456789abcdef"):
        assert word in version.description.split()
    assert "started-by=wangwu" in version.description
    assert f"acting-as={USER}" in version.description
    assert "\n" not in version.description
    assert ran.file("a.yaml").creator == USER
    assert {exchange.user for exchange in ran.exchanges if exchange.operation} == {USER}


def test_the_outputs_name_the_versions_that_were_written(site: Site) -> None:
    output = site.run().output()
    assert sorted(output) == sorted(OUTPUTS)
    assert (output["result"], output["changed"]) == ("published", "true")
    (version,) = site.history("a.yaml")
    entry = json.loads(output["versions"])["a.yaml"]
    assert entry == {
        "id": version.id,
        "version": "1.0.7-main",
        "previous_id": "",
        "previous_version": "",
        "state": "published",
    }


def test_a_creator_that_is_not_the_acting_user_is_reported(site: Site) -> None:
    def another_creator(state: State) -> None:
        state.find_versions(SPACE, "a.yaml")[0].creator = "zhangsan"

    site.files = {"a.yaml": A1}
    site.rival(another_creator, before=GET_VERSION)
    ran = site.run()
    assert "BCS recorded zhangsan as the creator of a.yaml" in ran.log


@pytest.mark.parametrize(
    ("space", "near"), [("web", "web-admin"), ("a.b", "axb"), ("web", "my-web"), ("w(eb", "w")]
)
def test_a_space_whose_name_merely_matches_is_not_taken(site: Site, space: str, near: str) -> None:
    site.emulator.state.add_file(near, "a.yaml", content=A1)
    ran = site.run(template_space=space)
    assert ran.outcome.result == "published"
    assert [found.name for found in site.emulator.state.spaces] == [near, space]
    assert {version.space for version in site.emulator.state.versions[1:]} == {space}


def test_an_existing_space_is_used(site: Site) -> None:
    site.emulator.state.add_space(SPACE)
    assert site.run().written == ["POST template/metadatas", "POST template/metadatas"]
    assert len(site.emulator.state.spaces) == 1


# --- the next runs --------------------------------------------------------------------------------------


def test_what_is_there_already_is_read_once_and_not_written(site: Site) -> None:
    site.run()
    site.next_build()
    ran = site.run()
    assert (ran.outcome.result, ran.output()["changed"]) == ("unchanged", "false")
    assert sorted(ran.operations) == sorted([*PROJECT_AND_SPACE, FILES, SEEN, SEEN])
    entry = ran.versions()["a.yaml"]
    assert (entry["version"], entry["previous_version"]) == ("1.0.7-main", "1.0.7-main")


def test_one_changed_image_writes_one_file(site: Site) -> None:
    site.run()
    site.next_build(a_yaml=A2)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert ran.written == ["POST template/*/versions"]
    assert ran.states() == {"a.yaml": "applied", "b.yaml": "unchanged"}
    assert site.contents() == {"a.yaml": A2, "b.yaml": B1}
    before, after = site.history("a.yaml")
    assert ran.versions()["a.yaml"] == {
        "id": after.id,
        "version": "1.0.8-main",
        "previous_id": before.id,
        "previous_version": "1.0.7-main",
        "state": "published",
    }
    planning = [*PROJECT_AND_SPACE, FILES, SEEN, SEEN]
    writing = [FILES, "CreateTemplateVersion", SEEN, FILES]
    assert sorted(ran.operations) == sorted([*planning, *writing])


def test_files_of_others_are_not_read_by_a_run_that_routes_nothing(site: Site) -> None:
    site.emulator.state.add_file(SPACE, "theirs.yaml", content=routes("x.example.com", "/"))
    ran = site.run(action="plan")
    assert sorted(ran.operations) == sorted([*PROJECT_AND_SPACE, FILES])


def test_of_the_files_of_others_only_those_that_may_route_are_read(site: Site) -> None:
    state = site.emulator.state
    state.add_file(SPACE, "theirs.yaml", content=routes("x.example.com", "/"))
    state.add_file(SPACE, "plain.yaml", content=config("plain", "1"))
    state.add_file(SPACE, "pinned.yaml", content=config("pinned", "1"), pinned=True)
    site.files = {"r.yaml": routes("r.example.com", "/")}
    ran = site.run(action="plan")
    seen = [
        exchange.path.rpartition("/")[2] for exchange in ran.exchanges if exchange.operation.endswith(SEEN)
    ]
    assert sorted(seen) == sorted(
        state.find_versions(SPACE, name)[0].id for name in ("theirs.yaml", "pinned.yaml")
    )


def test_a_bcs_without_a_list_of_version_names_is_published_to(site: Site) -> None:
    site.emulator.state.add_app(
        "web_app",
        "web_app-secret",
        vouches_for={USER},
        grants=[r"^(?!.*metadata/versions)"],
    )
    site.run()
    site.next_build(a_yaml=A2)
    ran = site.run()
    assert ran.outcome.result == "published"
    assert site.contents()["a.yaml"] == A2


# --- pinned files and drafts ----------------------------------------------------------------------------


def pinned_file(site: Site, *, draft: str = "", pinned: bool = True) -> None:
    site.emulator.state.add_file(
        SPACE,
        "a.yaml",
        content=A1,
        version="0.9.0",
        creator="zhangsan",
        pinned=pinned,
        draft=draft,
        description="look at me",
        tags=["x", "y"],
        deployed_version="0.9.0",
        deployer="zhangsan",
    )


def metadata(site: Site) -> dict[str, object]:
    return dict(site.emulator.state.find_file(SPACE, "a.yaml").to_map(Dialect.C))


@pytest.mark.parametrize("draft", ["", "half: done\n"])
@pytest.mark.parametrize("pinned", [True, False])
def test_a_published_file_keeps_its_pin_its_draft_and_every_field(
    site: Site, *, pinned: bool, draft: str
) -> None:
    pinned_file(site, draft=draft, pinned=pinned)
    before = metadata(site)
    site.files = {"a.yaml": A2}
    ran = site.run()
    after = metadata(site)
    changed = {name for name in after if after[name] != before[name]}
    assert changed - {"updateAt"} == {"version", "updator"}
    assert (after["version"], after["versionMode"]) == ("1.0.7-main", 1 if pinned else 0)
    assert ("pinned in BCS, from now on to this version" in ran.log) is pinned
    assert (after["isDraft"], after["draftContent"]) == (bool(draft), draft)
    assert site.contents() == {"a.yaml": A2}
    puts = ["PUT template/metadatas/*"] if pinned or draft else []
    assert ran.written == ["POST template/*/versions", *puts]
    assert ("draft" in ran.log) is bool(draft)


def test_a_file_that_is_nothing_but_a_draft_gets_its_first_version_and_keeps_the_draft(site: Site) -> None:
    pinned_file(site, draft="half: done\n", pinned=False)
    site.emulator.state.delete_version(SPACE, "a.yaml", version="0.9.0")
    site.files = {"a.yaml": A2}
    assert site.run().outcome.result == "published"
    assert site.contents() == {"a.yaml": A2}
    assert site.emulator.state.find_file(SPACE, "a.yaml").draft_content == "half: done\n"


def test_a_helm_rendered_file_stays_one(site: Site) -> None:
    site.emulator.state.add_file(SPACE, "a.yaml", content=A1, render_mode="Helm", pinned=True)
    site.files = {"a.yaml": A2}
    site.run()
    assert site.emulator.state.find_file(SPACE, "a.yaml").render_mode == "Helm"
