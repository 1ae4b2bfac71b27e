"""Pairs of values that the API server refuses: a table, a line a rule. Pure: performs no I/O.

Sources: Kubernetes 1.34, pkg/apis/*/validation; what only some releases refuse is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, Optional

from bcs_template_set.manifests.fields import Fields, Paths, is_left_for_bcs, value_at
from bcs_template_set.manifests.yaml_reading import YamlValue

Found = Iterator[tuple[str, str, Mapping[str, object]]]
"""Where below the place, which sentence, and its fields."""


class _Term(NamedTuple):
    """A part of a condition: one of these is (or, `is_denied`, is not) what a field holds; "" is nothing."""

    path: Sequence[str]
    values: frozenset[str]
    is_denied: bool

    @property
    def needs_it(self) -> bool:
        """Tell whether it can't hold of a field that is not there."""
        return ("" in self.values) is self.is_denied

    def holds(self, given: Fields) -> bool:
        """Tell whether it holds for sure: what BCS fills in may be anything but nothing."""
        value = value_at(given, self.path)
        if value is None:
            return not self.needs_it
        if is_left_for_bcs(value):
            return self.is_denied and self.values == _NOTHING
        return (_shown(value) in self.values) is not self.is_denied


_NOTHING = frozenset({""})


def _shown(value: YamlValue | Fields) -> str:
    if isinstance(value, (list, dict)):
        return "[…]" if value != [] else ""  # no row has a word for these, and they may be long
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _term(text: str) -> _Term:
    """Read `field`, `!field`, `field=one|other` or `field!=one|other`; `field=|one` may be nothing, too."""
    path, equals, values = text.partition("=")
    is_denied = path.endswith("!") if equals else not path.startswith("!")
    return _Term(path.strip("!").split("."), frozenset(values.split("|")), is_denied)


class Row(NamedTuple):
    """In the mappings at `path`, `at` can't be as it is where all terms hold; the sentence that says so.

    Without the field `key` one of them does not.
    """

    path: str
    at: str
    terms: Sequence[_Term]
    sentence: str
    fields: Mapping[str, object]
    key: Optional[str]


Rows = Paths[Row]
NO_ROWS: Rows = Paths()


def in_rows(value: Fields, rows: Rows) -> Found:
    """Yield what can't be as it is in any of the rows' places."""
    for where, given, of_place in rows.found_in(value):
        for row in of_place:
            if row.key is not None and row.key not in given:  # as nearly all are that a row asks for
                continue
            for term in row.terms:
                if not term.holds(given):
                    break
            else:
                yield ".".join(filter(None, (where, row.at))), row.sentence, row.fields


def _rows(*rows: Row) -> Rows:
    return Paths((row.path, row) for row in rows)


def _row(path: str, at: str, when: str, sentence: str, **fields: object) -> Row:
    terms = tuple(map(_term, when.split()))
    key = next((term.path[0] for term in terms if term.needs_it), None)
    return Row(path, at, terms, sentence, fields, key)


def _goes(path: str, at: str, wanted: str, when: str) -> Row:
    """Return a row: what is there, `at`, is refused for what stands beside it."""
    return _row(path, at, f"{at} {when}", "value_goes_with", name=at, wanted=wanted)


def _needs(path: str, name: str, wanted: str, when: str, at: str = "") -> Row:
    """Return a row: something else has to stand beside it."""
    return _row(path, at, when, "value_needs", name=name, wanted=wanted)


def _most_one(path: str, *known: str, at: str = "") -> Sequence[Row]:
    """Return rows: two of these exclude each other."""
    fields = [f"{at}.{name}".lstrip(".") for name in known]
    pairs = (f"{one} {other}" for nth, one in enumerate(fields) for other in fields[:nth])
    return tuple(_row(path, at, pair, "value_one_of", known=known) for pair in pairs)


def _one(path: str, *known: str, at: str = "", when: str = "") -> Sequence[Row]:
    """Return rows: two of these exclude each other, and none is too few."""
    none = " ".join(f"!{at}.{name}".replace("!.", "!") for name in known)
    return (*_most_one(path, *known, at=at), _row(path, at, f"{none} {when}", "value_one_of", known=known))


HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NO_PODS = "0|0%"
_PROFILE = "securityContext.seccompProfile"
_PROFILES: Sequence[Row] = (
    _needs(_PROFILE, "type: Localhost", "localhostProfile", "type=Localhost !localhostProfile"),
    _goes(_PROFILE, "localhostProfile", "type: Localhost", "type!=Localhost"),
)

OF_POD = _rows(
    _goes(
        "topologySpreadConstraints[]",
        "minDomains",
        "whenUnsatisfiable: DoNotSchedule",
        "whenUnsatisfiable=ScheduleAnyway",
    ),
    _goes("topologySpreadConstraints[]", "matchLabelKeys", "labelSelector", "!labelSelector"),
    _needs("hostAliases[]", "hostAliases[]", "ip", "!ip"),
    _goes("tolerations[]", "value", "operator: Equal", "operator=Exists"),
    _goes("tolerations[]", "tolerationSeconds", "effect: NoExecute", "effect!=NoExecute"),
    _needs("tolerations[]", "operator: Equal", "key", "!key operator=|Equal"),
    _needs(
        "", "dnsPolicy: None", "dnsConfig.nameservers", "dnsPolicy=None !dnsConfig.nameservers", "dnsPolicy"
    ),
    _row(
        "",
        "hostPID",
        "hostPID=true shareProcessNamespace=true",
        "value_one_of",
        known=("hostPID", "shareProcessNamespace"),
    ),
    _needs("volumes[].secret", "secret", "secretName", "!secretName"),
    _needs("volumes[].configMap", "configMap", "name", "!name"),
    _needs("volumes[].ephemeral", "ephemeral", "volumeClaimTemplate", "!volumeClaimTemplate"),
    *_most_one("volumes[].projected.sources[]", "secret", "configMap", "downwardAPI", "serviceAccountToken"),
    *_one("volumes[].downwardAPI.items[]", "fieldRef", "resourceFieldRef"),
    _needs(
        "volumes[].downwardAPI.items[].resourceFieldRef",
        "resourceFieldRef",
        "containerName",
        "!containerName",
    ),
    _needs("volumes[].projected.sources[].secret", "secret", "name", "!name"),
    _needs("volumes[].projected.sources[].configMap", "configMap", "name", "!name"),
    _needs(
        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        "nodeAffinity",
        "nodeSelectorTerms",
        "!nodeSelectorTerms",
    ),
    *_PROFILES,
)

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_OF_CONTAINER = (
    *(row for probe in PROBES for row in _most_one(probe, *HANDLERS)),
    *(
        _needs(probe, probe, "successThreshold: 1", "successThreshold!=|0|1", "successThreshold")
        for probe in ("livenessProbe", "startupProbe")
    ),
    _goes("readinessProbe", "terminationGracePeriodSeconds", "livenessProbe", ""),
    _row("env[]", "", "value valueFrom", "value_and_source"),
    *_one("env[].valueFrom", *_SOURCES),
    *_one("envFrom[]", "configMapRef", "secretRef"),
    *(_needs(f"env[].valueFrom.{key}", key, "name", "!name") for key in ("configMapKeyRef", "secretKeyRef")),
    *(_needs(f"envFrom[].{key}", key, "name", "!name") for key in ("configMapRef", "secretRef")),
    *(row for hook in ("postStart", "preStop") for row in _one(f"lifecycle.{hook}", *HANDLERS[:3], "sleep")),
    *_most_one("volumeMounts[]", "subPath", "subPathExpr"),
    _goes(
        "securityContext",
        "privileged",
        "allowPrivilegeEscalation: true",
        "privileged=true allowPrivilegeEscalation=false",
    ),
    *_PROFILES,
)
_OF_PLAIN_CONTAINER = (
    _goes("volumeMounts[]", "mountPropagation", "privileged: true", "mountPropagation=Bidirectional"),
)
"""Of one that is not privileged."""
_OF_WHOLE_CONTAINER = (
    *(
        _row(probe, "", " ".join(f"!{name}" for name in HANDLERS), "value_one_of", known=HANDLERS)
        for probe in PROBES
    ),
    *(_needs(f"{probe}.exec", "exec", "command", "!command") for probe in PROBES),
)
"""Of one to which the controller of a kind that nobody knows adds nothing."""
_OF_INIT_CONTAINER = tuple(_goes("", name, "restartPolicy: Always", "") for name in (*PROBES, "lifecycle"))
"""Of one that does not run beside the others."""


