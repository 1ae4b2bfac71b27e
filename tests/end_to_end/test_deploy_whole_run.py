"""Green means that every workload of the run is ready, whether this run deployed it or found it live."""

from __future__ import annotations

import re

import pytest
from tests.emulator import Behaviour
from tests.support.deploying import (
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_live,
    image_of,
    workload,
)
from tests.support.draws import in_turn
from tests.support.publishing import Ran, Site, config

from bcs_template_set.report.file_states import endings_of

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def broken(site: Site, image: str, kind: str = "not-found") -> None:
    cluster_of(site).images[image] = Behaviour(kind)


def states(ran: Ran) -> dict[str, str]:
    return {name: row["state"] for name, row in ran.versions().items()}


def build_9_breaks_news(site: Site, kind: str = "Deployment") -> None:
    """Break one of two workloads with a second build, and bring a third that changes the other one."""
    broken(site, image_of("news", "2"))
    site.next_build(news_yaml=workload(kind, "news", tag="2"))
    assert deploy(site).code == 800506
    site.next_build(shop_yaml=workload(name="shop", tag="3"))


@pytest.mark.parametrize(
    ("kind", "on_failure"), in_turn(["Deployment", "StatefulSet", "DaemonSet"], ["keep", "restore"])
)
def test_what_an_earlier_build_has_broken_makes_a_later_one_red_and_takes_nothing_back(
    kind: str, on_failure: str
) -> None:
    with deployed_site(news_yaml=workload(kind, "news"), shop_yaml=workload(name="shop")) as site:
        build_9_breaks_news(site, kind)
        ran = deploy(site, on_failure=on_failure)
        assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
        assert f"{kind}/news can't become ready: live at version 1.0.8-main before this run" in ran.log
        assert "The image example.com/news:2 does not exist in its registry." in ran.log
        assert states(ran) == {"news.yaml": "live-not-ready", "shop.yaml": "ready"}
        assert image_live(site, "Deployment", "shop") == image_of("shop", "3")
        assert len(calls_of(ran)) == 1
        assert ("nothing is restored" in ran.log) == (on_failure == "restore")
        assert "To go back by hand" not in ran.log  # what this run deployed is well


def test_the_same_state_has_the_same_verdict_where_nothing_is_deployed() -> None:
    with deployed_site(news_yaml=workload(name="news"), shop_yaml=workload(name="shop")) as site:
        build_9_breaks_news(site)
        assert deploy(site).code == 800506
        site.next_build()
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran))) == (800506, 0)
        found, _, then = ran.log.partition("every object of the run is in the cluster")
        assert "Nothing to deploy" in found
        assert "Looking whether 2 workloads that were live already are ready" in then
        assert "Deployment/news can't become ready: live at version 1.0.8-main" in then
        assert states(ran) == {"news.yaml": "live-not-ready", "shop.yaml": "live"}


def test_what_was_live_and_heals_while_the_step_waits_is_ready() -> None:
    with deployed_site(news_yaml=workload(name="news"), shop_yaml=workload(name="shop")) as site:
        cluster_of(site).images[image_of("news", "2")] = Behaviour("ready", after=1380)
        site.next_build(news_yaml=workload(name="news", tag="2", progressDeadlineSeconds=3600))
        assert deploy(site, timeout="60").code == 800508
        site.next_build(shop_yaml=workload(name="shop", tag="3"))
        ran = deploy(site, timeout="60")
        assert (ran.code, states(ran)["news.yaml"]) == (800508, "live-not-ready")
        ran = deploy(site, timeout="600")
        assert (ran.code, states(ran)) == (0, {"news.yaml": "live", "shop.yaml": "live"}), ran.log


