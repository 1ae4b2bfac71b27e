"""The lowest versions and the locked versions: what is promised is what is at work."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from release.dependencies import PYTHONS, read_dependencies
from release.locked import Locked, LockedSet, canonical, parse_locked, pins_of, requirements_text
from release.newest import differences
from release.parts import read_parts, tags_of, wheels_to_lock
from tests.packaging.store_files import PROJECT
from tests.support.versions import EXPECTED_LOCK, HERE, locked_versions, versions_at_work

RELEASE = PROJECT / "release"
TESTS, LOWEST, RUNTIME = "release/tests.txt", "release/lowest.txt", "release/runtime.txt"
LOCKED = {"tests.txt": PYTHONS, "lowest.txt": PYTHONS[:1]}
"""What tests run on, and for which Pythons."""


@pytest.fixture(scope="module")
def locked() -> LockedSet:
    return parse_locked((RELEASE / "locked.json").read_bytes())


def of_python(entries: tuple[Locked, ...], python: str) -> dict[str, Locked]:
    """Return what is locked for one Python, by canonical name."""
    meant = [entry for entry in entries if python in entry.pythons]
    assert len({entry.canonical for entry in meant}) == len(meant), f"two versions of one on {python}"
    return {entry.canonical: entry for entry in meant}


# --- bounds ---------------------------------------------------------------------------------------------


def test_the_lowest_versions_are_setup_pys_bounds() -> None:
    pinned = locked_versions(LOWEST, PYTHONS[0])
    bounds = {canonical(entry.name): entry.lowest for entry in read_dependencies()}
    assert {name: pinned[name] for name in bounds} == bounds, "run `make lock`"


def test_the_pythons_are_those_that_setup_py_names() -> None:
    named = re.findall(r"Python :: (3\.\d+)", (PROJECT / "setup.py").read_text(encoding="utf-8"))
    assert tuple(named) == PYTHONS


# --- at work --------------------------------------------------------------------------------------------


@pytest.mark.skipif(EXPECTED_LOCK == "", reason="this run is for the newest of everything")
@pytest.mark.skipif(HERE not in PYTHONS, reason="nothing is locked for this Python")
def test_what_is_at_work_is_what_is_locked_tools_and_all() -> None:
    locked = locked_versions(EXPECTED_LOCK, HERE)
    assert set(locked) > {canonical(name) for name in versions_at_work()}
    assert {name: version(name) for name in locked} == locked


@pytest.mark.parametrize("python", PYTHONS)
def test_tests_run_on_what_the_step_is_released_with(python: str) -> None:
    runtime = locked_versions(RUNTIME, python)
    assert runtime
    assert runtime.items() <= locked_versions(TESTS, python).items()


@pytest.mark.parametrize(("file", "python"), [(file, python) for file in LOCKED for python in LOCKED[file]])
def test_every_tool_is_locked_as_it_is_asked_for(file: str, python: str) -> None:
    locked = locked_versions(f"release/{file}", python)
    asked = (PROJECT / "tests" / "requirements.txt").read_text(encoding="utf-8")
    for line in filter(None, (line.partition("#")[0].strip() for line in asked.splitlines())):
        tool = Requirement(line)
        if tool.marker is None or tool.marker.evaluate({"python_version": python}):
            assert locked[canonical(tool.name)] in tool.specifier, line
        else:
            assert canonical(tool.name) not in locked, line


@pytest.mark.parametrize("file", LOCKED)
def test_every_locked_version_has_hashes(file: str) -> None:
    text = (RELEASE / file).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\w)", text.partition("difference.\n")[2].strip())
    assert len(entries) > 40
    for entry in entries:
        assert re.fullmatch(r"\S+==\S+( ; .+?)? \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+", entry), entry[
            :60
        ]


def test_what_is_compiled_has_the_hashes_of_other_machines_too(locked: LockedSet) -> None:
    text = (RELEASE / "tests.txt").read_text(encoding="utf-8")
    compiled = [entry for entry in locked.runtime if not next(iter(entry.wheels)).endswith("-any.whl")]
    assert compiled
    for entry in compiled:
        (found,) = re.findall(
            rf"^{entry.canonical}=={re.escape(entry.version)}\b.*(?:\n    .*)*", text, re.MULTILINE
        )
        assert all(digest in found for digest in entry.wheels.values())
        assert found.count("--hash") > 3 * len(PYTHONS)


def test_a_pin_is_read_with_its_condition() -> None:
    text = "# a==1\nA_b==1.0 ; python_version <= '3.9' \\\n    --hash=sha256:0\n"
    text += "a.b==2.0 ; python_version > '3.9' \\\n"
    assert pins_of(text, "3.9") == {"a-b": "1.0"}
    assert pins_of(text, "3.13") == {"a-b": "2.0"}


def test_what_is_newer_than_the_lock_is_told() -> None:
    at_work = {"same": "1", "newer": "2", "unknown": "3", "pip": "4", "bcs-template-set": "5"}
    told = differences({"same": "1", "newer": "1", "gone": "1"}, at_work)
    assert told == ["  newer 1 -> 2", "  unknown (not there) -> 3"]


# --- the lock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_has_every_dependency_and_what_those_bring_locked(
    locked: LockedSet, python: str
) -> None:
    entries = of_python(locked.runtime, python)
    wanted = {canonical(dependency.name) for dependency in read_dependencies()}
    while True:
        more = wanted.union(*(entries[name].needs for name in wanted))
        if more == wanted:
            break
        wanted = more
    assert wanted == set(entries)


@pytest.mark.parametrize("python", PYTHONS)
def test_no_more_than_ten_distributions_are_installed_the_step_among_them(
    locked: LockedSet, python: str
) -> None:
    assert len(of_python(locked.runtime, python)) + 1 <= 10


def test_no_locked_version_is_below_its_bound(locked: LockedSet) -> None:
    bounds = {canonical(entry.name): Version(entry.lowest) for entry in read_dependencies()}
    below = [
        entry
        for entry in locked.runtime
        if Version(entry.version) < bounds.get(entry.canonical, Version("0"))
    ]
    assert below == []


def test_every_locked_version_has_a_licence_and_the_hashes_of_its_wheels(locked: LockedSet) -> None:
    for entry in (*locked.runtime, *locked.parts, *locked.tools):
        assert entry.licence, entry.name
        assert entry.wheels, entry.name
        for file, digest in entry.wheels.items():
            assert file.endswith(".whl")
            assert re.fullmatch(r"[0-9a-f]{64}", digest), file


def test_the_requirements_files_say_what_the_lock_says(locked: LockedSet) -> None:
    runtime = requirements_text(locked.runtime, title="What the step runs on.")
    tools = requirements_text(locked.tools, title="What builds the wheel of a release.")
    assert (RELEASE / "runtime.txt").read_text(encoding="utf-8") == runtime
    assert (RELEASE / "tools.txt").read_text(encoding="utf-8") == tools


@pytest.mark.parametrize("name", ["lowest.txt", "locked.json", "runtime.txt", "tests.txt", "tools.txt"])
def test_no_lock_file_names_an_index(name: str) -> None:
    text = (RELEASE / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize(
    ("pythons", "marker"),
    [
        (PYTHONS, ""),
        (("3.9",), ' ; python_version <= "3.9"'),
        (("3.10", "3.11"), ' ; python_version >= "3.10" and python_version <= "3.11"'),
        (("3.13",), ' ; python_version >= "3.13"'),
    ],
)
def test_an_entry_names_the_pythons_it_is_for(pythons: tuple[str, ...], marker: str) -> None:
    entry = Locked("A_b", "1.0", "MIT", (), pythons, {"a.whl": "0" * 64})
    assert requirements_text([entry], title="t").splitlines()[2] == f"a-b==1.0{marker} \\"


def test_pythons_that_do_not_follow_each_other_are_refused() -> None:
    entry = Locked("a", "1.0", "MIT", (), ("3.9", "3.11"), {"a.whl": "0" * 64})
    with pytest.raises(ValueError, match="not in a row"):
        requirements_text([entry], title="t")


def test_what_the_package_carries_is_what_the_oldest_python_gets(locked: LockedSet) -> None:
    oldest = of_python(locked.runtime, PYTHONS[0])
    assert {part.canonical: part.version for part in locked.parts} == {
        name: entry.version for name, entry in oldest.items()
    }


def test_what_is_compiled_of_a_part_is_there_for_every_python_and_machine_that_is_named() -> None:
    for part in read_parts():
        assert {tags_of(file) for file in part.wheels} == {*wheels_to_lock(part)}, part.name