@cache
def rows_of_container(*, is_whole: bool, is_once: bool, is_plain: bool) -> Rows:
    """Return the rows of a container, all in one walk: `is_once`, it does not run beside the others."""
    return _rows(
        *_OF_CONTAINER,
        *(_OF_WHOLE_CONTAINER if is_whole else ()),
        *(_OF_INIT_CONTAINER if is_once else ()),
        *(_OF_PLAIN_CONTAINER if is_plain else ()),
    )


def _of_jobs(spec: str) -> Sequence[Row]:
    indexed = "completionMode: Indexed"
    return (
        _needs(spec, indexed, "completions", "completionMode=Indexed !completions"),
        _goes(spec, "backoffLimitPerIndex", indexed, "completionMode!=Indexed"),
        _goes(spec, "successPolicy", indexed, "completionMode!=Indexed"),
        _goes(spec, "maxFailedIndexes", "backoffLimitPerIndex", "!backoffLimitPerIndex"),
        _goes(spec, "selector", "manualSelector: true", "manualSelector!=true"),
        _goes(spec, "podFailurePolicy", "restartPolicy: Never", "template.spec.restartPolicy=OnFailure"),
    )


def _of_peers(path: str) -> Sequence[Row]:
    known = ("ipBlock", "podSelector / namespaceSelector")
    whens = ("!ipBlock !podSelector !namespaceSelector", "ipBlock podSelector", "ipBlock namespaceSelector")
    return tuple(_row(path, "", when, "value_one_of", known=known) for when in whens)


def _of_backends(path: str) -> Sequence[Row]:
    return (
        *_most_one(path, "service", "resource"),
        *_one(f"{path}.service", "name", "number", at="port", when="name"),
    )


_GROUP = "rbac.authorization.k8s.io"
_RULES = (
    *_one("rules[]", "resources", "nonResourceURLs"),
    _needs("rules[]", "resources", "apiGroups", "resources !apiGroups"),
    _needs("rules[]", "rules[]", "verbs", "!verbs"),
)
_SUBJECTS = (
    _goes("subjects[]", "apiGroup", "kind: User / Group", "kind=ServiceAccount"),
    _row("subjects[]", "apiGroup", f"kind=User|Group apiGroup!=|{_GROUP}", "field-value", known=[_GROUP]),
)
_PATHS = "spec.rules[].http.paths[]"
_ROLLING, _DAEMONS = "spec.strategy.rollingUpdate", "spec.updateStrategy.rollingUpdate"
_CLAIM = "PersistentVolumeClaim"
_AVERAGES = ("averageUtilization", "averageValue")

