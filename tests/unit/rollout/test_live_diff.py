"""What differs between a manifest and the live object that an API server has filled in."""

from __future__ import annotations

import base64
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_diff import (
    changes_anything,
    changes_beyond_pods,
    fields_changed,
    fields_unlike,
    live_difference,
    names_hidden,
    pods_of,
    takes_away,
    with_hidden,
)

Body = dict[str, YamlValue]
CONTAINER: Body = {"name": "main", "image": "example.com/web:1", "ports": [{"containerPort": 80}]}
DESIRED: Body = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "resourceVersion": "7", "annotations": {"io.tencent.paas.updator": "lisi"}},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [CONTAINER]}}},
}
FILLED: Body = {
    **CONTAINER,
    "imagePullPolicy": "IfNotPresent",
    "ports": [{"containerPort": 80, "protocol": "TCP"}],
}
LIVE: Body = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "prod", "uid": "u", "selfLink": "/x", "resourceVersion": "9"},
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
    new: Body = {**CONTAINER, "image": "example.com/web:2"}
    wanted["spec"] = {"replicas": 2, "template": {"spec": {"containers": [new]}}}
    shown = live_difference(wanted, LIVE)
    changed = [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[1:].strip(" -") for line in changed] == [
        "image: example.com/web:1",
        "image: example.com/web:2",
    ]
    assert changes_anything(wanted, LIVE)


def test_named_things_are_paired_by_name() -> None:
    side: Body = {"name": "side", "image": "example.com/side:1"}
    wanted: Body = {"kind": "Pod", "spec": {"containers": [CONTAINER, side]}}
    live: Body = {"kind": "Pod", "spec": {"containers": [side, FILLED]}}
    assert changes_anything(wanted, live), "the order of containers is part of what was said"
    assert not changes_anything({"kind": "Pod", "spec": {"containers": [side, CONTAINER]}}, live)
    assert changes_anything({"kind": "Pod", "spec": {"containers": [CONTAINER]}}, live), "one goes"
    other: Body = {**CONTAINER, "image": "example.com/web:2"}
    shown = live_difference({"kind": "Pod", "spec": {"containers": [side, other]}}, live)
    assert "-" + "  - name: side" not in shown
    first = live_difference(
        {"kind": "Pod", "spec": {"containers": [side, CONTAINER]}},
        {"kind": "Pod", "spec": {"containers": [FILLED]}},
    )
    assert not takes_away(first), "what stands behind it is paired with its own"


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
    assert "*** (after)" in shown
    assert "canary" not in shown
    assert base64.b64encode(b"canary-old").decode() not in shown


def pods(**spec: YamlValue) -> Body:
    return {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{**CONTAINER, **spec}]}}}}


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (1, "1"),
        ("1024Mi", "1Gi"),
        ("1e3", "1k"),
        ("1.5Gi", "1536Mi"),
        ("2000u", "2m"),
    ],
)
def test_an_amount_is_what_it_is_worth(wanted: YamlValue, live: YamlValue) -> None:
    told, seen = pods(resources={"limits": {"x": wanted}}), pods(resources={"limits": {"x": live}})
    assert not changes_anything(told, seen)
    assert live_difference(told, seen) == ""
    assert changes_anything(told, pods(resources={"limits": {"x": "7"}}))
    size: Body = {"kind": "Deployment", "spec": {"sizeLimit": wanted}}
    assert not changes_anything(size, {"kind": "Deployment", "spec": {"sizeLimit": live}})


@pytest.mark.parametrize(("wanted", "live"), [("one", "two"), (True, "1"), ("1", None), ("1Xi", "1")])
def test_what_is_no_amount_is_compared_as_it_stands(wanted: YamlValue, live: YamlValue) -> None:
    told, seen = pods(resources={"limits": {"x": wanted}}), pods(resources={"limits": {"x": live}})
    assert changes_anything(told, seen)


