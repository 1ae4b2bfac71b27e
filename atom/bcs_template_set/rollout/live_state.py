"""The versions to be live, and their objects as BCS's dry run shows them. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Optional

from bcs_template_set.bcs.deploy_calls import Preview
from bcs_template_set.bcs.marks import Mark, mark_of
from bcs_template_set.manifests.fields import list_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.live_fields import is_going
from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.live_diff import Object


@dataclass(frozen=True)
class FileVersion:
    """A file of the run at the version to be live. `before` is `latestDeployVersion` before we began.

    `rewritten`: this run has put other content under the version's name. `sets_pods`: a variable gives the
    number of pods, so that nobody but this run can mean another. `reused`: the names of versions are reused,
    so that a mark does not tell which number its text had. `objects` are those it holds, `Kind/name`, "" for
    one of which only that is known.
    `live_as`: it was live as wanted, marked with this version of it, "" for another mark.
    """

    name: str
    version_id: str
    version: str
    before: str = ""
    rewritten: bool = False
    sets_pods: bool = False
    reused: bool = False
    objects: tuple[str, ...] = ("",)
    live_as: Optional[str] = None

    @property
    def told(self) -> str:
        """Return the version that its objects are marked with, as far as that is known."""
        return self.version if self.live_as is None else self.live_as


def holding(files: Iterable[FileVersion]) -> list[FileVersion]:
    """Return the files that hold an object: nothing of the others can be deployed, or live."""
    return [file for file in files if file.objects]


def objects_in(documents: Optional[Iterable[Document]]) -> tuple[str, ...]:
    """Return the objects that BCS lists of a file's documents, `Kind/name`, as far as they can be read.

    A document without a kind is none (facts/bcs.md, trap 7).
    """
    return tuple(document.title for document in documents or () if document.kind)


@dataclass(frozen=True)
class LiveState:
    """One object of a file: as it would be applied, and as it is live (None where there is none).

    `whole` is what was read of it beside the preview, with its status; empty where nobody did.
    """

    file: str
    kind: str
    name: str
    desired: Object
    live: Optional[Object]
    whole: Object = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind}/{self.name}"

    @property
    def known_kind(self) -> Optional[Kind]:
        """Return what the step knows of its kind, None where it knows nothing."""
        return kind_of(text_at(self.desired, "apiVersion"), self.kind)

    @property
    def watched_kind(self) -> Optional[Kind]:
        """Return its kind, None where a deployment does not wait for it."""
        return self.known_kind if self.known_kind is not None and self.known_kind.rule is not None else None

    @property
    def makes_pods(self) -> bool:
        """Tell whether pods come of it, also where nothing is known of its kind."""
        if self.known_kind is not None:
            return self.known_kind.pod_template is not None
        return bool(list_at(self.desired, "spec", "template", "spec", "containers"))

    @property
    def mark(self) -> Mark:
        """Return what the live object is marked with."""
        return mark_of(self.live or {})

    def is_at(self, *, space: str, version: str) -> bool:
        """Tell whether the live object is marked as this file's, at this version."""
        return self.mark == Mark(f"{space}/{self.file}", version)


def read_states(preview: Preview, *, space: str) -> tuple[LiveState, ...]:
    """Return the objects that a preview of the run's versions lists, in its order.

    A document without a kind is none: BCS passes it over. What is being deleted counts as gone: it goes,
    whatever is applied to it.
    """
    states = []
    for item in preview.items:
        desired = _parsed(item.content)
        if desired is None or not item.kind:
            continue
        mark, live = mark_of(desired), _parsed(item.previous_content)
        states.append(
            LiveState(
                file=mark.file_in(space) or mark.file,
                kind=item.kind,
                name=item.name,
                desired=desired,
                live=None if live is not None and is_going(live) else live,
            )
        )
    return tuple(states)


def _parsed(text: str) -> Optional[Object]:
    documents = parse_foreign(text)
    return documents[0].body if documents else None
