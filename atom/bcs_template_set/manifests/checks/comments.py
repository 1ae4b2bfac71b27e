"""Checks of what a manifest says to the step in comments. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, check
from bcs_template_set.manifests.declared_kinds import ready_comments
from bcs_template_set.manifests.step_comments import comments_in

_WORDS = ("allow", "ready")


@check("step-comment")
def check_comments(checked: CheckInput) -> Iterator[Finding]:
    """Yield comments for the step that it does not understand, or can't follow, each with its line."""
    for file in checked.files:
        for comment in comments_in(file.text):
            if comment.word not in _WORDS:
                yield checked.finding(file, "", "comment_word", line=comment.line, word=comment.word)
            elif comment.word == "allow" and not comment.rest:
                yield checked.finding(file, "", "comment_allow", line=comment.line)
        for ready in ready_comments(file):
            if ready.problem:
                place = DocumentInFile(file, ready.document) if ready.document is not None else file
                yield checked.finding(place, "", ready.problem, line=ready.line)
