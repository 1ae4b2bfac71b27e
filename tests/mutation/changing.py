"""Puts a mutant in the place of a module that is imported already, in this process.

`swap` does it for what is inside functions, `patch` for what was made at the import.

Of the standard library alone: the processes that tests fork as steps and as children that render load it by
its path, and nothing else of the tests.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import marshal
import re
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CellType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Optional, cast

PACKAGE = "bcs_template_set"
_IS_FUNCTION = 1
"""The flag that the code of functions has, and that of modules and classes has not."""

_SECONDS = 30
"""Of CPU, for a step: one that is caught in a loop is an orphan once its test is over."""

_CONTAINERS = (dict, list, tuple, set, frozenset, CellType, property, classmethod, staticmethod)
_CACHED = type(functools.lru_cache(len))
_CALLERS = (functools.partial, functools.cached_property, _CACHED)


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
    _forget(module)
    return bool(todo)


def _forget(module: ModuleType) -> None:
    """Empty the caches that may hold what a module made before it was another."""
    for cached in _caches_above(module, len(sys.modules)):
        cached.cache_clear()


@functools.lru_cache(None)
def _caches_above(module: ModuleType, _: int) -> list[Any]:
    """Return what is cached in a module, and in all that use it."""
    uses = {other: _modules_in(other) for name, other in list(sys.modules.items()) if _is_ours(name)}
    found = [module]
    for one in found:  # those that use it come behind it, and are looked at, too
        found += [other for other in uses if one.__name__ in uses[other] and other not in found]
    return [value for one in found for value in vars(one).values() if isinstance(value, _CACHED)]


def _modules_in(module: ModuleType) -> set[str]:
    values = list(vars(module).values())
    return {value.__name__ if isinstance(value, ModuleType) else _module_of(value) for value in values}


def _module_of(value: object) -> str:
    return str(getattr(value, "__module__", ""))


def _is_ours(name: str) -> bool:
    return name.startswith((PACKAGE, "tests", "test_"))


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


# --- what was made when the module was imported ---------------------------------------------------------

_NOT_COPIED = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__dataclass_fields__"}
    | {"__dataclass_params__", "__match_args__", "__abstractmethods__", "_abc_impl", "__parameters__"}
)
"""Of a class: what says nothing that a mutant may change, or what can't be set."""

_PLAIN = (bool, int, float, str, bytes, type(None), re.Pattern, frozenset, set)


_Thing = Any
"""What a module may hold, of whatever type."""


class _Unlike(Exception):
    """What a mutant makes can't be put in the place of what there is."""


def patch(module: ModuleType, new: CodeType) -> bool:
    """Let what was made of a module at its import be what the mutant makes; False where it can't be done.

    Tables and defaults are changed where they are, or in all modules that have imported them by their names.
    What other modules made of them at their import stays as it is: a survivor has yet to be imported.
    """
    made = ModuleType(module.__name__)
    same = ("__file__", "__package__", "__spec__", "__loader__", "__path__")
    vars(made).update({name: vars(module)[name] for name in same if name in vars(module)})
    try:
        exec(new, vars(made))  # noqa: S102 - it is our own code, changed by us
        turning = _Turning(module)
        for name, value in list(vars(made).items()):
            if name in same or name == "__builtins__":
                continue
            old = vars(module).get(name)
            becomes = turning.turned(old, value)
            if becomes is not old:
                _give_to_all(name, old, becomes)
                setattr(module, name, becomes)
        _forget(module)
    except Exception:  # noqa: BLE001 - whatever a mutant's own code raises: its import will tell
        return False
    return turning.changes > 0


def _is_late(init: FunctionType) -> bool:
    """Tell whether it was compiled for the first value of a late dataclass (records/late_dataclass.py)."""
    return init.__code__.co_varnames[:1] == ("_value",)


def _give_to_all(name: str, old: object, new: object) -> None:
    """Replace what modules have imported under a name."""
    for other in list(sys.modules.values()):
        if vars(other).get(name) is old and _is_ours(other.__name__ or ""):
            setattr(other, name, new)


