"""Findings of many files as one list: by file, then document, each sentence once, counts at the end. Pure.

What could not be read or rendered is a finding, too. `refusal_of` is the one error for all that stops a run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Callable, Optional, TypeVar

from bcs_template_set.manifests.checks.finding import MOST_NAMES, Finding, Origin
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    FilesMistaken,
    LimitExceeded,
    ManifestsInvalid,
    NamesMissing,
    TemplateFailed,
    TemplateSyntax,
    TemplateUnreadable,
    ValuesInvalid,
    VersionNameInvalid,
)
from bcs_template_set.messages.step_error import Told

ALL_EMPTY = "empty-run"
MISTAKES: Mapping[str, type[FilesMistaken]] = {
    "file": TemplateUnreadable,
    "values": ValuesInvalid,
    "variables": ValuesInvalid,
    "limit": LimitExceeded,
    "template-syntax": TemplateSyntax,
    "missing-name": NamesMissing,
    "template-failed": TemplateFailed,
    "version-name": VersionNameInvalid,
    "yaml": ManifestsInvalid,
    ALL_EMPTY: ManifestsInvalid,
}
"""What is found before any check: its id, and its error. Of several kinds the first is the run's error."""

_MOST_COUNTED = 3
_NAMELESS = "?/?"
"""A document without kind and name, of which its line is all there is to say."""


INPUTS = ("values", "variables")
"""What is corrected in the input of that name, or in the file that is named."""

_NAMING_THEMSELVES = ("file", "variables", "limit", "version-name")
"""What is found whose sentence says where."""


def mistake(identifier: str, file: str, message: Text, *, line: int = 0, column: int = 0) -> Finding:
    """Return what is wrong with a file of the workspace, or an input, as a finding of its id."""
    hint = say(f"errors.{MISTAKES[identifier].code}.cure")
    if identifier in INPUTS or (identifier == "missing-name" and file == "version"):
        is_input = file in (*INPUTS, "version")
        hint = say("render.correct_input", name=file) if is_input else say("local.cure_file", file=file)
    return Finding(identifier, file, "", "", message, hint, origin=Origin(file, line, column))


def subject_of(problem: Text) -> str:
    """Return which file, value or input a sentence is about."""
    inner = problem.fields.get("mistake")
    fields = inner.fields if isinstance(inner, Text) else problem.fields
    return str(next(fields[name] for name in ("second", "path", "name") if name in fields))


def version_mistake(version: str, problem: Text) -> Finding:
    """Return what is wrong with the version's name as a finding."""
    return mistake("version-name", "version", VersionNameInvalid(version=version, problem=problem).title())


def refusal_of(findings: Sequence[Finding]) -> Optional[FilesMistaken]:
    """Return the error for all findings together, None where there are none."""
    if not findings:
        return None
    kinds = [MISTAKES.get(finding.id, ManifestsInvalid) for finding in findings]
    kind = next(kind for kind in MISTAKES.values() if kind in kinds)
    first = findings[kinds.index(kind)]
    fields = {name: first.message.fields[name] for name in kind.field_names}
    counts = {"found": counts_of(findings)} if len(findings) > 1 else {}
    error = kind(details=(), context=counts, **fields)
    error.is_mixed = len(set(kinds)) > 1
    hints = {str(finding.hint): finding.hint for finding in findings}
    if not error.is_mixed and len(hints) == 1 and kind in (ValuesInvalid, NamesMissing):
        error.with_cure(first.hint)
    # An error with fields says in its title what it is about.
    told_by_title = first if fields and not error.is_mixed else None
    listed = [finding for finding in findings if finding is not told_by_title]
    error.details = tuple(told_lines(listed, cure=error.cure()))
    return error


def counts_of(findings: Iterable[Finding]) -> list[Text]:
    """Return how many findings there are of the checks that have most, and of all others if several."""
    counted = Counter(finding.id for finding in findings).most_common()
    most = _MOST_COUNTED if len(counted) > _MOST_COUNTED + 1 else len(counted)
    shown, others = counted[:most], sum(count for _, count in counted[most:])
    texts = [say("checks.count", count=count, id=identifier) for identifier, count in shown]
    return [*texts, say("checks.others", count=others)] if others else texts


def told_lines(findings: Sequence[Finding], *, cure: Optional[Text] = None) -> list[Told]:
    """Return the lines of the list; what to do is said once a check, and not where `cure` says it."""
    if len(findings) == 1:
        hint = findings[0].hint
        return [_line(findings[0], depth=0, hint="" if str(hint) == str(cure) else hint)]
    by_check = sorted(_grouped(findings, _check_of).items(), key=lambda entry: -len(entry[1]))
    shared = {key: own[0].hint for key, own in by_check if len({str(f.hint) for f in own}) == 1}
    lines = [
        line
        for file, own in sorted(_grouped(findings, _file_of).items())
        for line in _file_lines(file, sorted(own, key=_line_of), shared)
    ]
    for key, own in by_check:
        if key in shared and str(shared[key]) != str(cure):
            identifier, warns = key
            fields = {"count": len(own), "id": identifier, "hint": shared[key]}
            name = "checks.closing_warning" if warns else "checks.closing"
            lines.append(Told(name, fields, stays=True, count=0))
    return lines


