"""What comments cite below docs/dev is there: each file, heading, trap and section; so are the pages' links.

A citation reads `facts/bcs.md`, `facts/bcs.md, "The things"`, `facts/bcs.md, trap 5`, `trap 5` (they are all
of bcs.md), or `design section 6`. The words in quotes are the beginning of a heading.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.packaging.documents import headings_of, without_fences
from tests.packaging.store_files import PROJECT
from tests.packaging.test_borders import BORDERS

from bcs_template_set.config.inputs import INPUTS
from bcs_template_set.report.output import OUTPUTS

PAGES = PROJECT / "docs" / "dev"
TRAPS, DESIGN = PAGES / "facts" / "bcs.md", PAGES / "design.md"
CITING = ("atom", "templates", "tests", "release")
UNREAD = {PROJECT / "tests" / name for name in ("golden", "contract/recorded", "fuzz/corpus")}
KINDS = {".py", ".json", ".j2", ".yaml", ".toml"}

_QUOTED = r'"[^"\n]{1,80}"'
_NUMBERS = r"\d+(?:(?:, | and | to )\d+)*"
_FILE = re.compile(
    rf"(?i:facts)/(?P<page>\w+)\.md(?P<more>(?:(?:,| and)? \(?(?:{_QUOTED}|traps? {_NUMBERS}))*)"
)
_VAGUE = re.compile(r"(?i:facts)/\w+\.md(?:,| \() ?(?!and |or |\"|traps? \d|which|that)(?P<what>\S+)")
_TRAPS = re.compile(rf"\b[Tt]raps? (?P<numbers>{_NUMBERS})")
_SECTIONS = re.compile(rf"\b[Dd]esign,? sections? (?P<numbers>{_NUMBERS})")
_ELSEWHERE = re.compile(r"\b(?:field|shared|house|style)(?:/\w+)?\.md\b|\bshared/facts\b")


@dataclass(frozen=True)
class Citation:
    """One citation: where it stands, the page it leads to and what of it, "" where that is the whole page."""

    place: str
    page: Path
    what: str = ""

    @property
    def leads_somewhere(self) -> bool:
        """Tell whether the page exists and has what is cited of it."""
        return self.page.is_file() and (
            not self.what or any(self._is_meant(line) for line in lines_of(self.page))
        )

    def _is_meant(self, line: str) -> bool:
        if self.what.startswith('"'):
            return re.match(rf"#+ {re.escape(self.what.strip(chr(34)))}(?!\w)", line) is not None
        kind, number = self.what.split()
        return line.startswith(f"{number}. " if kind == "trap" else f"## {number}. ")


def lines_of(page: Path) -> list[str]:
    """Return a page's lines; of the page of traps, numbered lines outside their part are left out."""
    text = without_fences(page.read_text(encoding="utf-8"))
    if page != TRAPS:
        return text.splitlines()
    before, heading, rest = text.partition("\n## Traps")
    traps, following, after = rest.partition("\n## ")
    others = re.sub(r"^\d+\. ", "", before + following + after, flags=re.MULTILINE)
    return (others + heading + traps).splitlines()


def sources() -> Iterator[Path]:
    """Yield the files that may cite a page."""
    for folder in CITING:
        for path in sorted((PROJECT / folder).rglob("*")):
            if path.suffix in KINDS and not UNREAD & {path, *path.parents} and path != Path(__file__):
                yield path


def on_one_line(text: str) -> str:
    """Return a source in which no citation is broken by the end of a line or of a comment's line."""
    return re.sub(r"\s*\n\s*(?:# ?)?", " ", text).replace('\\"', '"')


def citations_in(text: str, *, place: str) -> Iterator[Citation]:
    """Yield what a source cites."""
    line = on_one_line(text)
    for match in _FILE.finditer(line):
        page = PAGES / "facts" / f"{match['page']}.md"
        yield Citation(place, page)
        yield from (Citation(place, page, words) for words in re.findall(_QUOTED, match["more"]))
    for match in _TRAPS.finditer(line):
        yield from (Citation(place, TRAPS, f"trap {number}") for number in numbers_of(match["numbers"]))
    for match in _SECTIONS.finditer(line):
        yield from (Citation(place, DESIGN, f"section {number}") for number in numbers_of(match["numbers"]))


def numbers_of(words: str) -> list[int]:
    """Return the numbers of `1, 3 to 5 and 7`."""
    found: list[int] = []
    for joint, number in re.findall(r"(, | and | to |)(\d+)", words):
        found += range(found[-1] + 1, int(number) + 1) if joint == " to " else [int(number)]
    return found


@functools.lru_cache(maxsize=1)
def all_citations() -> tuple[Citation, ...]:
    """Return what all sources cite."""
    return tuple(
        citation
        for path in sources()
        for citation in citations_in(path.read_text(encoding="utf-8"), place=str(path.relative_to(PROJECT)))
    )


