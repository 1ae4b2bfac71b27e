"""What `::set-progress-rate` may say, as values and as the worker's JSON. Performs no I/O.

The limits are bk-ci's (`BuildTaskProgressDetailValidator.kt`, 2026-08; facts/agent.md, "Progress"). It
refuses the whole payload where one of them is broken, so everything that goes in is made to fit here, and
what is folded together stays true: nothing is counted twice or left out.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Callable, Literal, Optional

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.agent.log_text import MOST_BYTES, lines_of
from bcs_template_set.messages import Language, say
from bcs_template_set.records.late_dataclass import dataclass

SubtaskStatus = Literal["succeeded", "failed", "running", "pending"]

MOST_SUBTASKS = 100
MOST_PHASES = 50
LONGEST_NAME = 128
LONGEST_SUMMARY = 32
LARGEST_PAYLOAD = MOST_BYTES
"""Bytes. The worker takes 32 KiB, but shows the line in the log too, where it cuts it after 16 Ki."""

_FITS = (
    (LONGEST_NAME, MOST_SUBTASKS, MOST_PHASES),
    (64, MOST_SUBTASKS, MOST_PHASES),
    (32, MOST_SUBTASKS, 20),
    (32, 30, 10),
)
"""Longest name, subtasks and phases; the next row where the payload of the one before is too large.

The last always fits: a character takes 12 bytes at most for its two units, so 40 names take 8 KiB.
"""

_SHOWN_FIRST: tuple[SubtaskStatus, ...] = ("failed", "running", "pending", "succeeded")
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z, the last moment that four digits of a year can say


@dataclass(frozen=True)
class Subtask:
    """One thing that the run works on, such as a file; `progress` is 0 to 1."""

    name: str
    progress: float
    status: SubtaskStatus


@dataclass(frozen=True)
class TimelineItem:
    """One stretch of the run: its beginning in seconds since the epoch, and how many it took, None so far."""

    name: str
    started_at: float
    seconds: Optional[float] = None


@dataclass(frozen=True)
class Snapshot:
    """How far the run is: `value` from 0 to 1, and what that is made of, in the order to be shown."""

    value: float
    subtasks: tuple[Subtask, ...] = ()
    phases: tuple[TimelineItem, ...] = ()


def clamped(value: float) -> float:
    """Return the value within 0 and 1, to the worker's four digits; what is no number is 0."""
    return round(min(1.0, max(0.0, value)), 4)


def summary_of(subtasks: Sequence[Subtask]) -> str:
    """Return how many of the subtasks have ended, such as `12/60`; "" where there are none."""
    ended = sum(subtask.status in ("succeeded", "failed") for subtask in subtasks)
    return shortened(f"{ended}/{len(subtasks)}", LONGEST_SUMMARY) if subtasks else ""


def build_detail(
    snapshot: Snapshot, *, language: Language, mask: Callable[[str], str]
) -> dict[str, JsonValue]:
    """Return the payload that shows as much of a snapshot as fits; `mask` takes secrets out of names."""
    clean = replace(
        snapshot,
        subtasks=tuple(replace(s, name=clean_name(mask(s.name))) for s in snapshot.subtasks),
        phases=tuple(replace(p, name=clean_name(mask(p.name))) for p in snapshot.phases),
    )
    for longest, subtasks, phases in _FITS:  # pragma: no branch - the last of them always fits
        payload = _detail(clean, language, longest=longest, subtasks=subtasks, phases=phases)
        if len(encoded(payload)) <= LARGEST_PAYLOAD:
            break
    return payload


def encoded(payload: JsonValue) -> str:
    """Return a payload as JSON on one line, in ASCII: the worker may read stdout as GBK."""
    return json.dumps(payload, separators=(",", ":"))


def clean_name(name: str) -> str:
    """Return a name as one line that is not empty and holds no `::`."""
    line = re.sub(":(?=:)", ": ", " ".join(lines_of(name))).strip()
    return line or "?"