@pytest.mark.parametrize(
    ("data", "same"),
    [
        ({"a": "cC0x"}, True),
        ({"a": "cC\n0x"}, True),
        ({"a": "cC0y"}, False),
        ({"a": "not base64!"}, False),
        ({"a": "c!C0x"}, False),
        ({"a": 1}, False),
        ({}, False),
        ("no mapping", False),
    ],
)
def test_a_secrets_data_is_what_it_encodes(*, data: YamlValue, same: bool) -> None:
    live: Body = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "cC0x"}, "type": "Opaque"}
    assert changes_anything({"kind": "Secret", "metadata": {"name": "s"}, "data": data}, live) != same


def test_a_secrets_string_data_comes_before_its_data_as_on_the_server() -> None:
    live: Body = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "cC0x"}}
    told: Body = {
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"a": "eA=="},
        "stringData": {"a": "p-1"},
    }
    assert not changes_anything(told, live)
    assert changes_anything({**told, "stringData": {"a": 1}}, live)
    assert changes_anything({**told, "stringData": {"a": "\udc80"}}, live)
    assert changes_anything({"kind": "Secret", "data": {"a": 1}}, {"kind": "Secret", "data": {"a": 2}})
    assert not changes_anything({"kind": "Secret", "metadata": {"name": "s"}}, live), "it says nothing of it"


@pytest.mark.parametrize(
    ("kind", "wanted", "live", "changes"),
    [
        ("ConfigMap", {"data": {"a": "x"}}, {"data": {"a": "x", "b": "y"}}, True),
        ("ConfigMap", {"data": {"a": "x", "b": ""}}, {"data": {"a": "x"}}, True),
        ("ConfigMap", {"data": {"a": "x"}}, {"data": {"a": "x", "restartPolicy": "Always"}}, True),
        ("ConfigMap", {"data": {"a": None}}, {"data": {"a": ""}}, False),
        ("ConfigMap", {"status": {"phase": "any"}}, {"status": {"phase": "other"}}, False),
        ("ConfigMap", {"data": ["x"]}, {"data": "x"}, True),
        (
            "Service",
            {"spec": {"ports": [{"name": {"a": 1}}]}},
            {"spec": {"ports": [{"name": {"a": 1}}]}},
            False,
        ),
        ("ConfigMap", {"data": {"a": None}}, {"data": {"a": "x"}}, True),
        ("Service", {"spec": {"selector": {"a": "b"}}}, {"spec": {"selector": {"a": "b", "c": "d"}}}, True),
        ("Service", {"spec": {"clusterIP": ""}}, {"spec": {"clusterIP": "10.0.0.1"}}, False),
        ("Service", {"spec": {}}, {"spec": {"clusterIPs": ["10.0.0.1"], "type": "ClusterIP"}}, False),
        ("Service", {"spec": {}}, {"spec": {"externalIPs": ["10.0.0.1"]}}, True),
        ("Deployment", {"spec": {}}, {"spec": {"tolerations": []}}, False),
        ("Deployment", {"spec": {"replicas": 1}}, {}, True),
        ("Job", {"spec": {}}, {"spec": {"selector": {"matchLabels": {"controller-uid": "1"}}}}, False),
    ],
)
def test_what_a_replacement_would_take_away_is_a_change_where_no_server_fills_it_in(
    *, kind: str, wanted: Body, live: Body, changes: bool
) -> None:
    assert changes_anything({"kind": kind, **wanted}, {"kind": kind, **live}) == changes
    assert bool(live_difference({"kind": kind, **wanted}, {"kind": kind, **live})) == changes


