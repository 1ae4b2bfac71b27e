"""What a planned run leaves, so that a later one can say which part of it differs from what was approved.

It lies in the workspace, where other steps can write. So it is only for words: the digest alone decides. It
holds no value, only what the acting user's secret makes of each: who has it not can't tell one, nor make one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from contextlib import suppress
from typing import Optional

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.publish.plan import Plan
from bcs_template_set.records.declared import Record
from bcs_template_set.records.decoding import decode, encode
from bcs_template_set.report.write_report import write_text
from bcs_template_set.run.journal import Journal
from bcs_template_set.system.own_files import OwnFile

LARGEST_PLAN = 10 * 1024 * 1024
"""Bytes; a file of a plan takes some hundred."""

Part = tuple[str, str]
"""What kind of part it is, and its name."""


class ApprovedPlan(Record):
    """The parts of a plan, kind, name and what the secret makes of the value; `mark` is that of them all."""

    parts: tuple[tuple[str, str, str], ...]
    mark: str


def leave_plan(journal: Optional[Journal], plan: Plan) -> None:
    """Leave the parts of a plan under its digest; where that can't be, a refusal will name no part."""
    if journal is not None:
        with suppress(WorkspaceUnwritable):
            text = encode(_sealed(plan, plan.digest, journal)).decode("utf-8")
            write_text(_file(journal, plan.digest), text)


def what_differs(journal: Optional[Journal], plan: Plan, *, approved: str) -> list[Text]:
    """Say which parts of a plan are not those of the approved one; nothing where that one is not known."""
    known = _read(journal, approved) if journal is not None else None
    if journal is None or known is None:
        return []
    ours = _sealed(plan, approved, journal)
    theirs = {(kind, name): value for kind, name, value in known.parts}
    mine = {(kind, name): value for kind, name, value in ours.parts}
    different = sorted(part for part in {*theirs, *mine} if theirs.get(part) != mine.get(part))
    return list(_told(different))


def _told(parts: Iterable[Part]) -> Iterable[Text]:
    kinds: dict[str, list[str]] = {}
    for kind, name in parts:
        kinds.setdefault(kind, []).append(name)
    for kind, names in kinds.items():
        yield say(f"plan.differs_{kind}", names=first_names(names))


def _sealed(plan: Plan, digest: str, journal: Journal) -> ApprovedPlan:
    key = _key(journal, digest)
    parts = tuple((kind, name, _mark(key, [kind, name, value])) for kind, name, value in plan.parts)
    return ApprovedPlan(parts, _mark(key, parts))


def _mark(key: bytes, value: object) -> str:
    return hmac.new(key, encode(value), hashlib.sha256).hexdigest()


def _read(journal: Journal, digest: str) -> Optional[ApprovedPlan]:
    """Return what was left of a plan, None where there is nothing of ours."""
    try:
        found = decode(_file(journal, digest).read_bytes(most=LARGEST_PLAN), ApprovedPlan)
    except (FileNotFoundError, WorkspaceUnwritable, ValueError, RecursionError):
        return None
    mark = _mark(_key(journal, digest), found.parts).encode("ascii")
    return found if hmac.compare_digest(found.mark.encode("utf-8", "replace"), mark) else None


def _key(journal: Journal, digest: str) -> bytes:
    seal = journal.seal
    return seal.secret.mark(encode(["plan", seal.user, digest])).encode("ascii")


def _file(journal: Journal, digest: str) -> OwnFile:
    """Return where a plan is left: in the folder of all runs, since a later task looks for it."""
    folder = journal.file.name.partition("/")[0]
    return OwnFile(journal.file.workspace, f"{folder}/plan-{digest}.json")
