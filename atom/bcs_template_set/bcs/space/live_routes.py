"""What the Ingresses of a namespace serve: one list, whose objects are pruned. Performs no I/O.

A list leaves an Ingress neither rules nor status (facts/bcs.md, trap 12); its paths are rows of
`manifestExt[uid].rules` (cluster-resources `pkg/resource/formatter/network.go`, 2026-07).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bcs_template_set.bcs.calls import Read
from bcs_template_set.bcs.deploy_calls import LiveList, NamespaceRef, list_live, live_list
from bcs_template_set.bcs.marks import mark_of
from bcs_template_set.bcs.space.route_map import LiveIngress
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import INGRESS
from bcs_template_set.manifests.routes import EntryPoint, Route, entry_of_host, entry_point_of, host_of
from bcs_template_set.manifests.yaml_reading import YamlValue
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
    found = [_ingress_of(row, listed.manifest_ext) for row in list_at(listed.manifest, "items")]
    return LiveIngresses(
        tuple(sorted(found, key=lambda ingress: ingress.name)), text_at(listed.manifest, "apiVersion")
    )


def _ingress_of(row: YamlValue, notes: Fields) -> LiveIngress:
    name, uid = text_at(row, "metadata", "name"), text_at(row, "metadata", "uid")
    item = mapping_at(row)
    return LiveIngress(
        name=name,
        file=mark_of(item).file,
        routes=tuple(
            sorted(_routes_of(list_at(notes, uid, "rules"), ingress=name, entry=entry_point_of(item)))
        ),
    )


def _routes_of(rules: Sequence[YamlValue], *, ingress: str, entry: EntryPoint) -> Iterator[Route]:
    for rule in rules:
        host = host_of(rule)
        yield Route(
            host=host,
            path=text_at(rule, "path") or "/",
            service=text_at(rule, "serviceName"),
            ingress=ingress,
            path_type=text_at(rule, "pathType"),
            entry=entry_of_host(host, entry, ingress),
        )
