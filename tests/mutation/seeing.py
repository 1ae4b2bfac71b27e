"""Which tests run which lines of the step, and how long each takes: found by running all of them once.

A test's lines are those of its own process, and of the steps and children that are forked for it. What is
found is kept; `Seen` finds the tests of a line also where the module has changed since.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import marshal
import os
import shutil
import tempfile
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from tests.mutation import counting
from tests.mutation.counting import counting_lines
from tests.support import warm_start

PROJECT = Path(__file__).parents[2]
PACKAGE = "bcs_template_set"
OWN = str(PROJECT / "atom")
KEPT = PROJECT / ".mutation"
SEEN = KEPT / "seen"
OTHER_LAYERS = ("tests/wire", "tests/end_to_end")
"""What is asked beside unit tests: these run the step in this process, or in forks that can be mutants."""

_Lines = dict[int, bytes]
"""Lines, and the numbers of the tests that run them, as an array of `_NUMBERS`."""

_NUMBERS = "H"


class Watching:
    """A plugin of pytest: notes the lines and the seconds of each test that passes, then writes them."""

    def __init__(self, at: Path, tests: str) -> None:
        self._at = at
        self._hash = tests
        self._texts = {str(path): path.read_text(encoding="utf-8") for path in Path(OWN).rglob("*.py")}
        self._steps = Path(tempfile.mkdtemp(prefix="seen-"))
        self._own = counting_lines()
        self._own.start()
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count lines for this test from here on."""
        self._own.switch_context(item.nodeid)
        warm_start.BEFORE_LIFE[:] = [(counting.__file__, f"{self._steps}\t{item.nodeid}")]
        try:
            return (yield)
        finally:
            self._own.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test's seconds, and whether it can tell anything."""
        self._seconds[report.nodeid] += report.duration
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write it all."""
        self._own.stop()
        told = [name for name in self._seconds if name not in self._failed]
        numbers = {name: number for number, name in enumerate(told)}
        lines: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        early: dict[str, list[int]] = {}
        data = self._own.get_data()
        for file in data.measured_files():
            for line, contexts in data.contexts_by_lineno(file).items():
                lines[file][line].update(numbers[name] for name in contexts if name in numbers)
                if "" in contexts:
                    early.setdefault(file, []).append(line)
        for path in self._steps.glob("*.whole"):
            name, files = marshal.loads(path.read_bytes())  # noqa: S302 - we wrote it
            for file, run in files.items():
                for line in run if name in numbers else ():
                    lines[file][line].add(numbers[name])
        found = {
            file: (
                self._texts[file],
                {line: array(_NUMBERS, sorted(tests)).tobytes() for line, tests in of_file.items()},
                early.get(file, []),
            )
            for file, of_file in lines.items()
            if file in self._texts
        }
        self._at.parent.mkdir(exist_ok=True, parents=True)
        shutil.rmtree(self._steps)
        kept = (self._hash, [(name, self._seconds[name]) for name in told], found)
        self._at.write_bytes(marshal.dumps(kept))


def parts() -> list[str]:
    """Return the folders of unit tests, and the files of others, that are watched each for itself."""
    units = sorted(path.name for path in (PROJECT / "tests" / "unit").iterdir() if path.is_dir())
    files = sorted(path for layer in OTHER_LAYERS for path in (PROJECT / layer).glob("test_*.py"))
    return [
        *(f"tests/unit/{name}" for name in units if name != "__pycache__"),
        *(str(path.relative_to(PROJECT)) for path in files),
    ]


def is_seen(part: str) -> bool:
    """Tell whether it is known what the tests of a part run; of unit tests, as they are now."""
    at = _seen_of(part)
    if part.startswith(OTHER_LAYERS) or not at.is_file():
        return at.is_file()
    seen: str = marshal.loads(at.read_bytes())[0]  # noqa: S302 - we wrote it
    return seen == _hash_of(part)


def _seen_of(part: str) -> Path:
    return SEEN / part.replace("/", ".")


def _hash_of(part: str) -> str:
    at = PROJECT / part
    texts = [path.read_bytes() for path in ([at] if at.is_file() else sorted(at.rglob("test_*.py")))]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def watch(part: str) -> None:
    """Run the tests of a folder or file, and keep what they run."""
    os.environ[warm_start.ALSO] = "coverage"
    watching = Watching(_seen_of(part), _hash_of(part))
    pytest.main(["-q", "-p", "no:cacheprovider", "--assert=plain", part], plugins=[watching])


# --- what was found -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What each test runs, by the line; of each module, as many as there are parts whose tests run it."""

    tests: Sequence[str]
    seconds: Sequence[float]
    modules: dict[str, list[SeenModule]] = field(repr=False)

    def tests_of(self, module: str, line: int, place: str, now: str) -> list[int]:
        """Return the tests that run a line of a module's text as it is now.

        Where none is known to, those that run its function; or, of what is in none, in a new one, or in one
        that ran before all tests, those that run its module.
        """
        known = self.modules.get(module, [])
        found = [test for one in known for test in one.at_line(line, now)]
        found = found or [test for one in known for test in one.in_place(place)]
        is_never_run = any(one.has(place) for one in known) and not self.is_early(module, place)
        return found if found or is_never_run else self.tests_in(module)

    def tests_in(self, module: str) -> list[int]:
        """Return the tests that run any line of a function of a module."""
        return [test for one in self.modules.get(module, []) for test in one.anywhere()]

    def is_early(self, module: str, place: str) -> bool:
        """Tell whether a function ran before the first test did: what came of that is kept by now."""
        return any(one.is_early(place) for one in self.modules.get(module, []))


