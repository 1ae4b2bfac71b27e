"""Runs tests against mutants, each in a forked process: `Swapped` where it can, `Imported` where it must.

`Swapped` forks a process that has imported everything and collected the tests: only the code of functions is
replaced. `Imported` forks one that has imported nothing of the step, and loads the mutant in the module's
place: for what is made of a module when it is imported.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Literal, Optional

import hypothesis
import pytest
from hypothesis import Phase

from tests.mutation import changing
from tests.mutation.mutants import Key, Mutant, Parsed
from tests.mutation.seeing import Seen
from tests.mutation.targets import Target
from tests.support import warm_start

Ending = Literal["killed", "survived", "timed out", "for import"]

_KILLED, _FOR_IMPORT, _BROKEN = 1, 70, 71
"""Exit codes of a forked process: a test failed; it can't be swapped; it never came to its tests."""

FOREVER = 15.0
"""Seconds that a test may take beyond twenty times what it takes else."""

_TO_BEGIN = 180.0
"""Seconds that a process may take before its first test: to import all on a machine that does much else."""

_OF_CPU = 5
PLAINLY = ("-q", "-s", "--assert=plain", "-p", "no:cacheprovider")
_FRESH = 40
"""How many of a place's last killers are tried first."""


@dataclass
class Order:
    """Which tests of `only` a folder are to notice a mutant, those first that did so near it before."""

    seen: Seen
    budget: float
    only: str = ""
    useless: set[int] = field(default_factory=set)
    asked: dict[tuple[str, Key], set[int]] = field(default_factory=dict)
    """Which tests have not noticed a mutant in earlier hunts, by its module and its key."""

    killers: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=_FRESH)))

    def tests_for(self, target: Target, mutant: Mutant, *, whole: bool = False) -> list[int]:
        """Return the tests, the likeliest first, no more than can be run in `budget` seconds."""
        if whole:
            found = self.seen.tests_in(target.module)
        else:
            found = self.seen.tests_of(target.module, mutant.line, mutant.place, target.source)
        if not found and (whole or target.module not in self.seen.modules):
            found = self._of_importers(target)
        last = {number: place for place, number in enumerate(self.killers[self._near(target, mutant)])}
        named = re.compile(rf"/test_\w*{re.escape(target.module.rpartition('.')[2])}")
        found.sort(
            key=lambda number: (
                -last.get(number, -1),
                not named.search(self.seen.tests[number]),
                int(self.seen.seconds[number] * 100).bit_length(),
                self.seen.tests[number],
            )
        )
        left_out = self.useless | self.asked.get((target.module, mutant.key), set())
        chosen, seconds = list[int](), 0.0
        for number in found:
            if number in left_out or not self.seen.tests[number].startswith(self.only):
                continue
            seconds += self.seen.seconds[number]
            if not chosen or seconds < self.budget:
                chosen.append(number)
        return chosen

    def learn(self, target: Target, killers: Sequence[tuple[str, str]]) -> None:
        """Note which tests noticed mutants of a module in earlier hunts, by the mutants' places."""
        numbers = {name: number for number, name in enumerate(self.seen.tests)}
        for place, killer in killers:
            if killer in numbers:
                self._note(f"{target.module}:{place}", numbers[killer])

    def remember(self, target: Target, mutant: Mutant, killer: int) -> None:
        """Note which test noticed a mutant."""
        self._note(self._near(target, mutant), killer)

    def _note(self, place: str, killer: int) -> None:
        near = self.killers[place]
        with contextlib.suppress(ValueError):
            near.remove(killer)
        near.append(killer)

    def _of_importers(self, target: Target) -> list[int]:
        found: set[int] = set()
        for name, (known, *_) in self.seen.modules.items():
            if f"{target.dotted} import" in known.text:
                found.update(self.seen.tests_in(name))
        return sorted(found)

    def _near(self, target: Target, mutant: Mutant) -> str:
        return f"{target.module}:{mutant.place}"


