"""Payments put into a template's syntax tree, so that nothing can be done endlessly unpaid. Pure."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from bcs_template_set.manifests.budget import TURN

_WITH_BODY = (nodes.Template, nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)
_LITERALS = (nodes.List, nodes.Dict, nodes.Tuple)


class Metering(NodeTransformer):
    """Puts `pay()` at the start of every body that can run again, and `made()` around what is built.

    `a ~ b` becomes `joined(a, b)`, since the sandbox can't intercept it. All three are the environment's.
    """

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: ANN401 - as the base
        """Return what stands in a node's place, its children done first."""
        self.generic_visit(node, *args, **kwargs)
        if isinstance(node, _WITH_BODY):
            _pay_in_body(node)
        elif isinstance(node, nodes.Concat):
            return _call("joined", list(node.nodes), lineno=node.lineno)
        elif isinstance(node, _LITERALS) and getattr(node, "ctx", "load") == "load":
            return _call("made", [node], lineno=node.lineno)
        return node


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
