"""`python -m tests.mutation [MODULE …]`: mutates the modules of `targets.py`, or those that are named.

A name may be a folder. Exits with 1 where a mutant survives that `equivalent.json` does not explain. What is
found is kept in `.mutation`: mutants are asked again where their function or class, or the test that noticed
them, has changed.

`--workers N` runs N at a time; `--lines A-B` takes the mutants of these lines only; `--budget S` is how many
seconds of tests are tried on a mutant, beyond those of earlier hunts; `--watch` finds anew which test runs
which line, `--only-swapped` leaves out what has to be imported for each mutant, `--only-units` what unit
tests do not notice.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Optional

from tests.mutation.mutants import Key, Mutant, mutants_of
from tests.mutation.targets import PACKAGE, PROJECT, TARGETS, Target
from tests.support import warm_start

EXPLAINED = Path(__file__).parent / "equivalent.json"
AT_ONCE = 12
"""So many modules are hunted by processes that have collected the tests of all of them."""

KEPT = PROJECT / ".mutation"


class Row(NamedTuple):
    """How a mutant ended, the test that noticed it with its hash, and the hashes of those that did not."""

    ending: str
    killer: Optional[str]
    hash: str
    asked: Sequence[str] = ()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--lines", default="0-1000000")
    parser.add_argument("--budget", type=float, default=20)
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--only-swapped", action="store_true")
    parser.add_argument("--only-units", action="store_true")
    options = parser.parse_args(arguments)
    first, last = map(int, options.lines.split("-"))
    wanted = [target for target in TARGETS if not options.modules or _is_in(target, options.modules)]
    if not wanted:
        parser.error(f"not in targets.py: {', '.join(options.modules)}")
    warm_up()
    from tests.mutation import seeing

    for part in seeing.parts():
        if options.watch or not seeing.is_seen(part):
            in_a_fork(partial(seeing.watch, part))
    warm_start.share_servers()
    found = Findings()
    for start in range(0, len(wanted), AT_ONCE):
        some = {
            target: [mutant for mutant in mutants_of(target.source) if first <= mutant.line <= last]
            for target in wanted[start : start + AT_ONCE]
        }
        hunt(some, found, options)
        for target, mutants in some.items():
            say(target, mutants, found)
    return 1 if found.survivors else 0


def _is_in(target: Target, names: Sequence[str]) -> bool:
    return any(f"{target.module}.".startswith(f"{name}.") for name in names)


def warm_up() -> None:
    """Import what every run needs, once. Nothing of the step may be among it."""
    import hypothesis  # noqa: F401 - as above
    import jinja2  # noqa: F401 - as above
    import jsonschema  # noqa: F401 - as above
    import msgspec  # noqa: F401 - as above
    import pytest  # noqa: F401 - as above
    import requests  # noqa: F401, TID251 - as above
    import yaml  # noqa: F401 - as above

    import tests.emulator  # noqa: F401 - as above

    assert not [name for name in sys.modules if name.partition(".")[0] == PACKAGE], "too early"


def in_a_fork(do: Callable[[], None]) -> None:
    """Do something in a process that may import the step."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            do()
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status = os.waitpid(process, 0)
    if status:
        raise SystemExit("a process of the hunt has failed: see above")


class Findings:
    """What is known of mutants, kept from hunt to hunt, module by module."""

    def __init__(self) -> None:
        self.survivors = 0
        self._tests: dict[str, dict[str, str]] = {}
        self._asked: dict[tuple[str, Key], Sequence[str]] = {}
        self._texts: dict[Target, dict[str, str]] = {}

    def rows(self, target: Target) -> dict[Key, Row]:
        """Return what is known of a module as it is now, also of functions that have come from another."""
        lines = [*self._moved(), *_lines_of(self._at(target))]
        found = {key: row for text, key, row in lines if text == self._text(target, key[0])}
        return {key: row for key, row in found.items() if row.hash == self.hash_of(row.killer)}

    def _moved(self) -> Iterator[tuple[str, Key, Row]]:
        """Yield what is known of functions that are not where they were any more."""
        at_home = {target.module: target for target in TARGETS}
        for at in sorted(KEPT.glob("*.jsonl")):
            home = at_home.get(at.stem)
            for text, key, row in _lines_of(at):
                if key[0] and (home is None or self._text(home, key[0]) == "gone"):
                    yield text, key, row

    def killers(self, target: Target) -> list[tuple[str, str]]:
        """Return the places and the tests that noticed a mutant there, also of the module as it was."""
        return [(key[0], row.killer) for _, key, row in _lines_of(self._at(target)) if row.killer]

    def tell(
        self, target: Target, mutant: Mutant, ending: str, killer: Optional[str], asked: Sequence[str]
    ) -> None:
        """Keep how a mutant ended; which tests did not notice it is added to what is known of that."""
        before = self._asked.get((target.module, mutant.key), ())
        hashes = [*before, *map(self.hash_of_asked, asked)] if ending == "survived" else []
        self._asked[target.module, mutant.key] = hashes
        row = [self._text(target, mutant.place), mutant.key, ending, killer, self.hash_of(killer), hashes]
        KEPT.mkdir(exist_ok=True)
        with self._at(target).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")

    def hash_of(self, test: Optional[str]) -> str:
        """Return the hash of a test's function."""
        if test is None:
            return ""
        file, _, name = test.partition("::")
        if file not in self._tests:
            at = PROJECT / file
            self._tests[file] = hashes_of_tests(at.read_text(encoding="utf-8")) if at.is_file() else {}
        return self._tests[file].get(name.partition("[")[0], "gone")

    def hash_of_asked(self, test: str) -> str:
        """Return a short hash of a test's name and function, and of what is no test in its file."""
        own = self.hash_of(test), self._tests[test.partition("::")[0]].get("", "")
        return _hash(f"{test} {own}".encode())[:8]

    def asked_of(self, target: Target, tests: Sequence[str]) -> dict[Key, set[int]]:
        """Return which tests, by their numbers, have not noticed each survivor of a module."""
        found = {}
        for key, row in self.rows(target).items():
            if row.ending == "survived":
                self._asked[target.module, key] = row.asked
                known = {*row.asked}
                found[key] = {n for n, test in enumerate(tests) if self.hash_of_asked(test) in known}
        return found

    def _text(self, target: Target, place: str) -> str:
        if target not in self._texts:
            self._texts[target] = hashes_of_parts(target.source)
        return self._texts[target].get(place.partition(".")[0], "gone")

    def _at(self, target: Target) -> Path:
        return KEPT / f"{target.module}.jsonl"


