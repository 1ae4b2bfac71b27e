"""Requests leave at a rate, however many threads ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.pieces import FakeClock

from bcs_template_set.rollout.live_reads import BURST, PER_SECOND, Pace


@given(st.integers(1, 400))
def test_never_more_leave_than_the_rate_and_what_was_saved(count: int) -> None:
    clock = FakeClock()
    began = clock.monotonic()
    pace = Pace(clock)
    for _ in range(count):
        pace.take()
    assert count <= 22 + (clock.monotonic() - began) * 7 + 1e-6


def test_a_burst_is_saved_up_while_nothing_is_asked_and_no_more() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for _ in range(int(BURST)):
        pace.take()
    assert clock.waits == []
    pace.take()
    assert clock.waits == [pytest.approx(1 / PER_SECOND)]
    clock.time += 1000
    for _ in range(int(BURST)):
        pace.take()
    assert len(clock.waits) == 1
