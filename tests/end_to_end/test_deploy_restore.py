"""on_failure: both stories are told, and only what this run changed is taken back; verify_urls decide too."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pytest
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import grow, text
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.support.deploying import (
    CLUSTER,
    DEPLOY,
    MARK,
    NAMESPACE,
    PREVIEW,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_live,
    image_of,
    let_a_rival_write,
    live,
    mark_of,
    page,
    sent_files,
    workload,
)
from tests.support.publishing import SPACE, USER, Ran, Site, config

from bcs_template_set.report.file_states import endings_of
from bcs_template_set.report.html import render_html
from bcs_template_set.report.output import message_of

BROKEN = Behaviour("not-found")


def second_build(site: Site, *, tag: str = "2") -> str:
    """Return the version of the good first build that is deployed. The next one's image does not exist."""
    version = mark_of(site, "Deployment", "web")
    cluster_of(site).images[image_of("web", tag)] = BROKEN
    site.next_build(web_yaml=workload(tag=tag))
    return version


def both_stories(ran: Ran) -> None:
    assert ran.code == 800506
    assert "does not exist in its registry" in ran.log
    assert ran.outcome.error is not None


def test_a_restore_deploys_the_version_before_waits_for_it_and_still_fails() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        ran = deploy(site, on_failure="restore")
        both_stories(ran)
        assert ran.outcome.result == "restored"
        assert (mark_of(site, "Deployment", "web"), image_live(site, "Deployment", "web")) == (
            before,
            image_of("web"),
        )
        assert len(calls_of(ran)) == 2
        assert ran.outcome.rollout is not None
        way = ran.outcome.rollout.restoration
        assert way is not None
        assert [(file.name, file.version) for file in way.files] == [("web.yaml", before)]
        assert [item.end for item in way.watched] == ["ready"]
        assert ran.log.count(f"Restored to version {before}, which was deployed before: web.yaml.") == 1
        assert len(site.version_names("web.yaml")) == 2, "the version that failed stays published"


def test_with_keep_nothing_is_touched_and_the_way_back_is_said() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        ran = deploy(site)
        both_stories(ran)
        assert (ran.outcome.result, len(calls_of(ran))) == ("failed", 1)
        assert mark_of(site, "Deployment", "web") == ran.output()["version"]
        assert before in ran.log.partition("Failed (800506)")[2]


def test_a_file_deployed_for_the_first_time_is_left_and_said() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        site.files["api.yaml"] = workload(name="api")
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "restored"
        assert mark_of(site, "Deployment", "web") == before
        assert mark_of(site, "Deployment", "api") == ran.output()["version"]
        assert "had not been deployed before: api.yaml" in ran.log


def test_where_all_is_new_the_run_is_failed_and_not_restored() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = BROKEN
        ran = deploy(site, on_failure="restore")
        assert (ran.outcome.result, len(calls_of(ran))) == ("failed", 1)
        assert "had not been deployed before: web.yaml" in ran.log


def test_what_this_namespace_had_comes_before_what_bcs_remembers_of_any_namespace() -> None:
    with deployed_site(web_yaml=workload()) as site:
        cluster_of(site).add_namespace("other", project="web")
        first = second_build(site)
        cluster_of(site).images.clear()
        assert deploy(site, namespace="other").code == 0
        cluster_of(site).images[image_of("web", "3")] = BROKEN
        site.next_build(web_yaml=workload(tag="3"))
        ran = deploy(site, on_failure="restore")
        assert site.emulator.state.find_file(SPACE, "web.yaml").latest_deploy_version == first
        assert (ran.outcome.result, mark_of(site, "Deployment", "web")) == ("restored", first)


def test_a_redeployment_of_the_same_version_has_nothing_to_go_back_to_and_says_why() -> None:
    with deployed_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = BROKEN
        cluster_of(site).delete("Deployment", NAMESPACE, "web")
        site.next_build()
        ran = deploy(site, on_failure="restore", redeploy="true")
        assert ran.outcome.result == "failed"
        assert "deployed this very version before, here or elsewhere: web.yaml" in ran.log
        assert "not been deployed before" not in ran.log


def test_what_a_version_adds_to_a_second_namespace_is_named_also_where_it_was_deployed_in_another() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).add_namespace("test")
        deploy(site)
        cluster_of(site).images[image_of("web")] = BROKEN
        ran = deploy(site, namespace="test", on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800506, "failed")
        assert "deployed this very version before, here or elsewhere: web.yaml" in ran.log
        assert "Left in the cluster, where they were not before: Deployment/web." in ran.log


