"""A run as the value of output.json (facts/agent.md). Pure: what is too long is handed to `spill`.

The outputs of `OUTPUTS` are written on failure too, as far as they are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Optional, TypedDict

from bcs_template_set.agent.output_file import (
    MOST_MESSAGE_UNITS,
    MOST_STRING_UNITS,
    OutputDocument,
    OutputField,
    ReportField,
    artifact_field,
    failure,
    string_field,
    success,
    utf16_units,
)
from bcs_template_set.manifests.routes import RouteKey
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.state_words import OUR_WORDS
from bcs_template_set.messages.step_error import Detail, count_of, indent_of
from bcs_template_set.messages.text import one_line, shorten
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change
from bcs_template_set.report.file_states import Ending, endings_of
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rollout_story import restoration_texts
from bcs_template_set.report.rollout_verdict import cure_of, grouped_lines, impact_texts
from bcs_template_set.report.summary import summary_of
from bcs_template_set.report.verdict import after_texts, context_of, details_of, headline, left_texts

PAGE = "index.html"
"""The page in the folder of the HTML report."""

OUTPUTS: tuple[str, ...] = (
    "result",
    "changed",
    "version",
    "versions",
    "plan_digest",
    "acting_user",
    "routes",
    "summary",
    "plan",
    "report",
    "rendered",
)
"""The outputs of design section 2: what task.json and the reference are held to."""

_HEADLINE_COLUMNS = 1400
_CURE_COLUMNS = 800
_AFTERMATH_UNITS = 1000
_FACTS_UNITS = 1200
_BESIDE_THE_CUT = re.compile(r"\**…\**")

Mask = Callable[[str], str]
Spill = Callable[[str, str], str]
"""Takes a name and a text, keeps the text in a file, and returns its path relative to the workspace.

Where that fails it returns "": the run's verdict must not be lost with a list."""


class _Versions(TypedDict):
    id: str
    version: str
    previous_id: str
    previous_version: str


class VersionEntry(_Versions, total=False):
    """One file of the output `versions`; "" for a version that is not known or was not written.

    What follows is left out where there is nothing to tell: `images` are [old, new] pairs, routes a host and
    its path in one. `state` and `seconds` are those of the row that a person sees.
    """

    domain: str
    state: str
    images: list[list[str]]
    routes_added: list[str]
    routes_removed: list[str]
    seconds: float


def output_of(
    outcome: Outcome,
    *,
    report: str,
    rendered: tuple[str, ...],
    spill: Spill,
    texts: Mapping[str, str],
    mask: Mask = str,
    plan: tuple[str, ...] = (),
) -> OutputDocument:
    """Return the whole value of output.json, `mask` taking secrets out before anything is shortened.

    `report` is the page's folder, relative to the workspace, "" for none. `rendered` and `plan` are absolute
    paths of existing files, `texts` those of `texts_of`. A value that is too long is
    cut where the file is written (agent/output_file.py).
    """
    data = {
        **_strings(outcome, texts, spill=spill, mask=mask),
        "summary": string_field(summary_of(outcome, mask=mask)),
        **_files(plan, report, rendered, outcome.language),
    }
    message = message_of(outcome, mask=mask)
    if outcome.error is None:
        return success(message, data)
    return failure(outcome.error, data, language=outcome.language, message=message)


def message_of(outcome: Outcome, *, mask: Mask = str) -> str:
    """Return what happened and what to do, secrets masked: the build page shows this alone.

    Where there is too much to say, hosts are grouped by cause, and details are left out whole and counted. Of
    a refusal, who acts, what is lacking, where to apply and the request follow the cure.
    """
    said = _Said(outcome.language, mask)
    head = said.short(headline(outcome), _HEADLINE_COLUMNS)
    if outcome.error is None:
        return "\n".join([head, *said.listed(left_texts(outcome), room=_AFTERMATH_UNITS)])
    cure = said.short(say("context.cure", value=cure_of(outcome)), _CURE_COLUMNS)
    facts = said.listed(context_of(outcome), room=_FACTS_UNITS)
    after = said.listed(_aftermath(outcome), room=_AFTERMATH_UNITS)
    impact = [said.line(text) for text in impact_texts(outcome)]
    details, groups = said.items(details_of(outcome)), said.items(grouped_lines(outcome))
    forms = [(details, [*impact, *after]), *([(groups, after), (groups, [])] if groups else [])]
    for told, then in forms:
        room = MOST_MESSAGE_UNITS - _units([head, cure, *then, *facts])
        if _units(line for _, line in told) <= room:
            break
    return "\n".join([head, *said.fitting(told, room=room), cure, *then, *facts])


class _Said:
    """Says texts in one language, each as one line without secrets."""

    def __init__(self, language: Language, mask: Mask) -> None:
        self._language: Language = language
        self._mask = mask

    def line(self, text: Detail) -> str:
        return one_line(self._mask(text.render(self._language) if isinstance(text, Text) else text))

    def short(self, text: Text, columns: int) -> str:
        """Return a text in so many columns, with no half of a mask beside what its middle loses."""
        return _BESIDE_THE_CUT.sub("…", shorten(self.line(text), columns))

    def items(self, details: Iterable[Detail]) -> list[tuple[int, str]]:
        """Return the lines of a list, each with how many things it tells of."""
        return [(count_of(item), f"{indent_of(item)}- {self.line(item)}") for item in details]

    def listed(self, texts: Iterable[Text], *, room: int) -> list[str]:
        return self.fitting([(1, self.line(text)) for text in texts], room=room)

    def fitting(self, lines: Sequence[tuple[int, str]], *, room: int) -> list[str]:
        """Return as many whole lines as there is room for, and how many more things there are."""
        told, left = list[str](), sum(count for count, _ in lines)
        for place, (count, line) in enumerate(lines):
            more = say("report.more_details", count=left).render(self._language)
            room -= _units([line])
            if room < _units([more]) and (room < 0 or place + 1 < len(lines)):
                return [*told, more] if left else told
            told, left = [*told, line], left - count
        return told


