"""Take the paths of branches out of a routes file's text. Pure: performs no I/O.

Nothing is dumped: the lines of the paths are cut out, the list of branches beside them is replaced, and
everything else stays as it was written, comments included. What comes out is read again and must be what
went in less exactly those entries; a text that can't be cut like that is refused, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from bcs_template_set.manifests.branch_paths import BRANCHES, PathKey, ServedPath, claims_json, read_served
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.parse import Document, bcs_variables_in, parse_foreign
from bcs_template_set.manifests.yaml_marks import (
    LINE_BREAKS,
    Anchored,
    Collection,
    Marked,
    Scalar,
    marked_documents,
)
from bcs_template_set.manifests.yaml_reading import YamlUnreadable, YamlValue
from bcs_template_set.messages import Text, say

_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\n\r\x85\u2028\u2029]*)?(?:\r\n|[\n\r\x85\u2028\u2029]|\Z)")
_QUOTED = ("'", '"')
_WIDEST_INDENT = 1000
"""So far before a path the start of its line is looked for, and not in the whole text for every path."""


class CannotRemove(Exception):
    """The paths can't be cut out of this text; `reason` says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class _Removal:
    """What goes from one Ingress: the paths at these places, and its list of branches becomes this text."""

    places: frozenset[PathKey]
    claims: str


@dataclass(frozen=True)
class _Cut:
    """`text[start:end]` is to become `instead`."""

    start: int
    end: int
    instead: str = ""


def without_paths(text: str, *, host: str, branches: frozenset[str]) -> str:
    """Return the text of a host's routes file without the paths that these branches claim.

    A text in which they claim none comes back as it is.

    Raises:
        CannotRemove: it can't be read, an Ingress would be left without a path, or it is written in a way
            that lines can't be cut out of.
    """
    before = parse_foreign(text)
    if before is None:
        raise CannotRemove(say("branches.cannot_read"))
    removals = [_removal(document, host=host, branches=branches) for document in before]
    if not any(removals):
        return text
    marked = _marks(text)
    if len(marked) != len(before):  # pragma: no cover - no text is known that they divide differently
        raise CannotRemove(say("branches.cannot_place"))
    cuts = [
        cut
        for node, removal in zip(marked, removals)
        if removal is not None
        for cut in _cuts(text, node, removal)
    ]
    result = _applied(text, cuts)
    _check(result, wanted=[_less(d.body, removal) for d, removal in zip(before, removals)])
    return result


# --- what is to go --------------------------------------------------------------------------------------


def _removal(document: Document, *, host: str, branches: frozenset[str]) -> Optional[_Removal]:
    """Return what goes from one object, None where that is nothing."""
    served = [p for paths in read_served([document], host=host).values() for p in paths]
    gone = {path.place for path in served if path.claim is not None and path.claim.branch in branches}
    if not gone:
        return None
    rules = [mapping_at(rule) for rule in list_at(document.body, "spec", "rules")]
    if document.kind != "Ingress":
        raise CannotRemove(say("branches.cannot_place"))
    if any(text_at(rule, "host") != host for rule in rules):
        raise CannotRemove(say("branches.other_host", ingress=document.name, host=host))
    claims = [path.claim for path in served if path.claim is not None and path.place not in gone]
    removal = _Removal(frozenset(gone), claims_json(claims))
    if not all(any(not _goes(path, removal) for path in _paths(rule)) for rule in rules):
        raise CannotRemove(say("branches.nothing_left", ingress=document.name, host=host))
    return removal


def _goes(path: YamlValue, removal: _Removal) -> bool:
    fields = mapping_at(path)
    return _place(text_at(fields, "path"), text_at(fields, "pathType")) in removal.places


def _place(path: str, path_type: str) -> PathKey:
    return ServedPath(path or "/", path_type, service="", port=0).place


def _paths(rule: Fields) -> Sequence[YamlValue]:
    return list_at(rule, "http", "paths")


