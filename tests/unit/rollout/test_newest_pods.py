from __future__ import annotations

from typing import Optional

from hypothesis import given
from hypothesis import strategies as st
from tests.support.objects import Object, condition, deployment, workload

from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DAEMON_SET, DEPLOYMENT, JOB, STATEFUL_SET
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.newest_pods import (
    PodSummary,
    Suspect,
    newest_pods,
    read_summaries,
    selected_pods,
)

NAMED = condition("Progressing", reason="ReplicaSetUpdated", message='ReplicaSet "web-new" is progressing.')


def listed(*pods: tuple[str, Object, Object]) -> tuple[PodSummary, ...]:
    """Return the summaries of a list as BCS answers it: uid, labels, note."""
    items: list[YamlValue] = [
        {"metadata": {"name": f"web-{uid}", "uid": uid, "labels": labels}, "status": {"hostIP": "10.0.0.1"}}
        for uid, labels, _ in pods
    ]
    return read_summaries({"items": items}, {uid: note for uid, _, note in pods})


def note(created: str, *, status: str = "Running", images: Optional[list[YamlValue]] = None) -> Object:
    return {
        "createTime": f"2026-01-01T00:00:{created}Z",
        "status": status,
        "images": images or [],
        "readyCnt": 1.0 if status == "Running" else 0.0,
        "totalCnt": 1.0,
    }


def of(label: str, value: str) -> Object:
    return {"k8s-app": "web", label: value}


HASH = "pod-template-hash"
OLD_AND_NEW = listed(
    ("old", of(HASH, "old"), note("30", status="CrashLoopBackOff")),
    ("new", of(HASH, "new"), note("20", status="ContainerCreating")),
    ("newer", of(HASH, "new"), note("25")),
)


def names(pods: tuple[PodSummary, ...]) -> list[str]:
    return [pod.uid for pod in pods]


def test_a_list_is_read_from_what_bcs_leaves_of_it() -> None:
    old, new, newer = OLD_AND_NEW
    assert (old.name, old.state, old.is_ready, old.is_going) == ("web-old", "CrashLoopBackOff", False, False)
    assert new.label("nothing", HASH) == "new"
    assert newer.is_ready
    pod: Object = {"metadata": {"name": "a", "uid": "u", "creationTimestamp": "10:00"}}
    (bare,) = read_summaries({"items": [pod]}, {"u": {"images": ["web:1", 7]}})
    assert (bare.created, bare.images) == ("10:00", ("web:1",))
    assert Suspect(bare).role == "new"


def test_the_replica_set_that_the_deployment_names_has_the_newest_pods() -> None:
    assert names(newest_pods(OLD_AND_NEW, kind=DEPLOYMENT, live=deployment(conditions=[NAMED]))) == [
        "newer",
        "new",
    ]


def test_before_the_new_spec_is_observed_nobody_is_blamed() -> None:
    live = deployment(conditions=[NAMED])
    live["metadata"] = {"name": "web", "generation": 3}
    assert newest_pods(OLD_AND_NEW, kind=DEPLOYMENT, live=live) == ()


def test_when_the_newest_set_has_no_pods_yet_old_ones_do_not_stand_in() -> None:
    assert newest_pods(OLD_AND_NEW[:1], kind=DEPLOYMENT, live=deployment(conditions=[NAMED])) == ()


def test_without_a_named_set_the_pod_made_last_tells_the_revision() -> None:
    assert names(newest_pods(OLD_AND_NEW, kind=DEPLOYMENT, live=deployment())) == ["old"]


def test_another_deployments_replica_set_is_no_word_for_ours() -> None:
    other = condition("Progressing", message='ReplicaSet "other-new" is progressing.')
    assert names(newest_pods(OLD_AND_NEW, kind=DEPLOYMENT, live=deployment(conditions=[other]))) == ["old"]


def test_pods_on_their_way_out_are_left_out() -> None:
    pods = listed(
        ("a", of(HASH, "new"), note("20", status="Terminating")), ("b", of(HASH, "new"), note("10"))
    )
    assert names(newest_pods(pods, kind=DEPLOYMENT, live=deployment(conditions=[NAMED]))) == ["b"]