def _units(lines: Iterable[str]) -> int:
    """Return how long lines are as the platform counts, each with what ends it."""
    return sum(utf16_units(line) + 1 for line in lines)


def _aftermath(outcome: Outcome) -> Iterator[Text]:
    """Yield what a failed run leaves behind: what was written, deployed and restored."""
    yield from after_texts(outcome)
    if outcome.rollout is not None and outcome.rollout.restoration is not None:
        yield from restoration_texts(outcome.rollout.restoration, outcome.files)


def versions_of(outcome: Outcome) -> dict[str, VersionEntry]:
    """Return, for each file, the version that holds this run's content, the one before it, and how it ended.

    A file that was not written has "" as its id and version. What was taken away stands there, too.
    """
    endings = endings_of(outcome)
    pruned = outcome.taken.pruned if outcome.taken is not None else ()
    return {
        **{
            name: VersionEntry(id="", version="", previous_id="", previous_version=version, state="pruned")
            for name, version in pruned
        },
        **{
            file.change.name: _with_ending(_entry(file), file.change, endings[file.change.name])
            for file in outcome.files
        },
    }


def _with_ending(entry: VersionEntry, change: Change, ending: Ending) -> VersionEntry:
    """Return an entry with what there is to tell beside its versions."""
    entry["state"] = ending.state
    if change.domain:
        entry["domain"] = change.domain
    if change.images:
        entry["images"] = [list(pair) for pair in change.images]
    if change.routes_added:
        entry["routes_added"] = _shown_routes(change.routes_added)
    if change.routes_removed:
        entry["routes_removed"] = _shown_routes(change.routes_removed)
    if ending.seconds > 0:
        entry["seconds"] = round(ending.seconds, 2)
    return entry


def _shown_routes(keys: Iterable[RouteKey]) -> list[str]:
    return [host + path for host, path in keys]


def _entry(file: FileOutcome) -> VersionEntry:
    change, previous = file.change, file.change.previous
    entry = VersionEntry(
        id="",
        version="",
        previous_id=previous.id if previous is not None else "",
        previous_version=previous.name if previous is not None else "",
    )
    if file.version_id and file.state in ("applied", "unchanged"):
        entry["id"], entry["version"] = file.version_id, file.version
    elif change.action == "unchanged":
        is_previous = previous is not None and previous.id == change.version_id
        entry["id"], entry["version"] = change.version_id, entry["previous_version"] if is_previous else ""
    return entry


def holding_secrets(texts: Mapping[str, str], holds: Callable[[str], bool]) -> tuple[Text, ...]:
    """Say which outputs hold a secret that the run knows: BK-CI drops those that still do."""
    return tuple(
        say("report.output_is_secret" if text in OUR_WORDS else "report.output_holds_secret", name=name)
        for name, text in texts.items()
        if holds(text)
    )


def texts_of(outcome: Outcome) -> dict[str, str]:
    """Return the string outputs as they are, whatever their length."""
    plan = outcome.plan
    return {
        "result": outcome.result,
        "changed": "true" if outcome.changed or outcome.to_publish else "false",
        "version": outcome.heading.version,
        "versions": _json(versions_of(outcome)) if plan is not None else "",
        "plan_digest": plan.digest if plan is not None else "",
        "acting_user": outcome.identity.acting_user if outcome.identity is not None else "",
        "routes": _json(_shown_routes(plan.routes)) if plan is not None else "",
    }


def _strings(
    outcome: Outcome, texts: Mapping[str, str], *, spill: Spill, mask: Mask
) -> dict[str, OutputField]:
    plan = outcome.plan
    counts = {} if plan is None else {"versions": len(outcome.files), "routes": len(plan.routes)}
    masked = {name: text if text in OUR_WORDS else mask(text) for name, text in texts.items() if text}
    for name, count in counts.items():
        masked[name] = _fitting(name, masked[name], count=count, spill=spill)
    return {name: string_field(_whole(masked[name])) for name in OUTPUTS if name in masked}


def _files(
    plan: tuple[str, ...], report: str, rendered: tuple[str, ...], language: Language
) -> dict[str, OutputField]:
    fields: dict[str, Optional[OutputField]] = {
        "plan": artifact_field(plan) if plan else None,
        "report": _report_field(report, language) if report else None,
        "rendered": artifact_field(rendered) if rendered else None,
    }
    return {name: field for name, field in fields.items() if field is not None}


def _report_field(folder: str, language: Language) -> ReportField:
    return {
        "type": "report",
        "reportType": "INTERNAL",
        "label": say("report.label").render(language),
        "path": folder,
        "target": PAGE,
    }


def _fitting(name: str, text: str, *, count: int, spill: Spill) -> str:
    """Return the text, or where it would be too long, the file that holds it and how many entries it has."""
    if utf16_units(text) <= MOST_STRING_UNITS:
        return text
    return _json({"file": spill(name, text), "count": count})


def _json(value: Mapping[str, object] | list[str]) -> str:
    return _whole(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _whole(text: str) -> str:
    """Return a text without halves of characters."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
