"""Text that people read: no invisible characters, one line, columns that align, moments. Pure.

A Chinese character takes two columns of a terminal, a combining mark none; so widths are counted here
and never with `len`.
"""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

ROW_COLUMNS = 160
"""No row of a table is wider: wider ones wrap in BK-CI's log view and stop being a table."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Controls but tab; marks that turn the direction of text; what joins, parts or fills and is not seen, so that
# two names would look like one; halves of a surrogate pair, which no UTF-8 can hold.
_UNSEEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_YEAR_10000 = 253_402_300_800
_GAP = "  "


def visible(text: str, *, keep_line_feeds: bool = False) -> str:
    r"""Return the text with every character that would not be seen as its escape, such as `\x1b`.

    A line feed is one of them, unless `keep_line_feeds` is given: for where a line may end, as on a page.
    """
    return _UNSEEN.sub(_kept_or_escaped if keep_line_feeds else _escaped, text)


def json_text(document: object) -> str:
    """Return a document as JSON, every character that would not be seen as its escape."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda match: match[0] if match[0] == "\n" else json.dumps(match[0])[1:-1], text)


def one_line(text: str) -> str:
    """Return the text as one line: a line break shows as a mark, an unseen character as its escape."""
    return visible(_LINE_BREAK.sub(" ⏎ ", text).replace("\t", " ")).strip()


def text_lines(text: str, *, most: int) -> list[str]:
    """Return so many lines of somebody else's text, each with its unseen characters made visible."""
    return [visible(line) for line in text.splitlines()[:most]]


def width(text: str) -> int:
    """Return how many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def pad(text: str, columns: int) -> str:
    """Return the text filled with blanks to so many columns."""
    return text + " " * (columns - width(text))


def shorten(text: str, columns: int) -> str:
    """Return the text in at most so many columns, with "…" for what its middle loses."""
    if width(text) <= columns:
        return text
    if columns < 1:
        return ""
    tail = (columns - 1) // 2
    return _take(text, columns - 1 - tail) + "…" + _take(text[::-1], tail)[::-1]


def table(rows: Sequence[Sequence[str]], *, columns: int = ROW_COLUMNS) -> list[str]:
    """Return rows of one length as aligned lines, none wider than `columns`.

    Where they are too wide, the widest column gives way first.
    """
    widths = [min(columns, max(width(cell) for cell in column)) for column in zip(*rows)]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - columns
    while over > 0 and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
        over -= 1
    return [_row(row, widths) for row in rows]


def shown_time(seconds: float) -> str:
    """Return a moment, given in seconds since the epoch, as `2026-01-31 23:59 UTC`; "?" for none.

    What a server sends may be no moment of our calendar; then it is shown as it came.
    """
    return _moment(seconds, "%Y-%m-%d %H:%M UTC") if not seconds <= 0 else "?"


def clock_time(seconds: float) -> str:
    """Return the time of day of a moment, given in seconds since the epoch, as `23:59:00 UTC`."""
    return _moment(seconds, "%H:%M:%S UTC")


def exact_time(seconds: float) -> str:
    """Return a moment as programs read it: `2026-01-31T23:59:00Z`; as it came where it is none."""
    return _moment(seconds, "%Y-%m-%dT%H:%M:%SZ")


def _row(cells: Iterable[str], widths: Sequence[int]) -> str:
    return _GAP.join(pad(shorten(cell, size), size) for cell, size in zip(cells, widths)).rstrip()


def _take(text: str, columns: int) -> str:
    taken = accumulate(map(_columns, text))
    return text[: sum(1 for _ in takewhile(lambda width: width <= columns, taken))]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    two_digits, four_digits = 0x100, 0x10000
    if code < two_digits:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < four_digits else f"\\U{code:08x}"


def _kept_or_escaped(match: re.Match[str]) -> str:
    return match[0] if match[0] == "\n" else _escaped(match)


def _moment(seconds: float, form: str) -> str:
    return time.strftime(form, time.gmtime(seconds)) if 0 < seconds < _YEAR_10000 else str(seconds)
