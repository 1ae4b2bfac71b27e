"""Kubernetes' cron schedules, such as `0 3 * * 1` and `@daily`. Pure: performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CRON_WORD = re.compile(r"@(?:yearly|annually|monthly|weekly|daily|midnight|hourly|every\s.+)")
_CRON_ZONE = re.compile(r"(?:CRON_)?TZ=\S+\s+")
_CRON_PART = re.compile(r"(?:[*?]|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_FIELDS: Sequence[tuple[range, tuple[str, ...]]] = (
    (range(60), ()),
    (range(24), ()),
    (range(1, 32), ()),
    (range(1, 13), _MONTHS),
    (range(7), _DAYS),
)
"""What minute, hour, day, month and day of the week take (robfig/cron, `ParseStandard`)."""


def is_schedule(schedule: str) -> bool:
    """Tell whether the API server takes a text as a CronJob's schedule."""
    bare = _CRON_ZONE.sub("", schedule.strip(), count=1)
    fields = bare.lower().split()
    return bool(_CRON_WORD.fullmatch(bare)) or (
        len(fields) == len(_CRON_FIELDS) and all(map(_is_cron_field, fields, _CRON_FIELDS))
    )


def _is_cron_field(field: str, takes: tuple[range, tuple[str, ...]]) -> bool:
    numbers, names = takes
    for part in field.split(","):
        found = _CRON_PART.fullmatch(part)
        if found is None or found[3] == "0":
            return False
        ends = [names.index(end) + numbers[0] if end in names else end for end in found.groups()[:2] if end]
        if any(not str(end).isdecimal() or int(end) not in numbers for end in ends):
            return False
        if ends and int(ends[0]) > int(ends[-1]):
            return False
    return True
