"""What a check gets and what it gives, as values. Pure: performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import PodTemplate, pod_of
from bcs_template_set.messages import Text, say

_ALLOW = re.compile(r"#[ \t]*bcs-template-set:[ \t]*allow[ \t]+([a-z0-9, \t-]+)")


@dataclass(frozen=True)
class Finding:
    """Something wrong: check, file, document (`Deployment/web`), field, what it is and what to do.

    `document` is "" where the file itself is meant, `field` is "" where the whole document is.
    """

    id: str
    file: str
    document: str
    field: str
    message: Text
    hint: Text

    def as_text(self) -> Text:
        """Return the one sentence that a log line or an error's detail shows."""
        place = [part for part in (self.file, self.document, self.field) if part]
        return say("checks.finding", place=" ".join(place), message=self.message, hint=self.hint, id=self.id)

    def order(self) -> tuple[str, str, str, str, str]:
        """Return what findings are sorted by; it costs a sentence, so it is asked for once."""
        return (self.file, self.document, self.field, self.id, str(self.message))


@dataclass(frozen=True)
class Place:
    """A document in its file."""

    file: ManifestFile
    document: Document


@dataclass(frozen=True)
class Workload:
    """A document that makes pods."""

    file: ManifestFile
    document: Document
    pod: PodTemplate


@dataclass(frozen=True)
class Run:
    """All that the checks may look at, with the looks that several of them need done once."""

    files: tuple[ManifestFile, ...]
    template_space: str
    template_set: bool

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Return every document with its file."""
        return tuple(Place(file, document) for file in self.files for document in file.documents)

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Return every document that makes pods."""
        return tuple(
            Workload(place.file, place.document, pod)
            for place in self.places
            for pod in [pod_of(place.document)]
            if pod is not None
        )

    @cached_property
    def by_label(self) -> dict[tuple[str, str], list[Workload]]:
        """Return the workloads under each label of their pods, so that a look-up costs no walk."""
        found: dict[tuple[str, str], list[Workload]] = {}
        for workload in self.workloads:
            for key, value in workload.pod.labels.items():
                found.setdefault((key, str(value)), []).append(workload)
        return found

    @cached_property
    def services(self) -> dict[str, Document]:
        """Return the Services of the run, by name."""
        return {place.document.name: place.document for place in self.of_kind("Service")}

    @cached_property
    def _allowed(self) -> dict[str, frozenset[str]]:
        return {file.name: _allowed_in(file.text) for file in self.files}

    def of_kind(self, kind: str) -> Iterator[Place]:
        """Yield the documents of a kind."""
        return (place for place in self.places if place.document.kind == kind)

    def allows(self, file: str, check: str) -> bool:
        """Tell whether a file's comment leaves it out of a check."""
        return check in self._allowed[file]


def allows(file: ManifestFile, check: str) -> bool:
    """Tell whether a file's comment leaves it out of a check."""
    return check in _allowed_in(file.text)


@dataclass(frozen=True)
class Check:
    """One check: its id, as findings and comments name it, and the function that does it."""

    id: str
    run: Callable[[Run], Iterator[Finding]]

    @property
    def summary(self) -> Text:
        """Return the line that the README's table has for this check."""
        return say(f"checks.{self.id}.summary")


def finding(
    check: str,
    place: Place | Workload | ManifestFile,
    field: str,
    message: Optional[str] = None,
    /,
    **fields: object,
) -> Finding:
    """Return a finding of a check, with its sentence `checks.<message or id>` and hint `checks.<id>.hint`."""
    file = place if isinstance(place, ManifestFile) else place.file
    document = "" if isinstance(place, ManifestFile) else place.document.title
    return Finding(
        id=check,
        file=file.name,
        document=document,
        field=field,
        message=say(f"checks.{message or check}", **fields),
        hint=say(f"checks.{check}.hint", **fields),
    )


MOST_NAMES = 12
"""So many names that a field could have had are shown."""


def few(names: Iterable[str]) -> list[str]:
    """Return the first of the names, and "…" where there are more: many findings may each have them all."""
    found = sorted(names)
    return found if len(found) <= MOST_NAMES else [*found[:MOST_NAMES], "…"]


def _allowed_in(text: str) -> frozenset[str]:
    found = " ".join(match[1] for match in _ALLOW.finditer(text))
    return frozenset(found.replace(",", " ").split())
