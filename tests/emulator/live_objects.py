"""Live objects: one whole, many pruned, and their deletion, as pkg/action/resource answers. Performs no I/O.

The project must be named by its 32-hex id: a code passes the way in, and the validator refuses it (code 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Callable

from tests.emulator.cluster.refusals import ApiRefusal
from tests.emulator.cluster.tree import Manifest, branch, items, text
from tests.emulator.cluster_resources import VALIDATION, Call, Operation, Refusal, refuse_permission
from tests.emulator.deploying import check_shared_kind, check_shared_namespace
from tests.emulator.dialect import EVERY
from tests.emulator.permission_centre import (
    NAMESPACE_VIEW,
    SCOPED_DELETE,
    SCOPED_VIEW,
    missing_in_cluster,
    missing_in_namespace,
)
from tests.emulator.pruning import prune
from tests.emulator.summaries import extend

IN_NAMESPACE = "clusters/{clusterID}/namespaces/{namespace}"
_MAY_UPDATE: Mapping[str, object] = {"clickable": True, "tip": "", "applyURL": ""}


@dataclass(frozen=True)
class Thing:
    """A kind of live object: the path of its calls, and what BCS calls it."""

    path: str
    kind: str
    short: str

    @property
    def service(self) -> str:
        """Return the service of the kind's calls."""
        first = self.path.partition("/")[0]
        return {"hpa": "HPA"}.get(first, first.capitalize().rstrip("s"))


THINGS = (
    Thing("workloads/deployments", "Deployment", "Deploy"),
    Thing("workloads/statefulsets", "StatefulSet", "STS"),
    Thing("workloads/daemonsets", "DaemonSet", "DS"),
    Thing("workloads/jobs", "Job", "Job"),
    Thing("workloads/cronjobs", "CronJob", "CJ"),
    Thing("workloads/pods", "Pod", "Po"),
    Thing("networks/services", "Service", "SVC"),
    Thing("networks/ingresses", "Ingress", "Ing"),
    Thing("configs/configmaps", "ConfigMap", "CM"),
    Thing("configs/secrets", "Secret", "Secret"),
    Thing("storages/persistent_volume_claims", "PersistentVolumeClaim", "PVC"),
    Thing("hpa", "HorizontalPodAutoscaler", "HPA"),
)


# --- what is shown --------------------------------------------------------------------------------------


def show_one(call: Call, kind: str, manifest: Manifest) -> Manifest:
    """Return one object whole, and its summary."""
    summary = extend(kind, manifest, now=call.cluster.now, dialect=call.state.dialect)
    return {"manifest": manifest, "manifestExt": summary}


def show_many(call: Call, kind: str, found: list[Manifest], **metadata: str) -> Manifest:
    """Return many objects, pruned (facts/bcs.md trap 12), and their summaries by uid."""
    now, dialect = call.cluster.now, call.state.dialect
    return {
        "manifest": {
            "apiVersion": call.cluster.versions(kind)[0],
            "kind": f"{kind}List",
            "metadata": {"resourceVersion": str(int(now)), **metadata},
            "items": [prune(kind, manifest) for manifest in found],
        },
        "manifestExt": {
            text(manifest, "metadata", "uid"): extend(kind, manifest, now=now, dialect=dialect)
            for manifest in found
        },
    }


def refused_by_cluster(refusal: ApiRefusal) -> Refusal:
    """Return what BCS makes of the API server's refusal: its message is passed on."""
    return Refusal(refusal.message)


# --- the calls ------------------------------------------------------------------------------------------


def _get(kind: str) -> Callable[[Call], object]:
    def get(call: Call) -> object:
        """Return one object."""
        _check_access(call, kind)
        try:
            manifest = call.cluster.get(kind, call.message.text("namespace"), call.message.text("name"))
        except ApiRefusal as refusal:
            raise refused_by_cluster(refusal) from refusal
        return show_one(call, kind, manifest)

    return get


def _list(kind: str) -> Callable[[Call], object]:
    def list_all(call: Call) -> object:
        """Return many objects; pods of an owner where it is named."""
        _check_access(call, kind)
        try:
            found = [manifest for manifest in _found(call, kind) if _selected(call, manifest)]
        except ApiRefusal as refusal:
            raise refused_by_cluster(refusal) from refusal
        return show_many(call, kind, found)

    return list_all


def _delete(kind: str) -> Callable[[Call], object]:
    def delete(call: Call) -> object:
        """Delete one object; what it owns follows in the background."""
        _check_access(call, kind, action=SCOPED_DELETE)
        try:
            call.cluster.delete(kind, call.message.text("namespace"), call.message.text("name"))
        except ApiRefusal as refusal:
            raise refused_by_cluster(refusal) from refusal
        return None

    return delete


def _list_history(call: Call) -> object:
    """List a Deployment's revisions, newest first: its ReplicaSets' summaries (resource/client/rs.go)."""
    check_namespace(call, SCOPED_VIEW)
    namespace, name = call.message.text("namespace"), call.message.text("name")
    try:
        call.cluster.get("Deployment", namespace, name)
        sets = call.cluster.find_all("ReplicaSet", namespace)
    except ApiRefusal as refusal:
        raise refused_by_cluster(refusal) from refusal
    rows: list[tuple[int, Manifest]] = []
    for found in sets:
        if any(text(owner, "name") == name for owner in items(found, "metadata", "ownerReferences")):
            revision = int(text(found, "metadata", "annotations", "deployment.kubernetes.io/revision") or 0)
            summary = extend("ReplicaSet", found, now=call.cluster.now, dialect=call.state.dialect)
            if call.state.dialect.summarises_as_v1_30:
                summary["images"] = []
            rows.append((revision, {**summary, "revision": revision}))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _list_namespaces(call: Call) -> object:
    """List the cluster's namespaces; of a shared one of somebody else's, the project's own."""
    check_cluster(call)
    found = call.cluster.find_all("Namespace", "")
    if call.cluster.shared and call.cluster.project_id != call.project.id:
        mine = call.cluster.namespaces
        found = [space for space in found if mine.get(text(space, "metadata", "name")) == call.project.code]
    return show_many(call, "Namespace", found)


