"""The mutator changes one thing at a time, and only what a test could notice."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.__main__ import explains_nothing, read_explained
from tests.mutation.mutants import mutants_of, mutated
from tests.mutation.targets import TARGETS, Target

SAMPLE = '''\
"""What it is."""
from typing import Literal, Optional
LIMIT = 3
"""What the limit is."""
Word = Literal["a", "b"]

class Thing:
    """A thing."""

    def judge(self, given: "Optional[int]" = None) -> "bool":
        """Judge."""
        if not given or given > LIMIT:
            raise ValueError("no")
        return given in (1, 2)
'''


def changes(source: str) -> list[tuple[str, str]]:
    return [(mutant.before, mutant.after) for mutant in mutants_of(source)]


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("a == b", "a == b", "a != b"),
        ("a < b", "a < b", "a <= b"),
        ("a is not b", "a is not b", "a is b"),
        ("a in b", "a in b", "a not in b"),
        ("x = a and b", "a and b", "a or b"),
        ("x = not a", "not a", "not not a"),
        ("x = a + b", "a + b", "a - b"),
        ("x += b", "x += b", "x -= b"),
        ("x = True", "True", "False"),
        ("x = 1", "1", "2"),
        ("x = 1.5", "1.5", "2.5"),
        ("x = 'text'", "'text'", "''"),
        ("x = ''", "''", "'mutant'"),
        ("if a:\n    b", "if a", "if True"),
        ("if a:\n    b", "if a", "if False"),
        ("while a:\n    b()", "if a", "if False"),
        ("x = b if a else c", "if a", "if True"),
        ("x = [a for a in b if a]", "for a in b if a", "no filter"),
        ("def f():\n    return a", "return a", "return"),
        ("raise a", "raise a", "pass"),
        ("a()", "a()", "pass"),
        ("for a in b:\n    continue", "continue", "pass"),
    ],
)
def test_each_kind_of_change(source: str, before: str, after: str) -> None:
    assert (before, after) in [(b.strip(), a.strip()) for b, a in changes(source)]


def test_words_and_types_are_left_alone() -> None:
    texts = " ".join(before for before, _ in changes(SAMPLE))
    for word in ("What it is", "the limit is", "A thing", "Judge", "Optional", "'a'"):
        assert word not in texts


def test_every_mutant_is_a_module_that_differs_in_one_place() -> None:
    whole = ast.unparse(ast.parse(SAMPLE))
    mutants = list(mutants_of(SAMPLE))
    assert len(mutants) > 10
    for mutant in mutants:
        changed = mutated(SAMPLE, mutant)
        compile(changed, "mutant", "exec")
        assert changed != whole, mutant


def test_a_mutant_is_named_by_its_function_not_its_line() -> None:
    (moved,) = [m for m in mutants_of("\n\n" + SAMPLE) if m.before == "given > LIMIT"]
    (found,) = [m for m in mutants_of(SAMPLE) if m.before == "given > LIMIT"]
    assert moved.line == found.line + 2
    assert moved.key == found.key == ("Thing.judge", "given > LIMIT", "given >= LIMIT", 1)


def test_the_same_change_at_two_places_of_a_function_is_two_mutants() -> None:
    numbers = [mutant.nth for mutant in mutants_of("def f():\n    a()\n    a()") if mutant.after == "pass"]
    assert numbers == [1, 2]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.module)
def test_every_explained_survivor_is_a_mutant_that_is_still_made(target: Target) -> None:
    if read_explained(target):
        assert explains_nothing(target, list(mutants_of(target.source()))) == []
