"""The calls of a deployment: what BCS asks for, dry run, deployment, live objects. Performs no I/O.

Paths and shapes are those of facts/bcs.md ("Calls", traps 7 to 13) and of cluster-resources (bk-bcs 2026-07).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from bcs_template_set.bcs.calls import (
    JsonValue,
    Parse,
    Query,
    Read,
    T,
    Unreadable,
    Write,
    given_segment,
    nothing,
    one,
)
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import AUTOSCALER, CONFIG_MAP, POD
from bcs_template_set.records.declared import Record, camel
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class NamespaceRef:
    """A namespace of a cluster. `project_id` is the 32-hex id, which live objects are asked for by."""

    project: str
    project_id: str
    cluster_id: str
    namespace: str


class Variable(Record):
    """A `{{ NAME }}` of the versions, and the value the namespace gives it, "" for none."""

    key: str
    value: str = ""


class Variables(Record):
    """What BCS would ask a person for before deploying; each name once."""

    vars: tuple[Variable, ...] = ()


class PreviewItem(Record, named=camel):
    """One object as it would be applied, and as it is live ("" where there is none), both YAML."""

    kind: str = ""
    name: str = ""
    content: str = ""
    previous_content: str = ""


class Preview(Record):
    """The dry run: `error` is "" where it passed; it stops at the first object that fails (trap 8)."""

    items: tuple[PreviewItem, ...] = ()
    error: str = ""


class Deployed(Record):
    """What a deployment answers: success is code 0 *and* an empty `error` (trap 1)."""

    error: str = ""


@dataclass(frozen=True)
class LiveObject:
    """One live object, `status` included."""

    manifest: Mapping[str, JsonValue]


@dataclass(frozen=True)
class LiveList:
    """Live objects, pruned (trap 12): a Pod's reason is in `manifest_ext` by its uid."""

    manifest: Fields
    manifest_ext: Fields


def list_variables(place: NamespaceRef, *, version_ids: Sequence[str]) -> Read[Variables]:
    """Ask which variables the versions hold, and which of them the namespace has values for."""
    path, body = _template(place, "variables"), _chosen(place, version_ids)
    return Read("list variables", "POST", path, place.project, _variables, body=body)


def _variables(data: JsonValue) -> Variables:
    """Return the variables: BCS lists a name once for each version that holds it (facts/bcs.md, "Calls")."""
    values: dict[str, str] = {}
    for variable in one(Variables)(data).vars:
        values[variable.key] = values.get(variable.key) or variable.value
    return Variables(tuple(Variable(key, value) for key, value in values.items()))


def preview(
    place: NamespaceRef, *, version_ids: Sequence[str], variables: Mapping[str, str]
) -> Read[Preview]:
    """Ask for the dry run of versions; a read, although a POST."""
    path, body = _template(place, "preview"), _chosen(place, version_ids, variables)
    return Read("preview", "POST", path, place.project, one(Preview), body=body, reads_error=True)


def deploy(
    place: NamespaceRef, *, version_ids: Sequence[str], variables: Mapping[str, str]
) -> Write[Deployed]:
    """Apply versions, one document after the other; waits for nothing (trap 7)."""
    path, body = _template(place, "deploy"), _chosen(place, version_ids, variables)
    return Write("deploy", "POST", path, place.project, one_or_empty, body=body, reads_error=True)


def may_deploy(place: NamespaceRef) -> Read[None]:
    """Ask for the right to deploy there; a read, although it goes where a deployment goes.

    It names no version, and can't: so it changes nothing, and asks for exactly the rights of a deployment
    (facts/bcs.md, "Asking without doing").
    """
    path, body = _template(place, "deploy"), _chosen(place, (), {})
    return Read("may deploy", "POST", path, place.project, nothing, body=body)


def one_or_empty(data: JsonValue) -> Deployed:
    """Return the answer of a deployment, whose data is null or {} where all went well."""
    return Deployed() if data is None else one(Deployed)(data)


def live_object(data: JsonValue) -> LiveObject:
    """Return the one object that `data.manifest` is.

    Raises:
        Unreadable: it is none.
    """
    manifest = data.get("manifest") if isinstance(data, dict) else None
    if not isinstance(manifest, dict):
        raise Unreadable("Object missing required field `manifest` - at `data`")
    return LiveObject(manifest)


def live_list(data: JsonValue) -> LiveList:
    """Return the objects of `data.manifest`, and what `data.manifestExt` says of them; none for null."""
    return LiveList(manifest=mapping_at(data, "manifest"), manifest_ext=mapping_at(data, "manifestExt"))


