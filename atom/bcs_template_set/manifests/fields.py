"""Ways into a parsed object that never fail: what is missing or of another kind is empty. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Generic, TypeVar

from bcs_template_set.manifests.yaml_reading import YamlValue

Fields = Mapping[str, YamlValue]
Noted = TypeVar("Noted")
_NOTHING: Fields = {}


def value_at(value: YamlValue | Fields, keys: Iterable[str]) -> YamlValue | Fields:
    """Return what is under a path of keys, or None."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def mapping_at(value: YamlValue | Fields, *keys: str) -> Fields:
    """Return the mapping under a path of keys, or an empty one."""
    for key in keys:  # as value_at: a call less, where checks look at every object
        if not isinstance(value, dict):
            return _NOTHING
        value = value.get(key)
    return value if isinstance(value, dict) else _NOTHING


def list_at(value: YamlValue | Fields, *keys: str) -> Sequence[YamlValue]:
    """Return the list under a path of keys, or an empty one."""
    for key in keys:
        if not isinstance(value, dict):
            return ()
        value = value.get(key)
    return value if isinstance(value, list) else ()


def text_at(value: YamlValue | Fields, *keys: str) -> str:
    """Return the text under a path of keys, or ""."""
    for key in keys:
        if not isinstance(value, dict):
            return ""
        value = value.get(key)
    return value if isinstance(value, str) else ""


def texts_of(value: YamlValue | Fields) -> dict[str, str]:
    """Return the entries of a mapping whose values are text."""
    return {key: item for key, item in mapping_at(value).items() if isinstance(item, str)}


def is_same(one: YamlValue | Fields, other: YamlValue | Fields) -> bool:
    """Tell whether two values are the same and of one type: to Python 1, 1.0 and true are equal."""
    return one == other and canonical(one) == canonical(other)


def canonical(value: YamlValue | Fields) -> str:
    """Return a value as one text, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def objects_at(value: Fields, path: str, *, where: str = "") -> Sequence[tuple[str, Fields]]:
    """Return the mappings under a path such as `volumes[].secret`, each with where it is."""
    found = [(where, value)]
    for name, is_list in _steps(path):
        above, found = found, []
        for around, mapping in above:
            below = mapping.get(name)
            place = f"{around}.{name}" if around else name
            if not is_list and isinstance(below, dict):
                found.append((place, below))
            elif is_list and isinstance(below, list):
                found += ((f"{place}[{index}]", mapping_at(item)) for index, item in enumerate(below))
    return found


class _Place(Generic[Noted]):
    """What is noted of a path, and by key the longer ones: through a mapping, and through a list's items."""

    __slots__ = ("below", "notes")

    def __init__(self) -> None:
        self.notes: list[Noted] = []
        self.below: dict[str, tuple[_Place[Noted], _Place[Noted]]] = {}


class Paths(Generic[Noted]):
    """What is noted of paths such as `volumes[].secret`: all of them are followed in one walk."""

    def __init__(self, noted: Iterable[tuple[str, Noted]] = ()) -> None:
        self._root: _Place[Noted] = _Place()
        for path, note in noted:
            place = self._root
            for key, is_list in _steps(path):
                place = place.below.setdefault(key, (_Place(), _Place()))[is_list]
            place.notes.append(note)

    def found_in(self, value: Fields, where: str = "") -> list[tuple[str, Fields, Sequence[Noted]]]:
        """Return the mappings at these paths, each with where it is and what is noted of its path."""
        found: list[tuple[str, Fields, Sequence[Noted]]] = []
        _follow(self._root, value, where, found)
        return found


def _follow(
    place: _Place[Noted], value: Fields, where: str, found: list[tuple[str, Fields, Sequence[Noted]]]
) -> None:
    if place.notes:
        found.append((where, value, place.notes))
    for key, below in value.items():  # of which there are fewer than keys of paths
        if key not in place.below:
            continue
        of_mapping, of_items = place.below[key]
        at = f"{where}.{key}" if where else key
        if isinstance(below, dict):
            _follow(of_mapping, below, at, found)
        elif isinstance(below, list):
            for index, item in enumerate(below):
                _follow(of_items, mapping_at(item), f"{at}[{index}]", found)


@cache
def _steps(path: str) -> Sequence[tuple[str, bool]]:
    """Return the keys of a path, each with whether a list is under it; the paths are those of our tables."""
    return [(key.removesuffix("[]"), key.endswith("[]")) for key in path.split(".")] if path else ()


def is_left_for_bcs(value: object) -> bool:
    """Tell whether a value is known only when BCS has put its variables in."""
    return isinstance(value, str) and "{{" in value