def test_a_partition_keeps_the_same_old_pods_after_a_restore_which_is_whole() -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}

    def text(tag: str) -> str:
        return workload("StatefulSet", tag=tag, replicas=3, updateStrategy=strategy)

    with deployed_site(web_yaml=text("1")) as site:
        site.next_build(web_yaml=text("2"))
        assert deploy(site).outcome.result == "paused"
        cluster_of(site).images[image_of("api")] = BROKEN
        site.next_build(web_yaml=text("3"), api_yaml=workload(name="api"))
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800506, "restored"), ran.log
        verdict = ran.log.partition("Failed (800506)")[2].partition("evidence")[0]
        assert "StatefulSet/web" not in verdict.partition("After that")[0], "it is no trouble"


def test_a_version_before_that_is_gone_is_said() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        site.emulator.state.delete_version(SPACE, "web.yaml", version=before)
        ran = deploy(site, on_failure="restore")
        assert (ran.outcome.result, len(calls_of(ran))) == ("failed", 1)
        assert "no longer in BCS: web.yaml" in ran.log
        told = f"Marked with version {before} of web.yaml, which is no longer in BCS: Deployment/web."
        assert ran.log.index(told) < ran.log.index("Deployed 1 file"), "it is said before it is replaced"


def test_a_plan_says_which_live_objects_are_marked_with_a_version_that_is_gone() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        assert site.run().code == 0
        site.emulator.state.delete_version(SPACE, "web.yaml", version=before)
        ran = deploy(site, action="plan")
        assert f"Marked with version {before} of web.yaml" in ran.log


def test_of_several_files_all_have_to_go_back_for_it_to_be_called_restored() -> None:
    files = {"a_yaml": workload(name="a"), "b_yaml": workload(name="b"), "c_yaml": workload(name="c")}
    with deployed_site(**files) as site:
        first = mark_of(site, "Deployment", "a")
        cluster_of(site).images[image_of("a", "2")] = BROKEN
        site.next_build(**{name: text.replace(":1", ":2") for name, text in files.items()})
        for name in ("b.yaml", "c.yaml"):
            site.emulator.state.delete_version(SPACE, name, version=first)
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "failed", ran.log
        assert mark_of(site, "Deployment", "a") == first
        message = str(message_of(ran.outcome))
        for told in (ran.log, message):
            assert "no longer in BCS: b.yaml, c.yaml" in told
            assert "Left in the cluster" not in told, "they were there before"


def test_a_version_that_was_rewritten_in_place_can_not_go_back_and_is_not_called_restored() -> None:
    with cluster_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        assert deploy(site, version="1.0.0").code == 0
        cluster_of(site).images[image_of("web", "2")] = BROKEN
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, version="1.0.0", overwrite_version="true", on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
        assert "was rewritten, or is no longer in BCS: web.yaml" in ran.log


def test_what_only_the_version_that_failed_has_is_named_object_by_object() -> None:
    with deployed_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("canary")] = BROKEN
        added = documents(workload(), workload(name="canary"), config("extra", "y"))
        site.next_build(web_yaml=added, new_yaml=config("fresh", "x"))
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "restored", ran.log
        assert "Somebody has deleted them" not in ran.log
        names = (
            "in the cluster, where they were not before: ConfigMap/fresh, Deployment/canary, ConfigMap/extra."
        )
        for told in (ran.log, message_of(ran.outcome), render_html(ran.outcome)):
            assert names in unescape(told)


def test_what_was_deleted_before_the_run_and_made_again_is_not_said_to_be_the_failed_versions_alone() -> None:
    with deployed_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        second_build(site)
        cluster_of(site).delete("Deployment", NAMESPACE, "api")
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "restored", ran.log
        assert "Left in the cluster, where they were not before: Deployment/api." in ran.log
        assert "the version that failed has" not in ran.log


def test_a_restore_that_bcs_refuses_says_both_and_of_no_file_that_it_is_back() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        fault = site.fault("answer", Match("POST", DEPLOY.path, nth=2), status=200)
        fault.body = '{"code": 1, "message": "etcd is full", "data": null}'
        ran = deploy(site, on_failure="restore")
        both_stories(ran)
        assert ran.outcome.result == "failed"
        assert "etcd is full" in ran.log
        assert "restore did not work out" in ran.log
        assert "Restored to version" not in ran.log
        assert "deploying them again did not work out: web.yaml" in ran.log
        assert f"In the cluster now, at version {ran.output()['version']}: web.yaml." in ran.log
        assert "they were not before: Deployment/web" not in ran.log, "nobody has looked"


