"""The page on branches: both languages say the same, and what they show is what the step does and says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.emulator import Emulator
from tests.emulator.faults import Fault, Match
from tests.packaging.documents import broken_links, fences_of, headings_of
from tests.packaging.store_files import PROJECT
from tests.support.demo_site import people_of, regions_of
from tests.support.worker import Worker

from bcs_template_set.manifests.naming import DEFAULT_MAIN_BRANCHES, slug_of
from bcs_template_set.messages import Language
from bcs_template_set.messages.errors import every_error

DOCS = PROJECT / "docs"
CATALOGUE = PROJECT / "atom" / "bcs_template_set" / "messages"
SPACE = "front-ends"
ROUTES = "www.example.com.routes.yaml"
CREATE_VERSION = Match("POST", r"/template/[0-9a-f]{24}/versions$")
NEW_IMAGE = ("1704448623620-427", "1704448623620-428")


@dataclass(frozen=True)
class Page:
    """One language's page and its drawing."""

    path: Path
    drawing: Path
    language: Language

    @property
    def text(self) -> str:
        """Return the whole page."""
        return self.path.read_text(encoding="utf-8")

    def tables(self) -> list[list[list[str]]]:
        """Return the rows of every table, heads left out."""
        found = re.findall(r"(?:^\|.*\n)+", self.text, re.MULTILINE)
        return [[row.strip().strip("|").split(" | ") for row in table.splitlines()[2:]] for table in found]


ENGLISH = Page(DOCS / "branches.md", DOCS / "two-branches.svg", "en_US")
CHINESE = Page(DOCS / "branches.zh-CN.md", DOCS / "two-branches.zh-CN.svg", "zh_CN")
both = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=lambda page: page.language)


def names_in(text: str) -> list[str]:
    """Return what stands in backquotes and is no sentence of the log, sorted."""
    return sorted(name for name in re.findall(r"`([^`]+)`", text) if "…" not in name and not _is_han(name))


def _is_han(text: str) -> bool:
    return re.search(r"[\u3400-\u9fff]", text) is not None


# --- both languages -------------------------------------------------------------------------------------


def test_both_have_the_same_headings_by_depth() -> None:
    depths = [[heading.split(" ")[0] for heading in headings_of(page.path)] for page in (ENGLISH, CHINESE)]
    assert depths[0] == depths[1]


def test_both_have_the_same_tables_row_by_row() -> None:
    last = len(ENGLISH.tables()) - 1  # what the log says is told in the page's own language
    for number, (ours, theirs) in enumerate(zip(ENGLISH.tables(), CHINESE.tables())):
        assert len(ours) == len(theirs), ours[0]
        for row, other in zip(ours, theirs):
            if number < last:
                assert names_in(" ".join(row)) == names_in(" ".join(other)), row
            assert re.findall(r"8\d{5}", " ".join(row)) == re.findall(r"8\d{5}", " ".join(other)), row
    assert len(ENGLISH.tables()) == len(CHINESE.tables())


def test_both_show_the_same_values() -> None:
    shown = [fences_of(page.text, kind="yaml") for page in (ENGLISH, CHINESE)]
    assert shown[0] == shown[1]


@both
def test_every_link_leads_somewhere(page: Page) -> None:
    assert broken_links(page.path) == []
    assert page.drawing.name in page.text


# --- the drawing ----------------------------------------------------------------------------------------


def _nodes(drawing: Path) -> list[ET.Element]:
    return list(ET.parse(drawing).iter())  # noqa: S314 - a file of this project


def _shape(drawing: Path) -> list[tuple[str, dict[str, str]]]:
    """Return elements and attributes, without words and language."""
    return [
        (node.tag, {k: v for k, v in node.attrib.items() if not k.endswith("lang")})
        for node in _nodes(drawing)
    ]


def test_both_drawings_are_one_drawing() -> None:
    assert _shape(ENGLISH.drawing) == _shape(CHINESE.drawing)


@both
def test_a_drawing_needs_nothing_else_and_has_colours_for_the_dark(page: Page) -> None:
    text = page.drawing.read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r"https?://(?!www\.w3\.org)|<script|<image|@import|url\((?!#)", text) == []


