"""How each file of a run ended: published, live, on its way or not, why in a word, how long. Pure.

The words are the same in both languages and in the output `versions`, so that a log can be searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages.errors import VersionConflict
from bcs_template_set.messages.state_words import FileState
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.workload_rows import workload_row
from bcs_template_set.rollout.result import Restoration, Rollout
from bcs_template_set.rollout.watched import Watched

STATES: tuple[FileState, ...] = get_args(FileState)
"""Every state, in the order a person needs to see them; a row of several files has the first of theirs."""

QUIET: tuple[FileState, ...] = ("live", "unchanged")
"""The states in which nothing was done."""

_STATE_OF_FILE: Mapping[WriteEnd, FileState] = {
    "applied": "published",
    "unchanged": "unchanged",
    "skipped": "skipped",
}


_STATE_OF_WAIT: Mapping[WorkloadState, FileState] = {
    "failed": "failed",
    "gone": "failed",
    "unseen": "unknown",
    "pending": "rolling-out",
    "paused": "paused",
}
"""What a file is called of which a workload has ended so; the first of them counts."""


@dataclass(frozen=True)
class Ending:
    """How a file, or a row of files, ended.

    `reason` is why in a word: an error's code, the cluster's own word, or how many of how many are there.
    `seconds` is how long publishing it took and then the wait for its workloads; 0 where nothing was done.
    """

    state: FileState
    reason: str = ""
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """Return the state with its reason, such as `failed (ErrImagePull)`."""
        return f"{self.state} ({self.reason})" if self.reason else self.state


def endings_of(outcome: Outcome) -> dict[str, Ending]:
    """Return how each planned file ended, by its name."""
    files = {name: FileOutcome(change, "not-attempted") for name, change in outcome.planned.items()}
    files.update({file.change.name: file for file in outcome.files})
    endings = {name: _published(file, outcome) for name, file in files.items()}
    return endings if outcome.rollout is None else _in_cluster(endings, outcome.rollout, outcome)


def ending_of_row(endings: Sequence[Ending]) -> Ending:
    """Return how a row ended whose files ended like this: it is no better than the worst of them."""
    state = min((ending.state for ending in endings), key=STATES.index)
    reasons = [ending.reason for ending in endings if ending.state == state and ending.reason]
    if state == "not-attempted":
        reasons = _share_written(endings)
    return Ending(state, ", ".join(dict.fromkeys(reasons)), seconds=max(ending.seconds for ending in endings))


def _share_written(endings: Sequence[Ending]) -> list[str]:
    """Return how many files were written of a row that the run did not get through."""
    done = sum(ending.state == "published" for ending in endings)
    left = sum(ending.state == "not-attempted" for ending in endings)
    return [f"{done}/{done + left}"] if done else []


# --- publishing -----------------------------------------------------------------------------------------


def _published(file: FileOutcome, outcome: Outcome) -> Ending:
    if file.state == "failed":
        code = str(file.error.code) if file.error is not None else ""
        return Ending("failed", code, seconds=file.seconds)
    if file.state == "not-attempted":
        return _left(file, outcome)
    return Ending(_STATE_OF_FILE[file.state], seconds=file.seconds)


def _left(file: FileOutcome, outcome: Outcome) -> Ending:
    """Return how a file ended that the run did not get to, or was not to get to."""
    action = file.change.action
    if action == "conflict":
        return Ending("failed", str(VersionConflict.code))
    if action == "skip":
        return Ending("skipped")
    if not file.change.writes and action != "rollback":
        return Ending("unchanged")
    return Ending("planned" if outcome.result == "planned" else "not-attempted")


# --- deploying ------------------------------------------------------------------------------------------


def _in_cluster(published: Mapping[str, Ending], rollout: Rollout, outcome: Outcome) -> dict[str, Ending]:
    """Return how files ended that publishing left like this: what stands further below outranks the rest.

    What is not named is not live: a call that was refused, or cut short, did not come to it.
    """
    watched = _by_file(rollout.watched)
    refused = dict.fromkeys(rollout.refused, str(outcome.error.code) if outcome.error is not None else "")
    found = {name: Ending("not-deployed", refused.get(name, "")) for name in published}
    found.update((f.name, Ending("partly-deployed", refused.get(f.name, ""))) for f in rollout.partly)
    found.update(dict.fromkeys(rollout.held, Ending("held")))
    found.update(dict.fromkeys(rollout.not_attempted, Ending("not-attempted")))
    found.update(dict.fromkeys(rollout.unread, Ending("unknown")))
    found.update((file.name, Ending("live")) for file in rollout.live_already)
    found.update((file.name, _deployed(watched.get(file.name, ()))) for file in rollout.deployed)
    for name, own in watched.items():
        state = _state_of_wait(own)
        if state is not None:
            found[name] = _waited(state, own)
    after = _states_after(rollout.restoration or Restoration())  # a reason stays: why that was necessary
    found.update((name, replace(found[name], state=state)) for name, state in after.items() if name in found)
    return {
        name: _taking(ending, found[name], watched.get(name, ()))
        if ending.state in ("published", "unchanged")
        else ending
        for name, ending in published.items()
    }


def _taking(published: Ending, ending: Ending, own: Sequence[Watched]) -> Ending:
    """Return an ending with the time it took; what was live took none."""
    seconds = published.seconds + max([0.0, *(item.seconds for item in own)])
    return ending if ending.state == "live" else replace(ending, seconds=seconds)


def _deployed(own: Sequence[Watched]) -> Ending:
    return Ending("ready" if own and all(item.end == "ready" for item in own) else "deployed")


def _waited(state: FileState, own: Sequence[Watched]) -> Ending:
    """Return how a file ended whose workloads are not all there."""
    if state not in ("failed", "unknown"):
        return Ending(_as_it_was(state, own), _share_ready(own))
    worst = [item for item in own if _STATE_OF_WAIT.get(item.end) == state]
    reasons = dict.fromkeys(workload_row(item).reason for item in worst)
    return Ending(_as_it_was(state, own), ", ".join(filter(None, reasons)))


def _states_after(way: Restoration) -> dict[str, FileState]:
    """Return how the files are that were deployed again as before, or were to be.

    What nobody saw is not said to be back, nor to be as the run left it.
    """
    states: dict[str, FileState] = dict.fromkeys(way.unseen, "unknown")
    back = _by_file(way.watched)
    for file in way.files:
        after = _state_of_wait(back.get(file.name, ())) or "unknown"
        states[file.name] = "restored" if way.is_ready(file.name) else after
    return states


def _state_of_wait(watched: Sequence[Watched]) -> FileState | None:
    """Return the state of a file whose workloads are not all there, None where they are."""
    ends = {item.end for item in watched}
    return next((state for end, state in _STATE_OF_WAIT.items() if end in ends), None)


def _as_it_was(state: FileState, watched: Sequence[Watched]) -> FileState:
    """Return the state of a file by how its workloads ended: one that was live before has not failed now."""
    was_live = all(item.workload.was_live for item in watched)
    return "live-not-ready" if was_live and state in ("failed", "rolling-out") else state


def _by_file(watched: Sequence[Watched]) -> dict[str, list[Watched]]:
    """Return the workloads by the file they come from."""
    files: dict[str, list[Watched]] = {}
    for item in watched:
        files.setdefault(item.workload.file_name, []).append(item)
    return files


def _share_ready(watched: Sequence[Watched]) -> str:
    """Return how many of the pods wanted are ready, "" where that could not be read."""
    known = [item.status for item in watched if item.status is not None]
    wanted = sum(status.wanted for status in known)
    return f"{sum(status.done for status in known)}/{wanted}" if wanted else ""
