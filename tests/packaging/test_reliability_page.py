"""The page on reliability: every promise has its evidence, and what it counts is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.fuzz.targets import TARGETS as PARSERS
from tests.mutation.targets import NOT_HUNTED
from tests.packaging.documents import DOCS, in_chinese, name_of, read, tables_of
from tests.packaging.store_files import PROJECT
from tests.support.scenarios import SCENARIOS
from tests.torture.__main__ import KILLS
from tests.torture.canaries import PLACES
from tests.torture.cases import parse_case
from tests.torture.fault_table import KINDS

ENGLISH = DOCS / "reliability.md"
CHINESE = in_chinese(ENGLISH)
NUMBER = re.compile(r"\d[\d,.]*")

both = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=name_of)


def evidence(page: Path) -> list[list[str]]:
    """Return the rows of the evidence: promises, tests, how much, and what came of it last."""
    return tables_of(page)[-1]


def promises(page: Path) -> list[int]:
    return [int(number) for number in re.findall(r"^(\d+)\. ", read(page), re.MULTILINE)]


def test_both_make_the_same_promises_and_show_the_same_figures() -> None:
    assert promises(ENGLISH) == promises(CHINESE) == list(range(1, len(promises(ENGLISH)) + 1))
    for row, other in zip(evidence(ENGLISH), evidence(CHINESE)):
        assert row[:2] == other[:2]
        for cell, its in zip(row[2:], other[2:]):
            assert sorted(NUMBER.findall(cell)) == sorted(NUMBER.findall(its)), row


def test_every_promise_has_its_evidence() -> None:
    """Where a cell of the first column says "1-4, 7", these are the promises that the row attacks."""
    attacked: set[int] = set()
    for row in evidence(ENGLISH):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", row[0]):
            attacked.update(range(int(first), int(last or first) + 1))
    assert attacked == set(promises(ENGLISH))


@both
def test_what_is_counted_is_what_there_is(page: Path) -> None:
    said = " ".join(cell for row in evidence(page) for cell in row)
    counted = [
        (len(SCENARIOS), "scenarios", "个场景"),
        (len(KINDS), "kinds of fault", "种故障"),
        (len(PLACES), "places", "个位置"),
        (len(NOT_HUNTED), "modules", "个模块"),
        (len(PARSERS), "parsers", "个解析器"),
        (KILLS, "runs", "次"),
    ]
    for count, english, chinese in counted:
        shown = f"{count} {chinese if page == CHINESE else english}"
        assert shown in said, shown


@both
def test_every_hunt_variable_and_case_is_named_and_known(page: Path) -> None:
    makefile = read(PROJECT / "Makefile")
    hunts = set(re.findall(r"\btorture(?:-\w+)?(?=[ \n])", " ".join(re.findall(r"\.PHONY: .*\n", makefile))))
    assert hunts <= set(re.findall(r"\bmake ([a-z-]+)", read(page)))
    for case in re.findall(r"--case (\S+?)`", read(page)):
        assert str(parse_case(case)) == case
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("*.py"))
    for variable in re.findall(r"\b(BCS_[A-Z]+)=", read(page)):
        assert f'"{variable}"' in sources, variable
