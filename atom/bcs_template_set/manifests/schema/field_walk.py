"""Compare an object with what Kubernetes knows of its kind. Pure: performs no I/O.

A walk over the object and the types of its fields at once. What is null counts as not given, as the server
has it; what holds a variable of BCS's may become anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional, Union

from bcs_template_set.manifests.fields import is_left_for_bcs
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import pod_of
from bcs_template_set.manifests.schema.field_types import (
    Field,
    FieldTypes,
    KubeVersions,
    ObjectType,
    fields_below,
)
from bcs_template_set.manifests.schema.value_forms import problem_of_form
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text
from bcs_template_set.messages.spelling import nearest

MOST = 50
"""Problems of one object: who wrote more has written another thing."""

MOST_BELOW, MOST_BESIDE = 3, 1
"""How deep a field is looked for that stands in the wrong place: below its object, below those around it."""

_NOTHING: Sequence[Optional[str]] = (None,)
_NOTHING_OF_OWN = (None, "")
"""What is as good as missing: Kubernetes' own types know no empty text from none, others' schemas do."""

_INDEX = re.compile(r"\[[0-9]+\](?=\.|$)")
_Path = tuple["Optional[_Path]", str]


class FieldProblem(NamedTuple):
    """One thing that Kubernetes does not take.

    `what` is `unknown`, `missing`, `type`, `word`, `form`, `since` or `until`; `path` is the field's. Of an
    unknown field `near` is the name that was probably meant, or `belongs` the path of the object that has
    such a field. Of a wrong type `wanted` is the letter of the right one, `[` for a list, `{` for a map or an
    object, and `given` alike. Of a word that the server does not take `words` are those that it does; of a
    value that is not of its field's form `said` says so. Of a field that comes too early or too late
    `version` is the 1.x that has it first or last.
    """

    what: str
    path: str
    near: str = ""
    belongs: str = ""
    wanted: str = ""
    given: str = ""
    version: int = 0
    words: tuple[str, ...] = ()
    said: Optional[Text] = None


def problems_of(document: Document, *, types: FieldTypes, versions: KubeVersions) -> list[FieldProblem]:
    """Return what is wrong with the fields of a document, in its order; at most MOST.

    Of a kind whose type is not known the containers of its pods are looked at, and nothing else; what they
    lack its controller may fill in.
    """
    own = types.is_known_group(document.api_version)
    walk = _Walk(types, versions, _NOTHING_OF_OWN if own else _NOTHING)
    entry = types.entry(document.api_version, document.kind)
    if entry is not None and entry.type >= 0:
        walk.object(document.body, entry.type, None)
    else:
        walk.containers(document)
    return walk.found[:MOST]


class _Walk:
    def __init__(self, types: FieldTypes, versions: KubeVersions, nothing: Sequence[Optional[str]]) -> None:
        self._types = types
        self._versions = versions
        self._around: list[tuple[int, Optional[_Path]]] = []
        self._nothing = nothing
        self.found: list[FieldProblem] = []

    def object(self, body: Mapping[str, YamlValue], number: int, path: Optional[_Path]) -> None:
        known = self._types[number]
        fields = known.fields
        self._around.append((number, path))
        for name, value in body.items():
            field = fields.get(name)
            if field is None:
                self._unknown(name, known, path)
            elif type(value) in field.settled:
                pass  # it is right, whatever it is
            elif not self._versions.has(field.since, field.until):
                self._untimely(field, (path, name))
            else:
                self._inside(value, field, field.around, (path, name))
        for name in known.required:
            if body.get(name) in self._nothing:
                self.found.append(FieldProblem("missing", _written((path, name))))
        self._around.pop()

    def containers(self, document: Document) -> None:
        """Look at the containers of a document's pods, whatever its kind is."""
        pod = pod_of(document)
        if pod is not None:
            for container in pod.containers:
                self.object(container.body, self._types.container, (None, pod.field(container.place)))
        self.found = [problem for problem in self.found if problem.what != "missing"]

    def _inside(self, value: YamlValue, field: Field, around: str, path: _Path) -> None:
        """Compare a value with what its field holds inside these lists and maps."""
        outer, within = around[:1], around[1:]
        if not outer and type(value) in field.plain:
            self._judge(value, field, path)
        elif not outer and not field.letter and isinstance(value, dict):
            self._judge(value, field, path)
            self.object(value, field.of, path)
        elif outer == "[" and isinstance(value, list):
            self._each(enumerate(value), field, within, path)
        elif outer == "{" and isinstance(value, dict):
            self._each(value.items(), field, within, path)
        elif value is not None:
            self._wrong(value, outer or field.letter or "{", path)

    def _each(
        self, items: Iterable[tuple[Union[int, str], YamlValue]], field: Field, around: str, path: _Path
    ) -> None:
        """Compare the items of a list or a map with what the field holds inside it."""
        right = field.plain if not (around or field.words or field.form) else ()
        for key, item in items:
            if type(item) not in right:
                self._inside(item, field, around, (path, f"[{key}]"))

    def _judge(self, value: YamlValue, field: Field, path: _Path) -> None:
        """Compare a value of the right type with the words or the form that its field takes."""
        is_word = not field.words or value in field.words
        said = problem_of_form(field.form, value) if field.form else None
        if (is_word and said is None) or value == "" or is_left_for_bcs(value):
            return
        what = "form" if is_word else "word"
        self.found.append(FieldProblem(what, _written(path), words=field.words, said=said))

    def _wrong(self, value: YamlValue, wanted: str, path: _Path) -> None:
        is_whole = wanted == "i" and isinstance(value, float) and value.is_integer()
        if not is_whole and not is_left_for_bcs(value):
            self.found.append(FieldProblem("type", _written(path), wanted=wanted, given=letter_of(value)))

    def _untimely(self, field: Field, path: _Path) -> None:
        is_over = self._versions.has(field.since, 0)
        what, version = ("until", field.until) if is_over else ("since", field.since)
        self.found.append(FieldProblem(what, _written(path), version=version))

    def _unknown(self, name: str, known: ObjectType, path: Optional[_Path]) -> None:
        if is_left_for_bcs(name) or len(self.found) >= MOST:
            return
        belongs = "" if known.is_open else self._place_of(name)
        near = "" if belongs else nearest(name, known.fields) or ""
        if near or not known.is_open:
            self.found.append(FieldProblem("unknown", _written((path, name)), near=near, belongs=belongs))

    def _place_of(self, name: str) -> str:
        """Return the path of the nearest object that has such a field: below this one, else around it."""
        most = MOST_BELOW
        for number, path in reversed(self._around):
            for found, below in fields_below(self._types, number, most=most):
                if found == name:
                    return ".".join(part for part in (_INDEX.sub("[]", _written(path)), below) if part)
            most = MOST_BESIDE
        return ""


def letter_of(value: YamlValue) -> str:
    """Return the letter of a value's type, `[` for a list, `{` for a map."""
    if isinstance(value, dict):
        return "{"
    if isinstance(value, list):
        return "["
    if isinstance(value, bool):
        return "b"
    return {int: "i", float: "n"}.get(type(value), "s")


def _written(path: Optional[_Path]) -> str:
    parts: list[str] = []
    while path is not None:
        parts.append(path[1])
        path = path[0]
    return ".".join(reversed(parts)).replace(".[", "[")
