from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.building import findings_of

from bcs_template_set.manifests.checks.splitting import first_other_line
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.parser_words import YamlUnreadable

ONE, TWO = "kind: A\nname: one\n", "kind: B\nname: two\n"


def manifest(text: str) -> ManifestFile:
    return ManifestFile("a.yaml", text, "a", parse_documents(text, source=""))


def line_of(text: str) -> int:
    return first_other_line(manifest(text))


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"---\n{ONE}---\n{TWO}",
        f"# first\n---\n{ONE}\n\n---   \n\n# second\n{TWO}---\n",
        f"--- # first\n{ONE}---\t# second\n{TWO}",
        f"\n\n{ONE}",
        f"---\n---\n{ONE}---\n# nothing\n---\n{TWO}",
        f"{ONE}---\r\n{TWO}",
        "kind: A\ntext: |\n  ---\n  a\n",
        f"{ONE}--- {{kind: B}}\n",
        f"\n{ONE}text: |\n  a\n\n---\n{TWO}text: |\n  a\n",
        f"--- # first\n{ONE}text: |\n  a\n--- # second\n{TWO}text: >\n  a\n",
        f"{ONE}---\nkind: '{{{{ KIND }}}}'\n",
        f"{ONE}---",
        f"\n{ONE}text: |\n  a",
        f"\n{ONE}text: |\n  a\n  \n",
        f"--- # first\n{ONE}---\n{TWO}text: |\n  a",
        "",
    ],
)
def test_what_both_read_alike_is_left_alone(text: str) -> None:
    assert line_of(text) == 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('kind: A\npem: "x\n-----BEGIN\n  y"\n', 1),
        (f"{ONE}---\nkind: B\npem: 'x\n---y'\n", 4),
        (f"%YAML 1.1\n---\n{ONE}", 1),
        (f"# first\n%YAML 1.1\n---\n{ONE}", 1),
        (f"{ONE}---\n...\n%YAML 1.1\n---\n...\n%YAML 1.1\n---\n", 4),
        (f"{ONE}\x85---\n{TWO}", 1),
        (f"{ONE}\u2028---\n{TWO}", 1),
        (f"{ONE}\u2029---\n{TWO}", 1),
        (f"  kind: A\n  name: one\n---\n{TWO}", 1),
        (f"{ONE}---\n  kind: B\n  name: two\n", 4),
        (f"\n\n{ONE}---\n  kind: B\n  name: two\n", 6),
        ("---kind: A\nname: one\n", 1),
    ],
)
def test_what_bcs_reads_otherwise_is_named_by_its_line(text: str, line: int) -> None:
    assert line_of(text) == line


def test_it_is_a_finding_that_a_comment_can_allow() -> None:
    text = f"{ONE}\u2028---\n{TWO}"
    assert "document-split" in _ids(text)
    assert "document-split" not in _ids(f"# bcs-template-set: allow document-split\n{text}")


def _ids(text: str) -> list[str]:
    return [finding.id for finding in findings_of(manifest(text))]


PIECES = st.sampled_from(
    [
        ONE,
        TWO,
        "---\n",
        "--- \n",
        "---",
        "...\n",
        "%YAML 1.1\n",
        "  ",
        "\n",
        "\r\n",
        "\x85",
        "# c\n",
        "x: '\n---a'\n",
        "t: |\n  a\n",
    ]
)
NOTHING_ENDED = re.compile(r"(\s|#.*)*\.\.\.")


@given(st.lists(PIECES, max_size=7).map("".join))
def test_the_quick_look_never_hides_what_the_whole_one_sees(text: str) -> None:
    """The expression is applied here as BCS does it, to the whole text, and each piece read alone."""
    try:
        file = manifest(text)
    except YamlUnreadable:
        return
    *pieces, last = split_like_bcs(text.strip())
    pieces = [*(f"{piece}\n" for piece in pieces), last + "\n" * ("\n" in text[len(text.rstrip()) :])]
    if any(NOTHING_ENDED.match(piece) for piece in pieces):
        return  # to BCS this is an empty document, to our reader none at all
    seen = [body for piece in pieces for body in first_of(piece)]
    alike = seen == [document.body for document in file.documents]
    assert (first_other_line(file) == 0) is alike


def first_of(piece: str) -> list[object]:
    try:
        return [document.body for document in parse_documents(piece, source="")[:1]]
    except YamlUnreadable:
        return [None]


def split_like_bcs(text: str) -> list[str]:
    """Split without an expression: at `---` after a line feed, or at the beginning."""
    pieces, rest = [""], text
    while rest:
        at_start = len(pieces) == 1 and not pieces[0]
        if rest.startswith("\n---") or (at_start and rest.startswith("---")):
            pieces[-1] = pieces[-1].rstrip("\t\n\f\r ")
            rest = rest.lstrip("\n")[3:].lstrip("\t\n\f\r ")
            pieces.append("")
        else:
            pieces[-1] += rest[0]
            rest = rest[1:]
    return pieces
