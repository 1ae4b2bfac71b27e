"""The wait: until all is ready, or until the cause that can't heal is known, with its cure."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import grow, text
from tests.emulator.faults import Match
from tests.support.deploying import (
    CLUSTER,
    NAMESPACE,
    cluster_of,
    cluster_site,
    cron_job,
    deploy,
    deployed_site,
    documents,
    image_of,
    live,
    mark_of,
    workload,
)
from tests.support.draws import swept
from tests.support.pieces import FakeClock
from tests.support.publishing import Ran

LIVE = Match("GET", r"/workloads/deployments/")
LIST = Match("GET", r"/workloads/deployments\?|/workloads/deployments$")


def seconds_waited(ran: Ran) -> float:
    assert ran.outcome.rollout is not None
    return max(item.seconds for item in ran.outcome.rollout.watched)


def ends(ran: Ran) -> dict[str, str]:
    assert ran.outcome.rollout is not None
    return {item.workload.title: item.end for item in ran.outcome.rollout.watched}


def test_a_job_that_has_failed_is_told_once_whichever_of_its_pods_says_why() -> None:
    with cluster_site(web_yaml=workload("Job", backoffLimit=1)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("crash", after=2)
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (800506, {"Job/web": "failed"}), ran.log
        over = "(BackoffLimitExceeded: Job has reached the specified backoff limit)"
        told = f"Job/web can't become ready: The Job failed {over}. Container main stops with an error,"
        assert ran.log.count(told) == 1, ran.log
        assert ran.log.count("Its pods failed more often than backoffLimit allows.") == 2, ran.log


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_each_kind_is_waited_for_until_it_is_done(kind: str) -> None:
    with cluster_site(web_yaml=workload(kind)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=20)
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {f"{kind}/web": "ready"}), ran.log
        assert 20 <= seconds_waited(ran) < 45


@pytest.mark.parametrize(
    ("suspend", "told"),
    [
        (False, "It starts Jobs on its schedule (0 3 * * *), so there is nothing to wait for."),
        (True, "It is suspended: it starts no Job until it is resumed, so there is nothing to"),
    ],
)
def test_a_cron_job_is_deployed_and_named_as_one_that_nobody_waits_for(
    suspend: bool,  # noqa: FBT001 - a column of the table
    told: str,
) -> None:
    with deployed_site(web_yaml=workload(), night_yaml=cron_job(suspend=suspend)) as site:
        site.next_build(night_yaml=cron_job(tag="2", suspend=suspend))
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        assert ends(ran) == {"CronJob/night": "nothing", "Deployment/web": "ready"}
        assert ran.versions()["night.yaml"]["state"] == "deployed"
        assert mark_of(site, "CronJob", "night") == "1.0.8-main"
        assert "example.com/night:2" in str(live(site, "CronJob", "night"))
        assert f"CronJob/night: {told}" in ran.log
        assert "1 workload is ready, the last after 0 s. Not waited for: CronJob/night." in ran.log
        assert seconds_waited(ran) < 5


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_ready_but_old_is_not_ready(kind: str) -> None:
    """The controller takes ten seconds to see the new spec, and the old pods are well all the while."""
    with deployed_site(web_yaml=workload(kind)) as site:
        cluster_of(site).lag = 10
        site.next_build(web_yaml=workload(kind, tag="2"))
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {f"{kind}/web": "ready"})
        assert seconds_waited(ran) >= 10


def test_old_pods_that_still_end_are_waited_for() -> None:
    with deployed_site(web_yaml=workload(replicas=3)) as site:
        cluster_of(site).images[image_of("web", "2")] = Behaviour("ready", after=15)
        site.next_build(web_yaml=workload(tag="2", replicas=3))
        ran = deploy(site)
        assert ran.code == 0
        images = {str(pod["spec"]) for pod in cluster_of(site).pods_of("Deployment", NAMESPACE, "web")}
        assert all("web:2" in image for image in images)


CAUSES = {
    "not-found": (800506, "does not exist in its registry"),
    "unauthorized": (800506, "refuses to give"),
    "unauthorized-head": (800506, "refuses to give"),
    "docker-not-found": (800506, "does not exist in its registry"),
    "docker-denied": (800506, "refuses to give"),
    "invalid-name": (800506, "name"),
    "config-error": (800506, "web-env"),
    "crash": (800506, "exit"),
    "oom": (800506, "memory"),
    "cannot-start": (800506, "executable file not found"),
}
LATEST = {"crash": 120.0, "oom": 120.0, "config-error": 90.0, "cannot-start": 120.0}


@pytest.mark.parametrize("kind", swept(CAUSES, sample=5))
def test_what_cannot_heal_ends_the_wait_with_its_cause_and_cure(kind: str) -> None:
    code, words = CAUSES[kind]
    with cluster_site(web_yaml=workload()) as site:
        message = "no such file: /etc/app.conf" if kind == "crash" else ""
        cluster_of(site).images[image_of("web")] = Behaviour(kind, after=1, message=message)
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (code, "failed"), ran.log
        verdict = "\n".join(ran.outcome.error.explain("en_US")) if ran.outcome.error else ""
        assert re.search(words, verdict), verdict
        assert "Deployment/web" in verdict
        assert re.search(r"Pod web-\w+-\w+", verdict), verdict
        assert "What to do" in verdict
        if kind not in LATEST:
            assert seconds_waited(ran) < 6
        else:
            assert seconds_waited(ran) < LATEST[kind]
        if kind == "crash":
            assert "/etc/app.conf" in verdict
            assert "container main" in verdict
            assert re.search(r"exit code:? 1\b|code 1\b", verdict), verdict
            assert "restarts: 4" in verdict
        if kind == "oom":
            assert "OOMKilled" in verdict


@pytest.mark.parametrize("tag", ["1704448999620-429", "1704448999620-502", "certificate-x509"])
def test_a_tag_that_looks_like_another_cause_is_none(tag: str) -> None:
    with cluster_site(web_yaml=workload(tag=tag)) as site:
        cluster_of(site).images[image_of("web", tag)] = Behaviour("unauthorized-head")
        ran = deploy(site)
        assert (ran.code, seconds_waited(ran) < 6) == (800506, True)
        assert "refuses to give" in ran.log


HEALING = [
    ("Deployment", "unschedulable", "2 Insufficient cpu"),
    ("Job", "insufficient-memory", "2 Insufficient memory"),
    ("DaemonSet", "tainted", "untolerated taint"),
    ("StatefulSet", "unbound-volume", "unbound immediate PersistentVolumeClaims"),
]


@pytest.mark.parametrize(("kind", "trouble", "words"), swept(HEALING, sample=2))
def test_what_others_may_mend_is_told_within_seconds_and_waited_for(
    kind: str, trouble: str, words: str
) -> None:
    with cluster_site(web_yaml=workload(kind)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour(trouble, after=1, heals_after=30)
        ran = deploy(site, on_failure="restore")
        assert ran.code == 0, ran.log
        told = next(line for line in ran.log.splitlines() if words in line)
        assert int(told.split(" s ", 1)[0].split()[-1]) <= 7, told


@pytest.mark.parametrize(
    ("kind", "after", "heals_after"), [("crash", 1, 60), ("config-error", 1, 40), ("cannot-start", 1, 10)]
)
def test_a_crash_and_a_setting_that_heal_within_their_grace_are_no_failure(
    kind: str, after: float, heals_after: float
) -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour(kind, after=after, heals_after=heals_after)
        ran = deploy(site)
        assert ran.code == 0, ran.log
        assert "fail_fast ends the wait for it after" in ran.log


@pytest.mark.parametrize(
    ("kind", "trouble", "heals_after"),
    swept(
        [
            ("Deployment", "not-found", 15),
            ("Job", "unauthorized-head", 15),
            ("StatefulSet", "config-error", 70),
            ("DaemonSet", "crash", 200),
        ],
        sample=2,
    ),
)
def test_with_fail_fast_false_images_configuration_and_crashes_are_waited_for(
    kind: str, trouble: str, heals_after: float
) -> None:
    with cluster_site(web_yaml=workload(kind)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour(trouble, after=1, heals_after=heals_after)
        ran = deploy(site, fail_fast="false")
        assert ran.code == 0, ran.log
        assert "fail_fast ends" not in ran.log


def test_what_fail_fast_would_have_ended_is_not_said_to_have_not_failed() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found", after=1)
        ran = deploy(site, fail_fast="false", timeout="60")
        assert ran.code == 800508, ran.log
        assert "did not fail" not in f"{ran.log}{ran.outcome.error}"
        assert "fail_fast would have ended the wait" in ran.log
        assert "fail_fast would have ended the wait" in str(ran.outcome.error)


@pytest.mark.parametrize("policy", ["OnFailure", "Never"])
def test_a_jobs_own_conditions_decide_about_it_and_not_its_pods_restarts(policy: str) -> None:
    job = yaml.safe_load(workload("Job", backoffLimit=10))
    job["spec"]["template"]["spec"]["restartPolicy"] = policy
    with cluster_site(web_yaml=yaml.safe_dump(job)) as site:
        behaviour = Behaviour("crash", after=2, heals_after=60)
        cluster_of(site).images[image_of("web")] = behaviour
        if policy == "Never":  # each pod is a new one, so that an age heals none
            site.rival(
                lambda _: cluster_of(site).images.update({image_of("web"): Behaviour()}),
                before=Match("GET", r"/workloads/jobs/", nth=12),
            )
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {"Job/web": "ready"}), ran.log
        assert "exit code 1" in ran.log


def test_a_paused_deployment_ends_the_wait_at_once_and_says_so() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build(web_yaml=workload(tag="2", paused=True))
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (800506, "failed")
        assert seconds_waited(ran) < 5
        assert "spec.paused is true" in ran.log
        assert "kubectl rollout resume deployment/web" in ran.log


def test_a_suspended_job_ends_the_wait_at_once_and_is_named() -> None:
    with cluster_site(web_yaml=workload("Job", suspend=True)) as site:
        ran = deploy(site)
        assert (ran.code, ends(ran), seconds_waited(ran) < 5) == (0, {"Job/web": "nothing"}, True)
        assert "Job/web: The Job is suspended" in "\n".join(map(str, ran.outcome.warnings))


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_old_pods_that_only_a_hand_replaces_are_told_and_new_ones_must_be_well(kind: str) -> None:
    strategy = {"type": "OnDelete"}
    with cluster_site(web_yaml=workload(kind, updateStrategy=strategy)) as site:
        first = deploy(site)
        assert (first.code, ends(first)) == (0, {f"{kind}/web": "ready"}), first.log
        site.next_build(web_yaml=workload(kind, tag="2", updateStrategy=strategy))
        second = deploy(site)
        assert (second.code, ends(second)) == (0, {f"{kind}/web": "paused"}), second.log
        verdict = second.log.partition("Paused: 1 workload")[2]
        assert re.search(rf"{kind}/web: .*OnDelete: 0 of \d pods? (is|are) of the new version", verdict)
        for pod in cluster_of(site).pods_of(kind, NAMESPACE, "web"):
            cluster_of(site).delete("Pod", NAMESPACE, text(pod, "metadata", "name"))
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        third = deploy(site)
        assert third.code == 800506, third.log


@pytest.mark.parametrize("kind", swept(["Deployment", "StatefulSet", "DaemonSet", "Job"], sample=2))
def test_an_evicted_pod_decides_nothing(kind: str) -> None:
    with cluster_site(web_yaml=workload(kind)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=20)
        site.rival(
            lambda _: cluster_of(site).evict(NAMESPACE, "web"),
            before=Match("GET", rf"/workloads/{kind.lower()}s/", nth=3),
        )
        ran = deploy(site)
        assert (ran.code, ends(ran)) == (0, {f"{kind}/web": "ready"}), ran.log


def test_what_never_becomes_ready_times_out_saying_what_is_pending() -> None:
    with cluster_site(web_yaml=workload(), api_yaml=workload(name="api")) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")
        ran = deploy(site, timeout="120")
        assert (ran.code, ran.outcome.result) == (800508, "timed-out")
        assert ends(ran) == {"Deployment/web": "pending", "Deployment/api": "ready"}
        error = ran.outcome.error
        assert error is not None
        verdict = "\n".join(error.explain("en_US"))
        assert "Deployment/web" in verdict
        assert "Deployment/api" not in verdict
        assert "within 120 s" in verdict
        assert "Running again is safe" in verdict


def test_the_steps_own_time_ends_the_wait_as_a_time_out_that_says_the_true_seconds() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")
        site.seconds = 100
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (800508, "timed-out"), ran.log
        assert "within 95 s" in ran.log
        assert "The step's own time limit ended the wait before timeout (600 s)" in ran.log
        assert "raise timeout." not in ran.log


def test_a_quiet_wait_gives_a_sign_of_life_each_half_minute_and_no_more() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")
        ran = deploy(site, timeout="300")
        waiting = ran.log.partition("Waiting for 1 workload")[2].partition("Timed out")[0]
        lines = [line for line in waiting.splitlines()[1:] if line.strip()]
        assert 8 <= len(lines) <= 14, waiting
        times = [int(found[1]) for line in lines if (found := re.search(r"(\d+) s\b", line))]
        assert max(later - earlier for earlier, later in zip(times, times[1:])) <= 45


def test_a_workload_that_somebody_else_replaces_while_we_wait_is_a_failure_that_says_so() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")

        def replace(_: object) -> None:
            found = live(site, "Deployment", "web")
            grow(found, "metadata", "annotations")["io.tencent.paas.template_version"] = "9.9.9"
            grow(found, "spec", "template", "spec")["containers"] = [
                {"name": "main", "image": "example.com/x:1"}
            ]
            cluster_of(site).put(found)

        site.rival(replace, before=Match("GET", LIVE.path, nth=3))
        ran = deploy(site, timeout="60")
        assert (ran.code, ran.outcome.result) == (800506, "failed")
        assert "what is live is marked with version 9.9.9" in ran.log
        assert "run again" not in ran.log.partition("If yours is to be live, run again.")[2]
        assert "Some pods serve: Deployment/web (1 of 1)." in ran.log, "of the other deployment"


def test_an_answer_without_status_is_no_success() -> None:
    with cluster_site(web_yaml=workload()) as site:
        fault = site.fault("answer", LIVE, times=9999, status=200)
        manifest = {"kind": "Deployment", "metadata": {"name": "web", "generation": 1}, "spec": {}}
        fault.body = json.dumps({"code": 0, "message": "OK", "data": {"manifest": manifest}})
        ran = deploy(site, timeout="60")
        site.emulator.faults.clear()
        assert ran.outcome.result == "timed-out"


def test_an_answer_marked_as_ours_without_status_is_no_success_either() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build(web_yaml=workload(tag="2"))
        site.run()
        marks = {
            "io.tencent.paas.template_version": site.version_names("web.yaml")[1],
            "io.tencent.paas.template_name": "front-ends/web.yaml",
        }
        metadata = {"name": "web", "generation": 1, "annotations": marks}
        fault = site.fault("answer", LIVE, times=9999, status=200)
        fault.body = json.dumps({"code": 0, "message": "OK", "data": {"manifest": {"metadata": metadata}}})
        ran = deploy(site, timeout="60", on_failure="restore")
        site.emulator.faults.clear()
        assert ran.outcome.result == "timed-out"
        assert "nothing is restored" in ran.log
        assert "Before, version 1.0.7-main was live" in ran.log
        assert "set on_failure" not in ran.log
        assert "status or the generation is missing" in ran.log


def test_lists_that_fail_only_cost_requests() -> None:
    files = {f"w{n}_yaml": workload(name=f"w{n}") for n in range(6)}
    with cluster_site(**files) as site:
        site.fault("answer", LIST, times=9999, status=500)
        ran = deploy(site)
        site.emulator.faults.clear()
        assert ran.code == 0, ran.log
        assert set(ends(ran).values()) == {"ready"}


class AnHourAhead(FakeClock):
    """The same time as another clock's, as a build machine reads it whose date is an hour ahead."""

    def __init__(self, other: FakeClock) -> None:
        super().__init__()
        self.__dict__ = other.__dict__

    def now(self) -> float:
        return super().now() + 3600


