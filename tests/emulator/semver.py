"""The order in which BCS lists versions. Performs no I/O.

BCS sorts with coreos/go-semver (cluster-resources, store/entity/templateversion.go): names that parse come
first, highest first; all others follow, newest first. Build metadata does not count, and the sort is not
stable: `State.shuffle` says how equals stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import total_ordering
from typing import Callable, TypeVar

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")

Thing = TypeVar("Thing")
_Identifier = tuple[int, int, str]


@total_ordering
class SemVer:
    """A parsed version that compares as SemVer 2 says: a pre-release comes before its release."""

    def __init__(self, numbers: tuple[int, ...], prerelease: str) -> None:
        self._key = (numbers, not prerelease, tuple(_identifier(part) for part in prerelease.split(".")))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SemVer) and self._key == other._key

    def __lt__(self, other: SemVer) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def parse_semver(name: str) -> SemVer | None:
    """Return the version, None where the name is not `x.y.z` with an optional pre-release and metadata."""
    match = _RELEASE.fullmatch(name)
    if match is None:
        return None
    return SemVer(tuple(int(number) for number in match.group(1, 2, 3)), match.group(4) or "")


def sort_as_bcs(
    things: Iterable[Thing], *, name: Callable[[Thing], str], created: Callable[[Thing], int]
) -> list[Thing]:
    """Return the things in the order of BCS's version list."""
    parsed = [(parse_semver(name(thing)), thing) for thing in things]
    semantic = [(version, thing) for version, thing in parsed if version is not None]
    semantic.sort(key=lambda pair: pair[0], reverse=True)
    others = sorted((thing for version, thing in parsed if version is None), key=created, reverse=True)
    return [thing for _, thing in semantic] + others


def _identifier(part: str) -> _Identifier:
    return (0, int(part), "") if part.isdigit() else (1, 0, part)
