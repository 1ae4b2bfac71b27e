"""What is no YAML, and what its parsers say of it -> our sentence, without what they quote. Pure: no I/O."""

from __future__ import annotations

import re

from bcs_template_set.messages import Text, say

DEEPEST = 100
PLAIN_KEY = re.compile(r"[A-Za-z_-]{1,32}")
"""Where a colon or a line break is missing, a secret becomes part of a key: no such key is shown."""
_KNOWN = {
    "mapping values are not allowed in this context": "yaml_colon",
    "mapping values are not allowed here": "yaml_colon",
    "did not find expected key": "yaml_indent",
    "did not find expected '-' indicator": "yaml_indent",
    "found unexpected end of stream": "yaml_unclosed",
}
"""libyaml's and PyYAML's own words for the mistakes people make most."""

_TOO_DEEP = " nesting "
"""`exceeded maximum nesting depth` (PyYAML 6.0.4), `Maximum nesting level reached, set with …` (libyaml):
their limits are above ours, so ours is what to say. No name that a parser quotes has a blank in it."""


class YamlUnreadable(Exception):
    """A text is no YAML we take; `line` and `column` count from 1.

    No excerpt: its line may hold a password, and so may its key where a colon is missing.
    """

    def __init__(self, problem: Text, *, source: str, line: int, column: int) -> None:
        super().__init__(source, line, column)
        self.problem = problem
        self.source = source
        self.line = line
        self.column = column

    def as_text(self) -> Text:
        """Return the sentence with file, line, column and problem."""
        where = {"source": self.source, "line": self.line, "column": self.column}
        return say("render.yaml_at", **where, problem=self.problem)

    def __str__(self) -> str:
        return str(self.as_text())


def too_deep() -> Text:
    """Return the one sentence for what is nested too deeply, whichever limit it meets first."""
    return say("render.yaml_deep", limit=DEEPEST)


def sentence_of(words: str) -> Text:
    """Return the sentence for a parser's words, a general one for the rest: their English is not shown."""
    if _TOO_DEEP in words:
        return too_deep()
    known = "yaml_indent" if words.startswith("expected <block end>") else _KNOWN.get(words)
    return say(f"render.{known or 'yaml_problem'}")
