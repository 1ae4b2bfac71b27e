"""What Kubernetes' published schemas say of each kind. Reads one file of the package, once.

`make schema` writes that file (release/kubernetes_schema.py, whose docstring has the format): of every
Kubernetes from 1.20 on the union of the fields, each with the first and the last version that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pkgutil import get_data
from typing import NamedTuple, Optional

from bcs_template_set.messages.spelling import nearest
from bcs_template_set.records.declared import Record
from bcs_template_set.records.decoding import decode

_CODE = re.compile(
    r"(!?)([\[{]*)([a-z]|[0-9]+)(?:=([0-9]+))?(?:~([a-z][a-z0-9]*|[0-9]+\.\.[0-9]*))?(?:\+([0-9]+))?(?:-([0-9]+))?"
)
_KUBE_VERSION = re.compile(r"v?1\.([0-9]{1,3})(?![0-9])")
ANY_OTHER = "*"
"""In the data: the type has more fields than these."""


_PLAIN: Mapping[str, frozenset[type]] = {
    "s": frozenset({str}),
    "i": frozenset({int}),
    "n": frozenset({int, float}),
    "b": frozenset({bool}),
    "q": frozenset({str, int, float}),
    "x": frozenset({str, int}),
    "j": frozenset({str, int, float, bool, list, dict}),
}


class KubeVersions(Record):
    """Which Kubernetes 1.x may be meant, from the first to the last."""

    first: int
    last: int

    def has(self, since: int, until: int) -> bool:
        """Tell whether any of these is one from `since` to `until`; 0 leaves that end open."""
        return since <= self.last and (not until or until >= self.first)


class Field:
    """A field of a type: what it holds, whether it must be there, and which Kubernetes has it (0 = all).

    `around` has a `[` for each list and a `{` for each map around its values; `letter` is the type of those:
    `s` text, `i` integer, `n` number, `b` boolean, `q` quantity, `x` integer or text, `j` anything, "" = the
    type of the number `of`. `plain` are the types of Python's that a value may have, `words` the texts
    that it may be, where it may not be any; `form` is the form of those that it may be (`value_forms.py`). A
    value of a type in `settled` is right, whatever it is.
    """

    __slots__ = (
        *("around", "form", "is_required", "letter", "of", "plain", "settled", "since", "until", "words"),
    )

    def __init__(self, code: str, words: Sequence[tuple[str, ...]]) -> None:
        _, required, self.around, kind, nth, form, since, until, _ = _CODE.split(code)
        self.is_required = bool(required)
        self.letter = "" if kind.isdigit() else kind
        self.of = int(kind) if kind.isdigit() else -1
        self.words = words[int(nth)] if nth else ()
        self.form = form or ("quantity" if kind == "q" else "")
        self.plain = _PLAIN.get(self.letter, frozenset())
        self.since, self.until = int(since or 0), int(until or 0)
        depends = self.around or self.words or self.form or self.since or self.until
        self.settled = frozenset({type(None)}) if depends else self.plain | {type(None)}


class ObjectType(NamedTuple):
    """The fields of an object; `is_open`: it may have more."""

    fields: Mapping[str, Field]
    required: tuple[str, ...]
    is_open: bool


class KindEntry(Record, is_list=True):
    """A kind of one group and version: its type (-1 = nobody deploys it, or only older Kubernetes had it)."""

    type: int
    since: int
    until: int


class _Data(Record):
    versions: tuple[int, int]
    container: int
    words: tuple[tuple[str, ...], ...]
    types: tuple[dict[str, str], ...]
    kinds: dict[str, KindEntry]


class FieldTypes(dict[int, ObjectType]):
    """All that is known; what a type's fields are is read when it is first asked for, by its number."""

    def __init__(self, data: _Data) -> None:
        self._types = data.types
        self._words = data.words
        self.kinds: Mapping[str, KindEntry] = data.kinds
        self.versions = KubeVersions(*data.versions)
        self.container = data.container
        groups = (title.partition(" ")[0].rpartition("/")[0] for title in data.kinds)
        self._groups = frozenset(group for group in groups if "." not in group or group.endswith(".k8s.io"))

    def __missing__(self, number: int) -> ObjectType:
        """Return a type that is asked for the first time."""
        found = self[number] = _object_type(self._types[number], self._words)
        return found

    def wanted(self, kube_version: str) -> KubeVersions:
        """Return the version of Kubernetes that a text such as `1.22` or `v1.22.3` means; all for ""."""
        match = _KUBE_VERSION.match(kube_version)
        return KubeVersions(int(match[1]), int(match[1])) if match is not None else self.versions

    def entry(self, api_version: str, kind: str) -> Optional[KindEntry]:
        """Return what is known of a kind in a group and version, None for one that no Kubernetes has."""
        return self.kinds.get(f"{api_version} {kind}")

    def api_versions_of(self, kind: str, wanted: KubeVersions) -> Sequence[str]:
        """Return the `apiVersion`s in which some of these Kubernetes have a kind, the most settled first."""
        found = (
            title.partition(" ")[0]
            for title, entry in self.kinds.items()
            if title.endswith(f" {kind}") and wanted.has(entry.since, entry.until)
        )
        return sorted(found, key=_unsettled)

    def kinds_in(self, api_version: str) -> Sequence[str]:
        """Return the kinds that are, or were, in a group and version."""
        return [title[len(api_version) + 1 :] for title in self.kinds if title.startswith(f"{api_version} ")]

    def all_kinds(self) -> Sequence[str]:
        """Return the names of all kinds."""
        return [title.partition(" ")[2] for title in self.kinds]

    def is_meant(self, api_version: str, kind: str) -> bool:
        """Tell whether the group of an `apiVersion` is Kubernetes' own, or was probably to be.

        No definition of custom objects has a group without a dot.
        """
        if self.is_known_group(api_version):
            return True
        group = api_version.rpartition("/")[0]
        own = {other.rpartition("/")[0] for other in self.api_versions_of(kind, self.versions)}
        is_near = "." not in group or (group.endswith(".k8s.io") and nearest(group, own) is not None)
        return bool(own) and is_near

    def is_known_group(self, api_version: str) -> bool:
        """Tell whether Kubernetes itself serves, or has served, the group of an `apiVersion`."""
        return api_version.rpartition("/")[0] in self._groups


