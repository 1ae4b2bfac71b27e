"""`bcs-template-set schema`: the JSON Schema of a built-in template's values, in the desk's language."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pkgutil import get_data
from typing import Union, cast

from bcs_template_set.messages import Language
from bcs_template_set.system.stdout import put

Node = Union[str, "dict[str, Node]"]
"""What of a schema is looked at; lists and numbers are passed over."""


def show_schema(name: str, *, language: Language) -> int:
    """Print the schema; return 0."""
    put(sys.stdout, json.dumps(schema_of(name, language), indent=2, ensure_ascii=False) + "\n")
    return 0


def schema_of(name: str, language: Language) -> dict[str, Node]:
    """Return the schema; its texts are written in English, and those of other languages lie beside it."""
    folder = name.partition(":")[2]
    schema: dict[str, Node] = json.loads(_file(f"{folder}/values.schema.json"))
    if language == "zh_CN":
        texts: Mapping[str, Mapping[str, str]] = json.loads(_file(f"{folder}/values.zh-CN.json"))
        for pointer, words in texts.items():
            _node_at(schema, pointer).update(words)
    return schema


def _file(name: str) -> bytes:
    return get_data("bcs_template_set.templates", name) or b""


def _node_at(schema: dict[str, Node], pointer: str) -> dict[str, Node]:
    node = schema
    for name in [part for part in pointer.split("/") if part]:
        node = cast("dict[str, Node]", node[name])
    return node
