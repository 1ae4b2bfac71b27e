"""Ways into a live object, whatever a server made of it. Pure: performs no I/O.

BCS passes live objects through a protobuf Struct, so a count may arrive as 3.0; what is missing or of
another kind reads as the zero value that the Kubernetes types give it.
"""

from __future__ import annotations

from typing import Optional

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.yaml_reading import YamlValue


def count_at(value: Fields, *keys: str, default: int = 0) -> int:
    """Return the whole number under a path of keys, or the default."""
    found = number_in(mapping_at(value, *keys[:-1]).get(keys[-1]))
    return default if found is None else found


def number_in(value: YamlValue) -> Optional[int]:
    """Return a whole number as it is meant, None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def scalar_text(value: YamlValue | Fields) -> str:
    """Return a scalar as YAML writes it, "" for what is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (str, int, float)) else ""


def condition_of(live: Fields, kind: str) -> Fields:
    """Return the condition of a type, an empty mapping where the status has none."""
    for item in list_at(live, "status", "conditions"):
        if text_at(mapping_at(item), "type") == kind:
            return mapping_at(item)
    return {}


def is_true(condition: Fields) -> bool:
    """Tell whether a condition is there and holds."""
    return condition.get("status") == "True"


def annotation_of(live: Fields, name: str) -> str:
    """Return an annotation, "" where there is none."""
    return text_at(live, "metadata", "annotations", name)


def is_observed(live: Fields) -> bool:
    """Tell whether the controller's status speaks of the spec as it is now.

    Argo's Rollout writes the generation as text, and a hash in its place before its 0.10.
    """
    generation, seen = count_at(live, "metadata", "generation"), text_at(live, "status", "observedGeneration")
    if seen:
        return not seen.isdecimal() or generation <= int(seen)
    return generation <= count_at(live, "status", "observedGeneration")


def is_going(live: Fields) -> bool:
    """Tell whether the object is being deleted."""
    return bool(mapping_at(live, "metadata").get("deletionTimestamp"))
