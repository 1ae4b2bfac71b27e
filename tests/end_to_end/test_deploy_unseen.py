"""What the step can't see, and what is there no more: neither is a failed rollout, nor is it undone."""

from __future__ import annotations

import json
import re

import pytest
from tests.emulator import Behaviour
from tests.emulator.faults import Fault, Match, gateway_fault
from tests.support.deploying import (
    DEPLOY,
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
    service,
    take_release,
    workload,
)
from tests.support.publishing import SPACE, USER, Ran, Site

LOOKS = Match("GET", "/workloads/")
LIVE = Match("GET", r"/workloads/deployments/")


def second_build(site: Site, behaviour: Behaviour) -> None:
    """Bring a second build with another image."""
    cluster_of(site).images[image_of("web", "2")] = behaviour
    site.next_build(web_yaml=workload(tag="2"))


def ends(ran: Ran) -> dict[str, str]:
    assert ran.outcome.rollout is not None
    return {item.workload.title: item.end for item in ran.outcome.rollout.watched}


def refused(code: int, *, match: Match, times: int) -> Fault:
    body = f'{{"code": {code}, "message": "no permission", "requestID": "x", "data": null}}'
    return Fault("answer", match, times=times, status=200, body=body)


REFUSALS = {
    "40300": refused(40300, match=Match("GET", LIVE.path, nth=4), times=3),
    "1640301": gateway_fault("APP_NO_PERMISSION", match=Match("GET", LIVE.path, nth=4), times=3),
    "504": Fault("answer", Match("GET", LOOKS.path, nth=4), times=24, status=504, body="gateway timeout"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_looks_that_fail_for_a_while_cost_a_healthy_release_nothing(name: str) -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site, Behaviour("ready", after=100))
        fault = REFUSALS[name]
        fault.seen = fault.struck = 0
        site.emulator.faults.add(fault)
        ran = deploy(site, on_failure="restore")
        assert fault.struck == fault.times
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "2")
        told = ran.log.partition("can't be looked at since")[2]
        assert "The workloads can be looked at again." in told


def test_what_is_never_seen_again_is_red_and_not_restored_and_tells_what_was_seen() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site, Behaviour("ready", after=60))
        site.rival(
            lambda _: cluster_of(site).deny(USER, "namespace_scoped_view"), before=Match("GET", LIVE.path, 4)
        )
        ran = deploy(site, on_failure="restore", timeout="300")
        assert (ran.code, ran.outcome.result, ends(ran)) == (800512, "unseen", {"Deployment/web": "unseen"})
        assert image_live(site, "Deployment", "web") == image_of("web", "2")
        assert len(calls_of(ran)) == 1
        assert "nothing is restored" in ran.log
        verdict = ran.log.partition("Not seen (800512)")[2]
        assert re.search(r"when it was last seen: \d", verdict)
        assert re.search(r"Could not look since \d\d:\d\d:\d\d UTC \(BCS says that lisi has no perm", verdict)
        assert "Apply at:" in verdict
        assert "Before, version 1.0.7-main was live" in verdict
        assert "can't become ready" not in ran.log
        assert ran.output()["result"] == "unseen"
        assert ran.versions()["web.yaml"]["state"] == "unknown"


def test_another_ones_failure_takes_back_what_could_not_be_looked_at_too_and_says_what_was_seen() -> None:
    names = ("bad", "hidden", "well")
    with deployed_site(**{f"{name}_yaml": workload(name=name) for name in names}) as site:
        cluster_of(site).images[image_of("bad", "2")] = Behaviour("not-found")
        site.next_build(**{f"{name}_yaml": workload(name=name, tag="2") for name in names})
        hides = Match("GET", r"/workloads/deployments/hidden$", nth=2)  # the first look is the plan's
        site.emulator.faults.add(refused(40300, match=hides, times=10**6))
        ran = deploy(site, on_failure="restore", timeout="20")
        site.emulator.faults.clear()
        assert (ran.code, ran.outcome.result) == (800506, "failed"), ran.log
        assert ends(ran) == {
            "Deployment/bad": "failed",
            "Deployment/hidden": "unseen",
            "Deployment/well": "ready",
        }
        assert [image_live(site, "Deployment", name) for name in names] == [image_of(name) for name in names]
        assert "Restored to version 1.0.7-main, which was deployed before: bad.yaml, well.yaml." in ran.log
        assert "is deployed again and was not seen ready: hidden.yaml." in ran.log


def test_a_workload_that_is_deleted_while_we_wait_is_gone_and_was_no_failure() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site, Behaviour("never-ready"))
        site.rival(
            lambda _: cluster_of(site).delete("Deployment", NAMESPACE, "web"),
            before=Match("GET", LIVE.path, nth=6),
        )
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result, ends(ran)) == (800513, "failed", {"Deployment/web": "gone"})
        gone = r"Deployment/web was there at \d\d:\d\d:\d\d UTC and is gone: somebody, or something in the"
        assert re.search(gone, ran.log), ran.log
        assert "They stay" not in ran.log
        assert "Deploy it again with redeploy" in ran.log
        assert len(calls_of(ran)) == 1
        assert ran.versions()["web.yaml"]["state"] == "failed"


