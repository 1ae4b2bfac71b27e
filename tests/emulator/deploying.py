"""Variables, preview and deploy of template files, as pkg/action/template answers. Performs no I/O.

Deploy answers what the API server refuses with a code; `data.error` beside code 0 is only for Helm rendering
there, and for all of rendering and the dry run in preview (facts/bcs.md trap 1).
"""

from __future__ import annotations

from typing import Optional

from tests.emulator.cluster.refusals import NO_SUCH_RESOURCE, ApiRefusal, Unread
from tests.emulator.cluster.tree import Manifest, branch, text
from tests.emulator.cluster_resources import (
    NO_PERMISSION,
    VALIDATION,
    Call,
    Operation,
    Refusal,
    panic,
    refuse_permission,
)
from tests.emulator.go_yaml import write
from tests.emulator.permission_centre import (
    NAMESPACE_VIEW,
    SCOPED_CREATE,
    SCOPED_VIEW,
    missing_in_namespace,
)
from tests.emulator.template_rendering import RenderingFailed, Template, names_in, read_templates, render

SHARED_KINDS = {
    "Namespace", "CronJob", "Deployment", "Job", "Pod", "StatefulSet", "HorizontalPodAutoscaler",
    "Endpoints", "Ingress", "Service", "ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount",
}  # fmt: skip
RESOURCES_MOVED = (
    "检测到集群资源变动，尝试同步资源信息中。若近期有升级集群行为，请稍后重试，若依旧失败，请联系容器助手"
)
_PRUNED = (
    ("metadata", "generation"),
    ("metadata", "creationTimestamp"),
    ("metadata", "resourceVersion"),
    ("metadata", "uid"),
    ("metadata", "managedFields"),
    ("spec", "template", "metadata", "creationTimestamp"),
    ("spec", "template", "spec", "schedulerName"),
    ("spec", "template", "spec", "securityContext"),
    ("status",),
)


# --- the three calls ------------------------------------------------------------------------------------


def list_variables(call: Call) -> object:
    """List the names that the versions use, with the values of the namespace.

    The values are a proposal: deploy replaces by the variables of its own request only.
    """
    templates = read_templates(call)
    known = call.state.render_variables(
        call.project.code, cluster=call.message.text("clusterID"), namespace=call.message.text("namespace")
    )
    known.update(
        SYS_CLUSTER_ID=call.message.text("clusterID"),
        SYS_CC_APP_ID=call.project.business_id,
        SYS_PROJECT_ID=call.project.id,
        SYS_NAMESPACE=call.message.text("namespace"),
    )
    # Names are made unique per version: of two that use one, it comes twice.
    names = [name for template in templates for name in names_in(template)]
    return {"vars": [{"key": name, "value": known.get(name, ""), "readonly": False} for name in names]}


def preview(call: Call) -> object:
    """Dry-run document by document up to the first that fails; show all, with the live text beside.

    The namespace permissions are not asked for here, unlike in deploy.
    """
    try:
        manifests = render(call, read_templates(call))
    except RenderingFailed as exc:
        return {"items": [], "error": str(exc)}
    _check_cluster_access(call, manifests)
    error = _apply_all(call, manifests, dry_run=True)
    items = [_preview_item(call, manifest) for manifest in manifests]
    return {"items": items, "error": "" if error is None else error.message}


def deploy(call: Call) -> object:
    """Apply document by document, stop at the first that fails, keep what was done, wait for nothing.

    The files' latestDeployVersion moves only after the last document was applied.
    """
    templates = read_templates(call)
    try:
        manifests = render(call, templates)
    except RenderingFailed as exc:
        if exc.helm:
            return {"items": [], "error": str(exc)}
        raise Refusal(str(exc)) from exc
    _check_cluster_access(call, manifests)
    _check_namespace_permission(call)
    error = _apply_all(call, manifests, dry_run=False)
    if error is not None:
        raise error
    for template in templates:
        _mark_deployed(call, template)
    return {}


# --- access ---------------------------------------------------------------------------------------------


def _check_cluster_access(call: Call, manifests: list[Manifest]) -> None:
    """Refuse what a shared cluster does not take (facts/bcs.md trap 9), and namespaces of others."""
    if not call.cluster.shared:
        return
    defined = map(call.cluster.custom_kind, call.cluster.enabled_definitions)
    enabled = {kind.name for kind in defined if kind is not None}
    for manifest in manifests:
        if text(manifest, "kind") not in enabled:
            check_shared_kind(text(manifest, "kind"))
    check_shared_namespace(call, call.message.text("namespace"))


