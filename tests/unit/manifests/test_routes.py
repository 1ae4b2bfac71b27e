"""What documents serve: hosts and paths with where they come in, nodePorts, images."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.parse import Document, parse_documents
from bcs_template_set.manifests.routes import (
    EntryPoint,
    backend_port_of,
    images_of,
    node_ports_of,
    ports_by_service,
    routes_of,
)

QCLOUD = "kubernetes.io/ingress.qcloud-loadbalance-id"
ALB = "alb.ingress.kubernetes.io"
GCE = "kubernetes.io/ingress"
SERVING = "host: {host}, http: {{paths: [{{backend: {{serviceName: web}}}}]}}"


def documents(*texts: str) -> tuple[Document, ...]:
    return parse_documents("---\n".join(f"{{{text}}}\n" for text in texts), source="x")


def entry_of(annotations: str, *, given: str = "", host: str = "a.x") -> tuple[str, str]:
    """Return class and load balancer of an Ingress `i` for a host."""
    rules = f"[{{{SERVING.format(host=repr(host))}}}]"
    (found,) = documents(
        f"kind: Ingress, metadata: {{name: i, annotations: {{{annotations}}}}}, "
        f"spec: {{ingressClassName: {given}, rules: {rules}}}"
    )
    (route,) = routes_of([found])
    return route.entry.ingress_class, route.entry.load_balancer


@pytest.mark.parametrize(
    ("annotations", "given", "entry"),
    [
        ("", "", ("", "")),
        ("kubernetes.io/ingress.class: kong", "", ("kong", "")),
        ("kubernetes.io/ingress.class: kong", "nginx", ("nginx", "")),
        ("kubernetes.io/ingress.existLbId: lb-1", "", ("", "lb-1")),
        (f"{QCLOUD}: lb-1", "nginx", ("nginx", "lb-1")),
        (f"{QCLOUD}: lb-1", "qcloud", ("qcloud", "lb-1")),
        ("", "qcloud", ("qcloud", "i")),
        (f"{ALB}/group.name: one", "alb", ("alb", "one")),
        (f"{ALB}/load-balancer-name: one", "alb", ("alb", "one")),
        (f"{QCLOUD}: lb-1", "alb", ("alb", "i")),
        (f"{ALB}/group.name: one", "nginx", ("nginx", "")),
        (f"{GCE}.global-static-ip-name: one", "gce", ("gce", "one")),
        (f"{GCE}.global-static-ip-name: one", "gce-internal", ("gce-internal", "i")),
        (f"{GCE}.regional-static-ip-name: one", "gce-internal", ("gce-internal", "one")),
    ],
)
def test_requests_come_in_where_class_and_annotations_say(
    annotations: str, given: str, entry: tuple[str, str]
) -> None:
    assert entry_of(annotations, given=given) == entry


@pytest.mark.parametrize(
    ("given", "annotations", "balancer"),
    [
        ("", "", ""),
        *((f"my-{name}-2", "", "") for name in ("nginx", "traefik", "haproxy", "kong", "contour", "istio")),
        *((name, "", "") for name in ("apisix", "higress", "openshift-public")),
        ("nginxx", "", "i"),
        ("theirs", "", "i"),
        ("theirs", "kubernetes.io/ingress.existLbId: lb-1", "lb-1"),
    ],
)
def test_for_any_host_requests_come_in_at_an_address_of_its_own_unless_the_class_has_one_for_all(
    given: str, annotations: str, balancer: str
) -> None:
    assert entry_of(annotations, given=given, host="*") == (given, balancer)
    assert entry_of("", given=given) == (given, "")


ONE, TWO = EntryPoint("nginx", "lb-1"), EntryPoint("nginx", "lb-2")
ANY = EntryPoint()


@pytest.mark.parametrize(
    ("entry", "live", "may_be"),
    [
        (ONE, ONE, True),
        (ONE, TWO, False),
        (ONE, EntryPoint("nginx"), False),
        (EntryPoint("nginx"), EntryPoint("kong"), False),
        (ANY, ANY, True),
        (ANY, ONE, True),
        (ONE, ANY, True),
        (EntryPoint("", "lb-1"), ONE, True),
        (EntryPoint("", "lb-1"), TWO, False),
        (EntryPoint("", "lb-1"), EntryPoint("nginx"), True),
        (EntryPoint("", "", is_canary=True), ANY, False),
        (EntryPoint("", "", is_canary=True), EntryPoint("nginx", "", is_canary=True), True),
    ],
)
def test_the_default_class_may_be_any_and_a_load_balancer_is_only_itself(
    entry: EntryPoint, live: EntryPoint, *, may_be: bool
) -> None:
    assert entry.may_be(live) is may_be


def test_a_canary_takes_a_part_of_what_others_serve() -> None:
    canary = (
        "kind: Ingress, metadata: {{annotations: {{nginx.ingress.kubernetes.io/canary: '{}'}}}}, spec: {}"
    )
    rules = f"{{rules: [{{{SERVING.format(host='a.x')}}}]}}"
    found = [routes_of(documents(canary.format(word, rules)))[0].entry for word in ("true", "false")]
    assert [entry.is_canary for entry in found] == [True, False]


@pytest.mark.parametrize(
    ("backend", "service"),
    [
        ("{service: {name: web}}", "web"),
        ("{serviceName: old}", "old"),
        (
            "{resource: {apiGroup: k8s.example.com, kind: StorageBucket, name: static}}",
            "StorageBucket/static",
        ),
        ("{resource: {kind: StorageBucket}}", "StorageBucket"),
        ("{}", ""),
    ],
)
def test_a_route_leads_to_a_service_or_a_resource(backend: str, service: str) -> None:
    rules = f"[{{http: {{paths: [{{path: /a, backend: {backend}}}]}}}}]"
    (route,) = routes_of(documents(f"kind: Ingress, metadata: {{name: i}}, spec: {{rules: {rules}}}"))
    assert (route.host, route.path, route.service, route.ingress) == ("*", "/a", service, "i")


@pytest.mark.parametrize(
    ("backend", "port"),
    [
        ({"service": {"port": {"number": 80}}}, 80),
        ({"service": {"port": {"name": "http"}}}, "http"),
        ({"servicePort": 80}, 80),
        ({"service": {"port": {}}}, None),
    ],
)
def test_the_port_of_a_backend_is_a_number_or_a_name(backend: object, port: object) -> None:
    assert backend_port_of({"backend": backend}) == port  # type: ignore[dict-item] # as it is read


def test_objects_of_other_kinds_serve_nothing() -> None:
    thing = documents(
        "apiVersion: example.com/v1, kind: Thing, metadata: {name: a}, spec: {type: NodePort, "
        "ports: [{nodePort: 30001}], rules: [{http: {paths: [{path: /a}]}}]}"
    )
    assert (routes_of(thing), node_ports_of(thing), ports_by_service(thing)) == ((), (), {})


def test_node_ports_are_told_by_the_service_that_asks_for_them() -> None:
    found = documents(
        *(
            f"kind: Service, metadata: {{name: {name}}}, spec: {{{spec}}}"
            for name, spec in (
                ("a", "type: NodePort, ports: [{nodePort: 30002}, {}, {nodePort: 30001}]"),
                ("b", "type: LoadBalancer, ports: [{nodePort: 30003}]"),
                ("c", "type: NodePort, ports: [{nodePort: true}, {nodePort: '1'}]"),
                ("d", "ports: [{port: 80}]"),
            )
        )
    )
    assert node_ports_of(found) == (30002, 30001, 30003)
    assert ports_by_service(found) == {"a": (0, 30001, 30002), "c": (0, 0)}


def test_images_are_told_once_each_in_order() -> None:
    found = documents(
        "kind: Pod, spec: {containers: [{image: b}, {name: n}, {image: a}], initContainers: [{image: b}]}",
        "kind: Service, spec: {}",
        "kind: Pod, spec: {containers: [{image: c}]}",
    )
    assert images_of(found) == ("b", "a", "c")