@pytest.mark.parametrize("behaviour", [Behaviour("ready", after=20), Behaviour("not-found", after=20)])
def test_clocks_that_disagree_by_an_hour_change_nothing(behaviour: Behaviour) -> None:
    with cluster_site(web_yaml=workload()) as site:
        site.clock = AnHourAhead(site.clock)
        cluster_of(site).images[image_of("web")] = behaviour
        ran = deploy(site)
        assert ran.code == (0 if behaviour.kind == "ready" else 800506), ran.log
        assert 20 <= seconds_waited(ran) < 80


def test_many_workloads_are_seen_by_lists_at_less_than_eight_requests_a_second() -> None:
    files = {f"w{n}_yaml": workload(name=f"w{n}") for n in range(20)}
    with cluster_site(**files) as site:
        for number in range(20):
            cluster_of(site).images[image_of(f"w{number}")] = Behaviour("ready", after=60 + number % 3)
        ran = deploy(site)
        assert (ran.code, set(ends(ran).values())) == (0, {"ready"})
        looks = [e for e in ran.exchanges if "/workloads/" in e.path]
        assert len(looks) / seconds_waited(ran) < 8
        assert len(looks) < 400
        assert site.emulator.most_at_once() <= 8
        assert seconds_waited(ran) < 62 + 8


