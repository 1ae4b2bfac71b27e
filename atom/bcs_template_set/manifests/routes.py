"""What documents serve: hosts and paths, nodePorts, images. Pure: performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import INGRESS, SERVICE, is_of
from bcs_template_set.manifests.naming import normal_path
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import objects_of, pod_of
from bcs_template_set.manifests.yaml_reading import YamlValue

RouteKey = tuple[str, str]
"""A host and a path."""

INGRESS_CLASS, LOAD_BALANCER = "kubernetes.io/ingress.class", "kubernetes.io/ingress.existLbId"
_CANARY = "nginx.ingress.kubernetes.io/canary"
_ONE_EACH: Mapping[str, Sequence[str]] = {
    "qcloud": (LOAD_BALANCER, "kubernetes.io/ingress.qcloud-loadbalance-id"),
    "alb": ("alb.ingress.kubernetes.io/group.name", "alb.ingress.kubernetes.io/load-balancer-name"),
    "gce": ("kubernetes.io/ingress.global-static-ip-name",),
    "gce-internal": ("kubernetes.io/ingress.regional-static-ip-name",),
}
"""Of these classes each Ingress has a load balancer of its own, but for those with the same annotation."""
_ONE_FOR_ALL = re.compile(r"|.*\b(?:nginx|traefik|haproxy|kong|contour|istio|apisix|higress|openshift)\b.*")
"""Of a class that is called so, or of the default one, all have the controller's address (facts/manifests.md,
"One domain"). Of any other nobody can tell, so that only the same host makes two places one."""


class EntryPoint(NamedTuple):
    """Where requests come in: the class, "" for the cluster's default, and the load balancer, "" for its own.

    A canary takes a part of what another Ingress serves, which is meant, and none of another canary's.
    """

    ingress_class: str = ""
    load_balancer: str = ""
    is_canary: bool = False

    def may_be(self, live: EntryPoint) -> bool:
        """Tell whether this may become the one of a live Ingress: the default class may be any of them."""
        if self.is_canary != live.is_canary:
            return False
        if self.ingress_class and live.ingress_class:
            return self == live
        return not (self.load_balancer and live.load_balancer) or self.load_balancer == live.load_balancer


DEFAULT_ENTRY = EntryPoint()
ANY_HOST = "*"
DEFAULT_BACKEND = "default backend"
"""In the place of a path's type: what no rule serves."""


class Route(NamedTuple):
    """A host and path, and where its Ingress sends them. `host` is "*" where the rule names none."""

    host: str
    path: str
    service: str
    ingress: str
    path_type: str = ""
    entry: EntryPoint = DEFAULT_ENTRY

    @property
    def shown_type(self) -> str:
        """Return the type of its path, as Kubernetes calls it where none is given."""
        return self.path_type or "ImplementationSpecific"

    @property
    def place(self) -> RouteKey:
        """Return the host and path by which two routes are the same place: `/a` and `/a/`, as prefixes.

        An exact path takes nothing from a prefix, nor the other way round; it is a place of its own, and what
        is left to a default backend is one.
        """
        if self.path_type == DEFAULT_BACKEND:
            return self.host, ""
        return self.host, f"={self.path}" if self.path_type == "Exact" else normal_path(self.path)


def routes_of(documents: Sequence[Document]) -> tuple[Route, ...]:
    """Return every route of the Ingresses among the documents, sorted.

    A rule's path defaults to `/`. A default backend is a route where it serves all of a host: that of a rule
    without paths or, in an Ingress without rules, any.
    """
    found = {
        route
        for document in objects_of(documents)
        if is_of(INGRESS, document.api_version, document.kind)
        for route in _routes_of_ingress(document)
    }
    return tuple(sorted(found))


def node_ports_of(documents: Sequence[Document]) -> tuple[int, ...]:
    """Return the nodePorts that Services ask for, in order; 0 (any) is left out."""
    return tuple(
        number
        for document in objects_of(documents)
        if is_of(SERVICE, document.api_version, document.kind)
        for port in list_at(document.body, "spec", "ports")
        for number in [_node_port(mapping_at(port))]
        if number
    )


