"""Locked distributions as values, and the two texts they are kept in. Pure: performs no I/O.

`locked.json` is the one source; `runtime.txt` and `tools.txt` say the same to
`pip install --require-hashes --requirement`, and name no registry. `tests.txt` and `lowest.txt`, of the same
form, stand alone: no list of parts needs to know what only tests run on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from packaging.requirements import Requirement

from release.dependencies import PYTHONS


def canonical(name: str) -> str:
    """Return a distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Locked(msgspec.Struct, frozen=True):
    """One version of a distribution: the Pythons it is for, and the SHA-256 of each wheel by its file name.

    `needs` are the canonical names of what it brings.
    """

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]
    pythons: tuple[str, ...]
    wheels: dict[str, str]

    @property
    def canonical(self) -> str:
        """Return the name as package indexes compare it."""
        return canonical(self.name)


class LockedSet(msgspec.Struct, frozen=True):
    """What the step runs on, what of that the store's package carries, and what builds its wheel."""

    runtime: tuple[Locked, ...]
    parts: tuple[Locked, ...]
    tools: tuple[Locked, ...]


def parse_locked(text: bytes) -> LockedSet:
    """Return what locked.json says."""
    return msgspec.json.decode(text, type=LockedSet)


def locked_json(locked: LockedSet) -> str:
    """Return the text of locked.json."""
    return msgspec.json.format(msgspec.json.encode(locked), indent=1).decode() + "\n"


def requirements_text(locked: Sequence[Locked], *, title: str) -> str:
    """Return a requirements file with hashes: one entry a version, each for the Pythons it is for."""
    lines = [f"# {title}", "# Written by `make lock`: review the difference."]
    for entry in locked:
        lines.append(f"{entry.canonical}=={entry.version}{_marker(entry.pythons)} \\")
        hashes = sorted(set(entry.wheels.values()))
        lines += [f"    --hash=sha256:{digest} \\" for digest in hashes[:-1]]
        lines.append(f"    --hash=sha256:{hashes[-1]}")
    return "\n".join(lines) + "\n"


def pins_of(text: str, python: str) -> dict[str, str]:
    """Return the version that a requirements file has of each distribution, by canonical name.

    Conditions are judged for that Python and this machine.
    """
    entries = [Requirement(line) for line in re.findall(r"^([^#\s].*?) ?\\$", text, re.MULTILINE)]
    # Any release but the first: some distributions refuse 3.9.0 and 3.9.1 alone.
    place = {"python_version": python, "python_full_version": f"{python}.18"}
    met = [entry for entry in entries if entry.marker is None or entry.marker.evaluate(place)]
    return {canonical(entry.name): str(entry.specifier).removeprefix("==") for entry in met}


def _marker(pythons: Sequence[str]) -> str:
    """Return the condition for some Pythons that follow each other."""
    first, last = PYTHONS.index(pythons[0]), PYTHONS.index(pythons[-1])
    if tuple(pythons) != PYTHONS[first : last + 1]:
        raise ValueError(f"not in a row: {pythons}")
    bounds = [f'python_version >= "{pythons[0]}"'] if first else []
    bounds += [f'python_version <= "{pythons[-1]}"'] if pythons[-1] != PYTHONS[-1] else []
    return f" ; {' and '.join(bounds)}" if bounds else ""
