"""How far a run is, told from what its story knows. Pure: performs no I/O.

A phase has a fixed share of the whole, by what the run is to do; within publishing and deploying, the share
is that of what has ended. Where nothing tells how far a phase is, it counts once it is over, unless it
failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bcs_template_set.atom_sdk.progress_payload import Phase, Snapshot, Status, Subtask, share_done
from bcs_template_set.messages import known, say
from bcs_template_set.outcome import FileOutcome
from bcs_template_set.rollout.watched import Watched
from bcs_template_set.story import Story

SHARES: Mapping[str, Mapping[str, float]] = {
    "plan": {"settings": 0.05, "render": 0.25, "plan": 0.7},
    "publish": {"settings": 0.05, "render": 0.1, "plan": 0.25, "publish": 0.6},
    "deploy": {"settings": 0.02, "render": 0.05, "plan": 0.13, "publish": 0.3, "deploy": 0.5},
}
"""What each phase is of the whole, by action; they add up to 1."""

MOST_OF_A_PHASE = 0.95
"""A phase whose subtasks have all ended still looks back, or fetches pages, before it is over."""

_DONE, _WRONG = ("applied", "unchanged", "skipped"), ("failed",)


def snapshot_of(story: Story) -> Snapshot:
    """Return how far the run of this story is, with what it is working on."""
    subtasks = tuple(_subtasks(story))
    shares = SHARES.get(story.heading.action, SHARES["publish"])
    value = sum(shares.get(name, 0.0) for name in set(story.gone_well))
    if story.under_way is not None:
        value += shares.get(story.under_way.name, 0.0) * _share_of_phase(story, subtasks)
    return Snapshot(value=value, subtasks=subtasks, phases=tuple(_phases(story)))


def _share_of_phase(story: Story, subtasks: Sequence[Subtask]) -> float:
    """Return how much of the phase under way is done; files tell nothing of a deployment."""
    if story.under_way is None or (story.under_way.name == "deploy" and not story.watched()):
        return 0.0
    return MOST_OF_A_PHASE * share_done(subtasks)


def finished(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot of a run that ended well: nothing is left to do."""
    return Snapshot(1.0, snapshot.subtasks, snapshot.phases)


def _phases(story: Story) -> Iterable[Phase]:
    for phase in story.phases:
        yield Phase(_name_of(story, phase.name), phase.started_at, phase.seconds)
    if story.under_way is not None:
        yield Phase(_name_of(story, story.under_way.name), story.under_way.started_at)


def _name_of(story: Story, name: str) -> str:
    key = f"progress.phase_{name}"
    return say(key).render(story.language) if known(key) else name


def _subtasks(story: Story) -> Iterable[Subtask]:
    """Return what the phase works on: files while publishing, workloads as soon as there are any."""
    watched = story.watched()
    if watched:
        return [_of_workload(item) for item in watched]
    return _of_files([file for file in story.files() if file.change.writes])


def _of_files(files: Sequence[FileOutcome]) -> Iterable[Subtask]:
    """Return a subtask for each domain, or each file where it belongs to none."""
    groups: dict[str, list[FileOutcome]] = {}
    for file in files:
        groups.setdefault(file.change.domain or file.change.name, []).append(file)
    return [_of_group(name, group) for name, group in groups.items()]


def _of_group(name: str, files: Sequence[FileOutcome]) -> Subtask:
    done = sum(file.state in _DONE for file in files)
    status: Status = "running" if done else "pending"
    if any(file.state in _WRONG for file in files):
        status = "failed"
    elif done == len(files):
        status = "succeeded"
    return Subtask(name, done / len(files), status)


_STATUS_OF_END: Mapping[str, Status] = {
    "ready": "succeeded",
    "nothing": "succeeded",
    "failed": "failed",
    "pending": "running",
}


def _of_workload(item: Watched) -> Subtask:
    return Subtask(item.workload.title, _share_of(item), _STATUS_OF_END[item.end])


def _share_of(item: Watched) -> float:
    if item.end in ("ready", "nothing"):
        return 1.0
    status = item.status
    return status.done / status.wanted if status is not None and status.wanted > 0 else 0.0
