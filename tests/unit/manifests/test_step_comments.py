"""What comments say to the step: their lines and words, and the document that they stand in."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.step_comments import (
    StepComment,
    allowed_in,
    comments_in,
    condition_in,
    document_at,
)


def test_each_comment_is_found_with_its_line_its_word_and_the_rest() -> None:
    text = (
        "\n# bcs-template-set: allow size,image-tag  probe \n"
        "a: b  #bcs-template-set:ready  status.phase = A b\r\n\n"
        "# a comment\n#\tbcs-template-set:\n# not for bcs-template-set: x"
    )
    assert list(comments_in(text)) == [
        StepComment(2, "allow", "size,image-tag  probe"),
        StepComment(3, "ready", "status.phase = A b"),
        StepComment(6, "", ""),
    ]
    assert allowed_in(text) == ("size", "image-tag", "probe")
    assert allowed_in(text + "\n# bcs-template-set: allow more") == ("size", "image-tag", "probe", "more")
    assert allowed_in("a: b\n") == ()


@pytest.mark.parametrize(
    ("rest", "condition"),
    [
        ("status.phase=Ready", ("status.phase", "Ready")),
        ("a \t=\t b = c", ("a", "b = c")),
        ("status..phase=Ready", None),
        (".a=b", None),
        ("a b=c", None),
        ("a=", None),
        ("a", None),
    ],
)
def test_a_condition_is_a_field_and_its_value(rest: str, condition: tuple[str, str] | None) -> None:
    assert condition_in(StepComment(1, "ready", rest)) == condition


def test_a_line_stands_in_the_document_between_the_same_marks() -> None:
    text = "# top\na: 1\n---\n# of none\n---\n# above b\nb: 2\n# below b\n--- # of c\nc: 3\n"
    documents = parse_documents(text, source="a.yaml")
    found = [document_at(line, text=text, documents=documents) for line in range(1, 11)]
    a, b, c = documents
    assert found == [a, a, None, None, b, b, b, b, c, c]
