"""Kubernetes Secrets without their values. Pure: performs no I/O.

Masked are `data` and `stringData` of every Secret, also where they are misspelt and inside a List, and the
copy that kubectl leaves in the annotation `kubectl.kubernetes.io/last-applied-configuration`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Optional

from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml
from bcs_template_set.secret import MASK

_PLAIN_KEYS = ("apiVersion", "kind", "metadata", "type", "immutable")
"""The fields of a Secret that hold no value; whatever else there is may be one under a misspelt name."""

_KEY = re.compile(r"[A-Za-z0-9._-]+")
"""What Kubernetes takes for a key of a Secret: where a colon is missing, the value is part of it."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BEFORE, AFTER = f"{MASK} (before)", f"{MASK} (after)"


def holds_secret(document: Document) -> bool:
    """Tell whether a document is a Secret or a List that may hold one."""
    return document.kind == "Secret" or document.kind.endswith("List")


def masked_text(document: Document) -> str:
    """Return the document as YAML with every Secret value as `***`."""
    body: YamlValue = dict(document.body)
    return dump_yaml(_masked(body, other=body, mark=MASK))


def masked_pair(old: Optional[Document], new: Optional[Document]) -> tuple[str, str]:
    """Return both documents as YAML; a value that differs shows as "*** (before)" and "*** (after)"."""
    before: YamlValue = dict(old.body) if old is not None else {}
    after: YamlValue = dict(new.body) if new is not None else {}
    return (
        dump_yaml(_masked(before, other=after, mark=BEFORE)) if old is not None else "",
        dump_yaml(_masked(after, other=before, mark=AFTER)) if new is not None else "",
    )


def _masked(value: YamlValue, *, other: YamlValue, mark: str) -> YamlValue:
    """Return a copy whose Secret values are masked, with `mark` where `other` has another value or none."""
    if isinstance(value, list):
        others: Sequence[YamlValue] = other if isinstance(other, list) else ()
        return [
            _masked(item, other=others[index] if index < len(others) else None, mark=mark)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    rival: Mapping[str, YamlValue] = other if isinstance(other, dict) else {}
    if value.get("kind") == "Secret":
        return {key: _masked_entry(key, item, other=rival.get(key), mark=mark) for key, item in value.items()}
    return {key: _masked(item, other=rival.get(key), mark=mark) for key, item in value.items()}


def _masked_entry(key: str, value: YamlValue, *, other: YamlValue, mark: str) -> YamlValue:
    if key == "metadata" and isinstance(value, dict):
        return _masked_metadata(value)
    if key in _PLAIN_KEYS:
        return _masked(value, other=other, mark=mark)
    if not isinstance(value, dict):
        return MASK if value == other else mark
    rival = other if isinstance(other, dict) else {}
    return {
        name if _KEY.fullmatch(name) else MASK: MASK if name in rival and rival[name] == content else mark
        for name, content in value.items()
    }


def _masked_metadata(metadata: Mapping[str, YamlValue]) -> YamlValue:
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict) or _LAST_APPLIED not in annotations:
        return dict(metadata)
    return {**metadata, "annotations": {**annotations, _LAST_APPLIED: MASK}}
