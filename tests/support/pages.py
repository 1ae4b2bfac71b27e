"""The report's page as tests read it: its elements and texts, and what a browser makes of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Optional

from tests.support.browser import dom

from bcs_template_set.report.html import render_html
from bcs_template_set.report.outcome import Outcome

VOID = {"meta", "input", "br", "link", "img"}
SPOKEN = {
    "title",
    "a",
    "h1",
    "h2",
    "h3",
    "p",
    "li",
    "dt",
    "dd",
    "caption",
    "th",
    "td",
    "summary",
    "label",
    "button",
}


class Page(HTMLParser):
    """The page as a tree walk: every element with its attributes, balanced, and the text of some."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Optional[str]]]] = []
        self.open: list[str] = []
        self.skeleton: list[str] = []
        self._texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in SPOKEN:
            self._say()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        if tag in SPOKEN:
            self._say()
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self._texts.append(data)

    def _say(self) -> None:
        text = " ".join("".join(self._texts).split())
        spoken = [tag for tag in self.open if tag in SPOKEN]
        if text:
            self.skeleton.append(f"{spoken[-1] if spoken else '-'}: {text}")
        self._texts.clear()

    def all(self, tag: str) -> list[dict[str, Optional[str]]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(outcome: Outcome) -> Page:
    return Page(render_html(outcome))


def structure(page: Page) -> list[str]:
    """The page's elements, without the runs of a difference: more lines make more of those."""
    return [tag for tag, _ in page.elements if tag not in ("ins", "del", "span")]


def without_policy(html: str) -> str:
    """Return the page as one that runs any script."""
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)


def scripted(html: str, script: str, *, directory: Path, width: int = 1280) -> str:
    """Return what a browser makes of the page and of a script of ours at its end."""
    ended = without_policy(html).replace("</body>", f"<script>{script}</script></body>")
    return dom(ended, directory=directory, width=width)