def ports_by_service(documents: Sequence[Document]) -> dict[str, tuple[int, ...]]:
    """Return the nodePorts that each NodePort Service asks for, sorted; 0 is any."""
    return {
        document.name: tuple(sorted(_node_port(mapping_at(port)) for port in ports))
        for document in objects_of(documents)
        if is_of(SERVICE, document.api_version, document.kind)
        and text_at(document.body, "spec", "type") == "NodePort"
        for ports in [list_at(document.body, "spec", "ports")]
    }


def _node_port(port: Fields) -> int:
    number = port.get("nodePort")
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


def images_of(documents: Sequence[Document]) -> tuple[str, ...]:
    """Return the images of the workloads, each once, in order."""
    found = (
        container.image
        for document in objects_of(documents)
        for pod in [pod_of(document)]
        if pod is not None
        for container in pod.containers
        if container.image
    )
    return tuple(dict.fromkeys(found))


def service_of(path: Fields) -> str:
    """Return the service a path's backend names, in the form of networking/v1 or of v1beta1."""
    backend = mapping_at(path, "backend")
    return text_at(backend, "service", "name") or text_at(backend, "serviceName")


def backend_port_of(path: Fields) -> YamlValue:
    """Return the port a path's backend names, by number or name, in the form of v1 or of v1beta1."""
    port = mapping_at(path, "backend", "service", "port")
    return port.get("number") or port.get("name") or mapping_at(path, "backend").get("servicePort")


def host_of(rule: YamlValue) -> str:
    """Return the host of an Ingress's rule, "*" where it names none."""
    return text_at(rule, "host") or ANY_HOST


def backend_of(path: Fields) -> str:
    """Return the Service that a path's backend names, or the resource, such as `StorageBucket/static`."""
    resource = mapping_at(path, "backend", "resource")
    return service_of(path) or "/".join(filter(None, (text_at(resource, "kind"), text_at(resource, "name"))))


def default_backend_of(ingress: Fields) -> Fields:
    """Return what an Ingress sends requests to that no rule serves, in the form of v1 or of v1beta1."""
    return mapping_at(ingress, "spec", "defaultBackend") or mapping_at(ingress, "spec", "backend")


def entry_point_of(ingress: Fields) -> EntryPoint:
    """Return where an Ingress takes requests, as its field `ingressClassName` or its annotations say."""
    annotations = mapping_at(ingress, "metadata", "annotations")
    name = text_at(ingress, "spec", "ingressClassName") or text_at(annotations, INGRESS_CLASS)
    own = text_at(ingress, "metadata", "name") if name in _ONE_EACH else ""
    given = (text_at(annotations, key) for key in _ONE_EACH.get(name, _ONE_EACH["qcloud"]))
    return EntryPoint(name, next(filter(None, given), own), text_at(annotations, _CANARY) == "true")


def entry_of_host(host: str, entry: EntryPoint, ingress: str) -> EntryPoint:
    """Return where requests for a host come in: for any host, at an address that may be the Ingress's own."""
    is_shared = host != ANY_HOST or entry.load_balancer or _ONE_FOR_ALL.fullmatch(entry.ingress_class)
    return entry if is_shared else entry._replace(load_balancer=ingress)


def _routes_of_ingress(document: Document) -> Iterator[Route]:
    entry, default = entry_point_of(document.body), default_backend_of(document.body)
    for rule in list_at(document.body, "spec", "rules") or [None]:
        paths = list_at(rule, "http", "paths")
        if not paths and default:
            paths = [{"pathType": DEFAULT_BACKEND, "backend": dict(default)}]
        for fields in map(mapping_at, paths):
            yield Route(
                host=host_of(rule),
                path=text_at(fields, "path") or "/",
                service=backend_of(fields),
                ingress=document.name,
                path_type=text_at(fields, "pathType"),
                entry=entry_of_host(host_of(rule), entry, document.name),
            )
