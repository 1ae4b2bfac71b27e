"""Values, and pairs of them, that the API server refuses: a table. Pure: performs no I/O.

A rule is a function that yields where something can't be, and the sentence for it. Those of containers and
pods hold in every kind that makes pods. What BCS fills in later is not judged.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, PodOwner, check
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.pod_templates import containers_of, is_filled_in
from bcs_template_set.manifests.quantities import size_of
from bcs_template_set.manifests.schedules import is_schedule
from bcs_template_set.manifests.yaml_reading import YamlValue

Found = Iterator[tuple[str, str, dict[str, object]]]
"""Where below the place, which sentence, and its fields."""

HIGHEST_PORT = 65_535
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?")
_HOST = re.compile(r"(?![0-9]+(?:\.[0-9]+){3}$)(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_KEYS_OF_TYPE: Mapping[str, Sequence[str]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
"""The keys without which the API server refuses a Secret of a type."""
_KEY = re.compile("[-._a-zA-Z0-9]{1,253}")
_BREAKS = re.compile(r"[\r\n]")
_PAIR_OF_DOMAINS: dict[str, object] = {"name": "minDomains", "wanted": "whenUnsatisfiable: DoNotSchedule"}
_ALWAYS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
_ONCE = ("Job", "CronJob")


@check("value", warns=("value_env_twice", "value_fraction"))
def check_values(checked: CheckInput) -> Iterator[Finding]:
    """Yield values that can't be, and pairs that contradict each other."""
    for owner in checked.workloads:
        for where, sentence, fields in _in_pod(owner):
            yield checked.finding(owner, owner.pod.field(where), sentence, **fields)
    for place in checked.places:
        rules = _OF_KIND.get((place.document.group, place.document.kind), ())
        for rule in rules:
            for where, sentence, fields in rule(place.document.body):
                yield checked.finding(place, where, sentence, **fields)


def _in_pod(owner: PodOwner) -> Found:
    yield from _twice(list_at(owner.pod.spec, "volumes"), "spec.volumes")
    yield from _volumes(owner.pod.spec)
    yield from _spread(owner.pod.spec)
    yield from _tolerations(owner.pod.spec)
    yield from _restart_policy(owner)
    rules = _OF_CONTAINER if is_filled_in(owner.document) else (*_OF_CONTAINER, _bare_probes)
    for container in containers_of(owner.pod):
        is_once = "initContainers" in container.place and container.body.get("restartPolicy") is None
        for rule in (*rules, _only_beside) if is_once else rules:
            for where, sentence, fields in rule(container.body):
                yield f"{container.place}.{where}", sentence, fields
        if owner.pod.spec.get("hostNetwork") is True:
            for where, sentence, fields in _host_ports(container.body):
                yield f"{container.place}.{where}", sentence, fields


def _twice(entries: Sequence[YamlValue], path: str) -> Found:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        name = text_at(mapping_at(entry), "name")
        if name and name in seen and not is_left_for_bcs(name):
            yield f"{path}[{index}].name", "value_twice", {"name": name}
        seen.add(name)


def _spread(spec: Fields) -> Found:
    for index, entry in enumerate(list_at(spec, "topologySpreadConstraints")):
        given, path = mapping_at(entry), f"spec.topologySpreadConstraints[{index}]"
        for key in ("maxSkew", "minDomains"):
            number = given.get(key)
            if type(number) is int and number < 1:
                yield f"{path}.{key}", "value_at_least", {"least": 1}
        if given.get("minDomains") is not None and given.get("whenUnsatisfiable") == "ScheduleAnyway":
            yield f"{path}.minDomains", "value_goes_with", _PAIR_OF_DOMAINS


def _tolerations(spec: Fields) -> Found:
    for index, entry in enumerate(list_at(spec, "tolerations")):
        given = mapping_at(entry)
        if given.get("operator") == "Exists" and given.get("value") not in (None, ""):
            fields: dict[str, object] = {"name": "value", "wanted": "operator: Equal"}
            yield f"spec.tolerations[{index}].value", "value_goes_with", fields


def _volumes(spec: Fields) -> Found:
    for index, entry in enumerate(list_at(spec, "volumes")):
        sources = [key for key, value in mapping_at(entry).items() if key != "name" and value is not None]
        if len(sources) > 1:
            yield f"spec.volumes[{index}]", "value_one_of", {"known": sources}


