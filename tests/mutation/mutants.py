"""A module's source -> its mutants: the same module with one thing changed. Pure: performs no I/O.

Left alone is what changes nothing or only words: docstrings, annotations, `__all__`, the values of Literals,
names of type variables, what a defect says, sizes of caches; and how dataclasses are made, which one test
(tests/unit/test_frozen_values.py) holds for all of them.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Optional, Union

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
}
_OF_WORDS = frozenset({"TypeVar", "NewType", "AssertionError", "dataclass"})
"""Functions whose arguments are words for readers and type checkers."""

_BRANCHES = (ast.If, ast.IfExp, ast.While)
Key = tuple[str, str, str, int]
_Kind = Union[type[ast.AST], tuple[type[ast.AST], ...]]


@dataclass(frozen=True)
class Mutant:
    """One change: where, what was there, what is there instead.

    `place` is the function's name, dotted, or "" outside of any; place, `before` and `after` stay the same
    when lines move; `nth` tells apart those that have all three in common. `node` and `change` count the
    nodes that may change and the changes of that one.
    """

    place: str
    line: int
    before: str
    after: str
    nth: int
    node: int
    change: int

    @property
    def key(self) -> Key:
        """Return what it is called in the list of explained survivors."""
        return (self.place, self.before, self.after, self.nth)

    @property
    def is_at_import(self) -> bool:
        """Tell whether the import runs it, a class or what is in none: any test of the module may meet it."""
        return not self.place or self.place.rpartition(".")[2].lstrip("_")[:1].isupper()


def mutants_of(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module's source, in the order of its text."""
    made: Counter[tuple[str, str, str]] = Counter()
    for index, (node, place) in enumerate(_candidates(ast.parse(source))):
        for number, change in enumerate(_changes_of(node)):
            before, after = _shown(node), change(copy.deepcopy(node))
            made[place, before, after] += 1
            yield Mutant(
                place=place,
                line=getattr(getattr(node, "target", node), "lineno", 0),
                before=before,
                after=after,
                nth=made[place, before, after],
                node=index,
                change=number,
            )


class Parsed:
    """A module's source, as a tree of which one thing can be changed."""

    def __init__(self, source: str) -> None:
        self._tree = ast.parse(source)
        self._nodes = [node for node, _ in _candidates(self._tree)]
        self._parts = [part for part in self._tree.body for _ in _candidates_in(part)]

    def part_of(self, mutant: Mutant) -> ast.stmt:
        """Return the part of the module, such as a whole class, that the change is in."""
        return self._parts[mutant.node]

    def changed(self, mutant: Mutant) -> ast.Module:
        """Return the tree with that change, for good; all the rest stands where it stood."""
        node = self._nodes[mutant.node]
        _changes_of(node)[mutant.change](node)
        return ast.fix_missing_locations(self._tree)

    @contextmanager
    def changed_meanwhile(self, mutant: Mutant) -> Iterator[ast.stmt]:
        """Yield the part of the module with that change, which is taken back."""
        node, part = self._nodes[mutant.node], self._parts[mutant.node]
        kind, number = type(node), self._tree.body.index(part)
        fields = {name: [*value] if isinstance(value, list) else value for name, value in vars(node).items()}
        try:
            _changes_of(node)[mutant.change](node)
            yield ast.fix_missing_locations(self._tree).body[number]
        finally:
            node.__class__ = kind
            vars(node).clear()
            vars(node).update(fields)


# --- what may change ------------------------------------------------------------------------------------


