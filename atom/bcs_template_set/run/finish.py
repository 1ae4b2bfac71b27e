"""The end of a run: leave report and manifests in the workspace, write the true output, say the verdict.

A report that can't be written, or not in time, costs the report, not the verdict: it becomes a warning in the
log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, TypeVar

from bcs_template_set.agent.log import Log, masked_strings
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument, can_be_archived
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.step_error import StepError, defect_of
from bcs_template_set.report.log_lines import LogLine
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.output import ReportPlace, holding_secrets, output_of, texts_of
from bcs_template_set.report.plan_document import plan_document
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.report.write_report import PAGE, write_rendered, write_report, write_text
from bcs_template_set.system.own_files import OwnFile
from bcs_template_set.system.signals import Stopped

T = TypeVar("T")
PLAN = "plan.json"
Limited = Callable[[], AbstractContextManager[None]]
"""Stops what is done inside, by `Stopped`, when there is no more time for it."""


@dataclass(frozen=True)
class RunFolder:
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
    place: RunFolder,
    write_output: Callable[[OutputDocument], None],
    log: Log,
    limited: Limited = nullcontext,
) -> None:
    """Leave the run's files, write its output, and print its last lines, in this order.

    Inside `limited`, the files are given up when the time for them is over.

    Raises:
        WorkspaceUnwritable: output.json can't be written; the pessimistic one still stands, and the
            verdict is in the log all the same.
    """
    keep = Keep(place, log.masker, limited)
    kept, artifacts = keep.rendered(outcome, rendered)
    kept, plan = keep.plan(kept)
    told, report = keep.report(kept)
    page = str(place.file("report").below(PAGE)) if report is not None else ""
    told, output = keep.output(told, report, artifacts, plan=plan)
    try:
        write_output(output)
    finally:
        log.group_end()  # inside, nobody would see the rows that begin the last lines
        show_lines(log, verdict_lines(told, report_path=page))


@dataclass(frozen=True)
class Keep:
    """Leaves the files of a run; each may fail, and none takes longer than there is time.

    The masker is the last line of defence for every one of them.
    """

    place: RunFolder
    masker: Masker
    limited: Limited

    def rendered(self, outcome: Outcome, files: Sequence[ManifestFile]) -> tuple[Outcome, tuple[str, ...]]:
        """Leave the manifests, but for a plan's; return the outcome and where they are."""
        if outcome.heading.action == "plan" or not files:
            return outcome, ()
        folder = self.place.file("rendered")
        told, paths = self.attempt(
            outcome, lambda: write_rendered(folder, files, mask=self.masker.mask), file=folder
        )
        return self._archived(told, paths or (), place=folder)

    def plan(self, outcome: Outcome) -> tuple[Outcome, tuple[str, ...]]:
        """Leave the plan as JSON, where there is one; return the outcome and where it is."""
        document = plan_document(outcome)
        if document is None:
            return outcome, ()
        file = self.place.file(PLAN)

        def leave() -> str:
            text = json.dumps(masked_strings(document, self.masker.mask), indent=2, ensure_ascii=False)
            return str(write_text(file, text + "\n").absolute())

        told, path = self.attempt(outcome, leave, file=file)
        return self._archived(told, (path,) if path is not None else (), place=file)

    def report(self, outcome: Outcome) -> tuple[Outcome, Optional[ReportPlace]]:
        """Leave the page; return the outcome and where it is."""
        folder = self.place.file("report")

        def leave() -> ReportPlace:
            from bcs_template_set.report.html import render_html  # noqa: PLC0415 - brings the template engine

            write_report(folder, self.masker.mask(render_html(outcome)))
            return ReportPlace(f"{self.place.folder}/report")

        return self.attempt(outcome, leave, file=folder)

    def _archived(
        self, outcome: Outcome, paths: tuple[str, ...], *, place: OwnFile
    ) -> tuple[Outcome, tuple[str, ...]]:
        """Return the paths that the platform can keep, or the outcome with a warning."""
        if all(map(can_be_archived, paths)):
            return outcome, paths
        warning = say("report.not_archived", place=str(place))
        return replace(outcome, warnings=(*outcome.warnings, warning)), ()

    def output(
        self,
        outcome: Outcome,
        report: Optional[ReportPlace],
        artifacts: tuple[str, ...],
        *,
        plan: tuple[str, ...],
    ) -> tuple[Outcome, OutputDocument]:
        """Return the output, and the outcome with a warning for all that is not in it as it should be."""
        texts = texts_of(outcome)
        warnings = list(holding_secrets(texts, self.masker.holds))

        def spill(name: str, text: str) -> str:
            file = self.place.file(f"{name}.json")
            try:
                with self.limited():
                    write_text(file, text)
            except WorkspaceUnwritable as exc:  # the verdict matters more; "" says that there is no such file
                warnings.append(exc.title())
                return ""
            except Stopped:
                warnings.append(say("report.no_time", file=str(file)))
                return ""
            return f"{self.place.folder}/{name}.json"

        output = output_of(
            outcome,
            report=report,
            rendered=artifacts,
            spill=spill,
            mask=self.masker.mask,
            texts=texts,
            plan=plan,
        )
        return replace(outcome, warnings=(*outcome.warnings, *warnings)), output

    def attempt(
        self, outcome: Outcome, leave: Callable[[], T], *, file: OwnFile
    ) -> tuple[Outcome, Optional[T]]:
        """Return what `leave` left, or the outcome with a warning: it must not cost the verdict."""
        try:
            with self.limited():
                return outcome, leave()
        except StepError as exc:
            warning = exc.title()
        except Stopped:
            warning = say("report.no_time", file=str(file))
        except Exception as exc:  # noqa: BLE001 - not hidden: a warning with its kind and place
            warning = defect_of(exc).title()
        return replace(outcome, warnings=(*outcome.warnings, warning)), None


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