@dataclass
class Run:
    """A process that tests one mutant, or the module as it is; `before` are tests that were asked already."""

    target: Target
    mutant: Optional[Mutant]
    tests: Sequence[int]
    process: int
    told: int
    directory: str
    before: Optional[Sequence[int]] = None
    number: int = -1
    since: float = field(default_factory=time.monotonic)


Told = Callable[[Target, Mutant, Ending, Optional[str], Sequence[str]], None]
"""Is told how a mutant ended, which test noticed it, and which did not."""


class Hunt:
    """Runs the tests of mutants, `workers` at a time."""

    def __init__(self, order: Order, *, workers: int, told: Told) -> None:
        self._order = order
        self._workers = workers
        self._told = told
        self._sound: set[int] = set()

    def go_through(self, wanted: Sequence[tuple[Target, Mutant]]) -> None:
        """Run the tests of each mutant until one fails."""
        waiting, running = deque(wanted), list[Run]()
        while waiting or running:
            while waiting and len(running) < self._workers:
                target, mutant = waiting.popleft()
                tests = self._tests_for(target, mutant)
                if tests:
                    running.append(self._start(target, mutant, tests))
                else:
                    self._told(target, mutant, "survived", None, ())
            for run in list(running):
                ending = self._ending_of(run)
                if ending is None:
                    continue
                running.remove(run)
                assert run.mutant is not None
                if ending == "killed" and run.number > 0 and run.before is None:
                    # What an earlier test has left may have made it fail: it is asked again, as the first.
                    running.append(self._ask_again(run))
                    continue
                killer = run.tests[run.number] if 0 <= run.number < len(run.tests) else None
                if ending in ("killed", "timed out") and killer is not None:
                    if not self._is_sound(run.target, killer):
                        waiting.appendleft((run.target, run.mutant))
                        continue
                    self._order.remember(run.target, run.mutant, killer)
                name = None if killer is None or ending == "survived" else self._order.seen.tests[killer]
                alive = [*(run.before or ()), *run.tests] if ending == "survived" else []
                asked = [self._order.seen.tests[test] for test in alive]
                self._told(run.target, run.mutant, ending, name, asked)
            if running:
                wait_for([run.told for run in running])

    def _ask_again(self, run: Run) -> Run:
        """Ask the test that has failed and those behind it; all of them where it was none of these."""
        left = run.tests[run.number :] or run.tests
        again = self._start(run.target, run.mutant, left)
        again.before = run.tests[: len(run.tests) - len(left)]
        return again

    def _tests_for(self, target: Target, mutant: Mutant) -> list[int]:
        raise NotImplementedError

    def _test(self, run: Run) -> int:
        """Run the tests in the forked process; return the exit code."""
        raise NotImplementedError

    def _is_sound(self, target: Target, test: int) -> bool:
        """Tell whether a test passes alone where nothing is changed."""
        if test not in self._sound:
            run = self._start(target, None, [test])
            ending = None
            while ending is None:
                wait_for([run.told])
                ending = self._ending_of(run)
            (self._sound if ending == "survived" else self._order.useless).add(test)
        return test in self._sound

    def _start(self, target: Target, mutant: Optional[Mutant], tests: Sequence[int]) -> Run:
        def test(told: int, directory: str) -> int:
            return self._test(Run(target, mutant, tests, 0, told, directory))

        return Run(target, mutant, tests, *forked(test))

    def _ending_of(self, run: Run) -> Optional[Ending]:
        with contextlib.suppress(BlockingIOError):
            read = os.read(run.told, 65536)
            if read:
                run.number += len(read)
                run.since = time.monotonic()
        found, status = os.waitpid(run.process, os.WNOHANG)
        usual = sum(self._order.seen.seconds[test] for test in run.tests[max(run.number, 0) :][:1])
        patience = _TO_BEGIN if run.number < 0 else FOREVER + 20 * usual
        is_over = found != 0
        if not is_over and time.monotonic() - run.since > patience:
            os.killpg(run.process, signal.SIGKILL)
            os.waitpid(run.process, 0)
        elif not is_over:
            return None
        with contextlib.suppress(BlockingIOError):
            run.number += len(os.read(run.told, 65536))
        clear_away(run.process, run.told, run.directory)
        code = os.waitstatus_to_exitcode(status) if is_over else -signal.SIGKILL
        if code == _BROKEN:
            raise RuntimeError(f"the process of {run.target.module}: {run.mutant} never came to its tests")
        if code < 0:
            return "timed out"
        return "survived" if code == 0 else "for import" if code == _FOR_IMPORT else "killed"