class _Turning:
    """Turns what a module has made into what its mutant makes, and counts what differs."""

    def __init__(self, module: ModuleType) -> None:
        self.changes = 0
        self._module = module
        self._name = module.__name__
        self._known: dict[tuple[int, int], object] = {}
        self._alive: list[object] = []
        """New things whose `id` is kept must not go."""

    def turned(self, old: object, new: object) -> object:
        """Return what the old becomes: mostly itself, changed."""
        if old is new:
            return old
        key = (id(old), id(new))
        if key not in self._known:
            self._known[key] = old
            self._alive += [old, new]
            self._known[key] = self._turned(old, new)
        return self._known[key]

    def _turned(self, old: object, new: object) -> object:
        if not self._are_alike(type(old), type(new)):
            self.changes += 1
            return self._foreign(new)
        if isinstance(old, type):
            return self._class(old, new)
        if isinstance(old, _PLAIN):
            return old if old == new else self._other(new)
        for kind, turn in self._KINDS:
            if isinstance(old, kind):
                return turn(self, old, new)
        if type(old).__module__.startswith((PACKAGE, self._name)) or isinstance(old, dataclasses.Field):
            self._fields(old, new)
        return old

    def _are_alike(self, old: type, new: type) -> bool:
        is_ours = old.__module__ == new.__module__ == self._name
        return old is new or (is_ours and old.__qualname__ == new.__qualname__)

    def _other(self, new: _Thing) -> _Thing:
        self.changes += 1
        return self._foreign(new)

    def _foreign(self, new: _Thing) -> _Thing:
        """Return what is new, rows of the classes there are among it; nothing else may be the mutant's."""
        own: _Thing = new if isinstance(new, (type, FunctionType)) else type(new)
        if isinstance(new, tuple) and own.__module__ == self._name:
            own = vars(self._module).get(own.__qualname__)
        elif own.__module__ == self._name:
            own = None
        if own is None:
            raise _Unlike
        if isinstance(new, tuple):
            return tuple.__new__(own, map(self._foreign, new))
        if isinstance(new, list):
            return [*map(self._foreign, new)]
        if isinstance(new, dict):
            return {key: self._foreign(value) for key, value in new.items()}
        if isinstance(new, _CONTAINERS):
            for thing in gc.get_referents(new):
                self._foreign(thing)
        return new

    def _class(self, old: _Thing, new: _Thing) -> object:
        if old.__module__ != self._name:
            return old
        for name, value in list(vars(new).items()):
            if name in _NOT_COPIED:
                continue
            was = vars(old).get(name)
            if name == "__init__" and isinstance(was, FunctionType) and _is_late(was):
                self._late_init(was, new)
                continue
            becomes = self.turned(was, value)
            if becomes is not was:
                setattr(old, name, becomes)
        return old

    def _late_init(self, old: FunctionType, kind: _Thing) -> None:
        """Give what was compiled for the first value of a late dataclass the defaults that there are now."""
        late = sys.modules[f"{PACKAGE}.records.late_dataclass"]
        new = late._init_of(kind, dataclasses.fields(kind))
        if old.__code__ != new.__code__:
            raise _Unlike
        for name, value in new.__globals__.items():
            if name.startswith("_of_"):
                old.__globals__[name] = self.turned(old.__globals__[name], value)
        old.__defaults__ = cast("tuple[object, ...]", self.turned(old.__defaults__, new.__defaults__))

    def _function(self, old: _Thing, new: _Thing) -> object:
        if old.__code__ != new.__code__ or _own_parts(old.__code__) != _own_parts(new.__code__):
            if old.__module__ != self._name:
                raise _Unlike
            old.__code__ = new.__code__
            self.changes += 1
        for name in ("__defaults__", "__kwdefaults__"):
            was = getattr(old, name)
            becomes = self.turned(was, getattr(new, name))
            if becomes is not was:
                setattr(old, name, becomes)
        for cell, other in zip(old.__closure__ or (), new.__closure__ or ()):
            with contextlib.suppress(ValueError):  # it is empty
                cell.cell_contents = self.turned(cell.cell_contents, other.cell_contents)
        self.turned(vars(old), vars(new))
        return old

    def _list(self, old: _Thing, new: _Thing) -> object:
        old[:] = self._items(old, new)
        return old

    def _tuple(self, old: _Thing, new: _Thing) -> object:
        items = self._items(old, new)
        is_same = len(items) == len(old) and all(one is other for one, other in zip(items, old))
        return old if is_same else tuple.__new__(type(old), items)

    def _items(self, old: _Thing, new: _Thing) -> list[_Thing]:
        if len(old) != len(new):
            return list(self._other(tuple(new)))
        return [self.turned(one, other) for one, other in zip(old, new)]

    def _dict(self, old: _Thing, new: _Thing) -> object:
        if len(old) != len(new):
            items = list(self._other(dict(new)).items())
        else:
            pairs = zip(list(old.items()), list(new.items()))
            items = [(self.turned(a, c), self.turned(b, d)) for (a, b), (c, d) in pairs]
        old.clear()
        old.update(items)
        return old

    def _inside(self, old: _Thing, new: _Thing) -> object:
        """Turn what a thing refers to, which must not become another."""
        was, becomes = gc.get_referents(old), gc.get_referents(new)
        was = [one for one in was if one is not type(old)]
        becomes = [one for one in becomes if one is not type(new)]
        if len(was) != len(becomes) or any(self.turned(a, b) is not a for a, b in zip(was, becomes)):
            raise _Unlike
        return old

    def _cached(self, old: _Thing, new: _Thing) -> object:
        self.turned(old.__wrapped__, new.__wrapped__)
        old.cache_clear()
        return old

    def _fields(self, old: _Thing, new: _Thing) -> None:
        slots = [name for kind in type(old).__mro__ for name in getattr(kind, "__slots__", ())]
        for name in [*getattr(new, "__dict__", ()), *slots]:
            was = getattr(old, name, None)
            becomes = self.turned(was, getattr(new, name, None))
            if becomes is not was:
                object.__setattr__(old, name, becomes)

    _KINDS: tuple[tuple[Any, Callable[..., object]], ...] = (
        (FunctionType, _function),
        (list, _list),
        (tuple, _tuple),
        (dict, _dict),
        ((MappingProxyType, property, classmethod, staticmethod, *_CALLERS[:2]), _inside),
        (_CACHED, _cached),
    )


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
        module = importlib.import_module(name)
        swap(module, old, new) or patch(module, new)
        return
    for imported in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[imported]
    sys.meta_path.insert(0, Instead(name, new))
