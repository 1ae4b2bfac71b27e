"""Partial applies, refusals in the middle, lost answers: read, told object by object, never sent twice."""

from __future__ import annotations

from typing import Callable

import pytest
import yaml
from tests.emulator import gateway_fault
from tests.emulator.cluster.tree import Manifest, branch, grow
from tests.emulator.faults import Match
from tests.support.deploying import (
    DEPLOY,
    FILE_MARK,
    MARK,
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    live,
    mark_of,
    rollout_files,
    sent_files,
    service,
    take_release,
    workload,
)
from tests.support.draws import swept
from tests.support.publishing import Ran, Site

FILES = {"a_yaml": workload(name="a"), "b_yaml": workload(name="b"), "c_yaml": workload(name="c")}


def lose_by_504(site: Site) -> None:
    site.emulator.faults.add(gateway_fault("REQUEST_BACKEND_TIMEOUT", match=DEPLOY, reason="", handled=True))


def lose_by_drop(site: Site) -> None:
    site.fault("handle-then-drop", DEPLOY)


def lose_half(site: Site) -> None:
    site.fault("half", DEPLOY)


def conflict_at(site: Site, name: str, *, kind: str = "") -> None:
    """Let somebody write an object between BCS's read and its write of it, in the real apply."""
    cluster = cluster_of(site)
    armed: list[bool] = []

    def write_in_between(written: str, written_name: str) -> None:
        if armed and written_name == name and kind in ("", written):
            armed.clear()
            found = cluster.get(written, NAMESPACE, name)
            grow(found, "metadata", "labels")["rival"] = f"after-{len(cluster.writes)}"
            cluster.put(found)

    cluster.before_write = write_in_between
    site.rival(lambda _: armed.append(True), before=DEPLOY)


@pytest.mark.parametrize("lose", [lose_by_504, lose_by_drop, lose_half])
def test_a_lost_answer_is_resolved_by_reading_and_never_by_sending_again(
    lose: Callable[[Site], None],
) -> None:
    with cluster_site(**FILES) as site:
        lose(site)
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran))) == (0, 1), ran.log
        assert rollout_files(ran) == ["a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.parametrize("kind", ["drop-before-handling", "refuse"])
def test_what_a_call_that_was_cut_before_it_was_handled_left_is_sent_in_smaller_ones(kind: str) -> None:
    with cluster_site(**FILES) as site:
        site.fault(kind, DEPLOY)
        ran = deploy(site)
        assert (ran.code, rollout_files(ran)) == (0, ["a.yaml", "b.yaml", "c.yaml"]), ran.log
        _, *again = calls_of(ran)
        assert [sent_files(site, call) for call in again] == [["a.yaml"], ["b.yaml", "c.yaml"]]


def test_what_is_sent_in_vain_twice_is_told_object_by_object() -> None:
    with cluster_site(**FILES) as site:
        site.fault("refuse", DEPLOY, times=2)
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran)), rollout_files(ran)) == (800505, 2, [])
        assert "BCS's answer did not come: " in ran.log
        assert "Deployment/a: not applied" in ran.log
        again = deploy(site)
        assert (again.code, len(calls_of(again))) == (0, 1)


def test_a_deployment_that_goes_on_behind_a_504_is_waited_for() -> None:
    """A gateway in between may let BCS go on: here the objects come some seconds later."""
    with cluster_site(**FILES) as site:
        site.run()
        site.emulator.faults.add(gateway_fault("REQUEST_BACKEND_TIMEOUT", match=DEPLOY, reason=""))
        version = site.version_names("a.yaml")[0]
        due = site.clock.time + 5

        def arrive(_: object) -> None:
            if site.clock.time >= due:
                for name in ("a", "b", "c"):
                    cluster_of(site).put(marked(workload(name=name), f"{name}.yaml", version))

        site.rival(arrive, before=Match("POST", "/template/preview$", nth=3), times=99)
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, len(calls_of(ran))) == (0, 1), ran.log


def marked(text: str, file: str, version: str, *, space: str = "front-ends") -> Manifest:
    manifest: Manifest = yaml.safe_load(text)
    metadata = grow(manifest, "metadata")
    metadata["namespace"] = NAMESPACE
    grow(manifest, "metadata", "annotations").update({MARK: version, FILE_MARK: f"{space}/{file}"})
    return manifest


def test_a_redeployment_whose_answer_is_lost_is_judged_by_content_where_the_mark_was_there_before() -> None:
    with deployed_site(web_yaml=workload()) as site:
        drift(site, replicas=3)
        site.fault("drop-before-handling", DEPLOY)
        ran = deploy(site, redeploy="true")
        # The document says nothing of replicas: all that it says is live.
        assert (ran.code, len(calls_of(ran))) == (0, 1), ran.log
        drift(site, minReadySeconds=1, revisionHistoryLimit=3, template=other_template())
        site.fault("drop-before-handling", DEPLOY)
        ran = deploy(site, redeploy="true")
        assert (ran.code, len(calls_of(ran))) == (0, 2), ran.log
        drift(site, template=other_template())
        site.fault("drop-before-handling", DEPLOY, times=2)
        ran = deploy(site, redeploy="true")
        assert (ran.code, len(calls_of(ran))) == (800505, 2), ran.log


