"""Puts a mutant in the place of a module that is imported already, in this process.

Of the standard library alone: the processes that tests fork as steps and as children that render load it by
its path, and nothing else of the tests.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import marshal
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Optional

PACKAGE = "bcs_template_set"
_IS_FUNCTION = 1
"""The flag that the code of functions has, and that of modules and classes has not."""

_SECONDS = 30
"""Of CPU, for a step: one that is caught in a loop is an orphan once its test is over."""

_CONTAINERS = (dict, list, tuple, set, frozenset, CellType, property, classmethod, staticmethod)
_CALLERS = (functools.partial, functools.cached_property, type(functools.lru_cache(len)))


def swap(module: ModuleType, old: CodeType, new: CodeType) -> bool:
    """Give the functions of a module the code of the mutant; False where they can't have it.

    So it is where something else is changed than the inside of functions: what was made of it at the import
    is anywhere by now.
    """
    if _own_parts(old) != _own_parts(new):
        return False
    changes = list(_changes(old, new))
    found = list(_functions_of(module))
    todo = []
    for was, becomes, is_inside in changes:
        if not was.co_flags & _IS_FUNCTION:
            return False
        live = [function for function in found if function.__code__ == was]
        if not live and not is_inside:
            return False
        if any(len(function.__code__.co_freevars) != len(becomes.co_freevars) for function in live):
            return False
        todo += [(function, becomes) for function in live]
    for function, becomes in todo:
        function.__code__ = becomes
    return bool(todo)


def _changes(
    old: CodeType, new: CodeType, *, inside: bool = False
) -> Iterator[tuple[CodeType, CodeType, bool]]:
    """Yield the pieces of code that differ, each with whether it lies in a function that does."""
    for was, becomes in zip(_nested(old), _nested(new)):
        if was == becomes:
            continue
        is_function = bool(was.co_flags & _IS_FUNCTION)
        if is_function or _own_parts(was) != _own_parts(becomes):
            yield was, becomes, inside
        yield from _changes(was, becomes, inside=inside or is_function)


def _nested(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _own_parts(code: CodeType) -> tuple[object, ...]:
    """Return what a piece of code is, but for what is nested in it."""
    constants = tuple(
        (type(constant), None if isinstance(constant, CodeType) else repr(constant))
        for constant in code.co_consts
    )
    return (code.co_code, constants, code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)


def _functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """Yield every function of a module's text that can be reached from it."""
    seen: set[int] = set()
    waiting: list[object] = list(vars(module).values())
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, ModuleType):
            continue
        seen.add(id(thing))
        if isinstance(thing, FunctionType):
            if thing.__code__.co_filename == module.__file__:
                yield thing
            if thing.__module__ == module.__name__ or hasattr(thing, "__wrapped__"):
                waiting += [*(thing.__closure__ or ()), *vars(thing).values(), *(thing.__defaults__ or ())]
        elif isinstance(thing, type):
            if thing.__module__ == module.__name__:
                waiting += vars(thing).values()
        elif isinstance(thing, _CONTAINERS) or type(thing).__module__.startswith(PACKAGE):
            waiting += gc.get_referents(thing)
        elif isinstance(thing, _CALLERS):
            waiting += [*gc.get_referents(thing), getattr(thing, "__wrapped__", None)]


# --- modules that are yet to be imported ----------------------------------------------------------------


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the mutant where the module is asked for, and nothing else."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
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


# --- a step, and a child that renders, which others have forked -----------------------------------------


def write_change(at: Path, name: str, old: CodeType, new: CodeType, *, is_swapped: bool) -> None:
    """Write what `prepare` reads."""
    at.write_bytes(marshal.dumps((name, old, new, is_swapped)))


def prepare(given: str) -> None:
    """Let this process, which has imported the step, live as the mutant."""
    name, old, new, is_swapped = marshal.loads(Path(given).read_bytes())  # noqa: S302 - we wrote it
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, hard))
    if is_swapped:
        swap(importlib.import_module(name), old, new)
        return
    for imported in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[imported]
    sys.meta_path.insert(0, Instead(name, new))