def test_many_that_were_live_already_cost_a_list_of_their_kind_and_one_of_pods() -> None:
    files = {
        f"{kind.lower()}{n}_yaml": workload(kind, f"{kind.lower()}{n}") for n in range(6) for kind in KINDS
    }
    with deployed_site(**files) as site:
        site.next_build(deployment0_yaml=workload(name="deployment0", tag="2"))
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran))) == (0, 1), ran.log
        looks = [e.path.partition("/workloads/")[2] for e in ran.exchanges if "/workloads/" in e.path]
        others = [look for look in looks if look.startswith(("stateful", "daemon", "jobs"))]
        assert sorted(others) == ["daemonsets", "jobs", "statefulsets"]
        assert [look for look in looks if look.startswith("deployments/")].count(
            "deployments/deployment0"
        ) < 5
        assert {look for look in looks if look.startswith("deployments/")} == {"deployments/deployment0"}
        assert "24 workloads are ready" in ran.log
        assert ran.log.count("pod is updated and ready") == 1


def test_whom_nobody_waited_for_is_named() -> None:
    with cluster_site(web_yaml=workload(), night_yaml=workload("ReplicaSet", "night")) as site:
        ran = deploy(site)
        assert ran.code == 0, ran.log
        assert "Not waited for: ReplicaSet/night." in ran.log
        assert states(ran) == {"night.yaml": "deployed", "web.yaml": "ready"}
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, timeout="0")
        assert "Not waiting for 1 workload, since timeout is 0: Deployment/web." in ran.log
        site.next_build()
        assert "The step did not wait for the workloads" in deploy(site, timeout="0").log


def test_who_does_not_wait_is_not_told_of_what_was_broken_before_and_that_nobody_looked() -> None:
    with deployed_site(news_yaml=workload(name="news"), shop_yaml=workload(name="shop")) as site:
        build_9_breaks_news(site)
        ran = deploy(site, timeout="0")
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        assert "Not waiting for 2 workloads, since timeout is 0: Deployment/news, Deployment/shop." in ran.log
        assert "Workloads ready" not in ran.log


def test_an_object_that_was_deleted_is_named_before_it_is_made_again() -> None:
    with deployed_site(web_yaml=documents(config("settings", "1"), workload())) as site:
        cluster_of(site).delete("Deployment", NAMESPACE, "web")
        site.next_build()
        ran = deploy(site)
        assert (ran.code, states(ran)) == (0, {"web.yaml": "ready"}), ran.log
        assert "although their file was deployed here (version 1.0.7-main): Deployment/web." in ran.log


PARTITION = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}


@pytest.mark.parametrize(
    ("strategy", "share", "told"),
    [
        ({"type": "OnDelete"}, "0/3", "0 of 3 pods are of the new version"),
        (PARTITION, "1/3", "1 of 3 pods run the new version, and the partition (2) keeps the others"),
    ],
)
def test_old_pods_that_stay_until_a_person_acts_are_called_neither_ready_nor_live(
    strategy: dict[str, object], share: str, told: str
) -> None:
    with cluster_site(web_yaml=workload("StatefulSet", replicas=3, updateStrategy=strategy)) as site:
        assert states(deploy(site)) == {"web.yaml": "ready"}
        site.next_build(web_yaml=workload("StatefulSet", tag="2", replicas=3, updateStrategy=strategy))
        for _ in ("deployed now", "live already"):
            ran = deploy(site)
            assert (ran.code, ran.outcome.result) == (0, "paused"), ran.log
            assert endings_of(ran.outcome)["web.yaml"].words == f"paused ({share})"
            assert told in ran.log.partition("Paused: 1 workload waits for a person")[2]
            assert re.search("all live already|Live now", ran.log.partition("Paused:")[2]) is None
            site.next_build()


def test_old_pods_are_not_said_to_serve_at_a_version_that_was_never_ready() -> None:
    with deployed_site(web_yaml=workload()) as site:
        for tag in ("2", "3"):
            broken(site, image_of("web", tag))
            site.next_build(web_yaml=workload(tag=tag))
            ran = deploy(site)
        assert "Old pods still serve: Deployment/web (1 of 1)." in ran.log, ran.log