def test_one_broken_workload_of_many_is_found_and_the_others_are_told_too() -> None:
    files = {f"w{n}_yaml": workload(name=f"w{n}") for n in range(12)}
    with cluster_site(**files) as site:
        cluster_of(site).images[image_of("w3")] = Behaviour("not-found")
        ran = deploy(site)
        assert ran.code == 800506
        assert {name for name, end in ends(ran).items() if end == "failed"} == {"Deployment/w3"}
        assert list(ends(ran).values()).count("ready") == 11


def test_an_old_revisions_trouble_is_not_blamed_on_the_new_one() -> None:
    with cluster_site(web_yaml=workload()) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found")
        assert deploy(site).code == 800506
        cluster_of(site).images[image_of("web", "2")] = Behaviour("ready", after=10)
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site)
        assert ran.code == 0, ran.log


def test_a_job_that_fails_says_how_its_pod_ended() -> None:
    with cluster_site(web_yaml=documents(workload("Job", backoffLimit=0))) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("crash", after=2, exit_code=3)
        ran = deploy(site)
        assert ran.code == 800506, ran.log
        error = ran.outcome.error
        assert error is not None
        assert re.search(r"code:? 3\b", "\n".join(error.explain("en_US"))), str(error)
        assert "delete it in the cluster first, or give it another name (Job/web)." in ran.log
        assert mark_of(site, "Job", "web")


