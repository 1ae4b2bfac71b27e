"""What BCS answers to a request, by what it holds at that moment. Performs no I/O.

An answer is a value that can be compared, made of what BCS holds (`asked`), and becomes what the product's
own parser makes of its JSON (`answered`). So two moments that look alike to a build are one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Callable, NamedTuple, Union, cast

from bcs_template_set.bcs.calls import Call, JsonValue, T
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown
from tests.model.namespace import BAD, SPACE, Document, File, Namespace, Revision, Thing, Version

PROJECT, SPACE_ID = "0" * 32, "5" * 24
CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"


class Refused(NamedTuple):
    """A refusal of BCS, in its words."""

    message: str


LOST = Refused("no answer")
"""In the place of an answer that never came."""


class FileRow(NamedTuple):
    """A file as BCS lists it: the version deployed last, by name, and the current one, by id and name."""

    id: str
    name: str
    deployed: str
    current: str
    version: str


Item = tuple[Document, Union[Thing, None]]
Answer = Union[None, Refused, tuple[object, ...], File, Version, Thing]
"""What a request is told: nothing, a refusal, or what it asked for."""

ALWAYS: Mapping[str, JsonValue] = {
    "get project": {"projectID": PROJECT, "projectCode": "web"},
    "list spaces": [{"id": SPACE_ID, "name": SPACE, "tags": [], "fav": False}],
    "list variables": {"vars": []},
    "list namespaces": {"manifest": {"items": [{"metadata": {"name": NAMESPACE}}]}},
    "list environments": [],
    "list pods": {"manifest": {"items": []}},
    "may deploy": None,
}
"""What is always answered alike."""

MOMENTS = {
    **dict.fromkeys(("list files", "list version names", "list versions"), "folder"),
    **dict.fromkeys(("get version", "find version"), "folder"),
    "get file": "row",
    "preview": "preview",
}


def moment_of(call: Call[object], *, kinds: frozenset[str]) -> str:
    """Return what a read looks at; "" where it is always answered alike.

    Reads of the same, one after the other, are read at one moment.
    """
    verb, _, what = call.name.partition(" ")
    if call.name in ALWAYS or (verb == "list" and what not in kinds and call.name not in MOMENTS):
        return ""
    return MOMENTS.get(call.name) or ("objects" if verb == "get" else "lists")


def things_in(answer: Answer) -> tuple[Thing, ...]:
    """Return the live objects that an answer shows."""
    if isinstance(answer, Thing):
        return (answer,)
    rows = answer if type(answer) is tuple else ()
    shown = (row[-1] if type(row) is tuple and row else row for row in rows)
    return tuple(thing for thing in shown if isinstance(thing, Thing))


def rows_in(call: Call[object], answer: Answer) -> tuple[FileRow, ...]:
    """Return the files that an answer shows."""
    if call.name == "list files":
        return tuple(FileRow(*cast("FileRow", row)) for row in cast("tuple[object, ...]", answer))
    is_row = call.name == "get file" and not isinstance(answer, Refused)
    return (FileRow(*cast("FileRow", answer)),) if is_row else ()


def asked(now: Namespace, call: Call[object]) -> Answer:
    """Return what BCS answers to a read."""
    ask = _ASKED.get(call.name)
    if ask is not None:
        return ask(now, call)
    verb, _, kind = call.name.partition(" ")
    if verb == "list":
        return now.revisions if kind == "ReplicaSet" else tuple(t for t in now.things if t.kind == kind)
    name = call.segments[-1]
    return now.thing(kind, name) or not_there(kind, name)


NO_VERSION = Refused("record not found")


def not_there(kind: str, name: str) -> Refused:
    """Return what Kubernetes says of an object that is not there."""
    return Refused(f'{kind.lower()}s "{name}" not found')


def _list_names(now: Namespace, _: Call[object]) -> Answer:
    return tuple((file.name, tuple((v.id, v.name, v.second) for v in file.versions)) for file in now.files)


def _get_file(now: Namespace, call: Call[object]) -> Answer:
    found = next((file for file in now.files if file.id == call.segments[-1]), None)
    return _row_of(found) if found is not None else Refused("mongo: no documents in result")


def _list_versions(now: Namespace, call: Call[object]) -> Answer:
    return next((file.versions for file in now.files if file.id == call.segments[-2]), ())


def _get_version(now: Namespace, call: Call[object]) -> Answer:
    found = now.version(call.segments[-1])
    return found[1] if found is not None else NO_VERSION


def _find_version(now: Namespace, call: Call[object]) -> Answer:
    body = call.body or {}
    file = now.file(str(body["templateName"]))
    return file.named(str(body["version"])) if file is not None else None


def _preview_of(now: Namespace, call: Call[object]) -> Answer:
    documents = now.documents(tuple(cast("list[str]", (call.body or {})["templateVersions"])))
    if documents is None:
        return NO_VERSION
    return tuple((document, now.thing(document.kind, document.name)) for document in documents)


_ASKED: Mapping[str, Callable[[Namespace, Call[object]], Answer]] = {
    "list files": lambda now, _: tuple(map(_row_of, now.files)),
    "get file": _get_file,
    "list version names": _list_names,
    "list versions": _list_versions,
    "get version": _get_version,
    "find version": _find_version,
    "preview": _preview_of,
}


def _row_of(file: File) -> FileRow:
    found = file.find(file.current)
    return FileRow(file.id, file.name, file.deployed, file.current, found.name if found is not None else "")


def answered(call: Call[T], answer: Answer) -> T:
    """Return what the product makes of an answer.

    Raises:
        StepError: what it makes of a refusal.
    """
    if call.name in ALWAYS:
        return call.parse(ALWAYS[call.name])
    if answer is LOST:
        raise OutcomeUnknown(url=call.path, problem="read timed out")
    if isinstance(answer, Refused):
        raise BcsFailed(bcs_code=1, message=answer.message)
    show = _SHOWN.get(call.name)
    if show is None:
        verb = call.name.partition(" ")[0]
        show = {"list": _list, "get": _whole}.get(verb, _nothing)
    return call.parse(show(answer))


# --- as JSON --------------------------------------------------------------------------------------------


def _nothing(_: Answer) -> JsonValue:
    return None


@cache
def _rows(answer: Answer) -> JsonValue:
    return [_row(cast("Answer", row)) for row in cast("tuple[object, ...]", answer)]


@cache
def _row(answer: Answer) -> JsonValue:
    row = FileRow(*cast("FileRow", answer))
    return {
        "id": row.id,
        "name": f"{SPACE}/{row.name}",
        "realName": row.name,
        "templateSpace": SPACE,
        "version": row.version,
        "versionID": row.current,
        "versionMode": 0,
        "isDraft": False,
        "latestDeployVersion": row.deployed,
        "resourceType": ["ConfigMap", "Deployment"],
    }


@cache
def _names(answer: Answer) -> JsonValue:
    rows = cast("tuple[tuple[str, tuple[tuple[str, str, int], ...]], ...]", answer)
    return [
        {
            "templateName": f"{SPACE}/{name}",
            "versionList": [{"versionID": a, "version": b, "createAt": c} for a, b, c in versions],
        }
        for name, versions in rows
    ]


def _versions(answer: Answer) -> JsonValue:
    return [_version(cast("Version", one)) for one in cast("tuple[object, ...]", answer)]


@cache
def _version(answer: Answer) -> JsonValue:
    if answer is None:
        return {}
    version = cast("Version", answer)
    return {
        "id": version.id,
        "version": version.name,
        "content": version.text,
        "description": version.described,
        "createAt": version.second,
        "templateSpace": SPACE,
    }


@cache
def _preview(answer: Answer) -> JsonValue:
    items = cast("tuple[Item, ...]", answer)
    return {"error": "", "items": [_item(document, thing) for document, thing in items]}


def _item(document: Document, thing: Union[Thing, None]) -> JsonValue:
    live = "" if thing is None else json.dumps(_manifest(thing, pruned=True))
    wanted = _marked(document.text, document.file, document.version)
    return {
        "kind": document.kind,
        "name": document.name,
        "content": json.dumps(wanted),
        "previousContent": live,
    }


def _marked(text: str, file: str, version: str) -> dict[str, JsonValue]:
    body = cast("dict[str, dict[str, JsonValue]]", json.loads(text))
    body["metadata"]["annotations"] = {TEMPLATE_NAME: f"{SPACE}/{file}", TEMPLATE_VERSION: version}
    body["metadata"]["namespace"] = NAMESPACE
    return cast("dict[str, JsonValue]", body)


@cache
def _manifest(thing: Thing, *, pruned: bool = False) -> JsonValue:
    body = cast("dict[str, dict[str, JsonValue]]", _marked(thing.text, thing.file, thing.version))
    if thing.going:
        body["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["example.com/slow"])
    if not pruned:
        body["metadata"].update(uid=thing.uid, generation=1)
        if thing.kind == "Deployment":
            body["status"] = _status(is_bad=f"/{BAD}:" in thing.text)
    return cast("JsonValue", body)


def _status(*, is_bad: bool) -> dict[str, JsonValue]:
    ready = 0 if is_bad else 1
    counts = {"readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": 1 - ready}
    return {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, **counts}


@cache
def _list(answer: Answer) -> JsonValue:
    rows = cast("tuple[Union[Revision, Thing], ...]", answer or ())
    newest = {one.deployment: one.number for one in rows if isinstance(one, Revision)}
    shown = [
        _replica_set(one, pods=int(newest[one.deployment] == one.number))
        if isinstance(one, Revision)
        else _manifest(one)
        for one in rows
    ]
    return {"manifest": {"items": shown}}


def _replica_set(revision: Revision, *, pods: int) -> JsonValue:
    name = f"{revision.deployment}-{revision.number}"
    marks = {TEMPLATE_NAME: f"{SPACE}/{revision.file}", TEMPLATE_VERSION: revision.version}
    number = {"deployment.kubernetes.io/revision": str(revision.number)}
    owner = {"kind": "Deployment", "name": revision.deployment, "uid": f"of-{revision.deployment}"}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "annotations": {**marks, **number},
            "ownerReferences": [cast("JsonValue", owner)],
        },
        "spec": {"template": json.loads(revision.text)["spec"]["template"]},
        "status": {"replicas": pods},
    }


@cache
def _whole(answer: Answer) -> JsonValue:
    return {"manifest": _manifest(cast("Thing", answer))}


_SHOWN: Mapping[str, Callable[[Answer], JsonValue]] = {
    "list files": _rows,
    "get file": _row,
    "list version names": _names,
    "list versions": _versions,
    "get version": _version,
    "find version": _version,
    "preview": _preview,
}
