"""The rows of a run as the lines of a table: what is planned, and at the end how each ended. Pure.

What nothing happens to is counted, and of very many rows those are shown that need eyes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.text import one_line, table
from bcs_template_set.report.file_states import STATES
from bcs_template_set.report.rows import WORDS, Row, image_change, version_change
from bcs_template_set.report.shown_limits import LOG_ROUTES_IN_CELL, LOG_ROWS

_TENTHS_BELOW = 10
_PLANNED = ("change", "name", "version", "image", "routes")
_ENDED = ("state", "name", "version", "image", "routes", "took")


def plan_table(rows: Sequence[Row], *, language: Language) -> list[str]:
    """Return what is planned for each row, and how many stay; nothing where all of them do."""
    shown = [row for row in rows if not row.is_quiet]
    if not shown:
        return []
    cells = [[row.word, *_cells(row, language)] for row in shown[:LOG_ROWS]]
    rest = [row.word for row in shown[LOG_ROWS:]]
    return [
        *_table(_PLANNED, cells, language=language),
        *_more("log.more_planned", rest, order=WORDS, language=language),
        *_quiet(rows, language=language),
    ]


def ending_table(rows: Sequence[Row], *, language: Language) -> list[str]:
    """Return how each row ended; nothing for a single one, of which the verdict tells all there is."""
    shown = [row for row in rows if not row.is_quiet]
    if len(shown) <= 1:
        return []
    cells = [
        [
            row.ending.words,
            *_cells(row, language),
            took_text(row.ending.seconds).render(language) if row.ending.seconds > 0 else "",
        ]
        for row in shown[:LOG_ROWS]
    ]
    rest = [row.ending.state for row in shown[LOG_ROWS:]]
    return [
        *_table(_ENDED, cells, language=language),
        *_more("log.more_ended", rest, order=STATES, language=language),
        *_quiet(rows, language=language),
    ]


def took_text(seconds: float) -> Text:
    """Return how long something took, to the tenth of a second where it was short."""
    return say("log.took", seconds=f"{max(seconds, 0.1):.1f}" if seconds < _TENTHS_BELOW else round(seconds))


def _cells(row: Row, language: Language) -> list[str]:
    version = version_change(row.old_versions, row.new_versions)
    if row.is_rewritten:
        version += f" ({say('report.rewritten').render(language)})"
    images = ", ".join(image_change(*pair) for pair in row.images)
    return [row.name, version, images, _routes_cell(row)]


def _table(columns: Iterable[str], cells: list[list[str]], *, language: Language) -> list[str]:
    head = [say(f"log.column_{name}").render(language) for name in columns]
    kept = [i for i in range(len(head)) if any(row[i] for row in cells)]
    return table([[one_line(row[i]) for i in kept] for row in (head, *cells)])


def _more(sentence: str, rest: Sequence[str], *, order: Sequence[str], language: Language) -> list[str]:
    """Return the line that counts the rows there is no room for, by what became of them."""
    if not rest:
        return []
    counted = Counter(rest)
    parts = [say("log.count_rows", count=counted[name], state=name) for name in order if counted[name]]
    return [say(sentence, count=len(rest), counts=parts).render(language)]


def _quiet(rows: Sequence[Row], *, language: Language) -> list[str]:
    """Return a line for each kind of row that nothing happens to, with their number."""
    quiet = [row for row in rows if row.is_quiet]
    counted = Counter(
        ("live" if row.ending.state == "live" else "unchanged", "domains" if row.is_domain else "files")
        for row in quiet
    )
    return [
        say(f"log.{state}_{kind}", count=counted[state, kind]).render(language)
        for state in ("live", "unchanged")
        for kind in ("domains", "files")
        if counted[state, kind]
    ]


def _routes_cell(row: Row) -> str:
    """Return the routes that go, are served otherwise and come."""
    most = LOG_ROUTES_IN_CELL
    gone = [row.shown_route(key) for key in row.routes_removed[:most]]
    come = [row.shown_route(key) for key in row.routes_added[:most]]
    other = row.served_otherwise
    return " ".join(
        [
            *_signed("-", gone, of=len(row.routes_removed)),
            *_signed("~", other[:most], of=len(other)),
            *_signed("+", come, of=len(row.routes_added)),
        ]
    )


def _signed(sign: str, routes: Sequence[str], *, of: int) -> list[str]:
    more = [f"{sign}…({of - len(routes)})"] if of > len(routes) else []
    return [*(sign + route for route in routes), *more]
