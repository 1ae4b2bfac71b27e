from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.objects import (
    Object,
    condition,
    deployment,
    ended,
    pod,
    running,
    stopped,
    waiting,
    workload,
)

from bcs_template_set.manifests.kinds import JOB
from bcs_template_set.messages import LANGUAGES, known, say
from bcs_template_set.rollout.cause_rules import (
    BELOW,
    CHANGED,
    EARLIER,
    PAUSED,
    REPLACED,
    RULES,
    rule_for,
)
from bcs_template_set.rollout.causes import (
    FAIL_FAST,
    Cause,
    Terms,
    cause_in_workload,
    cause_of,
    cause_of_change,
    cause_of_replacement,
    diagnose,
    evidence_of,
    told_by,
)
from bcs_template_set.rollout.pods import PodProblem, Termination, problems_of

NO = 0.0
LATER = 60.0
SOON = 20.0
IMAGE = "example.com/web:2"
PATIENT = Terms(fail_fast=False)
OF_A_JOB = Terms(own_verdict=True)


def cause(reason: str, message: str = "", *, restarts: int = 0, last: Optional[Object] = None) -> Cause:
    """Return the cause of a pod whose container waits like that."""
    found = problems_of(pod(containers=[waiting(reason, message, restarts=restarts, last=last)]))[0]
    return cause_of(found)


def unscheduled(message: str) -> Cause:
    never = condition("PodScheduled", "False", reason="Unschedulable", message=message)
    found = problems_of(pod(phase="Pending", conditions=[never]))[0]
    return cause_of(found)


def judged(found: Cause) -> tuple[str, int, Optional[float]]:
    return found.name, found.fault, found.patience


# --- images ---------------------------------------------------------------------------------------------

UNPACK = f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": '
UNKNOWN = f'rpc error: code = Unknown desc = failed to resolve reference "{IMAGE}": '
PULLS = [
    (UNPACK + f"{IMAGE}: not found", "image_not_found", 1, NO),
    ("Error response from daemon: manifest for web:2 not found: manifest unknown", "image_not_found", 1, NO),
    (UNPACK + "no match for platform in manifest: not found", "image_platform", 1, NO),
    ("no matching manifest for linux/arm64/v8 in the manifest list entries", "image_platform", 1, NO),
    (
        UNKNOWN + "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed",
        "image_refused",
        1,
        NO,
    ),
    (UNKNOWN + "failed to authorize: unexpected status: 401 Unauthorized", "image_refused", 1, NO),
    (UNKNOWN + "unexpected status from HEAD request: 403 Forbidden", "image_refused", 1, NO),
    ("unauthorized: authentication required", "image_refused", 1, NO),
    (UNKNOWN + "dial tcp: lookup example.com on 10.0.0.2:53: no such host", "image_network", 2, None),
    (UNKNOWN + "failed to authorize: dial tcp 10.0.0.9:443: i/o timeout", "image_network", 2, None),
    (UNKNOWN + "503 Service Unavailable", "image_network", 2, None),
    (UNKNOWN + "x509: certificate signed by unknown authority", "image_certificate", 2, None),
    (UNKNOWN + "429 Too Many Requests - toomanyrequests", "image_busy", 2, None),
    ("something nobody foresaw", "image_pull", 2, None),
    (f'Back-off pulling image "{IMAGE}"', "image_pull", 2, None),
]


@pytest.mark.parametrize(("message", "name", "fault", "patience"), PULLS)
@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff"])
def test_a_pull_fails_for_what_its_message_says(
    reason: str, message: str, name: str, fault: int, patience: Optional[float]
) -> None:
    assert judged(cause(reason, message)) == (name, fault, patience)


def test_an_images_own_name_is_no_reason() -> None:
    image = "denied.example.com/not-found:401"
    body = pod(
        containers=[waiting("ErrImagePull", f'failed to pull "{image}": i don\'t know')],
        spec={"containers": [{"name": "web", "image": image}]},
    )
    found = problems_of(body)[0]
    assert cause_of(found).name == "image_pull"