def _lines_of(at: Path) -> list[tuple[str, Key, Row]]:
    """Return the lines of a file of what is kept: the hash of a function, a mutant of it, how it ended."""
    size = at.stat().st_size if at.is_file() else 0
    if size not in (read := _READ.setdefault(at, {})):
        lines = map(json.loads, at.read_text(encoding="utf-8").splitlines() if size else ())
        read.clear()
        read[size] = [(text, tuple(key), Row(*row)) for text, key, *row in lines]
    return read[size]


_READ: dict[Path, dict[int, list[tuple[str, Key, Row]]]] = {}
"""What was read of a file, by its size: it only grows."""


def hashes_of_parts(text: str) -> dict[str, str]:
    """Return a hash of each function and class of a module, and under "" one of all that is in none."""
    lines = text.splitlines()
    parts: dict[str, list[str]] = {"": []}
    for node in ast.parse(text).body:
        name = node.name if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else ""
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            parts.setdefault(name, []).extend(lines[_first_line(node) - 1 : node.end_lineno])
    return {name: _hash("\n".join(own).encode()) for name, own in parts.items()}


def hashes_of_tests(text: str) -> dict[str, str]:
    """Return a hash of each function of a file of tests, decorators included; under "" one of all else."""
    parts = hashes_of_parts(text)
    others = "".join(own for name, own in sorted(parts.items()) if not name.startswith("test_"))
    return {**parts, "": _hash(others.encode())}


def _first_line(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def hunt(some: Mapping[Target, list[Mutant]], found: Findings, options: argparse.Namespace) -> None:
    """Ask what is not known yet of the mutants of modules."""
    from tests.mutation import batches, running, seeing

    order = running.Order(seeing.read_seen(), options.budget, "tests/unit/" if options.only_units else "")
    order.useless.update(
        number
        for number, test in enumerate(order.seen.tests)
        if not (PROJECT / test.partition("::")[0]).is_file()
    )
    for target in some:
        order.learn(target, found.killers(target))
        asked = found.asked_of(target, order.seen.tests)
        order.asked.update({(target.module, key): numbers for key, numbers in asked.items()})

    def left(*kinds: Optional[str]) -> list[tuple[Target, Mutant]]:
        known = {target: {key: row.ending for key, row in found.rows(target).items()} for target in some}
        return [
            (target, mutant)
            for target, mutants in some.items()
            for mutant in mutants
            for ending in [known[target].get(mutant.key)]
            if ending in kinds or (ending == "survived" and may_be_noticed(target, mutant))
        ]

    def may_be_noticed(target: Target, mutant: Mutant) -> bool:
        if mutant.key in read_explained(target):
            return False
        return bool(order.tests_for(target, mutant, whole=mutant.is_at_import))

    new = left(None)

    def swap() -> None:
        batches.Batched(order, workers=options.workers, told=found.tell).ask(new)

    if new:
        in_a_fork(swap)
    if not options.only_swapped:
        imported = running.Imported(order, workers=options.workers, told=found.tell)
        imported.go_through(left("for import"))


def say(target: Target, mutants: Sequence[Mutant], found: Findings) -> None:
    """Print how the mutants of a module ended, and each survivor that is not explained."""
    explained, rows = read_explained(target), found.rows(target)
    endings = Counter(rows[mutant.key].ending if mutant.key in rows else "not asked" for mutant in mutants)
    new = [
        m for m in mutants if m.key in rows and rows[m.key].ending == "survived" and m.key not in explained
    ]
    found.survivors += len(new)
    left = endings["not asked"] + endings["for import"]
    print(
        f"{time.strftime('%H:%M:%S')} {target.module}: {len(mutants)} mutants,"
        f" {endings['killed'] + endings['timed out']} noticed ({endings['timed out']} by time),"
        f" {endings['survived'] - len(new)} explained, {len(new)} survived, {left} not asked",
        flush=True,
    )
    for mutant in new:
        where = f"{mutant.line} in {mutant.place or 'the module'}"
        print(f"  {where}: {mutant.before}  ->  {mutant.after} ({mutant.nth})", flush=True)


def read_explained(target: Target) -> dict[Key, str]:
    """Return why survivors of a module are none: they change nothing that anybody could see."""
    rows = json.loads(EXPLAINED.read_text(encoding="utf-8")).get(target.module, [])
    return {(row["in"], row["before"], row["after"], row.get("nth", 1)): row["because"] for row in rows}


def explains_nothing(target: Target, mutants: Sequence[Mutant]) -> list[Key]:
    """Return the explanations of a module whose mutants are no longer made."""
    made = {mutant.key for mutant in mutants}
    return [key for key in read_explained(target) if key not in made]


if __name__ == "__main__":
    sys.exit(main())
