"""Which builds published the versions that are live: by the versions' names, else by what was read of them.

Pure: performs no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Optional

from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.rollout.domain_status import DomainHere

Refs = Mapping[tuple[str, str], VersionRef]
"""What is known of versions, by file and name."""

Pattern = re.Pattern[str]

_EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_TOLD: Mapping[str, str] = {"build.number": "(?P<build>[0-9]+)", "branch.slug": "(?P<branch>[a-z0-9-]+)"}
"""What a version's name may tell of its build, by the expressions of the input `version`."""


def build_pattern(version: str) -> Optional[Pattern]:
    """Return what reads a build off the name of a version, None where the input puts none there."""
    parts = _EXPRESSION.split(version)
    texts, expressions = parts[::2], parts[1::2]
    if "build.number" not in expressions or len(set(expressions)) < len(expressions):
        return None
    if not set(expressions) <= _TOLD.keys():
        return None
    found = zip(texts, (*(_TOLD[expression] for expression in expressions), ""))
    return re.compile("".join(re.escape(text) + expression for text, expression in found))


def told_by(pattern: Optional[Pattern], version: str) -> Mapping[str, str]:
    """Return what the name of a version tells of its build: nothing where the pattern is not in it."""
    found = pattern.fullmatch(version) if pattern is not None else None
    return found.groupdict() if found is not None else {}


def is_open(domain: DomainHere, ref: VersionRef, pattern: Optional[Pattern]) -> bool:
    """Tell whether a version has to be read: for its build, or for when it was published."""
    told = ref.origin is not None or told_by(pattern, ref.name)
    return not told or not (ref.created_at or any(file.since for file in domain.files))


def carried(domain: DomainHere) -> Iterator[tuple[str, str]]:
    """Return the versions that a domain's objects carry, with their files."""
    return ((file.name, version) for file in domain.files for version, _ in file.versions)


def builds_of(domain: DomainHere, refs: Refs, pattern: Optional[Pattern]) -> tuple[str, ...]:
    """Return the builds of the versions that a domain's objects carry, each once."""
    found = []
    for pair in carried(domain):
        origin = refs[pair].origin if pair in refs else None
        named = told_by(pattern, pair[1])
        if origin is not None and origin.build:
            found.append((str(origin.build), origin.branch))
        elif named:
            found.append((named["build"], named.get("branch", "")))
    builds = (f"{build} ({branch})" if branch else build for build, branch in found)
    return tuple(dict.fromkeys(builds))
