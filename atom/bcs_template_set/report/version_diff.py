"""In what two versions of a folder's files differ, or a version and what is live. Pure: performs no I/O.

A version's name stands for a state: of each file the version of that name, else the newest one that was made
before it, since content that does not change gets no new version. Where names tell the branch, only versions
of that branch count. Values of Secrets are masked before anything is compared or shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Optional

from bcs_template_set.bcs.space.existing import SpaceHistories, VersionRef
from bcs_template_set.manifests.document_diff import diff_documents
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.text import visible
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.domain_status import Seen, live_of, not_known_of
from bcs_template_set.rollout.drift import opened
from bcs_template_set.rollout.live_diff import live_difference
from bcs_template_set.rollout.live_state import LiveState

LIVE = "live"
"""What is named in the place of a version for what is live."""

State = Mapping[str, Optional[VersionRef]]
"""Of each file a version, None where there was none."""

BranchOf = Callable[[str], str]
"""Returns the branch that a version's name tells, "" where it tells none."""


@dataclass(frozen=True)
class FileDifference:
    """How a file differs: the names of both versions ("" for none, "live"), and a unified diff.

    `notes` say what beside differs, and `not_known` what could not be compared.
    """

    name: str
    before: str
    after: str
    diff: str = ""
    notes: tuple[Text, ...] = ()
    not_known: tuple[Text, ...] = ()

    @property
    def is_different(self) -> bool:
        """Tell whether anything is known to differ."""
        return bool(self.diff or self.notes)


def state_at(histories: SpaceHistories, name: str, *, branch_of: BranchOf) -> Optional[State]:
    """Return of each file the version that it had when this one was made, None where no file has it."""
    named = [ref for refs in histories.values() for ref in refs if ref.name == name]
    if not named:
        return None
    moment, branch = max((ref.created_at, ref.id) for ref in named), branch_of(name)

    def at(refs: Sequence[VersionRef]) -> Optional[VersionRef]:
        own = next((ref for ref in refs if ref.name == name), None)
        older = (
            ref
            for ref in refs
            if (ref.created_at, ref.id) <= moment and (not branch or branch_of(ref.name) in ("", branch))
        )
        return own or next(older, None)

    return {file: at(refs) for file, refs in histories.items()}


def to_read(before: State, after: State) -> list[str]:
    """Return the ids of the versions whose contents have to be compared."""
    pairs = ((before[name], after[name]) for name in before)
    return [ref.id for old, new in pairs if old != new for ref in (old, new) if ref is not None]


def differences(before: State, after: State, contents: Mapping[str, str]) -> Iterator[FileDifference]:
    """Yield the files whose versions differ, by name; `contents` are by the versions' ids."""
    for name in sorted(before):
        old, new = before[name], after[name]
        if old == new:
            continue
        texts = [contents[ref.id] if ref is not None else "" for ref in (old, new)]
        documents = [parse_foreign(text) or () for text in texts]
        diff = diff_documents(*texts, old=documents[0], new=documents[1])
        before_name, after_name = (ref.name if ref is not None else "" for ref in (old, new))
        yield FileDifference(name, before_name, after_name, diff)


def live_differences(
    names: Iterable[str], wanted: Mapping[str, str], seen: Seen, *, to_live: bool
) -> Iterator[FileDifference]:
    """Yield in what the wanted version of each file differs from what is live of it.

    `wanted` has no file that had no version. With `to_live`, what is live comes after.
    """
    marked = seen.objects.by_file(seen.space)
    for name in sorted(names):
        version = wanted.get(name, "")
        rows = marked.get(name, ())
        if not version and not rows:
            continue
        states = seen.look(name, version)
        unknown = not_known_of(seen, name, version, states)
        held = {state.title for state in states}
        more = [row.title for row in rows if row.title not in held] if "" not in unknown else []
        open_places = [
            say("status.open", object=state.title, fields=[path], names=[variable])
            for state in states
            if state.live is not None and state.title not in unknown
            for path, variable in opened(state.desired, live_of(state, seen), seen.signs)[1]
        ]
        ends = (version, LIVE) if to_live else (LIVE, version)
        yield FileDifference(
            name,
            *ends,
            "".join(_difference(s, seen, to_live=to_live) for s in states if s.title not in unknown),
            notes=(say("diff.only_live", objects=more),) if more else (),
            not_known=(*unknown.values(), *open_places),
        )


def _difference(state: LiveState, seen: Seen, *, to_live: bool) -> str:
    live = live_of(state, seen) if state.live is not None else None
    desired = opened(state.desired, live, seen.signs)[0] if live is not None else state.desired
    return live_difference(desired, live, to_live=to_live)


# --- lines and JSON -------------------------------------------------------------------------------------


def difference_lines(found: Iterable[FileDifference], *, language: Language) -> Iterator[str]:
    """Yield each file that differs, or is not known, with its difference; one sentence where none does."""
    shown = [one for one in found if one.is_different or one.not_known]
    for one in shown:
        none = say("diff.none").render(language)
        yield f"{one.name}: {one.before or none} -> {one.after or none}"
        yield from (f"  {text.render(language)}" for text in (*one.notes, *one.not_known))
        yield from (visible(line) for line in one.diff.splitlines())
    if not any(one.is_different for one in shown):
        yield say("diff.same_known" if shown else "diff.same").render(language)


def difference_document(
    found: Sequence[FileDifference], *, before: str, after: str, language: Language
) -> Mapping[str, object]:
    """Return the differences as programs read them."""
    return {
        "before": before,
        "after": after,
        "different": any(one.is_different for one in found),
        "files": [
            {
                "name": one.name,
                "before": one.before or None,
                "after": one.after or None,
                "diff": one.diff or None,
                "notes": [text.render(language) for text in one.notes],
                "not_known": [text.render(language) for text in one.not_known],
            }
            for one in found
            if one.is_different or one.not_known
        ],
    }
