"""Which versions of a file were never made part of the current one. Pure: performs no I/O.

BCS has no compare-and-swap: two builds that publish one file at once can both pass every check, and the
later one hides what the earlier wrote (facts/bcs.md, trap 5). What can be done is to see it. Every version
names the versions it was made from (`base=` of its provenance), so the versions of a file form a graph, and
what the current one was not made from was *never merged*. Whoever reads next sees that, also where the
build that hid it died before it could look back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bcs_template_set.bcs.space.existing import FROM_NOTHING, VersionRef
from bcs_template_set.bcs.space.provenance import MOST_BASES, ids_in

SKEW_SECONDS = 2
"""How far the clocks of BCS's servers may be apart, and a creation may take between stamp and insert."""

MOST_SUSPECTS = MOST_BASES - 1
"""How many versions are looked at, the youngest first; a file has as many only where many builds race."""


def suspects(history: Sequence[VersionRef], *, current: str, bases: Sequence[str]) -> tuple[VersionRef, ...]:
    """Return the versions that may never have been merged into the current one, newest first.

    `history` is newest first, `bases` are what the current version says it was made from. In the ordinary
    case its base is the version right before it, and nothing is suspect. Nothing can be said where it names
    no base (a person's, or an older step's) or one that is gone. Versions stamped shortly before the eldest
    base are suspect too: BCS stamps first and inserts later, in whole seconds, by the clocks of several
    servers.
    """
    known = {ref.id: ref for ref in history}
    if current not in known or not bases or bases[0] not in (*known, FROM_NOTHING):
        return ()
    eldest = eldest_base(history, bases)
    since = known[eldest].created_at - SKEW_SECONDS if eldest in known else 0
    merged = {current, *ids_in(bases)}
    found = [ref for ref in history if ref.id not in merged and ref.created_at >= since]
    return tuple(found[:MOST_SUSPECTS])


def eldest_base(history: Sequence[VersionRef], bases: Sequence[str]) -> str:
    """Return the base that was made first, of those that are there: what is older was merged long ago."""
    known = {ref.id: ref.created_at for ref in history}
    ids = ids_in(bases)
    return FROM_NOTHING if FROM_NOTHING in ids else min(ids & known.keys(), key=lambda id_: (known[id_], id_))


def unmerged(
    candidates: Sequence[str], *, current: str, parents: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return those of the candidates that the current version was not made from, in their order.

    `parents` are the bases of every version that was read, by id.
    """
    merged, unread = set[str](), [current]
    while unread:
        version = unread.pop()
        if version not in merged:
            merged.add(version)
            unread += parents.get(version, ())
    return tuple(version for version in candidates if version not in merged)
