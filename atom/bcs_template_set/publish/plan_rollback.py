"""A past state x what is live -> the plan of going back to it. Pure: performs no I/O.

It is made like any plan, of what the files are live at: so the same refusals stand against it. It writes no
version; BCS deploys those that exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, ExistingFile, PastFile, VersionRef
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.scope import web_host
from bcs_template_set.messages import Text, say
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.past_states import PastState, build_of
from bcs_template_set.publish.plan import Change, Desired, Plan, Policy

_RUNS_AGAIN = "Job"
"""The kind that would run a second time: what it did is data, and data does not go back."""


def files_of(state: PastState, past: Mapping[str, PastFile]) -> tuple[ManifestFile, ...]:
    """Return the files of a state as they were rendered then, but for those that hold nothing but Jobs."""
    contents = {v.id: v.content for name in state.versions for v in past[name].versions}
    files = [_file(name, contents[ref.id]) for name, ref in sorted(state.versions.items())]
    return tuple(file for file in files if not holds_only_jobs(file))


def holds_only_jobs(file: ManifestFile) -> bool:
    """Tell whether there is nothing else in a file that is not sent again."""
    return bool(file.documents) and all(document.kind == _RUNS_AGAIN for document in file.documents)


def _file(name: str, content: str) -> ManifestFile:
    return ManifestFile(
        name=name,
        text=content,
        source=name,
        documents=parse_foreign(content) or (),
        domain=web_host(name),
    )


def plan_rollback(
    desired: Desired,
    existing: Existing,
    *,
    state: PastState,
    live: Mapping[str, Optional[TemplateVersion]],
    policy: Policy,
) -> Plan:
    """Return the plan that brings a state back; `live` is the version that each file is live at."""
    files = {name: _as_live(found, live.get(name)) for name, found in existing.files.items()}
    plan = make_plan(desired, replace(existing, files=files), policy=policy)
    changes = tuple(_going_back(change, state.versions[change.name]) for change in plan.changes)
    return replace(
        plan,
        changes=changes,
        creates_space=False,
        other_users=(),
        rendered_no_more=(),
        notes=(*plan.notes, *_notes(state, desired)),
    )


def _as_live(found: ExistingFile, live: Optional[TemplateVersion]) -> ExistingFile:
    """Return a file as if it pointed at what is live; what it does point at was written since."""
    current = found.current
    later = (current, *found.later) if current is not None and current != live else found.later
    return replace(found, current=live, same_name=None, later=later)


def _going_back(change: Change, to: VersionRef) -> Change:
    """Return a change as what becomes of its file: it is at another version then, or stays as it is."""
    stays = change.previous is not None and change.previous.id == to.id
    return replace(
        change,
        action="unchanged" if stays or change.action == "unchanged" else "rollback",
        version=to.name,
        version_id=to.id,
        writes_version=False,
        overwrites=False,
        moves_pin=False,
        notes=(),
    )


def sending(plan: Plan, names: Collection[str]) -> Plan:
    """Return the plan with what a dry run would deploy: also files that only their marks say are back."""
    changes = [replace(c, action="rollback") if c.name in names else c for c in plan.changes]
    return replace(plan, changes=tuple(changes))


def _notes(state: PastState, desired: Desired) -> list[Text]:
    kept = sorted(state.versions.keys() - {file.name for file in desired.files})
    notes = [say("rollback.data_stays")]
    if state.passed:
        notes.append(say("rollback.passed", builds=list(state.passed)))
    if state.unsure:
        notes.append(say("rollback.unsure", names=list(state.unsure)))
    if state.absent:
        notes.append(say("rollback.absent", names=list(state.absent)))
    if kept:
        notes.append(say("rollback.jobs_not_sent", names=kept))
    return notes


def rows_back(plan: Plan, state: PastState) -> list[tuple[str, Text]]:
    """Return of each file where it goes, or since which build it is what it was."""
    return [(change.name, _row(change, state.versions[change.name])) for change in plan.changes]


def _row(change: Change, to: VersionRef) -> Text:
    facts = {"to": to.name, "build": build_of(to)}
    if change.action == "unchanged":
        return say("rollback.stays", **facts)
    if change.previous is None:
        return say("rollback.comes", **facts)
    return say("rollback.goes", before=change.previous.name, **facts)
