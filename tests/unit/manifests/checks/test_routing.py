"""Certificates, nodePorts and routes: which host, port or path is told, and what else has it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.building import findings_of, manifest

INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}}}\n"
    "spec: {{rules: [{rules}], tls: [{tls}]{more}}}\n"
)
BACKEND = "{service: {name: web, port: {number: 80}}}"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: {}}}\nspec: {{type: NodePort, ports: [{}]}}\n"


def told(*texts: str, check: str) -> list[tuple[str, str, Any]]:
    """Return field, sentence and its fields of what a check finds."""
    files = [manifest(text, name=f"{name}.yaml") for name, text in zip("abc", texts)]
    found = (finding for finding in findings_of(*files) if finding.id == check)
    return [(f.field, f.message.key.partition(".")[2], f.message.fields) for f in found]


def ruled(*hosts: str) -> str:
    paths = f"{{paths: [{{path: /, pathType: Prefix, backend: {BACKEND}}}]}}"
    return ", ".join(f"{{host: '{host}', http: {paths}}}" if host else f"{{http: {paths}}}" for host in hosts)


@pytest.mark.parametrize(
    ("hosts", "tls", "more", "wanted"),
    [
        (["a.org"], "{hosts: [a.org]}", "", []),
        (["a.org"], "{hosts: [a.org]}, {hosts: [b.org, c.org]}", "", [(1, "b.org"), (1, "c.org")]),
        (["a.org", ""], "{hosts: [b.org]}", "", []),
        (["a.org", "{{ N }}"], "{hosts: [b.org]}", "", []),
        (["a.org"], "{hosts: [b.org]}", f", defaultBackend: {BACKEND}", []),
        (["a.org"], "{hosts: ['{{ N }}']}", "", []),
        (["*.a.org"], "{hosts: [b.a.org]}", "", []),
        (["*.a.org"], "{hosts: [a.org, b.c.a.org]}", "", [(0, "a.org"), (0, "b.c.a.org")]),
        (["b.a.org"], "{hosts: ['*.a.org']}", "", []),
        (["c.b.a.org"], "{hosts: ['*.a.org']}", "", [(0, "*.a.org")]),
        (["a.org"], "{secretName: s}", "", []),
    ],
)
def test_of_a_certificates_hosts_those_are_told_that_nothing_serves(
    hosts: list[str], tls: str, more: str, wanted: list[tuple[int, str]]
) -> None:
    found = told(INGRESS.format(name="a", rules=ruled(*hosts), tls=tls, more=more), check="ingress-tls")
    assert found == [(f"spec.tls[{at}].hosts", "tls_host", {"host": host}) for at, host in wanted]


@pytest.mark.parametrize(
    ("ports", "wanted"),
    [
        ("{nodePort: 0}, {nodePort: -1}, {nodePort: 65536}, {nodePort: '1'}, {nodePort: true}, {}", []),
        ("{port: 1}, {nodePort: 65535}", [(1, "node_port_range", {"port": 65535})]),
        ("{nodePort: 1}", [(0, "node_port_range", {"port": 1})]),
        (
            "{nodePort: 29999}, {nodePort: 32768}",
            [(0, "node_port_range", {"port": 29999}), (1, "node_port_range", {"port": 32768})],
        ),
        ("{nodePort: 30000}, {nodePort: 32767}", []),
        ("{nodePort: 30000}, {nodePort: 30000, protocol: UDP}, {nodePort: 30000, protocol: SCTP}", []),
        (
            "{nodePort: 30000}, {nodePort: 30000, protocol: TCP}",
            [(1, "node_port_twice", {"port": 30000, "first": "Service/a spec.ports[0].nodePort"})],
        ),
    ],
)
def test_a_node_port_is_told_where_no_cluster_or_not_each_has_it(
    ports: str, wanted: list[tuple[int, str, dict[str, object]]]
) -> None:
    found = told(SERVICE.format("a", ports), check="node-port")
    assert found == [(f"spec.ports[{at}].nodePort", sentence, fields) for at, sentence, fields in wanted]


def test_a_route_that_leads_to_two_services_is_told_with_both_and_where_the_first_is() -> None:
    first = INGRESS.format(name="one", rules=ruled("a.org"), tls="", more="")
    second = first.replace("name: one", "name: two").replace("name: web", "name: api")
    route = {"host": "a.org", "path": "/", "service": "api", "other": "web", "ingress": "one"}
    assert told(first, second, check="route-clash") == [("spec.rules", "route-clash", route)]
    assert told(first, first.replace("name: one", "name: two"), check="route-clash") == []
    for known in ("name: web", "host: 'a.org'", "path: /"):
        filled = first.replace(known, f"{known.partition(':')[0]}: '{{{{ N }}}}'")
        assert told(filled, second, check="route-clash") == []
        assert told(second, filled, check="route-clash") == []


def test_what_may_be_served_elsewhere_warns_and_what_can_not_be_served_is_an_error() -> None:
    ingress = INGRESS.format(name="one", rules=ruled("a.org"), tls="{hosts: [b.org]}", more="")
    other = INGRESS.format(name="two", rules=ruled("a.org"), tls="", more="").replace(
        "name: web", "name: api"
    )
    service = SERVICE.format("a", "{nodePort: 1}, {nodePort: 1}")
    files = [manifest(text, name=f"{name}.yaml") for name, text in zip("abc", (ingress, other, service))]
    own = [f for f in findings_of(*files) if f.id in ("ingress-tls", "route-clash", "node-port")]
    assert [(f.message.key, f.is_warning) for f in own] == [
        ("checks.tls_host", True),
        ("checks.route-clash", False),
        ("checks.node_port_range", True),
        ("checks.node_port_range", True),
        ("checks.node_port_twice", False),
    ]
