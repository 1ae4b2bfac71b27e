"""A run as a few lines of Markdown, for chat, mail and merge requests. Pure: performs no I/O.

What failed comes first. Where it would be too long, lines are left out whole and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from bcs_template_set.agent.output_file import MOST_STRING_UNITS, utf16_units
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Detail, count_of, indent_of
from bcs_template_set.messages.text import one_line, shorten
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.rollout_verdict import cure_of, impact_texts
from bcs_template_set.report.rows import Row, image_change, rows_of_outcome, version_change
from bcs_template_set.report.verdict import after_texts, details_of, headline

MOST_LISTED = (10, 6, 3, 1, 0)
"""So many lines of a list are told; fewer where they are long."""

_LONGEST_LINE = 400
_ASKED_FOR = ("found", "permission", "apply_url", "request_id")
_MARKUP = re.compile(r"([\\`*\[\]<])")
_NO_ADDRESS = re.compile(r"[\s()<>]")
_AT_THE_START = re.compile(r"^([#+=>-])")


def summary_of(outcome: Outcome, *, mask: Callable[[str], str] = str) -> str:
    """Return the summary, at most `MOST_STRING_UNITS` long, secrets masked before it is shortened."""
    writer = _Writer(outcome, mask)
    texts = (writer.text(most) for most in MOST_LISTED)
    fitting = (text for text in texts if utf16_units(text) <= MOST_STRING_UNITS)
    return next(fitting, writer.line(headline(outcome)))


class _Writer:
    """Writes one outcome in its language."""

    def __init__(self, outcome: Outcome, mask: Callable[[str], str]) -> None:
        self._outcome = outcome
        self._mask = mask

    def line(self, words: Detail) -> str:
        """Return words as one line without markup of their own."""
        shown = words.render(self._outcome.language) if isinstance(words, Text) else words
        short = shorten(one_line(self._mask(shown)), _LONGEST_LINE)
        return _AT_THE_START.sub(r"\\\1", _MARKUP.sub(r"\\\1", short))

    def text(self, most: int) -> str:
        """Return the whole, with so many lines of its list."""
        outcome = self._outcome
        items = _items(outcome)
        more = sum(map(count_of, items[most:]))
        listed: list[Detail] = [*items[:most], *([say("report.more_details", count=more)] if more else [])]
        blocks = [
            f"**{self.line(headline(outcome))}**",
            "\n".join(f"{indent_of(item)}- {self.line(item)}" for item in listed),
            *map(self.line, _aftermath(outcome)),
            " · ".join(self._links()),
        ]
        return "\n\n".join(block for block in blocks if block)

    def _links(self) -> Iterator[str]:
        heading = self._outcome.heading
        build = say("summary.build", number=heading.build_number, pipeline=heading.pipeline)
        folder = say("summary.folder", name=heading.space)
        for words, url in ((build, heading.build_url), (folder, heading.console.space_url)):
            if url:
                address = _NO_ADDRESS.sub(lambda found: quote(found[0]), self._mask(url))
                yield f"[{self.line(words)}]({address})"


def _items(outcome: Outcome) -> Sequence[Detail]:
    """Return what a failure is about, or what changes, a line for each row."""
    if outcome.error is not None:
        return details_of(outcome)
    return (
        [_row(row) for row in rows_of_outcome(outcome) if not row.is_quiet]
        if outcome.plan is not None
        else []
    )


def _row(row: Row) -> Text:
    images = [image_change(old, new) for old, new in row.images]
    routes = [f"+{host}{path}" for host, path in row.routes_added]
    routes += [f"-{host}{path}" for host, path in row.routes_removed]
    routes += [f"~{told}" for told in row.served_otherwise]
    version: list[Detail] = [version_change(row.old_versions, row.new_versions)]
    version += [say("report.rewritten")] if row.is_rewritten else []
    told = [part for part in (*version, *images, *routes) if part]
    return say("summary.row", word=row.word, name=row.name, told=told)


def _aftermath(outcome: Outcome) -> Iterator[Text]:
    """Yield who serves, what was written and what is left, what to do, and where to apply."""
    yield from (*impact_texts(outcome), *after_texts(outcome))
    cure, error = cure_of(outcome), outcome.error
    if cure is not None and error is not None:
        yield say("context.cure", value=cure)
        yield from (
            say(f"context.{name}", value=error.context[name])
            for name in _ASKED_FOR
            if error.context.get(name)
        )
    elif outcome.to_publish is not None:
        yield say("log.how_to_publish", digest=outcome.to_publish.digest)