def test_not_found_and_refused_have_different_cures() -> None:
    missing, refused = cause("ErrImagePull", "not found"), cause("ErrImagePull", "unauthorized")
    assert IMAGE in missing.sentence.render("en_US")
    assert "push" in missing.cure.render("en_US")
    assert "image_pull_secrets" in refused.cure.render("en_US")
    assert "推送" in missing.cure.render("zh_CN")


# --- containers -----------------------------------------------------------------------------------------

CONTAINERS = [
    ("InvalidImageName", "couldn't parse", "image_name", 1, NO),
    ("ErrImageNeverPull", "is not present with pull policy of Never", "image_never_pull", 1, NO),
    ("CreateContainerConfigError", 'secret "web-tls" not found', "config_missing", 1, LATER),
    ("CreateContainerConfigError", 'configmap "web" not found', "config_missing", 1, LATER),
    ("CreateContainerConfigError", "couldn't find key A in Secret ns/web", "config_key", 1, LATER),
    (
        "CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root",
        "config_root",
        1,
        SOON,
    ),
    ("CreateContainerConfigError", "something else", "config", 1, LATER),
    ("CreateContainerError", 'exec: "x": executable file not found in $PATH', "start_command", 1, SOON),
    ("RunContainerError", "exec /app: exec format error", "start_platform", 1, SOON),
    ("CreateContainerError", "not a device node", "start", 1, SOON),
    ("CreatePodSandboxError", "no network", "other", 2, None),
]


@pytest.mark.parametrize(("reason", "message", "name", "fault", "patience"), CONTAINERS)
def test_a_container_that_cannot_start_has_its_cause(
    reason: str, message: str, name: str, fault: int, patience: Optional[float]
) -> None:
    assert judged(cause(reason, message)) == (name, fault, patience)


def test_the_object_that_is_missing_is_named() -> None:
    found = cause("CreateContainerConfigError", 'secret "web-tls" not found')
    assert all('"web-tls"' in found.sentence.render(language) for language in LANGUAGES)


ENDS = [
    (ended(0, "Completed"), "exit_0"),
    (ended(1), "exit_1"),
    (ended(2), "exit_2"),
    (ended(126), "exit_126"),
    (ended(127), "exit_127"),
    (ended(137), "exit_137"),
    (ended(139), "exit_139"),
    (ended(143), "exit_143"),
    (ended(3), "crash"),
    (ended(137, "OOMKilled"), "out_of_memory"),
    (ended(1, message="exec /app: exec format error"), "start_platform"),
    (ended(128, "StartError", 'exec: "x": executable file not found in $PATH'), "start_command"),
    (None, "crash"),
]


@pytest.mark.parametrize(("last", "name"), ENDS)
def test_a_crash_loop_is_known_by_how_the_container_ended(last: Optional[Object], name: str) -> None:
    found = cause("CrashLoopBackOff", "back-off 5m0s restarting failed container", restarts=9, last=last)
    assert judged(found) == (name, 1, NO)
    lost_sight = cause("ContainerStatusUnknown", restarts=9, last=last)  # of the kubelet
    assert judged(lost_sight) == (name, 1, NO)


@pytest.mark.parametrize(("restarts", "hopeless"), [(1, False), (3, False), (4, True), (5, True)])
def test_a_crash_loop_is_given_four_restarts(restarts: int, hopeless: bool) -> None:  # noqa: FBT001 - a table's column
    found = cause("CrashLoopBackOff", restarts=restarts, last=ended(1))
    assert found.is_hopeless(seconds=0) is hopeless
    assert found.is_hopeless(seconds=1e9) is hopeless


