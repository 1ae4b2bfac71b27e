"""Kubernetes Secrets without their values. Pure: performs no I/O.

A Secret is one at any depth: in a List, a Template, a ManifestWork, a component of KubeVela, and as a text
within any of them, such as the copy that kubectl leaves in an annotation. Of it kind, name, namespace and
keys are shown, whatever else it has: a value may be misspelt, or lie in an annotation. A kind that is written
wrongly, or left to BCS, may be meant as a Secret, so it is masked as one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Optional

from bcs_template_set.manifests.fields import is_same
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml
from bcs_template_set.messages.secret import MASK

_PLAIN_METADATA = ("name", "generateName", "namespace")
_TYPE = re.compile(r"Opaque|(?:[a-z]+\.)?kubernetes\.io/[a-z.-]+|helm\.sh/[a-z0-9./-]+")
"""The types of Secrets that Kubernetes and Helm know; whatever else stands there may be a value."""

_OF_A_REFERENCE = frozenset(
    {
        *("apiVersion", "fieldPath", "group", "key", "kind", "name", "namespace", "optional"),
        *("resourceVersion", "targetPath", "uid", "valuesKey"),
    }
)
"""The keys of what names a Secret and is none: `certificateRefs: [{kind: Secret, name: tls}]`."""

_KEY = re.compile(r"[A-Za-z0-9._-]+")
"""What Kubernetes takes for a key of a Secret."""

_ANNOTATION = re.compile(r"[A-Za-z0-9._/-]+")
_WORD = re.compile(r"secret(?<!\wsecret)(?:list)?\b")
"""What a text in lower case has that holds a Secret; it begins with letters, which are looked for fast."""
BEFORE, AFTER = f"{MASK} (before)", f"{MASK} (after)"


_MENTION = re.compile(r"""\bSecret(?:List)?\b|(?i:\bkind['"]?\s*:\s*(?:['"]?secret|\{\{))""")
"""What tells that a text that is no YAML was meant to hold a Secret."""

_EMBEDDED = re.compile(r"""(?i)\bkind\\?['"]?\s*:\s*\\?['"]?secret(?:list)?\b""")
"""What tells that a text within an object holds a Secret."""


def holds_secret(document: Document) -> bool:
    """Tell whether a document is a Secret, or holds one at any depth."""
    if document.kind.endswith("List") or _is_secret(document.body, is_whole=True):
        return True
    waiting = [*document.body.values()]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if _is_secret(value):
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif _has_embedded(value):
            return True
    return False


def holding_secrets(text: str, documents: Iterable[Document]) -> list[bool]:
    """Tell of each document that was read from a text whether it holds a Secret."""
    # The word stands in the text, unless it is written with a backslash or BCS puts it there.
    is_plain = text.isascii() and "\\" not in text and "{{" not in text
    if is_plain and _WORD.search(text.lower()) is None:
        return [document.kind.endswith("List") for document in documents]
    return [holds_secret(document) for document in documents]


def may_hold_secret(text: str) -> bool:
    """Tell whether a text, YAML or not, may hold a Secret: then no line of it is shown."""
    return _MENTION.search(text) is not None


def _is_secret(value: Mapping[str, YamlValue], *, is_whole: bool = False, in_list: bool = False) -> bool:
    """Tell whether an object is a Secret; `in_list`: as kubectl takes the items of a SecretList."""
    kind = value.get("kind")
    if kind is None:
        return in_list
    if not isinstance(kind, str) or not (kind.strip().lower() == "secret" or "{{" in kind):
        return False
    return is_whole or in_list or not _is_reference(value)


def _is_reference(value: Mapping[str, YamlValue]) -> bool:
    return "name" in value and value.keys() <= _OF_A_REFERENCE


def _is_secret_list(value: Mapping[str, YamlValue]) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.strip().lower() == "secretlist"


def _has_embedded(value: YamlValue) -> bool:
    return isinstance(value, str) and ":" in value and _EMBEDDED.search(value) is not None


def secret_values(value: YamlValue, *, is_whole: bool = True, in_list: bool = False) -> Iterator[str]:
    """Yield the values of every Secret in an object, those of `data` also as what they encode.

    That may stand over several lines: Kubernetes, which decodes as Go does, passes over line ends.
    """
    if isinstance(value, list):
        for item in value:
            yield from secret_values(item, is_whole=False, in_list=in_list)
    elif isinstance(value, dict):
        if _is_secret(value, is_whole=is_whole, in_list=in_list):
            yield from _values_of(value)
            return
        of_secrets = _is_secret_list(value)
        for key, item in value.items():
            yield from secret_values(item, is_whole=False, in_list=of_secrets and key == "items")
    elif _has_embedded(value):
        for document in parse_foreign(str(value)) or ():
            yield from secret_values(dict(document.body))


def _values_of(secret: Mapping[str, YamlValue]) -> Iterator[str]:
    for key, item in secret.items():
        if key == "metadata" and isinstance(item, dict):
            yield from secret_values(item.get("annotations"))
            yield from _texts_in(item.get("annotations"))
        elif not _is_plain(key, item):
            yield from _texts_in(item)


def _texts_in(value: YamlValue) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, (dict, list)):
            yield from _texts_in(text)
        if isinstance(text, str):
            yield text
            with suppress(ValueError):
                yield base64.b64decode("".join(text.splitlines()), validate=True).decode("utf-8")


