"""How much one template may do before it is stopped: work, size of values, time. Pure but for its clock.

Every loop turn, macro call, filter, operator and call of a template pays here, *before* the work where its
cost can be known, so `'a' * 10**10` ends as fast as an endless loop. Units are characters and elements.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from types import GeneratorType
from typing import Optional, cast

from bcs_template_set.manifests.templating.template_lines import TemplateLine, template_line
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.messages.server_errors import OutOfTime
from bcs_template_set.system.clock import Clock, Deadline

MOST_SECONDS = 30
MOST_WORK = 32 * 2**20
MOST_TEXT = 2 * 2**20
MOST_SIZE = 4 * 2**20
MOST_BITS = 128
MOST_RANGE = 100_000
MOST_TOKENS = 40_000
TURN = 32
CALL = 256
LOOK_FOR_FILE = 512
ELEMENT = 8
"""What an element of a list or mapping costs beside a character's 1: the memory for it is as much more."""

_LOOK_EVERY = 2**11
"""Units from one look at the clock to the next: few, for what a turn of a loop does may take long."""

_LONGEST_FORMAT = 2000
_SEARCHED_AT_ONCE = 64
_SCANNED_AT_ONCE = 8
_COMPARED_AT_ONCE = 16
_CONTAINERS = (list, tuple, dict, set, frozenset)
_LAZY: tuple[type, ...] = (
    *(type({}.keys()), type({}.values()), type({}.items()), GeneratorType, map, filter, zip),
    *(reversed, type(reversed([])), type(reversed({})), type(iter(range(0)))),
)
_ALWAYS_TOO_MUCH = MOST_WORK + 1


