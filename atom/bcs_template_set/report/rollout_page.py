"""What the HTML page shows of a deployment, as values: files, differences, bars. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bcs_template_set.messages.errors import Detail, RolloutBlocked, RolloutFailed, RolloutTimedOut
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.page import DIFF_LINES, DIFF_LINES_PER_FILE, Diff, diff_of
from bcs_template_set.report.workload_rows import rows_of_rollout
from bcs_template_set.rollout.deployment_plan import FileVersion
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import End, Watched


@dataclass(frozen=True)
class FileLine:
    """A file that was deployed or is live already; `before` is the version live before, "" for none."""

    name: str
    version: str
    before: str


@dataclass(frozen=True)
class WorkloadBar:
    """How long a workload was waited for, in per cent of the longest wait."""

    title: str
    state: End
    seconds: float
    length: float


@dataclass(frozen=True)
class LiveDiff:
    """What deploying changes of one live object."""

    title: str
    diff: Diff


def short_details(outcome: Outcome) -> list[Detail] | None:
    """Return a line for each workload that is not ready, None where the error is not about workloads.

    The workloads' own rows, right below, tell the rest.
    """
    about_workloads = isinstance(outcome.error, (RolloutFailed, RolloutBlocked, RolloutTimedOut))
    if not about_workloads or outcome.rollout is None:
        return None
    lines: list[Detail] = [row.short_line for row in rows_of_rollout(outcome) if not row.is_settled]
    return lines or None


def deployed_files(rollout: Rollout) -> tuple[FileLine, ...]:
    """Return the files that were deployed."""
    before = dict(rollout.before)
    return tuple(_file_line(file, before=before.get(file.name, "")) for file in rollout.deployed)


def live_files(rollout: Rollout) -> tuple[FileLine, ...]:
    """Return the files that were live already and were left alone."""
    return tuple(_file_line(file, before="") for file in rollout.live_already)


def _file_line(file: FileVersion, *, before: str) -> FileLine:
    return FileLine(file.name, file.version, before)


def live_diffs(rollout: Rollout) -> tuple[LiveDiff, ...]:
    """Return what deploying changes, object by object, as much of it as the page has room for."""
    left = DIFF_LINES
    found: list[LiveDiff] = []
    for title, text in rollout.differences:
        diff = diff_of(text, most=min(DIFF_LINES_PER_FILE, left))
        left -= diff.shown
        found.append(LiveDiff(title, diff))
    return tuple(found)


def workload_bars(watched: Sequence[Watched]) -> tuple[WorkloadBar, ...]:
    """Return how long each workload was waited for, the longest first; all begin with the wait."""
    whole = max([0.001, *(item.seconds for item in watched)])
    bars = [
        WorkloadBar(item.workload.title, item.end, item.seconds, round(100 * item.seconds / whole, 2))
        for item in watched
    ]
    return tuple(sorted(bars, key=lambda bar: (-bar.seconds, bar.title)))
