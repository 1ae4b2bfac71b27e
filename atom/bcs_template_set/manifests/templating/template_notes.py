"""The mistakes of templates, noted while they run and not raised at the first. Pure: performs no I/O.

Why missing names are found by running and not by reading: a static look (`jinja2.meta`) cannot see
`domain.imge`, and calls names missing that stand in a branch not taken. So a missing name is noted, with
file and line, and the template goes on with something harmless in its place: a loop over it turns once,
so that names missing inside are found too, and what follows from it is not noted again.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Literal, Optional, Union, cast

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.utils import Namespace

from bcs_template_set.manifests.templating.comment_marks import UnclearComment
from bcs_template_set.manifests.templating.foreign_syntax import (
    filter_missing,
    filter_to_use,
    name_missing,
    syntax_problem,
    tool_in,
    word_of_helm,
)
from bcs_template_set.manifests.templating.template_lines import TemplateLine, place_in, template_line
from bcs_template_set.manifests.wrong_values import kind_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.messages.secret import MASK
from bcs_template_set.messages.spelling import MOST_KNOWN, with_nearest

LEFT_OUT = ("random", "lipsum")
"""What Jinja2 has and templates have not: it makes the same run come to two digests."""

_MOST_KEYS_SHOWN = 12
_LONGEST_SHOWN = 300
OUT_OF_TIME = "render.limit_time"
"""What is exceeded where no time is left for any other template."""

MOST_SUGGESTIONS = 50
"""So many mistakes are compared with the names there are; more than these are counted, not read."""


MistakeKind = Literal["file", "syntax", "missing", "failed"]
Unreadable = Union[jinja2.TemplateSyntaxError, UnclearComment]
LeftOut = tuple[str, int, int]
Key = tuple[MistakeKind, str, int, str]
"""Of which kind a mistake is, in which template and line, and what tells it from others there."""


class Notes:
    """The mistakes noted while templates run: each once. Its template and line are in its key alone.

    `left_out` are the comments that were taken away: template, first and last line. `written` are the words
    of the templates' own code: what else a mistake quotes may be a value, and is not shown. `foreign` are the
    lines whose names another tool may fill in.
    """

    def __init__(self, context: Mapping[str, object]) -> None:
        self.left_out: list[LeftOut] = []
        self.written: set[str] = set()
        self.foreign: dict[TemplateLine, str] = {}
        self._names = list(islice(context, MOST_KNOWN))
        self._context = context
        self._noted: dict[Key, Text] = {}
        self._missing = 0

    def count(self) -> int:
        """Return how many mistakes there are so far."""
        return len(self._noted)

    def since(self, count: int) -> list[tuple[Key, Text]]:
        """Return the mistakes noted after the first `count` ones."""
        return list(islice(self._noted.items(), count, None))

    def add(self, key: Key, note: Text) -> None:
        """Note what was noted elsewhere."""
        self._noted[key] = note

    def noted(self) -> list[tuple[Key, Text]]:
        """Return the mistakes so far, in the order of kinds, templates and lines."""
        return [(key, self._noted[key]) for key in sorted(self._noted)]

    def add_missing(self, name: str, *, owner: object, is_top: bool) -> None:
        """Note a name of the template itself, or a part that its owner does not have."""
        template, line = _under_way()
        name = _cut(name) if is_top or name in self.written else MASK
        key: Key = ("missing", template, line, name)
        if key in self._noted:
            return
        known = self._names if is_top else _parts_of(owner)
        if is_top:
            mistake = word_of_helm(name) or name_missing(name, self.foreign.get((template, line), ""))
        else:
            mistake = say("render.part_missing", name=name, owner=self._name_of(owner))
            if known:
                mistake = say("render.part_known", mistake=mistake, keys=known[:_MOST_KEYS_SHOWN])
        self._noted[key] = with_nearest(mistake, name, known if self._missing < MOST_SUGGESTIONS else ())
        self._missing += 1

    def add_empty(self) -> None:
        """Note that nothing is printed, or made text, at the line under way."""
        template, line = _under_way()
        note = say("render.prints_null")
        self._noted["missing", template, line, note.key] = note

    def _name_of(self, owner: object) -> Union[Text, str]:
        """Return what a template calls a value, where it has a name of its own; else of what type it is."""
        names = (name for name in self._names if self._context[name] is owner)
        is_plain = isinstance(owner, (str, list, dict, int, float))
        kind = kind_of(cast("YamlValue", owner)) if is_plain else type(owner).__name__
        return next(names, kind)

    def add_forbidden(self, what: str) -> None:
        """Note what the sandbox does not allow, at the line under way."""
        template, line = _under_way()
        what = _cut(what)
        note = say("render.forbidden", what=what)
        self._noted["failed", template, line, what] = note

    def add_syntax(self, exc: Unreadable, *, name: str) -> None:
        """Note that a template, or one it includes, is no Jinja2."""
        template, problem = exc.name or name, problem_of(exc)
        note = say("render.syntax", problem=problem)
        self._noted["syntax", template, exc.lineno, str(problem)] = note

    def add_refused(self, problem: Text) -> None:
        """Note that a file can't be included, at the line under way."""
        template, line = _under_way()
        self._noted["file", template, line, str(problem)] = say("render.include_refused", problem=problem)

    def _own(self, quoted: re.Match[str]) -> str:
        """Return what an exception quotes if it is a type's name or the template's own, and no value."""
        word = quoted[0][1:-1]
        return quoted[0] if word in self.written or hasattr(builtins, word) else f"'{MASK}'"

    def add_failure(self, exc: Exception, *, name: str, follows: bool) -> None:
        """Note an exception; one that follows from a mistake noted in the same template is dropped."""
        if follows:
            return
        template, line = place_in(exc.__traceback__) or (name, 0)
        if isinstance(exc, jinja2.TemplatesNotFound):
            names = [_cut(item) for item in exc.templates[:_MOST_KEYS_SHOWN]]
            note = say("render.include_missing", name=names)
        elif isinstance(exc, jinja2.TemplateNotFound):
            note = say("render.include_missing", name=_cut(exc.name))
        elif isinstance(exc, ReadTwice):
            note = say("render.lazy_twice")
        else:
            problem = type(exc).__name__
            if not isinstance(exc, _QUOTING):
                problem = _cut(f"{problem}: {_QUOTED.sub(self._own, str(exc))}")
            note = say("render.failed", problem=problem)
        self._noted["failed", template, line, type(exc).__name__] = note


