"""The end of a run: leave report and manifests in the workspace, write the true output, say the verdict.

A report that can't be written, or not in time, costs the report, not the verdict: it becomes a warning in the
log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Optional, TypeVar

from bcs_template_set.agent.log import Log, masked_strings
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument, can_be_archived
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import StepError, defect_of
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.log_lines import LogLine
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.output import PAGE, holding_secrets, output_of, texts_of
from bcs_template_set.report.plan_document import plan_document
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.report.write_report import write_rendered, write_report, write_text
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
    keep = Keep(outcome, place, log.masker, limited)
    artifacts, plan, report = keep.rendered(rendered), keep.plan(), keep.report()
    page = report and str(place.file("report").below(PAGE))
    output = keep.output(report, artifacts, plan=plan)
    try:
        write_output(output)
    finally:
        log.group_end()  # inside, nobody would see the rows that begin the last lines
        show_lines(log, verdict_lines(keep.outcome, report_path=page))


@dataclass
class Keep:
    """Leaves the files of a run; each may fail, and none takes longer than there is time.

    `outcome` gains a warning for each that is not there. The masker is the last line of defence for every
    one of them.
    """

    outcome: Outcome
    place: RunFolder
    masker: Masker
    limited: Limited

    def rendered(self, files: Sequence[ManifestFile]) -> tuple[str, ...]:
        """Leave the manifests, but for a plan's; return where they are."""
        folder = self.place.file("rendered")
        wanted = () if self.outcome.heading.action == "plan" else files

        def leave() -> tuple[str, ...]:
            return write_rendered(folder, wanted, mask=self.masker.mask)

        return self._archived(self.attempt(leave, file=folder) if wanted else (), place=folder)

    def plan(self) -> tuple[str, ...]:
        """Leave the plan as JSON, where there is one; return where it is."""
        document, file = plan_document(self.outcome), self.place.file(PLAN)

        def leave() -> tuple[str, ...]:
            text = json.dumps(masked_strings(document, self.masker.mask), indent=2, ensure_ascii=False)
            return (str(write_text(file, text + "\n").absolute()),)

        return self._archived(self.attempt(leave, file=file) if document is not None else (), place=file)

    def report(self) -> str:
        """Leave the page; return its folder, relative to the workspace, "" where it is not there."""
        folder = self.place.file("report")

        def leave() -> str:
            from bcs_template_set.report.html import render_html  # noqa: PLC0415 - brings the template engine

            write_report(folder, self.masker.mask(render_html(self.outcome)))
            return f"{self.place.folder}/report"

        return self.attempt(leave, file=folder) or ""

    def _archived(self, paths: Optional[tuple[str, ...]], *, place: OwnFile) -> tuple[str, ...]:
        """Return the paths that the platform can keep; where it can't, that is a warning."""
        lost = [path for path in paths or () if not can_be_archived(path)]
        if lost:
            self._warn(say("report.not_archived", place=str(place)))
        return paths if paths and not lost else ()

    def output(self, report: str, artifacts: tuple[str, ...], *, plan: tuple[str, ...]) -> OutputDocument:
        """Return the output; all that is not in it as it should be is a warning."""
        outcome = self.outcome
        texts = texts_of(outcome)
        for warning in holding_secrets(texts, self.masker.holds):
            self._warn(warning)

        def spill(name: str, text: str) -> str:
            file = self.place.file(f"{name}.json")
            left = self.attempt(lambda: write_text(file, text), file=file)
            return f"{self.place.folder}/{name}.json" if left is not None else ""

        return output_of(
            outcome,
            report=report,
            rendered=artifacts,
            spill=spill,
            mask=self.masker.mask,
            texts=texts,
            plan=plan,
        )

    def attempt(self, leave: Callable[[], T], *, file: OwnFile) -> Optional[T]:
        """Return what `leave` left; where it could not, that is a warning: it must not cost the verdict."""
        try:
            with self.limited():
                return leave()
        except StepError as exc:
            self._warn(exc.title())
        except Stopped:
            self._warn(say("report.no_time", file=str(file)))
        except Exception as exc:  # noqa: BLE001 - not hidden: a warning with its kind and place
            self._warn(defect_of(exc).title())
        return None

    def _warn(self, warning: Text) -> None:
        self.outcome = replace(self.outcome, warnings=(*self.outcome.warnings, warning))


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