def shortened(text: str, most: int) -> str:
    """Return a whole text in at most so many UTF-16 units, as the worker counts, "…" for a lost middle."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * most:
        return text
    tail = (most - 1) // 2
    head = units[: 2 * (most - 1 - tail)].decode("utf-16-le", "ignore")
    return head + "…" + units[len(units) - 2 * tail :].decode("utf-16-le", "ignore")


def fold_subtasks(subtasks: Sequence[Subtask], *, most: int, language: Language) -> list[Subtask]:
    """Return at most `most` subtasks, in order, those that do not fit as one entry for each status.

    What failed is shown by name first, then what is running, pending and succeeded. `most` is at least 4.
    """
    if len(subtasks) <= most:
        return list(subtasks)
    ranks = sorted(range(len(subtasks)), key=lambda index: _SHOWN_FIRST.index(subtasks[index].status))
    shown = most - 1
    while shown + len({subtasks[index].status for index in ranks[shown:]}) > most:
        shown -= 1
    rest = [subtasks[index] for index in sorted(ranks[shown:])]
    return [subtasks[index] for index in sorted(ranks[:shown])] + list(_aggregates(rest, language))


def fold_phases(phases: Sequence[TimelineItem], *, most: int, language: Language) -> list[TimelineItem]:
    """Return at most `most` phases by their beginning, the earliest that do not fit as one entry."""
    ordered = sorted(phases, key=lambda phase: phase.started_at)
    if len(ordered) <= most:
        return ordered
    early = ordered[: len(ordered) - most + 1]
    name = say("progress.earlier", count=len(early)).render(language)
    return [TimelineItem(name, early[0].started_at, _span(early)), *ordered[len(early) :]]


def _detail(
    snapshot: Snapshot, language: Language, *, longest: int, subtasks: int, phases: int
) -> dict[str, JsonValue]:
    summary = summary_of(snapshot.subtasks)
    progress: dict[str, JsonValue] = {"value": clamped(snapshot.value)}
    payload: dict[str, JsonValue] = {"progress": progress}
    if snapshot.subtasks:
        progress["summary"] = summary
        items = fold_subtasks(snapshot.subtasks, most=subtasks, language=language)
        payload["subtasks"] = {
            "title": say("progress.subtasks").render(language),
            "summary": summary,
            "items": [
                {
                    "name": shortened(subtask.name, longest),
                    "progress": clamped(subtask.progress),
                    "status": subtask.status,
                }
                for subtask in items
            ],
        }
    if snapshot.phases:
        stretches = fold_phases(snapshot.phases, most=phases, language=language)
        payload["timeline"] = {
            "title": say("progress.timeline").render(language),
            "items": [_phase_item(phase, longest) for phase in stretches],
        }
    return payload


def _phase_item(phase: TimelineItem, longest: int) -> JsonValue:
    item: dict[str, JsonValue] = {
        "name": shortened(phase.name, longest),
        "startTime": instant(phase.started_at),
    }
    if phase.seconds is not None:
        item["duration"] = round(1000 * min(_LATEST, max(0, phase.seconds)))
    return item


def instant(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(_LATEST, max(0, seconds))))


def _aggregates(subtasks: Sequence[Subtask], language: Language) -> Iterable[Subtask]:
    for status in _SHOWN_FIRST:
        alike = [subtask for subtask in subtasks if subtask.status == status]
        if alike:
            name = say(f"progress.more_{status}", count=len(alike)).render(language)
            yield Subtask(name, sum(clamped(one.progress) for one in alike) / len(alike), status)


def _span(phases: Sequence[TimelineItem]) -> Optional[float]:
    """Return the seconds from the first beginning to the last end, None where one has not ended."""
    ends = [phase.started_at + phase.seconds for phase in phases if phase.seconds is not None]
    return max(ends) - phases[0].started_at if len(ends) == len(phases) else None