OF_SPECS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service", "Ingress")
AUTHORS = (
    *("selector", "externalIPs", "externalName", "loadBalancerSourceRanges"),
    *("rules", "tls", "backend", "defaultBackend", "http"),
    *("initContainers", "volumes", "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints"),
    *("imagePullSecrets", "priorityClassName", "hostAliases", "dnsConfig", "runtimeClassName"),
    *("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "minReadySeconds"),
    *("command", "args", "env", "envFrom", "ports", "workingDir", "volumeMounts", "limits"),
    *("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"),
)


@pytest.mark.parametrize("kind", [*OF_SPECS, "HorizontalPodAutoscaler", "PodDisruptionBudget"])
def test_what_no_server_fills_in_is_missed_wherever_it_stands_in_a_spec(kind: str) -> None:
    lost: list[Body] = [{"kind": kind, "spec": {"a": {name: "x", "b": 1}}} for name in AUTHORS]
    assert all(changes_anything({"kind": kind, "spec": {"a": {"b": 1}}}, live) for live in lost)
    assert not changes_anything({"kind": kind, "spec": {}}, {"kind": kind, "spec": {"clusterIP": "x"}})


@pytest.mark.parametrize(
    "name", ["data", "stringData", "binaryData", "nodeSelector", "matchLabels", "selector", "limits"]
)
def test_every_key_of_a_map_is_its_authors_also_where_it_is_called_like_a_default(name: str) -> None:
    wanted: Body = {"kind": "Service", "spec": {name: {"a": "x"}}}
    live: Body = {"kind": "Service", "spec": {name: {"a": "x", "restartPolicy": "Always"}}}
    assert changes_anything(wanted, live)
    assert takes_away(live_difference(wanted, live))
    assert changes_anything(
        {"kind": "Service", "spec": {name: {"a": ""}}}, {"kind": "Service", "spec": {name: {"b": ""}}}
    )


@pytest.mark.parametrize("name", ["limits", "requests", "hard", "capacity"])
@pytest.mark.parametrize("one", ["sizeLimit", "divisor", "averageValue", "targetAverageValue"])
def test_amounts_are_known_by_their_fields(name: str, one: str) -> None:
    wanted: Body = {"kind": "X", "spec": {name: {"any": "1000m"}, one: "1000m"}}
    assert not changes_anything(wanted, {"kind": "X", "spec": {name: {"any": "1"}, one: "1"}})
    assert changes_anything({"kind": "X", "spec": {"other": "1000m"}}, {"kind": "X", "spec": {"other": "1"}})


def test_what_a_kind_that_nobody_knows_would_lose_is_shown_at_any_depth_and_decides_nothing() -> None:
    head: Body = {"apiVersion": "example.com/v1", "kind": "Ox", "metadata": {"name": "web"}}
    wanted: Body = {**head, "spec": {"stall": {"hay": 1}}, "rules": [{"verbs": ["get"]}]}
    stall: Body = {"hay": 1, "bell": {"tone": "c"}}
    live: Body = {**head, "spec": {"stall": stall}, "rules": [{"verbs": ["get"], "seat": "x"}]}
    shown = live_difference(wanted, live)
    gone = [line[1:].strip() for line in shown.splitlines() if line[:1] == "-" and line[:3] != "---"]
    assert gone == ["bell:", "tone: c", "seat: x"]
    assert takes_away(shown)
    assert not changes_anything(wanted, live)


def test_rules_that_a_controller_gathers_are_shown_and_decide_nothing() -> None:
    wanted: Body = {"kind": "ClusterRole", "metadata": {"name": "all"}}
    live: Body = {**wanted, "rules": [{"verbs": ["get"]}]}
    assert takes_away(live_difference(wanted, live))
    assert not changes_anything(wanted, live)


def test_what_is_not_there_yet_is_shown_as_it_would_be_and_turned_round_as_what_would_go() -> None:
    shown = live_difference(DESIRED, None)
    assert {line[:1] for line in shown.splitlines()[2:]} == {"@", "+"}
    assert "+  name: web" in shown
    assert "annotations" not in shown, "they are BCS's"
    assert takes_away(live_difference(DESIRED, None, to_live=True))


def test_what_a_kind_that_is_kept_would_lose_is_not_shown() -> None:
    wanted: Body = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "d"},
        "spec": {},
    }
    assert live_difference(wanted, {**wanted, "spec": {"storageClassName": "fast"}}) == ""
    other: Body = {**wanted, "apiVersion": "example.com/v1"}
    assert takes_away(live_difference(other, {**other, "spec": {"storageClassName": "fast"}}))


