"""A namespace and versions of files in memory, which answer calls without an emulator."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Optional, TypeVar, Union, cast

from tests.support.objects import Object
from tests.support.pieces import FakeClock

from bcs_template_set.bcs.calls import JsonValue, Read, Write
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, UPDATOR
from bcs_template_set.manifests.fields import mapping_at, text_at
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.clock import Deadline

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
SPACE = "front-ends"

End = Union[str, StepError, None]
"""What a deployment ends with: what BCS says in `data.error`, or an error; None for success."""

_CUT_FROM_LISTS = ("generation", "observedGeneration", "replicas")
CUT = ("securityContext", "schedulerName")
_GROUPS = {"ConfigMap": "v1", "Service": "v1", "Pod": "v1"}


def body(kind: str, name: str = "web", **fields: JsonValue) -> Object:
    """Return an object as a manifest has it; what is no field of a ConfigMap is its `spec`."""
    metadata: Object = {"name": name}
    known = fields if kind == "ConfigMap" else {"spec": dict(fields)}
    return cast(
        "Object", {"apiVersion": _GROUPS.get(kind, "apps/v1"), "kind": kind, "metadata": metadata, **known}
    )


def title_of(item: Mapping[str, object]) -> str:
    return f"{item['kind']}/{mapping_at(cast('Object', item), 'metadata')['name']}"


def id_of(name: str, version: str) -> str:
    return hashlib.sha256(f"{name}@{version}".encode()).hexdigest()[:24]


def marked(item: Object, file: str, version: str, *, space: str = SPACE, by: str = "lisi") -> Object:
    """Return an object as BCS applies it."""
    marks: Object = {TEMPLATE_NAME: f"{space}/{file}", TEMPLATE_VERSION: version, UPDATOR: by}
    metadata = mapping_at(item, "metadata")
    return {**item, "metadata": {**metadata, "annotations": {**mapping_at(metadata, "annotations"), **marks}}}


class SmallNamespace:
    """Holds versions by id and live objects by `Kind/name`; answers as BCS does, and notes the calls.

    `ends` says how deployments end, one after the other: how many of their objects are applied, and with
    what. `hidden` are objects that previews show as not there, `unlisted` those that they leave out. What is
    in `before`, by a call's name, is done before its answer, and may raise. `refusal` is what a dry run says;
    one that names a `broken` version fails, and a
    deployment of one in `broken_calls`. `rows` are the folder's files, `by` the versions' descriptions,
    `notes` what stands beside live objects.
    """

    most_at_once = 1

    def __init__(self) -> None:
        self.site = Site()
        self.clock = FakeClock()
        self.versions: dict[str, tuple[FileVersion, list[Object]]] = {}
        self.live: dict[str, Object] = {}
        self.ends: list[tuple[int, End]] = []
        self.takes = 0.0
        self.refusal = ""
        self.broken: dict[str, Union[Exception, str]] = {}
        self.broken_calls: dict[str, Exception] = {}
        self.longest: list[float] = []
        self.asked: list[list[str]] = []
        self.values: dict[str, str] = {}
        self.rows: list[dict[str, JsonValue]] = []
        self.by: dict[str, str] = {}
        self.notes: dict[str, JsonValue] = {}
        self.hidden: Collection[str] = ()
        self.unlisted: Collection[str] = ()
        self.variables: dict[str, str] = {}
        self.before: dict[str, Callable[[], object]] = defaultdict(lambda: lambda: None)
        self.on_read: Callable[[str, str], object] = lambda _name, _last: None
        self.calls: list[str] = []
        self.times: list[tuple[str, float]] = []
        self.sent: list[tuple[list[str], dict[str, str]]] = []
        self._lock = threading.Lock()

    def holds(self, name: str, version: str, *items: Object) -> FileVersion:
        """Keep a version of a file; return it."""
        titles = tuple(title_of(item) for item in items)
        file = FileVersion(name, id_of(name, version), version, objects=titles)
        self.versions[file.version_id] = file, [marked(item, name, version) for item in items]
        return file

    def lists(self, current: FileVersion, *, deployed: str = "") -> None:
        """Have a file in the folder, which points at a version."""
        name = current.name
        row: dict[str, JsonValue] = {"id": name, "name": name, "latestDeployVersion": deployed}
        self.rows.append(
            {**row, "version": current.version, "versionID": current.version_id, "versionMode": 0}
        )

    def has(self, file: FileVersion) -> None:
        """Have the objects of a version live."""
        self.live.update({title_of(item): item for item in self.versions[file.version_id][1]})

    def deploying(
        self, variables: Optional[Mapping[str, str]] = None, *, seconds: Optional[float] = None
    ) -> Deploying:
        deadline = Deadline(self.clock, seconds=seconds)
        return Deploying(PLACE, SPACE, variables or {}, self.clock, deadline, at_once=1)

    def count(self, name: str) -> int:
        return self.calls.count(name)

    def read(self, call: Read[T]) -> T:
        with self._lock:
            self.calls.append(call.name)
            self.times.append((call.name, self.clock.time - 1000))
            self.longest += [call.longest_again] if call.name == "preview" else []
        self.before[call.name]()
        self.on_read(call.name, call.segments[-1])
        return call.parse(self._answer(call.name, call.segments, call.body or {}))

    def write(self, call: Write[T]) -> T:
        self.calls.append(call.name)
        self.before[call.name]()
        given = call.body or {}
        ids = cast("list[str]", given["templateVersions"])
        self.sent.append((self._told(ids), cast("dict[str, str]", given["variables"])))
        for problem in [self.broken_calls[id_] for id_ in ids if id_ in self.broken_calls]:
            raise problem
        items = [item for id_ in ids for item in self.versions[id_][1]]
        count, end = self.ends.pop(0) if self.ends else (len(items), None)
        self.live.update({title_of(item): item for item in items[:count]})
        self.clock.time += self.takes
        if isinstance(end, StepError):
            raise end
        return call.parse({"error": end or ""})

    def seen_as(self, item: Optional[Object]) -> Optional[Object]:
        """Return a live object as a preview shows it: without what BCS cuts (facts/bcs.md, trap 13)."""
        template = mapping_at(item, "spec", "template")
        if item is None or not template:
            return item
        pods = {k: v for k, v in mapping_at(template, "spec").items() if k not in CUT}
        return {**item, "spec": {**mapping_at(item, "spec"), "template": {**template, "spec": pods}}}

    def _answer(self, name: str, path: tuple[str, ...], given: Mapping[str, JsonValue]) -> JsonValue:
        if name in ("preview", "list variables"):
            return self._dry_run(name, given)
        if name == "find version":
            id_ = id_of(str(given["templateName"]), str(given["version"]))
            return self._version(id_) if id_ in self.versions else {}
        folder: dict[str, Callable[[], JsonValue]] = {
            "list spaces": lambda: [{"id": "5" * 24, "name": SPACE, "fav": False, "tags": []}],
            "list files": lambda: [*self.rows],
            "get version": lambda: self._version(path[-1]),
        }
        return folder[name]() if name in folder else {"manifest": self._live(name, path[-1]), **self.notes}

    def _live(self, name: str, last: str) -> JsonValue:
        verb, _, kind = name.replace("list pods", "list Pod").partition(" ")
        if verb == "list":
            return {"items": [self._row(item) for item in self.live.values() if item["kind"] == kind]}
        if f"{kind}/{last}" not in self.live:
            raise BcsFailed(bcs_code=1, message="not found")
        return cast("JsonValue", self.live[f"{kind}/{last}"])

    def _row(self, item: Object) -> JsonValue:
        """Return an entry of a list: with a uid, and cut down (facts/bcs.md, trap 12)."""
        kept, status = (
            {key: value for key, value in mapping_at(item, field).items() if key not in _CUT_FROM_LISTS}
            for field in ("metadata", "status")
        )
        named: Object = {"uid": f"uid-{kept['name']}", **kept}
        return cast("JsonValue", {**item, "metadata": named, **({"status": status} if status else {})})

    def _dry_run(self, name: str, given: Mapping[str, JsonValue]) -> JsonValue:
        ids = cast("list[str]", given["templateVersions"])
        if name == "preview":
            self.asked.append(self._told(ids))
            self.values = cast("dict[str, str]", given["variables"])
        for problem in [self.broken[id_] for id_ in ids if id_ in self.broken]:
            if isinstance(problem, Exception):
                raise problem
            return {"error": problem}
        if name == "list variables":
            return {"vars": [{"key": key, "value": value} for key, value in self.variables.items()]}
        return {"items": [item for id_ in ids for item in self._preview(id_)], "error": self.refusal}

    def _told(self, ids: Sequence[str]) -> list[str]:
        """Return `name@version` for ids."""
        return [f"{file.name}@{file.version}" for file, _ in (self.versions[id_] for id_ in ids)]

    def _version(self, version_id: str) -> JsonValue:
        file, items = self.versions[version_id]
        content = "---\n".join(json.dumps(item) + "\n" for item in items)
        told = self.by.get(version_id, "")
        return {"id": version_id, "version": file.version, "content": content, "description": told}

    def _preview(self, version_id: str) -> list[JsonValue]:
        shown: list[JsonValue] = []
        for item in self.versions[version_id][1]:
            title = title_of(item)
            live = None if title in self.hidden else self.seen_as(self.live.get(title))
            if title not in self.unlisted:
                shown.append(
                    {
                        "kind": text_at(item, "kind"),
                        "name": text_at(item, "metadata", "name"),
                        "content": json.dumps(item),
                        "previousContent": "" if live is None else json.dumps(live),
                    }
                )
        return shown
