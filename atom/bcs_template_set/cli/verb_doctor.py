"""`bcs-template-set doctor`: whether everything is set up, a line a check, as `action: doctor`."""

from __future__ import annotations

import argparse
import io
import os
import sys

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import guarded
from bcs_template_set.cli.desk_cures import in_settings
from bcs_template_set.cli.desk_log import GREEN, RED, YELLOW, has_colours, painted_mark
from bcs_template_set.cli.verb_plan import at_a_desk
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.messages.text import json_text
from bcs_template_set.report.examination import MARKS, document_of, first_error, lines_of
from bcs_template_set.run.doctor import examine, without_settings
from bcs_template_set.run.doctor_exam import Exam
from bcs_template_set.system.stdout import put

_COLOURS = {MARKS["ok"]: GREEN, MARKS["failed"]: RED, MARKS["unknown"]: YELLOW}


def show_doctor(options: argparse.Namespace, *, errors: Log) -> int:
    """Print what every check has found; return 0, or 1 where one failed."""
    masker, language, settings_file = errors.masker, errors.language, str(options.settings)
    log = Log(io.StringIO(), language, masker=masker)  # what a run says is no line of a check
    try:
        with at_a_desk(settings_file, log=log) as services:
            findings = examine(Exam(services))
    except StepError as exc:
        findings = without_settings(exc)
    for error in [finding.error for finding in findings if finding.error is not None]:
        in_settings(error, settings_file)
    coloured = has_colours(sys.stdout, os.environ)
    if options.json:
        lines = [json_text(document_of(findings, language))]
    else:
        lines = [guarded(line) for line in lines_of(findings, language)]
    for line in lines:
        shown = masker.mask(line)
        put(sys.stdout, (painted_mark(shown, _COLOURS) if coloured else shown) + "\n")
    return 0 if first_error(findings) is None else 1
