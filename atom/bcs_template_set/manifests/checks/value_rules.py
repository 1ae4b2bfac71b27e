"""Values, and pairs of them, that the API server refuses. Pure: performs no I/O.

The forms of single values are in `schema/value_forms.py`, pairs in `value_rows.py`; here is what neither can
say. What holds for containers and pods holds in every kind that makes pods. What BCS fills in later is not
judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, PodOwner, check
from bcs_template_set.manifests.checks.value_rows import (
    NO_ROWS,
    OF_KIND,
    OF_POD,
    Found,
    in_rows,
    rows_of_container,
)
from bcs_template_set.manifests.fields import (
    Fields,
    Paths,
    is_left_for_bcs,
    list_at,
    mapping_at,
    objects_at,
    text_at,
)
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.manifests.naming import CONFIG_KEY
from bcs_template_set.manifests.pod_templates import is_filled_in
from bcs_template_set.manifests.quantities import size_of
from bcs_template_set.manifests.routes import INGRESS_CLASS
from bcs_template_set.manifests.schema.value_forms import is_part_of_block
from bcs_template_set.manifests.yaml_reading import YamlValue


@check("value", warns=("value_env_twice", "value_fraction"))
def check_values(checked: CheckInput) -> Iterator[Finding]:
    """Yield values that can't be, and pairs that contradict each other."""
    for place, problem in checked.problems:
        if problem.said is not None:
            sentence = problem.said.key.partition(".")[2]
            yield checked.finding(place, problem.path, sentence, **problem.said.fields)
    for owner in checked.workloads:
        for where, sentence, fields in (*_in_pod(owner), *_restart_policy(owner), *_in_containers(owner)):
            yield checked.finding(owner, owner.pod.field(f"spec.{where}"), sentence, **fields)
    for place in checked.places:
        kind, body = (place.document.group, place.document.kind), place.document.body
        rules = (in_rows(body, OF_KIND.get(kind, NO_ROWS)), *(rule(body) for rule in _OF_KIND.get(kind, ())))
        for where, sentence, fields in chain.from_iterable(rules):
            yield checked.finding(place, where, sentence, **fields)


def _twice(entries: Sequence[YamlValue], path: str, sentence: str = "value_twice") -> Found:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        name = text_at(entry, "name")
        if name and name in seen and not is_left_for_bcs(name):
            yield f"{path}[{index}].name", sentence, {"name": name}
        seen.add(name)


# --- pods -----------------------------------------------------------------------------------------------

