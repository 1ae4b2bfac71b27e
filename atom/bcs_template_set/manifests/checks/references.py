"""Checks of names that objects have for each other: a table of fields. Pure: performs no I/O.

What the run does not have may be another's, so a name is wrong only where the run has one that was meant.
A key of what the run has is known exactly: no container starts without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Optional

from bcs_template_set.manifests.checks.finding import (
    CheckInput,
    DocumentInFile,
    Finding,
    PodOwner,
    check,
    few,
)
from bcs_template_set.manifests.fields import Fields, Paths, is_left_for_bcs, mapping_at, objects_at, text_at
from bcs_template_set.manifests.kinds import SCALING
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import CONTAINER_LISTS, pod_of
from bcs_template_set.messages.spelling import NearNames
from bcs_template_set.records.late_dataclass import dataclass


class Reference(NamedTuple):
    """Where one object names another: the path of the mapping that does, and its field.

    `kind` is the kind that is named, of Kubernetes' core, "" where the mapping has a field `kind`. `keys`
    is where the mappings are that name a key of it, "" for this one, None where none is named. `is_own`: what
    is named hardly ever is another's.
    """

    path: str
    field: str
    kind: str
    keys: Optional[str] = None
    is_own: bool = False


_ENV_FROM, _ITEMS = "", "items[]"
_OF_CONTAINER: Sequence[Reference] = (
    Reference("env[].valueFrom.configMapKeyRef", "name", "ConfigMap", _ENV_FROM),
    Reference("env[].valueFrom.secretKeyRef", "name", "Secret", _ENV_FROM),
    Reference("envFrom[].configMapRef", "name", "ConfigMap"),
    Reference("envFrom[].secretRef", "name", "Secret"),
)
_OF_POD: Sequence[Reference] = (
    *(
        Reference(f"{part}[].{row.path}", row.field, row.kind, row.keys)
        for part in CONTAINER_LISTS
        for row in _OF_CONTAINER
    ),
    Reference("volumes[].configMap", "name", "ConfigMap", _ITEMS),
    Reference("volumes[].secret", "secretName", "Secret", _ITEMS),
    Reference("volumes[].projected.sources[].configMap", "name", "ConfigMap", _ITEMS),
    Reference("volumes[].projected.sources[].secret", "name", "Secret", _ITEMS),
    Reference("volumes[].persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
    Reference("imagePullSecrets[]", "name", "Secret"),
    Reference("", "serviceAccountName", "ServiceAccount"),
    Reference("", "serviceAccount", "ServiceAccount"),
)
_ALL_OF_POD = Paths((row.path, row) for row in _OF_POD)
_INGRESS: Sequence[Reference] = (
    Reference("spec.rules[].http.paths[].backend.service", "name", "Service"),
    Reference("spec.rules[].http.paths[].backend", "serviceName", "Service"),
    Reference("spec.defaultBackend.service", "name", "Service"),
    Reference("spec.backend", "serviceName", "Service"),
    Reference("spec.tls[]", "secretName", "Secret"),
)
_BINDING: Sequence[Reference] = (Reference("subjects[]", "name", ""), Reference("roleRef", "name", ""))
_SCALED = Reference("spec.scaleTargetRef", "name", "", is_own=True)
_SERVICE_NAME = Reference("spec", "serviceName", "Service", is_own=True)
_ROWS: Mapping[tuple[str, str], Sequence[Reference]] = {
    ("apps", "StatefulSet"): (_SERVICE_NAME,),
    ("tkex.tencent.com", "GameStatefulSet"): (_SERVICE_NAME,),
    ("autoscaling", "HorizontalPodAutoscaler"): (_SCALED,),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): (Reference("spec.targetRef", "name", "", is_own=True),),
    ("keda.sh", "ScaledObject"): (Reference("spec.scaleTargetRef", "name", "", is_own=True),),
    ("networking.k8s.io", "Ingress"): _INGRESS,
    ("extensions", "Ingress"): _INGRESS,
    ("rbac.authorization.k8s.io", "RoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _BINDING,
    ("argoproj.io", "Rollout"): (
        Reference("spec.workloadRef", "name", ""),
        Reference("spec.strategy.canary", "stableService", "Service"),
        Reference("spec.strategy.canary", "canaryService", "Service"),
        Reference("spec.strategy.blueGreen", "activeService", "Service"),
        Reference("spec.strategy.blueGreen", "previewService", "Service"),
    ),
}
_OF_KIND: Mapping[tuple[str, str], Paths[Reference]] = {
    kind: Paths((row.path, row) for row in rows) for kind, rows in _ROWS.items()
}
_NONE: Paths[Reference] = Paths()
"""By group and kind; the pods of every kind have those of pods beside."""


def names_in(document: Document) -> Iterator[tuple[str, str]]:
    """Yield the kind and name of every object that an object names in its fields."""
    pod = pod_of(document)
    of_kind = _OF_KIND.get((document.group, document.kind), _NONE).found_in(document.body)
    of_pod = _ALL_OF_POD.found_in(pod.spec) if pod is not None else []
    for _, referring, rows in (*of_pod, *of_kind):
        yield from ((row.kind or text_at(referring, "kind"), text_at(referring, row.field)) for row in rows)


@check("reference", warns=("reference", "reference_target"))
def check_references(checked: CheckInput) -> Iterator[Finding]:
    """Yield names that are nearly those of objects of the run, and keys that these do not have."""
    held = _held(checked)
    for named in _names_in(checked):
        yield from _check(checked, named, held)
        if named.row is _SCALED:
            yield from _check_target(checked, named, held)


def _names_in(checked: CheckInput) -> Iterator[_Named]:
    for owner in checked.workloads:
        found = _ALL_OF_POD.found_in(owner.pod.spec, owner.pod.field("spec"))
        yield from (_Named(owner, row, at, referring) for at, referring, rows in found for row in rows)
    for place in checked.places:
        of_kind = _OF_KIND.get((place.document.group, place.document.kind), _NONE)
        found = of_kind.found_in(place.document.body)
        yield from (_Named(place, row, at, referring) for at, referring, rows in found for row in rows)


class _Named(NamedTuple):
    """A mapping that names an object: whose, by which row of the table, where, and what it says."""

    place: DocumentInFile | PodOwner
    row: Reference
    where: str
    referring: Fields


@dataclass(frozen=True)
class _Held:
    """What the run has of a kind, by name."""

    documents: dict[str, Document]

    @cached_property
    def names(self) -> NearNames:
        """Return the names, to find near ones: most runs ask for none."""
        return NearNames(self.documents)


_ByKind = Mapping[tuple[str, str], _Held]
"""By group and kind, and below "*" by kind alone."""


def _held(checked: CheckInput) -> _ByKind:
    held: defaultdict[tuple[str, str], _Held] = defaultdict(lambda: _Held({}))
    for document in (place.document for place in checked.places):
        if document.name and not is_left_for_bcs(document.name):
            for group in ("*", document.group):
                held[group, document.kind].documents[document.name] = document
    return held


def _check(checked: CheckInput, named: _Named, held: _ByKind) -> Iterator[Finding]:
    row, referring = named.row, named.referring
    name, kind = text_at(referring, row.field), row.kind or text_at(referring, "kind")
    known = held.get(("", kind) if row.kind else ("*", kind))
    if not name or known is None or is_left_for_bcs(name) or referring.get("optional") is True:
        return
    if name in known.documents:
        yield from _check_keys(checked, named, known.documents[name])
        return
    is_somewhere = not checked.is_whole or name == _IN_EVERY_NAMESPACE
    near = None if is_somewhere else known.names.meant_by(name, is_own=row.is_own)
    if near is not None and not _is_elsewhere(checked, referring):
        field = f"{named.where}.{row.field}"
        yield checked.finding(named.place, field, kind=kind, name=name, near=near)


def _check_target(checked: CheckInput, named: _Named, held: _ByKind) -> Iterator[Finding]:
    """Yield what a workload of the run is that has the name of what is scaled, and is not it."""
    kind, name = text_at(named.referring, "kind"), text_at(named.referring, "name")
    group = text_at(named.referring, "apiVersion").rpartition("/")[0]
    of_kinds = filter(None, (held.get(("*", scaled)) for scaled in SCALING))
    found = [documents.documents[name] for documents in of_kinds if name in documents.documents]
    if found and (kind, group) not in [(document.kind, document.group) for document in found]:
        other = next((document for document in found if document.kind == kind), found[0])
        field = f"{named.where}.{'apiVersion' if other.kind == kind else 'kind'}"
        told = {"name": name, "api_version": other.api_version, "kind": other.kind}
        yield checked.finding(named.place, field, "reference_target", **told)


def _is_elsewhere(checked: CheckInput, referring: Fields) -> bool:
    """Tell whether another namespace is named, as a RoleBinding's subjects may."""
    namespace = text_at(referring, "namespace")
    return bool(namespace) and namespace != checked.namespace


def _check_keys(checked: CheckInput, named: _Named, document: Document) -> Iterator[Finding]:
    """Yield the keys that an object of the run does not have; one without any is filled in by another."""
    parts = (mapping_at(document.body, part) for part in ("data", "binaryData", "stringData"))
    known = {key for part in parts for key in part}
    if not known or any(map(is_left_for_bcs, known)) or text_at(document.body, "type") == _FILLED_IN:
        return
    keys = named.row.keys
    for at, entry in objects_at(named.referring, keys, where=named.where) if keys is not None else ():
        key = text_at(entry, "key")
        if key and key not in known and not is_left_for_bcs(key):
            fields = {"kind": document.kind, "name": document.name, "key": key, "known": few(known)}
            yield checked.finding(named.place, f"{at}.key", "reference_key", **fields)


_IN_EVERY_NAMESPACE = "default"
"""A service account that nobody makes."""
_FILLED_IN = "kubernetes.io/service-account-token"
"""A Secret of this type gets its keys from the cluster."""
