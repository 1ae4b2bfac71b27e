"""Which values the API server refuses in a field, and which beside another, in its words. Performs no I/O.

Kubernetes 1.28 pkg/apis/*/validation, and the words of k8s.io/api; only what a template may meet. A rule is a
path, and what is said of a value there. A document is looked at as it was sent.
"""

from __future__ import annotations

import functools
import ipaddress
import marshal
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tests.emulator.cluster.field_forms import (
    BASE64,
    BLOCK,
    DNS_LABEL,
    HOST,
    IP,
    NAME,
    PORT,
    PORT_OR_NONE,
    QUALIFIED,
    amount,
    at_most_one,
    between,
    either,
    exactly_one,
    filled,
    is_ip,
    matching,
    named_once,
    one_of,
    pods,
    requirement,
    values_at,
    where,
)
from tests.emulator.cluster.pod_rules import OF_POD, Rule
from tests.emulator.cluster.tree import Manifest, branch, find, items, number, text

_IN_TEMPLATE = "spec.template.spec"
_PODS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), _IN_TEMPLATE),
    "CronJob": f"spec.jobTemplate.{_IN_TEMPLATE}",
    "Pod": "spec",
}

_OF_THE_MOMENT = "resourceVersion"


def refuse_fields(manifest: Manifest) -> list[str]:
    """Return what is wrong with the values of a document."""
    metadata = {key: value for key, value in branch(manifest, "metadata").items() if key != _OF_THE_MOMENT}
    return [*_refused(marshal.dumps({**manifest, "metadata": metadata}, 2))]


@functools.lru_cache(maxsize=4096)
def _refused(document: bytes) -> tuple[str, ...]:
    """Return that of a document, which is previewed and deployed again and again."""
    manifest: Manifest = marshal.loads(document)  # noqa: S302 - of this process
    kind = text(manifest, "kind")
    places = [("", _OF_KIND.get(kind, ()), find(manifest))]
    if kind in _PODS:
        places.append((_PODS[kind], OF_POD, find(manifest, *_PODS[kind].split("."))))
    found = (
        (where, say(value))
        for around, rules, tree in places
        for path, say in rules
        for where, value in values_at(tree, path, around)
    )
    return tuple(f"{where}: {said}" for where, said in found if said)


_NONE, _BOTH, _FEW = "0|0%", "Forbidden: both can't be", "Required value"
_GROUP, _CLASS = "rbac.authorization.k8s.io", "kubernetes.io/ingress.class"
_BACKEND, _ROLLING = "spec.rules[].http.paths[]", "rollingUpdate"
_BINDING: Sequence[Rule] = (
    ("roleRef.apiGroup", one_of(_GROUP)),
    ("roleRef.name", filled),
    ("subjects[].name", filled),
    ("subjects[].kind", one_of("ServiceAccount", "User", "Group")),
    ("subjects[]", where(f"kind!=ServiceAccount apiGroup!=|{_GROUP}", "Unsupported value")),
    ("subjects[]", where("kind=ServiceAccount apiGroup", "Unsupported value")),
)
_RULES: Sequence[Rule] = (
    ("rules[]", exactly_one("verbs")),
    ("rules[]", exactly_one("nonResourceURLs", "resources")),
    ("rules[]", where("resources !apiGroups", f"{_FEW}: resource rules must supply at least one api group")),
    ("rules[]", where("nonResourceURLs apiGroups", _BOTH)),
)
_JOB: Sequence[Rule] = (
    ("spec.template.spec", exactly_one("restartPolicy")),
    ("spec.template.spec.restartPolicy", one_of("OnFailure", "Never")),
    ("spec.backoffLimit", between(0)),
    ("spec.ttlSecondsAfterFinished", between(0)),
    ("spec", where("selector manualSelector!=True", "Invalid value: `selector` not auto-generated")),
    ("spec", where("completionMode=Indexed !completions", f"{_FEW}: when completion mode is Indexed")),
    ("spec", where("backoffLimitPerIndex completionMode!=Indexed", "Invalid value: requires indexed mode")),
    ("spec", where("successPolicy completionMode!=Indexed", "Invalid value: requires indexed mode")),
    ("spec", where("maxFailedIndexes !backoffLimitPerIndex", f"{_FEW}: when maxFailedIndexes is specified")),
    (
        "spec",
        where(
            "podFailurePolicy template.spec.restartPolicy!=Never",
            'Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
        ),
    ),
)


_KEYS_OF_SECRET: Mapping[str, set[str]] = {
    "tls": {"tls.crt", "tls.key"},
    "dockerconfigjson": {".dockerconfigjson"},
    "dockercfg": {".dockercfg"},
    "ssh-auth": {"ssh-privatekey"},
}


