"""The same build once more: it converges, writes nothing twice, and tells the same story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.deploying import CLUSTER, NAMESPACE, cluster_site
from tests.support.publishing import (
    CREATE_FILE,
    CREATE_VERSION,
    LOOK_BEFORE,
    SPACE,
    UPDATE_FILE,
    USER,
    Ran,
    Site,
    config,
    open_site,
    routes,
    site_after,
)

A1, A2, A3, B1, B2 = (config(name, value) for name, value in ("a1", "a2", "a3", "b1", "b2"))


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a space that build 7 has published, and build 8, which changes both of its files."""
    with site_after(Site.run, a_yaml=A1, b_yaml=B1) as made:
        made.next_build(a_yaml=A2, b_yaml=B2)
        yield made


def previous(ran: Ran) -> list[str]:
    return [entry["previous_version"] for entry in ran.versions().values()]


def test_a_retry_after_success_writes_nothing_and_has_the_same_outputs(site: Site) -> None:
    first = site.run()
    again = site.run(expect_plan=first.output()["plan_digest"])
    assert (again.outcome.result, again.code, again.written) == ("unchanged", 0, [])
    assert again.output()["changed"] == "false"
    assert again.version_ids() == first.version_ids()
    assert previous(again) == ["1.0.7-main", "1.0.7-main"]
    assert site.version_names("a.yaml") == ["1.0.7-main", "1.0.8-main"]


def test_files_that_a_run_renders_no_more_are_named_at_the_price_of_one_request_a_version_name() -> None:
    with open_site(a_yaml=A1, b_yaml=B1, c_yaml=config("c", "1"), d_yaml=config("d", "1")) as site:
        site.run()
        site.next_build(a_yaml=A2, b_yaml=B2, c_yaml=config("c", "2"))
        site.run()
        site.next_build(a_yaml=A3)
        for name in ("b.yaml", "c.yaml", "d.yaml"):
            del site.files[name]
        ran = site.run(action="plan")
        assert "since this run does not render them: b.yaml, c.yaml, d.yaml. Earlier" in ran.log
        site.branch = "login"
        of_another = site.run(action="plan")
        assert "does not render" not in of_another.log
        assert len(ran.exchanges) == len(of_another.exchanges) + 2


def test_a_retry_after_one_file_failed_does_only_what_is_left(site: Site) -> None:
    digest = site.run(action="plan").output()["plan_digest"]
    refuse = '{"code": 1, "message": "mongo is away", "data": null}'
    site.emulator.faults.add(Fault("answer", CREATE_VERSION, status=200, body=refuse))
    first = site.run(expect_plan=digest)
    assert (first.outcome.result, first.code) == ("failed", 800608)
    assert sorted(first.states().values()) == ["applied", "failed"]
    again = site.run(expect_plan=digest)
    assert (again.outcome.result, again.code) == ("published", 0)
    assert again.written == ["POST template/*/versions"]
    assert site.contents() == {"a.yaml": A2, "b.yaml": B2}
    assert previous(again) == ["1.0.7-main", "1.0.7-main"]
    assert [len(site.history(name)) for name in ("a.yaml", "b.yaml")] == [2, 2]


def test_a_retry_of_the_run_that_created_everything_keeps_the_digest() -> None:
    with open_site(a_yaml=A1, b_yaml=B1) as site:
        digest = site.run(action="plan").output()["plan_digest"]
        refuse = '{"code": 1, "message": "mongo is away", "data": null}'
        site.emulator.faults.add(Fault("answer", CREATE_FILE, status=200, body=refuse))
        assert site.run(expect_plan=digest).outcome.result == "failed"
        assert site.run(expect_plan=digest).outcome.result == "published"
        assert site.run(expect_plan=digest).outcome.result == "unchanged"
        assert site.contents() == {"a.yaml": A1, "b.yaml": B1}


@pytest.mark.parametrize("kind", ["handle-then-drop", "half"])
def test_a_retry_after_lost_answers_finds_what_the_first_try_wrote(site: Site, kind: str) -> None:
    # Nothing can be read either, so the first try ends without knowing.
    site.fault(kind, CREATE_VERSION, times=2)
    site.fault("drop-before-handling", Match("POST", "/template/detail"), times=8)
    first = site.run()
    assert (first.outcome.result, first.code) == ("failed", 800610)
    assert first.output()["changed"] == "true"
    again = site.run()
    assert (again.outcome.result, again.code, again.written) == ("unchanged", 0, [])
    assert site.version_names("a.yaml") == ["1.0.7-main", "1.0.8-main"]
    assert again.versions()["a.yaml"]["previous_version"] == "1.0.7-main"


