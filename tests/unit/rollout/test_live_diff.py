"""What differs between a manifest and the live object that an API server has filled in."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_diff import changes_anything, live_difference

Body = dict[str, YamlValue]
CONTAINER: Body = {"name": "main", "image": "example.com/web:1", "ports": [{"containerPort": 80}]}
DESIRED: Body = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "resourceVersion": "7", "annotations": {"io.tencent.paas.updator": "lisi"}},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [CONTAINER]}}},
}
FILLED: Body = {**CONTAINER, "imagePullPolicy": "Always", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
LIVE: Body = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "prod", "uid": "u", "resourceVersion": "9"},
    "spec": {
        "replicas": 2,
        "progressDeadlineSeconds": 600,
        "template": {"spec": {"dnsPolicy": "ClusterFirst", "containers": [FILLED]}},
    },
    "status": {"replicas": 2},
}


def test_what_the_api_server_and_bcs_fill_in_is_no_difference() -> None:
    assert live_difference(DESIRED, LIVE) == ""
    assert not changes_anything(DESIRED, LIVE)


def test_another_image_is_a_difference_and_the_only_one_shown() -> None:
    wanted = copy.deepcopy(DESIRED)
    wanted["spec"] = {"template": {"spec": {"containers": [{**CONTAINER, "image": "example.com/web:2"}]}}}
    shown = live_difference(wanted, LIVE)
    changed = [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[1:].strip(" -") for line in changed] == [
        "image: example.com/web:1",
        "image: example.com/web:2",
    ]
    assert changes_anything(wanted, LIVE)


def test_named_things_are_paired_by_name_whatever_their_order() -> None:
    side: Body = {"name": "side", "image": "example.com/side:1"}
    wanted: Body = {"kind": "Pod", "spec": {"containers": [CONTAINER, side]}}
    live: Body = {"kind": "Pod", "spec": {"containers": [side, FILLED]}}
    assert not changes_anything(wanted, live)
    assert changes_anything({"kind": "Pod", "spec": {"containers": [CONTAINER]}}, live), "one goes"


@pytest.mark.parametrize("value", [0, False, "", [], {}])
def test_an_empty_value_that_the_server_drops_is_no_difference(value: YamlValue) -> None:
    assert not changes_anything({"kind": "X", "spec": {"a": 1, "b": value}}, {"kind": "X", "spec": {"a": 1}})


def test_node_port_0_is_any_port() -> None:
    wanted: Body = {"kind": "Service", "spec": {"ports": [{"name": "http", "nodePort": 0}]}}
    live: Body = {"kind": "Service", "spec": {"ports": [{"name": "http", "nodePort": 31000}]}}
    assert not changes_anything(wanted, live)


def test_a_secrets_values_are_never_shown() -> None:
    wanted: Body = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "canary-new"}}
    live: Body = {"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": "canary-old"}}
    shown = live_difference(wanted, live)
    assert shown
    assert "canary" not in shown


VALUES = st.recursive(
    st.integers() | st.text(max_size=5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1, max_size=3), VALUES, max_size=4))
def test_an_object_like_itself_has_no_difference(spec: Body) -> None:
    whole: Body = {"kind": "X", "metadata": {"name": "x"}, "spec": spec}
    assert not changes_anything(whole, copy.deepcopy(whole))
    assert live_difference(whole, copy.deepcopy(whole)) == ""