def test_a_first_deployment_here_does_not_go_back_to_what_another_namespace_has() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).add_namespace("other", project="web")
        deploy(site, namespace="other")
        cluster_of(site).images[image_of("web", "2")] = BROKEN
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, on_failure="restore")
        assert (ran.outcome.result, len(calls_of(ran))) == ("failed", 1)
        assert "had not been deployed before: web.yaml" in ran.log


def test_what_was_deleted_meanwhile_is_not_back_and_is_named() -> None:
    with deployed_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        second_build(site)
        site.files["api.yaml"] = workload(name="api", tag="2")

        def delete(_: object) -> None:
            cluster_of(site).delete("Deployment", NAMESPACE, "api")

        site.rival(delete, before=Match("POST", PREVIEW.path, nth=3))
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "failed", ran.log
        assert "nothing of them is in the cluster any more: api.yaml" in ran.log


def test_what_somebody_deploys_while_a_restore_looks_is_left_and_named() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)

        def deploy_another(_: State) -> None:
            found = dict(cluster_of(site).get("Deployment", NAMESPACE, "web"))
            grow(found, "metadata", "annotations")[MARK] = "9"
            cluster_of(site).put(found)

        site.rival(deploy_another, before=Match("POST", PREVIEW.path, nth=4))
        ran = deploy(site, on_failure="restore")
        both_stories(ran)
        assert (mark_of(site, "Deployment", "web"), len(calls_of(ran))) == ("9", 1), ran.log
        assert ran.outcome.rollout is not None
        way = ran.outcome.rollout.restoration
        assert way is not None
        assert (way.files, way.not_back, len(way.overtaken)) == ((), (), 1)


def test_what_a_refused_restore_brought_back_all_the_same_is_read_and_told_file_by_file() -> None:
    files = {"a_yaml": workload(name="a"), "b_yaml": workload(name="b")}
    with deployed_site(**files) as site:
        first = mark_of(site, "Deployment", "a")
        cluster_of(site).images[image_of("b", "2")] = BROKEN
        site.next_build(**{name: text.replace(":1", ":2") for name, text in files.items()})
        let_a_rival_write(site, "b", before=Match("POST", DEPLOY.path, nth=2))
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "failed", ran.log
        second = ran.output()["version"]
        assert [mark_of(site, "Deployment", name) for name in "ab"] == [first, second]
        assert f"Restored to version {first}, which was deployed before: a.yaml." in ran.log
        assert "did not work out: b.yaml." in ran.log
        assert f"In the cluster now, at version {second}: b.yaml." in ran.log
        states = {name: ending.state for name, ending in endings_of(ran.outcome).items()}
        assert states == {"a.yaml": "restored", "b.yaml": "failed"}


def test_a_version_before_that_was_broken_too_is_not_advised_as_if_it_were_good() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        deploy(site)
        cluster_of(site).images[image_of("web", "3")] = BROKEN
        site.next_build(web_yaml=workload(tag="3"))
        kept = deploy(site)
        assert "version 1.0.8-main was live, and was not ready itself: web.yaml" in kept.log
        assert "Run build" not in kept.log
        site.next_build(web_yaml=workload(tag="3", minReadySeconds=1))
        ran = deploy(site, on_failure="restore", timeout="60")
        assert ran.outcome.result == "failed", ran.log
        assert "Version 1.0.9-main, which was deployed before, is deployed again and was not seen" in ran.log
        assert "The version before was not ready itself when it was last seen: web.yaml." in ran.log
        assert "Restored to" not in ran.log
        assert "by hand" not in ran.log


def test_where_nobody_could_look_nothing_is_said_of_the_version_before() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        fault = site.fault("answer", Match("GET", r"/workloads/deployments/"), status=200)
        fault.body = '{"code": 40300, "message": "no permission", "requestID": "x", "data": null}'
        ran = deploy(site)
        told = (
            f"Before, version {before} was live, and the step does not know whether it was ready: web.yaml."
        )
        assert told in ran.log


RUN_AGAIN = "Run build 7, which published 1.0.7-main, again, with action deploy and on_newer_build replace."


