"""`doctor`: whether everything is set up, check by check. It only reads.

A check that rests on another one is not made where that one failed, and names it; all others are made. What
an answer means is what it means to a run: a failed check has that error. Which check a refusal belongs to
is told by the refusal: an app without a grant is no missing permission of the user.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.server_errors import (
    OutOfTime,
)
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.examination import Finding, first_error, lines_of
from bcs_template_set.report.log_lines import LogLine
from bcs_template_set.run import doctor_checks as checks
from bcs_template_set.run.context import Services
from bcs_template_set.run.doctor_exam import HOMES, Exam, NotOk, Waits, value_of
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.settings_phase import show_identity
from bcs_template_set.system.parallel import Done


@dataclass(frozen=True)
class Check:
    """A check: what it rests on, and what finds out; that returns what was seen, or raises why not."""

    id: str
    rests_on: tuple[str, ...]
    ask: Callable[[Exam], Text]
    is_wanted: Callable[[Exam], bool] = lambda _: True


def examine(exam: Exam) -> tuple[Finding, ...]:
    """Return what every check has found; those that nothing asks for are left out."""
    return tuple(_made(check, exam) for check in CHECKS if check.is_wanted(exam))


def without_settings(error: StepError) -> tuple[Finding, ...]:
    """Return what is known where not even the settings could be read."""
    return tuple(
        Finding(check.id, "failed", error) if check.id == "settings" else _skipped(check.id, "settings")
        for check in CHECKS[:-1]
    )


def doctor_run(services: Services, *, exam_of: Callable[[Services], Exam] = Exam) -> Result:
    """Examine, as a step: the findings go into the record, with the first one's error."""
    services.record.heading = replace(services.record.heading, action="doctor")
    with services.record.phase("doctor"):
        exam = exam_of(services)
        if isinstance(exam.principal, Done):
            show_identity(value_of(exam.context), exam.principal.value)
        findings = examine(exam)
    services.record.findings = findings
    language = services.record.language
    show_lines(services.log, [LogLine("plain", line) for line in lines_of(findings, language)])
    error = first_error(findings)
    if error is not None:
        raise error
    return "checked"


def _made(check: Check, exam: Exam) -> Finding:
    finding = _finding(check, exam)
    exam.states[check.id] = finding.state
    return finding


def _finding(check: Check, exam: Exam) -> Finding:
    blocking = [name for name in check.rests_on if exam.states[name] in ("failed", "skipped")]
    if blocking:
        return _waiting(check, exam, blocking[0])
    try:
        return Finding(check.id, "ok", check.ask(exam))
    except Waits as exc:
        return _waiting(check, exam, exc.check)
    except NotOk as exc:
        return Finding(check.id, exc.state, exc.what)
    except StepError as exc:
        return _judged(check, exam, exc)


def _judged(check: Check, exam: Exam, error: StepError) -> Finding:
    """Return what an error says of the check that met it: nothing where it is another one's, told there."""
    home = HOMES.get(type(error), check.id)
    if exam.states.get(home) == "failed":
        return _waiting(check, exam, home)
    if isinstance(error, OutOfTime):
        return Finding(check.id, "unknown", say("doctor.no_time", seconds=error.seconds))
    return Finding(check.id, "failed", error)


def _waiting(check: Check, exam: Exam, waits_for: str) -> Finding:
    """Return that a check waits for another one: for the one that failed, where that one waits itself."""
    exam.waiting[check.id] = exam.waiting.get(waits_for, waits_for)
    return _skipped(check.id, exam.waiting[check.id])


def _skipped(check: str, waits_for: str) -> Finding:
    return Finding(check, "skipped", say("doctor.waits", name=say(f"doctor.name_{waits_for}")))


CHECKS: tuple[Check, ...] = (
    Check("settings", (), checks.check_settings),
    Check("values", ("settings",), checks.check_values),
    Check("user", ("settings",), checks.check_user),
    Check("app", ("settings",), checks.check_app),
    Check("machine", (), checks.check_machine),
    Check("name", ("settings",), checks.check_name),
    Check("connection", ("name",), checks.check_connection),
    Check("gateway", ("connection",), checks.check_gateway),
    Check("prefix", ("gateway",), checks.check_prefix),
    Check("secret", ("user", "app", "prefix"), checks.check_secret),
    Check("grants", ("secret",), checks.check_grants),
    Check("passed", ("secret",), checks.check_passed),
    Check("project", ("secret",), checks.check_project),
    Check("folder", ("secret",), checks.check_folder),
    Check("bcs", ("user", "app", "prefix"), checks.check_bcs),
    Check("cluster", ("secret",), checks.check_cluster),
    Check("namespace", ("cluster",), checks.check_namespace),
    Check("view", ("cluster",), checks.check_view),
    Check("deploy", ("cluster",), checks.check_deploy),
    Check(
        "template_set", ("secret",), checks.check_template_set, is_wanted=lambda exam: bool(exam.template_set)
    ),
)
"""Every check, in the order in which they are told: none rests on a later one."""