Hints = Mapping[tuple[str, bool], Text]
"""What to do about the findings of a check, where it is the same for all; errors and warnings apart."""


def _check_of(finding: Finding) -> tuple[str, bool]:
    return finding.id, finding.is_warning


def _file_of(finding: Finding) -> str:
    return finding.found_in.file


def _line_of(finding: Finding) -> int:
    return finding.found_in.line


def _file_lines(file: str, findings: Sequence[Finding], shared: Hints) -> Iterator[Told]:
    """Yield what there is to say of a file: sentences with several places first, then by document."""
    told = (place_of(finding, has_file=False) for finding in findings)
    once = {(one.id, str(one.message), *map(str, place)): one for one, place in zip(findings, told)}
    if len(once) == 1:
        yield _line(findings[0], depth=0, hint=_own_hint(findings[0], shared))
        return
    yield Told("checks.heading", {"name": file}, count=0)
    alone: list[Finding] = []
    for own in _grouped(once.values(), lambda finding: (finding.id, str(finding.message))).values():
        first, *others = own
        if not others:
            alone.append(first)
            continue
        parts = [place_of(finding, has_file=False) for finding in own[:MOST_NAMES]]
        places = [reduce(_beside, found) for found in parts if found]
        places += ["…"] if len(own) > MOST_NAMES else []
        yield _told("several", first, _own_hint(first, shared), depth=1, places=places, count=len(own))
    for part, own in _grouped(sorted(alone, key=_line_of), _part_of).items():
        if len(own) > 1 and part:
            yield Told("checks.heading", {"name": part}, depth=1, count=0)
        depth = 2 if len(own) > 1 and part else 1
        for finding in own:
            hint = _own_hint(finding, shared)
            yield _line(finding, depth=depth, hint=hint, has_file=False, has_part=depth == 1)


def _part_of(finding: Finding) -> str:
    """Return the part of its file that a finding belongs to: a domain of the values, or a document."""
    return finding.found_in.host or finding.document


def _own_hint(finding: Finding, shared: Hints) -> Text | str:
    return "" if _check_of(finding) in shared else finding.hint


def _line(
    finding: Finding, *, depth: int, hint: Text | str, has_file: bool = True, has_part: bool = True
) -> Told:
    place = place_of(finding, has_file=has_file, has_part=has_part)
    return _told("finding" if place else "finding_here", finding, hint, depth=depth, place=place)


def _told(
    name: str, finding: Finding, hint: Text | str, *, depth: int, count: int = 1, **fields: object
) -> Told:
    """Return a line that says what is wrong, what to do unless that is said elsewhere, and its check."""
    said = say("checks.with_hint", message=finding.message, hint=hint) if hint else finding.message
    message = said if finding.id in MISTAKES else say("checks.with_id", message=said, id=finding.id)
    return Told(f"checks.{name}", {"message": message, "count": count, **fields}, depth=depth, count=count)


def place_of(finding: Finding, *, has_file: bool, has_part: bool = True) -> list[Text | str]:
    """Return the parts of a place, from the file to the field, without what the lines above say."""
    at = finding.found_in
    if finding.id in _NAMING_THEMSELVES and not at.line:
        return []
    numbers = [str(number) for number in (at.line, at.column) if number]
    parts: list[Text | str] = []
    if has_file:
        parts.append(":".join([at.file, *numbers]))
    elif numbers:
        parts.append(say("checks.line", line=":".join(numbers)))
    if parts and not at.value and at.host and has_part:
        parts = [say("checks.of_host", value=parts[0], host=at.host)]
    if at.value:
        parts.append(
            say("checks.of_host", value=at.value, host=at.host) if at.host and has_part else at.value
        )
    if not at.value or at.is_whole:
        document = finding.document if (has_part or at.value) and finding.document != _NAMELESS else ""
        parts += [" ".join(filter(None, (document, finding.field)))] if document or finding.field else []
    return parts


def _beside(first: Text | str, second: Text | str) -> Text | str:
    return say("checks.beside", first=first, second=second)


Key = TypeVar("Key")


def _grouped(findings: Iterable[Finding], key: Callable[[Finding], Key]) -> dict[Key, list[Finding]]:
    """Return the findings by what they have in common, in the order in which each comes first."""
    groups: defaultdict[Key, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[key(finding)].append(finding)
    return groups
