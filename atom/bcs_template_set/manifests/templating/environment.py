"""The sandbox that templates run in: what they may call, and what it costs. Performs no I/O of its own.

A value is printed as YAML reads it back: `true` and not `True`, `["a"]` and not `['a']`; text as it is.
Values can't be changed by a template, for the next template sees the same ones.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial, wraps
from types import BuiltinMethodType, MethodType, TracebackType
from typing import Any, NoReturn, Optional, Union, cast

import jinja2
import jinja2.filters
import markupsafe
from jinja2 import nodes
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bcs_template_set.manifests.templating.bcs_places import Marks
from bcs_template_set.manifests.templating.budget import (
    LOOK_FOR_FILE,
    MOST_RANGE,
    MOST_SIZE,
    MOST_TOKENS,
    TURN,
    Budget,
)
from bcs_template_set.manifests.templating.metering import Metering
from bcs_template_set.manifests.templating.template_lines import template_line
from bcs_template_set.manifests.templating.template_notes import MissingName, Notes
from bcs_template_set.manifests.templating.workspace_files import FileUnusable
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import TemplateUnreadable

ReadText = Callable[[str], str]

# Filters that make the same run give two results, need HTML, or can't be bounded.
_FILTERS_LEFT_OUT = ("pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr")
# Tests that read their values to the end; the others cost the same for any value.
_COMPARING_TESTS = (
    *(
        "==",
        "eq",
        "equalto",
        "!=",
        "ne",
        ">",
        "gt",
        "greaterthan",
        "ge",
        ">=",
        "<",
        "lt",
        "lessthan",
        "<=",
        "le",
    ),
    *("lower", "upper"),
)
_GLOBALS_LEFT_OUT = ("lipsum", "namespace")
# fmt: off
_STR_METHODS = frozenset((
    "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format",
    "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower",
    "isnumeric", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip",
    "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition",
    "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
    "upper", "zfill",
))
# fmt: on
_METHODS: Mapping[type, frozenset[str]] = {
    str: _STR_METHODS,
    dict: frozenset(("copy", "get", "items", "keys", "values")),
    list: frozenset(("copy", "count", "index")),
    tuple: frozenset(("count", "index")),
    int: frozenset(("bit_length",)),
    float: frozenset(("is_integer",)),
}
_LONGEST_PATH = 4096
_BCS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


class _Template(jinja2.Template):
    """A template whose import has its macros and variables, and not the text it rendered to."""

    def make_module(self, *args: Any, **kwargs: Any) -> TemplateModule:  # noqa: ANN401 - as the base
        module = super().make_module(*args, **kwargs)
        module._body_stream = []  # noqa: SLF001 - str() of a module would copy it each time, unpaid
        return module


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which everything is paid for and values can't be changed."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))
    template_class = _Template

    def __init__(self, budget: Budget, *, notes: Notes, marks: Marks, read_text: ReadText) -> None:
        super().__init__(
            undefined=type("_NotedMissing", (MissingName,), {"notes": notes, "__slots__": ()}),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            optimized=False,
            finalize=jinja2.pass_context(lambda _context, value: self.printed(value)),
            loader=jinja2.FunctionLoader(partial(_load, read_text, budget)),
            auto_reload=False,
        )
        self._budget = budget
        self._marks = marks
        self._safe: dict[tuple[type, str], bool] = {}
        self._json = json.JSONEncoder(ensure_ascii=False, default=_as_plain)
        self.pay = budget.spend
        self.filters = {
            name: self._paid_filter(name, function)
            for name, function in self.filters.items()
            if name not in _FILTERS_LEFT_OUT
        }
        for name, function in (
            ("tojson", self.as_json),
            ("string", self.as_text),
            ("safe", self.as_text),
            *((name, self._escaped) for name in ("e", "escape", "forceescape")),
        ):
            self.filters[name] = self._paid_filter(name, function)
        self.filters["sum"] = self._paid_filter("sum", self.summed)
        compared = {
            name: self._paid_test(cast("Callable[..., object]", self.tests[name]))
            for name in _COMPARING_TESTS
        }
        self.tests = {**self.tests, **compared, "in": self.contained}
        self.globals = {
            name: value for name, value in self.globals.items() if name not in _GLOBALS_LEFT_OUT
        } | {"bcs": self.bcs, "range": self.range}

    def compile_source(self, source: str, *, name: str) -> jinja2.Template:
        """Return a template, whose name messages use.

        Raises:
            jinja2.TemplateSyntaxError: it is no Jinja2, or nested deeper than Python can compile.
            LimitExceeded: it has more code than can be compiled within the step's memory.
        """
        try:
            code = self.compile(source, name=name, filename=name)
        except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as exc:
            problem = f"nested too deeply or too large: {str(exc) or type(exc).__name__}"
            raise jinja2.TemplateSyntaxError(problem, _line_in(exc.__traceback__), name) from exc
        return self.template_class.from_code(self, code, self.globals)

    def _parse(self, source: str, name: Optional[str], filename: Optional[str]) -> nodes.Template:
        self._check_amount(source, name=name or "")  # here, so that included files are counted too
        return super()._parse(source, name, filename)

    def _check_amount(self, source: str, *, name: str) -> None:
        """Count the words of code, where there can be too many; each takes kilobytes to compile."""
        if len(source) <= MOST_TOKENS:
            return
        count = 0
        for line, kind, _text in self.lexer.tokeniter(source, name):
            count += kind not in ("data", "whitespace", "comment")
            if count > MOST_TOKENS:
                raise self._budget.exceeded("limit_code", limit=MOST_TOKENS, place=(name, line))

    def _generate(
        self,
        source: nodes.Template,
        name: Optional[str],
        filename: Optional[str],
        defer_init: bool = False,  # noqa: FBT001, FBT002 - as the base
    ) -> str:
        _mark_own_braces(source, marks=self._marks)
        metered = cast("nodes.Template", Metering().visit(source))
        return super()._generate(metered, name, filename, defer_init)

    def join_path(self, template: str, parent: str) -> str:
        """Take `./` and `../` from the template that includes; all else from the workspace."""
        if template.startswith(("./", "../")):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent), template))
        return template

    # --- what templates may call

    def bcs(self, name: object) -> str:
        """Return what becomes `{{ NAME }}`, for BCS to replace at deploy time."""
        if not isinstance(name, str) or not _BCS_NAME.fullmatch(name):
            raise TypeError("bcs() takes the name of a variable: at most 128 letters, digits, _ . -")
        return self._marks.of_name(name)

    def range(self, *args: int) -> range:
        """Return a range of at most 100,000 numbers."""
        numbers = range(*args)
        if len(numbers[: MOST_RANGE + 1]) > MOST_RANGE:
            raise self._budget.exceeded("limit_range", limit=MOST_RANGE)
        return numbers

    def joined(self, *parts: object) -> str:
        """Return what `a ~ b` is: the parts as text, one after the other."""
        texts = [self.as_text(part) for part in parts]
        self._budget.spend(sum(len(text) for text in texts))
        return "".join(texts)

    def made(self, value: object) -> object:
        """Return a list, tuple or mapping that a template has written, paid for."""
        return self._budget.taken(value)

    def compared(self, value: object) -> object:
        """Return one side of a comparison, paid for."""
        self._budget.pay_comparison(value)
        return value

    def contained(self, item: object, holder: Container[object]) -> bool:
        """Return what `item in holder` is."""
        self._budget.pay_search(item, holder)
        return item in holder

    def summed(
        self,
        items: Iterable[Any],
        attribute: Optional[Union[str, int]] = None,
        start: Any = 0,  # noqa: ANN401 - what the items can be added to
    ) -> Any:  # noqa: ANN401 - as the items
        """Return the sum of items, or of an attribute of each; lists and tuples are put together."""
        parts = map(jinja2.filters.make_attrgetter(self, attribute), items)
        if not isinstance(start, (list, tuple)):
            return sum(parts, start)
        together = list(start)  # sum() would copy all that it has with every part
        for part in parts:
            if not isinstance(part, (type(start), jinja2.Undefined)):
                raise TypeError(f"a {type(part).__name__} can't be added to a {type(start).__name__}")
            self._budget.taken(part)
            together.extend(part)
        return type(start)(together)

    def as_text(self, value: object) -> str:
        """Return a value as text: as YAML reads it back, unless it is text already."""
        printed = self.printed(value)
        return printed if isinstance(printed, str) else str(printed)

    def as_json(self, value: object) -> str:
        """Return a value in double quotes or brackets, so that YAML and JSON read back the very same."""
        if self._budget.size_of(value) > MOST_SIZE:
            raise self._budget.exceeded("limit_size", limit=say("render.characters", number=MOST_SIZE))
        text = self._json.encode(value)
        return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

    def printed(self, value: object) -> object:
        """Return what `{{ value }}` prints: text as it is, the rest as YAML reads it back."""
        if isinstance(value, str):
            self._budget.spend(len(value))
            return value
        if value is None or isinstance(value, (bool, list, tuple, dict)):
            return self._budget.taken(self.as_json(value))
        if isinstance(value, (int, float, jinja2.Undefined)):
            return value
        raise TypeError(f"{type(value).__name__} can't be printed")

    def _escaped(self, value: object) -> str:
        return str(markupsafe.escape(self.as_text(value)))

    # --- what Jinja2 asks the sandbox

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401 - as the base
        """Return the sandbox's verdict, which follows from type and name and so is asked for once."""
        key = (type(obj), attr)
        known = self._safe.get(key)
        if known is None:
            known = self._safe[key] = super().is_safe_attribute(obj, attr, value)
        return known

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - as the base
        """Do an operator, paid for."""
        self._budget.pay_operator(operator, left, right)
        return self._budget.taken(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N805, PYI063 - as the base
        """Call what a template calls, paid for; of built-in values, only the methods of a list."""
        if __obj is __self.pay:
            return __obj(*args)
        if getattr(__obj, "__func__", None) in _OWN:
            __self._budget.spend(TURN)
            return __obj(*args)
        if isinstance(__obj, jinja2.Undefined):
            return __obj()
        target = getattr(__obj, "__wrapped__", __obj)
        if isinstance(target, BuiltinMethodType) or isinstance(getattr(target, "__self__", None), str):
            __self._check_method(target, args, kwargs)
        else:
            __self._budget.pay_call(args, kwargs)
            if isinstance(target, MethodType) and target.__func__ is LoopContext.changed:
                __self._budget.pay_comparison(*args)
        return __self._budget.taken(super().call(__context, __obj, *args, **kwargs))

    def _check_method(
        self, method: BuiltinMethodType, args: tuple[object, ...], named: Mapping[str, object]
    ) -> None:
        owner = method.__self__
        allowed = next((names for kind, names in _METHODS.items() if isinstance(owner, kind)), frozenset())
        if method.__name__ not in allowed:
            raise SecurityError(f"{type(owner).__name__}.{method.__name__}()")
        self._budget.pay_method(method.__name__, owner, args, named)

    def _paid_test(self, function: Callable[..., object]) -> Callable[..., bool]:
        def paid(*args: object) -> bool:
            self._budget.pay_comparison(*args)
            return bool(function(*args))

        return paid

    def _paid_filter(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        first = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def paid(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - any filter's arguments
            self._budget.pay_filter(name, args[first:], named)
            return self._budget.taken(function(*args, **named))

        return paid


_OWN = (Environment.joined, Environment.made, Environment.contained, Environment.compared)
"""What `Metering` puts into templates, beside `pay`."""


def _mark_own_braces(source: nodes.Template, *, marks: Marks) -> None:
    """Mark the braces that a template writes itself: in its text (`raw`), and as `{{ "{{ NAME }}" }}`."""
    written: list[nodes.TemplateData] = []
    waiting: list[nodes.Node] = [source]
    while waiting:  # not by recursion: what is nested too deeply is said later, with its line
        found = waiting.pop()
        if isinstance(found, nodes.Output):
            found.nodes = [_as_data(part) for part in found.nodes]
            written += [part for part in found.nodes if isinstance(part, nodes.TemplateData)]
        waiting += found.iter_child_nodes()
    if any("{{" in data.data for data in written):  # else `}}` are JSON's, and filters may count them
        for data in written:
            data.data = marks.in_text(data.data)


def _as_data(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        return nodes.TemplateData(node.value, lineno=node.lineno)
    return node


def _as_plain(value: object) -> object:
    """Return what JSON can hold for a value that it can't; a missing name notes itself."""
    if isinstance(value, jinja2.Undefined):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be written as YAML")


def _line_in(traceback: Optional[TracebackType]) -> int:
    """Return the line that Jinja2's parser or compiler was at when it failed; 1 where that is unknown."""
    line = 1
    while traceback is not None:
        names = traceback.tb_frame.f_locals
        if isinstance(names.get("self"), Parser):
            line = names["self"].stream.current.lineno
        elif isinstance(names.get("node"), nodes.Node):
            line = names["node"].lineno or line
        traceback = traceback.tb_next
    return line


def _load(read_text: ReadText, budget: Budget, name: str) -> tuple[str, str, None]:
    """Return an included file's source: a template of the workspace, or a refusal."""
    budget.spend(LOOK_FOR_FILE)
    if len(name) > _LONGEST_PATH:  # no file has it, and a message that shows it would be as long
        raise jinja2.TemplateNotFound(name)
    try:
        return read_text(name), name, None
    except FileUnusable as exc:
        if exc.problem.key in ("render.file_missing", "render.file_dangling"):
            raise jinja2.TemplateNotFound(name) from exc
        _refuse_include(exc.problem)


def _refuse_include(problem: Text) -> NoReturn:
    template, line = template_line(sys._getframe(1)) or ("", 0)  # noqa: SLF001 - where the template is
    raise TemplateUnreadable(
        details=[say("render.include_refused", template=template, line=line, problem=problem)]
    )