_ENDLESS = _goes("spec.template.spec", "activeDeadlineSeconds", "kind: Job / CronJob", "")
_OF_KIND: Mapping[tuple[str, str], Sequence[Row]] = {
    ("apps", "ReplicaSet"): (_ENDLESS,),
    ("", "ReplicationController"): (_ENDLESS,),
    ("apps", "Deployment"): (
        _ENDLESS,
        _row("spec.strategy", "rollingUpdate", "type=Recreate rollingUpdate", "value_recreate"),
        _row(_ROLLING, "", f"maxSurge={_NO_PODS} maxUnavailable={_NO_PODS}", "value_no_step"),
    ),
    ("apps", "StatefulSet"): (
        _ENDLESS,
        _goes("spec.updateStrategy", "rollingUpdate", "type: RollingUpdate", "type=OnDelete"),
    ),
    ("apps", "DaemonSet"): (
        _ENDLESS,
        _row(_DAEMONS, "", f"maxSurge=|{_NO_PODS} maxUnavailable={_NO_PODS}", "value_no_step"),
        _goes(_DAEMONS, "maxSurge", "maxUnavailable: 0", f"maxSurge!={_NO_PODS} maxUnavailable!={_NO_PODS}"),
    ),
    ("batch", "Job"): _of_jobs("spec"),
    ("batch", "CronJob"): _of_jobs("spec.jobTemplate.spec"),
    ("", "Service"): (
        _needs("spec", "type: ExternalName", "externalName", "type=ExternalName !externalName"),
        _goes(
            "spec", "externalTrafficPolicy", "type: LoadBalancer / NodePort", "type=|ClusterIP !externalIPs"
        ),
        *(
            _goes("spec", key, "type: LoadBalancer", "type!=LoadBalancer")
            for key in ("loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts")
        ),
        _row(
            "spec",
            "healthCheckNodePort",
            "healthCheckNodePort!=|0 type!=LoadBalancer",
            "value_goes_with",
            name="healthCheckNodePort",
            wanted="type: LoadBalancer",
        ),
        _goes("spec", "clusterIP", "type: ClusterIP", "clusterIP=None type=NodePort|LoadBalancer"),
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): (
        _needs("spec", "minReplicas: 0", "type: External / Object", "minReplicas=0 !metrics", "minReplicas"),
        *(
            _needs("spec.metrics[]", f"type: {kind}", source, f"type={kind} !{source}")
            for source in ("resource", "containerResource", "pods", "object", "external")
            for kind in (source[:1].upper() + source[1:],)
        ),
        *_most_one("spec.metrics[]", "resource", "containerResource", "pods", "object", "external"),
        *_one("spec.metrics[].resource.target", *_AVERAGES),
        *_one("spec.metrics[].containerResource.target", *_AVERAGES),
        *_one("spec.metrics[].external.target", "value", "averageValue"),
        _needs("spec.metrics[].pods.target", "pods", "averageValue", "!averageValue"),
    ),
    ("policy", "PodDisruptionBudget"): (
        _row("spec", "maxUnavailable", "minAvailable maxUnavailable", "value_one_budget"),
    ),
    ("networking.k8s.io", "Ingress"): (
        _needs("spec", "Ingress", "rules / defaultBackend", "!rules !defaultBackend !backend"),
        _needs("spec.rules[].http", "http", "paths", "!paths"),
        _needs(_PATHS, "pathType: Exact / Prefix", "path", "pathType=Exact|Prefix !path", "path"),
        *_of_backends("spec.defaultBackend"),
        *_of_backends(f"{_PATHS}.backend"),
    ),
    ("networking.k8s.io", "NetworkPolicy"): (
        *_of_peers("spec.ingress[].from[]"),
        *_of_peers("spec.egress[].to[]"),
        *(_goes(f"spec.{way}[].ports[]", "endPort", "port", "!port") for way in ("ingress", "egress")),
    ),
    (_GROUP, "Role"): (*_RULES, _goes("rules[]", "nonResourceURLs", "kind: ClusterRole", "")),
    (_GROUP, "ClusterRole"): (
        *_RULES,
        _needs("aggregationRule", "aggregationRule", "clusterRoleSelectors", "!clusterRoleSelectors"),
    ),
    (_GROUP, "RoleBinding"): _SUBJECTS,
    (_GROUP, "ClusterRoleBinding"): (
        *_SUBJECTS,
        _needs("subjects[]", "kind: ServiceAccount", "namespace", "kind=ServiceAccount !namespace"),
        _row("roleRef", "kind", "kind=Role", "field-value", known=["ClusterRole"]),
    ),
    ("", _CLAIM): (
        _needs("", _CLAIM, "accessModes", "!spec.accessModes", "spec"),
        _needs("", _CLAIM, "resources.requests.storage", "!spec.resources.requests.storage", "spec"),
    ),
}
OF_KIND: Mapping[tuple[str, str], Rows] = {kind: _rows(*rows) for kind, rows in _OF_KIND.items()}
"""By group and kind: the rows of the whole object."""
