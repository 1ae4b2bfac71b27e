from __future__ import annotations

import pytest

from bcs_template_set.moments import shown_time


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1_767_225_599.9, "2025-12-31 23:59 UTC"), (1, "1970-01-01 00:00 UTC"), (0, "?"), (-1, "?")],
)
def test_a_moment_is_shown_to_the_minute_and_none_as_a_question_mark(seconds: float, shown: str) -> None:
    assert shown_time(seconds) == shown
