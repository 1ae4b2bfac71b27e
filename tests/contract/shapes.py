"""Compares an answer with a recorded one: every field, with ids, times and addresses by shape.

facts/bcs.md, "The recordings", says what was replaced, and what stands in no order. Beyond it, names that
Kubernetes derives from a hash of Go's memory (`pod-template-hash`) are held to be the same where the recorded
ones are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.contract.sentences import agree
from tests.support.recordings import Json

_HASH = r"(?<![a-z0-9])(?=[a-z]*[0-9])[bcdfghjklmnpqrstvwxz2456789]{8,10}(?![a-z0-9])"
_SHAPES = {
    "<uid>": r"[0-9a-f]{8}-[0-9a-f-]{27}",
    "<time>": r"[0-9][0-9TZ:dhmsy.+-]*",
    "<resourceVersion>": r"[0-9]+",
    "<n>": r'"?[0-9]+"?',
    "<clusterIP>": r"[0-9]+\.[0-9.]+",
    "<podIP>": r"[0-9]+\.[0-9.]+",
    "10.9.9.9": r"[0-9]+\.[0-9.]+",  # the kubelet, and so the node, was a stand-in
    "<nodePort>": r"[0-9]{4,5}",
    "<pod>": r"[a-z0-9]+(?:-[a-z0-9]+)*",
    "-token-<x>": r"-token-[a-z0-9]{5}",
}
_TOKEN = re.compile(rf"<id[0-9]+>|{'|'.join(map(re.escape, _SHAPES))}|{_HASH}")
_UNORDERED = ("manifestExt/data", "manifestExt/<uid>/data", "action_list")
_UNORDERED_LISTS = ("PodList", "ReplicaSetList")
_STAND_INS = ("apply_url",)
"""What a stand-in answered in the recording: only that it is there is compared."""
_SENTENCES = ("/message", "/error", "/data/error")


class Names:
    """Which id of ours stands for which recorded one; the same stands for the same, both ways."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._theirs: dict[str, str] = {}

    def copy(self) -> Names:
        """Return a copy, to try something with."""
        made = Names()
        made._ours, made._theirs = dict(self._ours), dict(self._theirs)
        return made

    def bind(self, recorded: str, ours: str) -> bool:
        """Tell whether the two can be one, and hold them to it from now on."""
        if self._ours.setdefault(recorded, ours) != ours:
            return False
        return self._theirs.setdefault(ours, recorded) == recorded


def differences(recorded: Json, ours: Json, *, names: Names, path: str = "") -> Iterator[str]:
    """Yield what differs, each with its path."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        yield from _mappings(recorded, ours, names=names, path=path)
    elif isinstance(recorded, list) and isinstance(ours, list):
        yield from _lists(recorded, ours, names=names, path=path)
    elif isinstance(recorded, str):
        yield from _texts(recorded, ours, names=names, path=path)
    elif recorded != ours or isinstance(recorded, bool) != isinstance(ours, bool):
        yield f"{path}: {ours!r}, expected {recorded!r}"


def _mappings(recorded: dict[str, Json], ours: dict[str, Json], *, names: Names, path: str) -> Iterator[str]:
    if "<uid>" in recorded:
        yield from _by_uid(recorded["<uid>"], ours, names=names, path=path)
        return
    if recorded.get("kind") in _UNORDERED_LISTS and ours.get("kind") == recorded["kind"]:
        ours = {**ours, "items": _sorted_as(recorded["items"], ours["items"], names=names)}
    for key in sorted({*recorded, *ours}):
        if key not in ours:
            yield f"{path}/{key}: missing, expected {recorded[key]!r}"
        elif key not in recorded:
            yield f"{path}/{key}: {ours[key]!r}, expected nothing"
        else:
            yield from differences(recorded[key], ours[key], names=names, path=f"{path}/{key}")


def _by_uid(recorded: Json, ours: dict[str, Json], *, names: Names, path: str) -> Iterator[str]:
    """Compare what was kept of a mapping by uid: of several entries the recording holds the last."""
    found = [
        list(differences(recorded, value, names=names.copy(), path=f"{path}/<uid>"))
        for value in ours.values()
    ]
    if not found:
        yield f"{path}: empty, expected {recorded!r}"
    elif all(found):
        yield from min(found, key=len)


def _lists(recorded: list[Json], ours: list[Json], *, names: Names, path: str) -> Iterator[str]:
    if len(recorded) != len(ours):
        yield f"{path}: {len(ours)} items {ours!r}, expected {len(recorded)} {recorded!r}"
        return
    if path.endswith(_UNORDERED):
        ours = _matched(recorded, ours, names=names)
    for index, pair in enumerate(zip(recorded, ours)):
        yield from differences(*pair, names=names, path=f"{path}/{index}")


def _sorted_as(recorded: Json, ours: Json, *, names: Names) -> Json:
    if isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
        return _matched(recorded, ours, names=names)
    return ours


def _matched(recorded: list[Json], ours: list[Json], *, names: Names) -> list[Json]:
    """Return our items in the order of those recorded that they differ least from."""
    left, found = list(ours), []
    for item in recorded:
        best = min(left, key=lambda mine: _distance(item, mine, names=names))
        left.remove(best)
        found.append(best)
    return found


def _distance(recorded: Json, ours: Json, *, names: Names) -> int:
    return len(list(differences(recorded, ours, names=names.copy())))


def _texts(recorded: str, ours: Json, *, names: Names, path: str) -> Iterator[str]:
    key = path.rpartition("/")[2]
    shown = str(ours) if isinstance(ours, int) and _TOKEN.fullmatch(recorded) else ours
    if not isinstance(shown, str) or isinstance(ours, bool):
        yield f"{path}: {ours!r}, expected {recorded!r}"
    elif key in _STAND_INS:
        if not shown:
            yield f"{path}: empty, expected {recorded!r}"
    elif path in _SENTENCES:
        if not agree(recorded, shown):
            yield f"{path}: {ours!r}, expected {recorded!r}"
    elif not _same_shape(recorded, shown, names=names):
        yield f"{path}: {ours!r}, expected {recorded!r}"


def _same_shape(recorded: str, ours: str, *, names: Names) -> bool:
    tokens, parts = _TOKEN.findall(recorded), _TOKEN.split(recorded)
    pattern = re.escape(parts[0])
    for token, part in zip(tokens, parts[1:]):
        pattern += f"({_SHAPES.get(token, '[0-9a-z]+')})" + re.escape(part)
    found = re.fullmatch(pattern, ours, re.DOTALL)
    if found is None:
        return False
    return all(token in _SHAPES or names.bind(token, group) for token, group in zip(tokens, found.groups()))