@pytest.mark.parametrize(
    ("seconds", "code", "words"),
    [(0, 800513, "Its ttlSecondsAfterFinished is 0, so the cluster may have removed it"), (60, 0, "")],
)
def test_of_a_job_that_cleans_itself_up_at_once_nobody_knows_how_it_ended(
    seconds: int, code: int, words: str
) -> None:
    with cluster_site(web_yaml=workload("Job", ttlSecondsAfterFinished=seconds)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=30)
        ran = deploy(site)
        assert ran.code == code, ran.log
        assert words in ran.log


def test_an_outage_right_after_the_call_is_waited_out_and_what_it_did_is_read_back() -> None:
    """The permission centre is down: a preview then shows every object as not there."""
    with deployed_site(web_yaml=workload()) as site:
        second_build(site, Behaviour())
        site.rival(lambda _: cluster_of(site).deny(USER, "namespace_scoped_view"), before=DEPLOY)
        site.rival(
            lambda _: cluster_of(site).allow(USER, "namespace_scoped_view"),
            before=Match("GET", LOOKS.path, 4),
        )
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result, len(calls_of(ran))) == (0, "deployed", 1), ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "2")


def test_what_a_list_shows_and_a_preview_hides_to_the_end_is_not_seen_and_not_called_missing() -> None:
    hidden = {"kind": "Deployment", "name": "web", "content": workload(tag="2"), "previousContent": ""}
    body = json.dumps({"code": 0, "message": "", "data": {"items": [hidden], "error": ""}})
    with deployed_site(web_yaml=workload()) as site:
        second_build(site, Behaviour())
        hides = Fault("answer", Match("POST", PREVIEW.path, nth=2), times=99, status=200, body=body)
        site.emulator.faults.add(hides)
        ran = deploy(site, on_failure="restore")
        site.emulator.faults.clear()
        assert (ran.code, ran.outcome.result, len(calls_of(ran))) == (800512, "unseen", 1), ran.log
        assert "Deployment/web: BCS does not show it" in ran.log
        assert "not applied" not in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "2")


MARKED = f"metadata: {{annotations: {{io.tencent.paas.template_name: {SPACE}/web.yaml}}}}"
SERVICE = {"kind": "Service", "name": "web", "content": MARKED, "previousContent": MARKED}


@pytest.mark.parametrize(
    ("items", "first", "result"),
    [([], 2, (800512, 1)), ([SERVICE], 1, (800609, 0)), ([SERVICE], 2, (800505, 1))],
)
def test_a_dry_run_that_shows_a_file_in_part_or_not_at_all_is_no_look_before_a_restore_either(
    items: list[object], first: int, result: tuple[int, int]
) -> None:
    body = json.dumps({"code": 0, "message": "", "data": {"items": items, "error": ""}})
    with cluster_site(web_yaml=documents(workload(), service())) as site:
        take_release(site, "1.23")  # which replaces a Service
        deploy(site)
        site.next_build(web_yaml=documents(workload(tag="2"), service()))
        cut = Fault("answer", Match("POST", PREVIEW.path, nth=first), times=99, status=200, body=body)
        site.emulator.faults.add(cut)
        ran = deploy(site, on_failure="restore")
        site.emulator.faults.clear()
        assert (ran.code, len(calls_of(ran))) == result, ran.log
        lacking = ["Deployment/web"] if items else ["Deployment/web", "Service/web"]
        # Where nothing is known against what was deployed, nobody asks for the way back.
        partly = f"does not show all objects of these files: web.yaml ({', '.join(lacking)})" in ran.log
        assert (partly, ran.outcome.result) == ((False, "unseen") if ran.code == 800512 else (True, "failed"))
        not_shown = [f"{title}: BCS does not show it" in ran.log for title in lacking]
        assert all(not_shown) if ran.code != 800609 else not any(not_shown)
        assert "is in the cluster any more" not in ran.log


def test_who_may_not_see_what_is_live_is_told_before_it_is_replaced_and_nothing_is_said_of_it() -> None:
    with deployed_site(web_yaml=workload()) as site:
        second_build(site, Behaviour("ready"))
        cluster_of(site).deny(USER, "namespace_scoped_view")
        ran = deploy(site, timeout="60")
        assert (ran.code, ran.versions()["web.yaml"]["state"]) == (800512, "unknown"), ran.log
        assert "all of them look new, and it does not see what this replaces" in ran.log
        assert "Not in this namespace" not in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "2")
