"""What Jinja2's filters take and return: items that are read once, text as it is printed. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from types import GeneratorType
from typing import Any, Optional, Union, cast

import jinja2
from jinja2.nodes import EvalContext
from markupsafe import Markup

from bcs_template_set.manifests.templating.template_notes import ReadTwice

READ_WHOLE = ("count", "last", "length")
"""Filters that need a list, not what makes its items one by one."""

OF_TEXT = (
    *("capitalize", "center", "indent", "lower", "replace", "striptags", "title", "trim", "truncate"),
    *("upper", "wordcount", "wordwrap"),
)
"""Filters that would make text of their value as Python does: `True`, `None`."""

_ITERATORS: tuple[type, ...] = (
    *(GeneratorType, map, filter, zip, reversed),
    *(type(reversed([])), type(reversed({})), type(iter(range(0)))),
)
VIEWS: tuple[type, ...] = (range, type({}.keys()), type({}.values()), type({}.items()))


class Lazy:
    """What `map`, `select` and their like return: items that are made when they are asked for, once.

    They are kept for another reading where all are asked for: to be printed, counted, or looked at by number.
    """

    __slots__ = ("_is_read", "_items")

    def __init__(self, items: Iterator[object]) -> None:
        self._items: Union[Iterator[object], list[object]] = items
        self._is_read = False

    def __iter__(self) -> Iterator[object]:
        """Yield the items; the second time, which would yield none, raise `ReadTwice`."""
        if not isinstance(self._items, list):
            if self._is_read:
                raise ReadTwice
            self._is_read = True
        yield from self._items

    def __bool__(self) -> bool:
        return bool(self.whole())

    def __getitem__(self, key: Any) -> object:  # noqa: ANN401 - a number or a slice
        return self.whole()[key]

    def whole(self) -> list[object]:
        """Return all items."""
        if not isinstance(self._items, list):
            self._items = list(self)
        return self._items


def lazily(
    function: Callable[..., object], *, whole: bool, as_text: Optional[Callable[[object], str]]
) -> Callable[..., object]:
    """Return a filter whose items, if it makes them one by one, can't be missed when they are read again."""
    nth = int(hasattr(function, "jinja_pass_arg"))

    @wraps(function)  # what Jinja2 has noted of it, such as that it wants the context, stays
    def call(*args: object, **named: object) -> object:
        if as_text is not None:
            args = (*args[:nth], as_text(args[nth]), *args[nth + 1 :])
        if whole:
            args = tuple(arg.whole() if isinstance(arg, Lazy) else arg for arg in args)
        result = function(*args, **named)
        return Lazy(cast("Iterator[object]", result)) if isinstance(result, _ITERATORS) else result

    return call


def marked_up(function: Callable[[Any], str]) -> Callable[..., str]:
    """Return a filter whose text is not escaped again in an `autoescape` block, and is plain elsewhere."""

    @jinja2.pass_eval_context
    def call(context: EvalContext, value: object) -> str:
        text = function(value)
        return Markup(text) if context.autoescape else str(text)  # noqa: S704 - the template's own wish

    return call
