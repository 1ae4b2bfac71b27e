"""The mutator changes one thing at a time, and only what a test could notice."""

from __future__ import annotations

import ast
import os
import sys
from array import array
from dataclasses import replace
from types import CodeType, ModuleType

import pytest

from tests.mutation.__main__ import explains_nothing, hashes_of_parts, hashes_of_tests, read_explained
from tests.mutation.batches import _compile
from tests.mutation.changing import patch, swap
from tests.mutation.mutants import Mutant, Parsed, mutants_of
from tests.mutation.running import Hunt, Order, Run
from tests.mutation.seeing import Seen, SeenModule
from tests.mutation.targets import NOT_HUNTED, TARGETS, Target, modules

EXPLAINED = [target for target in TARGETS if read_explained(target)]
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
        changed = Parsed(SAMPLE).changed(mutant)
        compile(changed, "mutant", "exec")
        assert ast.unparse(changed) != whole, mutant


def test_a_mutant_is_named_by_its_function_not_its_line() -> None:
    (moved,) = [m for m in mutants_of("\n\n" + SAMPLE) if m.before == "given > LIMIT"]
    (found,) = [m for m in mutants_of(SAMPLE) if m.before == "given > LIMIT"]
    assert moved.line == found.line + 2
    assert moved.key == found.key == ("Thing.judge", "given > LIMIT", "given >= LIMIT", 1)


def test_the_same_change_at_two_places_of_a_function_is_two_mutants() -> None:
    numbers = [mutant.nth for mutant in mutants_of("def f():\n    a()\n    a()") if mutant.after == "pass"]
    assert numbers == [1, 2]


def test_every_module_is_hunted_or_it_is_said_why_not() -> None:
    known, hunted = set(modules()), {target.module for target in TARGETS}
    assert hunted | set(NOT_HUNTED) == known
    assert not hunted & set(NOT_HUNTED)


@pytest.mark.parametrize("target", EXPLAINED, ids=lambda target: target.module)
def test_every_explained_survivor_is_a_mutant_that_is_still_made(target: Target) -> None:
    assert explains_nothing(target, list(mutants_of(target.source))) == []


# --- a mutant takes the module's place -----------------------------------------------------------------


def swapped(old: str, new: str, name: str = "judge") -> object:
    """Return what a function says once the module is another; "as it was" where that can't be."""
    module = ModuleType("swapped")
    module.__file__ = "swapped.py"
    was, becomes = (compile(text, module.__file__, "exec") for text in (old, new))
    exec(was, module.__dict__)  # noqa: S102 - a text of this file
    judge = getattr(module, name)  # as somebody else has imported it
    return judge() if swap(module, was, becomes) else "as it was"


@pytest.mark.parametrize(
    "text",
    [
        "def judge():\n    return {}",
        "from functools import cache\n@cache\ndef judge():\n    return {}",
        "class A:\n    @property\n    def b(self):\n        return {}\ndef judge():\n    return A().b",
        "def make():\n    def judge():\n        return {}\n    return judge\njudge = make()",
        "TABLE = [lambda: {}]\ndef judge():\n    return TABLE[0]()",
        "def judge():\n    return [x for x in (1, 2) if x == {}][0]",
    ],
    ids=["function", "cached", "property", "closure", "table", "comprehension"],
)
def test_who_has_imported_a_function_has_the_mutants(text: str) -> None:
    assert swapped(text.format(1), text.format(2)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "A = {}\ndef judge():\n    return A",
        "def judge(a={}):\n    return a",
        "A = [x for x in (1, 2) if x == {}]\ndef judge():\n    return A",
        "class A:\n    b = {}\ndef judge():\n    return A.b",
    ],
    ids=["constant", "default", "comprehension", "class"],
)
def test_what_is_made_at_the_import_asks_for_an_import(text: str) -> None:
    assert swapped(text.format(1), text.format(2)) == "as it was"


