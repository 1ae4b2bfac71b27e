"""Which `{#` begins a comment, and which is a piece of a script, a style sheet or another tool's file. Pure.

Jinja2 takes away everything from a `{#` to the next `#}`: of a script with `${#FILES[@]}` and `${name%#}` all
lines between. Here a comment begins with `{#` and a blank, `-`, `+` or `#`, and never behind a `$`; over
several lines it ends so, too. Of what only Jinja2 would take for a comment nothing is taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bcs_template_set.messages import Text, say

LineRange = tuple[int, int]

_OPENING = re.compile(r"(?<!\{)(\$?)\{#(?=([-+#\s]?))")
_ENDING = re.compile(r"\{#(?:(?!#\}).)*#\}(?=\n)", re.DOTALL)
_WHOLE = re.compile(r"\{#.*?#\}")
_SEAMS = range(0x10FFFD, 0x10FF00, -1)
"""Characters that no text uses. While Jinja2 reads a template, one of them comes between `{` and `#`, and
behind the comment that ends a line of text."""


class UnclearComment(Exception):
    """What Jinja2 would take away may be text; `problem` is the sentence. Named as in its own errors."""

    def __init__(self, problem: Text, *, line: int, name: str) -> None:
        self.problem, self.lineno, self.name = problem, line, name


def with_seams(source: str) -> tuple[str, str]:
    """Return a source in which no `{#` that is text begins a comment, and the seam to take out again."""
    seam = next(chr(code) for code in _SEAMS if chr(code) not in source)

    def ended(found: re.Match[str]) -> str:
        """Keep the line's end where there is more than comments: Jinja2 would take it with the last one."""
        begin = source.rfind("\n", 0, found.start()) + 1
        return found[0] + (seam if _WHOLE.sub("", source[begin : found.start()]).strip() else "")

    text = _ENDING.sub(ended, source)
    last = text.rfind("#}")

    def written(found: re.Match[str]) -> str:
        is_text = found[1] or (not found[2] and last < found.end())
        return f"{found[1]}{{{seam if is_text else ''}#"

    return _OPENING.sub(written, text), seam


def comments_in(tokens: Iterable[tuple[int, str, str]], *, name: str) -> Iterator[LineRange]:
    """Yield the first and last line of each comment, of the tokens of a template.

    Raises:
        UnclearComment: one may be a text that Jinja2 would take away.
    """
    for line, kind, value in tokens:
        if kind == "comment_begin":
            opening, text, begin = value, "", line  # of an empty one there is no text to come
        elif kind == "comment":
            text = value
        elif kind == "comment_end":
            _check(opening, text, value, line=begin, name=name)
            yield begin, line


def _check(opening: str, text: str, end: str, *, line: int, name: str) -> None:
    """Refuse what does not look like a comment: the author says which it is."""
    is_opened = len(opening) > len("{#") or text[:1] in ("#", "") or text[:1].isspace()
    is_closed = "\n" not in text or not end.startswith("#}") or text[-1:] == "#" or text[-1:].isspace()
    if not is_opened:
        problem = say("render.comment_open")
    elif not is_closed or re.search(r"\{#[-+#\s]", text):
        problem = say("render.comment_close", last=line + text.count("\n"))
    else:
        return
    raise UnclearComment(problem, line=line, name=name)
