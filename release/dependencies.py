"""What setup.py asks for, read without running it. Reads that one file; standard library only."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

SETUP = Path(__file__).parents[1] / "setup.py"
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
"""The Pythons that setup.py's classifiers name."""


@dataclass(frozen=True)
class Dependency:
    """A distribution that the step needs, and the lowest version it was tested with."""

    name: str
    lowest: str

    def __str__(self) -> str:
        return f"{self.name}>={self.lowest}"


def own_version() -> str:
    """Return the step's version."""
    return str(_value("version"))


def read_dependencies() -> tuple[Dependency, ...]:
    """Return what `NEEDS` lists, in its order.

    Raises:
        ValueError: an entry is anything but a name and one lower bound.
    """
    listed = _value("NEEDS")
    if not isinstance(listed, list):
        raise TypeError("NEEDS is no list")
    return tuple(_dependency_of(str(entry)) for entry in listed)


def _dependency_of(entry: str) -> Dependency:
    found = re.fullmatch(r"([A-Za-z0-9._-]+)>=([0-9][0-9A-Za-z.]*)", entry)
    if found is None:
        raise ValueError(f"not `name>=lowest`: {entry}")
    return Dependency(found[1], found[2])


def _value(name: str) -> object:
    for node in ast.walk(ast.parse(SETUP.read_text(encoding="utf-8"))):
        is_named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
        if isinstance(node, (ast.Assign, ast.keyword)) and (is_named or getattr(node, "arg", "") == name):
            return ast.literal_eval(node.value)
    raise ValueError(f"setup.py has no {name}")
