"""Values files and the input `values` -> one mapping for templates. Pure: performs no I/O.

Later texts win over earlier ones, mapping by mapping; a list is replaced as a whole, never joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bcs_template_set.manifests.templating.build_context import CONTEXT_NAMES
from bcs_template_set.manifests.yaml_reading import YamlUnreadable, YamlValue, read_yaml
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import ValuesInvalid

RESERVED = (*CONTEXT_NAMES, "bcs", "live_replicas", "include_raw")
Values = Mapping[str, YamlValue]


@dataclass(frozen=True)
class ValuesText:
    """A text that holds values, and what to call it in messages: a path, or the input's name."""

    source: str
    text: str


def read_values(texts: Sequence[ValuesText]) -> dict[str, YamlValue]:
    """Return the values of all texts, later over earlier.

    Raises:
        ValuesInvalid: a detail for every text that is no YAML mapping and every reserved name.
    """
    merged: dict[str, YamlValue] = {}
    mistakes: list[Text] = []
    for given in texts:
        values = _read(given, mistakes=mistakes)
        mistakes += [
            say("render.values_reserved", source=given.source, name=name, reserved=RESERVED)
            for name in values
            if name in RESERVED
        ]
        merged = merge_values(merged, values)
    if mistakes:
        raise ValuesInvalid(details=mistakes)
    return merged


def merge_values(base: Values, over: Values) -> dict[str, YamlValue]:
    """Return `base` with `over` laid on it: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = (
            merge_values(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return merged


def _read(given: ValuesText, *, mistakes: list[Text]) -> Values:
    try:
        value = read_yaml(given.text, source=given.source)
    except YamlUnreadable as exc:
        mistakes.append(exc.as_text())
        return {}
    if value is None:
        return {}
    if not isinstance(value, dict):
        kind = say("render.kind_list") if isinstance(value, list) else say("render.kind_scalar")
        mistakes.append(say("render.values_not_mapping", source=given.source, kind=kind))
        return {}
    return value
