"""Which documents the API server can't decode into their kind, and how it says so. Performs no I/O.

A release up to 1.22 reads with json-iterator, a later one as encoding/json does: their sentences differ, what
they refuse is the same (1.20.2 seen live, contract/recorded).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from tests.emulator.cluster.tree import Manifest, branch, find, items, text

ENCODING_JSON_SINCE = 23
_TEXT, _WHOLE = "string", "int32"
_MAPS_OF_TEXT: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (("metadata", "labels"), ("metadata", "annotations"), ("spec", "template", "metadata", "labels")),
    "ConfigMap": (("data",),),
    "Secret": (("stringData",),),
}


@dataclass(frozen=True)
class Mistyped:
    """A value of the wrong type, where it stands, and the type that is wanted."""

    value: object
    path: tuple[str, ...]
    wanted: str

    def explain(self, *, minor: int) -> str:
        """Return the API server's sentence."""
        if isinstance(self.value, float) and math.isinf(self.value):
            return f"json: unsupported value: {'+' if self.value > 0 else '-'}Inf"
        return self._old_words() if minor < ENCODING_JSON_SINCE else self._new_words()

    def _old_words(self) -> str:
        field = self.path[-1][:1].upper() + self.path[-1][1:]
        shown = json.dumps(self.value, ensure_ascii=False)
        if self.wanted == _TEXT:
            return f'v1.{field}: ReadString: expects " or n, but found {shown[:1]}, error found in …'
        return f"v1.{field}: readUint32: unexpected character: \ufffd, error found in …"

    def _new_words(self) -> str:
        return (
            f"json: cannot unmarshal {_kind_of(self.value)} into Go struct field "
            f"{_struct_of(self.path)}.{'.'.join(self.path)} of type {self.wanted}"
        )


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "string"


def _struct_of(path: tuple[str, ...]) -> str:
    if path[0] in ("data", "stringData"):
        return "ConfigMap" if path[0] == "data" else "Secret"
    return {"env": "EnvVar", "replicas": "DeploymentSpec"}.get(
        path[-2 if path[-1] == "value" else -1], "ObjectMeta"
    )


def find_mistyped(manifest: Manifest) -> Optional[Mistyped]:
    """Return the first value that does not decode, None where all do. A null is what is not there."""
    return next(_mistyped(manifest), None)


def _mistyped(manifest: Manifest) -> Iterator[Mistyped]:
    for path in _MAPS_OF_TEXT[""] + _MAPS_OF_TEXT.get(text(manifest, "kind"), ()):
        for value in branch(manifest, *path).values():
            if not isinstance(value, str) and value is not None:
                yield Mistyped(value, path, _TEXT)
    for container in items(manifest, "spec", "template", "spec", "containers"):
        for entry in items(container, "env"):
            if not isinstance(entry.get("value", ""), str):
                yield Mistyped(
                    entry["value"], ("spec", "template", "spec", "containers", "env", "value"), _TEXT
                )
    replicas = find(manifest, "spec", "replicas")
    if replicas is not None and (isinstance(replicas, bool) or not isinstance(replicas, int)):
        yield Mistyped(replicas, ("spec", "replicas"), _WHOLE)