def test_every_citation_leads_somewhere() -> None:
    assert [citation for citation in all_citations() if not citation.leads_somewhere] == []


def test_no_citation_says_in_other_words_what_it_means() -> None:
    """What follows a page's name, and is neither in quotes nor a trap, could not be looked for."""
    vague = [
        (str(path.relative_to(PROJECT)), match[0])
        for path in sources()
        for pattern in (_VAGUE, _ELSEWHERE)
        for match in pattern.finditer(on_one_line(path.read_text(encoding="utf-8")))
    ]
    assert vague == []


def test_there_are_as_many_citations_as_one_would_think() -> None:
    """The expressions find what people write: a change of form that they do not know would empty the list."""
    assert len([c for c in all_citations() if c.page != DESIGN and not c.what]) > 80
    assert len([c for c in all_citations() if c.what.startswith("trap")]) > 60
    assert len([c for c in all_citations() if c.page == DESIGN]) > 12


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '"""Read (facts/bcs.md,\n    traps 7 to 9 and 13)."""',
            ["", "trap 7", "trap 8", "trap 9", "trap 13"],
        ),
        (
            '# see facts/bcs.md ("Safe\n# fallback for create", "PUT")',
            ["", '"Safe fallback for create"', '"PUT"'],
        ),
        ("that of design\n    section 3.", ["section 3"]),
        ("its Facts/manifests.md: the annotation", [""]),
    ],
)
def test_a_citation_is_read_across_lines(text: str, found: list[str]) -> None:
    assert [citation.what for citation in citations_in(text, place="here")] == found


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("facts/nothing.md", ""),
        ("facts/bcs.md", '"The thing"'),
        ("facts/bcs.md", '"the things"'),
        ("facts/bcs.md", "trap 22"),
        ("design.md", "section 99"),
    ],
)
def test_one_that_leads_nowhere_would_be_seen(page: str, what: str) -> None:
    assert not Citation("here", PAGES / page, what).leads_somewhere


# --- the pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(PAGES.rglob("*.md")), ids=lambda page: str(page.relative_to(PAGES)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_fences(page.read_text(encoding="utf-8")))
    assert [link for link in links if not _leads_somewhere(link, page)] == []


def _leads_somewhere(link: str, page: Path) -> bool:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    if link.startswith("https://"):
        return True
    return target.exists() and (not anchor or anchor in {_anchor(heading) for heading in headings_of(target)})


def _anchor(heading: str) -> str:
    """Return the anchor that Git hosts give a heading: lower case, spaces to dashes, no punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(
        re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.(?:py|json|md|txt))`", page.read_text(encoding="utf-8"))
    )
    roots = (PROJECT, PROJECT / "atom" / "bcs_template_set", PAGES)
    assert {name for name in named if not any((root / name).is_file() for root in roots)} == set()


def test_every_word_of_the_code_that_the_glossary_explains_is_one() -> None:
    glossary = (PAGES / "architecture.md").read_text(encoding="utf-8").partition("| in the code |")[2]
    explained = set(re.findall(r"`([A-Z]\w+)`", glossary.partition("\n\n")[0]))
    sources_of_step = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "atom").rglob("*.py"))
    defined = set(re.findall(r"^(?:class )?([A-Z]\w+)(?:\(|:| = )", sources_of_step, re.MULTILINE))
    assert len(explained) > 20
    assert explained - defined == set()


def test_the_design_names_every_input_and_every_output() -> None:
    section = DESIGN.read_text(encoding="utf-8").partition("## 2. ")[2].partition("\n## ")[0]
    table, outputs = section.partition("\nOutputs: ")[::2]
    first = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(first))) == sorted(known.name for known in INPUTS)
    assert [name for name in OUTPUTS if f"`{name}`" not in outputs] == []


def test_the_design_draws_the_borders_as_they_are(request: pytest.FixtureRequest) -> None:
    """`make golden` writes the table anew."""
    text = DESIGN.read_text(encoding="utf-8")
    head = "| folder | imports |\n|---|---|\n"
    before, _, rest = text.partition(head)
    table = "".join(f"| `{folder}` | {_imports(folder)} |\n" for folder in BORDERS)
    expected = before + head + table + rest[rest.index("\n\n") + 1 :]
    if request.config.getoption("--rewrite-golden"):
        DESIGN.write_text(expected, encoding="utf-8")
    assert DESIGN.read_text(encoding="utf-8") == expected, "design.md is out of date: run `make golden`"


def _imports(folder: str) -> str:
    above = list(BORDERS)[: list(BORDERS).index(folder) + 1]
    if len(BORDERS[folder]) > 1 and BORDERS[folder] == set(BORDERS) - set(above):
        return "everything below"
    return ", ".join(f"`{other}`" for other in BORDERS if other in BORDERS[folder]) or "nothing"
