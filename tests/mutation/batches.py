"""Asks unit tests of many mutants in one process: what is swapped is swapped back.

What a test leaves behind could make another fail, such as a socket that is closed by the collector of garbage
meanwhile. So a test has to fail twice, and then runs again where nothing is changed; a process in which it
fails then is left: the mutant is asked in a fresh one. It could also hide a mutant. So what no unit test
notices is left to `Swapped`, as is what can't be swapped or takes its process with it.
"""

from __future__ import annotations
import __future__

import ast
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Callable, Literal, Optional, cast

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation import changing
from tests.mutation.mutants import Mutant, Parsed
from tests.mutation.running import FOREVER, Ending, Swapped, clear_away, forked, limit, wait_for
from tests.mutation.targets import Target
from tests.support import warm_start

_UNITS = "tests/unit/"
_MOST = 200
"""So many mutants are asked in one process."""

_MOST_SECONDS = 5.0
"""Of unit tests, for a mutant that none of them notices."""

_Pair = tuple[Target, Mutant]


@dataclass
class _Heard:
    """What a process has told: the test it is at, and how mutants have ended, in words."""

    ended: list[str] = field(default_factory=list)
    test: Optional[int] = None
    since: float = field(default_factory=time.monotonic)
    rest: bytes = b""

    def hear(self, told: int) -> None:
        """Read what there is."""
        try:
            read = os.read(told, 65536)
        except BlockingIOError:
            return
        *lines, self.rest = (self.rest + read).split(b"\n")
        for line in map(bytes.decode, lines):
            self.since = time.monotonic()
            self.test = int(line.partition(" ")[2]) if line.startswith("test ") else None
            if self.test is None:
                self.ended.append(line)


class Batched(Swapped):
    """Goes through mutants in batches, and leaves to `Swapped` what unit tests do not notice."""

    def go_through(self, wanted: Sequence[_Pair]) -> None:
        """Ask unit tests of all mutants, then all tests of those that are left."""
        order, waiting, left = self._order, [*wanted], list[_Pair]()
        self._units = replace(order, only=_UNITS, budget=min(order.budget, _MOST_SECONDS))
        while waiting:
            ended = self._ask_some(waiting[:_MOST])
            for pair, words in zip(waiting, ended):
                if self._note(*pair, words):
                    left.append(pair)
            del waiting[: len(ended)]
        super().go_through(left)

    def _note(self, target: Target, mutant: Mutant, words: str) -> bool:
        """Tell how a mutant ended; return whether more is to be asked of it."""
        word, _, number = words.partition(" ")
        if word == "left" or (word == "timed-out" and not self._is_sound(target, int(number))):
            return True
        self._order.remember(target, mutant, int(number))
        ending: Ending = "killed" if word == "killed" else "timed out"
        self._told(target, mutant, ending, self._order.seen.tests[int(number)], ())
        return False

    def _ask_some(self, pairs: Sequence[_Pair]) -> list[str]:
        """Return how the first of some mutants ended, in words; of none where a test is of no use."""
        process, told, directory = forked(lambda tell, directory: self._go(pairs, tell, directory))
        heard, found, status = _Heard(), 0, 0
        while not found:
            wait_for([told])
            heard.hear(told)
            usual = self._order.seen.seconds[heard.test] if heard.test is not None else 0
            if time.monotonic() - heard.since > FOREVER + 20 * usual:
                os.killpg(process, signal.SIGKILL)
                found, status = os.waitpid(process, 0)
            else:
                found, status = os.waitpid(process, os.WNOHANG)
        heard.hear(told)
        clear_away(process, told, directory)
        ended = heard.ended
        if ended and ended[-1].startswith("again "):
            again = ended.pop()
            if not ended and self._is_sound(pairs[0][0], int(again.partition(" ")[2])):
                ended.append(again.replace("again", "killed"))
        elif len(ended) < len(pairs):
            is_late = os.WIFSIGNALED(status) and heard.test is not None
            ended.append(f"timed-out {heard.test}" if is_late else "left")
        return ended

    # --- in the process that asks ---------------------------------------------------------------------------

    def _go(self, pairs: Sequence[_Pair], tell: int, directory: str) -> int:
        def say(word: str, *numbers: int) -> None:
            os.write(tell, " ".join([word, *map(str, numbers)]).encode() + b"\n")

        item = next(iter(self._items.values()))
        item.config._tmp_path_factory._basetemp = Path(directory)  # type: ignore[attr-defined] # as --basetemp
        for target, mutant in pairs:
            tests = self._units.tests_for(target, mutant, whole=mutant.is_at_import)
            if not tests or self.is_early(target, mutant):
                say("left")
                continue
            with _swapped(target, mutant, Path(directory, "change")) as is_swapped:
                asked = tests if is_swapped else []
                noticed = next((test for test in asked if self._fails_twice(test, say)), None)
            if noticed is None:
                say("left")
            elif not self._passes(noticed, say):
                say("again", noticed)
                return 0
            else:
                self._order.remember(target, mutant, noticed)
                say("killed", noticed)
        return 0

    def _fails_twice(self, number: int, say: Callable[..., None]) -> bool:
        return not self._passes(number, say) and not self._passes(number, say)

    def _passes(self, number: int, say: Callable[..., None]) -> bool:
        """Run a test as pytest does, without its words of what went wrong."""
        item = self._items[self._order.seen.tests[number]]
        say("test", number)
        limit(self._order.seen.seconds[number])
        ends = _Ends()
        item.config.pluginmanager.register(ends)
        try:
            runtestprotocol(item, log=False)
        except BaseException:  # noqa: BLE001 - a mutant may raise what ends pytest, or this process
            return False
        finally:
            item.config.pluginmanager.unregister(ends)
        return ends.are_well