def _secret(secret: object) -> str:
    kind = text(secret, "type").rpartition("/")[2]
    configs = (text(secret, "stringData", key) for key in (".dockerconfigjson", ".dockercfg"))
    keys = {*branch(secret, "data"), *branch(secret, "stringData")}
    if not _KEYS_OF_SECRET.get(kind, keys) <= keys:
        return _FEW
    if kind == "basic-auth" and not {"username", "password"} & keys:
        return _FEW
    if kind == "service-account-token" and not branch(secret, "metadata", "annotations"):
        return _FEW
    is_right = all(config in ("", "{}") for config in configs)
    return "" if is_right else "Invalid value: <secret contents redacted>: invalid character"


def _service(service: object) -> str:
    is_open = any(number(port, "nodePort") for port in items(service, "spec", "ports"))
    is_inside = text(service, "spec", "type") in ("", "ClusterIP")
    return "Forbidden: may not be used when `type` is 'ClusterIP'" if is_open and is_inside else ""


def _twice(ports: object) -> str:
    listed = ports if isinstance(ports, list) else []
    found = [(port.get("port"), port.get("protocol", "TCP")) for port in listed]
    return "Duplicate value" if len(found) > len(set(found)) else ""


def _schedule(value: object) -> str:
    most = (59, 23, 31, 12, 6)
    fields = re.sub("CRON_TZ=[^ ]+ ", "", str(value)).split()
    if fields[0].startswith("@"):
        return ""
    is_right = all(not field.isdigit() or int(field) <= end for field, end in zip(fields, most))
    return "" if is_right and len(fields) == len(most) else "Invalid value: end of range above maximum"


def _autoscaler(value: object) -> str:
    least, most = (number(value, field, default=1) for field in ("minReplicas", "maxReplicas"))
    return f"Invalid value: {most}: must be greater than or equal to `minReplicas`" if most < least else ""


def _deadline(value: object) -> str:
    deadline = number(value, "progressDeadlineSeconds", default=600)
    is_wrong = deadline <= number(value, "minReadySeconds")
    return f"Invalid value: {deadline}: must be greater than minReadySeconds" if is_wrong else ""


def _steps(value: object) -> str:
    path, is_free = text(value, "path"), text(value, "pathType") == "ImplementationSpecific"
    is_wrong = not is_free and re.search(r"//|/\.\.?(/|$)|%2[fF]", path)
    return f"Invalid value: {path}: must not contain '//'" if is_wrong else ""


def _class(value: object) -> str:
    names = {text(value, "spec", "ingressClassName"), text(value, "metadata", "annotations", _CLASS)} - {""}
    return "Invalid value: can not be set when the class field is also set" if len(names) > 1 else ""


def _range(value: object) -> str:
    first, last = number(value, "port", default=65536), number(value, "endPort", default=65536)
    return f"Invalid value: {last}: must be greater than or equal to `port`" if last < first else ""


def _named_range(value: object) -> str:
    return "Invalid value: must be numeric" if text(value, "port") and find(value, "endPort") else ""


def _except(value: object) -> str:
    around = ipaddress.ip_network(text(value, "cidr"), strict=False)
    outs = find(value, "except")
    for out in outs if isinstance(outs, list) else ():
        with suppress(ValueError):  # said as a block that is none
            inside = ipaddress.ip_network(str(out), strict=False)
            is_in = inside.version == around.version and inside.network_address in around
            if not is_in or inside.prefixlen <= around.prefixlen:
                return f"Invalid value: {out}: must be a strict subset of `cidr`"
    return ""


def _ip_block(value: object) -> str:
    return "" if BLOCK(text(value, "cidr")) else _except(value)


def _policies(value: object) -> str:
    return "Required value: must specify at least one Policy" if find(value, "policies") == [] else ""


def _zone(value: object) -> str:
    is_wrong = str(value).lower() == "local" or not re.fullmatch("[A-Za-z0-9_+/-]+", str(value))
    return f"Invalid value: {value}: unknown time zone" if is_wrong else ""


def _served(value: object) -> str:
    is_free = text(value, "pathType") == "ImplementationSpecific" or text(value, "path")
    return "" if is_free else "Invalid value: must be an absolute path"


def _modes(value: object) -> str:
    alone = "ReadWriteOncePod"
    is_wrong = isinstance(value, list) and alone in value and len(value) > 1
    return f"Forbidden: may not use {alone} with other access modes" if is_wrong else ""


def _keys(value: object) -> str:
    data, *others = (branch(value, part).keys() for part in ("data", "binaryData", "stringData"))
    keys = [key for part in (data, *others) for key in part]
    is_wrong = data & others[0] or any(not re.fullmatch(r"(?!\.\.|\.$)[-._a-zA-Z0-9]+", key) for key in keys)
    return "Invalid value: a valid config key must be unique and consist of" if is_wrong else ""


