"""Which builds the revisions of Deployments show as never having been live. Pure: performs no I/O.

A revision bears the marks of the version that brought its pod template last, so versions of one template
stand for each other, and a build that changed no pod template is shown by none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile, VersionRef
from bcs_template_set.manifests.fields import canonical, mapping_at
from bcs_template_set.manifests.kinds import DEPLOYMENT, kind_of
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.publish.past_states import Alike, History, build_of

USUAL_LIMIT = 10
"""How many old revisions a Deployment keeps that does not say it (Kubernetes, apps/v1)."""


class Pods(NamedTuple):
    """The pods of a Deployment as a version of a file has them; `marks` are of all that have the same."""

    deployment: str
    marks: frozenset[Mark]
    limit: int


def never_live(
    history: History,
    files: Mapping[str, PastFile],
    *,
    space: str,
    never_was: Callable[[Pods], bool],
) -> Callable[[int], bool]:
    """Return what tells of a build whether none of the Deployments that it published ever was live."""

    def is_never(build: int) -> bool:
        published = [
            pods
            for name, refs in history.items()
            for ref in refs
            if build_of(ref) == build
            for pods in _pods_of(files[name], ref, space=space)
        ]
        return bool(published) and all(map(never_was, published))

    return is_never


def alike_in(files: Mapping[str, PastFile]) -> Alike:
    """Return what tells whether two versions of a file hold the same objects, however they are written."""
    contents = {version.id: version.content for file in files.values() for version in file.versions}

    def is_alike(_: str, one: VersionRef, other: VersionRef) -> bool:
        left, right = contents[one.id], contents[other.id]
        return left == right or (_objects(left) is not None and _objects(left) == _objects(right))

    return is_alike


def _objects(content: str) -> list[str] | None:
    documents = parse_foreign(content)
    return None if documents is None else [canonical(document.body) for document in documents]


def _pods_of(file: PastFile, ref: VersionRef, *, space: str) -> Iterable[Pods]:
    by_template: dict[tuple[str, str], set[Mark]] = {}
    for version in file.versions:
        for found in _deployments(version):
            mark = Mark(f"{space}/{file.row.real_name}", version.version)
            by_template.setdefault((found.name, _template(found)), set()).add(mark)
    own = next(version for version in file.versions if version.id == ref.id)
    for found in _deployments(own):
        limit = mapping_at(found.body, "spec").get("revisionHistoryLimit", USUAL_LIMIT)
        marks = by_template[found.name, _template(found)]
        yield Pods(found.name, frozenset(marks), limit if isinstance(limit, int) else USUAL_LIMIT)


def _deployments(version: TemplateVersion) -> list[Document]:
    documents = parse_foreign(version.content) or ()
    return [document for document in documents if kind_of(document.api_version, document.kind) is DEPLOYMENT]


def _template(document: Document) -> str:
    return canonical(mapping_at(document.body, "spec", "template"))
