"""The page on reliability: both languages say the same, and every test, number and command in it is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.fuzz.targets import TARGETS as PARSERS
from tests.mutation.targets import TARGETS as MUTATED
from tests.packaging.documents import broken_links, headings_of
from tests.packaging.store_files import PROJECT
from tests.packaging.tables import table_rows
from tests.support.scenarios import SCENARIOS
from tests.torture.__main__ import KILLS
from tests.torture.canaries import PLACES
from tests.torture.cases import parse_case
from tests.torture.fault_table import KINDS

ENGLISH, CHINESE = PROJECT / "docs" / "reliability.md", PROJECT / "docs" / "reliability.zh-CN.md"
EVIDENCE = {ENGLISH: "The evidence", CHINESE: "证据"}
NUMBER = re.compile(r"\d[\d,.]*")

both = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en_US", "zh_CN"])


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def evidence(page: Path) -> list[list[str]]:
    """The rows of the evidence: promises, tests, how much, and what came of it last."""
    return table_rows(text_of(page), under=EVIDENCE[page])


def promises(page: Path) -> list[int]:
    return [int(number) for number in re.findall(r"^(\d+)\. ", text_of(page), re.MULTILINE)]


def test_both_have_the_same_headings_by_depth() -> None:
    depths = [[len(heading.split()[0]) for heading in headings_of(page)] for page in (ENGLISH, CHINESE)]
    assert depths[0] == depths[1]


def test_both_make_the_same_promises() -> None:
    assert promises(ENGLISH) == promises(CHINESE) == list(range(1, len(promises(ENGLISH)) + 1))


def test_both_have_the_same_evidence_with_the_same_figures() -> None:
    english, chinese = evidence(ENGLISH), evidence(CHINESE)
    assert [row[:2] for row in english] == [row[:2] for row in chinese]
    for row, other in zip(english, chinese):
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
def test_every_test_that_is_named_is_there(page: Path) -> None:
    named = set(re.findall(r"tests/[\w./]+", text_of(page)))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (PROJECT / name.rstrip(".")).exists()] == []


@both
def test_what_is_counted_is_what_there_is(page: Path) -> None:
    said = " ".join(cell for row in evidence(page) for cell in row)
    counted = [
        (len(SCENARIOS), "scenarios", "个场景"),
        (len(KINDS), "kinds of fault", "种故障"),
        (len(PLACES), "places", "个位置"),
        (len(MUTATED), "modules", "个模块"),
        (len(PARSERS), "parsers", "个解析器"),
        (KILLS, "runs", "次"),
    ]
    for count, english, chinese in counted:
        shown = f"{count} {chinese if page is CHINESE else english}"
        assert shown in said, shown


@both
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())
    named = set(re.findall(r"\bmake ([a-z-]+)", text_of(page)))
    assert {target for target in targets if target.startswith("torture")} <= named
    assert named <= targets


@both
def test_every_variable_and_case_that_is_named_is_known(page: Path) -> None:
    for case in re.findall(r"--case (\S+?)`", text_of(page)):
        assert str(parse_case(case)) == case
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("*.py"))
    for variable in re.findall(r"\b(BCS_[A-Z]+)=", text_of(page)):
        assert f'"{variable}"' in sources, variable


@both
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []
