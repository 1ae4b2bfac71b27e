"""The Markdown pages of the project, in pairs of languages, and how to find the way in them. Only reads.

What stands in a fence is no heading, no link and no table.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from tests.packaging.store_files import PROJECT

from bcs_template_set.messages import Language

DOCS = PROJECT / "docs"
README, CHINESE_README = PROJECT / "README.md", DOCS / "README.zh-CN.md"
_CHINESE = ".zh-CN"
_FENCE = re.compile(r"^( *)```(?P<kind>\w*)\n(?P<text>.*?)^\1```$", re.MULTILINE | re.DOTALL)


def every_page() -> list[Path]:
    """Return all Markdown files: the README, what lies under docs, the changelog."""
    return sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])


def pairs() -> list[tuple[Path, Path]]:
    """Return each page for users in English and in Chinese; docs/dev is English only."""
    english = [
        page
        for folder in (DOCS, DOCS / "guide", DOCS / "reference")
        for page in sorted(folder.glob("*.md"))
        if _CHINESE not in page.name
    ]
    return [(README, CHINESE_README), *((page, in_chinese(page)) for page in english)]


def in_chinese(page: Path) -> Path:
    """Return where the Chinese words for a page are."""
    return CHINESE_README if page == README else page.with_name(f"{page.stem}{_CHINESE}.md")


def language_of(page: Path) -> Language:
    """Return a page's language."""
    return "zh_CN" if _CHINESE in page.name else "en_US"


def name_of(page: Path) -> str:
    """Return a page's path in the project."""
    return page.relative_to(PROJECT).as_posix()


def read(page: Path) -> str:
    """Return a page's text."""
    return page.read_text(encoding="utf-8")


def without_fences(text: str) -> str:
    """Return a text without what stands in fences."""
    return _FENCE.sub("", text)


def fences_of(text: str, *, kind: str) -> list[str]:
    """Return what the fences of a kind hold, in order; those of a list without its indentation."""
    found = (match for match in _FENCE.finditer(text) if match["kind"] == kind)
    return [re.sub(f"^{match[1]}", "", match["text"], flags=re.MULTILINE) for match in found]


def headings_of(page: Path) -> list[str]:
    """Return the headings of a page with their `#`, in order."""
    return re.findall(r"^#+ .+$", without_fences(read(page)), re.MULTILINE)


def tables_of(page: Path) -> list[list[list[str]]]:
    """Return the tables of a page: rows of cells as they are written, without heads."""
    found = re.findall(r"(?:^\|.*\n)+", without_fences(read(page)), re.MULTILINE)
    return [[_cells(row) for row in table.splitlines()[2:]] for table in found]


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip())[1:-1]]


def broken_links(page: Path) -> list[str]:
    """Return the links and pictures of a page that lead to no file, or to no heading of one."""
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", without_fences(read(page))))
    return [link for link in links if "://" not in link and not _leads_somewhere(unquote(link), page)]


def _leads_somewhere(link: str, page: Path) -> bool:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if not target.is_file():
        return False
    return not anchor or anchor in {_anchor(heading) for heading in headings_of(target)}


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading: lower case, spaces to dashes, no punctuation."""
    words = heading.lstrip("#").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
