"""Selectors, Services and ports: which object does not fit another of the run, and what is told of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.check_manifests import check_manifests

POD = (
    "{{metadata: {{labels: {labels}}}, spec: {{containers: [{{name: a, image: 'r/a:1', ports: {ports}}}]}}}}"
)
WORKLOAD = (
    "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web}}\n"
    "spec: {{selector: {selector}, template: {pod}}}\n"
)
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{selector: {selector}, ports: {ports}}}\n"
)
INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: web}}\n"
    "spec: {{rules: [{{http: {{paths: [{{path: /, pathType: Prefix, backend: {backend}}}]}}}}]}}\n"
)


def told(*texts: str, check: str, domain: str = "", is_whole: bool = True) -> list[tuple[str, str, Any]]:
    """Return field, sentence and its fields of what a check finds."""
    files = [manifest(text, name=f"{name}.yaml", domain=domain) for name, text in zip("abc", texts)]
    alone = partial(check_manifests, template_space="s", template_set=False, namespace="", kube_version="")
    found = findings_of(*files) if is_whole else alone(files, is_whole=False)
    return [(f.field, f.message.key.partition(".")[2], f.message.fields) for f in found if f.id == check]


def workload(
    selector: str, labels: str = "{app: web}", *, kind: str = "Deployment", ports: str = "[]"
) -> str:
    version = {"ReplicationController": "v1", "Job": "batch/v1"}.get(kind, "apps/v1")
    pod = POD.format(labels=labels, ports=ports)
    return WORKLOAD.format(version=version, kind=kind, selector=selector, pod=pod)


def expressed(key: str, operator: str, values: str = "[]") -> str:
    asked = f"{{key: {key}, operator: {operator}, values: {values}}}"
    return f"{{matchExpressions: [{{key: app, operator: Exists}}, {asked}]}}"


# --- selectors of workloads -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "selector", "labels", "wanted"),
    [
        ("Deployment", "{matchLabels: {app: api}}", "{app: web}", "matchLabels[app] app api web"),
        ("ReplicationController", "{app: api}", "{app: web}", "spec.selector[app] app api web"),
        ("ReplicationController", "{app: web}", "{app: web}", ""),
        ("Job", "{matchLabels: {app: api}}", "{app: web}", ""),
        ("Deployment", "{matchLabels: {app: '{{ N }}'}}", "{app: web}", ""),
        ("Deployment", "{matchLabels: {app: web}}", "{app: '{{ N }}'}", ""),
        ("Deployment", "{matchLabels: {app: yes}}", "{app: no}", "matchLabels[app] app true false"),
        ("Deployment", "{matchLabels: {app: web}}", "{}", "matchLabels[app] app web -"),
        ("Deployment", expressed("tier", "In", "[a, b]"), "{app: a, tier: b}", ""),
        ("Deployment", expressed("tier", "In", "[a]"), "{app: a, tier: b}", "Expressions[1] tier In b"),
        ("Deployment", expressed("tier", "In", "[a]"), "{app: a}", "Expressions[1] tier In -"),
        ("Deployment", expressed("tier", "NotIn", "[a]"), "{app: a, tier: a}", "Expressions[1] tier NotIn a"),
        ("Deployment", expressed("tier", "NotIn", "[a]"), "{app: a, tier: b}", ""),
        ("Deployment", expressed("tier", "Exists"), "{app: a}", "Expressions[1] tier Exists -"),
        ("Deployment", expressed("tier", "Exists"), "{app: a, tier: a}", ""),
        (
            "Deployment",
            expressed("tier", "DoesNotExist"),
            "{app: a, tier: a}",
            "Expressions[1] tier DoesNotExist a",
        ),
        ("Deployment", expressed("tier", "DoesNotExist"), "{app: a}", ""),
        ("Deployment", expressed("tier", "Other"), "{app: a}", ""),
        ("Deployment", expressed("tier", "In", "['{{ N }}']"), "{app: a, tier: b}", ""),
        ("Deployment", expressed("tier", "In", "[a]"), "{app: a, tier: '{{ N }}'}", ""),
        ("Deployment", expressed("''", "Exists"), "{app: a}", ""),
    ],
)
def test_a_workloads_selector_selects_its_own_pods(
    kind: str, selector: str, labels: str, wanted: str
) -> None:
    found = told(workload(selector, labels, kind=kind), check="pod-selector")
    shown = [f"{field} {said['key']} {said['given']} {said['found']}" for field, _, said in found]
    assert len(shown) == bool(wanted)
    assert all(line.startswith("spec.selector") and line.endswith(wanted) for line in shown)


# --- selectors of Services ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "labels", "is_told"),
    [
        ("{app: api}", "{app: web}", True),
        ("{app: web}", "{app: web}", False),
        ("{tier: api}", "{app: web}", False),
        ("{app: api, tier: a}", "{app: web}", False),
        ("{app: '{{ N }}'}", "{app: web}", False),
        ("{app: api}", "{app: '{{ N }}'}", False),
        ("{app: api}", "{app: web, tier: '{{ N }}'}", True),
        ("{}", "{app: web}", False),
    ],
)
def test_a_service_selects_pods_of_the_run_where_they_have_its_labels(
    selector: str, labels: str, *, is_told: bool
) -> None:
    texts = [
        workload("{matchLabels: {app: web}}", labels),
        SERVICE.format(selector=selector, ports="[{port: 1}]"),
    ]
    found = told(*texts, check="service-selector")
    assert found == ([("spec.selector", "service-selector", {"selector": ["app=api"]})] if is_told else [])
    assert told(*texts, check="service-selector", is_whole=False) == []
    other = "apiVersion: example.com/v1\nkind: Cafe\nmetadata: {name: a}\nspec: {replicas: 1}\n"
    assert told(*texts, other, check="service-selector") == []


# --- ports of Services ----------------------------------------------------------------------------------

TWO = "[{name: web, containerPort: 80}, {name: api, containerPort: 81}]"
UNNAMED = "[{containerPort: 80}, {containerPort: 81}]"
NAMES, NUMBERS = ["api", "web"], ["80", "81"]


@pytest.mark.parametrize(
    ("ports", "target", "wanted"),
    [
        (TWO, "targetPort: htpp", ("service-port", "htpp", NAMES)),
        (TWO, "targetPort: web", None),
        (TWO, "targetPort: '{{ N }}'", None),
        (TWO, "targetPort: '90'", None),
        (TWO, "targetPort: 80", None),
        (TWO, "targetPort: 90", ("service_port_number", 90, NUMBERS)),
        (UNNAMED, "targetPort: htpp", ("service_port_none", "htpp", [])),
        ("[]", "targetPort: htpp", ("service_port_none", "htpp", [])),
        ("[]", "targetPort: 90", None),
        (UNNAMED, "port: 80", None),
        (UNNAMED, "port: 90", ("service_port_number", 90, NUMBERS)),
        (UNNAMED, "port: 80, targetPort: 90", ("service_port_number", 90, NUMBERS)),
        (UNNAMED, "port: 90, targetPort: 80", None),
        ("[{name: '{{ N }}', containerPort: 80}]", "targetPort: htpp", None),
        ("[{name: '{{ N }}', containerPort: 80}]", "targetPort: 90", None),
        ("[{containerPort: '{{ N }}'}, {containerPort: 80}]", "targetPort: 90", None),
    ],
)
def test_a_service_leads_to_a_port_that_its_pods_declare(
    ports: str, target: str, wanted: tuple[str, object, list[str]] | None
) -> None:
    pods = workload("{matchLabels: {app: web}}", ports=ports)
    service = SERVICE.format(selector="{app: web}", ports=f"[{{{target}}}]")
    found = told(pods, service, check="service-port")
    assert found == (
        [("spec.ports[0].targetPort", wanted[0], {"port": wanted[1], "known": wanted[2]})] if wanted else []
    )
    assert told(service, check="service-port") == []
    assert told(pods, service, check="service-port", is_whole=False) == []


def test_a_port_that_no_pod_declares_is_told_only_where_the_service_leads_to_none_that_one_does() -> None:
    pods = workload("{matchLabels: {app: web}}", ports=TWO)
    for first, count in (("targetPort: 80", 0), ("targetPort: web", 0), ("targetPort: 91", 2)):
        service = SERVICE.format(
            selector="{app: web}", ports=f"[{{name: a, {first}}}, {{name: b, port: 90}}]"
        )
        assert len(told(pods, service, check="service-port")) == count


# --- Services of Ingresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "ports", "wanted"),
    [
        ("{service: {name: web, port: {number: 81}}}", "[{port: 80}]", (81, ["80"])),
        ("{service: {name: web, port: {name: api}}}", "[{port: 80, name: web}]", ("api", ["80", "web"])),
        ("{service: {name: web, port: {name: '81'}}}", "[{port: 80}]", None),
        ("{service: {name: web, port: {name: use-annotation}}}", "[{port: 80}]", None),
        ("{service: {name: web, port: {number: 81}}}", "[]", None),
        ("{service: {name: web, port: {number: 81}}}", "[{name: '{{ N }}'}]", None),
        ("{service: {name: web, port: {number: 81}}}", "[{name: ''}]", (81, ["-"])),
        ("{service: {name: web, port: {number: 81}}}", "[{port: [81]}]", (81, ["-"])),
    ],
)
def test_a_backend_asks_for_a_port_that_its_service_has(
    backend: str, ports: str, wanted: tuple[object, list[str]] | None
) -> None:
    service = SERVICE.format(selector="{}", ports=ports)
    found = told(INGRESS.format(backend=backend), service, check="ingress-service")
    at = "spec.rules[0].http.paths[0].backend.service.port"
    fields = {"name": "web", "port": wanted[0], "known": wanted[1]} if wanted else {}
    assert found == ([(at, "ingress-service", fields)] if wanted else [])


@pytest.mark.parametrize(
    ("domain", "is_whole", "count"), [("a.org", True, 1), ("", True, 0), ("a.org", False, 0)]
)
def test_a_service_that_a_built_in_template_would_have_made_is_missed(
    domain: str, *, is_whole: bool, count: int
) -> None:
    ingress = INGRESS.format(backend="{service: {name: web, port: {number: 80}}}")
    found = told(ingress, check="ingress-service", domain=domain, is_whole=is_whole)
    at = "spec.rules[0].http.paths[0].backend.service.name"
    assert found == [(at, "service_missing", {"name": "web"})] * count


@pytest.mark.parametrize("selector", ["{app: web}", "{app: api}"])
def test_what_a_service_selects_may_be_anothers_so_it_warns(selector: str) -> None:
    service = SERVICE.format(selector=selector, ports="[{port: 80, targetPort: htpp}]")
    found = findings_of(manifest(workload("{matchLabels: {app: web}}")), manifest(service, name="b.yaml"))
    check = "service-port" if selector == "{app: web}" else "service-selector"
    assert [(finding.id, finding.is_warning) for finding in found] == [(check, True)]
