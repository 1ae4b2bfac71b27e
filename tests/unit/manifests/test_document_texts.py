"""The text of each document: its own lines and comments, and none of the document before it."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.document_texts import document_texts
from bcs_template_set.manifests.parse import document_of, parse_documents


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("a: 1", ["a: 1\n"]),
        ("# top\na: 1\n\n\n", ["# top\na: 1\n"]),
        ("# nothing\n", []),
        ("a: 1\n---\nb: 2\n", ["a: 1\n", "b: 2\n"]),
        ("a: 1\n---\n# of b\n\nb: 2\n", ["a: 1\n", "# of b\n\nb: 2\n"]),
        ("# top\n---\n# of a\na: 1\n---\nb: 2\n", ["# top\n# of a\na: 1\n", "b: 2\n"]),
        ("--- {a: 1}\n--- # of b\nb: 2\n", ["{a: 1}\n", "# of b\nb: 2\n"]),
        ("a: 1\n...\n---\nb: 2\n", ["a: 1\n...\n", "b: 2\n"]),
        ("a: |\n  x\n  ---\n---\nb: 2", ["a: |\n  x\n  ---\n", "b: 2\n"]),
    ],
)
def test_each_document_has_its_lines_and_the_comments_above_it(text: str, texts: list[str]) -> None:
    documents = parse_documents(text, source="a.yaml")
    assert list(document_texts(text, documents)) == texts


def test_where_no_mark_is_found_nothing_of_the_document_before_comes_along() -> None:
    documents = [document_of({}, line=line) for line in (1, 3)]
    assert document_texts("a: secret\nb: secret\nc: 1\n", documents)[1] == "c: 1\n"