def _restart_policy(owner: PodOwner) -> Found:
    given = text_at(owner.pod.spec, "restartPolicy")
    kind = owner.document.kind
    if owner.document.group not in ("", "apps", "batch") or is_left_for_bcs(given):
        return
    if kind in _ONCE and given not in ("OnFailure", "Never"):
        yield "spec.restartPolicy", "value_restart_once", {"kind": kind}
    if kind in _ALWAYS and given not in ("", "Always"):
        yield "spec.restartPolicy", "value_restart_always", {"kind": kind}


# --- containers -----------------------------------------------------------------------------------------


def _probes_of(container: Fields) -> list[tuple[str, Fields]]:
    return [(name, mapping_at(container, name)) for name in _PROBES if name in container]


def _probes(container: Fields) -> Found:
    for name, probe in _probes_of(container):
        if len(_handlers(probe)) > 1:
            yield name, "value_one_of", {"known": list(_HANDLERS)}


def _bare_probes(container: Fields) -> Found:
    for name, probe in _probes_of(container):
        if probe and not _handlers(probe):
            yield name, "value_one_of", {"known": list(_HANDLERS)}


def _successes(container: Fields) -> Found:
    for name in ("livenessProbe", "startupProbe"):
        number = mapping_at(container, name).get("successThreshold")
        if type(number) is int and number not in (0, 1):
            yield f"{name}.successThreshold", "value_needs", {"name": name, "wanted": "successThreshold: 1"}


def _only_beside(container: Fields) -> Found:
    """Yield what only a container has that runs beside the others."""
    for name in (*_PROBES, "lifecycle"):
        if container.get(name):
            yield name, "value_goes_with", {"name": name, "wanted": "restartPolicy: Always"}


def _host_ports(container: Fields) -> Found:
    for index, entry in enumerate(list_at(container, "ports")):
        port = mapping_at(entry)
        if type(port.get("hostPort")) is int and port["hostPort"] not in (0, port.get("containerPort")):
            fields: dict[str, object] = {"name": "hostNetwork: true", "wanted": "hostPort = containerPort"}
            yield f"ports[{index}].hostPort", "value_needs", fields


def _probe_ports(container: Fields) -> Found:
    for name, probe in _probes_of(container):
        for handler in ("httpGet", "tcpSocket"):
            yield from _port_of_either_type(mapping_at(probe, handler), f"{name}.{handler}", "port")


def _port_of_either_type(entry: Fields, path: str, key: str) -> Found:
    """Yield a port, by number or name, that is neither."""
    port = text_at(entry, key)
    if port.isdecimal():
        yield f"{path}.{key}", "value_port_quoted", {}
    elif port and not _PORT_NAME.fullmatch(port) and not is_left_for_bcs(port):
        yield f"{path}.{key}", "value_port_name", {"name": port}
    yield from _port_number(entry, path, key)


def _handlers(probe: Fields) -> list[str]:
    return [handler for handler in _HANDLERS if probe.get(handler) is not None]


def _env(container: Fields) -> Found:
    seen: set[str] = set()
    for index, entry in enumerate(list_at(container, "env")):
        given = mapping_at(entry)
        name = text_at(given, "name")
        if name in seen and not is_left_for_bcs(name):
            yield f"env[{index}].name", "value_env_twice", {"name": name}
        seen.add(name)
        if given.get("value") not in (None, "") and given.get("valueFrom") is not None:
            yield f"env[{index}]", "value_and_source", {}


def _ports(container: Fields) -> Found:
    ports = list_at(container, "ports")
    yield from _twice(ports, "ports")
    for index, entry in enumerate(ports):
        port = mapping_at(entry)
        name = text_at(port, "name")
        if name and not _PORT_NAME.fullmatch(name) and not is_left_for_bcs(name):
            yield f"ports[{index}].name", "value_port_name", {"name": name}
        yield from _port_number(port, f"ports[{index}]", "containerPort")
        if port.get("hostPort") != 0:
            yield from _port_number(port, f"ports[{index}]", "hostPort")


def _port_number(port: Fields, path: str, key: str) -> Found:
    number = port.get(key)
    if type(number) is int and not 1 <= number <= HIGHEST_PORT:
        yield f"{path}.{key}", "value_port", {"port": number}


