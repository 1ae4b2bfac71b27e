"""Holds recorded exchanges to the OpenAPI file of cluster-resources, where that file is at hand.

The files, one for each of two dialects, are not part of this repository: `BCS_OPENAPI_FILE` names that of
the newest, else both are looked for beside the repository. They leave the shape of `data` open and require no
field, so they catch paths, query parameters and properties that do not exist, and types; the rest is held by
the recordings.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Optional, cast

import yaml
from tests.emulator import Dialect, Exchange
from tests.emulator.cluster_resources import Operation
from tests.emulator.emulator import OPERATIONS
from tests.support.recordings import FILES, Asked, read

Tree = Mapping[str, object]

FILE_VARIABLE = "BCS_OPENAPI_FILE"
MISSING = f"no OpenAPI file of cluster-resources: set {FILE_VARIABLE}, or put it beside the repository"
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "contract"
_FILES = {Dialect.C: "cluster-resources.openapi.yaml", Dialect.A: "cluster-resources.v1.30.openapi.yaml"}
_SERVICE = "/clusterresources/v1/projects/"
_NAMESPACE = "/clusterresources/v1/projects/{projectID}/clusters/{clusterID}/namespaces/{namespace}"
_LIKE = {f"{_NAMESPACE}/networks/ingresses": f"{_NAMESPACE}/workloads/pods"}
"""Lists that the published file has (bk-bcs docs/openapi, ListIng) and the cut left out, and one of their
form."""


def find_contract(dialect: Dialect = Dialect.C) -> Optional[Path]:
    """Return where the dialect's OpenAPI file is, None where it is not at hand, or there is none."""
    if dialect not in _FILES:
        return None
    named = os.environ.get(FILE_VARIABLE) if dialect is Dialect.C else None
    path = Path(named) if named else _BESIDE / _FILES[dialect]
    return path if path.is_file() else None


def check_exchange(exchange: Exchange) -> list[str]:
    """Return what in the exchange is against the contract; nothing for other services or without the file."""
    contract = load_contract(exchange.dialect)
    return [] if contract is None else contract.check(exchange)


@functools.lru_cache(maxsize=len(_FILES))
def load_contract(dialect: Dialect = Dialect.C) -> Optional[Contract]:
    """Return the dialect's contract, None where its file is missing."""
    path = find_contract(dialect)
    return None if path is None else Contract(yaml.load(path.read_bytes(), yaml.CSafeLoader))


READ_IN_PROTO = frozenset(
    {
        *("Storage.ListPVC", "Storage.GetPVC", "Workload.GetCJ"),
        *("Workload.DeleteDeploy", "Workload.DeleteSTS", "Workload.DeleteDS", "Workload.DeleteCJ"),
        *("Network.DeleteSVC", "Network.DeleteIng", "Config.DeleteSecret", "Storage.DeletePVC"),
        *("HPA.DeleteHPA", "Workload.DeletePo"),
    }
)
"""Calls that no recording has: in cluster-resources.proto, v1.30.4 to v1.31.0-alpha.126."""


def is_recorded(method: str, rest: str, *, dialect: Dialect) -> bool:
    """Tell whether a real server was seen to have the call; the cut of the published file has not all."""
    found = operation_at(method, rest)
    return found is not None and found.name in _recorded_names(dialect) | READ_IN_PROTO


@functools.lru_cache(maxsize=len(FILES))
def _recorded_names(dialect: Dialect) -> frozenset[str]:
    asked = [line for line in read(dialect) if isinstance(line, Asked) and line.status == 200]
    found = [operation_at(line.method, line.path.partition(_SERVICE)[2]) for line in asked]
    return frozenset(operation.name for operation in found if operation is not None)


def operation_at(method: str, rest: str) -> Optional[Operation]:
    """Return the emulator's operation at that path below the projects."""
    segments = tuple(rest.split("/")[1:])
    return next((op for op in OPERATIONS if op.method == method and op.match(segments) is not None), None)