@pytest.mark.parametrize(
    ("branch", "told"),
    [
        (
            "main",
            "Run the step with action: rollback, rollback_to: build 8 and only: a.yaml. It changes nothing",
        ),
        ("hotfix", f"{RUN_AGAIN} That also changes 1 other: b.yaml."),
    ],
)
def test_the_way_back_by_hand_is_a_rollback_where_one_knows_the_version_else_the_old_build(
    branch: str, told: str
) -> None:
    """A rollback knows the versions of its own pipeline and branch; a build brings back all of its own."""
    names = ("a", "b", "c")
    with deployed_site(**{f"{name}_yaml": workload(name=name) for name in names}) as site:
        site.next_build(b_yaml=workload(name="b", tag="2"))
        deploy(site)
        cluster_of(site).images[image_of("a", "3")] = BROKEN
        site.next_build(a_yaml=workload(name="a", tag="3"))
        site.branch = branch
        ran = deploy(site)
        assert "Before, version 1.0.7-main was live and ready: a.yaml." in ran.log
        assert told in ran.log
        if branch == "main":
            back = deploy(site, action="rollback", rollback_to="build 8", only="a.yaml")
            assert (back.code, mark_of(site, "Deployment", "a")) == (0, "1.0.7-main"), back.log


def test_a_restore_that_nobody_waited_for_is_not_called_one() -> None:
    with page("old build") as url, cluster_site(web_yaml=workload()) as site:
        deploy(site)
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, verify_urls=f"{url} contains build 7", on_failure="restore", timeout="0")
        assert (ran.code, ran.outcome.result) == (800509, "failed"), ran.log
        assert mark_of(site, "Deployment", "web") == "1.0.7-main"
        assert "is deployed again and was not seen ready: web.yaml." in ran.log


def test_a_restore_that_times_out_says_what_is_on_its_way() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")
        for pod in cluster_of(site).pods_of("Deployment", NAMESPACE, "web"):
            cluster_of(site).delete("Pod", NAMESPACE, text(pod, "metadata", "name"))
        ran = deploy(site, on_failure="restore", timeout="60")
        assert ran.outcome.result == "failed", ran.log
        assert "The restore did not work out: 1 workload did not become ready within" in ran.log
        assert endings_of(ran.outcome)["web.yaml"].state == "rolling-out"


@pytest.mark.parametrize(
    ("nth", "result", "told"),
    [
        (3, "failed", "What is in the cluster of these now could not be read: web.yaml."),
        (4, "failed", "In the cluster now, at version 1.0.8-main: web.yaml."),
        (6, "restored", "Restored to version 1.0.7-main, which was deployed before: web.yaml."),
    ],
)
def test_a_restore_that_can_not_look_says_only_what_it_has_seen(nth: int, result: str, told: str) -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        fault = site.fault("answer", Match("POST", PREVIEW.path, nth=nth), status=200)
        fault.body = '{"code": 1, "message": "mongo is away", "data": null}'
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == result, ran.log
        assert told in ran.log
        assert ("Restored to" in ran.log) == (result == "restored")


def test_a_restore_that_nobody_could_look_at_is_neither_one_nor_a_failed_one() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)

        def go_blind(_: object) -> None:
            fault = site.fault("answer", Match("GET", r"/workloads/"), times=1000, status=200)
            fault.body = '{"code": 40300, "message": "no permission", "requestID": "x", "data": null}'

        site.rival(go_blind, before=Match("POST", PREVIEW.path, nth=6))
        ran = deploy(site, on_failure="restore", timeout="60")
        assert ran.outcome.result == "failed", ran.log
        assert "The step does not know whether the restore worked out: The step could not look" in ran.log
        assert "The step could not see whether pods serve: Deployment/web." in ran.log
        assert endings_of(ran.outcome)["web.yaml"].state == "unknown"
        site.emulator.faults.clear()


def hide_from_the_user(site: Site) -> None:
    cluster_of(site).deny(USER, "namespace_scoped_view")


def fail_every_preview(site: Site) -> None:
    fault = site.fault("answer", PREVIEW, times=1000, status=200)
    fault.body = '{"code": 1, "message": "mongo is away", "data": null}'


@pytest.mark.parametrize(
    ("blind", "why"),
    [
        (hide_from_the_user, "BCS says that lisi has no permission"),
        (fail_every_preview, "BCS refuses the request (code 1): mongo is away"),
    ],
)
def test_a_restore_that_was_sent_and_that_nobody_can_read_back_is_not_said_to_have_failed(
    blind: Callable[[Site], None], why: str
) -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        site.rival(lambda _: blind(site), before=Match("POST", DEPLOY.path, nth=2))
        ran = deploy(site, on_failure="restore")
        assert (ran.outcome.result, image_live(site, "Deployment", "web")) == ("failed", image_of("web")), (
            ran.log
        )
        assert f"The step does not know whether the restore worked out: {why}" in ran.log
        assert "What is in the cluster of these now could not be read: web.yaml." in ran.log
        assert "Not back" not in ran.log
        assert endings_of(ran.outcome)["web.yaml"].state == "unknown"
        site.emulator.faults.clear()


