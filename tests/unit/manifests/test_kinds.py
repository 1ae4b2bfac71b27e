"""The table of kinds: what is found in it, and what a list's entry may tell by it."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.custom_kinds import CUSTOM, GAME_DEPLOYMENT, GAME_STATEFUL_SET, ROLLOUT
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import (
    BUILT_IN,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    INGRESS,
    JOB,
    KINDS,
    POD,
    SHARED_KINDS,
    STATEFUL_SET,
    kind_of,
)
from bcs_template_set.manifests.yaml_reading import YamlValue

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
    assert all(kind.is_custom and kind.route.endswith(f".{kind.group}") for kind in CUSTOM)


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
