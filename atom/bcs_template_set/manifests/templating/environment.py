"""The sandbox that templates run in: Jinja2's own, and what differs from it. Performs no I/O of its own.

A value is printed as YAML reads it back: `true` and not `True`, `["a"]` and not `['a']`; text as it is.
Values can't be changed by a template, for the next template sees the same ones. What a template costs is
bounded from outside (`limits`), but for the length of a range and the amount of code.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pprint import pformat
from types import TracebackType
from typing import Any, Optional, cast

import jinja2
from jinja2 import nodes
from jinja2.filters import FILTERS, make_attrgetter, sync_do_join
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from markupsafe import escape

from bcs_template_set.manifests.live_replicas import variable_of
from bcs_template_set.manifests.templating.bcs_places import Marks
from bcs_template_set.manifests.templating.comment_marks import comments_in, with_seams
from bcs_template_set.manifests.templating.filter_wrapping import (
    OF_TEXT,
    READ_WHOLE,
    VIEWS,
    Lazy,
    lazily,
    marked_up,
)
from bcs_template_set.manifests.templating.foreign_syntax import TOO_DEEP, tools_in
from bcs_template_set.manifests.templating.template_notes import (
    LEFT_OUT,
    Notes,
    exceeded,
    missing_namespace,
    noted_by,
)
from bcs_template_set.manifests.templating.workspace_files import FileUnusable

ReadText = Callable[[str], str]

MOST_RANGE = 100_000
MOST_TOKENS = 40_000

_LONGEST_PATH = 4096
_BCS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_PLAIN = re.compile(r"[A-Za-z0-9 ._/:@-]*")
"""What is written as it is: nearly all names, hosts and images."""
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


_PRINTED_AS_JSON = (bool, list, tuple, dict, Lazy, *VIEWS)


def callable_namespace(value: object, *, notes: Notes) -> object:
    """Return the cluster's namespace as a text that makes a Jinja2 namespace when it is called.

    The name means both: the context's value hides Jinja2's function. None is a name that is missing.
    """
    return missing_namespace(notes) if value is None else _NamespaceText(value)


class _NamespaceText(str):
    __slots__ = ()

    def __call__(self, *args: Any, **named: Any) -> Namespace:  # noqa: ANN401 - as Jinja2's
        return Namespace(*args, **named)


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, in which values can't be changed and are printed as YAML."""

    intercepted_binops = frozenset("%")

    def __init__(self, *, notes: Notes, marks: Marks, read_text: ReadText, namespace: object) -> None:
        super().__init__(
            undefined=noted_by(notes),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            optimized=False,
            finalize=jinja2.pass_context(
                lambda _context, value: value if type(value) is str else self.printed(value)
            ),
            loader=jinja2.FunctionLoader(partial(_load, read_text, notes)),
        )
        self._marks, self._notes, self._read_text = marks, notes, read_text
        self._safe: dict[tuple[type, str], bool] = {}
        self._json = json.JSONEncoder(ensure_ascii=False, default=_as_plain)
        own: dict[str, Callable[..., object]] = {
            "string": self.as_text,
            "join": self.join,
            "format": lambda text, *args, **named: self.filled_in(text, named or args),
            "pprint": lambda value: pformat(json.loads(self.as_json(value))),
            "tojson": marked_up(self.as_json),
            "safe": marked_up(self.as_text),
            **dict.fromkeys(("e", "escape"), marked_up(lambda value: escape(self.as_text(value)))),
            "forceescape": marked_up(lambda value: escape(str(self.as_text(value)))),
        }
        self.filters = {
            name: lazily(
                function, whole=name in READ_WHOLE, as_text=self.as_text if name in OF_TEXT else None
            )
            for name, function in FILTERS.items()
            if name not in LEFT_OUT
        } | own
        self.globals = {name: value for name, value in self.globals.items() if name not in LEFT_OUT} | {
            "bcs": self.bcs,
            "include_raw": self.include_raw,
            "live_replicas": self.live_replicas,
            "range": self.range,
            "namespace": namespace,
        }

    def compile_source(self, source: str, *, name: str) -> jinja2.Template:
        """Return a template, whose name messages use.

        Raises:
            jinja2.TemplateSyntaxError: it is no Jinja2, or nested deeper than Python can compile.
            LimitExceeded: it has more code than can be compiled within the step's memory.
        """
        try:
            code = self.compile(source, name=name, filename=name)
        except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as exc:
            problem = f"{TOO_DEEP}: {str(exc) or type(exc).__name__}"
            raise jinja2.TemplateSyntaxError(problem, _line_in(exc.__traceback__), name) from exc
        return self.template_class.from_code(self, code, self.globals)

    def _parse(self, source: str, name: Optional[str], filename: Optional[str]) -> nodes.Template:
        place, seam = str(name), None
        if "{#" in source:
            source, seam = with_seams(source)
        if seam or len(source) > MOST_TOKENS:  # here, so that included files are looked at too
            tokens = self._counted(source, name=place)
            self._notes.left_out += [(place, *lines) for lines in comments_in(tokens, name=place)]
        self._notes.foreign.update(((place, line), tool) for line, tool in tools_in(source))
        template = super()._parse(source, name, filename)
        for found in _nodes_in(template) if seam else ():
            for text in _text_in(found):
                setattr(found, text, getattr(found, text).replace(seam, ""))
        return template

    def _counted(self, source: str, *, name: str) -> Iterator[tuple[int, str, str]]:
        """Yield the tokens; count the words of code, each of which takes kilobytes to compile."""
        count = 0
        for token in self.lexer.tokeniter(source, name):
            count += token[1] not in ("data", "whitespace", "comment")
            if count > MOST_TOKENS:
                raise exceeded("limit_code", limit=MOST_TOKENS, place=(name, token[0]))
            yield token

    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:  # noqa: ANN401 - as the base
        _prepare(source, marks=self._marks, words=self._notes.written)
        return super()._generate(source, *args, **named)

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

    def live_replicas(self, name: object, kind: object = "Deployment") -> str:
        """Return what becomes the number of pods that a workload has when it is deployed."""
        if not (isinstance(name, str) and isinstance(kind, str) and kind.isalnum()):
            raise TypeError("live_replicas() takes a workload's name and, if it is no Deployment, its kind")
        return self.bcs(variable_of(kind, name))

    @jinja2.pass_context
    def include_raw(self, context: Context, name: object) -> str:
        """Return the text of a file of the workspace that is no template, as it is."""
        if not isinstance(name, str):
            raise TypeError("include_raw() takes the name of a file")
        return _load(self._read_text, self._notes, self.join_path(name, str(context.name)))[0]

    def range(self, *args: int) -> range:
        """Return a range of at most 100,000 numbers."""
        numbers = range(*args)
        if numbers[MOST_RANGE:]:
            raise exceeded("limit_range", limit=MOST_RANGE)
        return numbers

    @jinja2.pass_eval_context
    def join(
        self, context: EvalContext, value: Iterable[object], d: str = "", attribute: Optional[str] = None
    ) -> str:
        """Return the items as Jinja2 joins them, each as it is printed."""
        items = value if attribute is None else map(make_attrgetter(self, attribute), value)
        return sync_do_join(context, map(self.as_text, items), d)

    def filled_in(self, text: object, given: object) -> object:
        """Return what `%` makes of a text, where a truth is the word that YAML has for it."""

        def plain(value: object) -> object:
            return self.as_text(value) if value is None or isinstance(value, bool) else value

        if isinstance(given, dict):
            given = {name: plain(value) for name, value in given.items()}
        else:
            given = tuple(map(plain, given)) if isinstance(given, tuple) else plain(given)
        return cast("str", text) % given

    def call_binop(self, _context: Context, _operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - as the base
        """Fill a text in as the filter `format` does."""
        return self.filled_in(left, right) if isinstance(left, str) else left % right

    def as_text(self, value: object) -> str:
        """Return a value as text: as YAML reads it back, unless it is text already."""
        printed = self.printed(value)
        return printed if isinstance(printed, str) else str(printed)

    def as_json(self, value: object) -> str:
        """Return a value in double quotes or brackets, so that YAML and JSON read back the very same.

        BCS, which would replace what has two braces, sees one.
        """
        if type(value) is str and _PLAIN.fullmatch(value):
            return f'"{value}"'
        written = self._marks.as_text(self._json.encode(value))
        return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", written)

    def printed(self, value: object) -> object:
        """Return what `{{ value }}` prints: text as it is, the rest as YAML reads it back."""
        if isinstance(value, str):
            return value
        if value is None:
            self._notes.add_empty()
            return ""
        if isinstance(value, _PRINTED_AS_JSON):
            return self.as_json(value)
        if isinstance(value, (int, float, jinja2.Undefined)):
            return value
        raise TypeError(f"{type(value).__name__} can't be printed")

    # --- what Jinja2 asks the sandbox

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401 - as the base
        """Return the sandbox's verdict, which follows from type and name and so is asked for once."""
        key = (type(obj), attr)
        known = self._safe.get(key)
        if known is None:
            known = self._safe[key] = super().is_safe_attribute(obj, attr, value)
        return known

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N805, PYI063 - as the base
        """Call what a template calls; a missing name notes itself."""
        if isinstance(__obj, jinja2.Undefined):
            return __obj(*args, **kwargs)
        return super().call(__context, __obj, *args, **kwargs)


class OwnEnvironment(Environment):
    """The same for what names of a build alone are put into, which nobody has to watch."""

    getattr = jinja2.Environment.getattr


class BuiltinEnvironment(OwnEnvironment):
    """The same for our own templates: they print texts, numbers and JSON, of attributes that are all there.

    So nothing is called for each; that saves a third of their time.
    """

    getattr = staticmethod(getattr)  # type: ignore[assignment]  # no method: it is what Jinja2 calls

    def __init__(self, *, notes: Notes, marks: Marks, read_text: ReadText, namespace: object) -> None:
        super().__init__(notes=notes, marks=marks, read_text=read_text, namespace=namespace)
        self.finalize = None
        self.filters["tojson"] = self.as_json


def _prepare(source: nodes.Template, *, marks: Marks, words: set[str]) -> None:
    """Mark the braces that a template writes itself, and have `~` join what its values are printed as.

    The words of its code are added to `words`.

    Its own braces are in its text (`raw`), and in `{{ "{{ NAME }}" }}`.
    """
    written: list[tuple[nodes.Node, str]] = []
    for node in _nodes_in(source):
        if isinstance(node, nodes.Output):
            written += [(part, name) for part in node.nodes for name in _text_in(part)]
        elif isinstance(node, nodes.Const):
            word = str(node.value)
            words.update((word, *word.split(".")))
        elif isinstance(node, nodes.Getattr):
            words.add(node.attr)
        elif isinstance(node, nodes.Concat):
            node.nodes = [_as_string(part) for part in node.nodes]
    if any(
        "{{" in getattr(part, name) for part, name in written
    ):  # else `}}` are JSON's, and filters may count them
        for part, name in written:
            setattr(part, name, marks.in_text(getattr(part, name)))


def _nodes_in(template: nodes.Template) -> Iterator[nodes.Node]:
    """Yield all nodes; not by recursion: what is nested too deeply is said later, with its line."""
    waiting: list[nodes.Node] = [template]
    while waiting:
        found = waiting.pop()
        waiting += found.iter_child_nodes()
        yield found


_TEXTS: Mapping[type[nodes.Node], tuple[str, ...]] = {nodes.TemplateData: ("data",), nodes.Const: ("value",)}
"""Where a node has the template's own text."""


def _text_in(node: nodes.Node) -> tuple[str, ...]:
    """Return where a node has the template's own text."""
    return tuple(name for name in _TEXTS.get(type(node), ()) if isinstance(getattr(node, name), str))


def _as_string(node: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, "string", [], [], None, None, lineno=node.lineno)


def _as_plain(value: object) -> object:
    """Return what JSON can hold for a value that it can't; a missing name notes itself."""
    if isinstance(value, Lazy):
        return value.whole()
    if isinstance(value, VIEWS):
        return list(cast("Iterable[object]", value))
    if isinstance(value, jinja2.Undefined):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be written as YAML")


def _line_in(traceback: Optional[TracebackType]) -> int:
    """Return the line that Jinja2's lexer, parser or compiler failed at; 1 where that is unknown."""
    line = 1
    while traceback is not None:
        names = traceback.tb_frame.f_locals
        if isinstance(node := names.get("node", names.get("self")), nodes.Node):
            line = node.lineno or line
        elif isinstance(names.get("lineno"), int):
            line = names["lineno"]
        traceback = traceback.tb_next
    return line


def _load(read_text: ReadText, notes: Notes, name: str) -> tuple[str, str, None]:
    """Return an included file's source: a template of the workspace, or a refusal, which is noted."""
    if len(name) > _LONGEST_PATH:  # no file has it, and a message that shows it would be as long
        raise jinja2.TemplateNotFound(name)
    try:
        return read_text(name), name, None
    except FileUnusable as exc:
        if exc.problem.key not in ("render.file_missing", "render.file_not_here", "render.file_dangling"):
            notes.add_refused(exc.problem)
        raise jinja2.TemplateNotFound(name) from exc
