"""The borders of the design: who may import whom, and who reaches the world, read from the sources."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping

import pytest
from tests.packaging.modules import CLOCKS, PACKAGE, Module, known, read_modules
from tests.packaging.store_files import PROJECT

TESTS = PROJECT / "tests"

EVERYTHING = frozenset(
    {
        *("cli", "run", "report", "branches", "publish", "rollout", "images", "bcs/space", "bcs", "config"),
        "agent",
        *("manifests/templating", "manifests/checks", "manifests/schema", "manifests", "system", "messages"),
        "records",
    }
)

BORDERS: Mapping[str, frozenset[str]] = {
    "cli": EVERYTHING - {"cli"},
    "run": EVERYTHING - {"cli", "run"},
    "report": frozenset(
        {
            *("agent", "bcs/space", "branches", "config", "manifests", "messages", "publish", "rollout"),
            *("records", "system"),  # own_files: the only way to write into the workspace
        }
    ),
    "branches": frozenset(
        {"bcs", "bcs/space", "manifests", "manifests/templating", "messages", "publish", "records"}
    ),
    "publish": frozenset(
        {"bcs", "bcs/space", "config", "manifests", "manifests/checks", "messages", "records", "system"}
    ),
    "rollout": frozenset({"bcs", "bcs/space", "config", "manifests", "messages", "records", "system"}),
    "images": frozenset({"manifests", "messages", "records", "system"}),
    "bcs/space": frozenset({"bcs", "manifests", "messages", "records", "system"}),
    "bcs": frozenset({"config", "manifests", "messages", "records", "system"}),
    "config": frozenset({"agent", "manifests", "messages", "records"}),
    "agent": frozenset({"messages", "records", "system"}),
    "manifests/templating": frozenset({"manifests", "manifests/checks", "messages", "records", "system"}),
    "manifests/checks": frozenset({"manifests", "manifests/schema", "messages", "records"}),
    "manifests/schema": frozenset({"manifests", "messages", "records"}),
    "manifests": frozenset({"messages", "records"}),
    "system": frozenset({"messages", "records"}),
    "messages": frozenset({"records"}),
    "records": frozenset(),
}
"""A folder of the package, and the folders that it may import beside itself, late imports counted. The rows
are read from the top down, and no row names one above it: so no cycle is possible."""

HOLDERS = {
    "requests": {"system.http_connections", "system.http_pools"},
    "urllib3": {"system.http_connections", "system.http_pools"},
    "socket": {
        *("system.allowed_addresses", "system.http_connections", "system.http_pools"),
    },
    "ssl": {"system.authorities", "system.http_connections", "system.http_pools"},
    "yaml": {f"manifests.yaml_{name}" for name in ("beginnings", "events", "lines", "reading")},
    "signal": {"system.signals", "manifests.templating.limits"},
    "resource": {"manifests.templating.limits"},
    "subprocess": {"manifests.templating.worker_process"},
    "random": {"bcs.gateway"},
    "jinja2": {
        *("manifests.templating.environment", "manifests.templating.template_notes"),
        *("manifests.templating.filter_wrapping", "manifests.templating.templates", "report.html"),
    },
}
"""Which modules alone may import a library."""

PURE_BUT: Mapping[str, frozenset[str]] = {
    "manifests.templating.environment": frozenset({"read_text"}),  # a function it is given
    "manifests.templating.template_notes": frozenset({"sys"}),  # where in a template it is: the frame's line
    "manifests.plain_lines": frozenset({"sys"}),  # sys.intern only
    "manifests.yaml_events": frozenset({"sys"}),  # the same
    "report.html": frozenset({"pkgutil.get_data"}),  # its own template, shipped beside it
}
"""What a pure module reaches all the same, and why that is no I/O of the run."""

VALUES_BESIDE_IO = {
    "agent.agent_files": "a JSON value and how to ask it, beside the function that reads the file",
    "agent.output_file": "the limits of output.json, beside the one who writes it",
    "system.clock": "the protocols Clock and Deadline, beside the system's clock",
    "manifests.templating.workspace_files": "the type of a function that reads, beside the one who does",
    "manifests.schema.field_types": "types of fields, from a JSON file that is read when one is asked for",
    "messages": "sentences, from JSON files of its own that are read when the first one is rendered",
}
"""Modules that reach the world and are imported by pure ones, which take only values and types from them."""

READS_ENVIRONMENT = {
    *("", "cli.main", "cli.desk_language", "cli.verb_doctor", "cli.verb_plan", "cli.verb_render"),
    *("system.authorities", "system.http_client"),
}
"""Where `os.environ` is read; from there on the environment is an argument. `authorities` hides from
OpenSSL, which reads it itself, what is not the machine's own."""