@pytest.mark.parametrize("user", ["swapped", "test_user", "test_users_user"])
def test_what_was_cached_of_a_function_is_made_again(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    """Also in a module that uses it, and in one that uses that."""
    module, text = ModuleType("swapped"), "def judge():\n    return {}"
    module.__file__ = "swapped.py"
    was, becomes = (compile(text.format(number), module.__file__, "exec") for number in (1, 2))
    exec(was, module.__dict__)  # noqa: S102 - a text of this file
    using = module
    for name in ("test_user", "test_users_user")[: ("swapped", "test_user", "test_users_user").index(user)]:
        using, used = ModuleType(name), using
        vars(using).update(used=used, judge=used.judge)
        monkeypatch.setitem(sys.modules, name, using)
    exec("import functools\nknown = functools.lru_cache(lambda: judge())", using.__dict__)  # noqa: S102 - as above
    assert using.known() == 1
    assert swap(module, was, becomes)
    assert using.known() == 2
    assert swap(module, becomes, was)
    assert using.known() == 1


LATE = "from bcs_template_set.records.late_dataclass import dataclass\n"


def patched(old: str, new: str) -> object:
    """Return what a function says once what was made at the import is another's; "as it was" where not."""
    module = ModuleType("patched")
    module.__file__ = "patched.py"
    sys.modules[module.__name__] = module  # dataclasses look there
    was, becomes = (compile(text, module.__file__, "exec") for text in (old, new))
    exec(was, module.__dict__)  # noqa: S102 - a text of this file
    judge = module.judge
    return judge() if patch(module, becomes) else "as it was"


@pytest.mark.parametrize(
    "text",
    [
        "A = {}\ndef judge():\n    return A",
        "def judge(a={}):\n    return a",
        "def judge(*, a={}):\n    return a",
        "A = [x for x in (1, 2) if x == {}]\ndef judge():\n    return A[0]",
        "class A:\n    b = {}\ndef judge():\n    return A.b",
        "A = (0, {{'b': [{}]}})\ndef judge():\n    return A[1]['b'][0]",
        "import typing\nclass R(typing.NamedTuple):\n    n: int\nA = R({})\ndef judge():\n  return A.n",
        "import typing as t\nclass R(t.NamedTuple): n: int\nA = [R(0)] * {}\ndef judge(): return len(A)",
        "class R:\n  def __init__(self, n):\n    self.n = n\nA = R({})\ndef judge(a=A):\n  return a.n",
        "A = [lambda: {}]\ndef judge(a=A[0]):\n    return a()",
        "import dataclasses as d\n@d.dataclass\nclass R:\n  n: int = {}\ndef judge():\n  return R().n",
        LATE + "@dataclass\nclass R:\n  n: int = {}\ndef judge():\n  return R().n",
        LATE + "@dataclass\nclass R:\n  n: int = {}\nR()\ndef judge():\n  return R().n",
        LATE + "@dataclass\nclass R:\n  n: int = 0\nR()\nA = ({},)\ndef judge():\n  return A[0]",
        "import functools\n@functools.lru_cache\ndef judge(a={}):\n    return a",
        "class A:\n    @property\n    def b(self, c={}):\n        return c\ndef judge():\n    return A().b",
    ],
    ids=[
        *(
            "constant",
            "default",
            "named",
            "comprehension",
            "class",
            "nested",
            "tuple",
            "more rows",
            "row",
            "function",
        ),
        *("dataclass", "late dataclass", "late with a value", "table beside one", "cached", "property"),
    ],
)
def test_who_has_imported_a_table_has_the_mutants(text: str) -> None:
    assert patched(text.format(1), text.format(2)) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A = 1", "A = 1"),
        ("A = 1", "A = 1 / 0"),
        ("class B: pass\nA = [B()]", "class B: pass\nA = [B(), B()]"),
        ("class B: pass\nA = [B()]", "class B: pass\nA = B"),
        ("A = property(len)", "A = property(max)"),
    ],
    ids=["same", "fails", "more of its own", "of another type", "made of others"],
)
def test_what_can_not_be_put_in_place_asks_for_an_import(old: str, new: str) -> None:
    judge = "\ndef judge():\n    return A"
    assert patched(old + judge, new + judge) == "as it was"


# --- what is kept of a hunt ------------------------------------------------------------------------------


def test_what_noticed_a_mutant_is_asked_again_where_the_test_has_changed_and_not_where_its_file_has() -> None:
    text = (
        "import pytest\n@pytest.mark.parametrize('a', [1])\ndef test_a(a):\n    b\n\ndef test_c():\n    d\n"
    )
    known = hashes_of_tests(text)
    changed = hashes_of_tests(text.replace("[1]", "[2]"))
    assert (changed["test_a"] == known["test_a"], changed["test_c"] == known["test_c"]) == (False, True)
    other = hashes_of_tests("X = 1\n" + text)
    assert {name for name in known if other[name] != known[name]} == {""}, "for what was asked of survivors"


