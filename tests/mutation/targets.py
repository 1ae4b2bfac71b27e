"""Which modules are mutated: all of the step, but for a few, each with its reason. And the order: a table.

A module that is new is hunted, without a word here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PACKAGE = "bcs_template_set"
ROOT = PROJECT / "atom" / PACKAGE

NOT_HUNTED = {
    "": "starts the step where the interpreter may be too old, in processes that can't be forked",
    "cli.main": "the same: what it decides is which verb is imported",
    "cli.completion": "holds a text for shells",
    "manifests.templating.limits": "limits the process it runs in, which would be the tests' own",
    "messages.errors": "holds the fields of errors; their sentences are held to them by tests/packaging",
    "messages.past_errors": "the same",
    "report.shown_limits": "holds how much of a run is shown: bounds of our own, where one more is nothing",
    "system.clock": "waits and asks the time, for which tests have clocks of their own",
    "system.signals": "handles signals, for which tests start processes that can't be forked",
    "system.stdout": "as system.signals",
    "system.version": "reads the version of what is installed",
}
"""Modules that decide and tell nothing, or that no test can run as a mutant; and why."""

FIRST = (
    "publish",
    "rollout.deployment_plan",
    "branches",
    "bcs.decision",
    "bcs.dialect",
    "bcs.marks",
    "bcs.told_by_bcs",
    "bcs",
    "config",
    "images",
    "rollout",
    "run",
    "manifests",
)
"""What decides: modules and folders that are hunted before the others."""


@dataclass(frozen=True)
class Target:
    """A module that is mutated, by its name within the package."""

    module: str

    @property
    def dotted(self) -> str:
        """Return the module's whole name."""
        return f"{PACKAGE}.{self.module}"

    @cached_property
    def source(self) -> str:
        """Return the module's text, as it was at first: who edits it meanwhile changes no mutant."""
        return self.path.read_text(encoding="utf-8")

    @property
    def path(self) -> Path:
        """Return the module's file."""
        path = ROOT / self.module.replace(".", "/")
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def modules() -> Iterator[str]:
    """Yield the name within the package of each module that says something."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        if not is_package or path.read_text(encoding="utf-8").count("\n") > 1:
            yield ".".join(parts[:-1] if is_package else parts)


def _place(module: str) -> tuple[int, str]:
    first = [number for number, name in enumerate(FIRST) if f"{module}.".startswith(f"{name}.")]
    return min(first, default=len(FIRST)), module


TARGETS = tuple(Target(module) for module in sorted(modules(), key=_place) if module not in NOT_HUNTED)