@functools.lru_cache(maxsize=1)
def modules() -> Mapping[str, Module]:
    """Return every module of the step by its dotted name."""
    return read_modules()


def pure_modules() -> list[Module]:
    """Return those that say that they are pure."""
    return [module for module in modules().values() if module.says_it_is_pure]


def short(name: str) -> str:
    return name[len(PACKAGE) + 1 :]


def folder_of(name: str) -> str:
    """Return the folder that a module lies in, as BORDERS names it; a folder's own `__init__` lies in it."""
    path = short(name).replace(".", "/")
    return path if path in EVERYTHING else path.rpartition("/")[0]


@functools.cache
def imported_by(module: Module, *, early_only: bool = False) -> frozenset[str]:
    """Return which of our modules a module imports, itself left out."""
    names = (name for name, early in module.imports.items() if early or not early_only)
    return frozenset(known(name, modules()) for name in names) - {"", PACKAGE, module.name}


def reached_from(module: Module) -> set[str]:
    """Return all our modules that are imported together with one, itself left out."""
    found: set[str] = set()
    waiting = {*imported_by(module, early_only=True)}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= imported_by(modules()[name], early_only=True) - found
    return found - {module.name}


def cycles_in(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return each cycle that a walk in order runs into, as the modules along it."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
        elif name not in done:
            for other in sorted(graph[name]):
                walk(other, [*path, name])
            done.add(name)

    for name in graph:
        walk(name, [])
    return found


# --- purity ---------------------------------------------------------------------------------------------


def test_most_modules_are_pure_and_say_so() -> None:
    assert len(pure_modules()) > len(modules()) / 2


def test_a_module_that_says_it_is_pure_reaches_nothing_itself() -> None:
    more = {
        short(module.name): module.reaches - PURE_BUT.get(short(module.name), frozenset())
        for module in pure_modules()
    }
    assert {name: ways for name, ways in more.items() if ways} == {}


def test_a_pure_module_imports_nothing_that_does_io_however_far_away() -> None:
    worldly = {
        (short(module.name), short(name))
        for module in pure_modules()
        for name in reached_from(module)
        if modules()[name].reaches and not modules()[name].says_it_is_pure
    }
    assert {(pure, name) for pure, name in worldly if name not in VALUES_BESIDE_IO} == set()


def test_no_exception_above_is_out_of_date() -> None:
    for name, ways in PURE_BUT.items():
        assert modules()[f"{PACKAGE}.{name}"].reaches == ways, name
    everything = set().union(*(reached_from(module) for module in pure_modules()))
    assert set(VALUES_BESIDE_IO) <= {short(name) for name in everything if modules()[name].reaches}


# --- cycles ---------------------------------------------------------------------------------------------


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {name: imported_by(module) for name, module in modules().items()}
    assert cycles_in(graph) == []


def test_no_folder_is_reached_from_itself_by_another_late_imports_counted() -> None:
    graph: dict[str, set[str]] = {folder: set() for folder in BORDERS}
    for name, module in modules().items():
        if name != PACKAGE:
            graph[folder_of(name)] |= {folder_of(other) for other in imported_by(module)} - {folder_of(name)}
    assert cycles_in(graph) == []


def test_a_circle_would_be_seen() -> None:
    assert cycles_in({"a": ["b"], "b": ["c"], "c": ["b"]}) == [["b", "c", "b"]]


# --- who may import whom --------------------------------------------------------------------------------


@pytest.mark.parametrize("library", sorted(HOLDERS))
def test_a_library_is_imported_only_where_it_may_be(library: str) -> None:
    holders = {
        short(name)
        for name, module in modules().items()
        if any(f"{imported}.".startswith(f"{library}.") for imported in module.imports)
    }
    assert holders == HOLDERS[library]


def test_every_folder_has_its_row_and_nothing_stands_beside_the_folders() -> None:
    assert {folder_of(name) for name in modules() if name != PACKAGE} == set(BORDERS) == EVERYTHING


@pytest.mark.parametrize("folder", BORDERS)
def test_a_folder_imports_only_what_its_row_lists(folder: str) -> None:
    across = {
        (short(name), short(other))
        for name, module in modules().items()
        if name != PACKAGE and folder_of(name) == folder
        for other in imported_by(module)
        if folder_of(other) not in BORDERS[folder] | {folder}
    }
    assert across == set()


def test_no_row_of_the_borders_names_one_above_it() -> None:
    rows = list(BORDERS)
    above = {
        (row, other) for row in rows[1:] for other in BORDERS[row] if rows.index(other) <= rows.index(row)
    }
    assert above == set()


def test_no_row_of_the_borders_allows_more_than_is_needed() -> None:
    needed: dict[str, set[str]] = {folder: set() for folder in BORDERS}
    for name, module in modules().items():
        if name != PACKAGE:
            needed[folder_of(name)] |= {folder_of(other) for other in imported_by(module)} - {folder_of(name)}
    idle = {row: BORDERS[row] - needed[row] for row in BORDERS if row not in ("cli", "run")}
    assert {row: folders for row, folders in idle.items() if folders} == {}


def test_a_module_is_found_by_its_name_alone() -> None:
    names = [short(name).rpartition(".")[2] for name in modules() if folder_of(name) != short(name)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_the_environment_is_read_in_few_places_and_passed_on() -> None:
    readers = {
        short(name)
        for name, module in modules().items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert readers == READS_ENVIRONMENT


def test_one_module_asks_the_time_and_waits() -> None:
    assert {short(name) for name, module in modules().items() if module.reaches & CLOCKS} == {"system.clock"}


def test_the_command_line_alone_ends_the_process() -> None:
    enders = {
        short(name)
        for name, module in modules().items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "exit", "quit", "os._exit")
    }
    assert enders == {"", "cli.main"}


# --- the tests ------------------------------------------------------------------------------------------

SHARED = frozenset({"support", "emulator"})
"""What every layer of the tests may import, beside itself and the product."""

COUNTED_BY_A_PAGE = frozenset({"fuzz.targets", "mutation.targets"}) | {
    f"torture.{name}" for name in ("__main__", "canaries", "cases", "fault_table")
}
"""What `test_reliability_page` imports of the hunts: the page has to say how much each of them attacks."""


HELD_TO = frozenset({"model.histories"})
"""What the hunts hold the requests of each run to."""


def imports_across_layers() -> Iterator[tuple[str, str]]:
    """Yield who imports what of another layer of the tests, as paths below `tests`."""
    for path in sorted(TESTS.rglob("*.py")):
        place = path.relative_to(TESTS)
        layer = place.parts[0]
        text = path.read_text(encoding="utf-8")
        if not re.search(rf"\btests\.(?!{'|'.join((*SHARED, layer))})|from tests import", text):
            continue  # most files; parsing all takes seconds
        for node in ast.walk(ast.parse(text)):
            for name in imported_names(node):
                first, *rest = name.split(".")
                of_another = first == "tests" and rest and rest[0] not in SHARED | {layer}
                if of_another:
                    yield place.as_posix(), ".".join(rest[:2])


def imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def test_a_layer_of_the_tests_imports_what_is_shared_itself_and_the_product() -> None:
    across = set(imports_across_layers())
    page = "packaging/test_reliability_page.py"
    assert {(who, what) for who, what in across if who != page and what not in HELD_TO} == set()
    assert {what for who, what in across if who == page} <= COUNTED_BY_A_PAGE


def test_what_is_shared_imports_no_layer_and_the_emulator_not_even_what_is_shared() -> None:
    emulators = [
        (path.name, name)
        for path in (TESTS / "emulator").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported_names(node)
        if name.startswith(("tests.support", PACKAGE))
    ]
    assert emulators == []
