"""Reads tables of Markdown documents, so that a test can hold them to the code. Performs no I/O."""

from __future__ import annotations

import re


def first_column(markdown: str, *, under: str) -> list[str]:
    """Return the first column of the first table after a heading, without its head and without backquotes.

    Args:
        markdown: the document.
        under: the heading's words, without `#`.

    Raises:
        ValueError: there is no such heading, or no table between it and the next one.
    """
    return [row[0] for row in table_rows(markdown, under=under)]


def table_rows(markdown: str, *, under: str) -> list[list[str]]:
    """Return the rows of the first table after a heading, without its head; cells without backquotes.

    Raises:
        ValueError: there is no such heading, or no table between it and the next one.
    """
    section = _section(markdown.splitlines(), under)
    rows = _first_table(section)
    head_and_rule = 2
    if len(rows) <= head_and_rule:
        raise ValueError(f"no table under the heading {under!r}")
    return [[_plain(cell) for cell in _cells(row)] for row in rows[head_and_rule:]]


def _section(lines: list[str], heading: str) -> list[str]:
    starts = [
        number for number, line in enumerate(lines) if re.fullmatch(rf"#+\s+{re.escape(heading)}", line)
    ]
    if not starts:
        raise ValueError(f"no heading {heading!r}")
    rest = lines[starts[0] + 1 :]
    ends = [number for number, line in enumerate(rest) if re.match(r"#+\s", line)]
    return rest[: ends[0]] if ends else rest


def _first_table(lines: list[str]) -> list[str]:
    table: list[str] = []
    for line in lines:
        if line.startswith("|"):
            table.append(line)
        elif table:
            break
    return table


def _cells(row: str) -> list[str]:
    inner = row.strip().strip("|")
    return [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _plain(cell: str) -> str:
    return cell.strip().replace("`", "")