def test_two_mounts_of_one_volume_are_compared_by_their_place() -> None:
    mounts: list[YamlValue] = [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]
    assert not changes_anything(pods(volumeMounts=mounts), pods(volumeMounts=copy.deepcopy(mounts)))
    assert changes_anything(pods(volumeMounts=mounts), pods(volumeMounts=mounts[::-1]))


def test_the_number_of_pods_can_be_left_aside_and_nothing_else() -> None:
    live: Body = {**LIVE, "spec": {**mapping_at(LIVE, "spec"), "replicas": 9}}
    assert changes_anything(DESIRED, live)
    assert not changes_beyond_pods(DESIRED, live)
    assert changes_beyond_pods({**DESIRED, "spec": {"replicas": 2, "paused": True}}, live)
    assert pods_of(live) == 9
    assert pods_of({"spec": {"replicas": "{{ N }}"}}) is None


def test_what_a_preview_cuts_is_added_where_it_cuts_anything() -> None:
    hidden: Body = {"schedulerName": "gpu", "securityContext": {"runAsUser": 7}}
    whole: Body = {"spec": {"template": {"spec": {**hidden, "dnsPolicy": "Default"}}}}
    seen = with_hidden(LIVE, whole)
    assert pods_of(seen) == 2
    assert (names_hidden(whole), names_hidden(LIVE)) == (True, False)
    assert mapping_at(seen, "spec", "template", "spec")["dnsPolicy"] == "ClusterFirst"
    assert {key: mapping_at(seen, "spec", "template", "spec").get(key) for key in hidden} == hidden
    cron_job: Body = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {}}}}}
    assert with_hidden(cron_job, cron_job) == cron_job


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


@pytest.mark.parametrize(
    ("wanted", "live", "loses"),
    [
        ({"a": "1"}, {"a": "2"}, False),
        ({"a": "1", "b": "1"}, {"a": "1"}, False),
        ({"a": "1"}, {"a": "2", "b": "1"}, True),
        ({"b": "1"}, {"a": "2", "b": "1"}, True),
    ],
)
def test_a_line_that_goes_without_another_in_its_place_is_taken_away(
    wanted: Body,
    live: Body,
    loses: bool,  # noqa: FBT001 - a column of the table
) -> None:
    of_kind: Body = {"kind": "ConfigMap"}
    assert takes_away(live_difference({**of_kind, "data": wanted}, {**of_kind, "data": live})) == loses


# --- what somebody changed since ------------------------------------------------------------------------