def wait_for(told: Sequence[int]) -> None:
    """Wait until a process tells something or ends, or for a moment."""
    select.select(told, [], [], 0.1)


def limit(seconds: float) -> None:
    """Let this process take so much CPU more than it has taken, and no more memory than it needs."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = int(used.ru_utime + used.ru_stime + _OF_CPU + 20 * seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def forked(do: Callable[[int, str], int]) -> tuple[int, int, str]:
    """Do something in a process of its own, which is given where to tell what, and a directory.

    Return its number, where it tells, and the directory. Its status is what is returned.
    """
    told, tell = os.pipe()
    os.set_blocking(told, False)
    directory = tempfile.mkdtemp(prefix="mutant-")
    process = os.fork()
    if process:
        os.close(tell)
        return process, told, directory
    code = _BROKEN
    try:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        errors = os.dup(2)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        code = do(tell, directory)
    except BaseException:  # a fork must never go on as its parent: it says what went wrong, and ends
        os.dup2(errors, 2)
        traceback.print_exc()
        raise
    finally:
        os._exit(code)
    raise AssertionError  # for type checkers: `os._exit` does not return


def clear_away(process: int, told: int, directory: str) -> None:
    """End whatever a process that has ended left behind."""
    os.close(told)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


@cache
def _parsed(target: Target) -> tuple[Parsed, CodeType]:
    return Parsed(target.source), compile(target.source, str(target.path), "exec", dont_inherit=True)


def _codes(target: Target, mutant: Mutant) -> tuple[CodeType, CodeType]:
    """Return the code of a module and of its mutant, in a process that asks for no other."""
    parsed, old = _parsed(target)
    return old, compile(parsed.changed(mutant), str(target.path), "exec", dont_inherit=True)


class Failing:
    """A plugin of pytest: writes a byte for each test that begins, and ends the process when one fails."""

    def __init__(self, tell: int, seconds: Sequence[float]) -> None:
        self._tell = tell
        self._seconds = iter(seconds)

    def begin(self) -> None:
        """Say that the next test begins."""
        os.write(self._tell, b".")
        limit(next(self._seconds, 1.0))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """End here, before anybody describes what went wrong."""
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(_KILLED)


class Swapped(Hunt):
    """Forks a process that has imported everything. Is a plugin of pytest: call `pytest.main` with it."""

    def ask(self, wanted: Sequence[tuple[Target, Mutant]]) -> None:
        """Collect the tests, then go through the mutants."""
        self._wanted = wanted
        numbers = {number for target, mutant in self._wanted for number in self._tests_for(target, mutant)}
        files = sorted({self._order.seen.tests[number].partition("::")[0] for number in numbers})
        if files:
            code = pytest.main([*PLAINLY, *files], plugins=[self])
            assert code == 0, f"pytest came to nothing: {code}"

    def is_early(self, target: Target, mutant: Mutant) -> bool:
        """Tell whether what came of a mutant's function before the first test is kept by now."""
        return self._order.seen.is_early(target.module, mutant.place)

    def _tests_for(self, target: Target, mutant: Mutant) -> list[int]:
        return self._order.tests_for(target, mutant, whole=mutant.is_at_import)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Let Hypothesis be content with what it finds first."""
        drawn = (Phase.explicit, Phase.generate)
        hypothesis.settings.register_profile("hunt", hypothesis.settings(), phases=drawn)
        hypothesis.settings.load_profile("hunt")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Go through the mutants instead of the tests."""
        self._items = {item.nodeid: item for item in session.items}
        known = dict(enumerate(self._order.seen.tests))
        self._order.useless.update(number for number, name in known.items() if name not in self._items)
        for target in {target for target, _ in self._wanted}:
            importlib.import_module(target.dotted)
            _parsed(target)
        gc.collect()
        gc.freeze()
        self.go_through(self._wanted)
        return True

    def _test(self, run: Run) -> int:
        survived = 0
        if run.mutant is not None:
            old, new = _codes(run.target, run.mutant)
            module, is_early = sys.modules[run.target.dotted], self.is_early(run.target, run.mutant)
            is_swapped = changing.swap(module, old, new)
            survived = 0 if is_swapped and not is_early else _FOR_IMPORT
            if survived and not changing.patch(module, new):
                return _FOR_IMPORT
            _change_forks(run, old, new, is_swapped=True)
        items = [self._items[self._order.seen.tests[number]] for number in run.tests]
        seconds = [self._order.seen.seconds[number] for number in run.tests]
        if not items:
            return survived
        failing = Failing(run.told, seconds)
        config = items[0].config
        config.pluginmanager.register(failing)
        config._tmp_path_factory._basetemp = Path(run.directory)  # type: ignore[attr-defined] # as --basetemp
        for item, following in zip(items, [*items[1:], None]):
            failing.begin()
            config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return survived


