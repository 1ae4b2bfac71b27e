"""The page on versions: both languages say the same, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.packaging.documents import broken_links, headings_of
from tests.packaging.store_files import PROJECT

from bcs_template_set.bcs.dialect import Dialect, releases
from bcs_template_set.config.inputs import INPUTS
from bcs_template_set.messages import Language

ENGLISH, CHINESE = PROJECT / "docs" / "versions.md", PROJECT / "docs" / "versions.zh-CN.md"
LANGUAGES: dict[Path, Language] = {ENGLISH: "en_US", CHINESE: "zh_CN"}
RELEASES = {ENGLISH: "Which BCS", CHINESE: "支持哪些 BCS"}
SETTINGS = {ENGLISH: "Coming from the old plugin", CHINESE: "从旧插件迁移"}
TABLES = {
    ENGLISH: ("Which BCS", "What differs", "Which BK-CI", "Coming from the old plugin"),
    CHINESE: ("支持哪些 BCS", "有哪些不同", "支持哪些 BK-CI", "从旧插件迁移"),
}

both = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en_US", "zh_CN"])


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading as they are written, names in backquotes."""
    _, section = re.split(rf"^## {re.escape(heading)}$", text_of(page), maxsplit=1, flags=re.MULTILINE)
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len(cells) > 2
    return cells[2:]


@both
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_both_have_the_same_headings_by_depth() -> None:
    depths = [[len(heading.split()[0]) for heading in headings_of(page)] for page in (ENGLISH, CHINESE)]
    assert depths[0] == depths[1]


@pytest.mark.parametrize("number", range(4))
def test_both_have_the_same_tables_with_the_same_names_in_them(number: int) -> None:
    english, chinese = (rows(page, TABLES[page][number]) for page in (ENGLISH, CHINESE))
    assert len(english) == len(chinese)
    for row, other in zip(english, chinese):
        ours, theirs = (
            [sorted(re.findall(r"`([a-z_A-Z:]+)`", cell)) for cell in cells] for cells in (row, other)
        )
        assert ours == theirs


@both
def test_every_dialect_is_named_as_the_log_names_it(page: Path) -> None:
    named = " ".join(row[2] for row in rows(page, RELEASES[page]))
    for dialect in Dialect:
        assert f"`{releases(frozenset({dialect})).render(LANGUAGES[page])}`" in named


@both
def test_every_setting_of_the_old_plugin_leads_to_inputs_that_there_are(page: Path) -> None:
    known = {entry.name for entry in INPUTS} | {"replicas", "modifier", "authorizer", "starter", "owner"}
    for old, ours, _ in rows(page, SETTINGS[page]):
        assert old
        named = [name.partition(":")[0] for name in re.findall(r"`([^`]+)`", ours)]
        assert set(named) <= known, old