def test_a_retry_pins_what_the_first_try_wrote_but_could_not_pin(site: Site) -> None:
    site.emulator.state.pin(SPACE, "a.yaml", version="1.0.7-main")
    digest = site.run(action="plan").output()["plan_digest"]
    refuse = '{"code": 1, "message": "mongo is away", "data": null}'
    site.emulator.faults.add(Fault("answer", UPDATE_FILE, status=200, body=refuse))
    first = site.run(expect_plan=digest)
    assert (first.outcome.result, first.states()["a.yaml"]) == ("failed", "failed")
    assert "version 1.0.8-main is written, but the file is still pinned to 1.0.7-main" in first.log
    again = site.run(expect_plan=digest)
    assert (again.outcome.result, again.written) == ("published", ["PUT template/metadatas/*"])
    assert site.contents()["a.yaml"] == A2
    assert len(site.history("a.yaml")) == 2


def test_a_file_that_was_half_done_alone_counts_as_changed(site: Site) -> None:
    site.files.pop("b.yaml")
    site.emulator.state.pin(SPACE, "a.yaml", version="1.0.7-main")
    refuse = '{"code": 1, "message": "mongo is away", "data": null}'
    site.emulator.faults.add(Fault("answer", UPDATE_FILE, status=200, body=refuse))
    ran = site.run()
    assert ran.output()["changed"] == "true"
    assert "No file was completed. For some, the version was written" in ran.log


def test_a_draft_that_could_not_be_put_back_is_said_to_be_lost(site: Site) -> None:
    file = site.emulator.state.find_file(SPACE, "a.yaml")
    file.is_draft, file.draft_content, file.draft_version = True, "half: done\n", "1.0.7-main"
    refuse = '{"code": 1, "message": "mongo is away", "data": null}'
    site.emulator.faults.add(Fault("answer", UPDATE_FILE, status=200, body=refuse))
    ran = site.run()
    assert ran.outcome.result == "failed"
    assert "the draft that lisi had left in the console is gone" in ran.log


def test_a_retry_that_others_have_overtaken_leaves_theirs_current_and_says_so(site: Site) -> None:
    first = site.run()
    site.clock.time += 60
    site.emulator.state.add_version(SPACE, "a.yaml", version="hotfix", content=A3, creator="zhangsan")
    again = site.run()
    assert (again.outcome.result, again.written) == ("unchanged", [])
    assert site.contents()["a.yaml"] == A3
    assert "the file's current version is hotfix" in again.log
    assert again.version_ids() == first.version_ids()


def test_a_retry_is_told_apart_from_the_next_build(site: Site) -> None:
    site.run()
    site.next_build(a_yaml=A3)
    ran = site.run()
    assert previous(ran) == ["1.0.8-main", "1.0.8-main"]


def test_a_retry_whose_file_was_deleted_meanwhile_writes_it_again(site: Site) -> None:
    site.run()
    site.emulator.state.delete_file(SPACE, "a.yaml")
    assert site.run().written == ["POST template/metadatas"]
    assert site.contents() == {"a.yaml": A2, "b.yaml": B2}


def test_a_retry_whose_version_was_deleted_meanwhile_writes_it_again(site: Site) -> None:
    site.run()
    site.emulator.state.delete_version(SPACE, "a.yaml", version="1.0.8-main")
    ran = site.run()
    assert ran.written == ["POST template/*/versions"]
    assert site.contents() == {"a.yaml": A2, "b.yaml": B2}


# --- expect_plan ----------------------------------------------------------------------------------------


def test_only_the_approved_plan_is_published(site: Site) -> None:
    digest = site.run(action="plan").output()["plan_digest"]
    site.files["a.yaml"] = A3
    refused = site.run(expect_plan=digest)
    assert (refused.outcome.result, refused.code, refused.writes) == ("failed", 800403, [])
    assert refused.output()["changed"] == "false"
    site.files["a.yaml"] = A2
    assert site.run(expect_plan=digest).outcome.result == "published"


def test_an_approved_plan_does_not_outlive_what_it_was_made_against(site: Site) -> None:
    digest = site.run(action="plan").output()["plan_digest"]
    site.emulator.state.add_version(SPACE, "b.yaml", version="hotfix", content=A3)
    refused = site.run(expect_plan=digest)
    assert (refused.code, refused.writes) == (800403, [])


def test_an_approved_plan_that_is_overtaken_while_it_is_carried_out_is_not_planned_anew(site: Site) -> None:
    def hotfix(state: State) -> None:
        state.add_version(SPACE, "b.yaml", version="hotfix", content=A3)

    digest = site.run(action="plan").output()["plan_digest"]
    site.rival(hotfix, before=LOOK_BEFORE)
    ran = site.run(expect_plan=digest)
    assert ran.code == 800403
    assert site.contents()["b.yaml"] == A3
    assert ran.output()["changed"] == str(ran.states()["a.yaml"] == "applied").lower()