def test_after_a_roll_back_the_failed_sets_pods_are_known_by_their_image() -> None:
    template: Object = {"spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]}}
    pods = listed(
        (
            "bad",
            of(HASH, "new"),
            note("20", status="ImagePullBackOff", images=["registry.example.com/web:2"]),
        ),
    )
    assert newest_pods(pods, kind=DEPLOYMENT, live=deployment(conditions=[NAMED], template=template)) == ()


def test_a_mirror_of_the_registry_or_an_injected_sidecar_makes_no_other_image() -> None:
    template: Object = {"spec": {"containers": [{"name": "web", "image": "registry.example.com/a/web:1"}]}}
    pods = listed(("p", of(HASH, "new"), note("20", images=["mirror.example.net/x/web:1", "proxy:3"])))
    assert names(
        newest_pods(pods, kind=DEPLOYMENT, live=deployment(conditions=[NAMED], template=template))
    ) == ["p"]


def test_a_kind_without_revisions_has_the_pods_that_were_made_last_if_there_are_any() -> None:
    assert names(newest_pods(OLD_AND_NEW, kind=JOB, live=workload("Job"))) == ["old"]
    assert newest_pods([], kind=JOB, live=workload("Job")) == ()


def test_of_a_paused_deployment_whatever_runs_is_old() -> None:
    live = deployment(conditions=[NAMED], paused=True)
    assert newest_pods(OLD_AND_NEW, kind=DEPLOYMENT, live=live) == ()


def test_a_pod_that_names_no_set_and_a_container_without_image_rule_nothing_out() -> None:
    template: Object = {"spec": {"containers": [{"name": "web"}]}}
    pods = listed(("p", {"k8s-app": "web"}, note("20", images=["web:2"])))
    live = deployment(conditions=[NAMED], template=template)
    assert names(newest_pods(pods, kind=DEPLOYMENT, live=live)) == ["p"]
    assert newest_pods((), kind=DEPLOYMENT, live=deployment()) == ()


def test_a_selector_selects_the_pod_that_has_its_labels_and_no_others() -> None:
    live: Object = {"spec": {"selector": {"matchLabels": {"k8s-app": "web"}}}}
    pods = listed(("p", {"k8s-app": "web"}, note("20")), ("q", {"k8s-app": "api"}, note("20")))
    assert [pod.uid for pod in selected_pods(pods, live)] == ["p"]


def test_a_stateful_sets_update_revision_tells_its_new_pods() -> None:
    pods = listed(
        ("0", of("controller-revision-hash", "web-1"), note("59")),
        ("1", of("controller-revision-hash", "web-2"), note("01")),
    )
    live = workload("StatefulSet", status={"updateRevision": "web-2", "currentRevision": "web-1"})
    assert names(newest_pods(pods, kind=STATEFUL_SET, live=live)) == ["1"]


def test_a_daemon_sets_template_generation_tells_its_new_pods() -> None:
    pods = listed(
        ("a", of("pod-template-generation", "1"), note("59")),
        ("b", of("pod-template-generation", "2"), note("01")),
    )
    live = workload("DaemonSet", annotations={"deprecated.daemonset.template.generation": "2"})
    assert names(newest_pods(pods, kind=DAEMON_SET, live=live)) == ["b"]


def test_a_jobs_pods_are_those_of_its_own_uid() -> None:
    pods = listed(
        ("before", of("controller-uid", "j0"), note("10")),
        ("first", of("controller-uid", "j1"), note("20")),
        ("second", of("batch.kubernetes.io/controller-uid", "j1"), note("30")),
    )
    live: Object = {"metadata": {"name": "web", "uid": "j1", "generation": 1}, "status": {}}
    assert names(newest_pods(pods, kind=JOB, live=live)) == ["second", "first"]


ANYTHING = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["items", "metadata", "uid", "labels", "status", "images", "readyCnt", "spec", "u"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    items=st.lists(ANYTHING, max_size=4),
    notes=st.dictionaries(st.sampled_from(["", "u"]), ANYTHING),
    live=st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), ANYTHING),
    kind=st.sampled_from([DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB]),
)
def test_any_list_at_all_can_be_chosen_from(
    items: list[YamlValue], notes: Object, live: Object, kind: Kind
) -> None:
    pods = read_summaries({"items": items}, notes)
    assert set(newest_pods(pods, kind=kind, live=live)) <= set(pods)