def get_live(place: NamespaceRef, *, kind: Kind, name: str) -> Read[LiveObject]:
    """Read one live object whole."""
    segments = (*_live(place, kind), given_segment(name, what=f"{kind.name}.metadata.name"))
    return _get(f"get {kind.name}", place, kind, segments, live_object)


NOBODY = "nobody-has-this-name"
"""The ConfigMap whose deletion asks for the right to delete."""


def may_delete(place: NamespaceRef) -> Read[None]:
    """Ask for the right to delete there, by the deletion of what nobody has; a read, since nothing goes.

    40300 where the right is lacking, code 1 ("not found") where it is there (facts/bcs.md, "Asking without
    doing").
    """
    segments = (*_live(place, CONFIG_MAP), NOBODY)
    return Read("may delete", "DELETE", segments, place.project, nothing)


def delete_live(place: NamespaceRef, *, kind: Kind, name: str) -> Write[None]:
    """Delete a live object; what it owns follows in the background. Code 0 means accepted, and not gone."""
    segments = (*_live(place, kind), given_segment(name, what=f"{kind.name}.metadata.name"))
    query: Query = (("namespace", place.namespace),) if kind.is_custom else ()
    return Write(f"delete {kind.name}", "DELETE", segments, place.project, nothing, query)


def list_namespaces(place: NamespaceRef) -> Read[tuple[str, ...]]:
    """List the names of the cluster's namespaces; of a shared one, those of the project."""
    return Read("list namespaces", "GET", (*_cluster(place), "namespaces"), place.project, _names)


def _names(data: JsonValue) -> tuple[str, ...]:
    manifest = live_list(data).manifest
    rows = list_at(manifest, "items")
    if text_at(manifest, "metadata", "continue"):
        raise Unreadable("the list goes on - at `data.manifest.metadata.continue`")
    return tuple(sorted(text_at(row, "metadata", "name") for row in rows))


def list_live(place: NamespaceRef, *, kind: Kind) -> Read[LiveList]:
    """List the live objects of a kind, pruned."""
    return _get(f"list {kind.name}", place, kind, _live(place, kind), live_list)


def list_autoscalers(place: NamespaceRef) -> Read[LiveList]:
    """List the namespace's HPAs whole, in the version that its API server prefers."""
    return list_live(place, kind=AUTOSCALER)


def list_pods_of(place: NamespaceRef, *, kind: Kind, name: str, labels: Mapping[str, str]) -> Read[LiveList]:
    """List the pods of one workload, pruned; those of a custom kind by the labels that it selects.

    BCS goes by the pods' owners, and looks through ReplicaSets for a Deployment only: it finds no pod of a
    Rollout (facts/workloads.md, "Custom objects").
    """
    query: Query = (("ownerKind", kind.name), ("ownerName", name))
    if kind.is_custom and labels:
        query = (("labelSelector", ",".join(f"{key}={labels[key]}" for key in sorted(labels))),)
    return _get("list pods", place, POD, _live(place, POD), live_list, query=query)


def _get(
    name: str,
    place: NamespaceRef,
    kind: Kind,
    segments: tuple[str, ...],
    parse: Parse[T],
    *,
    query: Query = (),
) -> Read[T]:
    of_namespace = (("namespace", place.namespace),) if kind.is_custom else ()
    return Read(name, "GET", segments, place.project, parse, (*query, *of_namespace, ("format", "manifest")))


def _template(place: NamespaceRef, action: str) -> tuple[str, ...]:
    project = given_segment(place.project, what="project_code")
    return ("clusterresources", "v1", "projects", project, "template", action)


def _live(place: NamespaceRef, kind: Kind) -> tuple[str, ...]:
    """Return the path of a kind's objects; that of custom ones (`CustomRes`) names no namespace."""
    in_namespace = () if kind.is_custom else ("namespaces", given_segment(place.namespace, what="namespace"))
    return (
        *_cluster(place),
        *in_namespace,
        *kind.route.split("/"),
        *(("custom_objects",) if kind.is_custom else ()),
    )


def _cluster(place: NamespaceRef) -> tuple[str, ...]:
    return (
        *("clusterresources", "v1", "projects", given_segment(place.project_id, what="projectID")),
        *("clusters", given_segment(place.cluster_id, what="cluster_id")),
    )


def _chosen(
    place: NamespaceRef, version_ids: Sequence[str], variables: Optional[Mapping[str, str]] = None
) -> dict[str, JsonValue]:
    return {
        "templateVersions": list(version_ids),
        "clusterID": place.cluster_id,
        "namespace": place.namespace,
        **({} if variables is None else {"variables": dict(variables)}),
    }
