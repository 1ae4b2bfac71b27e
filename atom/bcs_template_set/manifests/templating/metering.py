"""Payments put into a template's syntax tree, so that nothing can be done endlessly unpaid. Pure.

What can't be paid for is refused here as if it were no Jinja2: integers no field can hold, `a in b in c`,
and `autoescape`, whose texts have methods of their own (and nothing here is HTML).
"""

from __future__ import annotations

from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from bcs_template_set.manifests.templating.budget import MOST_BITS, TURN

_WITH_BODY = (nodes.Template, nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)
_LITERALS = (nodes.List, nodes.Dict, nodes.Tuple)
_SEARCHES = ("in", "notin")


class Metering(NodeTransformer):
    """Puts `pay()` at the start of every body that can run again, and `made()` around what is built.

    `a ~ b` becomes `joined(a, b)`, `a in b` becomes `contained(a, b)`, and `a == b` becomes
    `compared(a) == compared(b)`, since the sandbox can't intercept them. All five are the environment's.

    Raises:
        jinja2.TemplateSyntaxError: the template has what can't be paid for.
    """

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: ANN401 - as the base
        """Return what stands in a node's place, its children done first."""
        _check_allowed(node)
        self.generic_visit(node, *args, **kwargs)
        if isinstance(node, _WITH_BODY):
            _pay_in_body(node)
        elif isinstance(node, nodes.Concat):
            return _call("joined", list(node.nodes), lineno=node.lineno)
        elif isinstance(node, nodes.Compare) and node.ops[0].op in _SEARCHES:
            found = _call("contained", [node.expr, node.ops[0].expr], lineno=node.lineno)
            return found if node.ops[0].op == "in" else nodes.Not(found, lineno=node.lineno)
        elif isinstance(node, nodes.Compare):
            _pay_for_sides(node)
        elif isinstance(node, nodes.Expr) and _makes_a_value(node):
            return _call("made", [node], lineno=node.lineno)
        return node


def _check_allowed(node: nodes.Node) -> None:
    problem = ""
    if isinstance(node, nodes.EvalContextModifier):
        problem = "autoescape is not available"
    elif (
        isinstance(node, nodes.Const) and isinstance(node.value, int) and node.value.bit_length() > MOST_BITS
    ):
        problem = f"an integer of more than {MOST_BITS} bits"
    elif isinstance(node, nodes.Compare) and _is_chained_search([operand.op for operand in node.ops]):
        problem = "'in' can't be part of a chain of comparisons; put one of them into parentheses"
    if problem:
        raise jinja2.TemplateSyntaxError(problem, node.lineno)


def _is_chained_search(operators: list[str]) -> bool:
    return len(operators) > 1 and any(operator in _SEARCHES for operator in operators)


def _makes_a_value(node: nodes.Expr) -> bool:
    """Tell whether an expression makes a value without the sandbox: a literal, or a slice `a[1:]`."""
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, nodes.Slice)
    return isinstance(node, _LITERALS) and getattr(node, "ctx", "load") == "load"


def _pay_for_sides(node: nodes.Compare) -> None:
    """Have the sides of a comparison paid for; with a constant it is as short as the constant is."""
    sides: list[nodes.Compare | nodes.Operand] = [node, *node.ops]
    if sum(not isinstance(side.expr, nodes.Const) for side in sides) > 1:
        for side in sides:
            side.expr = _call("compared", [side.expr], lineno=node.lineno)


def _pay_in_body(node: nodes.Template | nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block) -> None:
    static = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
    paid = _pay(TURN + static, lineno=node.lineno)
    node.body.insert(0, nodes.ExprStmt(paid, lineno=node.lineno))
    if isinstance(node, nodes.For) and node.test is not None:
        node.test = nodes.And(_pay(TURN, lineno=node.lineno), node.test, lineno=node.lineno)


def _pay(amount: int, *, lineno: int) -> nodes.Expr:
    return _call("pay", [nodes.Const(amount, lineno=lineno)], lineno=lineno)


def _call(name: str, args: list[nodes.Expr], *, lineno: int) -> nodes.Expr:
    target = nodes.EnvironmentAttribute(name, lineno=lineno)
    return nodes.Call(target, args, [], None, None, lineno=lineno)
