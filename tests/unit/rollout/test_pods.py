from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.objects import Object, condition, ended, pod, running, stopped, waiting

from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.causes import cause_of, evidence_of
from bcs_template_set.rollout.pods import PodProblem, Termination, ending_of, problems_of, remember

UNSCHEDULABLE = condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes are available")
GATES = condition("Ready", "False", reason="ReadinessGatesNotReady", message="clb is not ready")


UNREADY = condition(
    "Ready", "False", reason="ContainersNotReady", message="containers with unready status: [web]"
)


def seen(body: Object) -> PodProblem:
    """What most keeps a pod from being ready."""
    return problems_of(body)[0]


# --- which trouble --------------------------------------------------------------------------------------

PODS: list[tuple[str, Object, Optional[str]]] = [
    ("well", pod(containers=[running()]), None),
    ("well after restarts", pod(containers=[running(restarts=5, last=ended(1))]), None),
    ("done", pod(phase="Succeeded", containers=[stopped(0, "Completed")]), None),
    ("waiting with a reason", pod(containers=[waiting("ImagePullBackOff", "why")]), "ImagePullBackOff"),
    ("waits for nothing that is said", pod(containers=[waiting("")]), None),
    ("ended and not restarted yet", pod(containers=[stopped(1)]), "Error"),
    ("ended well, but meant to run", pod(containers=[stopped(0, "Completed")]), "Completed"),
    ("ended well, as a Job's does", pod(containers=[stopped(0)], spec={"restartPolicy": "Never"}), None),
    (
        "ended well, and is told to go on",
        pod(containers=[stopped(0, "")], spec={"restartPolicy": "Always"}),
        "Completed",
    ),
    ("ended well in its own words", pod(containers=[stopped(0, "Done")]), "Done"),
    ("failed, as a Job's does", pod(containers=[stopped(1)], spec={"restartPolicy": "Never"}), "Error"),
    ("failed without a word", pod(containers=[stopped(1, "")], spec={"restartPolicy": "Never"}), "Error"),
    (
        "init failed",
        pod(phase="Pending", init=[stopped(1)], containers=[waiting("PodInitializing")]),
        "Error",
    ),
    ("not ready for its containers' sake", pod(containers=[running()], conditions=[UNREADY]), None),
    ("not ready after restarts unknown", pod(containers=[running(ready=False, restarts=1)]), "NotReady"),
    ("not ready after an end unknown", pod(containers=[running(ready=False, last=ended(1))]), "NotReady"),
    (
        "held back",
        pod(phase="Pending", conditions=[condition("PodScheduled", "False", reason="SchedulingGated")]),
        "SchedulingGated",
    ),
    (
        "no node, no reason",
        pod(phase="Pending", conditions=[condition("PodScheduled", "False")]),
        "Unschedulable",
    ),
    ("killed", pod(containers=[stopped(137, "OOMKilled")]), "OOMKilled"),
    ("runs, not ready", pod(containers=[running(ready=False)]), "NotReady"),
    ("runs after a crash", pod(containers=[running(ready=False, restarts=1, last=ended(1))]), "Restarted"),
    ("no node", pod(phase="Pending", conditions=[UNSCHEDULABLE]), "Unschedulable"),
    ("gate closed", pod(containers=[running()], conditions=[GATES]), "ReadinessGatesNotReady"),
    ("evicted", pod(phase="Failed", reason="Evicted", message="low on memory"), "Evicted"),
    ("being prepared", pod(phase="Pending", containers=[waiting("ContainerCreating")]), "ContainerCreating"),
    ("not yet known to a node", pod(phase="Pending"), "ContainerCreating"),
    (
        "preparation with words",
        pod(phase="Pending", containers=[waiting("ContainerCreating", "mount failed")]),
        "ContainerCreating",
    ),
    (
        "init runs",
        pod(
            phase="Pending",
            init=[{**running(), "name": "i"}],
            containers=[waiting("PodInitializing")],
            spec={"initContainers": [{"name": "i"}]},
        ),
        "InitRunning",
    ),
    (
        "init crashes",
        pod(phase="Pending", init=[waiting("CrashLoopBackOff")], containers=[waiting("PodInitializing")]),
        "CrashLoopBackOff",
    ),
]


@pytest.mark.parametrize(("body", "reason"), [row[1:] for row in PODS], ids=[row[0] for row in PODS])
def test_a_pods_trouble_is_named_by_its_reason(body: Object, reason: Optional[str]) -> None:
    assert [found.reason for found in problems_of(body)[:1]] == ([reason] if reason else [])


