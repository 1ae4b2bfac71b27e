"""What a manifest says to the step in comments: `# bcs-template-set: <word> …`. Pure: performs no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Optional

from bcs_template_set.manifests.parse import Document

_NAME = "bcs-template-set:"
_COMMENT = re.compile(rf"#[ \t]*{_NAME}[ \t]*(\S*)([^\r\n]*)")
_CONDITION = re.compile(r"([^\s=]+)[ \t]*=[ \t]*(\S.*)")


class StepComment(NamedTuple):
    """A comment: the line it stands in, from 1, its first word, and what follows."""

    line: int
    word: str
    rest: str


class Condition(NamedTuple):
    """When an object is ready: the field at this path has this value."""

    field: str
    value: str


def comments_in(text: str) -> Iterator[StepComment]:
    """Yield the comments for the step, in order."""
    line, at = 1, 0
    for found in _COMMENT.finditer(text) if _NAME in text else ():  # every file comes here, and few have one
        line, at = line + text.count("\n", at, found.start()), found.start()
        yield StepComment(line, found[1], found[2].strip())


def allowed_in(text: str) -> tuple[str, ...]:
    """Return what a file's comments allow: ids of checks, and what else has a name."""
    rest = " ".join(comment.rest for comment in comments_in(text) if comment.word == "allow")
    return tuple(rest.replace(",", " ").split())


def condition_in(comment: StepComment) -> Optional[Condition]:
    """Return the condition of a `ready` comment, None where it is none."""
    found = _CONDITION.fullmatch(comment.rest)
    if found is None or not all(found[1].split(".")):
        return None
    return Condition(found[1], found[2])


def document_at(line: int, *, text: str, documents: Sequence[Document]) -> Optional[Document]:
    """Return the document in which a line stands, None where it stands in none."""
    part_of = list(accumulate(part.startswith("---") for part in text.split("\n")))
    part = part_of[line - 1]
    return next((document for document in documents if part_of[document.line - 1] == part), None)