def _found(call: Call, kind: str) -> list[Manifest]:
    namespace = call.message.text("namespace")
    owner_kind, owner_name = call.message.text("ownerKind"), call.message.text("ownerName")
    if kind == "Pod" and owner_kind and owner_name:
        return call.cluster.pods_of(owner_kind, namespace, owner_name)
    found = call.cluster.find_all(kind, namespace)
    if kind != "ReplicaSet" or not owner_name:
        return found
    return [
        manifest
        for manifest in found
        if any(text(owner, "name") == owner_name for owner in items(manifest, "metadata", "ownerReferences"))
    ]


def _selected(call: Call, manifest: Manifest) -> bool:
    """Tell whether the labels are those of the selector; only `key=value,…` is emulated."""
    selector = call.message.text("labelSelector")
    labels = branch(manifest, "metadata", "labels")
    pairs = [pair.partition("=")[::2] for pair in selector.split(",") if pair]
    return all(labels.get(key.strip()) == value.strip("= ") for key, value in pairs)


# --- access ---------------------------------------------------------------------------------------------


def _check_access(call: Call, kind: str, *, action: str = SCOPED_VIEW) -> None:
    """Check what every live read asks for; lists of pods and ReplicaSets ask for less (trap 9)."""
    listed = not call.message.text("name")
    if call.cluster.shared and not (listed and kind in ("Pod", "ReplicaSet")):
        check_shared_kind(kind)
        check_shared_namespace(call, call.message.text("namespace"))
    check_namespace(call, action)


def check_namespace(call: Call, action: str) -> None:
    """Refuse who lacks the action in the namespace, or one of its parents."""
    _check_known(call)
    missing = missing_in_namespace(
        call.project,
        call.cluster,
        user=call.user,
        namespace=call.message.text("namespace"),
        actions=(action, NAMESPACE_VIEW),
    )
    if missing:
        raise refuse_permission(missing)


def check_cluster(call: Call) -> None:
    """Refuse who may not view the cluster."""
    _check_known(call)
    missing = missing_in_namespace(call.project, call.cluster, user=call.user, namespace="", actions=())
    if missing:
        raise refuse_permission(missing)


def check_cluster_scoped(call: Call) -> None:
    """Refuse who may not look at what is the cluster's own: definitions, of which custom objects are read."""
    _check_known(call)
    missing = missing_in_cluster(call.project, call.cluster, user=call.user)
    if missing:
        raise refuse_permission(missing)


def _check_known(call: Call) -> None:
    if not call.user:
        raise Refusal("ctx validate failed: Username/ProjectID/ClusterID required", code=VALIDATION)


# --- the table ------------------------------------------------------------------------------------------


def _annotate_list(kind: str) -> Callable[[object], object]:
    def annotate(data: object) -> object:
        """Return what a list's webAnnotations say; of ConfigMaps and Secrets, that each may be edited."""
        shown = items(data, "manifest", "items") if kind in ("ConfigMap", "Secret") else []
        each = {text(item, "metadata", "uid"): {"updateBtn": _MAY_UPDATE} for item in shown}
        return {"perms": {"page": {}, "items": each}, "featureFlag": {"FORM_CREATE": True}}

    return annotate


def _annotate_one(kind: str) -> Callable[[object], object]:
    page = {"updateBtn": _MAY_UPDATE} if kind in ("ConfigMap", "Secret") else {}
    return lambda _: {"perms": {"page": page, "items": {}}, "featureFlag": {"FORM_UPDATE": True}}


def live(
    name: str,
    method: str,
    path: str,
    *,
    message: str,
    handler: Callable[[Call], object],
    annotate: Callable[[object], object] = lambda _: None,
    is_list: bool = False,
) -> Operation:
    """Return an operation on live objects: it is there in every dialect, and asks for permissions itself."""
    return Operation(
        name=name,
        method=method,
        path=path,
        message=message,
        handler=handler,
        project_field="projectID",
        views_project=False,
        annotate=annotate,
        is_list=is_list,
        dialects=EVERY,
    )


def _operations(thing: Thing) -> tuple[Operation, ...]:
    where = f"{IN_NAMESPACE}/{thing.path}"
    one, name = f"{where}/{{name}}", f"{thing.service}.{{}}{thing.short}"
    kind = thing.kind
    return (
        live(name.format("List"), "GET", where, message="ResListReq", handler=_list(kind),
             annotate=_annotate_list(kind)),
        live(name.format("Get"), "GET", one, message="ResGetReq", handler=_get(kind),
             annotate=_annotate_one(kind)),
        live(name.format("Delete"), "DELETE", one, message="ResDeleteReq", handler=_delete(kind)),
    )  # fmt: skip


OPERATIONS = (
    *(operation for thing in THINGS for operation in _operations(thing)),
    live(
        "Workload.ListRS",
        "GET",
        f"{IN_NAMESPACE}/workloads/replicasets",
        message="ResListReq",
        handler=_list("ReplicaSet"),
    ),
    live(
        "Workload.GetDeployHistoryRevision",
        "GET",
        f"{IN_NAMESPACE}/workloads/deployments/{{name}}/history",
        message="GetResHistoryReq",
        handler=_list_history,
        is_list=True,
    ),
    live(
        "Namespace.ListNS",
        "GET",
        "clusters/{clusterID}/namespaces",
        message="NSListReq",
        handler=_list_namespaces,
    ),
)
