"""Findings as documents for other tools: JSON, SARIF 2.1.0, JUnit XML. Pure: performs no I/O.

SARIF: "Static Analysis Results Interchange Format", OASIS, 2.1.0, sections 3.11 (message), 3.19 (tool
component), 3.27 (result), 3.29 (physical location), 3.30 (region) and 3.49 (rule). JUnit: what Jenkins'
plugin and BK-CI's unit test report read of it, `testsuite` and `testcase` with `failure`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable, Literal, NamedTuple
from urllib.parse import quote

from bcs_template_set.cli.desk_cures import cure_at_desk
from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import MISTAKES, place_of
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.messages.text import one_line

TOOL = "bcs-template-set"
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


_KINDS: Mapping[str, type[StepError]] = {**MISTAKES, "input": InputsInvalid}
"""What is found that is no check: its id, and the error that says what to do."""

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""As `html.escape` has it, whose module takes a hundredth of a run to import."""

_PAGES: Mapping[Language, str] = {"en_US": ".md", "zh_CN": ".zh-CN.md"}
"""How the names of the project's own pages end."""

_NO_FILES = ("input", "version-name")
"""What is wrong with an argument, which no file has."""


def input_mistake(problem: Detail) -> Finding:
    """Return what is wrong with the arguments as a finding."""
    message = say("checks.finding_here", message=problem)
    return Finding("input", "", "", "", message, say("local.cure_arguments"))


class Checked(NamedTuple):
    """What a check came to: all findings, the names of the files that were looked at, and its verdict."""

    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    failed: bool
    language: Language
    tool_version: str

    def words(self, text: Text) -> str:
        """Return a sentence in the language of the document, on one line."""
        return one_line(text.render(self.language))


def json_document(checked: Checked) -> str:
    """Return the findings as JSON; what is not known of one is null."""
    return _json(
        {
            "tool": {"name": TOOL, "version": checked.tool_version},
            "failed": checked.failed,
            "files": len(checked.files),
            "counts": dict(Counter(finding.id for finding in checked.findings)),
            "findings": [_plain(finding, checked) for finding in checked.findings],
        }
    )


def _plain(finding: Finding, checked: Checked) -> dict[str, object]:
    at = finding.found_in
    kind, _, name = finding.document.partition("/")
    known = {
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "value": at.value,
        "host": at.host,
        "manifest": finding.file if finding.id not in _KINDS else "",
        "document": finding.document,
        "kind": kind,
        "name": name,
        "field": finding.field,
        "check": finding.id,
        "severity": _level(finding),
        "message": checked.words(finding.message),
        "hint": checked.words(finding.hint),
        "allowed_by": "" if finding.id in _KINDS else f"# bcs-template-set: allow {finding.id}",
    }
    return {key: None if value in ("", 0, "?") else value for key, value in known.items()}


def _level(finding: Finding) -> Literal["warning", "error"]:
    return "warning" if finding.is_warning else "error"


def sarif_document(checked: Checked) -> str:
    """Return the findings as SARIF, which GitHub, GitLab and editors show beside the line."""
    rules = [*(check.id for check in CHECKS), *_KINDS]
    driver = {
        "name": TOOL,
        "version": checked.tool_version,
        "rules": [_rule(identifier, checked) for identifier in rules],
    }
    results = [_result(finding, rules, checked) for finding in checked.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _json({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(identifier: str, checked: Checked) -> dict[str, object]:
    kind = _KINDS.get(identifier)
    whole = summary = say(f"checks.{identifier}.summary")
    page, part = "errors", ""
    if kind is None:
        hint = say(f"checks.{identifier}.hint")
        whole = say("checks.allow_in_file", hint=summary, id=identifier)
        page, part = "checks", f"#{identifier}"
    else:
        hint = say("local.cure_arguments") if kind is InputsInvalid else cure_at_desk(kind.code)
    texts = {"shortDescription": summary, "fullDescription": whole, "help": hint}
    # A multiformatMessageString has no placeholders (3.12), and its readers show braces as they stand.
    described = {name: {"text": checked.words(text)} for name, text in texts.items()}
    uri = f"docs/reference/{page}{_PAGES[checked.language]}{part}"
    return {"id": identifier, **described, "helpUri": uri}


def _result(finding: Finding, rules: Sequence[str], checked: Checked) -> dict[str, object]:
    hinted = say("checks.with_hint", message=finding.message, hint=finding.hint)
    result: dict[str, object] = {
        "ruleId": finding.id,
        "ruleIndex": rules.index(finding.id),
        "level": _level(finding),
        "message": _message(hinted, checked),
    }
    if finding.id not in _NO_FILES:
        result["locations"] = [_location(finding)]
    return result


def _message(text: Text, checked: Checked) -> dict[str, str]:
    """Return a message string, in which a brace that is no placeholder's stands twice (3.11.5)."""
    return {"text": checked.words(text).replace("{", "{{").replace("}", "}}")}


def _location(finding: Finding) -> dict[str, object]:
    at = finding.found_in
    physical: dict[str, object] = {"artifactLocation": {"uri": quote(at.file)}}
    if at.line:
        column = {"startColumn": at.column} if at.column else {}
        physical["region"] = {"startLine": at.line, **column}
    location: dict[str, object] = {"physicalLocation": physical}
    logical = " ".join(filter(None, (at.value, finding.document, finding.field)))
    if logical:
        location["logicalLocations"] = [{"fullyQualifiedName": one_line(logical)}]
    return location


def junit_document(checked: Checked) -> str:
    """Return the findings as JUnit XML: a suite a file, a case a finding, one that passed where none is."""
    suites: dict[str, list[Finding]] = {name: [] for name in checked.files}
    for finding in checked.findings:
        suites.setdefault(finding.found_in.file or TOOL, []).append(finding)
    failures = sum(not finding.is_warning for finding in checked.findings)
    tests = sum(len(findings) or 1 for findings in suites.values())
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _tag("testsuites", name=f"{TOOL} check", tests=tests, failures=failures, errors=0),
        *(line for name, findings in suites.items() for line in _suite(name, findings, checked)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _suite(name: str, findings: Sequence[Finding], checked: Checked) -> Iterator[str]:
    failures = sum(not finding.is_warning for finding in findings)
    counts = {"tests": len(findings) or 1, "failures": failures, "errors": 0, "skipped": 0}
    yield "  " + _tag("testsuite", name=name, **counts)
    if not findings:
        yield "    " + _tag("testcase", classname=name, name="check") + "</testcase>"
    for finding in findings:
        parts = [say("checks.finding_here", message=part) for part in place_of(finding, has_file=False)]
        place = ", ".join([finding.id, *map(checked.words, parts)])
        message, hint = checked.words(finding.message), checked.words(finding.hint)
        body = f"{message} {hint}".translate(_ESCAPED)
        if finding.is_warning:
            told = f"<system-out>{body}</system-out>"
        else:
            told = _tag("failure", type=finding.id, message=message) + body + "</failure>"
        line = {"line": finding.found_in.line} if finding.found_in.line else {}
        yield "    " + _tag("testcase", classname=name, name=place, file=name, **line) + told + "</testcase>"
    yield "  </testsuite>"


def _tag(element: str, **attributes: object) -> str:
    texts = {key: one_line(str(value)).translate(_ESCAPED) for key, value in attributes.items()}
    written = "".join(f' {key}="{text}"' for key, text in texts.items())
    return f"<{element}{written}>"


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[[Checked], str]] = {
    "json": json_document,
    "sarif": sarif_document,
    "junit": junit_document,
}
"""What `check --format` takes beside text, the default."""