class _Ends:
    """A plugin of pytest: notes whether a test's parts ended well, before anybody describes how."""

    are_well = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Note it."""
        is_well = call.excinfo is None or call.excinfo.errisinstance(pytest.skip.Exception)
        self.are_well = self.are_well and is_well
        outcome: Literal["passed", "failed"] = "passed" if is_well else "failed"
        when = cast("Literal['setup', 'call', 'teardown']", call.when)
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when)


@contextmanager
def _swapped(target: Target, mutant: Mutant, change: Path) -> Iterator[bool]:
    """Let a module be the mutant, if it can, and what its tests fork; then let it be as it was."""
    parsed = _parsed(target)
    old = _compiled(target, parsed.part_of(mutant))
    with parsed.changed_meanwhile(mutant) as part:
        new = _compile(target, part)
    module = sys.modules[target.dotted]
    if not changing.swap(module, old, new):
        yield False
        return
    changing.write_change(change, target.dotted, old, new, is_swapped=True)
    warm_start.BEFORE_LIFE[:] = [(changing.__file__, str(change))]
    try:
        yield True
    finally:
        warm_start.BEFORE_LIFE[:] = []
        changing.swap(module, new, old)


@cache
def _parsed(target: Target) -> Parsed:
    return Parsed(target.source)


@cache
def _compiled(target: Target, part: ast.stmt) -> CodeType:
    return _compile(target, part)


def _compile(target: Target, part: ast.stmt) -> CodeType:
    """Compile a part of a module as it is compiled with all of it: behind the same future and imports.

    Python calls `re.search` in another way where the module imports `re`.
    """
    module, flags = ast.Module([*_imports(target), part], []), __future__.annotations.compiler_flag
    return cast("CodeType", compile(module, str(target.path), "exec", flags=flags, dont_inherit=True))


@cache
def _imports(target: Target) -> list[ast.stmt]:
    tree = ast.parse(target.source)
    return [part for part in tree.body if isinstance(part, (ast.Import, ast.ImportFrom))]