def test_what_is_known_of_a_function_stays_known_where_another_part_of_its_module_changes() -> None:
    text = "import a\nB = 1\n\n@c\ndef one():\n    d()\n\nclass Two:\n    e = 1\n"
    known = hashes_of_parts(text)
    assert known.keys() == {"", "one", "Two"}
    for old, new, changes in [("B = 1", "B = 2", ""), ("@c", "@f", "one"), ("e = 1", "e = 2", "Two")]:
        changed = hashes_of_parts(text.replace(old, new))
        assert {name for name in known if changed[name] != known[name]} == {changes}
    assert hashes_of_parts(text.replace("import a", "import f")) == known


def test_a_survivor_is_asked_again_of_tests_that_were_not_asked_yet() -> None:
    order = Order(SEEN_BY_THREE, budget=2)
    target, mutant = Target("m"), next(m for m in mutants_of(THEN) if m.line == 3)
    assert order.tests_for(target, mutant, whole=True) == [0, 1]
    order.asked["m", mutant.key] = {0}
    assert order.tests_for(target, mutant, whole=True) == [1, 2]
    order.only = "tests/unit/"
    assert order.tests_for(target, mutant, whole=True) == [1]


class _Forgetful(Hunt):
    """A hunt whose last test notices mutants, `by_chance` only behind what the first has left."""

    by_chance = False

    def _tests_for(self, target: Target, mutant: Mutant) -> list[int]:
        return self._order.tests_for(target, mutant, whole=True)

    def _test(self, run: Run) -> int:
        os.write(run.told, b"." * len(run.tests))
        return int(run.mutant is not None and (not self.by_chance or len(run.tests) > 1))


@pytest.mark.parametrize("by_chance", [False, True])
def test_a_test_that_fails_behind_others_only_has_noticed_nothing(*, by_chance: bool) -> None:
    ended: list[tuple[str, object, object]] = []
    hunt = _Forgetful(Order(SEEN_BY_THREE, budget=9), workers=1, told=lambda *how: ended.append(how[2:]))
    hunt.by_chance = by_chance
    hunt.go_through([(Target("m"), next(m for m in mutants_of(THEN) if m.line == 3))])
    tests = SEEN_BY_THREE.tests
    assert ended == [("survived", None, tests) if by_chance else ("killed", tests[-1], [])]


@pytest.mark.parametrize(
    ("place", "is_at_import"),
    [("", True), ("Row", True), ("_Row", True), ("judge", False), ("_Row._judge", False), ("f.Row", True)],
)
def test_what_the_import_makes_is_asked_of_all_tests_of_the_module(*, place: str, is_at_import: bool) -> None:
    mutant = next(mutants_of("A = 1"))
    assert replace(mutant, place=place).is_at_import == is_at_import


# --- which tests run a line, when the module has changed since -----------------------------------------

THEN = "def one():\n    a()\n    b()\n\ndef two():\n    c()\n"
MODULE = SeenModule(
    THEN, {line: array("H", [line * 10]).tobytes() for line in (1, 2, 3, 6)}, early=frozenset({1, 5, 6})
)
SEEN = Seen([], [], {"m": [MODULE]})
SEEN_BY_THREE = Seen(
    ["tests/unit/a", "tests/unit/b", "tests/wire/c"],
    [0.9, 0.9, 0.9],
    {"m": [SeenModule(THEN, {2: array("H", [0, 1, 2]).tobytes()}, early=frozenset())]},
)


@pytest.mark.parametrize(
    ("line", "place", "now", "tests"),
    [
        (2, "one", THEN, [20]),
        (1, "one", THEN, [20, 30]),
        (4, "one", "import x\n\n" + THEN, [20]),
        (3, "one", THEN.replace("b()", "changed()"), [20, 30]),
        (8, "three", THEN + "\ndef three():\n    d()\n", [10, 20, 30, 60]),
    ],
    ids=["same", "head", "moved", "changed", "new"],
)
def test_the_tests_of_a_line(line: int, place: str, now: str, tests: list[int]) -> None:
    assert SEEN.tests_of("m", line, place, now) == tests


def test_a_part_of_a_module_is_compiled_as_with_all_of_it() -> None:
    (target,) = (one for one in TARGETS if one.module == "manifests.templating.comment_marks")
    whole = compile(target.source, str(target.path), "exec", dont_inherit=True)
    parts = [part for part in ast.parse(target.source).body if isinstance(part, ast.FunctionDef)]
    alone = {
        code for part in parts for code in _compile(target, part).co_consts if isinstance(code, CodeType)
    }
    assert alone <= {*whole.co_consts}
    assert len(alone) == len(parts)


def test_what_ran_before_the_first_test_is_known() -> None:
    assert (SEEN.is_early("m", "one"), SEEN.is_early("m", "two")) == (False, True)