@both
def test_the_drawing_and_the_steps_tell_of_the_same_versions(page: Page) -> None:
    words = {node.text or "" for node in _nodes(page.drawing) if node.tag.endswith("text")}
    drawn = {word for word in words if re.fullmatch(r"1\.0\.\d+-[a-z.0-9]+", word)}
    steps = next(table for table in page.tables() if table[0][0].strip() == "1")
    told = {name for name in names_in(str(steps)) if name.startswith("1.0.")}
    assert drawn == told
    assert {row[0].strip() for row in steps} <= words


# --- what the step is -----------------------------------------------------------------------------------


@both
def test_names_and_codes_are_those_of_the_step(page: Page) -> None:
    slug = slug_of("feature/login")
    assert f"`{slug}`" in page.text
    assert f"`/{slug}/`" in page.text
    main = next(row for row in page.tables()[0] if "main_branches" in row[0])
    assert names_in(main[1]) == sorted(DEFAULT_MAIN_BRANCHES)
    known = {str(kind.code) for kind in every_error()}
    assert set(re.findall(r"\b8\d{5}\b", page.text)) <= known


@both
def test_what_the_log_is_said_to_say_is_in_the_catalogue(page: Page) -> None:
    said = [_open(text) for path in CATALOGUE.glob("*.json") for text in _texts(path, page.language)]
    quoted = [quote for row in page.tables()[-1] for quote in re.findall(r"`([^`]+)`", row[0])]
    assert len(quoted) > 5
    assert [quote for quote in quoted if not any(quote in text for text in said)] == []


def _texts(path: Path, language: Language) -> Iterator[str]:
    for entry in json.loads(path.read_text(encoding="utf-8")).values():
        yield entry[language]


def _open(text: str) -> str:
    """Return a sentence with an ellipsis for what a run fills in."""
    return re.sub("…+", "…", re.sub(r"\{\w+\}", "…", text))


# --- what the runs print --------------------------------------------------------------------------------


@dataclass
class Scene:
    """A site, and a build machine for every branch, whose step has the page's values."""

    page: Page
    emulator: Emulator
    root: Path

    def build(self, branch: str, number: int, *, new_image: bool = True, **inputs: str) -> list[str]:
        """Run a build; return the lines of its log as a document shows them."""
        values = fences_of(self.page.text, kind="yaml")[0]
        machine = self.root / branch
        machine.mkdir(exist_ok=True)
        worker = Worker(
            machine,
            self.emulator,
            regions=regions_of(self.emulator),
            inputs={"region": "gz", "template_space": SPACE},
            variables={
                "BK_CI_AUTHORIZER": "lisi",
                "BK_CI_LOCALE_LANGUAGE": self.page.language,
                "BK_CI_GIT_REF": f"refs/heads/{branch}",
            },
            build_number=number,
        )
        finished = worker.run(values=values.replace(*NEW_IMAGE) if new_image else values, **inputs)
        assert finished.status == 0, finished.log + finished.stderr
        return [_as_shown(line) for line in finished.log.splitlines()]

    def routes(self) -> str:
        """Return the current routes file."""
        return self.emulator.state.current_content(SPACE, ROUTES)


def _as_shown(line: str) -> str:
    """Return a line without its marker, which BK-CI shows as a colour, and with ids left out."""
    return re.sub(r"\b[0-9a-f]{24}\b", "…", re.sub(r"^##\[\w+\]", "", line))


@pytest.fixture
def scene(page: Page, tmp_path: Path) -> Iterator[Scene]:
    """Yield a site that knows the people of the demo."""
    with Emulator() as emulator:
        people_of(emulator)
        yield Scene(page, emulator, tmp_path)


@both
def test_the_logs_and_the_annotation_are_what_the_runs_make(scene: Scene) -> None:
    scene.build("main", 7, new_image=False)
    printed = [scene.build("login", 8, new_image=False)]
    annotation = fences_of(scene.page.text, kind="yaml")[1]
    assert annotation in scene.routes()
    printed.append(scene.build("login", 9))
    cart: list[str] = []
    scene.emulator.faults.add(
        Fault("rival", CREATE_VERSION, rival=lambda _: cart.extend(scene.build("cart", 11)))
    )
    search = scene.build("search", 10)
    assert cart
    printed += [search, scene.build("main", 12, remove_branches="login")]
    shown = fences_of(scene.page.text, kind="text")
    assert len(shown) == len(printed)
    for excerpt, log in zip(shown, printed):
        lines = iter(log)
        assert [line for line in excerpt.splitlines() if line not in lines] == []
