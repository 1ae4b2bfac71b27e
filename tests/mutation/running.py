"""Runs tests against a mutant: in a forked process, which loads the mutant in the module's place.

The parent has imported what the tests need from others, and nothing of the step, so that a run costs little
more than the tests themselves.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Literal, Optional

from tests.mutation.mutants import Mutant, mutated
from tests.mutation.targets import PACKAGE, Target

Ending = Literal["killed", "survived", "timed out"]

_BROKEN = 70
"""The exit code of a process that never came to its tests: it says nothing of the mutant."""


@dataclass
class Run:
    """A process that tests one mutant, or the module as it is."""

    mutant: Optional[Mutant]
    process: int
    started: float = field(default_factory=time.monotonic)


def warm_up() -> None:
    """Import what every run needs, once. Nothing of the step may be among it."""
    import hypothesis
    import jinja2  # noqa: F401 - as above
    import jsonschema  # noqa: F401 - as above
    import msgspec  # noqa: F401 - as above
    import pytest  # noqa: F401 - as above
    import requests  # noqa: F401, TID251 - as above
    import yaml  # noqa: F401 - as above

    # The same examples for every mutant, none kept: what a mutant fails with says nothing of the step.
    hypothesis.settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutation")
    assert not [name for name in sys.modules if name.partition(".")[0] == PACKAGE], "too early"


def baseline(target: Target) -> float:
    """Return the seconds that the tests take with the module as it is.

    Raises:
        RuntimeError: they fail, so they can tell nothing of a mutant.
    """
    started = time.monotonic()
    if _wait(_start(target, None)) != 0:
        raise RuntimeError(f"the tests of {target.module} fail without any mutant")
    return time.monotonic() - started


def run_all(
    target: Target, mutants: Sequence[Mutant], *, seconds: float, workers: int
) -> Iterator[tuple[Mutant, Ending]]:
    """Yield how each mutant ended, as they end. One that takes longer than `seconds` counts as noticed."""
    waiting, running = list(mutants), list[Run]()
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(_start(target, waiting.pop(0)))
        for run in list(running):
            ending = _ending_of(run, seconds=seconds)
            if ending is not None:
                running.remove(run)
                assert run.mutant is not None
                yield run.mutant, ending
        signal.sigtimedwait([], 0.02)


def _ending_of(run: Run, *, seconds: float) -> Optional[Ending]:
    code = _wait(run, options=os.WNOHANG)
    if code == _BROKEN:
        raise RuntimeError(f"the process of {run.mutant} never came to its tests")
    if code is not None:
        return "survived" if code == 0 else "killed"
    if time.monotonic() - run.started < seconds:
        return None
    os.killpg(run.process, signal.SIGKILL)
    _wait(run)
    return "timed out"


def _wait(run: Run, *, options: int = 0) -> Optional[int]:
    found, status = os.waitpid(run.process, options)
    return os.waitstatus_to_exitcode(status) if found else None


# --- in the forked process ------------------------------------------------------------------------------


def _start(target: Target, mutant: Optional[Mutant]) -> Run:
    process = os.fork()
    if process:
        return Run(mutant, process)
    code = _BROKEN
    try:
        os.setpgid(0, 0)
        code = _test(target, mutant)
    except BaseException:  # a fork must never go on as its parent: it says what went wrong, and ends
        traceback.print_exc()
        raise
    finally:
        os._exit(code)
    raise AssertionError  # for type checkers: `os._exit` does not return


def _test(target: Target, mutant: Optional[Mutant]) -> int:
    import pytest

    text = target.source() if mutant is None else mutated(target.source(), mutant)
    sys.meta_path.insert(0, _Instead(target, compile(text, f"<{target.dotted}>", "exec")))
    if mutant is not None:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
    plainly = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what the parent has imported
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *plainly, *target.tests]))


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the mutant where the module is asked for, and nothing else."""

    def __init__(self, target: Target, code: CodeType) -> None:
        self._name = target.dotted
        self._code = code

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """Return the mutant's place: the module's own, so that it finds its files and submodules."""
        if fullname != self._name:
            return None
        real = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert real is not None
        real.loader = self
        return real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutant's code in the module."""
        exec(self._code, module.__dict__)  # noqa: S102 - it is our own code, changed by us