def _resources(container: Fields) -> Found:
    limits = mapping_at(container, "resources", "limits")
    for part in ("limits", "requests"):
        for name, value in mapping_at(container, "resources", part).items():
            if value is None or is_left_for_bcs(value) or isinstance(value, (list, dict, bool)):
                continue
            size, limit = size_of(value), size_of(limits.get(name))
            if size is None:
                yield f"resources.{part}[{name}]", "value_quantity", {}
            elif part == "requests" and limit is not None and size > limit:
                yield f"resources.requests[{name}]", "value_over_limit", {"name": name}
            elif name == "memory" and size % 1:
                yield f"resources.{part}[{name}]", "value_fraction", {}


_OF_CONTAINER: Sequence[Callable[[Fields], Found]] = (
    _probes,
    _successes,
    _probe_ports,
    _env,
    _ports,
    _resources,
)


# --- objects --------------------------------------------------------------------------------------------


_LEAST: Mapping[str, int] = {
    **dict.fromkeys(("replicas", "minReadySeconds", "revisionHistoryLimit"), 0),
    **dict.fromkeys(("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"), 0),
    **dict.fromkeys(("successfulJobsHistoryLimit", "failedJobsHistoryLimit", "startingDeadlineSeconds"), 0),
    **dict.fromkeys(("maxReplicas", "progressDeadlineSeconds"), 1),
}
"""What numbers of `spec` have to be at least."""


def _numbers(body: Fields) -> Found:
    spec = mapping_at(body, "spec")
    for key in spec.keys() & _LEAST.keys():
        number = spec[key]
        if type(number) is int and number < _LEAST[key]:
            yield f"spec.{key}", "value_at_least", {"least": _LEAST[key]}


def _deadline(body: Fields) -> Found:
    spec = mapping_at(body, "spec")
    ready, deadline = spec.get("minReadySeconds"), spec.get("progressDeadlineSeconds")
    if type(ready) is int and type(deadline) is int and 0 < deadline <= ready:
        yield "spec.progressDeadlineSeconds", "value_at_least", {"least": ready + 1}


def _strategy(body: Fields) -> Found:
    strategy = mapping_at(body, "spec", "strategy")
    rolling = mapping_at(strategy, "rollingUpdate")
    if text_at(strategy, "type") == "Recreate" and rolling:
        yield "spec.strategy.rollingUpdate", "value_recreate", {}
    none = (0, "0", "0%")
    if rolling.get("maxSurge") in none and rolling.get("maxUnavailable") in none:
        yield "spec.strategy.rollingUpdate", "value_no_step", {}


def _service(body: Fields) -> Found:
    ports = list_at(body, "spec", "ports")
    yield from _twice(ports, "spec.ports")
    spec, kind = mapping_at(body, "spec"), text_at(body, "spec", "type")
    is_inside = kind in ("", "ClusterIP")
    if kind == "ExternalName" and not spec.get("externalName"):
        yield "spec", "value_needs", {"name": "type: ExternalName", "wanted": "externalName"}
    if is_inside and spec.get("externalTrafficPolicy") and not spec.get("externalIPs"):
        fields: dict[str, object] = {
            "name": "externalTrafficPolicy",
            "wanted": "type: LoadBalancer / NodePort",
        }
        yield "spec.externalTrafficPolicy", "value_goes_with", fields
    seen: set[tuple[YamlValue, YamlValue]] = set()
    for index, entry in enumerate(ports):
        port = mapping_at(entry)
        pair = (text_at(port, "protocol") or "TCP", port.get("port"))
        if type(pair[1]) is int and pair in seen:
            yield f"spec.ports[{index}].port", "value_twice", {"name": f"{pair[0]} {pair[1]}"}
        seen.add(pair)
        yield from _port_number(port, f"spec.ports[{index}]", "port")
        yield from _port_of_either_type(port, f"spec.ports[{index}]", "targetPort")
        if port.get("nodePort") != 0:
            yield from _port_number(port, f"spec.ports[{index}]", "nodePort")
        if is_inside and port.get("nodePort") not in (None, 0) and not is_left_for_bcs(port.get("nodePort")):
            yield f"spec.ports[{index}].nodePort", "value_node_port", {}


