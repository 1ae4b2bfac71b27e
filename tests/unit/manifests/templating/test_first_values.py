"""The first values of `builtin:web`: what is guessed from objects, however a cluster shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.building import web

from bcs_template_set.manifests.templating.first_values import as_live, as_v1, first_values, secrets_in
from bcs_template_set.manifests.templating.web_values import AUTO, LEFT_OUT, Web
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.records.decoding import convert

GOLDEN = Path(__file__).parents[3] / "golden" / "web"
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


@pytest.mark.parametrize("given", ["everything.values.yaml", "values.yaml"])
def test_values_are_read_back_from_the_objects_that_they_make(tmp_path: Path, given: str) -> None:
    text = (GOLDEN / given).read_text(encoding="utf-8")
    documents = [document for file in web(tmp_path, text) for document in file.documents]
    objects = {document.title: document.body for document in documents}
    objects["ConfigMap/other"] = {"kind": "ConfigMap"}
    found = first_values(objects)
    read, made = (convert(values, Web) for values in (found.of(found.domains), read_yaml(text, source="")))
    domains = [one.replaced(replicas=AUTO) if one.autoscale else one for one in made.domains]
    assert read == made.replaced(domains=domains)
    assert found.others == ("ConfigMap/other",)
    assert [one.objects.keys() for one in found.domains] == [objects.keys() - {"ConfigMap/other"}]


def test_what_the_domains_share_is_what_most_of_those_with_a_service_have() -> None:
    def service(app: str, host: str, secret: str) -> dict[str, Body]:
        pod: Body = {"imagePullSecrets": [{"name": secret}, {"name": "all"}]}
        made = {f"Deployment/deployment.{app}.{host}": deployment()}
        made[f"Service/service-{app}-{host}"] = {"kind": "Service"}
        made[f"Deployment/deployment.{app}.{host}"]["spec"] = {"template": {"spec": pod}}
        return made

    lonely = {f"Deployment/deployment.lonely.{n}": deployment() for n in range(4)}
    objects = {**lonely, **service("two", "b", "mine"), **service("two", "c", "mine")}
    for app in ("one", "three", "four"):
        objects.update(service(app, "a", "theirs"))
    ingress: Body = {"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}}
    objects["Ingress/ingress-b-0"] = {"kind": "Ingress", **ingress}
    objects["Ingress/ingress-a-0"] = {"kind": "Ingress"}
    found = first_values(objects)
    assert (found.app, found.shared) == (
        "two",
        {"image_pull_secrets": ["mine", "all"], "ingress_class": "nginx"},
    )
    assert first_values(lonely).app == "lonely"


def test_ingresses_are_told_in_the_order_of_their_numbers() -> None:
    balancer = "kubernetes.io/ingress.existLbId"
    made: dict[str, Body] = {
        f"Ingress/ingress-a.example.com-{n}": {
            "kind": "Ingress",
            "metadata": {"annotations": {balancer: f"lb-{n}"}},
            "spec": {"tls": [{}], "rules": [{"http": {"paths": [{"path": f"/{n}"}]}}]},
        }
        for n in (10, 9)
    }
    made["Ingress/ingress-b.example.com-0"] = {"kind": "Ingress"}
    assert domain(**made) == {
        "host": "a.example.com",
        "image": "example.com/a:1",
        "load_balancers": ["lb-9", "lb-10"],
        "paths": ["/9"],
    }


def test_what_is_as_usual_or_nothing_is_no_value() -> None:
    plain = {"initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}
    container: Body = {
        "ports": [{"containerPort": 80}],
        "env": [],
        "resources": {"limits": {}},
        "livenessProbe": {"httpGet": {"path": "/"}, **plain},
        "volumeMounts": [],
    }
    made: dict[str, Body] = {
        "Service/service-web-a-example-com": {"spec": {"ports": [{"nodePort": 0}]}},
        f"Deployment/{NAME}": deployment(
            container=container, replicas=1, minReadySeconds=0, progressDeadlineSeconds=600
        ),
    }
    assert domain(**made) == {
        "host": "a.example.com",
        "image": "example.com/a:1",
        "liveness": {"path": "/"},
    }


def test_a_workload_under_an_autoscaler_keeps_its_pods() -> None:
    foreign = domain(**{"HorizontalPodAutoscaler/x": scaler("x")})
    assert foreign == {"host": "a.example.com", "image": "example.com/a:1", "replicas": "auto"}
    own = domain(**{f"HorizontalPodAutoscaler/{NAME}": scaler(NAME, targetCPUUtilizationPercentage=70)})
    assert own["autoscale"] == {"max": 4, "cpu": 70}
    others: dict[str, Body] = {
        "HorizontalPodAutoscaler/y": {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "y"}}},
        f"ScaledObject/{NAME}": {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": NAME}}},
    }
    assert "replicas" not in domain(**others)
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


def test_what_looks_secret_is_shown_as_left_out_and_written_as_it_is() -> None:
    env: list[YamlValue] = [{"name": "PWD", "value": "canary"}, {"name": "MODE", "value": "fast"}]
    found = first_values({f"Deployment/{NAME}": deployment(container={"env": env})})
    assert "canary" not in repr(found)
    written, shown = (found.of(found.domains, hides=hides) for hides in (None, "known".__eq__))
    assert (written["domains"], shown["domains"]) == (
        [{"host": "a.example.com", "image": "example.com/a:1", "env": {"PWD": "canary", "MODE": "fast"}}],
        [{"host": "a.example.com", "image": "example.com/a:1", "env": {"PWD": LEFT_OUT, "MODE": "fast"}}],
    )
    none = first_values({f"Deployment/{NAME}": deployment()})
    assert none.of(none.domains, hides="known".__eq__) == none.of(none.domains)
