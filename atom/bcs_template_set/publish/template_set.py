"""Publish the run's files as a template set, which BCS makes a Helm chart of, and look what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import ChartVersion
from bcs_template_set.bcs.space.read_space import read_chart
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import VersionConflict
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Plan
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.publish.write_once import write_once


def publish_chart(publishing: Publishing, plan: Plan, files: Sequence[FileOutcome]) -> tuple[Text, ...]:
    """Publish the run's files as the template set, and return what could not be verified, as warnings.

    Templates that BCS does not find are dropped silently (trap 14), so what is there afterwards is compared
    with what was asked, where helm-manager may be asked.

    Raises:
        VersionConflict: somebody else has published this version of the template set since the plan.
        StepError: BCS refused, or the template set lacks files.
    """
    target = publishing.desired.target
    call = protocol.create_template_set(
        target.project,
        name=target.template_set,
        version=publishing.version,
        description=publishing.desired.provenance.line("".join(f.text for f in publishing.desired.files)),
        templates=[(target.space, outcome.change.name, outcome.version) for outcome in files],
        force=plan.chart_overwrites,
    )

    def send() -> str:
        publishing.writer.write(call)
        return target.template_set

    def read_back() -> Optional[str]:
        chart, readable = _read_chart(publishing)
        if not readable:
            raise OutcomeUnknown(url=call.path, problem=say("publish.chart_unreadable"))
        return target.template_set if chart is not None else None

    try:
        write_once(publishing.clock, send, read_back=read_back)
    except BcsFailed as exc:
        _explain_refusal(publishing, exc)
    return _check_chart(publishing)


def _explain_refusal(publishing: Publishing, error: BcsFailed) -> None:
    """Return if the refused template set is there all the same; raise why it can't be made otherwise.

    BCS says of a version that exists what it says of a repository that fails (`UploadChart`, 2026-07).

    Raises:
        VersionConflict: it is there, with other templates.
        BcsFailed: it is not there, or can't be looked for.
    """
    chart, readable = _read_chart(publishing)
    if not readable:
        details = [*error.details, say("publish.chart_maybe_there", version=publishing.version)]
        again = BcsFailed(bcs_code=error.bcs_code, message=error.message, details=details)
        raise again.with_context(**error.context) from error
    if chart is None:
        raise error
    if _missing_from(chart, publishing):
        name = publishing.desired.target.template_set
        raise VersionConflict(
            details=[say("plan.chart_conflict", name=name, version=publishing.version)]
        ) from error


def _check_chart(publishing: Publishing) -> tuple[Text, ...]:
    """Compare the template set that is there with what was asked.

    Raises:
        BcsFailed: it lacks files, or holds others.
    """
    name = publishing.desired.target.template_set
    try:
        chart, readable = _read_chart(publishing)
    except StepError:
        chart, readable = None, False
    if not readable:
        return (say("publish.chart_unverified", name=name, version=publishing.version),)
    missing = _missing_from(chart, publishing)
    if missing:
        raise BcsFailed(bcs_code=0, message=say("publish.chart_incomplete", names=missing))
    return ()


def _missing_from(chart: Optional[ChartVersion], publishing: Publishing) -> list[str]:
    held = chart.template_contents() if chart is not None else {}
    return sorted(file.name for file in publishing.desired.files if held.get(file.name) != file.text)


def _read_chart(publishing: Publishing) -> tuple[Optional[ChartVersion], bool]:
    target = publishing.desired.target
    return read_chart(
        publishing.writer, target.project, template_set=target.template_set, version=publishing.version
    )