@lru_cache(maxsize=1)
def field_types() -> FieldTypes:
    """Return all that is known of Kubernetes' kinds."""
    return FieldTypes(decode(get_data(__package__, "kubernetes.json") or b"", _Data))


def _object_type(codes: Mapping[str, str], words: Sequence[tuple[str, ...]]) -> ObjectType:
    fields = {name: Field(code, words) for name, code in codes.items() if name != ANY_OTHER}
    required = tuple(name for name, field in fields.items() if field.is_required)
    return ObjectType(fields, required, is_open=ANY_OTHER in codes)


def _unsettled(api_version: str) -> tuple[bool, bool, str]:
    return ("alpha" in api_version, "beta" in api_version, api_version)


def fields_below(types: FieldTypes, number: int, *, most: int) -> Iterator[tuple[str, str]]:
    """Yield (name, path of the object that has it) of the fields in and below a type, the nearest first.

    Each type is entered once, by its shortest path, and no object is more than `most` fields below.
    """
    seen, level = {number}, [("", number)]
    for _ in range(most + 1):
        below: list[tuple[str, int]] = []
        for path, current in level:
            for name, field in types[current].fields.items():
                yield name, path
                if not field.letter and field.of not in seen:
                    seen.add(field.of)
                    place = f"{path}.{name}".lstrip(".") + ("[]" if "[" in field.around else "")
                    below.append((place, field.of))
        level = below
