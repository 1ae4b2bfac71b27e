"""What every failure of the step has: a code, an author, fields, a sentence, a cure. Performs no I/O.

The classes are in `errors.py` and `server_errors.py`. The sentences are in the catalogue,
`messages/errors.json`: `<code>.title` says what happened and where, `<code>.cure` what to do.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Union

from bcs_template_set.messages import Language, Text, known, say
from bcs_template_set.records.late_dataclass import dataclass

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    @dataclass_transform(eq_default=False, kw_only_default=True)
    class _Declared(Exception):
        """Lets a type checker know the fields that a class declares."""
else:
    _Declared = Exception

Detail = Union[Text, str]

MOST_NAMES = 20
"""So many names are listed in a sentence."""


@dataclass(frozen=True)
class Told(Text):
    """A line of a list that has parts: how deep it stands, and whether it stays where the list is cut.

    `count` is how many things it tells of; 0 for a heading.
    """

    depth: int = 0
    stays: bool = False
    count: int = 1

    @property
    def indent(self) -> str:
        """Return the blanks before it."""
        return "  " * self.depth


def count_of(detail: Detail) -> int:
    """Return how many things a detail tells of."""
    return detail.count if isinstance(detail, Told) else 1


def stays(detail: Detail) -> bool:
    """Tell whether a detail is said even where the list before it is cut."""
    return isinstance(detail, Told) and detail.stays


def indent_of(detail: Detail) -> str:
    """Return the blanks before a detail in a list."""
    return detail.indent if isinstance(detail, Told) else ""


def first_names(names: Sequence[Detail], *, most: int = MOST_NAMES) -> list[Detail]:
    """Return at most so many of the names, then how many more there are."""
    more = len(names) - most
    shown: list[Detail] = list(names[:most])
    return [*shown, say("report.more_names", count=more)] if more > 0 else shown


class StepError(_Declared):
    """A failure that has a code, an author, a sentence and a cure.

    What a class annotates are its fields: keyword arguments when it is raised, attributes when it is caught.
    They fill the placeholders of title and cure. `details` are lines under the title, one for each mistake.
    `context` are facts shown beneath, in order: acting user, app, region, project, permission, apply link,
    request ids; its keys are names of the catalogue's `context` area.
    """

    code: ClassVar[int] = 0
    error_type: ClassVar[int]
    field_names: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:  # not fields of the catalogue, but given like them
        details: Sequence[Detail] = ()
        context: Mapping[str, object] = {}

    def __init_subclass__(cls, *, code: int = 0) -> None:
        cls.code = code
        cls.field_names = (*cls.field_names, *vars(cls).get("__annotations__", ()))

    def __init__(
        self, *, details: Sequence[Detail] = (), context: Mapping[str, object] | None = None, **fields: object
    ) -> None:
        with_default = {name for name in self.field_names if hasattr(type(self), name)}
        wrong = (fields.keys() ^ {*self.field_names}) - with_default
        if wrong:
            names = ", ".join(sorted(wrong))
            raise TypeError(f"{type(self).__name__}: fields that are missing or not declared: {names}")
        self.details = tuple(details)
        self.context = dict(context or {})
        self.other_cure: Text | None = None
        self.other_title: Text | None = None
        vars(self).update(fields)

    def __copy__(self) -> StepError:
        """Return the same failure for another place, which adds its own context."""
        other = type(self).__new__(type(self))
        vars(other).update(vars(self))
        return other

    @property
    def fields(self) -> dict[str, object]:
        """Return what fills the placeholders of title and cure."""
        return {name: getattr(self, name) for name in self.field_names}

    def title(self) -> Text:
        """Return the sentence that says what happened and where; another one at a desk."""
        return self.other_title or say(f"errors.{self.code}.title", **self.fields)

    def sentence(self) -> Text:
        """Return the title and the first details, for the middle of a story."""
        title = self.title()
        return say("report.two", first=title, second=first_names(self.details)) if self.details else title

    def cure(self) -> Text:
        """Return the sentence that says what to do; another one, where it is not done in a pipeline."""
        return self.other_cure or say(f"errors.{self.code}.cure", **self.fields)

    def with_context(self, **facts: object) -> StepError:
        """Add facts that the place of the failure did not know; return the same error.

        What it knew stays; an empty fact is one it did not know.
        """
        lacking = {name: fact for name, fact in facts.items() if self.context.get(name) in (None, "")}
        self.context = {**self.context, **lacking}
        return self

    def with_cure(self, cure: Text) -> StepError:
        """Say another cure, unless one was said already; return the same error."""
        self.other_cure = self.other_cure or cure
        return self

    def explain(self, language: Language) -> list[str]:
        """Return the lines a person reads: code, title, details, cure, context. Foreign text is in them."""
        lines = [say("report.verdict_failed", code=self.code, title=self.title()).render(language)]
        lines += [
            f"{indent_of(detail)}  - " + (detail.render(language) if isinstance(detail, Text) else detail)
            for detail in self.details
        ]
        lines.append(say("context.cure", value=self.cure()).render(language))
        lines += [
            say(f"context.{name}", value=fact).render(language)
            for name, fact in self.context.items()
            if fact not in (None, "") and known(f"context.{name}")
        ]
        return lines

    def __str__(self) -> str:
        return "\n".join(self.explain("en_US"))


class UserMistake(StepError):
    """Something a pipeline author can put right."""

    error_type = 1


class StepDefect(StepError):
    """A fault of this step itself."""

    error_type = 3


class Defect(StepDefect, code=800901):
    """An exception nobody foresaw."""

    kind: str
    place: str


def defect_of(exc: BaseException) -> Defect:
    """Return the error for an exception nobody foresaw: its kind and the innermost place in this step."""
    ours = [f for f in traceback.extract_tb(exc.__traceback__) if "bcs_template_set" in f.filename]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return Defect(kind=type(exc).__name__, place=place)


def traceback_of(exc: BaseException) -> str:
    """Return the traceback, for the log: whoever mends the step needs it."""
    return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
