"""What the schema's codes mean, and what it tells of kinds, groups and versions."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.manifests.schema.field_types import Field, KubeVersions, field_types, fields_below

WORDS = (("a", "b"), ("c",))
NONE = type(None)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("s", {"letter": "s", "plain": {str}, "settled": {str, NONE}, "of": -1}),
        ("i", {"letter": "i", "plain": {int}, "settled": {int, NONE}}),
        ("n", {"plain": {int, float}}),
        ("b", {"plain": {bool}}),
        ("x", {"plain": {str, int}}),
        ("j", {"plain": {str, int, float, bool, list, dict}}),
        ("q", {"plain": {str, int, float}, "form": "quantity", "settled": {NONE}}),
        ("q~amount", {"plain": {str, int, float}, "form": "amount"}),
        ("!s", {"is_required": True, "letter": "s", "settled": {str, NONE}}),
        ("[s", {"around": "[", "letter": "s", "plain": {str}, "settled": {NONE}}),
        ("{[7", {"around": "{[", "letter": "", "of": 7, "plain": set(), "settled": {NONE}}),
        ("7", {"around": "", "letter": "", "of": 7, "settled": {NONE}, "is_required": False}),
        ("0", {"letter": "", "of": 0}),
        ("s=0", {"words": ("a", "b"), "settled": {NONE}}),
        ("s=1", {"words": ("c",)}),
        ("s~path", {"form": "path", "words": (), "settled": {NONE}}),
        ("i~1..", {"form": "1..", "settled": {NONE}}),
        ("i~0..100", {"form": "0..100"}),
        ("s+28", {"since": 28, "until": 0, "settled": {NONE}}),
        ("s-21", {"since": 0, "until": 21, "settled": {NONE}}),
        ("![{3~port+22-30", {"is_required": True, "around": "[{", "of": 3, "form": "port", "since": 22}),
    ],
)
def test_a_code_says_what_a_field_holds(code: str, told: dict[str, object]) -> None:
    field = Field(code, WORDS)
    assert {name: getattr(field, name) for name in told} == told


@pytest.mark.parametrize(
    ("since", "until", "has"),
    [
        (0, 0, True),
        (24, 0, True),
        (25, 0, False),
        (0, 22, True),
        (0, 21, False),
        (23, 23, True),
        (1, 1, False),
    ],
)
def test_some_of_these_kubernetes_have_what_came_and_went(since: int, until: int, *, has: bool) -> None:
    assert KubeVersions(22, 24).has(since, until) is has


@pytest.mark.parametrize(
    ("text", "last"),
    [("1.22", 22), ("v1.22.3", 22), ("1.22-tke", 22), ("1.2", 2), ("2.22", 37), ("1.1234", 37)],
)
def test_a_version_is_read_as_a_person_writes_it_and_what_is_none_is_every_version(
    text: str, last: int
) -> None:
    assert field_types().wanted(text).last == last


def test_of_several_api_versions_the_most_settled_come_first() -> None:
    types = field_types()
    assert types.api_versions_of("CronJob", types.versions) == [
        *("batch/v1", "batch/v1beta1", "batch/v2alpha1")
    ]
    assert types.api_versions_of("CronJob", KubeVersions(21, 22)) == ["batch/v1", "batch/v1beta1"]
    assert types.api_versions_of("HorizontalPodAutoscaler", types.versions) == [
        *("autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta1", "autoscaling/v2beta2")
    ]
    assert types.api_versions_of("Job", KubeVersions(30, 30)) == ["batch/v1"]
    settled = types.api_versions_of("ClusterTrustBundle", types.versions)
    assert settled == [f"certificates.k8s.io/v1{rest}" for rest in ("", "beta1", "alpha1")]


def test_the_kinds_of_a_group_and_version_are_its_own() -> None:
    types = field_types()
    assert {"CronJob", "Job"} <= {*types.kinds_in("batch/v1")}
    assert "Deployment" not in types.kinds_in("v1")
    assert types.kinds_in("batch/v") == []
    assert {"CronJob", "Deployment", "Pod"} <= {*types.all_kinds()}


GROUPS = [
    ("v1", "Pod", True, True),
    ("v9", "Thing", True, True),
    ("apps/v9", "Thing", True, True),
    ("networking.k8s.io/v1", "Thing", True, True),
    ("argoproj.io/v1alpha1", "Rollout", False, False),
    ("web/v1", "Deployment", False, True),
    ("web/v1", "Thing", False, False),
    ("network.k8s.io/v1", "Ingress", False, True),
    ("network.k8s.io/v1", "Thing", False, False),
    ("snapshot.storage.k8s.io/v1", "Ingress", False, False),
    ("networking.example.com/v1", "Ingress", False, False),
]


def test_a_group_is_kubernetes_own_or_was_to_be() -> None:
    field_types.cache_clear()  # or another test might have read it
    types = field_types()
    for api_version, kind, is_known, is_meant in GROUPS:
        assert types.is_known_group(api_version) is is_known, api_version
        assert types.is_meant(api_version, kind) is is_meant, (api_version, kind)


def entry_of(title: str) -> int:
    entry = field_types().entry(*title.split(" "))
    assert entry is not None
    return entry.type


def where(name: str, title: str, most: int) -> Optional[str]:
    found = fields_below(field_types(), entry_of(title), most=most)
    return next((path for one, path in found if one == name), None)


@pytest.mark.parametrize(
    ("name", "most", "path"),
    [
        ("kind", 0, ""),
        ("replicas", 0, None),
        ("replicas", 1, "spec"),
        ("restartPolicy", 2, None),
        ("restartPolicy", 3, "spec.template.spec"),
        ("imagePullPolicy", 3, None),
        ("imagePullPolicy", 4, "spec.template.spec.containers[]"),
        ("containerPort", 5, "spec.template.spec.containers[].ports[]"),
    ],
)
def test_a_field_is_found_by_its_shortest_path_and_no_deeper_than_asked(
    name: str, most: int, path: Optional[str]
) -> None:
    assert where(name, "apps/v1 Deployment", most) == path


def test_a_type_is_entered_once_however_often_it_is_held() -> None:
    paths = [path for _, path in fields_below(field_types(), entry_of("v1 Pod"), most=9)]
    assert len({*paths}) < 300
    assert "spec.containers[].ports[]" in paths
    assert "spec.initContainers[].ports[]" not in paths


def test_what_is_open_may_have_more_fields_and_what_is_asked_for_is_named() -> None:
    field_types.cache_clear()  # as above
    types = field_types()
    deployment = types[entry_of("apps/v1 Deployment")]
    assert (deployment.is_open, "*" in deployment.fields) == (False, False)
    spec = types[deployment.fields["spec"].of]
    assert {*spec.required} == {"selector", "template"}
    own = types[types[entry_of("tkex.tencent.com/v1alpha1 GameDeployment")].fields["spec"].of]
    assert (spec.is_open, own.is_open, "*" in own.fields) == (False, True, False)
