"""Checks of what objects say of each other: selectors, services, ports. Pure: performs no I/O.

What is not in the run can't be checked, and is no mistake: a Service may select pods, and an Ingress may
use a Service, that another file has put there. Only for built-in templates do all of them have to be here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional, Union

from bcs_template_set.manifests.checks.finding import (
    CheckInput,
    DocumentInFile,
    Finding,
    check,
    few,
)
from bcs_template_set.manifests.checks.objects import ingress_paths
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import INGRESS, REPLICATION_CONTROLLER, SERVICE, is_of
from bcs_template_set.manifests.pod_templates import (
    may_make_other_pods,
    named_ports_of,
    numbers_of_ports,
    selects_pods,
)
from bcs_template_set.manifests.routes import backend_port_of, service_of
from bcs_template_set.manifests.yaml_reading import YamlValue


@check("pod-selector")
def check_pod_selectors(checked: CheckInput) -> Iterator[Finding]:
    """Yield workloads whose selector does not select their own pods."""
    for workload in checked.workloads:
        labels = workload.pod.labels
        selector = mapping_at(workload.document.body, "spec", "selector")
        is_plain = is_of(REPLICATION_CONTROLLER, workload.document.api_version, workload.document.kind)
        if not is_plain and not selects_pods(workload.document):
            continue
        place = "spec.selector" if is_plain else "spec.selector.matchLabels"
        wanted = selector if is_plain else mapping_at(selector, "matchLabels")
        for key, value in wanted.items():
            own = labels.get(key)
            if own != value and not is_left_for_bcs(value) and not is_left_for_bcs(own):
                yield checked.finding(
                    workload, f"{place}[{key}]", key=key, given=_shown(value), found=_shown(own)
                )
        for index, asked in enumerate(list_at(selector, "matchExpressions")):
            field = f"spec.selector.matchExpressions[{index}]"
            key, operator = text_at(mapping_at(asked), "key"), text_at(mapping_at(asked), "operator")
            if key and not _is_met(mapping_at(asked), labels.get(key)):
                found = _shown(labels.get(key))
                yield checked.finding(workload, field, key=key, given=operator, found=found)


def _is_met(asked: Fields, value: YamlValue) -> bool:
    """Tell whether a label's value is what a selector's expression asks for; unknown operators are met."""
    values, operator = list_at(asked, "values"), text_at(asked, "operator")
    if any(map(is_left_for_bcs, (value, *values))):
        return True
    met = {"In": value in values, "NotIn": value not in values, "Exists": value is not None}
    return {**met, "DoesNotExist": value is None}.get(operator, True)


@check("service-selector", warns=True, needs_all=True)
def check_service_selectors(checked: CheckInput) -> Iterator[Finding]:
    """Yield Services that select no pod of the run although the run has pods to select.

    A Service that asks for a label that no pod of the run has is meant for others. Where an object may make
    pods that nobody can see here, none is looked for.
    """
    if any(may_make_other_pods(place.document) for place in checked.places):
        return
    keys = {key for key, _ in checked.by_label}
    unsure = {key for key, value in checked.by_label if is_left_for_bcs(value)}
    for place in checked.of_kind(SERVICE):
        selector = mapping_at(place.document.body, "spec", "selector")
        if not selector or any(is_left_for_bcs(value) for value in selector.values()):
            continue
        sure = keys.issuperset(selector) and unsure.isdisjoint(selector)
        if sure and not checked.selected_by(selector):
            shown = [f"{key}={_shown(value)}" for key, value in selector.items()]
            yield checked.finding(place, "spec.selector", selector=shown)


@check("service-port", warns=True, needs_all=True)
def check_service_ports(checked: CheckInput) -> Iterator[Finding]:
    """Yield targetPorts by a name that no container of the selected pods has; others may be selected, too.

    One by number needs no declaration. Where they declare others, and the Service leads to none of these, it
    is probably a slip.
    """
    for place in checked.of_kind(SERVICE):
        selected = checked.selected_by(mapping_at(place.document.body, "spec", "selector"))
        if not selected:
            continue
        names = frozenset(name for workload in selected for name in named_ports_of(workload.pod))
        if any(map(is_left_for_bcs, names)):
            continue
        ports = _ports(place)
        numbers = frozenset(number for workload in selected for number in numbers_of_ports(workload.pod))
        is_astray = bool(numbers) and not any(_may_lead_to(port, numbers) for port in ports)
        shown = few(names)
        for index, port in enumerate(ports):
            target = text_at(port, "targetPort")
            field = f"spec.ports[{index}].targetPort"
            if target and target not in names and not target.isdecimal() and not is_left_for_bcs(target):
                sentence = None if shown else "service_port_none"
                yield checked.finding(place, field, sentence, port=target, known=shown)
            number = port.get("targetPort") or port.get("port")
            if type(number) is int and is_astray:
                known = few(map(str, numbers))
                yield checked.finding(place, field, "service_port_number", port=number, known=known)


def _ports(place: DocumentInFile) -> list[Fields]:
    return [mapping_at(port) for port in list_at(place.document.body, "spec", "ports")]


def _may_lead_to(port: Fields, numbers: frozenset[int]) -> bool:
    target = port.get("targetPort") or port.get("port")
    return isinstance(target, str) or target in numbers


@check("ingress-service")
def check_ingress_services(checked: CheckInput) -> Iterator[Finding]:
    """Yield backends whose Service has no such port or, for built-in templates, is not in the run."""
    services = (place.document for place in checked.of_kind(SERVICE))
    ports = {service.name: _ports_of(service.body) for service in services}
    for place in checked.of_kind(INGRESS):
        for where, path in ingress_paths(place.document.body):
            name = service_of(path)
            if not name or is_left_for_bcs(name):
                continue
            if name in ports:
                yield from _check_port(checked, place, where, path, ports[name])
            elif place.file.domain and checked.is_whole:
                yield checked.finding(place, f"{where}.backend.service.name", "service_missing", name=name)


INGRESS_SERVICE = check_ingress_services.id


_PortNames = frozenset[Union[int, str]]


def _ports_of(service: Fields) -> Optional[_PortNames]:
    """Return what a Service's ports are called, None where it has none or BCS fills one in."""
    ports = [mapping_at(port) for port in list_at(service, "spec", "ports")]
    values = (value for port in ports for value in (port.get("port"), port.get("name")))
    known = frozenset(value for value in values if value and isinstance(value, (int, str)))
    return None if not ports or any(map(is_left_for_bcs, known)) else known


_BY_ANNOTATION = "use-annotation"
"""A port by this name stands for an action that an annotation describes (AWS Load Balancer Controller)."""


def _check_port(
    checked: CheckInput, place: DocumentInFile, where: str, path: Fields, ports: Optional[_PortNames]
) -> Iterator[Finding]:
    wanted = backend_port_of(path)
    if not isinstance(wanted, (int, str)) or is_left_for_bcs(wanted) or wanted == _BY_ANNOTATION:
        return
    is_number_as_text = isinstance(wanted, str) and wanted.isdecimal()  # its type is wrong, not its number
    if ports is not None and wanted not in ports and not is_number_as_text:
        field, shown = f"{where}.backend.service.port", few(map(str, ports)) or ["-"]
        yield checked.finding(place, field, name=service_of(path), port=wanted, known=shown)


def _shown(value: YamlValue) -> str:
    """Return a label's value as a manifest writes it, "-" where there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-" if value is None else str(value)[:80]