class Contract:
    """The OpenAPI file, made strict: properties it does not declare are mistakes, unset ones may be null."""

    def __init__(self, document: Tree) -> None:
        paths = dict(_tree(document["paths"]))
        for path, like in _LIKE.items():
            paths.setdefault(path, paths[like])
        self._operations: dict[tuple[str, int], list[tuple[list[str], Tree]]] = {}
        for path in sorted(paths, key=lambda path: path.count("{")):  # the one that says most comes first
            parts = path.split("/")
            for method, operation in _tree(paths[path]).items():
                known = self._operations.setdefault((method.upper(), len(parts)), [])
                known.append((parts, _tree(operation)))
        self._schemas = _tree(_tree(document["components"])["schemas"])

    def check(self, exchange: Exchange) -> list[str]:
        """Return every breach of one exchange, each naming the request."""
        _, found, rest = exchange.path.partition(_SERVICE)
        if not found or _refused_in_front(exchange):
            return []
        where = f"{exchange.method} {exchange.path}"
        operation = self._find(exchange.method, _SERVICE + rest)
        if operation is None and is_recorded(exchange.method, rest, dialect=exchange.dialect):
            return []
        if operation is None and _asks_for_dialect(exchange):
            return []
        if operation is None:
            return [f"{where}: the contract has no such operation"]
        problems = self._check_query(operation, exchange) + self._check_body(operation, exchange)
        if exchange.handled:
            problems += self._check_answer(operation, exchange)
        return [f"{where}: {problem}" for problem in problems]

    def _find(self, method: str, path: str) -> Optional[Tree]:
        segments = path.split("/")
        known = self._operations.get((method, len(segments)), ())
        return next((operation for parts, operation in known if _fits(parts, segments)), None)

    def _check_query(self, operation: Tree, exchange: Exchange) -> list[str]:
        parameters = [_tree(parameter) for parameter in _list(operation.get("parameters"))]
        declared = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
        return [f"undeclared query parameter {name}" for name, _ in exchange.query if name not in declared]

    def _check_body(self, operation: Tree, exchange: Exchange) -> list[str]:
        body = operation.get("requestBody")
        if body is None:
            return ["a body is sent where none is declared"] if exchange.request.body else []
        return self._breaches("request", _tree(body), exchange.request.body)

    def _check_answer(self, operation: Tree, exchange: Exchange) -> list[str]:
        responses = _tree(operation["responses"])
        response = responses.get(str(exchange.answered), responses["default"])
        return self._breaches("answer", _tree(response), exchange.answer_body)

    def _breaches(self, what: str, holder: Tree, body: bytes) -> list[str]:
        try:
            payload = json.loads(body or b"null")
        except ValueError as exc:
            return [f"{what} is not JSON: {exc}"]
        content = _tree(_tree(_with_schema(holder)["content"])["application/json"])
        return [f"{what} {problem}" for problem in self._problems(_tree(content["schema"]), payload)]

    def _problems(self, schema: Tree, value: object, place: str = "") -> Iterator[str]:
        """Yield what of a value is against its schema, as far as these files say anything.

        They say kinds, properties, items and enumerations. jsonschema knows more and takes ten times as long.
        """
        if "$ref" in schema:
            schema = _tree(self._schemas[str(schema["$ref"]).rpartition("/")[2]])
        assert schema.keys() <= _KNOWN, schema.keys() - _KNOWN
        kind = schema.get("type")
        if value is None and kind in ("object", "array") and "properties" not in schema:
            return
        is_flag = isinstance(value, bool)
        if kind is not None and (is_flag != (kind == "boolean") or not isinstance(value, _KINDS[str(kind)])):
            yield f"{place[:-1]}: {value!r} is not of type {kind}"
        elif value not in _list(schema.get("enum", [value])):
            yield f"{place[:-1]}: {value!r} is not one of {schema['enum']}"
        elif isinstance(value, list):
            of_items = _tree(schema.get("items", {}))
            for number, item in enumerate(value) if of_items else ():
                yield from self._problems(of_items, item, f"{place}{number}/")
        elif isinstance(value, dict):
            declared = _tree(schema.get("properties", {}))
            others = schema.get("additionalProperties", None if declared else {})
            for name, item in value.items() if declared or others != {} else ():
                of_item = declared.get(name, others)
                if of_item is None:
                    yield f"{place[:-1]}: {name!r} was unexpected"
                else:
                    yield from self._problems(_tree(of_item), item, f"{place}{name}/")


_KINDS: Mapping[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_KNOWN = {
    *("type", "title", "description", "format", "default", "enum"),
    *("properties", "additionalProperties", "items"),
}


def _with_schema(holder: Tree) -> Tree:
    """Return the body with its schema. The cut file refers to bodies it lost: their schemas are there."""
    reference = holder.get("$ref")
    if reference is None:
        return holder
    schema = {"$ref": str(reference).replace("/requestBodies/", "/schemas/")}
    return {"content": {"application/json": {"schema": schema}}}


_IN_SOME_DIALECTS = re.compile(r"GET .*/template/metadatas|GET .*/metadata/versions")
"""What is asked of every BCS, and not there in some: the answer tells the dialects apart (facts/bcs.md)."""


def _asks_for_dialect(exchange: Exchange) -> bool:
    asked = f"{exchange.method} {exchange.path}"
    return _IN_SOME_DIALECTS.fullmatch(asked) is not None


def _refused_in_front(exchange: Exchange) -> bool:
    """Tell whether the gateway, or a fault, answered in place of the service."""
    return exchange.handled and not exchange.operation


def _fits(parts: Sequence[str], segments: Sequence[str]) -> bool:
    for part, segment in zip(parts, segments):
        if part != segment and not (part[:1] == "{" and segment):
            return False
    return True


def _tree(node: object) -> Tree:
    assert isinstance(node, dict), node
    return cast("Tree", node)


def _list(node: object) -> list[object]:
    return node if isinstance(node, list) else []