def masked_text(document: Document) -> str:
    """Return the document as YAML with every Secret value as `***`."""
    body: YamlValue = dict(document.body)
    return dump_yaml(_masked(body, other=body, mark=MASK, is_whole=True))


def masked_pair(old: Optional[Document], new: Optional[Document]) -> tuple[str, str]:
    """Return both documents as YAML; a value that differs shows as "*** (before)" and "*** (after)"."""
    before: YamlValue = dict(old.body) if old is not None else {}
    after: YamlValue = dict(new.body) if new is not None else {}
    return (
        dump_yaml(_masked(before, other=after, mark=BEFORE, is_whole=True)) if old is not None else "",
        dump_yaml(_masked(after, other=before, mark=AFTER, is_whole=True)) if new is not None else "",
    )


def _masked(
    value: YamlValue, *, other: YamlValue, mark: str, is_whole: bool = False, in_list: bool = False
) -> YamlValue:
    """Return a copy whose Secret values are masked, with `mark` where `other` has another value or none."""
    if isinstance(value, list):
        others: Sequence[YamlValue] = other if isinstance(other, list) else ()
        return [
            _masked(item, other=others[index] if index < len(others) else None, mark=mark, in_list=in_list)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return _mask(is_same(value, other), mark) if _has_embedded(value) else value
    rival: Mapping[str, YamlValue] = other if isinstance(other, dict) else {}
    if _is_secret(value, is_whole=is_whole, in_list=in_list):
        return {key: _masked_entry(key, item, other=rival.get(key), mark=mark) for key, item in value.items()}
    of_secrets = _is_secret_list(value)
    return {
        key: _masked(item, other=rival.get(key), mark=mark, in_list=of_secrets and key == "items")
        for key, item in value.items()
    }


def _masked_entry(key: str, value: YamlValue, *, other: YamlValue, mark: str) -> YamlValue:
    if _is_plain(key, value):
        return value
    if key == "metadata" and isinstance(value, dict):
        return _masked_metadata(value, other=other, mark=mark)
    return _masked_values(value, other=other, mark=mark)


def _is_plain(key: str, value: YamlValue) -> bool:
    """Tell whether a field of a Secret holds no value of it."""
    if isinstance(value, str):
        return key in ("apiVersion", "kind") or (key == "type" and _TYPE.fullmatch(value) is not None)
    return key == "immutable" and isinstance(value, bool)


def _masked_values(
    value: YamlValue, *, other: YamlValue, mark: str, names: re.Pattern[str] = _KEY
) -> YamlValue:
    """Return the names of a mapping with their values masked; whatever is no mapping as a mask."""
    if not isinstance(value, dict):
        return _mask(is_same(value, other), mark)
    rival = other if isinstance(other, dict) else {}
    return {
        _masked_name(name, content, names): _mask(name in rival and is_same(rival[name], content), mark)
        for name, content in value.items()
    }


def _mask(is_same: bool, mark: str) -> str:  # noqa: FBT001 - the one thing it is about
    return MASK if is_same else mark


def _masked_name(name: str, content: YamlValue, names: re.Pattern[str]) -> str:
    """Return the name of a value; masked where a colon is missing, for then the value is part of the name."""
    return name if content is not None and names.fullmatch(name) else MASK


def _masked_metadata(metadata: Mapping[str, YamlValue], *, other: YamlValue, mark: str) -> YamlValue:
    rival = other if isinstance(other, dict) else {}
    return {
        key: value
        if key in _PLAIN_METADATA and not isinstance(value, (dict, list))
        else _masked_values(value, other=rival.get(key), mark=mark, names=_ANNOTATION)
        for key, value in metadata.items()
    }