def _less(body: Mapping[str, YamlValue], removal: Optional[_Removal]) -> Mapping[str, YamlValue]:
    """Return what the text must say afterwards: the object less what goes from it."""
    if removal is None:
        return body
    metadata, spec = mapping_at(body, "metadata"), mapping_at(body, "spec")
    annotations = {**mapping_at(metadata, "annotations"), BRANCHES: removal.claims}
    rules = [_rule_less(mapping_at(rule), removal) for rule in list_at(spec, "rules")]
    return {
        **body,
        "metadata": {**metadata, "annotations": annotations},
        "spec": {**spec, "rules": rules},
    }


def _rule_less(rule: Fields, removal: _Removal) -> YamlValue:
    kept = [path for path in _paths(rule) if not _goes(path, removal)]
    return {**rule, "http": {**mapping_at(rule, "http"), "paths": kept}}


# --- where it stands ------------------------------------------------------------------------------------


def _marks(text: str) -> list[Collection]:
    """Return the objects of the text with their places; what BCS would replace is a word of one length."""
    try:
        found = marked_documents(_hidden(text))
    except Anchored:
        raise CannotRemove(say("branches.anchored")) from None
    except YamlUnreadable:
        raise CannotRemove(say("branches.cannot_place")) from None
    return [node for node in found if isinstance(node, Collection) and not node.is_list]


def _hidden(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for variable in bcs_variables_in(text):
        word = re.sub(rf"[^{LINE_BREAKS}]", "x", text[variable.start : variable.end])
        pieces += (text[end : variable.start], word)
        end = variable.end
    return "".join(pieces) + text[end:]


def _cuts(text: str, node: Collection, removal: _Removal) -> Iterator[_Cut]:
    annotation = _at(node, "metadata", "annotations", BRANCHES)
    if not isinstance(annotation, Scalar):  # pragma: no cover - its text was read, so it is there: see above
        raise CannotRemove(say("branches.cannot_place"))
    yield _rewritten(text, annotation, removal.claims)
    rules = _at(node, "spec", "rules")
    for rule in rules.items() if isinstance(rules, Collection) else ():
        paths = _at(rule, "http", "paths")
        for path in paths.items() if isinstance(paths, Collection) else ():
            if isinstance(path, Collection) and _is_at(path, removal.places):
                yield _lines_of(text, path)


def _at(node: Optional[Marked], *keys: str) -> Optional[Marked]:
    for key in keys:
        node = node.at(key) if isinstance(node, Collection) else None
    return node


def _is_at(node: Collection, places: frozenset[PathKey]) -> bool:
    return _place(_word(node, "path"), _word(node, "pathType")) in places


def _word(node: Collection, key: str) -> str:
    value = node.at(key)
    return value.value if isinstance(value, Scalar) else ""


def _rewritten(text: str, annotation: Scalar, claims: str) -> _Cut:
    """Put another list of branches in the place of the one that is there, in the quotes that it has."""
    written = text[annotation.start : annotation.end]
    if annotation.style not in _QUOTED or any(mark in written for mark in LINE_BREAKS):
        raise CannotRemove(say("branches.annotation_form", annotation=BRANCHES))
    quoted = json.dumps(claims) if annotation.style == '"' else "'" + claims.replace("'", "''") + "'"
    return _Cut(annotation.start, annotation.end, quoted)


def _lines_of(text: str, path: Collection) -> _Cut:
    """Return the lines that a path stands on, which must be its own from the dash to the end."""
    window = max(0, path.start - _WIDEST_INDENT)
    before = text[window : path.start]
    start = window + 1 + max(before.rfind(mark) for mark in LINE_BREAKS)
    end = _REST_OF_LINE.match(text, path.end)
    if end is None or not re.fullmatch(r" *-[ \t]+", text[start : path.start]) or start == window > 0:
        raise CannotRemove(say("branches.not_own_lines", path=_word(path, "path") or "/"))
    return _Cut(start, end.end())


def _applied(text: str, cuts: Iterable[_Cut]) -> str:
    pieces: list[str] = []
    end = 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        pieces += (text[end : cut.start], cut.instead)
        end = cut.end
    return "".join(pieces) + text[end:]


def _check(result: str, *, wanted: list[Mapping[str, YamlValue]]) -> None:
    after = parse_foreign(result)
    if after is None or [document.body for document in after] != wanted:
        raise CannotRemove(say("branches.not_only"))