@pytest.mark.parametrize(
    ("reason", "message", "restarts", "hopeless"),
    [
        ("Error", "", 40, False),
        ("OOMKilled", "", 43, False),
        ("CrashLoopBackOff", "back-off 20s restarting failed container=web", 42, False),
        ("CrashLoopBackOff", "back-off 1m19s restarting failed container=web", 42, False),
        ("CrashLoopBackOff", "back-off 1m20s restarting failed container=web", 42, True),
        ("OOMKilled", "back-off 5m0s restarting failed container=web", 40, False),
        ("CrashLoopBackOff", "back-off 5m0s restarting failed container=web", 40, True),
        ("Error", "", 44, True),
    ],
)
def test_what_a_pod_did_before_the_wait_is_no_crash_of_now(
    reason: str, message: str, restarts: int, *, hopeless: bool
) -> None:
    """It may have run for months, and crash once more while somebody waits for it."""
    problem = PodProblem(pod="p", reason=reason, message=message, restarts=restarts, restarts_before=40)
    assert cause_of(problem).is_hopeless(seconds=0) is hopeless


@pytest.mark.parametrize("last", [ended(1), ended(128, "StartError", "no such file or directory")])
def test_a_container_that_runs_again_is_given_its_chance(last: Object) -> None:
    found = problems_of(pod(containers=[running(ready=False, restarts=7, last=last)]))[0]
    assert not cause_of(found).is_hopeless(seconds=1e9)


def test_a_failing_readiness_probe_is_never_fatal_and_names_the_probe() -> None:
    spec: Object = {
        "containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/healthz", "port": 80}}}]
    }
    found = problems_of(pod(containers=[running(ready=False)], spec=spec))[0]
    assert judged(cause_of(found)) == ("not_ready", 1, None)
    assert "GET :80/healthz" in cause_of(found).sentence.render("zh_CN")


def test_a_missing_probe_is_said_in_the_readers_language() -> None:
    found = problems_of(pod(containers=[running(ready=False)]))[0]
    assert "未定义" in cause_of(found).sentence.render("zh_CN")
    assert "none defined" in cause_of(found).sentence.render("en_US")
    assert "without a probe" in cause_of(found).cure.render("en_US"), "there is none to check"


# --- pods without a node, or taken from it --------------------------------------------------------------

HEAD = "0/5 nodes are available: 2 node(s) had untolerated taint {node-role.kubernetes.io/master: }, "
SCHEDULER = [
    (HEAD + "3 Insufficient cpu.", "resources", 2),
    (HEAD + "3 Insufficient memory. preemption: 0/5 nodes are available", "resources", 2),
    (HEAD + "3 Too many pods.", "resources", 2),
    (HEAD + "3 node(s) didn't match Pod's node affinity/selector.", "node_choice", 1),
    (HEAD + "3 node(s) didn't match pod anti-affinity rules.", "node_choice", 1),
    (HEAD + "3 node(s) didn't have free ports for the requested pod ports.", "host_port", 1),
    ("0/2 nodes are available: 2 node(s) had taint {a: b}, that the pod didn't tolerate.", "taint", 2),
    ("0/2 nodes are available: 2 node(s) were unschedulable.", "taint", 2),
    ("0/2 nodes are available: 2 pod has unbound immediate PersistentVolumeClaims.", "claim_unbound", 2),
    (HEAD + "3 node(s) had volume node affinity conflict.", "claim_unbound", 2),
    ('0/2 nodes are available: persistentvolumeclaim "data" not found.', "claim_missing", 1),
    ("0/2 nodes are available.", "unschedulable", 2),
]


@pytest.mark.parametrize(("message", "name", "fault"), SCHEDULER)
def test_no_node_is_explained_in_the_schedulers_words_and_never_ends_the_wait(
    message: str, name: str, fault: int
) -> None:
    """A node, a volume or an open taint may come as long as `timeout` says."""
    found = unscheduled(message)
    assert judged(found) == (name, fault, None)
    assert message in found.sentence.render("zh_CN")
    assert found.grace is None


@pytest.mark.parametrize(
    ("reason", "name"),
    [("Evicted", "evicted"), ("NodeLost", "node_lost"), ("OutOfcpu", "node_refused"), ("Odd", "other")],
)
def test_a_pod_taken_from_its_node_is_the_clusters_doing_and_is_made_again(reason: str, name: str) -> None:
    found = problems_of(pod(phase="Failed", reason=reason, message="the node was low on memory"))[0]
    assert judged(cause_of(found)) == (name, 2, None)