def test_the_pod_that_blocks_is_named_in_the_restore_and_in_the_next_build_and_deleting_it_helps() -> None:
    """A StatefulSet does not replace a broken pod, however well its template was mended."""
    with deployed_site(web_yaml=workload("StatefulSet", replicas=2)) as site:
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        site.next_build(web_yaml=workload("StatefulSet", tag="2", replicas=2))
        failed = deploy(site, on_failure="restore")
        assert failed.outcome.rollout is not None
        way = failed.outcome.rollout.restoration
        assert way is not None
        assert [(item.end, item.seconds < 10) for item in way.watched] == [("failed", True)]
        assert "Pod web-1 is of an earlier revision" in failed.log
        assert "kubectl delete pod web-1 -n prod" in failed.log
        site.next_build(web_yaml=workload("StatefulSet", tag="3", replicas=2))
        blocked = deploy(site)
        assert (blocked.code, seconds_waited(blocked) < 10) == (800507, True), blocked.log
        assert "kubectl delete pod web-1 -n prod" in str(blocked.outcome.error)
        cluster_of(site).delete("Pod", NAMESPACE, "web-1")
        assert deploy(site).code == 0


def test_a_pod_that_does_not_end_is_named_where_its_place_is_waited_for() -> None:
    with cluster_site(web_yaml=workload("StatefulSet")) as site:
        cluster_of(site).images[image_of("web")] = Behaviour(stops_after=300)
        deploy(site)
        site.next_build(web_yaml=workload("StatefulSet", tag="2"))
        ran = deploy(site, timeout="120")
        assert ran.outcome.result == "timed-out"
        assert "Pod web-0 was told to stop and has not ended" in str(ran.outcome.error)


