"""The end of a run: leave report and manifests in the workspace, write the true output, say the verdict.

A report that can't be written, or not in time, costs the report, not the verdict: it becomes a warning in the
log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, TypeVar

from bcs_template_set.atom_sdk.log import Log
from bcs_template_set.defects import defect_of
from bcs_template_set.errors import StepError, WorkspaceUnwritable
from bcs_template_set.interruption import Stopped
from bcs_template_set.manifests.parse import ManifestFile
from bcs_template_set.messages import say
from bcs_template_set.outcome import Outcome
from bcs_template_set.report.log_lines import LogLine, verdict_lines
from bcs_template_set.report.output import Output, ReportPlace, output_of
from bcs_template_set.report.writing import write_rendered, write_report, write_text

T = TypeVar("T")
Mask = Callable[[str], str]
"""Takes secrets out of a text: the last line of defence for every file that the run leaves."""

Limited = Callable[[], AbstractContextManager[None]]
"""Stops what is done inside, by `Stopped`, when there is no more time for it."""


@dataclass(frozen=True)
class Place:
    """Where a run may leave files: `folder`, relative to the workspace, which no other task shares."""

    workspace: Path
    folder: str

    def path(self, name: str) -> Path:
        """Return the absolute path of a file or directory of this run."""
        return self.workspace / self.folder / name


def end_run(
    outcome: Outcome,
    *,
    rendered: Sequence[ManifestFile],
    place: Place,
    write_output: Callable[[Output], None],
    log: Log,
    limited: Limited = nullcontext,
) -> None:
    """Leave the run's files, write its output, and print its last lines, in this order.

    Inside `limited`, the files are given up when the time for them is over.

    Raises:
        WorkspaceUnwritable: output.json can't be written; the pessimistic one still stands, and the
            verdict is in the log all the same.
    """
    mask = log.masker.mask
    keep = Keep(place, mask, limited)
    kept, artifacts = keep.rendered(outcome, rendered)
    told, report = keep.report(kept)
    page = str(place.path("report") / "index.html") if report is not None else ""
    try:
        write_output(output_of(told, report=report, rendered=artifacts, spill=keep.spill))
    finally:
        log.group_end()  # inside, nobody would see the rows that begin the last lines
        show_lines(log, verdict_lines(told, report_path=page))


@dataclass(frozen=True)
class Keep:
    """Leaves the files of a run; each may fail, and none takes longer than there is time."""

    place: Place
    mask: Mask
    limited: Limited

    def rendered(self, outcome: Outcome, files: Sequence[ManifestFile]) -> tuple[Outcome, tuple[str, ...]]:
        """Leave the manifests, but for a plan's; return the outcome and where they are."""
        if outcome.heading.action == "plan" or not files:
            return outcome, ()
        folder = self.place.path("rendered")
        told, paths = self.attempt(
            outcome, lambda: write_rendered(folder, files, mask=self.mask), path=folder
        )
        return told, paths or ()

    def report(self, outcome: Outcome) -> tuple[Outcome, Optional[ReportPlace]]:
        """Leave the page; return the outcome and where it is."""

        def leave() -> ReportPlace:
            from bcs_template_set.report.html import render_html  # noqa: PLC0415 - brings the template engine

            write_report(self.place.path("report"), self.mask(render_html(outcome)))
            return ReportPlace(f"{self.place.folder}/report")

        return self.attempt(outcome, leave, path=self.place.path("report"))

    def spill(self, name: str, text: str) -> str:
        """Leave a list that is too long for output.json; "" where that fails: the verdict matters more."""
        try:
            with self.limited():
                write_text(self.place.path(f"{name}.json"), self.mask(text))
        except (WorkspaceUnwritable, Stopped):
            return ""
        return f"{self.place.folder}/{name}.json"

    def attempt(self, outcome: Outcome, leave: Callable[[], T], *, path: Path) -> tuple[Outcome, Optional[T]]:
        """Return what `leave` left, or the outcome with a warning: it must not cost the verdict."""
        error: StepError
        try:
            with self.limited():
                return outcome, leave()
        except StepError as exc:
            error = exc
        except Stopped:
            return replace(outcome, warnings=(*outcome.warnings, say("report.no_time", file=path))), None
        except Exception as exc:  # noqa: BLE001 - not hidden: a warning with its kind and place
            error = defect_of(exc)
        return replace(outcome, warnings=(*outcome.warnings, error.title())), None


def show_lines(log: Log, lines: Sequence[LogLine]) -> None:
    """Write lines of the report to the log."""
    kinds = {
        "info": log.info,
        "plain": log.plain,
        "warning": log.warning,
        "error": log.error,
        "group": log.group_start,
        "foreign": log.foreign,
    }
    for line in lines:
        if line.kind == "endgroup":
            log.group_end()
        else:
            kinds[line.kind](line.text)