def test_what_no_row_knows_is_told_as_it_is() -> None:
    found = cause("PostStartHookError", "{pod} %s {0}", last=ended(1))
    assert found.sentence.render("en_US") == "PostStartHookError: {pod} %s {0}"


# --- what ends the wait ---------------------------------------------------------------------------------

HOPELESS = [
    ("ErrImagePull", "not found", 0),
    ("ErrImagePull", "unauthorized", 0),
    ("ErrImageNeverPull", "", 0),
    ("CreateContainerConfigError", 'secret "web-tls" not found', 0),
    ("RunContainerError", "no such file or directory", 0),
    ("CrashLoopBackOff", "", 9),
]


@pytest.mark.parametrize(("reason", "message", "restarts"), HOPELESS)
def test_images_configuration_and_crashes_end_the_wait_unless_the_author_says_otherwise(
    reason: str, message: str, restarts: int
) -> None:
    (problem,) = problems_of(pod(containers=[waiting(reason, message, restarts=restarts, last=ended(1))]))
    given_up, waited_for = cause_of(problem), cause_of(problem, terms=PATIENT)
    assert given_up.is_hopeless(seconds=60)
    assert given_up.grace is not None
    assert all("fail_fast" in given_up.grace.render(language) for language in LANGUAGES)
    assert not waited_for.is_hopeless(seconds=1e9)
    assert waited_for.grace is None
    assert (given_up.sentence, given_up.fault) == (waited_for.sentence, waited_for.fault)


@pytest.mark.parametrize(("terms", "advice"), [(FAIL_FAST, "set fail_fast"), (PATIENT, "longer timeout")])
def test_for_an_image_that_comes_later_nothing_is_advised_that_is_set_already(
    terms: Terms, advice: str
) -> None:
    (problem,) = problems_of(pod(containers=[waiting("ErrImagePull", "not found")]))
    assert advice in cause_of(problem, terms=terms).cure.render("en_US")


def test_what_no_registry_has_is_not_waited_for_whatever_the_author_says() -> None:
    (problem,) = problems_of(pod(containers=[waiting("InvalidImageName")]))
    assert cause_of(problem, terms=PATIENT).is_hopeless(seconds=0)


@pytest.mark.parametrize(("message", "seconds"), [('secret "x" not found', "60 s"), ("runAsNonRoot", "20 s")])
def test_the_grace_is_said(message: str, seconds: str) -> None:
    grace = cause("CreateContainerConfigError", message).grace
    assert grace is not None
    assert seconds in grace.render("en_US")


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "Error", "OOMKilled", "RunContainerError"])
def test_a_jobs_pod_may_crash_as_often_as_the_job_says(reason: str) -> None:
    (problem,) = problems_of(pod(containers=[waiting(reason, restarts=9, last=ended(1))]))
    assert cause_of(problem).is_hopeless(seconds=0)
    assert not cause_of(problem, terms=OF_A_JOB).is_hopeless(seconds=1e9)
    assert cause_of(problem, terms=OF_A_JOB).grace is None


def test_an_image_that_does_not_exist_ends_the_wait_for_a_job_too() -> None:
    """No condition of the Job's would: its pod never runs, so it never fails."""
    (problem,) = problems_of(pod(containers=[waiting("ErrImagePull", "not found")]))
    assert cause_of(problem, terms=OF_A_JOB).is_hopeless(seconds=0)


@pytest.mark.parametrize("reason", ["Evicted", "NodeLost", "OutOfcpu", ""])
def test_a_pod_that_is_over_decides_nothing(reason: str) -> None:
    over = pod(containers=[stopped(137, "OOMKilled", restarts=9)], phase="Failed", reason=reason)
    assert not any(cause_of(problem).is_hopeless(seconds=1e9) for problem in problems_of(over))


def test_what_an_application_said_last_is_read_of_a_crash_alone() -> None:
    last = ended(1, message="registry: 401 Unauthorized, exec format error")
    found = cause("ErrImagePull", "i/o timeout", last=last)
    assert found.name == "image_network"


