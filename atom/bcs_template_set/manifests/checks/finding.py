"""What a check gets and what it gives, as values. Pure: performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional, Union

from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import CONFIG_KEY
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import PodTemplate, pod_of
from bcs_template_set.manifests.schema.field_types import KubeVersions, field_types
from bcs_template_set.manifests.schema.field_walk import FieldProblem, letter_of, problems_of
from bcs_template_set.manifests.step_comments import allowed_in
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

_ODD_KEY = re.compile(rf"^(data|stringData|binaryData)\[(?!{CONFIG_KEY}\]\Z).*", re.DOTALL)
"""A field under a key that none can be."""


class Origin(NamedTuple):
    """Where an author mends it: a file of the workspace, or the input `values`; 0 for a line nobody knows.

    Of a built-in template `value` is the key that it comes from, or the entry of its `host` (`is_whole`).
    """

    file: str
    line: int = 0
    column: int = 0
    value: str = ""
    host: str = ""
    is_whole: bool = False


@dataclass(frozen=True)
class Finding:
    """Something wrong: check, file, document (`Deployment/web`), field, what it is and what to do.

    `document` is "" where the file itself is meant, `field` is "" where the whole document is. What to do
    ends with the comment that allows it. A warning stops nothing. `line` is where its document begins in what
    was rendered. Without an origin it is looked for in the file.
    """

    id: str
    file: str
    document: str
    field: str
    message: Text
    hint: Text
    is_warning: bool = False
    line: int = 0
    origin: Optional[Origin] = None

    @property
    def found_in(self) -> Origin:
        """Return where an author looks for it."""
        return self.origin or Origin(self.file)

    @property
    def place(self) -> tuple[str, str, str]:
        """Return where it is."""
        return (self.file, self.document, self.field)

    def order(self) -> tuple[str, str, str, str, str]:
        """Return what findings are sorted by; it costs a sentence, so it is asked for once."""
        return (self.file, self.document, self.field, self.id, str(self.message))


class DocumentInFile(NamedTuple):
    """A document in its file."""

    file: ManifestFile
    document: Document


class PodOwner(NamedTuple):
    """A document that makes pods."""

    file: ManifestFile
    document: Document
    pod: PodTemplate


Warns = Union[bool, tuple[str, ...]]
"""Whether what a check finds stops nothing; or the names of the sentences that stop nothing."""


class CheckInput(NamedTuple):
    """All that a check may look at, and the id of the check; what several of them look for is found once."""

    id: str
    warns: Warns
    files: tuple[ManifestFile, ...]
    template_space: str
    template_set: bool
    places: tuple[DocumentInFile, ...]
    workloads: tuple[PodOwner, ...]
    by_kind: Mapping[tuple[str, str], Sequence[DocumentInFile]]
    """The documents of each kind that is known, by its group and name."""
    by_label: Mapping[tuple[str, str], Sequence[PodOwner]]
    """The workloads under each label of their pods, so that a look-up costs no walk."""
    allowed: Mapping[str, frozenset[str]]
    """The checks that each file's comments leave it out of."""
    kubernetes: KubeVersions
    """The versions of Kubernetes in question: what one of them takes is no mistake."""
    problems: tuple[tuple[DocumentInFile, FieldProblem], ...]
    """What the schema of Kubernetes says against each document."""
    namespace: str
    """Where the run is deployed to; "" where nobody knows it yet."""
    is_whole: bool
    """Whether these are all files of the run: what a file that did not render may hold is not missing."""

    def of_kind(self, kind: Kind) -> Sequence[DocumentInFile]:
        """Return the documents of a kind."""
        return self.by_kind.get((kind.group, kind.name), ())

    def selected_by(self, labels: Fields) -> list[PodOwner]:
        """Return the workloads whose pods have all of these labels: all are in one namespace in the end."""
        candidates = (self.by_label.get((key, str(value)), ()) for key, value in labels.items())
        return [
            workload
            for workload in min(candidates, key=len, default=())
            if all(workload.pod.labels.get(key) == value for key, value in labels.items())
        ]

    def finding(
        self,
        place: DocumentInFile | PodOwner | ManifestFile,
        field: str,
        message: Optional[str] = None,
        /,
        **fields: object,
    ) -> Finding:
        """Return a finding, with its sentence `checks.<message or id>` and its hint `checks.<id>.hint`."""
        file = place if isinstance(place, ManifestFile) else place.file
        sentence = message or self.id
        where = "values" if file.domain else "file"
        if not isinstance(place, ManifestFile) and place.document.kind != "ConfigMap":
            field = _ODD_KEY.sub(r"\1", field)  # what stands there may be a value of a Secret
        return Finding(
            id=self.id,
            file=file.name,
            document="" if isinstance(place, ManifestFile) else place.document.title,
            field=field,
            message=say(f"checks.{sentence}", **fields),
            hint=say(f"checks.allow_in_{where}", hint=say(f"checks.{self.id}.hint", **fields), id=self.id),
            is_warning=self.warns if isinstance(self.warns, bool) else sentence in self.warns,
            line=0 if isinstance(place, ManifestFile) else place.document.line,
        )


