"""A run as a few lines of Markdown, for chat, mail and merge requests. Pure: performs no I/O.

What failed comes first. Lines that there is no room for are left out whole and counted.
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
from bcs_template_set.report.page import only_web
from bcs_template_set.report.rollout_verdict import cure_of, impact_texts
from bcs_template_set.report.rows import Row, image_change, rows_of_outcome, version_change
from bcs_template_set.report.verdict import after_texts, details_of, headline, how_to_carry_out

_LONGEST_LINE = 1200
_LONGEST_HEADLINE = 1500
_ASKED_FOR = ("found", "permission", "apply_url", "request_id")
_MARKUP = re.compile(r"([\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_])|(?<=\S)~|&(?=#?\w+;))")
"""What Markdown obeys anywhere; a `_` inside a word is none of it."""

_NO_ADDRESS = re.compile(r"[\s()<>*`~\[\]\\]")
_AT_THE_START = re.compile(r"^(\d*)([#+=>-]|(?<=\d)[.)](?=\s|$))")


def summary_of(outcome: Outcome, *, mask: Callable[[str], str] = str) -> str:
    """Return the summary, at most `MOST_STRING_UNITS` long, secrets masked before it is shortened."""
    writer = _Writer(outcome, mask)
    items = _items(outcome)
    whole, fits, too_many = writer.text(items, most=len(items)), -1, len(items)
    if utf16_units(whole) <= MOST_STRING_UNITS:
        return whole
    while too_many - fits > 1:
        most = (fits + too_many) // 2
        if utf16_units(writer.text(items, most=most)) <= MOST_STRING_UNITS:
            fits = most
        else:
            too_many = most
    return writer.headline() if fits < 0 else writer.text(items, most=fits)


class _Writer:
    """Writes one outcome in its language."""

    def __init__(self, outcome: Outcome, mask: Callable[[str], str]) -> None:
        self._outcome = outcome
        self._mask = mask

    def line(self, words: Detail, *, most: int = _LONGEST_LINE) -> str:
        """Return words as one line without markup of their own."""
        shown = words.render(self._outcome.language) if isinstance(words, Text) else words
        short = shorten(one_line(self._mask(shown)), most)
        return _AT_THE_START.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", short))

    def headline(self) -> str:
        """Return how the run ended, whole."""
        return f"**{self.line(headline(self._outcome), most=_LONGEST_HEADLINE)}**"

    def _address(self, url: str) -> str:
        """Return an address whole, as a link can hold it."""
        return _NO_ADDRESS.sub(lambda found: quote(found[0]), self._mask(url))

    def _facts(self) -> Iterator[str]:
        """Yield what a person who helps is asked for; an address, such as where to apply, is not cut."""
        known = self._outcome.error.context if self._outcome.error is not None else {}
        for name in (name for name in _ASKED_FOR if known.get(name)):
            url = only_web(str(known[name]))
            told = self.line(say(f"context.{name}", value=known[name] if url is None else "%"))
            yield told if url is None else told.replace("%", self._address(url))

    def text(self, items: Sequence[Detail], *, most: int) -> str:
        """Return the whole, with so many lines of its list."""
        outcome = self._outcome
        more = sum(map(count_of, items[most:]))
        listed: list[Detail] = [*items[:most], *([say("report.more_details", count=more)] if more else [])]
        blocks = [
            self.headline(),
            "\n".join(f"{indent_of(item)}- {self.line(item)}" for item in listed),
            *map(self.line, _aftermath(outcome)),
            *self._facts(),
            " · ".join(self._links()),
        ]
        return "\n\n".join(block for block in blocks if block)

    def _links(self) -> Iterator[str]:
        heading = self._outcome.heading
        build = say("summary.build", number=heading.build_number, pipeline=heading.pipeline)
        folder = say("summary.folder", name=heading.space)
        for words, url in ((build, heading.build_url), (folder, heading.console.space_url)):
            if url:
                yield f"[{self.line(words)}]({self._address(url)})"


def _items(outcome: Outcome) -> Sequence[Detail]:
    """Return what a failure is about, or what changes, a line for each row."""
    if outcome.error is not None:
        return details_of(outcome)
    return [_row(row) for row in rows_of_outcome(outcome) if not row.is_quiet]


def _row(row: Row) -> Text:
    images = [image_change(old, new) for old, new in row.images]
    routes = [f"+{host}{path}" for host, path in row.routes_added]
    routes += [f"-{host}{path}" for host, path in row.routes_removed]
    routes += [f"~{told}" for told in row.served_otherwise]
    version: list[Detail] = [version_change(row.old_versions, row.new_versions)]
    version += [say("report.rewritten")] if row.is_rewritten else []
    told = [part for part in (*version, *images, *routes) if part]
    return say("summary.row", word=row.word, name=row.name, told=told or row.ending.words)


def _aftermath(outcome: Outcome) -> Iterator[Text]:
    """Yield who serves, what was written and what is left, and what to do."""
    yield from (*impact_texts(outcome), *after_texts(outcome))
    cure = cure_of(outcome)
    if cure is not None:
        yield say("context.cure", value=cure)
    elif outcome.to_publish is not None:
        yield how_to_carry_out(outcome.to_publish, outcome)