_BY_KEY = ("metadata.labels['<KEY>']", "metadata.annotations['<KEY>']")
_OF_BOTH = ("metadata.name", "metadata.namespace", "metadata.uid", *_BY_KEY)
_IN_ENV = (
    *(*_OF_BOTH, "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
_IN_VOLUME = (*_OF_BOTH, "metadata.labels", "metadata.annotations")
_DOWNWARD: Paths[Sequence[str]] = Paths(
    (
        ("containers[].env[].valueFrom.fieldRef", _IN_ENV),
        ("initContainers[].env[].valueFrom.fieldRef", _IN_ENV),
        ("volumes[].downwardAPI.items[].fieldRef", _IN_VOLUME),
        ("volumes[].projected.sources[].downwardAPI.items[].fieldRef", _IN_VOLUME),
    )
)
"""Where a pod's own fields are asked for, and those that there are (core/validation, downward API)."""
_SUBSCRIPT = re.compile(r"\['.+'\]")
_FORMER = "spec.host"
"""Read as spec.nodeName, for clients from before Kubernetes 1.0."""


def _in_pod(owner: PodOwner) -> Found:
    spec = owner.pod.spec
    yield from _twice(list_at(spec, "volumes"), "volumes")
    for index, volume in enumerate(list_at(spec, "volumes")):
        sources = [key for key, value in mapping_at(volume).items() if key != "name" and value is not None]
        if len(sources) > 1:
            yield f"volumes[{index}]", "value_one_of", {"known": sources}
    spread: set[tuple[str, str]] = set()
    for index, one in enumerate(map(mapping_at, list_at(spec, "topologySpreadConstraints"))):
        place = (text_at(one, "topologyKey"), text_at(one, "whenUnsatisfiable"))
        if place in spread and not is_left_for_bcs(place[0]):
            yield f"topologySpreadConstraints[{index}]", "value_twice", {"name": place[0]}
        spread.add(place)
    yield from _host_ports_twice(owner)
    for where, entry, (known,) in _DOWNWARD.found_in(spec):
        asked = text_at(entry, "fieldPath")
        is_known = _SUBSCRIPT.sub("['<KEY>']", asked) in known or (asked == _FORMER and known is _IN_ENV)
        if asked and not is_known and not is_left_for_bcs(asked):
            yield f"{where}.fieldPath", "field-value", {"known": known}
    yield from in_rows(spec, OF_POD)


def _host_ports_twice(owner: PodOwner) -> Found:
    taken: set[tuple[object, ...]] = set()
    for container in owner.pod.containers:
        for index, port in enumerate(map(mapping_at, list_at(container.body, "ports"))):
            number = port.get("hostPort")
            place = (number, text_at(port, "protocol") or "TCP", text_at(port, "hostIP"))
            if type(number) is int and number and "initContainers" not in container.place:
                if place in taken:
                    at = f"{container.place.partition('.')[2]}.ports[{index}].hostPort"
                    yield at, "value_twice", {"name": number}
                taken.add(place)


_ALWAYS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
_ONCE = ("Job", "CronJob")


def _restart_policy(owner: PodOwner) -> Found:
    given = text_at(owner.pod.spec, "restartPolicy")
    kind = owner.document.kind
    if owner.document.group not in ("", "apps", "batch") or is_left_for_bcs(given):
        return
    if kind in _ONCE and given not in ("OnFailure", "Never"):
        yield "restartPolicy", "value_restart_once", {"kind": kind}
    if kind in _ALWAYS and given not in ("", "Always"):
        yield "restartPolicy", "value_restart_always", {"kind": kind}


# --- containers -----------------------------------------------------------------------------------------


def _in_containers(owner: PodOwner) -> Found:
    is_whole, is_on_node = not is_filled_in(owner.document), owner.pod.spec.get("hostNetwork") is True
    for container in owner.pod.containers:
        body = container.body
        is_once = "initContainers" in container.place and body.get("restartPolicy") is None
        is_plain = mapping_at(body, "securityContext").get("privileged") in (None, False)
        rules = (
            in_rows(body, rows_of_container(is_whole=is_whole, is_once=is_once, is_plain=is_plain)),
            _amounts(body),
            _twice(list_at(body, "env"), "env", "value_env_twice"),
            _twice(list_at(body, "ports"), "ports"),
            _host_ports(body) if is_on_node else (),
            _resources(body),
        )
        place = container.place.partition(".")[2]
        for where, sentence, fields in chain.from_iterable(rules):
            yield f"{place}.{where}", sentence, fields


def _host_ports(container: Fields) -> Found:
    for index, entry in enumerate(list_at(container, "ports")):
        port = mapping_at(entry)
        if type(port.get("hostPort")) is int and port["hostPort"] not in (0, port.get("containerPort")):
            fields = {"name": "hostNetwork: true", "wanted": "hostPort = containerPort"}
            yield f"ports[{index}].hostPort", "value_needs", fields


_PARTS, _STANDARD = ("limits", "requests"), ("cpu", "memory", "ephemeral-storage")
_RESOURCE = re.compile("|".join((*_STANDARD, "hugepages-.+", ".+/.+")))
_AMOUNT = re.compile(rf"(?:{'|'.join(_PARTS)})\.(?:{_RESOURCE.pattern})")
_AMOUNTS = tuple(f"{part}.{name}" for part in _PARTS for name in _STANDARD)
_COUNTED = re.compile("hugepages-|(?!.*kubernetes\\.io/).+/")
"""Resources of which no more may be requested than there are: requests are limits, too."""


def _amounts(container: Fields) -> Found:
    for where, asked in objects_at(container, "env[].valueFrom.resourceFieldRef"):
        resource = text_at(asked, "resource")
        if resource and not _AMOUNT.fullmatch(resource) and not is_left_for_bcs(resource):
            yield f"{where}.resource", "field-value", {"known": _AMOUNTS}


def _resources(container: Fields) -> Found:
    limits = mapping_at(container, "resources", "limits")
    for part in _PARTS:
        for name, value in mapping_at(container, "resources", part).items():
            size, limit = size_of(value), size_of(limits.get(name))
            if not _RESOURCE.fullmatch(name) and not is_left_for_bcs(name):
                yield f"resources.{part}[{name}]", "value_resource", {"name": name}
            elif size is None:
                pass  # its form is judged by the schema
            elif limit is not None and size > limit:
                yield f"resources.requests[{name}]", "value_over_limit", {"name": name}
            elif "/" in name and size % 1:
                yield f"resources.{part}[{name}]", "value_whole", {"name": name}
            elif name not in limits and _COUNTED.match(name):
                yield "resources.limits", "value_needs", {"name": f"requests: {name}", "wanted": name}
            elif name == "memory" and size % 1:
                yield f"resources.{part}[{name}]", "value_fraction", {}


# --- objects --------------------------------------------------------------------------------------------


def _deployment(body: Fields) -> Found:
    spec = mapping_at(body, "spec")
    ready, deadline = spec.get("minReadySeconds"), spec.get("progressDeadlineSeconds")
    if type(ready) is int and type(deadline) is int and 0 < deadline <= ready:
        yield "spec.progressDeadlineSeconds", "value_at_least", {"least": ready + 1}


def _service(body: Fields) -> Found:
    is_inside = text_at(body, "spec", "type") in ("", "ClusterIP")
    ports = list_at(body, "spec", "ports")
    yield from _twice(ports, "spec.ports")
    seen: set[str] = set()
    for index, port in enumerate(map(mapping_at, ports)):
        name = f"{text_at(port, 'protocol') or 'TCP'} {port.get('port')}"
        if type(port.get("port")) is int and name in seen:
            yield f"spec.ports[{index}].port", "value_twice", {"name": name}
        seen.add(name)
        asked = port.get("nodePort")
        if is_inside and asked not in (None, 0) and not is_left_for_bcs(asked):
            yield f"spec.ports[{index}].nodePort", "value_node_port", {}


def _autoscaler(body: Fields) -> Found:
    least, most = (mapping_at(body, "spec").get(key) for key in ("minReplicas", "maxReplicas"))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield "spec.minReplicas", "value_min_max", {"least": least, "most": most}
    for way in ("scaleUp", "scaleDown"):
        if mapping_at(body, "spec", "behavior", way).get("policies") == []:
            yield f"spec.behavior.{way}.policies", "value_needs", {"name": "policies", "wanted": "- type: …"}


_STEPS = re.compile(r"//|/\.\.?(?:/|$)|%2[fF]")


def _ingress(body: Fields) -> Found:
    for where, entry in objects_at(body, "spec.rules[].http.paths[]"):
        path = text_at(entry, "path")
        is_judged = text_at(entry, "pathType") in ("Exact", "Prefix") and not is_left_for_bcs(path)
        if is_judged and _STEPS.search(path):
            yield f"{where}.path", "value_path_steps", {}
    classes = (text_at(body, "spec", "ingressClassName"), annotation_of(body, INGRESS_CLASS))
    if all(classes) and classes[0] != classes[1] and not any(map(is_left_for_bcs, classes)):
        fields = {"name": "ingressClassName", "wanted": f"{INGRESS_CLASS}: {classes[0]}"}
        yield "spec.ingressClassName", "value_needs", fields


def _policy(body: Fields) -> Found:
    for path in ("spec.ingress[].ports[]", "spec.egress[].ports[]"):
        for where, port in objects_at(body, path):
            first, last = port.get("port"), port.get("endPort")
            if isinstance(first, int) and isinstance(last, int) and last < first:
                yield f"{where}.endPort", "value_at_least", {"least": first}
            if isinstance(first, str) and first and last is not None and not is_left_for_bcs(first):
                fields = {"name": "endPort", "wanted": "port: 1 / … / 65535"}
                yield f"{where}.endPort", "value_goes_with", fields
    for path in ("spec.ingress[].from[].ipBlock", "spec.egress[].to[].ipBlock"):
        for where, block in objects_at(body, path):
            for index, out in enumerate(list_at(block, "except")):
                if not is_part_of_block(str(out), text_at(block, "cidr")):
                    yield f"{where}.except[{index}]", "value_inside", {"name": "cidr"}


def _claim(body: Fields) -> Found:
    spec = mapping_at(body, "spec")
    if size_of(mapping_at(spec, "resources", "requests").get("storage")) == 0:
        yield "spec.resources.requests[storage]", "value_at_least", {"least": 1}
    modes = list_at(spec, "accessModes")
    if _ALONE in modes and len(modes) > 1:
        yield "spec.accessModes", "value_goes_with", {"name": _ALONE, "wanted": f"[{_ALONE}]"}


_ALONE = "ReadWriteOncePod"
_KEY = re.compile(CONFIG_KEY)


def _keys(body: Fields) -> Found:
    for part in ("data", "binaryData", "stringData"):
        for key in mapping_at(body, part):
            is_key = _KEY.fullmatch(key) and not key.startswith("..") and key != "."
            if not is_key and not is_left_for_bcs(key):
                yield f"{part}[{key}]", "value_key", {}
            elif part == "binaryData" and key in mapping_at(body, "data"):
                yield f"{part}[{key}]", "value_twice", {"name": key}


_KEYS_OF_TYPE: Mapping[str, Sequence[str]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
"""The keys without which the API server refuses a Secret of a type."""
_OF_ACCOUNT, _ACCOUNT = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"


def _secret(body: Fields) -> Found:
    kind = text_at(body, "type")
    keys = [*mapping_at(body, "data"), *mapping_at(body, "stringData")]
    are_known = not any(map(is_left_for_bcs, keys))
    for key in _KEYS_OF_TYPE.get(kind, ()):
        if are_known and key not in keys:
            yield "data", "value_needs", {"name": f"type: {kind}", "wanted": key}
        text = text_at(body, "stringData", key)
        if text and key.startswith(".docker") and not is_left_for_bcs(text) and not _is_json(text):
            yield f"stringData[{key}]", "value_json", {}
    is_basic = kind == "kubernetes.io/basic-auth"
    if is_basic and are_known and not {"username", "password"}.intersection(keys):
        yield "data", "value_needs", {"name": f"type: {kind}", "wanted": "username / password"}
    if kind == _OF_ACCOUNT and not annotation_of(body, _ACCOUNT):
        yield "metadata.annotations", "value_needs", {"name": f"type: {kind}", "wanted": _ACCOUNT}


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


_OF_KIND: Mapping[tuple[str, str], Sequence[Callable[[Fields], Found]]] = {
    ("apps", "Deployment"): (_deployment,),
    ("", "Service"): (_service,),
    ("autoscaling", "HorizontalPodAutoscaler"): (_autoscaler,),
    ("networking.k8s.io", "Ingress"): (_ingress,),
    ("networking.k8s.io", "NetworkPolicy"): (_policy,),
    ("", "PersistentVolumeClaim"): (_claim,),
    ("", "ConfigMap"): (_keys,),
    ("", "Secret"): (_keys, _secret),
}
"""By group and kind: what no row can say of the whole object."""
