"""The end of a run: leave report and manifests in the workspace, write the true output, say the verdict.

A report that can't be written costs the report, not the verdict: it becomes a warning in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, TypeVar

from bcs_template_set.atom_sdk.log import Log
from bcs_template_set.atom_sdk.masking import Masker
from bcs_template_set.atom_sdk.output import can_be_archived
from bcs_template_set.defects import defect_of
from bcs_template_set.errors import StepError, WorkspaceUnwritable
from bcs_template_set.manifests.parse import ManifestFile
from bcs_template_set.messages import say
from bcs_template_set.outcome import Outcome
from bcs_template_set.own_files import OwnFile
from bcs_template_set.report.log_lines import LogLine, verdict_lines
from bcs_template_set.report.output import Output, ReportPlace, holding_secrets, output_of
from bcs_template_set.report.writing import PAGE, write_rendered, write_report, write_text

T = TypeVar("T")
Mask = Callable[[str], str]
"""Takes secrets out of a text: the last line of defence for every file that the run leaves."""


@dataclass(frozen=True)
class Place:
    """Where a run may leave files: `folder`, relative to the workspace, which no other task shares."""

    workspace: Path
    folder: str

    def file(self, name: str) -> OwnFile:
        """Return a file or directory of this run."""
        return OwnFile(self.workspace, self.folder).below(name)


def end_run(
    outcome: Outcome,
    *,
    rendered: Sequence[ManifestFile],
    place: Place,
    write_output: Callable[[Output], None],
    log: Log,
) -> None:
    """Leave the run's files, write its output, and print its last lines, in this order.

    Raises:
        WorkspaceUnwritable: output.json can't be written; the pessimistic one still stands, and the
            verdict is in the log all the same.
    """
    mask = log.masker.mask
    kept, artifacts = _keep_rendered(outcome, rendered, place=place, mask=mask)
    told, report = _keep_report(kept, place=place, mask=mask)
    page = str(place.file("report").below(PAGE)) if report is not None else ""
    told, output = _output(told, report, artifacts, place=place, masker=log.masker)
    try:
        write_output(output)
    finally:
        log.group_end()  # inside, nobody would see the rows that begin the last lines
        show_lines(log, verdict_lines(told, report_path=page))


def _keep_rendered(
    outcome: Outcome, rendered: Sequence[ManifestFile], *, place: Place, mask: Mask
) -> tuple[Outcome, tuple[str, ...]]:
    if outcome.heading.action == "plan" or not rendered:
        return outcome, ()
    told, paths = _try(outcome, lambda: write_rendered(place.file("rendered"), rendered, mask=mask))
    if all(map(can_be_archived, paths or ())):
        return told, paths or ()
    warning = say("report.not_archived", place=str(place.file("rendered")))
    return replace(told, warnings=(*told.warnings, warning)), ()


def _keep_report(outcome: Outcome, *, place: Place, mask: Mask) -> tuple[Outcome, Optional[ReportPlace]]:
    def leave() -> ReportPlace:
        from bcs_template_set.report.html import render_html  # noqa: PLC0415 - brings the template engine

        write_report(place.file("report"), mask(render_html(outcome)))
        return ReportPlace(f"{place.folder}/report")

    return _try(outcome, leave)


def _try(outcome: Outcome, leave: Callable[[], T]) -> tuple[Outcome, Optional[T]]:
    """Return what `leave` left, or the outcome with a warning: it must not cost the verdict."""
    try:
        return outcome, leave()
    except StepError as exc:
        error = exc
    except Exception as exc:  # noqa: BLE001 - not hidden: a warning with its kind and place
        error = defect_of(exc)
    return replace(outcome, warnings=(*outcome.warnings, error.title())), None


def _output(
    outcome: Outcome,
    report: Optional[ReportPlace],
    artifacts: tuple[str, ...],
    *,
    place: Place,
    masker: Masker,
) -> tuple[Outcome, Output]:
    """Return the output, and the outcome with a warning for all that is not in it as it should be."""
    warnings = list(holding_secrets(outcome, masker.holds))

    def spill(name: str, text: str) -> str:
        try:
            write_text(place.file(f"{name}.json"), text)
        except WorkspaceUnwritable as exc:  # the verdict matters more; "" says that there is no such file
            warnings.append(exc.title())
            return ""
        return f"{place.folder}/{name}.json"

    output = output_of(outcome, report=report, rendered=artifacts, spill=spill, mask=masker.mask)
    return replace(outcome, warnings=(*outcome.warnings, *warnings)), output


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
