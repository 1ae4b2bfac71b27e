"""Reads of live objects: one whole, many pruned, as pkg/action/resource answers. Performs no I/O.

The project must be named by its 32-hex id: a code passes the way in, and the validator refuses it (code 1).
"""

from __future__ import annotations

from typing import Callable

from tests.emulator.cluster.kinds import find_kind
from tests.emulator.cluster.refusals import ApiRefusal
from tests.emulator.cluster.tree import Manifest, branch, text
from tests.emulator.cluster_resources import VALIDATION, Call, Operation, Refusal, refuse_permission
from tests.emulator.deploying import check_shared_namespace
from tests.emulator.dialect import EVERY
from tests.emulator.permission_centre import NAMESPACE_VIEW, SCOPED_VIEW, missing_in_namespace
from tests.emulator.pruning import extend, prune

_THINGS = (
    ("workloads/deployments", "Deployment", "Deploy"),
    ("workloads/statefulsets", "StatefulSet", "STS"),
    ("workloads/daemonsets", "DaemonSet", "DS"),
    ("workloads/jobs", "Job", "Job"),
    ("workloads/pods", "Pod", "Po"),
    ("networks/services", "Service", "SVC"),
    ("networks/ingresses", "Ingress", "Ing"),
)


def _get(kind: str) -> Callable[[Call], object]:
    def get(call: Call) -> object:
        """Return one object whole, and its summary."""
        _check_access(call, kind)
        try:
            manifest = call.cluster.get(kind, call.message.text("namespace"), call.message.text("name"))
        except ApiRefusal as refusal:
            raise Refusal(refusal.message) from refusal
        return {"manifest": manifest, "manifestExt": extend(kind, manifest, now=call.cluster.now)}

    return get


def _list(kind: str) -> Callable[[Call], object]:
    def list_all(call: Call) -> object:
        """Return many objects, pruned (facts/bcs.md trap 12); those of an owner where it is named."""
        _check_access(call, kind)
        found = [manifest for manifest in _found(call, kind) if _selected(call, manifest)]
        now = call.cluster.now
        known = find_kind(kind)
        assert known is not None, kind
        return {
            "manifest": {
                "apiVersion": known.versions[0],
                "kind": f"{kind}List",
                "metadata": {"resourceVersion": str(int(now))},
                "items": [prune(kind, manifest) for manifest in found],
            },
            "manifestExt": {
                text(manifest, "metadata", "uid"): extend(kind, manifest, now=now) for manifest in found
            },
        }

    return list_all


def _found(call: Call, kind: str) -> list[Manifest]:
    namespace = call.message.text("namespace")
    owner_kind, owner_name = call.message.text("ownerKind"), call.message.text("ownerName")
    if kind == "Pod" and owner_kind and owner_name:
        return call.cluster.pods_of(owner_kind, namespace, owner_name)
    return call.cluster.find_all(kind, namespace)


def _selected(call: Call, manifest: Manifest) -> bool:
    """Tell whether the labels are those of the selector; only `key=value,…` is emulated."""
    selector = call.message.text("labelSelector")
    labels = branch(manifest, "metadata", "labels")
    pairs = [pair.partition("=")[::2] for pair in selector.split(",") if pair]
    return all(labels.get(key.strip()) == value.strip("= ") for key, value in pairs)


def _check_access(call: Call, kind: str) -> None:
    namespace = call.message.text("namespace")
    if call.cluster.shared and kind == "DaemonSet":
        raise Refusal(f"该请求资源类型 {kind} 在共享集群中不可用", code=4)
    if call.cluster.shared:
        check_shared_namespace(call, namespace)
    if not call.user:
        raise Refusal("ctx validate failed: Username/ProjectID/ClusterID required", code=VALIDATION)
    missing = missing_in_namespace(
        call.project,
        call.cluster,
        user=call.user,
        namespace=namespace,
        actions=(SCOPED_VIEW, NAMESPACE_VIEW),
    )
    if missing:
        raise refuse_permission(missing)


def _annotations(flag: str) -> dict[str, object]:
    return {"perms": {"page": {}, "items": {}}, "featureFlag": {flag: True}}


def _operations(path: str, kind: str, short: str) -> tuple[Operation, Operation]:
    service = "Workload" if path.startswith("workloads") else "Network"
    where = f"clusters/{{clusterID}}/namespaces/{{namespace}}/{path}"
    return (
        Operation(
            name=f"{service}.List{short}",
            method="GET",
            path=where,
            message="ResListReq",
            handler=_list(kind),
            project_field="projectID",
            views_project=False,
            annotations=_annotations("FORM_CREATE"),
            dialects=EVERY,
        ),
        Operation(
            name=f"{service}.Get{short}",
            method="GET",
            path=f"{where}/{{name}}",
            message="ResGetReq",
            handler=_get(kind),
            project_field="projectID",
            views_project=False,
            annotations=_annotations("FORM_UPDATE"),
            dialects=EVERY,
        ),
    )


OPERATIONS = tuple(operation for thing in _THINGS for operation in _operations(*thing))