def test_a_sidecar_that_runs_is_no_init_container_that_has_not_finished() -> None:
    body = pod(
        init=[{**running(), "name": "proxy"}],
        containers=[running()],
        spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
    )
    assert problems_of(body) == ()


def test_a_pod_that_is_being_deleted_is_not_blamed() -> None:
    body = pod(containers=[waiting("CrashLoopBackOff")])
    body["metadata"] = {"name": "web-abc-1", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert problems_of(body) == ()


def test_everything_needed_to_tell_the_story_is_in_the_problem() -> None:
    crashed = waiting(
        "CrashLoopBackOff", "back-off 40s restarting", restarts=4, last=ended(127, message="sh: x")
    )
    assert seen(pod(containers=[crashed])) == PodProblem(
        pod="web-abc-1",
        uid="u1",
        phase="Running",
        container="web",
        image="example.com/web:2",
        reason="CrashLoopBackOff",
        message="back-off 40s restarting",
        last=Termination(127, reason="Error", message="sh: x", finished_at="2026-01-01T00:00:09Z"),
        restarts=4,
    )


def test_a_pod_that_was_told_to_stop_says_where_it_is_and_what_may_hold_it() -> None:
    body = pod(spec={"nodeName": "node-1"})
    assert (ending_of(body).reason, ending_of(body).message) == ("Terminating", "nodeName: node-1")
    assert ending_of(pod()).message == "nodeName: -"


def test_what_is_not_told_of_a_trouble_is_not_claimed() -> None:
    found = PodProblem("web", "Evicted")
    texts = (found.message, found.container, found.image, found.phase, found.uid, found.probe, found.revision)
    assert (*texts, found.namespace) == ("",) * 8
    assert (found.is_init, found.is_running, found.restarts, found.restarts_before) == (False, False, 0, 0)
    assert (found.last, found.volumes, found.role) == (None, (), "new")
    assert Termination(1) == Termination(1, "", "", "")


def test_an_init_containers_trouble_is_told_as_that() -> None:
    body = pod(init=[waiting("ErrImagePull", "not found")], containers=[waiting("PodInitializing")])
    assert seen(body).is_init
    assert "init container web" in evidence_of(seen(body))[0].render("en_US")


BLOCKED = waiting("CreateContainerConfigError", 'secret "x" not found')
MOUNTS = waiting("ContainerCreating", "mount failed")
CRASHED, LATE, INIT = running(ready=False, restarts=1, last=ended(1)), running(ready=False), running()


@pytest.mark.parametrize(
    ("body", "reasons"),
    [
        (pod(containers=[LATE, BLOCKED]), ["CreateContainerConfigError", "NotReady"]),
        (pod(containers=[CRASHED, BLOCKED]), ["CreateContainerConfigError", "Restarted"]),
        (pod(containers=[LATE, CRASHED]), ["Restarted", "NotReady"]),
        (pod(containers=[LATE], conditions=[GATES]), ["ReadinessGatesNotReady", "NotReady"]),
        (pod(init=[INIT], containers=[LATE]), ["NotReady", "InitRunning"]),
        (pod(init=[INIT], containers=[MOUNTS]), ["InitRunning", "ContainerCreating"]),
        (pod(init=[MOUNTS, INIT]), ["ContainerCreating", "InitRunning"]),
    ],
)
def test_what_blocks_a_pod_comes_before_what_is_only_late(body: Object, reasons: list[str]) -> None:
    assert [found.reason for found in problems_of(body)] == reasons


def test_a_trouble_is_told_in_the_clusters_words_and_says_where_it_is() -> None:
    evicted = pod(phase="Failed", reason="Evicted", message="low on memory")
    evicted["metadata"] = {"name": "web-abc-1", "namespace": "prod"}
    assert (seen(evicted).message, seen(evicted).namespace) == ("low on memory", "prod")
    assert seen(pod(containers=[LATE], conditions=[UNREADY])).message.startswith("containers with unready")
    assert seen(pod(containers=[CRASHED], conditions=[UNREADY])).message == ""
    assert seen(pod(init=[INIT])).is_running
    assert seen(pod(phase="Pending")).message == ""


@pytest.mark.parametrize(
    ("name", "image"), [("web", "example.com/web:2"), ("migrate", "example.com/sql:1"), ("other", "as/run:3")]
)
def test_an_image_is_called_as_the_manifest_says_or_else_as_the_node_does(name: str, image: str) -> None:
    status: Object = {**LATE, "name": name, "image": "as/run:3"}
    spec: Object = {"initContainers": [{"name": "migrate", "image": "example.com/sql:1"}]}
    assert seen(pod(containers=[status], spec=spec)).image == image


@pytest.mark.parametrize(
    ("probe", "shown"),
    [
        ({"httpGet": {"path": "/healthz", "port": 80}}, "GET :80/healthz"),
        ({"tcpSocket": {"port": "http"}}, "TCP :http"),
        ({"grpc": {"port": 9000}}, "gRPC :9000"),
        ({"exec": {"command": ["cat", "/ok"]}}, "exec cat /ok"),
        (None, ""),
    ],
)
def test_a_container_that_is_not_ready_names_its_probe(probe: YamlValue, shown: str) -> None:
    spec: Object = {"containers": [{"name": "web", "image": "web:2", "readinessProbe": probe}]}
    assert seen(pod(containers=[running(ready=False)], spec=spec)).probe == shown


def test_a_pod_that_is_being_prepared_names_what_it_mounts() -> None:
    volumes: YamlValue = [
        {"name": "a", "secret": {"secretName": "tls"}},
        {"name": "b", "configMap": {"name": "conf"}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "d", "hostPath": {"path": "/data"}},
        {"name": "e", "emptyDir": {}},
    ]
    found = seen(pod(phase="Pending", spec={"volumes": volumes}))
    assert found.volumes == ("Secret/tls", "ConfigMap/conf", "PersistentVolumeClaim/data", "hostPath /data")


# --- from poll to poll ----------------------------------------------------------------------------------

BARE = 'Back-off pulling image "example.com/web:2"'
WHY = "rpc error: code = NotFound desc = example.com/web:2: not found"


def test_a_pull_keeps_its_cause_while_it_is_backed_off() -> None:
    first = seen(pod(containers=[waiting("ErrImagePull", WHY)]))
    later = seen(pod(containers=[waiting("ImagePullBackOff", BARE)]))
    assert first.key == later.key == ("u1", "web", "ImagePullBackOff")
    assert seen(pod(containers=[BLOCKED])).key == ("u1", "web", "CreateContainerConfigError")
    assert cause_of(later).name == "image_pull"
    assert cause_of(remember(later, earlier=first)).name == "image_not_found"


@pytest.mark.parametrize(
    "reason", ["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"]
)
def test_all_that_keeps_an_image_away_is_one_trouble(reason: str) -> None:
    assert seen(pod(containers=[waiting(reason)])).key == ("u1", "web", "ImagePullBackOff")


def test_a_backoff_that_says_why_needs_no_memory() -> None:
    first = seen(pod(containers=[waiting("ErrImagePull", WHY)]))
    later = seen(pod(containers=[waiting("ImagePullBackOff", f"{BARE}: ErrImagePull: unauthorized")]))
    assert remember(later, earlier=first) is later


def test_another_pods_or_images_cause_is_not_remembered() -> None:
    first = seen(pod(containers=[waiting("ErrImagePull", WHY)]))
    later = seen(pod(containers=[waiting("ImagePullBackOff", BARE)]))
    assert remember(later, earlier=None) is later
    assert remember(replace(later, uid="u2"), earlier=first).message == BARE
    moved = seen(
        pod(
            containers=[waiting("ImagePullBackOff", BARE)],
            spec={"containers": [{"name": "web", "image": "example.com/web:3"}]},
        )
    )
    assert remember(moved, earlier=first) is moved
    crashed = seen(pod(containers=[waiting("CrashLoopBackOff", "back-off")]))
    assert remember(crashed, earlier=first) is crashed


# --- garbage --------------------------------------------------------------------------------------------

KEYS = [
    "metadata",
    "spec",
    "status",
    "phase",
    "reason",
    "message",
    "conditions",
    "type",
    "containerStatuses",
    "initContainerStatuses",
    "name",
    "state",
    "waiting",
    "running",
    "terminated",
    "exitCode",
    "lastState",
    "restartCount",
    "ready",
    "containers",
    "image",
    "volumes",
    "secret",
    "readinessProbe",
]
GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "Pending", "False", "Ready"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(body=st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), GARBAGE))
def test_any_pod_at_all_gives_problems_that_can_be_told(body: Object) -> None:
    for problem in problems_of(body):
        lines = [cause_of(problem).sentence, cause_of(problem).cure, *evidence_of(problem)]
        assert all(line.render("zh_CN") for line in lines)