OTHER_CLUSTER = "BCS-K8S-40001"


def approved(site: Site, **inputs: str) -> str:
    return site.run(action="plan", **inputs).output()["plan_digest"]


def test_an_approved_plan_is_for_its_cluster_namespace_and_user() -> None:
    with cluster_site(a_yaml=A1) as site:
        site.emulator.state.projects[0].viewers.add("boss")
        site.emulator.state.add_app("web_app", "web_app-secret", vouches_for={USER, "boss"})
        site.emulator.state.add_cluster(OTHER_CLUSTER, namespaces=(NAMESPACE, "test"))
        here = {"cluster_id": CLUSTER, "namespace": NAMESPACE, "run_as": "modifier"}
        digest = approved(site, **here)
        for other in (
            {"cluster_id": OTHER_CLUSTER},
            {"cluster_id": OTHER_CLUSTER, "namespace": "test"},
            {"cluster_id": "", "namespace": "", "action": "publish"},
            {"BK_CI_PIPELINE_UPDATE_USER": "boss"},
            {"variables": "A: b"},
            {"on_failure": "restore"},
            {"redeploy": "true"},
        ):
            refused = site.run(**{**here, "action": "deploy", "expect_plan": digest, **other})
            assert (refused.code, refused.writes) == (800403, []), other
        ran = site.run(**here, action="deploy", timeout="500", expect_plan=digest)
        assert (ran.outcome.result, ran.code) == ("deployed", 0), ran.log


def test_an_approved_plan_holds_the_namespaces_values_as_far_as_bcs_tells_them() -> None:
    with cluster_site() as site:
        site.files = {"a.yaml.j2": config("a", "{{ bcs('COLOUR') }}")}
        here = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
        state = site.emulator.state
        state.set_namespace_variable("COLOUR", "blue", cluster=CLUSTER, namespace=NAMESPACE)
        assert site.run(**here, action="deploy").code == 0
        site.build += 1
        site.files = {"a.yaml.j2": config("a", "{{ bcs('COLOUR') }}") + "# again\n"}
        digest = approved(site, **here)
        state.set_namespace_variable("COLOUR", "red", cluster=CLUSTER, namespace=NAMESPACE)
        refused = site.run(**here, action="deploy", expect_plan=digest)
        assert (refused.code, refused.writes) == (800403, [])
        state.set_namespace_variable("COLOUR", "blue", cluster=CLUSTER, namespace=NAMESPACE)
        for _ in range(2):
            assert site.run(**here, action="deploy", expect_plan=digest).code == 0, "a retry is the same plan"


def test_an_approved_plan_is_carried_out_by_publish_and_by_deploy() -> None:
    with cluster_site(a_yaml=A1) as site:
        here = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
        digest = approved(site, **here)
        assert site.run(**here, action="publish", expect_plan=digest).outcome.result == "published"
        assert site.run(**here, action="deploy", expect_plan=digest).outcome.result == "deployed"
        assert site.run(**here, action="deploy", expect_plan=digest).code == 0


def test_a_version_that_was_rewritten_in_place_since_is_not_overwritten(site: Site) -> None:
    again = {"version": "1.0.7-main", "overwrite_version": "true"}
    digest = approved(site, **again)
    (version,) = site.history("a.yaml")
    version.content = A3
    refused = site.run(**again, expect_plan=digest)
    assert (refused.code, refused.writes) == (800403, [])
    assert site.run(**again, expect_plan=approved(site, **again)).outcome.result == "published"


# --- routes ---------------------------------------------------------------------------------------------


def test_a_route_of_today_is_removed_only_where_that_is_allowed() -> None:
    with open_site(r_yaml=routes("r.example.com", "/", "/old")) as site:
        site.run()
        site.next_build(r_yaml=routes("r.example.com", "/"))
        refused = site.run()
        assert (refused.code, refused.writes) == (800404, [])
        assert "r.example.com/old" in refused.log
        assert site.run(allow_route_removal="true").outcome.result == "published"


@pytest.mark.parametrize("pinned", [True, False])
def test_a_route_of_another_file_is_not_taken(*, pinned: bool) -> None:
    with open_site(r_yaml=routes("r.example.com", "/")) as site:
        theirs = routes("r.example.com", "/")
        site.emulator.state.add_file(SPACE, "theirs.yaml", content=theirs, pinned=pinned)
        ran = site.run()
        assert (ran.code, ran.writes) == (800406, [])
        assert "theirs.yaml" in ran.log
