"""Reading and writing Kubernetes objects, which are trees of JSON. Performs no I/O."""

from __future__ import annotations

import marshal
from datetime import datetime, timezone
from typing import TypeVar, cast

Manifest = dict[str, object]
"""A Kubernetes object, or a part of one, as JSON decodes it."""


_Tree = TypeVar("_Tree")


def copied(tree: _Tree) -> _Tree:
    """Return a copy of a tree of JSON, in a twentieth of the time of `copy.deepcopy`."""
    return cast("_Tree", marshal.loads(marshal.dumps(tree, 2)))  # type: ignore[arg-type] # noqa: S302 - as above


def find(tree: object, *path: str) -> object:
    """Return what is at the path, None where something on the way is missing."""
    for part in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(part)
    return tree


# Each walks by itself: they are asked a hundred times for each request, and a call more would be felt.


def branch(tree: object, *path: str) -> Manifest:
    """Return the mapping at the path, an empty one where there is none."""
    for part in path:
        if not isinstance(tree, dict):
            return {}
        tree = tree.get(part)
    return tree if isinstance(tree, dict) else {}


def text(tree: object, *path: str) -> str:
    """Return the string at the path, an empty one where there is none."""
    for part in path:
        if not isinstance(tree, dict):
            return ""
        tree = tree.get(part)
    return tree if isinstance(tree, str) else ""


def number(tree: object, *path: str, default: int = 0) -> int:
    """Return the whole number at the path, the default where there is none."""
    for part in path:
        if not isinstance(tree, dict):
            return default
        tree = tree.get(part)
    return tree if isinstance(tree, int) and not isinstance(tree, bool) else default


def items(tree: object, *path: str) -> list[Manifest]:
    """Return the mappings in the list at the path, none where there is no list."""
    found = find(tree, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def grow(tree: Manifest, *path: str) -> Manifest:
    """Return the mapping at the path, made where it is missing."""
    for part in path:
        below = tree.get(part)
        if not isinstance(below, dict):
            below = {}
            tree[part] = below
        tree = below
    return tree


def timestamp(seconds: float) -> str:
    """Return the moment as Kubernetes writes it."""
    return datetime.fromtimestamp(int(seconds), tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def without_zeros(tree: Manifest) -> Manifest:
    """Return the mapping without zeros and None: Go's `omitempty` leaves such fields of a status out."""
    return {key: value for key, value in tree.items() if value is not None and value != 0}
