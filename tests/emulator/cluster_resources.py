"""cluster-resources: the order in which a request is looked at, and the answers' envelope. Performs no I/O.

Order (cluster-resources cmd/init.go and pkg/wrapper): path, body, identity, project, cluster (all outside the
envelope), then validator, permission, handler, whose errors are HTTP 200 with a code. A refused *list* has
`data: null` and no apply link, because CommonListResp has no room for one (pkg/wrapper/response.go).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Callable, Optional

from tests.emulator.cluster import Cluster
from tests.emulator.dialect import V1_30, Dialect
from tests.emulator.entities import DEFAULT_TENANT, Project
from tests.emulator.http_message import Answer, Caller, Request, json_answer, runtime_error, unknown_api
from tests.emulator.permission_centre import VIEW, Actions, may_view, perms_of
from tests.emulator.proto import Malformed, Message, parse_message, refuse
from tests.emulator.state import State

GENERAL, VALIDATION, UNSUPPORTED, NO_PERMISSION, DUPLICATE, NO_IAM_PERMISSION = 1, 2, 3, 4, 7, 40300
PROJECT_KEPT = 20 * 60.0
"""How long a project that was found is kept, in seconds (pkg/component/project/client.go)."""
RECORD_NOT_FOUND = "record not found"
INVALID_ID = "invalid id"

_NO_PROJECT = "db error, record not found"
_PREFIX = ("clusterresources", "v1", "projects")
_VERSION = ("clusterresources", "v1", "version")


class Refusal(Exception):
    """An error that BCS answers in its envelope; `actions` are the permissions that 40300 is about."""

    def __init__(self, message: str, *, code: int = GENERAL, actions: Actions = (("project", VIEW),)) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.actions = actions


def refuse_permission(actions: Actions) -> Refusal:
    """Return the refusal of missing permissions, each named in the message (pkg/iam/perm/perm.go)."""
    said = "; ".join(f"no {action} permission" for _, action in actions)
    return Refusal(f"{NO_IAM_PERMISSION}: {said}", code=NO_IAM_PERMISSION, actions=actions)


def panic(what: str) -> Refusal:
    """Return what BCS answers where a handler panics (pkg/wrapper; facts/bcs.md trap 16)."""
    return Refusal(f"panic recovered: {what}")


@dataclass(frozen=True)
class Call:
    """One accepted request: who asks what of which project."""

    state: State
    project: Project
    user: str
    message: Message
    named_cluster: Optional[Cluster] = None
    tenant: str = DEFAULT_TENANT

    @property
    def cluster(self) -> Cluster:
        """Return the cluster that the message names; the way in has looked it up."""
        assert self.named_cluster is not None, self.message.name
        return self.named_cluster


@dataclass(frozen=True)
class Operation:
    """One API: where it is, the message it takes, and what answers. Without a handler it is unsupported.

    `project_field` is what the message calls the path's project. `views_project` is false where the handler
    itself asks the permission centre. `annotate` makes the webAnnotations out of the data, on success.
    `dialects` are those that have the call.
    """

    name: str
    method: str
    path: str
    message: str
    handler: Optional[Callable[[Call], object]] = None
    is_list: bool = False
    project_field: str = "projectCode"
    views_project: bool = True
    annotate: Callable[[object], object] = lambda _: None
    dialects: frozenset[Dialect] = V1_30

    def match(self, segments: tuple[str, ...]) -> Optional[dict[str, str]]:
        """Return the path's fields where the segments are this operation's, else None."""
        if len(self.parts) != len(segments) or not all(segments):
            return None
        fields = {}
        for part, segment in zip(self.parts, segments):
            if part[0] == "{":
                fields[part[1:-1]] = segment
            elif part != segment:
                return None
        return fields

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Return the segments of the path: fixed words, and fields in braces."""
        return tuple(self.path.split("/"))


