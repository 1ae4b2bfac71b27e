"""What the Ingresses of a namespace serve: one list, whose objects are pruned. Performs no I/O.

A list leaves an Ingress neither rules nor status (facts/bcs.md, trap 12); its paths are rows of
`manifestExt[uid].rules` (cluster-resources `pkg/resource/formatter/network.go`, 2026-07).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bcs_template_set.bcs.calls import JsonValue, Read
from bcs_template_set.bcs.deploy_calls import LiveList, NamespaceRef, list_live, live_list
from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.bcs.space.route_map import LiveIngress
from bcs_template_set.manifests.kinds import INGRESS
from bcs_template_set.manifests.routes import ANY_HOST, EntryPoint, Route, entry_of_host, entry_point_of
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class LiveIngresses:
    """The Ingresses of a namespace, sorted by name, and the group version that the cluster serves them in.

    BCS lists a kind in the version that the cluster's discovery prefers: v1 on Kubernetes 1.20 (recorded),
    and a beta before 1.19, which has no other.
    """

    ingresses: tuple[LiveIngress, ...]
    served_as: str


def list_live_ingresses(place: NamespaceRef) -> Read[LiveIngresses]:
    """List the Ingresses of a namespace with what they serve."""
    return list_live(place, kind=INGRESS).parsed_by(lambda data: _ingresses_of(live_list(data)))


def _ingresses_of(listed: LiveList) -> LiveIngresses:
    """Return the Ingresses of a pruned list."""
    rows = listed.manifest.get("items")
    found = [
        _ingress_of(row, listed.manifest_ext)
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]
    return LiveIngresses(
        tuple(sorted(found, key=lambda ingress: ingress.name)), str(listed.manifest.get("apiVersion") or "")
    )


def _ingress_of(row: Mapping[str, JsonValue], notes: Mapping[str, JsonValue]) -> LiveIngress:
    metadata = _mapping(row.get("metadata"))
    name = str(metadata.get("name") or "")
    note = _mapping(notes.get(str(metadata.get("uid") or "")))
    return LiveIngress(
        name=name,
        file=mark_of(row).file,
        routes=tuple(sorted(_routes_of(note.get("rules"), ingress=name, entry=entry_point_of(row)))),
    )


def _routes_of(rules: JsonValue, *, ingress: str, entry: EntryPoint) -> Iterator[Route]:
    for rule in rules if isinstance(rules, list) else ():
        row = _mapping(rule)
        yield Route(
            host=str(row.get("host") or ANY_HOST),
            path=str(row.get("path") or "/"),
            service=str(row.get("serviceName") or ""),
            ingress=ingress,
            path_type=str(row.get("pathType") or ""),
            entry=entry_of_host(str(row.get("host") or ANY_HOST), entry, ingress),
        )


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}