def test_what_is_said_last_stands_in_a_line_of_its_own() -> None:
    assert (
        cause("CrashLoopBackOff", "exec format error", last=ended(1, message="bye")).name == "start_platform"
    )


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (PodProblem("p", "CrashLoopBackOff", last=Termination(3)), "exit code 3 "),
        (PodProblem("p", "Error"), "exit code ? "),
        (PodProblem("p", "SchedulingGated"), "scheduling gate: -"),
        (PodProblem("p", "SchedulingGated", role="earlier"), "earlier revision (-)"),
    ],
)
def test_what_is_not_known_of_a_pod_is_a_dash_in_its_cause(problem: PodProblem, words: str) -> None:
    assert words in cause_of(problem).sentence.render("en_US")


# --- pods that are in the way ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "message", "terms", "ends_after"),
    [
        ("ErrImagePull", "not found", FAIL_FAST, 5),
        ("CreateContainerConfigError", 'secret "x" not found', FAIL_FAST, 60),
        ("ErrImagePull", "not found", PATIENT, None),
        ("ErrImagePull", "i/o timeout", FAIL_FAST, None),
    ],
)
def test_a_pod_of_an_earlier_revision_is_named_with_its_trouble_and_is_no_fault_of_the_new_one(
    reason: str, message: str, terms: Terms, ends_after: Optional[float]
) -> None:
    (own,) = problems_of(pod(containers=[waiting(reason, message)]))
    problem = replace(own, role="earlier", revision="web-6c9f", namespace="prod")
    ((_, cause),) = diagnose([problem], terms=terms)
    assert judged(cause) == ("earlier", 2, ends_after)
    said = cause.sentence.render("en_US")
    assert "web-abc-1 is of an earlier revision (web-6c9f)" in said
    assert cause_of(own).sentence.render("en_US") in said
    assert "kubectl delete pod web-abc-1 -n prod" in cause.cure.render("zh_CN")


@pytest.mark.parametrize(
    ("reason", "message", "grace"),
    [("ErrImagePull", "not found", None), ("CreateContainerConfigError", "x", "rollout.grace_seconds")],
)
def test_what_is_in_the_way_is_given_what_it_would_be_itself_unless_that_is_nothing(
    reason: str, message: str, grace: Optional[str]
) -> None:
    (own,) = problems_of(pod(containers=[waiting(reason, message)]))
    found = cause_of(replace(own, role="earlier"))
    assert (found.grace.key if found.grace is not None else None) == grace
    assert cause_of(own).grace is not None


@pytest.mark.parametrize(
    ("patience", "urgency", "is_put_off"),
    [(None, 5.0, True), (None, float("inf"), False), (5.0, 5.0, False)],
)
def test_only_what_the_terms_keep_waiting_for_is_put_off(
    patience: Optional[float], urgency: float, *, is_put_off: bool
) -> None:
    words = say("rollout.late_image_cure")
    assert Cause("x", 1, patience, words, words, urgency=urgency).is_put_off is is_put_off


def test_below_the_partition_deleting_alone_does_not_help() -> None:
    (own,) = problems_of(pod(containers=[waiting("ErrImagePull", "not found")]))
    found = cause_of(replace(own, role="below"))
    assert found.name == "below"
    assert "partition" in found.cure.render("en_US")


def test_of_two_alike_the_one_in_the_way_comes_first() -> None:
    problems = [
        PodProblem(pod="a", reason="ErrImagePull", message="not found"),
        PodProblem(pod="b", reason="ErrImagePull", message="not found", role="earlier"),
    ]
    assert [problem.pod for problem, _ in diagnose(problems)] == ["b", "a"]


# --- workloads ------------------------------------------------------------------------------------------

QUOTA = 'pods "web-1" is forbidden: exceeded quota: small, requested: cpu=1, used: cpu=2, limited: cpu=2'
REFUSALS = [
    (QUOTA, "quota", 2),
    ('pods "web-1" is forbidden: failed quota: small: must specify limits.cpu for: web', "quota_limits", 1),
    ('admission webhook "v.example.com" denied the request:\nno root', "admission", 1),
    ('pods "web-1" is forbidden: violates PodSecurity "restricted:latest"', "admission", 1),
    (
        'pods "web-1" is forbidden: error looking up service account: serviceaccount "x" not found',
        "service_account",
        1,
    ),
    ("the server is in a bad mood", "create", 2),
]


