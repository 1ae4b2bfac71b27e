"""The table of kinds: what is found in it, and what a list's entry may tell by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.emulator.live_objects import THINGS
from tests.support.objects import condition, deployment

from bcs_template_set.manifests.custom_kinds import (
    CUSTOM,
    GAME_DEPLOYMENT,
    GAME_STATEFUL_SET,
    HOOK_RUN,
    ROLLOUT,
)
from bcs_template_set.manifests.declared_kinds import definition_names
from bcs_template_set.manifests.kind_entry import SELECTOR, Kind
from bcs_template_set.manifests.kind_rules import Counts
from bcs_template_set.manifests.kinds import (
    BUILT_IN,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    INGRESS,
    JOB,
    KINDS,
    LISTED,
    POD,
    SCALING,
    SHARED_KINDS,
    STATEFUL_SET,
    kind_of,
)
from bcs_template_set.manifests.schema.field_types import field_types, fields_below
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.watched import status_of

Object = dict[str, YamlValue]
WATCHED = tuple(kind for kind in dict.fromkeys(KINDS.values()) if kind.rule is not None)


@pytest.mark.parametrize(
    ("api_version", "name", "kind"),
    [
        ("apps/v1", "Deployment", DEPLOYMENT),
        ("apps/v1beta2", "Deployment", DEPLOYMENT),
        ("extensions/v1beta1", "Deployment", DEPLOYMENT),
        ("networking.k8s.io/v1", "Ingress", INGRESS),
        ("extensions/v1beta1", "Ingress", INGRESS),
        ("v1", "Pod", POD),
        ("", "CronJob", CRON_JOB),
        ("{{ GROUP }}/v1", "Job", JOB),
        ("argoproj.io/v1alpha1", "Rollout", ROLLOUT),
        ("tkex.tencent.com/v1alpha1", "GameDeployment", GAME_DEPLOYMENT),
        ("tkex.tencent.com/v1", "GameStatefulSet", GAME_STATEFUL_SET),
        ("example.com/v1", "Rollout", None),
        ("", "GameDeployment", None),
        ("apps.example.com/v1", "Deployment", None),
        ("v1", "Deployment", DEPLOYMENT),
        ("apps/v1", "deployment", None),
        ("v1", "", None),
    ],
)
def test_a_kind_is_found_by_its_group_and_name(api_version: str, name: str, kind: Kind | None) -> None:
    assert kind_of(api_version, name) is kind


def test_no_entry_hides_another() -> None:
    known = (*BUILT_IN, *CUSTOM)
    assert len(KINDS) == sum(1 + len(kind.former_groups) for kind in known)
    assert set(KINDS.values()) == set(known)


def test_what_is_waited_for_can_be_read_and_its_pods_can_be_found() -> None:
    assert (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB, *CUSTOM) == WATCHED
    assert all(kind.route and kind.pod_template for kind in WATCHED)
    assert all(kind.revision for kind in WATCHED if kind != CRON_JOB)


def test_every_custom_kind_is_read_by_the_name_of_its_definition() -> None:
    for kind in (*CUSTOM, HOOK_RUN):
        assert kind.is_custom
        assert kind.route == f"crds/{definition_names(kind.group, kind.name)[0]}"


def test_bcs_serves_and_lists_each_kind_by_its_route() -> None:
    served = {thing.path: thing.kind for thing in THINGS}
    routes = {kind.route: kind.name for kind in BUILT_IN if kind.route}
    assert routes == {**served, "workloads/replicasets": "ReplicaSet"}
    assert {kind.name for kind in LISTED} == {*served.values()} - {"Pod"}
    assert not any(kind.is_custom for kind in BUILT_IN)


@pytest.mark.parametrize("kind", [*BUILT_IN, *CUSTOM], ids=lambda kind: kind.name)
def test_kubernetes_own_schemas_have_each_kind_in_its_groups_and_its_pods_in_their_place(kind: Kind) -> None:
    types = field_types()
    groups = [title.rpartition(" ")[0] for title in types.kinds if title.endswith(f" {kind.name}")]
    assert {group.rpartition("/")[0] for group in groups} == {kind.group, *kind.former_groups}
    entry = types.entry(types.api_versions_of(kind.name, types.versions)[0], kind.name)
    assert entry is not None
    below = fields_below(types, entry.type, most=6)
    specs = next((path for name, path in below if name == "containers"), None)
    assert specs == (None if kind.pod_template is None else f"{kind.pod_template}.spec".lstrip("."))


def test_some_things_are_true_of_a_few_kinds_alone() -> None:
    def names(is_true: Callable[[Kind], object]) -> str:
        return " ".join(kind.name for kind in (*BUILT_IN, *CUSTOM) if is_true(kind))

    assert names(lambda kind: kind.scales) == "Deployment StatefulSet GameDeployment GameStatefulSet Rollout"
    assert names(lambda kind: kind.scales) == " ".join(SCALING)
    assert names(lambda kind: kind.in_turn) == "StatefulSet GameStatefulSet"
    assert names(lambda kind: kind.ends) == "Job"
    assert names(lambda kind: not kind.has_generation) == "Job CronJob"
    assert names(lambda kind: kind.fixed) == "Deployment StatefulSet DaemonSet"
    assert names(lambda kind: kind.has_selector) == (
        "Deployment StatefulSet DaemonSet ReplicaSet GameDeployment GameStatefulSet Rollout"
    )
    assert names(lambda kind: kind.runs) == "GameDeployment GameStatefulSet"
    assert names(lambda kind: kind.is_guessed) == ""
    assert {kind.name: kind.kept for kind in BUILT_IN if kind.kept} == {
        "Job": "selector",
        "PersistentVolumeClaim": "volumeName",
    }


@pytest.mark.parametrize("kind", [kind for kind in WATCHED if kind != CRON_JOB], ids=lambda kind: kind.name)
def test_what_has_no_status_tells_nothing(kind: Kind) -> None:
    assert status_of(kind, {"metadata": {"generation": 1}}).sentence.key == "rollout.no_status"


@pytest.mark.parametrize("kind", WATCHED, ids=lambda kind: kind.name)
def test_a_whole_object_has_a_generation_but_of_jobs_on_older_clusters(kind: Kind) -> None:
    is_cut_down = status_of(kind, {"status": {}}).sentence.key == "rollout.no_status"
    assert is_cut_down == (kind not in (JOB, CRON_JOB))


def test_a_cron_job_counts_no_pods() -> None:
    assert CRON_JOB.rule is not None
    assert CRON_JOB.rule.counts({"spec": {"replicas": 1}}) == Counts(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "live", "labels", "newest"),
    [
        (
            DEPLOYMENT,
            deployment(conditions=[condition("Progressing", message='ReplicaSet "web-7d9" has progressed.')]),
            ["pod-template-hash"],
            "7d9",
        ),
        (
            DEPLOYMENT,
            deployment(conditions=[condition("Progressing", message='Created new replica set "web-7d9"')]),
            ["pod-template-hash"],
            "7d9",
        ),
        (
            DEPLOYMENT,
            deployment(conditions=[condition("Progressing", message='ReplicaSet "shop-7d9" is there.')]),
            ["pod-template-hash"],
            "",
        ),
        (DEPLOYMENT, deployment(), ["pod-template-hash"], ""),
        (STATEFUL_SET, {"status": {"updateRevision": "web-2"}}, ["controller-revision-hash"], "web-2"),
        (
            DAEMON_SET,
            {"metadata": {"annotations": {"deprecated.daemonset.template.generation": "4"}}},
            ["pod-template-generation"],
            "4",
        ),
        (
            JOB,
            {"metadata": {"uid": "a-b"}},
            ["batch.kubernetes.io/controller-uid", "controller-uid"],
            "a-b",
        ),
        (GAME_DEPLOYMENT, {"status": {"updateRevision": "web-2"}}, ["controller-revision-hash"], "web-2"),
        (ROLLOUT, {"status": {"currentPodHash": "7d9"}}, ["rollouts-pod-template-hash"], "7d9"),
    ],
)
def test_the_newest_pods_have_a_label_with_what_their_workload_says(
    kind: Kind, live: Object, labels: list[str], newest: str
) -> None:
    assert kind.revision is not None
    assert (list(kind.revision.labels), kind.revision.newest(live)) == (labels, newest)


def test_shared_clusters_take_the_kinds_of_trap_9() -> None:
    assert sorted(SHARED_KINDS) == [
        *("ConfigMap", "CronJob", "Deployment", "Endpoints", "HorizontalPodAutoscaler", "Ingress", "Job"),
        *("Namespace", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount", "StatefulSet"),
    ]


def entry(*, spec: Object | None = None, **status: YamlValue) -> Object:
    return {"metadata": {"name": "web"}, "spec": spec or {}, "status": status}


TWO: Object = {"replicas": 2}
FROM_ONE: Object = {**TWO, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}


@pytest.mark.parametrize(
    ("kind", "item", "is_told"),
    [
        (DEPLOYMENT, entry(updatedReplicas=1, availableReplicas=1), True),
        (DEPLOYMENT, entry(spec=TWO, updatedReplicas=2, availableReplicas=1), False),
        (DEPLOYMENT, entry(spec=TWO, updatedReplicas=1, availableReplicas=2), False),
        (DEPLOYMENT, entry(spec={"replicas": 0}), True),
        (DEPLOYMENT, {}, False),
        (STATEFUL_SET, entry(spec=TWO, updatedReplicas=2, readyReplicas=2), True),
        (STATEFUL_SET, entry(spec=TWO, updatedReplicas=2, readyReplicas=1), False),
        (STATEFUL_SET, entry(spec=FROM_ONE, updatedReplicas=1, readyReplicas=2), True),
        (DAEMON_SET, entry(desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=2), True),
        (DAEMON_SET, entry(desiredNumberScheduled=2, updatedNumberScheduled=1, numberAvailable=2), False),
        (JOB, entry(conditions=[{"type": "Failed"}]), True),
        (JOB, entry(conditions=[]), False),
        (JOB, entry(), False),
        (POD, entry(phase="Running"), False),
    ],
)
def test_an_entry_of_a_list_may_be_done_by_the_counts_of_its_kind(
    kind: Kind,
    item: Object,
    is_told: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert kind.may_be_done(item) is is_told


@pytest.mark.parametrize("kind", [kind for kind in WATCHED if kind.done_in_list], ids=lambda kind: kind.name)
def test_a_kind_of_which_lists_tell_nothing_is_never_taken_for_done(kind: Kind) -> None:
    done = entry(desiredNumberScheduled=1)
    done["status"] = {**dict.fromkeys(kind.done_in_list, 9), "conditions": [{"type": "Complete"}]}
    assert kind.may_be_done(done)
    assert not kind._replace(done_in_list=()).may_be_done(done)


def test_some_fields_are_asked_for_beside_selectors() -> None:
    asked = {
        kind.name: [field for field in kind.required if field != SELECTOR]
        for kind in (*BUILT_IN, *CUSTOM)
        if {*kind.required} - {SELECTOR}
    }
    assert asked == {
        "CronJob": ["spec.schedule"],
        "Service": ["spec"],
        "Ingress": ["spec"],
        "GameStatefulSet": ["spec.serviceName"],
    }


@pytest.mark.parametrize(
    ("kind", "spec", "has_own"),
    [
        (ROLLOUT, {"workloadRef": {"kind": "Deployment", "name": "web"}}, False),
        (ROLLOUT, {"workloadRef": {}, "template": {}}, True),
        (ROLLOUT, {}, True),
        (DEPLOYMENT, {"workloadRef": {"name": "web"}}, True),
    ],
)
def test_a_rollout_may_take_its_template_from_another_workload(
    kind: Kind, spec: Object, *, has_own: bool
) -> None:
    assert kind.has_own_template({"spec": spec}) is has_own


def test_pods_are_selected_by_labels_as_the_schema_has_them() -> None:
    types = field_types()
    entry = types.entry("apps/v1", "Deployment")
    assert entry is not None
    path, _, name = SELECTOR.rpartition(".")
    assert (name, path) in fields_below(types, entry.type, most=2)