def _autoscaler(body: Fields) -> Found:
    least, most = (mapping_at(body, "spec").get(key) for key in ("minReplicas", "maxReplicas"))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield "spec.minReplicas", "value_min_max", {"least": least, "most": most}


def _budget(body: Fields) -> Found:
    spec = mapping_at(body, "spec")
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield "spec.maxUnavailable", "value_one_budget", {}


def _claim(body: Fields) -> Found:
    spec = mapping_at(body, "spec")
    for wanted, given in (
        ("accessModes", spec.get("accessModes")),
        ("resources.requests.storage", mapping_at(spec, "resources", "requests").get("storage")),
    ):
        if given is None or given == []:
            yield "spec", "value_needs", {"name": "PersistentVolumeClaim", "wanted": wanted}


def _backend(backend: Fields, path: str) -> Found:
    if backend.get("service") is not None and backend.get("resource") is not None:
        yield path, "value_one_of", {"known": ["service", "resource"]}
    service, port = mapping_at(backend, "service"), mapping_at(backend, "service", "port")
    if service and (port.get("name") in (None, "")) == (port.get("number") in (None, 0)):
        yield f"{path}.service.port", "value_one_of", {"known": ["name", "number"]}


def _ingress(body: Fields) -> Found:
    yield from _backend(mapping_at(body, "spec", "defaultBackend"), "spec.defaultBackend")
    for number, rule in enumerate(list_at(body, "spec", "rules")):
        host = text_at(mapping_at(rule), "host")
        if host and not is_left_for_bcs(host) and not _HOST.fullmatch(host):
            yield f"spec.rules[{number}].host", "value_host", {"host": host}
        for index, entry in enumerate(list_at(mapping_at(rule), "http", "paths")):
            path = text_at(mapping_at(entry), "path")
            where = f"spec.rules[{number}].http.paths[{index}]"
            yield from _backend(mapping_at(entry, "backend"), f"{where}.backend")
            if path and not path.startswith("/") and not is_left_for_bcs(path):
                yield f"{where}.path", "value_path", {"path": path}


def _keys(body: Fields) -> Found:
    for part in ("data", "binaryData", "stringData"):
        for key in mapping_at(body, part):
            is_key = _KEY.fullmatch(key) and not key.startswith("..") and key != "."
            if not is_key and not is_left_for_bcs(key):
                yield f"{part}[{key}]", "value_key", {}


def _secret(body: Fields) -> Found:
    kind = text_at(body, "type")
    keys = [*mapping_at(body, "data"), *mapping_at(body, "stringData")]
    for key in _KEYS_OF_TYPE.get(kind, ()):
        if key not in keys and not any(map(is_left_for_bcs, keys)):
            yield "data", "value_needs", {"name": f"type: {kind}", "wanted": key}
    for key, value in mapping_at(body, "data").items():
        if isinstance(value, str) and not is_left_for_bcs(value) and not _is_base64(value):
            yield f"data[{key}]", "value_base64", {}


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(_BREAKS.sub("", text).encode(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _cron(body: Fields) -> Found:
    schedule = text_at(body, "spec", "schedule")
    if schedule and not is_left_for_bcs(schedule) and not is_schedule(schedule):
        yield "spec.schedule", "value_schedule", {}


_OF_KIND: Mapping[tuple[str, str], Sequence[Callable[[Fields], Found]]] = {
    ("apps", "Deployment"): (_strategy, _numbers, _deadline),
    **dict.fromkeys((("apps", kind) for kind in ("StatefulSet", "DaemonSet", "ReplicaSet")), (_numbers,)),
    ("", "ReplicationController"): (_numbers,),
    ("batch", "Job"): (_numbers,),
    ("", "Service"): (_service,),
    ("autoscaling", "HorizontalPodAutoscaler"): (_autoscaler, _numbers),
    ("policy", "PodDisruptionBudget"): (_budget,),
    ("networking.k8s.io", "Ingress"): (_ingress,),
    ("", "ConfigMap"): (_keys,),
    ("", "PersistentVolumeClaim"): (_claim,),
    ("", "Secret"): (_keys, _secret),
    ("batch", "CronJob"): (_cron, _numbers),
}
"""By group and kind: what is looked at in the whole object."""