def check_shared_kind(kind: str) -> None:
    """Refuse a kind that shared clusters don't take."""
    if kind not in SHARED_KINDS:
        raise Refusal(f"该请求资源类型 {kind} 在共享集群中不可用", code=NO_PERMISSION)


def check_shared_namespace(call: Call, namespace: str) -> None:
    """Refuse a shared cluster's namespace that belongs to another project (pkg/resource/client/ns.go)."""
    if not namespace:
        raise Refusal("命名空间为空", code=NO_PERMISSION)
    missing = missing_in_namespace(
        call.project, call.cluster, user=call.user, namespace=namespace, actions=(NAMESPACE_VIEW,)
    )
    if missing:
        raise refuse_permission(missing)
    if not call.cluster.has_namespace(namespace):
        raise Refusal(f'namespaces "{namespace}" not found')
    mine = call.cluster.namespaces.get(namespace) == call.project.code
    if call.cluster.project_id != call.project.id and not mine:
        raise Refusal(f"命名空间 {namespace} 在该共享集群中不属于指定项目", code=NO_PERMISSION)


def _check_namespace_permission(call: Call) -> None:
    missing = missing_in_namespace(
        call.project,
        call.cluster,
        user=call.user,
        namespace=call.message.text("namespace"),
        actions=(SCOPED_CREATE, NAMESPACE_VIEW),
    )
    if missing:
        raise refuse_permission(missing)


# --- the cluster ----------------------------------------------------------------------------------------


def _apply_all(call: Call, manifests: list[Manifest], *, dry_run: bool) -> Optional[Refusal]:
    """Apply in order; return the first refusal. A document without kind is passed over silently."""
    work = call.state.pace.work(dry_run=dry_run)
    for manifest in manifests:
        if not text(manifest, "kind"):
            continue
        work.take()
        try:
            call.cluster.find_kind(text(manifest, "kind"), text(manifest, "apiVersion"))
            if not text(manifest, "metadata", "name"):
                return Refusal("metadata.name 必须指定", code=VALIDATION)
        except ApiRefusal as refusal:
            return Refusal(refusal.message)
        try:
            call.cluster.apply(manifest, by_scope=call.state.dialect.survives_unread, dry_run=dry_run)
        except Unread as refusal:
            if not call.state.dialect.survives_unread:
                raise panic("runtime error: invalid memory address or nil pointer dereference") from refusal
            return Refusal(refusal.message)
        except ApiRefusal as refusal:
            moved = NO_SUCH_RESOURCE in refusal.message
            return Refusal(RESOURCES_MOVED if moved else refusal.message)
    return None


def _preview_item(call: Call, manifest: Manifest) -> Manifest:
    return {
        "kind": text(manifest, "kind"),
        "name": text(manifest, "metadata", "name"),
        "content": write(manifest),
        "previousContent": _live_text(call, manifest),
    }


def _live_text(call: Call, manifest: Manifest) -> str:
    """Return the live object without what BCS prunes; empty where it is not there or may not be seen."""
    namespace, kind = text(manifest, "metadata", "namespace"), text(manifest, "kind")
    missing = missing_in_namespace(
        call.project,
        call.cluster,
        user=call.user,
        namespace=namespace,
        actions=(SCOPED_VIEW, NAMESPACE_VIEW),
    )
    if missing or not kind:
        return ""
    try:
        version = text(manifest, "apiVersion")
        call.cluster.find_kind(kind, version)
        live = call.cluster.get(kind, namespace, text(manifest, "metadata", "name"), version=version)
    except ApiRefusal:
        return ""
    for path in _PRUNED:
        branch(live, *path[:-1]).pop(path[-1], None)
    return write(live)


def _mark_deployed(call: Call, template: Template) -> None:
    with call.state.lock:
        for file in call.state.files:
            if (file.project, file.space, file.name) == (call.project.code, template.space, template.name):
                file.latest_deploy_version, file.latest_deployer = template.version, call.user
                file.update_at = int(call.state.now())


OPERATIONS = (
    Operation(
        name="TemplateSet.ListTemplateFileVariables",
        method="POST",
        path="template/variables",
        message="ListTemplateFileVariablesReq",
        handler=list_variables,
    ),
    Operation(
        name="TemplateSet.PreviewTemplateFile",
        method="POST",
        path="template/preview",
        message="DeployTemplateFileReq",
        handler=preview,
    ),
    Operation(
        name="TemplateSet.DeployTemplateFile",
        method="POST",
        path="template/deploy",
        message="DeployTemplateFileReq",
        handler=deploy,
    ),
)