class ClusterResources:
    """The service: a table of operations over one state."""

    def __init__(self, state: State, *, operations: tuple[Operation, ...]) -> None:
        self._state = state
        self._of_length: dict[int, list[Operation]] = {}
        for operation in operations:
            self._of_length.setdefault(len(operation.parts), []).append(operation)
        self._kept: dict[str, tuple[float, Project]] = {}

    def answer(self, request: Request, *, segments: tuple[str, ...], caller: Caller) -> Answer:
        """Return what BCS answers to the request of that caller."""
        if segments == _VERSION and request.method == "GET":
            return json_answer(_show_version(self._state), operation="ClusterResources.Version")
        if segments[:3] != _PREFIX or len(segments) < len(_PREFIX) + 2:
            return unknown_api()
        rest = segments[4:]
        known = self._of_length.get(len(rest), ())
        for operation in known:
            if operation.method == request.method and self._state.dialect in operation.dialects:
                fields = operation.match(rest)
                if fields is not None:
                    named = {operation.project_field: segments[3], **fields}
                    return self._answer(operation, request, fields=named, caller=caller)
        matching = [op for op in known if op.match(rest) is not None]
        elsewhere = any(op.method == request.method for op in matching)
        if any(self._state.dialect in op.dialects for op in matching):
            return unknown_api(status=405, text=b"Method Not Allowed\n", known=elsewhere)
        return unknown_api(known=elsewhere)

    def _answer(
        self, operation: Operation, request: Request, *, fields: dict[str, str], caller: Caller
    ) -> Answer:
        try:
            by_query = request.method in ("GET", "DELETE")
            body = None if by_query else request.json()
            query = request.query if by_query else ()
            message = parse_message(operation.message, body=body, query=query, path=fields)
        except Malformed as exc:
            return runtime_error(str(exc), code=3, status=400, operation=operation.name)
        except ValueError:
            return runtime_error("unexpected EOF", code=3, status=400, operation=operation.name)
        named_project = fields[operation.project_field]
        project = self._find_project(named_project)
        if project is None:
            return _unknown_project(operation, named_project, dialect=self._state.dialect)
        wanted = message.text("clusterID")
        cluster = self._state.clusters.get(wanted)
        if wanted and (cluster is None or not (cluster.shared or cluster.project_id == project.id)):
            return _no_cluster(operation, wanted, known=cluster is not None, dialect=self._state.dialect)
        call = Call(
            state=self._state,
            project=project,
            user=caller.user,
            message=message,
            named_cluster=cluster,
            tenant=request.header("x-bk-tenant-id") or DEFAULT_TENANT,
        )
        return _in_envelope(operation, call, request_id=request.request_id or str(uuid.uuid4()))

    def _find_project(self, named: str) -> Optional[Project]:
        """Return the project; one that was found is kept for a while, whatever becomes of it meanwhile."""
        until, kept = self._kept.get(named, (0.0, None))
        if self._state.now() < until:
            return kept
        found = self._state.find_project(named)
        if found is not None:
            self._kept[named] = (self._state.now() + PROJECT_KEPT, found)
        return found


def _show_version(state: State) -> dict[str, str]:
    """Return what the build was stamped with: outside the envelope, for everybody, in all releases."""
    return {
        "version": state.stamped_version,
        "gitCommit": "",
        "buildTime": "",
        "goVersion": "go1.26.8",
        "runMode": "Prod",
        "callTime": datetime.fromtimestamp(state.now(), timezone.utc).isoformat(),
    }


def _unknown_project(operation: Operation, code: str, *, dialect: Dialect) -> Answer:
    """Return what BCS makes of the project manager's 1405501: it asks as itself, past the check for 40404."""
    reason = f"GetProject error, code: 1405501, message: {_NO_PROJECT}, requestID: {uuid.uuid4()}"
    if not dialect.names_hold_space:
        reason = f"resp code 1405501 != 0, {_NO_PROJECT}"
    return runtime_error(f"获取项目 {code} 信息失败：{reason}", operation=operation.name)


def _no_cluster(operation: Operation, cluster_id: str, *, known: bool, dialect: Dialect) -> Answer:
    if known:
        return runtime_error(f"集群 {cluster_id} 不属于指定项目!", operation=operation.name)
    reason = "GetCluster error, code: 1405420, message: table record not found"
    if not dialect.names_hold_space:
        reason = "resp code 1405420 != 0, table record not found"
    return runtime_error(f"获取集群 {cluster_id} 信息失败：{reason}", operation=operation.name)


def _in_envelope(operation: Operation, call: Call, *, request_id: str) -> Answer:
    data: object = None
    code, message = 0, "OK"
    try:
        data = _run(operation, call)
    except Refusal as refusal:
        code, message = refusal.code, refusal.message
        if code == NO_IAM_PERMISSION and not operation.is_list:
            linked = call.state.dialect.has_apply_links
            data = {"perms": perms_of(call.project, actions=refusal.actions)} if linked else {}
    payload = {
        "code": code,
        "message": message,
        "requestID": request_id,
        "data": data,
        "webAnnotations": operation.annotate(data) if code == 0 else None,
    }
    return json_answer(payload, operation=operation.name, user=call.user)


def _check_tenant(call: Call) -> None:
    if call.state.dialect.compares_tenants and call.user and call.tenant != call.project.tenant:
        whose = f"tenant[{call.tenant}] not match resource tenant[{call.project.tenant}]"
        raise Refusal(f"user[{call.user}] {whose}")


def _run(operation: Operation, call: Call) -> object:
    reason = refuse(call.message, dialect=call.state.dialect)
    if reason is not None:
        raise Refusal(reason)
    _check_tenant(call)
    if not operation.views_project and operation.handler is not None:
        return operation.handler(call)
    if not call.user:
        # pkg/iam/perm/resource/project/context.go: this is how "nobody" shows (facts/gateway.md).
        raise Refusal("ctx validate failed: Username/ProjectID required", code=VALIDATION)
    if not may_view(call.project, user=call.user):
        raise refuse_permission((("project", VIEW),))
    if operation.handler is None:
        raise Refusal(f"{operation.name} is not emulated yet", code=UNSUPPORTED)
    return operation.handler(call)