class Budget:
    """What the template under way has left. `begin()` starts anew for a file; the time runs on."""

    def __init__(
        self, clock: Clock, *, seconds: float = MOST_SECONDS, deadline: Optional[Deadline] = None
    ) -> None:
        """Begin to count; `deadline` is the run's own, which may come before these seconds are over."""
        self._clock = clock
        self._seconds = seconds
        self._deadline = deadline or Deadline(clock, seconds=None)
        self._ends = clock.monotonic() + seconds
        self.begin("")

    def begin(self, template: str) -> None:
        """Give a template its share of work."""
        self._template = template
        self._spent = 0
        self._next_look = 0
        self._sizes: dict[int, tuple[object, int]] = {}

    def spend(self, amount: int) -> bool:
        """Pay for work about to be done; always True, so that it can stand in a condition.

        Raises:
            LimitExceeded: the work or the time is used up.
        """
        self._spent += amount
        if self._spent >= self._next_look:
            self._look()
        return True

    def _look(self) -> None:
        self._next_look = self._spent + _LOOK_EVERY
        if self._spent > MOST_WORK:
            raise self.exceeded("limit_work", limit=say("render.steps", number=MOST_WORK))
        self.check_time()

    def check_time(self) -> None:
        """Stop where the time of the whole rendering, or of the run, is used up.

        Raises:
            LimitExceeded: it is the rendering's.
            OutOfTime: it is the run's.
        """
        if self._deadline.passed():
            raise OutOfTime(seconds=int(self._deadline.seconds or 0))
        if self._clock.monotonic() > self._ends:
            raise self.exceeded("limit_time", limit=say("render.seconds", number=self._seconds))

    def exceeded(self, what: str, *, limit: object, place: Optional[TemplateLine] = None) -> LimitExceeded:
        """Return the error that names the template, and its line where one is under way."""
        found = place or template_line(sys._getframe(1))  # noqa: SLF001 - the frames say where the template is
        template, line = found or (self._template, 0)
        where = say("render.place", template=template, line=line) if line else template
        return LimitExceeded(what=say(f"render.{what}", place=where), limit=limit)

    def taken(self, result: object) -> object:
        """Pay for a value that came into being, and return it.

        Raises:
            LimitExceeded: it is larger than any value may be.
        """
        if isinstance(result, (str, bytes)):
            self.spend(len(result))
        elif isinstance(result, int):
            self._check_bits(result.bit_length())
        elif isinstance(result, _CONTAINERS):
            self.spend(ELEMENT * len(result))
            if self.size_of(result) > MOST_SIZE:
                raise self.exceeded("limit_size", limit=say("render.characters", number=MOST_SIZE))
        elif isinstance(result, _LAZY):
            # A view or generator has no size of its own: kept as it is, it would be work that nobody pays.
            return self.taken(self._all_of(cast("Iterable[object]", result)))
        return result

    def _all_of(self, items: Iterable[object]) -> list[object]:
        """Return the items of a view or generator, each paid for as it comes."""
        found: list[object] = []
        for item in items:
            self.spend(TURN)
            found.append(self.taken(item))
        return found

    def size_of(self, value: object) -> int:
        """Return how long a value would be as text, shared parts counted each time; remembered."""
        if isinstance(value, (str, bytes)):
            return len(value) + 1
        if isinstance(value, range):
            return len(value)
        if not isinstance(value, _CONTAINERS):
            return TURN
        known = self._sizes.get(id(value))
        if known is not None:
            return known[1]
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        size = 1
        for part in parts:
            size += self.size_of(part)
            if size > MOST_SIZE:
                break
        # The value is kept beside its size, so that no other can get its identity meanwhile.
        self._sizes[id(value)] = (value, size)
        return size

    def pay_operator(self, operator: str, left: object, right: object) -> None:
        """Pay for `left operator right` before it is done."""
        self.spend(TURN)
        if operator == "*":
            self.spend(_repeated(left, right) or _repeated(right, left))
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            self._check_bits(left.bit_length() * max(0, right))
        elif operator == "%" and isinstance(left, str):
            self.spend(_percent_price(left, right))
            self._pay_values(left.count("%(") + 1, [right])
        elif operator == "+" and isinstance(left, (str, list, tuple)):
            self.spend(len(left))

    def pay_call(self, args: tuple[object, ...], named: Mapping[str, object]) -> None:
        """Pay for a call of anything but a built-in method, and for the arguments it is handed."""
        self.spend(CALL + ELEMENT * (len(args) + len(named)))

    def pay_comparison(self, *values: object) -> None:
        """Pay for comparing values with each other: two that are equal are read to their ends."""
        self.spend(TURN + sum(map(self.size_of, values)) // _COMPARED_AT_ONCE)

    def pay_filter(self, name: str, args: tuple[object, ...], named: Mapping[str, object]) -> None:
        """Pay for a filter before it runs; `args[0]` is the filtered value."""
        price = _FILTER_PRICES.get(name)
        self.spend(TURN * len(args) + (price(args, named) if price is not None else 0))
        if name in _BY_ATTRIBUTE:
            self.spend(_attribute_price(args, named))
        if name in _SORTS:
            self.pay_comparison(args[0])
        if name == "format" and isinstance(args[0], str):
            self._pay_values(args[0].count("%(") + 1, [*args[1:], *named.values()])

    def pay_method(
        self, name: str, owner: object, args: tuple[object, ...], named: Mapping[str, object]
    ) -> None:
        """Pay for a method of a built-in value before it runs."""
        price = _METHOD_PRICES.get(name)
        self.spend(TURN * (1 + len(args)) + (price((owner, *args), named) if price is not None else 0))
        if isinstance(owner, (list, tuple)) or name == "get":
            self.pay_search(args[0] if args else None, owner)
        if name == "format" and isinstance(owner, str):
            self._pay_values(owner.count("{"), [*args, *named.values()])

    def pay_search(self, item: object, holder: object) -> None:
        """Pay for `item in holder` before it is looked for."""
        if isinstance(holder, (dict, set, frozenset)):
            self.spend(
                TURN + self.size_of(item) // _COMPARED_AT_ONCE
            )  # a tuple's hash is made anew each time
        elif isinstance(holder, (list, tuple)):
            each = self.size_of(item) * len(holder)
            self.spend(TURN + len(holder) + min(each, self.size_of(holder)) // _COMPARED_AT_ONCE)
        elif isinstance(holder, range) and not isinstance(item, int):
            self.spend(TURN + len(holder))  # only where a whole number is in it can be calculated
        else:
            self.spend(TURN + _search_price((holder, item), {}))

    def _pay_values(self, times: int, values: Iterable[object]) -> None:
        """Pay for values that a format may show so many times."""
        self.spend(times * sum(map(self.size_of, values)))

    def _check_bits(self, bits: int) -> None:
        if bits > MOST_BITS:
            raise self.exceeded("limit_number", limit=say("render.bits", number=MOST_BITS))


# --- prices: how much would come out, from what goes in ---------------------------------------------------

Price = Callable[["tuple[object, ...]", "Mapping[str, object]"], int]


def _number(value: object) -> int:
    return abs(value) if isinstance(value, int) else 0


def _length(value: object) -> int:
    return len(value) if isinstance(value, (str, bytes, range, *_CONTAINERS)) else TURN


def _repeated(value: object, times: object) -> int:
    return _length(value) * _number(times) if isinstance(value, (str, bytes, list, tuple)) else 0


def _numbers_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    """Return the sum of the numbers among the arguments: widths and counts."""
    return _length(args[0]) + sum(_number(value) for value in (*args[1:], *named.values()))


def _indent_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    text = args[0] if isinstance(args[0], str) else ""
    width = args[1] if len(args) > 1 else named.get("width", 4)
    return len(text) + (text.count("\n") + 1) * (len(width) if isinstance(width, str) else _number(width))


def _replace_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    text, *rest = [value for value in (*args, *named.values()) if isinstance(value, str)] or [""]
    old, new = (*rest, "", "")[:2]
    looking = _search_price((text, old), {})
    if looking > MOST_WORK:
        return looking
    return looking + len(text) + (text.count(old) * len(new) if old else (len(text) + 1) * len(new))


def _search_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    """Return what looking for one text in another may cost: CPython's worst case is their product."""
    text, *rest = [value for value in (*args, *named.values()) if isinstance(value, str)] or [""]
    return len(text) + len(text) * max(map(len, rest), default=0) // _SEARCHED_AT_ONCE


def _scan_price(args: tuple[object, ...], _named: Mapping[str, object]) -> int:
    """Return what reading a whole text costs."""
    return _length(args[0]) // _SCANNED_AT_ONCE


def _attribute_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    """Return what looking for `a.b.c` in every element costs, by the length of what it may be written in."""
    written = [len(value) for value in (*args[1:], *named.values()) if isinstance(value, str)]
    return _length(args[0]) * (max(written, default=0) // _SCANNED_AT_ONCE)


def _elements_price(args: tuple[object, ...], _named: Mapping[str, object]) -> int:
    """Return what a turn for each element costs."""
    return ELEMENT * _length(args[0])


def _join_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    separator = args[1] if len(args) > 1 else named.get("d", "")
    items = args[0]
    if not isinstance(items, _CONTAINERS):
        return (len(items) if isinstance(items, (str, range)) else TURN) * (_length(separator) + 1)
    return len(items) * _length(separator) + sum(_length(item) for item in items)


def _method_join_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    return _join_price((args[1], args[0]), named) if len(args) > 1 else 0


def _int_price(args: tuple[object, ...], _named: Mapping[str, object]) -> int:
    return _length(args[0]) ** 2 // 64 if isinstance(args[0], str) else 0


def _round_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    precision = _number(args[1] if len(args) > 1 else named.get("precision", 0))
    return _ALWAYS_TOO_MUCH if precision > MOST_BITS else precision


def _percent_price(text: str, right: object) -> int:
    """Return the sum of the widths in a `%` format; a `*` takes its width from the values."""
    price = sum(int(digits) for digits in re.findall(r"[0-9]{3,18}", text) if "%" in text)
    if re.search(r"[0-9]{19}", text) and "%" in text:
        return _ALWAYS_TOO_MUCH
    if "*" in text:
        values = right if isinstance(right, tuple) else (right,)
        price += sum(_number(value) for value in values)
    return len(text) + price


def _format_filter_price(args: tuple[object, ...], named: Mapping[str, object]) -> int:
    if not isinstance(args[0], str):
        return 0
    return _percent_price(args[0], (*args[1:], *named.values()))


def _format_method_price(args: tuple[object, ...], _named: Mapping[str, object]) -> int:
    text = args[0] if isinstance(args[0], str) else ""
    if len(text) > _LONGEST_FORMAT:
        return _ALWAYS_TOO_MUCH
    specs = re.findall(r"\{[^{}]*:([^{}]*)\}", text)
    if re.search(r"\{[^{}]*\{", text.replace("{{", "")) or re.search(r"[0-9]{8}", "".join(specs)):
        return _ALWAYS_TOO_MUCH
    return len(text) + sum(int(digits) for spec in specs for digits in re.findall(r"[0-9]+", spec))


_SORTS = ("dictsort", "groupby", "max", "min", "sort", "unique")
"""Filters that compare the elements with each other."""

_BY_ATTRIBUTE = frozenset((*_SORTS, "map", "rejectattr", "selectattr", "sum"))

_FILTER_PRICES: Mapping[str, Price] = {
    "batch": _numbers_price,
    "center": _numbers_price,
    "float": _scan_price,
    "format": _format_filter_price,
    "indent": _indent_price,
    "int": _int_price,
    "join": _join_price,
    "replace": _replace_price,
    "round": _round_price,
    "slice": _numbers_price,
    "sum": _elements_price,
    "trim": _search_price,
    "wordcount": _elements_price,
    **dict.fromkeys(_SORTS, _elements_price),
}
_METHOD_PRICES: Mapping[str, Price] = {
    "center": _numbers_price,
    "count": _search_price,
    "expandtabs": lambda args, _named: _length(args[0]) * max(8, _number(args[1]) if len(args) > 1 else 8),
    "find": _search_price,
    "format": _format_method_price,
    "index": _search_price,
    "join": _method_join_price,
    "ljust": _numbers_price,
    "lstrip": _search_price,
    "partition": _search_price,
    "replace": _replace_price,
    "rfind": _search_price,
    "rindex": _search_price,
    "rjust": _numbers_price,
    "rpartition": _search_price,
    "rsplit": _search_price,
    "rstrip": _search_price,
    "split": _search_price,
    "strip": _search_price,
    "zfill": _numbers_price,
    **dict.fromkeys(("isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier"), _scan_price),
    **dict.fromkeys(("islower", "isnumeric", "isspace", "istitle", "isupper"), _scan_price),
}
