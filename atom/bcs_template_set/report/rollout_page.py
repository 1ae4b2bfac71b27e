"""What the HTML page shows of a deployment, as values: workloads, files, differences, bars. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import RolloutFailed
from bcs_template_set.messages.server_errors import RolloutBlocked, RolloutTimedOut
from bcs_template_set.messages.step_error import Detail
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.page import DIFF_LINES, DIFF_LINES_PER_FILE, Diff, diff_of
from bcs_template_set.rollout.causes import evidence_of
from bcs_template_set.rollout.deployment_plan import FileVersion
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import Watched

_ORDER: tuple[WorkloadState, ...] = ("failed", "pending", "ready", "nothing")
SYMBOLS: Mapping[WorkloadState, str] = {"failed": "✗", "pending": "…", "ready": "✓", "nothing": "–"}


@dataclass(frozen=True)
class WorkloadRow:
    """A workload: its state, where it stands, why, what the cluster says of it, and the one thing to do."""

    kind: str
    name: str
    state: WorkloadState
    done: int
    wanted: int
    seconds: float
    sentence: Text
    causes: tuple[Text, ...] = ()
    evidence: tuple[Text, ...] = ()
    cure: Text | None = None


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
    state: WorkloadState
    seconds: float
    length: float


@dataclass(frozen=True)
class LiveDiff:
    """What deploying changes of one live object."""

    title: str
    diff: Diff


def workload_rows(watched: Sequence[Watched]) -> tuple[WorkloadRow, ...]:
    """Return the workloads, those that need eyes first."""
    rows = [_workload_row(item) for item in watched]
    return tuple(sorted(rows, key=lambda row: (_ORDER.index(row.state), row.kind, row.name)))


def _workload_row(item: Watched) -> WorkloadRow:
    status, cause = item.status, item.cause
    causes = [cause.sentence] if cause is not None else []
    if item.error is not None:
        causes.append(item.error.title())
    return WorkloadRow(
        kind=item.workload.kind.name,
        name=item.workload.name,
        state=item.end,
        done=status.done if status is not None else 0,
        wanted=status.wanted if status is not None else 0,
        seconds=item.seconds,
        sentence=status.sentence if status is not None else say("deploy.never_seen"),
        causes=tuple(causes),
        evidence=evidence_of(item.problem) if item.problem is not None else (),
        cure=cause.cure if cause is not None else None,
    )


def short_details(outcome: Outcome) -> list[Detail] | None:
    """Return a line for each workload that is not ready, None where the error is not about workloads.

    The workloads' own rows, right below, tell the rest.
    """
    about_workloads = isinstance(outcome.error, (RolloutFailed, RolloutBlocked, RolloutTimedOut))
    if not about_workloads or outcome.rollout is None:
        return None
    rows = workload_rows(outcome.rollout.watched)
    lines: list[Detail] = [_short_line(row) for row in rows if row.state in ("failed", "pending")]
    return lines or None


def _short_line(row: WorkloadRow) -> Text:
    line = say("report.workload_line", object=f"{row.kind}/{row.name}", reason=(*row.causes, row.sentence)[0])
    if row.cure is None:
        return line
    return say("report.workload_cure", line=line, cure=say("context.cure", value=row.cure))


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