def _candidates(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node that may change, with the place it is in."""
    return (found for part in tree.body for found in _candidates_in(part))


def _candidates_in(part: ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    return _walk(ast.Module([part], []), "")


def _walk(node: ast.AST, place: str) -> Iterator[tuple[ast.AST, str]]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment"):
            continue
        children = value if isinstance(value, list) else [value]
        is_type = name == "args" and isinstance(node, ast.Call) and ast.unparse(node.func) == "cast"
        for child in children[1:] if is_type else children:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield child, place
                yield from _walk(child, _inside(child, place))


def _inside(node: ast.AST, place: str) -> str:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return f"{place}.{node.name}".lstrip(".")
    return place


def _is_left_alone(node: ast.AST) -> bool:
    return isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom)) or any(
        isinstance(node, kind) and is_left(node) for kind, is_left in _LEFT_ALONE
    )


def _is_named(node: Optional[ast.AST], names: Collection[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


_LEFT_ALONE: tuple[tuple[type[ast.AST], Callable[..., bool]], ...] = (
    (ast.Expr, lambda node: isinstance(node.value, ast.Constant)),  # docstrings, the `...` of protocols
    (ast.Assign, lambda node: any(_is_named(target, {"__all__"}) for target in node.targets)),
    (ast.Subscript, lambda node: _is_named(node.value, ("Literal", "Union", "Optional"))),
    (ast.If, lambda node: _is_named(node.test, {"TYPE_CHECKING"})),
    (ast.Call, lambda node: _is_named(node.func, _OF_WORDS)),
    (ast.keyword, lambda node: node.arg == "maxsize"),
)
"""Kinds of nodes, and whether one of that kind is left as it is."""


# --- how it changes -------------------------------------------------------------------------------------

_Change = Callable[[ast.AST], str]
"""Changes a node in place and returns what is there now, in words."""


def _changes_of(node: ast.AST) -> list[_Change]:
    return [change for kind, changes in _TABLE if isinstance(node, kind) for change in changes(node)]


def _turn_comparison(node: ast.AST) -> str:
    assert isinstance(node, ast.Compare)
    node.ops[0] = _COMPARISONS[type(node.ops[0])]()
    return ast.unparse(node)


def _turn_and_or(node: ast.AST) -> str:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return ast.unparse(node)


def _drop_not(node: ast.AST) -> str:
    assert isinstance(node, ast.UnaryOp)
    node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    return ast.unparse(node)


def _turn_operator(node: ast.AST) -> str:
    assert isinstance(node, (ast.BinOp, ast.AugAssign))
    node.op = _OPERATORS[type(node.op)]()
    return _shown(node)


def _of_constant(node: ast.AST) -> list[_Change]:
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, bool):
        return [_constant(to=not value)]
    if isinstance(value, (int, float)):
        return [_constant(to=value + 1)]
    if isinstance(value, str):
        return [_constant(to="" if value else "mutant")]
    return []


def _constant(*, to: Union[bool, float, str]) -> _Change:
    def change(node: ast.AST) -> str:
        assert isinstance(node, ast.Constant)
        node.value = to
        return ast.unparse(node)

    return change


def _condition(*, value: bool) -> _Change:
    def change(node: ast.AST) -> str:
        assert isinstance(node, _BRANCHES)
        node.test = ast.Constant(value)
        return f"if {value}"

    return change


def _drop_filter(node: ast.AST) -> str:
    assert isinstance(node, ast.comprehension)
    node.ifs = node.ifs[1:]
    return "no filter"


def _return_nothing(node: ast.AST) -> str:
    assert isinstance(node, ast.Return)
    node.value = None
    return "return"


def _drop_statement(node: ast.AST) -> str:
    """Turn a statement into `pass`, whatever it was."""
    node.__class__ = ast.Pass
    return "pass"


def _of_comparison(node: ast.AST) -> list[_Change]:
    assert isinstance(node, ast.Compare)
    return [_turn_comparison] if type(node.ops[0]) in _COMPARISONS else []


def _of_not(node: ast.AST) -> list[_Change]:
    assert isinstance(node, ast.UnaryOp)
    return [_drop_not] if isinstance(node.op, ast.Not) else []


def _of_operator(node: ast.AST) -> list[_Change]:
    assert isinstance(node, (ast.BinOp, ast.AugAssign))
    return [_turn_operator] if type(node.op) in _OPERATORS else []


def _of_branch(node: ast.AST) -> list[_Change]:
    return (
        [_condition(value=False)]
        if isinstance(node, ast.While)
        else [_condition(value=value) for value in (True, False)]
    )


def _of_filter(node: ast.AST) -> list[_Change]:
    assert isinstance(node, ast.comprehension)
    return [_drop_filter] if node.ifs else []


def _of_return(node: ast.AST) -> list[_Change]:
    assert isinstance(node, ast.Return)
    return [] if node.value is None or isinstance(node.value, ast.Constant) else [_return_nothing]


_TABLE: tuple[tuple[_Kind, Callable[[ast.AST], list[_Change]]], ...] = (
    (ast.Compare, _of_comparison),
    (ast.BoolOp, lambda _: [_turn_and_or]),
    (ast.UnaryOp, _of_not),
    ((ast.BinOp, ast.AugAssign), _of_operator),
    (ast.Constant, _of_constant),
    (_BRANCHES, _of_branch),
    (ast.comprehension, _of_filter),
    (ast.Return, _of_return),
    ((ast.Raise, ast.Expr, ast.AugAssign, ast.Continue, ast.Break), lambda _: [_drop_statement]),
)
"""Kinds of nodes, and what can be done to a node of that kind."""


def _shown(node: ast.AST) -> str:
    """Return a node's first line, or the line that a branch begins with."""
    shown: Optional[ast.AST] = node.test if isinstance(node, _BRANCHES) else node
    assert shown is not None
    text = ast.unparse(shown).partition("\n")[0]
    return f"if {text}" if isinstance(node, _BRANCHES) else text
