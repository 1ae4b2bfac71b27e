"""The first values of `builtin:web`: what is guessed from objects, however a cluster shows them."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.templating.first_values import as_live, as_v1, first_values, secrets_in
from bcs_template_set.manifests.yaml_reading import YamlValue

NAME = "deployment.web.a.example.com"
Body = dict[str, YamlValue]


def deployment(name: str = NAME, *, container: Body | None = None, **spec: YamlValue) -> Body:
    pod: Body = {"containers": [{"image": "example.com/a:1", **(container or {})}]}
    body: Body = {"template": {"spec": pod}, **spec}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": body}


def scaler(name: str, **spec: YamlValue) -> Body:
    body: Body = {"scaleTargetRef": {"kind": "Deployment", "name": NAME}, "maxReplicas": 4, **spec}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": body}


def domain(**more: Body) -> Body:
    found = first_values({f"Deployment/{NAME}": deployment(), **more})
    return dict(found.domains[0].values)


def test_a_domain_of_a_deployment_alone_is_its_host_and_image() -> None:
    assert domain() == {"host": "a.example.com", "image": "example.com/a:1"}
    assert first_values({}).of(()) == {"app": "", "domains": []}


def test_a_workload_under_an_autoscaler_keeps_its_pods() -> None:
    foreign = domain(**{"HorizontalPodAutoscaler/x": scaler("x")})
    assert foreign == {"host": "a.example.com", "image": "example.com/a:1", "replicas": "auto"}
    own = domain(**{f"HorizontalPodAutoscaler/{NAME}": scaler(NAME, targetCPUUtilizationPercentage=70)})
    assert own["autoscale"] == {"max": 4, "cpu": 70}
    variable = first_values({f"Deployment/{NAME}": deployment(replicas="{{ N }}")})
    assert variable.domains[0].values["replicas"] == "auto"


CPU: list[YamlValue] = [
    {"resource": {"name": "cpu", "targetAverageUtilization": 70}},
    {"resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
]


@pytest.mark.parametrize("metric", CPU)
def test_an_autoscaler_is_told_in_v1_where_that_says_all(metric: YamlValue) -> None:
    plain = as_v1(scaler(NAME, metrics=[metric]))
    assert (plain["apiVersion"], plain["spec"]) == (
        "autoscaling/v1",
        {**scaler(NAME)["spec"], "targetCPUUtilizationPercentage": 70},  # type: ignore[dict-item]  # a mapping
    )
    beyond: list[list[YamlValue]] = [
        [metric, metric],
        [{"resource": {"name": "memory"}}],
        [{"resource": {"name": "cpu"}}],
    ]
    for metrics in beyond:
        more = scaler(NAME, metrics=metrics)
        assert as_v1(more) == more


def test_the_number_of_pods_that_is_left_to_the_cluster_is_the_live_one() -> None:
    made, live = deployment(replicas="{{ N }}"), deployment(replicas=3)
    assert as_live(made, live) == live
    assert as_live(live, deployment(replicas=5)) == live


def test_probes_and_volumes_are_told_as_far_as_values_can() -> None:
    container: Body = {
        "livenessProbe": {"tcpSocket": {"port": "container"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/ok"}, "periodSeconds": 5},
        "volumeMounts": [{"name": "none", "mountPath": "/x"}],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {}}, {"name": "C"}],
    }
    values = first_values({f"Deployment/{NAME}": deployment(container=container)}).domains[0].values
    assert values["liveness"] == {"period": 10}
    assert values["readiness"] == {"path": "/ok", "period": 5}
    assert values["env"] == {"A": "1", "C": ""}
    assert "volumes" not in values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "x"),
        ("apiKey", "x"),
        ("URL", "redis://:pw@example.com"),
        ("KEY", "-----BEGIN KEY"),
        ("J", "eyJhbGciOi.eyJzdWIi.x"),
    ],
)
def test_what_looks_secret_is_told_by_its_name_or_its_value(name: str, value: str) -> None:
    assert secrets_in(
        {"env": {name: value, "MODE": "fast", "SITE": "https://example.com/a@b", "PWD": "", "K": "known"}},
        hides="known".__eq__,
    ) == [name, "K"]
