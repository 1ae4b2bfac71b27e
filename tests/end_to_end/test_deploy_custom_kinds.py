"""Workloads of custom kinds: deployed, waited for, paused at a step, failed by a hook."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import Manifest, branch, grow
from tests.emulator.faults import Fault, Match, answer_with, gateway_fault
from tests.emulator.http_message import unknown_api
from tests.support.custom_kinds import custom_workload, define
from tests.support.deploying import (
    CLUSTER,
    NAMESPACE,
    cluster_of,
    cluster_site,
    deploy,
    image_of,
    live,
    rollout_files,
    workload,
)
from tests.support.publishing import Ran, Site

HOOK: Manifest = {"hook": {"templateName": "drain"}}
GAMES = ("GameDeployment", "GameStatefulSet")
KINDS = (*GAMES, "Rollout")
WAITS: dict[str, Manifest] = {
    "GameDeployment": {"updateStrategy": {"canary": {"steps": [{"partition": 2}, {"pause": {}}]}}},
    "GameStatefulSet": {"updateStrategy": {"canary": {"steps": [{"partition": 2}, {"pause": {}}]}}},
    "Rollout": {"strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}},
}


def ends(ran: Ran) -> dict[str, str]:
    assert ran.outcome.rollout is not None
    return {item.workload.title: item.end for item in ran.outcome.rollout.watched}


def go_on(site: Site, kind: str) -> None:
    """Continue a paused rollout, as a person does."""
    if kind == "Rollout":
        status = branch(live(site, kind, "web"), "status")
        cluster_of(site).write_status(kind, NAMESPACE, "web", {**status, "pauseConditions": []})
        return
    found = live(site, kind, "web")
    grow(found, "spec", "updateStrategy")["paused"] = False
    cluster_of(site).put(found)


def images_of_pods(site: Site) -> list[str]:
    pods = cluster_of(site).find_all("Pod", NAMESPACE)
    return sorted(image_tag(pod) for pod in pods)


def image_tag(pod: Manifest) -> str:
    return str(pod["spec"]).partition("web:")[2][:1]


@pytest.mark.parametrize("kind", KINDS)
def test_each_custom_kind_is_waited_for_until_its_new_pods_are_ready(kind: str) -> None:
    with cluster_site(web_yaml=custom_workload(kind)) as site:
        define(cluster_of(site))
        assert (deploy(site).code, images_of_pods(site)) == (0, ["1", "1", "1"])
        cluster_of(site).images[image_of("web", "2")] = Behaviour("ready", after=5)
        site.next_build(web_yaml=custom_workload(kind, tag="2"))
        ran = deploy(site)
        assert (ran.code, ran.outcome.result, ends(ran)) == (0, "deployed", {f"{kind}/web": "ready"}), ran.log
        assert images_of_pods(site) == ["2", "2", "2"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_does_not_exist_is_named_with_its_pod(kind: str) -> None:
    with cluster_site(web_yaml=custom_workload(kind)) as site:
        define(cluster_of(site))
        deploy(site)
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        site.next_build(web_yaml=custom_workload(kind, tag="2"))
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (800506, {f"{kind}/web": "failed"}), ran.log
        assert "does not exist in its registry" in ran.log
        assert "Pod web-" in ran.log


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_that_waits_for_a_person_is_paused_and_green(kind: str) -> None:
    with cluster_site(web_yaml=custom_workload(kind, spec=WAITS[kind])) as site:
        define(cluster_of(site))
        assert deploy(site).outcome.result == "deployed"
        site.next_build(web_yaml=custom_workload(kind, tag="2", spec=WAITS[kind]))
        ran = deploy(site)
        assert (ran.code, ran.outcome.result, ends(ran)) == (0, "paused", {f"{kind}/web": "paused"}), ran.log
        assert "It waits at step 2 of 2 for a person: 1 of 3 pods are new." in ran.log
        assert images_of_pods(site) == ["1", "1", "2"]
        again = deploy(site, verify_urls="https://old.pods.serve.this")
        assert (again.code, again.outcome.result, rollout_files(again)) == (0, "paused", []), again.log
        assert "the step has not checked verify_urls: old pods still serve" in again.log
        assert images_of_pods(site) == ["1", "1", "2"], "the same again does not continue it"
        go_on(site, kind)
        site.clock.time += 30
        last = deploy(site)
        assert (last.code, last.outcome.result, ends(last)) == (0, "deployed", {f"{kind}/web": "ready"}), (
            last.log
        )
        assert images_of_pods(site) == ["2", "2", "2"]


def test_a_pause_by_the_clock_is_waited_for() -> None:
    steps: Manifest = {
        "updateStrategy": {"canary": {"steps": [{"partition": 2}, {"pause": {"duration": 40}}]}}
    }
    with cluster_site(web_yaml=custom_workload("GameDeployment", spec=steps)) as site:
        define(cluster_of(site))
        deploy(site)
        site.next_build(web_yaml=custom_workload("GameDeployment", tag="2", spec=steps))
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        assert "It pauses at step 2 of 2 and goes on by itself (duration: 40)" in ran.log
        assert images_of_pods(site) == ["2", "2", "2"]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (
            {"preDeleteUpdateStrategy": HOOK},
            "The preDelete hook of pod web-",
        ),
        (
            {
                "updateStrategy": {
                    "canary": {"steps": [{"partition": 2}, {"hook": {"templateName": "drain"}}]}
                }
            },
            "The hook of step 2 of 2 failed",
        ),
    ],
)
def test_a_hook_that_fails_fails_the_rollout_with_its_message(spec: Manifest, sentence: str) -> None:
    with cluster_site(web_yaml=custom_workload("GameDeployment", spec=spec)) as site:
        define(cluster_of(site))
        deploy(site)
        cluster_of(site).hooks["drain"] = ("Failed", "players online: 12")
        site.next_build(web_yaml=custom_workload("GameDeployment", tag="2", spec=spec))
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (800507, {"GameDeployment/web": "failed"}), ran.log
        assert sentence in ran.log
        assert "players online: 12" in ran.log


def test_an_analysis_that_fails_fails_the_rollout_with_its_message() -> None:
    steps = [{"setWeight": 20}, {"analysis": {"templates": [{"templateName": "errors"}]}}]
    spec: Manifest = {"strategy": {"canary": {"steps": steps}}}
    with cluster_site(web_yaml=custom_workload("Rollout", spec=spec)) as site:
        define(cluster_of(site))
        deploy(site)
        cluster_of(site).hooks["errors"] = ("Failed", 'metric "errors" assessed Failed')
        site.next_build(web_yaml=custom_workload("Rollout", tag="2", spec=spec))
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (800507, {"Rollout/web": "failed"}), ran.log
        assert (
            'RolloutAborted: Rollout aborted update to revision 2: metric "errors" assessed Failed' in ran.log
        )


def test_of_many_a_list_tells_which_are_worth_a_look() -> None:
    files = {f"web{n}_yaml": custom_workload("GameDeployment", f"web{n}") for n in range(6)}
    with cluster_site(**files) as site:
        define(cluster_of(site))
        for number in range(6):
            cluster_of(site).images[image_of(f"web{number}")] = Behaviour("ready", after=10)
        ran = deploy(site)
        assert set(ends(ran).values()) == {"ready"}, ran.log
        one = Match("GET", r"/custom_objects/web\d")
        looks = [exchange for exchange in ran.exchanges if one.fits(exchange.method, exchange.path)]
        assert len(looks) <= 12


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_restore_is_done_unless_the_version_before_waits_for_a_person(
    is_paused: bool,  # noqa: FBT001 - a column of the table
) -> None:
    spec = WAITS["GameDeployment"]
    with cluster_site(web_yaml=custom_workload("GameDeployment", spec=spec)) as site:
        define(cluster_of(site))
        deploy(site)
        if is_paused:
            site.next_build(web_yaml=custom_workload("GameDeployment", tag="2", spec=spec))
            assert deploy(site).outcome.result == "paused"
        cluster_of(site).images[image_of("web", "3")] = Behaviour("not-found")
        site.next_build(web_yaml=custom_workload("GameDeployment", tag="3", spec=spec))
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800506, "failed" if is_paused else "restored"), ran.log
        told = "the earlier version waits for a person, and old pods stay until then: GameDeployment/web"
        assert (told in ran.log) is is_paused


def test_a_custom_workload_keeps_its_live_number_of_pods_where_its_template_asks_for_it() -> None:
    def text(tag: str) -> str:
        whole = custom_workload("GameDeployment", tag=tag)
        return whole.replace("replicas: 3", 'replicas: {{ live_replicas("web", "GameDeployment") }}')

    with cluster_site() as site:
        define(cluster_of(site))
        site.files = {"web.yaml.j2": text("1")}
        assert deploy(site).code == 0
        found = live(site, "GameDeployment", "web")
        grow(found, "spec")["replicas"] = 5
        cluster_of(site).put(found)
        site.clock.time += 30
        site.next_build()
        site.files = {"web.yaml.j2": text("2")}
        ran = deploy(site)
        assert (ran.code, images_of_pods(site)) == (0, ["2"] * 5), ran.log


CRDS = Match("GET", r"/crds/")


def unserved(site: Site) -> None:
    site.emulator.faults.add(answer_with(unknown_api(), match=CRDS, times=9_999))


def not_granted(site: Site) -> None:
    site.emulator.faults.add(gateway_fault("APP_NO_PERMISSION", match=CRDS, times=9_999))


def gone_after_an_outage(site: Site) -> None:
    """The first two looks are those of the plan."""
    site.emulator.faults.add(Fault("answer", replace(CRDS, nth=3), times=4, status=504, body="timeout"))
    site.emulator.faults.add(answer_with(unknown_api(), match=replace(CRDS, nth=7), times=9_999))


def gone_after_a_look(site: Site) -> None:
    site.emulator.faults.add(answer_with(unknown_api(), match=replace(CRDS, nth=4), times=9_999))


@pytest.mark.parametrize("close", [gone_after_an_outage, gone_after_a_look])
def test_what_a_site_serves_no_more_is_unseen_long_before_the_time_is_over(
    close: Callable[[Site], None],
) -> None:
    with cluster_site(web_yaml=custom_workload("GameDeployment")) as site:
        define(cluster_of(site))
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=30)
        close(site)
        began = site.clock.time
        ran = deploy(site, on_failure="restore")
        site.emulator.faults.clear()
        assert (ran.code, ran.outcome.result, ends(ran)) == (
            800512,
            "unseen",
            {"GameDeployment/web": "unseen"},
        )
        assert site.clock.time - began < 60
        assert re.search(
            r"GameDeployment/web: .*\. Could not look since .* is not there \(HTTP 404\)", ran.log
        )
        assert "can be looked at again" not in ran.log


@pytest.mark.parametrize("close", [unserved, not_granted])
def test_what_a_site_does_not_serve_is_not_waited_for_and_named(close: Callable[[Site], None]) -> None:
    with cluster_site(web_yaml=custom_workload("GameDeployment"), api_yaml=workload(name="api")) as site:
        define(cluster_of(site))
        cluster_of(site).images[image_of("api")] = Behaviour("ready", after=30)
        close(site)
        began = site.clock.time
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, ends(ran)) == (0, {"Deployment/api": "ready", "GameDeployment/web": "nothing"})
        assert site.clock.time - began < 60
        assert "can't be looked at since" in ran.log
        assert "can be looked at again" not in ran.log
        assert "GameDeployment/web: The step does not wait for it: this site does not serve" in ran.log
        assert "This BCS lacks" not in ran.log
        assert "Not waited for: GameDeployment/web." in ran.log
        assert ran.versions()["web.yaml"]["state"] == "deployed"


def test_a_route_that_is_missing_for_a_moment_is_waited_for() -> None:
    with cluster_site(web_yaml=custom_workload("GameDeployment")) as site:
        define(cluster_of(site))
        site.emulator.faults.add(answer_with(unknown_api(), match=Match("GET", r"/crds/"), times=2))
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {"GameDeployment/web": "ready"}), ran.log


def test_a_pause_leads_to_the_workloads_page_in_the_console() -> None:
    spec = WAITS["GameDeployment"]
    with cluster_site(web_yaml=custom_workload("GameDeployment", spec=spec)) as site:
        site.region = {"console_url": "https://bcs.example.com"}
        define(cluster_of(site))
        deploy(site)
        site.next_build(web_yaml=custom_workload("GameDeployment", tag="2", spec=spec))
        ran = deploy(site)
        assert ran.outcome.result == "paused", ran.log
        assert "kind=GameDeployment&crd=gamedeployments.tkex.tencent.com" in ran.log


@pytest.mark.parametrize("is_enabled", [False, True])
def test_a_shared_cluster_takes_the_custom_kinds_that_its_site_has_enabled(
    is_enabled: bool,  # noqa: FBT001 - a column of the table
) -> None:
    with cluster_site(web_yaml=custom_workload("GameDeployment")) as site:
        site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,), shared=True, project="web")
        define(cluster_of(site))
        if is_enabled:
            cluster_of(site).enabled_definitions.add("gamedeployments.tkex.tencent.com")
        ran = deploy(site)
        assert (ran.code == 0) is is_enabled, ran.log
        if is_enabled:
            assert ends(ran) == {"GameDeployment/web": "ready"}
        else:
            assert "GameDeployment" in ran.log
            assert "在共享集群中不可用" in ran.log
