"""Which sentences are BCS's own, and what of the others is compared.

What BCS itself says is compared letter by letter. Of what the API server, a reader of JSON or YAML or the
database says, only that they say no, and to what: their words change with their releases.
"""

from __future__ import annotations

import re

_NOT_BCSS = (
    # The API server's validation: kind, name, and every field that it names.
    (
        re.compile(r'^(?P<what>[\w.]+ "[^"]*" is invalid): '),
        re.compile(r"(?:^|[\[ ])((?:spec|metadata|data)[\w.\[\]]*): "),
    ),
    # The API server's decoder: the kind, and the field that it could not read.
    (
        re.compile(r'^(?P<what>\w+ in version "[^"]*" cannot be handled as a \w+): '),
        re.compile(r"(\w+): [Rr]ead\w+: "),
    ),
    (re.compile(r"^(?P<what>yaml: (?:unmarshal errors:\n  )?line \d+): "), None),
    (re.compile(r"^(?P<what>json: unsupported value): "), None),
    (re.compile(r"^(?P<what>\(Location51091\) Regular expression is invalid): "), None),
)


def agree(recorded: str, ours: str) -> bool:
    """Tell whether our sentence says what the recorded one does."""
    if recorded.startswith("40300: "):
        return sorted(recorded[7:].split("; ")) == sorted(ours[7:].split("; ")) and ours[:7] == recorded[:7]
    if "requestID: <requestID>" in recorded:
        return recorded.partition("<requestID>")[0] == ours[: recorded.index("<requestID>")]
    for head, fields in _NOT_BCSS:
        theirs, mine = head.match(recorded), head.match(ours)
        if theirs is not None:
            return mine is not None and mine["what"] == theirs["what"] and _same(fields, recorded, ours)
    return recorded == ours


def _same(fields: re.Pattern[str] | None, recorded: str, ours: str) -> bool:
    return fields is None or set(fields.findall(recorded)) <= {*fields.findall(ours)}
