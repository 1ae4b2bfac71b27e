"""What is deployed, and what is left alone: trap 11 of facts/bcs.md is why that matters."""

from __future__ import annotations

from tests.emulator import Behaviour
from tests.end_to_end.deploying import (
    NAMESPACE,
    PREVIEW,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    documents,
    image_live,
    image_of,
    mark_of,
    node_port,
    rollout_files,
    sent_files,
    service,
    workload,
)
from tests.end_to_end.publishing import SPACE


def test_a_first_deployment_sends_every_file_in_one_call_and_waits_until_all_is_ready() -> None:
    with cluster_site(web_yaml=documents(workload(), service()), api_yaml=workload(name="api")) as site:
        ran = deploy(site)
        assert ran.outcome.error is None, ran.log
        assert (ran.outcome.result, rollout_files(ran)) == ("deployed", ["api.yaml", "web.yaml"])
        (call,) = calls_of(ran)
        assert sent_files(site, call) == ["api.yaml", "web.yaml"]
        assert (
            mark_of(site, "Deployment", "web") == mark_of(site, "Service", "web") == ran.output()["version"]
        )
        assert ran.outcome.rollout is not None
        assert [item.end for item in ran.outcome.rollout.watched] == ["ready", "ready"]


def test_an_unchanged_next_build_deploys_nothing() -> None:
    with cluster_site(web_yaml=workload()) as site:
        deploy(site)
        site.next_build()
        ran = deploy(site)
        assert (ran.outcome.error, calls_of(ran)) == (None, [])
        assert "Nothing to deploy" in ran.log
        assert rollout_files(ran) == []


def test_one_new_image_deploys_its_file_and_leaves_the_service_alone() -> None:
    with cluster_site(web_yaml=workload(), routes_yaml=service(), api_yaml=workload(name="api")) as site:
        deploy(site)
        port, writes = node_port(site), len(cluster_of(site).writes)
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site)
        assert ran.outcome.error is None, ran.log
        (call,) = calls_of(ran)
        assert sent_files(site, call) == ["web.yaml"]
        assert cluster_of(site).writes[writes:] == [("Deployment", NAMESPACE, "web")]
        assert (image_live(site, "Deployment", "web"), node_port(site)) == (image_of("web", "2"), port)
        assert f"-      - image: {image_of('web')}" in ran.log
        assert f"+      - image: {image_of('web', '2')}" in ran.log


def test_redeploy_sends_all_files_changed_or_not() -> None:
    with cluster_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        deploy(site)
        site.next_build()
        (call,) = calls_of(deploy(site, redeploy="true"))
        assert sent_files(site, call) == ["api.yaml", "web.yaml"]


def test_a_step_retried_after_a_time_out_waits_on_without_deploying_again() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=200)
        first = deploy(site, timeout="60")
        assert (first.code, first.outcome.result) == (800508, "timed-out")
        assert "Running again is safe" in first.log
        assert "within 60 s" in first.log
        second = deploy(site)
        assert (second.code, second.outcome.result, calls_of(second)) == (0, "deployed", [])
        assert second.outcome.rollout is not None
        assert [item.end for item in second.outcome.rollout.watched] == ["ready"]


def test_a_published_build_can_be_deployed_later() -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.run()
        site.next_build()
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"])
        assert mark_of(site, "Deployment", "web") == site.version_names("web.yaml")[0]


def test_what_somebody_changed_by_hand_is_said_and_left() -> None:
    with cluster_site(web_yaml=workload()) as site:
        deploy(site)
        changed = cluster_of(site).get("Deployment", NAMESPACE, "web")
        spec = changed["spec"]
        assert isinstance(spec, dict)
        spec["template"]["spec"]["containers"][0]["image"] = image_of("web", "by-hand")
        cluster_of(site).put(changed)
        site.next_build()
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, [])
        assert "Changed by hand" in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "by-hand")


def test_without_a_wait_the_deployment_itself_is_the_end() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found")
        ran = deploy(site, timeout="0")
        assert (ran.code, ran.outcome.result) == (0, "deployed")
        assert "timeout is 0" in ran.log


def test_files_without_workloads_have_nothing_to_wait_for_and_that_is_said() -> None:
    with cluster_site(web_yaml=service()) as site:
        ran = deploy(site)
        assert ran.outcome.result == "deployed"
        assert "Nothing to wait for" in ran.log


def test_a_server_that_forgets_what_it_lists_makes_no_false_success() -> None:
    """A preview without the objects says nothing of what is live: the file counts as to be deployed."""
    with cluster_site(web_yaml=workload()) as site:
        deploy(site)
        site.next_build()
        body = '{"code": 0, "message": "OK", "data": {"items": [], "error": ""}}'
        fault = site.fault("answer", PREVIEW, times=99, status=200)
        fault.body = body
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran))) == (800505, 1)
        assert rollout_files(ran) == []
        site.emulator.faults.clear()


def test_a_file_of_the_same_name_in_another_space_does_not_count_as_live() -> None:
    with cluster_site(web_yaml=workload()) as site:
        deploy(site, template_space="other")
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["web.yaml"])
        annotations = cluster_of(site).get("Deployment", NAMESPACE, "web")["metadata"]
        assert f"{SPACE}/web.yaml" in str(annotations)


def test_an_unchanged_build_over_a_broken_rollout_is_no_success() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found")
        assert deploy(site).code == 800506
        site.next_build()
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (800506, [])
