"""`bcs-template-set doctor`: whether everything is set up, a line a check, as `action: doctor`."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.agent.masker import Masker
from bcs_template_set.cli.verb_plan import LocalAgent, read_settings_file, services_at_desk
from bcs_template_set.messages import Language
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.examination import Finding, document_of, first_error, lines_of
from bcs_template_set.run.doctor import examine, without_settings
from bcs_template_set.run.doctor_exam import Exam
from bcs_template_set.system.clock import SystemClock
from bcs_template_set.system.stdout import put


def show_doctor(settings_file: str, *, as_json: bool, language: Language) -> int:
    """Print what every check has found; return 0, or 1 where one failed."""
    masker = Masker()
    log = Log(io.StringIO(), language, masker=masker)  # what a run says is no line of a check
    try:
        agent = LocalAgent(read_settings_file(Path(settings_file)), action="doctor")
        findings = examine(Exam(services_at_desk(agent, log=log, clock=SystemClock())))
    except StepError as exc:
        findings = without_settings(exc)
    for line in _printed(findings, as_json=as_json, language=language):
        put(sys.stdout, masker.mask(line) + "\n")
    return 0 if first_error(findings) is None else 1


def _printed(findings: Sequence[Finding], *, as_json: bool, language: Language) -> list[str]:
    if as_json:
        return [json.dumps(document_of(findings, language), indent=2, ensure_ascii=False)]
    return [guarded(line) for line in lines_of(findings, language)]
