"""What `doctor` has found out, check by check, as lines, as one object and as sentences. Pure.

A check that failed has the error that a run would end in: code, cause, cure and ids are that error's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Optional, Union

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.messages.text import one_line, pad, width
from bcs_template_set.records.late_dataclass import dataclass

State = Literal["ok", "failed", "skipped", "unknown"]
MARKS: dict[State, str] = {"ok": "✓", "failed": "✗", "skipped": "–", "unknown": "!"}
_ENDS = (".", "。", ":", "：", "!", "！", "?", "？")
MOST_TOLD = 3
"""Details of an error in its check's line; `check` and a run tell them all."""


@dataclass(frozen=True)
class Finding:
    """One check: `what` was seen, or why that is not known; where it failed, the `error` of a run."""

    id: str
    state: State
    what: Union[Text, StepError]

    @property
    def name(self) -> Text:
        """Return what the check is called."""
        return say(f"doctor.name_{self.id}")

    @property
    def error(self) -> Optional[StepError]:
        """Return why it failed, None where it did not."""
        return self.what if isinstance(self.what, StepError) else None


# --- for people -----------------------------------------------------------------------------------------


def lines_of(findings: Sequence[Finding], language: Language) -> list[str]:
    """Return a line for each check, its name in a column, and how many are in order."""
    names = [finding.name.render(language) for finding in findings]
    columns = max(map(width, names))
    lines = [
        f"{MARKS[finding.state]} {pad(name, columns)}  {told_of(finding, language)}"
        for name, finding in zip(names, findings)
    ]
    return [*lines, summary_of(findings).render(language)]


def told_of(finding: Finding, language: Language) -> str:
    """Return what a check's line says: what was seen, and for a failure what to do, its code and id."""
    error = finding.error
    if error is None:
        return what_of(finding, language)
    request = error.context.get("request_id")
    code = say("doctor.code_and_request" if request else "doctor.code", code=error.code, request=request)
    return _joined([what_of(finding, language), error.cure(), code], language)


def what_of(finding: Finding, language: Language) -> str:
    """Return what was seen."""
    return _joined(
        _sentences(finding.what) if isinstance(finding.what, StepError) else [finding.what], language
    )


def mistakes_of(findings: Sequence[Finding], language: Language) -> list[str]:
    """Return each failure with its check's name."""
    return [
        say("doctor.mistake", name=finding.name, told=told_of(finding, language)).render(language)
        for finding in findings
        if finding.error is not None
    ]


def summary_of(findings: Sequence[Finding]) -> Text:
    """Return how many checks are in order, and which are not."""
    counts = {"good": sum(f.state == "ok" for f in findings), "total": len(findings)}
    names = [finding.name for finding in findings if finding.state == "failed"]
    return say("doctor.some" if names else "doctor.all", count=len(names), names=names, **counts)


def first_error(findings: Sequence[Finding]) -> Optional[StepError]:
    """Return the error of the first check that failed, None where none did."""
    return next((finding.error for finding in findings if finding.error is not None), None)


def _sentences(error: StepError) -> list[Detail]:
    more = len(error.details) - MOST_TOLD
    rest = [say("report.more_details", count=more)] if more > 0 else []
    permission, url = error.context.get("permission"), error.context.get("apply_url")
    if permission or url:
        rest.append(
            say("doctor.apply" if url else "doctor.permission", permission=permission or "?", url=url)
        )
    return [error.title(), *error.details[:MOST_TOLD], *rest]


def _joined(sentences: Sequence[Detail], language: Language) -> str:
    """Return sentences as one line; what a server says may lack its full stop."""
    blank, stop = (" ", ".") if language == "en_US" else ("", "。")
    texts = [one_line(part.render(language) if isinstance(part, Text) else part) for part in sentences]
    ended = [text if text.endswith(_ENDS) else text + stop for text in texts[:-1]]
    return blank.join([*ended, *texts[-1:]])


# --- for programs ---------------------------------------------------------------------------------------


def document_of(findings: Sequence[Finding], language: Language) -> dict[str, object]:
    """Return the one object that `--json` prints."""
    return {
        "ok": first_error(findings) is None,
        "checks": [_entry(finding, language) for finding in findings],
    }


def _entry(finding: Finding, language: Language) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": finding.id,
        "state": finding.state,
        "what": what_of(finding, language),
    }
    error = finding.error
    if error is not None:
        entry["cure"] = one_line(error.cure().render(language))
        entry["code"] = error.code
        if error.context.get("request_id"):
            entry["request_id"] = error.context["request_id"]
    return entry