def drift(site: Site, **spec: object) -> None:
    """Change the live Deployment by hand."""
    found = live(site, "Deployment", "web")
    grow(found, "spec").update(spec)
    cluster_of(site).put(found)


def other_template() -> Manifest:
    manifest: Manifest = yaml.safe_load(workload(tag="by-hand"))
    return branch(manifest, "spec", "template")


def test_a_conflict_in_the_middle_is_told_object_by_object() -> None:
    with deployed_site(**FILES) as site:
        first = mark_of(site, "Deployment", "a")
        site.next_build(**{name: text.replace(":1", ":2") for name, text in FILES.items()})
        conflict_at(site, "b")
        ran = deploy(site)
        assert (ran.code, len(calls_of(ran))) == (800504, 1), ran.log
        assert "the object has been modified" in ran.log
        assert "What to do: Run again: something else changed this object at the same moment" in ran.log
        version = ran.output()["version"]
        assert [mark_of(site, "Deployment", name) for name in "abc"] == [version, first, first]
        for line in ("Deployment/a: applied", "Deployment/b: not applied", "Deployment/c: not applied"):
            assert line in ran.log
        assert rollout_files(ran) == ["a.yaml"]
        again = deploy(site)
        assert (again.code, rollout_files(again)) == (0, ["b.yaml", "c.yaml"])


def test_a_file_that_was_applied_in_part_is_not_called_deployed() -> None:
    both = {"web_yaml": documents(workload(), service())}
    with cluster_site(**both) as site:
        take_release(site, "1.23")  # which replaces a Service
        deploy(site)
        site.next_build(web_yaml=documents(workload(tag="2"), service(note="2")))
        conflict_at(site, "web")
        ran = deploy(site)
        assert ran.code == 800504
        assert ran.outcome.rollout is not None
        site.next_build(web_yaml=documents(service(note="3"), workload(tag="3")))
        conflict_at(site, "web", kind="Deployment")
        ran = deploy(site)
        assert ran.code == 800504
        assert ran.outcome.rollout is not None
        assert rollout_files(ran) == []
        assert [file.name for file in ran.outcome.rollout.partly] == ["web.yaml"]
        assert "Service/web: applied" in ran.log
        assert "Deployment/web: not applied" in ran.log


def test_an_error_beside_code_0_is_a_failure() -> None:
    with cluster_site(**FILES) as site:
        fault = site.fault("answer", DEPLOY, status=200)
        fault.body = '{"code": 0, "message": "OK", "data": {"error": "render: no such value"}}'
        ran = deploy(site)
        assert (ran.code, rollout_files(ran), len(calls_of(ran))) == (800504, [], 1)
        assert "render: no such value" in ran.log


def test_what_a_rival_replaced_right_after_is_not_called_deployed() -> None:
    with cluster_site(**FILES) as site:

        def replace(_: object) -> None:
            cluster_of(site).put(marked(workload(name="b", tag="9"), "b.yaml", "9.9.9", space="rivals"))

        site.rival(replace, before=DEPLOY, after=True)
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (800505, "failed")
        assert "Deployment/b: not applied, or not any more" in ran.log
        assert "BCS stopped at" not in ran.log
        assert rollout_files(ran) == ["a.yaml", "c.yaml"]


def test_a_rivals_version_is_not_taken_back_by_a_restore() -> None:
    with deployed_site(**FILES) as site:
        first = mark_of(site, "Deployment", "a")
        site.next_build(**{name: text.replace(":1", ":2") for name, text in FILES.items()})

        def replace(_: object) -> None:
            cluster_of(site).put(marked(workload(name="b", tag="9"), "b.yaml", "9.9.9"))

        site.rival(replace, before=DEPLOY, after=True)
        ran = deploy(site, on_failure="restore")
        assert (ran.code, ran.outcome.result) == (800505, "restored"), ran.log
        assert [mark_of(site, "Deployment", name) for name in "abc"] == [first, "9.9.9", first]
        assert "or they were changed meanwhile: b.yaml (version 9.9.9)." in ran.log


def check_true(site: Site, ran: Ran) -> None:
    """What the run says is deployed is live and marked, whatever else happened."""
    for name in rollout_files(ran):
        short = name.partition(".")[0]
        assert mark_of(site, "Deployment", short) == ran.output()["version"], (name, ran.log)
    if ran.outcome.result == "deployed":
        assert rollout_files(ran) == ["a.yaml", "b.yaml", "c.yaml"]
    else:
        assert ran.outcome.error is not None
    assert len(calls_of(ran)) <= 2
    assert sum(call.handled for call in calls_of(ran)) <= 1


@pytest.mark.parametrize(("kind", "times"), [("handle-then-drop", 1), ("answer", 99)])
def test_whatever_request_fails_what_is_said_to_be_deployed_is_live(kind: str, times: int) -> None:
    """`times` 1: the n-th request alone fails. 99: every one from the n-th on."""
    with cluster_site(**FILES) as site:
        site.run()
        needed = len(deploy(site).exchanges)
    assert needed > 9, "the run has at least so many requests"
    for number in swept(range(1, needed + 1), sample=3):
        with cluster_site(**FILES) as site:
            site.run()
            fault = site.fault(kind, Match(nth=number), status=502, times=times)
            ran = deploy(site)
            assert fault.struck
            site.emulator.faults.clear()
            check_true(site, ran)