@pytest.mark.parametrize(("message", "name", "fault"), REFUSALS)
def test_pods_that_are_not_created_are_explained_by_the_refusal(message: str, name: str, fault: int) -> None:
    live = deployment(conditions=[condition("ReplicaFailure", reason="FailedCreate", message=message)])
    found = cause_in_workload(live)
    assert found is not None
    assert (found.name, found.fault) == (name, fault)
    fields = {"reason": "FailedCreate", "message": message}
    assert found.sentence == say(f"rollout.{name}.cause", **fields)
    assert found.cure == say(f"rollout.{name}.cure", **fields)
    assert found.patience is None


def test_a_workload_without_failure_has_no_cause() -> None:
    assert cause_in_workload(deployment()) is None
    assert cause_in_workload(deployment(conditions=[condition("ReplicaFailure", "False")])) is None


@pytest.mark.parametrize(
    ("live", "name"),
    [
        (
            deployment(conditions=[condition("Progressing", "False", reason="ProgressDeadlineExceeded")]),
            "progress_deadline",
        ),
        (
            deployment(conditions=[condition("Progressing", "False", reason="ReplicaSetCreateError")]),
            "create",
        ),
        (
            workload("Job", status={"conditions": [condition("Failed", reason="DeadlineExceeded")]}),
            "job_deadline",
        ),
        (
            workload("Job", status={"conditions": [condition("Failed", reason="BackoffLimitExceeded")]}),
            "job_backoff",
        ),
        (workload("Job", status={"conditions": [condition("Failed", reason="PodFailurePolicy")]}), "other"),
        (workload("Job", status={"conditions": [condition("FailureTarget", reason="X")]}), "other"),
        (deployment(conditions=[condition("Progressing", "False", reason="FailedCreate")]), "create"),
        (deployment(updated=0, paused=True), "paused_by_spec"),
    ],
)
def test_a_workload_that_failed_by_itself_says_so(live: Object, name: str) -> None:
    found = cause_in_workload(live)
    assert found is not None
    assert found.name == name
    told = found.sentence.fields
    assert (told["name"] == "web") if name == "paused_by_spec" else (told["message"] == "-")


def test_a_silence_is_told_once_it_lasts() -> None:
    assert told_by(JOB, workload("Job"), silent_for=4.9) is None
    cause = told_by(JOB, workload("Job"), silent_for=5)
    assert cause is not None
    assert (cause.name, cause.fault, cause.patience) == ("no_pods", 2, None)
    assert "a Job does not say why" in cause.sentence.render("en_US")


def test_who_replaced_or_changed_what_this_run_deployed_is_told() -> None:
    replaced = cause_of_replacement(say("rollout.mark", version="1.0.8"), version="1.0.7")
    assert str(replaced.sentence).startswith("Another deployment replaced version 1.0.7")
    assert str(replaced.sentence).endswith("is marked with version 1.0.8.")
    changed = cause_of_change(say("rollout.changed.cause", fields="spec.replicas"))
    assert "changed spec.replicas since" in str(changed.sentence)


def test_a_workload_that_makes_no_progress_is_told_with_the_clusters_words() -> None:
    slow = condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="timed out")
    found = cause_in_workload(deployment(conditions=[slow]))
    assert found is not None
    assert found.sentence.fields["message"] == "timed out"


def test_a_quota_explains_more_than_the_deadline_it_makes_one_miss() -> None:
    live = deployment(
        conditions=[
            condition("Progressing", "False", reason="ProgressDeadlineExceeded"),
            condition("ReplicaFailure", reason="FailedCreate", message=QUOTA),
        ]
    )
    found = cause_in_workload(live)
    assert found is not None
    assert found.name == "quota"


# --- several problems, and their evidence ---------------------------------------------------------------


