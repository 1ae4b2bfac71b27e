"""Kubernetes Secrets without their values. Pure: performs no I/O.

Masked are `data` and `stringData` of every Secret, also where they are misspelt and inside a List, and the
copy that kubectl leaves in the annotation `kubectl.kubernetes.io/last-applied-configuration`. A kind that is
written wrongly, or left to BCS, may be meant as a Secret, so it is masked as one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml
from bcs_template_set.secret import MASK

_PLAIN_KEYS = ("apiVersion", "kind", "metadata", "type", "immutable")
"""The fields of a Secret that hold no value; whatever else there is may be one under a misspelt name."""

_KEY = re.compile(r"[A-Za-z0-9._-]+")
"""What Kubernetes takes for a key of a Secret."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
BEFORE, AFTER = f"{MASK} (before)", f"{MASK} (after)"


_MENTION = re.compile(r"""\bSecret(?:List)?\b|(?i:\bkind['"]?\s*:\s*(?:['"]?secret|\{\{))""")
"""What tells that a text that is no YAML was meant to hold a Secret."""


def holds_secret(document: Document) -> bool:
    """Tell whether a document is a Secret or a List that may hold one."""
    return _is_secret(document.kind) or _is_secret_list(document.kind) or document.kind.endswith("List")


def may_hold_secret(text: str) -> bool:
    """Tell whether a text, YAML or not, may hold a Secret: then no line of it is shown."""
    return _MENTION.search(text) is not None


def _is_secret(kind: YamlValue) -> bool:
    return isinstance(kind, str) and (kind.strip().lower() == "secret" or "{{" in kind)


def _is_secret_list(kind: YamlValue) -> bool:
    return isinstance(kind, str) and kind.strip().lower() == "secretlist"


def secret_values(value: YamlValue, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the values of every Secret in an object, those of `data` also as what they encode."""
    if isinstance(value, list):
        for item in value:
            yield from secret_values(item, is_secret=is_secret)
    elif isinstance(value, dict):
        kind = value.get("kind")
        inside = _is_secret(kind) or (is_secret and kind is None)
        for key, item in value.items():
            if inside and key not in _PLAIN_KEYS:
                yield from _texts_in(item)
            else:
                yield from secret_values(item, is_secret=key == "items" and _is_secret_list(kind))


def _texts_in(value: YamlValue) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str):
            yield text
            try:
                yield base64.b64decode(text, validate=True).decode("utf-8")
            except (binascii.Error, ValueError):
                continue


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


def _masked(value: YamlValue, *, other: YamlValue, mark: str, is_secret: bool = False) -> YamlValue:
    """Return a copy whose Secret values are masked, with `mark` where `other` has another value or none.

    `is_secret`: an object without a kind is a Secret here, as kubectl takes the items of a SecretList.
    """
    if isinstance(value, list):
        others: Sequence[YamlValue] = other if isinstance(other, list) else ()
        return [
            _masked(
                item, other=others[index] if index < len(others) else None, mark=mark, is_secret=is_secret
            )
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    rival: Mapping[str, YamlValue] = other if isinstance(other, dict) else {}
    kind = value.get("kind")
    if _is_secret(kind) or (is_secret and kind is None):
        return {key: _masked_entry(key, item, other=rival.get(key), mark=mark) for key, item in value.items()}
    of_secrets = _is_secret_list(kind)
    return {
        key: _masked(item, other=rival.get(key), mark=mark, is_secret=of_secrets and key == "items")
        for key, item in value.items()
    }


def _masked_entry(key: str, value: YamlValue, *, other: YamlValue, mark: str) -> YamlValue:
    if key == "metadata" and isinstance(value, dict):
        return _masked_metadata(value)
    if key in _PLAIN_KEYS:
        return _masked(value, other=other, mark=mark)
    if not isinstance(value, dict):
        return MASK if value == other else mark
    rival = other if isinstance(other, dict) else {}
    return {
        _masked_name(name, content): MASK if name in rival and rival[name] == content else mark
        for name, content in value.items()
    }


def _masked_name(name: str, content: YamlValue) -> str:
    """Return the name of a value; masked where a colon is missing, for then the value is part of the name."""
    return name if content is not None and _KEY.fullmatch(name) else MASK


def _masked_metadata(metadata: Mapping[str, YamlValue]) -> YamlValue:
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict) or _LAST_APPLIED not in annotations:
        return dict(metadata)
    return {**metadata, "annotations": {**annotations, _LAST_APPLIED: MASK}}
