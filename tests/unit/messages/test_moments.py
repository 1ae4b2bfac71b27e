from __future__ import annotations

import pytest

from bcs_template_set.messages.text import exact_time, shown_time


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (1_767_225_599.9, "2025-12-31 23:59 UTC"),
        (1, "1970-01-01 00:00 UTC"),
        (0, "?"),
        (-1, "?"),
        (253_402_300_799, "9999-12-31 23:59 UTC"),
        (253_402_300_800, "253402300800"),
        (9e17, "9e+17"),
        (10**30, f"1{'0' * 30}"),
        (float("nan"), "nan"),
    ],
)
def test_a_moment_is_shown_to_the_minute_and_none_as_a_question_mark(seconds: float, shown: str) -> None:
    assert shown_time(seconds) == shown


def test_for_programs_a_moment_has_seconds_and_what_is_none_stays_as_it_came() -> None:
    assert exact_time(1_767_225_599.9) == "2025-12-31T23:59:59Z"
    assert [exact_time(10**30), exact_time(0), exact_time(-5)] == [f"1{'0' * 30}", "0", "-5"]