def test_what_cannot_heal_comes_first() -> None:
    problems = [
        PodProblem(pod="a", reason="NotReady"),
        PodProblem(pod="b", reason="Unschedulable", message="3 Insufficient cpu"),
        PodProblem(pod="d", reason="ErrImagePull", message="not found"),
        PodProblem(pod="c", reason="ErrImagePull", message="not found"),
    ]
    for terms in (FAIL_FAST, PATIENT):
        assert [problem.pod for problem, _ in diagnose(problems, terms=terms)] == ["c", "d", "b", "a"]


def test_the_evidence_is_the_clusters_own_in_order() -> None:
    problem = PodProblem(
        pod="web-abc-1",
        container="web",
        image=IMAGE,
        reason="CrashLoopBackOff",
        message="back-off 40s",
        restarts=4,
        last=Termination(1, reason="Error", message="::set-output x", finished_at="2026-01-01T00:00:09Z"),
    )
    assert [line.render("en_US") for line in evidence_of(problem)] == [
        "Pod web-abc-1, container web (image example.com/web:2): CrashLoopBackOff, restarts: 4",
        "the cluster says: back-off 40s",
        "last termination: exit code 1, Error, at 2026-01-01T00:00:09Z",
        "its last words: ::set-output x",
    ]


@pytest.mark.parametrize(
    ("last", "lines"),
    [
        (Termination(None), ["last termination: exit code ?, -, at -"]),
        (Termination(1, "Error", "back-off 40s", "9"), ["last termination: exit code 1, Error, at 9"]),
    ],
)
def test_what_nobody_knows_of_an_end_is_a_sign_and_words_are_told_once(
    last: Termination, lines: list[str]
) -> None:
    problem = PodProblem(pod="p", reason="CrashLoopBackOff", message="back-off 40s", last=last)
    assert [str(line) for line in evidence_of(problem)][2:] == lines


def test_evidence_that_is_not_there_takes_no_line() -> None:
    lines = evidence_of(PodProblem(pod="p", reason="Evicted", volumes=("Secret/tls",)))
    assert [line.render("en_US") for line in lines] == ["Pod p: Evicted", "it mounts Secret/tls"]


# --- the table and the catalogue ------------------------------------------------------------------------


def test_every_row_has_its_sentence_and_its_cure_and_no_sentence_is_left_over() -> None:
    rules = [*RULES, REPLACED, CHANGED, PAUSED, EARLIER, BELOW]
    names = {rule.name for rule in rules}
    assert len(names) == len(rules)
    assert all(known(f"rollout.{name}.{part}") for name in names for part in ("cause", "cure"))
    source = resources.files("bcs_template_set.messages").joinpath("rollout.json").read_text(encoding="utf-8")
    told = {key.rpartition(".")[0] for key in json.loads(source) if re.search(r"\.(cause|cure)$", key)}
    assert told == {*names, "gone", "going", "gone_job", "gone_ttl", "no_pods"}


@given(
    reason=st.sampled_from(sorted({reason for rule in RULES for reason in rule.reasons}))
    | st.text(max_size=5),
    message=st.text(max_size=20) | st.just("{pod} not found"),
    exit_code=st.none() | st.integers(),
    restarts=st.integers(min_value=0, max_value=9),
)
def test_any_reason_gives_a_cause_that_can_be_told(
    reason: str, message: str, exit_code: Optional[int], restarts: int
) -> None:
    problem = PodProblem(
        pod="p", reason=reason, message=message, last=Termination(exit_code), restarts=restarts, image="i"
    )
    found = cause_of(problem)
    for language in LANGUAGES:
        assert found.sentence.render(language)
        assert found.cure.render(language)


def test_of_a_very_long_message_only_the_beginning_is_searched() -> None:
    """Where words may have others between them, a search takes the square of what it reads."""
    reasons = frozenset({"FailedCreate"})
    for before, name in ((8192 - 14, "quota"), (8192 - 13, "create")):
        message = "x" * before + "exceeded quota"
        assert rule_for(reasons, message=message, exit_code=None).name == name
        problem = PodProblem(pod="p", reason="FailedCreate", message=message)
        assert cause_of(problem).name == name
