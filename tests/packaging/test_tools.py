"""How the tools that read the code are set: what `make lint`, `make types` and CI hold stays held."""

from __future__ import annotations

import re

from tests.packaging.store_files import PROJECT
from tests.support.dialects import NEWEST, STABLE

SETTINGS = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
ANY_ALLOWED_IN = {
    "system.http_pools",
    *(f"manifests.templating.{name}" for name in ("environment", "filter_wrapping", "template_notes")),
}
"""Where a library's own signature says `Any`."""


def section(head: str) -> str:
    """Return the lines of a section of pyproject.toml, up to the next one."""
    (found,) = re.findall(rf"^\[{re.escape(head)}\]\n((?:(?!^\[).*\n)*)", SETTINGS, flags=re.MULTILINE)
    return str(found)


def test_no_rule_about_security_or_types_is_off() -> None:
    off = re.findall(r'"([A-Z]+[0-9]*)"', section("tool.ruff.lint").partition("ignore = [")[2])
    assert off
    assert [code for code in off if re.fullmatch(r"(S|ANN|BLE|PGH|TID)[0-9]*", code)] == []


def test_types_are_checked_strictly_everywhere() -> None:
    lines = section("tool.mypy").splitlines()
    assert "strict = true" in lines
    assert 'files = ["atom", "tests", "release", "setup.py"]' in lines


def test_no_any_is_written_imported_or_made_in_the_step_but_where_a_library_says_so() -> None:
    step, *others = re.split(r"^\[\[tool\.mypy\.overrides\]\]\n", SETTINGS, flags=re.MULTILINE)[1:]
    assert 'module = "bcs_template_set.*"' in step
    for rule in ("disallow_any_explicit", "disallow_any_unimported", "disallow_any_decorated"):
        assert f"{rule} = true" in step.splitlines()
    loosened = re.findall(r'"bcs_template_set\.([a-z_.*]+)",?(?: +# (\w.*))?', "".join(others))
    assert {name for name, _ in loosened} == ANY_ALLOWED_IN
    assert all(reason for _, reason in loosened)
    assert "ignore_errors" not in SETTINGS


def test_what_nothing_uses_is_looked_for_in_all_that_is_shipped() -> None:
    assert 'paths = ["atom", "release", "setup.py"]' in section("tool.vulture")


def test_ci_runs_the_steps_tests_on_the_oldest_python_with_the_lowest_versions() -> None:
    lines = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    oldest = next(line for line in lines if line.startswith("OLDEST=")).partition("=")[2]
    assert f'else ">={oldest}"' in (PROJECT / "setup.py").read_text(encoding="utf-8")
    assert 'test_on "$OLDEST" lowest' in lines
    assert 'test_on "$NEWEST" locked' in lines
    (command,) = (line for line in lines if "LOCK=release/lowest.txt" in line and "TESTS=" in line)
    assert command.split()[-2:] == ['"TESTS=$EVERYWHERE"', "pytest"]
    assert 'EVERYWHERE="tests/unit tests/wire tests/contract tests/end_to_end"' in lines


def test_each_end_to_end_test_runs_on_both_bcs_in_ci() -> None:
    text = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(re.findall(r"BCS_DIALECTS=(\w+)", text)) == {NEWEST.name, STABLE.name}