def _is_rule_host(host: str) -> bool:
    return not HOST(host) and not is_ip(host)


_ALWAYS: Rule = ("spec.template.spec.restartPolicy", one_of("Always"))
_LIMITED = matching(lambda _: False, "activeDeadlineSeconds in ReplicaSet is not Supported")
_NO_ZERO = matching(lambda value: value != "0", "must be greater than zero")
_METRICS = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}
_OF_KIND: Mapping[str, Sequence[Rule]] = {
    "Deployment": (
        ("spec.progressDeadlineSeconds", between(1)),
        ("spec", _deadline),
        _ALWAYS,
        ("spec.template.spec.activeDeadlineSeconds", _LIMITED),
        ("spec.strategy", where("type=Recreate rollingUpdate", "Forbidden: may not be specified when")),
        (f"spec.strategy.{_ROLLING}", where(f"maxSurge={_NONE} maxUnavailable={_NONE}", _BOTH)),
        (f"spec.strategy.{_ROLLING}.maxSurge", pods(float("inf"))),
        (f"spec.strategy.{_ROLLING}.maxUnavailable", pods(100)),
    ),
    "DaemonSet": (
        _ALWAYS,
        (f"spec.updateStrategy.{_ROLLING}", where(f"maxSurge=|{_NONE} maxUnavailable={_NONE}", _BOTH)),
        (f"spec.updateStrategy.{_ROLLING}", where(f"maxSurge!=|{_NONE} maxUnavailable!={_NONE}", _BOTH)),
    ),
    "StatefulSet": (
        _ALWAYS,
        ("spec.podManagementPolicy", one_of("OrderedReady", "Parallel")),
        ("spec.persistentVolumeClaimRetentionPolicy.whenDeleted", one_of("Retain", "Delete")),
        (f"spec.updateStrategy.{_ROLLING}.partition", between(0)),
        ("spec.updateStrategy", where(f"type=OnDelete {_ROLLING}", "Invalid value: only allowed for")),
    ),
    "Job": _JOB,
    "CronJob": (
        *((f"spec.jobTemplate.{path}", say) for path, say in _JOB),
        ("spec.failedJobsHistoryLimit", between(0)),
        ("spec.schedule", _schedule),
        ("spec.timeZone", _zone),
        ("spec.concurrencyPolicy", one_of("Allow", "Forbid", "Replace")),
    ),
    "HorizontalPodAutoscaler": (
        ("spec", _autoscaler),
        ("spec.maxReplicas", between(1)),
        ("spec.minReplicas", between(1)),
        ("spec.metrics[].type", one_of(*_METRICS)),
        *(
            ("spec.metrics[]", where(f"type={kind} !{source}", f"{_FEW}: must populate information"))
            for kind, source in _METRICS.items()
        ),
        ("spec.metrics[].pods.target", exactly_one("averageValue")),
        *(
            (f"spec.metrics[].{source}.target", exactly_one("averageUtilization", "averageValue"))
            for source in ("resource", "containerResource")
        ),
        ("spec.metrics[].external.target", exactly_one("value", "averageValue")),
        ("spec.metrics[].resource.target.averageUtilization", between(1)),
        ("spec.metrics[].resource.target.type", one_of("Utilization", "Value", "AverageValue")),
        ("spec.behavior.scaleDown.stabilizationWindowSeconds", between(0, 3600)),
        ("spec.behavior.scaleUp.policies[].periodSeconds", between(1, 1800)),
        *((f"spec.behavior.{way}", _policies) for way in ("scaleDown", "scaleUp")),
        ("spec.metrics[]", at_most_one(*_METRICS.values())),
        ("spec.metrics[].resource.name", filled),
        ("spec.metrics[].resource.target.averageValue", amount),
        *((f"spec.scaleTargetRef.{key}", filled) for key in ("kind", "name")),
        ("spec.behavior.scaleUp.selectPolicy", one_of("Disabled", "Max", "Min")),
    ),
    "PodDisruptionBudget": (
        ("spec.minAvailable", pods(100)),
        ("spec.maxUnavailable", pods(100)),
        ("spec", at_most_one("minAvailable", "maxUnavailable")),
    ),
    "Service": (
        ("", _service),
        ("spec", where("type=ExternalName !externalName", _FEW)),
        (
            "spec",
            where("type=NodePort|LoadBalancer clusterIP=None", "Invalid value: may not be set to 'None'"),
        ),
        *(
            ("spec", where(f"type!=LoadBalancer {key}", "Forbidden: may only be used when"))
            for key in ("loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts")
        ),
        (
            "spec",
            where("type=|ClusterIP externalTrafficPolicy !externalIPs", "Invalid value: may only be set"),
        ),
        (
            "spec.clusterIP",
            matching(lambda value: value == "None" or is_ip(value), "must be empty, 'None', or"),
        ),
        ("spec.type", one_of("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")),
        ("spec.sessionAffinity", one_of("ClientIP", "None")),
        ("spec.sessionAffinityConfig.clientIP.timeoutSeconds", between(1, 86400)),
        ("spec.externalIPs[]", IP),
        ("spec.loadBalancerSourceRanges[]", BLOCK),
        ("spec.ipFamilies[]", one_of("IPv4", "IPv6")),
        ("spec.ipFamilyPolicy", one_of("SingleStack", "PreferDualStack", "RequireDualStack")),
        ("spec.externalName", HOST),
        ("spec.ports[].name", DNS_LABEL),
        ("spec.ports[].appProtocol", QUALIFIED),
        ("spec.healthCheckNodePort", PORT_OR_NONE),
        ("spec", where("type!=LoadBalancer healthCheckNodePort!=|0", "Forbidden: may only be set when")),
        ("spec.ports", named_once),
        ("spec.ports", _twice),
        ("spec.ports[].port", PORT),
        ("spec.ports[].targetPort", lambda value: "" if value == 0 else either(value)),
    ),
    "Ingress": (
        (
            "spec",
            where("!rules !defaultBackend !backend", "Invalid value: either `defaultBackend` or `rules`"),
        ),
        ("spec.rules[].http", exactly_one("paths")),
        *(
            rule
            for backend in ("spec.defaultBackend", f"{_BACKEND}.backend")
            for rule in (
                (backend, exactly_one("service", "resource")),
                (f"{backend}.service", where("!port", f"{_FEW}: port name or number is required")),
                (f"{backend}.service.port", exactly_one("name", "number")),
            )
        ),
        ("spec.tls[].hosts[]", HOST),
        ("spec.tls[].secretName", NAME),
        ("spec.rules[].host", matching(_is_rule_host, "must be a DNS name, not an IP address")),
        (f"{_BACKEND}.backend.service.port.number", PORT),
        ("spec.ingressClassName", NAME),
        (f"{_BACKEND}.pathType", one_of("Exact", "ImplementationSpecific", "Prefix")),
        (f"{_BACKEND}.path", matching(lambda path: path.startswith("/"), "must be an absolute path")),
        (_BACKEND, _steps),
        (_BACKEND, _served),
        (f"{_BACKEND}.backend.service.name", DNS_LABEL),
        ("", _class),
    ),
    "NetworkPolicy": (
        *(
            (f"{peer}{path}", say)
            for peer in ("spec.ingress[].from[]", "spec.egress[].to[]")
            for path, say in (
                ("", where("!ipBlock !podSelector !namespaceSelector", f"{_FEW}: a peer")),
                ("", at_most_one("ipBlock", "podSelector")),
                ("", at_most_one("ipBlock", "namespaceSelector")),
                (".ipBlock.cidr", BLOCK),
                (".ipBlock.except[]", BLOCK),
                (".ipBlock", _ip_block),
            )
        ),
        *(
            (f"spec.{way}[].ports[]{path}", say)
            for way in ("ingress", "egress")
            for path, say in (
                ("", where("endPort !port", f"{_FEW}: must be specified")),
                ("", _named_range),
                ("", _range),
                (".port", either),
            )
        ),
        ("spec.policyTypes[]", one_of("Ingress", "Egress")),
        ("spec.podSelector.matchExpressions[]", requirement),
    ),
    "Role": (*_RULES, ("rules[]", where("nonResourceURLs", "Invalid value: namespaced rules cannot apply"))),
    "ClusterRole": (*_RULES, ("aggregationRule", exactly_one("clusterRoleSelectors"))),
    "RoleBinding": (*_BINDING, ("roleRef.kind", one_of("Role", "ClusterRole"))),
    "ClusterRoleBinding": (
        *_BINDING,
        ("roleRef.kind", one_of("ClusterRole")),
        ("subjects[]", where("kind=ServiceAccount !namespace", _FEW)),
    ),
    "PersistentVolumeClaim": (
        ("spec.resources.requests.storage", lambda value: amount(value) or _NO_ZERO(value)),
        ("spec.accessModes[]", one_of("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")),
        ("spec", exactly_one("accessModes")),
        ("spec.resources.requests", exactly_one("storage")),
        ("spec.accessModes", _modes),
        ("spec.storageClassName", NAME),
    ),
    "StorageClass": (
        ("provisioner", filled),
        ("reclaimPolicy", one_of("Delete", "Retain")),
        ("volumeBindingMode", one_of("Immediate", "WaitForFirstConsumer")),
    ),
    "ConfigMap": (("binaryData{}", BASE64), ("", _keys)),
    "Secret": (("data{}", BASE64), ("", _keys), ("", _secret)),
}
