"""The borders of the design: who may import whom, and who reaches the world, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

import pytest
from tests.packaging.modules import CLOCKS, PACKAGE, Module, known, read_modules

MODULES = read_modules()
PURE = tuple(module for module in MODULES.values() if module.says_it_is_pure)

PURE_BUT: Mapping[str, frozenset[str]] = {
    "manifests.budget": frozenset({"sys"}),  # where in a template it is: the frame's line
    "manifests.environment": frozenset({"sys", "read_text"}),  # as above; reading is a function it is given
    "manifests.template_notes": frozenset({"sys"}),  # as above
    "report.html": frozenset({"importlib.resources", "read_text"}),  # its own template, shipped beside it
}
"""What a pure module reaches all the same, and why that is no I/O of the run."""

VALUES_BESIDE_IO = {
    "atom_sdk.agent_files": "a JSON value and how to ask it, beside the function that reads the file",
    "atom_sdk.output": "the limits of output.json, beside the one who writes it",
    "clock": "the protocols Clock and Deadline, beside the system's clock",
    "manifests.workspace_files": "the type of a function that reads, beside the one who does",
    "manifests.yaml_reading": "sys.intern only: it gets text, and reads no file",
    "messages": "sentences, from JSON files of its own that are read when the first one is rendered",
    "transport": "requests, answers and failures as values, beside the one who sends",
    "version": "the step's own version, out of its installed metadata",
}
"""Modules that reach the world and are imported by pure ones, which take only values and types from them."""

HOLDERS = {
    "urllib3": {"connections"},
    "certifi": {"connections"},
    "socket": {"allowed_addresses", "connections"},
    "ssl": {"connections"},
    "yaml": {"manifests.yaml_reading", "manifests.yaml_marks"},
    "signal": {"interruption"},
    "random": {"bcs.gateway"},
    "jinja2": {
        *("manifests.environment", "manifests.metering", "manifests.template_notes", "manifests.templates"),
        "report.html",
    },
}
"""Which modules alone may import a library."""

LAYERS = (
    ("bcs", {"report", "rollout", "atom_sdk"}),
    ("manifests", {"report", "rollout", "atom_sdk", "bcs"}),
    ("messages", {"report", "rollout", "atom_sdk", "bcs", "manifests"}),
    ("atom_sdk", {"report", "rollout", "bcs"}),
    ("rollout", {"report", "atom_sdk"}),
)
"""A subpackage, and the subpackages that it must not import: the arrows of the design point down only."""

UPWARD = {"report.plain_text": "makes text safe for any line of a log; it knows nothing of a report"}
"""What is imported against the arrows, and why."""

READS_ENVIRONMENT = {"command_line", "connections", "transport"}
"""Where `os.environ` is read; from there on the environment is an argument. `local*` are the desk's verbs,
and `connections` hides from OpenSSL, which reads it itself, what is not the machine's own."""

SHELL = {"command_line", "agent_run", "local", "local_plan", "local_branches"}
"""The outermost modules: nothing else may import them."""


def short(name: str) -> str:
    return name[len(PACKAGE) + 1 :]


def imported_by(module: Module, *, early_only: bool = False) -> set[str]:
    """Return which of our modules a module imports, itself left out."""
    names = (name for name, early in module.imports.items() if early or not early_only)
    return {found for name in names if (found := known(name, MODULES)) not in ("", PACKAGE, module.name)}


def reached_from(module: Module) -> set[str]:
    """Return all our modules that are imported together with one, itself left out."""
    found: set[str] = set()
    waiting = imported_by(module, early_only=True)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= imported_by(MODULES[name], early_only=True) - found
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
    assert len(PURE) > len(MODULES) / 2


@pytest.mark.parametrize("module", PURE, ids=lambda module: short(module.name))
def test_a_module_that_says_it_is_pure_reaches_nothing_itself(module: Module) -> None:
    assert module.reaches <= PURE_BUT.get(short(module.name), frozenset())


@pytest.mark.parametrize("module", PURE, ids=lambda module: short(module.name))
def test_a_pure_module_imports_nothing_that_does_io_however_far_away(module: Module) -> None:
    worldly = {
        short(name)
        for name in reached_from(module)
        if MODULES[name].reaches and not MODULES[name].says_it_is_pure
    }
    assert worldly <= set(VALUES_BESIDE_IO)


def test_no_exception_above_is_out_of_date() -> None:
    for name, ways in PURE_BUT.items():
        assert MODULES[f"{PACKAGE}.{name}"].reaches == ways, name
    everything = set().union(*(reached_from(module) for module in PURE))
    assert set(VALUES_BESIDE_IO) <= {short(name) for name in everything if MODULES[name].reaches}


# --- cycles ---------------------------------------------------------------------------------------------


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {name: imported_by(module, early_only=True) for name, module in MODULES.items()}
    assert cycles_in(graph) == []


def test_what_is_imported_late_goes_round_only_where_transport_opens_its_connections() -> None:
    graph = {name: imported_by(module) for name, module in MODULES.items()}
    late = {(short(path[-2]), short(path[-1])) for path in cycles_in(graph)}
    assert late == {("answer_body", "transport"), ("connections", "transport")}


def test_a_circle_would_be_seen() -> None:
    assert cycles_in({"a": ["b"], "b": ["c"], "c": ["b"]}) == [["b", "c", "b"]]


# --- who may import whom --------------------------------------------------------------------------------


@pytest.mark.parametrize("library", sorted(HOLDERS))
def test_a_library_is_imported_only_where_it_may_be(library: str) -> None:
    holders = {
        short(name)
        for name, module in MODULES.items()
        if any(f"{imported}.".startswith(f"{library}.") for imported in module.imports)
    }
    assert holders == HOLDERS[library]


@pytest.mark.parametrize(("folder", "forbidden"), LAYERS, ids=[folder for folder, _ in LAYERS])
def test_arrows_point_down_the_layers(folder: str, forbidden: set[str]) -> None:
    upward = {
        (short(name), short(other))
        for name, module in MODULES.items()
        if short(name).partition(".")[0] == folder
        for other in imported_by(module)
        if short(other).partition(".")[0] in forbidden and short(other) not in UPWARD
    }
    assert upward == set()


def test_nothing_imports_the_shell_but_the_shell() -> None:
    importers = {
        short(name)
        for name, module in MODULES.items()
        if {short(other) for other in imported_by(module)} & SHELL
    }
    assert importers <= SHELL


def test_the_environment_is_read_in_few_places_and_passed_on() -> None:
    readers = {
        short(name)
        for name, module in MODULES.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert {name for name in readers if not name.startswith("local")} == READS_ENVIRONMENT


def test_one_module_asks_the_time_and_waits() -> None:
    assert {short(name) for name, module in MODULES.items() if module.reaches & CLOCKS} == {"clock"}


def test_one_place_ends_the_process() -> None:
    enders = {
        short(name)
        for name, module in MODULES.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "exit", "quit", "os._exit")
    }
    assert enders == {"command_line"}
