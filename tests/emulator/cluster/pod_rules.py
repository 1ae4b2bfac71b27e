"""Which values the API server refuses in a pod, in its words: see field_rules. Performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.emulator.cluster.field_forms import (
    BELOW,
    DNS_LABEL,
    IP,
    MODE,
    NAME,
    PORT,
    PORT_NAME,
    PORT_OR_NONE,
    QUALIFIED,
    USER,
    Say,
    amount,
    at_most_one,
    between,
    either,
    exactly_one,
    filled,
    matching,
    named_once,
    once,
    one_of,
    requirement,
    resources,
    where,
)
from tests.emulator.cluster.tree import find, items, text

Rule = tuple[str, Say]
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PREFERRED, _REQUIRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("preferred", "required"))


def _of_fields(pattern: str) -> Say:
    return matching(re.compile(pattern).fullmatch, "error converting fieldPath: field label not supported")


_LABELS = r"(labels|annotations)\['.+'\]"
_ENV = _of_fields(
    rf"metadata\.(name|namespace|uid|{_LABELS})|spec\.(nodeName|host|serviceAccountName)|status\.(host|pod)IPs?"
)
_FILE = _of_fields(rf"metadata\.(name|namespace|uid|labels|annotations|{_LABELS})")
_AMOUNT = _of_fields(r"(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)")


_NOT_OF_READINESS = matching(lambda _: False, "must not be set for readinessProbes")


def _probe(name: str) -> Sequence[Rule]:
    is_ready = name == "readinessProbe"
    seconds = ("periodSeconds", "timeoutSeconds", "initialDelaySeconds")
    return (
        (name, exactly_one(*_HANDLERS)),
        (f"{name}.exec", exactly_one("command")),
        *((f"{name}.{field}", between(0)) for field in seconds),
        (f"{name}.successThreshold", between(0) if is_ready else between(0, 1)),
        (f"{name}.terminationGracePeriodSeconds", _NOT_OF_READINESS if is_ready else between(1)),
        *((f"{name}.{handler}.port", either) for handler in ("httpGet", "tcpSocket", "grpc")),
        (f"{name}.httpGet.scheme", one_of("HTTP", "HTTPS")),
    )


def _is_shared_back(container: object) -> str:
    mounts = [text(mount, "mountPropagation") for mount in items(container, "volumeMounts")]
    is_wrong = "Bidirectional" in mounts and not find(container, "securityContext", "privileged")
    return "Forbidden: Bidirectional mount propagation is for privileged containers only" if is_wrong else ""


def _ports_of_node(spec: object) -> str:
    ports = [port for container in items(spec, "containers") for port in items(container, "ports")]
    is_wrong = any(port.get("hostPort") not in (None, 0, port["containerPort"]) for port in ports)
    return "Invalid value: must match `containerPort`" if is_wrong and find(spec, "hostNetwork") else ""


def _ports_of_node_twice(spec: object) -> str:
    ports = [port for container in items(spec, "containers") for port in items(container, "ports")]
    taken = [
        (text(port, "protocol") or "TCP", text(port, "hostIP"), port["hostPort"])
        for port in ports
        if port.get("hostPort")
    ]
    return "Duplicate value" if len(taken) > len(set(taken)) else ""


_KEY = matching(re.compile("[-._a-zA-Z0-9]+").fullmatch, "a valid config key must consist of")
_HEADER = matching(re.compile("[-A-Za-z0-9]+").fullmatch, "a valid HTTP header must consist of")
_ESCALATES = "Invalid value: cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
_PROFILE, _SECCOMP = "securityContext.seccompProfile", "Invalid value: goes with type Localhost"
_OF_CONTAINER: Sequence[Rule] = (
    *(rule for name in _PROBES for rule in _probe(name)),
    *((f"lifecycle.{hook}", exactly_one(*_HANDLERS[:3], "sleep")) for hook in ("postStart", "preStop")),
    ("imagePullPolicy", one_of("Always", "IfNotPresent", "Never")),
    ("env[].name", filled),
    ("volumeMounts[].mountPath", filled),
    ("ports[].hostIP", IP),
    *((f"env[].valueFrom.{key}.key", filled) for key in ("configMapKeyRef", "secretKeyRef")),
    *((f"env[].valueFrom.{key}.key", _KEY) for key in ("configMapKeyRef", "secretKeyRef")),
    *((f"{probe}.httpGet.httpHeaders[].name", _HEADER) for probe in ("livenessProbe", "readinessProbe")),
    ("resizePolicy[].restartPolicy", one_of("NotRequired", "RestartContainer")),
    ("lifecycle.preStop.sleep.seconds", between(0)),
    ("ports[].containerPort", PORT),
    ("ports[].hostPort", PORT_OR_NONE),
    ("ports[].name", PORT_NAME),
    ("ports", named_once),
    ("volumeMounts[].subPath", BELOW),
    ("volumeMounts[].subPathExpr", BELOW),
    ("volumeMounts[]", at_most_one("subPath", "subPathExpr")),
    ("volumeMounts[].mountPropagation", one_of("None", "HostToContainer", "Bidirectional")),
    ("", _is_shared_back),
    ("env[].valueFrom", exactly_one("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")),
    ("env[]", at_most_one("value", "valueFrom")),
    ("env[].valueFrom.fieldRef", exactly_one("fieldPath")),
    ("env[].valueFrom.fieldRef.fieldPath", _ENV),
    ("env[].valueFrom.resourceFieldRef.resource", _AMOUNT),
    *((f"env[].valueFrom.{key}", exactly_one("name")) for key in ("configMapKeyRef", "secretKeyRef")),
    ("envFrom[]", exactly_one("configMapRef", "secretRef")),
    *((f"envFrom[].{key}", exactly_one("name")) for key in ("configMapRef", "secretRef")),
    ("securityContext", where("privileged=True allowPrivilegeEscalation=False", _ESCALATES)),
    ("securityContext.runAsUser", USER),
    ("securityContext.procMount", one_of("Default", "Unmasked")),
    (_PROFILE, where("type=Localhost !localhostProfile", _SECCOMP)),
    (_PROFILE, where("type!=Localhost localhostProfile", _SECCOMP)),
    (f"{_PROFILE}.type", one_of("Localhost", "RuntimeDefault", "Unconfined")),
    ("resources.limits{}", amount),
    ("resources.requests{}", amount),
    ("resources", resources),
)
_TERMS = [
    f"affinity.{kind}.{terms}.topologyKey"
    for kind in ("podAffinity", "podAntiAffinity")
    for terms in (f"{_REQUIRED}[]", f"{_PREFERRED}[].podAffinityTerm")
]
_TOLERATION = "Invalid value: goes with another operator, key or effect only"
_HOST_PATHS = (
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
OF_POD: Sequence[Rule] = (
    *(
        (f"{part}[].{path}".strip("."), say)
        for part in ("containers", "initContainers")
        for path, say in _OF_CONTAINER
    ),
    *(
        (f"affinity.{kind}.{_PREFERRED}[].weight", between(1, 100))
        for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity")
    ),
    (f"affinity.nodeAffinity.{_REQUIRED}", exactly_one("nodeSelectorTerms")),
    (f"affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms[].matchExpressions[]", requirement),
    ("tolerations[]", where("operator=Exists value", _TOLERATION)),
    ("tolerations[]", where("tolerationSeconds effect!=NoExecute", _TOLERATION)),
    ("tolerations[]", where("!key operator!=Exists", _TOLERATION)),
    ("", where("dnsPolicy=None !dnsConfig.nameservers", "Required value: must provide a DNS nameserver")),
    ("", where("hostPID=True shareProcessNamespace=True", "Invalid value: cannot both be enabled")),
    ("dnsConfig.nameservers[]", IP),
    *(
        (path, say)
        for path in (*_TERMS, "topologySpreadConstraints[].topologyKey")
        for say in (filled, QUALIFIED)
    ),
    ("tolerations[].key", QUALIFIED),
    ("readinessGates[].conditionType", QUALIFIED),
    ("topologySpreadConstraints", once("topologyKey", "whenUnsatisfiable")),
    ("topologySpreadConstraints[]", where("matchLabelKeys !labelSelector", "Forbidden: must be unset when")),
    ("hostAliases[]", exactly_one("ip")),
    ("volumes[].persistentVolumeClaim.claimName", filled),
    ("volumes[].hostPath.path", filled),
    ("volumes[].configMap.items[].key", filled),
    (
        "volumes[].projected.sources[]",
        at_most_one("configMap", "secret", "downwardAPI", "serviceAccountToken"),
    ),
    ("volumes[].downwardAPI.items[]", exactly_one("fieldRef", "resourceFieldRef")),
    ("volumes[].downwardAPI.items[].resourceFieldRef", exactly_one("containerName")),
    ("volumes[].ephemeral", exactly_one("volumeClaimTemplate")),
    ("", _ports_of_node_twice),
    ("hostAliases[].ip", IP),
    ("hostAliases[].hostnames[]", NAME),
    ("hostname", DNS_LABEL),
    ("subdomain", DNS_LABEL),
    ("serviceAccountName", NAME),
    ("priorityClassName", NAME),
    ("preemptionPolicy", one_of("Never", "PreemptLowerPriority")),
    ("activeDeadlineSeconds", between(1)),
    ("securityContext.fsGroup", USER),
    ("securityContext.supplementalGroups[]", USER),
    ("securityContext.fsGroupChangePolicy", one_of("OnRootMismatch", "Always")),
    *((f"volumes[].{source}.defaultMode", MODE) for source in ("configMap", "secret")),
    *((f"volumes[].{source}.items[].path", BELOW) for source in ("configMap", "secret")),
    ("volumes", named_once),
    *(
        ("initContainers[]", where(f"{name} restartPolicy!=Always", "Forbidden: only for sidecars"))
        for name in (*_PROBES, "lifecycle")
    ),
    ("", _ports_of_node),
    ("volumes[].configMap", exactly_one("name")),
    *((f"volumes[].projected.sources[].{source}", exactly_one("name")) for source in ("configMap", "secret")),
    ("volumes[].projected.sources[].serviceAccountToken.expirationSeconds", between(600)),
    ("volumes[].nfs.path", matching(lambda path: path.startswith("/"), "must be an absolute path")),
    ("volumes[].secret", exactly_one("secretName")),
    ("volumes[].hostPath.path", matching(lambda path: ".." not in path.split("/"), "must not contain '..'")),
    ("volumes[].hostPath.type", one_of(*_HOST_PATHS)),
    ("volumes[].emptyDir.sizeLimit", amount),
    ("volumes[]", at_most_one("emptyDir", "configMap", "secret", "hostPath", "downwardAPI")),
    *(
        (f"volumes[].{place}.items[].fieldRef.fieldPath", _FILE)
        for place in ("downwardAPI", "projected.sources[].downwardAPI")
    ),
    ("topologySpreadConstraints[].maxSkew", between(1)),
    ("topologySpreadConstraints[].nodeTaintsPolicy", one_of("Ignore", "Honor")),
    (
        "topologySpreadConstraints[]",
        where("minDomains whenUnsatisfiable=ScheduleAnyway", "Invalid value: can only use minDomains if not"),
    ),
)
