"""Comments for the step that it does not understand, or can't follow, each with its line."""

from __future__ import annotations

import pytest
from tests.support.building import findings_of, manifest

HEAD = "apiVersion: {}\nkind: {}\nmetadata: {{name: a}}\n"
CONFIG, CLAIM = HEAD.format("v1", "ConfigMap"), HEAD.format("v1", "PersistentVolumeClaim")
CLAIM += "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
READY = "# bcs-template-set: ready status.phase=Bound\n"


@pytest.mark.parametrize(
    ("text", "document", "sentence", "fields"),
    [
        (f"{CONFIG}# bcs-template-set: alow size\n", "", "comment_word", {"line": 4, "word": "alow"}),
        (f"{CONFIG}\n# bcs-template-set: allow\n", "", "comment_allow", {"line": 5}),
        (f"{CONFIG}# bcs-template-set:\n", "", "comment_word", {"line": 4, "word": ""}),
        (f"{CONFIG}# bcs-template-set: ready\n", "ConfigMap/a", "ready_malformed", {"line": 4}),
        (f"{CONFIG}---\n{READY}", "", "ready_nowhere", {"line": 5}),
    ],
)
def test_a_comment_that_can_not_be_followed_is_told_with_its_line_and_its_document(
    text: str, document: str, sentence: str, fields: dict[str, object]
) -> None:
    (finding,) = findings_of(manifest(text))
    assert (finding.id, finding.document, finding.field) == ("step-comment", document, "")
    assert (finding.message.key, finding.message.fields) == (f"checks.{sentence}", fields)


@pytest.mark.parametrize("comment", ["# bcs-template-set: allow size\n", READY, "# allow\n", ""])
def test_a_comment_that_can_be_followed_is_no_finding(comment: str) -> None:
    assert findings_of(manifest(CLAIM + comment)) == ()