def test_a_restore_whose_own_rollout_fails_says_both() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        cluster_of(site).images[image_of("web")] = BROKEN
        for pod in cluster_of(site).pods_of("Deployment", NAMESPACE, "web"):
            metadata = pod["metadata"]
            assert isinstance(metadata, dict)
            cluster_of(site).delete("Pod", NAMESPACE, metadata["name"])
        ran = deploy(site, on_failure="restore")
        both_stories(ran)
        assert ran.outcome.result == "failed"
        assert "restore did not work out" in ran.log


def test_an_older_versions_own_variables_are_sent_with_the_restore() -> None:
    with cluster_site() as site:
        old = workload() + "---\n" + config("settings", "{{ bcs('OLD') }}")
        site.files = {"web.yaml.j2": old}
        site.emulator.state.set_namespace_variable("OLD", "kept", cluster=CLUSTER, namespace=NAMESPACE)
        assert deploy(site).code == 0
        cluster_of(site).images[image_of("web", "2")] = BROKEN
        site.build += 1
        site.clock.time += 600
        site.files = {"web.yaml.j2": workload(tag="2") + "---\n" + config("settings", "none")}
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "restored", ran.log
        assert live(site, "ConfigMap", "settings")["data"] == {"key": "kept"}


def test_a_refused_deployment_restores_only_what_it_changed() -> None:
    files = {"a_yaml": workload(name="a"), "b_yaml": workload(name="b")}
    with deployed_site(**files) as site:
        first = mark_of(site, "Deployment", "a")
        site.next_build(**{name: text.replace(":1", ":2") for name, text in files.items()})
        let_a_rival_write(site, "b", before=DEPLOY)
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800504, "restored"), ran.log
        assert "set on_failure" not in ran.log
        assert sent_files(site, calls_of(ran)[1]) == ["a.yaml"]
        assert [mark_of(site, "Deployment", name) for name in "ab"] == [first, first]


def test_a_restore_that_did_not_work_out_names_the_objects_and_ends_no_sentence_with_a_colon() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site)
        back = site.emulator.faults.add(Fault("answer", Match("POST", DEPLOY.path, nth=2), status=200))
        back.body = '{"code": 0, "message": "OK", "data": null}'
        ran = deploy(site, on_failure="restore")
        both_stories(ran)
        told = "not every object in the cluster has its content. Deployment/web: not applied, or not any more"
        assert f"The restore did not work out: The step sent the deployment, but {told}" in ran.log


def test_a_timed_out_rollout_is_restored_within_the_steps_own_time() -> None:
    with deployed_site(web_yaml=workload()) as site:
        before = second_build(site)
        cluster_of(site).images[image_of("web", "2")] = Behaviour("never-ready")
        site.seconds = 200
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800508, "restored"), ran.log
        assert mark_of(site, "Deployment", "web") == before


# --- verify_urls ----------------------------------------------------------------------------------------


def test_a_page_that_arrives_late_is_waited_for() -> None:
    with page("old", "old", "new build 7") as url, cluster_site(web_yaml=workload()) as site:
        ran = deploy(site, verify_urls=f"{url} contains build 7")
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        assert ran.outcome.rollout is not None
        (arrival,) = ran.outcome.rollout.arrivals
        assert arrival.tries == 3
        assert f"##[info]{arrival.describe()}" in ran.log.splitlines()


def test_a_page_that_never_arrives_is_a_failure_that_shows_nothing_of_this_machine() -> None:
    with page("<h1>old build</h1>") as url, cluster_site(web_yaml=workload()) as site:
        ran = deploy(site, verify_urls=f"{url} contains build 7")
        assert (ran.code, ran.outcome.result) == (800509, "failed")
        assert "old build" not in ran.log


def test_a_page_that_never_arrives_is_restored_too() -> None:
    with page("old build") as url, cluster_site(web_yaml=workload()) as site:
        assert deploy(site).code == 0
        before = mark_of(site, "Deployment", "web")
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, verify_urls=f"{url} contains build 7", on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800509, "restored")
        assert mark_of(site, "Deployment", "web") == before
