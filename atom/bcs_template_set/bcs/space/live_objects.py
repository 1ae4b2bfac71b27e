"""The live objects of a namespace, kind by kind, as its lists show them. Only reads leave this module.

A list finds, and does not prove: of the metadata it keeps annotations, labels, name, namespace and uid
(facts/bcs.md, trap 12), so neither an owner nor a deletion under way. One that was refused, is cut, or is not
what a list looks like is not known, and says why: it is never an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import partial

from bcs_template_set.bcs.calls import JsonValue, Read, Reader, Unreadable, each
from bcs_template_set.bcs.deploy_calls import NamespaceRef, list_live
from bcs_template_set.bcs.marks import UPDATOR, Mark, mark_of
from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import LISTED
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass


@dataclass(frozen=True)
class LiveRow:
    """One object of a list: who it is, and the file, `space/name`, and version that it is marked with.

    `item` is what the list shows of it, and `note` what BCS says of it beside (`manifestExt`).
    """

    kind: Kind
    name: str
    namespace: str
    uid: str
    mark: Mark
    item: Fields = field(repr=False, compare=False)
    note: Fields = field(repr=False, compare=False, default_factory=dict)

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind.name}/{self.name}"

    @property
    def deployed_by(self) -> str:
        """Return who deployed it last, "" where BCS has not noted that."""
        return annotation_of(self.item, UPDATOR)


@dataclass(frozen=True)
class LiveObjects:
    """The objects of a namespace, in their kinds' order; `unread`: why those of a kind are not known."""

    rows: tuple[LiveRow, ...] = ()
    unread: Mapping[Kind, StepError] = field(default_factory=dict)

    def by_file(self, space: str) -> dict[str, tuple[LiveRow, ...]]:
        """Return the objects that are marked with a file of this folder, by the file's name."""
        found: dict[str, tuple[LiveRow, ...]] = {}
        for row in self.rows:
            name = row.mark.file_in(space)
            if name:
                found[name] = (*found.get(name, ()), row)
        return found


def read_live_objects(reader: Reader, place: NamespaceRef, *, kinds: Sequence[Kind] = LISTED) -> LiveObjects:
    """Return the objects of these kinds; what can't be listed costs its kind, and no other."""
    found = each(reader, [list_rows(place, kind=kind) for kind in kinds])
    return LiveObjects(
        rows=tuple(row for rows in found if isinstance(rows, tuple) for row in rows),
        unread={kind: rows for kind, rows in zip(kinds, found) if isinstance(rows, StepError)},
    )


def list_rows(place: NamespaceRef, *, kind: Kind) -> Read[tuple[LiveRow, ...]]:
    """List the objects of a kind, each with its name and uid, and all of them."""
    return list_live(place, kind=kind).parsed_by(partial(_rows, kind))


def _rows(kind: Kind, data: JsonValue) -> tuple[LiveRow, ...]:
    listed, notes = mapping_at(data, "manifest"), mapping_at(data, "manifestExt")
    items = listed.get("items")
    if not isinstance(items, list):
        raise Unreadable("Object missing required field `items` - at `data.manifest`")
    if text_at(listed, "metadata", "continue"):
        raise Unreadable("the list goes on - at `data.manifest.metadata.continue`")
    return tuple(_row(kind, mapping_at(item), notes, number) for number, item in enumerate(items))


def _row(kind: Kind, item: Fields, notes: Fields, number: int) -> LiveRow:
    metadata = mapping_at(item, "metadata")
    for name in ("name", "uid"):
        if not text_at(metadata, name):
            raise Unreadable(f"Object missing required field `{name}` - at `data.manifest.items[{number}]`")
    uid = text_at(metadata, "uid")
    return LiveRow(
        kind=kind,
        name=text_at(metadata, "name"),
        namespace=text_at(metadata, "namespace"),
        uid=uid,
        mark=mark_of(item),
        item=item,
        note=mapping_at(notes, uid),
    )
