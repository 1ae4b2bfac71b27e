"""The files of a run as a template set: made once, verified where granted, refused before any write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from tests.emulator.entities import Chart
from tests.emulator.faults import Fault
from tests.emulator.state import State
from tests.support.publishing import CREATE_CHART, CREATE_VERSION, SPACE, USER, Site, config, open_site

A1, A2, B1 = config("a", "1"), config("a", "2"), config("b", "1")
SET = {"template_set": "web", "version": "1.0.{{ build.number }}"}
WITHOUT_HELM_MANAGER = [r"^/(clusterresources|bcsproject)/"]


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site(a_yaml=A1, b_yaml=B1) as made:
        yield made


def not_granted(site: Site) -> None:
    grants = WITHOUT_HELM_MANAGER
    site.emulator.state.add_app("web_app", "web_app-secret", vouches_for={USER}, grants=grants)


def test_all_files_of_the_run_are_in_it(site: Site) -> None:
    site.run(**SET)
    site.next_build(a_yaml=A2)
    ran = site.run(**SET)
    assert ran.outcome.result == "published"
    assert ran.written == ["POST template/*/versions", "POST templatesets"]
    chart = site.emulator.state.find_chart("web", "1.0.8")
    assert chart is not None
    assert chart.contents["web/templates/a.yaml"] == A2
    assert chart.contents["web/templates/b.yaml"] == B1
    assert ran.outcome.chart == "created"
    assert "web" in ran.log


def test_it_says_where_it_came_from(site: Site) -> None:
    site.run(**SET)
    chart = site.emulator.state.find_chart("web", "1.0.7")
    assert chart is not None
    about = yaml.safe_load(chart.contents["web/Chart.yaml"])
    assert "build=7" in about["description"]
    assert about["annotations"]["category"] == "bk-ci"
    assert about["annotations"]["creator"] == USER


def test_an_unchanged_run_makes_none(site: Site) -> None:
    site.run(**SET)
    site.next_build()
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.writes) == ("unchanged", [])
    assert len(site.emulator.state.charts) == 1
    assert "No file changed, so this run makes no version of template set web." in ran.log


def test_a_retry_finds_it_there(site: Site) -> None:
    site.run(**SET)
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.writes, ran.outcome.chart) == ("unchanged", [], "unchanged")


def test_a_retry_makes_it_also_where_others_have_overtaken_its_only_file(site: Site) -> None:
    site.files = {"a.yaml": A1}
    refuse = '{"code": 1, "message": "mongo is away", "data": null}'
    site.emulator.faults.add(Fault("answer", CREATE_CHART, status=200, body=refuse))
    assert site.run(**SET).outcome.chart == "failed"
    site.emulator.state.add_version(SPACE, "a.yaml", version="hotfix", content=A2, creator="zhangsan")
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.written) == ("published", ["POST templatesets"])
    chart = site.emulator.state.find_chart("web", "1.0.7")
    assert chart is not None
    assert chart.contents["web/templates/a.yaml"] == A1
    assert "the file's current version is hotfix" in ran.log


def test_a_version_that_is_not_semver_is_refused_before_anything_is_sent(site: Site) -> None:
    ran = site.run(template_set="web", version="v1")
    assert (ran.code, ran.exchanges) == (800308, ())


def test_variables_for_bcs_are_refused_before_anything_is_sent(site: Site) -> None:
    site.files = {"a.yaml.j2": config("a", "X").replace('"X"', "\"{{ bcs('NAME') }}\"")}
    ran = site.run(**SET, variables="NAME: x")
    assert (ran.code, ran.exchanges) == (800307, ())
    assert site.run(version="1.0.7", variables="NAME: x").outcome.result == "published"


def test_one_that_is_there_with_other_content_is_a_conflict(site: Site) -> None:
    site.run(**SET)
    site.next_build(a_yaml=A2)
    ran = site.run(template_set="web", version="1.0.7", overwrite_version="false")
    assert (ran.code, ran.writes) == (800401, [])
    site.emulator.state.charts[0].contents["web/templates/b.yaml"] = "changed by hand"
    site.files, site.build = {"a.yaml": A1, "b.yaml": B1}, 7
    ran = site.run(**SET)
    assert (ran.code, ran.writes) == (800401, [])
    assert "template set web" in ran.log


def test_one_that_is_there_is_overwritten_only_where_that_is_asked_for(site: Site) -> None:
    site.run(**SET)
    site.emulator.state.charts[0].contents["web/templates/b.yaml"] = "changed by hand"
    ran = site.run(**SET, overwrite_version="true")
    assert (ran.outcome.result, ran.written) == ("published", ["POST templatesets"])
    assert site.emulator.state.charts[0].contents["web/templates/b.yaml"] == B1


def test_a_template_that_bcs_drops_silently_is_noticed(site: Site) -> None:
    def delete_a_version(state: State) -> None:
        state.delete_version("front-ends", "b.yaml", version="1.0.7")

    site.rival(delete_a_version, before=CREATE_CHART)
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.code) == ("failed", 800608)
    assert "the template set was made without b.yaml" in ran.log
    assert ran.output()["changed"] == "true"


def test_where_helm_manager_is_not_granted_it_is_made_and_said_to_be_unverified(site: Site) -> None:
    not_granted(site)
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.outcome.chart) == ("published", "created")
    assert "its files are not verified" in ran.log
    assert len(site.emulator.state.charts) == 1


def test_where_helm_manager_is_not_granted_a_refusal_says_that_it_may_be_there_already(site: Site) -> None:
    not_granted(site)
    site.run(**SET)
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.code) == ("failed", 800608)
    assert "Perhaps version 1.0.7 of the template set exists already" in ran.log


def test_one_that_a_rival_made_at_the_same_moment_is_taken_where_it_is_the_same(site: Site) -> None:
    def make_it(state: State) -> None:
        contents = {"web/templates/a.yaml": A1, "web/templates/b.yaml": B1}
        state.insert_chart(Chart(project="web", name="web", version="1.0.7", contents=contents))

    site.rival(make_it, before=CREATE_CHART)
    assert site.run(**SET).outcome.result == "published"


def test_one_that_a_rival_made_at_the_same_moment_is_a_conflict_where_it_is_another(site: Site) -> None:
    def make_another(state: State) -> None:
        state.insert_chart(Chart(project="web", name="web", version="1.0.7", contents={}))

    site.rival(make_another, before=CREATE_CHART)
    ran = site.run(**SET)
    assert (ran.code, ran.output()["changed"]) == (800401, "true")


def test_it_is_not_made_of_half_the_files_and_a_retry_makes_it(site: Site) -> None:
    site.run(**SET)
    site.next_build(a_yaml=A2)
    refuse = '{"code": 1, "message": "mongo is away", "data": null}'
    site.emulator.faults.add(Fault("answer", CREATE_VERSION, status=200, body=refuse))
    assert "POST templatesets" not in site.run(**SET).written
    ran = site.run(**SET)
    assert ran.written == ["POST template/*/versions", "POST templatesets"]


def test_a_retry_makes_the_one_that_the_first_try_did_not_get_to(site: Site) -> None:
    refuse = '{"code": 1, "message": "http code 500 != 200", "data": null}'
    site.emulator.faults.add(Fault("answer", CREATE_CHART, status=200, body=refuse))
    first = site.run(**SET)
    assert (first.code, first.outcome.chart) == (800608, "failed")
    again = site.run(**SET)
    assert (again.outcome.result, again.written) == ("published", ["POST templatesets"])
    assert len(site.emulator.state.charts) == 1


@pytest.mark.parametrize("kind", ["handle-then-drop", "half"])
def test_one_whose_answer_was_lost_is_looked_for_before_it_is_sent_again(site: Site, kind: str) -> None:
    site.fault(kind, CREATE_CHART)
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.written.count("POST templatesets")) == ("published", 1)
    assert len(site.emulator.state.charts) == 1


def test_one_that_was_lost_on_the_way_is_sent_again_after_looking(site: Site) -> None:
    site.fault("drop-before-handling", CREATE_CHART)
    ran = site.run(**SET)
    assert (ran.outcome.result, ran.written.count("POST templatesets")) == ("published", 2)
    behind = ran.operations[-4:]
    assert behind == ["GetVersionDetailV1", "GetVersionDetailV1", "CreateTemplateSet", "GetVersionDetailV1"]


def test_one_that_can_not_be_looked_for_is_said_to_be_unknown_and_not_sent_again(site: Site) -> None:
    not_granted(site)
    site.fault("handle-then-drop", CREATE_CHART)
    ran = site.run(**SET)
    assert (ran.code, ran.written.count("POST templatesets")) == (800610, 1)
    assert ran.output()["changed"] == "true"