class Imported(Hunt):
    """Forks a process that has imported nothing of the step."""

    def _tests_for(self, target: Target, mutant: Mutant) -> list[int]:
        return self._of_few_files(self._order.tests_for(target, mutant, whole=mutant.is_at_import))

    def _of_few_files(self, tests: Sequence[int], most: int = 8) -> list[int]:
        files: dict[str, list[int]] = defaultdict(list)
        for number in tests:
            files[self._order.seen.tests[number].partition("::")[0]].append(number)
        return [number for of_file in list(files.values())[:most] for number in of_file]

    def _test(self, run: Run) -> int:
        if run.mutant is not None:
            old, new = _codes(run.target, run.mutant)
            sys.meta_path.insert(0, changing.Instead(run.target.dotted, new))
            _change_forks(run, old, new, is_swapped=False)
        names = [self._order.seen.tests[number] for number in run.tests]
        chosen = Chosen(run.told, names, [self._order.seen.seconds[number] for number in run.tests])
        files = dict.fromkeys(name.partition("::")[0] for name in names)
        where = f"--basetemp={run.directory}/tests"
        code = pytest.main([*PLAINLY, "-x", where, *files], plugins=[chosen])
        return 0 if code == 0 else _KILLED


class Chosen(Failing):
    """Keeps of the collected tests those that are asked, in their order, then the others of unit tests.

    These may look at what was made at the import, and run no line.
    """

    def __init__(self, tell: int, names: Sequence[str], seconds: Sequence[float]) -> None:
        super().__init__(tell, seconds)
        self._places = {name: place for place, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop what nobody asked for."""
        places, last = self._places, len(self._places)
        kept = [item for item in items if item.nodeid in places or item.nodeid.startswith("tests/unit/")]
        items[:] = sorted(kept, key=lambda item: places.get(item.nodeid, last))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:  # noqa: ARG002 - pytest's signature
        """Say that a test begins."""
        self.begin()


def _change_forks(run: Run, old: CodeType, new: CodeType, *, is_swapped: bool) -> None:
    """Have the steps and the children that this process asks for be the mutant, too."""
    at = Path(run.directory, "change")
    changing.write_change(at, run.target.dotted, old, new, is_swapped=is_swapped)
    warm_start.BEFORE_LIFE[:] = [(changing.__file__, str(at))]