TEMPLATE: Body = {
    "metadata": {"labels": {"app": "web"}, "annotations": None},
    "spec": {
        "containers": [
            {
                **CONTAINER,
                "args": ["-v"],
                "env": [{"name": "MODE", "value": "a"}, {"name": "EMPTY", "value": ""}],
                "resources": {"limits": {"cpu": "1000m"}},
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
        "tolerations": [{"key": "gpu"}],
        "hostNetwork": False,
    },
}


def edited(path: str, value: YamlValue) -> Body:
    """Return the template with another value in one place; the parts of a path are keys and positions."""
    made = copy.deepcopy(TEMPLATE)
    *parts, last = path.split("/")
    place: YamlValue = made
    for part in parts:
        place = place[int(part)] if isinstance(place, list) else mapping_at(place)[part]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        assert isinstance(place, dict)
        place[last] = value
    return made


MAIN = "spec/containers/0"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (f"{MAIN}/image", "example.com/web:9", "spec.containers[main].image"),
        (f"{MAIN}/args", ["-v", "-x"], "spec.containers[main].args"),
        (f"{MAIN}/args", ["-x"], "spec.containers[main].args[0]"),
        (f"{MAIN}/args", None, "spec.containers[main].args"),
        (f"{MAIN}/env/0/value", "b", "spec.containers[main].env[MODE].value"),
        (f"{MAIN}/env", [{"name": "MODE", "value": "a"}], "spec.containers[main].env[EMPTY]"),
        (f"{MAIN}/resources/limits/cpu", "2", "spec.containers[main].resources.limits.cpu"),
        ("spec/volumes/0/emptyDir/sizeLimit", "2Gi", "spec.volumes[tmp].emptyDir.sizeLimit"),
        ("spec/tolerations", [], "spec.tolerations"),
        ("spec/hostNetwork", True, "spec.hostNetwork"),
        ("metadata/labels/app", "other", "metadata.labels.app"),
    ],
)
def test_a_wanted_field_that_has_another_value_since_is_named_without_it(
    path: str, value: YamlValue, field: str
) -> None:
    assert fields_changed(TEMPLATE, TEMPLATE, edited(path, value)) == (field,)
    assert fields_changed(TEMPLATE, edited(path, value), TEMPLATE) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{MAIN}/imagePullPolicy", "Always"),
        (f"{MAIN}/resources/limits/cpu", "1"),
        (f"{MAIN}/resources/limits/memory", "1Gi"),
        (f"{MAIN}/ports/0/protocol", "TCP"),
        ("spec/volumes/0/emptyDir/sizeLimit", "1024Mi"),
        ("spec/initContainers", [{"name": "proxy"}]),
        ("metadata/annotations", {"kubectl.kubernetes.io/restartedAt": "now"}),
        ("spec/hostNetwork", None),
    ],
)
def test_what_is_added_filled_in_or_written_otherwise_is_no_change(path: str, value: YamlValue) -> None:
    assert fields_changed(TEMPLATE, TEMPLATE, edited(path, value)) == ()


@pytest.mark.parametrize(
    ("wanted", "live", "whole", "fields"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, False, ()),
        ({"a": 1}, {"a": 1, "b": 2}, True, ("spec.b",)),
        ({"a": {"b": 1}}, {"a": "x"}, False, ("spec.a",)),
        ({"a": ["x"]}, {"a": "x"}, False, ("spec.a",)),
        (
            {"a": [{"name": "x"}, {"name": "y"}]},
            {"a": [{"name": "x"}, {"name": "z"}]},
            True,
            ("spec.a[y]", "spec.a[z]"),
        ),
        ({"a": [{"name": "x"}]}, {"a": [{"name": 1}]}, True, ("spec.a[0].name",)),
    ],
)
def test_fields_are_named_in_which_a_live_object_is_not_as_wanted(
    *, wanted: Body, live: Body, whole: bool, fields: tuple[str, ...]
) -> None:
    assert fields_unlike({"kind": "X", "spec": wanted}, {"kind": "X", "spec": live}, whole=whole) == fields


def test_a_field_of_its_own_that_is_only_live_is_named_where_the_whole_object_is_compared() -> None:
    wanted: Body = {"kind": "X"}
    live: Body = {**wanted, "rules": ["a"]}
    assert fields_unlike(wanted, live, whole=True) == ("rules",)
    assert fields_unlike(wanted, live, whole=False) == ()


def test_a_number_that_bcs_writes_otherwise_is_the_same() -> None:
    assert fields_changed({"a": 1}, {"a": 3}, {"a": 3.0}) == ()


def test_what_was_changed_when_it_was_read_back_is_no_change_and_what_changes_then_is_one() -> None:
    mirrored = edited(f"{MAIN}/image", "mirror/web:1")
    assert fields_changed(TEMPLATE, mirrored, mirrored) == ()
    again = edited(f"{MAIN}/image", "mirror/other:9")
    assert fields_changed(TEMPLATE, mirrored, again) == ("spec.containers[main].image",)
