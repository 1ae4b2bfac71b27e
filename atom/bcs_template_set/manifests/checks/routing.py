"""Checks of what the run serves: certificates, nodePorts, hosts and paths. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, check
from bcs_template_set.manifests.fields import is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import INGRESS, SERVICE
from bcs_template_set.manifests.routes import (
    EntryPoint,
    Route,
    RouteKey,
    default_backend_of,
    host_of,
    routes_of,
)
from bcs_template_set.manifests.schema.value_forms import HIGHEST_PORT

_LOWEST, _HIGHEST = 30_000, 32_767


@check("ingress-tls", warns=True)
def check_tls(checked: CheckInput) -> Iterator[Finding]:
    """Yield hosts of TLS entries that neither a rule nor a default backend can serve."""
    for place in checked.of_kind(INGRESS):
        body = place.document.body
        served = {host_of(rule) for rule in list_at(body, "spec", "rules")}
        if "*" in served or any(map(is_left_for_bcs, served)) or default_backend_of(body):
            continue
        domains = {name.partition(".")[2] for name in served}
        for index, entry in enumerate(list_at(body, "spec", "tls")):
            for host in map(str, list_at(mapping_at(entry), "hosts")):
                below = (
                    host[2:] in domains if host.startswith("*.") else f"*.{host.partition('.')[2]}" in served
                )
                if host not in served and not below and not is_left_for_bcs(host):
                    yield checked.finding(place, f"spec.tls[{index}].hosts", "tls_host", host=host)


@check("node-port", warns=("node_port_range",))
def check_node_ports(checked: CheckInput) -> Iterator[Finding]:
    """Yield nodePorts that two ports of the run ask for, and those outside the usual range.

    The range is the API server's `--service-node-port-range`, and any cluster may have another.
    """
    taken: dict[tuple[int, str], str] = {}
    for place in checked.of_kind(SERVICE):
        for index, port in enumerate(list_at(place.document.body, "spec", "ports")):
            number = mapping_at(port).get("nodePort")
            field = f"spec.ports[{index}].nodePort"
            if type(number) is not int or not 0 < number <= HIGHEST_PORT:  # other checks judge these
                continue
            if not _LOWEST <= number <= _HIGHEST:
                yield checked.finding(place, field, "node_port_range", port=number)
            protocol = text_at(mapping_at(port), "protocol") or "TCP"
            first = taken.setdefault((number, protocol), f"{place.document.title} {field}")
            if first != f"{place.document.title} {field}":
                yield checked.finding(place, field, "node_port_twice", port=number, first=first)


NODE_PORT = check_node_ports.id


@check("route-clash")
def check_routes(checked: CheckInput) -> Iterator[Finding]:
    """Yield hosts and paths that lead to two Services at one entry point.

    The same host and path to the same Service is right: there is an Ingress for each load balancer.
    """
    first: dict[tuple[EntryPoint, RouteKey], Route] = {}
    for place in checked.of_kind(INGRESS):
        for route in routes_of([place.document]):
            known = first.setdefault((route.entry, route.place), route)
            if known.service != route.service and not (_is_unknown(route) or _is_unknown(known)):
                yield _clash(checked, place, route, known)


ROUTE_CLASH = check_routes.id


def _is_unknown(route: Route) -> bool:
    return any(is_left_for_bcs(value) for value in (route.host, route.path, route.service))


def _clash(checked: CheckInput, place: DocumentInFile, route: Route, known: Route) -> Finding:
    return checked.finding(
        place,
        "spec.rules",
        host=route.host,
        path=route.path,
        service=route.service,
        other=known.service,
        ingress=known.ingress,
    )