def look_at(
    files: Iterable[ManifestFile],
    *,
    template_space: str,
    template_set: bool,
    namespace: str,
    kube_version: str,
    is_whole: bool,
) -> CheckInput:
    """Return what checks look at, before the first of them has its id."""
    by_name = tuple(sorted(files, key=lambda file: file.name))
    places = tuple(DocumentInFile(file, document) for file in by_name for document in file.documents)
    pods = ((place, pod_of(place.document)) for place in places)
    workloads = tuple(PodOwner(place.file, place.document, pod) for place, pod in pods if pod is not None)
    by_kind: dict[tuple[str, str], list[DocumentInFile]] = {}
    for place in places:
        kind = kind_of(place.document.api_version, place.document.kind)
        if kind is not None:
            by_kind.setdefault((kind.group, kind.name), []).append(place)
    by_label: dict[tuple[str, str], list[PodOwner]] = {}
    for workload in workloads:
        for key, value in workload.pod.labels.items():
            by_label.setdefault((key, str(value)), []).append(workload)
    allowed = {file.name: _allowed_in(file) for file in by_name}
    kubernetes = field_types().wanted(kube_version)
    problems = tuple(
        (place, problem)
        for place in places
        for problem in problems_of(place.document, types=field_types(), versions=kubernetes)
    )
    looked_at = (by_name, template_space, template_set, places, workloads, by_kind, by_label, allowed)
    return CheckInput("", False, *looked_at, kubernetes, problems, namespace, is_whole)


Looks = Callable[[CheckInput], Iterator[Finding]]


class Check(NamedTuple):
    """One check: its id, as findings and comments name it, the function that does it, when it only warns.

    What the API server or BCS refuses, what can't work, and what is lost or changed in silence is an error.
    What might be meant otherwise is a warning. `needs_all`: it says that something is nowhere, so it says
    nothing where files did not render.
    """

    id: str
    looks: Looks
    warns: Warns
    needs_all: bool

    @property
    def summary(self) -> Text:
        """Return the line that the reference's table has for this check."""
        return say(f"checks.{self.id}.summary")

    def run(self, checked: CheckInput) -> Iterator[Finding]:
        """Yield what it finds, also in files whose comment leaves them out."""
        if self.needs_all and not checked.is_whole:
            return iter(())
        return self.looks(checked._replace(id=self.id, warns=self.warns))


def check(identifier: str, *, warns: Warns = False, needs_all: bool = False) -> Callable[[Looks], Check]:
    """Make a function the check of that id; the table of checks finds it by its module."""
    return lambda looks: Check(identifier, looks, warns, needs_all)


MOST_NAMES = 12
"""So many names that a field could have had are shown."""


def few(names: Iterable[str]) -> list[str]:
    """Return the first of the names, and "…" where there are more: many findings may each have them all."""
    found = sorted(names)
    return found if len(found) <= MOST_NAMES else [*found[:MOST_NAMES], "…"]


def allows(file: ManifestFile, identifier: str) -> bool:
    """Tell whether a file's comment leaves it out of a check."""
    return identifier in _allowed_in(file)


def _allowed_in(file: ManifestFile) -> frozenset[str]:
    return file.allowed.union(allowed_in(file.text))


_TYPE_NAMES: Mapping[str, str] = {
    "s": "type_text",
    "i": "type_integer",
    "n": "type_number",
    "b": "type_boolean",
    "q": "type_quantity",
    "x": "type_integer_or_text",
    "[": "type_list",
    "{": "type_object",
}


def type_name(letter: str) -> Text:
    """Return what a type is called; its letter is the schema's. A value itself is shown nowhere."""
    return say(f"checks.{_TYPE_NAMES[letter]}")


def type_of(value: YamlValue) -> Text:
    """Return what a value's type is called."""
    return type_name(letter_of(value))
