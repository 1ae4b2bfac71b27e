"""How writing a planned change ended."""

from __future__ import annotations

from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change


def test_what_has_not_come_of_a_file_yet_is_not_claimed() -> None:
    planned = FileOutcome(Change("a.yaml", "create", "", "", writes_version=True), "not-attempted")
    assert planned.word == "skip"
    assert (planned.version_id, planned.version, planned.creator, planned.template_id) == ("",) * 4
    assert (planned.seconds, planned.answered_at, planned.unsure, planned.verified) == (0, 0, False, True)