def exceeded(
    what: str, *, limit: object, place: Optional[TemplateLine] = None, template: Optional[str] = None
) -> LimitExceeded:
    """Return the error that names the template, and its line where one is under way or given."""
    name, line = place or _under_way()
    where = say("render.place", template=name, line=line) if line else template
    return LimitExceeded(what=say(f"render.{what}", place=where), limit=limit)


def _under_way() -> TemplateLine:
    """Return the template and line under way; "" and 0 where that is unknown."""
    return template_line(sys._getframe()) or ("", 0)  # noqa: SLF001 - where the template is


class ReadTwice(Exception):
    """A template reads a lazy value again, which would be empty now."""


def problem_of(exc: Unreadable) -> Text:
    """Return what is wrong with a template, in the reader's terms where we know them."""
    if isinstance(exc, UnclearComment):
        return exc.problem
    message = _cut(exc.message)
    if message == "Missing end of comment tag":
        return say("render.comment_unclosed")
    if filter_missing(message):
        known = [name for name in FILTERS if name not in LEFT_OUT]
        return filter_to_use(filter_missing(message), known=known)
    lines = str(exc.source).split("\n")  # it has none where it can't be compiled
    return next(map(tool_in, lines[exc.lineno - 1 : exc.lineno]), None) or syntax_problem(message)


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_QUOTING = (ValueError, LookupError, UnicodeError, OSError)
"""Exceptions whose words quote a value, as those of `int('hunter2')` do; others name types."""


class MissingName(jinja2.Undefined):
    """A name or part that is not there: noted when it is used, and harmless after that.

    `is defined` and `default()` don't use it. Its uses are those of jinja2.StrictUndefined.
    """

    __slots__ = ()
    notes: Notes

    def _note(self) -> None:
        if self._undefined_exception is SecurityError:
            self.notes.add_forbidden(str(self._undefined_hint))
            return
        owner = self._undefined_obj
        is_top = owner is jinja2.utils.missing
        self.notes.add_missing(str(self._undefined_name), owner=owner, is_top=is_top)

    def _used(self, *_args: object, **_named: object) -> MissingName:
        self._note()
        return self._harmless()

    def _harmless(self) -> MissingName:
        return _Quiet(name=self._undefined_name)

    def _as_false(self, *_args: object) -> bool:
        self._note()
        return False

    def _as_zero(self, *_args: object) -> int:
        self._note()
        return 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - Jinja's own signature
        if name.startswith("__"):
            raise AttributeError(name)
        return self._used()

    def __str__(self) -> str:
        self._note()
        return ""

    def __iter__(self) -> Iterator[Any]:
        self._note()
        yield self._harmless()

    def __bool__(self) -> bool:
        self._note()
        return True

    def __float__(self) -> float:  # type: ignore[override] # the base says it never returns
        self._note()
        return 0.0

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _used  # type: ignore[assignment] # as above
    __div__ = __rdiv__ = __truediv__ = __rtruediv__ = _used  # type: ignore[assignment] # as above
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _used  # type: ignore[assignment] # as above
    __pow__ = __rpow__ = __pos__ = __neg__ = _used  # type: ignore[assignment] # as above
    __call__ = __getitem__ = _used  # type: ignore[assignment] # as above
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _as_false  # type: ignore[assignment] # as above
    __contains__ = _as_false
    __int__ = __len__ = __hash__ = _as_zero  # type: ignore[assignment] # as above


def _cut(text: object) -> str:
    """Return what a template says of itself, in a length that people read."""
    return str(text)[:_LONGEST_SHOWN]


def _parts_of(owner: object) -> list[str]:
    """Return the names that a mapping or one of our own values has, for the near miss."""
    if isinstance(owner, dict):
        return [key for key in islice(owner, MOST_KNOWN) if isinstance(key, str)]
    return [*getattr(owner, "__dataclass_fields__", ())]


class _Quiet(MissingName):
    """What stands for the rest of a missing name: used like it, noted no more."""

    __slots__ = ()

    def _note(self) -> None:
        """Note nothing: the name it comes from is noted."""

    def _harmless(self) -> MissingName:
        return self


class _NoNamespace(MissingName):
    """The name `namespace` of a run without one: missing, and Jinja2's function where it is called."""

    __slots__ = ()

    def __call__(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - as Jinja2's
        return Namespace(*args, **named)


def missing_namespace(notes: Notes) -> jinja2.Undefined:
    """Return what stands for the cluster's namespace where nobody has given one."""
    return noted_by(notes, _NoNamespace)(name="namespace")


def noted_by(notes: Notes, kind: type[MissingName] = MissingName) -> type[MissingName]:
    """Return the class of missing names that are noted here."""
    return type(kind.__name__, (kind,), {"notes": notes})
