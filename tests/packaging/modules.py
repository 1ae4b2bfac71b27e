"""What each module of the step says of itself, what it imports and what it reaches, by reading its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.packaging.store_files import PROJECT

ROOT = PROJECT / "atom"
PACKAGE = "bcs_template_set"

OUTSIDE = {
    *("os", "io", "socket", "ssl", "select", "signal", "subprocess", "shutil", "tempfile", "sys"),
    *("urllib.request", "http.client", "requests", "urllib3", "certifi"),
    *("pkgutil", "importlib.metadata"),
}
"""Modules by which a program reaches the world."""

CLOCKS = {"time.time", "time.monotonic", "time.perf_counter", "time.sleep", "datetime.now", "datetime.utcnow"}
_CALLS = {"open", "print", "input", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink"}


@dataclass(frozen=True)
class Module:
    """One module of the step, by its dotted name."""

    name: str
    tree: ast.Module

    @property
    def rule(self) -> str:
        """Return the first paragraph of its docstring."""
        return " ".join((ast.get_docstring(self.tree) or "").partition("\n\n")[0].split())

    @property
    def says_it_is_pure(self) -> bool:
        """Tell whether its docstring promises to do no I/O."""
        return re.search(r"Performs no I/O|\b[Pp]ure\b", self.rule) is not None

    @cached_property
    def imports(self) -> Mapping[str, bool]:
        """Return what it imports when it runs, by dotted name; true where that is at import already."""
        found: dict[str, bool] = {}
        for node, early in _statements(self.tree.body, early=True):
            for name in _names_of(node):
                found[name] = found.get(name, False) or early
        return found

    @cached_property
    def reaches(self) -> frozenset[str]:
        """Return by which modules and calls it reaches the world itself."""
        modules = {name for name in self.imports for way in OUTSIDE if f"{name}.".startswith(f"{way}.")}
        calls = {node.func for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        clocks = {ast.unparse(function) for function in calls} & CLOCKS
        return frozenset(modules | clocks | ({_last_name(function) for function in calls} & _CALLS))


def read_modules() -> dict[str, Module]:
    """Return every module of the step by its dotted name."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        name = _name_of(path)
        found[name] = Module(name, ast.parse(path.read_text(encoding="utf-8")))
    return found


def known(name: str, modules: Mapping[str, Module]) -> str:
    """Return the module that an imported name is, or is in; "" where it is none of ours."""
    while name:
        if name in modules:
            return name
        name = name.rpartition(".")[0]
    return ""


def _name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _statements(body: list[ast.stmt], *, early: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield all statements but those for type checkers alone."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node, early
        inner = early and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, name, []), early=inner)
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body, early=inner)


def _names_of(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _last_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
