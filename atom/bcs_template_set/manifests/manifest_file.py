"""One file of the run, and what its documents serve, each worked out once. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from functools import cached_property

from bcs_template_set.manifests.branch_paths import Claim, claims_of
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.routes import Route, images_of, node_ports_of, routes_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.records.late_dataclass import dataclass

_MOST_SHOWN = 12


@dataclass(frozen=True)
class ManifestFile:
    """One file of the run as it would be uploaded.

    `name` is its name in the template space, `source` the template it came from. `variables` are the
    names that `bcs()` left for BCS, `places` where in the text they stand. `domain` is "" unless a built-in
    template made the file; `allowed` then are the ids of checks that comments of the values leave it out of.
    `left_out` are the comments of its templates: file, first and last line.
    """

    name: str
    text: str = field(repr=False)
    source: str
    documents: tuple[Document, ...]
    variables: frozenset[str] = frozenset()
    places: frozenset[int] = frozenset()
    domain: str = ""
    allowed: frozenset[str] = frozenset()
    left_out: tuple[tuple[str, int, int], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether it is no file of the run: a template rendered to no document.

        A domain's file is one all the same: what it served before would be lost without a word.
        """
        return not (self.documents or self.domain)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Return every host and path that its Ingresses serve, sorted."""
        return routes_of(self.documents)

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Return the images of its containers."""
        return images_of(self.documents)

    @cached_property
    def node_ports(self) -> tuple[int, ...]:
        """Return the nodePorts that its Services ask for."""
        return node_ports_of(self.documents)

    @cached_property
    def claims(self) -> tuple[tuple[str, Claim], ...]:
        """Return which branch each path of its Ingresses belongs to, with the path's host."""
        return claims_of(self.documents)


def empty_text(files: Sequence[ManifestFile]) -> list[Text]:
    """Return the sentence that names the templates that render to nothing; none where there are none."""
    names = [file.source if file.source == file.name else f"{file.name} ({file.source})" for file in files]
    return [say("render.empty", names=first_names(names, most=_MOST_SHOWN))] if names else []


def left_out_of(files: Iterable[ManifestFile]) -> list[Text]:
    """Return the sentence that says which lines of templates were comments; none where there are none."""
    lines: dict[str, list[str]] = {}
    for name, first, last in sorted({place for file in files for place in file.left_out}):
        lines.setdefault(name, []).append(str(first) if first == last else f"{first}-{last}")
    places = [f"{name} ({', '.join(each)})" for name, each in lines.items()]
    return [say("render.left_out", places=first_names(places, most=_MOST_SHOWN))] if places else []
