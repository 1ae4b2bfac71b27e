"""Take the paths of branches out of a routes file's text. Pure: performs no I/O.

Nothing is dumped: the lines of the paths are cut out, the list of branches beside them is replaced, and
everything else stays as it was written, comments included. Lines are found by their indentation, as our own
template writes them; what makes that safe is the last step: what comes out is read again and must be what
went in less exactly those entries. A text for which that fails is refused, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from bcs_template_set.manifests.branch_paths import BRANCHES, PathKey, claims_json, place_of, read_served
from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

_LISTS_BRANCHES = re.compile(rf" *{BRANCHES}: +('(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\") *(?:#.*)?")
_LISTS_PATHS = re.compile(r" *(?:- )?paths: *(?:#.*)?")
_ITEM = re.compile(r"( *)-(?: .*)?")
_SAYS_NOTHING = re.compile(r"[ \t]*(?:#.*)?")


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


def without_paths(text: str, *, host: str, branches: frozenset[str]) -> str:
    """Return the text of a host's routes file without the paths that these branches claim.

    A text in which they claim none comes back as it is.

    Raises:
        CannotRemove: it can't be read, has rules of other hosts, would be left with a rule without a path, or
            is written in a way that lines can't be cut out of.
    """
    before = parse_foreign(text)
    if before is None:
        raise CannotRemove(say("branches.cannot_read"))
    removals = [_removal(document, host=host, branches=branches) for document in before]
    result = _cut(text, before, removals)
    after = parse_foreign(result)
    wanted = [_less(document.body, removal) for document, removal in zip(before, removals)]
    if after is None or [document.body for document in after] != wanted:
        raise CannotRemove(say("branches.cannot_cut"))
    return result


# --- what is to go --------------------------------------------------------------------------------------


def _removal(document: Document, *, host: str, branches: frozenset[str]) -> Optional[_Removal]:
    """Return what goes from one object, None where that is nothing."""
    served = [p for paths in read_served([document], host=host).values() for p in paths]
    gone = {path.place for path in served if path.claim is not None and path.claim.branch in branches}
    if not gone:
        return None
    rules = [mapping_at(rule) for rule in list_at(document.body, "spec", "rules")]
    if any(text_at(rule, "host") != host for rule in rules):
        raise CannotRemove(say("branches.other_host", ingress=document.name, host=host))
    claims = [path.claim for path in served if path.claim is not None and path.place not in gone]
    removal = _Removal(frozenset(gone), claims_json(claims))
    if not all(any(not _goes(path, removal) for path in _paths(rule)) for rule in rules):
        raise CannotRemove(say("branches.nothing_left", ingress=document.name, host=host))
    return removal


def _goes(path: YamlValue, removal: _Removal) -> bool:
    fields = mapping_at(path)
    return place_of(text_at(fields, "path"), text_at(fields, "pathType")) in removal.places


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
    return {**rule, "http": {"paths": kept}}


# --- where it stands ------------------------------------------------------------------------------------


def _cut(text: str, documents: Sequence[Document], removals: Sequence[Optional[_Removal]]) -> str:
    """Return the text without the lines of what goes; nothing is sure of it before it was read again."""
    lines = text.splitlines(keepends=True)
    listed = [
        (i, found) for i, line in enumerate(lines) if (found := _LISTS_BRANCHES.fullmatch(line.rstrip()))
    ]
    lists = [i for i, line in enumerate(lines) if _LISTS_PATHS.fullmatch(line.rstrip())]
    claimed = [removal for d, removal in zip(documents, removals) if _is_claimed(d)]
    rules = [(_paths(rule), removal) for d, removal in zip(documents, removals) for rule in _rules(d)]
    for (at, found), removal in zip(listed, claimed):
        if removal is not None:
            lines[at] = _rewritten(lines[at], found, removal.claims)
    for at, (paths, removal) in zip(lists, rules):
        for (start, end), path in zip(_items(lines, after=at), paths):
            if removal is not None and _goes(path, removal):
                lines[start:end] = [""] * (end - start)
    return "".join(lines)


def _is_claimed(document: Document) -> bool:
    return BRANCHES in mapping_at(document.body, "metadata", "annotations")


def _rules(document: Document) -> Iterator[Fields]:
    """Yield the rules that have a list of paths."""
    rules = (mapping_at(rule) for rule in list_at(document.body, "spec", "rules"))
    return (rule for rule in rules if _paths(rule))


def _rewritten(line: str, found: re.Match[str], claims: str) -> str:
    """Return the line with another list of branches, in the quotes that it has."""
    quoted = json.dumps(claims) if found[1].startswith('"') else f"'{claims}'"
    return line[: found.start(1)] + quoted + line[found.end(1) :]


def _items(lines: Sequence[str], *, after: int) -> Sequence[tuple[int, int]]:
    """Return the first line of each item of a list and the one behind its last, but for comments after it."""
    found: dict[int, int] = {}
    indent: Optional[int] = None
    for number in range(after + 1, len(lines)):
        line = lines[number].rstrip()
        if _SAYS_NOTHING.fullmatch(line):
            continue
        dash = _ITEM.fullmatch(line)
        if dash is not None and indent in (None, len(dash[1])):
            indent, start = len(dash[1]), number
        elif indent is None or len(line) - len(line.lstrip(" ")) <= indent:
            break
        found[start] = number + 1
    return tuple(found.items())
