r"""Makes text fit to be lines of BK-CI's log, where a line may be a command. Performs no I/O.

What the worker does with a line (facts/agent.md, "The log"; bk-ci's `CommandLineUtils.kt`,
`LoggerService.kt` and `OauthCredentialLineParser.kt`), and what therefore must not come out of here:

- It trims the line of all blanks, takes one `"` off its start, and obeys what then begins with `::`.
- A line that begins with `##[` is a marker; `##subTag##`, anywhere, moves text to another log.
- In a line with `http://oauth2:` it first deletes every `oauth2:<word>@`, which can put a `::` at the
  start that was not there.
- It cuts a line after 16 Ki characters, so that the rest of it starts a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bcs_template_set.messages.text import visible

FOREIGN = "| "
"""Begins every line that somebody else wrote, and every line of ours that looks like a command."""

MOST_BYTES = 16 * 1000
"""A longer line is cut. Below the worker's 16 Ki, so that a marker and our note still fit."""

_DELETED_BY_WORKER = re.compile(r"oauth2:\w+@", re.ASCII)
_SUB_TAG = re.compile("##(?=subTag)")
# Kotlin's `trim` takes every blank of Unicode off, the wide one of Chinese text included.
_BLANKS = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_TRIMMED = "".join(map(chr, range(0x21))) + _BLANKS + '"'


def lines_of(text: str) -> list[str]:
    r"""Return the text's lines, split at everything that any reader of the log takes for a line's end.

    `str.splitlines` knows all of them: line feed, carriage return, \x0b, \x0c, \x1c-\x1e, \x85,
    \u2028, \u2029. Each line has its unseen characters made visible and no worker's tag in it.
    """
    return [_SUB_TAG.sub("# #", visible(line)) for line in text.splitlines()] or [""]


def guarded(line: str) -> str:
    """Return the line such that no worker takes it for a command or a marker."""
    return FOREIGN + line if is_command(line) else line


def is_command(line: str) -> bool:
    """Tell whether a worker could take this line for a command or a marker."""
    seen = _DELETED_BY_WORKER.sub("", line)
    return any(text.lstrip(_TRIMMED).startswith(("::", "##")) for text in (line, seen))


def safe_lines(text: str, *, cut_note: str, prefix: str, foreign: bool) -> Iterator[str]:
    """Yield the text's lines, each fit to be printed with `prefix`, a marker of ours, before it.

    Args:
        text: any text.
        cut_note: what is said where a line is too long.
        prefix: put before every line; with it or without, none is a command of somebody else's.
        foreign: whether somebody else wrote the text; then every line is shown as theirs.
    """
    for line in lines_of(text):
        shown = FOREIGN + line if foreign else guarded(line)
        yield prefix + cut(shown, note=cut_note)


def cut(line: str, *, note: str) -> str:
    """Return the line, or as much of it as a log line holds and a note on what is missing."""
    encoded = line.encode("utf-8")
    if len(encoded) <= MOST_BYTES:
        return line
    return encoded[:MOST_BYTES].decode("utf-8", "ignore") + note