def test_a_progress_deadline_that_ends_the_wait_is_named_before_and_after_with_both_numbers() -> None:
    with cluster_site(web_yaml=workload(progressDeadlineSeconds=60)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")
        ran = deploy(site, timeout="300")
        assert (ran.code, ran.outcome.result) == (800506, "failed")
        before = ran.log.partition("Waiting for 1 workload")[0]
        assert re.search(r"timeout is 300 s, .* which is 60 s for 1 of them", before), before
        verdict = str(ran.outcome.error)
        assert "progressDeadlineSeconds (60) ended it before timeout (300)" in verdict
        assert "raise spec.progressDeadlineSeconds" in verdict
        assert "Running again is safe" not in verdict


def test_what_a_workload_and_its_pods_say_of_its_end_is_one_line() -> None:
    with cluster_site(web_yaml=workload(progressDeadlineSeconds=1)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("not-found")
        ran = deploy(site)
        (line,) = re.findall(r"s  Deployment/web can't become ready: .*", ran.log)
        assert "progressDeadlineSeconds (1) is over without progress" in line
        assert "does not exist in its registry" in line


@pytest.mark.parametrize(("heals_after", "code"), [(450.0, 0), (1e9, 800508)])
def test_a_deadline_that_was_over_before_the_run_began_does_not_end_its_wait(
    heals_after: float, code: int
) -> None:
    with cluster_site(web_yaml=workload(progressDeadlineSeconds=60)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready", heals_after=heals_after)
        assert deploy(site, timeout="300").code == 800506
        site.clock.time += 300
        ran = deploy(site, timeout="200")
        assert ran.code == code, ran.log
        assert "(60) was over before this wait began" in ran.log
        assert "ended it before timeout" not in ran.log


def test_a_wait_as_long_as_the_progress_deadline_does_not_promise_that_running_again_helps() -> None:
    with cluster_site(web_yaml=workload(progressDeadlineSeconds=60)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("never-ready")
        ran = deploy(site, timeout="60")
        assert ran.code == 800508, ran.log
        assert "progressDeadlineSeconds (60)" in str(ran.outcome.error)
        assert "Running again is safe" not in ran.log


def test_a_plan_says_once_that_nothing_would_see_a_late_crash() -> None:
    with cluster_site(web_yaml=documents(workload(), workload("StatefulSet", name="db"))) as site:
        place = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
        for ran in (site.run(action="plan", **place), deploy(site)):
            assert ran.log.count("neither readinessProbe nor minReadySeconds") == 1
            assert "Deployment/web, StatefulSet/db" in ran.log
        assert "readinessProbe" not in deploy(site, timeout="0").log


def test_the_verdict_names_both_numbers_also_where_a_pod_says_why() -> None:
    with cluster_site(web_yaml=workload(progressDeadlineSeconds=60)) as site:
        cluster_of(site).images[image_of("web")] = Behaviour("ready", after=900)
        ran = deploy(site, timeout="300")
    verdict = ran.log.partition("Failed (")[2]
    assert ran.code == 800506
    assert "Container main runs, but is not ready" in verdict
    assert "progressDeadlineSeconds (60) ended it before timeout (300)" in verdict
