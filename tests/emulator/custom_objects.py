"""Custom objects and their definitions, as pkg/handler/customresource answers. Performs no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from tests.emulator.cluster.kinds import Kind
from tests.emulator.cluster.refusals import ApiRefusal
from tests.emulator.cluster.tree import Manifest, items, text
from tests.emulator.cluster_resources import NO_PERMISSION, VALIDATION, Call, Operation, Refusal
from tests.emulator.deploying import check_shared_namespace
from tests.emulator.live_objects import (
    check_cluster_scoped,
    check_namespace,
    live,
    refused_by_cluster,
    show_many,
    show_one,
)
from tests.emulator.permission_centre import SCOPED_DELETE, SCOPED_VIEW

_DEFINITION = "clusters/{clusterID}/crds/{CRDName}"
_GUARDED = ("GameDeployment", "GameStatefulSet", "HookTemplate")
"""Kinds that BCS's console guards against deletion, and has forms for (action/web/cobj.go)."""
_GUARD: Mapping[str, object] = {
    "clickable": False,
    "tip": "当前实例已添加删除保护功能，若确认要删除，请修改实例标签字段 "
    "io.tencent.bcs.dev/deletion-allow: Always",
    "applyURL": "",
}


def _get_definition(call: Call) -> object:
    """Return one CustomResourceDefinition."""
    return show_one(call, "CustomResourceDefinition", _definition(call))


def _definition(call: Call) -> Manifest:
    """Return the definition that the path names, after what every call about custom objects asks for."""
    name = call.message.text("CRDName")
    if not call.cluster.shared:
        check_cluster_scoped(call)
    elif name not in call.cluster.enabled_definitions:
        raise Refusal(f"共享集群中不支持查看 CRD {name} 信息", code=NO_PERMISSION)
    try:
        return call.cluster.get("CustomResourceDefinition", "", name)
    except ApiRefusal as refusal:
        raise refused_by_cluster(refusal) from refusal


def _kind_of(call: Call) -> Kind:
    """Return the custom kind that the path names, after what its calls ask for."""
    name = text(_definition(call), "metadata", "name")
    kind = call.cluster.custom_kind(name)
    assert kind is not None, name
    if kind.namespaced and not call.message.text("namespace"):
        raise Refusal(f"查看/操作自定义资源 {name} 需要指定命名空间", code=VALIDATION)
    if call.cluster.shared:
        check_shared_namespace(call, call.message.text("namespace"))
    return kind


def _list_objects(call: Call) -> object:
    """List a custom kind's objects, whole."""
    kind = _kind_of(call)
    check_namespace(call, SCOPED_VIEW)
    found = call.cluster.find_all(kind.name, call.message.text("namespace"))
    return show_many(call, kind.name, found, **{"continue": ""})


def _on_one(action: str, act: Callable[[Call, Kind], object]) -> Callable[[Call], object]:
    def handle(call: Call) -> object:
        """Do something to one custom object."""
        kind = _kind_of(call)
        check_namespace(call, action)
        try:
            return act(call, kind)
        except ApiRefusal as refusal:
            raise refused_by_cluster(refusal) from refusal

    return handle


def _get_object(call: Call, kind: Kind) -> object:
    found = call.cluster.get(kind.name, call.message.text("namespace"), call.message.text("cobjName"))
    return show_one(call, kind.name, found)


def _delete_object(call: Call, kind: Kind) -> None:
    call.cluster.delete(kind.name, call.message.text("namespace"), call.message.text("cobjName"))


def _annotate_list(data: object) -> object:
    guarded = [item for item in items(data, "manifest", "items") if text(item, "kind") in _GUARDED]
    each = {text(item, "metadata", "uid"): {"deleteBtn": _GUARD} for item in guarded}
    return {"perms": {"page": {}, "items": each}, "featureFlag": {"FORM_CREATE": bool(guarded)}}


def _annotate_object(data: object) -> object:
    guarded = text(data, "manifest", "kind") in _GUARDED
    page = {"deleteBtn": _GUARD} if guarded else {}
    return {"perms": {"page": page, "items": {}}, "featureFlag": {"FORM_UPDATE": guarded}}


def _annotate_definition(_: object) -> object:
    return {"perms": {"page": {}, "items": {}}, "featureFlag": {"FORM_UPDATE": False}}


OPERATIONS: tuple[Operation, ...] = (
    live(
        "CustomRes.GetCRD",
        "GET",
        _DEFINITION,
        message="CRDGetReq",
        handler=_get_definition,
        annotate=_annotate_definition,
    ),
    live(
        "CustomRes.ListCObj",
        "GET",
        f"{_DEFINITION}/custom_objects",
        message="CObjListReq",
        handler=_list_objects,
        annotate=_annotate_list,
    ),
    live(
        "CustomRes.GetCObj",
        "GET",
        f"{_DEFINITION}/custom_objects/{{cobjName}}",
        message="CObjGetReq",
        handler=_on_one(SCOPED_VIEW, _get_object),
        annotate=_annotate_object,
    ),
    live(
        "CustomRes.DeleteCObj",
        "DELETE",
        f"{_DEFINITION}/custom_objects/{{cobjName}}",
        message="CObjDeleteReq",
        handler=_on_one(SCOPED_DELETE, _delete_object),
    ),
)
