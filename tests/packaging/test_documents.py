"""Every page: its links lead somewhere, what it names is there, and both languages have the same parts."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.packaging.documents import (
    DOCS,
    README,
    broken_links,
    every_page,
    fences_of,
    headings_of,
    in_chinese,
    name_of,
    pairs,
    read,
    tables_of,
)
from tests.packaging.store_files import PROJECT
from tests.support.every_error import every_error

from bcs_template_set.system.version import step_version

LONGEST_README = 200
DEVELOPERS = ("architecture", "contributing", "testing", "release")
HAN = re.compile(r"[\u3400-\u9fff]")

each = pytest.mark.parametrize("page", every_page(), ids=name_of)
pair = pytest.mark.parametrize(("english", "chinese"), pairs(), ids=name_of)


@each
def test_every_link_leads_somewhere(page: Path) -> None:
    # The pages for those who carry the code on come with a branch of their own.
    awaited = () if (DOCS / "dev").is_dir() else tuple(f"dev/{name}.md" for name in DEVELOPERS)
    assert [link for link in broken_links(page) if not link.endswith(awaited)] == []


@each
def test_every_make_target_test_and_error_that_is_named_is_there(page: Path) -> None:
    text = read(page)
    makefile = read(PROJECT / "Makefile")
    targets = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())
    named = re.findall(r"(?:`|^ *)make ([a-z][a-z-]*)(?=`|\s{2}| [A-Z]+=|$)", text, re.MULTILINE)
    assert set(named) <= targets
    files = re.findall(r"\btests/[\w/]+\.\w+", text)
    assert [file for file in files if not (PROJECT / file).exists()] == []
    codes = {str(kind.code) for kind in every_error()}
    assert set(re.findall(r"\b8\d{5}\b", text)) <= codes


@each
def test_a_heading_does_not_skip_a_level(page: Path) -> None:
    depths = [len(heading.split(" ")[0]) for heading in headings_of(page)]
    assert depths[0] == 1
    assert all(later <= earlier + 1 for earlier, later in zip(depths, depths[1:]))


@pair
def test_both_languages_have_the_same_headings_by_depth(english: Path, chinese: Path) -> None:
    depths = [[heading.split(" ")[0] for heading in headings_of(page)] for page in (english, chinese)]
    assert depths[0] == depths[1]


@pair
def test_both_languages_link_to_each_other(english: Path, chinese: Path) -> None:
    for page, other in ((english, chinese), (chinese, english)):
        targets = {(page.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", read(page))}
        assert other in targets


@pair
def test_both_languages_have_the_same_tables_with_the_same_names(english: Path, chinese: Path) -> None:
    ours, theirs = tables_of(english), tables_of(chinese)
    assert [len(table) for table in ours] == [len(table) for table in theirs]
    for row, other in zip(chain(*ours), chain(*theirs)):
        assert _names(row) == _names(other), row


def _names(row: list[str]) -> tuple[list[str], list[str]]:
    """Return the names in backquotes and the codes, sorted. What has a blank is a sentence of the log."""
    text = " | ".join(row)
    names = [name for name in re.findall(r"`([^`\s]+)`", text) if not HAN.search(name) and "…" not in name]
    return sorted(names), sorted(re.findall(r"\b8\d{5}\b", text))


@pair
def test_both_languages_show_the_same_commands_and_as_many_examples(english: Path, chinese: Path) -> None:
    for kind in ("yaml", "text"):
        assert len(fences_of(read(english), kind=kind)) == len(fences_of(read(chinese), kind=kind))
    commands = [
        [re.sub(r"\s*#.*", "", block) for block in fences_of(read(page), kind="sh")]
        for page in (english, chinese)
    ]
    assert commands[0] == commands[1]


def test_no_page_for_users_is_in_one_language_only() -> None:
    paired = {page for both in pairs() for page in both}
    english_only = {page for page in every_page() if (DOCS / "dev") in page.parents}
    assert set(every_page()) - paired - english_only == {PROJECT / "CHANGELOG.md"}


# --- the readme -----------------------------------------------------------------------------------------


def test_the_readme_is_read_in_one_sitting() -> None:
    for page in (README, in_chinese(README)):
        assert len(read(page).splitlines()) <= LONGEST_README


def test_the_readme_begins_with_three_sentences_a_picture_and_the_two_commands() -> None:
    for page, sentence in ((README, r"\.(?=\s|$)"), (in_chinese(README), "。")):
        title, what, _, picture, commands = read(page).split("\n\n")[:5]
        assert title.startswith("# ")
        assert len(re.findall(sentence, what)) == 3
        assert picture.startswith("![")
        assert re.findall(r"^make \w+", commands, re.MULTILINE) == ["make demo", "make test"]


def test_every_page_for_users_is_reached_from_the_readme() -> None:
    for index, language in ((README, 0), (in_chinese(README), 1)):
        linked = {(index.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+)", read(index))}
        assert {both[language] for both in pairs()} - linked - {index} == set()


def test_the_changelog_tells_of_this_version_first() -> None:
    newest = re.findall(r"^## (\S+)", read(PROJECT / "CHANGELOG.md"), re.MULTILINE)[0]
    assert newest == step_version()


# --- the drawing of two branches ------------------------------------------------------------------------

DRAWINGS = [DOCS / "guide" / f"two-branches{language}.svg" for language in ("", ".zh-CN")]


def _shape(drawing: Path) -> list[tuple[str, dict[str, str]]]:
    """Return elements and attributes, without words and language."""
    nodes = ET.parse(drawing).iter()  # noqa: S314 - a file of this project
    return [(node.tag, {k: v for k, v in node.attrib.items() if not k.endswith("lang")}) for node in nodes]


def test_both_drawings_are_one_drawing_that_needs_nothing_else_and_has_colours_for_the_dark() -> None:
    assert _shape(DRAWINGS[0]) == _shape(DRAWINGS[1])
    for drawing in DRAWINGS:
        text = read(drawing)
        assert "prefers-color-scheme: dark" in text
        assert re.findall(r"https?://(?!www\.w3\.org)|<script|<image|@import|url\((?!#)", text) == []
