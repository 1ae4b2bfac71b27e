"""Somebody else changes what this run deploys, by hand or by a deployment of his own."""

from __future__ import annotations

from typing import Callable

import pytest
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import Manifest, branch, items
from tests.emulator.faults import Match
from tests.support.deploying import (
    DEPLOY,
    NAMESPACE,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_live,
    image_of,
    live,
    workload,
)
from tests.support.publishing import Site

Edit = Callable[[Manifest], None]


def edited(site: Site, edit: Edit, kind: str = "Deployment") -> Callable[[object], None]:
    """Return what changes the workload `web` by hand; the mark stays as it is."""

    def act(_: object) -> None:
        found = live(site, kind, "web")
        edit(found)
        cluster_of(site).put(found)

    return act


def change(site: Site, edit: Edit, kind: str = "Deployment", *, tag: str = "1") -> None:
    """Let somebody change `web` before the fourth look at it, while the pods of this image are not ready."""
    cluster_of(site).images[image_of("web", tag)] = Behaviour("ready", after=20)
    site.rival(edited(site, edit, kind), before=Match("GET", rf"/workloads/{kind.lower()}s/web$", nth=4))


def other_image(found: Manifest) -> None:
    container_of(found)["image"] = "example.com/other:9"


def container_of(found: Manifest) -> Manifest:
    return items(found, "spec", "template", "spec", "containers")[0]


def inject(found: Manifest) -> None:
    """Change what a webhook, an autoscaler and `rollout restart` change."""
    container = {**container_of(found), "env": [{"name": "ADDED", "value": "1"}]}
    branch(found, "spec", "template", "spec")["containers"] = [
        container,
        {"name": "proxy", "image": "proxy:1"},
    ]
    metadata = branch(found, "spec", "template", "metadata")
    metadata["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    branch(found, "spec")["replicas"] = 3


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_another_image_under_our_mark_is_no_green(kind: str) -> None:
    with cluster_site(web_yaml=workload(kind)) as site:
        change(site, other_image, kind)
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
        assert "in the cluster, changed spec.containers[main].image since" in ran.log
        assert "other:9" not in ran.log.partition("Waiting for")[2]


def test_what_others_add_is_no_change() -> None:
    with cluster_site(web_yaml=workload()) as site:
        change(site, inject)
        ran = deploy(site)
        assert ran.code == 0, ran.log
        assert "3 of 3 pods are updated and ready" in ran.log
        assert len(items(live(site, "Deployment", "web"), "spec", "template", "spec", "containers")) == 2


def test_a_change_by_hand_takes_nothing_back_and_is_not_taken_back() -> None:
    files = {f"{name}_yaml": workload(name=name) for name in ("shop", "web")}
    with deployed_site(**files) as site:
        site.next_build(**{f"{name}_yaml": workload(name=name, tag="2") for name in ("shop", "web")})
        change(site, other_image, tag="2")
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
        assert "nothing is restored" in ran.log
        assert image_live(site, "Deployment", "shop") == image_of("shop", "2")

        cluster_of(site).images[image_of("shop", "3")] = Behaviour("not-found")
        site.next_build(**{f"{name}_yaml": workload(name=name, tag="3") for name in ("shop", "web")})
        change(site, other_image, tag="3")
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "restored", ran.log
        assert "or they were changed meanwhile: web.yaml" in ran.log
        assert [image_live(site, "Deployment", name) for name in ("shop", "web")] == [
            image_of("shop", "2"),
            "example.com/other:9",
        ]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_what_a_rival_wrote_after_the_last_look_is_told_as_overwritten(kind: str) -> None:
    with deployed_site(web_yaml=workload(kind), shop_yaml=workload(name="shop")) as site:
        site.next_build(web_yaml=workload(kind, tag="2"), shop_yaml=workload(name="shop", tag="2"))
        site.rival(edited(site, other_image, kind), before=DEPLOY)
        ran = deploy(site)
        assert (ran.code, image_live(site, kind, "web")) == (0, image_of("web", "2")), ran.log
        assert f"another build): {kind}/web. What it had written" in ran.log


def unmark(found: Manifest) -> None:
    del branch(found, "metadata")["annotations"]


def hold(found: Manifest) -> None:
    branch(found, "spec")["paused"] = True


def stop(found: Manifest) -> None:
    branch(found, "spec")["replicas"] = 0


@pytest.mark.parametrize(
    ("edit", "code", "words"),
    [(hold, 800506, "nothing is restored"), (stop, 0, "Deployment/web: 0 pods now, 2 in the file")],
)
def test_what_somebody_pauses_or_stops_meanwhile_is_said_and_not_taken_back(
    edit: Edit, code: int, words: str
) -> None:
    with deployed_site(web_yaml=workload(replicas=2)) as site:
        site.next_build(web_yaml=workload(tag="2", replicas=2))
        change(site, edit, tag="2")
        ran = deploy(site, on_failure="restore")
        assert ran.code == code, ran.log
        assert words in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "2")


def test_what_somebody_makes_anew_without_our_mark_ends_the_wait() -> None:
    with cluster_site(web_yaml=workload()) as site:
        change(site, unmark)
        ran = deploy(site)
        assert ran.code == 800506, ran.log
        assert "what is live is marked with version none" in ran.log


def test_a_restore_that_makes_a_job_again_says_so() -> None:
    def file(build: int, tag: str) -> str:
        return documents(workload("Job", f"migrate-{build}", ttlSecondsAfterFinished=100), workload(tag=tag))

    with deployed_site(web_yaml=file(7, "1")) as site:
        site.clock.time += 1000
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        site.next_build(web_yaml=file(8, "2"))
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "restored", ran.log
        assert "Job/migrate-7 is not in the cluster: its ttl" in ran.log.partition("deploying what was")[2]


def delete_after_call(site: Site, *, nth: int = 1) -> None:
    call = Match("POST", DEPLOY.path, nth=nth)
    site.rival(lambda _: cluster_of(site).delete("Deployment", NAMESPACE, "web"), before=call, after=True)


def test_what_is_deleted_right_after_the_call_is_not_applied_and_nobody_waits_for_it() -> None:
    with cluster_site(web_yaml=workload()) as site:
        delete_after_call(site)
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (800505, "failed"), ran.log
        assert "Deployment/web: not applied, or not any more" in ran.log


def test_a_restore_whose_object_is_deleted_says_that_nothing_is_there() -> None:
    with deployed_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        site.next_build(web_yaml=workload(tag="2"))
        delete_after_call(site, nth=2)
        ran = deploy(site, on_failure="restore")
        assert ran.outcome.result == "failed", ran.log
        assert "Nothing of these is in the cluster now: web.yaml." in ran.log
        assert "still serve" not in ran.log


def test_what_a_webhook_makes_of_it_beside_the_pods_is_told() -> None:
    def wait_longer(found: Manifest) -> None:
        branch(found, "spec")["minReadySeconds"] = 2

    with cluster_site(web_yaml=workload(minReadySeconds=1)) as site:
        site.rival(edited(site, wait_longer), before=DEPLOY, after=True)
        ran = deploy(site)
        assert ran.code == 0, ran.log
        assert "not quite what was sent: Deployment/web" in ran.log
