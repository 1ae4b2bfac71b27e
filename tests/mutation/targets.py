"""Which modules are mutated, and the tests that have to notice. A table.

Tests that start the step in a process of its own can't see a mutant: they are not in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PACKAGE = "bcs_template_set"


@dataclass(frozen=True)
class Target:
    """A module by its name within the package, and the test files that have to notice its mutants."""

    module: str
    own_tests: Sequence[str]

    @property
    def tests(self) -> tuple[str, ...]:
        """Return the tests to run, those last that hold for every module."""
        return (*self.own_tests, "tests/unit/test_frozen_values.py")

    @property
    def dotted(self) -> str:
        """Return the module's whole name."""
        return f"{PACKAGE}.{self.module}"

    @cache  # noqa: B019 - a handful of targets, which live as long as the process
    def source(self) -> str:
        """Return the module's text, as it was at first: who edits it meanwhile changes no mutant."""
        path = PROJECT / "atom" / PACKAGE / self.module.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        return file.read_text(encoding="utf-8")


_CHECKS = ("tests/unit/manifests/checks/test_check_edges.py", "tests/unit/manifests/checks/test_checks.py")
_DECISION = ("tests/unit/bcs/test_decision.py", "tests/unit/bcs/test_decision_words.py")
_GATEWAY = ("tests/wire/test_gateway.py", "tests/wire/test_gateway_words.py")
_PLAN = (
    "tests/unit/publish/test_plan_file.py",
    "tests/unit/publish/test_plan_rules.py",
    "tests/unit/publish/test_plan.py",
    "tests/end_to_end/test_publish_path.py",
    "tests/end_to_end/test_publish_newer.py",
    "tests/end_to_end/test_branch_paths.py",
)
_PUBLISH = (
    "tests/end_to_end/test_publish_template_set.py",
    "tests/end_to_end/test_publish_rivals.py",
    "tests/end_to_end/test_publish_lost_answers.py",
)

TARGETS = (
    Target("config.principal", ("tests/unit/config/test_principal.py",)),
    Target("bcs.decision", _DECISION),
    Target("bcs.gateway", _GATEWAY),
    *(
        Target(f"manifests.checks.{name}", _CHECKS)
        for name in (
            "check_manifests",
            "bcs_rules",
            "finding",
            "containers",
            "links",
            "object_names",
            "objects",
            "routing",
        )
    ),
    Target("images.registry_login", ("tests/unit/images/test_registry_login.py",)),
    Target("images.registry_answers", ("tests/unit/images/test_registry_answers.py",)),
    Target("publish.plan", _PLAN),
    Target("publish.plan_file", _PLAN),
    Target("publish.make_plan", _PLAN),
    Target("publish.write_files", ("tests/wire/test_write_files.py", *_PUBLISH)),
    Target("publish.write_once", ("tests/unit/publish/test_write_once.py", *_PUBLISH)),
    Target("publish.concurrent_writes", ("tests/wire/test_concurrent_writes.py", *_PUBLISH)),
)