@dataclass(frozen=True)
class SeenModule:
    """Which tests of a part, whose first has the number `first`, ran a module's lines as it was then."""

    text: str
    lines: _Lines = field(repr=False)
    early: frozenset[int]
    first: int = 0

    def at_line(self, line: int, now: str) -> list[int]:
        """Return the tests that run a line of the text as it is now; a function's head runs at the import."""
        then = self._then(now).get(line)
        is_head = any(first <= (then or 0) < body for first, _, body in self._places.values())
        return [] if then is None or is_head else self._at([then])

    def in_place(self, place: str) -> list[int]:
        """Return the tests that run a function."""
        return self._at(self._body_of(place))

    def has(self, place: str) -> bool:
        """Tell whether it had a function of that name."""
        return place in self._places

    def anywhere(self) -> list[int]:
        """Return the tests that run anything of it."""
        return self._at(self.lines)

    def is_early(self, place: str) -> bool:
        """Tell whether a function ran before the first test did: what came of that is kept by now."""
        return not self.early.isdisjoint(self._body_of(place))

    def _at(self, lines: Iterable[int]) -> list[int]:
        found: set[int] = set()
        for line in lines:
            found.update(array(_NUMBERS, self.lines.get(line, b"")))
        return [self.first + number for number in sorted(found)]

    def _then(self, now: str) -> dict[int, int]:
        if now not in self._moves:
            matched = difflib.SequenceMatcher(None, self.text.splitlines(), now.splitlines(), autojunk=False)
            self._moves[now] = {
                block.b + n + 1: block.a + n + 1
                for block in matched.get_matching_blocks()
                for n in range(block.size)
            }
        return self._moves[now]

    def _body_of(self, place: str) -> range:
        _, last, body = self._places.get(place, (0, -1, 0))
        return range(body, last + 1)

    @cached_property
    def _moves(self) -> dict[str, dict[int, int]]:
        return {}

    @cached_property
    def _places(self) -> dict[str, tuple[int, int, int]]:
        found: dict[str, tuple[int, int, int]] = {}

        def walk(node: ast.AST, place: str) -> None:
            for child in ast.iter_child_nodes(node):
                inside = place
                if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                    inside = f"{place}.{child.name}".lstrip(".")
                if isinstance(child, ast.FunctionDef):
                    assert child.end_lineno is not None
                    found[inside] = (child.lineno, child.end_lineno, child.body[0].lineno)
                walk(child, inside)

        walk(ast.parse(self.text), "")
        return found


def read_seen() -> Seen:
    """Return what `Watching` wrote of all parts."""
    names, seconds = list[str](), list[float]()
    modules: dict[str, list[SeenModule]] = {}
    for path in sorted(SEEN.iterdir()):
        _, tests, found = marshal.loads(path.read_bytes())  # noqa: S302 - we wrote it
        for file, (text, lines, early) in found.items():
            module = SeenModule(text, lines, frozenset(early), len(names))
            modules.setdefault(_name_of(file), []).append(module)
        names += [name for name, _ in tests]
        seconds += [taken for _, taken in tests]
    return Seen(names, seconds, modules)


def _name_of(file: str) -> str:
    parts = Path(file).with_suffix("").parts
    inside = parts[len(parts) - parts[::-1].index(PACKAGE) :]
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)
